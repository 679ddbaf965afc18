//! Matrix products with bf16 factors and f32 sums, for x86-64 processors with AVX-512 BF16: one instruction multiplies
//! and adds 32 pairs, twice what f32 can do. Factors are rounded (to nearest even) while they are packed.
//!
//! The result is computed in tiles of 12 x 32, each over the whole inner dimension, so that sums never leave the
//! registers and always add up in the same order.
#![allow(unsafe_code)] // vector loads and stores by pointer, in a tile whose extents its caller has checked

use super::{
    amx::{self, Tiles},
    bf16_pack::{LANES, Line, convert_rows, interleave_rows, panel_step, transpose_rows, turn_rows},
    matmul::View,
};
use std::arch::x86_64::*;

/// Rows of a tile: 12 rows of two vectors are 24 sums, and leave 8 of the 32 registers for factors.
pub(super) const ROWS: usize = 12;
/// Rows of `a` that are packed together, whole tiles of either kind: with all of `b` they stay in the second cache.
const BLOCK: usize = 16 * ROWS;
/// Below this in any dimension, packing costs more than it saves.
const LEAST: usize = 16;

/// Where the two factors are packed; kept from one product to the next.
#[derive(Debug, Clone, Default)]
pub struct Packed {
    pub(super) a: Vec<Line>,
    pub(super) b: Vec<Line>,
}

/// Whether this processor has the instructions.
pub fn available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512bf16")
}

/// Whether [`Packed::matmul`] takes such operands and is worth it.
pub fn accepts(c: &View, a: &View, b: &View) -> bool {
    let contiguous = |view: &View| view.row_step == 1 || view.column_step == 1;
    let least = a.rows.min(a.columns).min(b.columns);
    least >= LEAST && c.column_step == 1 && contiguous(a) && contiguous(b)
}

/// Whether a right factor is large enough to be packed.
pub fn worthwhile(b: &View) -> bool {
    b.rows.min(b.columns) >= LEAST
}

/// How a packed `a` lies for a tile: `runs` runs of `pairs` pairs of neighbours in the inner dimension, of which `b`
/// has one line each; steps are counted in pairs.
#[derive(Debug, Clone, Copy)]
pub(super) struct Layout {
    pub row_step: usize,
    pub pair_step: usize,
    pub pairs: usize,
    pub run_step: usize,
    pub runs: usize,
    /// Lines of `b` from run to run.
    pub run_lines: usize,
}

/// What a tile does with its sums.
#[derive(Debug, Clone, Copy)]
pub(super) struct Store {
    pub rows: usize,
    pub columns: usize,
    pub step: usize,
    pub add: bool,
    pub scale: f32,
}

impl Store {
    /// Stores the sums of one panel of one row.
    ///
    /// # Safety
    /// `c` holds as many values as are left of `columns` from this panel on, at most sixteen.
    #[inline]
    #[target_feature(enable = "avx512f")]
    pub unsafe fn put(&self, c: *mut f32, panel: usize, sum: __m512, scale: __m512) {
        let left = self.columns - panel * LANES;
        let mask: __mmask16 = if left >= LANES { !0 } else { (1 << left) - 1 };
        // SAFETY: the mask admits only what the caller vouches for.
        unsafe {
            let old = if self.add { _mm512_maskz_loadu_ps(mask, c) } else { _mm512_setzero_ps() };
            _mm512_mask_storeu_ps(c, mask, _mm512_fmadd_ps(sum, scale, old));
        }
    }
}

impl Packed {
    /// `c = a * b`, or `c += a * b` with `add`; scaled by `scale`.
    ///
    /// # Panics
    /// If the operands are not [accepted](accepts), leave their slices, or the processor lacks the instructions.
    pub fn matmul(
        &mut self,
        c: &mut [f32],
        c_view: View,
        a: &[f32],
        a_view: View,
        b: &[f32],
        b_view: View,
        add: bool,
        scale: f32,
    ) {
        self.matmul_in(Tiles::set_up().as_ref(), c, c_view, a, a_view, b, b_view, add, scale);
    }

