//! What the simulator's blocks are made of: truth for training and probes, never for a dream.

use crate::matter::Matter;
use holdfast_sim::voxel::{block::Block, render::View};

/// The matter of a block.
pub(super) fn of_block(block: Block) -> Matter {
    match block {
        Block::Grass => Matter::Grass,
        Block::Dirt => Matter::Dirt,
        Block::Stone => Matter::Stone,
        Block::Sand => Matter::Sand,
        Block::Gravel => Matter::Gravel,
        Block::Snow => Matter::Snow,
        Block::OakLog => Matter::OakLog,
        Block::OakLeaves => Matter::OakLeaves,
        Block::BirchLog => Matter::BirchLog,
        Block::BirchLeaves => Matter::BirchLeaves,
        Block::Planks => Matter::Planks,
        Block::Cobble => Matter::Cobble,
        Block::Brick => Matter::Brick,
        Block::Glass => Matter::Glass,
        Block::Lamp => Matter::Lamp,
        Block::Cactus => Matter::Cactus,
        _ if block.is_cake() => Matter::Cake,
        _ if block.is_plant() => Matter::Plant,
        _ if block.is_liquid() => Matter::Water,
        _ => Matter::Rest,
    }
}

/// The matters that a true view shows, pixel by pixel.
pub fn true_matters(view: &View) -> Vec<Matter> {
    let of_id = |&id: &u8| match Block::from_id(id) {
        _ if id == View::ENTITY => Matter::Animal,
        Some(block) => of_block(block),
        None => Matter::Rest,
    };
    view.block_ids.iter().map(of_id).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_is_of_some_matter() {
        let named = Block::ALL.into_iter().filter(|block| of_block(*block) != Matter::Rest).count();
        assert_eq!(named, Block::ALL.len() - 2, "all but air and bedrock");
        let mut view = View::new(2, 1);
        view.block_ids = vec![View::ENTITY, Block::WaterFlow3.id()];
        assert_eq!(true_matters(&view), [Matter::Animal, Matter::Water]);
    }
}
