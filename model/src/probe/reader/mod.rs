//! The block reader: from pixels to kinds of blocks, by a small classifier that has only ever seen true frames.
//!
//! A pixel is read from the 7x7 patch around it, 5x5 means of the 15x15 patch, the mean colours of the frame, and the
//! true distance of what should be there. The classifier is frozen: for the camera that models are probed through its
//! weights are part of the program, made from training seeds by `cargo run --release -p holdfast-model --example
//! train_readers`; for others a lesser one is trained on the spot. Probes print how well it reads true frames beside
//! each score that uses it.

mod gallery;
mod kind;

pub use gallery::{gallery, training_seeds};
pub use kind::Kind;

use super::perceptron::{self, Perceptron};
use holdfast_sim::{Camera, Depth, Frame};
use std::borrow::Cow;

/// Side of a patch, pixels.
const PATCH: usize = 7;
/// Means around the pixel: so many across, each of a square of this side in pixels.
const MEANS: usize = 5;
const MEAN_PX: usize = 3;
const NEAR: usize = PATCH * PATCH * 3;
const AROUND: usize = NEAR + MEANS * MEANS * 3;
/// Inputs of the classifier: a patch, means around it, the mean colours of the upper and the lower half, the distance.
pub const INPUTS: usize = AROUND + 3 + 3 + 1;
/// Hidden units of the classifier, layer by layer.
const HIDDEN: [usize; 3] = [256, 128, 64];
/// The camera of the frozen reader, and its weights.
pub const FROZEN_CAMERA: Camera = Camera { width: 128, height: 72, fov_y_deg: Camera::FOV_Y_DEG };
const FROZEN: &[u8] = include_bytes!("frozen.f16");
/// Of readers that are trained on the spot: worlds of a round, and rounds.
const WORLDS: u64 = 120;
const ROUNDS: usize = 6;
/// At most this many pixels vote for a region.
const MOST_VOTERS: usize = 48;
/// Where nothing is known of the distance, it is taken for this, blocks.
const TYPICAL_BLOCKS: f32 = 6.0;

/// A pixel and the kind that it truly shows.
pub type Sample = perceptron::Sample<INPUTS>;

/// A trained reader.
#[derive(Debug, Clone)]
pub struct BlockReader {
    network: Perceptron<INPUTS, { Kind::COUNT }>,
}

/// What a frame is around its pixels, worked out once.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    frame: &'a Frame,
    means: [f32; 6],
}

impl<'a> Page<'a> {
    pub fn new(frame: &'a Frame) -> Self {
        let half = frame.height / 2 * frame.width * 3;
        let mut means = [0.0; 6];
        for (part, pixels) in [&frame.rgb[..half], &frame.rgb[half..]].into_iter().enumerate() {
            for (channel, mean) in means[part * 3..part * 3 + 3].iter_mut().enumerate() {
                let sum: u64 = pixels.iter().skip(channel).step_by(3).map(|&value| u64::from(value)).sum();
                *mean = sum as f32 / (pixels.len() / 3).max(1) as f32 / 127.5 - 1.0;
            }
        }
        Page { frame, means }
    }

    /// The classifier's inputs at a pixel; the patch is held inside the frame.
    pub fn inputs(&self, pixel: usize, blocks: f32) -> [f32; INPUTS] {
        let mut inputs = [0.0; INPUTS];
        let (width, height) = (self.frame.width, self.frame.height);
        let corner = |at: usize, size: usize| at.saturating_sub(PATCH / 2).min(size.saturating_sub(PATCH));
        let (left, top) = (corner(pixel % width, width), corner(pixel / width, height));
        for y in 0..PATCH {
            for x in 0..PATCH {
                let rgb = self.frame.pixel((left + x).min(width - 1), (top + y).min(height - 1));
                for channel in 0..3 {
                    inputs[(y * PATCH + x) * 3 + channel] = f32::from(rgb[channel]) / 127.5 - 1.0;
                }
            }
        }
        let around = MEANS * MEAN_PX;
        let corner = |at: usize, size: usize| at.saturating_sub(around / 2).min(size.saturating_sub(around));
        let (left, top) = (corner(pixel % width, width), corner(pixel / width, height));
        for y in 0..around {
            for x in 0..around {
                let rgb = self.frame.pixel((left + x).min(width - 1), (top + y).min(height - 1));
                let mean = &mut inputs[NEAR + (y / MEAN_PX * MEANS + x / MEAN_PX) * 3..][..3];
                mean.iter_mut().zip(rgb).for_each(|(mean, value)| *mean += f32::from(value));
            }
        }
        let share = 1.0 / (MEAN_PX * MEAN_PX) as f32 / 127.5;
        inputs[NEAR..AROUND].iter_mut().for_each(|mean| *mean = *mean * share - 1.0);
        inputs[AROUND..INPUTS - 1].copy_from_slice(&self.means);
        inputs[INPUTS - 1] = (blocks.clamp(0.5, 64.0) / TYPICAL_BLOCKS).ln() * 0.5;
        inputs
    }
}

