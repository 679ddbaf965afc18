//! Reading the world state: every cell in view is splatted softly onto the image plane.
//!
//! Two passes, as in surface splatting (Botsch et al., "High-Quality Surface Splatting"): the first finds the nearest
//! depth under each pixel, the second blends the colours of the cells that lie on that surface.

use super::{CELL_BLOCKS, COLUMN_BLOCKS, WorldState, sky::Sky};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Pose, pose::Axes};

/// What the world state shows from a pose. All vectors hold `height * width` pixels.
#[derive(Debug, Clone, Default)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    /// RGB in 0..255 where known.
    pub rgb: Vec<[f32; 3]>,
    /// Distance along the ray in blocks; infinite where unknown.
    pub depth_blocks: Vec<f32>,
    /// 0 where unknown; towards 1 the finer and the more often seen.
    pub confidence: Vec<f32>,
    /// Blocks a pixel covered when what is shown here was seen best; infinite where unknown.
    pub footprint_blocks: Vec<f32>,
}

/// A cell in view: where it is and where it fell on the image.
#[derive(Debug, Clone, Copy)]
pub(super) struct Projected {
    pub column: u32,
    pub cell: u32,
    pub x: f32,
    pub y: f32,
    /// Distance along the view axis, blocks.
    pub z: f32,
    /// Half the cell's side on the image, pixels.
    pub half_px: f32,
}

/// Buffers of a reader, reused from frame to frame; after a read it remembers which cells were in view.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    pub(super) in_view: Vec<Projected>,
    nearest_z: Vec<f32>,
    blended: Vec<[f32; 7]>,
}

/// Cells farther than this are behind the fog.
const VIEW_BLOCKS: f32 = 60.0;
/// The sky is trusted less than a surface: something may stand before it that was not seen yet.
const SKY_CONFIDENCE: f32 = 0.3;
/// Cells nearer than this to the eye are inside the body or noise.
const NEAR_BLOCKS: f32 = 0.15;

impl Canvas {
    pub fn known(&self, pixel: usize) -> bool {
        self.confidence[pixel] > 0.0
    }
}

impl WorldState {
    /// Draws what is known from `pose` into `canvas`.
    pub fn read(&self, pose: &Pose, camera: &Camera, reader: &mut Reader, canvas: &mut Canvas) {
        let axes = pose.axes();
        self.project(pose, camera, &axes, reader);
        let pixels = camera.width * camera.height;
        reader.nearest_z.clear();
        reader.nearest_z.resize(pixels, f32::INFINITY);
        for point in &reader.in_view {
            // A little more than the cell, so that neighbours whose means lie apart leave no gaps.
            let radius = (point.half_px * 1.25).max(0.6);
            for_each_pixel(point, radius, camera, |pixel, _, _| {
                if point.z < reader.nearest_z[pixel] {
                    reader.nearest_z[pixel] = point.z;
                }
            });
        }
        reader.blended.clear();
        reader.blended.resize(pixels, [0.0; 7]);
        for point in &reader.in_view {
            let cell = &self.columns[point.column as usize].cells[point.cell as usize];
            let size = CELL_BLOCKS[usize::from(cell.level)];
            let radius = (point.half_px * 1.6).max(0.75);
            let slack = point.z - 0.02 * point.z - 0.06 - 0.35 * size;
            let trust = f32::from(cell.votes).min(4.0) * 0.25;
            for_each_pixel(point, radius, camera, |pixel, dx, dy| {
                if slack > reader.nearest_z[pixel] {
                    return;
                }
                let near = (1.0 - dx * dx) * (1.0 - dy * dy) + 1e-3;
                let weight = near * near * (0.1 + trust);
                let sum = &mut reader.blended[pixel];
                for channel in 0..3 {
                    sum[channel] += weight * f32::from(cell.rgb[channel]);
                }
                sum[3] += weight * point.z;
                sum[4] += weight * trust / (1.0 + 4.0 * cell.footprint_blocks);
                sum[5] += weight;
                sum[6] += weight * cell.footprint_blocks;
            });
        }
        canvas.resolve(camera, &axes, &reader.nearest_z, &reader.blended, &self.sky);
    }

