//! Reading the world state: every cell in view is splatted softly onto the image plane, what is far as summaries.

use super::{
    CELL_BLOCKS, Columns, WorldState,
    brick::{BRICK_BLOCKS, Brick, Order},
    sky::Sky,
    splat::{Blend, Look, Part, Projected, blend, find_nearest},
};
use crate::kernel::Crew;
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Pose, pose::Axes};
use std::sync::Arc;

/// What the world state shows from a pose. All vectors hold `height * width` pixels.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Canvas {
    pub width: usize,
    pub height: usize,
    /// RGB in 0..255 where known.
    pub rgb: Vec<[f32; 3]>,
    /// Distance along the ray in blocks; infinite where unknown.
    pub depth_blocks: Vec<f32>,
    /// 0 where unknown; towards 1 the finer and the more often seen.
    pub confidence: Vec<f32>,
    /// Side of what is remembered here in detail, blocks; infinite where unknown.
    pub footprint_blocks: Vec<f32>,
}

/// Buffers of a reader, reused from frame to frame; after a read it remembers which cells were in view.
#[derive(Debug, Clone, Default)]
pub struct Reader {
    pub(super) in_view: Vec<Projected>,
    /// Through the pixels.
    pub(super) rays: Vec<Vec3>,
    order: Order,
    nearest_z: Vec<f32>,
    blended: Vec<Blend>,
}

/// Rows that a thread draws at a time.
const BAND_ROWS: usize = 12;
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

impl Reader {
    /// Mean side of the cells that the last read showed at a pixel, blocks; infinite where it showed none.
    pub(super) fn cell_blocks(&self, pixel: usize) -> f32 {
        self.blended.get(pixel).filter(|sum| sum[5] > 0.0).map_or(f32::INFINITY, |sum| sum[7] / sum[5])
    }
}

impl Canvas {
    /// Becomes another's equal within the room that it has.
    pub(super) fn copy_from(&mut self, other: &Canvas) {
        (self.width, self.height) = (other.width, other.height);
        self.rgb.clone_from(&other.rgb);
        self.depth_blocks.clone_from(&other.depth_blocks);
        self.confidence.clone_from(&other.confidence);
        self.footprint_blocks.clone_from(&other.footprint_blocks);
    }

    pub fn known(&self, pixel: usize) -> bool {
        self.confidence[pixel] > 0.0
    }

    /// Whether a surface is known at a pixel, and not only sky. At a start nothing was read, and none is.
    pub(super) fn shows_surface(&self, pixel: usize) -> bool {
        self.depth_blocks.get(pixel).is_some_and(|blocks| *blocks < Depth::SKY)
    }
}

impl WorldState {
    /// Draws what is known from `pose` into `canvas`.
    pub fn read(&mut self, pose: &Pose, camera: &Camera, reader: &mut Reader, canvas: &mut Canvas) {
        self.read_on(&Crew::default(), pose, camera, reader, canvas);
    }

    /// As [`WorldState::read`], on a crew's threads: each draws bands of rows, so their number changes no bit.
    pub fn read_on(&mut self, crew: &Crew, pose: &Pose, camera: &Camera, reader: &mut Reader, canvas: &mut Canvas) {
        let axes = pose.axes();
        let view = Frustum::new(pose.eye(), camera, &axes);
        reader.in_view.clear();
        self.reads = self.reads.wrapping_add(1);
        for (at, centre) in in_view(&self.columns, &view) {
            let renew = self.reads.wrapping_add(at) % RENEWED_EVERY == 0;
            let (brick, coarsest) = (&mut self.bricks[at as usize], view.coarsest(centre));
            if coarsest > 0 && brick.needs_thinning(coarsest, renew) {
                Arc::make_mut(brick).thin(coarsest, &mut reader.order);
            }
            view.project(brick, at, coarsest, reader);
        }
        self.draw(crew, camera, &axes, reader, canvas);
    }

    /// As [`WorldState::read_on`], and changes nothing: what no read has summed up yet is drawn cell by cell.
    pub(super) fn glance(&self, crew: &Crew, pose: &Pose, camera: &Camera, reader: &mut Reader, canvas: &mut Canvas) {
        let axes = pose.axes();
        let view = Frustum::new(pose.eye(), camera, &axes);
        reader.in_view.clear();
        for (at, centre) in in_view(&self.columns, &view) {
            let (brick, coarsest) = (&self.bricks[at as usize], view.coarsest(centre));
            let summed_up = coarsest > 0 && !brick.summaries(coarsest).is_empty();
            view.project(brick, at, if summed_up { coarsest } else { 0 }, reader);
        }
        self.draw(crew, camera, &axes, reader, canvas);
    }

    /// Draws the points in view.
    fn draw(&self, crew: &Crew, camera: &Camera, axes: &Axes, reader: &mut Reader, canvas: &mut Canvas) {
        aim(&mut reader.rays, camera, axes);
        let (width, height) = (camera.width, camera.height);
        canvas.resize(width, height);
        reader.nearest_z.resize(width * height, f32::INFINITY);
        reader.blended.resize(width * height, [0.0; 8]);
        let rows = if crew.threads() > 1 { BAND_ROWS } else { height };
        let Reader { in_view, rays, nearest_z, blended, .. } = reader;
        let bands = nearest_z.chunks_mut(rows * width).zip(blended.chunks_mut(rows * width));
        let bands = bands.zip(rays.chunks(rows * width)).zip(canvas.bands(rows)).enumerate();
        let (in_view, sky) = (in_view.as_slice(), &self.sky);
        crew.lead(|| {
            crew.each(bands, |(band, (((nearest_z, blended), rays), mut canvas))| {
                let rows = band * rows..((band + 1) * rows).min(height);
                nearest_z.fill(f32::INFINITY);
                find_nearest(in_view, width, rows.clone(), nearest_z);
                blended.fill([0.0; 8]);
                blend(in_view, width, rows, nearest_z, blended);
                canvas.resolve(rays, nearest_z, blended, sky);
            });
        });
    }
}

