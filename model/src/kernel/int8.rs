//! Matrix products with weights rounded to int8 once and activations rounded to int8 row by row, for x86-64 processors.
//!
//! Each row of the left factor and each column of the right one has a scale of its own, so that its largest value becomes
//! 127 (as in Dettmers et al., LLM.int8(), section 2.1). Sums are whole numbers, hence exact and the same in any order and
//! with any instructions: fours of bytes where the processor has AVX-512 VNNI, pairs of 16 bits where it has AVX2.
#![allow(unsafe_code)] // the call of what the processor was asked for

use super::{
    bf16::grown,
    bf16_pack::{LANES, Line},
    int8_pairs::{self, PAIR},
    int8_quads::{self, OFFSET, QUAD},
    matmul::View,
};
use std::ops::Range;

/// The largest whole number that a value becomes.
pub(super) const MOST: f32 = 127.0;

/// With which instructions products are computed, hence how their factors lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// AVX-512 VNNI: four neighbours in the inner dimension, a byte each, are multiplied and added at once.
    Quads,
    /// AVX2: two neighbours, 16 bits each.
    Pairs,
}

impl Way {
    /// The fastest on this processor.
    fn here() -> Option<Way> {
        [Way::Quads, Way::Pairs].into_iter().find(|way| way.available())
    }

    fn available(self) -> bool {
        match self {
            Way::Quads => int8_quads::available(),
            Way::Pairs => int8_pairs::available(),
        }
    }

    /// Neighbours in the inner dimension that one lane holds.
    fn group(self) -> usize {
        match self {
            Way::Quads => QUAD,
            Way::Pairs => PAIR,
        }
    }
}

/// A right factor, packed once: panels of sixteen columns, a line for every group of neighbours in the inner dimension.
#[derive(Debug, Clone, Default)]
pub struct Weights8 {
    way: Option<Way>,
    pub(super) lines: Vec<Line>,
    /// By column, zeros in the last panel beyond the matrix: its scale, and what the offset of the left factor adds to it.
    pub(super) scales: Vec<f32>,
    pub(super) offsets: Vec<i32>,
    inner: usize,
    columns: usize,
}

/// Whether this processor has instructions for it.
pub fn available() -> bool {
    Way::here().is_some()
}

impl Weights8 {
    /// # Panics
    /// If the matrix leaves its slice, or the processor lacks the instructions.
    pub fn pack(&mut self, b: &[f32], view: View) {
        self.pack_for(Way::here().expect("instructions for int8"), b, view);
    }

    fn pack_for(&mut self, way: Way, b: &[f32], view: View) {
        assert!(view.end() <= b.len(), "matrix leaves its slice");
        let (inner, columns) = (view.rows, view.columns);
        let at = |row: usize, column: usize| b[view.offset + row * view.row_step + column * view.column_step];
        let (groups, panels) = (inner.div_ceil(way.group()), columns.div_ceil(LANES));
        let step = Weights8::step(inner, way.group());
        self.lines.clear();
        self.lines.resize(panels * step, Line::default());
        (self.scales, self.offsets) = (vec![0.0; panels * LANES], vec![0; panels * LANES]);
        (self.way, self.inner, self.columns) = (Some(way), inner, columns);
        for column in 0..columns {
            let most = (0..inner).map(|row| at(row, column).abs()).fold(0.0, f32::max);
            let to_whole = if most > 0.0 { MOST / most } else { 0.0 };
            let whole = |row: usize| if row < inner { (at(row, column) * to_whole).round() as i8 } else { 0 };
            self.scales[column] = most / MOST;
            self.offsets[column] = OFFSET * (0..inner).map(|row| i32::from(whole(row))).sum::<i32>();
            for group in 0..groups {
                let lane = match way {
                    Way::Quads => {
                        let bytes: [i8; QUAD] = std::array::from_fn(|i| whole(group * QUAD + i));
                        u32::from_le_bytes(bytes.map(|byte| byte as u8))
                    }
                    Way::Pairs => {
                        let halves: [u16; PAIR] = std::array::from_fn(|i| i16::from(whole(group * PAIR + i)) as u16);
                        u32::from(halves[0]) | u32::from(halves[1]) << 16
                    }
                };
                self.lines[column / LANES * step + group].set(column % LANES, lane);
            }
        }
    }

    pub fn is_empty(&self) -> bool {
        self.lines.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Weights8::default();
    }

    /// Lines from one panel to the next: odd, as for bf16.
    pub(super) fn step(inner: usize, group: usize) -> usize {
        inner.div_ceil(group) | 1
    }
}

/// A left factor as it was packed last.
#[derive(Debug, Clone, Default)]
pub struct Rounded {
    pub(super) lines: Vec<Line>,
    pub(super) scales: Vec<f32>,
}

impl Rounded {
    /// Rounds some `rows` of a left factor into `packed` rows of so many lines each; `round` gives a row's scale.
    pub(super) fn pack(
        &mut self,
        [packed, lines]: [usize; 2],
        a: &[f32],
        view: &View,
        rows: Range<usize>,
        round: impl Fn(&mut [Line], &[f32]) -> f32,
    ) {
        self.scales.resize(packed, 0.0);
        let out = grown(&mut self.lines, packed * lines).chunks_exact_mut(lines);
        for ((row, out), scale) in rows.zip(out).zip(&mut self.scales) {
            *scale = round(out, &a[view.offset + row * view.row_step..][..view.columns]);
        }
    }

    /// `c = scale * a * b`; each row of `a` by itself, so that a part of them gives the same bits as all.
    ///
    /// # Panics
    /// If the shapes do not fit, a matrix leaves its slice, rows are not contiguous, or the processor lacks the instructions.
    pub fn multiply(&mut self, c: &mut [f32], c_view: View, a: &[f32], a_view: View, b: &Weights8, scale: f32) {
        assert!(c_view.column_step == 1 && a_view.column_step == 1, "operands for int8");
        assert!(c_view.rows == a_view.rows && c_view.end() <= c.len() && a_view.end() <= a.len(), "shapes");
        assert!(a_view.columns == b.inner && c_view.columns == b.columns, "shapes");
        let way = b.way.filter(|way| way.available()).expect("instructions for int8");
        // SAFETY: the processor has the instructions, the shapes fit, and each matrix lies inside its slice.
        unsafe {
            match way {
                Way::Quads => self.product_quads(c, c_view, a, a_view, b, scale),
                Way::Pairs => self.product_pairs(c, c_view, a, a_view, b, scale),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A product with the instructions that the processor has, which must agree to the bit.
    fn product(a: &[f32], b: &[f32], [m, k, n]: [usize; 3], scale: f32) -> Vec<f32> {
        let ways = [Way::Quads, Way::Pairs].into_iter().filter(|way| way.available());
        let products: Vec<_> = ways
            .map(|way| {
                let (mut weights, mut c) = (Weights8::default(), vec![f32::NAN; m * n]);
                weights.pack_for(way, b, View::dense(k, n));
                Rounded::default().multiply(&mut c, View::dense(m, n), a, View::dense(m, k), &weights, scale);
                c
            })
            .collect();
        assert!(products.iter().all(|product| product == &products[0]), "other instructions, other bits");
        products[0].clone()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Where the largest values are 127, scales are one and nothing is rounded: the result is the definition's.
        #[test]
        fn whole_numbers_are_multiplied_exactly((m, k, n) in (1usize..210, 16usize..150, 16usize..100)) {
            if !available() {
                return Ok(());
            }
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
            if !available() {
                return Ok(());
            }
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
