//! The ground before anyone touched it: a pure function of the seed and of where one asks.

use super::block::Block;
use super::chunk::HEIGHT;
use super::noise::{fractal, hash2, smoothstep, unit, value};
use super::structures::{Plan, Structures};
use super::trees;
use glam::{IVec3, Vec3};

/// Water fills the ground up to and including this height.
pub const SEA_Y: i32 = 24;

/// What grows and lies on the ground.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Biome {
    Plains,
    Forest,
    Desert,
    SnowyHills,
}

impl Biome {
    pub const fn name(self) -> &'static str {
        match self {
            Biome::Plains => "plains",
            Biome::Forest => "forest",
            Biome::Desert => "desert",
            Biome::SnowyHills => "snowy hills",
        }
    }
}

/// The ground of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Column {
    /// The highest ground block, under water or not.
    pub ground_y: i32,
    pub biome: Biome,
    /// The highest ground block's kind.
    pub top: Block,
    /// What lies below it for three blocks, above the stone.
    pub filler: Block,
    /// How dry the grass looks, 0 (lush) to 255.
    pub dryness: u8,
}

/// The world of a seed, before anyone touched it.
#[derive(Debug, Clone)]
pub struct Terrain {
    seed: u64,
}

struct Climate {
    desert: f32,
    snow: f32,
    forest: f32,
    dryness: f32,
}

