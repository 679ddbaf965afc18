//! The blocks: what exists, and what each kind does.

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
