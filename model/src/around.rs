//! A frame with what the world state knows around it, for a window that turns its last frame between two.

use crate::{
    kernel::Crew,
    state::{Canvas, Memory, Sight},
};
use holdfast_sim::{Camera, Frame, Pose};

/// A frame in the middle of a larger one, through the same lens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Around {
    pub frame: Frame,
    /// Of the frame within, from the sides and from top and bottom.
    pub margin_px: [usize; 2],
}

/// The camera of the larger frame, and its margins: all that a turn of so many degrees may uncover.
fn wider(camera: &Camera, ahead_deg: f32) -> (Camera, [usize; 2]) {
    let focal_px = camera.focal_px();
    let margin_px = [camera.width, camera.height].map(|side_px| {
        let half = side_px as f32 * 0.5;
        // No lens sees as far as to its side.
        let angle_deg = ((half / focal_px).atan().to_degrees() + ahead_deg).min(80.0);
        (angle_deg.to_radians().tan() * focal_px - half).ceil().max(0.0) as usize
    });
    let [width, height] = [camera.width + 2 * margin_px[0], camera.height + 2 * margin_px[1]];
    let fov_y_deg = 2.0 * (height as f32 * 0.5 / focal_px).atan().to_degrees();
    (Camera { width, height, fov_y_deg }, margin_px)
}

impl Around {
    /// What is known around a frame seen from `pose`, as far as a turn of `ahead_deg` shows. Where nothing is known, the
    /// frame's nearest edge goes on.
    pub fn new(
        memory: &Memory,
        crew: &Crew,
        pose: &Pose,
        camera: &Camera,
        frame: &Frame,
        ahead_deg: f32,
        sight: &mut Sight,
    ) -> Around {
        let (wide, margin_px) = wider(camera, ahead_deg);
        memory.glance(crew, pose, &wide, sight);
        Around { frame: lay(frame, margin_px, &sight.canvas), margin_px }
    }
}

/// The frame within what a wider canvas shows.
fn lay(frame: &Frame, margin_px: [usize; 2], canvas: &Canvas) -> Frame {
    let mut out = Frame::new(canvas.width, canvas.height);
    for (at, rgb) in out.rgb.chunks_exact_mut(3).enumerate() {
        let place = [at % canvas.width, at / canvas.width];
        // Of the frame's nearest pixel.
        let within = [0, 1].map(|axis| {
            let last = [frame.width, frame.height][axis] - 1;
            place[axis].saturating_sub(margin_px[axis]).min(last)
        });
        let is_within = (0..2).all(|axis| within[axis] + margin_px[axis] == place[axis]);
        let known = !is_within && canvas.known(at);
        rgb.copy_from_slice(&match known {
            true => canvas.rgb[at].map(|value| value.clamp(0.0, 255.0).round() as u8),
            false => frame.pixel(within[0], within[1]),
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Shown;
    use holdfast_sim::Depth;

    #[test]
    fn the_margins_are_what_a_turn_uncovers() {
        let camera = Camera::new(128, 72);
        let (wide, margin_px) = wider(&camera, 12.0);
        assert!((wide.focal_px() - camera.focal_px()).abs() < 1e-3);
        // The middle of the frame's side, after a turn.
        let axes = Pose::default().axes();
        let ahead = Pose::default().turned([0.0, 12.0]).axes();
        let (x, _, _) = camera.project(&axes, camera.ray(&ahead, 127, 36)).expect("before the eye");
        assert!((128.0 + margin_px[0] as f32 - x).abs() < 2.0, "{x} {margin_px:?}");
        assert_eq!(wider(&camera, 0.0).1, [0, 0]);
    }

    #[test]
    fn a_glance_changes_nothing() {
        let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), Camera::new(64, 36));
        let (mut frame, mut depth) = (Frame::new(64, 36), Depth::new(64, 36));
        frame.rgb.iter_mut().enumerate().for_each(|(at, value)| *value = at as u8);
        depth.blocks.fill(9.0);
        memory.read(&Pose::default(), &camera, &mut sight);
        memory.write(&Pose::default(), &camera, &mut sight, &Shown::given(&frame, &depth, 0));
        let mut other = memory.clone();
        let mut apart = Sight::default();
        other.glance(&Crew::default(), &Pose::default(), &wider(&camera, 12.0).0, &mut apart);
        let mut again = Sight::default();
        let mut first = Sight::default();
        memory.read(&Pose::default(), &camera, &mut first);
        other.read(&Pose::default(), &camera, &mut again);
        assert_eq!(first.canvas, again.canvas);
    }
}
