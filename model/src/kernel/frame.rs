//! One frame on all cores: the forward pass of a single sample, without what a backward pass would need.
//!
//! The tokens are dealt out in bands of a fixed size, which threads take as they come; between two bands nothing is ever
//! added up, so the bits do not depend on the number of threads. A layer has two steps: keys and values of all tokens are
//! gathered, then each band goes on alone to the next layer's queries, keys and values.

use super::{
    Batch, Sizes, at,
    crew::Crew,
    forward::{self, Told},
    frame_head::HeadTape,
    matmul::{Factor, Panels, Precision, Products, View},
    packed::Packed,
    rows,
};
use crate::{ModelConfig, layout::input, rotary::Rotary};

/// Tokens of a band: two tiles of a product in vectors.
const BAND: usize = 24;
/// One in matrix registers.
const WIDE_BAND: usize = 32;

fn band_tokens(precision: Precision) -> usize {
    if Products::new(precision).in_tiles() { WIDE_BAND } else { BAND }
}

/// What one band of tokens needs for itself.
#[derive(Debug, Clone, Default)]
struct Band {
    first: usize,
    tokens: usize,
    products: Products,
    patches: Vec<f32>,
    x: Vec<f32>,
    normed: Vec<f32>,
    inverse: Vec<f32>,
    /// `[tokens, d]`
    query: Vec<f32>,
    attention: Vec<f32>,
    mixed: Vec<f32>,
    branch: Vec<f32>,
    hidden: Vec<f32>,
}

/// Keys and values of one head, as the right factors of its two products.
#[derive(Debug, Clone, Default)]
struct HeadFactors {
    key: Panels,
    value: Panels,
    /// As they are, `[tokens, d_head]`, where no product reads them packed.
    plain_key: Vec<f32>,
    plain_value: Vec<f32>,
}

/// All buffers of a frame, kept from one to the next.
#[derive(Debug, Clone, Default)]
pub struct FrameTape {
    sizes: Option<Sizes>,
    precision: Precision,
    rotary: Option<Rotary>,
    products: Products,
    told: Told,
    bands: Vec<Band>,
    /// Of all tokens, in bands: `[tokens, 3 * d]` and `[tokens, d]`.
    qkv: Vec<f32>,
    key: Vec<f32>,
    heads: Vec<HeadFactors>,
    /// `[tokens, patch * patch * features]`
    features: Vec<f32>,
    head: HeadTape,
}

impl FrameTape {
    /// The raw output of the last frame, `[height, width, output::CHANNELS]`.
    pub fn output(&self) -> &[f32] {
        self.head.output()
    }

    fn prepare(&mut self, config: &ModelConfig, s: Sizes, precision: Precision) {
        if self.sizes == Some(s) && self.precision == precision {
            return;
        }
        *self = FrameTape { precision, products: Products::new(precision), ..FrameTape::default() };
        self.rotary = Some(Rotary::new(s.width, s.height, s.patch, s.d_head));
        self.told.prepare(&s);
        let band = band_tokens(precision);
        self.bands = (0..s.tokens).step_by(band).map(|first| Band::new(&s, first, band, precision)).collect();
        self.qkv = vec![0.0; s.tokens * 3 * s.d];
        self.key = vec![0.0; s.tokens * s.d];
        self.heads.resize_with(config.heads, HeadFactors::default);
        self.features = vec![0.0; s.tokens * s.patch * s.patch * s.features];
        self.head.prepare(&s, precision);
        self.sizes = Some(s);
    }
}

impl Band {
    fn new(s: &Sizes, first: usize, most: usize, precision: Precision) -> Band {
        let tokens = most.min(s.tokens - first);
        let zeros = |width: usize| vec![0.0; tokens * width];
        Band {
            first,
            tokens,
            products: Products::new(precision),
            patches: zeros(s.patch_values),
            x: zeros(s.d),
            normed: zeros(s.d),
            inverse: zeros(1),
            query: zeros(s.d),
            attention: zeros(s.tokens),
            mixed: zeros(s.d),
            branch: zeros(s.d),
            hidden: zeros(s.mlp),
        }
    }
}

/// A band's part of what all bands read later.
struct Parts<'a> {
    band: &'a mut Band,
    qkv: &'a mut [f32],
    key: &'a mut [f32],
    features: &'a mut [f32],
}

/// See [`super::Kernel::frame`].
pub(super) fn frame(
    config: &ModelConfig,
    precision: Precision,
    weights: Packed,
    batch: &Batch,
    tape: &mut FrameTape,
    crew: &Crew,
) {
    let s = Sizes::new(config, 1, batch.width, batch.height);
    tape.prepare(config, s, precision);
    let FrameTape { rotary, products, told, bands, qkv, key, heads, features, head, .. } = tape;
    let Rotary { cos, sin } = rotary.as_ref().expect("the tape was prepared");
    forward::tell(&s, products, weights, batch.condition, told);
    let told: &Told = told;
    let (feature_values, band) = (s.patch * s.patch * s.features, band_tokens(precision));
    for layer in 0..=s.layers {
        let parts = bands.iter_mut().zip(qkv.chunks_mut(band * 3 * s.d)).zip(key.chunks_mut(band * s.d));
        let parts = parts.zip(features.chunks_mut(band * feature_values));
        let gathered: &[HeadFactors] = heads;
        crew.each(parts, |(((band, qkv), key), features)| {
            let mut parts = Parts { band, qkv, key, features };
            match layer {
                0 => parts.embed(&s, weights, batch),
                _ => parts.attend(&s, weights, told, layer - 1, gathered),
            }
            match layer < s.layers {
                true => parts.look(&s, weights, told, layer, cos, sin),
                false => parts.finish(&s, weights, told),
            }
        });
        if layer < s.layers {
            let (qkv, key): (&[f32], &[f32]) = (qkv, key);
            crew.each(heads.iter_mut().enumerate(), |(head, factors)| factors.gather(&s, precision, head, qkv, key));
        }
    }
    head.draw(&s, weights, batch.pixels, features, crew);
}

