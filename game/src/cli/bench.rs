//! `holdfast bench`: how fast a model dreams on this machine, and how much of the machine it uses.

use super::{
    atomic_file, bench_window, compare,
    fault::mistake,
    interrupt,
    model_folder::{DreamArgs, dream},
    pace::{self, Minute, Pace},
    progress, seed,
    timing::{Durations, elapsed_ms, rounded},
};
use anyhow::Context;
use holdfast_model::{
    Dream, DreamOptions,
    folder::ModelFolder,
    kernel::{Precision, matmul::peak_gflops},
};
use holdfast_sim::{Start, World, script::Policy, seeds};
use serde::Serialize;
use std::{
    collections::BTreeMap,
    io::Write,
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

/// How long the matrix products of the machine's peak run.
const PEAK_SECONDS: f64 = 2.0;

/// Steps before the clock starts: caches and the world state have filled by then.
const WARM_UP_STEPS: usize = 20;

const AFTER_HELP: &str = "Examples:
  holdfast bench
  holdfast bench --json --seconds 60 > bench.json
  holdfast bench --compare bench.json
  holdfast bench --also 256x144
  holdfast bench --window                         the game's own window, with a made-up player
  holdfast bench --ticks 72000 --plot hour.svg    an hour of play, and whether it keeps its pace

Steps run one after another, uncapped, under a seeded wandering player. What the keys of --json mean:
  frames_per_s        frames made in a second, uncapped
  step_ms_*           one step of the dream, percentiles
  key_to_pixel_ms_*   headless stand-in: from sampling an action to its frame ready for display as RGBA;
                      a window adds the wait for the next tick and the display
  rss_bytes           resident memory at the end; rss_peak_bytes its peak
  gflop_per_frame     arithmetic of a frame, mean, by the model's own count
  matrix_peak_gflops  what large matrix products reach on this machine now, in the precision that the dream computes
                      in, on its device, or on as many threads at once as it uses
  share_of_peak       gflop_per_frame * frames_per_s / matrix_peak_gflops
  denoiser_share_of_peak   the same over the denoiser's own time
  stages              mean milliseconds a step, by stage; other is what no stage counts
  minutes             step time, cells and memory at each minute of play (1,200 steps)
  late_over_early     median step of the last tenth of those minutes over that of the first tenth
  also                the same figures at the size that --also asks for
  ratios              with --compare: this run over that one, number by number

With --window the dream runs as it does in play, 20 steps a second, while the window follows the mouse:
  step_ms_*           one step, beside the drawing
  redraws_per_s       times that the window was drawn, while the mouse moved
  missed_ticks        ticks that were due and never ran
  key_to_pixel_ms_*   from a key until the frame that answers it was handed to the screen
  mouse_to_pixel_ms_* from the mouse's motion until the last frame, turned by it, was";

/// Measure frames a second, step times, memory and the share of the machine's peak
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct BenchArgs {
    /// Print one JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// Seconds to measure, after the warm-up
    #[arg(long, value_name = "S", default_value_t = 60.0, value_parser = seconds)]
    seconds: f64,
    /// Measure so many steps instead: 1,200 are a minute of play
    #[arg(long, value_name = "N", conflicts_with = "seconds", value_parser = clap::value_parser!(u64).range(1..))]
    ticks: Option<u64>,
    /// Draw step time, memory and world state by minute of play (SVG)
    #[arg(long, value_name = "FILE")]
    plot: Option<PathBuf>,
    /// Seed of the world and of the player
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = seeds::VALIDATION.start)]
    seed: u64,
    /// Measure the same weights at another frame size too
    #[arg(long, value_name = "WxH", value_parser = size)]
    also: Option<(usize, usize)>,
    /// Print this run's numbers over those of an earlier one, kept with --json
    #[arg(long, value_name = "FILE")]
    compare: Option<PathBuf>,
    /// Measure the game's window instead: redraws, missed ticks, key to pixel, mouse to pixel
    #[arg(long, conflicts_with_all = ["ticks", "plot", "also"])]
    window: bool,
    #[command(flatten)]
    dream: DreamArgs,
}