    /// Finds the cells in view, column by column in the fixed order of the grid around the eye.
    fn project(&self, pose: &Pose, camera: &Camera, axes: &Axes, reader: &mut Reader) {
        reader.in_view.clear();
        let eye = pose.eye();
        let focal = camera.focal_px();
        let half = Vec3::new(camera.width as f32 * 0.5 / focal, camera.height as f32 * 0.5 / focal, 1.0);
        let normals = [
            (axes.forward * half.x + axes.right).normalize(),
            (axes.forward * half.x - axes.right).normalize(),
            (axes.forward * half.y + axes.up).normalize(),
            (axes.forward * half.y - axes.up).normalize(),
        ];
        let reach = (VIEW_BLOCKS / COLUMN_BLOCKS).ceil() as i32;
        let (i0, k0) = Self::column_of(eye);
        for k in k0 - reach..=k0 + reach {
            for i in i0 - reach..=i0 + reach {
                let Some(&at) = self.index.get(&(i, k)) else { continue };
                let column = &self.columns[at as usize];
                if column.cells.is_empty() {
                    continue;
                }
                let extent = Vec3::new(COLUMN_BLOCKS, column.high_y - column.low_y + 0.5, COLUMN_BLOCKS) * 0.5;
                let centre = Vec3::new(
                    (i as f32 + 0.5) * COLUMN_BLOCKS,
                    (column.high_y + column.low_y) * 0.5,
                    (k as f32 + 0.5) * COLUMN_BLOCKS,
                ) - eye;
                let outside = |normal: &Vec3| centre.dot(*normal) < -extent.dot(normal.abs()) - 0.5;
                if normals.iter().any(outside) {
                    continue;
                }
                for (cell_at, cell) in column.cells.iter().enumerate() {
                    let from_eye = cell.position - eye;
                    let z = from_eye.dot(axes.forward);
                    if !(NEAR_BLOCKS..VIEW_BLOCKS).contains(&z) {
                        continue;
                    }
                    let scale = focal / z;
                    let x = camera.width as f32 * 0.5 + from_eye.dot(axes.right) * scale;
                    let y = camera.height as f32 * 0.5 - from_eye.dot(axes.up) * scale;
                    let half_px = CELL_BLOCKS[usize::from(cell.level)] * 0.5 * scale;
                    let margin = half_px + 1.0;
                    let across = -margin..camera.width as f32 + margin;
                    let down = -margin..camera.height as f32 + margin;
                    if across.contains(&x) && down.contains(&y) {
                        reader.in_view.push(Projected { column: at, cell: cell_at as u32, x, y, z, half_px });
                    }
                }
            }
        }
    }
}

/// Calls `draw(pixel, dx, dy)` for the pixels whose centres lie within `radius` of the point on both axes, `dx` and
/// `dy` as shares of the radius.
#[inline(always)]
fn for_each_pixel(point: &Projected, radius: f32, camera: &Camera, mut draw: impl FnMut(usize, f32, f32)) {
    let range = |centre: f32, size: usize| {
        let first = (centre - radius - 0.5).ceil().max(0.0) as usize;
        let last = (centre + radius - 0.5).floor().min(size as f32 - 1.0);
        if last < 0.0 { 0..0 } else { first..last as usize + 1 }
    };
    let inverse = 1.0 / radius;
    for y in range(point.y, camera.height) {
        let dy = (y as f32 + 0.5 - point.y) * inverse;
        for x in range(point.x, camera.width) {
            let dx = (x as f32 + 0.5 - point.x) * inverse;
            draw(y * camera.width + x, dx, dy);
        }
    }
}

impl Canvas {
    fn resolve(&mut self, camera: &Camera, axes: &Axes, nearest_z: &[f32], blended: &[[f32; 7]], sky: &Sky) {
        (self.width, self.height) = (camera.width, camera.height);
        let pixels = camera.width * camera.height;
        self.rgb.resize(pixels, [0.0; 3]);
        self.depth_blocks.resize(pixels, f32::INFINITY);
        self.confidence.resize(pixels, 0.0);
        self.footprint_blocks.clear();
        self.footprint_blocks.resize(pixels, f32::INFINITY);
        for y in 0..camera.height {
            for x in 0..camera.width {
                let pixel = y * camera.width + x;
                let sum = &blended[pixel];
                if nearest_z[pixel].is_finite() && sum[5] > 0.0 {
                    let scale = 1.0 / sum[5];
                    self.rgb[pixel] = [sum[0] * scale, sum[1] * scale, sum[2] * scale];
                    self.depth_blocks[pixel] = sum[3] * scale * camera.ray(axes, x, y).length();
                    self.confidence[pixel] = (sum[4] * scale).clamp(0.01, 1.0);
                    self.footprint_blocks[pixel] = sum[6] * scale;
                } else if let Some(rgb) = sky.read(camera.ray(axes, x, y)) {
                    self.rgb[pixel] = rgb;
                    self.depth_blocks[pixel] = Depth::SKY;
                    self.confidence[pixel] = SKY_CONFIDENCE;
                } else {
                    self.rgb[pixel] = [0.0; 3];
                    self.depth_blocks[pixel] = f32::INFINITY;
                    self.confidence[pixel] = 0.0;
                }
            }
        }
    }
}
