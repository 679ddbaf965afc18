//! Training against the discriminator: true and generated frames of the same moment are compared patch by patch.
//!
//! One evaluation from pure noise can only learn the mean of what may be there, unless something judges how it looks:
//! Sauer et al., "Adversarial Diffusion Distillation". Scores are compared in pairs (Huang et al., "The GAN is dead; long
//! live the GAN!", section 2), and the discriminator is kept smooth by the difference that a little noise makes (Lin et
//! al., "Diffusion Adversarial Post-Training for One-Step Video Generation", section 3.4).

use super::{
    TrainError,
    checkpoint::{load_parts, save_parts},
    discriminator::{self, Passes, Trace, seen},
    optimizer::{AdamW, Step},
};
use crate::{
    imagined::{mean, sigmoid},
    layout::{input, output},
    weights::{Weights, normal},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{collections::BTreeMap, path::Path};

const LEARNING_RATE: f32 = 2e-4;
/// The two sides answer each other: an old gradient is a wrong one.
const BETA_MEAN: f32 = 0.5;
/// Standard deviation of the noise that must make no difference, and the weight of what it does.
const SMOOTH_NOISE: f32 = 0.05;
const SMOOTH_WEIGHT: f32 = 4.0;
/// The discriminator learns alone for this many steps, then its say grows for as many again.
const HEAD_START_STEPS: u64 = 200;

/// The discriminator in training, and how much its gradient weighs.
#[derive(Debug, Clone)]
pub struct Adversary {
    pub weights: Weights,
    optimizer: AdamW,
    /// Root of the mean square gradients, of the loss over that of the scores, lately.
    balance: Option<f32>,
}

/// What a worker's samples said in a step.
#[derive(Debug, Clone, Copy, Default)]
pub struct Verdicts {
    /// Samples that were judged.
    pub samples: f64,
    /// Sum of the differences of scores, true less generated, a patch.
    pub lead: f64,
    /// Sums of squares of the gradients of the loss, and of the scores before they are weighed.
    pub of_loss: f64,
    pub of_scores: f64,
}

impl Verdicts {
    pub fn add(&mut self, other: Verdicts) {
        self.samples += other.samples;
        self.lead += other.lead;
        self.of_loss += other.of_loss;
        self.of_scores += other.of_scores;
    }
}

impl Adversary {
    pub fn fresh(seed: u64) -> Adversary {
        let weights = Weights::from_spec(discriminator::spec(), seed);
        Adversary { optimizer: AdamW::new(&weights), weights, balance: None }
    }

    /// What was saved, or a fresh one where nothing was.
    pub fn load(path: &Path, seed: u64) -> Result<Adversary, TrainError> {
        if !path.exists() {
            return Ok(Self::fresh(seed));
        }
        let ([weights, mean, square], meta) = load_parts(path, &discriminator::spec(), ["weights", "mean", "square"])?;
        let steps = meta.get("steps").and_then(|text| text.parse().ok()).unwrap_or(0);
        let optimizer = AdamW { mean, square, average: weights.clone(), steps };
        Ok(Adversary { weights, optimizer, balance: None })
    }

    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let meta = BTreeMap::from([("steps".into(), self.optimizer.steps.to_string())]);
        save_parts(path, &[&self.weights, &self.optimizer.mean, &self.optimizer.square], &meta)
    }

    /// What the gradient of the scores is multiplied by, so that it is `weight` times as long as the loss's: for pixels
    /// that the world state knows, and for those that it does not.
    pub fn say(&self, weights: [f32; 2]) -> [f32; 2] {
        let grown = self.optimizer.steps.saturating_sub(HEAD_START_STEPS) as f32 / HEAD_START_STEPS as f32;
        weights.map(|weight| weight * grown.min(1.0) * self.balance.unwrap_or(0.0))
    }

    /// Takes a step by the gradients of all workers.
    pub fn step(&mut self, gradients: &Weights, verdicts: &Verdicts) {
        if verdicts.samples == 0.0 {
            return;
        }
        let step = Step {
            learning_rate: LEARNING_RATE,
            weight_decay: 0.0,
            ema_decay: 0.0,
            clip: 10.0,
            beta_mean: BETA_MEAN,
            evened: None,
        };
        self.optimizer.step(&mut self.weights, gradients, &step);
        let now = (verdicts.of_loss / verdicts.of_scores.max(1e-30)).sqrt() as f32;
        let before = self.balance.unwrap_or(now);
        self.balance = Some(before + (now - before) * 0.02);
    }
}

/// One thread's part: its buffers, and the gradients of the discriminator that it has added up.
#[derive(Debug)]
pub struct Judge {
    pub gradients: Weights,
    pub verdicts: Verdicts,
    passes: Passes,
    truth: Trace,
    generated: Trace,
    near: Trace,
    images: [Vec<f32>; 3],
    d_scores: [Vec<f32>; 4],
    d_image: Vec<f32>,
    rng: ChaCha8Rng,
}

impl Judge {
    pub fn new(seed: u64) -> Judge {
        Judge {
            gradients: Weights::from_spec(discriminator::spec(), 0).zeros_like(),
            verdicts: Verdicts::default(),
            passes: Passes::default(),
            truth: Trace::default(),
            generated: Trace::default(),
            near: Trace::default(),
            images: Default::default(),
            d_scores: Default::default(),
            d_image: Vec::new(),
            rng: ChaCha8Rng::seed_from_u64(seed),
        }
    }

    /// Forgets the last step.
    pub fn begin(&mut self) {
        self.gradients.tensors.iter_mut().for_each(|tensor| tensor.values.fill(0.0));
        self.verdicts = Verdicts::default();
    }

