//! Tests of what a dream carries from tick to tick.

use super::*;
use crate::{hotbar::Hotbar, materials::Materials, toughness::Toughness};

/// One tick in front of a wall so many blocks ahead, from half a block into a cell.
fn tick(situation: &mut Situation, action: &Action, wall_blocks: f32) -> Condition {
    let (pose, camera) = (Pose::default(), Camera::new(8, 8));
    let axes = pose.axes();
    let blocks = (0..64).map(|at| camera.ray(&axes, at % 8, at / 8).length() * wall_blocks).collect();
    let last = Depth { width: 8, height: 8, blocks };
    situation.act(action, [&pose, &pose], &camera, None, Some(&last), &Lore::default(), None)
}

#[test]
fn attack_is_counted_on_one_target_at_a_time() {
    let mut situation = Situation::default();
    let attack = Action { attack: true, ..Action::default() };
    let broken = |z: i32| Some(Change::Break(IVec3::new(0, 0, z)));
    for expected in 1..=4 {
        let condition = tick(&mut situation, &attack, 2.5 + 0.1 * (expected % 2) as f32);
        assert_eq!((condition.attack_ticks, condition.change), (expected, broken(3)));
    }
    // The block is gone: what stands behind it is another target.
    let condition = tick(&mut situation, &attack, 3.5);
    assert_eq!((condition.attack_ticks, condition.change), (1, broken(4)));
    assert_eq!(tick(&mut situation, &attack, 3.5).attack_ticks, 2);
    assert_eq!(tick(&mut situation, &Action::default(), 3.5).attack_ticks, 0);
    assert_eq!(tick(&mut situation, &attack, 3.5).attack_ticks, 1);
    // Nothing in reach: each tick is a first one.
    for _ in 0..2 {
        let condition = tick(&mut situation, &attack, Depth::SKY);
        assert_eq!((condition.attack_ticks, condition.change), (1, None));
    }
}

#[test]
fn a_block_breaks_when_its_matter_does_and_use_places_in_turns() {
    let (pose, camera) = (Pose::default(), Camera::new(8, 8));
    let axes = pose.axes();
    let blocks = (0..64).map(|at| camera.ray(&axes, at % 8, at / 8).length() * 2.5).collect();
    let wall = Depth { width: 8, height: 8, blocks };
    let mut ticks = [0; Matter::COUNT];
    (ticks[Matter::Sand as usize], ticks[Matter::Stone as usize]) = (3, 9);
    let texel = |at: usize| (at * 7 % 250) as u8;
    let lore = Lore {
        toughness: Toughness::new(ticks),
        materials: Materials::new((0..Materials::BYTES).map(texel).collect()),
        ..Lore::default()
    };
    let side: Vec<u8> = lore.materials.picture(Matter::Sand, 1).copied().collect();
    let lore = Lore { hotbar: Hotbar::new(side.repeat(Hotbar::SLOTS)), ..lore };
    let frame = holdfast_sim::Frame::new(8, 8);
    let mut situation = Situation::default();
    let due = |situation: &mut Situation, action: &Action, shows: Matter| {
        let matters = [shows; 64];
        situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &wall, 1) });
        situation.act(action, [&pose, &pose], &camera, None, Some(&wall), &lore, None).due
    };
    let attack = Action { attack: true, ..Action::default() };
    // Its cracks look like stone; it is sand.
    let shown = [Matter::Sand, Matter::Sand, Matter::Stone, Matter::Sand, Matter::Sand];
    let broken = shown.map(|shows| due(&mut situation, &attack, shows));
    assert_eq!(broken, [false, false, true, false, false].map(Some), "and then the next block is begun");
    due(&mut situation, &Action::default(), Matter::Stone);
    let place = Action { use_: true, ..Action::default() };
    let placed = [0; 6].map(|_| due(&mut situation, &place, Matter::Stone));
    assert_eq!(placed, [true, false, false, false, true, false].map(Some));
    // What it put there it knows, whatever is seen: sand, in the cell before the wall.
    let due_on = |situation: &mut Situation, blocks: f32, action: &Action| {
        let blocks = (0..64).map(|at| camera.ray(&axes, at % 8, at / 8).length() * blocks).collect();
        let wall = Depth { width: 8, height: 8, blocks };
        let canvas =
            Canvas { width: 8, height: 8, depth_blocks: wall.blocks, confidence: vec![1.0; 64], ..Canvas::default() };
        situation.act(action, [&pose, &pose], &camera, Some(&canvas), None, &lore, None).due
    };
    let broken = [1.5; 4].map(|blocks| due_on(&mut situation, blocks, &attack));
    assert_eq!(broken, [false, false, true, false].map(Some));
    assert!(situation.made().is_empty());
    // Not into the player.
    let feet = Pose { position: [0.5, EYE_HEIGHT, 0.5], ..Pose::default() };
    assert!(is_in_the_way(&feet, IVec3::ZERO) && is_in_the_way(&feet, IVec3::Y));
    assert!(!is_in_the_way(&feet, IVec3::NEG_Y) && !is_in_the_way(&feet, IVec3::X));
}

