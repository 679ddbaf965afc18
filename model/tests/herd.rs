//! Animals that a start shows: recognised, alive, and kept with the rest of the dream.

use glam::{IVec3, Vec3};
use holdfast_model::{
    Dream, DreamOptions, ModelConfig, creature,
    engine::{DeviceFault, Engine},
    folder::ModelFolder,
    keep::Snapshot,
    layout::{encode_depth, input, output},
    matter::Matter,
    train::{lore, true_matters},
};
use holdfast_sim::{
    Action, Camera, Depth, Frame, Pose, Start, World,
    voxel::{block::Block, entity::Kind, render::View, world::VoxelWorld},
};

const CAMERA: Camera = Camera { width: 128, height: 72, fov_y_deg: Camera::FOV_Y_DEG };

/// A world whose player looks at an animal so far ahead on the ground, where there is some; and what is seen.
fn beside(seed: u64, kind: Kind, ahead: f32, turned_deg: f32) -> Option<(VoxelWorld, View)> {
    let mut world = VoxelWorld::new(CAMERA);
    world.reset_seed(seed);
    world.clear_animals();
    let axes = Pose { pitch_deg: 0.0, ..world.pose() }.axes();
    let there = (world.player().feet.as_vec3() + axes.forward * ahead).floor().as_ivec3();
    let is_ground = |cell: &IVec3| world.block(*cell) == Block::Air && world.block(*cell - IVec3::Y).is_full_cube();
    let cell = (-2..=1).rev().map(|up| there + IVec3::Y * up).find(is_ground)?;
    let yaw_deg = world.player().yaw_deg + turned_deg;
    world.spawn_animal(kind, cell.as_vec3() + Vec3::new(0.5, 0.0, 0.5), yaw_deg, 200);
    let mut view = View::new(CAMERA.width, CAMERA.height);
    world.view(&CAMERA, &mut view);
    let shown = view.block_ids.iter().filter(|id| **id == View::ENTITY).count();
    (shown > 40).then_some((world, view))
}

#[test]
fn kind_place_and_heading_are_told_by_the_look() {
    let (mut shown, mut found, mut right) = (0, 0, 0);
    for seed in 900..948 {
        let (kind, ahead) = (Kind::ALL[seed as usize % 3], 3.0 + (seed % 4) as f32);
        let Some((world, view)) = beside(seed, kind, ahead, seed as f32 * 77.0) else { continue };
        let mut depth = Depth { blocks: view.depth.blocks.iter().map(|blocks| blocks * 1.2).collect(), ..view.depth };
        let mut matters = true_matters(&view);
        let sighted = creature::find(&view.frame, &world.pose(), &CAMERA, &lore(), &mut depth, &mut matters);
        assert!(!matters.iter().any(|matter| matter.lives()) || sighted.found.is_empty());
        let animal = &world.herds().animals[0];
        shown += 1;
        found += sighted.found.len();
        right += usize::from(sighted.found.iter().any(|it| {
            let turned_deg = (it.yaw_deg - animal.yaw_deg + 180.0).rem_euclid(360.0) - 180.0;
            Kind::ALL[it.kind] == kind && it.feet.distance(animal.feet.as_vec3()) < 0.5 && turned_deg.abs() < 40.0
        }));
    }
    assert!(shown > 25, "{shown}");
    assert!(right * 10 > shown * 6 && right * 10 > found * 7, "{right} right of {found} found, {shown} were shown");
}

#[test]
fn a_place_without_animals_has_none() {
    let mut world = VoxelWorld::new(CAMERA);
    let mut found = 0;
    for seed in 900..916 {
        world.reset_seed(seed);
        world.clear_animals();
        let mut view = View::new(CAMERA.width, CAMERA.height);
        world.view(&CAMERA, &mut view);
        // A square of the picture is taken for one.
        let is_in = |at: usize| (50..70).contains(&(at % 128)) && (40..52).contains(&(at / 128));
        let mut matters: Vec<Matter> =
            (0..128 * 72).map(|at| if is_in(at) { Matter::Animal } else { Matter::Rest }).collect();
        let mut depth = view.depth.clone();
        found += creature::find(&view.frame, &world.pose(), &CAMERA, &lore(), &mut depth, &mut matters).found.len();
    }
    assert!(found <= 2, "{found} of 16");
}

/// Reads the start as it is, and draws what it knows, or else what it drew last.
#[derive(Debug)]
struct Reader {
    depth: Depth,
    matters: Vec<Matter>,
    output: Vec<f32>,
}

impl Engine for Reader {
    fn name(&self) -> &str {
        "reader"
    }

