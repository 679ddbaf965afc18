//! AdamW on plain weights, with the moving average that ships (Loshchilov and Hutter, "Decoupled Weight Decay"),
//! with the update clipping of StableAdamW (Wortsman et al., "Stable and low-precision training", section 3.5).
//!
//! Our own few lines rather than the framework's, because weights and gradients of the CPU kernel are plain slices.

use crate::weights::Weights;

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
}

const BETA_MEAN: f32 = 0.9;
const BETA_SQUARE: f32 = 0.97;
const EPSILON: f32 = 1e-8;

/// Share of the learning rate of a tensor. The condition's weights move every token of a frame alike, so that their
/// steps add up where others average out: at the full rate their scales ran away (docs/decisions).
fn rate_of(name: &str) -> f32 {
    if name.starts_with("condition_") || name.contains("modulation") { 0.25 } else { 1.0 }
}

impl AdamW {
    pub fn new(weights: &Weights) -> AdamW {
        AdamW { mean: weights.zeros_like(), square: weights.zeros_like(), average: weights.clone(), steps: 0 }
    }

    /// Moves the weights; returns the gradient's length, or `None` (and moves nothing) if it is not finite.
    pub fn step(&mut self, weights: &mut Weights, gradients: &Weights, step: &Step) -> Option<f32> {
        let squares = gradients.tensors.iter().flat_map(|tensor| &tensor.values);
        let length = squares.map(|&g| f64::from(g) * f64::from(g)).sum::<f64>().sqrt() as f32;
        if !length.is_finite() {
            return None;
        }
        self.steps += 1;
        let shorten = (step.clip / length.max(1e-12)).min(1.0);
        let mean_bias = 1.0 - BETA_MEAN.powi(self.steps.min(10_000) as i32);
        let square_bias = 1.0 - BETA_SQUARE.powi(self.steps.min(10_000) as i32);
        // The average follows quickly at first, so that an early checkpoint is of use.
        let ema = step.ema_decay.min((1.0 + self.steps as f32) / (10.0 + self.steps as f32));
        for (index, tensor) in weights.tensors.iter_mut().enumerate() {
            let decay = if tensor.shape.len() > 1 { step.learning_rate * step.weight_decay } else { 0.0 };
            let (mean, square) = (&mut self.mean.tensors[index].values, &mut self.square.tensors[index].values);
            let (average, gradient) = (&mut self.average.tensors[index].values, &gradients.tensors[index].values);
            let mut surprise = 0.0;
            for (i, &g) in gradient.iter().enumerate() {
                let g = g * shorten;
                mean[i] += (g - mean[i]) * (1.0 - BETA_MEAN);
                square[i] += (g * g - square[i]) * (1.0 - BETA_SQUARE);
                surprise += f64::from(g * g / (square[i] / square_bias).max(EPSILON * EPSILON));
            }
            // A gradient far beyond what its past has prepared for takes a shorter step.
            let surprise = (surprise / tensor.values.len() as f64).sqrt() as f32;
            let rate = step.learning_rate * rate_of(&tensor.name) / surprise.max(1.0);
            for (i, value) in tensor.values.iter_mut().enumerate() {
                let rise = (mean[i] / mean_bias) / ((square[i] / square_bias).sqrt() + EPSILON);
                *value -= rate * rise + decay * *value;
                average[i] += (*value - average[i]) * (1.0 - ema);
            }
        }
        Some(length)
    }
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
        let step = Step { learning_rate: 0.01, weight_decay: 0.0, ema_decay: 0.9, clip: 1.0 };
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
