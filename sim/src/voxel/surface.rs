//! What a ray sees of the blocks it meets: their pictures, tinted, lit, under water and in the fog.

use super::block::Block;
use super::chunk::Grid;
use super::light::Lights;
use super::noise;
use super::ray::{Entry, Ray, march};
use super::render::{Scene, View};
use super::sky::{Air, VIEW_BLOCKS};
use super::texture::{LEVELS, Textures, Tile};
use crate::{Camera, Depth, Pose};
use glam::{IVec3, Vec3};

/// What one ray sees.
pub(super) struct Seen {
    pub colour: Vec3,
    pub distance: f32,
    pub id: u8,
}

/// Colour gathered along a ray, nearest first.
struct Gathered {
    colour: Vec3,
    /// The share of light that still comes from behind.
    through: f32,
    distance: f32,
    id: u8,
    /// Where the ray went under water, and how far it has met water since.
    water: Option<(f32, f32)>,
}

impl Gathered {
    /// Lays a surface behind what is already there.
    fn add(&mut self, colour: Vec3, cover: f32, distance: f32, id: u8) {
        self.colour += colour * (self.through * cover);
        self.through *= 1.0 - cover;
        if self.through < 0.5 && self.id == 0 {
            (self.distance, self.id) = (distance, id);
        }
    }
}

/// Everything that is worked out once a frame.
pub(super) struct Painter<'a> {
    grid: Grid<'a>,
    textures: &'static Textures,
    pub air: Air,
    lights: Lights,
    crack: Option<(IVec3, u8)>,
    eye: Vec3,
    base: Ray,
    /// Texels of a full-size tile under one pixel, for each block of distance.
    texels_per_block: f32,
}

const WATER_COLOUR: Vec3 = Vec3::new(0.12, 0.26, 0.52);

impl<'a> Painter<'a> {
    pub fn new(scene: &Scene<'a>, pose: &Pose, camera: &Camera) -> Self {
        let air = scene.sky.air();
        Painter {
            grid: scene.chunks.grid(),
            textures: Textures::get(),
            lights: Lights::near(scene.chunks, &air, pose.eye()),
            air,
            crack: scene.crack,
            eye: pose.eye(),
            base: Ray::new(pose.eye(), Vec3::Z),
            texels_per_block: super::texture::SIDE as f32 / camera.focal_px(),
        }
    }

    pub fn eye_ray(&self, direction: Vec3) -> Ray {
        Ray { direction, ..self.base }
    }

    /// What a ray from the eye sees; `entity` is the distance and colour of the nearest moving thing in its way.
    #[inline]
    pub fn look(&self, ray: &Ray, entity: Option<(f32, Vec3)>) -> Seen {
        let reach = entity.map_or(VIEW_BLOCKS, |(distance, _)| distance.min(VIEW_BLOCKS));
        let mut gathered = Gathered { colour: Vec3::ZERO, through: 1.0, distance: Depth::SKY, id: 0, water: None };
        march(&self.grid, ray, reach, |entry| {
            self.meet(ray, entry, &mut gathered);
            gathered.through < 0.02
        });
        if let (true, Some((distance, colour))) = (gathered.through >= 0.02, entity) {
            let lit = colour * self.lights.at(&self.grid, ray, distance);
            let colour = self.under_water(&gathered, lit, distance);
            gathered.add(self.veiled(colour, ray, distance), 1.0, distance, View::ENTITY);
        } else if gathered.through >= 0.02 {
            let sky = self.under_water(&gathered, self.air.colour(self.eye, ray.direction), VIEW_BLOCKS);
            // Where no ground is in sight under water, the fog over its surface still hides it.
            let behind = gathered.water.map_or(sky, |(from, _)| self.veiled(sky, ray, from));
            gathered.colour += behind * gathered.through;
        }
        Seen { colour: gathered.colour.clamp(Vec3::ZERO, Vec3::ONE), distance: gathered.distance, id: gathered.id }
    }

