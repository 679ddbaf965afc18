//! Making a recording's frames again, line by line, and comparing their hashes.

use super::{Beginning, Recording};
use crate::{Dream, keep::Save, keep::Snapshot, keep::line::frame_hash};
use holdfast_sim::{Observation, World};
use std::collections::BTreeMap;

/// One frame made again.
#[derive(Debug)]
pub struct Outcome {
    pub line: usize,
    pub observation: Observation,
    /// Whether it is the recorded frame, bit for bit.
    pub equal: bool,
}

/// Where a replay is. It is told the dream at each step, so that whoever plays it may own both.
#[derive(Debug, Clone, Default)]
pub struct Replay {
    line: usize,
    /// Actions of the line that were played; `None` before its first frame.
    played: Option<usize>,
    /// The dream at the ticks that later lines are forks of, by line and tick.
    forks: BTreeMap<(usize, u64), Option<Snapshot>>,
}

impl Replay {
    pub fn new(recording: &Recording) -> Replay {
        let forks = recording.lines.iter().filter_map(|line| match line.beginning {
            Beginning::Fork { line: parent } => Some(((parent as usize, line.first_tick), None)),
            _ => None,
        });
        Replay { forks: forks.collect(), ..Replay::default() }
    }

    /// Makes the next frame; `None` after the last. The dream must be of the recording's model and options.
    pub fn next(&mut self, recording: &Recording, dream: &mut Dream) -> Result<Option<Outcome>, String> {
        let Some(line) = recording.lines.get(self.line) else { return Ok(None) };
        let (observation, expected) = match self.played {
            None => {
                self.played = Some(0);
                (self.begin(recording, dream)?, line.first_hash)
            }
            Some(played) => match line.actions.get(played) {
                None => {
                    (self.line, self.played) = (self.line + 1, None);
                    return self.next(recording, dream);
                }
                Some(action) => {
                    self.played = Some(played + 1);
                    (dream.step(action).map_err(|error| error.to_string())?, line.hashes[played])
                }
            },
        };
        if let Some(fork) = self.forks.get_mut(&(self.line, observation.tick)) {
            *fork = dream.snapshot();
        }
        let equal = frame_hash(&observation.frame) == expected;
        Ok(Some(Outcome { line: self.line, observation, equal }))
    }

    fn begin(&self, recording: &Recording, dream: &mut Dream) -> Result<Observation, String> {
        let line = &recording.lines[self.line];
        let options = recording.about.options(line.noise_seed, dream.options());
        dream.set_options(options).map_err(|error| error.to_string())?;
        match &line.beginning {
            Beginning::Origin(origin) => dream.reset(&origin.start()).map_err(|error| error.to_string()),
            Beginning::Save(bytes) => {
                let save = Save::read(bytes.as_slice()).map_err(|fault| format!("the save in it: {fault}"))?;
                dream.restore(&save.snapshot).map_err(|error| format!("the save in it: {error}"))
            }
            Beginning::Fork { line: parent } => {
                let kept = self.forks.get(&(*parent as usize, line.first_tick)).and_then(Option::as_ref);
                let kept = kept.ok_or("the line that it is a fork of was not played")?;
                dream.restore(kept).map_err(|error| error.to_string())
            }
        }
    }
}
