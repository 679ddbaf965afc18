//! The nine slots as the window draws them.

use bevy::ecs::resource::Resource;

/// Name and colour of one slot's block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot {
    pub name: &'static str,
    pub rgb: [u8; 3],
}

/// What the nine slots hold.
#[derive(Debug, Clone, PartialEq, Eq, Resource)]
pub struct Hotbar(pub [Slot; 9]);

impl Default for Hotbar {
    fn default() -> Self {
        let slot = |name, rgb| Slot { name, rgb };
        Hotbar([
            slot("dirt", [122, 86, 58]),
            slot("stone", [128, 128, 128]),
            slot("planks", [176, 140, 86]),
            slot("cobble", [104, 104, 108]),
            slot("brick", [152, 76, 62]),
            slot("glass", [196, 224, 232]),
            slot("sand", [218, 206, 156]),
            slot("oak log", [94, 72, 44]),
            slot("lamp", [250, 222, 140]),
        ])
    }
}