    fn matmul_in(
        &mut self,
        tiles: Option<&Tiles>,
        c: &mut [f32],
        c_view: View,
        a: &[f32],
        a_view: View,
        b: &[f32],
        b_view: View,
        add: bool,
        scale: f32,
    ) {
        assert!(available() && accepts(&c_view, &a_view, &b_view), "operands for bf16");
        View::check(c, &c_view, a, &a_view, b, &b_view);
        let Packed { a: a_packed, b: b_packed } = self;
        // SAFETY: the processor has the instructions; shapes fit, each matrix lies inside its slice, and the panels are
        // those of `b`.
        unsafe {
            pack_panels(b_packed, b, b_view);
            product(tiles, a_packed, c, c_view, a, a_view, b_packed, add, scale);
        }
    }

    /// `c = scale * a * b` with a `b` that was packed before; `a` may have any number of rows, so that a part of them gives
    /// the same bits as all.
    ///
    /// # Panics
    /// As [`Packed::matmul`], and if the panels are not those of a matrix of these sizes.
    pub fn multiply_panels(&mut self, c: &mut [f32], c_view: View, a: &[f32], a_view: View, b: &[Line], scale: f32) {
        assert!(available() && c_view.column_step == 1 && a_view.column_step == 1, "operands for bf16");
        assert!(c_view.rows == a_view.rows && c_view.end() <= c.len() && a_view.end() <= a.len(), "shapes");
        assert!(b.len() >= c_view.columns.div_ceil(LANES) * panel_step(a_view.columns), "panels of the right factor");
        // SAFETY: as above.
        unsafe { product(Tiles::set_up().as_ref(), &mut self.a, c, c_view, a, a_view, b, false, scale) };
    }
}

/// Packs the right factor of a product.
///
/// # Panics
/// If the processor lacks the instructions, or the matrix leaves its slice or is contiguous in neither dimension.
pub fn pack_right(out: &mut Vec<Line>, b: &[f32], b_view: View) {
    assert!(available() && (b_view.row_step == 1 || b_view.column_step == 1), "operand for bf16");
    assert!(b_view.end() <= b.len(), "matrix leaves its slice");
    // SAFETY: the processor has the instructions.
    unsafe { pack_panels(out, b, b_view) };
}

#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn pack_panels(out: &mut Vec<Line>, b: &[f32], view: View) {
    let (inner, columns) = (view.rows, view.columns);
    let (b, out) = (&b[view.offset..], grown(out, columns.div_ceil(LANES) * panel_step(inner)));
    if view.column_step == 1 {
        interleave_rows(out, b, view.row_step, inner, columns, LANES);
    } else {
        transpose_rows(out, b, view.column_step, columns, inner);
    }
}

