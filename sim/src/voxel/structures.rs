//! What people left behind: huts, ruins, wells, farm plots and a laid table, at most one in each square of the map.

use super::block::Block;
use super::noise::{hash2, hash3};
use super::terrain::{Biome, Canvas, SEA_Y, Terrain};

/// At most one building stands in each square of this many blocks.
const SPACING: i32 = 36;
/// Half the width of the widest building.
const REACH: i32 = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Hut,
    Ruin,
    Well,
    Farm,
    Table,
}

impl Kind {
    pub const fn name(self) -> &'static str {
        match self {
            Kind::Hut => "hut",
            Kind::Ruin => "ruin",
            Kind::Well => "well",
            Kind::Farm => "farm",
            Kind::Table => "table",
        }
    }

    /// Half the width of its ground: it covers `2 * half + 1` blocks each way.
    const fn half(self) -> i32 {
        match self {
            Kind::Hut | Kind::Farm => 3,
            Kind::Ruin => 4,
            Kind::Well | Kind::Table => 2,
        }
    }
}

/// A building and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Plan {
    pub kind: Kind,
    /// The middle of its ground.
    pub x: i32,
    pub z: i32,
    /// The height of its floor blocks.
    pub floor_y: i32,
    dice: u64,
}

impl Plan {
    /// The building of one square, if one stands there.
    fn in_square(terrain: &Terrain, square_x: i32, square_z: i32) -> Option<Plan> {
        let dice = hash2(terrain.salted(50), square_x, square_z);
        if dice & 0xF < 3 {
            return None;
        }
        let place = |bits: u64| 6 + (bits & 0xFF) as i32 % (SPACING - 12);
        let (x, z) = (
            square_x * SPACING + place(dice >> 4),
            square_z * SPACING + place(dice >> 12),
        );
        let biome = terrain.biome(x, z);
        let kind = match (biome, (dice >> 20) % 10) {
            (_, 0..=2) => Kind::Hut,
            (_, 3..=4) => Kind::Ruin,
            (_, 5) => Kind::Well,
            (Biome::Desert | Biome::SnowyHills, 6..=7) => Kind::Ruin,
            (_, 6..=7) => Kind::Farm,
            _ => Kind::Table,
        };
        let half = kind.half();
        let heights = [(0, 0), (-half, -half), (half, -half), (-half, half), (half, half)]
            .map(|(dx, dz)| terrain.ground_y(x + dx, z + dz));
        let (low, high) = (heights.iter().min()?, heights.iter().max()?);
        let steep = if kind == Kind::Hut { 3 } else { 2 };
        if *low <= SEA_Y || high - low > steep {
            return None;
        }
        let mut sorted = heights;
        sorted.sort_unstable();
        Some(Plan {
            kind,
            x,
            z,
            floor_y: sorted[2],
            dice,
        })
    }

    /// Blocks between a place and the building's ground, 0 inside.
    pub fn distance(&self, x: i32, z: i32) -> i32 {
        ((x - self.x).abs().max((z - self.z).abs()) - self.kind.half()).max(0)
    }

    fn build(&self, terrain: &Terrain, canvas: &mut Canvas) {
        self.level_ground(terrain, canvas);
        match self.kind {
            Kind::Hut => self.hut(canvas),
            Kind::Ruin => self.ruin(canvas),
            Kind::Well => self.well(canvas),
            Kind::Farm => self.farm(canvas),
            Kind::Table => self.table(canvas),
        }
    }

    /// A floor that stands on the ground below, and air above it.
    fn level_ground(&self, terrain: &Terrain, canvas: &mut Canvas) {
        let half = self.kind.half();
        for z in self.z - half..=self.z + half {
            for x in self.x - half..=self.x + half {
                if !canvas.holds(x, z) {
                    continue;
                }
                let column = terrain.column(x, z);
                let (below, floor) = match self.kind {
                    Kind::Hut => (Block::Cobble, Block::Planks),
                    Kind::Farm => (Block::Dirt, Block::Dirt),
                    Kind::Well => (Block::Cobble, Block::Cobble),
                    _ => (column.filler, column.top),
                };
                for y in column.ground_y.min(self.floor_y - 1)..self.floor_y {
                    canvas.put(x, y, z, below);
                }
                canvas.put(x, self.floor_y, z, floor);
                for y in self.floor_y + 1..=(column.ground_y + 1).max(self.floor_y + 6) {
                    canvas.put(x, y, z, Block::Air);
                }
            }
        }
    }

    fn put(&self, canvas: &mut Canvas, dx: i32, dy: i32, dz: i32, block: Block) {
        // Which way the building looks: its own z axis is one of the four directions of the map.
        let (x, z) = match self.dice >> 40 & 3 {
            0 => (dx, dz),
            1 => (dz, -dx),
            2 => (-dx, -dz),
            _ => (-dz, dx),
        };
        canvas.put(self.x + x, self.floor_y + dy, self.z + z, block);
    }

