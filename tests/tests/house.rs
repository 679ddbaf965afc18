//! Tests of the house itself: which way dependencies point, what each part may know, and whether its map is true.

use holdfast_sim::seeds;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

const CRATES: [&str; 5] = ["sim", "model", "media", "game", "tests"];

/// Above this, a file is split.
const MAX_LINES: usize = 500;

/// Names that say nothing of what is inside.
const EMPTY_NAMES: [&str; 8] = ["utils", "util", "common", "helpers", "helper", "misc", "shared", "stuff"];

/// Folders of `model/src` that may see the simulator: training needs its data, probes need its truth.
const MAY_SEE_THE_SIMULATOR: [&str; 2] = ["train/", "probe/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the workspace").to_path_buf()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Every Rust file of the workspace, relative to the root, sorted.
fn rust_files() -> Vec<PathBuf> {
    let mut files = Vec::new();
    for crate_name in CRATES {
        collect(&root().join(crate_name), &mut files);
    }
    assert!(files.len() > 20, "only {} files found", files.len());
    files.sort();
    files
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a folder of the workspace") {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path.strip_prefix(root()).expect("below the root").to_path_buf());
        }
    }
}

/// The lines of a file that are code: neither comments nor documentation.
fn code_lines(path: &Path) -> Vec<(usize, String)> {
    let text = read(&root().join(path));
    let lines = text.lines().enumerate().map(|(index, line)| (index + 1, line.trim().to_string()));
    lines.filter(|(_, line)| !line.starts_with("//")).collect()
}

/// Fails with every place at once: `what` says the rule.
#[track_caller]
fn no_faults(what: &str, faults: &[String]) {
    assert!(faults.is_empty(), "{what}:\n  {}", faults.join("\n  "));
}

/// Names of a crate's dependencies, of all three kinds.
fn dependencies(crate_name: &str) -> BTreeSet<String> {
    let manifest: toml::Table = read(&root().join(crate_name).join("Cargo.toml")).parse().expect("a manifest");
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let tables = kinds.iter().filter_map(|kind| manifest.get(*kind)?.as_table());
    tables.flat_map(|table| table.keys().cloned()).collect()
}

#[test]
fn dependencies_point_one_way() {
    // What a crate may not name, by the beginning of the dependency's name.
    let forbidden = [
        ("sim", &["holdfast-", "bevy", "burn", "cubecl", "wgpu", "rayon", "rand_distr"][..]),
        ("model", &["holdfast-game", "holdfast-media", "bevy", "gilrs"]),
        ("media", &["holdfast-game", "holdfast-model", "bevy", "burn", "cubecl", "wgpu"]),
        ("game", &["burn", "cubecl", "c2pa", "openh264", "rcgen"]),
    ];
    let mut faults = Vec::new();
    for (crate_name, prefixes) in forbidden {
        for name in dependencies(crate_name) {
            if prefixes.iter().any(|prefix| name.starts_with(prefix)) {
                faults.push(format!("{crate_name} depends on {name}"));
            }
        }
    }
    no_faults(
        "game -> model -> sim, game -> media -> sim; Burn only in model, Bevy only in game, codecs and credentials only in media",
        &faults,
    );
}

