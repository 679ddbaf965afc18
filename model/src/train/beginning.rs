//! What a dream of the simulator's world begins with: its first picture, and pictures of what the slots hold.

use crate::hotbar::Hotbar;
use holdfast_sim::{
    Camera, Frame, Pose,
    voxel::{hands::PALETTE, render::View, texture::Textures, world::VoxelWorld},
};

/// The first frame of the simulator's world of a seed and the pose it is seen from: all that a dream gets of it.
pub fn first_frame(seed: u64, camera: Camera) -> (Frame, Pose) {
    let mut world = VoxelWorld::new(camera);
    world.reset_seed(seed);
    let mut view = View::new(camera.width, camera.height);
    world.view(&camera, &mut view);
    (view.frame, world.pose())
}

/// What the slots hold in every world of the simulator, each from the side.
pub fn hotbar() -> Hotbar {
    Hotbar::new(PALETTE.into_iter().flat_map(|block| Textures::get().side(block).rgb).collect())
}