impl Terrain {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds must not give neighbouring noise.
        Terrain {
            seed: super::noise::mix(seed ^ 0x5EED_0F70_1DFA_0057),
        }
    }

    /// A seed for one purpose (`salt`), independent of the others.
    pub fn salted(&self, salt: u64) -> u64 {
        self.seed ^ salt.wrapping_mul(0xD6E8_FEB8_6659_FD93)
    }

    fn climate(&self, x: f32, z: f32) -> Climate {
        let temperature = fractal(self.salted(1), x, z, 130.0, 2) + value(self.salted(2), x, z, 7.0) * 0.03;
        let moisture = fractal(self.salted(3), x, z, 90.0, 2) + value(self.salted(4), x, z, 6.0) * 0.04;
        Climate {
            desert: smoothstep(0.14, 0.30, temperature),
            snow: smoothstep(0.12, 0.30, -temperature),
            forest: smoothstep(-0.12, 0.12, moisture),
            dryness: 0.5 + 0.7 * temperature - 0.6 * moisture + 0.25 * value(self.salted(5), x, z, 11.0),
        }
    }

    fn ground_under(&self, climate: &Climate, x: f32, z: f32) -> i32 {
        let hills = fractal(self.salted(6), x, z, 52.0, 3);
        let ridge = 1.0 - value(self.salted(7), x, z, 38.0).abs() * 1.6;
        let mild = 1.0 - climate.desert;
        let base = 27.6 + climate.snow * 3.0 + climate.desert * 0.8;
        let high = 6.0 + climate.forest * mild * 3.0 + climate.snow * 5.0 - climate.desert * 1.5;
        let pond = smoothstep(0.30, 0.62, value(self.salted(8), x, z, 34.0)) * (1.0 - 0.75 * climate.snow);
        let bumps = value(self.salted(9), x, z, 9.0) * (0.5 + 0.5 * climate.snow);
        let y =
            base + hills * high + climate.snow * ridge.max(-0.4) * 5.0 + bumps - pond * (6.5 - 4.0 * climate.desert);
        // Deep lakes look like the sea; flatten what lies far below the water.
        let y = if y < 21.0 { 21.0 + (y - 21.0) * 0.35 } else { y };
        (y.floor() as i32).clamp(14, HEIGHT as i32 - 14)
    }

    /// The highest ground block, under water or not.
    pub fn ground_y(&self, x: i32, z: i32) -> i32 {
        let (x, z) = (x as f32, z as f32);
        self.ground_under(&self.climate(x, z), x, z)
    }

    pub fn biome(&self, x: i32, z: i32) -> Biome {
        biome_of(&self.climate(x as f32, z as f32))
    }

    pub fn column(&self, x: i32, z: i32) -> Column {
        let (fx, fz) = (x as f32, z as f32);
        let climate = self.climate(fx, fz);
        let ground_y = self.ground_under(&climate, fx, fz);
        let biome = biome_of(&climate);
        let patch = value(self.salted(10), fx, fz, 13.0) + value(self.salted(11), fx, fz, 4.0) * 0.25;
        let (top, filler) = if ground_y < SEA_Y {
            match patch {
                p if p > 0.45 => (Block::Gravel, Block::Gravel),
                p if p > -0.45 => (Block::Sand, Block::Sand),
                _ => (Block::Dirt, Block::Dirt),
            }
        } else if ground_y <= SEA_Y + 1 && patch > -0.55 {
            if patch > 0.75 {
                (Block::Gravel, Block::Gravel)
            } else {
                (Block::Sand, Block::Sand)
            }
        } else {
            match biome {
                Biome::Desert => (Block::Sand, Block::Sand),
                Biome::SnowyHills if patch > 0.62 => (Block::Stone, Block::Stone),
                Biome::SnowyHills => (Block::Snow, Block::Dirt),
                _ if patch > 0.82 => (Block::Gravel, Block::Dirt),
                _ => (Block::Grass, Block::Dirt),
            }
        };
        let dryness = (climate.dryness.clamp(0.0, 1.0) * 255.0) as u8;
        Column {
            ground_y,
            biome,
            top,
            filler,
            dryness,
        }
    }

    /// The block of the bare ground and water at a height in this column: no tree, plant or building.
    pub fn bare(column: &Column, y: i32) -> Block {
        match column.ground_y - y {
            _ if y < 0 => Block::Air,
            _ if y == 0 => Block::Bedrock,
            depth if depth < 0 => {
                if y <= SEA_Y {
                    Block::Water
                } else {
                    Block::Air
                }
            }
            0 => column.top,
            1..=3 => column.filler,
            _ => Block::Stone,
        }
    }

    /// What grows by itself on this ground, as the blocks standing on it, lowest first.
    fn growth(&self, column: &Column, x: i32, z: i32) -> (Block, i32) {
        if column.ground_y < SEA_Y {
            return (Block::Air, 0);
        }
        let dice = hash2(self.salted(20), x, z);
        let chance = unit(dice);
        let patch = value(self.salted(21), x as f32, z as f32, 9.0);
        match (column.biome, column.top) {
            (Biome::Desert, Block::Sand) if chance < 0.009 && column.ground_y > SEA_Y + 1 => {
                (Block::Cactus, 1 + (dice & 3).min(2) as i32)
            }
            (Biome::Plains | Biome::Forest, Block::Grass) => {
                let (grass, flowers) = if column.biome == Biome::Plains {
                    (0.16, 0.05)
                } else {
                    (0.10, 0.02)
                };
                let flower = if value(self.salted(22), x as f32, z as f32, 17.0) > 0.0 {
                    Block::RedFlower
                } else {
                    Block::YellowFlower
                };
                match chance {
                    c if c < flowers * (1.0 + patch) => (flower, 1),
                    c if c < flowers * (1.0 + patch) + grass * (1.0 + patch) => (Block::TallGrass, 1),
                    _ => (Block::Air, 0),
                }
            }
            _ => (Block::Air, 0),
        }
    }

    /// Fills a chunk (see `chunk::index`) and its columns' dryness; depends on nothing but the seed and the place.
    pub fn generate(&self, chunk_x: i32, chunk_z: i32, blocks: &mut [u8], dryness: &mut [u8; 256]) {
        let (x0, z0) = (chunk_x * 16, chunk_z * 16);
        let structures = Structures::near(self, x0, z0);
        for z in 0..16 {
            for x in 0..16 {
                let column = self.column(x0 + x, z0 + z);
                dryness[(z * 16 + x) as usize] = column.dryness;
                for y in 0..=column.ground_y.max(SEA_Y) {
                    blocks[super::chunk::index(x, y, z)] = Self::bare(&column, y).id();
                }
                if !structures.covers(x0 + x, z0 + z, 0) {
                    let (plant, high) = self.growth(&column, x0 + x, z0 + z);
                    for y in 1..=high {
                        blocks[super::chunk::index(x, column.ground_y + y, z)] = plant.id();
                    }
                }
            }
        }
        let mut canvas = Canvas { x0, z0, blocks };
        trees::plant(self, &structures, &mut canvas);
        structures.build(self, &mut canvas);
    }

    /// Where a player begins: on dry, open land near the origin, with something to look at. Feet position.
    pub fn spawn(&self) -> Vec3 {
        // Deserts are flat and dry, so most places that are good to begin at lie there: draw the biome first.
        let wanted = match hash2(self.salted(31), 0, 0) % 20 {
            0..=6 => Biome::Plains,
            7..=12 => Biome::Forest,
            13..=16 => Biome::SnowyHills,
            _ => Biome::Desert,
        };
        let mut best = (f32::MIN, IVec3::ZERO);
        // The best of a few: the best of many would always be the same kind of place.
        for attempt in 0..400 {
            if attempt >= 18 && best.0 > -50.0 {
                break;
            }
            let dice = hash2(self.salted(30), attempt, 0);
            let (x, z) = ((dice & 0x1FF) as i32 - 256, (dice >> 9 & 0x1FF) as i32 - 256);
            let feet = IVec3::new(x, self.ground_y(x, z) + 1, z);
            let score = self.view_score(feet) + if self.biome(x, z) == wanted { 9.0 } else { 0.0 };
            if score > best.0 {
                best = (score, feet);
            }
        }
        best.1.as_vec3() + Vec3::new(0.5, 0.0, 0.5)
    }

    /// How good it is to begin here: open, dry, and something in sight.
    fn view_score(&self, feet: IVec3) -> f32 {
        let structures = Structures::near(self, feet.x & !15, feet.z & !15);
        let dry = feet.y > SEA_Y + 1;
        if !dry || structures.covers(feet.x, feet.z, 2) || trees::near(self, &structures, feet.x, feet.z, 3) {
            return -100.0;
        }
        let mut score = 0.0;
        let here = self.biome(feet.x, feet.z);
        for (dx, dz) in [(1, 0), (1, 1), (0, 1), (-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1)] {
            for (far, weight) in [(3, 2.0), (8, 1.0), (16, 0.7), (28, 0.5)] {
                let (x, z) = (feet.x + dx * far, feet.z + dz * far);
                let rise = self.ground_y(x, z) + 1 - feet.y;
                // Walls close by hide the view, water and far slopes make one.
                score -= weight * (rise - far / 3).max(0) as f32;
                score += if rise + feet.y <= SEA_Y { 0.5 * weight } else { 0.0 };
                score += 0.08 * weight * rise.abs().min(far / 4) as f32;
                score += if self.biome(x, z) != here { 0.4 } else { 0.0 };
            }
        }
        let sight = structures
            .plans()
            .map(|plan| plan.distance(feet.x, feet.z))
            .min()
            .unwrap_or(99);
        score + if (6..24).contains(&sight) { 4.0 } else { 0.0 }
    }

    /// The buildings whose ground may reach into the 3x3 chunks around a place.
    pub fn buildings_near(&self, x: i32, z: i32) -> Vec<Plan> {
        Structures::near(self, x & !15, z & !15).plans().copied().collect()
    }
}

