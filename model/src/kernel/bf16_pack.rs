//! Packing for products in bf16: f32 matrices become lines of sixteen pairs, each pair two neighbours in the dimension
//! that a product sums over, because one instruction multiplies and adds both.
#![allow(unsafe_code)] // masked vector loads; each admits only what lies inside its slice

use std::arch::x86_64::*;

/// Pairs in a line.
pub const LANES: usize = 16;

/// One vector register: sixteen pairs of bf16 values.
#[derive(Debug, Clone, Copy, Default)]
#[repr(C, align(64))]
pub struct Line([u32; LANES]);

impl Line {
    pub fn set(&mut self, lane: usize, bits: u32) {
        self.0[lane] = bits;
    }

    /// The bytes of some lines, in the order in which a processor reads them.
    pub fn bytes_mut(lines: &mut [Line]) -> &mut [u8] {
        // SAFETY: lines are plain bytes without padding, and bytes have no alignment.
        unsafe { std::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), std::mem::size_of_val(lines)) }
    }
}

/// Rows as they lie, `inner` values each with `step` from row to row: `lines` lines a row.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub fn convert_rows(out: &mut [Line], lines: usize, source: &[f32], step: usize, rows: usize, inner: usize) {
    for (row, out) in out.chunks_exact_mut(lines).enumerate().take(rows) {
        let row = &source[row * step..][..inner];
        for (out, values) in out.iter_mut().zip(row.chunks(2 * LANES)) {
            *out = line(pairs_of(values));
        }
    }
}

/// Lines from one panel to the next: those of whole tiles ([`super::amx`]), and odd, so that panels that are written side by
/// side do not meet in one set of the cache.
pub fn panel_step(inner: usize) -> usize {
    padded(inner) | 1
}

/// Lines of a panel: one for every two of the inner dimension, and zeros up to whole tiles.
pub fn padded(inner: usize) -> usize {
    inner.div_ceil(2).next_multiple_of(LANES)
}

/// From an inner dimension that runs from row to row: panels of `width` (at most 16) neighbouring columns, one line for
/// every two of the `inner` rows.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub fn interleave_rows(out: &mut [Line], source: &[f32], step: usize, inner: usize, columns: usize, width: usize) {
    let panel_step = panel_step(inner);
    for panel in out.chunks_exact_mut(panel_step).take(columns.div_ceil(width)) {
        panel[inner.div_ceil(2)..padded(inner)].fill(Line::default());
    }
    for pair in 0..inner.div_ceil(2) {
        let first = &source[2 * pair * step..][..columns];
        let second = if 2 * pair + 1 < inner { &source[(2 * pair + 1) * step..][..columns] } else { &[] };
        let next = &source[(2 * pair * step + 4 * step).min(source.len())..];
        for (panel, column) in (0..columns).step_by(width).enumerate() {
            _mm_prefetch::<_MM_HINT_T0>(next.as_ptr().wrapping_add(column).cast());
            _mm_prefetch::<_MM_HINT_T0>(next.as_ptr().wrapping_add(column + step).cast());
            out[panel * panel_step + pair] = line(interleave(&first[column..], second.get(column..).unwrap_or(&[])));
        }
    }
}

/// From an inner dimension that lies within each row: panels of sixteen rows, one line for every two of `inner` columns.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub fn transpose_rows(out: &mut [Line], source: &[f32], step: usize, rows: usize, inner: usize) {
    for (panel, out) in out.chunks_exact_mut(panel_step(inner)).enumerate() {
        for (chunk, out) in out[..padded(inner)].chunks_mut(LANES).enumerate() {
            let mut square = [_mm512_setzero_si512(); LANES];
            for (lane, vector) in square.iter_mut().enumerate() {
                let row = panel * LANES + lane;
                if row < rows {
                    let values = &source[row * step..][..inner][chunk * 2 * LANES..];
                    *vector = pairs_of(&values[..values.len().min(2 * LANES)]);
                }
            }
            let transposed = transpose(square);
            out.iter_mut().zip(transposed).for_each(|(out, vector)| *out = line(vector));
        }
    }
}

