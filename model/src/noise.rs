//! The noise process: a straight line from noise to the clean frame (flow matching: Lipman et al., section 4.1).
//!
//! `x(level) = level * clean + (1 - level) * noise`, level 0 pure noise, level 1 the clean frame.

use crate::kernel::elementary::{cos_of_turn, ln};
use multiversion::multiversion;
use rand_chacha::{ChaCha8Rng, rand_core::Rng};

/// Draws that are made together, as vectors.
const TOGETHER: usize = 64;

/// Fills `noise` with `len` standard normal draws.
pub fn draw(noise: &mut Vec<f32>, len: usize, rng: &mut ChaCha8Rng) {
    noise.clear();
    noise.resize(len, 0.0);
    add_noise(noise, 0.0, rng);
}

/// Noises `clean` in place to `level`.
pub fn add_noise(clean: &mut [f32], level: f32, rng: &mut ChaCha8Rng) {
    if level >= 1.0 {
        return;
    }
    let mut bits = [[0u32; 2]; TOGETHER];
    for values in clean.chunks_mut(TOGETHER) {
        bits[..values.len()].iter_mut().flatten().for_each(|bits| *bits = rng.next_u32());
        mix(values, &bits, level);
    }
}

/// Box and Muller, as [`crate::weights::normal`] has it for one value.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn mix(values: &mut [f32], bits: &[[u32; 2]; TOGETHER], level: f32) {
    let unit = |bits: u32| ((bits >> 8) as i32 as f32 + 0.5) * (1.0 / (1u32 << 24) as f32);
    for (value, &[radius, turn]) in values.iter_mut().zip(bits) {
        let normal = (-2.0 * ln(unit(radius))).sqrt() * cos_of_turn(unit(turn));
        *value = level * *value + (1.0 - level) * normal;
    }
}

/// Signal level at a share of the way from noise to frame. Half of the way is spent below level 1/4: a frame's large
/// shapes are settled there, because noise hides a large shape less than a small one (Esser et al., "Scaling Rectified
/// Flow Transformers", section 5.3.2).
pub fn level_at(way: f32) -> f32 {
    way * way
}

/// Moves `noised` from `level` to `next`, given the clean values that the denoiser predicts.
pub fn advance(noised: &mut [f32], clean: &[f32], level: f32, next: f32) {
    let share = (next - level) / (1.0 - level);
    noised.iter_mut().zip(clean).for_each(|(noised, clean)| *noised += (clean - *noised) * share);
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand_chacha::rand_core::SeedableRng;

    #[test]
    fn draws_are_those_of_one_value_at_a_time() {
        let (mut rng, mut single) = (ChaCha8Rng::seed_from_u64(3), ChaCha8Rng::seed_from_u64(3));
        let mut drawn = Vec::new();
        draw(&mut drawn, 10_001, &mut rng);
        for value in drawn {
            assert!((value - crate::weights::normal(&mut single)).abs() < 2e-6);
        }
    }

    #[test]
    fn a_perfect_denoiser_reaches_the_clean_frame_along_the_line() {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let clean = [0.5f32, -0.25, 1.0];
        let mut noised = clean.to_vec();
        add_noise(&mut noised, 0.0, &mut rng);
        let noise = noised.clone();
        advance(&mut noised, &clean, 0.0, 0.25);
        for i in 0..3 {
            assert!((noised[i] - (0.25 * clean[i] + 0.75 * noise[i])).abs() < 1e-6);
        }
        advance(&mut noised, &clean, 0.25, 1.0);
        assert!(noised.iter().zip(&clean).all(|(a, b)| (a - b).abs() < 1e-6));
    }
}
