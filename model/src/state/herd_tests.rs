//! Tests of the herd.

use super::*;
use crate::{
    creature::Part,
    grid::Grid,
    state::{Memory, Shown, Sight},
    trodden::Trodden,
    water::Water,
};

/// A red block on four legs, which walks a tenth of a block a tick.
fn creatures() -> Creatures {
    let part = |x: f32, y: f32, z: f32, half: Vec3| Part {
        middle: Vec3::new(x, y, z),
        half,
        rgb: [200, 0, 0].repeat(Part::BYTES / 3),
    };
    let leg = Vec3::new(0.1, 0.2, 0.1);
    let legs = [(-0.3, -0.3), (-0.3, 0.3), (0.3, -0.3), (0.3, 0.3)].map(|(x, z)| part(x, 0.2, z, leg));
    let parts = std::iter::once(part(0.0, 0.7, 0.0, Vec3::splat(0.35))).chain(legs).collect();
    Creatures::new(vec![Creature { parts, pace_blocks: 0.1 }])
}

/// One that stands so far ahead of a player at the origin, whose eye is 1.62 blocks above level ground, facing so.
fn herd(ahead: f32, yaw_deg: f32) -> Herd {
    let feet = Vec3::new(0.0, -1.62, ahead);
    let found = Found { kind: 0, feet, yaw_deg, likeness: 1.0, brightness: 0.5 };
    let at_origin = Alignment::new(&Pose::default(), &Pose::default());
    Herd::begin(&[found], &at_origin, 0.0, 0.5)
}

/// Lets a herd live for some ticks, the player at the origin, in what a memory holds.
fn after(mut herd: Herd, map: &WorldState, ticks: u32) -> Herd {
    let (trodden, water) = (Trodden::default(), Water::default());
    let grid = Grid { origin: [0.5, 0.62, 0.5], ..Grid::ALIGNED };
    let ground = Ground { grid, trodden: &trodden, water: &water };
    let alignment = Alignment::new(&Pose::default(), &grid.place(&Pose::default()));
    let eye = Pose::default().eye();
    (1..=ticks).for_each(|tick| herd.live(map, eye, &alignment, &ground, &creatures(), tick));
    herd
}

fn place(herd: &Herd) -> Vec3 {
    herd.places().next().expect("there is one").0
}

#[test]
fn it_walks_where_it_faces_and_then_as_it_likes() {
    let nothing = WorldState::new();
    let walked = place(&after(herd(5.0, 90.0), &nothing, 20));
    assert!(walked.abs_diff_eq(Vec3::new(-2.0, -1.62, 5.0), 1e-3), "{walked}");
    let long = || after(herd(5.0, 90.0), &nothing, 600);
    assert_eq!(long(), long(), "the same lots");
    let moved = (0..20).map(|at| place(&after(herd(5.0 + at as f32 * 0.1, 90.0), &nothing, 600)));
    let far: Vec<f32> = moved.map(|feet| feet.with_y(0.0).distance(Vec3::new(0.0, 0.0, 6.0))).collect();
    let mean = far.iter().sum::<f32>() / 20.0;
    assert!((3.0..30.0).contains(&mean), "it neither stands nor runs away: {far:?}");
    assert!(far.iter().any(|it| (it - far[0]).abs() > 1.0), "others do otherwise: {far:?}");
}

#[test]
fn it_walks_into_nobody() {
    let nothing = WorldState::new();
    let least = (1..80).map(|ticks| place(&after(herd(3.0, 180.0), &nothing, ticks)).with_y(0.0).length());
    let least = least.fold(f32::INFINITY, f32::min);
    assert!((0.8..2.0).contains(&least), "it comes near and goes round: {least}");
}

#[test]
fn a_wall_turns_it_aside() {
    let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), Camera::new(64, 48));
    let pose = Pose::default();
    let (mut frame, mut depth) = (Frame::new(64, 48), Depth::new(64, 48));
    frame.rgb.fill(90);
    for at in 0..64 * 48 {
        let ray = camera.ray(&pose.axes(), at % 64, at / 64);
        // Blocks begin at half-blocks ahead.
        let wall = 5.5 * ray.length() / ray.z;
        depth.blocks[at] = if ray.y < 0.0 { wall.min(1.62 * ray.length() / -ray.y) } else { wall };
    }
    memory.read(&pose, &camera, &mut sight);
    memory.write(&pose, &camera, &mut sight, &Shown::given(&frame, &depth, 0));
    let farthest = |map: &WorldState| {
        (1..60).map(|ticks| place(&after(herd(3.0, 0.0), map, ticks)).z).fold(f32::NEG_INFINITY, f32::max)
    };
    let (open, walled) = (farthest(&WorldState::new()), farthest(memory.firm()));
    assert!(open > 7.0, "{open}");
    assert!((4.0..5.5).contains(&walled), "{walled}");
}

#[test]
fn it_shows_before_what_is_farther_off_in_the_light_that_there_is() {
    let (camera, pose) = (Camera::new(64, 48), Pose::default());
    let shown = |blocks: f32, brightness: f32| {
        let (mut frame, mut depth) = (Frame::new(64, 48), Depth::new(64, 48));
        depth.blocks.fill(blocks);
        let (kinds, light) = (creatures(), FaceLight::default());
        herd(4.0, 0.0).show(&pose, &camera, (&kinds, &light), brightness, (&mut frame, &mut depth));
        let red: Vec<usize> = (0..64 * 48).filter(|at| frame.rgb[at * 3] > 0).collect();
        assert!(red.iter().all(|&at| (3.0..5.0).contains(&depth.blocks[at])), "how far off it is shows too");
        (red.len(), red.iter().map(|at| frame.rgb[at * 3]).max())
    };
    let (pixels, day) = shown(20.0, 0.5);
    assert!(pixels > 30, "{pixels}");
    assert_eq!(day, Some(100), "as bright as it was found");
    assert_eq!(shown(20.0, 0.25).1, Some(50), "at dusk");
    assert_eq!(shown(2.0, 0.5), (0, None), "behind something");
}

#[test]
fn what_cannot_be_is_refused() {
    let mut sound = herd(4.0, 0.0);
    assert!(sound.is_sound() && Herd::default().is_sound());
    sound.beasts[0].feet.x = f32::NAN;
    assert!(!sound.is_sound());
    let mut many = herd(4.0, 0.0);
    many.beasts = vec![many.beasts[0]; MOST_BEASTS + 1];
    assert!(!many.is_sound());
    let mut unknown = herd(4.0, 0.0);
    unknown.beasts[0].kind = 200;
    assert!(unknown.is_sound(), "of a kind that this model does not know");
    assert_eq!(place(&after(unknown.clone(), &WorldState::new(), 9)), place(&unknown), "it waits for one that does");
}
