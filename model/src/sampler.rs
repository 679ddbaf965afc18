//! From noise to a frame in a few evaluations of the denoiser.

use crate::{
    Condition, ModelConfig,
    assemble::put_noised,
    imagined::{Imagined, mean},
    kernel::{Batch, Crew, FrameTape, Kernel, PackedWeights, Precision},
    layout::{input, output},
    noise,
    weights::Weights,
};
use rand_chacha::ChaCha8Rng;

/// A denoiser ready to sample frames of one size; its buffers are reused.
#[derive(Debug)]
pub struct Sampler {
    kernel: Kernel,
    weights: PackedWeights,
    tape: FrameTape,
    crew: Crew,
    noised: Vec<f32>,
    width: usize,
    height: usize,
}

impl Sampler {
    /// A sampler that computes on `threads` threads; their number does not change a bit of what it makes.
    pub fn new(config: &ModelConfig, weights: Weights, threads: usize) -> Sampler {
        let kernel = Kernel::new(config.clone());
        Sampler {
            weights: PackedWeights::new(&kernel, weights),
            kernel,
            tape: FrameTape::default(),
            crew: Crew::new(threads),
            noised: Vec::new(),
            width: config.width,
            height: config.height,
        }
    }

    pub fn precision(&self) -> Precision {
        self.kernel.precision()
    }

    /// The threads that a frame is computed on.
    pub fn crew(&self) -> &Crew {
        &self.crew
    }

    /// Denoises a frame in `steps` evaluations (Euler steps along the straight path of flow matching).
    ///
    /// One evaluation draws the mean of what may be there. Several choose; the first of them then begins a little on the
    /// way, with what the canvas shows in place of the frame: a whole evaluation from pure noise would tell it little more.
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
        let begin = noise::sampled_level(0, steps);
        for (noised, pixel) in self.noised.chunks_exact_mut(3).zip(pixels.chunks_exact(input::CHANNELS)) {
            noise::advance(noised, &pixel[input::CANVAS..input::CANVAS + 3], 0.0, begin);
        }
        for step in 0..steps {
            let [level, next] = [step, step + 1].map(|step| noise::sampled_level(step, steps));
            put_noised(pixels, &self.noised);
            self.evaluate(pixels, &Condition { signal_level: level, ..*condition });
            if step + 1 < steps {
                let clean = pixels.chunks_exact(input::CHANNELS).zip(self.tape.output().chunks_exact(output::CHANNELS));
                for (noised, (pixel, raw)) in self.noised.chunks_exact_mut(3).zip(clean) {
                    noise::advance(noised, &mean(pixel, raw).rgb, level, next);
                }
            }
        }
        Imagined::new(self.width, self.height, pixels, self.tape.output())
    }

    /// Reads the depth of a clean frame, `[height, width, 3]` in -1..1; the colours come back nearly as they went in.
    pub fn perceive(&mut self, pixels: &mut [f32], condition: &Condition, clean: &[f32]) -> Imagined {
        put_noised(pixels, clean);
        self.evaluate(pixels, &Condition { signal_level: 1.0, ..*condition });
        Imagined::new(self.width, self.height, pixels, self.tape.output())
    }

    fn evaluate(&mut self, pixels: &[f32], condition: &Condition) {
        let features = condition.features();
        let batch = Batch { pixels, condition: &features, samples: 1, width: self.width, height: self.height };
        self.kernel.frame(self.weights.get(), &batch, &mut self.tape, &self.crew);
    }
}
