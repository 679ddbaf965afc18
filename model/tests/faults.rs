//! Saves and recordings as disks and strangers leave them: cut, damaged, and forged with the right checksums. Whatever
//! comes, the answer is an error or what was written, soon, and never a panic.
//!
//! `HOLDFAST_FUZZ_SECONDS=600 cargo test --release -p holdfast-model --test faults -- --ignored --nocapture` looks for
//! more for ten minutes a file.

#[path = "../../tests/spoil/mod.rs"]
mod spoil;

use holdfast_model::{
    Dream, DreamOptions, ModelConfig,
    folder::ModelFolder,
    keep::{
        About, Line, Origin, Save,
        recording::{Beginning, Recorder, Recording},
    },
    train::first_frame,
};
use holdfast_sim::{
    Start, World,
    script::{Dice, Policy},
};
use proptest::{collection::vec, prelude::*};
use spoil::{PATIENCE, spoil, try_for_long, try_many};
use std::{io::Write, sync::LazyLock, time::Instant};

/// Files of a small untrained model.
struct Files {
    save: Vec<u8>,
    /// How that world came to be, with a fork.
    recording: Vec<u8>,
    /// A short one with its frames.
    film: Vec<u8>,
}

static FILES: LazyLock<Files> = LazyLock::new(|| {
    let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
    let model = ModelFolder::untrained(config, 1);
    let mut dream = Dream::new(model, DreamOptions::default(), Box::new(first_frame)).expect("a valid model");
    let origin = Origin::Seed(3);
    let first = dream.reset(&Start::Seed(3)).expect("a seed").frame;
    let about = About::of(&dream, "small");
    let mut recorders = [false, true].map(|films| Recorder::begin(Vec::new(), &about, films).expect("memory"));
    for recorder in &mut recorders {
        recorder.start(&Beginning::Origin(origin.clone()), 0, 0, &first).expect("memory");
    }
    let [mut recorder, mut filming] = recorders;
    let mut line = Line::new(origin, 0);
    let (mut past, mut save) = (None, None);
    for (tick, action) in (1..=70).zip(Policy::Wander.open_loop(3)) {
        let frame = dream.step(&action).expect("goes on").frame;
        recorder.push(&action, &frame).expect("memory");
        if tick <= 4 {
            filming.push(&action, &frame).expect("memory");
        }
        if tick <= 50 {
            line.actions.push(action);
        }
        if tick == 20 {
            past = dream.snapshot();
        }
        if tick == 50 {
            let snapshot = dream.snapshot().expect("it has begun");
            save = Some(Save { about: about.clone(), line: line.clone(), snapshot }.to_bytes().expect("small"));
        }
    }
    let past = past.expect("tick 20 came");
    recorder.fork(20, 0, past.frame()).expect("memory");
    dream.restore(&past).expect("its own");
    for action in Policy::Loop.open_loop(9).take(30) {
        recorder.push(&action, &dream.step(&action).expect("goes on").frame).expect("memory");
    }
    let [recording, film] = [recorder, filming].map(|recorder| recorder.end().expect("memory"));
    Files { save: save.expect("tick 50 came"), recording, film }
});

fn save() -> &'static [u8] {
    &FILES.save
}

fn recording() -> &'static [u8] {
    &FILES.recording
}

fn film() -> &'static [u8] {
    &FILES.film
}

/// The file's blocks, by the documented layout rather than by the code under test.
fn blocks(file: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let (mut at, mut blocks) = (16, Vec::new());
    while at < file.len() {
        let length = u32::from_le_bytes(file[at + 1..at + 5].try_into().expect("four bytes")) as usize;
        blocks.push((file[at], file[at + 5..at + 5 + length].to_vec()));
        at += 5 + length + 16;
    }
    blocks
}

/// A file of these blocks with the right checksums.
fn seal(preamble: &[u8], blocks: &[(u8, Vec<u8>)]) -> Vec<u8> {
    let mut file = preamble[..16].to_vec();
    let mut chain = *blake3::hash(&file).as_bytes();
    for (kind, payload) in blocks {
        let from = file.len();
        file.push(*kind);
        file.extend((payload.len() as u32).to_le_bytes());
        file.extend(payload);
        chain = *blake3::Hasher::new().update(&chain).update(&file[from..]).finalize().as_bytes();
        file.extend(&chain[..16]);
    }
    file
}

