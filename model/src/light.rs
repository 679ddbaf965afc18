//! Light: how bright the faces of a block are beside each other, and how bright it is around, told by ground whose look
//! is known.

use crate::{face::Faces, grain::Drawn, lore::Lore, matter::Matter};
use glam::Vec3;
use holdfast_sim::Frame;

/// How bright a face is beside one that faces up: top, sides across x and across z, bottom.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FaceLight([f32; 4]);

impl Default for FaceLight {
    /// All alike: nothing is known.
    fn default() -> Self {
        FaceLight([1.0; 4])
    }
}

impl FaceLight {
    /// Of top, sides across x and across z, and bottom.
    pub fn new(faces: [f32; 4]) -> FaceLight {
        FaceLight(faces)
    }

    /// That of the face which a place in a cell, -1..1 from wall to wall, is nearest to.
    pub fn at(&self, place: Vec3) -> f32 {
        let away = place.abs();
        let face = match () {
            () if away.y >= away.x.max(away.z) => usize::from(place.y < 0.0) * 3,
            () if away.x >= away.z => 1,
            () => 2,
        };
        self.0[face]
    }

    /// As the weights' file notes it: four numbers with blanks between.
    pub fn to_text(&self) -> String {
        self.0.map(|light| light.to_string()).join(" ")
    }

    /// Reads what [`FaceLight::to_text`] wrote; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<FaceLight> {
        let lights: Vec<f32> = text.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        let lights: [f32; 4] = lights.try_into().ok()?;
        lights.iter().all(|light| (0.0..=4.0).contains(light)).then_some(FaceLight(lights))
    }
}

/// Ground farther off says little of the light here, blocks.
const NEAR_BLOCKS: f32 = 10.0;
/// Fewer pixels of ground say nothing.
const LEAST_PIXELS: usize = 60;

/// How bright the ground around is, as a multiple of what it looks like in full light: the median of what is near, faces up
/// and was there before. `None` where there is too little of it.
pub fn around(frame: &Frame, drawn: &Drawn, faces: &Faces, lore: &Lore) -> Option<f32> {
    let mut shares = Vec::new();
    for (pixel, &matter) in drawn.matters.iter().enumerate() {
        let changed = drawn.changed.get(pixel).is_some_and(|changed| *changed);
        if changed || !lore.materials.has_grain(matter) || drawn.depth.blocks[pixel] > NEAR_BLOCKS {
            continue;
        }
        if faces.at(pixel).is_some_and(|face| face.side == 0) {
            let shown: f32 = frame.rgb[pixel * 3..pixel * 3 + 3].iter().map(|&value| f32::from(value)).sum();
            shares.push(shown / lore.materials.brightness(matter, 0).max(1.0));
        }
    }
    if shares.len() < LEAST_PIXELS {
        return None;
    }
    let middle = shares.len() / 2;
    Some(*shares.select_nth_unstable_by(middle, f32::total_cmp).1)
}

/// The light that a frame shows a cube in: how bright it is where that shows, over what it looks like in full light.
/// `places` are pixels and the places in its cell that they show. `None` where it shows nowhere.
pub fn shown_on(frame: &Frame, cube: Matter, places: impl Iterator<Item = (usize, Vec3)>, lore: &Lore) -> Option<f32> {
    let bright = |rgb: &[u8]| rgb.iter().map(|&value| f32::from(value)).sum::<f32>();
    let (mut shown, mut expected) = (0.0, 0.0);
    for (pixel, place) in places {
        shown += bright(&frame.rgb[pixel * 3..pixel * 3 + 3]);
        expected += bright(&lore.colour(cube, place, 1.0));
    }
    (expected > 0.0).then(|| shown / expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_another_is_refused() {
        let light = FaceLight::new([1.0, 0.66, 0.82, 0.52]);
        assert_eq!(FaceLight::from_text(&light.to_text()), Some(light));
        let at = |x: f32, y: f32, z: f32| light.at(Vec3::new(x, y, z));
        assert_eq!(
            [at(0.5, 1.0, 0.2), at(-1.0, 0.3, 0.2), at(0.1, 0.9, -1.0), at(0.0, -1.0, 0.0)],
            [1.0, 0.66, 0.82, 0.52]
        );
        for text in ["", "1 1 1", "1 1 1 x", "1 1 1 NaN", "1 1 1 99"] {
            assert_eq!(FaceLight::from_text(text), None, "{text}");
        }
    }
}
