//! The frame of the probes: seeds, records that survive, and what machines read.

use super::{reader::FROZEN_CAMERA, *};
use holdfast_sim::seeds;
use serde_json::Value;
use std::{ops::Range, path::Path, sync::atomic::AtomicBool};

/// A probe whose figures are known: seed 1,000,002 is a failure of the memory, the others hold.
struct Known {
    /// Seeds that were run, to see that none is run twice.
    ran: std::sync::Mutex<Vec<u64>>,
    stop_at: Option<(u64, std::sync::Arc<AtomicBool>)>,
}

impl Known {
    fn new() -> Known {
        Known { ran: std::sync::Mutex::new(Vec::new()), stop_at: None }
    }
}

impl Probe for Known {
    fn id(&self) -> &'static str {
        "known"
    }

    fn about(&self) -> &'static str {
        "Figures that are known <beforehand>."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            Metric::mean("holds").on_curve("a curve", 1.0).with_bar(0.8).with_gap_bar(0.0),
            Metric::mean("again").on_curve("a curve", 2.0),
        ]
    }

    fn run(&self, _lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        self.ran.lock().expect("no test panics here").push(seed);
        let mut record = Record::new(self.id(), seed);
        for name in ["holds", "again"] {
            record.add(name, Role::Subject, if seed == 1_000_002 { 0.0 } else { 1.0 });
            record.add(name, Role::MemoryOff, 0.25);
            record.add(name, Role::MemoryShuffled, 0.25);
            record.add(name, Role::MemoryTrue, 1.25);
            record.add(name, Role::Truth, 1.5);
        }
        record.picture(0, &holdfast_sim::Frame::new(8, 4));
        if let Some((at, stop)) = &self.stop_at
            && seed == *at
        {
            stop.store(true, std::sync::atomic::Ordering::Relaxed);
        }
        Ok(record)
    }
}

fn run_known(probe: Known, out: &Path, seeds: Range<u64>, resume: bool) -> Result<(Report, Vec<u64>), ProbeError> {
    run_beside(probe, out, seeds, resume, None)
}

fn run_beside(
    probe: Known,
    out: &Path,
    seeds: Range<u64>,
    resume: bool,
    compare: Option<&Path>,
) -> Result<(Report, Vec<u64>), ProbeError> {
    let subject = Ignorant { baseline: Baseline::CopyLastFrame, camera: FROZEN_CAMERA };
    let compare = compare.map(Path::to_path_buf);
    let options = Options { resume, compare, threads: 1, command: "test".into(), ..Options::new(seeds, out) };
    let stop = probe.stop_at.as_ref().map(|(_, stop)| stop.clone()).unwrap_or_default();
    let ran = std::sync::Arc::new(probe);
    let probes: Vec<Box<dyn Probe>> = vec![Box::new(Shared(ran.clone()))];
    let report = run(&subject, &probes, &options, &stop, &|_| {})?;
    let ran = ran.ran.lock().expect("no test panics here").clone();
    Ok((report, ran))
}

/// The suite owns its probes; the test looks at one all the same.
struct Shared(std::sync::Arc<Known>);

impl Probe for Shared {
    fn id(&self) -> &'static str {
        self.0.id()
    }

    fn about(&self) -> &'static str {
        self.0.about()
    }

    fn metrics(&self) -> Vec<Metric> {
        self.0.metrics()
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        self.0.run(lab, seed)
    }
}

