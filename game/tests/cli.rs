//! The command line as a user meets it: the real binary on bad input (one line that says what to do, the right exit
//! code) and on good (files and keys as documented).

use holdfast_model::{ModelConfig, folder::write_folder, lore::Lore, weights::Weights};
use holdfast_sim::Frame;
use std::{
    fs,
    path::Path,
    process::{Command, Output, Stdio},
    time::Duration,
};
use tempfile::TempDir;

/// The user's mistake, and ours.
const MISTAKE: i32 = 2;
const FAILURE: i32 = 1;

/// A command line, split at spaces.
fn command(line: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
    command.args(line.split_whitespace()).env_remove("RUST_BACKTRACE").env_remove("RUST_LOG");
    // Tests sign as somebody else than whoever runs them.
    let data = Path::new(env!("CARGO_TARGET_TMPDIR")).join("data");
    command.env("XDG_DATA_HOME", &data).env("APPDATA", &data);
    command
}

fn holdfast(line: &str) -> Output {
    command(line).output().expect("the binary starts")
}

/// Expects one line on stderr with all of `parts` in it, and the exit code.
#[track_caller]
fn check(line: &str, code: i32, parts: &[&str]) {
    let output = holdfast(line);
    let text = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(code), "{line}: {text}");
    assert_eq!(text.lines().count(), 1, "one line: {text}");
    assert!(text.starts_with("error: "), "{text}");
    for part in parts {
        assert!(text.contains(part), "no {part:?} in: {text}");
    }
}

#[track_caller]
fn check_success(line: &str) -> Output {
    let output = holdfast(line);
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    output
}

/// Folders for a test: temporary ones have no spaces in their names.
struct Place {
    folder: TempDir,
}

impl Place {
    fn new() -> Place {
        Place { folder: tempfile::tempdir().expect("a temporary folder") }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).to_str().expect("temporary paths are ASCII").to_string()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).expect("room for a small file");
        self.path(name)
    }

    /// A small untrained model: these tests are of the command line, not of what a model has learnt.
    fn model(&self) -> String {
        let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
        let weights = Weights::init(&config, 1);
        write_folder(Path::new(&self.path("model")), &config, &weights, &Lore::default())
            .expect("room for a small model");
        self.path("model")
    }

    /// The small model after its weights went through `spoil`.
    fn spoilt_model(&self, spoil: impl FnOnce(&[u8]) -> Vec<u8>) -> String {
        let path = Path::new(&self.model()).join("model.safetensors");
        let weights = fs::read(&path).expect("just written");
        fs::write(&path, spoil(&weights)).expect("room for a small model");
        self.path("model")
    }

    /// A rollout into `out`, without its model.
    fn rollout(&self) -> String {
        format!("rollout --seed 7 --policy wander --ticks 3 --out {}", self.path("out"))
    }
}

#[test]
fn missing_weights() {
    let place = Place::new();
    let line = format!("{} --model {}", place.rollout(), place.path("nowhere"));
    check(&line, MISTAKE, &["nowhere", "no such file", "--model"]);
    fs::remove_file(Path::new(&place.model()).join("model.safetensors")).expect("just written");
    let line = format!("{} --model {}", place.rollout(), place.path("model"));
    check(&line, MISTAKE, &["model.safetensors", "no such file", "--model"]);
    assert!(!Path::new(&place.path("out")).exists(), "nothing is written for a mistake");
}

#[test]
fn truncated_weights() {
    let place = Place::new();
    let model = place.spoilt_model(|weights| weights[..weights.len() / 2].to_vec());
    check(&format!("{} --model {model}", place.rollout()), MISTAKE, &["model.safetensors", "not a whole"]);
}

#[test]
fn weights_of_a_wrong_shape() {
    let place = Place::new();
    let model = place.spoilt_model(|weights| {
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
        [&(header.len() as u64).to_le_bytes(), header.as_slice(), &weights[8 + header_bytes..]].concat()
    });
    check(&format!("{} --model {model}", place.rollout()), MISTAKE, &["model.safetensors", "shape"]);
}