impl HeadFactors {
    fn gather(&mut self, s: &Sizes, precision: Precision, head: usize, qkv: &[f32], key: &[f32]) {
        let column = head * s.d_head;
        let key_view = View::part(s.d, 0, column, s.tokens, s.d_head);
        let value_view = View::part(3 * s.d, 0, 2 * s.d + column, s.tokens, s.d_head);
        self.key.pack(precision, key, key_view.transposed());
        self.value.pack(precision, qkv, value_view);
        if self.key.is_empty() {
            copy_part(&mut self.plain_key, key, key_view);
        }
        if self.value.is_empty() {
            copy_part(&mut self.plain_value, qkv, value_view);
        }
    }
}

fn copy_part(out: &mut Vec<f32>, values: &[f32], view: View) {
    out.clear();
    for row in 0..view.rows {
        out.extend_from_slice(&values[view.offset + row * view.row_step..][..view.columns]);
    }
}

impl Parts<'_> {
    /// From pixels to tokens.
    fn embed(&mut self, s: &Sizes, weights: Packed, batch: &Batch) {
        let Band { first, products, patches, x, .. } = &mut *self.band;
        let (run, columns) = (s.patch * input::CHANNELS, s.width / s.patch);
        for (token, patch) in patches.chunks_exact_mut(s.patch_values).enumerate() {
            let (row, column) = ((*first + token) / columns, (*first + token) % columns);
            for (line, out) in patch.chunks_exact_mut(run).enumerate() {
                let pixel = (row * s.patch + line) * s.width + column * s.patch;
                out.copy_from_slice(&batch.pixels[pixel * input::CHANNELS..][..run]);
            }
        }
        products.apply(x, patches, weights.forward(at::PATCH_IN));
        rows::add_bias(x, weights.values(at::PATCH_IN_BIAS));
    }

    /// Queries, keys and values of a layer.
    fn look(&mut self, s: &Sizes, weights: Packed, told: &Told, layer: usize, cos: &[f32], sin: &[f32]) {
        let Band { first, tokens, products, x, normed, inverse, query, .. } = &mut *self.band;
        let (at, d, half) = (at::block(layer), s.d, s.d_head / 2);
        let modulation = &told.blocks[layer];
        rows::modulate(normed, inverse, x, &modulation[..d], &modulation[d..2 * d]);
        products.apply(self.qkv, normed, weights.forward(at.qkv));
        let angles = *first * half..(*first + *tokens) * half;
        for head in 0..s.heads {
            let column = head * s.d_head;
            for (out, offset, scale) in [(&mut query[..], 0, at.query_scale), (&mut *self.key, d, at.key_scale)] {
                rows::norm_rotate(
                    &mut out[column..],
                    d,
                    inverse,
                    &self.qkv[offset + column..],
                    3 * d,
                    weights.values(scale),
                    &cos[angles.clone()],
                    &sin[angles.clone()],
                );
            }
        }
    }

    /// The rest of the layer, given all keys and values.
    fn attend(&mut self, s: &Sizes, weights: Packed, told: &Told, layer: usize, heads: &[HeadFactors]) {
        let Band { tokens, products, x, normed, inverse, query, attention, mixed, branch, hidden, .. } =
            &mut *self.band;
        let (at, d, n) = (at::block(layer), s.d, *tokens);
        let modulation = &told.blocks[layer];
        let softmax_scale = (s.d_head as f32).powf(-0.5);
        let scores = View::dense(n, s.tokens);
        for (head, factors) in heads.iter().enumerate() {
            let part = View::part(d, 0, head * s.d_head, n, s.d_head);
            let whole = View::dense(s.tokens, s.d_head);
            let key = Factor { values: &factors.plain_key, view: whole.transposed(), panels: &factors.key };
            products.apply_view(attention, scores, query, part, key, softmax_scale);
            rows::softmax(attention, s.tokens);
            let value = Factor { values: &factors.plain_value, view: whole, panels: &factors.value };
            products.apply_view(mixed, part, attention, scores, value, 1.0);
        }
        products.apply(branch, mixed, weights.forward(at.attention_out));
        rows::add_gated(x, inverse, branch, &modulation[2 * d..3 * d]);
        rows::modulate(normed, inverse, x, &modulation[3 * d..4 * d], &modulation[4 * d..5 * d]);
        products.apply(hidden, normed, weights.forward(at.mlp_in));
        rows::relu_square(hidden);
        products.apply(branch, hidden, weights.forward(at.mlp_out));
        rows::add_gated(x, inverse, branch, &modulation[5 * d..]);
    }

    /// From tokens to the features of their pixels.
    fn finish(&mut self, s: &Sizes, weights: Packed, told: &Told) {
        let Band { products, x, normed, inverse, .. } = &mut *self.band;
        let tail = at::tail(s.layers);
        let (shift, scale) = told.last.split_at(s.d);
        rows::modulate(normed, inverse, x, shift, scale);
        products.apply(self.features, normed, weights.forward(tail.patch_out));
        rows::add_bias(self.features, weights.values(tail.patch_out_bias));
    }
}
