//! Products in int8 with AVX-512 VNNI: one instruction multiplies and adds 64 pairs, twice what bf16 can do. It wants its
//! left factor unsigned: 128 is added to it, and what that adds to the sums is taken off again.
#![allow(unsafe_code)] // vector loads and stores by pointer, in a tile whose extents its caller has checked

use super::{
    bf16::ROWS,
    bf16_pack::{LANES, Line, load},
    int8::{MOST, Rounded, Weights8},
    matmul::View,
};
use std::arch::x86_64::*;

/// Neighbours in the inner dimension that one lane holds.
pub(super) const QUAD: usize = 4;
/// Added to the left factor.
pub(super) const OFFSET: i32 = 128;
/// Rows of the left factor that are packed together.
const BLOCK: usize = 16 * ROWS;

/// Whether this processor has the instructions.
pub(super) fn available() -> bool {
    super::bf16::available() && is_x86_feature_detected!("avx512vnni")
}

impl Rounded {
    /// # Safety
    /// As [`Rounded::multiply`] asserts, and `b` is packed in quads.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    pub(super) unsafe fn product_quads(
        &mut self,
        c: &mut [f32],
        c_view: View,
        a: &[f32],
        a_view: View,
        b: &Weights8,
        scale: f32,
    ) {
        let (rows, columns, inner) = (c_view.rows, c_view.columns, a_view.columns);
        let (panels, panel_step) = (columns.div_ceil(LANES), Weights8::step(inner, QUAD));
        // An odd number of lines a row, so that the rows of a tile do not meet in one set of the cache.
        let row_lines = inner.div_ceil(QUAD * LANES) | 1;
        for first in (0..rows).step_by(BLOCK) {
            let block = BLOCK.min(rows - first);
            let tiles = block.div_ceil(ROWS);
            self.pack([tiles * ROWS, row_lines], a, &a_view, first..first + block, |out, values| {
                scale * round_row(out, values)
            });
            for tile in 0..tiles {
                let row = first + tile * ROWS;
                for panel in (0..panels).step_by(2) {
                    let lane = panel * LANES;
                    let part = Part {
                        rows: ROWS.min(rows - row),
                        columns: columns - lane,
                        step: c_view.row_step,
                        row_scales: &self.scales[tile * ROWS..][..ROWS],
                        scales: &b.scales[lane..],
                        offsets: &b.offsets[lane..],
                    };
                    // SAFETY: the left factor was packed for whole tiles of 12 rows of `row_lines` lines, the right one
                    // has one or two panels of `panel_step` lines from here. `part` keeps to what `c` has.
                    unsafe {
                        let a = packed_rows(&self.lines, tile * ROWS * row_lines);
                        let lines = b.lines.as_ptr().add(panel * panel_step);
                        let c = c.as_mut_ptr().add(c_view.offset + row * c_view.row_step + lane);
                        let quads = inner.div_ceil(QUAD);
                        if panel + 1 < panels {
                            multiply_tile::<2>(c, a, row_lines * LANES, quads, lines, panel_step, &part);
                        } else {
                            multiply_tile::<1>(c, a, row_lines * LANES, quads, lines, panel_step, &part);
                        }
                    }
                }
            }
        }
    }
}

fn packed_rows(lines: &[Line], first: usize) -> *const i32 {
    lines[first..].as_ptr().cast()
}

/// Rounds a row; gives its scale.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
fn round_row(out: &mut [Line], values: &[f32]) -> f32 {
    let mut most = _mm512_setzero_ps();
    for part in values.chunks(LANES) {
        most = _mm512_max_ps(most, _mm512_abs_ps(load(part)));
    }
    let most = _mm512_reduce_max_ps(most);
    let to_whole = _mm512_set1_ps(if most > 0.0 { MOST / most } else { 0.0 });
    let out = Line::bytes_mut(out);
    for (part, out) in values.chunks(LANES).zip(out.chunks_exact_mut(LANES)) {
        let whole = _mm512_cvtps_epi32(_mm512_mul_ps(load(part), to_whole));
        let bytes = _mm512_cvtsepi32_epi8(whole);
        let bytes = _mm_xor_si128(bytes, _mm_set1_epi8(i8::MIN));
        // SAFETY: sixteen bytes are what the vector holds.
        unsafe { _mm_storeu_si128(out.as_mut_ptr().cast(), bytes) };
    }
    most / MOST
}

/// Where a tile's sums go, and what they are scaled by.
struct Part<'a> {
    rows: usize,
    columns: usize,
    step: usize,
    row_scales: &'a [f32],
    scales: &'a [f32],
    offsets: &'a [i32],
}

/// A tile of 12 rows and `VECTORS` vectors: all sums stay in registers.
///
/// # Safety
/// `a` has 12 rows of `quads` quads, `row_step` apart, `b` has `VECTORS` panels of a line for each quad, `panel_step` apart,
/// and `c` holds `part.rows` rows, at most 12, of `part.columns` values, of which the tile's width is written.
#[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
unsafe fn multiply_tile<const VECTORS: usize>(
    c: *mut f32,
    a: *const i32,
    row_step: usize,
    quads: usize,
    b: *const Line,
    panel_step: usize,
    part: &Part,
) {
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; ROWS];
    // SAFETY: every row and quad, line and value below is one that the caller vouches for.
    unsafe {
        for quad in 0..quads {
            let lines: [__m512i; VECTORS] =
                std::array::from_fn(|v| _mm512_load_si512(b.add(v * panel_step + quad).cast()));
            // Three rows from each of four pointers: few enough registers for addresses.
            for group in 0..ROWS / 3 {
                let a = a.add(quad + 3 * group * row_step);
                for row in 0..3 {
                    let factor = _mm512_set1_epi32(*a.add(row * row_step));
                    for v in 0..VECTORS {
                        let sum = &mut sums[3 * group + row][v];
                        *sum = _mm512_dpbusd_epi32(*sum, factor, lines[v]);
                    }
                }
            }
        }
        for v in 0..VECTORS {
            let scale = _mm512_loadu_ps(part.scales[v * LANES..][..LANES].as_ptr());
            let offset = _mm512_loadu_si512(part.offsets[v * LANES..][..LANES].as_ptr().cast());
            let left = part.columns - v * LANES;
            let mask: __mmask16 = if left >= LANES { !0 } else { (1 << left) - 1 };
            for (row, sums) in sums.iter().enumerate().take(part.rows) {
                let sum = _mm512_cvtepi32_ps(_mm512_sub_epi32(sums[v], offset));
                let scaled = _mm512_mul_ps(_mm512_mul_ps(sum, scale), _mm512_set1_ps(part.row_scales[row]));
                _mm512_mask_storeu_ps(c.add(row * part.step + v * LANES), mask, scaled);
            }
        }
    }
}
