//! A rollout's folder: frames and lines written tick by tick, so that whatever stops it, what is written is whole.

use super::{
    atomic_file::{self, LineFile},
    film::{Film, Format},
    out_folder::{self, picture_name, write_error},
    timing::rounded,
};
use holdfast_game::{export::Exporter, vpt};
use holdfast_media::{Error, credentials::Origin};
use holdfast_model::keep::{
    About,
    recording::{Beginning, Recorder},
};
use holdfast_sim::{Action, Frame, Observation, Pose};
use serde::Serialize;
use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

/// The report, and the mark by which a folder is known for a rollout.
const REPORT: &str = "rollout.json";
const FRAMES: &str = "frames";
const TRUTH_FRAMES: &str = "truth";
/// The native recording.
const NATIVE: &str = "rollout.holdfast";
const STRIP: &str = "strip.png";
const LINE_FILES: [&str; 3] = ["actions.jsonl", "observations.jsonl", "truth.jsonl"];
/// Moving pictures, without their endings; VPT's lines of actions have the video's name.
const FILM: &str = "rollout";
const TRUTH_FILM: &str = "truth";
const VPT_LINES: &str = "rollout.jsonl";
const FILMS: [&str; 4] = ["rollout.mp4", "rollout.gif", "truth.mp4", "truth.gif"];

/// What `rollout.json` says. Keys are part of the product: add, never rename.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub seed: Option<u64>,
    /// The save or recording that it goes on from.
    pub from: Option<String>,
    /// The tick of the first frame.
    pub first_tick: u64,
    /// Ticks that are in the folder; frames are one more, the start.
    pub ticks: u64,
    pub ticks_asked: u64,
    pub device: String,
    pub model_hash: String,
    pub command: String,
    pub version: &'static str,
    pub step_ms_p50: f64,
    pub step_ms_p95: f64,
    pub memory: bool,
    pub width: usize,
    pub height: usize,
    pub threads: usize,
}

/// One line of `observations.jsonl`: what the model says of itself. Tick 0's time is that of the start.
#[derive(Debug, Serialize)]
struct ObservationLine {
    tick: u64,
    pose: Pose,
    step_ms: f64,
}

/// The truth of one tick: its frame, and its line for `truth.jsonl`.
#[derive(Debug, Clone, Copy)]
pub struct TruthTick<'a> {
    pub frame: &'a Frame,
    pub line: &'a str,
}

#[derive(Debug)]
pub struct Recording {
    out: PathBuf,
    actions: LineFile,
    observations: LineFile,
    truth: Option<LineFile>,
    exporter: Exporter,
    /// Whether each tick is a picture of its own.
    writes_pictures: bool,
    films: Vec<Film>,
    truth_films: Vec<Film>,
    vpt: Option<(LineFile, vpt::Rows)>,
    /// Where the last frame was seen from: the next action is taken there.
    pose: Pose,
    native: Recorder<File>,
    /// Frames written so far, the start included.
    frames: u64,
}