/// Keys are part of the product: add, never rename.
#[derive(Debug, Serialize)]
struct Figures {
    frames_per_s: f64,
    step_ms_p50: f64,
    step_ms_p95: f64,
    step_ms_p99: f64,
    key_to_pixel_ms_p50: f64,
    key_to_pixel_ms_p95: f64,
    rss_bytes: Option<u64>,
    rss_peak_bytes: Option<u64>,
    gflop_per_frame: f64,
    matrix_peak_gflops: f64,
    share_of_peak: f64,
    denoiser_share_of_peak: f64,
    precision: &'static str,
    threads: usize,
    device: String,
    model_hash: String,
    width: usize,
    height: usize,
    stages: BTreeMap<&'static str, f64>,
    parameters: usize,
    memory_cells: usize,
    steps: usize,
    seconds: f64,
    seed: u64,
    version: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_over_early: Option<f64>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    minutes: Vec<Minute>,
    #[serde(skip_serializing_if = "Option::is_none")]
    also: Option<Box<Figures>>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    ratios: BTreeMap<String, f64>,
}

/// What the clock said.
#[derive(Debug, Default)]
struct Measured {
    steps: Durations,
    key_to_pixel: Durations,
    stages_ms: BTreeMap<&'static str, f64>,
    seconds: f64,
    pace: Pace,
}

pub fn run(args: &BenchArgs) -> anyhow::Result<()> {
    let before = args.compare.as_deref().map(compare::read).transpose()?;
    let (model, options) = args.dream.read(args.seed, true)?;
    if args.window {
        let mut figures = bench_window::measure(args.seed, args.seconds, model, options, args.dream.name()?)?;
        if let Some(before) = &before {
            figures.ratios = compare::ratios(&serde_json::to_value(&figures)?, before);
        }
        let text = if args.json { serde_json::to_string_pretty(&figures)? } else { figures.table() };
        writeln!(std::io::stdout(), "{text}")?;
        return Ok(());
    }
    // Not before: a window has its own way to end.
    let stop = interrupt::stop_flag()?;
    let mut figures = figures(args, model.clone(), options, stop)?;
    if let Some(path) = &args.plot {
        atomic_file::write(path, pace::svg(&figures.minutes).as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))?;
    }
    if let Some((width, height)) = args.also {
        let mut model = model;
        (model.config.width, model.config.height) = (width, height);
        model.config.check().map_err(mistake)?;
        figures.also = Some(Box::new(self::figures(args, model, options, stop)?));
    }
    if let Some(before) = &before {
        figures.ratios = compare::ratios(&serde_json::to_value(&figures)?, before);
    }
    let text = if args.json { serde_json::to_string_pretty(&figures)? } else { table(&figures) };
    writeln!(std::io::stdout(), "{text}")?;
    Ok(())
}

