//! The nine slots as the window draws them: the simulator's own blocks and textures.

use bevy::ecs::resource::Resource;
use holdfast_sim::{
    Frame,
    voxel::{hands::PALETTE, texture::Textures},
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
        Hotbar(PALETTE.map(|block| Slot { name: block.name().replace('_', " "), picture: Textures::get().side(block) }))
    }
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
