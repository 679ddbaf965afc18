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

/// The matter whose word is nearest to each pattern of bits. Only a whole word says that something lives: it would be taken
/// off the ground.
static NEAREST: [Matter; 1 << BITS] = {
    let mut nearest = [Matter::Rest; 1 << BITS];
    let mut pattern = 0;
    while pattern < nearest.len() {
        let (mut least, mut matter) = (u32::MAX, 0);
        while matter < Matter::ALL.len() {
            let apart = (word_of(matter) ^ pattern as u16).count_ones();
            if apart < least && !(apart > 0 && Matter::ALL[matter].lives()) {
                (least, nearest[pattern]) = (apart, Matter::ALL[matter]);
            }
            matter += 1;
        }
        pattern += 1;
    }
    nearest
};

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

    /// The one that the denoiser's raw output of a pixel says.
    pub fn said(raw: &[f32]) -> Matter {
        let mut pattern = 0;
        for bit in 0..BITS {
            pattern |= usize::from(raw[output::MATTER + bit] > 0.0) << bit;
        }
        NEAREST[pattern]
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

    #[test]
    fn one_wrong_bit_is_still_understood_but_not_for_life() {
        for matter in Matter::ALL {
            let raw = |wrong: Option<usize>| {
                let mut raw = [0.0; output::CHANNELS];
                for (bit, set) in matter.bits().into_iter().enumerate() {
                    raw[output::MATTER + bit] = if set != (wrong == Some(bit)) { 1.5 } else { -0.5 };
                }
                raw
            };
            assert_eq!(Matter::said(&raw(None)), matter);
            for wrong in 0..BITS {
                let said = Matter::said(&raw(Some(wrong)));
                assert!(said == matter && !matter.lives() || said != matter && matter.lives(), "bit {wrong}");
            }
        }
    }
}
