//! How a dream runs, and the facts about a running one.

use crate::{DeviceChoice, kernel::Precision};

/// How a dream runs; the model folder says what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DreamOptions {
    /// Off: the world state is neither read nor written (the floor of every probe of memory).
    pub memory: bool,
    /// Denoising steps a frame, at most; `None` takes the model's own default.
    pub sampler_steps: Option<usize>,
    /// Seed of the sampler's noise: the same seed and actions give the same frames.
    pub noise_seed: u64,
    /// Threads that a frame is computed on, at least one. Their number does not change a bit of the dream.
    pub threads: usize,
    /// What evaluates the denoiser; all else is computed on the processor. Where it fails, the processor finishes the step,
    /// and goes on from there if this is [`DeviceChoice::Auto`].
    pub device: DeviceChoice,
    /// What the processor rounds the factors of large products to; `None` for the fastest that it has.
    pub precision: Option<Precision>,
}

impl Default for DreamOptions {
    fn default() -> Self {
        DreamOptions {
            memory: true,
            sampler_steps: None,
            noise_seed: 0,
            threads: 1,
            device: DeviceChoice::Cpu,
            precision: None,
        }
    }
}

impl DreamOptions {
    /// What this processor rounds the factors of large products to.
    pub fn rounds_to(&self) -> Precision {
        self.precision.unwrap_or_else(Precision::fastest).min(Precision::coarsest())
    }
}

/// Facts about a running dream, for heads-up displays and reports.
#[derive(Debug, Clone, PartialEq)]
pub struct DreamStatus {
    pub width: usize,
    pub height: usize,
    /// BLAKE3 of the weights file, hexadecimal.
    pub model_hash: String,
    pub device: String,
    /// What the factors of large matrix products are rounded to.
    pub precision: &'static str,
    pub threads: usize,
    pub parameters: usize,
    /// Floating-point operations of a frame, in 1e9: the mean of those drawn so far, or of one of all sampler steps.
    pub gflop_per_frame: f64,
    /// Cells that the world state holds now.
    pub memory_cells: usize,
}
