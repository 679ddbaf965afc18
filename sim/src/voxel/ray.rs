//! Rays through the blocks: the walk from cell to cell by which pictures and light are made.
//!
//! The walk is a DDA (Amanatides and Woo, 1987) on two levels: bricks of 4x4x4 cells whose mask is empty are crossed in
//! one step.

use super::block::Block;
use super::chunk::{Grid, HEIGHT, brick_bit, brick_index, slot_bits};
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
        Ray { base: base.as_ivec3(), within: origin - base, direction }
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

/// More bricks and empty stretches than any ray crosses within the view distance.
const MOST_SKIPS: usize = 512;

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
    if y >= grid.all_empty_from {
        if up_y {
            return;
        }
        t = ((y - grid.all_empty_from) as f32 + o.y) * iy;
        if t > reach {
            return;
        }
        axis = Some(1);
        x = ray.base.x + floor(o.x + d.x * t);
        y = grid.all_empty_from - 1;
        z = ray.base.z + floor(o.z + d.z * t);
    }
    // The distance at which the ray leaves through a plane: that of the next cell, or of a brick.
    let plane = |up: bool, low: i32, high: i32, base: i32, o: f32, inverse: f32| {
        if up { ((high - base) as f32 - o) * inverse } else { (o - (low - base) as f32) * inverse }
    };
    // Rounding can hold a ray at a corner for ever, and a pose that is not finite gives rays that never end.
    for _ in 0..MOST_SKIPS {
        if !(0..HEIGHT as i32).contains(&y) || (up_y && y >= grid.all_empty_from) {
            return;
        }
        // Above a chunk's highest block: go to where the ray leaves the chunk, or comes down to that height.
        let chunk_top = i32::from(grid.empty_from[slot_bits(x, z) as usize]);
        if y >= chunk_top {
            let (cx, cz) = (x & !15, z & !15);
            let tx = plane(up_x, cx, cx + 16, ray.base.x, o.x, ix);
            let tz = plane(up_z, cz, cz + 16, ray.base.z, o.z, iz);
            let ty = if up_y { FAR } else { plane(false, chunk_top, chunk_top, ray.base.y, o.y, iy) };
            t = least(least(tx, ty), tz);
            if t > reach {
                return;
            }
            let px = onward(up_x, x, ray.base.x + floor(o.x + d.x * t)).clamp(cx, cx + 15);
            let py = onward(up_y, y, ray.base.y + floor(o.y + d.y * t)).max(chunk_top);
            let pz = onward(up_z, z, ray.base.z + floor(o.z + d.z * t)).clamp(cz, cz + 15);
            if ty == t {
                (x, y, z, axis) = (px, chunk_top - 1, pz, Some(1));
            } else if tx == t {
                (x, y, z, axis) = (if up_x { cx + 16 } else { cx - 1 }, py, pz, Some(0));
            } else {
                (x, y, z, axis) = (px, py, if up_z { cz + 16 } else { cz - 1 }, Some(2));
            }
            continue;
        }
        let mask = grid.bricks[brick_index(x, y, z)];
        let (bx, by, bz) = (x & !3, y & !3, z & !3);
        let tx = plane(up_x, bx, bx + 4, ray.base.x, o.x, ix);
        let ty = plane(up_y, by, by + 4, ray.base.y, o.y, iy);
        let tz = plane(up_z, bz, bz + 4, ray.base.z, o.z, iz);
        let leave = least(least(tx, ty), tz);
        let along = |up: bool, now: i32, base: i32, o: f32, d: f32, low: i32| {
            onward(up, now, base + floor(o + d * leave)).clamp(low, low + 3)
        };
        let py = along(up_y, y, ray.base.y, o.y, d.y, by);
        // Only the layers that the ray passes through on its way across the brick count: looks along the ground cross
        // bricks that hold nothing but ground.
        if mask & layers(y.min(py) & 3, y.max(py) & 3) == 0 {
            t = leave;
            if t > reach {
                return;
            }
            let next = |up: bool, low: i32| if up { low + 4 } else { low - 1 };
            if tx == t {
                (x, y, z, axis) = (next(up_x, bx), py, along(up_z, z, ray.base.z, o.z, d.z, bz), Some(0));
            } else if tz == t {
                (x, y, z, axis) = (along(up_x, x, ray.base.x, o.x, d.x, bx), py, next(up_z, bz), Some(2));
            } else {
                (x, z) = (along(up_x, x, ray.base.x, o.x, d.x, bx), along(up_z, z, ray.base.z, o.z, d.z, bz));
                (y, axis) = (next(up_y, by), Some(1));
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
                if visit(&Entry { cell: IVec3::new(x, y, z), block, from: t, axis }) {
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

/// The whole number below a value smaller than 2^22 either way; an exact whole number may give the one before.
///
/// A ray asks for this at every skip, and an exact whole number is an edge between two cells that are equally right.
/// Adding 1.5 * 2^23 leaves the rounded number in the low bits, which is much quicker than a checked conversion.
#[inline]
pub(super) fn floor(value: f32) -> i32 {
    const SHIFT: f32 = 12_582_912.0;
    ((value - 0.5) + SHIFT).to_bits() as i32 - SHIFT.to_bits() as i32
}

/// The cell that a skip leads to, but never one that the ray has left: a ray through an edge may round to either side
/// of it, and would go to and fro for ever.
#[inline]
fn onward(up: bool, now: i32, next: i32) -> i32 {
    if up { next.max(now) } else { next.min(now) }
}

/// The smaller of two numbers: one instruction, unlike `min`, which must also answer for numbers that are none.
#[inline]
fn least(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// The bits of a brick's layers from `low` to `high`, 0..=3.
#[inline]
fn layers(low: i32, high: i32) -> u64 {
    (!0 >> (48 - 16 * (high - low))) << (16 * low)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voxel::chunk::Chunks;
    use crate::voxel::noise::{hash2, unit};

    /// The same walk, cell by cell in double precision, with nothing skipped.
    fn slow_pick(chunks: &Chunks, eye: Vec3, direction: Vec3, reach: f64) -> Option<(IVec3, f64)> {
        let (o, d) = (eye.as_dvec3(), direction.as_dvec3().normalize());
        let mut cell = o.floor().as_ivec3();
        let mut t = 0.0;
        while t <= reach {
            if chunks.get(cell).is_full_cube() {
                return Some((cell, t));
            }
            let exits = [0, 1, 2].map(|axis| {
                let plane = f64::from(cell[axis] + i32::from(d[axis] > 0.0));
                if d[axis] == 0.0 { f64::MAX } else { (plane - o[axis]) / d[axis] }
            });
            let axis = (0..3).min_by(|&a, &b| exits[a].total_cmp(&exits[b])).unwrap_or(0);
            t = exits[axis];
            cell[axis] += if d[axis] > 0.0 { 1 } else { -1 };
        }
        None
    }

    #[test]
    fn skipping_what_is_empty_changes_nothing() {
        let mut met = 0;
        for seed in [3, 1_000_003] {
            let mut chunks = Chunks::new(seed);
            let start = chunks.spawn() + Vec3::Y * 1.62;
            chunks.load_around(start.as_ivec3(), 80);
            for look in 0..6000 {
                let dice = |salt: u64| unit(hash2(seed ^ salt << 40, look, 0)) * 2.0 - 1.0;
                let eye = start + Vec3::new(dice(1) * 20.0, dice(2).abs() * 30.0 + 2.0, dice(3) * 20.0);
                let direction = Vec3::new(dice(4), dice(5) * 0.6, dice(6));
                let quick = pick_cube(&chunks, eye, direction, 48.0);
                let slow = slow_pick(&chunks, eye, direction, 48.0);
                match (quick, slow) {
                    (None, None) => {}
                    (Some((_, a)), Some((_, b))) if (f64::from(a) - b).abs() < 2e-3 => met += 1,
                    _ => panic!("{eye} towards {direction}: {quick:?}, expected {slow:?}"),
                }
            }
        }
        assert!(met > 2000, "{met}");
    }

    #[test]
    fn looks_through_edges_come_to_an_end() {
        let mut chunks = Chunks::new(45);
        let start = chunks.spawn();
        chunks.load_around(start.as_ivec3(), 64);
        let eye = start + Vec3::new(0.0513, 4.3864, 0.2102);
        for look in 0..400_000 {
            let dice = hash2(45, look, 1);
            // Whole numbers: corners of cells, and of bricks and chunks now and then.
            let away = Vec3::new((dice & 63) as f32, (dice >> 6 & 7) as f32, (dice >> 9 & 63) as f32);
            let corner = eye.floor() + away - Vec3::new(32.0, 7.0, 32.0);
            let raised = eye + Vec3::Y * (dice >> 20 & 255) as f32 / 256.0;
            pick_cube(&chunks, raised, corner - raised, 48.0);
        }
    }

    fn pick_cube(chunks: &Chunks, eye: Vec3, direction: Vec3, reach: f32) -> Option<(IVec3, f32)> {
        let mut found = None;
        march(&chunks.grid(), &Ray::new(eye, direction.normalize()), reach, |entry| {
            if entry.block.is_full_cube() {
                found = Some((entry.cell, entry.from));
            }
            found.is_some()
        });
        found
    }
}
