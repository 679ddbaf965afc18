//! Where an MP4 has its frames: the boxes of ISO/IEC 14496-12 (and of 14496-15 for H.264) that say so, whole or in
//! fragments. Files are taken for hostile: what is not there is not read, and no number in a file is believed further than
//! the file is long.

use std::{io::Cursor, ops::Range};

/// The video of a file.
pub struct Video {
    pub height: usize,
    /// Bytes of the length before each unit of a frame.
    pub length_size: usize,
    /// What the decoder needs first.
    pub parameter_sets: Vec<Vec<u8>>,
    /// Where each frame is, in the order of decoding; the last ones may lie beyond the end of a file that was cut.
    pub frames: Vec<Range<usize>>,
}

/// A box's name and what it holds.
type Held<'a> = ([u8; 4], &'a [u8]);

/// Reads numbers from the front.
struct Fields<'a>(Cursor<&'a [u8]>);

impl<'a> Fields<'a> {
    fn of(bytes: &'a [u8]) -> Fields<'a> {
        Fields(Cursor::new(bytes))
    }

    fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let from = self.0.position() as usize;
        let bytes = self.0.get_ref().get(from..from.checked_add(count)?)?;
        self.0.set_position((from + count) as u64);
        Some(bytes)
    }

    fn number(&mut self, count: usize) -> Option<u64> {
        Some(self.bytes(count)?.iter().fold(0, |sum, &byte| sum << 8 | u64::from(byte)))
    }

    fn size(&mut self) -> Option<usize> {
        self.number(4).map(|number| number as usize)
    }

    /// A number that is there only if its flag is set.
    fn size_if(&mut self, is_there: bool) -> Option<Option<usize>> {
        if is_there { self.size().map(Some) } else { Some(None) }
    }
}

/// The boxes one after another, each with where it begins, as far as they are whole.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = (usize, Held<'_>)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let mut head = Fields::of(rest);
        let (size, name) = (head.number(4)?, head.bytes(4)?.try_into().ok()?);
        let (start, size) = match size {
            // Up to the end.
            0 => (8, rest.len()),
            1 => (16, usize::try_from(head.number(8)?).ok()?),
            size => (8, size as usize),
        };
        // A box that is shorter than its head would be read for ever.
        let held = rest.get(start..size)?;
        let from = at;
        at += size;
        Some((from, (name, held)))
    })
}

fn find<'a>(bytes: &'a [u8], path: &[&[u8; 4]]) -> Option<&'a [u8]> {
    path.iter().try_fold(bytes, |held, name| all(held, name).next())
}

fn all<'a>(bytes: &'a [u8], name: &[u8; 4]) -> impl Iterator<Item = &'a [u8]> {
    boxes(bytes).filter(move |(_, (found, _))| found == name).map(|(_, (_, held))| held)
}

impl Video {
    /// The first video of a file.
    ///
    /// # Errors
    /// What the file lacks, in words.
    pub fn of(bytes: &[u8]) -> Result<Video, &'static str> {
        let movie = find(bytes, &[b"moov"]).ok_or("it has no table of contents, or not all of it")?;
        let is_video =
            |track: &&[u8]| find(track, &[b"mdia", b"hdlr"]).and_then(|held| held.get(8..12)) == Some(b"vide");
        let track = all(movie, b"trak").find(is_video).ok_or("no video in it")?;
        let table = find(track, &[b"mdia", b"minf", b"stbl"]).ok_or("its video has no table of frames")?;
        let entry = find(table, &[b"stsd"]).and_then(|held| find(held.get(8..)?, &[b"avc1"]));
        let entry = entry.ok_or("its video is not H.264")?;
        let height = entry.get(26..28).map(|size| usize::from(u16::from_be_bytes([size[0], size[1]])));
        let head = entry.get(78..).and_then(|held| find(held, &[b"avcC"])).and_then(parameters);
        let (Some(height), Some((length_size, parameter_sets))) = (height, head) else {
            return Err("its video's head is damaged");
        };
        let mut frames = in_table(table, bytes.len()).unwrap_or_default();
        if let Some(id) = find(track, &[b"tkhd"]).and_then(track_id) {
            in_fragments(bytes, movie, id, &mut frames);
        }
        // No byte is in two frames: whoever says so wants much to be read of a small file.
        let mut left = bytes.len();
        frames.retain(|place| {
            left = left.saturating_sub(place.len());
            left > 0
        });
        Ok(Video { height, length_size, parameter_sets, frames })
    }
}

fn track_id(header: &[u8]) -> Option<usize> {
    let mut fields = Fields::of(header);
    let version = fields.number(4)? >> 24;
    fields.bytes(if version == 1 { 16 } else { 8 })?;
    fields.size()
}

