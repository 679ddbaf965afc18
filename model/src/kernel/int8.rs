//! Matrix products with weights rounded to int8 once and activations rounded to int8 row by row, for x86-64 processors with
//! AVX-512 VNNI: one instruction multiplies and adds 64 pairs, twice what bf16 can do.
//!
//! Each row of the left factor and each column of the right one has a scale of its own, so that its largest value becomes
//! 127 (as in Dettmers et al., LLM.int8(), section 2.1). Sums are whole numbers, hence exact and the same in any order. The
//! instruction wants its left factor unsigned: 128 is added to it, and what that adds to the sums is taken off again.
#![allow(unsafe_code)] // vector loads and stores by pointer, in a tile whose extents its caller has checked

use super::{
    bf16::{ROWS, grown},
    bf16_pack::{LANES, Line, load},
    matmul::View,
};
use std::arch::x86_64::*;

/// Neighbours in the inner dimension that one lane holds.
const QUAD: usize = 4;
/// Added to the left factor.
const OFFSET: i32 = 128;
/// The largest whole number that a value becomes.
const MOST: f32 = 127.0;
/// Rows of the left factor that are packed together.
const BLOCK: usize = 16 * ROWS;

/// A right factor, packed once: panels of sixteen columns, a line for every four rows.
#[derive(Debug, Clone, Default)]
pub struct Weights8 {
    lines: Vec<Line>,
    /// By column, zeros in the last panel beyond the matrix: its scale, and what the offset of the left factor adds to it.
    scales: Vec<f32>,
    offsets: Vec<i32>,
    inner: usize,
    columns: usize,
}

/// Whether this processor has the instructions.
pub fn available() -> bool {
    super::bf16::available() && is_x86_feature_detected!("avx512vnni")
}