#[test]
fn a_config_with_an_unknown_key() {
    let place = Place::new();
    let config = place.write("tiny.toml", "steps = 5\nlerning_rate = 1\n");
    let line = format!("train --config {config} --run {}", place.path("run"));
    check(&line, MISTAKE, &["tiny.toml", "line 2", "`lerning_rate`", "expected"]);
    assert!(!Path::new(&place.path("run")).exists(), "nothing is written for a mistake");
    check("train --config /nowhere/tiny.toml", MISTAKE, &["/nowhere/tiny.toml"]);
    let model = place.model();
    fs::write(Path::new(&model).join("config.json"), "{\"d_modl\": 32}").expect("room for a small file");
    check(&format!("{} --model {model}", place.rollout()), MISTAKE, &["config.json", "`d_modl`"]);
}

#[test]
fn an_actions_file_with_a_bad_line_17() {
    let place = Place::new();
    let actions = place.write("walk.jsonl", "{\"forward\":true}\n".repeat(16) + "{\"forwards\":true}\n");
    let line = format!("rollout --seed 7 --actions {actions} --out {}", place.path("out"));
    check(&line, MISTAKE, &["walk.jsonl", "line 17", "`forwards`", "{\"forward\":true"]);
    assert!(!Path::new(&place.path("out")).exists(), "nothing is written for a mistake");
}

#[test]
fn a_seed_that_is_no_number() {
    for command in ["rollout", "play", "bench", "data"] {
        let help = format!("`holdfast {command} --help`");
        check(&format!("{command} --seed abc"), MISTAKE, &["'abc'", "--seed", "whole number", &help]);
    }
    check("--seed abc", MISTAKE, &["'abc'", "`holdfast --help`"]);
}

#[test]
fn a_device_that_is_not_there() {
    let place = Place::new();
    check(&format!("{} --device cuda", place.rollout()), MISTAKE, &["cuda", "--device cpu"]);
    check(&format!("{} --device abacus", place.rollout()), MISTAKE, &["abacus", "vulkan"]);
    check("bench --device cuda", MISTAKE, &["cuda", "--device cpu"]);
    #[cfg(feature = "view")]
    check("play --device cuda", MISTAKE, &["cuda", "--device cpu"]);
}

#[test]
fn arguments_that_are_missing_or_do_not_go_together() {
    check("rollout", MISTAKE, &["--out <DIR>", "see `holdfast rollout --help`"]);
    check("rollout --seed 7 --policy still --out x", MISTAKE, &["--ticks <N>"]);
    let dance = "rollout --seed 7 --policy dance --ticks 1 --out x";
    check(dance, MISTAKE, &["dance", "wander", "look_back"]);
    check("rollout --seed 7 --polcy still --out x", MISTAKE, &["--polcy", "--policy"]);
    check("rolout", MISTAKE, &["rolout", "rollout"]);
    check("data --size 128 --out x", MISTAKE, &["128x72"]);
}

#[test]
fn a_probe_that_is_not_there() {
    let place = Place::new();
    let (model, out) = (place.model(), place.path("out"));
    let line = format!("probe --suite turnaway --threads 1 --at-once 2 --model {model} --out {out}");
    check(&line, MISTAKE, &["\"turnaway\"", "turn_away, loop"]);
}

/// Ctrl-C while the first trials of many are there.
#[cfg(unix)]
#[test]
fn an_interrupted_suite_keeps_what_it_has_and_goes_on() {
    let place = Place::new();
    let trials = || fs::read_to_string(place.path("out/trials.jsonl")).unwrap_or_default();
    let line = format!(
        "probe --subject simulator --suite paired_history --seeds 1000100..1000130 --at-once 1 --model {} --out {}",
        place.model(),
        place.path("out")
    );
    let mut suite = command(&line).stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("the binary starts");
    while !trials().contains('\n') {
        assert_eq!(suite.try_wait().expect("our own child"), None, "it ended before its first trial");
        std::thread::sleep(Duration::from_millis(5));
    }
    let told = Command::new("kill").args(["-INT", &suite.id().to_string()]).status().expect("every Unix has kill");
    assert!(told.success() && suite.wait().expect("our own child").success());
    let kept = trials();
    assert!(kept.lines().count() < 30 && kept.ends_with('\n'), "{}", kept.lines().count());
    assert!(fs::metadata(place.path("out/report.html")).is_ok_and(|page| page.len() > 0), "what is there is shown");
    check_success(&format!("{line} --resume"));
    assert!(trials().starts_with(&kept) && trials().lines().count() == 30, "{}", trials().lines().count());
}

