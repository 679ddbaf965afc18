//! The denoiser on the CPU: the same network as [`crate::denoiser`], forward and backward, with the work between the
//! matrix products fused and nothing allocated from one call to the next.
//!
//! Why it exists: `docs/decisions/cpu-kernels.md` (the framework spends most of a training step between its matrix
//! products). It is tested against the plain Burn module and its automatic gradients.

#[cfg(target_arch = "x86_64")]
mod amx;
mod backward;
#[cfg(target_arch = "x86_64")]
mod bf16;
#[cfg(target_arch = "x86_64")]
mod bf16_conv;
#[cfg(target_arch = "x86_64")]
mod bf16_pack;
mod conv;
mod crew;
pub(crate) mod elementary;
mod forward;
mod frame;
mod frame_head;
mod head_back;
#[cfg(target_arch = "x86_64")]
mod int8;
#[cfg(target_arch = "x86_64")]
mod int8_pairs;
#[cfg(target_arch = "x86_64")]
mod int8_quads;
pub mod matmul;
mod packed;
mod rows;
mod rows_plain;
mod tape;

pub use crew::Crew;
pub use frame::FrameTape;
pub use matmul::{Precision, Products};
pub use packed::{Packed, PackedWeights, Packing, Passes};
pub use tape::Tape;

use crate::{Condition, ModelConfig, layout::input, rotary::Rotary, weights::Weights};

/// One batch of inputs: all frames of one size.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// `[samples, height, width, input::CHANNELS]`
    pub pixels: &'a [f32],
    /// `[samples, Condition::FEATURES]`
    pub condition: &'a [f32],
    pub samples: usize,
    pub width: usize,
    pub height: usize,
}

impl Batch<'_> {
    /// # Panics
    /// If a slice does not hold what the sizes say.
    fn check(&self, config: &ModelConfig) {
        let pixels = self.samples * self.width * self.height;
        assert_eq!(self.pixels.len(), pixels * input::CHANNELS, "pixels of a batch");
        assert_eq!(self.condition.len(), self.samples * Condition::FEATURES, "conditions of a batch");
        assert!(
            self.width.is_multiple_of(config.patch_px) && self.height.is_multiple_of(config.patch_px),
            "whole patches"
        );
    }
}

/// Sizes that every part of the kernel needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sizes {
    samples: usize,
    width: usize,
    height: usize,
    patch: usize,
    tokens: usize,
    /// `samples * tokens`
    rows: usize,
    d: usize,
    mlp: usize,
    heads: usize,
    d_head: usize,
    layers: usize,
    /// Values of a patch at the input.
    patch_values: usize,
    /// Features a pixel that the tokens hand to the head.
    features: usize,
    head_hidden: usize,
}

impl Sizes {
    fn new(config: &ModelConfig, samples: usize, width: usize, height: usize) -> Sizes {
        let tokens = config.tokens(width, height);
        Sizes {
            samples,
            width,
            height,
            patch: config.patch_px,
            tokens,
            rows: samples * tokens,
            d: config.d_model,
            mlp: config.d_mlp(),
            heads: config.heads,
            d_head: config.d_head(),
            layers: config.layers,
            patch_values: config.patch_px * config.patch_px * input::CHANNELS,
            features: config.head_features,
            head_hidden: config.head_hidden,
        }
    }

    /// Channels that the head's first convolution reads.
    fn head_in(&self) -> usize {
        self.features + input::CHANNELS
    }
}

/// Where each tensor stands in [`Weights`]: the order of [`Weights::spec`], checked by a test.
mod at {
    pub const PATCH_IN: usize = 0;
    pub const PATCH_IN_BIAS: usize = 1;
    pub const CONDITION_IN: usize = 2;
    pub const CONDITION_IN_BIAS: usize = 3;
    pub const CONDITION_OUT: usize = 4;
    pub const CONDITION_OUT_BIAS: usize = 5;
    pub const NO_PROMPT: usize = 6;
    pub const MODULATION: usize = 7;
    pub const FINAL_MODULATION: usize = 8;
    const BLOCKS: usize = 9;
    const BLOCK: usize = 7;

    pub fn block(layer: usize) -> Block {
        let base = BLOCKS + layer * BLOCK;
        Block {
            table: base,
            qkv: base + 1,
            query_scale: base + 2,
            key_scale: base + 3,
            attention_out: base + 4,
            mlp_in: base + 5,
            mlp_out: base + 6,
        }
    }

    pub fn tail(layers: usize) -> Tail {
        let base = BLOCKS + layers * BLOCK;
        Tail {
            final_table: base,
            patch_out: base + 1,
            patch_out_bias: base + 2,
            head_hidden: base + 3,
            head_hidden_bias: base + 4,
            head_out: base + 5,
            head_out_bias: base + 6,
        }
    }

    pub struct Block {
        pub table: usize,
        pub qkv: usize,
        pub query_scale: usize,
        pub key_scale: usize,
        pub attention_out: usize,
        pub mlp_in: usize,
        pub mlp_out: usize,
    }

