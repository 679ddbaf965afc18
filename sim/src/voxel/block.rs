//! The blocks: what exists, and what each kind does.

use glam::Vec3;
use serde::{Deserialize, Serialize};

/// A kind of block. The discriminant is the id that truth files carry: add at the end, never renumber.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, Default)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Block {
    #[default]
    Air,
    Grass,
    Dirt,
    Stone,
    Sand,
    Gravel,
    Snow,
    OakLog,
    OakLeaves,
    BirchLog,
    BirchLeaves,
    Planks,
    Cobble,
    Brick,
    Glass,
    /// Water at its source; flows stand for their level 7 (nearly full) to 1.
    Water,
    WaterFlow7,
    WaterFlow6,
    WaterFlow5,
    WaterFlow4,
    WaterFlow3,
    WaterFlow2,
    WaterFlow1,
    RedFlower,
    YellowFlower,
    TallGrass,
    /// Crops in four stages of growth.
    Crop0,
    Crop1,
    Crop2,
    Crop3,
    /// A cake with 0 to 5 slices eaten.
    Cake0,
    Cake1,
    Cake2,
    Cake3,
    Cake4,
    Cake5,
    Lamp,
    Cactus,
    Bedrock,
}

impl Block {
    /// Every block, in the order of the ids.
    pub const ALL: [Block; 39] = {
        use Block::*;
        [
            Air,
            Grass,
            Dirt,
            Stone,
            Sand,
            Gravel,
            Snow,
            OakLog,
            OakLeaves,
            BirchLog,
            BirchLeaves,
            Planks,
            Cobble,
            Brick,
            Glass,
            Water,
            WaterFlow7,
            WaterFlow6,
            WaterFlow5,
            WaterFlow4,
            WaterFlow3,
            WaterFlow2,
            WaterFlow1,
            RedFlower,
            YellowFlower,
            TallGrass,
            Crop0,
            Crop1,
            Crop2,
            Crop3,
            Cake0,
            Cake1,
            Cake2,
            Cake3,
            Cake4,
            Cake5,
            Lamp,
            Cactus,
            Bedrock,
        ]
    };

    /// The number of bites in a whole cake.
    pub const CAKE_SLICES: u8 = 6;

    pub const fn id(self) -> u8 {
        self as u8
    }

    pub fn from_id(id: u8) -> Option<Block> {
        Self::ALL.get(usize::from(id)).copied()
    }

