//! The full-resolution head of one frame, in strips of pixel rows that threads share out.

use super::{
    Sizes,
    conv::{LANES, Padded},
    crew::Crew,
    matmul::{Precision, Products},
    packed::Packed,
};
use crate::layout::{input, output};

/// What a thread needs for a strip.
#[derive(Debug, Clone, Default)]
struct Strip {
    products: Products,
    convolved: Vec<[f32; LANES]>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct HeadTape {
    strips: Vec<Strip>,
    features: Padded,
    hidden: Padded,
    output: Vec<f32>,
}

impl HeadTape {
    pub fn output(&self) -> &[f32] {
        &self.output
    }

    pub fn prepare(&mut self, s: &Sizes, precision: Precision) {
        let strip = Strip { products: Products::new(precision), convolved: vec![[0.0; LANES]; s.patch * s.width] };
        self.strips = vec![strip; s.height / s.patch];
        self.features.resize(s.width, s.height, s.head_in());
        self.hidden.resize(s.width, s.height, s.head_hidden.div_ceil(LANES) * LANES);
        self.output = vec![0.0; s.width * s.height * output::CHANNELS];
    }

    /// From the tokens' features, `[tokens, patch * patch * features]`, and the pixels that the network read.
    pub fn draw(&mut self, s: &Sizes, weights: Packed, pixels: &[f32], features: &[f32], crew: &Crew) {
        let (packing, rows) = (weights.packing, s.patch);
        let of_tokens = features.chunks(s.width / s.patch * s.patch * s.patch * s.features);
        let of_pixels = pixels.chunks(rows * s.width * input::CHANNELS);
        let strips = self.features.strips_mut(rows).zip(of_tokens).zip(of_pixels);
        crew.each(strips, |((out, features), pixels)| join_strip(s, out, features, pixels));

        let read = &self.features;
        let strips = self.strips.iter_mut().zip(self.hidden.strips_mut(rows)).enumerate();
        let row_values = (s.width + 2) * s.head_hidden.div_ceil(LANES) * LANES;
        crew.each(strips, |(index, (strip, hidden))| {
            let groups = packing.head_hidden.iter().zip(&packing.head_hidden_bias);
            for (group, (group_weights, bias)) in groups.enumerate() {
                let window = read.window(index * rows, rows);
                strip.products.convolve(&mut strip.convolved, window, group_weights, bias);
                let convolved = strip.convolved.chunks_exact(s.width);
                for (row, values) in hidden.chunks_exact_mut(row_values).zip(convolved) {
                    let pixels = row.chunks_exact_mut(packing.head_hidden.len() * LANES).skip(1);
                    for (out, values) in pixels.zip(values) {
                        let out = &mut out[group * LANES..(group + 1) * LANES];
                        out.iter_mut().zip(values).for_each(|(out, &value)| *out = value.max(0.0));
                    }
                }
            }
        });

        let read = &self.hidden;
        let out = self.output.chunks_mut(rows * s.width * output::CHANNELS);
        crew.each(self.strips.iter_mut().zip(out).enumerate(), |(index, (strip, out))| {
            let window = read.window(index * rows, rows);
            strip.products.convolve(&mut strip.convolved, window, &packing.head_out, &packing.head_out_bias);
            for (out, values) in out.chunks_exact_mut(output::CHANNELS).zip(&strip.convolved) {
                out.copy_from_slice(&values[..output::CHANNELS]);
            }
        });
    }
}

/// Puts the features of a strip's tokens beside the pixels that they stand for.
fn join_strip(s: &Sizes, out: &mut [f32], features: &[f32], pixels: &[f32]) {
    let of_token = s.patch * s.patch * s.features;
    let rows = out.chunks_exact_mut((s.width + 2) * s.head_in()).zip(pixels.chunks_exact(s.width * input::CHANNELS));
    for (line, (row, pixels)) in rows.enumerate() {
        let out = row.chunks_exact_mut(s.head_in()).skip(1);
        for (x, (out, pixel)) in out.zip(pixels.chunks_exact(input::CHANNELS)).enumerate() {
            let from = x / s.patch * of_token + (line * s.patch + x % s.patch) * s.features;
            out[..s.features].copy_from_slice(&features[from..from + s.features]);
            out[s.features..].copy_from_slice(pixel);
        }
    }
}