#[test]
fn an_out_that_holds_other_things() {
    let place = Place::new();
    fs::create_dir(place.path("out")).expect("room for a folder");
    let thesis = place.write("out/thesis.txt", "years");
    let line = format!("{} --model {}", place.rollout(), place.model());
    check(&line, MISTAKE, &["not empty", "--overwrite"]);
    check_success(&format!("{line} --overwrite"));
    assert!(Path::new(&thesis).is_file());
}

#[test]
fn a_picture_that_is_none() {
    let place = Place::new();
    let picture = place.write("photo.png", "GIF89a");
    let (model, out) = (place.model(), place.path("out"));
    let line = format!("rollout --image {picture} --policy still --ticks 1 --model {model} --out {out}");
    check(&line, MISTAKE, &["photo.png", "give a PNG picture"]);
}

#[test]
fn a_rollout_is_laid_out_as_documented_and_repeats_exactly() {
    let place = Place::new();
    let line = format!("{} --model {} --truth --unmarked --unsigned", place.rollout(), place.model());
    check_success(&line);
    let read =
        |name: &str| fs::read(place.path(&format!("out/{name}"))).unwrap_or_else(|error| panic!("{name}: {error}"));
    let first: Vec<_> = (0..4).map(|tick| read(&format!("frames/{tick:06}.png"))).collect();
    assert_eq!(first[0], read("truth/000000.png"), "both begin with the same picture");
    assert_ne!(first[3], read("truth/000003.png"), "and only the truth is the truth");
    for (name, lines) in [("actions.jsonl", 3), ("observations.jsonl", 4), ("truth.jsonl", 4)] {
        assert_eq!(read(name).iter().filter(|&&byte| byte == b'\n').count(), lines, "{name}");
    }
    assert!(read("strip.png").starts_with(b"\x89PNG"));
    let report: serde_json::Value = serde_json::from_slice(&read("rollout.json")).expect("JSON");
    for key in ["seed", "ticks", "device", "model_hash", "command", "version", "step_ms_p50", "step_ms_p95"] {
        assert!(!report[key].is_null(), "no {key} in {report}");
    }
    assert_eq!((report["seed"].as_u64(), report["ticks"].as_u64()), (Some(7), Some(3)));
    // The actions that were written, played again, give the same frames.
    let actions = place.write("again.jsonl", read("actions.jsonl"));
    check_success(&format!(
        "rollout --seed 7 --actions {actions} --model {} --out {} --unmarked --unsigned",
        place.model(),
        place.path("out")
    ));
    let second: Vec<_> = (0..4).map(|tick| read(&format!("frames/{tick:06}.png"))).collect();
    assert_eq!(first, second);
}

#[test]
fn a_rollout_starts_from_a_picture_of_any_size() {
    let place = Place::new();
    let out = place.path("episodes");
    check_success(&format!("data --seed 5 --episodes 1 --ticks 2 --size 200x100 --out {out}"));
    let picture = place.path("episodes/seed-5/frames/000002.png");
    let (model, out) = (place.model(), place.path("out"));
    check_success(&format!("rollout --image {picture} --policy still --ticks 2 --model {model} --out {out}"));
    assert!(Path::new(&place.path("out/frames/000002.png")).is_file());
}

fn read_png(path: &str) -> Frame {
    let file = std::io::BufReader::new(fs::File::open(path).expect("written"));
    let mut reader = png::Decoder::new(file).read_info().expect("a picture");
    let mut rgb = vec![0; reader.output_buffer_size().expect("a small picture")];
    let info = reader.next_frame(&mut rgb).expect("a picture");
    Frame { width: info.width as usize, height: info.height as usize, rgb }
}

