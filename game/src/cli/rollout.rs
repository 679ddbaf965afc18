//! `holdfast rollout`: a dream under given actions, written to a folder, beside the truth if asked.

use super::{
    actions,
    contact_sheet::{self, Column},
    export::ProvenanceArgs,
    fault::mistake,
    film::Format,
    fork, interrupt,
    model_folder::DreamArgs,
    picture::{self, Picture},
    progress,
    recording::{Recording, Report, TruthTick},
    seed,
    timing::{Durations, elapsed_ms, rounded},
    truth::Truth,
};
use anyhow::Context;
use holdfast_game::export::{Exporter, credited};
use holdfast_media::credentials;
use holdfast_model::{
    Dream,
    keep::{About, Origin, Save, recording::Beginning},
};
use holdfast_sim::{Action, Observation, Start, World, WorldError, script::Policy};
use std::{
    path::PathBuf,
    sync::atomic::{AtomicBool, Ordering},
    time::Instant,
};

/// Ticks in the contact sheet when none are named.
const STRIP_COLUMNS: u64 = 8;
/// The contact sheet shows each pixel this large.
const STRIP_SCALE: usize = 2;

const AFTER_HELP: &str = "Examples:
  holdfast rollout --seed 7 --policy wander --ticks 200 --out out
  holdfast rollout --seed 1000003 --actions walk.jsonl --truth --strip 0,1,10,20,40 --out out
  holdfast rollout --image photo.png --policy look_back --ticks 100 --memory off --out out
  holdfast rollout --image contractor.mp4 --actions contractor.jsonl --out out
  holdfast rollout --seed 7 --policy wander --ticks 200 --format mp4,gif --out out
  holdfast rollout --from out/rollout.holdfast --fork-at 120 --policy loop --ticks 80 --out other

