//! What is kept of a game: saves, the recording, and going on from a save.

use super::Game;
use crate::app::{
    generator::{Event, Outlet, guard},
    saves::{self, Occasion},
};
use holdfast_model::keep::{Save, Snapshot, frame_hash, recording::Beginning};
use holdfast_sim::{Action, Observation, TICKS_PER_SECOND};
use std::path::PathBuf;

/// Ticks between two saves that nobody asked for.
const AUTOSAVE_TICKS: usize = 60 * TICKS_PER_SECOND as usize;

impl Game {
    /// Goes on from a save. A failure leaves the present world as it is, if there is one.
    pub(super) fn load(&mut self, path: Option<PathBuf>, outlet: &Outlet) -> Result<(), String> {
        let newest = || self.worlds_folder.as_deref().and_then(saves::newest);
        let Some(path) = path.or_else(newest) else {
            outlet.say(Event::News("there is no saved world yet; F5 saves".into()));
            return Ok(());
        };
        let fail = |reason: String| format!("not loaded: {}: {reason}", path.display());
        let read = || Save::open_with_bytes(&path).map_err(|fault| fail(fault.to_string()));
        // A world that is played is kept before it is left.
        let present = self.unsaved();
        let loaded = guard(read).and_then(|(save, bytes)| {
            let observation = guard(|| self.dream.restore(&save.snapshot)).map_err(fail)?;
            Ok((bytes, save, observation))
        });
        let (bytes, save, observation) = match loaded {
            Ok(loaded) => loaded,
            Err(message) if self.alive => {
                outlet.say(Event::News(message));
                return Ok(());
            }
            Err(message) => return Err(message),
        };
        if let (Some(present), Some(keeper)) = (present, &self.keeper) {
            keeper.keep(present, Occasion::Auto);
        }
        self.line = save.line;
        let seed = self.line.origin.seed();
        if let Some(scribe) = &mut self.scribe {
            scribe.begin(Beginning::Save(bytes), self.line.noise_seed, observation.tick, &observation.frame);
        }
        outlet.say(Event::Loaded { seed: seed.unwrap_or(0) });
        self.enter(seed.unwrap_or(0), observation, outlet)
    }

    /// Keeps the world that is about to be left for another one.
    pub(super) fn leave(&mut self) {
        if let (Some(save), Some(keeper)) = (self.unsaved(), &self.keeper) {
            keeper.keep(save, Occasion::Auto);
        }
        self.alive = false;
    }

    /// What is kept of a tick.
    pub(super) fn keep(&mut self, action: Action, observation: &Observation, outlet: &Outlet) {
        self.line.actions.push(action);
        self.history.note(action, &observation.frame, || self.dream.snapshot());
        if let Some(exporter) = &mut self.exporter {
            exporter.act(&action);
        }
        if self.scribe.is_some() || self.film.is_some() {
            let hash = frame_hash(&observation.frame);
            if let Some(scribe) = &mut self.scribe {
                scribe.push(action, hash);
            }
            if let Some(film) = &mut self.film {
                film.push(action, self.pose, hash, &observation.frame, self.exporter.as_ref());
            }
        }
        self.pose = observation.pose;
        self.ticks_since_save += 1;
        if self.ticks_since_save >= AUTOSAVE_TICKS {
            self.save(Occasion::Auto, outlet);
        }
    }

    /// The world as it is now, if it is played and something happened since it was last saved.
    pub(super) fn unsaved(&self) -> Option<Save> {
        (self.alive && self.ticks_since_save > 0).then(|| self.world()).flatten()
    }

    /// The world as it is now.
    pub(super) fn world(&self) -> Option<Save> {
        let (about, snapshot): (_, Snapshot) = (self.about.clone()?, self.dream.snapshot()?);
        Some(Save { about, line: self.line.clone(), snapshot })
    }

    pub(super) fn save(&mut self, occasion: Occasion, outlet: &Outlet) {
        let asked = occasion == Occasion::Asked;
        match (&self.keeper, self.world().filter(|_| self.alive)) {
            (Some(keeper), Some(save)) => {
                if keeper.keep(save, occasion) {
                    self.ticks_since_save = 0;
                } else if asked {
                    outlet.say(Event::News("still saving; try again in a moment".into()));
                }
            }
            _ if asked => outlet.say(Event::News("this world cannot be saved".into())),
            _ => {}
        }
    }
}
