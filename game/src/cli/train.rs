//! `holdfast train`: trains a model from one config file, until it is done or told to stop.

use super::{fault::mistake, interrupt, progress, strips};
use anyhow::Context;
use holdfast_model::{
    DeviceChoice, engine,
    train::{self, Event, Progress, RunOptions, TrainConfig, TrainError},
};
use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Without a terminal, a line this often says how it goes.
const LINE_EVERY: Duration = Duration::from_secs(30);

const AFTER_HELP: &str = "Examples:
  holdfast train --config model/configs/pebble.toml
  holdfast train --config model/configs/pebble.toml --minutes 30
  holdfast train --config model/configs/pebble.toml --resume
  holdfast train --config model/configs/pebble.toml --run runs/next --from assets/models/pebble

Ctrl-C ends after the step under way and keeps a checkpoint; --resume goes on from it, also after
a kill. The run's folder holds config.toml, checkpoint.bin, metrics.jsonl, strips/ (truth above
dream above the dream without memory, on validation seeds) and model/, a model folder for
--model. Every key of the config has a default; an unknown key is an error.";

/// Train a model on the simulator, from one config file
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct TrainArgs {
    /// The run's settings, in TOML
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
    /// Go on from the checkpoint in the run's folder
    #[arg(long)]
    resume: bool,
    /// Begin with the weights of this model folder in place of fresh ones
    #[arg(long, value_name = "DIR", conflicts_with = "resume")]
    from: Option<PathBuf>,
    /// Folder of the run [default: runs/ and the config's name]
    #[arg(long, value_name = "DIR")]
    run: Option<PathBuf>,
    /// Stop after this many minutes, as Ctrl-C would
    #[arg(long, value_name = "N", value_parser = minutes)]
    minutes: Option<f64>,
    /// Worker threads [default: all cores]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    threads: Option<u16>,
    /// Where the network is trained: cpu, vulkan, metal, cuda, or auto for a graphics card if there is one; all cards of a
    /// kind share the samples
    #[arg(long, value_name = "NAME", default_value_t)]
    device: DeviceChoice,
}

pub fn run(args: &TrainArgs) -> anyhow::Result<()> {
    let stop = interrupt::stop_flag()?;
    if !args.config.is_file() {
        return Err(mistake(format!(
            "no config file {}; give one, such as model/configs/pebble.toml",
            args.config.display()
        )));
    }
    let config = TrainConfig::load(&args.config).map_err(train_error)?;
    let options = RunOptions {
        resume: args.resume,
        start_from: args.from.clone(),
        run_dir: args.run.clone().unwrap_or_else(|| default_run_dir(&args.config)),
        max_minutes: args.minutes,
        threads: args.threads.map(usize::from),
        devices: engine::devices_to_train_on(args.device).map_err(mistake)?,
    };
    for device in &options.devices {
        eprintln!("training on {}", device.name);
    }
    let bar = progress::bar(config.steps, "steps");
    let mut last_line: Option<Instant> = None;
    let mut tell = |event: Event| match event {
        Event::Progress(progress) => {
            bar.set_length(progress.steps);
            bar.set_position(progress.step);
            bar.set_message(figures(progress));
            if bar.is_hidden() && last_line.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
                last_line = Some(Instant::now());
                let left = duration_words(progress.left_s);
                eprintln!("step {} of {}, {}, {left} left", progress.step, progress.steps, figures(progress));
            }
        }
        Event::Validated { step, validation, dir } => {
            progress::note(&bar, &format!("step {step}: {}", strips::scores(validation)));
            // Pictures for people are not worth a run.
            if let Err(error) = strips::write(&dir.join("strips"), &format!("{step:06}"), validation) {
                tracing::warn!("no strips of step {step}: {error}");
            }
        }
    };
    let outcome = train::run(&config, &options, stop, &mut tell).map_err(train_error)?;
    bar.finish_and_clear();
    let (steps, time) = (outcome.steps, duration_words(outcome.seconds));
    eprintln!("{steps} steps, {} samples in {time}; model in {}", outcome.samples, outcome.model_dir.display());
    if !outcome.finished {
        let (config, run) = (args.config.display(), options.run_dir.display());
        eprintln!("to go on: holdfast train --config {config} --run {run} --resume");
    }
    Ok(())
}

fn figures(progress: &Progress) -> String {
    format!("loss {:.4}, {:.1} samples/s", progress.loss, progress.samples_per_s)
}

/// A mistake in a file or folder is the user's; a full disk or a loss that explodes is not.
fn train_error(error: TrainError) -> anyhow::Error {
    match error {
        TrainError::Config { .. }
        | TrainError::Checkpoint { .. }
        | TrainError::Exists { .. }
        | TrainError::OtherModel
        | TrainError::Folder(_) => mistake(error),
        other => Err::<(), _>(other).context("training stopped").expect_err("made above"),
    }
}

/// `runs/pebble` for `model/configs/pebble.toml`.
fn default_run_dir(config: &Path) -> PathBuf {
    Path::new("runs").join(config.file_stem().unwrap_or_default())
}

fn duration_words(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}

fn minutes(text: &str) -> Result<f64, String> {
    let minutes = text.parse().ok().filter(|minutes: &f64| minutes.is_finite() && *minutes > 0.0);
    minutes.ok_or_else(|| "expected a number of minutes above 0, such as 30".to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_named_after_its_config() {
        assert_eq!(default_run_dir(Path::new("model/configs/pebble.toml")), Path::new("runs/pebble"));
    }

    #[test]
    fn time_left_reads_well() {
        assert_eq!([9.6, 600.0, 9000.0].map(duration_words), ["10 s", "10 min", "2.5 h"]);
    }
}
