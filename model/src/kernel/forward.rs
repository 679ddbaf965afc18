//! The forward pass of the kernel.

use super::{
    Batch, Sizes, at,
    conv::LANES,
    each_patch_row,
    matmul::{Products, View},
    packed::Packed,
    rows, silu,
    tape::{BlockTape, Tape},
    to_patches,
};
use crate::{
    Condition,
    layout::{input, output},
};

pub(super) fn forward(weights: Packed, batch: &Batch, tape: &mut Tape) {
    let s = tape.sizes.expect("the tape was prepared");
    let weight = |index: usize| weights.values(index);

    tell(&s, &mut tape.products, weights, batch.condition, &mut tape.told);
    let tail = at::tail(s.layers);

    to_patches(&mut tape.patches, batch.pixels, &s, input::CHANNELS);
    tape.products.apply(&mut tape.x, &tape.patches, weights.forward(at::PATCH_IN));
    rows::add_bias(&mut tape.x, weight(at::PATCH_IN_BIAS));
    for layer in 0..s.layers {
        let block = &mut tape.blocks[layer];
        let modulation = &tape.told.blocks[layer];
        block_forward(&s, &mut tape.products, weights, layer, modulation, block, &mut tape.x, &tape.cos, &tape.sin);
    }

    for sample in 0..s.samples {
        let (range, inverse) = (s.token_range(sample, s.d), sample * s.tokens..(sample + 1) * s.tokens);
        let (shift, scale) = tape.told.last[sample * 2 * s.d..(sample + 1) * 2 * s.d].split_at(s.d);
        let out = &mut tape.final_normed[range.clone()];
        rows::modulate(out, &mut tape.final_inverse[inverse], &tape.x[range], shift, scale);
    }
    tape.products.apply(&mut tape.features, &tape.final_normed, weights.forward(tail.patch_out));
    rows::add_bias(&mut tape.features, weight(tail.patch_out_bias));
    head(&s, weights, batch, tape);
}

/// What the condition has to say, `[samples, d]` unless noted, and what the backward pass needs of how it came about.
#[derive(Debug, Clone, Default)]
pub(super) struct Told {
    /// Before and after the activation.
    pub hidden: Vec<f32>,
    pub active: Vec<f32>,
    sum: Vec<f32>,
    /// The sum, its rows normed, and the inverse norms `[samples]`.
    pub normed: Vec<f32>,
    pub inverse: Vec<f32>,
    pub condition: Vec<f32>,
    shared: Vec<f32>,
    /// Shifts, scales and gates of each block, `[samples, 6 * d]`.
    pub blocks: Vec<Vec<f32>>,
    /// Shift and scale of the last norm, `[samples, 2 * d]`.
    pub last: Vec<f32>,
}

impl Told {
    pub fn prepare(&mut self, s: &Sizes) {
        let zeros = |width: usize| vec![0.0; s.samples * width];
        *self = Told {
            hidden: zeros(s.d),
            active: zeros(s.d),
            sum: zeros(s.d),
            normed: zeros(s.d),
            inverse: zeros(1),
            condition: zeros(s.d),
            shared: zeros(6 * s.d),
            blocks: vec![zeros(6 * s.d); s.layers],
            last: zeros(2 * s.d),
        };
    }
}

/// From the condition's features to what they tell each block.
pub(super) fn tell(s: &Sizes, products: &mut Products, weights: Packed, condition: &[f32], told: &mut Told) {
    let weight = |index: usize| weights.values(index);
    let (n, d) = (s.samples, s.d);
    products.multiply(&mut told.hidden, condition, weight(at::CONDITION_IN), n, Condition::FEATURES, d);
    rows::add_bias(&mut told.hidden, weight(at::CONDITION_IN_BIAS));
    activate(&mut told.active, &told.hidden);
    products.multiply(&mut told.sum, &told.active, weight(at::CONDITION_OUT), n, d, d);
    rows::add_bias(&mut told.sum, weight(at::CONDITION_OUT_BIAS));
    rows::add_bias(&mut told.sum, weight(at::NO_PROMPT));
    rows::norm(&mut told.normed, &mut told.inverse, &told.sum, d);
    activate(&mut told.condition, &told.normed);
    products.multiply(&mut told.shared, &told.condition, weight(at::MODULATION), n, d, 6 * d);
    for (layer, block) in told.blocks.iter_mut().enumerate() {
        block.copy_from_slice(&told.shared);
        rows::add_bias(block, weight(at::block(layer).table));
    }
    products.multiply(&mut told.last, &told.condition, weight(at::FINAL_MODULATION), n, d, 2 * d);
    rows::add_bias(&mut told.last, weight(at::tail(s.layers).final_table));
}

fn activate(out: &mut [f32], x: &[f32]) {
    out.iter_mut().zip(x).for_each(|(out, &x)| *out = silu(x));
}

impl Sizes {
    /// Range of one sample's rows in a buffer of `width` values a row.
    pub(super) fn token_range(&self, sample: usize, width: usize) -> std::ops::Range<usize> {
        sample * self.tokens * width..(sample + 1) * self.tokens * width
    }

    /// Where a head's columns of one sample stand in a buffer of `width` values a row.
    pub(super) fn head_view(&self, sample: usize, column: usize, width: usize) -> View {
        View::part(width, sample * self.tokens, column, self.tokens, self.d_head)
    }
}

