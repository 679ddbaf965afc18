//! How the tests of parsers spoil valid files, as a mean stranger would, and how they look for longer than a test may.

#![allow(dead_code, reason = "each test takes what it needs")]

use holdfast_sim::script::Dice;
use std::{
    fs,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// No case may take longer, on a machine that does other things, too: a parser that can be made to hang is broken.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Changes some bytes.
pub fn spoil(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..dice.whole(1..5) {
        let length = bytes.len().max(1) as u32;
        let at = dice.whole(0..length) as usize % bytes.len().max(1);
        if bytes.is_empty() {
            bytes.push(0);
        }
        match dice.whole(0..7) {
            0 => bytes[at] ^= 1 << dice.whole(0..8),
            1 => bytes[at] = [0, 1, 0x7f, 0x80, 0xff][dice.whole(0..5) as usize],
            2 => bytes.truncate(at),
            3 => bytes.insert(at, dice.whole(0..256) as u8),
            4 => {
                let end = (at + dice.whole(1..9) as usize).min(bytes.len());
                bytes[at..end].fill(0xff);
            }
            5 => {
                let end = (at + dice.whole(1..65) as usize).min(bytes.len());
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
            // What is behind a number is often what it counts.
            _ => bytes[at] = bytes[at].wrapping_add(dice.whole(1..4) as u8),
        }
    }
}

/// Changes some words of a text, such as its numbers and names, and sometimes its bytes.
pub fn spoil_text(text: &mut Vec<u8>, dice: &mut Dice) {
    const NASTY: [&str; 24] = [
        "0",
        "-1",
        "-0.0",
        "1e999",
        "-1e999",
        "1e-999",
        "NaN",
        "inf",
        "255",
        "256",
        "4294967296",
        "9223372036854775808",
        "1152921504606846976",
        "0.1",
        "null",
        "true",
        "\"\"",
        "\"../../x\"",
        "[]",
        "{}",
        "[[[[[[[[",
        "\"\\ud800\"",
        "\u{feff}",
        "\u{1f9f1}",
    ];
    for _ in 0..dice.whole(1..4) {
        if text.is_empty() || dice.chance(0.3) {
            spoil(text, dice);
            continue;
        }
        let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || b".-_+\"".contains(byte);
        let at = dice.whole(0..text.len() as u32) as usize;
        let from = text[..at].iter().rposition(|byte| !is_word(byte)).map_or(0, |before| before + 1);
        let to = text[at..].iter().position(|byte| !is_word(byte)).map_or(text.len(), |after| at + after);
        let word = NASTY[dice.whole(0..NASTY.len() as u32) as usize];
        text.splice(from..to.max(from), word.bytes());
    }
}

/// Lets `read` see `count` spoilt files, and answers how many of them it read. It must neither panic nor take long.
pub fn try_many(count: u32, seed: u64, make: impl FnMut(&mut Dice) -> Vec<u8>, read: impl FnMut(&[u8]) -> bool) -> u32 {
    try_until(|tried| tried < count, seed, make, read, |_| {}).1
}

/// The same for as long as `HOLDFAST_FUZZ_SECONDS` says, or else ten minutes. The case under way lies in the temporary
/// folder, so that one that ends the whole process can be looked at.
pub fn try_for_long(name: &str, make: impl FnMut(&mut Dice) -> Vec<u8>, read: impl FnMut(&[u8]) -> bool) {
    let seconds = std::env::var("HOLDFAST_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok()).unwrap_or(600);
    let start = Instant::now();
    let seed = SystemTime::now().duration_since(UNIX_EPOCH).map_or(1, |since| since.as_secs());
    let place = std::env::temp_dir().join(format!("holdfast-fuzz-{}", name.replace(' ', "-")));
    let until = |_| start.elapsed() < Duration::from_secs(seconds);
    let keep = |bytes: &[u8]| fs::write(&place, bytes).expect("room for a small file");
    let (tried, good) = try_until(until, seed, make, read, keep);
    fs::remove_file(&place).expect("just written");
    println!("{name}: {tried} spoilt files in {seconds} s from seed {seed}, {good} of them read, no panic, no hang");
}

fn try_until(
    until: impl Fn(u32) -> bool,
    seed: u64,
    mut make: impl FnMut(&mut Dice) -> Vec<u8>,
    mut read: impl FnMut(&[u8]) -> bool,
    keep: impl Fn(&[u8]),
) -> (u32, u32) {
    let mut dice = Dice::new(seed);
    let (mut tried, mut good) = (0, 0);
    while until(tried) {
        let bytes = make(&mut dice);
        keep(&bytes);
        let start = Instant::now();
        good += u32::from(read(&bytes));
        assert!(start.elapsed() < PATIENCE, "case {tried} took {:?}", start.elapsed());
        tried += 1;
    }
    (tried, good)
}
