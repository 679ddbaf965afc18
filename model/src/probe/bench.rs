//! Runs a suite: every probe on every seed, each finished record kept as a line, stoppable and resumable.

use super::{
    Comparison, Lab, Probe, ProbeError, Record, Report, Subject,
    html::{self, strip_png},
    inverse::InverseDynamics,
    reader::{BlockReader, gallery},
    report,
};
use crate::{device::cores, train::write_atomically};
use holdfast_sim::seeds;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Write,
    ops::Range,
    path::{Path, PathBuf},
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Instant,
};

/// The seeds that a suite accepts: those of probes, and those of validation while a probe is being made.
pub const PROBES_MAY_USE: Range<u64> = seeds::VALIDATION.start..u64::MAX;

/// What to run, and where to.
#[derive(Debug, Clone)]
pub struct Options {
    pub seeds: Range<u64>,
    pub out: PathBuf,
    /// Go on with the records that lie in `out`.
    pub resume: bool,
    /// The folder of another run, to be told beside this one.
    pub compare: Option<PathBuf>,
    /// The command line, for the report.
    pub command: String,
    /// Seeds in flight at once.
    pub threads: usize,
    /// Floors and ceilings are run on one of so many seeds.
    pub floors_every: u64,
    /// Controls, on one of so many of these.
    pub controls_every: u64,
}

impl Options {
    /// Every role on every seed, on all cores, into a folder that holds no trials yet.
    pub fn new(seeds: Range<u64>, out: impl Into<PathBuf>) -> Options {
        Options {
            seeds,
            out: out.into(),
            resume: false,
            compare: None,
            command: std::env::args().collect::<Vec<_>>().join(" "),
            threads: cores(),
            floors_every: 1,
            controls_every: 1,
        }
    }
}

/// What happens during a run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Event<'a> {
    /// The readers are being made ready.
    Readers,
    /// So many of all records are there.
    Progress { done: usize, of: usize, probe: &'a str },
}

/// What a folder of records belongs to.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Head {
    schema: u32,
    model_hash: String,
    reader_hash: String,
    #[serde(default)]
    keys_hash: String,
    #[serde(default)]
    settings: String,
}

impl Head {
    /// Another run whose figures can stand beside this one's: read by the same readers, and with records of the same probes.
    fn beside(&self, folder: &Path, probes: &[Box<dyn Probe>]) -> Result<(Head, Vec<Record>), ProbeError> {
        let Run { head: other, mut records, .. } = Run::read(folder)?;
        if (&other.reader_hash, &other.keys_hash) != (&self.reader_hash, &self.keys_hash) {
            return Err(file_error(folder, "it was read by other readers, so its figures cannot stand beside these"));
        }
        records.retain(|record| probes.iter().any(|probe| probe.id() == record.probe));
        if records.is_empty() {
            return Err(file_error(folder, "it has no trials of these probes"));
        }
        Ok((other, records))
    }
}

const HEAD: &str = "run.json";
const RECORDS: &str = "trials.jsonl";
const STRIPS: &str = "strips";
/// Seeds on which the reader's own accuracy is measured: never trained on, and of no probe.
const READER_SEEDS: Range<u64> = seeds::VALIDATION.start + 900_000..seeds::VALIDATION.start + 900_020;

