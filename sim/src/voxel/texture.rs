//! The pictures on the blocks: 16x16 texels each, painted by code once, with their smaller versions for the distance.

use super::block::Block;
use super::paint;
use crate::Frame;
use glam::Vec3;
use std::sync::LazyLock;

/// Texels along each side of a full-size tile.
pub const SIDE: usize = 16;
/// Sizes 16, 8, 4, 2 and 1.
pub const LEVELS: usize = 5;
const LEVEL_START: [usize; LEVELS] = [0, 256, 320, 336, 340];
const TILE_LEN: usize = 341;

/// One picture: what a face, a plant or a crack looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Tile {
    GrassTop,
    GrassSide,
    Dirt,
    Stone,
    Sand,
    Gravel,
    Snow,
    OakLogSide,
    OakLogTop,
    OakLeaves,
    BirchLogSide,
    BirchLogTop,
    BirchLeaves,
    Planks,
    Cobble,
    Brick,
    Glass,
    Water,
    RedFlower,
    YellowFlower,
    TallGrass,
    Crop0,
    Crop1,
    Crop2,
    Crop3,
    CakeTop,
    CakeSide,
    CakeCut,
    CakeBottom,
    Lamp,
    CactusSide,
    CactusTop,
    Bedrock,
    Crack0,
    Crack1,
    Crack2,
    Crack3,
    Crack4,
    Crack5,
    Crack6,
    Crack7,
    Crack8,
    Crack9,
}

impl Tile {
    pub const COUNT: usize = 43;
    pub const ALL: [Tile; Self::COUNT] = {
        use Tile::*;
        [
            GrassTop,
            GrassSide,
            Dirt,
            Stone,
            Sand,
            Gravel,
            Snow,
            OakLogSide,
            OakLogTop,
            OakLeaves,
            BirchLogSide,
            BirchLogTop,
            BirchLeaves,
            Planks,
            Cobble,
            Brick,
            Glass,
            Water,
            RedFlower,
            YellowFlower,
            TallGrass,
            Crop0,
            Crop1,
            Crop2,
            Crop3,
            CakeTop,
            CakeSide,
            CakeCut,
            CakeBottom,
            Lamp,
            CactusSide,
            CactusTop,
            Bedrock,
            Crack0,
            Crack1,
            Crack2,
            Crack3,
            Crack4,
            Crack5,
            Crack6,
            Crack7,
            Crack8,
            Crack9,
        ]
    };

    /// The crack at a stage of breaking, 0 to 9.
    pub fn crack(stage: u8) -> Tile {
        Self::ALL[Tile::Crack0 as usize + usize::from(stage.min(9))]
    }

    /// The picture on a block's face: `up` is 1 on its top, -1 on its bottom and 0 on its sides.
    pub const fn of(block: Block, up: i32) -> Tile {
        match (block, up) {
            (Block::Grass, 1) => Tile::GrassTop,
            (Block::Grass, 0) => Tile::GrassSide,
            (Block::Grass | Block::Dirt, _) => Tile::Dirt,
            (Block::Stone, _) => Tile::Stone,
            (Block::Sand, _) => Tile::Sand,
            (Block::Gravel, _) => Tile::Gravel,
            (Block::Snow, _) => Tile::Snow,
            (Block::OakLog, 0) => Tile::OakLogSide,
            (Block::OakLog, _) => Tile::OakLogTop,
            (Block::BirchLog, 0) => Tile::BirchLogSide,
            (Block::BirchLog, _) => Tile::BirchLogTop,
            (Block::OakLeaves, _) => Tile::OakLeaves,
            (Block::BirchLeaves, _) => Tile::BirchLeaves,
            (Block::Planks, _) => Tile::Planks,
            (Block::Cobble, _) => Tile::Cobble,
            (Block::Brick, _) => Tile::Brick,
            (Block::Glass, _) => Tile::Glass,
            (Block::RedFlower, _) => Tile::RedFlower,
            (Block::YellowFlower, _) => Tile::YellowFlower,
            (Block::TallGrass, _) => Tile::TallGrass,
            (Block::Crop0, _) => Tile::Crop0,
            (Block::Crop1, _) => Tile::Crop1,
            (Block::Crop2, _) => Tile::Crop2,
            (Block::Crop3, _) => Tile::Crop3,
            (Block::Lamp, _) => Tile::Lamp,
            (Block::Cactus, 0) => Tile::CactusSide,
            (Block::Cactus, _) => Tile::CactusTop,
            (Block::Bedrock, _) => Tile::Bedrock,
            (_, 1) if block.is_cake() => Tile::CakeTop,
            (_, 0) if block.is_cake() => Tile::CakeSide,
            _ if block.is_cake() => Tile::CakeBottom,
            _ => Tile::Water,
        }
    }

