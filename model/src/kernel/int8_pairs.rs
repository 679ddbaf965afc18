//! Products in int8 with AVX2, which has no instruction for bytes that cannot overflow: each byte takes 16 bits, and one
//! instruction multiplies 16 pairs and adds neighbours, where f32 multiplies and adds 8.
//!
//! A panel of the right factor is read for all rows before the next, so that it stays in the first cache.
#![allow(unsafe_code)] // vector loads and stores by pointer, in a tile whose extents its caller has checked

use super::{
    bf16_pack::{LANES, Line},
    int8::{MOST, Rounded, Weights8},
    matmul::View,
};
use std::arch::x86_64::*;

/// Neighbours in the inner dimension that one lane holds.
pub(super) const PAIR: usize = 2;
/// Rows of a tile: 6 rows of two vectors are 12 sums, and leave 4 of the 16 registers for factors.
const ROWS: usize = 6;
/// Rows of the left factor that are packed together.
const BLOCK: usize = 16 * ROWS;
/// Values in a vector of f32 or i32.
const WIDTH: usize = 8;
/// Vectors in a line.
const VECTORS: usize = LANES / WIDTH;

/// Whether this processor has the instructions.
pub(super) fn available() -> bool {
    is_x86_feature_detected!("avx2")
}

impl Rounded {
    /// # Safety
    /// As [`Rounded::multiply`] asserts, and `b` is packed in pairs.
    #[target_feature(enable = "avx2")]
    pub(super) unsafe fn product_pairs(
        &mut self,
        c: &mut [f32],
        c_view: View,
        a: &[f32],
        a_view: View,
        b: &Weights8,
        scale: f32,
    ) {
        let (rows, columns, inner) = (c_view.rows, c_view.columns, a_view.columns);
        let (panels, panel_step) = (columns.div_ceil(LANES), Weights8::step(inner, PAIR));
        // An odd number of lines a row, so that the rows of a tile do not meet in one set of the cache.
        let row_lines = inner.div_ceil(PAIR * LANES) | 1;
        for first in (0..rows).step_by(BLOCK) {
            let block = BLOCK.min(rows - first);
            let tiles = block.div_ceil(ROWS);
            self.pack([tiles * ROWS, row_lines], a, &a_view, first..first + block, |out, values| {
                scale * round_row(out, values)
            });
            for panel in 0..panels {
                let lane = panel * LANES;
                for tile in 0..tiles {
                    let row = first + tile * ROWS;
                    let part = Part {
                        rows: ROWS.min(rows - row),
                        columns: LANES.min(columns - lane),
                        step: c_view.row_step,
                        row_scales: &self.scales[tile * ROWS..][..ROWS],
                        scales: &b.scales[lane..][..LANES],
                    };
                    // SAFETY: the left factor was packed for whole tiles of 6 rows of `row_lines` lines, the right one has
                    // a panel of `panel_step` lines from here. `part` keeps to what `c` has.
                    unsafe {
                        let a = self.lines[tile * ROWS * row_lines..].as_ptr().cast::<i32>();
                        let lines = b.lines.as_ptr().add(panel * panel_step);
                        let c = c.as_mut_ptr().add(c_view.offset + row * c_view.row_step + lane);
                        multiply_tile(c, a, row_lines * LANES, inner.div_ceil(PAIR), lines, &part);
                    }
                }
            }
        }
    }
}

/// Rounds a row; gives its scale.
#[target_feature(enable = "avx2")]
fn round_row(out: &mut [Line], values: &[f32]) -> f32 {
    let mut most = _mm256_setzero_ps();
    for part in values.chunks(LANES) {
        for values in load(part) {
            most = _mm256_max_ps(most, _mm256_andnot_ps(_mm256_set1_ps(-0.0), values));
        }
    }
    let mut each = [0.0; WIDTH];
    // SAFETY: eight values are what the vector holds.
    unsafe { _mm256_storeu_ps(each.as_mut_ptr(), most) };
    let most = each.into_iter().fold(0.0, f32::max);
    let to_whole = _mm256_set1_ps(if most > 0.0 { MOST / most } else { 0.0 });
    let out = Line::bytes_mut(out);
    for (part, out) in values.chunks(LANES).zip(out.chunks_exact_mut(LANES * PAIR)) {
        let [low, high] = load(part).map(|values| _mm256_cvtps_epi32(_mm256_mul_ps(values, to_whole)));
        // The halves of both are taken in turns; put back in their order.
        let halves = _mm256_permute4x64_epi64::<0b11_01_10_00>(_mm256_packs_epi32(low, high));
        // SAFETY: as many bytes as the line's part has are what the vector holds.
        unsafe { _mm256_storeu_si256(out.as_mut_ptr().cast(), halves) };
    }
    most / MOST
}

/// Up to sixteen values from the start of a slice, zeros beyond its end.
#[inline]
#[target_feature(enable = "avx2")]
fn load(values: &[f32]) -> [__m256; VECTORS] {
    let mut padded = [0.0; LANES];
    let values = values.first_chunk::<LANES>().unwrap_or_else(|| {
        padded[..values.len()].copy_from_slice(values);
        &padded
    });
    // SAFETY: sixteen values are what the vectors hold.
    std::array::from_fn(|v| unsafe { _mm256_loadu_ps(values[v * WIDTH..].as_ptr()) })
}

/// Where a tile's sums go, and what they are scaled by.
struct Part<'a> {
    rows: usize,
    columns: usize,
    step: usize,
    row_scales: &'a [f32],
    scales: &'a [f32],
}

/// A tile of 6 rows and sixteen columns: all sums stay in registers.
///
/// # Safety
/// `a` has 6 rows of `pairs` pairs, `row_step` apart, `b` a line for each pair, and `c` holds `part.rows` rows, at most 6,
/// of `part.columns` values, at most 16.
#[target_feature(enable = "avx2")]
unsafe fn multiply_tile(c: *mut f32, a: *const i32, row_step: usize, pairs: usize, b: *const Line, part: &Part) {
    let mut sums = [[_mm256_setzero_si256(); VECTORS]; ROWS];
    // SAFETY: every row and pair, line and value below is one that the caller vouches for.
    unsafe {
        for pair in 0..pairs {
            let line = b.add(pair).cast::<__m256i>();
            let lines: [__m256i; VECTORS] = std::array::from_fn(|v| _mm256_load_si256(line.add(v)));
            for (row, sums) in sums.iter_mut().enumerate() {
                let factor = _mm256_set1_epi32(*a.add(row * row_step + pair));
                for (sum, line) in sums.iter_mut().zip(lines) {
                    *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(factor, line));
                }
            }
        }
        for (row, sums) in sums.iter().enumerate().take(part.rows) {
            let mut scaled = [0.0; LANES];
            for (v, &sum) in sums.iter().enumerate() {
                let scale = _mm256_loadu_ps(part.scales[v * WIDTH..].as_ptr());
                let sum =
                    _mm256_mul_ps(_mm256_mul_ps(_mm256_cvtepi32_ps(sum), scale), _mm256_set1_ps(part.row_scales[row]));
                _mm256_storeu_ps(scaled[v * WIDTH..].as_mut_ptr(), sum);
            }
            std::ptr::copy_nonoverlapping(scaled.as_ptr(), c.add(row * part.step), part.columns);
        }
    }
}