/// Runs the probes over the seeds and writes `report.json` and `report.html`; returns what was found.
///
/// When `stop` is set it ends with what is finished. A record is one line, appended whole: a line that was cut off by
/// the end of the world is run again.
pub fn run(
    subject: &dyn Subject,
    probes: &[Box<dyn Probe>],
    options: &Options,
    stop: &AtomicBool,
    on_event: &(dyn Fn(Event) + Sync),
) -> Result<Report, ProbeError> {
    let seeds = options.seeds.clone();
    if seeds.start < PROBES_MAY_USE.start || seeds.is_empty() {
        return Err(ProbeError::Seeds { from: seeds.start, to: seeds.end });
    }
    on_event(Event::Readers);
    let camera = subject.camera();
    let (reader, inverse) = rayon::join(|| BlockReader::of(camera), || InverseDynamics::of(camera));
    let (model_hash, settings) = (subject.model_hash(), subject.settings());
    let (reader_hash, keys_hash) = (reader.hash(), inverse.hash());
    let head = Head { schema: super::SCHEMA, model_hash, reader_hash, keys_hash, settings };
    let keeper = Keeper::open(options, &head)?;
    let other = options.compare.as_deref().map(|folder| head.beside(folder, probes)).transpose()?;
    let reader_accuracy = reader.accuracy(&gallery(camera, READER_SEEDS));
    let Options { floors_every, controls_every, .. } = *options;
    let lab = Lab { subject, reader: &reader, inverse: &inverse, floors_every, controls_every, stop };

    // Floors of other seeds than those that are asked for would not be comparable.
    let asked = |record: &Record| {
        let of_suite = probes.iter().any(|probe| probe.id() == record.probe);
        of_suite && seeds.contains(&record.seed) && record.roles == lab.roles(record.seed)
    };
    let of = probes.len() * (seeds.end - seeds.start) as usize;
    let jobs = |alone: bool| -> Vec<(&dyn Probe, u64)> {
        let probes = probes.iter().map(|probe| probe.as_ref()).filter(|probe| probe.alone() == alone);
        // Seed by seed, so that a run that is stopped early has some of every probe.
        let all = seeds.clone().flat_map(|seed| probes.clone().map(move |probe| (probe, seed)));
        let finished = keeper.finished(&asked);
        all.filter(|(probe, seed)| !finished.contains(&(probe.id().to_string(), *seed))).collect()
    };
    let work = |(probe, seed): (&dyn Probe, u64)| -> Result<(), ProbeError> {
        if stop.load(Ordering::Relaxed) {
            return Ok(());
        }
        let begun = Instant::now();
        match probe.run(&lab, seed) {
            Ok(record) => {
                let (roles, took_s) = (lab.roles(seed).to_vec(), begun.elapsed().as_secs_f64());
                keeper.keep(Record { roles, took_s, ..record })?;
            }
            Err(ProbeError::Stopped) => return Ok(()),
            Err(error) => return Err(error),
        }
        on_event(Event::Progress { done: keeper.finished(&asked).len(), of, probe: probe.id() });
        Ok(())
    };
    on_event(Event::Progress { done: keeper.finished(&asked).len(), of, probe: "" });
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(options.threads.max(1))
        .build()
        .map_err(|error| ProbeError::File { path: options.out.clone(), reason: error.to_string() })?;
    pool.install(|| jobs(false).into_par_iter().try_for_each(work))?;
    jobs(true).into_iter().try_for_each(work)?;

    let records = keeper.into_records(&asked);
    let reader = report::ReaderReport { hash: head.reader_hash, accuracy: reader_accuracy, keys_hash: head.keys_hash };
    let mut report = Report::new(subject, probes, &records, &seeds, &options.command, reader);
    if let Some((head, others)) = other {
        report.compared = Some(Comparison::new(probes, &records, &others, &head.model_hash));
    }
    let json = serde_json::to_string_pretty(&report).expect("plain fields always serialise") + "\n";
    let page =
        html::page(&report, probes, &records, |probe, seed| fs::read(strip_path(&options.out, probe, seed)).ok());
    for (name, text) in [("report.json", json), ("report.html", page)] {
        let path = options.out.join(name);
        write_atomically(&path, text.as_bytes()).map_err(|error| file_error(&path, error))?;
    }
    Ok(report)
}

fn file_error(path: &Path, error: impl std::fmt::Display) -> ProbeError {
    ProbeError::File { path: path.into(), reason: error.to_string() }
}

fn strip_path(out: &Path, probe: &str, seed: u64) -> PathBuf {
    out.join(STRIPS).join(format!("{probe}-{seed}.png"))
}

