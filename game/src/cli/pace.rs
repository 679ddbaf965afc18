//! How a long run keeps its pace: step time, memory and world state, minute of play by minute of play.

use super::timing::{Durations, rounded};
use holdfast_sim::TICKS_PER_SECOND;
use serde::Serialize;
use std::fmt::Write;

/// Steps of a minute of play.
const MINUTE_STEPS: usize = 60 * TICKS_PER_SECOND as usize;

/// One minute of play. Keys are part of the product: add, never rename.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Minute {
    /// Of play, at its end: 1 for the first.
    pub minute: usize,
    pub step_ms_p50: f64,
    pub step_ms_p95: f64,
    pub memory_cells: usize,
    pub rss_bytes: Option<u64>,
}

/// The minutes of a run.
#[derive(Debug, Default)]
pub struct Pace {
    pub minutes: Vec<Minute>,
    running: Durations,
}

impl Pace {
    /// Takes in a step; `state` is asked at the end of a minute for the world state's cells and the resident memory.
    pub fn step(&mut self, ms: f64, state: impl FnOnce() -> (usize, Option<u64>)) {
        self.running.push(ms);
        if self.running.len() < MINUTE_STEPS {
            return;
        }
        let steps = std::mem::take(&mut self.running);
        let (memory_cells, rss_bytes) = state();
        self.minutes.push(Minute {
            minute: self.minutes.len() + 1,
            step_ms_p50: rounded(steps.percentile(50.0)),
            step_ms_p95: rounded(steps.percentile(95.0)),
            memory_cells,
            rss_bytes,
        });
    }
}

/// The median step of the last tenth of the minutes over that of the first tenth; `None` for less than two minutes.
pub fn late_over_early(minutes: &[Minute]) -> Option<f64> {
    let tenth = minutes.len().div_ceil(10);
    let median = |part: &[Minute]| {
        let mut steps = Durations::default();
        part.iter().for_each(|minute| steps.push(minute.step_ms_p50));
        steps.percentile(50.0)
    };
    let (early, late) = (median(minutes.get(..tenth)?), median(&minutes[minutes.len() - tenth..]));
    (minutes.len() > 1 && early > 0.0).then(|| rounded(late / early))
}

/// Size of a panel and the room around its plot, pixels.
const PANEL: (f64, f64) = (720.0, 190.0);
const ROOM: (f64, f64) = (70.0, 34.0);

/// A picture of the minutes: step time, cells of the world state, resident memory. SVG, complete in itself.
pub fn svg(minutes: &[Minute]) -> String {
    let panels: [(&str, Vec<Line>); 3] = [
        (
            "step, ms (median blue, 95th percentile brown)",
            vec![
                ("#1668c7", minutes.iter().map(|minute| minute.step_ms_p50).collect()),
                ("#b3541e", minutes.iter().map(|minute| minute.step_ms_p95).collect()),
            ],
        ),
        (
            "cells of the world state, thousands",
            vec![("#3a8a3f", minutes.iter().map(|minute| minute.memory_cells as f64 / 1e3).collect())],
        ),
        (
            "resident memory, MB",
            vec![("#7a3b8f", minutes.iter().filter_map(|minute| Some(minute.rss_bytes? as f64 / 1e6)).collect())],
        ),
    ];
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" font-family=\"sans-serif\" \
         font-size=\"12\"><rect width=\"100%\" height=\"100%\" fill=\"white\"/>",
        PANEL.0,
        PANEL.1 * panels.len() as f64
    );
    for (at, (title, lines)) in panels.iter().enumerate() {
        panel(&mut svg, at as f64 * PANEL.1, title, lines, minutes.len());
    }
    svg + "</svg>\n"
}

/// Colour and a value for each minute.
type Line = (&'static str, Vec<f64>);

fn panel(svg: &mut String, top: f64, title: &str, lines: &[Line], minutes: usize) {
    let most = lines.iter().flat_map(|(_, values)| values).copied().fold(0.0, f64::max).max(1e-3) * 1.1;
    let place = |minute: usize, value: f64| {
        let along = minute as f64 / (minutes.max(2) - 1) as f64;
        let (width, height) = (PANEL.0 - ROOM.0 - 20.0, PANEL.1 - 2.0 * ROOM.1);
        (ROOM.0 + along * width, top + PANEL.1 - ROOM.1 - value / most * height)
    };
    let (left, bottom) = place(0, 0.0);
    let (right, ceiling) = place(minutes.max(2) - 1, most);
    // Writing to a string does not fail.
    let _ = write!(svg, "<text x=\"{left}\" y=\"{:.0}\">{title}</text>", top + 20.0);
    for value in [0.0, most / 2.0, most] {
        let (_, y) = place(0, value);
        let _ = write!(svg, "<text x=\"8\" y=\"{:.0}\">{value:.1}</text>", y + 4.0);
        let _ = write!(svg, "<line x1=\"{left}\" x2=\"{right:.0}\" y1=\"{y:.0}\" y2=\"{y:.0}\" stroke=\"#ddd\"/>");
    }
    let _ = write!(svg, "<line x1=\"{left}\" x2=\"{left}\" y1=\"{ceiling:.0}\" y2=\"{bottom:.0}\" stroke=\"#888\"/>");
    for minute in [0, minutes.saturating_sub(1) / 2, minutes.saturating_sub(1)] {
        let (x, y) = place(minute, 0.0);
        let _ = write!(svg, "<text x=\"{:.0}\" y=\"{:.0}\">minute {}</text>", x - 28.0, y + 18.0, minute + 1);
    }
    for (colour, values) in lines {
        let points: Vec<String> = values.iter().enumerate().map(|(at, value)| place(at, *value)).map(point).collect();
        let _ = write!(
            svg,
            "<polyline fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.5\" points=\"{}\"/>",
            points.join(" ")
        );
    }
}

fn point((x, y): (f64, f64)) -> String {
    format!("{x:.1},{y:.1}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(step_ms: impl Fn(usize) -> f64, minutes: usize) -> Pace {
        let mut pace = Pace::default();
        for step in 0..minutes * MINUTE_STEPS {
            pace.step(step_ms(step), || (step, Some(1_000_000)));
        }
        pace
    }

    #[test]
    fn a_run_that_slows_down_is_told_from_one_that_does_not() {
        let flat = run(|step| if step % 2 == 0 { 20.0 } else { 22.0 }, 20);
        assert_eq!(flat.minutes.len(), 20);
        assert_eq!((flat.minutes[3].minute, flat.minutes[3].step_ms_p95), (4, 22.0));
        assert_eq!(late_over_early(&flat.minutes), Some(1.0));
        let slow = run(|step| 20.0 + (step / MINUTE_STEPS) as f64, 20);
        assert!(late_over_early(&slow.minutes).is_some_and(|ratio| (1.8..2.0).contains(&ratio)));
        assert_eq!(late_over_early(&run(|_| 20.0, 1).minutes), None);
        assert_eq!(late_over_early(&[]), None);
    }

    #[test]
    fn a_picture_has_a_point_for_each_minute() {
        let minutes = run(|_| 20.0, 7).minutes;
        let svg = svg(&minutes);
        assert!(svg.starts_with("<svg xmlns") && svg.ends_with("</svg>\n"));
        let lines = svg.split("points=\"").skip(1).map(|rest| rest.split('"').next().unwrap_or_default());
        let counts: Vec<usize> = lines.map(|points| points.split(' ').count()).collect();
        assert_eq!(counts, [7; 4]);
        assert!(!super::svg(&[]).contains("NaN"));
    }
}
