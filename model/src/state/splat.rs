//! Splatting: points in view are drawn softly onto the image plane.
//!
//! Two passes, as in surface splatting (Botsch et al., "High-Quality Surface Splatting"): the first finds the nearest
//! depth under each pixel, the second blends the colours of the points that lie on that surface.

use super::CELL_BLOCKS;
use multiversion::multiversion;
use serde::{Deserialize, Serialize};

/// What a point in view stands for.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Part {
    /// A cell of a level.
    Cell(u8),
    /// The summary of all finer cells in one cell of a level.
    Summary(u8),
}

impl Part {
    /// Side of the cell, blocks.
    pub fn size(self) -> f32 {
        let (Part::Cell(level) | Part::Summary(level)) = self;
        CELL_BLOCKS[usize::from(level)]
    }
}

/// How a cell or a summary looks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Look {
    pub rgb: [u8; 3],
    pub footprint_blocks: f32,
    /// Its votes, as a share of those that count.
    pub trust: f32,
}

/// A cell or a summary in view: where it is, where it fell on the image and how it looks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projected {
    pub brick: u32,
    /// Its index in its layer or among the summaries.
    pub at: u32,
    pub part: Part,
    pub look: Look,
    pub x: f32,
    pub y: f32,
    /// Distance along the view axis, blocks.
    pub z: f32,
    /// Half the cell's side on the image, pixels.
    pub half_px: f32,
}

/// Sums of a pixel, weighted: red, green, blue, z, confidence, 1, footprint, side of the cells.
pub(super) type Blend = [f32; 8];

/// Rows of an image, the first and the one after the last, that one call draws to; slices begin with the first.
pub(super) type Rows = std::ops::Range<usize>;

/// Lowers each pixel's depth to that of the nearest point over it.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn find_nearest(points: &[Projected], width: usize, rows: Rows, nearest_z: &mut [f32]) {
    for point in points {
        // A little more than the cell, so that neighbours whose means lie apart leave no gaps.
        let radius = (point.half_px * 1.25).max(0.6);
        let (top, bottom) = covered(point.y, radius, &rows);
        if top >= bottom {
            continue;
        }
        let (left, right) = covered(point.x, radius, &(0..width));
        for y in top - rows.start..bottom - rows.start {
            for nearest in &mut nearest_z[y * width + left..y * width + right] {
                *nearest = if point.z < *nearest { point.z } else { *nearest };
            }
        }
    }
}

/// Adds the looks of the points on the nearest surface.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub(super) fn blend(points: &[Projected], width: usize, rows: Rows, nearest_z: &[f32], blended: &mut [Blend]) {
    for point in points {
        let radius = (point.half_px * 1.6).max(0.75);
        let (top, bottom) = covered(point.y, radius, &rows);
        if top >= bottom {
            continue;
        }
        let (left, right) = covered(point.x, radius, &(0..width));
        let inverse = 1.0 / radius;
        let size_blocks = point.part.size();
        let slack = point.z - 0.02 * point.z - 0.06 - 0.35 * size_blocks;
        let Look { rgb, footprint_blocks, trust } = point.look;
        let [red, green, blue] = rgb.map(f32::from);
        let confidence = trust / (1.0 + 2.0 * footprint_blocks);
        let values = [red, green, blue, point.z, confidence, 1.0, footprint_blocks, size_blocks];
        for y in top..bottom {
            let dy = (y as f32 + 0.5 - point.y) * inverse;
            for x in left..right {
                let pixel = (y - rows.start) * width + x;
                if slack > nearest_z[pixel] {
                    continue;
                }
                let dx = (x as f32 + 0.5 - point.x) * inverse;
                let near = (1.0 - dx * dx) * (1.0 - dy * dy) + 1e-3;
                let weight = near * near * (0.1 + trust);
                for (sum, value) in blended[pixel].iter_mut().zip(values) {
                    *sum += weight * value;
                }
            }
        }
    }
}

/// The first pixel within `bounds` whose centre lies within `radius` of a coordinate, and the one after the last.
#[inline(always)]
fn covered(centre: f32, radius: f32, bounds: &Rows) -> (usize, usize) {
    let first = (centre - radius - 0.5).ceil().max(bounds.start as f32);
    let end = (centre + radius + 0.5).floor().min(bounds.end as f32);
    // Plain conversions: what is not below `end` covers nothing.
    if first < end { (first as usize, end as usize) } else { (0, 0) }
}
