//! Writing the world state: a finished frame carves what it sees through and adds what it hits.

use super::{
    CELL_BLOCKS, Canvas, Reader, WorldState,
    brick::{Cell, MADE_LOOKS, Verdict},
    read::aim,
    splat::Part,
};
use crate::{grid::axis_faced, layout::FAR_BLOCKS};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame, Pose};

/// A finished frame, to be written from the pose of the last read.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub frame: &'a Frame,
    pub depth: &'a Depth,
    /// What the state showed before the frame, from the same pose; empty at a start.
    pub canvas: &'a Canvas,
    /// How far each pixel is a copy of the canvas, 0..1: what was copied teaches the state nothing. Empty: not at all.
    pub copied: &'a [f32],
    /// Pixels in which the player's deed shows: what stood there is gone at once. Empty: none.
    pub changed: &'a [bool],
    /// Side of what each pixel has details of, blocks: no finer than the pixel, and coarser where the frame is soft.
    /// Empty: each pixel's own side.
    pub detail_blocks: &'a [f32],
    /// Pixels that add nothing. Empty: none.
    pub skipped: &'a [bool],
    pub tick: u32,
}

impl<'a> Seen<'a> {
    /// A picture that was given, not drawn: nothing of it is copied, a deed or left out.
    pub fn given(frame: &'a Frame, depth: &'a Depth, canvas: &'a Canvas, tick: u32) -> Seen<'a> {
        Seen { frame, depth, canvas, copied: &[], changed: &[], detail_blocks: &[], skipped: &[], tick }
    }
}

/// Most votes that a cell can have: how many looks it takes to unlearn it.
pub(super) const MOST_VOTES: i8 = 4;
/// A colour that was seen this much finer replaces the old one instead of mixing with it.
const FINER: f32 = 0.7;
/// From here on a pixel counts as a copy of the canvas.
const COPIED: f32 = 0.6;
/// Share of a new look in a mixed colour: small, because each frame is a little softer than what it was drawn from, and
/// would soften the state in turn (`docs/decisions/world-state.md`).
pub(super) const MIX: f32 = 0.05;
/// The same for the pixels of one frame, which are all as good.
const MIX_OF_ONE_FRAME: f32 = 0.3;

/// Buffers of a write, reused from frame to frame; a copy of the map begins with empty ones.
#[derive(Debug, Default)]
pub(super) struct Scratch {
    rays: Vec<Vec3>,
    /// Depth along the view axis, and its extremes among the neighbours.
    axis_z: Vec<f32>,
    nearest: Vec<f32>,
    farthest: Vec<f32>,
    across: Vec<f32>,
    /// Brick, level and index of cells that must go.
    gone: Vec<(u32, u8, u32)>,
}

impl Clone for Scratch {
    fn clone(&self) -> Self {
        Scratch::default()
    }
}

/// One pixel's hit.
#[derive(Debug, Clone, Copy)]
struct Hit {
    point: Vec3,
    /// Side of what the pixel has details of.
    detail_blocks: f32,
    rgb: [u8; 3],
    copied: f32,
    tick: u32,
    /// The canvas already showed this surface, in cells as fine, or the frame merely copied it.
    known: bool,
    /// The axis that the surface faces most.
    facing: Vec3,
}

impl WorldState {
    /// Writes a frame seen from `pose`, after [`WorldState::read`] from the same pose with the same reader.
    pub fn write(&mut self, pose: &Pose, camera: &Camera, reader: &Reader, seen: &Seen) {
        let width = camera.width;
        // Taken out for the time of this call, so that it can be read while the rest is written.
        let mut scratch = std::mem::take(&mut self.scratch);
        // At a start nothing was read.
        if reader.rays.is_empty() {
            aim(&mut scratch.rays, camera, &pose.axes());
        }
        let rays = if reader.rays.is_empty() { &scratch.rays } else { &reader.rays };
        assert_eq!(rays.len(), seen.depth.blocks.len(), "a write follows a read by the same camera");
        let eye = pose.eye();
        let pixel_slope = 1.0 / camera.focal_px();
        let axis_z = &mut scratch.axis_z;
        axis_z.clear();
        axis_z.extend(seen.depth.blocks.iter().zip(rays).map(|(blocks, ray)| blocks / ray.length()));
        // Plain comparisons become vectors; `min` and `max` would also have to answer for numbers that are none.
        of_neighbours(&mut scratch.nearest, &mut scratch.across, axis_z, width, |a, b| if a < b { a } else { b });
        of_neighbours(&mut scratch.farthest, &mut scratch.across, axis_z, width, |a, b| if a > b { a } else { b });
        self.judge(camera, reader, seen, &scratch.nearest, &scratch.farthest, &mut scratch.gone);
        for (pixel, (&z, &ray)) in axis_z.iter().zip(rays).enumerate() {
            let rgb = seen.frame.pixel(pixel % width, pixel / width);
            let copied = seen.copied.get(pixel).copied().unwrap_or(0.0);
            if seen.skipped.get(pixel).is_some_and(|skipped| *skipped) {
                continue;
            }
            if is_sky(seen.depth.blocks[pixel]) {
                self.sky.write(ray, rgb, copied);
                continue;
            }
            let footprint_blocks = z * pixel_slope;
            let detail_blocks =
                seen.detail_blocks.get(pixel).map_or(footprint_blocks, |size| size.max(footprint_blocks));
            let level = level_of(footprint_blocks);
            let as_fine = CELL_BLOCKS[level] > reader.cell_blocks(pixel) * FINER || copied > COPIED;
            let known = as_fine && seen.canvas.agrees(pixel, seen.depth.blocks[pixel], footprint_blocks);
            let facing = if known { Vec3::ZERO } else { facing(rays, axis_z, pixel, width) };
            let (point, tick) = (eye + ray * z, seen.tick);
            self.add(level, Hit { point, detail_blocks, rgb, copied, tick, known, facing });
        }
        self.scratch = scratch;
    }