    /// Adds what a block shows to the ray. The water's own surface is added when the ray enters it.
    #[inline(never)]
    fn meet(&self, ray: &Ray, entry: &Entry, gathered: &mut Gathered) {
        let block = entry.block;
        if block.is_liquid() {
            return self.meet_water(ray, entry, gathered);
        }
        if block.is_plant() {
            return self.meet_plant(ray, entry, gathered);
        }
        let (distance, axis) = if block.is_full_cube() {
            // The eye inside a block sees out of it.
            let Some(axis) = entry.axis else { return };
            (entry.from, axis)
        } else {
            let (min, max) = block.bounds();
            match ray.meet_box(entry.cell, min, max) {
                Some((enter, _, axis)) if enter > 0.0 => (enter, axis),
                _ => return,
            }
        };
        let normal_up = if axis != 1 {
            0
        } else if ray.direction.y < 0.0 {
            1
        } else {
            -1
        };
        let point = ray.point_in(entry.cell, distance);
        let (mut u, mut v) = match axis {
            0 => (point.z, 1.0 - point.y),
            1 => (point.x, point.z),
            _ => (point.x, 1.0 - point.y),
        };
        let hash = noise::look_hash(entry.cell.x, entry.cell.y, entry.cell.z);
        let mut tile = Tile::of(block, normal_up);
        if block.is_cake() && block != Block::Cake0 && axis == 0 && ray.direction.x > 0.0 {
            tile = Tile::CakeCut;
        }
        let lod = self.lod(distance, ray.direction[axis].abs());
        if tile.mirrors() && hash & 1 != 0 {
            u = 1.0 - u;
        }
        if tile.turns() {
            v = if hash & 2 != 0 { 1.0 - v } else { v };
            (u, v) = if hash & 4 != 0 { (v, u) } else { (u, v) };
        }
        let (texel, cover) = self.textures.sample(tile, u, v, lod);
        if cover <= 0.0 {
            return;
        }
        let mut colour = texel * (0.955 + 0.09 * ((hash >> 8 & 0xFF) as f32 / 255.0));
        if matches!(block, Block::Grass | Block::OakLeaves | Block::BirchLeaves) && colour.y > colour.x {
            colour *= self.grid_tint(entry.cell);
        }
        if let Some((_, stage)) = self.crack.filter(|(cell, _)| *cell == entry.cell) {
            let (line, cover) =
                self.textures.sample(Tile::crack(stage), point.x.max(0.0).fract(), v.clamp(0.0, 1.0), lod);
            colour = colour.lerp(line, cover);
        }
        let facing = super::light::face_light(axis, normal_up);
        let light = if block.light() > 0 {
            Vec3::ONE
        } else {
            self.lights.on_face(&self.grid, entry.cell, ray, axis, point) * facing
        };
        let lit = self.under_water(gathered, colour * light, distance);
        gathered.add(self.veiled(lit, ray, distance), cover, distance, block.id());
    }

    fn meet_plant(&self, ray: &Ray, entry: &Entry, gathered: &mut Gathered) {
        let hash = noise::look_hash(entry.cell.x, entry.cell.y, entry.cell.z);
        let origin = ray.point_in(entry.cell, 0.0);
        let d = ray.direction;
        // The two diagonals of the cell, x = z and x = 1 - z.
        let meets = [(d.x - d.z, origin.z - origin.x), (d.x + d.z, 1.0 - origin.x - origin.z)]
            .map(|(closing, apart)| if closing.abs() < 1e-6 { -1.0 } else { apart / closing });
        let order = if meets[0] <= meets[1] { [0, 1] } else { [1, 0] };
        for which in order {
            let distance = meets[which];
            let point = origin + d * distance;
            let inside =
                (0.0..1.0).contains(&point.x) && (0.0..1.0).contains(&point.y) && (0.0..1.0).contains(&point.z);
            if distance <= 0.0 || !inside {
                continue;
            }
            let u = if hash & 1 != 0 { 1.0 - point.x } else { point.x };
            let tile = Tile::of(entry.block, 0);
            let (texel, cover) = self.textures.sample(tile, u, 1.0 - point.y, self.lod(distance, 0.7));
            if cover <= 0.0 {
                continue;
            }
            let mut colour = texel * (0.95 + 0.10 * ((hash >> 8 & 0xFF) as f32 / 255.0));
            if entry.block == Block::TallGrass {
                colour *= self.grid_tint(entry.cell);
            }
            let lit = self.under_water(gathered, colour * self.lights.in_cell(&self.grid, entry.cell) * 0.95, distance);
            gathered.add(self.veiled(lit, ray, distance), cover, distance, entry.block.id());
        }
    }

