//! A recording in the window, without the window: it plays by itself, stands still, steps, seeks back and forth, and every
//! frame that it shows is the recorded one.

mod kept;

use bevy::input::keyboard::KeyCode;
use holdfast_game::app::{menu::Screen, playback::Replayed, stats::Stats};
use holdfast_model::keep::{
    About, Origin, frame_hash,
    recording::{Beginning, Recorder, Recording},
};
use holdfast_sim::{Action, Start, World};
use kept::{Place, Rig};
use std::fs::File;

/// Ticks of the first line: more than are kept in memory at once.
const LONG: u64 = 340;
/// Where the second line leaves it.
const FORK_AT: u64 = 30;
const FORK: u64 = 25;

/// A recording of two lines, and the hash of each of its frames.
fn recording(place: &Place) -> (Recording, Vec<[u8; 32]>) {
    let path = place.path("walk.holdfast");
    let mut dream = place.dream();
    let mut recorder: Recorder<File> = Recorder::create(&path, &About::of(&dream, "small"), false).expect("a new file");
    let first = dream.reset(&Start::Seed(7)).expect("any seed");
    let noise_seed = dream.options().noise_seed;
    recorder.start(&Beginning::Origin(Origin::Seed(7)), noise_seed, 0, &first.frame).expect("room");
    let mut hashes = vec![frame_hash(&first.frame)];
    let mut fork = None;
    let play = |action: Action, recorder: &mut Recorder<File>, dream: &mut holdfast_model::Dream| {
        let frame = dream.step(&action).expect("it goes on").frame;
        recorder.push(&action, &frame).expect("room");
        frame_hash(&frame)
    };
    for tick in 1..=LONG {
        let action = Action { forward: true, camera: [0.0, 2.0], ..Action::default() };
        hashes.push(play(action, &mut recorder, &mut dream));
        if tick == FORK_AT {
            fork = dream.snapshot();
        }
    }
    let back = dream.restore(&fork.expect("a dream that has begun")).expect("its own world");
    recorder.fork(FORK_AT, noise_seed, &back.frame).expect("room");
    hashes.push(frame_hash(&back.frame));
    for _ in 0..FORK {
        let action = Action { back: true, camera: [0.0, -3.0], ..Action::default() };
        hashes.push(play(action, &mut recorder, &mut dream));
    }
    recorder.finish().expect("room");
    (Recording::open(&path).expect("whole"), hashes)
}

fn replayed(rig: &Rig) -> Replayed {
    rig.app.world().resource::<Stats>().replayed.expect("a replay")
}

/// Waits until nothing more is made, and checks the frame.
#[track_caller]
fn stands_at(rig: &mut Rig, frame: u64, hashes: &[[u8; 32]]) {
    rig.until("the frame", |rig| replayed(rig).frame == frame && replayed(rig).wanted.is_none());
    assert_eq!(rig.hash(), hashes[frame as usize], "frame {frame}");
    assert_eq!(replayed(rig).different, 0);
}

#[test]
fn a_recording_plays_stands_steps_and_seeks() {
    let place = Place::new();
    let (recording, hashes) = recording(&place);
    let last = hashes.len() as u64 - 1;
    let mut rig = Rig::unstarted(&place, |core| core.with_replay(Some(recording)));
    rig.until("it plays by itself", |rig| rig.screen() == Screen::Play && rig.tick() >= 5);
    rig.tap(KeyCode::Space);
    rig.until("it stands", |rig| replayed(rig).is_paused);
    let at = replayed(&rig).frame;
    stands_at(&mut rig, at, &hashes);
    rig.tap(KeyCode::Period);
    stands_at(&mut rig, at + 1, &hashes);
    rig.tap(KeyCode::Comma);
    rig.tap(KeyCode::Comma);
    stands_at(&mut rig, at - 1, &hashes);

    // The end is another line; the beginning is no longer in memory then, and is made again.
    rig.tap(KeyCode::End);
    stands_at(&mut rig, last, &hashes);
    assert_eq!((replayed(&rig).line, rig.tick()), (1, FORK_AT + FORK));
    rig.tap(KeyCode::Home);
    stands_at(&mut rig, 0, &hashes);
    rig.tap(KeyCode::ArrowRight);
    stands_at(&mut rig, 100, &hashes);
    // Not in memory either, and found from a bookmark.
    rig.tap(KeyCode::End);
    stands_at(&mut rig, last, &hashes);
    for _ in 0..3 {
        rig.tap(KeyCode::ArrowLeft);
    }
    stands_at(&mut rig, last - 300, &hashes);
    rig.tap(KeyCode::Comma);
    stands_at(&mut rig, last - 301, &hashes);

    rig.tap(KeyCode::ArrowUp);
    rig.tap(KeyCode::Space);
    rig.until("it goes on, faster", |rig| {
        let replayed = replayed(rig);
        !replayed.is_paused && replayed.speed == 2.0 && replayed.frame >= last - 290
    });
    rig.tap(KeyCode::F5);
    rig.until("nothing is saved", |rig| rig.notice().contains("this is a recording"));
    rig.tap(KeyCode::End);
    rig.until("it stands at the end", |rig| replayed(rig).is_paused && replayed(rig).frame == last);
    rig.tap(KeyCode::Space);
    rig.until("it begins anew", |rig| !replayed(rig).is_paused && replayed(rig).frame < 50);
}

#[test]
fn frames_that_are_others_are_counted() {
    let place = Place::new();
    let (mut recording, _) = recording(&place);
    recording.lines[0].hashes[2] = [0; 32];
    let mut rig = Rig::unstarted(&place, |core| core.with_replay(Some(recording)));
    rig.until("it plays", |rig| rig.screen() == Screen::Play && rig.tick() >= 5);
    assert_eq!(replayed(&rig).different, 1);
}
