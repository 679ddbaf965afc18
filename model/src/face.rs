//! Faces: which side of which block a pixel shows, by its depth and by how the blocks lie.

use crate::grid::axis_faced;
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Pose};

/// A surface is that of the nearest wall of cells when it is this near to it, as a share of the distance.
const ON_WALL: f32 = 0.2;
/// Pixels to each side by which a surface's slope is told.
const REACH_PX: usize = 2;

/// What a picture's depth shows from among the blocks; its buffer is reused.
#[derive(Debug, Clone, Default)]
pub struct Faces {
    width: usize,
    eye: Vec3,
    /// Where each pixel's surface is, from the eye, blocks; none of it is a number at the sky.
    away: Vec<Vec3>,
}

/// Where a pixel lies on a block's face.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Face {
    pub cell: IVec3,
    /// 0 its top, 1 a side, 2 its bottom.
    pub side: usize,
    /// From the top left, 0 to 1.
    pub uv: [f32; 2],
    /// Cosine between ray and face.
    pub cosine: f32,
}

/// Where a place in a cell, 0 to 1 from wall to wall, lies on the face across an axis, from the top left.
pub(crate) fn uv_across(axis: usize, place: Vec3) -> [f32; 2] {
    match axis {
        1 => [place.x, place.z],
        0 => [place.z, 1.0 - place.y],
        _ => [place.x, 1.0 - place.y],
    }
}

impl Faces {
    /// Takes in a depth, seen from a pose among the blocks.
    pub fn see(&mut self, pose: &Pose, camera: &Camera, depth: &Depth) {
        let axes = pose.axes();
        (self.width, self.eye) = (camera.width, pose.eye());
        self.away.clear();
        self.away.extend(depth.blocks.iter().enumerate().map(|(pixel, &blocks)| {
            if blocks >= Depth::SKY {
                return Vec3::NAN;
            }
            let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
            ray * (blocks / ray.length())
        }));
    }

    /// The face that a pixel shows: of the axis that the surface faces most, the nearest wall of cells. `None` at the sky
    /// and beside it.
    pub fn at(&self, pixel: usize) -> Option<Face> {
        let (width, height) = (self.width, self.away.len() / self.width);
        let (x, y) = (pixel % width, pixel / width);
        let (left, right) = (x.saturating_sub(REACH_PX), (x + REACH_PX).min(width - 1));
        let (top, bottom) = (y.saturating_sub(REACH_PX), (y + REACH_PX).min(height - 1));
        let across = self.away[y * width + right] - self.away[y * width + left];
        let down = self.away[bottom * width + x] - self.away[top * width + x];
        let (eye, away) = (self.eye, self.away[pixel]);
        if (across.x + down.x + away.x).is_nan() {
            return None;
        }
        let axis = axis_faced(across, down);
        let wall = (eye[axis] + away[axis]).round();
        let to_wall = Some((wall - eye[axis]) / away[axis]).filter(|to_wall| (to_wall - 1.0).abs() < ON_WALL);
        let point = eye + away * to_wall.unwrap_or(1.0);
        let mut cell = point.floor().as_ivec3();
        if to_wall.is_some() {
            cell[axis] = wall as i32 - i32::from(away[axis] < 0.0);
        }
        let side = match axis {
            1 if away.y < 0.0 => 0,
            1 => 2,
            _ => 1,
        };
        let uv = uv_across(axis, point - point.floor());
        Some(Face { cell, side, uv, cosine: (away[axis] / away.length()).abs() })
    }
}