#[test]
fn the_simulator_has_no_clock_and_no_state_outside_the_world() {
    // A `LazyLock` of what follows from nothing (painted textures) is a constant; these are not.
    let forbidden = [
        "std::time",
        "Instant::",
        "SystemTime",
        "static mut",
        "thread_local!",
        "Mutex<",
        "RwLock<",
        "std::sync::atomic",
    ];
    let mut faults = Vec::new();
    for path in rust_files().iter().filter(|path| path.starts_with("sim/src")) {
        for (number, line) in code_lines(path) {
            for word in forbidden.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    no_faults("the same seed and actions give the same world: sim may not use these", &faults);
}

#[test]
fn the_dream_cannot_peek_at_the_simulator() {
    let mut faults = Vec::new();
    for path in rust_files() {
        let Ok(inside) = path.strip_prefix("model/src") else {
            continue;
        };
        if MAY_SEE_THE_SIMULATOR.iter().any(|allowed| inside.to_string_lossy().starts_with(allowed)) {
            continue;
        }
        for (number, line) in code_lines(&path) {
            if line.contains("voxel") {
                faults.push(format!("{}:{number}: {line}", path.display()));
            }
        }
    }
    no_faults(&format!("in model only {MAY_SEE_THE_SIMULATOR:?} may use holdfast_sim::voxel"), &faults);
}

#[test]
fn media_knows_frames_and_actions_and_no_world() {
    // Its tests and examples need worlds to film.
    let words = ["holdfast_model", "voxel", "holdfast_sim::script"];
    let mut faults = Vec::new();
    for path in rust_files().iter().filter(|path| path.starts_with("media/src")) {
        for (number, line) in code_lines(path) {
            for word in words.iter().filter(|word| line.contains(**word)) {
                faults.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    no_faults("media takes frames from whoever makes them", &faults);
}

#[test]
fn bevy_stays_in_the_game_and_burn_in_the_model() {
    let mut faults = Vec::new();
    for path in rust_files() {
        let crate_name = path.components().next().expect("a crate").as_os_str().to_string_lossy().into_owned();
        for (number, line) in code_lines(&path) {
            let stranger = match crate_name.as_str() {
                "sim" => ["bevy::", "burn::"].iter().find(|word| line.contains(**word)),
                "model" => ["bevy::"].iter().find(|word| line.contains(**word)),
                "media" => ["bevy::", "burn::"].iter().find(|word| line.contains(**word)),
                "game" => ["burn::"].iter().find(|word| line.contains(**word)),
                _ => None,
            };
            if let Some(word) = stranger {
                faults.push(format!("{}:{number}: {word}", path.display()));
            }
        }
    }
    no_faults("a crate uses what is not of its layer", &faults);
}

#[test]
fn every_file_says_what_it_is_for_and_is_short() {
    let mut faults = Vec::new();
    for path in rust_files() {
        let text = read(&root().join(&path));
        if !text.starts_with("//! ") {
            faults.push(format!("{}: its first line is not `//! what it is for`", path.display()));
        }
        let lines = text.lines().count();
        if lines > MAX_LINES {
            faults.push(format!("{}: {lines} lines, at most {MAX_LINES}", path.display()));
        }
    }
    no_faults("files open with their purpose and stay short", &faults);
}

#[test]
fn names_mean_something() {
    let mut faults = Vec::new();
    for path in rust_files() {
        for part in path.iter().map(|part| part.to_string_lossy()) {
            if EMPTY_NAMES.contains(&part.trim_end_matches(".rs")) {
                faults.push(path.display().to_string());
            }
        }
    }
    no_faults("a name says what is inside", &faults);
}

/// The paths that the README's map names: the first word of each line of its first fenced block.
fn mapped_paths() -> BTreeSet<String> {
    let readme = read(&root().join("README.md"));
    let section = readme.split("## The map of the house").nth(1).expect("README.md has its map");
    let block = section.split("```").nth(1).expect("the map is a fenced block");
    block.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_string).collect()
}

#[test]
fn the_map_is_true() {
    let mapped = mapped_paths();
    let mut faults = Vec::new();
    for path in &mapped {
        let full = root().join(path);
        if !full.exists() || path.ends_with('/') != full.is_dir() {
            faults.push(format!("{path} is on the map, and not in the tree"));
        }
    }
    let mut wanted: BTreeSet<String> = CRATES.iter().map(|name| format!("{name}/")).collect();
    for path in rust_files() {
        let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy().into_owned()).collect();
        match parts.as_slice() {
            // Each folder of modules, however deep.
            [crate_name, src, inside @ .., _] if src == "src" && !inside.is_empty() => {
                for depth in 1..=inside.len() {
                    wanted.insert(format!("{crate_name}/src/{}/", inside[..depth].join("/")));
                }
            }
            [crate_name, src, file] if src == "src" && file != "lib.rs" && file != "main.rs" => {
                wanted.insert(format!("{crate_name}/src/{file}"));
            }
            _ => {}
        }
    }
    faults.extend(wanted.difference(&mapped).map(|path| format!("{path} is in the tree, and not on the map")));
    no_faults("README.md's map and the tree differ", &faults);
}

#[test]
fn seeds_of_training_validation_and_probes_never_meet() {
    let (training, validation) = (seeds::TRAINING, seeds::VALIDATION);
    assert!(training.end <= validation.start);
    assert!(validation.end <= seeds::PROBES_FROM);
}

#[test]
fn the_trainer_draws_training_seeds_alone() {
    // Worlds are started in one place of the trainer, from the training range; what validates may not train.
    let starts = |line: &str| line.contains("reset_seed(") || line.contains("Start::Seed(");
    let mut faults = Vec::new();
    let mut draws_from_training = false;
    for path in rust_files().iter().filter(|path| path.starts_with("model/src/train")) {
        let lines = code_lines(path);
        let names = |word: &str| lines.iter().any(|(_, line)| line.contains(word));
        let validates = names("seeds::VALIDATION");
        let trains = names("seeds::TRAINING");
        draws_from_training |= trains;
        if names("PROBES_FROM") {
            faults.push(format!("{} names the probes' seeds", path.display()));
        }
        if trains && validates {
            faults.push(format!("{} both trains and validates", path.display()));
        }
        if !trains && !validates && lines.iter().any(|(_, line)| starts(line)) {
            faults.push(format!("{} starts a world from a seed of no named range", path.display()));
        }
    }
    assert!(draws_from_training, "the trainer names the range that it draws from");
    no_faults("training, validation and probes keep to their seeds", &faults);
}