    /// The name in files and captions, the same as in serde.
    pub const fn name(self) -> &'static str {
        use Block::*;
        match self {
            Air => "air",
            Grass => "grass",
            Dirt => "dirt",
            Stone => "stone",
            Sand => "sand",
            Gravel => "gravel",
            Snow => "snow",
            OakLog => "oak_log",
            OakLeaves => "oak_leaves",
            BirchLog => "birch_log",
            BirchLeaves => "birch_leaves",
            Planks => "planks",
            Cobble => "cobble",
            Brick => "brick",
            Glass => "glass",
            Water => "water",
            WaterFlow7 => "water_flow7",
            WaterFlow6 => "water_flow6",
            WaterFlow5 => "water_flow5",
            WaterFlow4 => "water_flow4",
            WaterFlow3 => "water_flow3",
            WaterFlow2 => "water_flow2",
            WaterFlow1 => "water_flow1",
            RedFlower => "red_flower",
            YellowFlower => "yellow_flower",
            TallGrass => "tall_grass",
            Crop0 => "crop0",
            Crop1 => "crop1",
            Crop2 => "crop2",
            Crop3 => "crop3",
            Cake0 => "cake0",
            Cake1 => "cake1",
            Cake2 => "cake2",
            Cake3 => "cake3",
            Cake4 => "cake4",
            Cake5 => "cake5",
            Lamp => "lamp",
            Cactus => "cactus",
            Bedrock => "bedrock",
        }
    }

    /// Water at its source or flowing.
    pub const fn is_liquid(self) -> bool {
        self.id() >= Block::Water.id() && self.id() <= Block::WaterFlow1.id()
    }

    /// Drawn as two crossed pictures, and walked through.
    pub const fn is_plant(self) -> bool {
        self.id() >= Block::RedFlower.id() && self.id() <= Block::Crop3.id()
    }

    pub const fn is_cake(self) -> bool {
        self.id() >= Block::Cake0.id() && self.id() <= Block::Cake5.id()
    }

    /// Collides with bodies.
    pub const fn is_solid(self) -> bool {
        !matches!(self, Block::Air) && !self.is_liquid() && !self.is_plant()
    }

    /// Fills its whole cell.
    pub const fn is_full_cube(self) -> bool {
        self.is_solid() && !self.is_cake() && !matches!(self, Block::Cactus)
    }

    /// Blocks light and view entirely.
    pub const fn is_opaque(self) -> bool {
        self.is_full_cube() && !matches!(self, Block::OakLeaves | Block::BirchLeaves | Block::Glass)
    }

    /// Casts a shadow on what stands below.
    pub const fn casts_shadow(self) -> bool {
        self.is_opaque() || matches!(self, Block::OakLeaves | Block::BirchLeaves)
    }

    /// Ticks of holding attack until it breaks; `None` cannot be broken.
    pub const fn hardness_ticks(self) -> Option<u32> {
        use Block::*;
        Some(match self {
            Air | Bedrock => return None,
            _ if self.is_liquid() => return None,
            _ if self.is_plant() => 1,
            OakLeaves | BirchLeaves => 4,
            Glass => 5,
            Lamp | Cactus | Snow => 8,
            Sand | Dirt | Gravel => 10,
            Grass => 12,
            OakLog | BirchLog | Planks => 22,
            Stone | Cobble => 28,
            Brick => 32,
            _ => 8,
        })
    }

    /// Falls when nothing is below.
    pub const fn falls(self) -> bool {
        matches!(self, Block::Sand | Block::Gravel)
    }

    /// Light given off, 0 to 15: it reaches as many blocks.
    pub const fn light(self) -> u8 {
        if matches!(self, Block::Lamp) { 13 } else { 0 }
    }

    /// How full a water block is: 8 at a source, 7 to 1 in a flow; 0 for anything else.
    pub const fn water_level(self) -> u8 {
        match self {
            Block::Water => 8,
            _ if self.is_liquid() => Block::WaterFlow1.id() - self.id() + 1,
            _ => 0,
        }
    }

    /// The box inside the unit cell that collisions and rays meet, `(min, max)`; empty for air.
    ///
    /// For water it is the body of water under open air; for plants the box of the crossed pictures, which only the
    /// crosshair meets.
    pub fn bounds(self) -> (Vec3, Vec3) {
        let inset = |side: f32, height: f32| (Vec3::new(side, 0.0, side), Vec3::new(1.0 - side, height, 1.0 - side));
        match self {
            Block::Air => (Vec3::ZERO, Vec3::ZERO),
            _ if self.is_liquid() => inset(0.0, f32::from(self.water_level()) * 0.109375),
            Block::RedFlower | Block::YellowFlower => inset(0.3, 0.625),
            Block::TallGrass => inset(0.1, 0.8125),
            Block::Crop0 => inset(0.0, 0.25),
            Block::Crop1 => inset(0.0, 0.4375),
            Block::Crop2 => inset(0.0, 0.6875),
            Block::Crop3 => inset(0.0, 0.875),
            Block::Cactus => inset(0.0625, 1.0),
            _ if self.is_cake() => {
                let (mut min, max) = inset(0.0625, 0.5);
                let eaten = f32::from(self.id() - Block::Cake0.id());
                min.x += eaten * 0.875 / f32::from(Self::CAKE_SLICES);
                (min, max)
            }
            _ => (Vec3::ZERO, Vec3::ONE),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_names_and_order_agree() {
        for (index, block) in Block::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(block.id()), index);
            assert_eq!(Block::from_id(block.id()), Some(block));
            assert_eq!(
                serde_json::to_string(&block).expect("a unit variant"),
                format!("\"{}\"", block.name())
            );
        }
        assert_eq!(Block::from_id(Block::ALL.len() as u8), None);
    }

    #[test]
    fn shapes_lie_in_their_cell_and_follow_their_kind() {
        for block in Block::ALL {
            let (min, max) = block.bounds();
            assert!(
                min.cmpge(Vec3::ZERO).all() && max.cmple(Vec3::ONE).all() && min.cmple(max).all(),
                "{block:?}"
            );
            assert_eq!(
                block.is_full_cube(),
                block.is_solid() && (min, max) == (Vec3::ZERO, Vec3::ONE),
                "{block:?}"
            );
            assert!(!block.is_opaque() || block.is_full_cube());
        }
    }

    #[test]
    fn water_falls_from_the_source_level_to_one() {
        let levels: Vec<u8> = (Block::Water.id()..=Block::WaterFlow1.id())
            .map(|id| Block::from_id(id).expect("an id between two ids").water_level())
            .collect();
        assert_eq!(levels, [8, 7, 6, 5, 4, 3, 2, 1]);
    }

    #[test]
    fn each_bite_takes_an_equal_slice() {
        let left: Vec<f32> = (Block::Cake0.id()..=Block::Cake5.id())
            .map(|id| Block::from_id(id).expect("an id between two ids").bounds())
            .map(|(min, max)| max.x - min.x)
            .collect();
        for (eaten, width) in left.iter().enumerate() {
            assert!((width - 0.875 * (6 - eaten) as f32 / 6.0).abs() < 1e-6, "{left:?}");
        }
    }
}