#[test]
fn a_video_and_vpts_lines_beside_it_lead_a_rollout() {
    let place = Place::new();
    check_success(&format!("{} --model {} --format png,mp4 --unmarked --unsigned", place.rollout(), place.model()));
    let (video, actions, again) = (place.path("out/rollout.mp4"), place.path("out/rollout.jsonl"), place.path("again"));
    let model = place.model();
    check_success(&format!("rollout --image {video} --actions {actions} --model {model} --out {again} --unmarked"));
    let [first, start] = ["out", "again"].map(|out| read_png(&place.path(&format!("{out}/frames/000000.png"))));
    // What the encoder takes; colours of another standard would cost more.
    assert!(first.psnr_db(&start) > 32.0, "{} dB", first.psnr_db(&start));
    let done = |out: &str| fs::read_to_string(place.path(&format!("{out}/actions.jsonl"))).expect("written");
    let [before, after] = ["out", "again"].map(done);
    let walked = |lines: &str| lines.lines().map(|line| line.contains("\"forward\":true")).collect::<Vec<_>>();
    assert_eq!(walked(&after), walked(&before));
}

/// Runs `verify --json`: its exit code, and what it says by file name.
fn verify(path: &str) -> (Option<i32>, Vec<(String, String)>) {
    let output = holdfast(&format!("verify {path} --json"));
    let verdicts: Vec<serde_json::Value> = serde_json::from_slice(&output.stdout).expect("a list");
    let said = |verdict: &serde_json::Value| {
        let path = Path::new(verdict["path"].as_str().expect("a path"));
        let [credentials, watermark] = ["credentials", "watermark"].map(|key| verdict[key].as_str().expect("a word"));
        let said = format!("{credentials} {watermark} {}", verdict["generated"]);
        (path.file_name().expect("a file").to_str().expect("ASCII").to_string(), said)
    };
    (output.status.code(), verdicts.iter().map(said).collect())
}

#[test]
fn what_a_rollout_exports_is_signed_and_says_what_it_is() {
    let place = Place::new();
    let line = format!("{} --model {} --truth --format png,mp4,gif", place.rollout(), place.model());
    check_success(&line);
    let (code, mut verdicts) = verify(&place.path("out"));
    assert_eq!(code, Some(0), "{verdicts:?}");
    // The sheet holds small pictures of both, signed as such; how much of the mark stays is its own matter.
    let sheet = verdicts.iter().position(|(name, _)| name == "strip.png").expect("a contact sheet");
    assert!(verdicts.remove(sheet).1.starts_with("valid "));
    let ours = "valid found true";
    let truth = "valid not_found false";
    let expected = [
        ("000000.png", ours),
        ("000001.png", ours),
        ("000002.png", ours),
        ("000003.png", ours),
        ("rollout.gif", ours),
        ("rollout.mp4", ours),
        ("000000.png", truth),
        ("000001.png", truth),
        ("000002.png", truth),
        ("000003.png", truth),
        ("truth.gif", truth),
        ("truth.mp4", truth),
    ];
    assert_eq!(verdicts, expected.map(|(name, said)| (name.to_string(), said.to_string())));
    let actions = place.path("out/rollout.jsonl");
    check_success(&format!(
        "rollout --seed 7 --actions {actions} --model {} --out {} --unsigned",
        place.model(),
        place.path("again")
    ));
    let read = |name: &str| fs::read_to_string(place.path(name)).expect("written");
    assert_eq!(read("out/actions.jsonl").lines().count(), read("again/actions.jsonl").lines().count());
    assert_eq!(verify(&place.path("again")).0, Some(4), "not signed, and marked");
}

#[test]
fn what_was_changed_or_is_foreign_is_told() {
    let place = Place::new();
    check_success(&format!("{} --model {}", place.rollout(), place.model()));
    let mut bytes = fs::read(place.path("out/frames/000002.png")).expect("written");
    let at = bytes.len() - 40;
    bytes[at] ^= 1;
    let (code, verdicts) = verify(&place.write("changed.png", &bytes));
    assert_eq!((code, verdicts[0].1.starts_with("invalid ")), (Some(3), true), "{verdicts:?}");
    check_success(&format!("data --seed 5 --episodes 1 --ticks 1 --out {}", place.path("episodes")));
    let (code, verdicts) = verify(&place.path("episodes/seed-5/frames/000001.png"));
    assert_eq!((code, verdicts[0].1.as_str()), (Some(4), "none not_found null"));
    check(&format!("verify {}", place.write("notes.txt", "words")), MISTAKE, &["notes.txt", "PNG"]);
    check(&format!("verify {}", place.path("nowhere.png")), MISTAKE, &["nowhere.png"]);
    let words = String::from_utf8(holdfast(&format!("verify {}", place.path("out/frames"))).stdout).expect("UTF-8");
    assert!(words.contains("Signed by Holdfast local signer") && words.contains("generated by a model"), "{words}");
}