    /// Looks the same whichever way it is turned, so blocks may turn it at random.
    pub const fn turns(self) -> bool {
        use Tile::*;
        matches!(self, GrassTop | Dirt | Stone | Sand | Gravel | Snow | OakLeaves | BirchLeaves | Bedrock | Water)
    }

    /// Looks the same mirrored left to right.
    pub const fn mirrors(self) -> bool {
        use Tile::*;
        self.turns()
            || matches!(self, GrassSide | OakLogSide | BirchLogSide | Cobble | RedFlower | YellowFlower | TallGrass)
    }
}

/// Every tile at every level, red, green, blue and coverage of each texel in 0..=255.
///
/// Colour is what the covered part looks like (not multiplied by the coverage).
#[derive(Debug)]
pub struct Textures {
    /// As painted.
    texels: Vec<[u8; 4]>,
    /// The same in 0..1, as rays want them.
    quick: Vec<[f32; 4]>,
}

impl Textures {
    /// The tiles, painted on first use: a constant that is cheaper to compute than to store.
    pub fn get() -> &'static Textures {
        static TEXTURES: LazyLock<Textures> = LazyLock::new(Textures::paint);
        &TEXTURES
    }

    fn paint() -> Self {
        let mut texels = Vec::with_capacity(Tile::COUNT * TILE_LEN);
        for tile in Tile::ALL {
            let start = texels.len();
            texels.extend_from_slice(&paint::tile(tile));
            for level in 1..LEVELS {
                let side = SIDE >> level;
                for at in 0..side * side {
                    let (x, y) = (at % side, at / side);
                    let from = start + LEVEL_START[level - 1] + 4 * side * y + 2 * x;
                    texels.push(average([0, 1, 2 * side, 2 * side + 1].map(|offset| texels[from + offset])));
                }
            }
        }
        let quick = texels.iter().map(|texel| texel.map(|channel| f32::from(channel) / 255.0)).collect();
        Textures { texels, quick }
    }

    /// A block's side as painted, on a dark ground where it lets one through.
    pub fn side(&self, block: Block) -> Frame {
        self.face(block, 0)
    }

    /// The same of its top (`up` 1) or its bottom (-1).
    pub fn face(&self, block: Block, up: i32) -> Frame {
        let (tile, mut picture) = (Tile::of(block, up), Frame::new(SIDE, SIDE));
        for (texel, rgb) in picture.rgb.chunks_exact_mut(3).enumerate() {
            let [r, g, b, coverage] = self.texels[tile as usize * TILE_LEN + texel];
            // Half the darkness at most, so that glass still looks like glass.
            let light = (u16::from(coverage) + 255) / 2;
            rgb.copy_from_slice(&[r, g, b].map(|part| (u16::from(part) * light / 255) as u8));
        }
        picture
    }

    /// What a stage of a crack, 0 to 9, leaves of white.
    pub fn left_by_crack(&self, stage: u8) -> Frame {
        let mut picture = Frame::new(SIDE, SIDE);
        for (texel, rgb) in picture.rgb.chunks_exact_mut(3).enumerate() {
            let [r, g, b, coverage] = self.texels[Tile::crack(stage) as usize * TILE_LEN + texel];
            let mixed = |part: u8| 255 - (255 - u16::from(part)) * u16::from(coverage) / 255;
            rgb.copy_from_slice(&[r, g, b].map(|part| mixed(part) as u8));
        }
        picture
    }

    #[inline]
    fn place(tile: Tile, level: usize, u: f32, v: f32) -> usize {
        let side = SIDE >> level;
        let x = ((u * side as f32) as i32 as usize).min(side - 1);
        let y = ((v * side as f32) as i32 as usize).min(side - 1);
        tile as usize * TILE_LEN + LEVEL_START[level] + y * side + x
    }

    /// The texel of a level that covers `(u, v)`, both in 0..1 from the top left.
    pub fn texel(&self, tile: Tile, level: usize, u: f32, v: f32) -> [u8; 4] {
        self.texels[Self::place(tile, level, u, v)]
    }

    /// Colour and coverage in 0..1 at `(u, v)`: sharp texels at `lod` 0, blended between levels above it.
    #[inline]
    pub fn sample(&self, tile: Tile, u: f32, v: f32, lod: f32) -> (Vec3, f32) {
        let level = (lod as i32).clamp(0, LEVELS as i32 - 1) as usize;
        let near = self.quick[Self::place(tile, level, u, v)];
        let far = self.quick[Self::place(tile, (level + 1).min(LEVELS - 1), u, v)];
        let blend = (lod - level as f32).max(0.0);
        let mixed = |channel: usize| near[channel] + (far[channel] - near[channel]) * blend;
        (Vec3::new(mixed(0), mixed(1), mixed(2)), mixed(3))
    }
}