/// From an inner dimension that runs from row to row: the transposed rows, as [`convert_rows`] leaves rows, and up to whole
/// groups of sixteen of them.
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
pub fn turn_rows(out: &mut [Line], lines: usize, source: &[f32], step: usize, inner: usize, rows: usize) {
    let line_of = |at: usize, first: usize| source.get(at * step..).filter(|_| at < inner).map(|row| &row[first..rows]);
    for chunk in 0..inner.div_ceil(2 * LANES) {
        for first in (0..rows).step_by(LANES) {
            let mut square = [_mm512_setzero_si512(); LANES];
            for (pair, vector) in square.iter_mut().enumerate() {
                let at = 2 * (chunk * LANES + pair);
                for row in [at, at + 1] {
                    let later = source.as_ptr().wrapping_add((row + 2 * LANES) * step + first);
                    _mm_prefetch::<_MM_HINT_T0>(later.cast());
                }
                let Some(values) = line_of(at, first) else { break };
                *vector = interleave(values, line_of(at + 1, first).unwrap_or(&[]));
            }
            for (row, vector) in transpose(square).into_iter().enumerate() {
                out[(first + row) * lines + chunk] = line(vector);
            }
        }
    }
}

/// Up to sixteen values of one row, each paired with its neighbour of the next.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn interleave(first: &[f32], second: &[f32]) -> __m512i {
    const ORDER: [u16; 32] = {
        let (mut order, mut at) = ([0; 32], 0);
        while at < 32 {
            order[at] = (at / 2 + at % 2 * LANES) as u16;
            at += 1;
        }
        order
    };
    // SAFETY: an array of 32 halves is as large as a vector.
    let order = unsafe { _mm512_loadu_si512(ORDER.as_ptr().cast()) };
    _mm512_permutexvar_epi16(order, bits(_mm512_cvtne2ps_pbh(load(second), load(first))))
}

/// Up to 32 neighbours as pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512bf16")]
fn pairs_of(values: &[f32]) -> __m512i {
    let (first, second) = values.split_at(values.len().min(LANES));
    bits(_mm512_cvtne2ps_pbh(load(second), load(first)))
}

/// Up to sixteen values from the start of a slice, zeros beyond its end.
#[inline]
#[target_feature(enable = "avx512f")]
pub fn load(values: &[f32]) -> __m512 {
    match values.first_chunk::<LANES>() {
        // SAFETY: an array of sixteen values is what the vector holds.
        Some(values) => unsafe { _mm512_loadu_ps(values.as_ptr()) },
        // SAFETY: the mask admits only what lies inside the slice, fewer than sixteen values.
        None => unsafe { _mm512_maskz_loadu_ps((1 << values.len()) - 1, values.as_ptr()) },
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn bits(pairs: __m512bh) -> __m512i {
    // SAFETY: both are 64 bytes, of which any bits are valid.
    unsafe { std::mem::transmute(pairs) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn line(pairs: __m512i) -> Line {
    // SAFETY: both are 64 bytes, of which any bits are valid.
    unsafe { std::mem::transmute(pairs) }
}

/// Exchanges the rows and columns of a square of pairs: 2 x 2, then 4 x 4 within each quarter of a register, then the
/// quarters.
#[inline]
#[target_feature(enable = "avx512f")]
fn transpose(rows: [__m512i; LANES]) -> [__m512i; LANES] {
    let zero = _mm512_setzero_si512();
    let (mut twos, mut fours, mut eights, mut whole) = ([zero; LANES], [zero; LANES], [zero; LANES], [zero; LANES]);
    for i in 0..LANES / 2 {
        twos[2 * i] = _mm512_unpacklo_epi32(rows[2 * i], rows[2 * i + 1]);
        twos[2 * i + 1] = _mm512_unpackhi_epi32(rows[2 * i], rows[2 * i + 1]);
    }
    for i in 0..LANES / 4 {
        for j in 0..2 {
            let (a, b) = (twos[4 * i + j], twos[4 * i + 2 + j]);
            fours[4 * i + 2 * j] = _mm512_unpacklo_epi64(a, b);
            fours[4 * i + 2 * j + 1] = _mm512_unpackhi_epi64(a, b);
        }
    }
    // Row 4 i + j now holds, in each quarter q, column 4 q + j of the rows 4 i to 4 i + 3.
    for j in 0..4 {
        for half in 0..2 {
            let (a, b) = (fours[8 * half + j], fours[8 * half + 4 + j]);
            eights[8 * half + j] = _mm512_shuffle_i32x4::<0b10_00_10_00>(a, b);
            eights[8 * half + 4 + j] = _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b);
        }
    }
    for j in 0..4 {
        for odd in 0..2 {
            let (a, b) = (eights[4 * odd + j], eights[8 + 4 * odd + j]);
            whole[4 * odd + j] = _mm512_shuffle_i32x4::<0b10_00_10_00>(a, b);
            whole[8 + 4 * odd + j] = _mm512_shuffle_i32x4::<0b11_01_11_01>(a, b);
        }
    }
    whole
}
