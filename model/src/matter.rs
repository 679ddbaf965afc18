//! What a thing in view is made of: the denoiser says it of each pixel.
//!
//! It is said in bits, as many as the head has channels to spare for. The words differ in three bits at least, so that one
//! wrong bit is still understood (Dietterich and Bakiri, "Solving Multiclass Learning Problems via Error-Correcting Output
//! Codes").

use crate::layout::output;
use serde::{Deserialize, Serialize};

/// The stuff that things are made of. Saves hold it by number: add at the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Matter {
    /// The sky, and what has no name here.
    #[default]
    Rest,
    Grass,
    Dirt,
    Stone,
    Sand,
    Gravel,
    Snow,
    OakLog,
    OakLeaves,
    BirchLog,
    BirchLeaves,
    Planks,
    Cobble,
    Brick,
    Glass,
    Lamp,
    Cactus,
    Cake,
    /// Flowers, tall grass, crops.
    Plant,
    Water,
    Animal,
}

/// Bits of a word: five tell matters apart, four check them.
const BITS: usize = output::CHANNELS - output::MATTER;
/// Which check bits each of the five turns.
const CHECKS: [u16; 5] = [0b0011, 0b0101, 0b0110, 0b1001, 0b1010];

const fn word_of(matter: usize) -> u16 {
    let (mut word, mut bit) = (matter as u16, 0);
    while bit < CHECKS.len() {
        if matter >> bit & 1 == 1 {
            word ^= CHECKS[bit] << CHECKS.len();
        }
        bit += 1;
    }
    word
}

/// Factors of the bits' logits: a word is the likelier, compared with others, the higher the logits of its set bits.
static WORDS: [[f32; BITS]; Matter::COUNT] = {
    let mut words = [[0.0; BITS]; Matter::COUNT];
    let mut at = 0;
    while at < Matter::COUNT * BITS {
        words[at / BITS][at % BITS] = (word_of(at / BITS) >> (at % BITS) & 1) as f32;
        at += 1;
    }
    words
};

/// How much likelier than any other the word of what lives must be (natural logarithm): it would be taken off the ground.
const LIFE_MARGIN: f32 = 1.0;

impl Matter {
    pub const COUNT: usize = 21;
    /// In the order of their numbers.
    pub const ALL: [Matter; Self::COUNT] = {
        use Matter::*;
        [
            Rest,
            Grass,
            Dirt,
            Stone,
            Sand,
            Gravel,
            Snow,
            OakLog,
            OakLeaves,
            BirchLog,
            BirchLeaves,
            Planks,
            Cobble,
            Brick,
            Glass,
            Lamp,
            Cactus,
            Cake,
            Plant,
            Water,
            Animal,
        ]
    };

    /// Whether each bit of its word is set.
    pub fn bits(self) -> [bool; BITS] {
        let word = word_of(self as usize);
        std::array::from_fn(|bit| word >> bit & 1 == 1)
    }

    /// The one that the denoiser's raw output of a pixel says: the likeliest word, given the likelihood of each bit.
    pub fn said(raw: &[f32]) -> Matter {
        let logits = &raw[output::MATTER..output::CHANNELS];
        let mut likeliest = (f32::NEG_INFINITY, Matter::Rest);
        for (matter, word) in Self::ALL.into_iter().zip(&WORDS) {
            let likelihood: f32 = word.iter().zip(logits).map(|(set, logit)| set * logit).sum();
            let margin = if matter.lives() { LIFE_MARGIN } else { 0.0 };
            if likelihood - margin > likeliest.0 {
                likeliest = (likelihood - margin, matter);
            }
        }
        likeliest.1
    }

    /// Whether blocks of it are laid in any way, each its own, as seen on a face (0 top, 1 side, 2 bottom): of others none
    /// lies but as its picture shows it, or mirrored left to right.
    pub(crate) fn lies_any_way(self, face: usize) -> bool {
        use Matter::*;
        matches!(self, Dirt | Stone | Sand | Gravel | Snow | OakLeaves | BirchLeaves) || self == Grass && face == 0
    }

    /// It falls where nothing holds it.
    pub const fn falls(self) -> bool {
        matches!(self, Matter::Sand | Matter::Gravel)
    }

    /// It walks about.
    pub const fn lives(self) -> bool {
        matches!(self, Matter::Animal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_order_agree() {
        for (at, matter) in Matter::ALL.into_iter().enumerate() {
            assert_eq!(matter as usize, at);
        }
    }

    /// The raw output that says each bit of a word with so much weight.
    fn said_with(matter: Matter, weights: [f32; BITS]) -> Matter {
        let mut raw = [0.0; output::CHANNELS];
        for (bit, (set, weight)) in matter.bits().into_iter().zip(weights).enumerate() {
            raw[output::MATTER + bit] = if set { weight } else { -weight };
        }
        Matter::said(&raw)
    }

    #[test]
    fn a_wrong_bit_is_still_understood() {
        for matter in Matter::ALL {
            assert_eq!(said_with(matter, [2.0; BITS]), matter);
            for wrong in 0..BITS {
                let mut weights = [2.0; BITS];
                weights[wrong] = -1.5;
                assert_eq!(said_with(matter, weights), matter, "bit {wrong}");
            }
        }
    }

    #[test]
    fn what_lives_must_be_said_plainly() {
        // Three bits tell it from the next word.
        let lead = |weight: f32| said_with(Matter::Animal, [weight / 3.0; BITS]);
        assert_eq!(lead(LIFE_MARGIN * 1.1), Matter::Animal);
        assert_ne!(lead(LIFE_MARGIN * 0.9), Matter::Animal);
    }
}
