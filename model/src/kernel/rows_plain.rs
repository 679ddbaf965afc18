//! The arithmetic between the matrix products as plain loops: what [`super::rows`] compiles for the processor at hand.

use super::elementary::exp;
use crate::denoiser::NORM_EPSILON;

/// Divides each row of `d` values by its root mean square, then scales and shifts by rows that `count` rows share.
/// `inverse` receives one over the root mean square of each row.
#[inline(always)]
pub fn modulate(out: &mut [f32], inverse: &mut [f32], x: &[f32], shift: &[f32], scale: &[f32]) {
    let d = shift.len();
    for ((out, x), inverse) in out.chunks_exact_mut(d).zip(x.chunks_exact(d)).zip(inverse) {
        let inv = 1.0 / (dot(x, x) / d as f32 + NORM_EPSILON).sqrt();
        *inverse = inv;
        for i in 0..d {
            out[i] = x[i] * inv * (1.0 + scale[i]) + shift[i];
        }
    }
}

/// The gradient of [`modulate`]: adds to `d_x`, `d_shift` and `d_scale`.
#[inline(always)]
pub fn modulate_back(
    d_x: &mut [f32],
    d_shift: &mut [f32],
    d_scale: &mut [f32],
    d_out: &[f32],
    x: &[f32],
    inverse: &[f32],
    scale: &[f32],
) {
    let d = scale.len();
    for (row, &inv) in inverse.iter().enumerate() {
        let (x, d_out, d_x) = (&x[row * d..][..d], &d_out[row * d..][..d], &mut d_x[row * d..][..d]);
        let mut lanes = [0.0f32; 16];
        for i in 0..d {
            let normed = x[i] * inv;
            d_shift[i] += d_out[i];
            d_scale[i] += d_out[i] * normed;
        }
        for ((xs, ds), ss) in x.chunks_exact(16).zip(d_out.chunks_exact(16)).zip(scale.chunks_exact(16)) {
            for i in 0..16 {
                lanes[i] += ds[i] * (1.0 + ss[i]) * xs[i];
            }
        }
        let mut sum: f32 = lanes.iter().sum();
        for i in d / 16 * 16..d {
            sum += d_out[i] * (1.0 + scale[i]) * x[i];
        }
        let mean = sum * inv / d as f32;
        for i in 0..d {
            d_x[i] += inv * (d_out[i] * (1.0 + scale[i]) - x[i] * inv * mean);
        }
    }
}

/// Divides each row of `d` values by its root mean square; `inverse` receives one over it.
#[inline(always)]
pub fn norm(out: &mut [f32], inverse: &mut [f32], x: &[f32], d: usize) {
    for ((out, x), inverse) in out.chunks_exact_mut(d).zip(x.chunks_exact(d)).zip(inverse) {
        *inverse = 1.0 / (dot(x, x) / d as f32 + NORM_EPSILON).sqrt();
        out.iter_mut().zip(x).for_each(|(out, x)| *out = x * *inverse);
    }
}

/// The gradient of [`norm`], in place.
#[inline(always)]
pub fn norm_back(d_x: &mut [f32], normed: &[f32], inverse: &[f32], d: usize) {
    for ((d_x, normed), inverse) in d_x.chunks_exact_mut(d).zip(normed.chunks_exact(d)).zip(inverse) {
        let mean = dot(d_x, normed) / d as f32;
        d_x.iter_mut().zip(normed).for_each(|(d_x, normed)| *d_x = (*d_x - normed * mean) * inverse);
    }
}

/// Normalises one head's rows, scales them and rotates them to their positions: `x` has `stride` values a row, of which
/// the first `scale.len()` are the head's; `out` likewise.
#[inline(always)]
pub fn norm_rotate(
    out: &mut [f32],
    out_stride: usize,
    inverse: &mut [f32],
    x: &[f32],
    stride: usize,
    scale: &[f32],
    cos: &[f32],
    sin: &[f32],
) {
    let d = scale.len();
    let half = d / 2;
    for (row, inverse) in inverse.iter_mut().enumerate() {
        let x = &x[row * stride..][..d];
        let inv = 1.0 / (dot(x, x) / d as f32 + NORM_EPSILON).sqrt();
        *inverse = inv;
        let (first, second) = out[row * out_stride..][..d].split_at_mut(half);
        let (cos, sin) = (&cos[row * half..][..half], &sin[row * half..][..half]);
        let (xa, xb) = x.split_at(half);
        let (sa, sb) = scale.split_at(half);
        for i in 0..half {
            let (a, b) = (xa[i] * inv * sa[i], xb[i] * inv * sb[i]);
            first[i] = a * cos[i] - b * sin[i];
            second[i] = a * sin[i] + b * cos[i];
        }
    }
}

