//! The container of everything kept: blocks one after another, each with its length and a checksum over all so far.
//!
//! A file that was cut, by a kill or a full disk, is readable up to its last whole block. The checksums form a chain, so
//! that no block can be changed, left out or moved unnoticed. Nothing is allocated on the word of a length alone.

use std::io::{self, Read, Write};

/// First bytes of every file.
const MAGIC: &[u8; 8] = b"HOLDFAST";
/// Bytes of a stored checksum: the first of a BLAKE3 hash.
const CHECKSUM_BYTES: usize = 16;

/// What a file is, and how it is laid out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FileKind {
    /// Four letters after the magic.
    pub tag: [u8; 4],
    /// The newest version that is read and the one that is written.
    pub version: u32,
    /// What it is called in errors.
    pub name: &'static str,
}

/// Why a file could not be read, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("it is no {0} of holdfast")]
    Foreign(&'static str),
    #[error("it is a {name} of version {found}, and this program knows versions 1 to {known}; a newer one reads it")]
    Version { name: &'static str, found: u32, known: u32 },
    #[error("it is cut off at byte {at}")]
    Cut { at: u64 },
    #[error("it is damaged at byte {at}: {reason}")]
    Damaged { at: u64, reason: String },
}

/// A piece of a file, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    pub kind: u8,
    /// Where it begins in the file, for errors.
    pub at: u64,
    pub payload: Vec<u8>,
}

impl Block {
    /// An error in what this block says.
    pub fn fault(&self, reason: impl Into<String>) -> Fault {
        Fault::Damaged { at: self.at, reason: reason.into() }
    }
}

/// Appends blocks; each is in the file when `push` returns.
#[derive(Debug)]
pub struct BlockWriter<W> {
    out: W,
    chain: [u8; 32],
    /// After a failed write the file may end within a block: nothing may follow that.
    failed: bool,
}

impl<W: Write> BlockWriter<W> {
    pub fn begin(mut out: W, kind: &FileKind) -> io::Result<Self> {
        let preamble = [MAGIC.as_slice(), &kind.tag, &kind.version.to_le_bytes()].concat();
        out.write_all(&preamble)?;
        Ok(BlockWriter { out, chain: *blake3::hash(&preamble).as_bytes(), failed: false })
    }

    pub fn push(&mut self, kind: u8, payload: &[u8]) -> io::Result<()> {
        if self.failed {
            return Err(io::Error::other("an earlier write failed, and nothing can follow it"));
        }
        let length = u32::try_from(payload.len()).map_err(|_| io::Error::other("a block of more than 4 GB"))?;
        let mut bytes = Vec::with_capacity(payload.len() + 5 + CHECKSUM_BYTES);
        bytes.push(kind);
        bytes.extend(length.to_le_bytes());
        bytes.extend(payload);
        self.chain = link(&self.chain, &bytes);
        bytes.extend(&self.chain[..CHECKSUM_BYTES]);
        // In one go: a kill between two writes would leave half a block.
        let written = self.out.write_all(&bytes).and_then(|()| self.out.flush());
        self.failed = written.is_err();
        written
    }

    pub fn into_inner(self) -> W {
        self.out
    }
}

/// Reads blocks and checks each before it is given out.
#[derive(Debug)]
pub struct BlockReader<R> {
    input: R,
    chain: [u8; 32],
    at: u64,
}

impl<R: Read> BlockReader<R> {
    pub fn begin(mut input: R, kind: &FileKind) -> Result<Self, Fault> {
        let mut preamble = Vec::new();
        input.by_ref().take(16).read_to_end(&mut preamble)?;
        if preamble.len() < 16 || !preamble.starts_with(MAGIC) || preamble[8..12] != kind.tag {
            return Err(Fault::Foreign(kind.name));
        }
        let found = u32::from_le_bytes(preamble[12..].try_into().expect("four bytes"));
        if !(1..=kind.version).contains(&found) {
            return Err(Fault::Version { name: kind.name, found, known: kind.version });
        }
        Ok(BlockReader { input, chain: *blake3::hash(&preamble).as_bytes(), at: 16 })
    }

