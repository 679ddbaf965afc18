//! Chance without state: numbers that follow from a seed, a place and a tick, so that forks and replays agree.

use super::noise;

/// Kinds of chance: mixed into the seed so that two uses never see the same numbers.
pub const GROWTH: u64 = 0x6772_6f77_7468_0001;
pub const ANIMALS: u64 = 0x616e_696d_616c_0002;
pub const SKY: u64 = 0x736b_7900_0000_0003;

/// The numbers that belong to one place and one tick: SplitMix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub struct Stream(u64);

impl Stream {
    pub fn new(seed: u64, place: [i32; 2], tick: u64) -> Self {
        Stream(mix(mix(mix(seed) ^ number(place)) ^ tick))
    }

    pub fn draw(&mut self) -> u64 {
        let drawn = mix(self.0);
        self.0 = self.0.wrapping_add(STEP);
        drawn
    }

    /// A number in 0..1.
    pub fn unit(&mut self) -> f32 {
        noise::unit(self.draw())
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

fn mix(value: u64) -> u64 {
    noise::mix(value.wrapping_add(STEP))
}

/// One number for a place on the map, well spread.
pub fn number(place: [i32; 2]) -> u64 {
    mix((u64::from(place[0] as u32) << 32) | u64::from(place[1] as u32))
}