#[test]
fn the_hand_sets_panes_and_the_denoiser_is_told_of_none() {
    let (pose, camera) = (Pose::default(), Camera::new(8, 8));
    let texel = |at: usize| (at * 7 % 250) as u8;
    let materials = Materials::new((0..Materials::BYTES).map(texel).collect());
    let side: Vec<u8> = materials.picture(Matter::Glass, 1).copied().collect();
    let lore = Lore { hotbar: Hotbar::new(side.repeat(Hotbar::SLOTS)), materials, ..Lore::default() };
    let canvas =
        Canvas { width: 8, height: 8, depth_blocks: vec![2.5; 64], confidence: vec![1.0; 64], ..Canvas::default() };
    let use_ = Action { use_: true, ..Action::default() };
    let set = |situation: &mut Situation, canvas: Option<&Canvas>, truly: Option<&dyn Fn(IVec3) -> bool>| {
        let last =
            Depth { width: 8, height: 8, blocks: canvas.map_or(vec![2.5; 64], |canvas| canvas.depth_blocks.clone()) };
        let condition = situation.act(&use_, [&pose, &pose], &camera, canvas, Some(&last), &lore, truly);
        (condition.due, condition.pane)
    };
    let mut situation = Situation::default();
    let cell = IVec3::new(0, 0, 2);
    assert_eq!(set(&mut situation, Some(&canvas), None), (Some(false), Some(cell)));
    assert_eq!(situation.made().get(&cell.to_array()), Some(&Matter::Glass));
    assert_eq!(set(&mut situation, Some(&canvas), None), (Some(false), None), "use acts in turns");
    assert_eq!(set(&mut Situation::default(), None, None), (None, None), "without a memory");
    assert_eq!(set(&mut Situation::default(), Some(&canvas), Some(&|_| true)), (None, None), "in training");
}

#[test]
fn water_runs_into_what_is_dug_beside_it_until_that_is_filled() {
    let (camera, pose) = (Camera::new(64, 48), Pose { position: [0.5, 2.0, 0.5], pitch_deg: 30.0, ..Pose::default() });
    let axes = pose.axes();
    let blocks = (0..64 * 48).map(|pixel| {
        let ray = camera.ray(&axes, pixel % 64, pixel / 64).normalize();
        if ray.y < 0.0 { (2.0 - 0.875) / -ray.y } else { Depth::SKY }
    });
    let (frame, depth) = (holdfast_sim::Frame::new(64, 48), Depth { width: 64, height: 48, blocks: blocks.collect() });
    let last = Last { pose, camera: &camera, frame: &frame, depth: &depth };
    let (under, mut situation) = (IVec3::new(0, -1, 3), Situation::default());
    situation.take_note(Change::Break(under), &Lore::default());
    assert!(situation.known().flows().is_still(), "nothing is known of water");
    Arc::make_mut(&mut situation.known).water.see(&last, &[Matter::Water; 64 * 48], true);
    situation.take_note(Change::Break(under), &Lore::default());
    let flows = situation.known().flows();
    assert!(flows.is_in(under + IVec3::Y) && !flows.is_in(under) && !flows.is_still());
    situation.fill(under + IVec3::Y, Matter::Stone);
    assert!(!situation.known().flows().is_in(under + IVec3::Y));
}

#[test]
fn what_is_placed_stands_before_what_was_aimed_at() {
    let place = Action { use_: true, ..Action::default() };
    let condition = tick(&mut Situation::default(), &place, 2.5);
    assert_eq!(condition.change, Some(Change::Place(IVec3::new(0, 0, 2))));
}

#[test]
fn a_cake_is_bitten_and_nothing_is_placed_on_it() {
    let (mut situation, pose, camera) = (Situation::default(), Pose::default(), Camera::new(8, 8));
    let place = Action { use_: true, ..Action::default() };
    let (frame, depth) = (holdfast_sim::Frame::new(8, 8), Depth::new(8, 8));
    let mut matters = [Matter::Cake; 64];
    situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &depth, 1) });
    assert_eq!(tick(&mut situation, &place, 2.5).change, Some(Change::Bite(IVec3::new(0, 0, 3))));
    (3..6).for_each(|row| matters[row * 8 + 3..row * 8 + 6].fill(Matter::Sand));
    situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &depth, 2) });
    assert_eq!(tick(&mut situation, &place, 2.5).change, Some(Change::Place(IVec3::new(0, 0, 2))));
}

