//! A saved world in a file: what it is, a picture for lists, the line that led there, and the dream itself.
//!
//! The format is told in `docs/recording-format.md`. A save is written beside its place and renamed, so that it is whole
//! or not there, and a failed one harms no other.

use super::{
    About, Snapshot,
    bytes::{Cursor, deflate, inflate, put_frame, take_frame},
    container::{Block, BlockReader, BlockWriter, Fault, FileKind},
    line::Line,
};
use holdfast_sim::Frame;
use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufReader, Read, Write},
    path::{Path, PathBuf},
};

pub(crate) const KIND: FileKind = FileKind { tag: *b"save", version: 9, name: "save" };

/// Most bytes of a save's file, so that one fits into a recording.
pub const MOST_FILE_BYTES: u32 = 1 << 29;
/// Most bytes of a dream before it is deflated.
const MOST_WORLD_BYTES: u64 = 1 << 29;
/// Most bytes of a line before it is deflated: a week of play.
const MOST_LINE_BYTES: u64 = 1 << 27;

/// Kinds of blocks, in the order in which they come.
const HEADER: u8 = b'H';
const PREVIEW: u8 = b'P';
const LINE: u8 = b'L';
const WORLD: u8 = b'W';
const END: u8 = b'E';

fn most_bytes(kind: u8) -> Option<u32> {
    match kind {
        HEADER => Some(About::MOST_BYTES),
        PREVIEW => Some(1 << 25),
        LINE => Some(MOST_LINE_BYTES as u32),
        WORLD => Some(MOST_FILE_BYTES),
        END => Some(0),
        _ => None,
    }
}

/// A saved world.
#[derive(Debug, Clone)]
pub struct Save {
    pub about: About,
    /// What led there: its actions are as many as the snapshot's tick.
    pub line: Line,
    pub snapshot: Snapshot,
}

/// What a list shows of a save: read from its first blocks alone.
#[derive(Debug, Clone)]
pub struct Preview {
    pub about: About,
    /// `None` for a world that began with a picture.
    pub seed: Option<u64>,
    pub tick: u64,
    pub frame: Frame,
}

impl Save {
    /// Opens a file and gives its bytes too, for a recording that goes on from it.
    pub fn open_with_bytes(path: &Path) -> Result<(Save, Vec<u8>), Fault> {
        let mut bytes = Vec::new();
        // More than a save may have is not read: the reader then finds it cut.
        File::open(path)?.take(u64::from(MOST_FILE_BYTES)).read_to_end(&mut bytes)?;
        Ok((Self::read(bytes.as_slice())?, bytes))
    }

    /// The bytes of the file; equal worlds give equal bytes.
    pub fn to_bytes(&self) -> io::Result<Vec<u8>> {
        let mut preview = self.snapshot.tick().to_le_bytes().to_vec();
        let seed = self.line.origin.seed();
        preview.push(u8::from(seed.is_some()));
        preview.extend(seed.unwrap_or(0).to_le_bytes());
        put_frame(&mut preview, self.snapshot.frame());
        let mut blocks = BlockWriter::begin(Vec::new(), &KIND)?;
        blocks.push(HEADER, &self.about.to_json())?;
        blocks.push(PREVIEW, &preview)?;
        blocks.push(LINE, &packed(&self.line.to_bytes(), MOST_LINE_BYTES)?)?;
        blocks.push(WORLD, &packed(&self.snapshot.to_bytes(), MOST_WORLD_BYTES)?)?;
        blocks.push(END, &[])?;
        let bytes = blocks.into_inner();
        if bytes.len() > MOST_FILE_BYTES as usize {
            return Err(too_large());
        }
        Ok(bytes)
    }

    pub fn open(path: &Path) -> Result<Save, Fault> {
        Self::read(BufReader::new(File::open(path)?))
    }

    pub fn read(input: impl Read) -> Result<Save, Fault> {
        let mut reader = BlockReader::begin(input, &KIND)?;
        let Preview { about, seed, tick, .. } = Preview::take(&mut reader)?;
        let block = expect(&mut reader, LINE)?;
        let line = unpacked(&block.payload, MOST_LINE_BYTES).and_then(|bytes| Line::from_bytes(&bytes));
        let line = line.map_err(|reason| block.fault(reason))?;
        let block = expect(&mut reader, WORLD)?;
        let snapshot = unpacked(&block.payload, MOST_WORLD_BYTES)
            .and_then(|bytes| Snapshot::from_bytes(&bytes, about.model_hash.clone()))
            .map_err(|reason| block.fault(reason))?;
        let end = expect(&mut reader, END)?;
        if line.actions.len() as u64 != snapshot.tick() || snapshot.tick() != tick || line.origin.seed() != seed {
            return Err(end.fault("its parts are not of one world"));
        }
        Ok(Save { about, line, snapshot })
    }