#[test]
fn a_certificate_that_cannot_sign() {
    let place = Place::new();
    let (chain, key) = (place.write("chain.pem", "none"), place.path("key.pem"));
    let line = format!("{} --model {} --sign-with {chain} {key}", place.rollout(), place.model());
    check(&line, MISTAKE, &["key.pem", "No such file"]);
    let key = place.write("key.pem", "none");
    let line = format!("{} --model {} --sign-with {chain} {key}", place.rollout(), place.model());
    check(&line, MISTAKE, &["chain.pem", "PKCS #8"]);
    assert!(!Path::new(&place.path("out")).exists(), "nothing is written for a mistake");
}

#[test]
fn bench_tells_machines_what_it_measured() {
    let place = Place::new();
    let output = check_success(&format!("bench --json --seconds 0.2 --model {}", place.model()));
    let figures: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let numbers = "frames_per_s step_ms_p50 step_ms_p95 step_ms_p99 key_to_pixel_ms_p50 key_to_pixel_ms_p95 \
                   gflop_per_frame matrix_peak_gflops share_of_peak threads width height";
    for key in numbers.split_whitespace() {
        assert!(figures[key].as_f64().is_some_and(|value| value > 0.0), "{key} in {figures}");
    }
    assert!(figures["device"].is_string() && figures["model_hash"].is_string() && figures["stages"].is_object());
    assert!(figures["rss_bytes"].as_u64().is_some() || !cfg!(target_os = "linux"));
}

#[test]
fn data_writes_episodes_that_load_back() {
    let place = Place::new();
    check_success(&format!("data --seed 11 --episodes 2 --ticks 5 --out {}", place.path("out")));
    for seed in [11, 12] {
        let folder = place.path(&format!("out/seed-{seed}"));
        let episode = holdfast_sim::episode::Episode::load(Path::new(&folder)).expect("whole");
        assert_eq!((episode.seed, episode.actions.len()), (seed, 5));
        let captions = fs::read_to_string(format!("{folder}/captions.jsonl")).expect("written");
        assert_eq!(captions.lines().count(), 6);
    }
    assert!(Path::new(&place.path("out/sheet.png")).is_file());
}

#[test]
fn help_and_version_are_no_errors() {
    for line in ["--help", "rollout --help", "--version"] {
        let output = check_success(line);
        assert!(output.stderr.is_empty(), "{line}");
        assert!(String::from_utf8_lossy(&output.stdout).contains("holdfast"), "{line}");
    }
}

/// A small file system of memory, unmounted at the end; `None` where only root may make one.
#[cfg(target_os = "linux")]
struct SmallDisk(Place);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn new(size: &str) -> Option<SmallDisk> {
        let place = Place::new();
        let options = format!("size={size}");
        let arguments = ["-t", "tmpfs", "-o", &options, "tmpfs", &place.path("")];
        let mounted = Command::new("mount").args(arguments).output();
        mounted.is_ok_and(|output| output.status.success()).then_some(SmallDisk(place))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        // A mount that stays behind is a nuisance, no reason to fail.
        let _ = Command::new("umount").arg(self.0.path("")).output();
    }
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk() {
    let Some(disk) = SmallDisk::new("256k") else {
        eprintln!("skipped: a small disk needs root; the recording's own tests hold a failing disk");
        return;
    };
    let (place, out) = (Place::new(), disk.0.path("out"));
    let line = format!("rollout --seed 7 --policy wander --ticks 200 --unsigned --model {} --out {out}", place.model());
    check(&line, FAILURE, &["No space left on device", "is kept", "free some space"]);
    let frames = fs::read_dir(format!("{out}/frames")).expect("kept").map(|entry| entry.expect("readable").path());
    let frames: Vec<_> = frames.collect();
    assert!(frames.len() > 2, "{frames:?}");
    for frame in &frames {
        assert!(fs::read(frame).expect("kept").ends_with(b"IEND\xaeB`\x82"), "{frame:?} is whole");
    }
    let lines = fs::read_to_string(format!("{out}/observations.jsonl")).expect("kept");
    assert!(lines.ends_with('\n') && lines.lines().count() + 1 >= frames.len(), "{lines}");
}