    pub struct Tail {
        pub final_table: usize,
        pub patch_out: usize,
        pub patch_out_bias: usize,
        pub head_hidden: usize,
        pub head_hidden_bias: usize,
        pub head_out: usize,
        pub head_out_bias: usize,
    }
}

/// Floating-point operations of one evaluation of one frame, in 1e9: matrix products and convolutions, a multiply and
/// an add counted as two.
pub fn gflop(config: &ModelConfig, width: usize, height: usize) -> f64 {
    let s = Sizes::new(config, 1, width, height);
    let per_token = s.patch_values * s.d
        + s.layers * (4 * s.d * s.d + 2 * s.d * s.mlp + 2 * s.tokens * s.d)
        + s.d * s.patch * s.patch * s.features;
    let per_pixel = 9 * (s.head_in() * s.head_hidden + s.head_hidden * crate::layout::output::CHANNELS);
    let once = Condition::FEATURES * s.d + s.d * s.d * 9;
    2.0 * (s.tokens * per_token + s.width * s.height * per_pixel + once) as f64 / 1e9
}

/// Rearranges frames into rows of patches: `[samples, height, width, c]` to `[samples * tokens, patch * patch * c]`.
fn to_patches(out: &mut [f32], pixels: &[f32], s: &Sizes, channels: usize) {
    each_patch_row(s, |pixel, token, line| {
        let run = s.patch * channels;
        let at = token * s.patch * run + line * run;
        out[at..at + run].copy_from_slice(&pixels[pixel * channels..pixel * channels + run]);
    });
}

/// Calls `visit(first pixel, token, line within the patch)` for every line of every patch, tokens counted over samples.
fn each_patch_row(s: &Sizes, mut visit: impl FnMut(usize, usize, usize)) {
    let columns = s.width / s.patch;
    for sample in 0..s.samples {
        for y in 0..s.height {
            for column in 0..columns {
                let pixel = (sample * s.height + y) * s.width + column * s.patch;
                visit(pixel, sample * s.tokens + y / s.patch * columns + column, y % s.patch);
            }
        }
    }
}

fn silu(x: f32) -> f32 {
    x / (1.0 + (-x).exp())
}

fn silu_back(x: f32) -> f32 {
    let sigmoid = 1.0 / (1.0 + (-x).exp());
    sigmoid * (1.0 + x * (1.0 - sigmoid))
}

/// A denoiser's kernel for frames of any size: weights, packed, come with each call, buffers live in the [`Tape`].
#[derive(Debug, Clone)]
pub struct Kernel {
    config: ModelConfig,
    precision: Precision,
}

impl Kernel {
    /// A kernel in the fastest precision in which this processor can train.
    pub fn new(config: ModelConfig) -> Kernel {
        Kernel::with_precision(config, Precision::default())
    }

    pub fn with_precision(config: ModelConfig, precision: Precision) -> Kernel {
        Kernel { config, precision }
    }

    /// The same network in another precision.
    pub fn in_precision(self, precision: Precision) -> Kernel {
        Kernel { precision, ..self }
    }

    /// The precision that large products are really computed in here.
    pub fn precision(&self) -> Precision {
        self.precision.min(Precision::coarsest())
    }

    /// Evaluates a batch; the raw output is in [`Tape::output`], `[samples, height, width, output::CHANNELS]`.
    ///
    /// # Panics
    /// If the batch does not fit its sizes or the configuration.
    pub fn forward(&self, weights: Packed, batch: &Batch, tape: &mut Tape) {
        batch.check(&self.config);
        tape.prepare(&self.config, Sizes::new(&self.config, batch.samples, batch.width, batch.height), Rotary::new);
        tape.products.precision = self.precision;
        forward::forward(weights, batch, tape);
    }

    /// Evaluates one frame on a crew's threads; the raw output is in [`FrameTape::output`]. The number of threads does not
    /// change a bit.
    ///
    /// # Panics
    /// If the batch is not one sample, or does not fit its sizes or the configuration.
    pub fn frame(&self, weights: Packed, batch: &Batch, tape: &mut FrameTape, crew: &Crew) {
        batch.check(&self.config);
        assert_eq!(batch.samples, 1, "one frame at a time");
        crew.lead(|| frame::frame(&self.config, self.precision, weights, batch, tape, crew));
    }

    /// Adds to `gradients` what `d_output`, the gradient of the last forward pass's output, means for each weight.
    ///
    /// # Panics
    /// If the weights are packed for the forward pass alone, or `d_output` does not have the output's shape.
    pub fn backward(&self, weights: Packed, batch: &Batch, tape: &mut Tape, d_output: &[f32], gradients: &mut Weights) {
        assert_eq!(d_output.len(), tape.output().len(), "gradient of the output");
        backward::backward(weights, batch, tape, d_output, gradients);
    }
}

#[cfg(test)]
mod tests;
