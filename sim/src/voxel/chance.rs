//! Chance without state: numbers that follow from a seed, a place and a tick, so that forks and replays agree.

/// Kinds of chance: mixed into the seed so that two uses never see the same numbers.
pub const GROWTH: u64 = 0x6772_6f77_7468_0001;
pub const ANIMALS: u64 = 0x616e_696d_616c_0002;
pub const SKY: u64 = 0x736b_7900_0000_0003;

/// One step of splitmix64 (Steele, Lea and Flood, 2014): every bit of the input moves every bit of the output.
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

/// The numbers that belong to one place and one tick.
#[derive(Debug, Clone)]
pub struct Stream(u64);

impl Stream {
    pub fn new(seed: u64, place: [i32; 2], tick: u64) -> Self {
        let place = u64::from(place[0] as u32) << 32 | u64::from(place[1] as u32);
        Stream(mix(mix(mix(seed) ^ place) ^ tick))
    }

    pub fn next(&mut self) -> u64 {
        self.0 = mix(self.0);
        self.0
    }

    /// A number in 0..1.
    pub fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1u32 << 24) as f32
    }

    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }
}