impl BlockReader {
    /// The frozen reader, if it is of this camera; otherwise one that is trained now, within a minute.
    pub fn of(camera: Camera) -> BlockReader {
        if camera != FROZEN_CAMERA {
            return Self::train(camera, WORLDS, ROUNDS);
        }
        let network = Perceptron::take(&HIDDEN, &mut &FROZEN[..]);
        BlockReader { network: network.expect("a test reads with what is part of the program") }
    }

    /// Trains on frames of the simulator's training seeds, each round on other worlds.
    pub fn train(camera: Camera, worlds: u64, rounds: usize) -> BlockReader {
        let seeds = training_seeds(worlds * rounds as u64);
        let samples_of = |round| Cow::Owned(gallery(camera, seeds.iter().copied().skip(round).step_by(rounds)));
        BlockReader { network: Perceptron::train(&HIDDEN, rounds, samples_of) }
    }

    /// The weights as they are kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.network.to_bytes()
    }

    /// BLAKE3 of the weights, hexadecimal: two reports read alike only if it is the same.
    pub fn hash(&self) -> String {
        self.network.hash()
    }

    /// The kind that a region of a frame most likely shows. `depth` is the truth's.
    pub fn read(&self, page: &Page, depth: &Depth, region: &[usize]) -> Option<Kind> {
        let stride = region.len().div_ceil(MOST_VOTERS).max(1);
        let mut sum = [0.0f32; Kind::COUNT];
        for &pixel in region.iter().step_by(stride) {
            let logs = self.network.log_probabilities(&page.inputs(pixel, depth.blocks[pixel]));
            sum.iter_mut().zip(logs).for_each(|(sum, log)| *sum += log.max(-8.0));
        }
        let best = (0..Kind::COUNT).max_by(|&a, &b| sum[a].total_cmp(&sum[b]))?;
        (!region.is_empty()).then(|| Kind::ALL[best])
    }

    /// Features of a whole frame: the last hidden layer's mean over a grid of pixels.
    pub fn features(&self, frame: &Frame) -> Vec<f64> {
        let page = Page::new(frame);
        let mut sum = [0.0f64; HIDDEN[HIDDEN.len() - 1]];
        let mut count = 0.0;
        for y in (4..frame.height).step_by(8) {
            for x in (4..frame.width).step_by(8) {
                let hidden = self.network.hidden(&page.inputs(y * frame.width + x, TYPICAL_BLOCKS));
                sum.iter_mut().zip(hidden).for_each(|(sum, value)| *sum += f64::from(value));
                count += 1.0;
            }
        }
        sum.map(|sum| sum / f64::max(count, 1.0)).to_vec()
    }

    /// Share of single pixels of true frames that are read right, each kind alike, on seeds that are not trained on.
    pub fn accuracy(&self, samples: &[Sample]) -> f64 {
        let (mut right, mut all) = ([0.0f64; Kind::COUNT], [0.0f64; Kind::COUNT]);
        for sample in samples {
            let logs = self.network.log_probabilities(&sample.inputs);
            let best = (0..Kind::COUNT).max_by(|&a, &b| logs[a].total_cmp(&logs[b]));
            all[sample.class] += 1.0;
            right[sample.class] += if best == Some(sample.class) { 1.0 } else { 0.0 };
        }
        let kinds: Vec<f64> = right.iter().zip(all).filter(|(_, all)| *all > 0.0).map(|(r, all)| r / all).collect();
        kinds.iter().sum::<f64>() / kinds.len().max(1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::seeds;

    #[test]
    fn the_frozen_one_reads_true_frames_of_seeds_that_it_never_saw() {
        let first = seeds::VALIDATION.start + 500;
        let accuracy = BlockReader::of(FROZEN_CAMERA).accuracy(&gallery(FROZEN_CAMERA, first..first + 6));
        assert!(accuracy > 0.8, "{accuracy} of {} kinds", Kind::COUNT);
    }

    #[test]
    fn one_for_another_camera_learns_to_read() {
        let camera = Camera::new(64, 40);
        let first = seeds::VALIDATION.start + 500;
        let accuracy = BlockReader::train(camera, 30, 5).accuracy(&gallery(camera, first..first + 6));
        assert!(accuracy > 0.4, "{accuracy} of {} kinds", Kind::COUNT);
    }

    #[test]
    fn it_is_the_same_every_time() {
        let make = || BlockReader::train(Camera::new(32, 24), 2, 2).hash();
        assert_eq!(make(), make());
    }

    #[test]
    fn an_empty_region_reads_as_nothing() {
        let reader = BlockReader::train(Camera::new(32, 24), 1, 1);
        let frame = Frame::new(32, 24);
        assert_eq!(reader.read(&Page::new(&frame), &Depth::new(32, 24), &[]), None);
    }
}
