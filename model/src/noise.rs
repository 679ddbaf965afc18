//! The noise process: a straight line from noise to the clean frame (flow matching: Lipman et al., section 4.1).
//!
//! `x(level) = level * clean + (1 - level) * noise`, level 0 pure noise, level 1 the clean frame.

use crate::weights::normal;
use rand_chacha::ChaCha8Rng;

/// Fills `noise` with `len` standard normal draws.
pub fn draw(noise: &mut Vec<f32>, len: usize, rng: &mut ChaCha8Rng) {
    noise.clear();
    noise.extend((0..len).map(|_| normal(rng)));
}

/// Noises `clean` in place to `level`.
pub fn add_noise(clean: &mut [f32], level: f32, rng: &mut ChaCha8Rng) {
    if level < 1.0 {
        clean.iter_mut().for_each(|value| *value = level * *value + (1.0 - level) * normal(rng));
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
