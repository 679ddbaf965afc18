//! Writing a recording as it goes: a block each second, so that whatever happens, at most that second is lost.

use super::{Beginning, KIND, MOST_TICKS, block};
use crate::keep::{
    About,
    bytes::{deflate, put_action},
    container::BlockWriter,
    line::frame_hash,
};
use holdfast_sim::{Action, Frame, TICKS_PER_SECOND};
use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
    time::{Duration, Instant},
};

/// A line as far as forks need to know it.
#[derive(Debug, Clone, Copy)]
struct LineSoFar {
    first_tick: u64,
    /// The line that it is a fork of.
    parent: Option<u32>,
}

/// See the module.
#[derive(Debug)]
pub struct Recorder<W: Write> {
    blocks: BlockWriter<W>,
    lines: Vec<LineSoFar>,
    current: u32,
    tick: u64,
    with_frames: bool,
    /// Ticks that are not in the file yet: their number, their bytes, their frames' bytes, and the time of the first.
    waiting: usize,
    waiting_ticks: Vec<u8>,
    waiting_frames: Vec<u8>,
    waiting_since: Option<Instant>,
}

/// No tick waits longer than this for the file, if ticks come.
const LONGEST_WAIT: Duration = Duration::from_millis(900);

impl Recorder<File> {
    /// Makes a new file; one that is there already, or a link, is left alone.
    pub fn create(path: &Path, about: &About, with_frames: bool) -> io::Result<Self> {
        Self::begin(OpenOptions::new().write(true).create_new(true).open(path)?, about, with_frames)
    }

    /// Ends the recording: the reader will know that nothing is missing.
    pub fn finish(self) -> io::Result<()> {
        self.end()?.sync_all()
    }
}

impl<W: Write> Recorder<W> {
    pub fn begin(out: W, about: &About, with_frames: bool) -> io::Result<Self> {
        let mut blocks = BlockWriter::begin(out, &KIND)?;
        blocks.push(block::HEADER, &about.to_json())?;
        Ok(Recorder {
            blocks,
            lines: Vec::new(),
            current: 0,
            tick: 0,
            with_frames,
            waiting: 0,
            waiting_ticks: Vec::new(),
            waiting_frames: Vec::new(),
            waiting_since: None,
        })
    }

    /// Begins a line at a seed, a picture or a save; `frame` is what it shows at `tick`, before any action.
    pub fn start(&mut self, beginning: &Beginning, noise_seed: u64, tick: u64, frame: &Frame) -> io::Result<()> {
        let parent = match beginning {
            Beginning::Fork { line } => Some(*line),
            _ => None,
        };
        self.flush()?;
        let mut bytes = frame_hash(frame).to_vec();
        bytes.extend(tick.to_le_bytes());
        bytes.extend(noise_seed.to_le_bytes());
        match beginning {
            Beginning::Origin(origin) => origin.put(&mut bytes),
            Beginning::Save(save) => {
                bytes.push(2);
                bytes.extend(save);
            }
            Beginning::Fork { line } => {
                bytes.push(3);
                bytes.extend(line.to_le_bytes());
            }
        }
        self.blocks.push(block::LINE, &bytes)?;
        self.lines.push(LineSoFar { first_tick: tick, parent });
        (self.current, self.tick) = (self.lines.len() as u32 - 1, tick);
        Ok(())
    }

    /// The player went back to `tick` of this line, or of one that it came from, and goes on from there.
    pub fn fork(&mut self, tick: u64, noise_seed: u64, frame: &Frame) -> io::Result<()> {
        let mut line = self.current;
        while let Some(LineSoFar { first_tick, parent: Some(parent) }) = self.lines.get(line as usize)
            && tick < *first_tick
        {
            line = *parent;
        }
        self.start(&Beginning::Fork { line }, noise_seed, tick, frame)
    }

    /// Takes one tick: the action and the frame that followed.
    pub fn push(&mut self, action: &Action, frame: &Frame) -> io::Result<()> {
        let frame_bytes = self.with_frames.then(|| deflate(&frame.rgb));
        self.push_hashed(action, frame_hash(frame), frame_bytes.as_deref())
    }

    /// The same for a frame that was hashed, and deflated if frames are recorded, elsewhere.
    pub fn push_hashed(&mut self, action: &Action, hash: [u8; 32], frame: Option<&[u8]>) -> io::Result<()> {
        if self.lines.is_empty() {
            return Err(io::Error::other("a tick before any line"));
        }
        self.tick += 1;
        self.waiting += 1;
        put_action(&mut self.waiting_ticks, action);
        self.waiting_ticks.extend(hash);
        if let Some(frame) = frame {
            self.waiting_frames.extend((frame.len() as u32).to_le_bytes());
            self.waiting_frames.extend(frame);
        }
        let since = *self.waiting_since.get_or_insert_with(Instant::now);
        if self.waiting >= (TICKS_PER_SECOND as usize).min(MOST_TICKS) || since.elapsed() >= LONGEST_WAIT {
            self.flush()?;
        }
        Ok(())
    }

    /// Since when a tick has been waiting for the file.
    pub fn waiting_since(&self) -> Option<Instant> {
        self.waiting_since
    }

    /// Writes what waits.
    pub fn flush(&mut self) -> io::Result<()> {
        if self.waiting == 0 {
            return Ok(());
        }
        let first_tick = self.tick - self.waiting as u64 + 1;
        let mut bytes = first_tick.to_le_bytes().to_vec();
        bytes.extend((self.waiting as u16).to_le_bytes());
        bytes.append(&mut self.waiting_ticks);
        self.waiting = 0;
        self.waiting_since = None;
        self.blocks.push(block::TICKS, &bytes)?;
        if !self.waiting_frames.is_empty() {
            self.blocks.push(block::FRAMES, &std::mem::take(&mut self.waiting_frames))?;
        }
        Ok(())
    }

    /// Ends the recording and gives back what it was written to.
    pub fn end(mut self) -> io::Result<W> {
        self.flush()?;
        self.blocks.push(block::END, &[])?;
        Ok(self.blocks.into_inner())
    }
}
