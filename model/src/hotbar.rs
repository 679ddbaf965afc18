//! What the nine slots hold, as the player sees them: a small picture each, which the network is shown where a block is
//! about to be placed.

use crate::{
    ModelError,
    pictures::{self, SIDE_PX},
};
use glam::Vec3;
use std::path::Path;

/// Pictures of what the slots hold: the same for a whole world, and known to who plays it before anything is placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hotbar {
    /// `[SLOTS, SIDE_PX, SIDE_PX, 3]`
    rgb: Vec<u8>,
}

impl Default for Hotbar {
    /// Nine times the same grey: nothing is known.
    fn default() -> Self {
        Hotbar { rgb: vec![128; Self::BYTES] }
    }
}

impl Hotbar {
    pub const SLOTS: usize = 9;
    pub const BYTES: usize = Self::SLOTS * SIDE_PX * SIDE_PX * 3;

    /// From `[SLOTS, SIDE_PX, SIDE_PX, 3]`, slot by slot.
    ///
    /// # Panics
    /// If there are not as many bytes.
    pub fn new(rgb: Vec<u8>) -> Hotbar {
        assert_eq!(rgb.len(), Self::BYTES, "nine pictures");
        Hotbar { rgb }
    }

    /// The picture of a slot, 1 to 9, `[SIDE_PX, SIDE_PX, 3]`.
    pub fn picture(&self, slot: u8) -> &[u8] {
        let bytes = SIDE_PX * SIDE_PX * 3;
        let at = (usize::from(slot.clamp(1, Self::SLOTS as u8)) - 1) * bytes;
        &self.rgb[at..at + bytes]
    }

    /// The colour of a slot's block at a place in its cell, -1..1 from wall to wall: that of the face it is nearest to.
    pub fn colour(&self, slot: u8, place: Vec3) -> [u8; 3] {
        let (_, [x, y]) = pictures::texel(place);
        let at = (y * SIDE_PX + x) * 3;
        let picture = self.picture(slot);
        [picture[at], picture[at + 1], picture[at + 2]]
    }

    /// BLAKE3 of the colours, hexadecimal. The weights' file names it, so that one belongs to the other.
    pub fn hash(&self) -> String {
        blake3::hash(&self.rgb).to_hex().to_string()
    }

    /// Reads a picture of nine squares, one below the other.
    pub fn read(path: &Path) -> Result<Hotbar, ModelError> {
        pictures::read(path, 1, Self::SLOTS).map(Hotbar::new)
    }

    /// The bytes of the file that [`Hotbar::read`] reads.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        pictures::to_png(&self.rgb, 1, Self::SLOTS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn striped() -> Hotbar {
        let side = SIDE_PX;
        let texels = (0..Hotbar::SLOTS * side * side).flat_map(|at| {
            let (slot, y, x) = (at / (side * side), at / side % side, at % side);
            [slot as u8, y as u8, x as u8]
        });
        Hotbar::new(texels.collect())
    }

    #[test]
    fn each_face_shows_the_picture_upright() {
        let hotbar = striped();
        // A wall towards the player: its top left, from x = 0 and the top.
        assert_eq!(hotbar.colour(3, Vec3::new(-0.99, 0.99, -1.0)), [2, 0, 0]);
        assert_eq!(hotbar.colour(3, Vec3::new(0.99, -0.99, -1.0)), [2, 15, 15]);
        assert_eq!(hotbar.colour(9, Vec3::new(1.0, 0.5, 0.0)), [8, 4, 8]);
        assert_eq!(hotbar.colour(1, Vec3::new(0.0, 1.0, 0.5)), [0, 12, 8]);
    }

    #[test]
    fn a_file_comes_back_and_another_size_is_refused() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("hotbar.png");
        fs::write(&path, striped().to_png().expect("memory")).expect("room");
        assert_eq!(Hotbar::read(&path).expect("whole"), striped());
        let whole = fs::read(&path).expect("written");
        fs::write(&path, &whole[..whole.len() / 2]).expect("room");
        assert!(Hotbar::read(&path).expect_err("half a file").to_string().contains("PNG"));
        let mut bytes = Vec::new();
        let mut writer = png::Encoder::new(&mut bytes, 2, 2).write_header().expect("memory");
        writer.write_image_data(&[0; 4]).expect("memory");
        writer.finish().expect("memory");
        fs::write(&path, bytes).expect("room");
        assert!(Hotbar::read(&path).expect_err("too small").to_string().contains("16x144"));
    }
}
