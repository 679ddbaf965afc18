//! What is kept, as a user meets it: recordings that outlive a kill, replays, forks, saves; and the game that saves,
//! loads and rewinds, with a real dream of a small untrained model.

mod kept;

use bevy::input::{ButtonState, keyboard::KeyCode};
use holdfast_game::app::{menu::Screen, session::Session};
use holdfast_model::{
    ModelConfig,
    folder::write_folder,
    keep::{
        Save,
        recording::{Beginning, Recording},
    },
    lore::Lore,
    train::first_frame,
    weights::Weights,
};
use kept::{PATIENCE, Place, Rig, err, out, replayed};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

#[test]
fn a_rollout_replays_hash_by_hash_and_a_changed_frame_is_found() {
    let place = Place::new();
    place.run("rollout --seed 7 --policy wander --ticks 45 --out out", 0);
    let told = out(&place.run("replay out/rollout.holdfast --check", 0));
    assert_eq!(told, "46 of 46 frames equal, in 1 line\n");
    // The same actions, recorded with a hash of another frame.
    let recording = Recording::open(&place.path("out/rollout.holdfast")).expect("whole");
    let file = fs::File::create(place.path("forged.holdfast")).expect("room");
    let mut forged = holdfast_model::keep::recording::Recorder::begin(file, &recording.about, false).expect("room");
    let line = &recording.lines[0];
    let (start, _) = first_frame(7, holdfast_sim::Camera::new(128, 72));
    forged.start(&line.beginning, line.noise_seed, 0, &start).expect("room");
    for (index, (action, hash)) in line.actions.iter().zip(&line.hashes).enumerate() {
        let hash = if index == 20 { [0; 32] } else { *hash };
        forged.push_hashed(action, hash, None).expect("room");
    }
    forged.finish().expect("room");
    let output = place.run("replay forged.holdfast --check", 1);
    assert!(out(&output).starts_with("45 of 46") && err(&output).contains("the first at tick 21"), "{}", err(&output));
}

#[test]
fn a_killed_rollout_is_readable_up_to_its_last_second() {
    let place = Place::new();
    let mut child = place
        .command("rollout --seed 7 --policy wander --ticks 100000 --out out")
        .stderr(Stdio::null())
        .spawn()
        .expect("the binary starts");
    let start = Instant::now();
    let frames = || fs::read_dir(place.path("out/frames")).map(Iterator::count).unwrap_or(0);
    while frames() < 60 {
        assert!(start.elapsed() < PATIENCE, "no frames");
        thread::sleep(Duration::from_millis(20));
    }
    child.kill().expect("our own child");
    child.wait().expect("our own child");
    let frames = frames() as u64;
    let output = place.run("replay out/rollout.holdfast --check", 0);
    assert!(err(&output).contains("no end mark") || err(&output).contains("cut off"), "{}", err(&output));
    let recorded = Recording::open(&place.path("out/rollout.holdfast")).expect("readable").ticks();
    assert!(recorded + 21 >= frames, "{recorded} ticks recorded of {frames} frames");
}

#[test]
fn forks_of_saves_and_recordings_leave_the_old_line_and_go_another_way() {
    let place = Place::new();
    place.run("rollout --seed 7 --policy wander --ticks 40 --out out", 0);
    let before = fs::read(place.path("out/rollout.holdfast")).expect("written");
    place.run("rollout --from out/rollout.holdfast --fork-at 25 --policy look_back --ticks 20 --out fork", 0);
    assert_eq!(fs::read(place.path("out/rollout.holdfast")).expect("still there"), before, "the old line");
    let frame = |path: &str| fs::read(place.path(path)).expect(path);
    assert_eq!(frame("fork/frames/000025.png"), frame("out/frames/000025.png"), "the fork begins where it was");
    assert_ne!(frame("fork/frames/000040.png"), frame("out/frames/000040.png"), "and goes another way");
    assert_eq!(out(&place.run("replay fork/rollout.holdfast --check", 0)), "21 of 21 frames equal, in 1 line\n");
    // The world that the fork began with is a save: from it the old line comes back.
    let recording = Recording::open(&place.path("fork/rollout.holdfast")).expect("whole");
    let Beginning::Save(save) = &recording.lines[0].beginning else { panic!("{:?}", recording.lines[0].beginning) };
    fs::write(place.path("at25.world"), save).expect("room");
    let rest: String = {
        let all = fs::read_to_string(place.path("out/actions.jsonl")).expect("written");
        all.lines().skip(25).map(|line| format!("{line}\n")).collect()
    };
    fs::write(place.path("rest.jsonl"), rest).expect("room");
    place.run("rollout --from at25.world --actions rest.jsonl --out again", 0);
    assert_eq!(frame("again/frames/000040.png"), frame("out/frames/000040.png"), "the unbroken run");
    // A tick before the save, made again from the line that the save carries.
    place.run("rollout --from at25.world --fork-at 10 --policy still --ticks 1 --out early", 0);
    assert_eq!(frame("early/frames/000010.png"), frame("out/frames/000010.png"));
    let told = err(&place.run("rollout --from at25.world --fork-at 26 --policy still --ticks 1 --out late", 2));
    assert!(told.contains("after its end") && told.contains("0 to 25"), "{told}");
}

