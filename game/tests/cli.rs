//! Bad input against the real binary: each case gives one line on stderr that says what to do, and the right exit code.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};
use tempfile::TempDir;

/// The user's mistake, and ours.
const MISTAKE: i32 = 2;
const FAILURE: i32 = 1;

fn holdfast(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command
        .args(args)
        .env_remove("RUST_BACKTRACE")
        .env_remove("RUST_LOG")
        .output()
        .expect("the binary starts")
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

/// Runs and expects one line with all of `parts` in it, and the exit code.
#[track_caller]
fn check(args: &[&str], code: i32, parts: &[&str]) {
    let output = holdfast(args);
    let text = stderr(&output);
    assert_eq!(output.status.code(), Some(code), "{args:?}: {text}");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(text.starts_with("error: "), "{text}");
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a temporary folder")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("temporary paths are ASCII")
}

/// The shipped model.
fn pebble() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/pebble")
}

/// A copy of the shipped model whose weights went through `spoil`.
fn spoilt_model(spoil: impl FnOnce(Vec<u8>) -> Option<Vec<u8>>) -> TempDir {
    let copy = folder();
    fs::copy(pebble().join("config.json"), copy.path().join("config.json")).expect("the shipped config");
    if let Some(weights) = spoil(fs::read(pebble().join("model.safetensors")).expect("the shipped weights")) {
        fs::write(copy.path().join("model.safetensors"), weights).expect("room for the weights");
    }
    copy
}

#[track_caller]
fn check_model(model: &Path, parts: &[&str]) {
    let out = folder();
    let args = [
        "rollout",
        "--seed",
        "7",
        "--policy",
        "still",
        "--ticks",
        "1",
        "--out",
        text(out.path()),
    ];
    check(&[&args[..], &["--model", text(model)]].concat(), MISTAKE, parts);
}

#[test]
fn missing_weights() {
    check_model(Path::new("/nowhere/model"), &["/nowhere/model"]);
    check_model(spoilt_model(|_| None).path(), &["model.safetensors"]);
}

#[test]
fn truncated_weights() {
    let model = spoilt_model(|mut weights| {
        weights.truncate(weights.len() / 2);
        Some(weights)
    });
    check_model(model.path(), &["model.safetensors"]);
}

#[test]
fn weights_of_a_wrong_shape() {
    let model = spoilt_model(|weights| {
        let header_bytes = u64::from_le_bytes(weights[..8].try_into().expect("8 bytes")) as usize;
        let mut header: serde_json::Value = serde_json::from_slice(&weights[8..8 + header_bytes]).expect("JSON");
        let tensors = header.as_object_mut().expect("an object");
        let matrix = tensors.values_mut().find_map(|tensor| {
            let shape = tensor.get_mut("shape")?.as_array_mut()?;
            (shape.len() == 2 && shape[0] != shape[1]).then_some(shape)
        });
        matrix.expect("a matrix that is not square").reverse();
        let mut header = header.to_string().into_bytes();
        header.resize(header.len().next_multiple_of(8), b' ');
        Some(
            [
                &(header.len() as u64).to_le_bytes(),
                header.as_slice(),
                &weights[8 + header_bytes..],
            ]
            .concat(),
        )
    });
    check_model(model.path(), &["model.safetensors", "shape"]);
}

#[test]
fn an_actions_file_with_a_bad_line_17() {
    let folder = folder();
    let (actions, out) = (folder.path().join("walk.jsonl"), folder.path().join("out"));
    fs::write(&actions, "{\"forward\":true}\n".repeat(16) + "{\"forwards\":true}\n").expect("room for a small file");
    let args = [
        "rollout",
        "--seed",
        "7",
        "--actions",
        text(&actions),
        "--out",
        text(&out),
    ];
    check(
        &args,
        MISTAKE,
        &["walk.jsonl", "line 17", "`forwards`", "{\"forward\":true"],
    );
    assert!(!out.exists(), "nothing is written for a mistake");
}

#[test]
fn a_seed_that_is_no_number() {
    for command in ["rollout", "play", "bench"] {
        check(
            &[command, "--seed", "abc"],
            MISTAKE,
            &["'abc'", "--seed", "whole number", command],
        );
    }
}

#[test]
fn a_device_that_is_not_there() {
    let out = folder();
    let rollout = [
        "rollout",
        "--seed",
        "7",
        "--policy",
        "still",
        "--ticks",
        "1",
        "--out",
        text(out.path()),
    ];
    check(
        &[&rollout[..], &["--device", "cuda"]].concat(),
        MISTAKE,
        &["cuda", "--device cpu"],
    );
    check(
        &[&rollout[..], &["--device", "abacus"]].concat(),
        MISTAKE,
        &["abacus", "vulkan"],
    );
    #[cfg(feature = "view")]
    check(&["play", "--device", "cuda"], MISTAKE, &["cuda", "--device cpu"]);
    check(&["bench", "--device", "cuda"], MISTAKE, &["cuda", "--device cpu"]);
}

