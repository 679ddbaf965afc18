//! Looking ahead of the world: what the mouse has turned since the newest frame was asked for, and that frame turned on.
//!
//! Twenty frames a second are few for a hand that turns its head. So between two frames the last one is shown as it looks
//! from where the player looks by now (as headsets do: van Waveren, "The Asynchronous Time Warp for Virtual Reality on
//! Consumer Hardware"). The turn is exact, because the next frame will be asked for with it; where the player goes is left
//! to the model.

use bevy::ecs::resource::Resource;
use holdfast_sim::{Camera, Pose};
use std::time::Instant;

/// Farther than this no frame is turned, degrees: beyond, too little of it is left to show.
pub const MOST_AHEAD_DEG: f32 = 12.0;
/// Turns smaller than this change no pixel, degrees.
const LEAST_AHEAD_DEG: f32 = 0.05;

/// The mouse's turns, degrees of pitch and yaw, since the program began.
#[derive(Debug, Clone, Copy, PartialEq, Default, Resource)]
pub struct Look {
    /// Told to the generator.
    told_deg: [f64; 2],
    /// In the newest frame.
    answered_deg: [f64; 2],
    /// Pitch of the newest frame.
    pitch_deg: f32,
    /// When the oldest turn that has not been drawn yet arrived.
    pub moved_at: Option<Instant>,
}

impl Look {
    /// Notes a turn that the generator was told of.
    pub fn tell(&mut self, turn_deg: [f32; 2], arrived_at: Option<Instant>) {
        if turn_deg != [0.0; 2] {
            add(&mut self.told_deg, turn_deg);
            self.moved_at = self.moved_at.or(arrived_at);
        }
    }

    /// Notes that a frame has come that was asked for after these turns.
    pub fn answer(&mut self, told_deg: [f64; 2], pitch_deg: f32) {
        (self.answered_deg, self.pitch_deg) = (told_deg, pitch_deg);
    }

    /// How far the newest frame is to be turned, degrees of pitch and yaw: as far as the next one will be.
    pub fn ahead_deg(&self) -> [f32; 2] {
        let [pitch, yaw] = [0, 1].map(|axis| {
            let ahead = (self.told_deg[axis] - self.answered_deg[axis]) as f32;
            ahead.clamp(-MOST_AHEAD_DEG, MOST_AHEAD_DEG)
        });
        let pitch = (self.pitch_deg + pitch).clamp(-90.0, 90.0) - self.pitch_deg;
        if pitch.hypot(yaw) < LEAST_AHEAD_DEG { [0.0; 2] } else { [pitch, yaw] }
    }

    /// Where what is shown comes from after a turn, in the newest frame or in one that holds it in its middle.
    pub fn source(&self, ahead_deg: [f32; 2], shown_px: [usize; 2], source_px: [usize; 2]) -> Source {
        Source::after(self.pitch_deg, ahead_deg, shown_px, source_px)
    }
}

/// From places in what is shown to places in the frame that it is drawn from, both from 0 to 1, right and down: the columns
/// of a matrix on homogeneous coordinates. What the frame does not show is its nearest edge: the next frame is at most a
/// tick away.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Source(pub [[f32; 3]; 3]);

impl Source {
    /// Of a frame that is shown as it is.
    pub const SAME: Source = Source([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]);

    /// Of a frame of `shown_px` seen at a pitch, after a turn of pitch and yaw, in a picture through the same lens of
    /// `source_px`.
    fn after(pitch_deg: f32, ahead_deg: [f32; 2], shown_px: [usize; 2], source_px: [usize; 2]) -> Source {
        let is_same = ahead_deg == [0.0; 2] && shown_px == source_px;
        if is_same || shown_px.contains(&0) || source_px.contains(&0) {
            return Source::SAME;
        }
        let before = Pose { pitch_deg, ..Pose::default() };
        let (axes, ahead) = (before.axes(), before.turned(ahead_deg).axes());
        let focal_px = Camera::new(shown_px[0], shown_px[1]).focal_px();
        let [slope, source_slope] = [shown_px, source_px].map(|size_px| size_px.map(|side| side as f32 / focal_px));
        // The way from one side of the picture to the other, in the world, at distance 1.
        let (across, down) = (ahead.right * slope[0], -ahead.up * slope[1]);
        Source([across, down, ahead.forward - across * 0.5 - down * 0.5].map(|way| {
            let far = way.dot(axes.forward);
            let [right, up] = [way.dot(axes.right) / source_slope[0], way.dot(axes.up) / source_slope[1]];
            [far * 0.5 + right, far * 0.5 - up, far]
        }))
    }
}