/// `c = a * b`, in matrix registers where `tiles` are given, else in vectors.
///
/// # Safety
/// The shapes of the views fit, each lies inside its slice, `c_view.column_step` is one, and `b_packed` holds the panels
/// of a matrix of `a_view.columns` rows and `c_view.columns` columns.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
unsafe fn product(
    tiles: Option<&Tiles>,
    a_packed: &mut Vec<Line>,
    c: &mut [f32],
    c_view: View,
    a: &[f32],
    a_view: View,
    b_packed: &[Line],
    add: bool,
    scale: f32,
) {
    let (rows, columns, inner) = (c_view.rows, c_view.columns, a_view.columns);
    let (pairs, panel_step, panels) = (inner.div_ceil(2), panel_step(inner), columns.div_ceil(LANES));
    let tile_rows = if tiles.is_some() { amx::ROWS } else { ROWS };
    for first in (0..rows).step_by(BLOCK) {
        let block = BLOCK.min(rows - first);
        let a = &a[a_view.offset + first * a_view.row_step..];
        let count = block.div_ceil(tile_rows);
        // An odd number of lines a row, so that the rows of a tile do not meet in one set of the cache.
        let lines = inner.div_ceil(2 * LANES) | 1;
        let by_rows = Layout { row_step: lines * LANES, pair_step: 1, pairs, run_step: 0, runs: 1, run_lines: 0 };
        let layout = if a_view.column_step == 1 {
            convert_rows(grown(a_packed, count * tile_rows * lines), lines, a, a_view.row_step, block, inner);
            by_rows
        } else if tiles.is_some() {
            turn_rows(grown(a_packed, count * tile_rows * lines), lines, a, a_view.column_step, inner, block);
            by_rows
        } else {
            interleave_rows(grown(a_packed, count * panel_step), a, a_view.column_step, inner, block, ROWS);
            Layout { row_step: 1, pair_step: LANES, pairs, run_step: 0, runs: 1, run_lines: 0 }
        };
        let tile_step = if layout.row_step == 1 { panel_step * LANES } else { tile_rows * layout.row_step };
        for tile in 0..count {
            let row = first + tile * tile_rows;
            for panel in (0..panels).step_by(2) {
                let store = Store {
                    rows: tile_rows.min(rows - row),
                    columns: columns - panel * LANES,
                    step: c_view.row_step,
                    add,
                    scale,
                };
                // SAFETY: both packed operands were made for whole tiles: 12 or 32 rows of `pairs` pairs by `layout`, one
                // or two panels of `pairs` lines. `store` keeps to the rows and columns that `c` has.
                unsafe {
                    let a = a_packed.as_ptr().cast::<i32>().add(tile * tile_step);
                    let b = b_packed.as_ptr().add(panel * panel_step);
                    let c = c.as_mut_ptr().add(c_view.offset + row * c_view.row_step + panel * LANES);
                    match (tiles, panel + 1 < panels) {
                        (Some(tiles), both) => {
                            tiles.multiply(c, a, layout, b, panel_step, 1 + usize::from(both), store)
                        }
                        (None, true) => multiply_tile::<2>(c, a, layout, b, panel_step, store),
                        (None, false) => multiply_tile::<1>(c, a, layout, b, panel_step, store),
                    }
                }
            }
        }
    }
}

/// The first `len` lines of a buffer that is made larger if it must be.
pub(super) fn grown(buffer: &mut Vec<Line>, len: usize) -> &mut [Line] {
    if buffer.len() < len {
        buffer.resize(len, Line::default());
    }
    &mut buffer[..len]
}

