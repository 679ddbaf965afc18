//! Reading the world state: every cell in view is splatted softly onto the image plane, what is far as summaries.

use super::{
    CELL_BLOCKS, WorldState,
    brick::{BRICK_BLOCKS, Brick},
    sky::Sky,
    splat::{Blend, Look, Part, Projected, blend, find_nearest},
};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Pose, pose::Axes};
use std::sync::Arc;

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

/// Buffers of a reader, reused from frame to frame; after a read it remembers which cells were in view.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    pub(super) in_view: Vec<Projected>,
    nearest_z: Vec<f32>,
    blended: Vec<Blend>,
}

/// A brick is drawn from cells of the level whose side is at most this many pixels; finer ones are summed up in them.
const THIN_PX: f32 = 1.0;
/// Summaries follow their cells at every so many reads, each brick at its own turn: from afar, changes are small.
const RENEWED_EVERY: u32 = 8;
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
    pub fn read(&mut self, pose: &Pose, camera: &Camera, reader: &mut Reader, canvas: &mut Canvas) {
        let axes = pose.axes();
        self.project(pose, camera, &axes, reader);
        let (width, height) = (camera.width, camera.height);
        reader.nearest_z.clear();
        reader.nearest_z.resize(width * height, f32::INFINITY);
        find_nearest(&reader.in_view, width, height, &mut reader.nearest_z);
        reader.blended.clear();
        reader.blended.resize(width * height, [0.0; 8]);
        blend(&reader.in_view, width, height, &reader.nearest_z, &mut reader.blended);
        canvas.resolve(camera, &axes, &reader.nearest_z, &reader.blended, &self.sky);
    }

    /// Finds the cells in view, brick by brick in the fixed order of the grid around the eye.
    fn project(&mut self, pose: &Pose, camera: &Camera, axes: &Axes, reader: &mut Reader) {
        reader.in_view.clear();
        self.reads = self.reads.wrapping_add(1);
        let view = Frustum::new(pose.eye(), camera, axes);
        let reach = (VIEW_BLOCKS / BRICK_BLOCKS).ceil() as i32;
        let place = Self::place_of(view.eye);
        for k in place.z - reach..=place.z + reach {
            for i in place.x - reach..=place.x + reach {
                let Some(column) = self.columns.get(&(i, k)) else { continue };
                for &(j, at) in column {
                    let centre = (IVec3::new(i, j, k).as_vec3() + 0.5) * BRICK_BLOCKS - view.eye;
                    if view.meets(centre) {
                        let renew = self.reads.wrapping_add(at) % RENEWED_EVERY == 0;
                        view.project(&mut self.bricks[at as usize], at, centre, renew, reader);
                    }
                }
            }
        }
    }
}

/// What the camera sees from the eye.
struct Frustum<'a> {
    eye: Vec3,
    camera: &'a Camera,
    axes: &'a Axes,
    focal: f32,
    /// Of the four planes at the sides, inwards.
    normals: [Vec3; 4],
}

impl<'a> Frustum<'a> {
    fn new(eye: Vec3, camera: &'a Camera, axes: &'a Axes) -> Self {
        let focal = camera.focal_px();
        let (across, up) = (camera.width as f32 * 0.5 / focal, camera.height as f32 * 0.5 / focal);
        let normals = [
            (axes.forward * across + axes.right).normalize(),
            (axes.forward * across - axes.right).normalize(),
            (axes.forward * up + axes.up).normalize(),
            (axes.forward * up - axes.up).normalize(),
        ];
        Frustum { eye, camera, axes, focal, normals }
    }

    /// Whether a brick around `centre`, relative to the eye, may show.
    fn meets(&self, centre: Vec3) -> bool {
        let extent = Vec3::splat(BRICK_BLOCKS * 0.5);
        let ahead = self.axes.forward;
        centre.dot(ahead) - extent.dot(ahead.abs()) < VIEW_BLOCKS
            && self.normals.iter().all(|normal| centre.dot(*normal) >= -extent.dot(normal.abs()) - 0.5)
    }