fn block_forward(
    s: &Sizes,
    products: &mut Products,
    weights: Packed,
    layer: usize,
    modulation: &[f32],
    b: &mut BlockTape,
    x: &mut [f32],
    cos: &[f32],
    sin: &[f32],
) {
    let at = at::block(layer);
    let weight = |index: usize| weights.values(index);
    let d = s.d;
    b.x_in.copy_from_slice(x);
    for sample in 0..s.samples {
        let part = &modulation[sample * 6 * d..(sample + 1) * 6 * d];
        let range = s.token_range(sample, d);
        let inverse = &mut b.inverse_in[s.token_range(sample, 1)];
        rows::modulate(&mut b.normed_in[range.clone()], inverse, &b.x_in[range], &part[..d], &part[d..2 * d]);
    }
    products.apply(&mut b.qkv, &b.normed_in, weights.forward(at.qkv));
    let softmax_scale = (s.d_head as f32).powf(-0.5);
    for sample in 0..s.samples {
        for head in 0..s.heads {
            let column = head * s.d_head;
            let inverse = (sample * s.heads + head) * s.tokens..(sample * s.heads + head + 1) * s.tokens;
            let first = sample * s.tokens;
            let parts = [
                (&mut b.query, &mut b.query_inverse, 0, at.query_scale),
                (&mut b.key, &mut b.key_inverse, d, at.key_scale),
            ];
            for (out, inverses, offset, scale) in parts {
                rows::norm_rotate(
                    &mut out[first * d + column..],
                    d,
                    &mut inverses[inverse.clone()],
                    &b.qkv[first * 3 * d + offset + column..],
                    3 * d,
                    weight(scale),
                    cos,
                    sin,
                );
            }
            let attention = s.attention_range(sample, head);
            let attention = &mut b.attention[attention];
            let (query, key) = (s.head_view(sample, column, d), s.head_view(sample, column, d).transposed());
            let square = View::dense(s.tokens, s.tokens);
            products.matmul(attention, square, &b.query, query, &b.key, key, false, softmax_scale);
            rows::softmax(attention, s.tokens);
            let value = s.head_view(sample, 2 * d + column, 3 * d);
            products.matmul(&mut b.mixed, s.head_view(sample, column, d), attention, square, &b.qkv, value, false, 1.0);
        }
    }
    products.apply(&mut b.attended, &b.mixed, weights.forward(at.attention_out));
    for sample in 0..s.samples {
        let part = &modulation[sample * 6 * d..(sample + 1) * 6 * d];
        let range = s.token_range(sample, d);
        let inverse = &mut b.attended_inverse[s.token_range(sample, 1)];
        rows::add_gated(&mut x[range.clone()], inverse, &b.attended[range.clone()], &part[2 * d..3 * d]);
        let inverse = &mut b.inverse_mid[s.token_range(sample, 1)];
        rows::modulate(&mut b.normed_mid[range.clone()], inverse, &x[range], &part[3 * d..4 * d], &part[4 * d..5 * d]);
    }
    b.x_mid.copy_from_slice(x);
    products.apply(&mut b.hidden, &b.normed_mid, weights.forward(at.mlp_in));
    rows::relu_squared(&mut b.hidden, &mut b.squared);
    products.apply(&mut b.mlp, &b.squared, weights.forward(at.mlp_out));
    for sample in 0..s.samples {
        let gate = &modulation[sample * 6 * d + 5 * d..(sample + 1) * 6 * d];
        let range = s.token_range(sample, d);
        let inverse = &mut b.mlp_inverse[s.token_range(sample, 1)];
        rows::add_gated(&mut x[range.clone()], inverse, &b.mlp[range], gate);
    }
}

impl Sizes {
    pub(super) fn attention_range(&self, sample: usize, head: usize) -> std::ops::Range<usize> {
        let square = self.tokens * self.tokens;
        (sample * self.heads + head) * square..(sample * self.heads + head + 1) * square
    }
}

/// The full-resolution head: features of the tokens beside the input pixels, two convolutions.
fn head(s: &Sizes, weights: Packed, batch: &Batch, tape: &mut Tape) {
    let packing = weights.packing;
    let per_sample = s.width * s.height;
    let (head_in, features) = (&mut tape.head_in, &tape.features);
    each_patch_row(s, |pixel, token, line| {
        let sample = pixel / per_sample;
        let (x, y) = (pixel % s.width, pixel % per_sample / s.width);
        for column in 0..s.patch {
            let out = head_in[sample].pixel_mut(x + column, y);
            let from = ((token * s.patch + line) * s.patch + column) * s.features;
            out[..s.features].copy_from_slice(&features[from..from + s.features]);
            let from = (pixel + column) * input::CHANNELS;
            out[s.features..].copy_from_slice(&batch.pixels[from..from + input::CHANNELS]);
        }
    });
    for sample in 0..s.samples {
        let groups = packing.head_hidden.iter().zip(&packing.head_hidden_bias);
        for (group, (group_weights, bias)) in groups.enumerate() {
            tape.products.convolve(&mut tape.convolved, tape.head_in[sample].whole(), group_weights, bias);
            for (pixel, values) in tape.convolved.iter().enumerate() {
                let out = tape.head_hidden[sample].pixel_mut(pixel % s.width, pixel / s.width);
                for lane in 0..LANES {
                    out[group * LANES + lane] = values[lane].max(0.0);
                }
            }
        }
        let (out_weights, out_bias) = (&packing.head_out, &packing.head_out_bias);
        tape.products.convolve(&mut tape.convolved, tape.head_hidden[sample].whole(), out_weights, out_bias);
        let out =
            &mut tape.output[sample * per_sample * output::CHANNELS..(sample + 1) * per_sample * output::CHANNELS];
        for (out, values) in out.chunks_exact_mut(output::CHANNELS).zip(&tape.convolved) {
            out.copy_from_slice(&values[..output::CHANNELS]);
        }
    }
}
