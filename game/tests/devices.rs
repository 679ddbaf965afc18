//! A device that dies while somebody plays: the game goes on without it, or stops with the world kept.

#[path = "../../tests/faulty/mod.rs"]
mod faulty;
mod kept;

use bevy::input::keyboard::KeyCode;
use faulty::Faulty;
use holdfast_game::app::{
    menu::Screen,
    session::{Phase, Session},
};
use holdfast_model::{DeviceChoice, Dream, DreamOptions, keep::Save, train::first_frame};
use kept::{Place, Rig, err};
use std::{fs, path::PathBuf};

/// A game in play whose device fails after so many evaluations.
fn rig(place: &Place, device: DeviceChoice, after: usize) -> Rig {
    let make = move |model: holdfast_model::folder::ModelFolder| {
        let engine = Faulty::after(after, &model.config, &model.weights);
        let options = DreamOptions { device, ..DreamOptions::default() };
        Dream::with_engine(model, options, Box::new(first_frame), engine)
    };
    let mut rig = Rig::with_dream(place, make, |core| core);
    rig.tap(KeyCode::Enter);
    rig
}

fn device(rig: &Rig) -> String {
    rig.app.world().resource::<Session>().device.clone()
}

fn kept(place: &Place) -> Vec<PathBuf> {
    let entries = fs::read_dir(place.path("worlds")).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|kind| kind == "world")).collect()
}

#[test]
fn play_goes_on_when_the_device_dies_and_says_so() {
    let place = Place::new();
    let mut rig = rig(&place, DeviceChoice::Auto, 20);
    rig.until("play begins", |rig| rig.tick() > 0);
    assert_eq!(device(&rig), Faulty::NAME);
    rig.until("it is told", |rig| rig.notice().contains("device lost; cpu goes on"));
    rig.until("the display says so", |rig| device(rig) == "cpu");
    let tick = rig.tick();
    rig.until("play goes on", |rig| rig.tick() > tick + 20);
    assert_eq!(rig.screen(), Screen::Play);
    // The past is that of the processor alone: a rewind within it works.
    rig.key(KeyCode::KeyR, bevy::input::ButtonState::Pressed);
    rig.until("the past is shown", |rig| rig.notice().contains("s back"));
    rig.key(KeyCode::KeyR, bevy::input::ButtonState::Released);
    let tick = rig.tick();
    rig.until("play goes on from there", |rig| rig.tick() != tick);
    assert_eq!(rig.screen(), Screen::Play, "{}", rig.notice());
}

#[test]
fn a_named_device_that_dies_leaves_the_world_to_be_played_on() {
    let place = Place::new();
    let mut rig = rig(&place, DeviceChoice::Vulkan, 40);
    rig.until("it stops", |rig| rig.screen() == Screen::Failed);
    let Phase::Failed { message, .. } = rig.app.world().resource::<Session>().phase.clone() else {
        panic!("{:?}", rig.app.world().resource::<Session>().phase)
    };
    assert!(message.contains("device lost") && message.contains("--device cpu --load"), "{message}");
    rig.until("the world is kept", |_| !kept(&place).is_empty());
    drop(rig);
    let kept = kept(&place);
    let save = Save::open(&kept[0]).expect("whole");
    assert!(save.snapshot.tick() > 5, "{}", save.snapshot.tick());
    // What the message says to do.
    let line = format!("rollout --from {} --policy wander --ticks 3 --out on --device cpu", kept[0].display());
    let output = place.run(&line, 0);
    assert!(err(&output).is_empty() || !err(&output).contains("device lost"), "{}", err(&output));
}
