//! `holdfast data`: episodes of the true world, written out for people who want to see what the trainer sees.

use super::{
    atomic_file::{self, LineFile},
    contact_sheet::{self, Column},
    interrupt,
    out_folder::{self, picture_name, write_error},
    progress, seed,
    truth::Truth,
};
use holdfast_sim::{
    Action,
    episode::{ACTIONS_FILE, Episode, HEAD_FILE},
    script::Policy,
    seeds,
};
use serde::Serialize;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, Ordering},
};

/// The report, and the mark by which a folder is known for ours.
const REPORT: &str = "data.json";
const SHEET: &str = "sheet.png";
const FRAMES: &str = "frames";
const TRUTH: &str = "truth.jsonl";
const CAPTIONS: &str = "captions.jsonl";
/// Folders of episodes are named by their seeds.
const EPISODE_PREFIX: &str = "seed-";
/// Pictures of each episode in the contact sheet, and how many episodes it shows.
const SHEET_COLUMNS: u64 = 8;
const SHEET_ROWS: usize = 12;

const AFTER_HELP: &str = "Examples:
  holdfast data --seed 1000000 --episodes 4 --ticks 200 --out episodes
  holdfast data --seed 7 --policy dig --size 256x144 --out episodes

The folder: sheet.png (an episode a row), data.json, and for each seed a folder with
frames/000000.png (the start) onwards, actions.jsonl, episode.json, truth.jsonl (pose, target,
edits) and captions.jsonl (the scene in words).";

/// Write episodes of the true world for inspection: frames, actions, truth and captions
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct DataArgs {
    /// Seed of the first episode; the others follow
    #[arg(long, value_name = "N", value_parser = seed, default_value_t = seeds::VALIDATION.start)]
    seed: u64,
    /// How many episodes
    #[arg(long, value_name = "K", default_value_t = 4, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    episodes: u64,
    /// Ticks of each, 20 to a second
    #[arg(long, value_name = "N", default_value_t = 200)]
    ticks: u64,
    /// Folder to write to
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Scripted player [default: as in training, drawn by the seed]
    #[arg(long, value_name = "NAME")]
    policy: Option<Policy>,
    /// Size of the frames in pixels
    #[arg(long, value_name = "WxH", default_value = "128x72", value_parser = size)]
    size: [usize; 2],
    /// Write into --out even if it holds other things (they are left alone)
    #[arg(long)]
    overwrite: bool,
}

/// What `data.json` says. Keys are part of the product: add, never rename.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    width: usize,
    height: usize,
    episodes: Vec<EpisodeReport>,
}

#[derive(Debug, Serialize)]
struct EpisodeReport {
    seed: u64,
    policy: &'static str,
    ticks: usize,
}

pub fn run(args: &DataArgs) -> anyhow::Result<()> {
    let stop = interrupt::stop_flag()?;
    out_folder::prepare(&args.out, args.overwrite, REPORT, clear)?;
    let [width, height] = args.size;
    let mut report = Report { version: env!("CARGO_PKG_VERSION"), width, height, episodes: Vec::new() };
    write_report(&args.out, &report)?;
    let bar = progress::bar(args.episodes * args.ticks, "ticks");
    let mut rows = Vec::new();
    for seed in args.seed..args.seed.saturating_add(args.episodes) {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let mut taken = Taken::create(args, seed)?;
        taken.play(stop, &bar)?;
        report.episodes.push(EpisodeReport { seed, policy: taken.policy.name(), ticks: taken.actions.len() });
        write_report(&args.out, &report)?;
        if rows.len() < SHEET_ROWS {
            rows.push(taken.sheet);
            write_sheet(&args.out, &rows)?;
        }
    }
    bar.finish_and_clear();
    eprintln!("{} episodes in {}", report.episodes.len(), args.out.display());
    Ok(())
}

/// An episode being taken down.
struct Taken {
    folder: PathBuf,
    seed: u64,
    policy: Policy,
    ticks: u64,
    world: Truth,
    actions: Vec<Action>,
    truth: LineFile,
    captions: LineFile,
    shown_ticks: Vec<u64>,
    sheet: Vec<Column>,
}