/// Adds up turns.
pub fn add(sum_deg: &mut [f64; 2], turn_deg: [f32; 2]) {
    sum_deg.iter_mut().zip(turn_deg).for_each(|(sum, turn)| *sum += f64::from(turn));
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::{
        Action, Frame,
        voxel::{render::View, world::VoxelWorld},
    };

    /// A frame of so many pixels as the window draws it.
    fn drawn(frame: &Frame, source: Source, shown_px: [usize; 2]) -> Frame {
        let mut out = Frame::new(shown_px[0], shown_px[1]);
        let size = [frame.width, frame.height];
        for (at, rgb) in out.rgb.chunks_exact_mut(3).enumerate() {
            let shown = [at % shown_px[0], at / shown_px[0]];
            let [u, v] = [0, 1].map(|axis| (shown[axis] as f32 + 0.5) / shown_px[axis] as f32);
            let place = [0, 1, 2].map(|row| source.0[0][row] * u + source.0[1][row] * v + source.0[2][row]);
            // A conversion stops at 0 by itself.
            let [x, y] = [0, 1].map(|axis| (place[axis] / place[2] * size[axis] as f32) as usize);
            rgb.copy_from_slice(&frame.pixel(x.min(size[0] - 1), y.min(size[1] - 1)));
        }
        out
    }

    #[test]
    fn a_frame_is_turned_by_what_no_frame_has_answered() {
        let now = Instant::now();
        let mut look = Look::default();
        look.tell([0.0, 3.0], Some(now));
        look.tell([1.0, 2.0], Some(Instant::now()));
        assert_eq!((look.ahead_deg(), look.moved_at), ([1.0, 5.0], Some(now)));
        // A frame that knows of the first turn only, near straight down.
        look.answer([0.0, 3.0], 89.5);
        assert_eq!(look.ahead_deg(), [0.5, 2.0], "pitch stops");
        look.answer([1.0, 5.0], 90.0);
        assert_eq!(look.ahead_deg(), [0.0; 2]);
        look.tell([0.0, -500.0], None);
        assert_eq!(look.ahead_deg(), [0.0, -MOST_AHEAD_DEG]);
    }

    #[test]
    fn a_turned_frame_is_what_the_next_one_will_show() {
        let camera = Camera::new(128, 72);
        let mut world = VoxelWorld::new(camera);
        let picture = |world: &VoxelWorld| {
            let mut view = View::new(camera.width, camera.height);
            world.view(&camera, &mut view);
            view.frame
        };
        let (mut held, mut ahead) = (0.0, 0.0);
        for seed in [3, 4, 5] {
            world.reset_seed(seed);
            let before = picture(&world);
            let pitch_deg = world.pose().pitch_deg;
            let turn = [-4.0, 6.0];
            world.tick(&Action { camera: turn, ..Action::default() });
            let after = picture(&world);
            held += before.psnr_db(&after);
            let size = [camera.width, camera.height];
            ahead += drawn(&before, Source::after(pitch_deg, turn, size, size), size).psnr_db(&after);
        }
        assert!(ahead > held + 9.0, "turned {ahead} dB, held {held} dB, of three");
    }

    #[test]
    fn a_frame_that_is_not_turned_stays_as_it_is() {
        let mut frame = Frame::new(16, 10);
        frame.rgb.iter_mut().enumerate().for_each(|(at, value)| *value = at as u8);
        assert_eq!(drawn(&frame, Source::after(30.0, [0.0; 2], [16, 10], [16, 10]), [16, 10]), frame);
    }

    #[test]
    fn a_frame_is_the_middle_of_a_wider_one() {
        let mut wide = Frame::new(24, 14);
        wide.rgb.iter_mut().enumerate().for_each(|(at, value)| *value = at as u8);
        let shown = drawn(&wide, Source::after(30.0, [0.0; 2], [16, 10], [24, 14]), [16, 10]);
        for (x, y) in [(0, 0), (15, 9), (7, 3)] {
            assert_eq!(shown.pixel(x, y), wide.pixel(x + 4, y + 2), "{x} {y}");
        }
    }
}
