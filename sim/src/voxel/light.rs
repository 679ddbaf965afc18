//! The light on a face: open sky, shade, dark corners and lamps, smooth across block edges.

use super::block::Block;
use super::chunk::{Chunks, Grid, HEIGHT, column_index};
use super::ray::{Ray, march};
use super::sky::Air;
use glam::{IVec3, Vec3};

/// At most this many lamps, the nearest to the eye, light a frame.
const MOST_LAMPS: usize = 12;
/// Light that an opaque cell gives to a corner beside it: the dark of corners.
const CORNER: f32 = 0.42;
/// Light right under a roof, and what each further block below the open takes.
const SHADE: f32 = 0.70;
const SHADE_A_BLOCK: f32 = 0.03;
const DARKEST: f32 = 0.24;
const LAMP_COLOUR: Vec3 = Vec3::new(1.0, 0.86, 0.62);

/// How bright a face is that lies across an axis (0 to 2), beside one that faces up; `up` is 1 for a top.
pub const fn face_light(axis: usize, up: i32) -> f32 {
    match (axis, up) {
        (0, _) => 0.66,
        (1, 1) => 1.0,
        (1, _) => 0.52,
        _ => 0.82,
    }
}

/// The lights of one frame.
#[derive(Debug)]
pub(super) struct Lights {
    sky: Vec3,
    /// The middle of each lamp, and how far it reaches.
    lamps: [(Vec3, f32); MOST_LAMPS],
    lamp_count: usize,
}

impl Lights {
    pub fn near(chunks: &Chunks, air: &Air, eye: Vec3) -> Self {
        let mut lights = Lights { sky: air.light, lamps: [(Vec3::ZERO, 0.0); MOST_LAMPS], lamp_count: 0 };
        let reach = (super::sky::VIEW_BLOCKS + 10.0) as i32;
        for lamp in chunks.lamps_near(eye.floor().as_ivec3(), reach) {
            let centre = lamp.as_vec3() + 0.5;
            let far = |(place, _): &(Vec3, f32)| place.distance_squared(eye);
            if lights.lamp_count < MOST_LAMPS {
                lights.lamp_count += 1;
            } else if lights.lamps.last().is_some_and(|last| far(last) <= centre.distance_squared(eye)) {
                continue;
            }
            let last = lights.lamp_count - 1;
            lights.lamps[last] = (centre, f32::from(chunks.get(lamp).light()));
            lights.lamps[..=last].sort_unstable_by(|a, b| far(a).total_cmp(&far(b)));
        }
        lights
    }

    /// How open a cell is to the sky, 0..=1.
    #[inline]
    fn openness(&self, grid: &Grid, x: i32, y: i32, z: i32) -> f32 {
        let covered = i32::from(grid.open_from[column_index(x, z)]) - y;
        if covered <= 0 {
            return 1.0;
        }
        let opaque = (0..HEIGHT as i32).contains(&y) && Block::from_id(grid.id(x, y, z)).is_some_and(Block::is_opaque);
        if opaque { CORNER } else { (SHADE - SHADE_A_BLOCK * covered as f32).max(DARKEST) }
    }

    /// The light on a point of a cell's face, given relative to the cell's corner.
    #[inline]
    pub fn on_face(&self, grid: &Grid, cell: IVec3, ray: &Ray, axis: usize, point: Vec3) -> Vec3 {
        let back = if ray.direction[axis] >= 0.0 { -1 } else { 1 };
        let IVec3 { x, y, z } = cell;
        let side_of = |at: f32| if at < 0.5 { -1 } else { 1 };
        let (sx, sy, sz) = (side_of(point.x), side_of(point.y), side_of(point.z));
        // Between the middles of the four cells nearest to the point, in the layer before the face.
        let at = |x: i32, y: i32, z: i32| self.openness(grid, x, y, z);
        let (near, side, across, corner, pa, pb) = match axis {
            0 => {
                let x = x + back;
                (at(x, y, z), at(x, y + sy, z), at(x, y, z + sz), at(x, y + sy, z + sz), point.y, point.z)
            }
            1 => {
                let y = y + back;
                (at(x, y, z), at(x + sx, y, z), at(x, y, z + sz), at(x + sx, y, z + sz), point.x, point.z)
            }
            _ => {
                let z = z + back;
                (at(x, y, z), at(x + sx, y, z), at(x, y + sy, z), at(x + sx, y + sy, z), point.x, point.y)
            }
        };
        let (pa, pb) = (pa - 0.5, pb - 0.5);
        let (wa, wb) = (pa.abs(), pb.abs());
        let one = near + (side - near) * wa;
        let two = across + (corner - across) * wa;
        let mut before = point;
        before[axis] += 0.01 * back as f32;
        self.total(grid, one + (two - one) * wb, cell, before)
    }

    /// The light in the middle of a cell.
    #[inline]
    pub fn in_cell(&self, grid: &Grid, cell: IVec3) -> Vec3 {
        self.total(grid, self.openness(grid, cell.x, cell.y, cell.z), cell, Vec3::splat(0.5))
    }

    /// The light at a point of a ray.
    pub fn at(&self, grid: &Grid, ray: &Ray, distance: f32) -> Vec3 {
        let cell = ray.base + (ray.within + ray.direction * distance).floor().as_ivec3();
        self.in_cell(grid, cell)
    }

    #[inline]
    fn total(&self, grid: &Grid, openness: f32, cell: IVec3, point: Vec3) -> Vec3 {
        let sky = self.sky * openness;
        let lacking = (Vec3::ONE - sky).max(Vec3::ZERO);
        if self.lamp_count == 0 || lacking.max_element() < 0.02 {
            return sky;
        }
        // A lamp fills what the sky leaves dark, and never burns out what is bright already.
        sky + LAMP_COLOUR * self.lamp_light(grid, cell, point) * lacking
    }

    /// The light of the lamp that shines brightest on a place, given relative to its cell's corner.
    fn lamp_light(&self, grid: &Grid, cell: IVec3, point: Vec3) -> f32 {
        let place = cell.as_vec3() + point;
        let mut brightest = 0.0f32;
        for (lamp, reach) in &self.lamps[..self.lamp_count] {
            let away = place.distance_squared(*lamp);
            if away < reach * reach {
                let near = 1.0 - away.sqrt() / reach;
                if near * near > brightest && shines_on(grid, *lamp, place) {
                    brightest = near * near;
                }
            }
        }
        brightest
    }
}

/// Whether nothing but glass, plants and water stands between a lamp and a place.
fn shines_on(grid: &Grid, lamp: Vec3, place: Vec3) -> bool {
    // The whole lamp shines: take its point nearest to the place, so that one let into a wall still lights the wall.
    let source = place.clamp(lamp - 0.52, lamp + 0.52);
    let way = source - place;
    let length = way.length();
    if length < 0.05 {
        return true;
    }
    let mut free = true;
    let lamp_cell = lamp.floor().as_ivec3();
    march(grid, &Ray::new(place, way / length), length, |entry| {
        free = entry.cell == lamp_cell || entry.axis.is_none() || !entry.block.casts_shadow();
        !free
    });
    free
}
