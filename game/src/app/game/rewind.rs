//! Rewinding: the last minute is shown backwards while the key is held, and played on from when it is let go.

use super::Game;
use crate::app::{
    generator::{Event, Outlet, Tick, guard},
    saves::Occasion,
};
use holdfast_sim::{Depth, Observation, Pose};
use std::time::Instant;

/// Ticks that a rewind goes back in the time of one: a minute takes twenty seconds.
const REWIND_SPEED: u64 = 3;

impl Game {
    /// Shows a little more of the past.
    pub(super) fn rewind_from(&mut self, tick: u64, outlet: &Outlet) -> Result<(), String> {
        let Some((oldest, newest)) = self.history.span() else { return Ok(()) };
        let tick = tick.saturating_sub(REWIND_SPEED).max(oldest);
        self.rewound_to = Some(tick);
        self.pacer.advance(Instant::now());
        self.asked = false;
        if let Some(frame) = self.history.frame_at(tick).cloned() {
            let depth = Depth::default();
            let observation = Observation { tick, frame, depth, pose: Pose::default(), stages_ms: Vec::new() };
            let tick = Tick { rewound_ticks: newest - tick, ..self.describe(observation, 0.0) };
            // One that the window has no room for is not missed.
            let _ = outlet.show(Box::new(tick));
        }
        Ok(())
    }

    /// Goes on from the tick that was shown: another line, which forks from the one so far.
    pub(super) fn end_rewind(&mut self, outlet: &Outlet) -> Result<(), String> {
        let (Some(tick), Some((_, newest))) = (self.rewound_to.take(), self.history.span()) else { return Ok(()) };
        if tick == newest {
            return Ok(());
        }
        // The line so far stays: as a save, and in the recording if there is one.
        self.save(Occasion::Rewind, outlet);
        let (world, way) = self.history.way_to(tick).ok_or("a tick of the last minute is not in reach")?;
        let dream = &mut self.dream;
        let observation = guard(|| {
            let mut observation = dream.restore(world)?;
            for action in &way {
                observation = dream.step(action).map_err(|error| error.to_string())?;
            }
            Ok(observation)
        })?;
        if self.dream.repeats() && self.history.frame_at(tick) != Some(&observation.frame) {
            return Err("the past did not come back as it was".into());
        }
        self.history.cut_after(tick);
        let from_origin = self.line.actions.len() as u64 - (newest - tick);
        self.line.actions.truncate(from_origin as usize);
        if let Some(scribe) = &mut self.scribe {
            scribe.fork(tick, self.line.noise_seed, &observation.frame);
        }
        if let Some(film) = &mut self.film {
            film.fork(tick, self.line.noise_seed, &observation.frame);
        }
        self.pose = observation.pose;
        self.credit();
        self.retrace_truth(self.seed);
        self.trail.note(&self.pose);
        // What was pressed meanwhile was not meant for this tick; what is held goes on.
        let _ = self.intent.take_action();
        self.pacer.restart(Instant::now());
        let tick = Tick { slot: self.dream.slot(), ..self.describe(observation, 0.0) };
        outlet.say(Event::Frame(Box::new(tick)));
        Ok(())
    }
}
