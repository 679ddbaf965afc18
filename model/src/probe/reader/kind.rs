//! The kinds of things that the reader tells apart: blocks that look alike at any distance are one kind.

use holdfast_sim::voxel::{block::Block, render::View};

/// A kind of block, or what is seen where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[repr(u8)]
pub enum Kind {
    Sky,
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
    Plant,
    Cake,
    Lamp,
    Cactus,
    Animal,
}

impl Kind {
    pub const COUNT: usize = 21;
    pub const ALL: [Kind; Kind::COUNT] = {
        use Kind::*;
        [
            Sky,
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
            Plant,
            Cake,
            Lamp,
            Cactus,
            Animal,
        ]
    };

    /// The kind of what the simulator says is under a pixel; `None` for bedrock, which no player sees.
    pub fn of_id(id: u8) -> Option<Kind> {
        match id {
            View::ENTITY => Some(Kind::Animal),
            _ => Block::from_id(id).and_then(Kind::of),
        }
    }

    pub fn of(block: Block) -> Option<Kind> {
        Some(match block {
            Block::Air => Kind::Sky,
            Block::Grass => Kind::Grass,
            Block::Dirt => Kind::Dirt,
            Block::Stone => Kind::Stone,
            Block::Sand => Kind::Sand,
            Block::Gravel => Kind::Gravel,
            Block::Snow => Kind::Snow,
            Block::OakLog => Kind::OakLog,
            Block::OakLeaves => Kind::OakLeaves,
            Block::BirchLog => Kind::BirchLog,
            Block::BirchLeaves => Kind::BirchLeaves,
            Block::Planks => Kind::Planks,
            Block::Cobble => Kind::Cobble,
            Block::Brick => Kind::Brick,
            Block::Glass => Kind::Glass,
            Block::Lamp => Kind::Lamp,
            Block::Cactus => Kind::Cactus,
            Block::Bedrock => return None,
            _ if block.is_liquid() => Kind::Water,
            _ if block.is_cake() => Kind::Cake,
            _ => Kind::Plant,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_block_but_bedrock_is_of_a_kind_and_every_kind_is_of_something() {
        let mut found: Vec<Kind> =
            Block::ALL.into_iter().filter_map(Kind::of).chain(Kind::of_id(View::ENTITY)).collect();
        found.sort_unstable();
        found.dedup();
        assert_eq!(found, Kind::ALL);
        assert_eq!(Block::ALL.into_iter().filter(|&block| Kind::of(block).is_none()).count(), 1);
    }
}
