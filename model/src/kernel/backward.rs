//! The backward pass of the kernel: each function is the gradient of its namesake in `forward.rs`, last first.

use super::{
    Batch, Sizes, at, head_back,
    matmul::{Products, View},
    packed::Packed,
    rows, silu_back,
    tape::{BlockTape, Scratch, Tape},
};
use crate::{Condition, weights::Weights};

pub(super) fn backward(weights: Packed, batch: &Batch, tape: &mut Tape, d_output: &[f32], gradients: &mut Weights) {
    let s = tape.prepare_scratch();
    head_back::backward(&s, weights, tape, d_output, gradients);

    let tail = at::tail(s.layers);
    let Tape { scratch, products, .. } = tape;
    let feature_values = s.patch * s.patch * s.features;
    rows::add_rows(grad(gradients, tail.patch_out_bias), &scratch.d_features);
    let d_weight = grad(gradients, tail.patch_out);
    products.add_transposed_product(d_weight, &tape.final_normed, &scratch.d_features, s.rows, s.d, feature_values);
    products.apply(&mut scratch.d_normed, &scratch.d_features, weights.backward(tail.patch_out));
    scratch.d_x.fill(0.0);
    for sample in 0..s.samples {
        let range = s.token_range(sample, s.d);
        let (d_shift, d_scale) = scratch.d_final_modulation[sample * 2 * s.d..(sample + 1) * 2 * s.d].split_at_mut(s.d);
        rows::modulate_back(
            &mut scratch.d_x[range.clone()],
            d_shift,
            d_scale,
            &scratch.d_normed[range.clone()],
            &tape.x[range],
            &tape.final_inverse[s.token_range(sample, 1)],
            &tape.told.last[sample * 2 * s.d + s.d..(sample + 1) * 2 * s.d],
        );
    }
    rows::add_rows(grad(gradients, tail.final_table), &scratch.d_final_modulation);
    for layer in (0..s.layers).rev() {
        block_backward(
            &s,
            products,
            weights,
            layer,
            &tape.told.blocks[layer],
            &tape.blocks[layer],
            scratch,
            &tape.cos,
            &tape.sin,
            gradients,
        );
    }
    rows::add_rows(grad(gradients, at::PATCH_IN_BIAS), &scratch.d_x);
    products.add_transposed_product(
        grad(gradients, at::PATCH_IN),
        &tape.patches,
        &scratch.d_x,
        s.rows,
        s.patch_values,
        s.d,
    );
    condition_backward(&s, weights, batch, tape, gradients);
}

pub(super) fn grad(gradients: &mut Weights, index: usize) -> &mut [f32] {
    &mut gradients.tensors[index].values
}

fn condition_backward(s: &Sizes, weights: Packed, batch: &Batch, tape: &mut Tape, gradients: &mut Weights) {
    let weight = |index: usize| weights.values(index);
    let Tape { scratch, products, .. } = tape;
    let (n, d) = (s.samples, s.d);
    products.add_transposed_product(
        grad(gradients, at::MODULATION),
        &tape.told.condition,
        &scratch.d_modulation,
        n,
        d,
        6 * d,
    );
    let d_final = &scratch.d_final_modulation;
    products.add_transposed_product(grad(gradients, at::FINAL_MODULATION), &tape.told.condition, d_final, n, d, 2 * d);
    let mut d_condition = vec![0.0; n * d];
    products.multiply_transposed(&mut d_condition, &scratch.d_modulation, weight(at::MODULATION), n, 6 * d, d);
    let back = View::dense(d, 2 * d).transposed();
    let (whole, d_final_view) = (View::dense(n, d), View::dense(n, 2 * d));
    products.matmul(&mut d_condition, whole, d_final, d_final_view, weight(at::FINAL_MODULATION), back, true, 1.0);
    d_condition.iter_mut().zip(&tape.told.normed).for_each(|(g, &x)| *g *= silu_back(x));
    rows::norm_back(&mut d_condition, &tape.told.normed, &tape.told.inverse, d);
    rows::add_rows(grad(gradients, at::NO_PROMPT), &d_condition);
    rows::add_rows(grad(gradients, at::CONDITION_OUT_BIAS), &d_condition);
    products.add_transposed_product(grad(gradients, at::CONDITION_OUT), &tape.told.active, &d_condition, n, d, d);
    let mut d_hidden = vec![0.0; n * d];
    products.multiply_transposed(&mut d_hidden, &d_condition, weight(at::CONDITION_OUT), n, d, d);
    d_hidden.iter_mut().zip(&tape.told.hidden).for_each(|(g, &x)| *g *= silu_back(x));
    rows::add_rows(grad(gradients, at::CONDITION_IN_BIAS), &d_hidden);
    products.add_transposed_product(
        grad(gradients, at::CONDITION_IN),
        batch.condition,
        &d_hidden,
        n,
        Condition::FEATURES,
        d,
    );
}

