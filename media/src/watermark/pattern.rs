//! The pattern that is laid over frames: what the public key expands to.

use std::sync::LazyLock;

/// Side of the tile, in pixels of the frame.
pub const TILE: usize = 64;
pub const CHIPS: usize = TILE * TILE;

/// What the public key is made of: words chosen for no other property than that they say what it is.
const PUBLIC: &str = "Holdfast watermark 1: these pixels were made by a model";

/// A pattern of independent fair signs, and the dither by which fractions of a grey level are written.
#[derive(Debug, Clone)]
pub struct Key {
    /// One or minus one.
    pub(super) signs: Vec<f32>,
    /// From -0.5 to 0.5, independent of the signs.
    pub(super) dither: Vec<f32>,
}

impl Key {
    /// The key of every Holdfast.
    pub fn public() -> &'static Key {
        static KEY: LazyLock<Key> = LazyLock::new(|| Key::from_words(PUBLIC));
        &KEY
    }

    /// Another key: by many of these the rate of false positives is measured.
    pub fn from_words(words: &str) -> Key {
        let mut bytes = vec![0; CHIPS / 8 + CHIPS];
        blake3::Hasher::new().update(words.as_bytes()).finalize_xof().fill(&mut bytes);
        let (bits, levels) = bytes.split_at(CHIPS / 8);
        let sign = |at: usize| if bits[at / 8] >> (at % 8) & 1 == 1 { 1.0 } else { -1.0 };
        Key {
            signs: (0..CHIPS).map(sign).collect(),
            dither: levels.iter().map(|&level| (f32::from(level) + 0.5) / 256.0 - 0.5).collect(),
        }
    }

    /// Where the tile that covers a pixel of the frame has that pixel.
    pub(super) fn chip(x: usize, y: usize) -> usize {
        y % TILE * TILE + x % TILE
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_public_key_is_this_one_for_ever() {
        let signs: String = Key::public().signs[..16].iter().map(|sign| if *sign > 0.0 { '+' } else { '-' }).collect();
        assert_eq!(signs, "+----+---+----+-", "marks that are out in the world are read with it");
        let sum: f32 = Key::public().signs.iter().sum();
        assert!(sum.abs() < 4.0 * (CHIPS as f32).sqrt(), "as many of each: {sum}");
    }
}
