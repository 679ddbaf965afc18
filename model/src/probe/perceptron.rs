//! Layers of rectified sums, softmax, and Adam: enough to read a patch or a motion, and trained without a framework.

use crate::weights::normal;
use half::f16;
use multiversion::multiversion;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::borrow::Cow;

const BATCH: usize = 64;
const LEARNING_RATE: f32 = 1e-3;
/// Adam's own constants (Kingma and Ba, 2015).
const BETAS: [f32; 2] = [0.9, 0.999];

/// What is to be told apart, and which class it is.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample<const IN: usize> {
    pub inputs: [f32; IN],
    pub class: usize,
}

/// From `IN` numbers over hidden layers to the probabilities of `OUT` classes.
#[derive(Debug, Clone)]
pub struct Perceptron<const IN: usize, const OUT: usize> {
    /// Units of each hidden layer; at least one layer.
    hidden: Vec<usize>,
    /// For each layer `[inputs, outputs]` and its bias.
    weights: Vec<f32>,
}

/// Where a layer's numbers lie.
#[derive(Debug, Clone, Copy)]
struct Layer {
    inputs: usize,
    outputs: usize,
    /// Its first weight, and its first output among those of all layers.
    weights: usize,
    units: usize,
}

impl Layer {
    fn rows(self, weights: &[f32]) -> &[f32] {
        &weights[self.weights..][..self.inputs * self.outputs]
    }

    fn bias(self, weights: &[f32]) -> &[f32] {
        &weights[self.weights + self.inputs * self.outputs..][..self.outputs]
    }
}

impl<const IN: usize, const OUT: usize> Perceptron<IN, OUT> {
    fn layers_of(hidden: &[usize]) -> Vec<Layer> {
        let sizes: Vec<usize> = [IN].iter().chain(hidden).chain(&[OUT]).copied().collect();
        let (mut weights, mut units, mut layers) = (0, 0, Vec::new());
        for pair in sizes.windows(2) {
            let (inputs, outputs) = (pair[0], pair[1]);
            layers.push(Layer { inputs, outputs, weights, units });
            (weights, units) = (weights + (inputs + 1) * outputs, units + outputs);
        }
        layers
    }

    fn weights_of(hidden: &[usize]) -> usize {
        Self::layers_of(hidden).iter().map(|layer| (layer.inputs + 1) * layer.outputs).sum()
    }