    /// Takes votes from the cells in view that lie clearly in front of what was seen, and doubts the unproven ones
    /// behind it.
    fn judge(
        &mut self,
        camera: &Camera,
        reader: &Reader,
        seen: &Seen,
        nearest: &[f32],
        farthest: &[f32],
        gone: &mut Vec<(u32, u8, u32)>,
    ) {
        let (width, height) = (camera.width, camera.height);
        gone.clear();
        for point in &reader.in_view {
            if point.x < 0.0 || point.y < 0.0 || point.x >= width as f32 || point.y >= height as f32 {
                continue;
            }
            let pixel = point.y as usize * width + point.x as usize;
            let slack = 0.08 + 0.5 * point.part.size();
            let deed = seen.changed.get(pixel).is_some_and(|changed| *changed);
            let verdict = if point.z < nearest[pixel] * 0.95 - slack {
                let copied = seen.copied.get(pixel).copied().unwrap_or(0.0);
                match (deed, copied < 0.5) {
                    (true, _) => Verdict::TakenAway,
                    (_, true) => Verdict::SeenThrough(2),
                    _ => Verdict::SeenThrough(1),
                }
            } else if point.z > farthest[pixel] * 1.05 + slack {
                if deed { Verdict::Covered } else { Verdict::Hidden }
            } else {
                Verdict::Confirmed
            };
            let brick = &self.bricks[point.brick as usize];
            match point.part {
                Part::Cell(level) => {
                    let level = usize::from(level);
                    let minds = brick.minds(level, point.at as usize, verdict);
                    if minds && self.brick_mut(point.brick).judge(level, point.at as usize, verdict) {
                        gone.push((point.brick, level as u8, point.at));
                    }
                }
                Part::Summary(level) => {
                    let level = usize::from(level);
                    let through = matches!(verdict, Verdict::SeenThrough(_) | Verdict::TakenAway);
                    if brick.summary(level, point.at as usize).proven && !through {
                        continue;
                    }
                    let members = brick.members(level, point.at as usize).len();
                    for index in 0..members {
                        let brick = &self.bricks[point.brick as usize];
                        let (member_level, member) = brick.members(level, point.at as usize)[index];
                        let (at_level, at) = (usize::from(member_level), member as usize);
                        if brick.minds(at_level, at, verdict)
                            && self.brick_mut(point.brick).judge(at_level, at, verdict)
                        {
                            gone.push((point.brick, member_level, member));
                        }
                    }
                }
            }
        }
        // From the back, so that a removal moves only cells that were already dealt with.
        gone.sort_unstable();
        for &(brick, level, cell) in gone.iter().rev() {
            self.remove(brick, usize::from(level), cell as usize);
        }
    }

    /// Takes in a hit at the level of its pixel.
    fn add(&mut self, level: usize, hit: Hit) {
        let last = CELL_BLOCKS.len() - 1;
        let place = Self::place_of(hit.point);
        if let Some(at) = self.brick_at(place) {
            let brick = &self.bricks[at as usize];
            // A finer cell already stands here: a coarse look confirms it and changes nothing.
            for finer in 0..level {
                if let Some(found) = brick.find(hit.point, finer) {
                    if brick.layers[finer].cells[found].votes < MOST_VOTES {
                        self.brick_mut(at).change(finer, found).votes += 1;
                    }
                    return;
                }
            }
            if let Some(found) = brick.find(hit.point, level) {
                self.brick_mut(at).change(level, found).mix(&hit);
                return;
            }
        }
        // Small errors of depth would else grow a second skin in front of and behind each surface.
        if hit.known {
            return;
        }
        // A skin of an earlier frame, one cell before or behind: a look at the same surface.
        for side in [-1.0, 1.0] {
            let beside = hit.point + hit.facing * (side * CELL_BLOCKS[level]);
            let Some(at) = self.brick_at(Self::place_of(beside)) else { continue };
            let brick = &self.bricks[at as usize];
            if let Some(found) = brick.find(beside, level)
                && brick.layers[level].cells[found].tick < hit.tick
            {
                let cell = self.brick_mut(at).change(level, found);
                cell.mix(&Hit { point: cell.position, ..hit });
                return;
            }
        }
        let at = self.brick_at(place).unwrap_or_else(|| self.make_brick(place));
        self.cells += 1;
        self.cells -= self.brick_mut(at).insert(level, Cell::new(&hit));
        for coarser in level + 1..=last {
            if let Some(found) = self.bricks[at as usize].find(hit.point, coarser) {
                self.remove(at, coarser, found);
            }
        }
    }
}

impl Cell {
    fn new(hit: &Hit) -> Cell {
        Cell {
            position: hit.point,
            footprint_blocks: hit.detail_blocks,
            tick: hit.tick,
            key: 0,
            rgb: hit.rgb,
            votes: 1,
            looks: 1,
            doubts: 0,
        }
    }

