//! The nine slots as the window draws them: the simulator's own blocks and textures.

use bevy::ecs::resource::Resource;
use holdfast_sim::{
    Frame,
    voxel::{
        hands::PALETTE,
        texture::{SIDE, Textures, Tile},
    },
};

/// One slot: what its block is called and looks like from the side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub name: String,
    pub picture: Frame,
}

/// What the nine slots hold; another set of blocks may be put in its place.
#[derive(Debug, Clone, PartialEq, Eq, Resource)]
pub struct Hotbar(pub [Slot; 9]);

impl Default for Hotbar {
    fn default() -> Self {
        Hotbar(PALETTE.map(|block| Slot { name: block.name().replace('_', " "), picture: side_of(Tile::of(block, 0)) }))
    }
}

/// A tile on a dark ground, where it lets one through.
fn side_of(tile: Tile) -> Frame {
    let mut picture = Frame::new(SIDE, SIDE);
    let textures = Textures::get();
    for (index, rgb) in picture.rgb.chunks_exact_mut(3).enumerate() {
        let along = |texel: usize| (texel as f32 + 0.5) / SIDE as f32;
        let [r, g, b, coverage] = textures.texel(tile, 0, along(index % SIDE), along(index / SIDE));
        // Half the darkness at most, so that glass still looks like glass.
        let light = (u16::from(coverage) + 255) / 2;
        rgb.copy_from_slice(&[r, g, b].map(|part| (u16::from(part) * light / 255) as u8));
    }
    picture
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_slot_has_a_name_and_a_picture_of_its_own() {
        let Hotbar(slots) = Hotbar::default();
        for (index, slot) in slots.iter().enumerate() {
            assert!(!slot.name.contains('_') && slot.picture.rgb.iter().any(|&part| part > 40), "{}", slot.name);
            assert!(slots[..index].iter().all(|other| other.picture != slot.picture), "{}", slot.name);
        }
    }
}