An actions file holds one JSON object a tick, an absent field is off:
  {\"forward\":true,\"jump\":false,\"attack\":false,\"use\":false,\"hotbar\":3,\"camera\":[pitch_deg,yaw_deg]}
VPT's recordings (.jsonl) are read too, and their videos as --image.

--from goes on from a saved world or a recording where it ends, or, with --fork-at, from an
earlier tick of it, which is made again from its beginning; the file itself is left as it is.

The folder: frames/000000.png (the start) onwards, actions.jsonl, observations.jsonl (tick,
the model's own pose, step_ms), rollout.json, strip.png, rollout.holdfast (for `holdfast
replay`); with --truth also truth/000000.png onwards and truth.jsonl (pose, target, edits). A
former rollout in --out is replaced.
--format mp4 writes rollout.mp4 (H.264, enlarged) and rollout.jsonl (the actions as VPT's),
gif writes rollout.gif; with --truth also truth.mp4 and truth.gif.

Pictures and videos are signed (C2PA), and what the model drew has an invisible watermark:
`holdfast verify` reads both. To compare frames level by level give --unmarked.";

/// Write a generated world under given actions to a folder of pictures and lines
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
#[command(group(clap::ArgGroup::new("start").required(true).args(["seed", "image", "from"])))]
#[command(group(clap::ArgGroup::new("player").required(true).args(["actions", "policy"])))]
pub struct RolloutArgs {
    /// Start from the world of this seed
    #[arg(long, value_name = "N", value_parser = seed)]
    seed: Option<u64>,
    /// Start from this picture (PNG) or the first frame of this video (MP4), fitted to the model's frame
    #[arg(long, value_name = "FILE", conflicts_with = "truth")]
    image: Option<PathBuf>,
    /// Go on from this saved world or recording
    #[arg(long, value_name = "FILE", conflicts_with_all = ["truth", "memory", "steps"])]
    from: Option<PathBuf>,
    /// Tick of --from to go on from [default: its last]
    #[arg(long, value_name = "TICK", requires = "from")]
    fork_at: Option<u64>,
    /// Play the actions of this file
    #[arg(long, value_name = "FILE")]
    actions: Option<PathBuf>,
    /// Let a scripted player play; what it does follows from the seed
    #[arg(long, value_name = "NAME")]
    policy: Option<Policy>,
    /// Ticks to play, 20 to a second [default: as many as the actions file holds]
    #[arg(long, value_name = "N", required_unless_present = "actions")]
    ticks: Option<u64>,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Also write what the simulator shows under the same seed and actions
    #[arg(long)]
    truth: bool,
    /// Whether the model reads and writes its world state
    #[arg(long, value_name = "ON|OFF", value_enum, default_value = "on")]
    memory: Switch,
    /// Ticks to show in strip.png, such as 0,1,10,20,40 [default: 8, evenly spaced]
    #[arg(long, value_name = "TICKS", value_delimiter = ',')]
    strip: Vec<u64>,
    /// How frames are written, one or more of them
    #[arg(long, value_enum, value_name = "FORMATS", value_delimiter = ',', default_value = "png")]
    format: Vec<Format>,
    /// Write into --out even if it holds other things (they are left alone)
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    dream: DreamArgs,
    #[command(flatten)]
    provenance: ProvenanceArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Switch {
    On,
    Off,
}

pub fn run(args: &RolloutArgs) -> anyhow::Result<()> {
    let stop = interrupt::stop_flag()?;
    let (plan, ticks) = plan(args)?;
    let mut dream = args.dream.load(args.seed.unwrap_or(0), args.memory == Switch::On)?;
    let beginning = beginning(args, &mut dream)?;
    let mut rollout = Rollout::create(args, &dream, &beginning, ticks)?;
    let outcome = rollout.play(&mut dream, &beginning, plan, stop);
    let finished = rollout.finish();
    // The first error is the one to tell: a full disk stops the report as well.
    outcome.and(finished)
}

/// Who plays, and for how long.
fn plan(args: &RolloutArgs) -> anyhow::Result<(Box<dyn Iterator<Item = Action>>, u64)> {
    if let Some(policy) = args.policy {
        let ticks = args.ticks.expect("clap asks for --ticks unless there is --actions");
        return Ok((Box::new(policy.open_loop(args.seed.unwrap_or(0))), ticks));
    }
    let path = args.actions.as_deref().expect("clap asks for --actions or --policy");
    let actions = actions::read(path)?;
    let ticks = args.ticks.unwrap_or(actions.len() as u64);
    if ticks > actions.len() as u64 {
        let (path, held, rest) = (path.display(), actions.len(), ticks - actions.len() as u64);
        eprintln!("note: {path} holds {held} ticks; the player stands still for the {rest} after them");
    }
    Ok((Box::new(actions.into_iter().chain(std::iter::repeat(Action::default()))), ticks))
}

/// How a rollout begins.
enum Begin {
    /// As the dream takes it, and as credentials tell it.
    New(Start, credentials::Start),
    From(Box<Save>),
}

impl Begin {
    fn first_tick(&self) -> u64 {
        match self {
            Begin::New(..) => 0,
            Begin::From(save) => save.snapshot.tick(),
        }
    }
}

fn beginning(args: &RolloutArgs, dream: &mut Dream) -> anyhow::Result<Begin> {
    match (&args.image, &args.from, args.seed) {
        (Some(path), ..) => {
            let status = dream.status();
            let Picture { frame, png } = picture::read(path)?;
            // Credentials name the picture as it was given, rather than as it is fitted.
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let start = Start::Image(picture::fit(&frame, status.width, status.height), None);
            Ok(Begin::New(start, credentials::Start::Picture { name, png }))
        }
        (None, Some(path), _) => {
            let save = fork::world_at(path, args.fork_at, dream, &args.dream.name()?)?;
            Ok(Begin::From(Box::new(save)))
        }
        (None, None, seed) => {
            let seed = seed.expect("clap asks for --seed, --image or --from");
            Ok(Begin::New(Start::Seed(seed), credentials::Start::Seed(seed)))
        }
    }
}

/// What marks and signs the rollout: told of how it begins, and of the actions that led there.
fn exporter(args: &RolloutArgs, dream: &Dream, begin: &Begin) -> anyhow::Result<Exporter> {
    let origin = credentials::Origin::Model { name: args.dream.name()?, hash: dream.status().model_hash };
    let start = match begin {
        Begin::New(_, credited) => credited.clone(),
        Begin::From(save) => credited(&save.line.origin),
    };
    let mut exporter = args.provenance.exporter(origin, start)?;
    if let Begin::From(save) = begin {
        save.line.actions.iter().for_each(|action| exporter.act(action));
    }
    Ok(exporter)
}

/// A rollout under way.
struct Rollout {
    recording: Recording,
    report: Report,
    truth: Option<Truth>,
    durations: Durations,
    strip_ticks: Vec<u64>,
    strip: Vec<Column>,
    out: PathBuf,
}

impl Rollout {
    fn create(args: &RolloutArgs, dream: &Dream, begin: &Begin, ticks: u64) -> anyhow::Result<Rollout> {
        let status = dream.status();
        let about = About::of(dream, &args.dream.name()?);
        let exporter = exporter(args, dream, begin)?;
        let truth = args.seed.filter(|_| args.truth).map(|seed| Truth::new(seed, status.width, status.height));
        let report = Report {
            seed: args.seed,
            from: args.from.as_ref().map(|path| path.display().to_string()),
            first_tick: begin.first_tick(),
            ticks: 0,
            ticks_asked: ticks,
            device: status.device,
            model_hash: status.model_hash,
            command: command_line(),
            version: env!("CARGO_PKG_VERSION"),
            step_ms_p50: 0.0,
            step_ms_p95: 0.0,
            memory: dream.options().memory,
            width: status.width,
            height: status.height,
            threads: status.threads,
        };
        let strip_ticks = match args.strip.as_slice() {
            [] => {
                let ticks = contact_sheet::evenly_spaced_ticks(ticks, STRIP_COLUMNS);
                ticks.into_iter().map(|tick| begin.first_tick() + tick).collect()
            }
            named => named.to_vec(),
        };
        Ok(Rollout {
            recording: Recording::create(
                &args.out,
                args.overwrite,
                args.truth,
                &args.format,
                &report,
                &about,
                exporter,
            )?,
            report,
            truth,
            durations: Durations::default(),
            strip_ticks,
            strip: Vec::new(),
            out: args.out.clone(),
        })
    }

    fn play(
        &mut self,
        dream: &mut Dream,
        begin: &Begin,
        mut actions: impl Iterator<Item = Action>,
        stop: &AtomicBool,
    ) -> anyhow::Result<()> {
        let ticks = self.report.ticks_asked;
        let bar = progress::bar(ticks, "ticks");
        let clock = Instant::now();
        let (observation, beginning) = match begin {
            Begin::New(start, _) => (dream.reset(start).map_err(world_error)?, Beginning::Origin(Origin::of(start))),
            Begin::From(save) => {
                let saved = save.to_bytes().context("the world to go on from cannot be kept")?;
                (dream.restore(&save.snapshot).map_err(mistake)?, Beginning::Save(saved))
            }
        };
        let reset_ms = elapsed_ms(clock);
        self.recording.begin(&beginning, dream.options().noise_seed, &observation)?;
        self.record(None, &observation, reset_ms)?;
        for tick in 1..=ticks {
            if stop.load(Ordering::Relaxed) {
                progress::note(&bar, &format!("stopped at tick {} of {ticks}", tick - 1));
                break;
            }
            let action = actions.next().unwrap_or_default();
            let clock = Instant::now();
            let observation = dream.step(&action).map_err(world_error)?;
            let step_ms = elapsed_ms(clock);
            self.durations.push(step_ms);
            if let Some(truth) = self.truth.as_mut() {
                truth.step(&action);
            }
            self.record(Some(&action), &observation, step_ms)?;
            bar.set_message(format!("{step_ms:.0} ms a step"));
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    fn record(&mut self, action: Option<&Action>, observation: &Observation, step_ms: f64) -> anyhow::Result<()> {
        let true_line = self.truth.as_ref().map(Truth::line).unwrap_or_default();
        let true_frame = self.truth.as_ref().map(Truth::frame);
        let truth = true_frame.map(|frame| TruthTick { frame, line: &true_line });
        self.recording.push(action, observation, step_ms, truth)?;
        if self.strip_ticks.contains(&observation.tick) {
            let marked = self.recording.exporter().marked(&observation.frame);
            let pictures = true_frame.cloned().into_iter().chain([marked]).collect();
            self.strip.push(Column { tick: observation.tick, pictures });
        }
        Ok(())
    }

    fn finish(mut self) -> anyhow::Result<()> {
        self.report.ticks = self.recording.ticks();
        self.report.step_ms_p50 = rounded(self.durations.percentile(50.0));
        self.report.step_ms_p95 = rounded(self.durations.percentile(95.0));
        self.recording.finish(&self.report, contact_sheet::draw(&self.strip, STRIP_SCALE).as_ref())?;
        let (ticks, p50, p95) = (self.report.ticks, self.report.step_ms_p50, self.report.step_ms_p95);
        eprintln!("{ticks} ticks in {}, {p50:.1} ms a step (p95 {p95:.1})", self.out.display());
        Ok(())
    }
}

/// A start that does not fit is the user's to change; a model that fails is ours.
fn world_error(error: WorldError) -> anyhow::Error {
    match error {
        WorldError::Model(_) => error.into(),
        other => mistake(other),
    }
}

/// The command as it was typed, so that it can be typed again.
fn command_line() -> String {
    let quoted = |arg: String| {
        let plain = !arg.is_empty() && arg.chars().all(|c| c.is_ascii_alphanumeric() || "-_./,=:+@".contains(c));
        if plain { arg } else { format!("'{}'", arg.replace('\'', "'\\''")) }
    };
    let args = std::env::args_os().skip(1).map(|arg| quoted(arg.to_string_lossy().into_owned()));
    std::iter::once("holdfast".to_string()).chain(args).collect::<Vec<_>>().join(" ")
}