/// The mean of four texels, weighted by coverage.
fn average(texels: [[u8; 4]; 4]) -> [u8; 4] {
    let cover: u32 = texels.iter().map(|texel| u32::from(texel[3])).sum();
    let channel = |at: usize| match cover {
        0 => texels.iter().map(|texel| u32::from(texel[at])).sum::<u32>() / 4,
        _ => texels.iter().map(|texel| u32::from(texel[at]) * u32::from(texel[3])).sum::<u32>() / cover,
    };
    [channel(0) as u8, channel(1) as u8, channel(2) as u8, ((cover + 2) / 4) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mean(tile: Tile) -> [u8; 4] {
        Textures::get().texel(tile, LEVELS - 1, 0.5, 0.5)
    }

    #[test]
    fn tiles_are_listed_in_the_order_of_their_numbers() {
        for (index, tile) in Tile::ALL.into_iter().enumerate() {
            assert_eq!(tile as usize, index);
        }
    }

    #[test]
    fn no_two_tiles_look_alike_and_none_is_flat() {
        for (index, tile) in Tile::ALL.into_iter().enumerate() {
            let picture = paint::tile(tile);
            assert!(picture.iter().any(|texel| texel != &picture[0]), "{tile:?} is flat");
            for other in &Tile::ALL[..index] {
                assert_ne!(picture, paint::tile(*other), "{tile:?} looks like {other:?}");
            }
        }
    }

    #[test]
    fn only_what_one_sees_through_has_holes() {
        use Tile::*;
        for tile in Tile::ALL {
            let open = matches!(tile, OakLeaves | BirchLeaves | Glass | RedFlower | YellowFlower | TallGrass)
                || (Crop0 as u8..=Crop3 as u8).contains(&(tile as u8))
                || tile as u8 >= Crack0 as u8;
            let holes = paint::tile(tile).iter().filter(|texel| texel[3] == 0).count();
            assert_eq!(holes > 0, open, "{tile:?} has {holes} holes");
        }
    }

    #[test]
    fn the_smallest_level_keeps_the_mean_of_the_largest() {
        for tile in Tile::ALL.into_iter().filter(|&tile| mean(tile)[3] == 255) {
            for channel in 0..3 {
                let sum: u32 = paint::tile(tile).iter().map(|texel| u32::from(texel[channel])).sum();
                assert!((sum as f32 / 256.0 - f32::from(mean(tile)[channel])).abs() <= 3.0, "{tile:?}");
            }
        }
    }

    #[test]
    fn cracks_grow() {
        let covers: Vec<u8> = (0..10).map(|stage| mean(Tile::crack(stage))[3]).collect();
        assert!(covers.windows(2).all(|pair| pair[0] < pair[1]), "{covers:?}");
    }
}