/// Length in eight bytes, then deflated.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = (bytes.len() as u64).to_le_bytes().to_vec();
    let mut encoder = flate2::write::DeflateEncoder::new(&mut packed, flate2::Compression::fast());
    encoder.write_all(bytes).and_then(|()| encoder.finish().map(drop)).expect("memory");
    packed
}

fn unpack(bytes: &[u8]) -> Vec<u8> {
    let mut unpacked = Vec::new();
    std::io::copy(&mut flate2::read::DeflateDecoder::new(&bytes[8..]), &mut unpacked).expect("just packed");
    unpacked
}

/// Reads a save; what reads must be able to go on, whatever it says.
fn try_save(bytes: &[u8]) -> bool {
    let start = Instant::now();
    let read = Save::read(bytes);
    if let Ok(save) = &read {
        save.to_bytes().expect("what was read is not too large");
    }
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    read.is_ok()
}

fn try_recording(bytes: &[u8]) -> bool {
    let start = Instant::now();
    let read = Recording::read(bytes);
    if let Ok(recording) = &read {
        for (at, line) in recording.lines.iter().enumerate() {
            assert_eq!(line.actions.len(), line.hashes.len());
            let _ = (0..line.actions.len()).map(|index| recording.frame(at, index)).filter(Option::is_some).count();
        }
    }
    assert!(start.elapsed() < PATIENCE, "took {:?}", start.elapsed());
    read.is_ok_and(|recording| recording.missing.is_none())
}

#[test]
fn the_documented_layout_is_the_real_one() {
    for file in [save(), recording(), film()] {
        assert!(seal(file, &blocks(file)) == file);
    }
    assert!(try_save(save()) && try_recording(recording()) && try_recording(film()));
    assert_eq!(blocks(save()).iter().map(|(kind, _)| *kind).collect::<Vec<_>>(), b"HPLWE");
}

#[test]
fn a_save_cut_anywhere_is_refused_and_a_recording_keeps_what_it_has() {
    for length in (0..save().len()).step_by(1024).chain(save().len() - 40..save().len()) {
        assert!(!try_save(&save()[..length]), "{length}");
    }
    let whole = Recording::read(recording()).expect("whole");
    let mut ticks = 0;
    // The last bytes are those of the end mark.
    let ends = recording().len() - 22;
    for length in (0..ends).step_by(1024).chain(ends..recording().len()) {
        match Recording::read(&recording()[..length]) {
            Err(_) => assert_eq!(ticks, 0, "{length}"),
            Ok(cut) => {
                assert!(cut.missing.is_some() && cut.ticks() >= ticks, "{length}");
                ticks = cut.ticks();
                for (cut, whole) in cut.lines.iter().zip(&whole.lines) {
                    assert_eq!(cut.hashes[..], whole.hashes[..cut.hashes.len()]);
                }
            }
        }
    }
    assert_eq!(ticks, 100, "only the end mark is missing in the end");
    for length in (0..film().len()).step_by(1024) {
        assert!(!try_recording(&film()[..length]), "{length}");
    }
}