    /// Trains from a fixed seed: the same samples give the same weights. Each round asks for its samples.
    pub fn train<'a>(
        hidden: &[usize],
        rounds: usize,
        mut samples_of: impl FnMut(usize) -> Cow<'a, [Sample<IN>]>,
    ) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(1);
        let mut weights = vec![0.0; Self::weights_of(hidden)];
        for layer in Self::layers_of(hidden) {
            let spread = (2.0 / layer.inputs as f32).sqrt();
            let rows = &mut weights[layer.weights..][..layer.inputs * layer.outputs];
            rows.iter_mut().for_each(|weight| *weight = normal(&mut rng) * spread);
        }
        let mut adam = Adam::new(weights.len());
        let mut network = Perceptron { hidden: hidden.to_vec(), weights };
        let mut gradient = vec![0.0f32; network.weights.len()];
        for round in 0..rounds {
            let samples = samples_of(round);
            let balance = balance::<IN, OUT>(&samples);
            let mut order: Vec<usize> = (0..samples.len()).collect();
            for last in (1..order.len()).rev() {
                order.swap(last, ((u64::from(rng.next_u32()) * (last as u64 + 1)) >> 32) as usize);
            }
            let batches = samples.len().div_ceil(BATCH);
            for (at, batch) in order.chunks(BATCH).enumerate() {
                gradient.fill(0.0);
                for &at in batch {
                    let sample = &samples[at];
                    network.back(sample, balance[sample.class] / batch.len() as f32, &mut gradient);
                }
                let done = (round as f32 + (at + 1) as f32 / (batches + 1) as f32) / rounds as f32;
                adam.step(&mut network.weights, &gradient, LEARNING_RATE * (1.0 - done));
            }
        }
        network
    }

    /// What each layer gives, one after the other; the last are logits.
    fn units(&self, inputs: &[f32; IN]) -> Vec<f32> {
        let mut units = vec![0.0; self.hidden.iter().sum::<usize>() + OUT];
        for layer in Self::layers_of(&self.hidden) {
            let (before, own) = units.split_at_mut(layer.units);
            let inputs = if layer.units == 0 { &inputs[..] } else { &before[layer.units - layer.inputs..] };
            let own = &mut own[..layer.outputs];
            sums(own, layer.rows(&self.weights), layer.bias(&self.weights), inputs);
            if layer.units < self.hidden.iter().sum() {
                own.iter_mut().for_each(|unit| *unit = unit.max(0.0));
            }
        }
        units
    }

    /// The last hidden layer.
    pub fn hidden(&self, inputs: &[f32; IN]) -> Vec<f32> {
        let mut units = self.units(inputs);
        units.truncate(units.len() - OUT);
        let last = self.hidden.last().copied().unwrap_or_default();
        units.split_off(units.len() - last)
    }

    /// The logarithm of each class's probability.
    pub fn log_probabilities(&self, inputs: &[f32; IN]) -> [f32; OUT] {
        log_softmax(&self.units(inputs))
    }

    /// Adds a sample's share of the gradient of the cross entropy.
    fn back(&self, sample: &Sample<IN>, scale: f32, gradient: &mut [f32]) {
        let units = self.units(&sample.inputs);
        let mut error = log_softmax::<OUT>(&units).map(f32::exp).to_vec();
        error[sample.class] -= 1.0;
        error.iter_mut().for_each(|error| *error *= scale);
        for layer in Self::layers_of(&self.hidden).into_iter().rev() {
            let inputs = match layer.units {
                0 => &sample.inputs[..],
                units_before => &units[units_before - layer.inputs..units_before],
            };
            let (rows, bias) = gradient[layer.weights..].split_at_mut(layer.inputs * layer.outputs);
            bias[..layer.outputs].iter_mut().zip(&error).for_each(|(sum, error)| *sum += error);
            add_outer(rows, inputs, &error);
            if layer.units > 0 {
                let mut before = vec![0.0; layer.inputs];
                back_through(&mut before, layer.rows(&self.weights), inputs, &error);
                error = before;
            }
        }
    }

    /// The weights as little-endian f16.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.weights.iter().flat_map(|&weight| f16::from_f32(weight).to_le_bytes()).collect()
    }

    /// Takes what [`Perceptron::to_bytes`] gave from the front of `bytes`; `None` if they are too few.
    pub fn take(hidden: &[usize], bytes: &mut &[u8]) -> Option<Self> {
        let own = bytes.split_off(..Self::weights_of(hidden) * 2)?;
        let weights = own.as_chunks().0.iter().map(|&pair| f16::from_le_bytes(pair).to_f32());
        Some(Perceptron { hidden: hidden.to_vec(), weights: weights.collect() })
    }

    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for weight in &self.weights {
            hasher.update(&weight.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    }
}

/// Rare classes count as much as common ones, within reason.
fn balance<const IN: usize, const OUT: usize>(samples: &[Sample<IN>]) -> [f32; OUT] {
    let mut counts = [0.0f32; OUT];
    samples.iter().for_each(|sample| counts[sample.class] += 1.0);
    let mean_count = samples.len() as f32 / OUT as f32;
    counts.map(|count| (mean_count / count.max(1.0)).sqrt().min(4.0))
}

/// The logarithms of the probabilities of the last `OUT` units.
fn log_softmax<const OUT: usize>(units: &[f32]) -> [f32; OUT] {
    let mut logits = [0.0; OUT];
    logits.copy_from_slice(&units[units.len() - OUT..]);
    let most = logits.iter().copied().fold(f32::MIN, f32::max);
    let log_sum = logits.iter().map(|logit| (logit - most).exp()).sum::<f32>().ln() + most;
    logits.map(|logit| logit - log_sum)
}

struct Adam {
    mean: Vec<f32>,
    square: Vec<f32>,
    steps: i32,
}

impl Adam {
    fn new(weights: usize) -> Adam {
        Adam { mean: vec![0.0; weights], square: vec![0.0; weights], steps: 0 }
    }

    fn step(&mut self, weights: &mut [f32], gradient: &[f32], rate: f32) {
        self.steps += 1;
        let bias = BETAS.map(|beta| 1.0 - beta.powi(self.steps.min(10_000)));
        let moments = self.mean.iter_mut().zip(&mut self.square);
        for ((weight, gradient), (mean, square)) in weights.iter_mut().zip(gradient).zip(moments) {
            *mean += (gradient - *mean) * (1.0 - BETAS[0]);
            *square += (gradient * gradient - *square) * (1.0 - BETAS[1]);
            *weight -= rate * (*mean / bias[0]) / ((*square / bias[1]).sqrt() + 1e-8);
        }
    }
}

// Products and sums stand apart and in a written order, so that every processor finds the same weights.

