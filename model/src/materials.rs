//! What matters look like from near: a picture of each one's top, side and bottom, which is what a model knows of grain
//! finer than it can draw.

use crate::{
    ModelError,
    matter::Matter,
    pictures::{self, SIDE_PX},
};
use glam::Vec3;
use std::path::Path;

/// Sizes 16, 8, 4, 2 and 1.
pub(crate) const LEVELS: usize = 5;
/// Darkest and brightest, as multiples of the mean: beyond, a hole in the leaves would be a hole in what is drawn.
const LEAST: f32 = 0.55;
const MOST: f32 = 1.6;

/// Pictures of matters. What is one colour all over has no grain.
#[derive(Debug, Clone, PartialEq)]
pub struct Materials {
    /// `[Matter::COUNT, SIDE_PX, FACES, SIDE_PX, 3]`
    rgb: Vec<u8>,
    /// Brightness of each texel as a multiple of its picture's mean, by matter, face and level.
    grain: Vec<Vec<f32>>,
    /// Mean colour, 0..255, by matter and face.
    means: Vec<Vec3>,
    /// Whether any face of a matter is not one colour all over.
    has_grain: [bool; Matter::COUNT],
}

/// The level of detail at which a pixel shows a face that its ray meets with this cosine: 0 full, 1 of half the side.
///
/// # Arguments
/// - `texels`: of a full picture under the pixel, seen straight on.
pub(crate) fn level_of(texels: f32, cosine: f32) -> f32 {
    (texels / cosine.abs().max(0.06).sqrt()).max(1.0).log2()
}

impl Default for Materials {
    /// All grey: nothing has a grain.
    fn default() -> Self {
        Materials::new(vec![128; Self::BYTES])
    }
}

impl Materials {
    /// Top, side and bottom.
    pub const FACES: usize = 3;
    pub const BYTES: usize = Matter::COUNT * Self::FACES * SIDE_PX * SIDE_PX * 3;

    /// From `[Matter::COUNT, SIDE_PX, FACES, SIDE_PX, 3]`.
    ///
    /// # Panics
    /// If there are not as many bytes.
    pub fn new(rgb: Vec<u8>) -> Materials {
        assert_eq!(rgb.len(), Self::BYTES, "three pictures of each matter");
        let mut grain = Vec::with_capacity(Matter::COUNT * Self::FACES * LEVELS);
        let mut means = Vec::with_capacity(Matter::COUNT * Self::FACES);
        for picture in 0..Matter::COUNT * Self::FACES {
            let (matter, face) = (picture / Self::FACES, picture % Self::FACES);
            let texel = |at: usize| {
                let from = (((matter * SIDE_PX + at / SIDE_PX) * Self::FACES + face) * SIDE_PX + at % SIDE_PX) * 3;
                Vec3::from_array([rgb[from], rgb[from + 1], rgb[from + 2]].map(f32::from))
            };
            let texels: Vec<Vec3> = (0..SIDE_PX * SIDE_PX).map(texel).collect();
            let colour = texels.iter().sum::<Vec3>() / texels.len() as f32;
            means.push(colour);
            let mut level: Vec<f32> = texels.iter().map(|texel| texel.element_sum()).collect();
            let mean = colour.element_sum().max(1.0);
            level.iter_mut().for_each(|texel| *texel = (*texel / mean).clamp(LEAST, MOST));
            for side in [16, 8, 4, 2] {
                let next = halved(&level, side);
                grain.push(std::mem::replace(&mut level, next));
            }
            grain.push(level);
        }
        let has_grain = std::array::from_fn(|matter| {
            let pictures = &grain[matter * Self::FACES * LEVELS..(matter + 1) * Self::FACES * LEVELS];
            pictures.iter().step_by(LEVELS).flatten().any(|texel| *texel != 1.0)
        });
        Materials { rgb, grain, means, has_grain }
    }

    /// Whether a matter has a grain at all.
    pub fn has_grain(&self, matter: Matter) -> bool {
        self.has_grain[matter as usize]
    }

    /// The grain at a place on a face, 0 to 1 from the top left, as a multiple of the mean brightness; `texels` of a full
    /// picture lie under a pixel's side.
    pub fn grain(&self, matter: Matter, face: usize, uv: [f32; 2], texels: f32) -> f32 {
        let level = (1..LEVELS).take_while(|&level| texels > (1 << level) as f32 * 0.75).count();
        self.grain_at(matter, face, uv, level)
    }

    /// The same of one of the [`LEVELS`].
    pub(crate) fn grain_at(&self, matter: Matter, face: usize, [u, v]: [f32; 2], level: usize) -> f32 {
        let side = SIDE_PX >> level;
        let along = |value: f32| ((value * side as f32) as usize).min(side - 1);
        let picture = matter as usize * Self::FACES + face;
        self.grain[picture * LEVELS + level][along(v) * side + along(u)]
    }

