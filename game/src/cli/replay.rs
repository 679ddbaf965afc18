//! `holdfast replay`: makes a recording's frames again and checks them hash by hash.

use super::{fault::mistake, interrupt, model_folder::DreamArgs, progress};
use anyhow::{Context, anyhow};
use holdfast_model::{
    DeviceChoice,
    device::instructions,
    keep::recording::{Recording, Replay},
};
use std::{io::Write, path::PathBuf, sync::atomic::Ordering};

const AFTER_HELP: &str = "Examples:
  holdfast replay out/rollout.holdfast --check
  holdfast replay session.holdfast --check --model runs/mine/model

Exit code 0 only if every frame is the recorded one, bit for bit. What is missing of a recording that was cut short
(a kill, a full disk) is told; what is there is checked all the same.";

/// Make a recording's frames again and check that they are the same
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct ReplayArgs {
    /// Recording, such as the rollout.holdfast of a rollout
    file: PathBuf,
    /// Compare each frame with the hash that was recorded
    #[arg(long, required = true)]
    check: bool,
    /// Folder of the model that it was recorded with [default: the shipped assets/models/pebble]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Where the model computes
    #[arg(long, value_name = "NAME", default_value_t)]
    device: DeviceChoice,
    /// Threads that compute a frame; their number changes no bit of it [default: all cores but one, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let stop = interrupt::stop_flag()?;
    let name = args.file.display();
    let recording = Recording::open(&args.file).map_err(|fault| mistake(format!("{name}: {fault}")))?;
    let about = &recording.about;
    let steps = Some(about.sampler_steps as u16);
    let dream = DreamArgs { model: args.model.clone(), device: args.device, steps, threads: args.threads };
    let mut dream = dream.load(0, about.memory)?;
    let loaded = dream.status().model_hash;
    if loaded != about.model_hash {
        let (model, short) = (about.model(), loaded.get(..12).unwrap_or(&loaded));
        return Err(mistake(format!(
            "{name} was recorded with the model {model}, and this one is {short}; give its folder with --model"
        )));
    }
    if instructions() != about.instructions {
        let (there, here) = (&about.instructions, instructions());
        eprintln!("note: recorded on a processor with {there}, checked on one with {here}: last bits may differ");
    }
    if let Some(missing) = &recording.missing {
        eprintln!("note: {name}: {missing}");
    }
    let frames = recording.ticks() + recording.lines.len() as u64;
    let bar = progress::bar(frames, "frames");
    let (mut checked, mut equal, mut first_difference) = (0u64, 0u64, None);
    let mut replay = Replay::new(&recording);
    while let Some(outcome) =
        replay.next(&recording, &mut dream).map_err(|e| anyhow!(e)).context("the replay failed")?
    {
        checked += 1;
        equal += u64::from(outcome.equal);
        if !outcome.equal {
            first_difference.get_or_insert((outcome.line, outcome.observation.tick));
        }
        bar.inc(1);
        if stop.load(Ordering::Relaxed) {
            break;
        }
    }
    bar.finish_and_clear();
    let lines = recording.lines.len();
    writeln!(std::io::stdout(), "{equal} of {checked} frames equal, in {lines} {}", plural(lines, "line"))?;
    if let Some((line, tick)) = first_difference {
        return Err(anyhow!("{name}: {} frames differ, the first at tick {tick} of line {line}", checked - equal));
    }
    if checked < frames {
        return Err(anyhow!("stopped after {checked} of {frames} frames"));
    }
    if frames == 0 {
        return Err(mistake(format!("{name} holds no frame to check")));
    }
    Ok(())
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_string() } else { format!("{noun}s") }
}
