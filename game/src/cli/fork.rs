//! Where a rollout goes on from: a saved world or a recording, at its end or at an earlier tick.

use super::{fault::mistake, progress};
use anyhow::{Context, anyhow};
use holdfast_model::{
    Dream,
    keep::{
        About, Fault, Line, Origin, Save, Snapshot, frame_hash,
        recording::{Beginning, Recording},
    },
};
use holdfast_sim::{Action, World};
use std::path::Path;

/// The world of `path` at tick `at`, or where the file ends. The file itself is only read: its line stays as it is.
///
/// A tick before the end is made again from the line's beginning with the line's own actions.
pub fn world_at(path: &Path, at: Option<u64>, dream: &mut Dream, model_name: &str) -> anyhow::Result<Save> {
    let name = path.display();
    let way = match Save::open(path) {
        Ok(save) if at.is_none_or(|at| at == save.snapshot.tick()) => {
            dream.restore(&save.snapshot).map_err(|error| mistake(format!("{name}: {error}")))?;
            return Ok(save);
        }
        Ok(save) => Way::of_save(save),
        Err(Fault::Foreign(_)) => {
            let recording = Recording::open(path).map_err(|fault| mistake(format!("{name}: {fault}")))?;
            if let Some(missing) = &recording.missing {
                eprintln!("note: {name}: {missing}");
            }
            Way::of_recording(&recording).map_err(|reason| mistake(format!("{name}: {reason}")))?
        }
        Err(fault) => return Err(mistake(format!("{name}: {fault}"))),
    };
    let at = at.unwrap_or(way.last_tick());
    way.go(at, dream, model_name).with_context(|| name.to_string())
}

/// A line from its beginning to a tick.
struct Way {
    about: About,
    origin: Origin,
    noise_seed: u64,
    /// A world on the way that need not be made again.
    known: Option<Snapshot>,
    actions: Vec<Action>,
    /// Hash of the last frame, where it was recorded.
    hashes: Vec<Option<[u8; 32]>>,
}

impl Way {
    fn of_save(save: Save) -> Way {
        let Save { about, line: Line { origin, noise_seed, actions }, .. } = save;
        let hashes = vec![None; actions.len() + 1];
        Way { about, origin, noise_seed, known: None, actions, hashes }
    }

    /// The way to the end of a recording's last line, through the lines that it is a fork of.
    fn of_recording(recording: &Recording) -> Result<Way, String> {
        let mut index = recording.lines.len().checked_sub(1).ok_or("it holds no frame")?;
        let mut upto = recording.lines[index].last_tick();
        let (mut actions, mut hashes) = (Vec::new(), Vec::new());
        loop {
            let line = &recording.lines[index];
            let count = (upto - line.first_tick) as usize;
            actions.splice(..0, line.actions[..count].iter().copied());
            hashes.splice(..0, line.hashes[..count].iter().copied().map(Some));
            let about = recording.about.clone();
            match &line.beginning {
                Beginning::Fork { line: parent } => {
                    (index, upto) = (*parent as usize, line.first_tick);
                }
                Beginning::Origin(origin) => {
                    hashes.insert(0, Some(line.first_hash));
                    let (origin, noise_seed) = (origin.clone(), line.noise_seed);
                    return Ok(Way { about, origin, noise_seed, known: None, actions, hashes });
                }
                Beginning::Save(bytes) => {
                    let save = Save::read(bytes.as_slice()).map_err(|fault| format!("the save in it: {fault}"))?;
                    let Line { origin, noise_seed, actions: before } = save.line;
                    let unknown = before.iter().map(|_| None).chain([Some(line.first_hash)]);
                    hashes.splice(..0, unknown);
                    actions.splice(..0, before);
                    return Ok(Way { about, origin, noise_seed, known: Some(save.snapshot), actions, hashes });
                }
            }
        }
    }

    fn last_tick(&self) -> u64 {
        self.actions.len() as u64
    }

    fn go(self, at: u64, dream: &mut Dream, model_name: &str) -> anyhow::Result<Save> {
        let last = self.last_tick();
        if at > last {
            return Err(mistake(format!("--fork-at {at} is after its end; choose a tick from 0 to {last}")));
        }
        let loaded = dream.status().model_hash;
        if loaded != self.about.model_hash {
            let (model, short) = (self.about.model(), loaded.get(..12).unwrap_or(&loaded));
            return Err(mistake(format!(
                "it was made with the model {model}, and this one is {short}; give its folder with --model"
            )));
        }
        let options = self.about.options(self.noise_seed, dream.options());
        dream.set_options(options).map_err(mistake)?;
        let (mut tick, mut frame) = match self.known.filter(|known| known.tick() <= at) {
            Some(known) => {
                let observation = dream.restore(&known).map_err(mistake)?;
                (known.tick(), observation.frame)
            }
            None => (0, dream.reset(&self.origin.start()).map_err(mistake)?.frame),
        };
        let bar = progress::bar(at - tick, "ticks to the fork");
        while tick < at {
            frame = dream.step(&self.actions[tick as usize]).context("the dream failed")?.frame;
            tick += 1;
            bar.inc(1);
        }
        bar.finish_and_clear();
        if self.hashes[at as usize].is_some_and(|hash| hash != frame_hash(&frame)) {
            return Err(anyhow!("the frame at tick {at} is not the recorded one on this machine"));
        }
        let (origin, noise_seed) = (self.origin, self.noise_seed);
        let line = Line { origin, noise_seed, actions: self.actions[..at as usize].to_vec() };
        let snapshot = dream.snapshot().expect("a dream that was reset or restored has begun");
        Ok(Save { about: About::of(dream, model_name), line, snapshot })
    }
}