    /// Writes the file whole, or leaves nothing and what was there before.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_whole(path, &self.to_bytes()?)
    }
}

impl Preview {
    pub fn open(path: &Path) -> Result<Preview, Fault> {
        Self::take(&mut BlockReader::begin(BufReader::new(File::open(path)?), &KIND)?)
    }

    fn take(reader: &mut BlockReader<impl Read>) -> Result<Preview, Fault> {
        let header = expect(reader, HEADER)?;
        let about = About::from_json(&header.payload).map_err(|reason| header.fault(reason))?;
        let block = expect(reader, PREVIEW)?;
        let parse = || {
            let mut cursor = Cursor(&block.payload);
            let (tick, has_seed, seed) = (cursor.u64()?, cursor.u8()?, cursor.u64()?);
            Ok((tick, (has_seed == 1).then_some(seed), take_frame(cursor)?))
        };
        let (tick, seed, frame) = parse().map_err(|reason: String| block.fault(reason))?;
        Ok(Preview { about, seed, tick, frame })
    }
}

/// The next block, which must be of a kind.
fn expect(reader: &mut BlockReader<impl Read>, kind: u8) -> Result<Block, Fault> {
    match reader.next(most_bytes)? {
        Some(block) if block.kind == kind => Ok(block),
        Some(block) => Err(block.fault("a block stands in the wrong place")),
        None => Err(reader.cut()),
    }
}

fn too_large() -> io::Error {
    io::Error::other("this world has grown larger than a save may be")
}

/// Length in eight bytes, then the bytes deflated.
fn packed(bytes: &[u8], most: u64) -> io::Result<Vec<u8>> {
    if bytes.len() as u64 > most {
        return Err(too_large());
    }
    let mut packed = (bytes.len() as u64).to_le_bytes().to_vec();
    packed.extend(deflate(bytes));
    Ok(packed)
}

fn unpacked(bytes: &[u8], most: u64) -> Result<Vec<u8>, String> {
    let mut cursor = Cursor(bytes);
    let length = cursor.u64()?;
    if length > most {
        return Err(format!("it claims to unpack to {length} bytes, more than the {most} that are possible"));
    }
    inflate(cursor.0, length as usize)
}

/// Writes beside the path, then renames. Links are replaced, never followed.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    // What a killed write left behind, or somebody put there.
    if let Err(error) = fs::remove_file(&partial)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(error);
    }
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&partial)?;
        file.write_all(bytes)?;
        // The rename must not reach the disk before the bytes do.
        file.sync_all()?;
        fs::rename(&partial, path)
    };
    let written = write();
    if written.is_err() {
        // What stopped the writing is the error to tell.
        let _ = fs::remove_file(&partial);
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(unix)]
    fn links_are_replaced_and_never_followed() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let [precious, place, partial] =
            ["precious", "a.world", "a.world.partial"].map(|name| folder.path().join(name));
        fs::write(&precious, "years").expect("room");
        for link in [&place, &partial] {
            std::os::unix::fs::symlink(&precious, link).expect("a new name");
        }
        write_whole(&place, b"save").expect("room");
        assert_eq!(fs::read(&precious).expect("still there"), b"years");
        assert_eq!(fs::read(&place).expect("written"), b"save");
        assert!(!place.is_symlink() && !partial.exists());
        // A recording takes no name that is taken, also by a link.
        std::os::unix::fs::symlink(&precious, &partial).expect("a new name");
        let about = super::super::about::tests::about();
        super::super::recording::Recorder::create(&partial, &about, false).expect_err("a link");
        assert_eq!(fs::read(&precious).expect("still there"), b"years");
    }

    #[test]
    fn a_failed_write_leaves_what_was_there_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = folder.path().join("a.world");
        // A folder stands where the save should go.
        fs::create_dir_all(place.join("inside")).expect("room");
        write_whole(&place, b"save").expect_err("a folder cannot be replaced by a file");
        assert_eq!(fs::read_dir(folder.path()).expect("there").count(), 1);
        write_whole(&folder.path().join("gone/a.world"), b"save").expect_err("no such folder");
    }
}
