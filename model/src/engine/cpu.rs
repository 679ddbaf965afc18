//! The processor's own path: our kernel and its packed weights.

use crate::{
    ModelConfig,
    kernel::{Batch, Crew, FrameTape, Kernel, PackedWeights, Precision},
    weights::Weights,
};

/// Evaluates on the processor. It does not fail.
#[derive(Debug)]
pub struct Cpu {
    kernel: Kernel,
    weights: PackedWeights,
    tape: FrameTape,
    width: usize,
    height: usize,
}

impl Cpu {
    pub fn new(config: &ModelConfig, weights: Weights) -> Cpu {
        Cpu::with_precision(config, weights, Precision::fastest())
    }

    pub fn with_precision(config: &ModelConfig, weights: Weights, precision: Precision) -> Cpu {
        let kernel = Kernel::with_precision(config.clone(), precision);
        Cpu {
            weights: PackedWeights::new(&kernel, weights),
            kernel,
            tape: FrameTape::default(),
            width: config.width,
            height: config.height,
        }
    }

    pub fn precision(&self) -> Precision {
        self.kernel.precision()
    }

    /// Computes in another precision from now on.
    pub fn set_precision(&mut self, precision: Precision) {
        if self.kernel.precision() != precision.min(Precision::coarsest()) {
            self.kernel = self.kernel.clone().in_precision(precision);
            self.weights.pack_again(&self.kernel);
        }
    }

    /// See [`super::Engine::evaluate`]; on a crew's threads, whose number does not change a bit.
    pub fn evaluate(&mut self, pixels: &[f32], condition: &[f32], crew: &Crew) {
        let batch = Batch { pixels, condition, samples: 1, width: self.width, height: self.height };
        self.kernel.frame(self.weights.get(), &batch, &mut self.tape, crew);
    }

    /// The raw output of the last evaluation, `[height, width, output::CHANNELS]`.
    pub fn output(&self) -> &[f32] {
        self.tape.output()
    }
}