#[test]
fn inspect_tells_what_a_file_holds() {
    let place = Place::new();
    place.run("rollout --seed 7 --policy wander --ticks 25 --out out", 0);
    place.run("rollout --from out/rollout.holdfast --policy still --ticks 3 --out on", 0);
    let tell = |file: &str| {
        let output = Command::new(env!("CARGO_BIN_EXE_holdfast")).arg("inspect").arg(place.path(file)).output();
        let output = output.expect("the binary starts");
        assert!(output.status.success(), "{}", err(&output));
        out(&output)
    };
    let told = tell("out/rollout.holdfast");
    for part in ["a recording of 25 ticks (1.2 s)", "model (", "from seed 7, tick 0 to 25", "missing      nothing"] {
        assert!(told.contains(part), "no {part:?} in {told}");
    }
    assert!(tell("on/rollout.holdfast").contains("from a save of"));
    let whole = fs::read(place.path("out/rollout.holdfast")).expect("written");
    fs::write(place.path("cut.holdfast"), &whole[..whole.len() - 30]).expect("room");
    assert!(tell("cut.holdfast").contains("cut off at byte"), "{}", tell("cut.holdfast"));
}

#[test]
fn inspect_draws_the_map() {
    let place = Place::new();
    place.run("rollout --seed 7 --policy wander --ticks 25 --out out", 0);
    let colours = |line: &str, file: &str| {
        let told = out(&place.run(line, 0));
        assert!(told.contains("model "), "the words stay: {told}");
        let file = fs::File::open(place.path(file)).expect("written");
        let mut reader = png::Decoder::new(std::io::BufReader::new(file)).read_info().expect("a PNG");
        let mut pixels = vec![0; reader.output_buffer_size().expect("small")];
        let info = reader.next_frame(&mut pixels).expect("whole");
        assert_eq!((info.width, info.height), (320, 180));
        pixels.chunks_exact(3).map(<[u8]>::to_vec).collect::<std::collections::BTreeSet<_>>().len()
    };
    // A recording is dreamed again; its end as a save needs no model.
    assert!(colours("inspect out/rollout.holdfast --map map.png --map-size 320x180", "map.png") > 40);
    place.run("rollout --from out/rollout.holdfast --policy still --ticks 1 --out on", 0);
    let recording = Recording::open(&place.path("on/rollout.holdfast")).expect("whole");
    let Beginning::Save(save) = &recording.lines[0].beginning else { panic!("{:?}", recording.lines[0].beginning) };
    fs::write(place.path("end.world"), save).expect("room");
    assert!(colours("inspect end.world --map saved.png --map-size 320x180", "saved.png") > 40);
    let told = err(&place.run("inspect end.world --map nowhere/map.png", 2));
    assert!(told.contains("nowhere/map.png"), "{told}");
    let told = err(&place.run("inspect end.world --map map.png --map-size 0x5", 2));
    assert!(told.contains("WIDTHxHEIGHT"), "{told}");
}

