//! Model folders as strangers leave them: a spoilt `config.json`, spoilt weights, a spoilt picture of the slots. The answer
//! is an error or a model of the sizes that its config says, soon, and never a panic.
//!
//! `HOLDFAST_FUZZ_SECONDS=600 cargo test --release -p holdfast-model --test folder_faults -- --ignored --nocapture`
//! looks for more, ten minutes a file.

#[path = "../../tests/spoil/mod.rs"]
mod spoil;

use glam::Vec3;
use holdfast_model::{
    ModelConfig,
    cracks::Cracks,
    creature::{Creature, Creatures, Part},
    folder::{ModelFolder, write_folder},
    hotbar::Hotbar,
    lore::Lore,
    materials::Materials,
    weights::Weights,
};
use holdfast_sim::script::Dice;
use spoil::{spoil, spoil_text, try_for_long, try_many};
use std::{fs, path::Path, sync::LazyLock};
use tempfile::TempDir;

const PICTURES: [&str; 4] = ["hotbar.png", "materials.png", "creatures.png", "cracks.png"];

/// An animal of one grey box.
fn hare() -> Creatures {
    Creatures::from_text("0.1 0 0.5 0 0.3 0.5 0.4").expect("a pace and six numbers")
}

/// A small untrained model.
struct Files {
    model: ModelConfig,
    config: Vec<u8>,
    weights: Vec<u8>,
    /// In the order of [`PICTURES`].
    pictures: [Vec<u8>; 4],
    parameters: usize,
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let model = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let weights = Weights::init(&model, 1);
    let cracks = Cracks::new(vec![9; Cracks::BYTES]);
    let lore = Lore { creatures: hare(), cracks, ..Lore::default() };
    write_folder(folder.path(), &model, &weights, &lore).expect("room");
    let read = |name: &str| fs::read(folder.path().join(name)).expect("written");
    let (config, parameters) = (read("config.json"), weights.parameters());
    Files { model, config, weights: read("model.safetensors"), pictures: PICTURES.map(read), parameters }
});

/// The weights with their header or their numbers spoilt: the length of the header in eight bytes, the header, numbers.
fn spoilt_weights(dice: &mut Dice) -> Vec<u8> {
    let file = &FILES.weights;
    let length = u64::from_le_bytes(file[..8].try_into().expect("eight bytes")) as usize;
    let (header, numbers) = file[8..].split_at(length);
    let (mut header, mut numbers) = (header.to_vec(), numbers.to_vec());
    let mut told = (length as u64).to_le_bytes().to_vec();
    match dice.whole(0..8) {
        0 => spoil(&mut told, dice),
        1 => spoil(&mut numbers, dice),
        2 => {
            let mut whole = file.clone();
            spoil(&mut whole, dice);
            return whole;
        }
        _ => {
            spoil_text(&mut header, dice);
            told = (header.len() as u64).to_le_bytes().to_vec();
        }
    }
    [told, header, numbers].concat()
}

fn try_weights(bytes: &[u8]) -> bool {
    let read = Weights::from_bytes(bytes, &FILES.model, Path::new("model.safetensors"));
    read.is_ok_and(|weights| {
        assert_eq!(weights.parameters(), FILES.parameters);
        true
    })
}

fn spoilt_config(dice: &mut Dice) -> Vec<u8> {
    let mut text = FILES.config.clone();
    spoil_text(&mut text, dice);
    text
}

/// A folder in which everything is right.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let files = [("config.json", &FILES.config), ("model.safetensors", &FILES.weights)];
    for (name, bytes) in files.into_iter().chain(PICTURES.into_iter().zip(&FILES.pictures)) {
        fs::write(folder.path().join(name), bytes).expect("room");
    }
    folder
}

fn spoilt(picture: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = picture.to_vec();
    spoil(&mut bytes, dice);
    bytes
}

fn try_picture(folder: &Path, name: &str, bytes: &[u8]) -> bool {
    fs::write(folder.join(name), bytes).expect("room");
    ModelFolder::load(folder).is_ok()
}

fn try_config(folder: &Path, bytes: &[u8]) -> bool {
    fs::write(folder.join("config.json"), bytes).expect("room");
    ModelFolder::load(folder).is_ok()
}

#[test]
fn whole_files_are_read() {
    assert!(try_weights(&FILES.weights));
    let folder = folder();
    assert!(try_config(folder.path(), &FILES.config));
    let hotbar = Hotbar::new(vec![7; Hotbar::BYTES]).to_png().expect("memory");
    let materials = Materials::new(vec![7; Materials::BYTES]).to_png().expect("memory");
    let creatures = {
        let part = Part { rgb: vec![7; Part::BYTES], middle: Vec3::Y, half: Vec3::ONE };
        Creatures::new(vec![Creature { parts: vec![part], pace_blocks: 0.1 }]).to_png().expect("memory")
    };
    let cracks = Cracks::new(vec![7; Cracks::BYTES]).to_png().expect("memory");
    let others = [hotbar, materials, creatures, cracks];
    for ((name, own), other) in PICTURES.into_iter().zip(&FILES.pictures).zip(others) {
        assert!(!try_picture(folder.path(), name, &other), "pictures that another model was trained with");
        assert!(try_picture(folder.path(), name, own));
    }
}

#[test]
fn weights_without_their_notes_are_refused_by_name() {
    let folder = folder();
    let path = folder.path().join("model.safetensors");
    for note in ["break_ticks", "face_light", "creatures"] {
        let at = FILES.weights.windows(note.len()).position(|part| part == note.as_bytes()).expect("it notes it");
        let mut bytes = FILES.weights.clone();
        bytes[at] = b'x';
        fs::write(&path, &bytes).expect("room");
        let error = ModelFolder::load(folder.path()).expect_err("nobody says how hard things are").to_string();
        assert!(error.contains(note), "{error}");
    }
    fs::write(&path, &FILES.weights).expect("room");
    ModelFolder::load(folder.path()).expect("whole again");
}

#[test]
fn ten_thousand_spoilt_weights_are_read_or_refused() {
    let good = try_many(10_000, 1, spoilt_weights, try_weights);
    assert!(good > 0, "some are valid, or this test tries nothing");
    for length in (0..FILES.weights.len()).step_by(1024) {
        assert!(!try_weights(&FILES.weights[..length]), "{length}");
    }
}

#[test]
fn ten_thousand_spoilt_configs_are_read_or_refused() {
    let folder = folder();
    let good = try_many(10_000, 2, spoilt_config, |bytes| try_config(folder.path(), bytes));
    assert!(good > 0, "some are valid, or this test tries nothing");
}

#[test]
fn ten_thousand_spoilt_pictures_are_read_or_refused() {
    for (name, picture) in PICTURES.into_iter().zip(&FILES.pictures) {
        let folder = folder();
        let try_one = |bytes: &[u8]| try_picture(folder.path(), name, bytes);
        let good = try_many(10_000, 3, |dice| spoilt(picture, dice), try_one);
        assert!(good > 0, "some are valid, or this test tries nothing");
        for length in 0..picture.len() {
            try_one(&picture[..length]);
        }
    }
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_pictures_for_long() {
    for (name, picture) in PICTURES.into_iter().zip(&FILES.pictures) {
        let folder = folder();
        let try_one = |bytes: &[u8]| try_picture(folder.path(), name, bytes);
        try_for_long(name, |dice| spoilt(picture, dice), try_one);
    }
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_weights_for_long() {
    try_for_long("weights", spoilt_weights, try_weights);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_config_for_long() {
    let folder = folder();
    try_for_long("config", spoilt_config, |bytes| try_config(folder.path(), bytes));
}
