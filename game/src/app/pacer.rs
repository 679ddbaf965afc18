//! The clock of the world: twenty ticks a second, without drift when punctual and without a spiral when late.

use holdfast_sim::TICKS_PER_SECOND;
use std::time::{Duration, Instant};

/// Says when the next tick is due. Due times lie on a fixed grid, so small delays do not add up; a world too slow
/// for the grid skips the ticks that it has missed instead of running after them.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    due: Instant,
    missed: u64,
}

impl Pacer {
    pub const PERIOD: Duration = Duration::from_nanos(1_000_000_000 / TICKS_PER_SECOND as u64);

    pub fn new(now: Instant) -> Self {
        Pacer { due: now, missed: 0 }
    }

    pub fn due(&self) -> Instant {
        self.due
    }

    /// Ticks that were due and never ran.
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Starts the grid anew, as after a pause: nothing was missed while nothing was due.
    pub fn restart(&mut self, now: Instant) {
        self.due = now;
    }

    /// Notes that the due tick has run and ended at `now`.
    pub fn advance(&mut self, now: Instant) {
        self.due += Self::PERIOD;
        let late = now.saturating_duration_since(self.due);
        let skipped = (late.as_nanos() / Self::PERIOD.as_nanos()) as u32;
        self.due += Self::PERIOD * skipped;
        self.missed += u64::from(skipped);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Runs `ticks` steps of `step_ms` on a made-up clock; returns how long it took and what was missed.
    fn run(ticks: u32, step_ms: impl Fn(u32) -> u64) -> (Duration, u64) {
        let start = Instant::now();
        let (mut pacer, mut now) = (Pacer::new(start), start);
        for tick in 0..ticks {
            now = now.max(pacer.due()) + Duration::from_millis(step_ms(tick));
            pacer.advance(now);
        }
        (now - start, pacer.missed())
    }

    #[test]
    fn punctual_ticks_do_not_drift() {
        assert_eq!(run(1001, |tick| u64::from(tick % 45)), (Pacer::PERIOD * 1000 + Duration::from_millis(10), 0));
    }

    #[test]
    fn one_late_tick_is_caught_up_without_a_miss() {
        assert_eq!(
            run(101, |tick| if tick == 50 { 90 } else { 10 }),
            (Pacer::PERIOD * 100 + Duration::from_millis(10), 0)
        );
    }

    #[test]
    fn a_slow_world_runs_at_its_own_pace_and_every_missed_tick_is_counted() {
        let (took, missed) = run(100, |_| 120);
        assert_eq!(took, Duration::from_millis(12_000), "no waiting, no running after");
        let due_in_that_time = took.as_nanos() / Pacer::PERIOD.as_nanos();
        assert!((u128::from(missed) + 100).abs_diff(due_in_that_time) <= 1, "{missed}");
    }

    #[test]
    fn a_pause_misses_nothing() {
        let start = Instant::now();
        let mut pacer = Pacer::new(start);
        pacer.advance(start);
        let resumed = start + Duration::from_secs(60);
        pacer.restart(resumed);
        pacer.advance(resumed + Duration::from_millis(10));
        assert_eq!((pacer.missed(), pacer.due()), (0, resumed + Pacer::PERIOD));
    }
}