/// A small file system of memory, unmounted at the end; `None` where only root may make one.
#[cfg(target_os = "linux")]
struct SmallDisk(TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn new(options: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mount = Command::new("mount").args(["-t", "tmpfs", "-o", options, "tmpfs"]).arg(folder.path()).output();
        mount.is_ok_and(|output| output.status.success()).then_some(SmallDisk(folder))
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
fn a_full_or_read_only_disk_is_told_and_harms_nothing() {
    let place = Place::new();
    let (Some(full), Some(fixed)) = (SmallDisk::new("size=64k"), SmallDisk::new("ro")) else {
        eprintln!("skipped: a small disk needs root");
        return;
    };
    // Room for one small save, and not for another.
    let kept = full.0.path().join("world-1.world");
    fs::write(&kept, vec![7; 40 << 10]).expect("room");
    for (disk, reason) in [(&full, "No space left"), (&fixed, "Read-only")] {
        let folder = disk.0.path().to_path_buf();
        let mut rig =
            Rig::new(&place, |core| core.with_worlds(Some(folder.clone())).with_recordings(Some(folder.clone())));
        rig.tap(KeyCode::F5);
        rig.until("it is told", |rig| rig.notice().contains("not saved") && rig.notice().contains(reason));
        rig.tap(KeyCode::F2);
        rig.until("it is told", |rig| rig.notice().contains("not recording") && rig.notice().contains(reason));
        let before = rig.tick();
        rig.until("the game goes on", |rig| rig.tick() > before + 3);
    }
    assert_eq!(fs::read_dir(full.0.path()).expect("there").count(), 1, "no half a save or recording");
    assert_eq!(fs::read(&kept).expect("there"), vec![7; 40 << 10]);
    // A recording on a full disk: what fits stays, and is readable.
    fs::write(full.0.path().join("more"), vec![7; 12 << 10]).expect("room");
    let record = full.0.path().join("session.holdfast");
    let mut rig = Rig::new(&place, |core| core.with_record(Some(record.clone())));
    rig.until("it is told", |rig| rig.notice().contains("recording stopped") && rig.notice().contains("No space left"));
    let before = rig.tick();
    rig.until("the game goes on", |rig| rig.tick() > before + 3);
    drop(rig);
    let recording = Recording::open(&record).expect("its beginning is there");
    assert!(recording.ticks() >= 20 && recording.missing.is_some(), "{} ticks", recording.ticks());
    // And in a folder that takes no file.
    let told = Rig::refused(&place, |core| core.with_record(Some(fixed.0.path().join("session.holdfast"))));
    assert!(told.contains("cannot record to") && told.contains("Read-only"), "{told}");
}

#[test]
fn what_is_no_recording_or_of_another_model_says_so() {
    let place = Place::new();
    fs::write(place.path("photo.holdfast"), b"\x89PNG\r\n\x1a\n, and nothing else").expect("room");
    let told = err(&place.run("replay photo.holdfast --check", 2));
    assert!(told.contains("photo.holdfast") && told.contains("no recording of holdfast"), "{told}");
    assert!(err(&place.run("replay gone.holdfast --check", 2)).contains("gone.holdfast"));
    place.run("rollout --seed 7 --policy still --ticks 2 --out out", 0);
    let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
    write_folder(&place.path("model"), &config, &Weights::init(&config, 2), &Lore::default()).expect("room");
    let told = err(&place.run("replay out/rollout.holdfast --check", 2));
    assert!(told.contains("recorded with the model model (") && told.contains("--model"), "{told}");
    let told = err(&place.run("rollout --from out/rollout.holdfast --policy still --ticks 1 --out x", 2));
    assert!(told.contains("--model"), "{told}");
}

fn worlds(folder: &Path, prefix: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))).collect()
}

