//! What is known around a frame, beside what is truly there.

use holdfast_model::{
    Around,
    kernel::Crew,
    state::{Memory, Shown, Sight},
};
use holdfast_sim::{
    Action, Camera, Frame,
    voxel::{render::View, world::VoxelWorld},
};

/// How far a look may turn ahead of the next frame.
const AHEAD_DEG: f32 = 12.0;

/// A frame of a world with what a memory of the frames before knows around it, as the eye turned by `turns_deg`; and the truth.
fn around(turns_deg: &[f32]) -> (Around, Frame) {
    let camera = Camera::new(128, 72);
    let mut world = VoxelWorld::new(camera);
    world.reset_seed(4);
    let (mut memory, mut sight) = (Memory::new(), Sight::default());
    let mut view = View::new(camera.width, camera.height);
    for (tick, &yaw_deg) in turns_deg.iter().enumerate() {
        world.tick(&Action { camera: [0.0, yaw_deg], ..Action::default() });
        world.view(&camera, &mut view);
        memory.read(&world.pose(), &camera, &mut sight);
        memory.write(&world.pose(), &camera, &mut sight, &Shown::given(&view.frame, &view.depth, tick as u32));
    }
    let pose = world.pose();
    let around = Around::new(&memory, &Crew::default(), &pose, &camera, &view.frame, AHEAD_DEG, &mut sight);
    let height = around.frame.height as f32;
    let fov_y_deg = 2.0 * (height * 0.5 / camera.focal_px()).atan().to_degrees();
    let wide = Camera { width: around.frame.width, height: around.frame.height, fov_y_deg };
    let mut whole = View::new(wide.width, wide.height);
    world.view(&wide, &mut whole);
    (around, whole.frame)
}

#[test]
fn what_was_seen_beside_the_frame_is_shown_there() {
    let (known, truth) = around(&[0.0, 12.0, -24.0, 12.0]);
    let (unknown, _) = around(&[0.0]);
    let margin = known.margin_px[0];
    let beside = |at: usize| !(margin..truth.width - margin).contains(&(at % truth.width));
    let psnr_db = |frame: &Frame| frame.psnr_db_where(&truth, beside).expect("there are margins");
    let (shown, edges) = (psnr_db(&known.frame), psnr_db(&unknown.frame));
    assert!(shown > edges + 3.0, "{shown} dB with a memory, {edges} dB without");
}