fn figures(args: &BenchArgs, model: ModelFolder, options: DreamOptions, stop: &AtomicBool) -> anyhow::Result<Figures> {
    let mut dream = dream(model, options)?;
    let measured = measure(args, &mut dream, stop)?;
    let rss_bytes = resident_bytes("VmRSS");
    let rss_peak_bytes = resident_bytes("VmHWM");
    let status = dream.status();
    let steps = measured.steps.len();
    let frames_per_s = steps as f64 / measured.seconds;
    let device_peak = dream.device().and_then(|device| device.matrix_peak_gflops());
    let matrix_peak_gflops =
        device_peak.unwrap_or_else(|| peak_of(status.precision.parse().unwrap_or_default(), status.threads));
    let mut stages = measured.stages_ms;
    stages.values_mut().for_each(|ms| *ms /= steps as f64);
    let denoiser_s = stages.get("denoiser").map_or(f64::INFINITY, |ms| ms / 1e3);
    let other = measured.steps.mean() - stages.values().sum::<f64>();
    stages.insert("other", other.max(0.0));
    Ok(Figures {
        frames_per_s: rounded(frames_per_s),
        step_ms_p50: rounded(measured.steps.percentile(50.0)),
        step_ms_p95: rounded(measured.steps.percentile(95.0)),
        step_ms_p99: rounded(measured.steps.percentile(99.0)),
        key_to_pixel_ms_p50: rounded(measured.key_to_pixel.percentile(50.0)),
        key_to_pixel_ms_p95: rounded(measured.key_to_pixel.percentile(95.0)),
        rss_bytes,
        rss_peak_bytes,
        gflop_per_frame: rounded(status.gflop_per_frame),
        matrix_peak_gflops: rounded(matrix_peak_gflops),
        share_of_peak: rounded(status.gflop_per_frame * frames_per_s / matrix_peak_gflops),
        denoiser_share_of_peak: rounded(status.gflop_per_frame / denoiser_s / matrix_peak_gflops),
        precision: status.precision,
        threads: status.threads,
        device: status.device,
        model_hash: status.model_hash,
        width: status.width,
        height: status.height,
        stages: stages.into_iter().map(|(name, ms)| (name, rounded(ms))).collect(),
        parameters: status.parameters,
        memory_cells: status.memory_cells,
        steps,
        seconds: rounded(measured.seconds),
        seed: args.seed,
        version: env!("CARGO_PKG_VERSION"),
        late_over_early: pace::late_over_early(&measured.pace.minutes),
        minutes: measured.pace.minutes,
        also: None,
        ratios: BTreeMap::new(),
    })
}

fn measure(args: &BenchArgs, dream: &mut Dream, stop: &AtomicBool) -> anyhow::Result<Measured> {
    let mut actions = Policy::Wander.open_loop(args.seed);
    dream.reset(&Start::Seed(args.seed)).context("the dream does not start")?;
    for action in actions.by_ref().take(WARM_UP_STEPS) {
        dream.step(&action).context("the dream failed while warming up")?;
    }
    let bar = match args.ticks {
        Some(ticks) => progress::bar(ticks, "steps"),
        None => progress::bar(args.seconds.ceil() as u64, "s"),
    };
    let mut measured = Measured::default();
    let mut pixels = Vec::new();
    let clock = Instant::now();
    let goes_on = |measured: &Measured| match args.ticks {
        Some(ticks) => (measured.steps.len() as u64) < ticks,
        None => measured.seconds < args.seconds,
    };
    while goes_on(&measured) && !stop.load(Ordering::Relaxed) {
        let key = Instant::now();
        let action = actions.next().unwrap_or_default();
        let step = Instant::now();
        let observation = dream.step(&action).context("the dream failed")?;
        let step_ms = elapsed_ms(step);
        measured.steps.push(step_ms);
        measured.pace.step(step_ms, || (dream.status().memory_cells, resident_bytes("VmRSS")));
        pixels.clear();
        pixels.extend(observation.frame.rgb.chunks_exact(3).flat_map(|p| [p[0], p[1], p[2], u8::MAX]));
        std::hint::black_box(&pixels);
        measured.key_to_pixel.push(elapsed_ms(key));
        for (stage, ms) in observation.stages_ms {
            *measured.stages_ms.entry(stage).or_default() += f64::from(ms);
        }
        measured.seconds = clock.elapsed().as_secs_f64();
        bar.set_position(args.ticks.map_or(measured.seconds as u64, |_| measured.steps.len() as u64));
    }
    bar.finish_and_clear();
    if measured.steps.len() == 0 {
        return Err(mistake("stopped before the first step was measured"));
    }
    Ok(measured)
}

/// The best of each of `threads` threads while all are busy, summed.
fn peak_of(precision: Precision, threads: usize) -> f64 {
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(move || peak_gflops(precision, PEAK_SECONDS))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a matrix product of fixed sizes does not fail")).sum()
    })
}