    /// Adds what a brick shows from the eye to the points in view.
    fn project(&self, brick: &mut Arc<Brick>, brick_at: u32, centre: Vec3, renew: bool, reader: &mut Reader) {
        let distance = (centre.abs() - BRICK_BLOCKS * 0.5).max(Vec3::ZERO).length();
        let pixel_blocks = distance / self.focal;
        let coarsest = CELL_BLOCKS.iter().rposition(|&size| size <= pixel_blocks * THIN_PX).unwrap_or(0);
        if coarsest > 0 {
            if brick.needs_thinning(coarsest, renew) {
                Arc::make_mut(brick).thin(coarsest);
            }
            let points = brick.summaries(coarsest).iter().map(|summary| (summary.position, summary.look));
            self.project_all(brick_at, Part::Summary(coarsest as u8), points, reader);
        }
        for (level, layer) in brick.layers.iter().enumerate().skip(coarsest) {
            let points = layer.cells.iter().map(|cell| (cell.position, cell.look()));
            self.project_all(brick_at, Part::Cell(level as u8), points, reader);
        }
    }

    #[inline(always)]
    fn project_all(&self, brick: u32, part: Part, points: impl Iterator<Item = (Vec3, Look)>, reader: &mut Reader) {
        let (width, height) = (self.camera.width as f32, self.camera.height as f32);
        let half = part.size() * 0.5;
        for (at, (position, look)) in points.enumerate() {
            let from_eye = position - self.eye;
            let z = from_eye.dot(self.axes.forward);
            if !(NEAR_BLOCKS..VIEW_BLOCKS).contains(&z) {
                continue;
            }
            let scale = self.focal / z;
            let x = width * 0.5 + from_eye.dot(self.axes.right) * scale;
            let y = height * 0.5 - from_eye.dot(self.axes.up) * scale;
            let half_px = half * scale;
            let margin = half_px + 1.0;
            if (-margin..width + margin).contains(&x) && (-margin..height + margin).contains(&y) {
                reader.in_view.push(Projected { brick, part, at: at as u32, look, x, y, z, half_px });
            }
        }
    }
}

/// The rays through the pixels, as [`Camera::ray`] has them.
pub(super) fn rays(camera: &Camera, axes: &Axes) -> Vec<Vec3> {
    let inverse = 1.0 / camera.focal_px();
    let (middle_x, middle_y) = (camera.width as f32 * 0.5 - 0.5, camera.height as f32 * 0.5 - 0.5);
    let rows = (0..camera.height).map(|y| axes.forward + axes.up * ((middle_y - y as f32) * inverse));
    rows.flat_map(|row| (0..camera.width).map(move |x| row + axes.right * ((x as f32 - middle_x) * inverse))).collect()
}

impl Canvas {
    fn resolve(&mut self, camera: &Camera, axes: &Axes, nearest_z: &[f32], blended: &[Blend], sky: &Sky) {
        (self.width, self.height) = (camera.width, camera.height);
        let pixels = camera.width * camera.height;
        self.rgb.resize(pixels, [0.0; 3]);
        self.depth_blocks.resize(pixels, f32::INFINITY);
        self.confidence.resize(pixels, 0.0);
        self.footprint_blocks.clear();
        self.footprint_blocks.resize(pixels, f32::INFINITY);
        for (pixel, ray) in rays(camera, axes).into_iter().enumerate() {
            let sum = &blended[pixel];
            if nearest_z[pixel].is_finite() && sum[5] > 0.0 {
                let scale = 1.0 / sum[5];
                self.rgb[pixel] = [sum[0] * scale, sum[1] * scale, sum[2] * scale];
                self.depth_blocks[pixel] = sum[3] * scale * ray.length();
                self.confidence[pixel] = (sum[4] * scale).clamp(0.01, 1.0);
                self.footprint_blocks[pixel] = sum[6] * scale;
            } else if let Some(rgb) = sky.read(ray) {
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
