//! AdamW on plain weights, with the moving average that ships (Loshchilov and Hutter, "Decoupled Weight Decay"),
//! with the update clipping of StableAdamW (Wortsman et al., "Stable and low-precision training", section 3.5).
//!
//! Our own few lines rather than the framework's, because weights and gradients of the CPU kernel are plain slices.

use super::muon;
use crate::{
    kernel::Precision,
    weights::{Tensor, Weights},
};
use multiversion::multiversion;
use rayon::prelude::*;

/// The optimiser's state: everything that a resumed run needs beside the weights.
#[derive(Debug, Clone)]
pub struct AdamW {
    pub mean: Weights,
    pub square: Weights,
    pub average: Weights,
    pub steps: u64,
}

/// How a step is made.
#[derive(Debug, Clone, Copy)]
pub struct Step {
    pub learning_rate: f32,
    pub weight_decay: f32,
    pub ema_decay: f32,
    /// Gradients longer than this (Euclidean, all weights) are shortened to it.
    pub clip: f32,
    /// How much of its past the mean gradient keeps.
    pub beta_mean: f32,
    /// The matrices of the blocks take steps of equal strength in all directions ([`muon`]), with products of this
    /// precision; everything else, and all of it without, goes by AdamW.
    pub evened: Option<Precision>,
}

/// The square or nearly square parts that a matrix of a block is made of, as its number of parts side by side; `None` for
/// what is no such matrix.
fn parts_of(tensor: &Tensor) -> Option<usize> {
    let [rows, columns] = tensor.shape[..] else { return None };
    let in_block = tensor.name.starts_with("blocks.") && rows > 1 && columns > 1;
    in_block.then(|| if tensor.name.ends_with("qkv.weight") { 3 } else { 1 })
}

const BETA_SQUARE: f32 = 0.97;
const EPSILON: f32 = 1e-8;
/// Partial sums that run side by side.
const LANES: usize = 16;

impl AdamW {
    pub fn new(weights: &Weights) -> AdamW {
        AdamW { mean: weights.zeros_like(), square: weights.zeros_like(), average: weights.clone(), steps: 0 }
    }

    /// Moves the weights; returns the gradient's length, or `None` (and moves nothing) if it is not finite.
    pub fn step(&mut self, weights: &mut Weights, gradients: &Weights, step: &Step) -> Option<f32> {
        let squares: Vec<f64> = gradients.tensors.par_iter().map(|tensor| square_sum(&tensor.values)).collect();
        let length = squares.iter().sum::<f64>().sqrt() as f32;
        if !length.is_finite() {
            return None;
        }
        self.steps += 1;
        let shorten = (step.clip / length.max(1e-12)).min(1.0);
        let mean_bias = 1.0 - step.beta_mean.powi(self.steps.min(10_000) as i32);
        let square_bias = 1.0 - BETA_SQUARE.powi(self.steps.min(10_000) as i32);
        // The average follows quickly at first, so that an early checkpoint is of use.
        let ema = step.ema_decay.min((1.0 + self.steps as f32) / (10.0 + self.steps as f32));
        let moments = self.mean.tensors.par_iter_mut().zip(&mut self.square.tensors).zip(&mut self.average.tensors);
        weights.tensors.par_iter_mut().zip(&gradients.tensors).zip(moments).for_each(
            |((tensor, gradient), ((mean, square), average))| {
                let decay = if tensor.shape.len() > 1 { step.learning_rate * step.weight_decay } else { 0.0 };
                let (mean, square) = (&mut mean.values, &mut square.values);
                let betas = Betas { mean: step.beta_mean, square_bias };
                let surprise = note(mean, square, &gradient.values, shorten, &betas);
                // A gradient far beyond what its past has prepared for takes a shorter step.
                let rate = step.learning_rate / surprise.max(1.0);
                let pace = Pace { rate: rate / mean_bias, square_bias, decay, ema };
                match (parts_of(tensor), step.evened) {
                    (Some(parts), Some(precision)) => {
                        let ahead =
                            Ahead { gradient: &gradient.values, shorten, beta: step.beta_mean, parts, precision };
                        ahead.advance(tensor, &mut average.values, mean, Pace { rate, ..pace });
                    }
                    _ => advance(&mut tensor.values, &mut average.values, mean, square, &pace),
                }
            },
        );
        Some(length)
    }
}

