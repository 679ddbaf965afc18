//! The training loss of a pixel and its gradient with respect to the denoiser's raw output.
//!
//! Colour: squared error of the clean frame ("Back to Basics", x-prediction). Depth: absolute error of the encoded
//! (logarithmic) depth, and the negative log likelihood of a Laplace distribution for its scale alone. Matter: cross
//! entropy of its bits.

use crate::{
    imagined::{COPY_BIAS, mean, sigmoid},
    kernel::elementary::exp,
    layout::{LEAST_LOG_SCALE, MOST_LOG_SCALE, input, output},
    matter::Matter,
};

/// Weights of the parts.
const DEPTH_WEIGHT: f32 = 0.8;
const SCALE_WEIGHT: f32 = 0.002;
/// Of each bit.
const MATTER_WEIGHT: f32 = 0.012;
/// What lives or was made by hands covers a hundredth of what is seen, and is what players are about.
const RARE: f32 = 4.0;
/// Where something may have changed and the world state is plainly wrong, a pixel counts this much more: in its colour,
/// and in its depth, as where a block was broken or placed. Nowhere else: the state is wrong by a pixel along every edge
/// of what is known, and a network that must fear for those draws them softly rather than as remembered.
const CHANGED_COLOUR_WEIGHT: f32 = 4.0;
const CHANGED_DEPTH_WEIGHT: f32 = 8.0;
/// What is imagined is held to the truth a little also where the world state's own is kept. Left free there, it drifts
/// so far that a gate which opens by a hair's breadth throws the pixel off.
const IMAGINED_WEIGHT: f32 = 0.1;
/// A colour difference (of 2) beyond which a pixel counts as changed.
const CHANGED_COLOUR: f32 = 0.25;
/// A difference of encoded depths beyond which a pixel counts as changed: a fifth of the distance.
const CHANGED_DEPTH: f32 = 0.06;
/// An error is never taken for more than this many times its predicted scale: one confident mistake must not outweigh
/// everything else in a batch.
const MOST_SCALED: f32 = 4.0;

/// Sums over the pixels of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LossSums {
    pub total: f64,
    pub squared_error: f64,
    pub depth_error: f64,
    pub pixels: f64,
}

impl LossSums {
    pub fn add(&mut self, other: LossSums) {
        self.total += other.total;
        self.squared_error += other.squared_error;
        self.depth_error += other.depth_error;
        self.pixels += other.pixels;
    }

    /// Mean loss a pixel.
    pub fn loss(&self) -> f64 {
        self.total / self.pixels.max(1.0)
    }

    /// PSNR of the predicted clean frames, dB.
    pub fn psnr_db(&self) -> f64 {
        10.0 * (4.0 * self.pixels * 3.0 / self.squared_error.max(1e-9)).log10()
    }

    pub fn depth_error(&self) -> f64 {
        self.depth_error / self.pixels.max(1.0)
    }
}

/// The loss of one sample, and its gradient times `scale` into `d_raw` `[pixels, output::CHANNELS]`.
///
/// # Arguments
/// - `pixels` `[n, input::CHANNELS]`, `raw` `[n, output::CHANNELS]`, `rgb` `[n, 3]` and `depth` `[n]` the truth, encoded.
/// - `eventful` `[n]`: where something may have changed; `matters` `[n]`: what stands there.
pub fn loss(
    d_raw: &mut [f32],
    [pixels, raw, rgb, depth]: [&[f32]; 4],
    eventful: &[bool],
    matters: &[Matter],
    scale: f32,
) -> LossSums {
    let mut sums = LossSums::default();
    for at in 0..depth.len() {
        let pixel = &pixels[at * input::CHANNELS..(at + 1) * input::CHANNELS];
        let said = &raw[at * output::CHANNELS..(at + 1) * output::CHANNELS];
        let d = &mut d_raw[at * output::CHANNELS..(at + 1) * output::CHANNELS];
        let target = &rgb[at * 3..at * 3 + 3];
        let meant = mean(pixel, said);
        let known = pixel[input::KNOWN];
        let canvas = &pixel[input::CANVAS..input::CANVAS + 3];
        let colour_changed = (0..3).any(|c| (canvas[c] - target[c]).abs() > CHANGED_COLOUR);
        let depth_changed = (pixel[input::CANVAS_DEPTH] - depth[at]).abs() > CHANGED_DEPTH;
        let weight = match (known > 0.0 && eventful[at], depth_changed, colour_changed) {
            (true, true, true) => CHANGED_DEPTH_WEIGHT,
            (true, false, true) => CHANGED_COLOUR_WEIGHT,
            // What a deed lays open: nothing is known of it, and what is drawn there stays.
            _ if known == 0.0 && eventful[at] => CHANGED_COLOUR_WEIGHT,
            _ => 1.0,
        };

        let mut d_copy = 0.0;
        for c in 0..3 {
            let error = meant.rgb[c] - target[c];
            sums.squared_error += f64::from(error * error);
            sums.total += f64::from(weight * error * error);
            let d_rgb = 2.0 * weight * error * scale;
            let imagined_error = said[output::RGB + c] - target[c];
            sums.total += f64::from(IMAGINED_WEIGHT * imagined_error * imagined_error);
            d[output::RGB + c] = d_rgb * (1.0 - meant.copy) + 2.0 * IMAGINED_WEIGHT * imagined_error * scale;
            d_copy += d_rgb * (canvas[c] - said[output::RGB + c]);
        }
        let gate = sigmoid(said[output::COPY_LOGIT] + COPY_BIAS);
        d[output::COPY_LOGIT] = d_copy * known * gate * (1.0 - gate);

        let error = meant.depth - depth[at];
        sums.depth_error += f64::from(error.abs());
        sums.total += f64::from(DEPTH_WEIGHT * error.abs());
        // Huber near zero, so that the sign does not flip from step to step.
        let d_depth = DEPTH_WEIGHT * (error / 0.01).clamp(-1.0, 1.0) * scale;
        let imagined_error = said[output::DEPTH] - depth[at];
        sums.total += f64::from(IMAGINED_WEIGHT * imagined_error * imagined_error);
        d[output::DEPTH] = d_depth * (1.0 - meant.copy_depth) + 2.0 * IMAGINED_WEIGHT * imagined_error * scale;
        let gate = sigmoid(said[output::COPY_DEPTH_LOGIT] + COPY_BIAS);
        let spread = pixel[input::CANVAS_DEPTH] - said[output::DEPTH];
        d[output::COPY_DEPTH_LOGIT] = d_depth * known * spread * gate * (1.0 - gate);

        let log_scale = said[output::DEPTH_LOG_SCALE];
        let kept = log_scale.clamp(LEAST_LOG_SCALE, MOST_LOG_SCALE);
        let scaled = (error.abs() * (-kept).exp()).min(MOST_SCALED);
        sums.total += f64::from(SCALE_WEIGHT * (scaled + kept));
        // Beyond its bounds the scale is only ever drawn back: pixels without any error, as in the sky, would else push
        // it down for ever, and with it everything that the head's channels share.
        d[output::DEPTH_LOG_SCALE] =
            SCALE_WEIGHT * scale * if log_scale == kept { 1.0 - scaled } else { log_scale - kept };
        // The sky is told by its depth.
        if depth[at] < 1.0 {
            let weight = MATTER_WEIGHT * if is_rare(matters[at]) { RARE } else { 1.0 };
            let (d, said) = (&mut d[output::MATTER..], &said[output::MATTER..]);
            sums.total += f64::from(of_matter(d, said, matters[at], weight, scale));
        } else {
            d[output::MATTER..].fill(0.0);
        }
    }
    sums.pixels = depth.len() as f64;
    sums
}