/// A tile of 12 rows and `VECTORS` vectors: all sums stay in registers.
///
/// # Safety
/// `a` has 12 rows by `layout`, `b` has `VECTORS` panels of a line for each pair, `panel_step` apart, and `c` holds
/// `store.rows` rows, at most 12, of `store.columns` values, of which the tile's width is written.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub(super) unsafe fn multiply_tile<const VECTORS: usize>(
    c: *mut f32,
    a: *const i32,
    layout: Layout,
    b: *const Line,
    panel_step: usize,
    store: Store,
) {
    let Layout { row_step, pair_step, pairs, run_step, runs, run_lines } = layout;
    let mut sums = [[_mm512_setzero_ps(); VECTORS]; ROWS];
    // SAFETY: every row and pair, line and value below is one that the caller vouches for.
    unsafe {
        for run in 0..runs {
            let (a, b) = (a.add(run * run_step), b.add(run * run_lines));
            for pair in 0..pairs {
                let line = |v: usize| _mm512_load_si512(b.add(v * panel_step + pair).cast());
                let lines: [__m512bh; VECTORS] = std::array::from_fn(|v| std::mem::transmute(line(v)));
                // Three rows from each of four pointers: few enough registers for addresses.
                for group in 0..ROWS / 3 {
                    let a = a.add(pair * pair_step + 3 * group * row_step);
                    for row in 0..3 {
                        let factor: __m512bh = std::mem::transmute(_mm512_set1_epi32(*a.add(row * row_step)));
                        for v in 0..VECTORS {
                            let sum = &mut sums[3 * group + row][v];
                            *sum = _mm512_dpbf16_ps(*sum, factor, lines[v]);
                        }
                    }
                }
            }
        }
        let scale = _mm512_set1_ps(store.scale);
        for (row, sums) in sums.iter().enumerate().take(store.rows) {
            for (v, &sum) in sums.iter().enumerate() {
                store.put(c.add(row * store.step + v * LANES), v, sum, scale);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A matrix of `rows` x `columns` somewhere in a slice, stored by rows or by columns, with a gap after each.
    fn stored(rows: usize, columns: usize, by_columns: bool, gap: usize) -> View {
        let (long, short) = if by_columns { (rows, columns) } else { (columns, rows) };
        let view = View { offset: gap, rows: short, columns: long, row_step: long + gap, column_step: 1 };
        if by_columns { view.transposed() } else { view }
    }

    fn at(view: &View, row: usize, column: usize) -> usize {
        view.offset + row * view.row_step + column * view.column_step
    }

    /// Values of `value(i)` for a matrix, and not-a-number wherever a product has no business to read.
    fn filled(view: &View, value: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut values = vec![f32::NAN; view.end()];
        for row in 0..view.rows {
            for column in 0..view.columns {
                values[at(view, row, column)] = value(row * view.columns + column);
            }
        }
        values
    }

    /// A product in vectors, and in matrix registers where there are some.
    fn each_way(check: impl Fn(Option<&Tiles>) -> Result<(), TestCaseError>) -> Result<(), TestCaseError> {
        check(None)?;
        Tiles::set_up().map_or(Ok(()), |tiles| check(Some(&tiles)))
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Small whole numbers are exact in bf16 and their sums in f32: the result must be the definition's, to the bit.
        #[test]
        fn whole_numbers_are_multiplied_exactly(
            (m, k, n) in (16usize..210, 16usize..150, 16usize..100),
            (a_by_columns, b_by_columns, add) in any::<(bool, bool, bool)>(),
            gap in 0usize..3,
        ) {
            if !available() {
                return Ok(());
            }
            let (a_view, b_view) = (stored(m, k, a_by_columns, gap), stored(k, n, b_by_columns, gap));
            let c_view = stored(m, n, false, gap);
            let a = filled(&a_view, |i| (i * 7 % 17) as f32 - 8.0);
            let b = filled(&b_view, |i| (i * 5 % 13) as f32 - 6.0);
            each_way(|tiles| {
                let mut c = filled(&c_view, |i| if add { i as f32 } else { f32::NAN });
                Packed::default().matmul_in(tiles, &mut c, c_view, &a, a_view, &b, b_view, add, 0.5);
                for row in 0..m {
                    for column in 0..n {
                        let sum: f32 = (0..k).map(|i| a[at(&a_view, row, i)] * b[at(&b_view, i, column)]).sum();
                        let before = if add { (row * n + column) as f32 } else { 0.0 };
                        prop_assert_eq!(c[at(&c_view, row, column)], before + 0.5 * sum, "{} {}", row, column);
                    }
                }
                let written = c.iter().filter(|value| !value.is_nan()).count();
                prop_assert_eq!(written, m * n, "wrote outside its view");
                Ok(())
            })?;
        }

        /// Each factor is off by at most 2^-9 of itself, so a sum by at most 2^-8 of the sum of magnitudes.
        #[test]
        fn any_numbers_are_rounded_to_nearest(
            (m, k, n) in (16usize..40, 16usize..300, 16usize..40),
            seed in 1usize..1000,
        ) {
            if !available() {
                return Ok(());
            }
            let values = |len: usize, salt: usize| -> Vec<f32> {
                (0..len).map(|i| ((i + salt) * seed * 7919 % 10_007) as f32 / 5003.5 - 1.0).collect()
            };
            let (a, b) = (values(m * k, 3), values(k * n, 5));
            let views = (View::dense(m, n), View::dense(m, k), View::dense(k, n));
            each_way(|tiles| {
                let mut c = vec![0.0; m * n];
                Packed::default().matmul_in(tiles, &mut c, views.0, &a, views.1, &b, views.2, false, 1.0);
                for (index, found) in c.iter().enumerate() {
                    let terms = (0..k).map(|i| f64::from(a[index / n * k + i]) * f64::from(b[i * n + index % n]));
                    let (sum, magnitude) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
                    prop_assert!((f64::from(*found) - sum).abs() <= magnitude / 254.0, "{} for {}", found, sum);
                }
                Ok(())
            })?;
        }
    }
}