/// The gradient of [`norm_rotate`]: writes `d_x`, adds to `d_scale`; `d_out` is overwritten.
#[inline(always)]
pub fn norm_rotate_back(
    d_x: &mut [f32],
    stride: usize,
    d_scale: &mut [f32],
    d_out: &mut [f32],
    out_stride: usize,
    x: &[f32],
    inverse: &[f32],
    scale: &[f32],
    cos: &[f32],
    sin: &[f32],
) {
    let d = scale.len();
    let (half, d_scale) = (d / 2, &mut d_scale[..d]);
    for (row, &inv) in inverse.iter().enumerate() {
        let x = &x[row * stride..][..d];
        let d_row = &mut d_out[row * out_stride..][..d];
        let (cos, sin) = (&cos[row * half..][..half], &sin[row * half..][..half]);
        let (first, second) = d_row.split_at_mut(half);
        for i in 0..half {
            let (da, db) = (first[i], second[i]);
            first[i] = da * cos[i] + db * sin[i];
            second[i] = db * cos[i] - da * sin[i];
        }
        for i in 0..d {
            d_scale[i] += d_row[i] * (x[i] * inv);
            d_row[i] *= scale[i];
        }
        let sum = dot(d_row, x) * inv;
        let mean = sum / d as f32;
        let d_x = &mut d_x[row * stride..][..d];
        for i in 0..d {
            d_x[i] = inv * (d_row[i] - x[i] * inv * mean);
        }
    }
}

/// Softmax of each row of `d` values, in place.
#[inline(always)]
pub fn softmax(x: &mut [f32], d: usize) {
    for row in x.chunks_exact_mut(d) {
        let most = in_lanes(row, f32::NEG_INFINITY, |a, b| if a > b { a } else { b });
        for value in row.iter_mut() {
            *value = exp(*value - most);
        }
        let inverse = 1.0 / in_lanes(row, 0.0, |a, b| a + b);
        for value in row.iter_mut() {
            *value *= inverse;
        }
    }
}

/// The gradient of [`softmax`] times `scale`: `d_p` becomes the gradient of the scores.
#[inline(always)]
pub fn softmax_back(d_p: &mut [f32], p: &[f32], d: usize, scale: f32) {
    for (d_p, p) in d_p.chunks_exact_mut(d).zip(p.chunks_exact(d)) {
        let sum = dot(d_p, p);
        for i in 0..d {
            d_p[i] = p[i] * (d_p[i] - sum) * scale;
        }
    }
}

/// `relu` in place, and its square into `squared`.
#[inline(always)]
pub fn relu_squared(x: &mut [f32], squared: &mut [f32]) {
    for (x, squared) in x.iter_mut().zip(squared) {
        let positive = x.max(0.0);
        *x = positive;
        *squared = positive * positive;
    }
}

/// The square of `relu`, in place.
#[inline(always)]
pub fn relu_square(x: &mut [f32]) {
    for x in x {
        let positive = x.max(0.0);
        *x = positive * positive;
    }
}

/// `out += x * gate / rms(x)`, row by row, the gate shared by all rows: a branch may say which way, its gate says how
/// far. `inverse` receives one over the root mean square of each row.
#[inline(always)]
pub fn add_gated(out: &mut [f32], inverse: &mut [f32], x: &[f32], gate: &[f32]) {
    let d = gate.len();
    for ((out, x), inverse) in out.chunks_exact_mut(d).zip(x.chunks_exact(d)).zip(inverse) {
        let inv = 1.0 / (dot(x, x) / d as f32 + NORM_EPSILON).sqrt();
        *inverse = inv;
        for i in 0..d {
            out[i] += x[i] * inv * gate[i];
        }
    }
}

/// The gradient of [`add_gated`]: writes `d_x`, adds to `d_gate`.
#[inline(always)]
pub fn add_gated_back(d_x: &mut [f32], d_gate: &mut [f32], d_out: &[f32], x: &[f32], inverse: &[f32], gate: &[f32]) {
    let d = gate.len();
    for (row, &inv) in inverse.iter().enumerate() {
        let (x, d_out, d_x) = (&x[row * d..][..d], &d_out[row * d..][..d], &mut d_x[row * d..][..d]);
        for i in 0..d {
            d_gate[i] += d_out[i] * x[i] * inv;
            d_x[i] = d_out[i] * gate[i] * inv;
        }
        let mean = dot(d_x, x) * inv * inv / d as f32;
        for i in 0..d {
            d_x[i] -= x[i] * mean;
        }
    }
}

/// Adds `bias` to each row.
#[inline(always)]
pub fn add_bias(x: &mut [f32], bias: &[f32]) {
    for row in x.chunks_exact_mut(bias.len()) {
        row.iter_mut().zip(bias).for_each(|(x, b)| *x += b);
    }
}

/// Adds each row to `d_bias`.
#[inline(always)]
pub fn add_rows(d_bias: &mut [f32], d_x: &[f32]) {
    for row in d_x.chunks_exact(d_bias.len()) {
        d_bias.iter_mut().zip(row).for_each(|(b, x)| *b += x);
    }
}

/// Folds values sixteen at a time, as one vector, then the lanes among themselves.
#[inline(always)]
fn in_lanes(values: &[f32], start: f32, fold: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [start; 16];
    let (chunks, rest) = values.as_chunks::<16>();
    for chunk in chunks {
        for i in 0..16 {
            lanes[i] = fold(lanes[i], chunk[i]);
        }
    }
    lanes.iter().chain(rest).fold(start, |a, &b| fold(a, b))
}

#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut lanes = [0.0f32; 16];
    let (a_chunks, b_chunks) = (a.chunks_exact(16), b.chunks_exact(16));
    let tail: f32 = a_chunks.remainder().iter().zip(b_chunks.remainder()).map(|(a, b)| a * b).sum();
    for (a, b) in a_chunks.zip(b_chunks) {
        for i in 0..16 {
            lanes[i] += a[i] * b[i];
        }
    }
    lanes.iter().sum::<f32>() + tail
}