#[test]
fn the_report_has_the_keys_that_machines_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    run_known(Known::new(), folder.path(), 1_000_000..1_000_004, false).expect("runs");
    let text = std::fs::read(folder.path().join("report.json")).expect("written");
    let json: Value = serde_json::from_slice(&text).expect("JSON");
    assert_eq!(json["schema"], SCHEMA);
    assert_eq!(json["model_hash"], "copy_last_frame");
    assert!(json["probes"]["known"]["took_s"].as_f64().is_some_and(|took_s| (0.0..10.0).contains(&took_s)));
    assert_eq!(json["seeds"], serde_json::json!([1_000_000, 1_000_004]));
    let metric = &json["probes"]["known"]["metrics"]["holds"];
    for (key, value) in [
        ("value", 0.75),
        ("seeds", 4.0),
        ("floor", 0.25),
        ("ceiling", 1.25),
        ("gap_closed", 0.5),
        ("on_true_frames", 1.5),
    ] {
        assert_eq!(metric[key], value, "{key} of {metric}");
    }
    assert_eq!(metric["n"], 4);
    let (lower, upper) = (metric["lower95"].as_f64().expect("a number"), metric["upper95"].as_f64().expect("a number"));
    assert!((0.0..0.75).contains(&lower) && (0.75..=1.0).contains(&upper), "{metric}");
    let control = &json["probes"]["known"]["controls"]["memory_shuffled"];
    for (key, value) in [("value", 0.25), ("lower95", 0.25), ("upper95", 0.25), ("gap_closed", 0.0)] {
        assert_eq!(control[key], value, "{key} of {control}");
    }
    assert!(control["n"] == 4 && control["metrics"]["again"]["value"] == 0.25, "{control}");
    assert!(json["probes"]["known"]["controls"].get("memory_foreign").is_none());

    let bars = &json["probes"]["known"]["bars"];
    for (at, of_gap, value, bar, verdict) in [(0, false, 0.75, 0.8, "open"), (1, true, 0.5, 0.0, "met")] {
        let found = &bars[at];
        assert!(found["metric"] == "holds" && found["gap_closed"] == of_gap && found["verdict"] == verdict, "{found}");
        assert!(found["value"] == value && found["bar"] == bar && found["n"] == 4, "{found}");
    }
    assert!(json.get("compared").is_none());

    let page = std::fs::read_to_string(folder.path().join("report.html")).expect("written");
    for part in ["data:image/png;base64,", "<svg", "<polyline", "&lt;beforehand&gt;", "0.750", "worst: seed 1000002"] {
        assert!(page.contains(part), "no {part}");
    }
    assert!(!page.contains("src=\"http") && !page.contains("<script"), "one self-contained page");
}

#[test]
fn the_page_for_the_repository_has_every_figure_and_control() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seeds = 1_000_000..1_000_004;
    let (report, _) = run_known(Known::new(), folder.path(), seeds, false).expect("runs");
    let page = markdown(&report);
    for line in [
        "Made by `test`; nothing here is written by hand.",
        "Seeds 1000000 to 1000003, never trained on.",
        "## known",
        "## Bars",
        "| known holds | at least 0.8 | 0.750 | 0.250 .. 1.000 | 4 | open |",
        "| control | memory_off | memory_shuffled |",
        "| again | 0.250 (0.250 .. 0.250) | 0.250 (0.250 .. 0.250) |",
    ] {
        assert!(page.contains(line), "no {line:?} in {page}");
    }
    let starts = |name: &str| page.lines().filter(|line| line.starts_with(name)).collect::<Vec<_>>();
    let [headline, row] = [starts("| [`known`](#known) holds | 0.750 | "), starts("| holds | 0.750 | ")];
    assert_eq!((headline.len(), row.len()), (1, 1), "{page}");
    assert!(row[0].ends_with("| 0.250 | 1.250 | 0.500 | 1.500 | 4 | 4 |"), "{row:?}");
    // Every row of a table has as many cells as its head.
    for table in page.split("\n\n").filter(|part| part.starts_with("| ")) {
        let cells: Vec<usize> = table.trim().lines().map(|line| line.matches(" |").count()).collect();
        assert!(cells.windows(2).all(|pair| pair[0] == pair[1]), "{table}");
    }
    assert!(!page.contains("Only "), "{page}");
}