#[test]
fn a_game_saves_loads_rewinds_and_records_all_of_it() {
    let place = Place::new();
    let record = place.path("session.holdfast");
    let mut rig = Rig::new(&place, |core| core.with_record(Some(record.clone())));
    rig.key(KeyCode::KeyW, ButtonState::Pressed);
    rig.until("some way", |rig| rig.tick() >= 30);
    rig.tap(KeyCode::F5);
    rig.until("it is saved", |rig| rig.notice().starts_with("saved "));
    let saved = worlds(&place.path("worlds"), "world-").pop().expect("saved");
    let save = Save::open(&saved).expect("whole");
    let saved_tick = save.snapshot.tick();
    assert!(saved_tick >= 30 && save.line.actions.len() as u64 == saved_tick);

    // Time runs backwards while the key is held, and forks when it is let go.
    rig.until("farther on", |rig| rig.tick() >= saved_tick + 60);
    let newest = rig.tick();
    rig.key(KeyCode::KeyR, ButtonState::Pressed);
    rig.until("a second back", |rig| rig.tick() + 20 < newest);
    assert!(rig.notice().contains("s back"), "{}", rig.notice());
    let shown = rig.tick();
    rig.key(KeyCode::KeyR, ButtonState::Released);
    rig.key(KeyCode::KeyW, ButtonState::Released);
    rig.until("it goes on from there", |rig| rig.tick() > shown && rig.tick() < newest + 200);
    rig.until("the old line is kept", |_| worlds(&place.path("worlds"), "rewind-").len() == 1);
    let old = Save::open(&worlds(&place.path("worlds"), "rewind-")[0]).expect("whole");
    assert!(old.snapshot.tick() >= newest, "the old line with all of it");

    // F9 goes back to the save; what was played is kept.
    rig.tap(KeyCode::F9);
    rig.until("the save goes on", |rig| rig.tick() < saved_tick + 15);
    rig.until("what was played is kept", |_| worlds(&place.path("worlds"), "auto-").len() == 1);
    rig.until("a little more", |rig| rig.tick() > saved_tick + 20);

    // The menu lists all of them, with pictures.
    for key in [KeyCode::Escape, KeyCode::ArrowDown, KeyCode::ArrowDown, KeyCode::Enter] {
        rig.tap(key);
    }
    rig.until("the menu", |rig| rig.screen() == Screen::Worlds);
    let titles: Vec<_> = rig.app.world().resource::<Session>().saves.iter().map(|save| save.title.clone()).collect();
    assert_eq!(titles.len(), 3, "{titles:?}");
    assert!(titles.iter().all(|title| title.starts_with("seed 7, ")), "{titles:?}");
    let last = rig.hash();
    drop(rig);
    assert_eq!(worlds(&place.path("worlds"), "auto-").len(), 2, "one more at the end");

    // The recording holds every line, and all of it comes again.
    let recording = Recording::open(&record).expect("whole");
    assert_eq!(recording.missing, None);
    let kinds: Vec<_> = recording
        .lines
        .iter()
        .map(|line| match line.beginning {
            Beginning::Origin(_) => "origin",
            Beginning::Fork { .. } => "fork",
            Beginning::Save(_) => "save",
        })
        .collect();
    assert_eq!(kinds, ["origin", "fork", "save"]);
    assert!(recording.lines[0].last_tick() >= newest && recording.lines[1].first_tick <= shown);
    let hashes = replayed(&place, &record);
    assert!(hashes.len() > 100 && hashes.contains(&last), "{} frames", hashes.len());
}

#[test]
fn a_damaged_save_is_refused_and_the_game_goes_on() {
    let place = Place::new();
    let mut rig = Rig::new(&place, |core| core);
    rig.tap(KeyCode::F9);
    rig.until("nothing to load", |rig| rig.notice().contains("no saved world yet"));
    rig.tap(KeyCode::F5);
    rig.until("it is saved", |rig| rig.notice().starts_with("saved "));
    let saved = worlds(&place.path("worlds"), "world-").pop().expect("saved");
    let mut bytes = fs::read(&saved).expect("just written");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 4;
    fs::write(&saved, &bytes).expect("room");
    let before = rig.tick();
    rig.tap(KeyCode::F9);
    rig.until("it is refused", |rig| rig.notice().contains("damaged at byte"));
    rig.until("the game goes on", |rig| rig.tick() > before + 5);
    assert_eq!(rig.screen(), Screen::Play);
}

#[test]
fn of_saves_that_nobody_asked_for_three_stay() {
    let place = Place::new();
    for _ in 0..5 {
        drop(Rig::new(&place, |core| core));
    }
    assert_eq!(worlds(&place.path("worlds"), "auto-").len(), 3);
    assert_eq!(worlds(&place.path("worlds"), "").len(), 3, "and nothing else");
    let newest = worlds(&place.path("worlds"), "auto-").into_iter().max().expect("three");
    let rig = Rig::new(&place, |core| core.with_load(Some(newest.clone())));
    let tick = Save::open(&newest).expect("whole").snapshot.tick();
    assert!(rig.tick() >= tick, "it goes on after tick {tick}");
}
