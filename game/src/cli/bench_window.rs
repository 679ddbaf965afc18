//! `holdfast bench --window`: what the window makes of a world that keeps twenty ticks a second.

use holdfast_model::{DreamOptions, folder::ModelFolder};
use serde::Serialize;
use std::collections::BTreeMap;

/// Keys are part of the product: add, never rename.
#[derive(Debug, Serialize)]
pub struct WindowFigures {
    frames_per_s: f64,
    missed_ticks: u64,
    dropped_frames: u64,
    step_ms_p50: f64,
    step_ms_p95: f64,
    step_ms_p99: f64,
    redraws_per_s: f64,
    key_to_pixel_ms_p50: f64,
    key_to_pixel_ms_p95: f64,
    key_events: usize,
    mouse_to_pixel_ms_p50: f64,
    mouse_to_pixel_ms_p95: f64,
    mouse_events: usize,
    window_width: u32,
    window_height: u32,
    renderer: String,
    device: String,
    threads: usize,
    model_hash: String,
    seconds: f64,
    seed: u64,
    version: &'static str,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub ratios: BTreeMap<String, f64>,
}

/// Opens the window, plays and measures for so many seconds, and closes it.
#[cfg(feature = "view")]
pub fn measure(
    seed: u64,
    seconds: f64,
    model: ModelFolder,
    options: DreamOptions,
    model_name: String,
) -> anyhow::Result<WindowFigures> {
    use super::{
        fault::mistake,
        play::{open, worlds},
        timing::{Durations, rounded},
    };
    use holdfast_game::app::{PlayOptions, bench::WindowBench};

    let (threads, model_hash) = (options.threads, model.hash.clone());
    let (done, run) = crossbeam_channel::bounded(1);
    let bench = Some(WindowBench { seconds, done });
    let outcome = open(PlayOptions { seed, bench, ..PlayOptions::default() }, worlds(model, options, model_name));
    let run = match run.try_recv() {
        Ok(run) => run.map_err(anyhow::Error::msg)?,
        Err(_) => {
            outcome?;
            return Err(mistake("the window was closed before the measurement was over"));
        }
    };
    let percentiles = |ms: &[f64]| {
        let mut all = Durations::default();
        ms.iter().for_each(|&ms| all.push(ms));
        [50.0, 95.0, 99.0].map(|percent| rounded(all.percentile(percent)))
    };
    let [step, key, mouse] = [&run.step_ms, &run.key_to_pixel_ms, &run.mouse_to_pixel_ms].map(|ms| percentiles(ms));
    Ok(WindowFigures {
        frames_per_s: rounded(run.ticks as f64 / run.seconds),
        missed_ticks: run.missed_ticks,
        dropped_frames: run.dropped_frames,
        step_ms_p50: step[0],
        step_ms_p95: step[1],
        step_ms_p99: step[2],
        redraws_per_s: rounded(run.redraws_per_s),
        key_to_pixel_ms_p50: key[0],
        key_to_pixel_ms_p95: key[1],
        key_events: run.key_to_pixel_ms.len(),
        mouse_to_pixel_ms_p50: mouse[0],
        mouse_to_pixel_ms_p95: mouse[1],
        mouse_events: run.mouse_to_pixel_ms.len(),
        window_width: run.window_px[0],
        window_height: run.window_px[1],
        renderer: run.renderer,
        device: run.device,
        threads,
        model_hash,
        seconds: rounded(run.seconds),
        seed,
        version: env!("CARGO_PKG_VERSION"),
        ratios: BTreeMap::new(),
    })
}

#[cfg(not(feature = "view"))]
pub fn measure(_: u64, _: f64, _: ModelFolder, _: DreamOptions, _: String) -> anyhow::Result<WindowFigures> {
    Err(super::fault::mistake("this build has no window (cargo feature `view`); `holdfast bench` needs none"))
}

impl WindowFigures {
    /// For people.
    pub fn table(&self) -> String {
        let hash = self.model_hash.get(..12).unwrap_or(&self.model_hash);
        let rows = [
            ("frames a second", format!("{:.1} of 20, over {:.0} s", self.frames_per_s, self.seconds)),
            ("missed ticks", format!("{}, and {} frames dropped", self.missed_ticks, self.dropped_frames)),
            (
                "step",
                format!("{:.1} ms p50, {:.1} p95, {:.1} p99", self.step_ms_p50, self.step_ms_p95, self.step_ms_p99),
            ),
            ("redraws a second", format!("{:.1}, while the mouse moves", self.redraws_per_s)),
            (
                "key to pixel",
                format!(
                    "{:.1} ms p50, {:.1} p95, of {} events",
                    self.key_to_pixel_ms_p50, self.key_to_pixel_ms_p95, self.key_events
                ),
            ),
            (
                "mouse to pixel",
                format!(
                    "{:.1} ms p50, {:.1} p95, of {} redraws that turn",
                    self.mouse_to_pixel_ms_p50, self.mouse_to_pixel_ms_p95, self.mouse_events
                ),
            ),
            ("window", format!("{}x{}, drawn by {}", self.window_width, self.window_height, self.renderer)),
            ("model", hash.to_string()),
            ("device", format!("{}, {} threads", self.device, self.threads)),
        ];
        let mut lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<16} {value}")).collect();
        lines.extend(self.ratios.iter().map(|(key, ratio)| format!("{ratio:>8.3} x  {key}")));
        lines.join("\n")
    }
}
