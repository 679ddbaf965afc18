//! The map of what is known, a few times a second while it is shown.

use super::Game;
use crate::app::{
    charter::Charter,
    generator::{Event, Outlet},
};

/// Ticks between two maps.
const CHART_EVERY_TICKS: usize = 5;

impl Game {
    /// Shows the map, or no longer.
    pub(super) fn show_chart(&mut self, shown: bool, outlet: &Outlet) -> Result<(), String> {
        self.ticks_since_chart = shown.then_some(CHART_EVERY_TICKS);
        if shown && self.charter.is_none() {
            let charter = Charter::start(outlet.clone());
            self.charter = Some(charter.map_err(|error| format!("cannot start the thread that draws maps: {error}"))?);
        }
        if shown && self.alive && self.dream.draw_chart().is_none() {
            outlet.say(Event::News("this world keeps no map".into()));
        }
        self.chart();
        Ok(())
    }

    /// Has the map drawn when its time has come. A thread that still draws the last one is asked again at the next tick.
    pub(super) fn chart(&mut self) {
        let (Some(ticks), Some(charter)) = (&mut self.ticks_since_chart, &self.charter) else { return };
        *ticks += 1;
        if *ticks < CHART_EVERY_TICKS || !self.alive {
            return;
        }
        let trail = self.trail.up_to(&self.pose);
        if self.dream.draw_chart().is_some_and(|draw| charter.draw((draw, trail))) {
            *ticks = 0;
        }
    }
}
