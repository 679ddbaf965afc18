//! `holdfast replay`: makes a recording's frames again, and shows them in the window or checks them hash by hash.

use super::{
    export::ProvenanceArgs,
    fault::mistake,
    interrupt,
    model_folder::{DreamArgs, dream},
    progress,
};
use anyhow::{Context, anyhow};
use holdfast_model::{
    DeviceChoice, Dream, DreamOptions,
    device::instructions,
    engine,
    folder::ModelFolder,
    keep::{
        About,
        recording::{Recording, Replay},
    },
};
use std::{
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::Ordering,
};

const AFTER_HELP: &str = "Examples:
  holdfast replay session.holdfast
  holdfast replay out/rollout.holdfast --check
  holdfast replay session.holdfast --check --model runs/mine/model

In the window: Space pauses, comma and full stop go a frame back and on, left and right 5 s, digits
to tenths of the whole, up and down change the speed, F12 takes a screenshot, Escape leads out.

With --check: exit code 0 only if every frame is the recorded one, bit for bit. What is missing of a recording that was cut short
(a kill, a full disk) is told; what is there is checked all the same.";

/// Show a recording in the window, or check that its frames come again as they were
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct ReplayArgs {
    /// Recording, such as the rollout.holdfast of a rollout
    file: PathBuf,
    /// Open no window; compare each frame with the hash that was recorded
    #[arg(long)]
    check: bool,
    /// Folder for screenshots (F12) [default: the user's pictures folder]
    #[arg(long, value_name = "DIR", conflicts_with = "check")]
    screenshots: Option<PathBuf>,
    /// Folder of the model that it was recorded with [default: the shipped assets/models/pebble]
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Where the model computes
    #[arg(long, value_name = "NAME", default_value_t)]
    device: DeviceChoice,
    /// Threads that compute a frame; their number changes no bit of it [default: all cores but one, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    #[command(flatten)]
    provenance: ProvenanceArgs,
}

pub fn run(args: &ReplayArgs) -> anyhow::Result<()> {
    let name = args.file.display();
    let recording = Recording::open(&args.file).map_err(|fault| mistake(format!("{name}: {fault}")))?;
    let dream_args =
        DreamArgs { model: args.model.clone(), device: args.device, threads: args.threads, ..DreamArgs::default() };
    let (model, options) = model_of(&recording, &dream_args, &args.file)?;
    if let Some(missing) = &recording.missing {
        eprintln!("note: {name}: {missing}");
    }
    let frames = recording.ticks() + recording.lines.len() as u64;
    if frames == 0 {
        return Err(mistake(format!("{name} holds no frame")));
    }
    if args.check { check(args, &recording, dream(model, options)?) } else { show(args, recording, model, options) }
}

fn check(args: &ReplayArgs, recording: &Recording, mut dream: Dream) -> anyhow::Result<()> {
    let stop = interrupt::stop_flag()?;
    let name = args.file.display();
    let frames = recording.ticks() + recording.lines.len() as u64;
    let bar = progress::bar(frames, "frames");
    let (mut checked, mut equal, mut first_difference) = (0u64, 0u64, None);
    let mut replay = Replay::new(recording);
    while let Some(outcome) = replay.next(recording, &mut dream).map_err(|e| anyhow!(e)).context("the replay failed")? {
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
    Ok(())
}

/// The model that a recording was made with, and how it dreamed. Its steps a frame are the recording's.
pub fn model_of(recording: &Recording, args: &DreamArgs, file: &Path) -> anyhow::Result<(ModelFolder, DreamOptions)> {
    let about = &recording.about;
    let steps = Some(about.sampler_steps as u16);
    let device = device_of(about, args.device);
    let (model, options) = DreamArgs { steps, device, ..args.clone() }.read(0, about.memory)?;
    if model.hash != about.model_hash {
        let (wanted, short) = (about.model(), model.hash.get(..12).unwrap_or(&model.hash));
        return Err(mistake(format!(
            "{} was recorded with the model {wanted}, and this one is {short}; give its folder with --model",
            file.display()
        )));
    }
    if instructions() != about.instructions {
        let (there, here) = (&about.instructions, instructions());
        eprintln!("note: recorded on a processor with {there}, replayed on one with {here}: last bits may differ");
    }
    Ok((model, options))
}

/// The device that a recording was made on, where none is asked for: another one makes other last bits.
fn device_of(about: &About, asked: DeviceChoice) -> DeviceChoice {
    let made_on = about.device.split(' ').next().and_then(|name| name.parse::<DeviceChoice>().ok());
    match made_on.filter(|_| asked == DeviceChoice::Auto) {
        Some(made_on) if engine::check(made_on).is_ok() => made_on,
        Some(_) => {
            eprintln!("note: recorded on {}, which is not here: last bits may differ", about.device);
            DeviceChoice::Cpu
        }
        None => asked,
    }
}

#[cfg(feature = "view")]
fn show(args: &ReplayArgs, recording: Recording, model: ModelFolder, options: DreamOptions) -> anyhow::Result<()> {
    use holdfast_game::app::{PlayOptions, Worlds};

    let factory = move || {
        let dream = dream(model, options)?;
        let device = dream.status().device;
        Ok(Worlds { dream: Box::new(dream), truth: None, device, about: None })
    };
    let options = PlayOptions {
        // Frames of one replay belong together; it has no other seed.
        seed: recording.lines.first().and_then(|line| line.beginning.seed()).unwrap_or(0),
        screenshot_dir: args.screenshots.clone(),
        seal: args.provenance.seal()?,
        replay: Some(recording),
        ..PlayOptions::default()
    };
    super::play::open(options, Box::new(factory))
}

#[cfg(not(feature = "view"))]
fn show(_: &ReplayArgs, _: Recording, _: ModelFolder, _: DreamOptions) -> anyhow::Result<()> {
    Err(mistake("this build has no window (cargo feature `view`); --check makes the frames again without one"))
}

fn plural(count: usize, noun: &str) -> String {
    if count == 1 { noun.to_string() } else { format!("{noun}s") }
}