/// What lies in the folder of a run: what it belongs to, and its records, with the text of every whole line of them.
struct Run {
    head: Head,
    records: Vec<Record>,
    text: String,
}

impl Run {
    fn read(folder: &Path) -> Result<Run, ProbeError> {
        let path = folder.join(HEAD);
        let text = fs::read(&path).map_err(|error| file_error(&path, error))?;
        let mut run = Run {
            head: serde_json::from_slice(&text).map_err(|error| file_error(&path, error))?,
            records: Vec::new(),
            text: String::new(),
        };
        for line in fs::read_to_string(folder.join(RECORDS)).unwrap_or_default().lines() {
            if let Ok(record) = serde_json::from_str(line) {
                run.records.push(record);
                run.text += line;
                run.text.push('\n');
            }
        }
        Ok(run)
    }
}

/// The records of a run, in memory and on disk.
struct Keeper {
    out: PathBuf,
    records: Mutex<(Vec<Record>, File)>,
}

impl Keeper {
    fn open(options: &Options, head: &Head) -> Result<Keeper, ProbeError> {
        let out = options.out.clone();
        let strips = out.join(STRIPS);
        fs::create_dir_all(&strips).map_err(|error| file_error(&strips, error))?;
        let (head_path, path) = (out.join(HEAD), out.join(RECORDS));
        let (mut records, mut lines) = (Vec::new(), String::new());
        if head_path.exists() {
            if !options.resume {
                return Err(ProbeError::Exists { path: head_path });
            }
            let Run { head: found, records: kept, text } = Run::read(&out)?;
            if found != *head {
                let what = match found {
                    Head { model_hash, .. } if model_hash != head.model_hash => "model",
                    Head { settings, .. } if settings != head.settings => "number of steps, precision or device",
                    _ => "version of the probes",
                };
                return Err(ProbeError::OtherRun { path: head_path, what });
            }
            (records, lines) = (kept, text);
        } else {
            let text = serde_json::to_vec_pretty(head).expect("plain fields always serialise");
            write_atomically(&head_path, &text).map_err(|error| file_error(&head_path, error))?;
        }
        // Written anew, letter by letter, so that a line that was cut off is gone.
        write_atomically(&path, lines.as_bytes()).map_err(|error| file_error(&path, error))?;
        let file = File::options().append(true).open(&path).map_err(|error| file_error(&path, error))?;
        Ok(Keeper { out, records: Mutex::new((records, file)) })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, (Vec<Record>, File)> {
        // A panic elsewhere leaves whole records: they are pushed in one step.
        self.records.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Probe and seed of the records that are asked for.
    fn finished(&self, asked: &dyn Fn(&Record) -> bool) -> BTreeSet<(String, u64)> {
        let records = self.lock();
        records.0.iter().filter(|record| asked(record)).map(|record| (record.probe.clone(), record.seed)).collect()
    }

    fn keep(&self, mut record: Record) -> Result<(), ProbeError> {
        let strip = std::mem::take(&mut record.strip);
        if let Some(png) = strip_png(&strip) {
            let path = strip_path(&self.out, &record.probe, record.seed);
            write_atomically(&path, &png).map_err(|error| file_error(&path, error))?;
        }
        let mut records = self.lock();
        let written = records.1.write_all(line(&record).as_bytes()).and_then(|()| records.1.sync_data());
        written.map_err(|error| file_error(&self.out.join(RECORDS), error))?;
        records.0.push(record);
        Ok(())
    }

    /// Those that are asked for, in an order that does not depend on which was finished first.
    fn into_records(self, asked: &dyn Fn(&Record) -> bool) -> Vec<Record> {
        let mut records = self.records.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner).0;
        records.retain(asked);
        records.sort_by(|a, b| (&a.probe, a.seed).cmp(&(&b.probe, b.seed)));
        records
    }
}

fn line(record: &Record) -> String {
    serde_json::to_string(record).expect("plain fields always serialise") + "\n"
}
