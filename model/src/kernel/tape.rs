//! The buffers of the kernel: what the forward pass leaves for the backward pass, sized once.

use super::{
    Sizes,
    conv::{LANES, Padded},
    forward::Told,
    head_back::HeadScratch,
    matmul::Products,
};
use crate::{ModelConfig, layout::output, rotary::Rotary};

/// What one block remembers. Rows are `samples * tokens`.
#[derive(Debug, Clone, Default)]
pub(super) struct BlockTape {
    /// Input of the block, then after attention, `[rows, d]`.
    pub x_in: Vec<f32>,
    pub x_mid: Vec<f32>,
    pub inverse_in: Vec<f32>,
    pub inverse_mid: Vec<f32>,
    pub normed_in: Vec<f32>,
    pub normed_mid: Vec<f32>,
    /// `[rows, 3 * d]`
    pub qkv: Vec<f32>,
    /// Queries and keys after norm and rotation, `[rows, d]`, and the inverse norms `[heads, rows]`.
    pub query: Vec<f32>,
    pub key: Vec<f32>,
    pub query_inverse: Vec<f32>,
    pub key_inverse: Vec<f32>,
    /// Attention `[samples, heads, tokens, tokens]`.
    pub attention: Vec<f32>,
    pub mixed: Vec<f32>,
    pub attended: Vec<f32>,
    pub attended_inverse: Vec<f32>,
    /// `[rows, mlp]`: positive part and its square.
    pub hidden: Vec<f32>,
    pub squared: Vec<f32>,
    pub mlp: Vec<f32>,
    pub mlp_inverse: Vec<f32>,
}

/// Buffers of the backward pass alone.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    pub d_x: Vec<f32>,
    pub d_branch: Vec<f32>,
    pub d_normed: Vec<f32>,
    pub d_hidden: Vec<f32>,
    pub d_qkv: Vec<f32>,
    pub d_query: Vec<f32>,
    pub d_key: Vec<f32>,
    pub d_attention: Vec<f32>,
    pub d_modulation: Vec<f32>,
    pub d_final_modulation: Vec<f32>,
    pub d_features: Vec<f32>,
    pub head: HeadScratch,
}

/// All buffers of one worker.
#[derive(Debug, Clone, Default)]
pub struct Tape {
    pub(super) sizes: Option<Sizes>,
    pub(super) products: Products,
    pub(super) cos: Vec<f32>,
    pub(super) sin: Vec<f32>,
    pub(super) patches: Vec<f32>,
    pub(super) told: Told,
    pub(super) blocks: Vec<BlockTape>,
    pub(super) x: Vec<f32>,
    pub(super) final_inverse: Vec<f32>,
    pub(super) final_normed: Vec<f32>,
    /// `[rows, patch * patch * features]`
    pub(super) features: Vec<f32>,
    /// Inputs of the two convolutions, one a sample.
    pub(super) head_in: Vec<Padded>,
    pub(super) head_hidden: Vec<Padded>,
    pub(super) convolved: Vec<[f32; LANES]>,
    pub(super) output: Vec<f32>,
    pub(super) scratch: Scratch,
}

impl Tape {
    /// The raw output of the last forward pass, `[samples, height, width, output::CHANNELS]`.
    pub fn output(&self) -> &[f32] {
        &self.output
    }

    pub(super) fn prepare(
        &mut self,
        config: &ModelConfig,
        s: Sizes,
        rotary: impl Fn(usize, usize, usize, usize) -> Rotary,
    ) {
        if self.sizes == Some(s) {
            return;
        }
        let resize = |buffer: &mut Vec<f32>, len: usize| {
            buffer.clear();
            buffer.resize(len, 0.0);
        };
        let Rotary { cos, sin } = rotary(s.width, s.height, s.patch, s.d_head);
        (self.cos, self.sin) = (cos, sin);
        resize(&mut self.patches, s.rows * s.patch_values);
        self.told.prepare(&s);
        self.blocks.resize_with(config.layers, BlockTape::default);
        for block in &mut self.blocks {
            let rows_by_d = [
                &mut block.x_in,
                &mut block.x_mid,
                &mut block.normed_in,
                &mut block.normed_mid,
                &mut block.query,
                &mut block.key,
                &mut block.mixed,
                &mut block.attended,
                &mut block.mlp,
            ];
            rows_by_d.into_iter().for_each(|buffer| resize(buffer, s.rows * s.d));
            resize(&mut block.inverse_in, s.rows);
            resize(&mut block.inverse_mid, s.rows);
            resize(&mut block.attended_inverse, s.rows);
            resize(&mut block.mlp_inverse, s.rows);
            resize(&mut block.qkv, s.rows * 3 * s.d);
            resize(&mut block.query_inverse, s.rows * s.heads);
            resize(&mut block.key_inverse, s.rows * s.heads);
            resize(&mut block.attention, s.rows * s.heads * s.tokens);
            resize(&mut block.hidden, s.rows * s.mlp);
            resize(&mut block.squared, s.rows * s.mlp);
        }
        resize(&mut self.x, s.rows * s.d);
        resize(&mut self.final_inverse, s.rows);
        resize(&mut self.final_normed, s.rows * s.d);
        resize(&mut self.features, s.rows * s.patch * s.patch * s.features);
        self.head_in.resize_with(s.samples, Padded::default);
        self.head_hidden.resize_with(s.samples, Padded::default);
        for sample in 0..s.samples {
            self.head_in[sample].resize(s.width, s.height, s.head_in());
            self.head_hidden[sample].resize(s.width, s.height, s.head_hidden.div_ceil(LANES) * LANES);
        }
        self.convolved.resize(s.width * s.height, [0.0; LANES]);
        resize(&mut self.output, s.samples * s.width * s.height * output::CHANNELS);
        self.sizes = Some(s);
    }

    pub(super) fn prepare_scratch(&mut self) -> Sizes {
        let s = self.sizes.expect("a forward pass comes before its backward pass");
        let scratch = &mut self.scratch;
        let sized = [
            (&mut scratch.d_x, s.rows * s.d),
            (&mut scratch.d_branch, s.rows * s.d),
            (&mut scratch.d_normed, s.rows * s.d),
            (&mut scratch.d_hidden, s.rows * s.mlp),
            (&mut scratch.d_qkv, s.rows * 3 * s.d),
            (&mut scratch.d_query, s.rows * s.d),
            (&mut scratch.d_key, s.rows * s.d),
            (&mut scratch.d_attention, s.tokens * s.tokens),
            (&mut scratch.d_modulation, s.samples * 6 * s.d),
            (&mut scratch.d_final_modulation, s.samples * 2 * s.d),
            (&mut scratch.d_features, s.rows * s.patch * s.patch * s.features),
        ];
        sized.into_iter().for_each(|(buffer, len)| buffer.resize(len, 0.0));
        scratch.d_modulation.fill(0.0);
        scratch.d_final_modulation.fill(0.0);
        s
    }
}
