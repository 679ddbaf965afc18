//! What users hand in as text: lines of actions, ours and VPT's, and the settings file. Spoilt, each is read or refused
//! with its line, soon, and never with a panic.
//!
//! `HOLDFAST_FUZZ_SECONDS=600 cargo test --release -p holdfast-game --test reading_faults -- --ignored --nocapture`
//! looks for more, ten minutes a format.

#[path = "../../tests/spoil/mod.rs"]
mod spoil;

use holdfast_game::{input::Config, vpt};
use holdfast_sim::{Action, Pose, script::Dice, script::Policy};
use spoil::{spoil_text, try_for_long, try_many};
use std::{fs, path::Path};

fn actions() -> Vec<Action> {
    Policy::Wander.open_loop(3).take(6).collect()
}

/// Lines as `rollout` writes them.
fn own_lines() -> String {
    actions().iter().map(|action| action.to_json_line() + "\n").collect()
}

fn vpt_lines() -> String {
    let mut rows = vpt::Rows::default();
    actions().iter().map(|action| rows.push(action, &Pose::default()) + "\n").collect()
}

fn spoilt(text: &str, dice: &mut Dice) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    spoil_text(&mut bytes, dice);
    bytes
}

/// What reads is something that a player can do.
fn are_actions(actions: &[Action]) -> bool {
    assert!(!actions.is_empty() && actions.iter().all(|action| action.check().is_ok()));
    true
}

fn try_own(bytes: &[u8]) -> bool {
    Action::read_jsonl(bytes).is_ok_and(|actions| are_actions(&actions))
}

fn try_vpt(bytes: &[u8]) -> bool {
    let _ = std::str::from_utf8(bytes).map(vpt::is_vpt_line);
    vpt::read_jsonl(bytes).is_ok_and(|actions| are_actions(&actions))
}

fn try_settings(bytes: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(bytes) else { return false };
    match Config::parse(text) {
        Ok(config) => {
            assert_eq!(Config::parse(&config.to_toml()), Ok(config), "what was read is written as it is");
            true
        }
        Err((line, reason)) => {
            assert!(line >= 1 && !reason.is_empty());
            false
        }
    }
}

/// Changes a setting in a file that the player has spoilt, too: it stays a file.
fn try_saving(path: &Path, bytes: &[u8]) -> bool {
    fs::write(path, bytes).expect("room");
    let was = Config::load(path);
    Config::default().save_settings(path).expect("room");
    if was.is_ok() {
        let read = Config::load(path).expect("what was readable stays so");
        assert_eq!(read.settings, Config::default().settings);
    }
    was.is_ok()
}

#[test]
fn ten_thousand_spoilt_files_of_actions_are_read_or_refused() {
    let own = own_lines();
    assert!(try_own(own.as_bytes()));
    assert!(try_many(10_000, 1, |dice| spoilt(&own, dice), try_own) > 0);
    let vpt = vpt_lines();
    assert!(try_vpt(vpt.as_bytes()));
    assert!(try_many(10_000, 2, |dice| spoilt(&vpt, dice), try_vpt) > 0);
}

#[test]
fn ten_thousand_spoilt_settings_are_read_or_refused() {
    let text = Config::default().to_toml();
    assert!(try_many(10_000, 3, |dice| spoilt(&text, dice), try_settings) > 0);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("config.toml");
    assert!(try_many(1000, 4, |dice| spoilt(&text, dice), |bytes| try_saving(&path, bytes)) > 0);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_actions_for_long() {
    let text = own_lines();
    try_for_long("actions", |dice| spoilt(&text, dice), try_own);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_vpt_for_long() {
    let text = vpt_lines();
    try_for_long("VPT", |dice| spoilt(&text, dice), try_vpt);
}

#[test]
#[ignore = "runs for ten minutes, or as long as HOLDFAST_FUZZ_SECONDS says"]
fn fuzz_settings_for_long() {
    let text = Config::default().to_toml();
    try_for_long("settings", |dice| spoilt(&text, dice), try_settings);
}
