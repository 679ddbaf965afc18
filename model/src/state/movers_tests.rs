//! Tests of movers.

use super::*;
use crate::{
    matter::Matter,
    state::{Chart, Memory, Sight, chart::MOVER},
};
use holdfast_sim::{Depth, Frame};

const CAMERA: fn() -> Camera = || Camera::new(64, 48);

/// A red beast, a block wide and high, 5 blocks ahead and `right` aside, before a wall 9 blocks off.
fn meadow(pose: &Pose, right: f32) -> (Frame, Depth, Vec<Matter>) {
    let camera = CAMERA();
    let (mut frame, mut depth) = (Frame::new(64, 48), Depth::new(64, 48));
    let mut matters = vec![Matter::Rest; 64 * 48];
    let (axes, ahead) = (pose.axes(), Pose::default().axes());
    for at in 0..64 * 48 {
        let ray = camera.ray(&axes, at % 64, at / 64);
        let away = ray.dot(ahead.forward);
        let there = ray * (5.0 / away);
        let beast = away > 0.0 && (there.dot(ahead.right) - right).abs() < 0.5 && there.y.abs() < 0.5;
        let blocks = if beast { there.length() } else { (ray * (9.0 / away.abs().max(1e-3))).length().min(60.0) };
        depth.blocks[at] = blocks;
        frame.rgb[at * 3..at * 3 + 3].copy_from_slice(if beast { &[200, 20, 20] } else { &[20, 120, 20] });
        matters[at] = if beast { Matter::Animal } else { Matter::Rest };
    }
    (frame, depth, matters)
}

/// Watches the beast walk to the right for `watched` ticks and looks away for `away`; then reads ahead again.
fn remembered(watched: u32, pace: f32, away: u32) -> (Memory, Canvas) {
    let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), CAMERA());
    for tick in 0..watched + away {
        let yaw_deg = if tick < watched { 0.0 } else { 150.0 };
        let pose = Pose { yaw_deg, ..Pose::default() };
        memory.read(&pose, &camera, &mut sight);
        let (frame, depth, matters) = meadow(&pose, -1.5 + pace * tick as f32);
        let shown = Shown { matters: &matters, ..Shown::given(&frame, &depth, tick) };
        memory.write(&pose, &camera, &mut sight, &shown);
    }
    memory.read(&Pose::default(), &camera, &mut sight);
    (memory, sight.canvas)
}

/// Middle of what is red, blocks to the right at 5 blocks.
fn red_at(canvas: &Canvas) -> Option<f32> {
    let red: Vec<f32> =
        (0..64 * 48).filter(|&at| canvas.rgb[at][0] > 120.0).map(|at| (at % 64) as f32 + 0.5 - 32.0).collect();
    (red.len() > 20).then(|| red.iter().sum::<f32>() / red.len() as f32 * 5.0 / CAMERA().focal_px())
}

#[test]
fn what_walked_on_unseen_is_farther_on() {
    let (memory, canvas) = remembered(12, 0.07, 20);
    assert_eq!(memory.movers().count(), 1);
    let at = red_at(&canvas).expect("it is drawn");
    let (left, sure) = (-1.5 + 0.07 * 11.0, -1.5 + 0.07 * 32.0);
    assert!(at > left + 0.6 && at < sure + 0.1, "seen last at {left}, walked to {sure} at most, drawn at {at}");
}

#[test]
fn what_stood_still_stays_and_leaves_nothing_in_the_map() {
    let (memory, canvas) = remembered(12, 0.0, 30);
    let at = red_at(&canvas).expect("it is drawn");
    assert!((at + 1.5).abs() < 0.15, "{at}");
    assert!(memory.firm().cells() > 0);
    let (mut alone, mut sight) = (memory.clone(), Sight::default());
    alone.forget_movers();
    alone.read(&Pose::default(), &CAMERA(), &mut sight);
    assert_eq!(red_at(&sight.canvas), None, "a beast is no part of the ground");
}

#[test]
fn nothing_comes_to_life_before_ground_that_is_known() {
    let (mut memory, mut sight, pose) = (Memory::new(), Sight::default(), Pose::default());
    for tick in 0..12 {
        memory.read(&pose, &CAMERA(), &mut sight);
        // Nothing at first; then, in the middle of what is known, a beast.
        let (frame, depth, matters) = meadow(&pose, if tick < 4 { 100.0 } else { 0.0 });
        let shown = Shown { matters: &matters, ..Shown::given(&frame, &depth, tick) };
        memory.write(&pose, &CAMERA(), &mut sight, &shown);
    }
    assert_eq!(memory.movers().count(), 0);
    memory.read(&pose, &CAMERA(), &mut sight);
    assert_eq!(red_at(&sight.canvas), None, "what is known is still there");
}