fn parameters(head: &[u8]) -> Option<(usize, Vec<Vec<u8>>)> {
    let mut fields = Fields::of(head);
    fields.bytes(4)?;
    let length_size = (fields.number(1)? & 3) as usize + 1;
    let mut sets = Vec::new();
    // Of sequences, then of pictures.
    for bits in [31, 255] {
        for _ in 0..fields.number(1)? & bits {
            let length = fields.number(2)? as usize;
            sets.push(fields.bytes(length)?.to_vec());
        }
    }
    Some((length_size, sets))
}

/// The frames of a file that was written in one go: sizes in one table, places of chunks in another, and in a third how
/// many frames a chunk has, from one chunk on.
fn in_table(table: &[u8], file_size: usize) -> Option<Vec<Range<usize>>> {
    let entries = |name, width| {
        let held = find(table, &[name])?.get(4..)?;
        let mut fields = Fields::of(held);
        let count = fields.size()?;
        Some((0..count).map_while(move |_| fields.number(width).map(|number| number as usize)))
    };
    let mut sizes = Fields::of(find(table, &[b"stsz"])?.get(4..)?);
    // Each of a whole file's frames has a byte at least.
    let (one_size, count) = (sizes.size()?, sizes.size()?.min(file_size));
    let mut sizes = (0..count).map_while(|_| if one_size > 0 { Some(one_size) } else { sizes.size() });
    let mut runs = Fields::of(find(table, &[b"stsc"])?.get(8..)?);
    let mut run = || Some([runs.size()?, runs.size()?, runs.size()?]);
    let [_, mut in_chunk, _] = run()?;
    let mut next = run();
    let places: Vec<usize> = match entries(b"stco", 4) {
        Some(places) => places.collect(),
        None => entries(b"co64", 8)?.collect(),
    };
    let mut frames = Vec::new();
    for (chunk, mut place) in (1..).zip(places) {
        if let Some([_, count, _]) = next.filter(|[first, ..]| *first <= chunk) {
            (in_chunk, next) = (count, run());
        }
        for size in sizes.by_ref().take(in_chunk) {
            let end = place.checked_add(size)?;
            frames.push(place..end);
            place = end;
        }
    }
    Some(frames)
}

/// The frames of a file that was written as it went: each fragment tells of its own.
fn in_fragments(bytes: &[u8], movie: &[u8], id: usize, frames: &mut Vec<Range<usize>>) {
    let extends = find(movie, &[b"mvex"]).unwrap_or_default();
    let defaults = all(extends, b"trex").find_map(|held| {
        let mut fields = Fields::of(held.get(4..)?);
        (fields.size()? == id).then_some(())?;
        fields.bytes(8)?;
        fields.size()
    });
    for (start, (name, fragment)) in boxes(bytes) {
        if name != *b"moof" {
            continue;
        }
        let mut end = start;
        for track in all(fragment, b"traf") {
            // A damaged fragment says nothing more; the next one may.
            let _ = in_fragment(track, [start, bytes.len()], id, defaults.unwrap_or(0), &mut end, frames);
        }
    }
}

/// `end` is where the data of the fragment's former track ends.
fn in_fragment(
    track: &[u8],
    [start, file_size]: [usize; 2],
    id: usize,
    usual: usize,
    end: &mut usize,
    frames: &mut Vec<Range<usize>>,
) -> Option<()> {
    let mut head = Fields::of(find(track, &[b"tfhd"])?);
    let (flags, found) = (head.number(4)? as u32, head.size()?);
    let base = if flags & 1 != 0 { Some(usize::try_from(head.number(8)?).ok()?) } else { None };
    head.size_if(flags & 2 != 0)?;
    head.size_if(flags & 8 != 0)?;
    let usual = head.size_if(flags & 0x10 != 0)?.unwrap_or(usual);
    let base = base.unwrap_or(if flags & 0x2_0000 != 0 { start } else { *end });
    *end = base;
    for run in all(track, b"trun") {
        let mut fields = Fields::of(run);
        let (flags, count) = (fields.number(4)? as u32, fields.size()?);
        if let Some(offset) = fields.size_if(flags & 1 != 0)? {
            *end = base.checked_add_signed(offset as u32 as i32 as isize)?;
        }
        fields.size_if(flags & 4 != 0)?;
        for _ in 0..count {
            fields.size_if(flags & 0x100 != 0)?;
            let size = fields.size_if(flags & 0x200 != 0)?.unwrap_or(usual);
            fields.size_if(flags & 0x400 != 0)?;
            fields.size_if(flags & 0x800 != 0)?;
            let from = *end;
            *end = from.checked_add(size)?;
            if found == id {
                frames.push(from..*end);
            }
            // What lies behind the file's end is not there, however many of them a run claims, nor are empty ones.
            if *end > file_size || frames.len() > file_size {
                return None;
            }
        }
    }
    Some(())
}