#[test]
fn a_cake_of_the_start_is_eaten_slice_by_slice_and_is_then_gone() {
    // The crosshair is on the slice that goes last.
    let pose = Pose { position: [0.85, 1.62, 0.5], pitch_deg: 30.0, ..Pose::default() };
    let camera = Camera::new(8, 8);
    let canvas =
        Canvas { width: 8, height: 8, depth_blocks: vec![3.2; 64], confidence: vec![1.0; 64], ..Canvas::default() };
    let mut situation = Situation::begin(Grid { yaw_deg: 0.0, origin: [0.0; 3] });
    let cell = IVec3::new(0, 0, 2);
    situation.find_cakes(Cakes::from([(cell.to_array(), 0)]));
    let mut bites = Vec::new();
    for slice in 1..=cake::SLICES {
        for use_ in [true, slice < cake::SLICES, false] {
            let action = Action { use_, ..Action::default() };
            let condition =
                situation.act(&action, [&pose, &pose], &camera, Some(&canvas), None, &Lore::default(), None);
            if use_ {
                assert_eq!(condition.change, Some(Change::Bite(cell)));
                bites.push((condition.eaten, condition.due));
            }
        }
    }
    // Held, it is not eaten at once.
    assert_eq!(
        bites[..4],
        [(Some(0), Some(true)), (Some(1), Some(false)), (Some(1), Some(true)), (Some(2), Some(false))]
    );
    let action = Action { use_: true, ..Action::default() };
    let condition = situation.act(&action, [&pose, &pose], &camera, Some(&canvas), None, &Lore::default(), None);
    assert!(!matches!(condition.change, Some(Change::Bite(_))), "{:?}", condition.change);
    assert_eq!(condition.eaten, None);
}

#[test]
fn the_slot_stays_until_another_is_chosen() {
    let mut situation = Situation::default();
    assert_eq!(tick(&mut situation, &Action { hotbar: 4, ..Action::default() }, 9.0).slot, 4);
    assert_eq!(tick(&mut situation, &Action::default(), 9.0).slot, 4);
    let used = [true, true, false, true].map(|use_| {
        let action = Action { use_, ..Action::default() };
        tick(&mut situation, &action, 9.0).use_ticks
    });
    assert_eq!(used, [1, 2, 0, 1]);
}

#[test]
fn sand_falls_when_what_it_stands_on_is_taken_away() {
    let (pose, camera) = (Pose { position: [0.5, 1.62, 0.5], ..Pose::default() }, Camera::new(32, 24));
    let grid = Grid { yaw_deg: 0.0, origin: [0.5, 0.62, 0.5] };
    let lore = Lore { toughness: Toughness::new([4; Matter::COUNT]), ..Lore::default() };
    // A wall of sand, three blocks ahead.
    let axes = pose.axes();
    let blocks: Vec<f32> = (0..32 * 24).map(|at| camera.ray(&axes, at % 32, at / 32).length() * 2.5).collect();
    let (frame, wall) = (holdfast_sim::Frame::new(32, 24), Depth { width: 32, height: 24, blocks });
    let dug = |matter: Matter| {
        let (mut situation, in_map) = (Situation::begin(grid), Pose::default());
        let matters = vec![matter; 32 * 24];
        let shown = Shown { matters: &matters, ..Shown::given(&frame, &wall, 1) };
        let attack = Action { attack: true, ..Action::default() };
        for _ in 0..3 {
            situation.act(&attack, [&in_map, &in_map], &camera, None, Some(&wall), &lore, None);
            situation.see(&in_map, &camera, &shown);
        }
        let broken = situation.act(&attack, [&in_map, &in_map], &camera, None, Some(&wall), &lore, None);
        let alignment = Alignment::new(&in_map, &grid.place(&in_map));
        let last = Last { pose: grid.place(&in_map), camera: &camera, frame: &frame, depth: &wall };
        let mut memory = Memory::new();
        let stirred: usize = (0..2).map(|tick| situation.stir(&mut memory, &alignment, &last, &lore, tick).len()).sum();
        (broken.change.is_some(), stirred)
    };
    assert_eq!(dug(Matter::Stone), (true, 0));
    assert_eq!(dug(Matter::Sand), (true, 2), "from one cell to the one below");
}