impl Recording {
    /// Makes the folder ready, emptied of a former rollout.
    pub fn create(
        out: &Path,
        overwrite: bool,
        with_truth: bool,
        formats: &[Format],
        report: &Report,
        about: &About,
        exporter: Exporter,
    ) -> anyhow::Result<Recording> {
        out_folder::prepare(out, overwrite, REPORT, clear)?;
        let fail = |path: &Path, error: io::Error| write_error(path, &error, "nothing of the rollout");
        let writes_pictures = formats.contains(&Format::Png);
        let folders = [(FRAMES, writes_pictures), (TRUTH_FRAMES, writes_pictures && with_truth)];
        for folder in folders.iter().filter(|(_, is_wanted)| *is_wanted).map(|(name, _)| out.join(name)) {
            fs::create_dir_all(&folder).map_err(|error| fail(&folder, error))?;
        }
        // From here on the folder is known for a rollout, also if this one is killed.
        write_report(out, report).map_err(|error| fail(&out.join(REPORT), error))?;
        let lines = |name: &str| LineFile::create(&out.join(name)).map_err(|error| fail(&out.join(name), error));
        let films = |stem: &str, origin: &Origin| -> anyhow::Result<Vec<Film>> {
            let (size, first_tick) = ([report.width, report.height], report.first_tick);
            let film = |&format| Film::create(format, &out.join(stem), origin.clone(), size, first_tick);
            Ok(formats.iter().map(film).collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
        };
        let [actions, observations, truth] = LINE_FILES;
        let dream_films = films(FILM, &exporter.dream)?;
        let truth_films = if with_truth { films(TRUTH_FILM, &Origin::Simulator)? } else { Vec::new() };
        let vpt = formats.contains(&Format::Mp4).then(|| lines(VPT_LINES)).transpose()?;
        Ok(Recording {
            films: dream_films,
            truth_films,
            vpt: vpt.map(|lines| (lines, vpt::Rows::default())),
            writes_pictures,
            exporter,
            pose: Pose::default(),
            out: out.to_path_buf(),
            actions: lines(actions)?,
            observations: lines(observations)?,
            truth: with_truth.then(|| lines(truth)).transpose()?,
            native: Recorder::create(&out.join(NATIVE), about, false)
                .map_err(|error| fail(&out.join(NATIVE), error))?,
            frames: 0,
        })
    }

    /// Ticks in the folder, the start not counted.
    pub fn ticks(&self) -> u64 {
        self.frames.saturating_sub(1)
    }

    /// Writes how the rollout begins.
    pub fn begin(&mut self, beginning: &Beginning, noise_seed: u64, first: &Observation) -> anyhow::Result<()> {
        let begun = self.native.start(beginning, noise_seed, first.tick, &first.frame);
        begun.map_err(|error| self.error(NATIVE, &error))
    }

    /// Writes one tick: the frames first, so that a line never speaks of a frame that is not there.
    pub fn push(
        &mut self,
        action: Option<&Action>,
        observation: &Observation,
        step_ms: f64,
        truth: Option<TruthTick>,
    ) -> anyhow::Result<()> {
        if let Some(action) = action {
            self.exporter.act(action);
        }
        let name = picture_name(observation.tick);
        let marked = self.exporter.marked(&observation.frame);
        self.write_tick(Path::new(FRAMES).join(&name), &marked, &self.exporter.dream, observation.tick)?;
        push_all(&mut self.films, &marked)?;
        let [actions, observations, truths] = LINE_FILES;
        if let Some(truth) = truth {
            let lines = self.truth.as_mut().map(|lines| lines.push(truth.line));
            let path = Path::new(TRUTH_FRAMES).join(&name);
            self.write_tick(path, truth.frame, &Origin::Simulator, observation.tick)?;
            push_all(&mut self.truth_films, truth.frame)?;
            lines.unwrap_or(Ok(())).map_err(|error| self.error(truths, &error))?;
        }
        if let Some(action) = action {
            self.actions.push(&action.to_json_line()).map_err(|error| self.error(actions, &error))?;
            self.native.push(action, &observation.frame).map_err(|error| self.error(NATIVE, &error))?;
            let pose = self.pose;
            let pushed = self.vpt.as_mut().map(|(lines, rows)| lines.push(&rows.push(action, &pose)));
            pushed.unwrap_or(Ok(())).map_err(|error| self.error(VPT_LINES, &error))?;
        }
        self.pose = observation.pose;
        let line = ObservationLine { tick: observation.tick, pose: observation.pose, step_ms: rounded(step_ms) };
        let line = serde_json::to_string(&line).expect("numbers under fixed names always serialise");
        self.observations.push(&line).map_err(|error| self.error(observations, &error))?;
        self.frames += 1;
        Ok(())
    }

    /// What marks and signs the frames.
    pub fn exporter(&self) -> &Exporter {
        &self.exporter
    }

    /// Writes the contact sheet, if there is one, ends the recording and the films, and writes the final report.
    pub fn finish(mut self, report: &Report, strip: Option<&Frame>) -> anyhow::Result<()> {
        // Before what needs more room: a full disk then leaves as much of it as fits.
        self.native.flush().map_err(|error| self.error(NATIVE, &error))?;
        // The report then: it holds also if the films cannot be signed.
        write_report(&self.out, report).map_err(|error| self.error(REPORT, &error))?;
        for film in self.films.drain(..).chain(self.truth_films.drain(..)) {
            film.finish(&self.exporter)?;
        }
        if let Some(strip) = strip {
            let origin = if self.truth.is_some() { self.exporter.both() } else { self.exporter.dream.clone() };
            self.write_picture(PathBuf::from(STRIP), strip, &origin, report.first_tick + report.ticks)?;
        }
        let path = self.out.join(NATIVE);
        self.native.finish().map_err(|error| write_error(&path, &error, "the whole rollout"))
    }

    /// Writes a tick's picture, if ticks are pictures.
    fn write_tick(&self, name: PathBuf, frame: &Frame, origin: &Origin, tick: u64) -> anyhow::Result<()> {
        if self.writes_pictures { self.write_picture(name, frame, origin, tick) } else { Ok(()) }
    }

    fn write_picture(&self, name: PathBuf, frame: &Frame, origin: &Origin, tick: u64) -> anyhow::Result<()> {
        let title = name.file_name().unwrap_or_default().to_string_lossy();
        let bytes = self.exporter.picture(frame, origin, &title, tick)?;
        atomic_file::write(&self.out.join(&name), &bytes).map_err(|error| self.error(name, &error))
    }

    fn error(&self, name: impl AsRef<Path>, error: &io::Error) -> anyhow::Error {
        let kept = match self.frames {
            0 => "nothing of the rollout".to_string(),
            frames => format!("the rollout up to tick {}", frames - 1),
        };
        write_error(&self.out.join(name), error, &kept)
    }
}

fn push_all(films: &mut [Film], frame: &Frame) -> Result<(), Error> {
    films.iter_mut().try_for_each(|film| film.push(frame))
}

fn write_report(out: &Path, report: &Report) -> io::Result<()> {
    let mut text = serde_json::to_string_pretty(report).expect("fixed names and finite numbers always serialise");
    text.push('\n');
    atomic_file::write(&out.join(REPORT), text.as_bytes())
}

/// Removes a former rollout, and nothing that no rollout writes.
fn clear(out: &Path) -> io::Result<()> {
    for folder in [FRAMES, TRUTH_FRAMES] {
        out_folder::remove_numbered_pictures(&out.join(folder))?;
    }
    out_folder::remove_files(out, LINE_FILES.into_iter().chain(FILMS).chain([REPORT, STRIP, VPT_LINES, NATIVE]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_game::export::{Notary, Seal};
    use holdfast_media::credentials::Start;
    use holdfast_model::{ModelConfig, keep};
    use holdfast_sim::Depth;

    const SIZE: usize = 16;

    fn report() -> Report {
        Report {
            seed: Some(7),
            from: None,
            first_tick: 0,
            ticks: 0,
            ticks_asked: 2,
            device: "cpu".into(),
            model_hash: "0".into(),
            command: "holdfast rollout".into(),
            version: "0",
            step_ms_p50: 0.0,
            step_ms_p95: 0.0,
            memory: true,
            width: SIZE,
            height: SIZE,
            threads: 1,
        }
    }

    fn unsigned() -> Exporter {
        let dream = Origin::Model { name: "small".into(), hash: "0".into() };
        Exporter::new(Seal { notary: Notary::Nobody, marks: true }, dream, Start::Seed(7))
    }

    fn about() -> About {
        About {
            program: "holdfast 0".into(),
            model_name: "pebble".into(),
            model_hash: "0".repeat(64),
            model_config: ModelConfig::default(),
            device: "cpu".into(),
            instructions: "portable".into(),
            threads: 1,
            ticks_per_second: 20,
            memory: true,
            sampler_steps: 1,
            precision: None,
        }
    }

    fn begin(recording: &mut Recording) {
        let beginning = Beginning::Origin(keep::Origin::Seed(7));
        recording.begin(&beginning, 7, &observation(0)).expect("room");
    }

    fn observation(tick: u64) -> Observation {
        let (frame, depth) = (Frame::new(SIZE, SIZE), Depth::new(SIZE, SIZE));
        Observation { tick, frame, depth, pose: Pose::default(), stages_ms: Vec::new() }
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<_> =
            entries.map(|entry| entry.expect("readable").file_name().into_string().expect("ASCII")).collect();
        names.sort();
        names
    }

    #[test]
    fn a_rollout_has_its_layout_and_replaces_a_former_one() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = folder.path().join("deep/out");
        for last in [2, 1] {
            let formats = [Format::Png, Format::Mp4, Format::Gif];
            let recording = Recording::create(&out, false, true, &formats, &report(), &about(), unsigned());
            let mut recording = recording.expect("new, then a former rollout");
            begin(&mut recording);
            for tick in 0..=last {
                let action = Action::default();
                let truth = TruthTick { frame: &Frame::new(SIZE, SIZE), line: "{}" };
                recording.push((tick > 0).then_some(&action), &observation(tick), 1.0, Some(truth)).expect("room");
            }
            recording.finish(&Report { ticks: last, ..report() }, Some(&Frame::new(1, 1))).expect("room");
        }
        let expected = [
            "actions.jsonl",
            "frames",
            "observations.jsonl",
            "rollout.gif",
            "rollout.holdfast",
            "rollout.json",
            "rollout.jsonl",
            "rollout.mp4",
            "strip.png",
            "truth",
            "truth.gif",
            "truth.jsonl",
            "truth.mp4",
        ];
        assert_eq!(names(&out), expected);
        assert_eq!(names(&out.join("frames")), ["000000.png", "000001.png"], "nothing stays of the longer one");
        let lines = |name: &str| fs::read_to_string(out.join(name)).expect("written").lines().count();
        assert_eq!(["actions.jsonl", "observations.jsonl", "truth.jsonl"].map(lines), [1, 2, 2]);
        assert_eq!(lines("rollout.jsonl"), 1);
    }

    #[test]
    fn a_failing_disk_is_told_once_and_what_is_written_stays() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let formats = [Format::Png];
        let recording = Recording::create(folder.path(), false, false, &formats, &report(), &about(), unsigned());
        let mut recording = recording.expect("empty");
        begin(&mut recording);
        recording.push(None, &observation(0), 1.0, None).expect("room");
        // Stands for a disk that takes no more frames.
        let frames = folder.path().join(FRAMES);
        fs::rename(&frames, folder.path().join("kept")).expect("same disk");
        let message =
            recording.push(Some(&Action::default()), &observation(1), 1.0, None).expect_err("gone").to_string();
        assert!(message.contains("000001.png") && message.contains("up to tick 0 is kept"), "{message}");
        let lines = fs::read_to_string(folder.path().join("observations.jsonl")).expect("written");
        assert_eq!((lines.lines().count(), recording.ticks()), (1, 0));
    }
}
