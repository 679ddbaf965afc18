//! Where the eye is and where it looks, and the pinhole camera that turns pixels into rays.

use glam::Vec3;
use serde::{Deserialize, Serialize};

/// The eye: position in blocks, angles in degrees.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Pose {
    /// Eye position in world coordinates, blocks.
    pub position: [f32; 3],
    /// 0 looks along +z, grows to the right, any value (not wrapped).
    pub yaw_deg: f32,
    /// Grows downwards, -90 to 90.
    pub pitch_deg: f32,
}

/// The pinhole camera of every frame: only the vertical field of view is fixed, the aspect follows the frame.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    pub width: usize,
    pub height: usize,
    pub fov_y_deg: f32,
}

/// The unit axes of a view in world coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Axes {
    pub right: Vec3,
    pub up: Vec3,
    pub forward: Vec3,
}

impl Pose {
    pub fn eye(&self) -> Vec3 {
        Vec3::from_array(self.position)
    }

    /// The axes of the view. `libm` rather than the platform's own functions, so that a world is the same everywhere.
    pub fn axes(&self) -> Axes {
        let (sin_yaw, cos_yaw) = libm::sincosf(self.yaw_deg.rem_euclid(360.0).to_radians());
        let (sin_pitch, cos_pitch) = libm::sincosf(self.pitch_deg.to_radians());
        Axes {
            right: Vec3::new(-cos_yaw, 0.0, -sin_yaw),
            up: Vec3::new(-sin_yaw * sin_pitch, cos_pitch, cos_yaw * sin_pitch),
            forward: Vec3::new(-sin_yaw * cos_pitch, -sin_pitch, cos_yaw * cos_pitch),
        }
    }

    /// This pose after a camera turn of `[pitch_deg, yaw_deg]`; pitch stops at straight up and straight down.
    pub fn turned(mut self, camera: [f32; 2]) -> Self {
        self.pitch_deg = (self.pitch_deg + camera[0]).clamp(-90.0, 90.0);
        self.yaw_deg += camera[1];
        self
    }
}

impl Camera {
    /// The field of view of every frame in the house.
    pub const FOV_Y_DEG: f32 = 70.0;

    pub fn new(width: usize, height: usize) -> Self {
        Camera { width, height, fov_y_deg: Self::FOV_Y_DEG }
    }

    /// Half the height of the image plane at distance 1.
    pub fn half_height(&self) -> f32 {
        libm::tanf((self.fov_y_deg * 0.5).to_radians())
    }

    /// Pixels per unit of slope: the focal length in pixels (pixels are square).
    pub fn focal_px(&self) -> f32 {
        self.height as f32 * 0.5 / self.half_height()
    }

    /// The ray through the centre of pixel `(x, y)`, not normalised: its component along `forward` is 1.
    pub fn ray(&self, axes: &Axes, x: usize, y: usize) -> Vec3 {
        let focal = self.focal_px();
        let u = (x as f32 + 0.5 - self.width as f32 * 0.5) / focal;
        let v = (self.height as f32 * 0.5 - y as f32 - 0.5) / focal;
        axes.forward + axes.right * u + axes.up * v
    }

    /// The pixel coordinates (continuous, pixel centres at .5) and distance along the view axis of a point given
    /// relative to the eye; `None` behind the eye.
    pub fn project(&self, axes: &Axes, from_eye: Vec3) -> Option<(f32, f32, f32)> {
        let z = from_eye.dot(axes.forward);
        if z <= 1e-4 {
            return None;
        }
        let focal = self.focal_px();
        let x = self.width as f32 * 0.5 + from_eye.dot(axes.right) / z * focal;
        let y = self.height as f32 * 0.5 - from_eye.dot(axes.up) / z * focal;
        Some((x, y, z))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_axes(yaw_deg: f32, pitch_deg: f32, forward: [f32; 3], right: [f32; 3]) {
        let axes = Pose { yaw_deg, pitch_deg, ..Pose::default() }.axes();
        assert!(axes.forward.distance(forward.into()) < 1e-6, "{axes:?}");
        assert!(axes.right.distance(right.into()) < 1e-6, "{axes:?}");
        assert!(axes.right.cross(axes.forward).distance(axes.up) < 1e-6, "{axes:?}");
    }

    #[test]
    fn yaw_grows_to_the_right_and_pitch_downwards() {
        check_axes(0.0, 0.0, [0.0, 0.0, 1.0], [-1.0, 0.0, 0.0]);
        check_axes(90.0, 0.0, [-1.0, 0.0, 0.0], [0.0, 0.0, -1.0]);
        check_axes(0.0, 90.0, [0.0, -1.0, 0.0], [-1.0, 0.0, 0.0]);
    }

    #[test]
    fn projecting_a_ray_gives_its_pixel() {
        let camera = Camera::new(128, 72);
        let axes = Pose { yaw_deg: 33.0, pitch_deg: -20.0, ..Pose::default() }.axes();
        for (x, y) in [(0, 0), (127, 71), (64, 36), (5, 60)] {
            let (px, py, z) = camera.project(&axes, camera.ray(&axes, x, y) * 3.0).expect("in front");
            assert!((px - x as f32 - 0.5).abs() < 1e-3 && (py - y as f32 - 0.5).abs() < 1e-3, "{px} {py}");
            assert!((z - 3.0).abs() < 1e-5);
        }
        assert!(camera.project(&axes, -axes.forward).is_none());
    }
}
