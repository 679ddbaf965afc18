//! Starts that were misread, held against the pictures of blocks.

use holdfast_model::{
    matter::Matter,
    sweep,
    train::{lore, true_matters},
};
use holdfast_sim::{
    Camera, Depth, Frame, Pose,
    script::Dice,
    voxel::{block::Block, render::View, world::VoxelWorld},
};

const NEAR_BLOCKS: f32 = 5.0;

/// What was found of a start that was read half as far again, and named nothing: pixels of cubes near by, those that came
/// out as they are, and those that came out otherwise, whether near or not; and of the right ones those named right.
fn found(seed: u64) -> [usize; 4] {
    let camera = Camera::new(128, 72);
    let mut world = VoxelWorld::new(camera);
    world.reset_seed(seed);
    let mut view = View::new(camera.width, camera.height);
    world.view(&camera, &mut view);
    let misread = |blocks: &f32| if *blocks < Depth::SKY { blocks * 1.5 } else { *blocks };
    let mut depth = Depth { blocks: view.depth.blocks.iter().map(misread).collect(), ..view.depth };
    let before = depth.clone();
    let mut matters = vec![Matter::Rest; depth.blocks.len()];
    sweep::mend(&view.frame, &world.pose(), &camera, &lore().materials, &mut depth, &mut matters);
    let named = true_matters(&view);
    let mut counts = [0; 4];
    for (pixel, &truth) in view.depth.blocks.iter().enumerate() {
        let cube = Block::from_id(view.block_ids[pixel]).is_some_and(Block::is_full_cube);
        let right = (depth.blocks[pixel] / truth - 1.0).abs() < 0.02;
        counts[0] += usize::from(cube && truth < NEAR_BLOCKS);
        counts[1] += usize::from(cube && truth < NEAR_BLOCKS && right);
        counts[2] += usize::from(!right && depth.blocks[pixel] != before.blocks[pixel]);
        counts[3] += usize::from(cube && truth < NEAR_BLOCKS && right && matters[pixel] == named[pixel]);
    }
    counts
}

#[test]
fn what_is_near_comes_out_as_it_is() {
    let mut sums = [0; 4];
    for seed in 900..916 {
        found(seed).into_iter().zip(&mut sums).for_each(|(count, sum)| *sum += count);
    }
    let [near, right, wrong, named] = sums;
    assert!(near > 10_000, "{near}");
    assert!(right * 10 > near * 6, "{right} of {near} pixels near by lie where they are");
    assert!(wrong * 12 < right, "{wrong} pixels were laid elsewhere, {right} where they are");
    assert!(named * 100 > right * 95, "{named} of {right} are named right");
}

#[test]
fn a_picture_of_something_else_stays_as_it_was_read() {
    let camera = Camera::new(128, 72);
    let materials = lore().materials;
    let mut dice = Dice::new(3);
    let noise: Vec<u8> = (0..128 * 72 * 3).map(|_| dice.whole(0..256) as u8).collect();
    let slope = (0..128 * 72 * 3).map(|at| (at / 3 % 128 + at / 384) as u8).collect();
    let waves = (0..128 * 72 * 3).map(|at| (128.0 + 60.0 * (at as f32 / 21.0).sin()) as u8).collect();
    for rgb in [noise, slope, waves, vec![0; 128 * 72 * 3]] {
        let frame = Frame { width: 128, height: 72, rgb };
        let mut depth = Depth { width: 128, height: 72, blocks: vec![7.0; 128 * 72] };
        let mut matters = vec![Matter::Rest; 128 * 72];
        let pose = Pose { position: [0.5, 1.62, 0.5], ..Pose::default() };
        sweep::mend(&frame, &pose, &camera, &materials, &mut depth, &mut matters);
        let changed = depth.blocks.iter().filter(|blocks| **blocks != 7.0).count();
        assert!(changed < 128 * 72 / 40, "{changed} pixels were laid on walls");
    }
}
