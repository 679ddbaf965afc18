//! `holdfast probe`: does the generated world hold? Every probe with bounds, floor, ceiling and controls.

use super::{
    atomic_file,
    fault::mistake,
    interrupt,
    model_folder::{DreamArgs, scored_on},
    progress,
};
use anyhow::Context;
use holdfast_model::{
    DreamOptions,
    probe::{
        self, Baseline, Dreamer, Event, Figure, Ignorant, Options, ProbeError, Report, Scale, Simulator, Subject, suite,
    },
};
use holdfast_sim::Camera;
use std::{ops::Range, path::PathBuf};

const AFTER_HELP: &str = "Examples:
  holdfast probe --suite quick --out out/probes
  holdfast probe --suite full --seeds 2000000..2000200 --out out/full --resume
  holdfast probe --suite turn_away,fork --seeds 2000000..2000020 --out out/some --json
  holdfast probe --suite full --out out/full --resume --markdown docs/scores.md
  holdfast probe --suite full --seeds 2500000..2500200 --out out/other --compare out/full

Each figure stands between its floor (the same model with its memory off) and its ceiling (the same
with its memory filled from the simulator); where a control reaches a figure, it says nothing of
memory. What is asked of a world is judged by the bounds: met, missed, or open where more seeds would
tell. With a hundred seeds or more, floors and ceilings are run on one of four, controls on one of
eight. Written to the folder: report.json, report.html (one page with curves and pictures), and
trials.jsonl, one line a probe and seed, from which --resume goes on. Probe seeds begin at 2000000;
1000000..2000000 serve the development of probes.";

/// Measure whether a generated world holds, against the simulator's exact truth
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct ProbeArgs {
    #[command(flatten)]
    dream: DreamArgs,
    /// full, quick (three minutes), or probes by their ids, separated by commas
    #[arg(long, value_name = "full|quick|ID,..", default_value = "quick")]
    suite: String,
    /// Seeds, first and one past the last [default: 2000000..2000004 for quick, else 2000000..2000200]
    #[arg(long, value_name = "FROM..TO", value_parser = seeds)]
    seeds: Option<Range<u64>>,
    /// Folder for report.json, report.html and the trials
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Go on with the trials that lie in the folder
    #[arg(long)]
    resume: bool,
    /// Show the figures of another run beside these: other seeds, or another model on the same ones
    #[arg(long, value_name = "DIR")]
    compare: Option<PathBuf>,
    /// What is probed: the dream, the simulator (must reach every ceiling), or a baseline (must stay on every floor)
    #[arg(long, value_name = "WORLD", default_value = "dream", value_parser = ["dream", "simulator", "copy-last-frame", "noise"])]
    subject: String,
    /// Trials in flight at once, each on a thread of its own [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    at_once: Option<u16>,
    /// Write the figures to this Markdown page too, such as docs/scores.md
    #[arg(long, value_name = "FILE")]
    markdown: Option<PathBuf>,
    /// Print the report as JSON
    #[arg(long)]
    json: bool,
}