/// How the moments follow the gradient.
#[derive(Debug, Clone, Copy)]
struct Betas {
    mean: f32,
    square_bias: f32,
}

/// How far one tensor moves.
#[derive(Debug, Clone, Copy)]
struct Pace {
    rate: f32,
    square_bias: f32,
    decay: f32,
    ema: f32,
}

/// Takes a gradient into the moments; returns the root mean square of the gradient over what was expected of it.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn note(mean: &mut [f32], square: &mut [f32], gradient: &[f32], shorten: f32, betas: &Betas) -> f32 {
    let mut surprise = [0.0f32; LANES];
    let lanes = gradient.chunks(LANES).zip(mean.chunks_mut(LANES)).zip(square.chunks_mut(LANES));
    for ((gradient, mean), square) in lanes {
        for (((g, mean), square), surprise) in gradient.iter().zip(mean).zip(square).zip(&mut surprise) {
            let g = g * shorten;
            *mean += (g - *mean) * (1.0 - betas.mean);
            *square += (g * g - *square) * (1.0 - BETA_SQUARE);
            *surprise += g * g / (*square / betas.square_bias).max(EPSILON * EPSILON);
        }
    }
    (surprise.iter().sum::<f32>() / gradient.len() as f32).sqrt()
}

/// Moves the values, and their average after them.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn advance(values: &mut [f32], average: &mut [f32], mean: &[f32], square: &[f32], pace: &Pace) {
    for (((value, average), mean), square) in values.iter_mut().zip(average).zip(mean).zip(square) {
        let rise = mean / ((square / pace.square_bias).sqrt() + EPSILON);
        *value -= pace.rate * rise + pace.decay * *value;
        *average += (*value - *average) * (1.0 - pace.ema);
    }
}

/// A matrix's step by its mean gradient, looked ahead by one (Nesterov), with all directions evened out.
struct Ahead<'a> {
    gradient: &'a [f32],
    shorten: f32,
    beta: f32,
    parts: usize,
    precision: Precision,
}

impl Ahead<'_> {
    fn advance(&self, tensor: &mut Tensor, average: &mut [f32], mean: &[f32], pace: Pace) {
        let (rows, columns) = (tensor.shape[0], tensor.shape[1]);
        let width = columns / self.parts;
        let mut rise = vec![0.0; rows * width];
        for part in 0..self.parts {
            let place = |at: usize| at / width * columns + part * width + at % width;
            for (at, rise) in rise.iter_mut().enumerate() {
                let (gradient, mean) = (self.gradient[place(at)] * self.shorten, mean[place(at)]);
                *rise = gradient + (mean - gradient) * self.beta;
            }
            muon::even_out(&mut rise, [rows, width], self.precision);
            for (at, rise) in rise.iter().enumerate() {
                let (value, average) = (&mut tensor.values[place(at)], &mut average[place(at)]);
                *value -= pace.rate * rise + pace.decay * *value;
                *average += (*value - *average) * (1.0 - pace.ema);
            }
        }
    }
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
fn square_sum(values: &[f32]) -> f64 {
    let mut sums = [0.0f64; LANES];
    for chunk in values.chunks(LANES) {
        chunk.iter().zip(&mut sums).for_each(|(&value, sum)| *sum += f64::from(value * value));
    }
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ModelConfig;

    #[test]
    fn steps_go_downhill_and_bad_gradients_move_nothing() {
        let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
        let mut weights = Weights::init(&config, 1);
        let mut optimizer = AdamW::new(&weights);
        let step =
            Step { learning_rate: 0.01, weight_decay: 0.0, ema_decay: 0.9, clip: 1.0, beta_mean: 0.9, evened: None };
        let square = |weights: &Weights| weights.tensors.iter().flat_map(|t| &t.values).map(|v| v * v).sum::<f32>();
        let before = square(&weights);
        for _ in 0..20 {
            let gradients = weights.clone();
            optimizer.step(&mut weights, &gradients, &step).expect("finite");
        }
        assert!(square(&weights) < before * 0.5);
        let mut bad = weights.clone();
        bad.tensors[0].values[0] = f32::NAN;
        let kept = weights.clone();
        assert!(optimizer.step(&mut weights, &bad, &step).is_none());
        assert_eq!(weights, kept);
    }
}