impl Taken {
    fn create(args: &DataArgs, seed: u64) -> anyhow::Result<Taken> {
        let folder = args.out.join(format!("{EPISODE_PREFIX}{seed}"));
        let frames = folder.join(FRAMES);
        fs::create_dir_all(&frames).map_err(|error| fail(&frames, &error))?;
        let lines = |name: &str| LineFile::create(&folder.join(name)).map_err(|error| fail(&folder.join(name), &error));
        let [width, height] = args.size;
        Ok(Taken {
            truth: lines(TRUTH)?,
            captions: lines(CAPTIONS)?,
            folder,
            seed,
            policy: args.policy.unwrap_or_else(|| Policy::mixed(seed)),
            ticks: args.ticks,
            world: Truth::new(seed, width, height),
            actions: Vec::new(),
            shown_ticks: contact_sheet::evenly_spaced_ticks(args.ticks, SHEET_COLUMNS),
            sheet: Vec::new(),
        })
    }

    /// Plays until the ticks are done or someone wants to stop; the episode is saved in both cases.
    fn play(&mut self, stop: &AtomicBool, bar: &indicatif::ProgressBar) -> anyhow::Result<()> {
        let mut script = self.policy.script(self.seed);
        self.write(0)?;
        for tick in 1..=self.ticks {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let action = script.next(Some(self.world.world()));
            self.world.step(&action);
            self.actions.push(action);
            self.write(tick)?;
            bar.inc(1);
        }
        let actions = std::mem::take(&mut self.actions);
        let episode = Episode { seed: self.seed, player: self.policy.name().to_string(), actions };
        episode.save(&self.folder)?;
        self.actions = episode.actions;
        Ok(())
    }

    fn write(&mut self, tick: u64) -> anyhow::Result<()> {
        let path = self.folder.join(FRAMES).join(picture_name(tick));
        atomic_file::write(&path, &self.world.frame().to_png()).map_err(|error| fail(&path, &error))?;
        self.truth.push(&self.world.line()).map_err(|error| fail(&self.folder.join(TRUTH), &error))?;
        let caption = self.world.caption_line();
        self.captions.push(&caption).map_err(|error| fail(&self.folder.join(CAPTIONS), &error))?;
        if self.shown_ticks.contains(&tick) {
            self.sheet.push(Column { tick, pictures: vec![self.world.frame().clone()] });
        }
        Ok(())
    }
}

fn fail(path: &Path, error: &io::Error) -> anyhow::Error {
    write_error(path, error, "what was written before it")
}

fn write_report(out: &Path, report: &Report) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(report)? + "\n";
    atomic_file::write(&out.join(REPORT), text.as_bytes()).map_err(|error| fail(&out.join(REPORT), &error))
}

/// An episode a row; a column's tick is the same in all rows.
fn write_sheet(out: &Path, rows: &[Vec<Column>]) -> anyhow::Result<()> {
    let columns: Vec<Column> = rows[0]
        .iter()
        .enumerate()
        .map(|(index, first)| Column {
            tick: first.tick,
            pictures: rows.iter().filter_map(|row| row.get(index)).flat_map(|column| column.pictures.clone()).collect(),
        })
        .collect();
    let Some(sheet) = contact_sheet::draw(&columns, 1) else {
        return Ok(());
    };
    atomic_file::write(&out.join(SHEET), &sheet.to_png()).map_err(|error| fail(&out.join(SHEET), &error))
}

/// Removes the episodes of a former run, and nothing else.
fn clear(out: &Path) -> io::Result<()> {
    for entry in fs::read_dir(out)? {
        let folder = entry?.path();
        let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.strip_prefix(EPISODE_PREFIX).is_none_or(|seed| seed.parse::<u64>().is_err()) || !folder.is_dir() {
            continue;
        }
        out_folder::remove_numbered_pictures(&folder.join(FRAMES))?;
        out_folder::remove_files(&folder, [ACTIONS_FILE, HEAD_FILE, TRUTH, CAPTIONS])?;
        // A folder with other things in it stays.
        let _ = fs::remove_dir(folder.join(FRAMES)).and_then(|()| fs::remove_dir(&folder));
    }
    out_folder::remove_files(out, [REPORT, SHEET])
}

fn size(text: &str) -> Result<[usize; 2], String> {
    let parsed = text.split_once('x').and_then(|(width, height)| Some([width.parse().ok()?, height.parse().ok()?]));
    let in_range = parsed.filter(|size: &[usize; 2]| size.iter().all(|side| (8..=4096).contains(side)));
    in_range.ok_or_else(|| "expected a width and a height from 8 to 4096, such as 128x72".to_string())
}

#[cfg(test)]
mod tests {
    use super::size;

    #[test]
    fn sizes_are_two_numbers() {
        assert_eq!(size("128x72"), Ok([128, 72]));
        for bad in ["128", "128x", "x72", "4x4", "99999x72", "-128x72", "128X72"] {
            assert!(size(bad).is_err(), "{bad}");
        }
    }
}
