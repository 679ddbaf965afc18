//! Faces: which side of which block a pixel shows, by its depth and by how the blocks lie.

use crate::grid::axis_faced;
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, pose::Axes};

/// A surface is that of the nearest wall of cells when it is this near to it, as a share of the distance.
const ON_WALL: f32 = 0.2;
/// Pixels to each side by which a surface's slope is told.
const REACH_PX: usize = 2;

/// A picture's depth, seen from among the blocks.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub camera: &'a Camera,
    pub axes: &'a Axes,
    pub eye: Vec3,
    pub depth: &'a Depth,
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

impl Seen<'_> {
    /// A pixel's point from the eye, blocks.
    fn point(&self, x: usize, y: usize) -> Option<Vec3> {
        let blocks = self.depth.blocks[y * self.camera.width + x];
        let ray = self.camera.ray(self.axes, x, y);
        (blocks < Depth::SKY).then(|| ray * (blocks / ray.length()))
    }
}

impl Face {
    /// The face that a pixel shows: of the axis that the surface faces most, the nearest wall of cells. `None` at the sky.
    pub fn find(seen: &Seen, pixel: usize) -> Option<Face> {
        let Camera { width, height, .. } = *seen.camera;
        let (x, y) = (pixel % width, pixel / width);
        let (left, right) = (x.saturating_sub(REACH_PX), (x + REACH_PX).min(width - 1));
        let (top, bottom) = (y.saturating_sub(REACH_PX), (y + REACH_PX).min(height - 1));
        let across = seen.point(right, y)? - seen.point(left, y)?;
        let down = seen.point(x, bottom)? - seen.point(x, top)?;
        let axis = axis_faced(across, down);
        let (eye, away) = (seen.eye, seen.point(x, y)?);
        let wall = (eye[axis] + away[axis]).round();
        let to_wall = Some((wall - eye[axis]) / away[axis]).filter(|to_wall| (to_wall - 1.0).abs() < ON_WALL);
        let point = eye + away * to_wall.unwrap_or(1.0);
        let mut cell = point.floor().as_ivec3();
        if to_wall.is_some() {
            cell[axis] = wall as i32 - i32::from(away[axis] < 0.0);
        }
        let part = point - point.floor();
        let (side, uv) = match axis {
            1 => (if away.y < 0.0 { 0 } else { 2 }, [part.x, part.z]),
            0 => (1, [part.z, 1.0 - part.y]),
            _ => (1, [part.x, 1.0 - part.y]),
        };
        Some(Face { cell, side, uv, cosine: (away[axis] / away.length()).abs() })
    }
}