    /// The grain blended between two levels of detail, as the eye blends them; `level` as [`level_of`] has it.
    pub(crate) fn blended_grain(&self, matter: Matter, face: usize, uv: [f32; 2], level: f32) -> f32 {
        let near = (level as usize).min(LEVELS - 1);
        let [a, b] = [near, (near + 1).min(LEVELS - 1)].map(|level| self.grain_at(matter, face, uv, level));
        a + (b - a) * (level - near as f32).min(1.0)
    }

    /// The bytes of a matter's picture, row by row.
    pub fn picture(&self, matter: Matter, face: usize) -> impl Iterator<Item = &u8> {
        let row = SIDE_PX * 3;
        let from = move |y: usize| ((matter as usize * SIDE_PX + y) * Self::FACES + face) * row;
        (0..SIDE_PX).flat_map(move |y| &self.rgb[from(y)..from(y) + row])
    }

    /// The colour of a cube at a place in its cell, -1..1 from wall to wall, on the face that it is nearest to.
    pub fn colour(&self, matter: Matter, place: Vec3) -> [u8; 3] {
        let (face, [x, y]) = pictures::texel(place);
        let at = (((matter as usize * SIDE_PX + y) * Self::FACES + face) * SIDE_PX + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Mean of a picture's red, green and blue together, 0..765.
    pub fn brightness(&self, matter: Matter, face: usize) -> f32 {
        self.mean(matter, face).element_sum()
    }

    /// A picture's mean colour, 0..255.
    pub(crate) fn mean(&self, matter: Matter, face: usize) -> Vec3 {
        self.means[matter as usize * Self::FACES + face]
    }

    /// BLAKE3 of the colours, hexadecimal.
    pub fn hash(&self) -> String {
        blake3::hash(&self.rgb).to_hex().to_string()
    }

    /// Reads a picture with a row for each matter: top, side and bottom.
    pub fn read(path: &Path) -> Result<Materials, ModelError> {
        pictures::read(path, Self::FACES, Matter::COUNT).map(Materials::new)
    }

    /// The bytes of the file that [`Materials::read`] reads.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        pictures::to_png(&self.rgb, Self::FACES, Matter::COUNT)
    }
}

fn mean(texels: &[f32]) -> f32 {
    texels.iter().sum::<f32>() / texels.len() as f32
}

/// A picture of half the side.
fn halved(texels: &[f32], side: usize) -> Vec<f32> {
    let half = side / 2;
    let from = |at: usize| at / half * 2 * side + at % half * 2;
    (0..half * half).map(|at| mean(&[0, 1, side, side + 1].map(|offset| texels[from(at) + offset]))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The stone's side is a chequered board; all else is grey.
    fn chequered() -> Materials {
        let mut rgb = vec![128; Materials::BYTES];
        for (y, x) in (0..SIDE_PX).flat_map(|y| (0..SIDE_PX).map(move |x| (y, x))) {
            let at = (((Matter::Stone as usize * SIDE_PX + y) * Materials::FACES + 1) * SIDE_PX + x) * 3;
            rgb[at..at + 3].fill(if (x + y) % 2 == 0 { 80 } else { 160 });
        }
        Materials::new(rgb)
    }

    #[test]
    fn grain_is_told_as_a_multiple_of_the_mean_and_fades_with_distance() {
        let materials = chequered();
        assert!(materials.has_grain(Matter::Stone) && !materials.has_grain(Matter::Sand));
        assert_eq!(materials.grain(Matter::Stone, 1, [0.01, 0.01], 0.5), 80.0 / 120.0);
        assert_eq!(materials.grain(Matter::Stone, 1, [0.07, 0.01], 0.5), 160.0 / 120.0);
        assert_eq!(materials.grain(Matter::Stone, 1, [0.01, 0.01], 2.0), 1.0);
        assert_eq!(materials.grain(Matter::Stone, 0, [0.01, 0.01], 0.5), 1.0, "its top is grey");
        assert_eq!(materials.grain(Matter::Stone, 1, [1.0, 1.0], 99.0), 1.0);
    }

    #[test]
    fn a_file_comes_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("materials.png");
        std::fs::write(&path, chequered().to_png().expect("memory")).expect("room");
        assert_eq!(Materials::read(&path).expect("whole"), chequered());
        std::fs::write(&path, pictures::to_png(&[0; 768], 1, 1).expect("memory")).expect("room");
        assert!(Materials::read(&path).expect_err("too small").to_string().contains("48x336"));
    }
}
