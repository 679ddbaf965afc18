//! The crosshair's block as the world state tells it, against the true one.

use holdfast_model::crosshair::Target;
use holdfast_sim::{
    Camera,
    kinematics::REACH_BLOCKS,
    script::Dice,
    voxel::{pick::REACH, render::View, world::VoxelWorld},
};

/// Of many looks around in the true world: those that met a block, and how many of these were told right.
fn looks(jitter: f32) -> (usize, usize) {
    let camera = Camera::new(128, 72);
    let (mut met, mut right) = (0, 0);
    let mut dice = Dice::new(5);
    for seed in 900..930 {
        let mut world = VoxelWorld::new(camera);
        world.reset_seed(seed);
        for _ in 0..8 {
            let camera_turn = [dice.between(-10.0, 40.0), dice.between(-90.0, 90.0)];
            world.tick(&holdfast_sim::Action { camera: camera_turn, ..Default::default() });
            let mut view = View::new(camera.width, camera.height);
            world.view(&camera, &mut view);
            view.depth.blocks.iter_mut().for_each(|blocks| *blocks *= 1.0 + dice.between(-jitter, jitter));
            // Plants are mostly holes: what is seen through them is another block.
            let Some(truth) = world.target().filter(|truth| !truth.block.is_plant()) else { continue };
            met += 1;
            let told = Target::find(&world.pose(), &camera, &view.depth.blocks, None);
            right += usize::from(told == Some(Target { cell: truth.cell, face: truth.face }));
        }
    }
    (met, right)
}

#[test]
fn the_crosshair_finds_the_true_block() {
    assert_eq!(REACH_BLOCKS, REACH);
    let (met, right) = looks(0.0);
    assert!(met > 60 && right * 100 >= met * 97, "{right} of {met}");
    let (met, right) = looks(0.02);
    assert!(right * 100 >= met * 90, "{right} of {met} under jitter");
}
