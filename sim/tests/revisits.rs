//! Most training episodes come back to something they saw: without that there is nothing to remember.

use glam::IVec3;
use holdfast_sim::script::Policy;
use holdfast_sim::voxel::pick;
use holdfast_sim::voxel::world::VoxelWorld;
use holdfast_sim::{Camera, Pose};
use std::collections::BTreeMap;

/// How far a surface is looked for, blocks.
const SIGHT: f32 = 24.0;
/// A surface comes back when it has been out of sight for at least this long.
const AWAY_TICKS: usize = 20;

/// The surfaces that a coarse grid of rays meets.
fn surfaces(world: &VoxelWorld, camera: &Camera) -> Vec<([i32; 3], [i32; 3])> {
    let pose: Pose = world.pose();
    let axes = pose.axes();
    let rays = (0..camera.height).flat_map(|y| (0..camera.width).map(move |x| (x, y)));
    rays.filter_map(|(x, y)| {
        pick::pick(pose.eye(), camera.ray(&axes, x, y), SIGHT, &|cell: IVec3| {
            world.block(cell)
        })
    })
    .map(|hit| (hit.cell.to_array(), hit.face.to_array()))
    .collect()
}

/// The largest share of a view that was seen before, left, and seen again.
fn best_return(seed: u64, policy: Policy, ticks: usize) -> f32 {
    let camera = Camera::new(16, 9);
    let mut world = VoxelWorld::new(camera);
    world.reset_seed(seed);
    let mut script = policy.script(seed);
    let mut last_seen: BTreeMap<([i32; 3], [i32; 3]), usize> = BTreeMap::new();
    let mut best = 0.0f32;
    for tick in 0..ticks {
        if tick % 4 == 0 {
            let seen = surfaces(&world, &camera);
            let back = seen
                .iter()
                .filter(|at| last_seen.get(at).is_some_and(|&then| tick - then >= AWAY_TICKS))
                .count();
            if seen.len() >= 20 {
                best = best.max(back as f32 / seen.len() as f32);
            }
            seen.into_iter().for_each(|at| {
                last_seen.insert(at, tick);
            });
        }
        world.tick(&script.next(Some(&world)));
    }
    best
}

#[test]
fn most_mixed_episodes_come_back() {
    let episodes = 40;
    let mut by_policy: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for seed in 0..episodes {
        let policy = Policy::mixed(seed);
        let counts = by_policy.entry(policy.name()).or_default();
        counts.0 += usize::from(best_return(seed, policy, 300) >= 0.4);
        counts.1 += 1;
    }
    let back: usize = by_policy.values().map(|counts| counts.0).sum();
    assert!(
        back * 10 > episodes as usize * 6,
        "{back} of {episodes} come back: {by_policy:?}"
    );
    println!("{back} of {episodes} come back: {by_policy:?}");
}