    fn hut(&self, canvas: &mut Canvas) {
        let brick = self.dice >> 44 & 1 == 0;
        let wall = if brick { Block::Brick } else { Block::Planks };
        let post = if brick { Block::Cobble } else { Block::OakLog };
        for dz in -3i32..=3 {
            for dx in -3i32..=3 {
                let edge = dx.abs() == 3 || dz.abs() == 3;
                let corner = dx.abs() == 3 && dz.abs() == 3;
                for dy in 1..=3 {
                    let window = dy == 2 && (dx.abs() == 1 || dz.abs() == 1) && dz != 3;
                    let door = dz == 3 && dx == 0 && dy < 3;
                    match (edge, corner) {
                        (_, true) => self.put(canvas, dx, dy, dz, post),
                        (true, _) if door => {}
                        (true, _) if window => self.put(canvas, dx, dy, dz, Block::Glass),
                        (true, _) => self.put(canvas, dx, dy, dz, wall),
                        _ => {}
                    }
                }
                // A low roof in two steps.
                self.put(canvas, dx, 4, dz, if brick { Block::Planks } else { Block::Cobble });
                if dx.abs() < 3 && dz.abs() < 3 {
                    self.put(canvas, dx, 5, dz, if brick { Block::Planks } else { Block::Cobble });
                }
            }
        }
        self.put(canvas, 0, 4, 0, Block::Lamp);
        self.put(canvas, -2, 1, -2, Block::Planks);
        self.put(canvas, 2, 1, -2, Block::Planks);
        if self.dice >> 45 & 1 == 0 {
            self.put(canvas, -2, 2, -2, Block::Cake0);
        }
        self.put(
            canvas,
            2,
            2,
            -2,
            if self.dice >> 46 & 1 == 0 {
                Block::Lamp
            } else {
                Block::Air
            },
        );
    }

    fn ruin(&self, canvas: &mut Canvas) {
        for dz in -4i32..=4 {
            for dx in -4i32..=4 {
                let edge = dx.abs() == 4 || dz.abs() == 4;
                let dice = hash3(self.dice, dx, 0, dz);
                if !edge {
                    if dice & 7 == 0 {
                        self.put(canvas, dx, 0, dz, Block::Cobble);
                    }
                    continue;
                }
                // Walls stand highest at the corners, and lean on their neighbours: columns of broken height.
                let most = 5 - dx.abs().min(dz.abs()).min(3);
                let high = (dice % 5) as i32 - 1;
                let high = if dx.abs() == dz.abs() {
                    3 + (dice & 1) as i32
                } else {
                    high.min(6 - most)
                };
                for dy in 0..=high {
                    let stone = if dice >> (8 + dy) & 7 == 0 {
                        Block::Brick
                    } else {
                        Block::Cobble
                    };
                    self.put(canvas, dx, dy, dz, stone);
                }
            }
        }
        if self.dice >> 47 & 1 == 0 {
            self.put(canvas, 0, 1, 0, Block::Lamp);
        }
    }

    fn well(&self, canvas: &mut Canvas) {
        for dz in -1i32..=1 {
            for dx in -1i32..=1 {
                let rim = dx != 0 || dz != 0;
                self.put(canvas, dx, 1, dz, if rim { Block::Cobble } else { Block::Water });
                if dx.abs() == 1 && dz.abs() == 1 {
                    self.put(canvas, dx, 2, dz, Block::OakLog);
                    self.put(canvas, dx, 3, dz, Block::OakLog);
                }
                self.put(canvas, dx, 4, dz, Block::Planks);
            }
        }
        self.put(canvas, 0, 0, 0, Block::Water);
        self.put(canvas, 0, -1, 0, Block::Cobble);
    }

    fn farm(&self, canvas: &mut Canvas) {
        let ripe = (self.dice >> 48 & 3) as u8;
        for dz in -3i32..=3 {
            for dx in -3i32..=3 {
                if dx.abs() == 3 || dz.abs() == 3 {
                    self.put(canvas, dx, 0, dz, Block::OakLog);
                } else if dx == 0 {
                    self.put(canvas, dx, 0, dz, Block::Water);
                    self.put(canvas, dx, -1, dz, Block::Dirt);
                } else {
                    let stage = ripe.saturating_sub((hash3(self.dice, dx, 1, dz) & 1) as u8);
                    let crop = [Block::Crop0, Block::Crop1, Block::Crop2, Block::Crop3][usize::from(stage)];
                    self.put(canvas, dx, 1, dz, crop);
                }
            }
        }
    }

    fn table(&self, canvas: &mut Canvas) {
        self.put(canvas, 0, 1, 0, Block::Planks);
        self.put(canvas, 1, 1, 0, Block::Planks);
        self.put(canvas, 0, 2, 0, Block::Cake0);
        if self.dice >> 49 & 1 == 0 {
            self.put(canvas, 1, 2, 0, Block::Lamp);
        }
        self.put(canvas, -2, 1, 0, Block::OakLog);
    }
}

/// The buildings whose ground may reach into the 3x3 chunks around one chunk.
#[derive(Debug)]
pub struct Structures {
    // At most 9 squares meet 48 blocks.
    plans: [Option<Plan>; 9],
}

impl Structures {
    /// For the chunk whose corner is at `(x0, z0)`.
    pub fn near(terrain: &Terrain, x0: i32, z0: i32) -> Self {
        let mut plans = [None; 9];
        let squares = |from: i32| (from - 16 - REACH).div_euclid(SPACING)..=(from + 31 + REACH).div_euclid(SPACING);
        let all = squares(z0).flat_map(|square_z| squares(x0).map(move |square_x| (square_x, square_z)));
        for (slot, (square_x, square_z)) in plans.iter_mut().zip(all) {
            *slot = Plan::in_square(terrain, square_x, square_z);
        }
        Structures { plans }
    }

    pub fn plans(&self) -> impl Iterator<Item = &Plan> {
        self.plans.iter().flatten()
    }

    /// Whether a place is on a building's ground or within `margin` blocks of it.
    pub fn covers(&self, x: i32, z: i32, margin: i32) -> bool {
        self.plans().any(|plan| {
            (x - plan.x).abs() <= plan.kind.half() + margin && (z - plan.z).abs() <= plan.kind.half() + margin
        })
    }

    pub fn build(&self, terrain: &Terrain, canvas: &mut Canvas) {
        for plan in self.plans() {
            plan.build(terrain, canvas);
        }
    }
}
