//! The 3x3 convolutions of the full-resolution head, channels last, forward and backward.
//!
//! A custom kernel, because the head's few output channels leave a general matrix product half idle and the unfolded
//! input would be nine times the frame. Output channels are padded to 16, one vector register a pixel.

use super::matmul::{Products, View};
use multiversion::multiversion;

/// Output channels are computed in groups of this many.
pub const LANES: usize = 16;
/// Rows of pixels whose share of a gradient is computed at once, so that they stay in the second cache.
const STRIP: usize = 8;
/// Pixels that are computed together, so that each weight is loaded once for all of them: two vectors of sums for each, and
/// what is added to them, fill the sixteen registers of AVX2.
const PIXELS: usize = 6;

/// A frame with a border of one zero pixel: `[height + 2, width + 2, channels]`.
#[derive(Debug, Clone, Default)]
pub struct Padded {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub values: Vec<f32>,
}

/// Rows of a padded frame with the rows above and below.
#[derive(Debug, Clone, Copy)]
pub struct Window<'a> {
    pub width: usize,
    pub height: usize,
    pub channels: usize,
    pub values: &'a [f32],
}

impl Padded {
    /// Makes the buffer this large, with a border of zeros; what was inside is unspecified.
    pub fn resize(&mut self, width: usize, height: usize, channels: usize) {
        if (self.width, self.height, self.channels) != (width, height, channels) {
            (self.width, self.height, self.channels) = (width, height, channels);
            self.values.clear();
            self.values.resize((width + 2) * (height + 2) * channels, 0.0);
        }
    }

    /// The whole frame.
    pub fn whole(&self) -> Window<'_> {
        self.window(0, self.height)
    }

    /// `rows` rows of the frame from `first` on, and what borders on them.
    pub fn window(&self, first: usize, rows: usize) -> Window<'_> {
        let stride = (self.width + 2) * self.channels;
        let values = &self.values[first * stride..(first + rows + 2) * stride];
        Window { width: self.width, height: rows, channels: self.channels, values }
    }

    /// The frame's rows, `rows` at a time, each with a border pixel at both ends: the first is the border's own.
    pub fn strips_mut(&mut self, rows: usize) -> impl Iterator<Item = &mut [f32]> + Send {
        let stride = (self.width + 2) * self.channels;
        self.values[stride..stride * (self.height + 1)].chunks_mut(rows * stride)
    }

    /// The channels of pixel `(x, y)` of the frame.
    pub fn pixel_mut(&mut self, x: usize, y: usize) -> &mut [f32] {
        let at = ((y + 1) * (self.width + 2) + x + 1) * self.channels;
        &mut self.values[at..at + self.channels]
    }
}

impl Products {
    /// [`convolve`] in these products' precision.
    pub fn convolve(&mut self, out: &mut [[f32; LANES]], input: Window, weights: &[[f32; LANES]], bias: &[f32; LANES]) {
        #[cfg(target_arch = "x86_64")]
        if self.in_bf16() && super::bf16_conv::accepts(&input) {
            return self.packed.convolve(out, input, weights, bias);
        }
        convolve(out, input, weights, bias);
    }

    /// Adds the gradient of a convolution's weights, `[9 * channels]` rows of [`LANES`], given the gradient of its output.
    ///
    /// A row of a neighbourhood is three pixels that lie together, so the weights of each of its three rows are a product
    /// of the frame as it lies, transposed, and the gradient, whose border is zeros.
    pub fn add_weight_gradient(&mut self, d_weights: &mut [[f32; LANES]], d_out: &Padded, input: &Padded) {
        assert_eq!(
            (d_out.width, d_out.height, d_out.channels),
            (input.width, input.height, LANES),
            "gradient of a frame"
        );
        let (stride, channels) = (input.width + 2, input.channels);
        for first in (0..input.height).step_by(STRIP) {
            let rows = STRIP.min(input.height - first);
            let gradient = View::part(LANES, (first + 1) * stride + 1, 0, rows * stride - 2, LANES);
            for (dy, d_weights) in d_weights.chunks_exact_mut(3 * channels).enumerate() {
                let whole = View::dense(3 * channels, LANES);
                let pixels =
                    View { columns: 3 * channels, ..View::part(channels, (first + dy) * stride, 0, gradient.rows, 0) };
                let d_weights = d_weights.as_flattened_mut();
                let pixels = pixels.transposed();
                self.matmul(d_weights, whole, &input.values, pixels, &d_out.values, gradient, true, 1.0);
            }
        }
    }
}