fn biome_of(climate: &Climate) -> Biome {
    match climate {
        Climate { desert, .. } if *desert > 0.5 => Biome::Desert,
        Climate { snow, .. } if *snow > 0.5 => Biome::SnowyHills,
        Climate { forest, .. } if *forest > 0.5 => Biome::Forest,
        _ => Biome::Plains,
    }
}

/// One chunk being made: what is drawn outside it is somebody else's to draw again.
#[derive(Debug)]
pub struct Canvas<'a> {
    pub x0: i32,
    pub z0: i32,
    blocks: &'a mut [u8],
}

impl Canvas<'_> {
    fn at(&self, x: i32, y: i32, z: i32) -> Option<usize> {
        let (x, z) = (x - self.x0, z - self.z0);
        let inside = (0..16).contains(&x) && (0..16).contains(&z) && (0..HEIGHT as i32).contains(&y);
        inside.then(|| super::chunk::index(x, y, z))
    }

    /// Whether a column is in this chunk.
    pub fn holds(&self, x: i32, z: i32) -> bool {
        self.at(x, 0, z).is_some()
    }

    pub fn put(&mut self, x: i32, y: i32, z: i32, block: Block) {
        if let Some(at) = self.at(x, y, z) {
            self.blocks[at] = block.id();
        }
    }

    /// Puts a block where there is nothing but air or plants, so that the order of drawing does not matter.
    pub fn put_into_air(&mut self, x: i32, y: i32, z: i32, block: Block) {
        if let Some(at) = self.at(x, y, z)
            && Block::from_id(self.blocks[at]).is_some_and(|there| there == Block::Air || there.is_plant())
        {
            self.blocks[at] = block.id();
        }
    }
}
