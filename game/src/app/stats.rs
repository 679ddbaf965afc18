//! The figures of the heads-up display, measured.

use super::{
    generator::{Recorded, Tick},
    playback::Replayed,
};
use bevy::ecs::{message::Message, resource::Resource};
use holdfast_sim::TICKS_PER_SECOND;
use std::{
    collections::VecDeque,
    fmt::Write,
    time::{Duration, Instant},
};

/// What is measured while playing.
#[derive(Debug, Clone, Default, Resource)]
pub struct Stats {
    pub tick: u64,
    pub seed: u64,
    pub step_ms: f32,
    pub missed_ticks: u64,
    pub dropped_frames: u64,
    pub memory_cells: usize,
    pub recorded: Option<Recorded>,
    pub replayed: Option<Replayed>,
    /// Times that the window was drawn.
    pub redraws: u64,
    arrivals: VecDeque<Instant>,
    key_to_pixel_ms: VecDeque<f32>,
    mouse_to_pixel_ms: VecDeque<f32>,
}

/// How an input event showed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// In a frame of the world.
    Frame,
    /// In the last frame, turned.
    Turn,
}

/// What answers an input event was handed to the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
pub struct Presented {
    pub by: Answer,
    pub arrived_at: Instant,
    pub elapsed: Duration,
}

impl Presented {
    /// From the event until then, milliseconds.
    pub fn ms(&self) -> f64 {
        self.elapsed.as_secs_f64() * 1e3
    }
}

const FRAME_WINDOW: Duration = Duration::from_secs(2);
const KEPT_LATENCIES: usize = 32;

impl Stats {
    pub fn note_tick(&mut self, tick: &Tick, now: Instant) {
        self.tick = tick.observation.tick;
        self.seed = tick.seed;
        self.step_ms = tick.timings.step_ms;
        self.missed_ticks = tick.timings.missed_ticks;
        self.dropped_frames = tick.timings.dropped_frames;
        self.memory_cells = tick.memory_cells;
        self.recorded = tick.recorded;
        self.replayed = tick.replayed;
        self.arrivals.push_back(now);
        while self.arrivals.front().is_some_and(|&arrival| now - arrival > FRAME_WINDOW) {
            self.arrivals.pop_front();
        }
    }

    /// Notes how long an input event took to show.
    pub fn note(&mut self, presented: &Presented) {
        let latencies_ms = match presented.by {
            Answer::Frame => &mut self.key_to_pixel_ms,
            Answer::Turn => &mut self.mouse_to_pixel_ms,
        };
        if latencies_ms.len() == KEPT_LATENCIES {
            latencies_ms.pop_front();
        }
        latencies_ms.push_back(presented.ms() as f32);
    }

    /// Frames that arrived a second, over the last two; `None` before there are two frames.
    pub fn frames_per_s(&self) -> Option<f32> {
        let span = *self.arrivals.back()? - *self.arrivals.front()?;
        (self.arrivals.len() > 1).then(|| (self.arrivals.len() - 1) as f32 / span.as_secs_f32())
    }

    /// The median of the last measurements.
    pub fn key_to_pixel_median_ms(&self) -> Option<f32> {
        median(&self.key_to_pixel_ms)
    }

    /// The same for the mouse.
    pub fn mouse_to_pixel_median_ms(&self) -> Option<f32> {
        median(&self.mouse_to_pixel_ms)
    }

    /// A pause is no slow frame.
    pub fn forget_rate(&mut self) {
        self.arrivals.clear();
    }

    /// The display's text.
    pub fn text(&self, device: &str) -> String {
        let whole = |figure: Option<f32>| figure.map_or("-".into(), |figure| format!("{figure:.0}"));
        let rate = self.frames_per_s().map_or("-".into(), |rate| format!("{rate:.1}"));
        let mut text = format!(
            "{rate} frames/s   step {:.0} ms   key to pixel {} ms   mouse {} ms\n",
            self.step_ms,
            whole(self.key_to_pixel_median_ms()),
            whole(self.mouse_to_pixel_median_ms()),
        );
        // Writing to a string cannot fail.
        let _ = writeln!(text, "tick {}   missed {}   seed {}", self.tick, self.missed_ticks, self.seed);
        let _ = write!(text, "{device}   memory {} cells   {}", with_thousands(self.memory_cells), self.recording());
        text
    }

    fn recording(&self) -> String {
        let Some(Recorded { dropped, is_film, .. }) = self.recorded else {
            return "recording off".into();
        };
        let what = if is_film { "recording" } else { "recording actions" };
        let dropped = if dropped > 0 { format!(", {dropped} frames dropped") } else { String::new() };
        format!("{what} {}{dropped}", self.recorded_time().unwrap_or_default())
    }

    /// How long the recording is, as minutes and seconds; `None` while nothing is recorded.
    pub fn recorded_time(&self) -> Option<String> {
        let seconds = self.recorded?.ticks / u64::from(TICKS_PER_SECOND);
        Some(format!("{}:{:02}", seconds / 60, seconds % 60))
    }
}

fn median(latencies_ms: &VecDeque<f32>) -> Option<f32> {
    let mut sorted: Vec<f32> = latencies_ms.iter().copied().collect();
    sorted.sort_by(f32::total_cmp);
    sorted.get(sorted.len() / 2).copied()
}

fn with_thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousands_are_marked() {
        assert_eq!([0, 999, 1000, 1234567].map(with_thousands), ["0", "999", "1,000", "1,234,567"]);
    }

    #[test]
    fn what_is_recorded_is_told() {
        let mut stats = Stats::default();
        assert!(stats.text("cpu").ends_with("recording off"));
        stats.recorded = Some(Recorded { ticks: 1259, dropped: 0, is_film: false });
        assert!(stats.text("cpu").ends_with("recording actions 1:02"));
        stats.recorded = Some(Recorded { ticks: 59, dropped: 3, is_film: true });
        assert!(stats.text("cpu").ends_with("recording 0:02, 3 frames dropped"));
    }

    #[test]
    fn the_median_of_recent_latencies_is_shown() {
        let mut stats = Stats::default();
        assert_eq!(stats.key_to_pixel_median_ms(), None);
        let mut note = |by, ms| {
            stats.note(&Presented { by, arrived_at: Instant::now(), elapsed: Duration::from_millis(ms) });
        };
        [900; 50].into_iter().chain([40, 60, 50].repeat(20)).for_each(|ms| note(Answer::Frame, ms));
        note(Answer::Turn, 9);
        assert_eq!(stats.key_to_pixel_median_ms(), Some(50.0));
        assert!(stats.text("cpu").contains("key to pixel 50 ms   mouse 9 ms"));
    }
}