fn is_rare(matter: Matter) -> bool {
    use Matter::*;
    matches!(matter, Animal | OakLog | BirchLog | Planks | Cobble | Brick | Glass | Lamp | Cactus | Cake)
}

/// Cross entropy of the bits' logits `said`, and its gradient.
fn of_matter(d: &mut [f32], said: &[f32], matter: Matter, weight: f32, scale: f32) -> f32 {
    let mut total = 0.0;
    for ((d, &logit), bit) in d.iter_mut().zip(said).zip(matter.bits()) {
        *d = weight * scale * (sigmoid(logit) - f32::from(u8::from(bit)));
        // The logarithm of 1 + exp(x), with x the logit of what is wrong.
        let wrong = if bit { -logit } else { logit };
        total += weight * (wrong.max(0.0) + (1.0 + exp(-wrong.abs())).ln());
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::normal;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn a_scale_beyond_its_bounds_is_drawn_back() {
        let (pixels, rgb, depth) = (vec![0.0; input::CHANNELS], [0.0; 3], [0.0]);
        for (log_scale, sign) in [(-50.0, -1.0), (50.0, 1.0)] {
            let mut raw = vec![0.0; output::CHANNELS];
            raw[output::DEPTH_LOG_SCALE] = log_scale;
            let mut d_raw = raw.clone();
            loss(&mut d_raw, [&pixels, &raw, &rgb, &depth], &[true], &[Matter::Rest], 1.0);
            assert!(d_raw[output::DEPTH_LOG_SCALE] * sign > 0.0, "{log_scale}");
        }
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let mut rng = ChaCha8Rng::seed_from_u64(5);
        let n = 6;
        let mut pixels: Vec<f32> = (0..n * input::CHANNELS).map(|_| normal(&mut rng) * 0.5).collect();
        pixels.chunks_exact_mut(input::CHANNELS).enumerate().for_each(|(i, p)| p[input::KNOWN] = (i % 2) as f32);
        let raw: Vec<f32> = (0..n * output::CHANNELS).map(|_| normal(&mut rng) * 0.5).collect();
        let rgb: Vec<f32> = (0..n * 3).map(|_| normal(&mut rng) * 0.5).collect();
        let depth: Vec<f32> = (0..n).map(|_| normal(&mut rng)).collect();
        let eventful: Vec<bool> = (0..n).map(|at| at % 3 == 0).collect();
        let matters: Vec<Matter> = (0..n).map(|at| Matter::ALL[at * 5 % 21]).collect();
        let mut d_raw = vec![0.0; raw.len()];
        let mut unused = vec![0.0; raw.len()];
        loss(&mut d_raw, [&pixels, &raw, &rgb, &depth], &eventful, &matters, 1.0);
        for index in (0..raw.len()).filter(|index| index % output::CHANNELS != output::DEPTH_LOG_SCALE) {
            let mut moved = |step: f32| {
                let mut raw = raw.clone();
                raw[index] += step;
                loss(&mut unused, [&pixels, &raw, &rgb, &depth], &eventful, &matters, 1.0).total
            };
            let slope = ((moved(1e-3) - moved(-1e-3)) / 2e-3) as f32;
            let own = d_raw[index];
            // The scale's likelihood is not carried into the depth: its share of the slope is small but not zero.
            let slack = 2e-3
                + 0.02 * slope.abs()
                + 0.05
                    * DEPTH_WEIGHT
                    * f32::from(u8::from((output::DEPTH..output::MATTER).contains(&(index % output::CHANNELS))));
            assert!((slope - own).abs() < slack, "raw {index}: {slope} against {own}");
        }
    }
}