fn table(figures: &Figures) -> String {
    let megabytes =
        |bytes: Option<u64>| bytes.map_or("unknown".into(), |bytes| format!("{:.0} MB", bytes as f64 / 1e6));
    let hash = figures.model_hash.get(..12).unwrap_or(&figures.model_hash);
    let mut rows = vec![
        ("frames a second", format!("{:.1}, over {:.0} s", figures.frames_per_s, figures.seconds)),
        (
            "step",
            format!(
                "{:.1} ms p50, {:.1} p95, {:.1} p99",
                figures.step_ms_p50, figures.step_ms_p95, figures.step_ms_p99
            ),
        ),
        (
            "key to pixel",
            format!("{:.1} ms p50, {:.1} p95, headless", figures.key_to_pixel_ms_p50, figures.key_to_pixel_ms_p95),
        ),
        ("memory", format!("{}, peak {}", megabytes(figures.rss_bytes), megabytes(figures.rss_peak_bytes))),
        (
            "arithmetic",
            format!(
                "{:.2} GFLOP a frame, {:.0}% of the {:.0} GFLOP/s that {} reaches in {}, {:.0}% in the denoiser",
                figures.gflop_per_frame,
                figures.share_of_peak * 100.0,
                figures.matrix_peak_gflops,
                figures.device,
                figures.precision,
                figures.denoiser_share_of_peak * 100.0
            ),
        ),
        ("model", format!("{hash}, {} parameters, {}x{}", figures.parameters, figures.width, figures.height)),
        ("world state", format!("{} cells", figures.memory_cells)),
        ("device", format!("{}, {} threads", figures.device, figures.threads)),
    ];
    if let Some(ratio) = figures.late_over_early {
        rows.push((
            "pace",
            format!("{ratio:.3} of the first minutes' step time after {} minutes of play", figures.minutes.len()),
        ));
    }
    let stages: Vec<_> = figures.stages.iter().map(|(stage, ms)| format!("{stage} {ms:.2}")).collect();
    if !stages.is_empty() {
        rows.push(("stages", format!("{} ms", stages.join(", "))));
    }
    let mut lines: Vec<String> = rows.iter().map(|(name, value)| format!("{name:<16} {value}")).collect();
    lines.extend(figures.ratios.iter().map(|(key, ratio)| format!("{ratio:>8.3} x  {key}")));
    if let Some(also) = &figures.also {
        lines.push(format!("\nat {}x{}", also.width, also.height));
        lines.push(table(also));
    }
    lines.join("\n")
}

/// A figure of the kernel's about this process, where there is such a kernel.
fn resident_bytes(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

fn seconds(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds: &f64| seconds.is_finite() && *seconds > 0.0);
    seconds.ok_or_else(|| "expected a number of seconds above 0, such as 60".to_string())
}

fn size(text: &str) -> Result<(usize, usize), String> {
    let sides = text.split_once('x').and_then(|(width, height)| Some((width.parse().ok()?, height.parse().ok()?)));
    sides.ok_or_else(|| "expected a width and a height in pixels, such as 256x144".to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_a_size() {
        let [now, peak] = ["VmRSS", "VmHWM"].map(|name| super::resident_bytes(name).expect("Linux tells"));
        // Linux counts pages in batches, each thread its own, so that the peak may lag behind a little.
        assert!((1 << 20..=peak + (1 << 20)).contains(&now), "{now} {peak}");
    }

    #[test]
    fn a_size_is_two_numbers() {
        assert_eq!(super::size("256x144"), Ok((256, 144)));
        assert!(super::size("256").is_err() && super::size("x").is_err());
    }

    #[test]
    fn seconds_are_a_positive_number() {
        assert_eq!(super::seconds("2.5"), Ok(2.5));
        for bad in ["0", "-1", "nan", "inf", "long"] {
            assert!(super::seconds(bad).is_err(), "{bad}");
        }
    }
}
