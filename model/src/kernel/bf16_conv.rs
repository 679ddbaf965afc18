//! The head's 3x3 convolution in bf16: a product whose rows are pixels, read where they lie in the frame, because the
//! three pixels of a neighbourhood's row are neighbours in memory too.
#![allow(unsafe_code)] // calls of the tile, whose extents are checked here

use super::{
    amx::{self, Tiles},
    bf16::{Layout, Packed, ROWS, Store, available, grown, multiply_tile},
    bf16_pack::{LANES, Line, convert_rows, interleave_rows, panel_step},
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
        self.convolve_in(Tiles::set_up().as_ref(), out, input, weights, bias);
    }

    fn convolve_in(
        &mut self,
        tiles: Option<&Tiles>,
        out: &mut [[f32; LANES]],
        input: Window,
        weights: &[[f32; LANES]],
        bias: &[f32; LANES],
    ) {
        assert!(available() && accepts(&input), "a frame for bf16");
        assert_eq!(weights.len(), 9 * input.channels, "weights of a convolution");
        assert_eq!(out.len(), input.width * input.height, "output of a convolution");
        assert_eq!(input.values.len(), (input.width + 2) * (input.height + 2) * input.channels, "padded frame");
        out.fill(*bias);
        // SAFETY: the processor has the instructions, and the sizes were checked.
        unsafe { convolve(tiles, self, out, input, weights) };
    }
}

/// # Safety
/// `out`, `input` and `weights` have the sizes that [`Packed::convolve`] checks.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn convolve(
    tiles: Option<&Tiles>,
    packed: &mut Packed,
    out: &mut [[f32; LANES]],
    input: Window,
    weights: &[[f32; LANES]],
) {
    let values = input.values.len();
    let (pixel, row) = (input.channels / 2, (input.width + 2) * input.channels / 2);
    let tile_rows = if tiles.is_some() { amx::ROWS } else { ROWS };
    // The last tile of the last row may read beyond the frame: as many pixels as it has rows, and up to a line more.
    let frame_lines = (values / 2 + tile_rows * pixel).div_ceil(LANES) + 1;
    let frame = grown(&mut packed.a, frame_lines);
    let whole = values / 2 / LANES;
    frame[whole..].fill(Line::default());
    convert_rows(frame, frame_lines, input.values, 0, 1, values);
    let (inner, run_lines) = (3 * input.channels, panel_step(3 * input.channels));
    let runs = weights.chunks_exact(inner).zip(grown(&mut packed.b, 3 * run_lines).chunks_exact_mut(run_lines));
    runs.for_each(|(weights, lines)| interleave_rows(lines, weights.as_flattened(), LANES, inner, LANES, LANES));
    let layout = Layout { row_step: pixel, pair_step: 1, pairs: 3 * pixel, run_step: row, runs: 3, run_lines };
    for y in 0..input.height {
        for x in (0..input.width).step_by(tile_rows) {
            let rows = tile_rows.min(input.width - x);
            let store = Store { rows, columns: LANES, step: LANES, add: true, scale: 1.0 };
            // SAFETY: a tile's pixels from `(x, y)` and the two rows below lie inside the packed frame and the lines that
            // follow it; the weights are one panel of three runs of whole tiles; `out` holds the pixels of the frame.
            unsafe {
                let a = packed.a.as_ptr().cast::<i32>().add(y * row + x * pixel);
                let c = out.as_mut_ptr().add(y * input.width + x).cast();
                match tiles {
                    Some(tiles) => tiles.multiply(c, a, layout, packed.b.as_ptr(), 0, 1, store),
                    None => multiply_tile::<1>(c, a, layout, packed.b.as_ptr(), 0, store),
                }
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
        let tiles = Tiles::set_up();
        for tiles in [None, tiles.as_ref()] {
            let mut found = vec![[f32::NAN; LANES]; width * height];
            Packed::default().convolve_in(tiles, &mut found, input.whole(), &weights, &bias);
            assert!(found == expected, "{width} x {height}, {channels} channels, {tiles:?}");
        }
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