    fn precision(&self) -> &'static str {
        "f32"
    }

    fn evaluate(&mut self, pixels: &[f32], _: &[f32]) -> Result<(), DeviceFault> {
        for (at, pixel) in pixels.chunks_exact(input::CHANNELS).enumerate() {
            let raw = &mut self.output[at * output::CHANNELS..(at + 1) * output::CHANNELS];
            // Nothing is known of a start, and nothing was drawn before it.
            let start = pixel[input::LAST_DEPTH] == 0.0 && pixel[input::KNOWN] == 0.0;
            raw[..3].copy_from_slice(&pixel[input::LAST..input::LAST + 3]);
            raw[output::COPY_LOGIT] = 9.0;
            raw[output::COPY_DEPTH_LOGIT] = 9.0;
            raw[output::DEPTH] = if start { encode_depth(self.depth.blocks[at]) } else { pixel[input::LAST_DEPTH] };
            raw[output::DEPTH_LOG_SCALE] = -6.0;
            let matter = if start { self.matters[at] } else { Matter::Rest };
            let bits = raw[output::MATTER..].iter_mut().zip(matter.bits());
            bits.for_each(|(logit, set)| *logit = if set { 9.0 } else { -9.0 });
        }
        Ok(())
    }

    fn output(&self) -> &[f32] {
        &self.output
    }
}

/// A dream that begins beside a sheep which walks to the right.
fn dream() -> (Dream, Frame) {
    let is_plain = |(world, view): &(VoxelWorld, View)| {
        let (mut depth, mut matters) = (view.depth.clone(), true_matters(view));
        let found = creature::find(&view.frame, &world.pose(), &CAMERA, &lore(), &mut depth, &mut matters).found;
        found.iter().any(|it| it.feet.distance(world.herds().animals[0].feet.as_vec3()) < 0.2)
    };
    let places = (900..).filter_map(|seed| beside(seed, Kind::Sheep, 4.0, 90.0));
    let (world, view) = places.into_iter().find(is_plain).expect("level ground");
    let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
    let model = ModelFolder { lore: lore(), ..ModelFolder::untrained(config, 1) };
    let output = vec![0.0; CAMERA.width * CAMERA.height * output::CHANNELS];
    let reader = Reader { depth: view.depth.clone(), matters: true_matters(&view), output };
    let options = DreamOptions { noise_seed: 5, ..DreamOptions::default() };
    let mut dream =
        Dream::with_engine(model, options, Box::new(|_, _| unreachable!()), Box::new(reader)).expect("valid");
    let first = dream.reset(&Start::Image(view.frame.clone(), Some(world.pose()))).expect("a picture").frame;
    assert!(first == view.frame, "the start is as it was given");
    (dream, first)
}

#[test]
fn it_walks_on_while_nobody_looks_and_is_kept_bit_for_bit() {
    let (mut dream, first) = dream();
    let snapshot = dream.snapshot().expect("it has begun");
    assert!(!snapshot.world_state().herd().is_empty(), "it was recognised");
    let look = |yaw_deg: f32| Action { camera: [0.0, yaw_deg], ..Action::default() };
    let there_and_back: Vec<Action> = (0..30)
        .map(|at| {
            look(if at < 6 {
                20.0
            } else if at < 24 {
                0.0
            } else {
                -20.0
            })
        })
        .collect();
    let walk = |dream: &mut Dream, actions: &[Action]| -> Vec<Frame> {
        actions.iter().map(|action| dream.step(action).expect("goes on").frame).collect()
    };
    let seen = walk(&mut dream, &[Action::default()]).remove(0);
    let later = walk(&mut dream, &there_and_back).pop().expect("thirty");
    assert!(seen != first && later != seen, "it is drawn where it is");

    let middle = dream.snapshot().expect("it goes on");
    let place = |snapshot: &Snapshot| snapshot.world_state().herd().places().next().expect("one").0;
    let way = place(&middle) - place(&snapshot);
    // The yaw of a dream begins at 0.
    let right = way.dot(Pose::default().axes().right);
    assert!((1.5..2.5).contains(&right) && (way.length() - right) < 0.2, "{way}");
    let bytes = middle.to_bytes();
    let expected = walk(&mut dream, &there_and_back);
    let read = Snapshot::from_bytes(&bytes, middle.model_hash.clone()).expect("just written");
    assert_eq!(read.to_bytes(), bytes);
    assert!(dream.restore(&read).expect("its own").frame == later, "the frame that was shown, animals and all");
    assert!(walk(&mut dream, &there_and_back) == expected, "from bytes");
}
