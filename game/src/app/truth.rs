//! The simulator beside the dream, under the same actions; it runs only while somebody looks.

use super::generator::SideBySide;
use holdfast_sim::{Action, Frame, Start, World};
use std::{collections::VecDeque, time::Instant};

/// The true world and the actions that it has not seen yet. Switched on late, it first runs through what the dream
/// has been told since the start, a little in every tick, so that the dream never waits for it.
pub(super) struct Truth {
    world: Box<dyn World>,
    seed: u64,
    started: bool,
    waiting: VecDeque<Action>,
    frame: Frame,
}

impl Truth {
    pub fn new(world: Box<dyn World>) -> Self {
        Truth { world, seed: 0, started: false, waiting: VecDeque::new(), frame: Frame::default() }
    }

    /// A new world; it is not made before somebody looks.
    pub fn restart(&mut self, seed: u64) {
        (self.seed, self.started) = (seed, false);
        self.waiting.clear();
    }

    pub fn note(&mut self, action: Action) {
        self.waiting.push_back(action);
    }

    /// Runs towards the present until `deadline`, but by two ticks at least: it must arrive some day.
    pub fn catch_up(&mut self, deadline: Instant) -> Result<SideBySide, String> {
        let fail = |error| format!("the simulator failed: {error}");
        if !self.started {
            self.frame = self.world.reset(&Start::Seed(self.seed)).map_err(fail)?.frame;
            self.started = true;
        }
        let mut done = 0;
        while done < 2 || Instant::now() < deadline {
            let Some(action) = self.waiting.pop_front() else { break };
            self.frame = self.world.step(&action).map_err(fail)?.frame;
            done += 1;
        }
        Ok(match self.waiting.len() {
            0 => SideBySide::Shown(self.frame.clone()),
            ticks => SideBySide::Behind { ticks },
        })
    }
}
