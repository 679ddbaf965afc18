//! The backward pass of the full-resolution head.

use super::{
    Sizes, at,
    backward::grad,
    conv::{LANES, Padded, lanes_of, transposed_weights},
    each_patch_row,
    packed::Packed,
    rows,
    tape::Tape,
};
use crate::{layout::output, weights::Weights};

/// Its buffers: frames in groups of [`LANES`] channels.
#[derive(Debug, Clone, Default)]
pub(super) struct HeadScratch {
    d_out: Padded,
    back: Vec<[f32; LANES]>,
    d_hidden: Padded,
    d_out_weights: Vec<[f32; LANES]>,
    d_hidden_weights: Vec<Vec<[f32; LANES]>>,
    d_features: Vec<f32>,
}

impl HeadScratch {
    fn prepare(&mut self, s: &Sizes, groups: usize) {
        let pixels = s.width * s.height;
        self.d_out.resize(s.width, s.height, LANES);
        self.d_hidden.resize(s.width, s.height, LANES);
        self.back.resize(pixels, [0.0; LANES]);
        self.d_features.resize(pixels * s.features, 0.0);
        self.d_hidden_weights.resize(groups, Vec::new());
        for (weights, len) in self
            .d_hidden_weights
            .iter_mut()
            .map(|weights| (weights, 9 * s.head_in()))
            .chain([(&mut self.d_out_weights, 9 * groups * LANES)])
        {
            weights.clear();
            weights.resize(len, [0.0; LANES]);
        }
    }
}

/// From the gradient of the output to that of the tokens' features, in `d_features`.
pub(super) fn backward(s: &Sizes, weights: Packed, tape: &mut Tape, d_output: &[f32], gradients: &mut Weights) {
    let tail = at::tail(s.layers);
    let pixels = s.width * s.height;
    let hidden_padded = s.head_hidden.div_ceil(LANES) * LANES;
    let head_in = s.head_in();
    let groups = s.head_hidden.div_ceil(LANES);
    // Taken out for the time of this call, so that it can be written beside the rest of the tape.
    let mut scratch = std::mem::take(&mut tape.scratch.head);
    scratch.prepare(s, groups);
    let HeadScratch { d_out, back, d_hidden, d_out_weights, d_hidden_weights, d_features } = &mut scratch;
    let out_weights = weights.values(tail.head_out);
    let hidden_weights = weights.values(tail.head_hidden);
    for sample in 0..s.samples {
        let d_sample = &d_output[sample * pixels * output::CHANNELS..(sample + 1) * pixels * output::CHANNELS];
        for (pixel, values) in d_sample.chunks_exact(output::CHANNELS).enumerate() {
            d_out.pixel_mut(pixel % s.width, pixel / s.width).copy_from_slice(&lanes_of(values, 0));
        }
        rows::add_rows(grad(gradients, tail.head_out_bias), d_sample);
        tape.products.add_weight_gradient(d_out_weights, d_out, &tape.head_hidden[sample]);
        d_features.fill(0.0);
        for (group, d_group_weights) in d_hidden_weights.iter_mut().enumerate() {
            let first = group * LANES;
            let mirrored = transposed_weights(out_weights, s.head_hidden, output::CHANNELS, first);
            tape.products.convolve(back, d_out.whole(), &mirrored, &[0.0; LANES]);
            for (pixel, values) in back.iter_mut().enumerate() {
                let (x, y) = (pixel % s.width, pixel / s.width);
                let active = &tape.head_hidden[sample].pixel_mut(x, y)[first..first + LANES];
                for lane in 0..LANES {
                    values[lane] = if active[lane] > 0.0 { values[lane] } else { 0.0 };
                }
                d_hidden.pixel_mut(x, y).copy_from_slice(values);
            }
            let count = LANES.min(s.head_hidden - first);
            let d_bias = grad(gradients, tail.head_hidden_bias);
            for values in back.iter() {
                d_bias[first..first + count].iter_mut().zip(values).for_each(|(b, v)| *b += v);
            }
            tape.products.add_weight_gradient(d_group_weights, d_hidden, &tape.head_in[sample]);
            let group_weights: Vec<f32> =
                hidden_weights.chunks_exact(s.head_hidden).flat_map(|row| row[first..first + count].to_vec()).collect();
            for first_feature in (0..s.features).step_by(LANES) {
                let mirrored = transposed_weights(&group_weights, head_in, count, first_feature);
                tape.products.convolve(back, d_hidden.whole(), &mirrored, &[0.0; LANES]);
                let take = LANES.min(s.features - first_feature);
                for (d, values) in d_features.chunks_exact_mut(s.features).zip(back.iter()) {
                    d[first_feature..first_feature + take].iter_mut().zip(values).for_each(|(d, v)| *d += v);
                }
            }
        }
        let of_sample = Sizes { samples: 1, ..*s };
        let out = &mut tape.scratch.d_features[s.token_range(sample, s.patch * s.patch * s.features)];
        each_patch_row(&of_sample, |pixel, token, line| {
            let run = s.patch * s.features;
            let at = (token * s.patch + line) * run;
            out[at..at + run].copy_from_slice(&d_features[pixel * s.features..pixel * s.features + run]);
        });
    }
    let d_weight = grad(gradients, tail.head_out);
    for (index, row) in d_weight.chunks_exact_mut(output::CHANNELS).enumerate() {
        let padded = index / s.head_hidden * hidden_padded + index % s.head_hidden;
        row.iter_mut().zip(&d_out_weights[padded]).for_each(|(g, v)| *g += v);
    }
    let d_weight = grad(gradients, tail.head_hidden);
    for (index, row) in d_weight.chunks_exact_mut(s.head_hidden).enumerate() {
        for (group, d_group) in d_hidden_weights.iter().enumerate() {
            let first = group * LANES;
            row[first..].iter_mut().zip(&d_group[index]).for_each(|(g, v)| *g += v);
        }
    }
    tape.scratch.head = scratch;
}
