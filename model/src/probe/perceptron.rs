//! One hidden layer, softmax, and Adam: enough to read a patch or a motion, and trained in seconds without a framework.

use crate::weights::normal;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

const BATCH: usize = 64;
const LEARNING_RATE: f32 = 2e-3;
/// Adam's own constants (Kingma and Ba, 2015).
const BETAS: [f32; 2] = [0.9, 0.999];

/// What is to be told apart, and which class it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<const IN: usize> {
    pub inputs: [f32; IN],
    pub class: usize,
}

/// From `IN` numbers over `HIDDEN` to the probabilities of `OUT` classes.
#[derive(Debug, Clone)]
pub struct Perceptron<const IN: usize, const HIDDEN: usize, const OUT: usize> {
    /// `[inputs, hidden]`, hidden bias, `[hidden, classes]`, classes' bias.
    weights: Vec<f32>,
}

impl<const IN: usize, const HIDDEN: usize, const OUT: usize> Perceptron<IN, HIDDEN, OUT> {
    /// Offsets of the parts in the list of weights.
    const IN_BIAS: usize = IN * HIDDEN;
    const TO_OUT: usize = Self::IN_BIAS + HIDDEN;
    const OUT_BIAS: usize = Self::TO_OUT + HIDDEN * OUT;
    const WEIGHTS: usize = Self::OUT_BIAS + OUT;

    /// Trains from a fixed seed: the same samples give the same weights.
    pub fn train(samples: &[Sample<IN>], epochs: usize) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut weights = vec![0.0; Self::WEIGHTS];
        let spread = |inputs: usize| (2.0 / inputs as f32).sqrt();
        weights[..Self::IN_BIAS].iter_mut().for_each(|weight| *weight = normal(&mut rng) * spread(IN));
        weights[Self::TO_OUT..Self::OUT_BIAS].iter_mut().for_each(|weight| *weight = normal(&mut rng) * spread(HIDDEN));
        let mut network = Perceptron { weights };
        let (mut mean, mut square) = (vec![0.0f32; Self::WEIGHTS], vec![0.0f32; Self::WEIGHTS]);
        let mut gradient = vec![0.0f32; Self::WEIGHTS];
        // Rare classes count as much as common ones.
        let mut counts = [0.0f32; OUT];
        samples.iter().for_each(|sample| counts[sample.class] += 1.0);
        let mean_count = samples.len() as f32 / OUT as f32;
        let balance = counts.map(|count| (mean_count / count.max(1.0)).sqrt().min(4.0));
        let mut order: Vec<usize> = (0..samples.len()).collect();
        let steps = epochs * samples.len().div_ceil(BATCH);
        let mut step = 0;
        for _ in 0..epochs {
            for last in (1..order.len()).rev() {
                order.swap(last, ((u64::from(rng.next_u32()) * (last as u64 + 1)) >> 32) as usize);
            }
            for batch in order.chunks(BATCH) {
                gradient.fill(0.0);
                for &at in batch {
                    let sample = &samples[at];
                    network.back(sample, balance[sample.class] / batch.len() as f32, &mut gradient);
                }
                step += 1;
                let rate = LEARNING_RATE * (1.0 - step as f32 / (steps + 1) as f32);
                let bias = BETAS.map(|beta| 1.0 - beta.powi(step.min(10_000)));
                for at in 0..Self::WEIGHTS {
                    mean[at] += (gradient[at] - mean[at]) * (1.0 - BETAS[0]);
                    square[at] += (gradient[at] * gradient[at] - square[at]) * (1.0 - BETAS[1]);
                    network.weights[at] -= rate * (mean[at] / bias[0]) / ((square[at] / bias[1]).sqrt() + 1e-8);
                }
            }
        }
        network
    }

    /// The hidden layer, after its rectifier.
    pub fn hidden(&self, inputs: &[f32; IN]) -> [f32; HIDDEN] {
        let mut hidden = [0.0; HIDDEN];
        hidden.copy_from_slice(&self.weights[Self::IN_BIAS..Self::TO_OUT]);
        for (input, row) in inputs.iter().zip(self.weights[..Self::IN_BIAS].chunks_exact(HIDDEN)) {
            hidden.iter_mut().zip(row).for_each(|(sum, weight)| *sum += input * weight);
        }
        hidden.map(|value| value.max(0.0))
    }

    fn out(&self, hidden: &[f32; HIDDEN]) -> [f32; OUT] {
        let mut logits = [0.0; OUT];
        logits.copy_from_slice(&self.weights[Self::OUT_BIAS..]);
        for (value, row) in hidden.iter().zip(self.weights[Self::TO_OUT..Self::OUT_BIAS].chunks_exact(OUT)) {
            logits.iter_mut().zip(row).for_each(|(sum, weight)| *sum += value * weight);
        }
        let most = logits.iter().copied().fold(f32::MIN, f32::max);
        let log_sum = logits.iter().map(|logit| (logit - most).exp()).sum::<f32>().ln() + most;
        logits.map(|logit| logit - log_sum)
    }

    /// The logarithm of each class's probability.
    pub fn log_probabilities(&self, inputs: &[f32; IN]) -> [f32; OUT] {
        self.out(&self.hidden(inputs))
    }

    /// Adds a sample's share of the gradient of the cross entropy.
    fn back(&self, sample: &Sample<IN>, scale: f32, gradient: &mut [f32]) {
        let hidden = self.hidden(&sample.inputs);
        let mut error = self.out(&hidden).map(f32::exp);
        error[sample.class] -= 1.0;
        error.iter_mut().for_each(|error| *error *= scale);
        let mut hidden_error = [0.0; HIDDEN];
        for (at, row) in self.weights[Self::TO_OUT..Self::OUT_BIAS].chunks_exact(OUT).enumerate() {
            if hidden[at] > 0.0 {
                hidden_error[at] = row.iter().zip(&error).map(|(weight, error)| weight * error).sum();
                let out = &mut gradient[Self::TO_OUT + at * OUT..][..OUT];
                out.iter_mut().zip(&error).for_each(|(sum, error)| *sum += hidden[at] * error);
            }
        }
        gradient[Self::OUT_BIAS..].iter_mut().zip(&error).for_each(|(sum, error)| *sum += error);
        gradient[Self::IN_BIAS..Self::TO_OUT].iter_mut().zip(&hidden_error).for_each(|(sum, error)| *sum += error);
        for (input, row) in sample.inputs.iter().zip(gradient[..Self::IN_BIAS].chunks_exact_mut(HIDDEN)) {
            row.iter_mut().zip(&hidden_error).for_each(|(sum, error)| *sum += input * error);
        }
    }

    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for weight in &self.weights {
            hasher.update(&weight.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_learns_what_can_be_told_apart() {
        let sample = |at: usize| {
            let class = at % 4;
            let mut inputs = [0.0; 200];
            inputs.iter_mut().enumerate().for_each(|(i, input)| *input = ((at * 31 + i * 17) % 13) as f32 / 26.0);
            inputs[class * 5] += 1.5;
            Sample { inputs, class }
        };
        let network = Perceptron::<200, 96, 21>::train(&(0..600).map(sample).collect::<Vec<_>>(), 8);
        let right = (1000..1200).map(sample).filter(|sample| {
            let logs = network.log_probabilities(&sample.inputs);
            assert!((logs.iter().map(|log| log.exp()).sum::<f32>() - 1.0).abs() < 1e-4);
            logs.iter().all(|&log| log <= logs[sample.class])
        });
        assert!(right.count() > 190);
    }
}
