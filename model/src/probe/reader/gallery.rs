//! What the reader learns from: true frames in which every kind of block stands about, at all times of day.

use super::{Kind, Page, Sample};
use crate::probe::film::look;
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Camera, Pose,
    script::Dice,
    seeds,
    voxel::{block::Block, entity, sky::Weather, world::VoxelWorld},
};
use rayon::prelude::*;

/// Views drawn of each.
const VIEWS: usize = 5;
/// Blocks put up before each view.
const BLOCKS: usize = 9;
/// Pixels of one kind that are taken from a view at most.
const MOST_OF_A_KIND: usize = 10;
/// Farther surfaces are not learnt, blocks.
const FAR_BLOCKS: f32 = 16.0;

/// Training seeds from which readers are made, spread over the range.
pub fn training_seeds(count: u64) -> Vec<u64> {
    let span = seeds::TRAINING.end - seeds::TRAINING.start;
    (0..count).map(|at| seeds::TRAINING.start + at * (span / count.max(1))).collect()
}

/// Samples of frames of the given seeds, always the same and in the same order.
pub fn gallery(camera: Camera, seeds: impl IntoIterator<Item = u64>) -> Vec<Sample> {
    let seeds: Vec<u64> = seeds.into_iter().collect();
    seeds.into_par_iter().flat_map_iter(|seed| views_of(camera, seed)).collect()
}

fn views_of(camera: Camera, seed: u64) -> Vec<Sample> {
    let mut dice = Dice::new(seed ^ 0x7265_6164);
    let mut world = VoxelWorld::new(camera);
    world.reset_seed(seed);
    let home = world.player().feet.as_vec3();
    let mut samples = Vec::new();
    for _ in 0..VIEWS {
        let yaw_deg = dice.between(-180.0, 180.0);
        world.place_player(home, yaw_deg, dice.between(-15.0, 50.0));
        // Mostly by day, as probes are; the reader must still know dusk and rain.
        world.set_time_of_day(if dice.chance(0.8) { dice.between(0.3, 0.7) } else { dice.unit() });
        let weather = [Weather::Clear, Weather::Rain][dice.weighted(&[0.8, 0.2])];
        world.set_weather(Some(weather));
        for _ in 0..BLOCKS {
            furnish(&mut world, home, yaw_deg, &mut dice);
        }
        let view = look(&world);
        let page = Page::new(&view.frame);
        let mut taken = [0; Kind::COUNT];
        for _ in 0..view.block_ids.len() / 4 {
            let pixel = dice.whole(0..view.block_ids.len() as u32) as usize;
            let blocks = view.depth.blocks[pixel];
            let Some(kind) = Kind::of_id(view.block_ids[pixel]) else { continue };
            if (blocks < FAR_BLOCKS || kind == Kind::Sky) && taken[kind as usize] < MOST_OF_A_KIND {
                taken[kind as usize] += 1;
                samples.push(Sample { inputs: page.inputs(pixel, blocks), class: kind as usize });
            }
        }
    }
    samples
}

/// Puts something on the ground ahead: any block, or an animal.
fn furnish(world: &mut VoxelWorld, home: Vec3, yaw_deg: f32, dice: &mut Dice) {
    let axes = Pose { yaw_deg, ..Pose::default() }.axes();
    let away = dice.between(1.8, 10.0);
    let at = home + axes.forward * away + axes.right * dice.between(-0.7, 0.7) * away;
    let (x, z) = (at.x.floor() as i32, at.z.floor() as i32);
    let cell = IVec3::new(x, world.chunks().surface_y(x, z) + 1, z);
    match dice.whole(0..Block::ALL.len() as u32 + 3) as usize {
        index if index < Block::ALL.len() => {
            let block = Block::ALL[index];
            if block != Block::Air && block != Block::Bedrock {
                world.set_block(cell, block);
                // Taller things show their sides at more heights.
                if block.is_full_cube() && dice.chance(0.4) {
                    world.set_block(cell + IVec3::Y, block);
                }
            }
        }
        _ => {
            let kind = entity::Kind::ALL[dice.whole(0..4) as usize];
            let feet = cell.as_vec3() + Vec3::new(0.5, 0.0, 0.5);
            world.spawn_animal(kind, feet, dice.between(-180.0, 180.0), 0);
        }
    }
}