    /// The next block; `None` at the end of the file. `most_bytes` says how long a block of a kind may be, and which
    /// kinds there are.
    pub fn next(&mut self, most_bytes: impl Fn(u8) -> Option<u32>) -> Result<Option<Block>, Fault> {
        let at = self.at;
        let mut bytes = Vec::new();
        self.input.by_ref().take(5).read_to_end(&mut bytes)?;
        match bytes.len() {
            0 => return Ok(None),
            5 => {}
            _ => return Err(Fault::Cut { at }),
        }
        let damaged = |reason: String| Err(Fault::Damaged { at, reason });
        let kind = bytes[0];
        let length = u32::from_le_bytes(bytes[1..].try_into().expect("four bytes"));
        match most_bytes(kind) {
            None => return damaged(format!("there is no block of kind {kind}")),
            Some(most) if length > most => {
                return damaged(format!("a block claims {length} bytes, more than the {most} that it may have"));
            }
            Some(_) => {}
        }
        let whole = u64::from(length) + CHECKSUM_BYTES as u64;
        // Grows with what is there, not with what is claimed.
        self.input.by_ref().take(whole).read_to_end(&mut bytes)?;
        let end = 5 + length as usize;
        if bytes.len() < end + CHECKSUM_BYTES {
            return Err(Fault::Cut { at });
        }
        let chain = link(&self.chain, &bytes[..end]);
        if bytes[end..] != chain[..CHECKSUM_BYTES] {
            return damaged("its checksum does not match".into());
        }
        (self.chain, self.at) = (chain, at + 5 + whole);
        bytes.truncate(end);
        bytes.drain(..5);
        Ok(Some(Block { kind, at, payload: bytes }))
    }

    /// The error of a file that ends between two blocks, where another must follow.
    pub fn cut(&self) -> Fault {
        Fault::Cut { at: self.at }
    }
}

fn link(chain: &[u8; 32], bytes: &[u8]) -> [u8; 32] {
    *blake3::Hasher::new().update(chain).update(bytes).finalize().as_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KIND: FileKind = FileKind { tag: *b"test", version: 2, name: "test" };

    fn most(kind: u8) -> Option<u32> {
        (kind < 3).then_some(100)
    }

    fn file() -> Vec<u8> {
        let mut writer = BlockWriter::begin(Vec::new(), &KIND).expect("memory");
        for (kind, payload) in [(1, &b"one"[..]), (2, b""), (1, b"three")] {
            writer.push(kind, payload).expect("memory");
        }
        writer.into_inner()
    }

    fn read(bytes: &[u8]) -> (Vec<Block>, Option<Fault>) {
        let mut reader = match BlockReader::begin(bytes, &KIND) {
            Ok(reader) => reader,
            Err(fault) => return (Vec::new(), Some(fault)),
        };
        let mut blocks = Vec::new();
        loop {
            match reader.next(most) {
                Ok(Some(block)) => blocks.push(block),
                Ok(None) => return (blocks, None),
                Err(fault) => return (blocks, Some(fault)),
            }
        }
    }

    #[test]
    fn blocks_read_back_and_a_cut_file_up_to_its_last_whole_one() {
        let file = file();
        let (whole, None) = read(&file) else { panic!("a whole file") };
        assert_eq!(
            whole.iter().map(|block| block.payload.as_slice()).collect::<Vec<_>>(),
            [&b"one"[..], b"", b"three"]
        );
        for length in 0..file.len() {
            let (blocks, fault) = read(&file[..length]);
            assert!(whole.starts_with(&blocks), "{length}");
            let ends_between = whole.iter().any(|block| block.at == length as u64);
            assert_eq!(fault.is_none(), ends_between, "{length}: {fault:?}");
        }
    }

    #[test]
    fn a_changed_bit_ends_the_reading_before_it() {
        let file = file();
        let (whole, _) = read(&file);
        for bit in 0..file.len() * 8 {
            let mut changed = file.clone();
            changed[bit / 8] ^= 1 << (bit % 8);
            let (blocks, fault) = read(&changed);
            let good = whole.iter().filter(|block| block.at as usize + 5 + block.payload.len() + 16 <= bit / 8).count();
            // An older version that is known may stand in the preamble; the chain covers it all the same.
            assert!(fault.is_some() && blocks == whole[..if bit < 128 { 0 } else { good }], "bit {bit}");
        }
    }

    #[test]
    fn claims_are_refused_before_anything_is_allocated() {
        let mut file = file();
        file[17..21].copy_from_slice(&u32::MAX.to_le_bytes());
        let (_, fault) = read(&file);
        assert!(fault.expect("absurd").to_string().contains("claims 4294967295 bytes"));
        let (_, fault) = read(b"\x89PNG\r\n\x1a\n and so on and on");
        assert_eq!(fault.expect("a picture").to_string(), "it is no test of holdfast");
        let mut newer = BlockWriter::begin(Vec::new(), &FileKind { version: 3, ..KIND }).expect("memory");
        newer.push(1, b"").expect("memory");
        let (_, fault) = read(&newer.into_inner());
        assert!(fault.expect("newer").to_string().contains("version 3"));
    }
}
