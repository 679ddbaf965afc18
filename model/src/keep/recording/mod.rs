//! Recordings: what was done, tick by tick, and the hash of every frame, in a file that grows as it goes.
//!
//! The format is told in `docs/recording-format.md`. A recording is a tree of lines: each begins at a seed, a picture, a
//! saved world, or as a fork of an earlier line, and is never changed by what comes after it.

mod reader;
mod recorder;
mod replay;
#[cfg(test)]
mod tests;

pub use reader::{RecordedLine, Recording};
pub use recorder::Recorder;
pub use replay::{Outcome, Replay};

use super::{container::FileKind, line::Origin};

/// What a recording's file is.
pub(crate) const KIND: FileKind = FileKind { tag: *b"reco", version: 1, name: "recording" };

/// Kinds of blocks.
mod block {
    /// JSON of [`super::super::About`]; the first block.
    pub const HEADER: u8 = b'H';
    /// A line begins.
    pub const LINE: u8 = b'L';
    /// Ticks of the present line.
    pub const TICKS: u8 = b'T';
    /// The frames of the ticks in the block before.
    pub const FRAMES: u8 = b'F';
    /// Nothing follows: the recording was ended, not cut.
    pub const END: u8 = b'E';
}

/// Most ticks of a block: a second's worth is the rule.
const MOST_TICKS: usize = 200;

/// Most bytes of a block of a kind; `None` for kinds that there are not.
fn most_bytes(kind: u8) -> Option<u32> {
    match kind {
        block::HEADER => Some(super::About::MOST_BYTES),
        block::LINE => Some(super::save::MOST_FILE_BYTES),
        block::TICKS => Some(1 << 16),
        block::FRAMES => Some(1 << 29),
        block::END => Some(0),
        _ => None,
    }
}

/// How a line of a recording began.
#[derive(Debug, Clone, PartialEq)]
pub enum Beginning {
    Origin(Origin),
    /// From a saved world: the bytes of the whole save.
    Save(Vec<u8>),
    /// As another way on from a tick of an earlier line.
    Fork {
        line: u32,
    },
}

impl Beginning {
    /// The seed that it names itself; a save knows more.
    pub fn seed(&self) -> Option<u64> {
        match self {
            Beginning::Origin(origin) => origin.seed(),
            Beginning::Save(_) | Beginning::Fork { .. } => None,
        }
    }
}
