//! What a thing in view does when nobody looks: the denoiser says it of each pixel, and the world state goes by it.

use crate::layout::output;
use holdfast_sim::voxel::{block::Block, render::View};
use serde::{Deserialize, Serialize};

/// How a thing behaves by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Nature {
    /// It stays as it is: rock, wood, the sky.
    #[default]
    Stays,
    /// It falls when nothing is below: sand, gravel.
    Falls,
    /// It runs to where there is room: water.
    Flows,
    /// It goes with the ground that it stands on: flowers, grass, crops.
    Grows,
    /// It walks about: animals.
    Lives,
}

impl Nature {
    pub const ALL: [Nature; 5] = [Nature::Stays, Nature::Falls, Nature::Flows, Nature::Grows, Nature::Lives];

    /// That of what a true view shows under a pixel, by its id there.
    pub fn of_id(id: u8) -> Nature {
        match Block::from_id(id) {
            _ if id == View::ENTITY => Nature::Lives,
            Some(block) if block.falls() => Nature::Falls,
            Some(block) if block.is_liquid() => Nature::Flows,
            Some(block) if block.is_plant() => Nature::Grows,
            _ => Nature::Stays,
        }
    }

    /// The likeliest, by the denoiser's raw output of a pixel.
    pub fn said(raw: &[f32]) -> Nature {
        let logits = &raw[output::NATURE..output::NATURE + Nature::ALL.len()];
        let mut best = 0;
        for at in 1..logits.len() {
            if logits[at] > logits[best] {
                best = at;
            }
        }
        Nature::ALL[best]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_block_has_its_nature() {
        let natures = [Block::Stone, Block::Gravel, Block::WaterFlow3, Block::TallGrass].map(|block| block.id());
        assert_eq!(natures.map(Nature::of_id), [Nature::Stays, Nature::Falls, Nature::Flows, Nature::Grows]);
        assert_eq!([View::ENTITY, Block::Air.id()].map(Nature::of_id), [Nature::Lives, Nature::Stays]);
    }

    #[test]
    fn the_likeliest_is_said() {
        for (at, nature) in Nature::ALL.into_iter().enumerate() {
            let mut raw = [-1.0; output::CHANNELS];
            raw[output::NATURE + at] = 2.0;
            assert_eq!(Nature::said(&raw), nature);
        }
    }
}
