//! Rays through the blocks: the walk from cell to cell that pictures and the crosshair share.
//!
//! The walk is a DDA (Amanatides and Woo, 1987) on two levels: bricks of 4x4x4 cells whose mask is empty are crossed in
//! one step.

use super::block::Block;
use super::chunk::{Chunks, Grid, HEIGHT, brick_bit, brick_index};
use glam::{IVec3, Vec3};

/// A cell with a block in it that a ray passes through.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub cell: IVec3,
    pub block: Block,
    /// Distance at which the ray enters the cell; 0 in the cell of the origin.
    pub from: f32,
    /// The axis across which it entered; `None` in the cell of the origin.
    pub axis: Option<usize>,
}

/// The origin and direction of a ray, split so that precision does not depend on how far from the world's origin it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ray {
    /// The cell of the origin.
    pub base: IVec3,
    /// The origin within its cell, 0..1.
    pub within: Vec3,
    /// Of length 1, so that distances are in blocks.
    pub direction: Vec3,
}

impl Ray {
    pub fn new(origin: Vec3, direction: Vec3) -> Self {
        let base = origin.floor();
        Ray {
            base: base.as_ivec3(),
            within: origin - base,
            direction,
        }
    }

    /// The point at a distance, relative to the corner of a cell.
    #[inline]
    pub fn point_in(&self, cell: IVec3, distance: f32) -> Vec3 {
        self.within + self.direction * distance - (cell - self.base).as_vec3()
    }

    /// Where the ray meets a box given relative to a cell's corner: distances in and out, and the axis it enters by.
    #[inline]
    pub fn meet_box(&self, cell: IVec3, min: Vec3, max: Vec3) -> Option<(f32, f32, usize)> {
        let origin = self.point_in(cell, 0.0);
        let inverse = self.direction.recip();
        let (a, b) = ((min - origin) * inverse, (max - origin) * inverse);
        let (near, far) = (a.min(b), a.max(b));
        let axis = if near.x >= near.y && near.x >= near.z {
            0
        } else if near.y >= near.z {
            1
        } else {
            2
        };
        let (enter, leave) = (near.max_element(), far.min_element());
        (enter <= leave && leave > 0.0).then_some((enter, leave, axis))
    }
}

/// Shows `visit` each cell with a block along the ray, nearest first, until it answers true or `reach` is passed.
#[inline(always)]
pub(super) fn march(grid: &Grid, ray: &Ray, reach: f32, mut visit: impl FnMut(&Entry) -> bool) {
    const FAR: f32 = 1e30;
    let (o, d) = (ray.within, ray.direction);
    let slope = |d: f32| if d.abs() < 1e-9 { FAR } else { 1.0 / d.abs() };
    let (ix, iy, iz) = (slope(d.x), slope(d.y), slope(d.z));
    let (up_x, up_y, up_z) = (d.x >= 0.0, d.y >= 0.0, d.z >= 0.0);
    let IVec3 { mut x, mut y, mut z } = ray.base;
    let mut t = 0.0f32;
    let mut axis = None;
    // Above everything there is nothing to meet: go down to the highest block at once.
    if y >= grid.empty_from {
        if up_y {
            return;
        }
        t = ((y - grid.empty_from) as f32 + o.y) * iy;
        if t > reach {
            return;
        }
        axis = Some(1);
        x = ray.base.x + (o.x + d.x * t).floor() as i32;
        y = grid.empty_from - 1;
        z = ray.base.z + (o.z + d.z * t).floor() as i32;
    }
    // The distance at which the ray leaves through a plane: that of the next cell, or of a brick.
    let plane = |up: bool, low: i32, high: i32, base: i32, o: f32, inverse: f32| {
        if up {
            ((high - base) as f32 - o) * inverse
        } else {
            (o - (low - base) as f32) * inverse
        }
    };
    loop {
        if !(0..HEIGHT as i32).contains(&y) || (up_y && y >= grid.empty_from) {
            return;
        }
        let mask = grid.bricks[brick_index(x, y, z)];
        if mask == 0 {
            let (bx, by, bz) = (x & !3, y & !3, z & !3);
            let tx = plane(up_x, bx, bx + 4, ray.base.x, o.x, ix);
            let ty = plane(up_y, by, by + 4, ray.base.y, o.y, iy);
            let tz = plane(up_z, bz, bz + 4, ray.base.z, o.z, iz);
            t = tx.min(ty).min(tz);
            if t > reach {
                return;
            }
            let along = |base: i32, o: f32, d: f32, low: i32| (base + (o + d * t).floor() as i32).clamp(low, low + 3);
            let next = |up: bool, low: i32| if up { low + 4 } else { low - 1 };
            let (px, py, pz) = (
                along(ray.base.x, o.x, d.x, bx),
                along(ray.base.y, o.y, d.y, by),
                along(ray.base.z, o.z, d.z, bz),
            );
            if tx == t {
                (x, y, z, axis) = (next(up_x, bx), py, pz, Some(0));
            } else if ty == t {
                (x, y, z, axis) = (px, next(up_y, by), pz, Some(1));
            } else {
                (x, y, z, axis) = (px, py, next(up_z, bz), Some(2));
            }
            continue;
        }
        let mut tx = plane(up_x, x, x + 1, ray.base.x, o.x, ix);
        let mut ty = plane(up_y, y, y + 1, ray.base.y, o.y, iy);
        let mut tz = plane(up_z, z, z + 1, ray.base.z, o.z, iz);
        let brick = (x >> 2, y >> 2, z >> 2);
        loop {
            if mask >> brick_bit(x, y, z) & 1 != 0 {
                let block = Block::from_id(grid.id(x, y, z)).unwrap_or_default();
                if visit(&Entry {
                    cell: IVec3::new(x, y, z),
                    block,
                    from: t,
                    axis,
                }) {
                    return;
                }
            }
            let outside = if tx <= ty && tx <= tz {
                t = tx;
                tx += ix;
                x += if up_x { 1 } else { -1 };
                axis = Some(0);
                x >> 2 != brick.0
            } else if ty <= tz {
                t = ty;
                ty += iy;
                y += if up_y { 1 } else { -1 };
                axis = Some(1);
                y >> 2 != brick.1
            } else {
                t = tz;
                tz += iz;
                z += if up_z { 1 } else { -1 };
                axis = Some(2);
                z >> 2 != brick.2
            };
            if t > reach {
                return;
            }
            if outside {
                break;
            }
        }
    }
}

/// The block that a look meets.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pick {
    pub cell: IVec3,
    pub block: Block,
    /// Points out of the face that was met, along one axis; zero when the eye is inside the block.
    pub normal: IVec3,
    pub distance: f32,
}

/// The first block other than water that a look from `eye` meets within `reach`, by its shape.
///
/// Only loaded chunks are seen.
pub fn pick(chunks: &Chunks, eye: Vec3, direction: Vec3, reach: f32) -> Option<Pick> {
    let ray = Ray::new(eye, direction.try_normalize()?);
    let mut found = None;
    march(&chunks.grid(), &ray, reach, |entry| {
        if entry.block.is_liquid() {
            return false;
        }
        let (min, max) = entry.block.bounds();
        found = ray
            .meet_box(entry.cell, min, max)
            .filter(|met| met.0 <= reach)
            .map(|(enter, _, axis)| {
                let mut normal = IVec3::ZERO;
                if enter > 0.0 {
                    normal[axis] = if ray.direction[axis] > 0.0 { -1 } else { 1 };
                }
                Pick {
                    cell: entry.cell,
                    block: entry.block,
                    normal,
                    distance: enter.max(0.0),
                }
            });
        found.is_some()
    });
    found
}