    fn meet_water(&self, ray: &Ray, entry: &Entry, gathered: &mut Gathered) {
        let covered = self.grid_block(entry.cell + IVec3::Y).is_liquid();
        let (min, mut max) = entry.block.bounds();
        if covered {
            max.y = 1.0;
        }
        let Some((enter, leave, axis)) = ray.meet_box(entry.cell, min, max) else {
            return;
        };
        if let Some((_, until)) = &mut gathered.water {
            *until = leave;
            return;
        }
        gathered.water = Some((enter.max(0.0), leave));
        // Already in the water: the eye is, or the ray came from a neighbouring cell of it.
        let from_water = entry.axis.is_some_and(|axis| {
            enter <= entry.from + 1e-4 && self.grid_block(entry.cell - step(ray, axis)).is_liquid()
        });
        if enter <= 0.0 || from_water {
            return;
        }
        let point = ray.point_in(entry.cell, enter);
        let (u, v) = if axis == 1 { (point.x, point.z) } else { (point.x + point.z, 1.0 - point.y) };
        let hash = noise::look_hash(entry.cell.x, 0, entry.cell.z);
        let u = if hash & 1 != 0 { 1.0 - u.fract() } else { u.fract() };
        let (texel, _) =
            self.textures.sample(Tile::Water, u, v.clamp(0.0, 1.0), self.lod(enter, ray.direction[axis].abs()));
        // Low looks see the sky in the water, steep ones the ground under it.
        let slant = 1.0 - ray.direction[axis].abs();
        let grazing = slant * slant * slant;
        let light = self.lights.in_cell(&self.grid, entry.cell + IVec3::Y);
        let mirrored = self.air.haze(Vec3::new(ray.direction.x, ray.direction.y.abs(), ray.direction.z));
        let colour = (texel * light).lerp(mirrored, 0.10 + 0.50 * grazing);
        // More than half, so that the depth is that of the surface.
        let cover = 0.55 + 0.35 * grazing;
        gathered.add(self.veiled(colour, ray, enter), cover, enter, entry.block.id());
    }

    /// What is seen of a colour through the fog of a distance.
    #[inline]
    fn veiled(&self, colour: Vec3, ray: &Ray, distance: f32) -> Vec3 {
        match self.air.fog(distance) {
            0.0 => colour,
            fog => colour.lerp(self.air.haze(ray.direction), fog),
        }
    }

    /// What lies under water takes its colour with the length of the way through it.
    fn under_water(&self, gathered: &Gathered, colour: Vec3, distance: f32) -> Vec3 {
        match gathered.water {
            None => colour,
            Some((from, until)) => {
                let way = (distance.min(until) - from).max(0.0);
                colour.lerp(WATER_COLOUR * self.air.light, 0.15 + 0.80 * way / (way + 5.0))
            }
        }
    }

    fn grid_block(&self, cell: IVec3) -> Block {
        Block::from_id(self.grid.id(cell.x, cell.y, cell.z)).unwrap_or_default()
    }

    fn grid_tint(&self, cell: IVec3) -> Vec3 {
        let dry = f32::from(self.grid.dryness[super::chunk::column_index(cell.x, cell.z)]) / 255.0;
        Vec3::new(0.80, 0.94, 0.78).lerp(Vec3::new(1.34, 1.10, 0.98), dry)
    }

    /// The level of detail at a distance, on a face that the ray meets with this cosine.
    #[inline]
    fn lod(&self, distance: f32, cosine: f32) -> f32 {
        // Between the short and the long side of the pixel's footprint: the long side alone would blur floors.
        let texels = distance * self.texels_per_block / cosine.max(0.06).sqrt();
        quick_log2(texels).clamp(0.0, (LEVELS - 1) as f32)
    }
}

/// The cell step that a ray takes across an axis.
fn step(ray: &Ray, axis: usize) -> IVec3 {
    let mut step = IVec3::ZERO;
    step[axis] = if ray.direction[axis] >= 0.0 { 1 } else { -1 };
    step
}

/// The logarithm to base 2 with straight lines between powers of two: off by at most 0.09, and the same everywhere.
fn quick_log2(value: f32) -> f32 {
    value.to_bits() as f32 * (1.0 / (1 << 23) as f32) - 127.0
}