/// `out = bias + rows^T inputs`
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2", "aarch64+neon"))]
fn sums(out: &mut [f32], rows: &[f32], bias: &[f32], inputs: &[f32]) {
    out.copy_from_slice(bias);
    for (input, row) in inputs.iter().zip(rows.chunks_exact(bias.len())) {
        out.iter_mut().zip(row).for_each(|(sum, weight)| *sum += input * weight);
    }
}

/// `rows += inputs error^T`
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2", "aarch64+neon"))]
fn add_outer(rows: &mut [f32], inputs: &[f32], error: &[f32]) {
    for (input, row) in inputs.iter().zip(rows.chunks_exact_mut(error.len())) {
        row.iter_mut().zip(error).for_each(|(sum, error)| *sum += input * error);
    }
}

/// The error before a layer of rectified inputs: `rows error` where an input is above zero.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2", "aarch64+neon"))]
fn back_through(before: &mut [f32], rows: &[f32], inputs: &[f32], error: &[f32]) {
    for ((out, row), input) in before.iter_mut().zip(rows.chunks_exact(error.len())).zip(inputs) {
        if *input > 0.0 {
            let mut lanes = [0.0f32; 16];
            let (row, row_rest) = row.as_chunks::<16>();
            let (error, error_rest) = error.as_chunks::<16>();
            for (row, error) in row.iter().zip(error) {
                for lane in 0..16 {
                    lanes[lane] += row[lane] * error[lane];
                }
            }
            let rest: f32 = row_rest.iter().zip(error_rest).map(|(weight, error)| weight * error).sum();
            *out = lanes.iter().sum::<f32>() + rest;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(at: usize) -> Sample<200> {
        let class = at % 4;
        let mut inputs = [0.0; 200];
        inputs.iter_mut().enumerate().for_each(|(i, input)| *input = ((at * 31 + i * 17) % 13) as f32 / 26.0);
        inputs[class * 5] += 1.5;
        Sample { inputs, class }
    }

    fn train(hidden: &[usize]) -> Perceptron<200, 21> {
        let samples: Vec<_> = (0..1000).map(sample).collect();
        Perceptron::train(hidden, 16, |_| Cow::Borrowed(&samples[..]))
    }

    fn right(network: &Perceptron<200, 21>) -> usize {
        let right = (2000..2200).map(sample).filter(|sample| {
            let logs = network.log_probabilities(&sample.inputs);
            assert!((logs.iter().map(|log| log.exp()).sum::<f32>() - 1.0).abs() < 1e-4);
            logs.iter().all(|&log| log <= logs[sample.class])
        });
        right.count()
    }

    #[test]
    fn it_learns_what_can_be_told_apart() {
        for hidden in [&[96][..], &[50, 24]] {
            assert!(right(&train(hidden)) > 190, "{hidden:?}");
        }
    }

    #[test]
    fn its_gradient_is_that_of_differences() {
        let hidden = [7, 5];
        let samples: Vec<_> = (0..40).map(sample).collect();
        let mut network = Perceptron::<200, 21>::train(&hidden, 1, |_| Cow::Borrowed(&samples[..]));
        let sample = sample(3);
        let mut gradient = vec![0.0; network.weights.len()];
        network.back(&sample, 1.0, &mut gradient);
        let (step, mut seen) = (1e-2, 0);
        for at in (0..gradient.len()).step_by(37).chain(gradient.len() - 200..gradient.len()) {
            let own = network.weights[at];
            let mut loss = |by: f32| {
                network.weights[at] = own + by;
                let loss = -network.log_probabilities(&sample.inputs)[sample.class];
                network.weights[at] = own;
                loss
            };
            let slope = (loss(step) - loss(-step)) / (2.0 * step);
            assert!((slope - gradient[at]).abs() < 2e-3 + 0.02 * slope.abs(), "{at}: {slope} and {}", gradient[at]);
            seen += usize::from(gradient[at] != 0.0);
        }
        assert!(seen > 60, "{seen}");
    }

    #[test]
    fn it_is_kept_in_half_precision() {
        let network = train(&[50, 24]);
        let bytes = network.to_bytes();
        let both = [&bytes[..], &bytes[..]].concat();
        let mut rest = &both[..];
        for _ in 0..2 {
            let kept = Perceptron::<200, 21>::take(&[50, 24], &mut rest).expect("both are there");
            assert!(right(&kept) > 190);
            assert_eq!(kept.to_bytes(), bytes);
        }
        assert!(rest.is_empty());
        assert!(Perceptron::<200, 21>::take(&[50, 24], &mut &bytes[1..]).is_none());
    }
}