#[test]
fn sizes_that_cannot_be_are_refused() {
    let forged = |at: usize, change: &dyn Fn(&mut Vec<u8>)| {
        let mut forged = blocks(save());
        change(&mut forged[at].1);
        Save::read(seal(save(), &forged).as_slice()).expect_err("forged").to_string()
    };
    let huge = (1u64 << 60).to_le_bytes();
    for at in [2, 3] {
        let told = forged(at, &|payload| payload[..8].copy_from_slice(&huge));
        assert!(told.contains("1152921504606846976 bytes"), "{told}");
    }
    // A small bomb that unpacks to more than it says, and one that says so.
    let told = forged(3, &|payload| {
        *payload = pack(&vec![0; 50_000_000]);
        payload[..8].copy_from_slice(&1000u64.to_le_bytes());
    });
    assert!(told.contains("1000 bytes"), "{told}");
    let start = Instant::now();
    forged(3, &|payload| *payload = pack(&vec![0; 50_000_000]));
    assert!(start.elapsed() < PATIENCE);
    // More bricks than can be, a byte or two each.
    let told = forged(3, &|payload| {
        let mut world = unpack(payload);
        world.truncate(world.len() / 2);
        world.extend(vec![0x80; 1 << 20]);
        *payload = pack(&world);
    });
    assert!(told.contains("damaged"), "{told}");
    // A header of a model with frames of 2^60 pixels, and one that names a path.
    for (from, to, expected) in [
        ("\"width\":128", format!("\"width\":{}", 1u64 << 60), "width"),
        ("\"small\"", "\"../../small\"".into(), "plain name"),
        ("\"small\"", "\"/etc/small\"".into(), "plain name"),
    ] {
        let told = forged(0, &|payload| {
            *payload = String::from_utf8(payload.clone()).expect("JSON").replacen(from, &to, 1).into_bytes();
        });
        assert!(told.contains(expected), "{told}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { max_shrink_iters: 64, ..ProptestConfig::with_cases(10_000) })]

    #[test]
    fn flipped_bits_in_a_recording_are_found(flips in vec((any::<prop::sample::Index>(), 0u8..8), 1..4)) {
        let mut bytes = recording().to_vec();
        flips.iter().for_each(|(at, bit)| bytes[at.index(recording().len())] ^= 1 << bit);
        prop_assume!(bytes != recording());
        prop_assert!(!try_recording(&bytes));
    }

    #[test]
    fn flipped_bits_in_a_save_are_found(flips in vec((any::<prop::sample::Index>(), 0u8..8), 1..4)) {
        let mut bytes = save().to_vec();
        flips.iter().for_each(|(at, bit)| bytes[at.index(save().len())] ^= 1 << bit);
        prop_assume!(bytes != save());
        prop_assert!(!try_save(&bytes));
    }

    #[test]
    fn noise_is_no_file(bytes in vec(any::<u8>(), 0..400), as_save: bool) {
        let preamble = if as_save { save() } else { recording() };
        let bytes = [&preamble[..16], &bytes].concat();
        prop_assert!(!try_save(&bytes) && !try_recording(&bytes));
    }
}

/// A forged file: a block, or what is packed in it, is spoilt, and the checksums are right.
fn forge(file: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut forged = blocks(file);
    let at = dice.whole(0..forged.len() as u32) as usize;
    let is_save = forged.len() == 5 && forged[1].0 == b'P';
    match dice.whole(0..8) {
        0 => {
            forged.remove(at);
        }
        1 => {
            let other = dice.whole(0..forged.len() as u32) as usize;
            forged.swap(at, other);
        }
        2 => forged[at].0 = dice.whole(0..256) as u8,
        _ if is_save && (2..4).contains(&at) => {
            let mut inside = unpack(&forged[at].1);
            spoil(&mut inside, dice);
            forged[at].1 = pack(&inside);
        }
        _ => spoil(&mut forged[at].1, dice),
    }
    seal(file, &forged)
}

#[test]
fn forged_files_are_read_or_refused() {
    let good = try_many(3000, 1, |dice| forge(recording(), dice), try_recording);
    assert!(good > 0, "some forgeries are valid, or this test tries nothing");
    let good = try_many(1000, 3, |dice| forge(film(), dice), try_recording);
    assert!(good > 0, "some forgeries are valid, or this test tries nothing");
    let good = try_many(150, 2, |dice| forge(save(), dice), try_save);
    assert!(good > 0, "some forgeries are valid, or this test tries nothing");
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_recording_for_long() {
    try_for_long("recording", |dice| forge(recording(), dice), try_recording);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_film_for_long() {
    try_for_long("recording with frames", |dice| forge(film(), dice), try_recording);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_save_for_long() {
    try_for_long("save", |dice| forge(save(), dice), try_save);
}