impl Weights8 {
    /// # Panics
    /// If the matrix leaves its slice.
    pub fn pack(&mut self, b: &[f32], view: View) {
        assert!(view.end() <= b.len(), "matrix leaves its slice");
        let (inner, columns) = (view.rows, view.columns);
        let at = |row: usize, column: usize| b[view.offset + row * view.row_step + column * view.column_step];
        let (quads, panels) = (inner.div_ceil(QUAD), columns.div_ceil(LANES));
        self.lines.clear();
        self.lines.resize(panels * step(inner), Line::default());
        (self.scales, self.offsets) = (vec![0.0; panels * LANES], vec![0; panels * LANES]);
        (self.inner, self.columns) = (inner, columns);
        for column in 0..columns {
            let most = (0..inner).map(|row| at(row, column).abs()).fold(0.0, f32::max);
            let to_whole = if most > 0.0 { MOST / most } else { 0.0 };
            let whole = |row: usize| if row < inner { (at(row, column) * to_whole).round() as i8 } else { 0 };
            self.scales[column] = most / MOST;
            self.offsets[column] = OFFSET * (0..inner).map(|row| i32::from(whole(row))).sum::<i32>();
            for quad in 0..quads {
                let bytes: [i8; QUAD] = std::array::from_fn(|i| whole(quad * QUAD + i));
                let lane = u32::from_le_bytes(bytes.map(|byte| byte as u8));
                self.lines[column / LANES * step(inner) + quad].set(column % LANES, lane);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Weights8::default();
    }
}

/// Lines from one panel to the next: odd, as for bf16.
fn step(inner: usize) -> usize {
    inner.div_ceil(QUAD) | 1
}

/// A left factor as it was packed last.
#[derive(Debug, Clone, Default)]
pub struct Rounded {
    lines: Vec<Line>,
    scales: Vec<f32>,
}

impl Rounded {
    /// `c = scale * a * b`; each row of `a` by itself, so that a part of them gives the same bits as all.
    ///
    /// # Panics
    /// If the shapes do not fit, a matrix leaves its slice, rows are not contiguous, or the processor lacks the instructions.
    pub fn multiply(&mut self, c: &mut [f32], c_view: View, a: &[f32], a_view: View, b: &Weights8, scale: f32) {
        assert!(available() && c_view.column_step == 1 && a_view.column_step == 1, "operands for int8");
        assert!(c_view.rows == a_view.rows && c_view.end() <= c.len() && a_view.end() <= a.len(), "shapes");
        assert!(a_view.columns == b.inner && c_view.columns == b.columns, "shapes");
        // SAFETY: the processor has the instructions, the shapes fit, and each matrix lies inside its slice.
        unsafe { self.product(c, c_view, a, a_view, b, scale) };
    }

    /// # Safety
    /// As [`Rounded::multiply`] asserts.
    #[target_feature(enable = "avx512f,avx512bw,avx512vnni")]
    unsafe fn product(&mut self, c: &mut [f32], c_view: View, a: &[f32], a_view: View, b: &Weights8, scale: f32) {
        let (rows, columns, inner) = (c_view.rows, c_view.columns, a_view.columns);
        let (panels, panel_step) = (columns.div_ceil(LANES), step(inner));
        // An odd number of lines a row, so that the rows of a tile do not meet in one set of the cache.
        let row_lines = inner.div_ceil(QUAD * LANES) | 1;
        for first in (0..rows).step_by(BLOCK) {
            let block = BLOCK.min(rows - first);
            let tiles = block.div_ceil(ROWS);
            let packed = grown(&mut self.lines, tiles * ROWS * row_lines);
            self.scales.resize(tiles * ROWS, 0.0);
            for (row, packed) in packed.chunks_exact_mut(row_lines).enumerate().take(block) {
                let values = &a[a_view.offset + (first + row) * a_view.row_step..][..inner];
                self.scales[row] = scale * round_row(packed, values);
            }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn product(a: &[f32], b: &[f32], [m, k, n]: [usize; 3], scale: f32) -> Vec<f32> {
        let (mut weights, mut c) = (Weights8::default(), vec![f32::NAN; m * n]);
        weights.pack(b, View::dense(k, n));
        Rounded::default().multiply(&mut c, View::dense(m, n), a, View::dense(m, k), &weights, scale);
        c
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Where the largest values are 127, scales are one and nothing is rounded: the result is the definition's.
        #[test]
        fn whole_numbers_are_multiplied_exactly((m, k, n) in (1usize..210, 16usize..150, 16usize..100)) {
            prop_assume!(available());
            let mut a: Vec<f32> = (0..m * k).map(|i| (i * 7 % 251) as f32 - 125.0).collect();
            let mut b: Vec<f32> = (0..k * n).map(|i| (i * 5 % 253) as f32 - 126.0).collect();
            (0..m).for_each(|row| a[row * k + row % k] = if row % 2 == 0 { 127.0 } else { -127.0 });
            (0..n).for_each(|column| b[(column % k) * n + column] = 127.0);
            let c = product(&a, &b, [m, k, n], 0.5);
            for (at, found) in c.iter().enumerate() {
                let sum: f32 = (0..k).map(|i| a[at / n * k + i] * b[i * n + at % n]).sum();
                prop_assert_eq!(*found, 0.5 * sum, "{}", at);
            }
        }

        /// Each factor is off by at most half a step of its row or column.
        #[test]
        fn any_numbers_are_rounded_to_nearest(
            (m, k, n) in (1usize..40, 16usize..300, 16usize..40),
            seed in 1usize..1000,
        ) {
            prop_assume!(available());
            let values = |len: usize, salt: usize| -> Vec<f32> {
                (0..len).map(|i| ((i + salt) * seed * 7919 % 10_007) as f32 / 5003.5 - 1.0).collect()
            };
            let (a, b) = (values(m * k, 3), values(k * n, 5));
            for (at, found) in product(&a, &b, [m, k, n], 1.0).iter().enumerate() {
                let row = &a[at / n * k..][..k];
                let column: Vec<f32> = (0..k).map(|i| b[i * n + at % n]).collect();
                let step = |values: &[f32]| values.iter().fold(0.0f32, |most, value| most.max(value.abs())) / 127.0;
                let (a_half, b_half) = (0.501 * step(row), 0.501 * step(&column));
                let most: f32 = row.iter().zip(&column).map(|(a, b)| a.abs() * b_half + (b.abs() + b_half) * a_half).sum();
                let sum: f32 = row.iter().zip(&column).map(|(a, b)| a * b).sum();
                prop_assert!((found - sum).abs() <= most + 1e-5, "{} for {}", found, sum);
            }
        }
    }

    #[test]
    fn a_row_of_nothing_gives_nothing() {
        if available() {
            assert_eq!(product(&[0.0; 32], &[1.0; 32 * 16], [1, 32, 16], 1.0), [0.0; 16]);
        }
    }
}