#[test]
fn what_is_gone_from_where_it_should_be_is_forgotten() {
    let (mut memory, _) = remembered(8, 0.0, 0);
    let (mut sight, camera, pose) = (Sight::default(), CAMERA(), Pose::default());
    for tick in 8..8 + u32::from(MOST_MISSED) {
        assert_eq!(memory.movers().count(), 1);
        memory.read(&pose, &camera, &mut sight);
        let (frame, depth, matters) = meadow(&pose, 90.0);
        let shown = Shown { matters: &matters, ..Shown::given(&frame, &depth, tick) };
        memory.write(&pose, &camera, &mut sight, &shown);
    }
    assert_eq!(memory.movers().count(), 0);
}

#[test]
fn slots_are_few() {
    let mut movers = Movers::default();
    let (frame, depth, matters) = meadow(&Pose::default(), 0.0);
    for herd in 0..20u32 {
        let pose = Pose { position: [herd as f32 * 50.0, 0.0, 0.0], ..Pose::default() };
        let shown = Shown { matters: &matters, ..Shown::given(&frame, &depth, herd) };
        let sightings = movers.sight(&pose, &CAMERA(), &shown);
        movers.see(&pose, &CAMERA(), &shown, &sightings, |_| false);
    }
    assert_eq!(movers.count(), MOST_MOVERS);
    assert!(movers.is_sound());
    movers.slots[0].velocity.x = f32::NAN;
    assert!(!movers.is_sound());
}

#[test]
fn people_see_them_on_the_map() {
    let marked = |memory: &Memory| {
        let chart = memory.draw_chart(&Chart { most_blocks: 24.0, ..Chart::default() }, 96, 64);
        chart.rgb.chunks_exact(3).filter(|rgb| *rgb == MOVER).count()
    };
    let (mut memory, _) = remembered(12, 0.07, 20);
    assert!(marked(&memory) > 5, "{} pixels", marked(&memory));
    memory.forget_movers();
    assert_eq!(marked(&memory), 0);
}

#[test]
fn a_floor_is_no_beast_whatever_it_is_taken_for() {
    let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), CAMERA());
    let pose = Pose { position: [0.0, 1.6, 0.0], pitch_deg: 70.0, ..Pose::default() };
    let axes = pose.axes();
    let (mut frame, mut depth) = (Frame::new(64, 48), Depth::new(64, 48));
    frame.rgb.fill(90);
    for (at, blocks) in depth.blocks.iter_mut().enumerate() {
        let ray = camera.ray(&axes, at % 64, at / 64);
        *blocks = 1.6 / -ray.y * ray.length();
    }
    let spot = |at: usize| (20..40).contains(&(at % 64)) && (16..30).contains(&(at / 64));
    let matters: Vec<Matter> = (0..64 * 48).map(|at| if spot(at) { Matter::Animal } else { Matter::Grass }).collect();
    memory.read(&pose, &camera, &mut sight);
    memory.write(&pose, &camera, &mut sight, &Shown { matters: &matters, ..Shown::given(&frame, &depth, 0) });
    assert_eq!(memory.movers().count(), 0);
    memory.read(&pose, &camera, &mut sight);
    assert!((0..64 * 48).filter(|&at| spot(at)).all(|at| sight.canvas.known(at)), "it is remembered as ground");
}

#[test]
fn a_body_has_no_gaps_from_nearer_by() {
    let (mut memory, _) = remembered(8, 0.0, 0);
    let (mut sight, camera) = (Sight::default(), CAMERA());
    let axes = Pose::default().axes();
    let pose = Pose { position: (axes.forward * 2.6 - axes.right * 1.5).to_array(), ..Pose::default() };
    memory.read(&pose, &camera, &mut sight);
    let red: Vec<usize> = (0..64 * 48).filter(|&at| sight.canvas.rgb[at][0] > 120.0).collect();
    let side = |along: fn(usize) -> usize| {
        let (low, high) = (red.iter().map(|&at| along(at)).min(), red.iter().map(|&at| along(at)).max());
        high.zip(low).map_or(0, |(high, low)| high - low + 1)
    };
    let area = side(|at| at % 64) * side(|at| at / 64);
    assert!(area > 150 && red.len() * 20 > area * 19, "{} of {area} pixels", red.len());
}

#[test]
fn ground_that_was_known_does_not_come_to_life() {
    let (camera, pose) = (Camera::new(64, 48), Pose::default());
    let (mut memory, mut sight) = (Memory::new(), Sight::default());
    let (frame, depth, beast) = meadow(&pose, 0.0);
    // The first look takes what stands there for a bush, the later ones for a beast.
    for tick in 0..4 {
        let matters = if tick == 0 { vec![Matter::Grass; beast.len()] } else { beast.clone() };
        memory.read(&pose, &camera, &mut sight);
        let shown = Shown { matters: &matters, ..Shown::given(&frame, &depth, tick) };
        memory.write(&pose, &camera, &mut sight, &shown);
    }
    assert_eq!(memory.movers().count(), 0);
}
