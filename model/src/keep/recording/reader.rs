//! Reading a recording, as much of it as is whole, and saying what is missing.

use super::{Beginning, KIND, MOST_TICKS, block, most_bytes};
use crate::keep::{
    About,
    bytes::{Cursor, MOST_SIDE_PX, inflate},
    container::{Block, BlockReader, Fault},
    line::Origin,
};
use holdfast_sim::{Action, Frame};
use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

/// A recording in memory.
#[derive(Debug, Clone)]
pub struct Recording {
    pub about: About,
    pub lines: Vec<RecordedLine>,
    /// Why the reading ended before the recording's own end; `None` when nothing is missing.
    pub missing: Option<String>,
}

/// One line of it.
#[derive(Debug, Clone)]
pub struct RecordedLine {
    pub beginning: Beginning,
    pub noise_seed: u64,
    /// The tick at which it begins; its first action leads to the tick after.
    pub first_tick: u64,
    /// Hash of the frame at the first tick.
    pub first_hash: [u8; 32],
    pub actions: Vec<Action>,
    /// Hash of the frame after each action.
    pub hashes: Vec<[u8; 32]>,
    /// The frames after the actions, deflated, as far as they were recorded; see [`Recording::frame`].
    frames: Vec<Vec<u8>>,
}

impl RecordedLine {
    /// The tick of its last frame.
    pub fn last_tick(&self) -> u64 {
        self.first_tick + self.actions.len() as u64
    }
}

impl Recording {
    /// Opens a file. Fails when it is no recording or its header cannot be read; what is missing later is told by
    /// [`Recording::missing`].
    pub fn open(path: &Path) -> Result<Recording, Fault> {
        Self::read(BufReader::new(File::open(path)?))
    }

    pub fn read(input: impl Read) -> Result<Recording, Fault> {
        let mut reader = BlockReader::begin(input, &KIND)?;
        let header = reader.next(most_bytes)?.filter(|block| block.kind == block::HEADER);
        let Some(header) = header else {
            return Err(Fault::Damaged { at: 16, reason: "it has no header".into() });
        };
        let about = About::from_json(&header.payload).map_err(|reason| header.fault(reason))?;
        let mut recording = Recording { about, lines: Vec::new(), missing: None };
        let fault = loop {
            match reader.next(most_bytes) {
                Ok(Some(block)) if block.kind == block::END => return Ok(recording),
                Ok(Some(block)) => {
                    if let Err(reason) = recording.take(&block) {
                        break block.fault(reason).to_string();
                    }
                }
                Ok(None) => break "it has no end mark".into(),
                Err(fault) => break fault.to_string(),
            }
        };
        recording.missing = Some(format!(
            "{fault}; {} is there and whole, and what came after it, a second as a rule, is lost",
            match recording.lines.last() {
                None => "only the header".to_string(),
                Some(line) => format!("all up to tick {}", line.last_tick()),
            }
        ));
        Ok(recording)
    }

    fn take(&mut self, block: &Block) -> Result<(), String> {
        let mut cursor = Cursor(&block.payload);
        match block.kind {
            block::LINE => {
                let line = self.take_line(cursor)?;
                self.lines.push(line);
                Ok(())
            }
            block::TICKS => {
                let line = self.lines.last_mut().ok_or("ticks before any line")?;
                let (first, count) = (cursor.u64()?, usize::from(cursor.u16()?));
                if !(1..=MOST_TICKS).contains(&count) || line.last_tick().checked_add(1) != Some(first) {
                    let last = line.last_tick();
                    return Err(format!("{count} ticks from tick {first} on cannot follow tick {last}"));
                }
                let mut ticks = Vec::with_capacity(count);
                for _ in 0..count {
                    ticks.push((cursor.action()?, cursor.hash()?));
                }
                cursor.end()?;
                let (actions, hashes): (Vec<_>, Vec<_>) = ticks.into_iter().unzip();
                line.actions.extend(actions);
                line.hashes.extend(hashes);
                Ok(())
            }
            block::FRAMES => {
                let line = self.lines.last_mut().ok_or("frames before any line")?;
                let mut frames = Vec::new();
                while !cursor.0.is_empty() {
                    let length = cursor.u32()? as usize;
                    frames.push(cursor.take(length)?.to_vec());
                }
                if frames.len() > MOST_TICKS || line.frames.len() + frames.len() != line.actions.len() {
                    return Err("more or fewer frames than ticks".into());
                }
                line.frames.extend(frames);
                Ok(())
            }
            // The header comes once.
            _ => Err("a second header".into()),
        }
    }

    fn take_line(&self, mut cursor: Cursor) -> Result<RecordedLine, String> {
        let (first_hash, first_tick, noise_seed) = (cursor.hash()?, cursor.u64()?, cursor.u64()?);
        let mut peek = cursor;
        let beginning = match peek.u8()? {
            2 => Beginning::Save(peek.0.to_vec()),
            3 => {
                let line = peek.u32()?;
                peek.end()?;
                let parent = self.lines.get(line as usize).ok_or("a fork of a line that is not there")?;
                if !(parent.first_tick..=parent.last_tick()).contains(&first_tick) {
                    return Err(format!("a fork at tick {first_tick} of a line that has no such tick"));
                }
                Beginning::Fork { line }
            }
            _ => {
                if first_tick != 0 {
                    return Err(format!("a world that begins at tick {first_tick}"));
                }
                Beginning::Origin(Origin::take(cursor)?)
            }
        };
        if first_tick > u64::MAX / 2 {
            return Err(format!("tick {first_tick} is beyond every world"));
        }
        let (actions, hashes, frames) = (Vec::new(), Vec::new(), Vec::new());
        Ok(RecordedLine { beginning, noise_seed, first_tick, first_hash, actions, hashes, frames })
    }

    /// Ticks of all lines, beginnings not counted.
    pub fn ticks(&self) -> u64 {
        self.lines.iter().map(|line| line.actions.len() as u64).sum()
    }

    /// The recorded frame after an action of a line; `None` when frames were not recorded.
    pub fn frame(&self, line: usize, action: usize) -> Option<Result<Frame, String>> {
        let bytes = self.lines.get(line)?.frames.get(action)?;
        let (width, height) = (self.about.model_config.width, self.about.model_config.height);
        if width > MOST_SIDE_PX || height > MOST_SIDE_PX {
            return None;
        }
        Some(inflate(bytes, width * height * 3).map(|rgb| Frame { width, height, rgb }))
    }
}
