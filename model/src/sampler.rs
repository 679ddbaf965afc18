//! From noise to a frame in a few evaluations of the denoiser.

use crate::{
    Condition, ModelConfig,
    assemble::put_noised,
    engine::{Cpu, DeviceFault, Engine},
    imagined::{Imagined, mean},
    kernel::{Crew, Precision},
    layout::{input, output},
    noise,
    weights::Weights,
};
use holdfast_sim::Frame;
use rand_chacha::ChaCha8Rng;

/// Signal level that evaluation `step` of `steps` reads; 1, the clean frame, after the last.
pub fn sampled_level(step: usize, steps: usize) -> f32 {
    noise::level_at(step as f32 / steps as f32)
}

/// Share of a frame of which the memory may be unsure for one evaluation to be enough.
const SURE: f32 = 0.05;

/// Evaluations that a frame is worth, of at most `steps`. One draws what is known as well as several do; what is invented
/// comes out soft of one, and so does what the hand changes (docs/decisions/sampler.md). `unsure` is the share of the
/// frame's pixels of which the memory is.
pub fn evaluations(steps: usize, unsure: f32, condition: &Condition) -> usize {
    if unsure < SURE && condition.change.is_none() { 1 } else { steps }
}

/// Takes the noised frame in `pixels` from the level of an evaluation to that of the next, given what it said.
pub fn advance(pixels: &mut [f32], raw: &[f32], step: usize, steps: usize) {
    let [level, next] = [step, step + 1].map(|step| sampled_level(step, steps));
    for (pixel, raw) in pixels.chunks_exact_mut(input::CHANNELS).zip(raw.chunks_exact(output::CHANNELS)) {
        let clean = mean(pixel, raw).rgb;
        noise::advance(&mut pixel[input::NOISED..input::NOISED + 3], &clean, level, next);
    }
}

/// A denoiser ready to sample frames of one size; its buffers are reused.
///
/// When its device fails, the processor does that evaluation and all that follow: no frame is lost.
#[derive(Debug)]
pub struct Sampler {
    own: Cpu,
    /// What evaluates in place of the processor, while it works.
    device: Option<Box<dyn Engine>>,
    fault: Option<DeviceFault>,
    crew: Crew,
    noised: Vec<f32>,
    width: usize,
    height: usize,
}

impl Sampler {
    /// A sampler that computes on a device, or without one on a crew's threads; their number does not change a bit of what
    /// it makes.
    pub fn new(
        config: &ModelConfig,
        weights: Weights,
        precision: Precision,
        crew: Crew,
        device: Option<Box<dyn Engine>>,
    ) -> Sampler {
        Sampler {
            own: Cpu::with_precision(config, weights, precision),
            device,
            fault: None,
            crew,
            noised: Vec::new(),
            width: config.width,
            height: config.height,
        }
    }

    /// What the processor computes in from now on.
    pub fn set_precision(&mut self, precision: Precision) {
        self.own.set_precision(precision);
    }

    pub fn precision(&self) -> &'static str {
        self.device.as_ref().map_or_else(|| self.own.precision().name(), |device| device.precision())
    }

    /// What evaluates; `None` for the processor.
    pub fn device(&self) -> Option<&dyn Engine> {
        self.device.as_deref()
    }

    /// Why the device that it began with evaluates no more.
    pub fn fault(&self) -> Option<&DeviceFault> {
        self.fault.as_ref()
    }

    /// The threads that a frame is computed on.
    pub fn crew(&self) -> &Crew {
        &self.crew
    }

    /// Denoises a frame in `steps` evaluations (Euler steps along the straight path of flow matching).
    ///
    /// One evaluation draws the mean of what may be there; several choose (docs/decisions/sampler.md).
    ///
    /// `pixels` is `[height, width, input::CHANNELS]`, assembled but for the noised frame.
    pub fn sample(
        &mut self,
        pixels: &mut [f32],
        condition: &Condition,
        steps: usize,
        rng: &mut ChaCha8Rng,
    ) -> Imagined {
        noise::draw(&mut self.noised, self.width * self.height * 3, rng);
        put_noised(pixels, &self.noised);
        for step in 0..steps {
            self.evaluate(pixels, &Condition { signal_level: sampled_level(step, steps), ..*condition });
            if step + 1 < steps {
                advance(pixels, self.output(), step, steps);
            }
        }
        Imagined::new(self.width, self.height, pixels, self.output(), &condition.exposure)
    }

    /// Reads the depth of a frame; the colours come back nearly as they went in.
    pub fn perceive(&mut self, pixels: &mut [f32], condition: &Condition, frame: &Frame) -> Imagined {
        put_noised(pixels, &condition.exposure.encode_frame(frame));
        self.evaluate(pixels, &Condition { signal_level: 1.0, ..*condition });
        Imagined::new(self.width, self.height, pixels, self.output(), &condition.exposure)
    }

    fn evaluate(&mut self, pixels: &[f32], condition: &Condition) {
        let condition = condition.features();
        match self.device.as_mut().map(|device| device.evaluate(pixels, &condition)) {
            Some(Ok(())) => return,
            Some(Err(fault)) => {
                tracing::warn!("{fault}");
                (self.device, self.fault) = (None, Some(fault));
            }
            None => {}
        }
        self.own.evaluate(pixels, &condition, &self.crew);
    }

    fn output(&self) -> &[f32] {
        self.device.as_ref().map_or_else(|| self.own.output(), |device| device.output())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::deed::Change;
    use glam::IVec3;

    #[test]
    fn what_is_known_takes_one_evaluation_and_all_else_all() {
        let quiet = Condition::default();
        let busy = Condition { change: Some(Change::Break(IVec3::ZERO)), ..quiet };
        assert_eq!([0.0, 0.049, 0.05, 1.0].map(|unsure| evaluations(2, unsure, &quiet)), [1, 1, 2, 2]);
        assert_eq!(evaluations(2, 0.0, &busy), 2);
        assert_eq!(evaluations(1, 1.0, &busy), 1);
    }
}