pub fn run(args: &ProbeArgs) -> anyhow::Result<()> {
    let stop = interrupt::stop_flag()?;
    let (model, dream) = args.dream.read(0, true)?;
    let camera = Camera::new(model.config.width, model.config.height);
    let subject: Box<dyn Subject> = match args.subject.as_str() {
        "simulator" => Box::new(Simulator { camera }),
        "copy-last-frame" => Box::new(Ignorant { baseline: Baseline::CopyLastFrame, camera }),
        "noise" => Box::new(Ignorant { baseline: Baseline::Noise, camera }),
        _ => {
            // Each trial has one thread, and trials are what runs at once.
            let options = DreamOptions { device: scored_on(dream.device), threads: 1, ..dream };
            Box::new(Dreamer { model, options })
        }
    };
    let (probes, usual_seeds) = match args.suite.as_str() {
        "full" => (suite::registry(Scale::Full), 2_000_000..2_000_200),
        "quick" => (suite::registry(Scale::Quick), 2_000_000..2_000_004),
        ids => {
            let ids: Vec<&str> = ids.split(',').map(str::trim).collect();
            (suite::named(Scale::Full, &ids).map_err(mistake)?, 2_000_000..2_000_200)
        }
    };
    let seeds = args.seeds.clone().unwrap_or(usual_seeds);
    let many = seeds.end - seeds.start >= MANY_SEEDS;
    let all = Options::new(seeds, &args.out);
    let options = Options {
        resume: args.resume,
        compare: args.compare.clone(),
        // The program by its name: where it lies says nothing.
        command: std::iter::once("holdfast".to_string()).chain(std::env::args().skip(1)).collect::<Vec<_>>().join(" "),
        threads: args.at_once.map_or(all.threads, usize::from),
        floors_every: if many { 4 } else { 1 },
        controls_every: if many {
            2
        } else if args.suite == "quick" {
            4
        } else {
            1
        },
        ..all
    };
    let bar = progress::bar(0, "trials");
    let tell = |event: Event| match event {
        Event::Readers => bar.set_message("preparing the readers"),
        Event::Progress { done, of, probe } => {
            if bar.length() != Some(of as u64) {
                // What lies there from an earlier run says nothing about the time left.
                bar.set_length(of as u64);
                bar.set_position(done as u64);
                bar.reset_eta();
            }
            bar.set_message(probe.to_string());
            bar.set_position(done as u64);
        }
    };
    let result = probe::run(subject.as_ref(), &probes, &options, stop, &tell);
    bar.finish_and_clear();
    let report = result.map_err(|error| match error {
        ProbeError::Seeds { .. }
        | ProbeError::Exists { .. }
        | ProbeError::OtherRun { .. }
        | ProbeError::File { .. } => mistake(error),
        other => anyhow::Error::new(other),
    })?;
    if let Some(path) = &args.markdown {
        let page = probe::markdown(&report);
        let written = atomic_file::write(path, page.as_bytes());
        written.map_err(|error| mistake(format!("{}: {error}", path.display())))?;
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report).context("the report does not serialise")?);
    } else {
        println!("{}", table(&report));
        println!("{} shows them with pictures", args.out.join("report.html").display());
    }
    Ok(())
}

/// From so many seeds on, floors and ceilings are run on one of four, controls on one of eight: that tells them well enough.
const MANY_SEEDS: u64 = 100;

/// The figures for people.
fn table(report: &Report) -> String {
    let number = |value: f64| if value.abs() >= 100.0 { format!("{value:8.1}") } else { format!("{value:8.3}") };
    let maybe = |value: Option<f64>| value.map_or(format!("{:>8}", "-"), number);
    let row = |name: &str, figure: &Figure| {
        let bounds = format!("{} ..{}", number(figure.bounded.lower95), number(figure.bounded.upper95));
        let (value, floor, ceiling, gap) =
            (number(figure.bounded.value), maybe(figure.floor), maybe(figure.ceiling), maybe(figure.gap_closed));
        format!("{name:<42}{value} {bounds} {floor} {ceiling} {gap} {:5}", figure.bounded.n)
    };
    let head = format!(
        "{:<42}{:>8} {:^19} {:>8} {:>8} {:>8} {:>5}",
        "", "value", "95% bounds", "floor", "ceiling", "gap", "n"
    );
    let mut lines = vec![head];
    for (id, probe) in &report.probes {
        lines.push(format!("{id} ({} seeds, {:.0} s)", probe.seeds_done, probe.took_s));
        lines.extend(probe.metrics.iter().map(|(name, figure)| row(&format!("  {name}"), figure)));
        let controls = probe.controls.iter();
        lines.extend(controls.map(|(name, control)| row(&format!("  ({name}) {}", control.metric), &control.figure)));
    }
    let bars = report.bar_rows().into_iter();
    lines.extend(bars.map(|[what, bar, value, bounds, seeds, verdict]| {
        format!("{verdict:<7} {what}: {bar}, is {value} ({bounds}; {seeds} seeds)")
    }));
    if let Some(compared) = &report.compared {
        let rows = compared.rows().into_iter();
        lines.extend(rows.map(|[what, value, other, bounds, same]| {
            format!("{what:<42}{value:>8} other {other:>8}  difference {bounds}  same: {same}")
        }));
        lines.push(compared.summary());
    }
    lines.push(format!("block reader: {:.1}% of single pixels of true frames right", report.reader.accuracy * 100.0));
    lines.join("\n")
}

fn seeds(text: &str) -> Result<Range<u64>, String> {
    let range = text.split_once("..").and_then(|(from, to)| Some(from.parse().ok()?..to.parse().ok()?));
    range
        .filter(|range| !range.is_empty())
        .ok_or_else(|| "expected FROM..TO with FROM below TO, such as 2000000..2000200".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_of_seeds_are_read_or_refused() {
        assert_eq!(seeds("2000000..2000002"), Ok(2_000_000..2_000_002));
        for bad in ["5", "7..7", "9..3", "a..b", ""] {
            assert!(seeds(bad).is_err(), "{bad}");
        }
    }
}