#[test]
fn another_run_stands_beside_this_one_or_is_refused() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("a temporary folder"));
    let [own, other] = folders.each_ref().map(|folder| folder.path());
    let missing =
        run_beside(Known::new(), own, 1_000_000..1_000_004, false, Some(other)).expect_err("nothing is there");
    assert!(missing.to_string().contains("run.json"), "{missing}");
    run_known(Known::new(), other, 1_000_001..1_000_006, false).expect("runs");
    let (report, _) = run_beside(Known::new(), own, 1_000_000..1_000_004, true, Some(other)).expect("runs");
    let compared = report.compared.as_ref().expect("asked for");
    assert_eq!(compared.seeds, [1_000_001, 1_000_006]);
    // Of the three seeds that both have, both have the same.
    let holds = compared.probes["known"]["holds"];
    assert_eq!((holds.value, holds.other, holds.is_same()), (2.0 / 3.0, 2.0 / 3.0, true));
    let row = "| known holds | 0.667 | 0.667 | 0.000 .. 0.000 | yes |";
    assert!(markdown(&report).contains(row), "{}", markdown(&report));
    let page = std::fs::read_to_string(own.join("report.html")).expect("written");
    assert!(page.contains("2 of 2 metrics are the same"), "{page}");
    let head = other.join("run.json");
    let text = std::fs::read_to_string(&head).expect("written");
    std::fs::write(&head, text.replace("\"keys_hash\": \"", "\"keys_hash\": \"0")).expect("room for a line");
    let error = run_beside(Known::new(), own, 1_000_000..1_000_004, true, Some(other)).expect_err("other readers");
    assert!(error.to_string().contains("other readers"), "{error}");
}

#[test]
fn a_run_that_was_stopped_goes_on_and_runs_nothing_twice() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let seeds = 1_000_000..1_000_006;
    let stop_at = Some((1_000_001, std::sync::Arc::default()));
    let (report, first) =
        run_known(Known { stop_at, ..Known::new() }, folder.path(), seeds.clone(), false).expect("stops");
    assert!(first.len() < 6 && first.contains(&1_000_001), "{first:?}");
    assert_eq!(report.probes["known"].seeds_done, first.len());
    // The end of the world cuts a line off.
    let path = folder.path().join("trials.jsonl");
    let mut lines = std::fs::read(&path).expect("written");
    lines.extend(b"{\"probe\":\"known\",\"seed\":10000");
    std::fs::write(&path, lines).expect("room for a line");
    let (report, second) = run_known(Known::new(), folder.path(), seeds.clone(), true).expect("goes on");
    assert_eq!(report.probes["known"].seeds_done, 6);
    let mut all = [first, second].concat();
    all.sort_unstable();
    assert_eq!(all, seeds.clone().collect::<Vec<_>>());
    // A record that was made for other roles does not count, and is not lost.
    let text = std::fs::read_to_string(&path).expect("written");
    let line = text.lines().find(|line| line.contains("1000003")).expect("it was run");
    let fewer = line.replace(&serde_json::to_string(&Role::ALL).expect("names"), "[\"subject\",\"truth\"]");
    assert_ne!(line, fewer);
    std::fs::write(&path, text.replace(line, &fewer)).expect("room for a line");
    let (report, third) = run_known(Known::new(), folder.path(), seeds.clone(), true).expect("goes on");
    assert_eq!((report.probes["known"].seeds_done, third), (6, vec![1_000_003]));
    assert!(std::fs::read_to_string(&path).expect("written").contains(&fewer));
    let error = run_known(Known::new(), folder.path(), seeds.clone(), false).expect_err("it exists").to_string();
    assert!(error.contains("--resume"), "{error}");
    // Trials of a dream that was computed otherwise are not its own.
    let head = folder.path().join("run.json");
    let text = std::fs::read_to_string(&head).expect("written");
    std::fs::write(&head, text.replace("\"settings\": \"\"", "\"settings\": \"8 steps\"")).expect("room for a line");
    let error = run_known(Known::new(), folder.path(), seeds, true).expect_err("another run").to_string();
    assert!(error.contains("number of steps, precision or device"), "{error}");
}

#[test]
fn training_seeds_are_refused() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for seeds in [0..3, seeds::TRAINING.end - 1..seeds::TRAINING.end + 1, 2_000_000..2_000_000] {
        let found = run_known(Known::new(), folder.path(), seeds.clone(), false);
        assert!(matches!(found, Err(ProbeError::Seeds { .. })), "{seeds:?}");
    }
}
