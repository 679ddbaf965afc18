//! Old files stay readable: a recording and a save of each version, written when that version was current.

use holdfast_model::{
    Dream, DreamOptions, ModelConfig,
    folder::ModelFolder,
    keep::{
        About, Line, Origin, Preview, Save, frame_hash,
        recording::{Beginning, Recorder, Recording},
    },
    train::first_frame,
};
use holdfast_sim::{Start, World, script::Policy};
use std::{
    fs,
    path::{Path, PathBuf},
};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden").join(name)
}

const SEED: u64 = 7;
const NOISE_SEED: u64 = 5;
const TICKS: usize = 30;
const FORK_TICK: u64 = 12;
const FORK_TICKS: usize = 8;

#[test]
fn version_1_of_a_recording_is_readable() {
    let recording = Recording::open(&golden("recording-1.holdfast")).expect("readable");
    assert_eq!(recording.missing, None);
    assert_eq!((recording.about.model_name.as_str(), recording.about.model_config.d_model), ("small", 32));
    let [line, fork] = recording.lines.as_slice() else { panic!("{} lines", recording.lines.len()) };
    assert_eq!(line.beginning, Beginning::Origin(Origin::Seed(SEED)));
    assert_eq!((line.noise_seed, line.first_tick, line.last_tick()), (NOISE_SEED, 0, TICKS as u64));
    assert_eq!(line.actions, Policy::Wander.open_loop(SEED).take(TICKS).collect::<Vec<_>>());
    assert_eq!((fork.beginning.clone(), fork.first_tick), (Beginning::Fork { line: 0 }, FORK_TICK));
    assert_eq!(fork.first_hash, line.hashes[FORK_TICK as usize - 1], "the fork begins with the frame that was there");
    for (at, line) in recording.lines.iter().enumerate() {
        for (index, hash) in line.hashes.iter().enumerate() {
            let frame = recording.frame(at, index).expect("frames were recorded").expect("whole");
            assert_eq!(frame_hash(&frame), *hash);
        }
    }
}

#[test]
fn every_version_of_a_save_is_readable() {
    for version in 1..=9 {
        check_save(&golden(&format!("save-{version}.world")));
    }
}

#[test]
fn the_first_save_is_the_world_of_the_recording_beside_it() {
    let preview = Preview::open(&golden("save-1.world")).expect("readable");
    let recording = Recording::open(&golden("recording-1.holdfast")).expect("readable");
    assert_eq!(Some(&frame_hash(&preview.frame)), recording.lines[0].hashes.last());
}

#[track_caller]
fn check_save(path: &Path) {
    let preview = Preview::open(path).expect("readable");
    assert_eq!((preview.seed, preview.tick), (Some(SEED), TICKS as u64));
    let save = Save::open(path).expect("readable");
    assert_eq!(save.line.actions, Policy::Wander.open_loop(SEED).take(TICKS).collect::<Vec<_>>());
    assert_eq!((save.line.noise_seed, save.snapshot.tick()), (NOISE_SEED, TICKS as u64));
    assert!(save.snapshot.memory_cells() > 100 && save.snapshot.frame() == &preview.frame);
}

/// Writes the files of the present versions that are not there yet.
#[test]
#[ignore = "writes the golden files that the others read"]
fn write_golden_files() {
    let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
    let model = ModelFolder { hash: "1".repeat(64), ..ModelFolder::untrained(config, 1) };
    let options = DreamOptions { noise_seed: NOISE_SEED, ..DreamOptions::default() };
    let mut dream = Dream::new(model, options, Box::new(first_frame)).expect("a valid model");
    let origin = Origin::Seed(SEED);
    let first = dream.reset(&Start::Seed(SEED)).expect("a seed").frame;
    let about = About::of(&dream, "small");
    let mut recorder = Recorder::begin(Vec::new(), &about, true).expect("memory");
    recorder.start(&Beginning::Origin(origin.clone()), NOISE_SEED, 0, &first).expect("memory");
    let mut line = Line::new(origin, NOISE_SEED);
    let mut past = None;
    for action in Policy::Wander.open_loop(SEED).take(TICKS) {
        let observation = dream.step(&action).expect("goes on");
        recorder.push(&action, &observation.frame).expect("memory");
        line.actions.push(action);
        if observation.tick == FORK_TICK {
            past = dream.snapshot();
        }
    }
    let snapshot = dream.snapshot().expect("it has begun");
    fs::create_dir_all(golden("")).expect("room");
    let save = Save { about, line, snapshot };
    let past = past.expect("the tick came");
    dream.restore(&past).expect("its own");
    recorder.fork(FORK_TICK, NOISE_SEED, past.frame()).expect("memory");
    for action in Policy::Loop.open_loop(9).take(FORK_TICKS) {
        recorder.push(&action, &dream.step(&action).expect("goes on").frame).expect("memory");
    }
    let recording = recorder.end().expect("memory");
    // A file of an older program is worth keeping because an older program wrote it.
    for (name, bytes) in [("save-9.world", save.to_bytes().expect("small")), ("recording-1.holdfast", recording)] {
        if !golden(name).exists() {
            fs::write(golden(name), bytes).expect("room");
        }
    }
}
