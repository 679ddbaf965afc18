//! The head's 3x3 convolution in bf16: a product whose rows are pixels, read where they lie in the frame, because the
//! three pixels of a neighbourhood's row are neighbours in memory too.
#![allow(unsafe_code)] // calls of the tile, whose extents are checked here

use super::{
    bf16::{Layout, Packed, ROWS, Store, available, grown, multiply_tile},
    bf16_pack::{LANES, convert_rows, interleave_rows},
    conv::Window,
};

/// Whether [`Packed::convolve`] takes such a frame: a pair of values must not reach into the next row.
pub fn accepts(input: &Window) -> bool {
    input.channels > 0 && input.channels.is_multiple_of(2)
}

impl Packed {
    /// What [`convolve`](super::conv::convolve) computes.
    ///
    /// # Panics
    /// If the frame is not [accepted](accepts), sizes do not fit, or the processor lacks the instructions.
    pub fn convolve(&mut self, out: &mut [[f32; LANES]], input: Window, weights: &[[f32; LANES]], bias: &[f32; LANES]) {
        assert!(available() && accepts(&input), "a frame for bf16");
        assert_eq!(weights.len(), 9 * input.channels, "weights of a convolution");
        assert_eq!(out.len(), input.width * input.height, "output of a convolution");
        assert_eq!(input.values.len(), (input.width + 2) * (input.height + 2) * input.channels, "padded frame");
        out.fill(*bias);
        // SAFETY: the processor has the instructions, and the sizes were checked.
        unsafe { convolve(self, out, input, weights) };
    }
}

/// # Safety
/// `out`, `input` and `weights` have the sizes that [`Packed::convolve`] checks.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn convolve(packed: &mut Packed, out: &mut [[f32; LANES]], input: Window, weights: &[[f32; LANES]]) {
    let (values, inner) = (input.values.len(), weights.len());
    let (pixel, row) = (input.channels / 2, (input.width + 2) * input.channels / 2);
    // The last tile of the last row may read up to its twelve rows beyond the frame.
    let frame_lines = (values / 2 + ROWS * pixel).div_ceil(LANES);
    let frame = grown(&mut packed.a, frame_lines);
    convert_rows(frame, frame_lines, input.values, 0, 1, values);
    interleave_rows(grown(&mut packed.b, inner.div_ceil(2) | 1), weights.as_flattened(), LANES, inner, LANES, LANES);
    let layout = Layout { row_step: pixel, pair_step: 1, pairs: 3 * pixel, run_step: row, runs: 3 };
    for y in 0..input.height {
        for x in (0..input.width).step_by(ROWS) {
            let store = Store { rows: ROWS.min(input.width - x), columns: LANES, step: LANES, add: true, scale: 1.0 };
            // SAFETY: twelve pixels from `(x, y)` and the two rows below lie inside the packed frame and the lines
            // that follow it; the weights are one panel of `3 * 3 * pixel` lines; `out` holds the pixels of the frame.
            unsafe {
                let a = packed.a.as_ptr().cast::<i32>().add(y * row + x * pixel);
                let c = out.as_mut_ptr().add(y * input.width + x).cast();
                multiply_tile::<1>(c, a, layout, packed.b.as_ptr(), 0, store);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::conv::Padded;

    /// Whole numbers are exact in bf16, and so must the result be.
    #[track_caller]
    fn check_whole_numbers(width: usize, height: usize, channels: usize) {
        let mut input = Padded::default();
        input.resize(width, height, channels);
        for y in 0..height {
            for x in 0..width {
                let pixel = input.pixel_mut(x, y).iter_mut().enumerate();
                pixel.for_each(|(c, value)| *value = ((x * 3 + y * 5 + c * 7) % 11) as f32 - 5.0);
            }
        }
        let weights: Vec<[f32; LANES]> =
            (0..9 * channels).map(|i| std::array::from_fn(|lane| ((i * 5 + lane * 3) % 7) as f32 - 3.0)).collect();
        let bias = std::array::from_fn(|lane| lane as f32);
        let mut expected = vec![[0.0; LANES]; width * height];
        crate::kernel::conv::convolve(&mut expected, input.whole(), &weights, &bias);
        let mut found = vec![[f32::NAN; LANES]; width * height];
        Packed::default().convolve(&mut found, input.whole(), &weights, &bias);
        assert!(found == expected, "{width} x {height}, {channels} channels");
    }

    #[test]
    fn whole_numbers_are_convolved_exactly() {
        if available() {
            check_whole_numbers(1, 1, 2);
            check_whole_numbers(12, 3, 16);
            check_whole_numbers(23, 7, 28);
            check_whole_numbers(25, 4, 6);
        }
    }
}
