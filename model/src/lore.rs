//! What a model knows of its world beside its weights: the same in every world, and known to whoever plays there before
//! anything is touched.

use crate::{
    cracks::Cracks, creature::Creatures, exposure::Exposure, hotbar::Hotbar, light::FaceLight, materials::Materials,
    matter::Matter, toughness::Toughness,
};
use glam::Vec3;

/// See the module. It lies in the model folder, and the weights' file says what belongs to it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lore {
    /// The blocks that it was trained to place.
    pub hotbar: Hotbar,
    pub materials: Materials,
    pub toughness: Toughness,
    pub face_light: FaceLight,
    pub creatures: Creatures,
    pub cracks: Cracks,
    /// Pictures that are darker in the mean, 0..1, are told to the denoiser as bright as this; 0: as they are.
    pub least_brightness: f32,
}

impl Lore {
    /// How much light pictures of so bright a place want: none where nothing was seen yet.
    pub fn exposure(&self, brightness: Option<f32>) -> Exposure {
        let lifted = |mean| Exposure::for_brightness(mean, self.least_brightness);
        brightness.map_or_else(Exposure::default, lifted)
    }

    /// What a slot, 1 to 9, places, if that fills its cell and nothing shows through it: the matter whose side looks so.
    pub fn cube_in(&self, slot: u8) -> Option<Matter> {
        self.matter_in(slot).filter(|matter| *matter != Matter::Glass)
    }

    /// Whether a slot, 1 to 9, places panes of glass.
    pub fn has_panes_in(&self, slot: u8) -> bool {
        self.matter_in(slot) == Some(Matter::Glass)
    }

    fn matter_in(&self, slot: u8) -> Option<Matter> {
        let shown = self.hotbar.picture(slot);
        let looks_so =
            |matter: &Matter| self.materials.has_grain(*matter) && self.materials.picture(*matter, 1).eq(shown.iter());
        Matter::ALL.into_iter().find(looks_so)
    }

    /// The colour of a cube at a place in its cell, -1..1 from wall to wall, on the face that it is nearest to, where the
    /// ground is `light` times as bright as in full light.
    pub fn colour(&self, cube: Matter, place: Vec3, light: f32) -> [u8; 3] {
        // A lamp brings its own.
        let light = if cube == Matter::Lamp { 1.0 } else { light * self.face_light.at(place) };
        self.materials.colour(cube, place).map(|value| (f32::from(value) * light + 0.5) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::SIDE_PX;

    #[test]
    fn what_a_slot_places_is_told_by_its_looks() {
        let picture = |matter: usize, face: usize, at: usize| ((matter * 40 + face * 7 + at * 3) % 251) as u8;
        let texels = SIDE_PX * SIDE_PX * 3;
        let side = |matter: usize| (0..texels).map(move |at| picture(matter, 1, at));
        let mut slots = vec![Matter::Sand as usize, Matter::Glass as usize];
        slots.resize(Hotbar::SLOTS, 99);
        let hotbar = Hotbar::new(slots.iter().flat_map(|&matter| side(matter)).collect());
        let row = SIDE_PX * 3;
        let texel = |at: usize| {
            let (matter, y, face) = (at / (row * 3 * SIDE_PX), at / (row * 3) % SIDE_PX, at / row % 3);
            picture(matter, face, y * row + at % row)
        };
        let materials = Materials::new((0..Materials::BYTES).map(texel).collect());
        let lore = Lore { hotbar, materials, ..Lore::default() };
        assert_eq!(lore.cube_in(1), Some(Matter::Sand));
        assert_eq!(
            [lore.cube_in(2), lore.cube_in(3)],
            [None; 2],
            "one sees through glass; nothing looks like the other"
        );
        assert_eq!([1, 2, 3].map(|slot| lore.has_panes_in(slot)), [false, true, false]);
        assert_eq!(Lore::default().cube_in(1), None, "all grey");
        let top = |light: f32| lore.colour(Matter::Sand, Vec3::new(-0.99, 1.0, -0.99), light);
        assert_eq!(top(1.0), [0, 1, 2].map(|at| picture(Matter::Sand as usize, 0, at)));
        assert!(top(0.5)[0] < top(1.0)[0]);
        let lamp = |light: f32| lore.colour(Matter::Lamp, Vec3::X, light);
        assert_eq!(lamp(0.1), lamp(1.0));
    }
}