/// Weights `[9 * inputs, outputs]` padded to `[9 * inputs, LANES]`.
pub fn pad_weights(weights: &[f32], outputs: usize) -> Vec<[f32; LANES]> {
    let pad = |row: &[f32]| std::array::from_fn(|lane| row.get(lane).copied().unwrap_or(0.0));
    weights.chunks_exact(outputs).map(pad).collect()
}

/// Weights `[rows, outputs]` as groups of [`LANES`] output channels.
pub fn split_weights(weights: &[f32], outputs: usize) -> Vec<Vec<[f32; LANES]>> {
    let group =
        |first: usize| -> Vec<[f32; LANES]> { weights.chunks_exact(outputs).map(|row| lanes_of(row, first)).collect() };
    (0..outputs.div_ceil(LANES)).map(|index| group(index * LANES)).collect()
}

/// Weights `[9 * inputs, outputs]` for an input whose channels are padded to whole groups of [`LANES`].
pub fn spread_rows(weights: &[f32], inputs: usize, outputs: usize) -> Vec<[f32; LANES]> {
    let padded = inputs.div_ceil(LANES) * LANES;
    let narrow = pad_weights(weights, outputs);
    let row = |index: usize| match index % padded {
        channel if channel < inputs => narrow[index / padded * inputs + channel],
        _ => [0.0; LANES],
    };
    (0..9 * padded).map(row).collect()
}

/// Sixteen values from `first` on, zeros beyond the end.
pub fn lanes_of(values: &[f32], first: usize) -> [f32; LANES] {
    std::array::from_fn(|lane| values.get(first + lane).copied().unwrap_or(0.0))
}

/// Weights of the convolution that carries gradients back, from `[9 * inputs, outputs]`: neighbourhood mirrored,
/// inputs and outputs swapped; one group of [`LANES`] inputs at a time from `first_input`.
pub fn transposed_weights(weights: &[f32], inputs: usize, outputs: usize, first_input: usize) -> Vec<[f32; LANES]> {
    let mut back = vec![[0.0; LANES]; 9 * LANES];
    for tap in 0..9 {
        for output in 0..outputs.min(LANES) {
            for lane in 0..LANES.min(inputs.saturating_sub(first_input)) {
                back[tap * LANES + output][lane] =
                    weights[((8 - tap) * inputs + first_input + lane) * outputs + output];
            }
        }
    }
    back
}

/// Adds to each pixel's sums what its values in one row of the neighbourhood make. The sums are the function's own, so that
/// they stay in registers.
#[inline(always)]
fn add_run(
    mut sums: [[f32; LANES]; PIXELS],
    row: &[f32],
    channels: usize,
    weights: &[[f32; LANES]],
) -> [[f32; LANES]; PIXELS] {
    let run = weights.len();
    let pixels: [&[f32]; PIXELS] = std::array::from_fn(|pixel| &row[pixel * channels..][..run]);
    for i in 0..run {
        let weight = &weights[i];
        for pixel in 0..PIXELS {
            let value = pixels[pixel][i];
            for lane in 0..LANES {
                sums[pixel][lane] += value * weight[lane];
            }
        }
    }
    sums
}

/// `out[y, x, lane] = bias[lane] + sum over the neighbourhood and channels`; `out` is `[height * width, LANES]`.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma", "x86_64+avx2+fma", "aarch64+neon"))]
pub fn convolve(out: &mut [[f32; LANES]], input: Window, weights: &[[f32; LANES]], bias: &[f32; LANES]) {
    let (channels, stride) = (input.channels, (input.width + 2) * input.channels);
    for y in 0..input.height {
        for first in (0..input.width).step_by(PIXELS) {
            // The last ones of a row overlap those before them.
            let x = first.min(input.width.saturating_sub(PIXELS));
            let count = PIXELS.min(input.width);
            let mut sums = [*bias; PIXELS];
            for dy in 0..3 {
                // Three neighbouring pixels of a row lie side by side: one run of 3 * channels values.
                let row = &input.values[(y + dy) * stride + x * channels..];
                let weights = &weights[dy * 3 * channels..(dy + 1) * 3 * channels];
                if count == PIXELS {
                    sums = add_run(sums, row, channels, weights);
                } else {
                    for (i, weight) in weights.iter().enumerate() {
                        for (pixel, sum) in sums.iter_mut().enumerate().take(count) {
                            for lane in 0..LANES {
                                sum[lane] += row[pixel * channels + i] * weight[lane];
                            }
                        }
                    }
                }
            }
            out[y * input.width + x..][..count].copy_from_slice(&sums[..count]);
        }
    }
}