    /// Judges one sample: adds to the discriminator's gradients, and to the denoiser's raw output's in `d_raw`.
    ///
    /// # Arguments
    /// - `pixels` `[n, input::CHANNELS]`, `raw` and `d_raw` `[n, output::CHANNELS]`, `rgb` `[n, 3]` and `depth` `[n]` the
    ///   truth, encoded; `say` from [`Adversary::say`], where the world state knows the pixel and where it does not
    pub fn judge(
        &mut self,
        weights: &Weights,
        [pixels, raw, rgb, depth]: [&[f32]; 4],
        d_raw: &mut [f32],
        size: [usize; 2],
        [say_known, say_unknown]: [f32; 2],
    ) {
        let meant = || pixels.chunks_exact(input::CHANNELS).zip(raw.chunks_exact(output::CHANNELS));
        let [truth, generated, near] = &mut self.images;
        truth.clear();
        generated.clear();
        for ((pixel, raw), (rgb, &depth)) in meant().zip(rgb.chunks_exact(3).zip(depth)) {
            let (known, meant) = (pixel[input::KNOWN], mean(pixel, raw));
            truth.extend([rgb[0], rgb[1], rgb[2], depth, known]);
            generated.extend([meant.rgb[0], meant.rgb[1], meant.rgb[2], meant.depth, known]);
        }
        let of_truth = self.rng.next_u32() & 1 == 0;
        near.clone_from(if of_truth { truth } else { generated });
        for pixel in near.chunks_exact_mut(seen::CHANNELS) {
            pixel[..seen::KNOWN].iter_mut().for_each(|value| *value += SMOOTH_NOISE * normal(&mut self.rng));
        }
        self.passes.forward(weights, truth, size, &mut self.truth);
        self.passes.forward(weights, generated, size, &mut self.generated);
        self.passes.forward(weights, near, size, &mut self.near);

        let patches = self.truth.scores().len() as f32;
        self.d_scores.iter_mut().for_each(|d| d.clear());
        let [d_truth, d_generated, d_near, d_own] = &mut self.d_scores;
        let mut lead = 0.0;
        for ((&t, &g), &n) in self.truth.scores().iter().zip(self.generated.scores()).zip(self.near.scores()) {
            lead += f64::from(t - g);
            let doubt = sigmoid(g - t) / patches;
            // Twice the weight, because one of the two is smoothed at a time.
            let rough = if of_truth { t - n } else { g - n } * 4.0 * SMOOTH_WEIGHT / patches;
            d_truth.push(-doubt + if of_truth { rough } else { 0.0 });
            d_generated.push(doubt + if of_truth { 0.0 } else { rough });
            d_near.push(-rough);
            d_own.push(-sigmoid(t - g) / patches);
        }
        self.passes.backward(weights, &self.truth, d_truth, Some(&mut self.gradients), None);
        self.passes.backward(weights, &self.generated, d_generated, Some(&mut self.gradients), None);
        self.passes.backward(weights, &self.near, d_near, Some(&mut self.gradients), None);
        self.passes.backward(weights, &self.generated, d_own, None, Some(&mut self.d_image));

        let places =
            meant().zip(self.d_image.chunks_exact(seen::CHANNELS)).zip(d_raw.chunks_exact_mut(output::CHANNELS));
        let (mut of_loss, mut of_scores) = (0.0, 0.0);
        for (((pixel, raw), d_image), d_raw) in places {
            let meant = mean(pixel, raw);
            let say = if pixel[input::KNOWN] > 0.0 { say_known } else { say_unknown };
            let mut put = |at: usize, part: f32| {
                of_loss += f64::from(d_raw[at] * d_raw[at]);
                of_scores += f64::from(part * part);
                d_raw[at] += say * part;
            };
            (0..3).for_each(|c| put(output::RGB + c, d_image[seen::RGB + c] * (1.0 - meant.copy)));
            put(output::DEPTH, d_image[seen::DEPTH] * (1.0 - meant.copy_depth));
        }
        let verdicts = Verdicts { samples: 1.0, lead: lead / f64::from(patches), of_loss, of_scores };
        self.verdicts.add(verdicts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Against a generator that only ever draws grey, the discriminator learns to tell, and its gradient then leads
    /// away from grey.
    #[test]
    fn the_discriminator_learns_to_tell_stripes_from_grey() {
        let (size, n) = ([16, 8], 128);
        let mut adversary = Adversary::fresh(1);
        let mut judge = Judge::new(2);
        let pixels = vec![0.0; n * input::CHANNELS];
        let raw = vec![0.0; n * output::CHANNELS];
        let rgb: Vec<f32> = (0..n * 3).map(|i| if (i / 3) % 2 == 0 { 0.5 } else { -0.5 }).collect();
        let depth = vec![0.0; n];
        let mut d_raw = vec![0.0; raw.len()];
        for _ in 0..60 {
            judge.begin();
            d_raw.fill(0.0);
            judge.judge(&adversary.weights, [&pixels, &raw, &rgb, &depth], &mut d_raw, size, [1.0; 2]);
            adversary.step(&judge.gradients, &judge.verdicts);
        }
        assert!(judge.verdicts.lead > 1.0, "lead {}", judge.verdicts.lead);
        // Downhill for the generator is towards the stripes.
        let along: f32 = rgb.iter().enumerate().map(|(i, v)| -d_raw[i / 3 * output::CHANNELS + i % 3] * v).sum();
        assert!(along > 0.0, "along the truth: {along}");
    }

    #[test]
    fn an_adversary_loads_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("discriminator.bin");
        let adversary = Adversary::fresh(4);
        adversary.save(&path).expect("saved");
        assert_eq!(Adversary::load(&path, 9).expect("loads").weights, adversary.weights);
    }
}