fn block_backward(
    s: &Sizes,
    products: &mut Products,
    weights: Packed,
    layer: usize,
    modulation: &[f32],
    b: &BlockTape,
    scratch: &mut Scratch,
    cos: &[f32],
    sin: &[f32],
    gradients: &mut Weights,
) {
    let at = at::block(layer);
    let (d, width) = (s.d, 6 * s.d);
    let mut d_modulation = vec![0.0f32; s.samples * width];

    // Feed-forward branch.
    for sample in 0..s.samples {
        let range = s.token_range(sample, d);
        rows::add_gated_back(
            &mut scratch.d_branch[range.clone()],
            &mut d_modulation[sample * width + 5 * d..(sample + 1) * width],
            &scratch.d_x[range.clone()],
            &b.mlp[range],
            &b.mlp_inverse[s.token_range(sample, 1)],
            &modulation[sample * width + 5 * d..(sample + 1) * width],
        );
    }
    products.add_transposed_product(grad(gradients, at.mlp_out), &b.squared, &scratch.d_branch, s.rows, s.mlp, d);
    products.apply(&mut scratch.d_hidden, &scratch.d_branch, weights.backward(at.mlp_out));
    scratch.d_hidden.iter_mut().zip(&b.hidden).for_each(|(g, &h)| *g *= 2.0 * h);
    products.add_transposed_product(grad(gradients, at.mlp_in), &b.normed_mid, &scratch.d_hidden, s.rows, d, s.mlp);
    products.apply(&mut scratch.d_normed, &scratch.d_hidden, weights.backward(at.mlp_in));
    for sample in 0..s.samples {
        let range = s.token_range(sample, d);
        let d_part = &mut d_modulation[sample * width + 3 * d..sample * width + 5 * d];
        let (d_shift, d_scale) = d_part.split_at_mut(d);
        rows::modulate_back(
            &mut scratch.d_x[range.clone()],
            d_shift,
            d_scale,
            &scratch.d_normed[range.clone()],
            &b.x_mid[range],
            &b.inverse_mid[s.token_range(sample, 1)],
            &modulation[sample * width + 4 * d..sample * width + 5 * d],
        );
    }

    // Attention branch.
    for sample in 0..s.samples {
        let range = s.token_range(sample, d);
        rows::add_gated_back(
            &mut scratch.d_branch[range.clone()],
            &mut d_modulation[sample * width + 2 * d..sample * width + 3 * d],
            &scratch.d_x[range.clone()],
            &b.attended[range],
            &b.attended_inverse[s.token_range(sample, 1)],
            &modulation[sample * width + 2 * d..sample * width + 3 * d],
        );
    }
    products.add_transposed_product(grad(gradients, at.attention_out), &b.mixed, &scratch.d_branch, s.rows, d, d);
    products.apply(&mut scratch.d_normed, &scratch.d_branch, weights.backward(at.attention_out));
    attention_backward(s, products, weights, layer, b, scratch, cos, sin, gradients);
    products.add_transposed_product(grad(gradients, at.qkv), &b.normed_in, &scratch.d_qkv, s.rows, d, 3 * d);
    products.apply(&mut scratch.d_normed, &scratch.d_qkv, weights.backward(at.qkv));
    for sample in 0..s.samples {
        let range = s.token_range(sample, d);
        let (d_shift, d_scale) = d_modulation[sample * width..sample * width + 2 * d].split_at_mut(d);
        rows::modulate_back(
            &mut scratch.d_x[range.clone()],
            d_shift,
            d_scale,
            &scratch.d_normed[range.clone()],
            &b.x_in[range],
            &b.inverse_in[s.token_range(sample, 1)],
            &modulation[sample * width + d..sample * width + 2 * d],
        );
    }
    rows::add_rows(grad(gradients, at.table), &d_modulation);
    scratch.d_modulation.iter_mut().zip(&d_modulation).for_each(|(sum, value)| *sum += value);
}

/// From the gradient of the mixed values (in `d_normed`) to that of queries, keys and values (in `d_qkv`).
fn attention_backward(
    s: &Sizes,
    products: &mut Products,
    weights: Packed,
    layer: usize,
    b: &BlockTape,
    scratch: &mut Scratch,
    cos: &[f32],
    sin: &[f32],
    gradients: &mut Weights,
) {
    let at = at::block(layer);
    let d = s.d;
    let softmax_scale = (s.d_head as f32).powf(-0.5);
    let square = View::dense(s.tokens, s.tokens);
    for sample in 0..s.samples {
        for head in 0..s.heads {
            let column = head * s.d_head;
            let attention = &b.attention[s.attention_range(sample, head)];
            let (narrow, wide) = (s.head_view(sample, column, d), s.head_view(sample, 2 * d + column, 3 * d));
            products.matmul(
                &mut scratch.d_qkv,
                wide,
                attention,
                square.transposed(),
                &scratch.d_normed,
                narrow,
                false,
                1.0,
            );
            let d_attention = &mut scratch.d_attention;
            products.matmul(d_attention, square, &scratch.d_normed, narrow, &b.qkv, wide.transposed(), false, 1.0);
            rows::softmax_back(d_attention, attention, s.tokens, softmax_scale);
            products.matmul(&mut scratch.d_query, narrow, d_attention, square, &b.key, narrow, false, 1.0);
            products.matmul(&mut scratch.d_key, narrow, d_attention, square.transposed(), &b.query, narrow, false, 1.0);
            let inverse = (sample * s.heads + head) * s.tokens..(sample * s.heads + head + 1) * s.tokens;
            let first = sample * s.tokens;
            let parts = [
                (&mut scratch.d_query, &b.query_inverse, 0, at.query_scale),
                (&mut scratch.d_key, &b.key_inverse, d, at.key_scale),
            ];
            for (d_out, inverses, offset, scale) in parts {
                rows::norm_rotate_back(
                    &mut scratch.d_qkv[first * 3 * d + offset + column..],
                    3 * d,
                    grad(gradients, scale),
                    &mut d_out[first * d + column..],
                    d,
                    &b.qkv[first * 3 * d + offset + column..],
                    &inverses[inverse.clone()],
                    weights.values(scale),
                    cos,
                    sin,
                );
            }
        }
    }
}