/// The bricks in view and their centres, relative to the eye, in the fixed order of the grid around it.
fn in_view<'a>(columns: &'a Columns, view: &'a Frustum) -> impl Iterator<Item = (u32, Vec3)> + 'a {
    let reach = (VIEW_BLOCKS / BRICK_BLOCKS).ceil() as i32;
    let place = WorldState::place_of(view.eye);
    let around = move |middle: i32| middle - reach..=middle + reach;
    around(place.z).flat_map(move |k| around(place.x).map(move |i| (i, k))).flat_map(move |(i, k)| {
        let column = columns.get(&(i, k)).map(Vec::as_slice).unwrap_or_default();
        let centred = column.iter().map(move |&(j, at)| {
            let centre = (IVec3::new(i, j, k).as_vec3() + 0.5) * BRICK_BLOCKS - view.eye;
            (at, centre)
        });
        centred.filter(|(_, centre)| view.meets(*centre))
    })
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

    /// The coarsest level that a brick around `centre` is drawn in: that of cells no larger than a pixel.
    fn coarsest(&self, centre: Vec3) -> usize {
        let distance = (centre.abs() - BRICK_BLOCKS * 0.5).max(Vec3::ZERO).length();
        let pixel_blocks = distance / self.focal;
        CELL_BLOCKS.iter().rposition(|&size| size <= pixel_blocks * THIN_PX).unwrap_or(0)
    }

    /// Adds what a brick shows from the eye to the points in view.
    fn project(&self, brick: &Brick, brick_at: u32, coarsest: usize, reader: &mut Reader) {
        if coarsest > 0 {
            let points = brick.summaries(coarsest).iter().map(|summary| (summary.position, summary.look));
            self.project_all(brick_at, Part::Summary(coarsest as u8), points, &mut reader.in_view);
        }
        for (level, layer) in brick.layers.iter().enumerate().skip(coarsest) {
            let points = layer.cells.iter().map(|cell| (cell.position, cell.look()));
            self.project_all(brick_at, Part::Cell(level as u8), points, &mut reader.in_view);
        }
    }

    #[inline(always)]
    fn project_all(
        &self,
        brick: u32,
        part: Part,
        points: impl Iterator<Item = (Vec3, Look)>,
        in_view: &mut Vec<Projected>,
    ) {
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
                in_view.push(Projected { brick, part, at: at as u32, look, x, y, z, half_px });
            }
        }
    }
}

/// The rays through the pixels, as [`Camera::ray`] has them.
pub(super) fn aim(rays: &mut Vec<Vec3>, camera: &Camera, axes: &Axes) {
    let inverse = 1.0 / camera.focal_px();
    let (middle_x, middle_y) = (camera.width as f32 * 0.5 - 0.5, camera.height as f32 * 0.5 - 0.5);
    rays.resize(camera.width * camera.height, Vec3::ZERO);
    for (y, rays) in rays.chunks_exact_mut(camera.width).enumerate() {
        let row = axes.forward + axes.up * ((middle_y - y as f32) * inverse);
        for (x, ray) in rays.iter_mut().enumerate() {
            *ray = row + axes.right * ((x as f32 - middle_x) * inverse);
        }
    }
}

/// Some rows of a canvas.
struct Band<'a> {
    rgb: &'a mut [[f32; 3]],
    depth_blocks: &'a mut [f32],
    confidence: &'a mut [f32],
    footprint_blocks: &'a mut [f32],
}

impl Canvas {
    fn resize(&mut self, width: usize, height: usize) {
        (self.width, self.height) = (width, height);
        let pixels = width * height;
        self.rgb.resize(pixels, [0.0; 3]);
        self.depth_blocks.resize(pixels, f32::INFINITY);
        self.confidence.resize(pixels, 0.0);
        self.footprint_blocks.resize(pixels, f32::INFINITY);
    }

    fn bands(&mut self, rows: usize) -> impl Iterator<Item = Band<'_>> + Send {
        let pixels = rows * self.width;
        let (colour, depth) = (self.rgb.chunks_mut(pixels), self.depth_blocks.chunks_mut(pixels));
        let (trust, size) = (self.confidence.chunks_mut(pixels), self.footprint_blocks.chunks_mut(pixels));
        let parts = colour.zip(depth).zip(trust.zip(size));
        parts.map(|((rgb, depth_blocks), (confidence, footprint_blocks))| Band {
            rgb,
            depth_blocks,
            confidence,
            footprint_blocks,
        })
    }
}

impl Band<'_> {
    fn resolve(&mut self, rays: &[Vec3], nearest_z: &[f32], blended: &[Blend], sky: &Sky) {
        for (pixel, &ray) in rays.iter().enumerate() {
            let sum = &blended[pixel];
            self.footprint_blocks[pixel] = f32::INFINITY;
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