#[test]
fn a_config_with_an_unknown_key() {
    let folder = folder();
    let (config, run) = (folder.path().join("tiny.toml"), folder.path().join("run"));
    fs::write(&config, "steps = 5\nlerning_rate = 1\n").expect("room for a small file");
    let args = ["train", "--config", text(&config), "--run", text(&run)];
    check(&args, MISTAKE, &["tiny.toml", "line 2", "`lerning_rate`", "expected"]);
    assert!(!run.exists(), "nothing is written for a mistake");
    check(
        &["train", "--config", "/nowhere/tiny.toml"],
        MISTAKE,
        &["/nowhere/tiny.toml"],
    );
}

#[test]
fn arguments_that_are_missing_or_do_not_go_together() {
    check(&["rollout"], MISTAKE, &["--out <DIR>", "see `holdfast rollout --help`"]);
    let out = folder();
    let start = ["rollout", "--seed", "7", "--out", text(out.path())];
    check(
        &[&start[..], &["--policy", "still"]].concat(),
        MISTAKE,
        &["--ticks <N>"],
    );
    check(
        &[&start[..], &["--policy", "dance", "--ticks", "1"]].concat(),
        MISTAKE,
        &["dance", "wander", "look_back"],
    );
    check(
        &[&start[..], &["--polcy", "still"]].concat(),
        MISTAKE,
        &["--polcy", "--policy"],
    );
    check(&["rolout"], MISTAKE, &["rolout", "rollout"]);
}

#[test]
fn an_out_that_holds_other_things() {
    let out = folder();
    fs::write(out.path().join("thesis.txt"), "years").expect("room for a small file");
    let args = [
        "rollout",
        "--seed",
        "7",
        "--policy",
        "still",
        "--ticks",
        "1",
        "--out",
        text(out.path()),
    ];
    check(&args, MISTAKE, &["not empty", "--overwrite"]);
}

#[test]
fn a_picture_that_is_none() {
    let folder = folder();
    let picture = folder.path().join("photo.png");
    fs::write(&picture, "GIF89a").expect("room for a small file");
    let out = folder.path().join("out");
    let args = [
        "rollout",
        "--image",
        text(&picture),
        "--policy",
        "still",
        "--ticks",
        "1",
        "--out",
        text(&out),
    ];
    check(&args, MISTAKE, &["photo.png", "PNG"]);
}

/// A small file system of memory, unmounted at the end; `None` where only root may make one.
#[cfg(target_os = "linux")]
struct SmallDisk(TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn new(size: &str) -> Option<SmallDisk> {
        let folder = folder();
        let options = format!("size={size}");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs", text(folder.path())])
            .output();
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(SmallDisk(folder))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A mount that stays behind is a nuisance, no reason to fail.
        let _ = Command::new("umount").arg(self.0.path()).output();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let Some(disk) = SmallDisk::new("256k") else {
        eprintln!("skipped: a small disk needs root; the recording's own tests hold a failing disk");
        return;
    };
    let out = disk.0.path().join("out");
    let args = [
        "rollout",
        "--seed",
        "7",
        "--policy",
        "wander",
        "--ticks",
        "200",
        "--out",
        text(&out),
    ];
    check(
        &args,
        FAILURE,
        &["No space left on device", "is kept", "free some space"],
    );
    let frames: Vec<_> = fs::read_dir(out.join("frames"))
        .expect("kept")
        .map(|entry| entry.expect("readable"))
        .collect();
    assert!(frames.len() > 2, "{frames:?}");
    for frame in &frames {
        let bytes = fs::read(frame.path()).expect("kept");
        assert!(bytes.ends_with(b"IEND\xaeB`\x82"), "{frame:?} is whole");
    }
    let lines = fs::read_to_string(out.join("observations.jsonl")).expect("kept");
    assert!(
        lines.ends_with('\n') && lines.lines().count() >= frames.len() - 1,
        "{lines}"
    );
}

#[test]
fn help_and_version_are_no_errors() {
    for args in [&["--help"][..], &["rollout", "--help"], &["--version"]] {
        let output = holdfast(args);
        assert!(output.status.success() && output.stderr.is_empty(), "{args:?}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("holdfast"), "{args:?}");
    }
}