    /// Takes in another look at what stands here.
    fn mix(&mut self, hit: &Hit) {
        self.votes = (self.votes + 1).min(MOST_VOTES);
        if self.looks == MADE_LOOKS {
            return self.tick = hit.tick;
        }
        let mix = if hit.tick == self.tick { MIX_OF_ONE_FRAME } else { MIX };
        self.tick = hit.tick;
        let finer = hit.detail_blocks < self.footprint_blocks * FINER;
        let share = if finer { 1.0 - hit.copied } else { mix * (1.0 - hit.copied) };
        for (old, new) in self.rgb.iter_mut().zip(hit.rgb) {
            *old = (f32::from(*old) + (f32::from(new) - f32::from(*old)) * share + 0.5) as u8;
        }
        self.position += (hit.point - self.position) * share;
        if share > 0.5 {
            self.footprint_blocks = hit.detail_blocks;
        }
    }
}

impl Canvas {
    /// Whether the canvas shows a surface at this depth.
    fn agrees(&self, pixel: usize, depth_blocks: f32, footprint_blocks: f32) -> bool {
        let Some(&shown) = self.depth_blocks.get(pixel) else { return false };
        if !shown.is_finite() || shown >= Depth::SKY {
            return false;
        }
        // What is splatted reaches over its neighbours, and along the ground they are much nearer or farther.
        let (x, y) = (pixel % self.width, pixel / self.width);
        let (mut low, mut high) = (shown, shown);
        for y in y.saturating_sub(1)..(y + 2).min(self.height) {
            for x in x.saturating_sub(1)..(x + 2).min(self.width) {
                let there = self.depth_blocks[y * self.width + x];
                if there < Depth::SKY {
                    low = low.min(there);
                    high = high.max(there);
                }
            }
        }
        let behind = 0.05 * depth_blocks + 0.08 + 0.5 * footprint_blocks;
        depth_blocks > low * 0.96 - 0.05 && depth_blocks - behind < high
    }
}

/// The level whose cells are as fine as a pixel.
fn level_of(footprint_blocks: f32) -> usize {
    let last = CELL_BLOCKS.len() - 1;
    CELL_BLOCKS.iter().position(|&size| size >= footprint_blocks * 0.9).unwrap_or(last)
}

/// Whether what a frame shows at this depth has no place of its own.
pub(super) fn is_sky(blocks: f32) -> bool {
    blocks >= FAR_BLOCKS * 0.9
}

/// The axis that the surface under a pixel faces most, by the points around it.
fn facing(rays: &[Vec3], axis_z: &[f32], pixel: usize, width: usize) -> Vec3 {
    let (x, y, height) = (pixel % width, pixel / width, rays.len() / width);
    let point = |x: usize, y: usize| rays[y * width + x] * axis_z[y * width + x];
    let across = point((x + 1).min(width - 1), y) - point(x.saturating_sub(1), y);
    let down = point(x, (y + 1).min(height - 1)) - point(x, y.saturating_sub(1));
    Vec3::AXES[axis_faced(across, down)]
}

/// The nearest or farthest depth in each pixel's 3x3 neighbourhood, so that edges do not judge what stands beside them.
#[inline(always)]
fn of_neighbours(out: &mut Vec<f32>, across: &mut Vec<f32>, z: &[f32], width: usize, pick: impl Fn(f32, f32) -> f32) {
    across.clear();
    across.extend_from_slice(z);
    for (row, out) in z.chunks_exact(width).zip(across.chunks_exact_mut(width)) {
        for x in 1..width {
            out[x] = pick(out[x], row[x - 1]);
        }
        for x in 1..width {
            out[x - 1] = pick(out[x - 1], row[x]);
        }
    }
    out.clear();
    out.extend_from_slice(across);
    let last = z.len() - width;
    for x in 0..last {
        out[x + width] = pick(out[x + width], across[x]);
    }
    for x in 0..last {
        out[x] = pick(out[x], across[x + width]);
    }
}
