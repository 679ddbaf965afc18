//! F2 in the game: video, the native recording and VPT's lines of actions, signed and marked, of all that was played.

mod kept;

use bevy::input::{ButtonState, keyboard::KeyCode};
use holdfast_game::{
    app::{menu::Screen, stats::Stats},
    export::{Notary, Seal},
    vpt,
};
use holdfast_media::{
    credentials::{Identity, Signer},
    verify::{Validity, verify},
};
use holdfast_model::keep::recording::{Beginning, Recording};
use kept::{Place, Rig, replayed};
use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

fn filming(place: &Place) -> Rig {
    let identity = Identity::of_this_computer(&place.path("identity")).expect("room");
    let signer = Signer::new(&identity).expect("just made");
    let seal = Seal { notary: Notary::Given(Arc::new(signer)), marks: true };
    Rig::new(place, |core| core.with_recordings(Some(place.path("clips"))).with_seal(seal))
}

fn clips(place: &Place, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(place.path("clips")).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut clips: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == ending)).collect();
    clips.sort();
    clips
}

fn only(place: &Place, ending: &str) -> PathBuf {
    let mut clips = clips(place, ending);
    assert_eq!(clips.len(), 1, "{clips:?}");
    clips.remove(0)
}

fn recorded(rig: &Rig) -> bool {
    rig.app.world().resource::<Stats>().recorded.is_some_and(|recorded| recorded.is_film)
}

#[track_caller]
fn is_signed_and_marked(path: &Path, place: &Place) {
    let anchors = Identity::anchors(&place.path("identity"));
    let verdict = verify(path, anchors.as_deref()).expect("readable");
    assert_eq!((verdict.credentials, verdict.generated), (Validity::Valid, Some(true)), "{}", verdict.words());
    assert!(verdict.words().contains("watermark"), "{}", verdict.words());
}

#[test]
fn f2_records_until_f2_and_what_it_wrote_replays_and_is_signed() {
    let place = Place::new();
    let mut rig = filming(&place);
    rig.until("some way", |rig| rig.tick() >= 8);
    rig.tap(KeyCode::F2);
    rig.until("it is told", |rig| rig.notice().starts_with("recording to "));
    rig.until("the display tells it", recorded);
    rig.key(KeyCode::KeyW, ButtonState::Pressed);
    let begun = rig.tick();
    rig.until("two seconds", |rig| rig.tick() >= begun + 40);
    // Back a little, and on another way.
    let newest = rig.tick();
    rig.key(KeyCode::KeyR, ButtonState::Pressed);
    rig.until("some ticks back", |rig| rig.tick() + 6 < newest);
    rig.key(KeyCode::KeyR, ButtonState::Released);
    rig.key(KeyCode::KeyW, ButtonState::Released);
    rig.until("the fork goes on", |rig| rig.tick() > newest + 5);
    rig.tap(KeyCode::F2);
    rig.until("it is told", |rig| rig.notice().starts_with("recorded "));
    rig.until("the display tells it", |rig| !recorded(rig));

    let native = only(&place, "holdfast");
    replayed(&place, &native);
    let recording = Recording::open(&native).expect("whole");
    assert!(matches!(recording.lines[0].beginning, Beginning::Save(_)), "it begins in the middle of a world");
    assert!(matches!(recording.lines[1].beginning, Beginning::Fork { line: 0 }), "the way back is a fork");
    let done: Vec<_> = recording.lines.iter().flat_map(|line| line.actions.iter().copied()).collect();
    let rows = fs::read(only(&place, "jsonl")).expect("written");
    let rows = vpt::read_jsonl(rows.as_slice()).expect("as VPT's");
    assert_eq!(rows, done[1..], "a row for each frame but the last");
    let video = only(&place, "mp4");
    let seconds = format!("{:.1} s", done.len() as f64 / 20.0);
    assert!(rig.notice().contains(&seconds) && !rig.notice().contains("dropped"), "{}: {seconds}", rig.notice());
    is_signed_and_marked(&video, &place);
}

#[test]
fn another_world_and_the_end_of_the_game_end_the_recording() {
    let place = Place::new();
    let mut rig = filming(&place);
    rig.tap(KeyCode::F2);
    rig.until("it records", recorded);
    let begun = rig.tick();
    rig.until("some ticks", |rig| rig.tick() >= begun + 10);
    for key in [KeyCode::Escape, KeyCode::ArrowDown, KeyCode::Enter, KeyCode::Enter] {
        rig.tap(key);
    }
    rig.until("another world", |rig| rig.screen() == Screen::Play && rig.tick() < begun + 10);
    rig.until("it is told", |rig| rig.notice().starts_with("recorded "));
    is_signed_and_marked(&only(&place, "mp4"), &place);
    rig.until("it no longer records", |rig| !recorded(rig));
    rig.tap(KeyCode::F2);
    rig.until("it records again", recorded);
    let begun = rig.tick();
    rig.until("some ticks", |rig| rig.tick() >= begun + 10);
    drop(rig);
    let videos = clips(&place, "mp4");
    assert_eq!(videos.len(), 2, "{videos:?}");
    videos.iter().for_each(|video| is_signed_and_marked(video, &place));
    clips(&place, "holdfast").iter().for_each(|native| drop(replayed(&place, native)));
}

#[test]
fn without_a_folder_it_says_so() {
    let place = Place::new();
    let mut rig = Rig::new(&place, |core| core);
    rig.tap(KeyCode::F2);
    rig.until("it is told", |rig| rig.notice().contains("--recordings DIR"));
}
