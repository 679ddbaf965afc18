//! Matrix products on slices: in bf16 where the processor can and the product is large enough, else in f32 over the
//! `gemm` crate, whose interface takes raw pointers.
#![allow(unsafe_code)] // the one call of `gemm`, after a check that its matrices lie inside their slices

#[cfg(target_arch = "x86_64")]
use super::{amx, bf16, int8};
use gemm::Parallelism;
use std::str::FromStr;

/// What the factors of large matrix products are rounded to. Sums, weights and all other arithmetic are f32 in both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Precision {
    F32,
    /// Twice as fast where the processor multiplies bf16, and the same as `F32` elsewhere.
    Bf16,
    /// Weights, and what they are multiplied by, in int8 where the processor multiplies it; all else as `Bf16`.
    Int8,
}

impl Precision {
    pub const ALL: [Precision; 3] = [Precision::F32, Precision::Bf16, Precision::Int8];

    pub fn name(self) -> &'static str {
        match self {
            Precision::F32 => "f32",
            Precision::Bf16 => "bf16",
            Precision::Int8 => "int8",
        }
    }

    /// The coarsest that this processor has instructions for.
    pub fn coarsest() -> Precision {
        #[cfg(target_arch = "x86_64")]
        if int8::available() {
            return Precision::Int8;
        }
        Precision::default()
    }

    /// The fastest on this processor: the coarsest, but with matrix registers bf16, whose products cost least there.
    pub fn fastest() -> Precision {
        #[cfg(target_arch = "x86_64")]
        if amx::available() {
            return Precision::Bf16;
        }
        Precision::coarsest()
    }
}

impl Default for Precision {
    /// The fastest in which a network can be trained here.
    fn default() -> Precision {
        #[cfg(target_arch = "x86_64")]
        if bf16::available() {
            return Precision::Bf16;
        }
        Precision::F32
    }
}

impl FromStr for Precision {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Precision::ALL.into_iter().find(|precision| precision.name() == text);
        found.ok_or_else(|| format!("unknown precision `{text}`, expected f32, bf16 or int8"))
    }
}

/// A matrix inside a slice: `rows` x `columns`, element `(r, c)` at `offset + r * row_step + c * column_step`.
#[derive(Debug, Clone, Copy)]
pub struct View {
    pub offset: usize,
    pub rows: usize,
    pub columns: usize,
    pub row_step: usize,
    pub column_step: usize,
}

impl View {
    /// A dense row-major matrix from the slice's start.
    pub fn dense(rows: usize, columns: usize) -> View {
        View { offset: 0, rows, columns, row_step: columns, column_step: 1 }
    }

    /// `columns` neighbouring columns of a row-major matrix that is `width` wide, from `(row, column)`.
    pub fn part(width: usize, row: usize, column: usize, rows: usize, columns: usize) -> View {
        View { offset: row * width + column, rows, columns, row_step: width, column_step: 1 }
    }

    /// The same elements, transposed.
    pub fn transposed(self) -> View {
        let View { offset, rows, columns, row_step, column_step } = self;
        View { offset, rows: columns, columns: rows, row_step: column_step, column_step: row_step }
    }

    pub(super) fn end(&self) -> usize {
        match (self.rows, self.columns) {
            (0, _) | (_, 0) => 0,
            (rows, columns) => self.offset + (rows - 1) * self.row_step + (columns - 1) * self.column_step + 1,
        }
    }

    /// # Panics
    /// If `c = a * b` does not fit the shapes or a matrix leaves its slice.
    pub(super) fn check(c: &[f32], c_view: &View, a: &[f32], a_view: &View, b: &[f32], b_view: &View) {
        let inner = a_view.columns == b_view.rows;
        assert!(a_view.rows == c_view.rows && b_view.columns == c_view.columns && inner, "shapes");
        let inside = a_view.end() <= a.len() && b_view.end() <= b.len() && c_view.end() <= c.len();
        assert!(inside, "matrix leaves its slice");
    }
}

/// A right factor as products read it; empty where they read it as it lies.
#[derive(Debug, Clone, Default)]
pub struct Panels {
    #[cfg(target_arch = "x86_64")]
    lines: Vec<super::bf16_pack::Line>,
    #[cfg(target_arch = "x86_64")]
    weights8: int8::Weights8,
}

impl Panels {
    /// Packs a matrix that stays as it is.
    pub(super) fn pack_weights(&mut self, precision: Precision, values: &[f32], view: View) {
        #[cfg(target_arch = "x86_64")]
        {
            if precision == Precision::Int8 && int8::available() && bf16::worthwhile(&view) {
                self.lines.clear();
                return self.weights8.pack(values, view);
            }
            self.weights8.clear();
        }
        self.pack(precision, values, view);
    }

    /// Packs a matrix where products in this precision want it.
    pub(super) fn pack(&mut self, precision: Precision, values: &[f32], view: View) {
        #[cfg(target_arch = "x86_64")]
        {
            if precision != Precision::F32 && bf16::available() && bf16::worthwhile(&view) {
                bf16::pack_right(&mut self.lines, values, view);
            } else {
                self.lines.clear();
            }
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = (precision, values, view);
    }

    pub(super) fn is_empty(&self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            self.lines.is_empty() && self.weights8.is_empty()
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            true
        }
    }
}

/// The right factor of a product, and its packed form.
#[derive(Debug, Clone, Copy)]
pub struct Factor<'a> {
    pub values: &'a [f32],
    pub view: View,
    pub panels: &'a Panels,
}

/// Matrix products of one worker: their precision, and the buffers that it needs.
#[derive(Debug, Clone, Default)]
pub struct Products {
    pub precision: Precision,
    #[cfg(target_arch = "x86_64")]
    pub(super) packed: bf16::Packed,
    #[cfg(target_arch = "x86_64")]
    rounded: int8::Rounded,
}

impl Products {
    pub fn new(precision: Precision) -> Products {
        Products { precision, ..Products::default() }
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn in_bf16(&self) -> bool {
        self.precision != Precision::F32 && bf16::available()
    }

    /// Whether large products go through matrix registers.
    pub(super) fn in_tiles(&self) -> bool {
        #[cfg(target_arch = "x86_64")]
        {
            self.precision == Precision::Bf16 && amx::available()
        }
        #[cfg(not(target_arch = "x86_64"))]
        {
            false
        }
    }

    /// `c = a * b`, or `c += a * b` with `add`; scaled by `scale`.
    ///
    /// # Panics
    /// If the shapes do not fit or a matrix leaves its slice.
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
        #[cfg(target_arch = "x86_64")]
        if self.in_bf16() && bf16::accepts(&c_view, &a_view, &b_view) {
            return self.packed.matmul(c, c_view, a, a_view, b, b_view, add, scale);
        }
        matmul_f32(c, c_view, a, a_view, b, b_view, add, scale);
    }

    /// `c[m, n] = a[m, k] * b[k, n]`, dense.
    pub fn multiply(&mut self, c: &mut [f32], a: &[f32], b: &[f32], m: usize, k: usize, n: usize) {
        self.matmul(c, View::dense(m, n), a, View::dense(m, k), b, View::dense(k, n), false, 1.0);
    }

    /// `c[m, n] = a[m, k] * b[k, n]`, `a` and `c` dense: a linear map, or with its transpose the gradient of its input.
    pub fn apply(&mut self, c: &mut [f32], a: &[f32], b: Factor) {
        let View { rows: k, columns: n, .. } = b.view;
        let m = a.len() / k;
        self.apply_view(c, View::dense(m, n), a, View::dense(m, k), b, 1.0);
    }

    /// `c = scale * a * b`. The same bits for some rows of `a` as for all, where `b` is packed.
    pub fn apply_view(&mut self, c: &mut [f32], c_view: View, a: &[f32], a_view: View, b: Factor, scale: f32) {
        #[cfg(target_arch = "x86_64")]
        if !b.panels.weights8.is_empty() {
            return self.rounded.multiply(c, c_view, a, a_view, &b.panels.weights8, scale);
        }
        #[cfg(target_arch = "x86_64")]
        if self.in_bf16() && !b.panels.is_empty() {
            return self.packed.multiply_panels(c, c_view, a, a_view, &b.panels.lines, scale);
        }
        self.matmul(c, c_view, a, a_view, b.values, b.view, false, scale);
    }

    /// `c[m, k] = a[m, n] * transpose(b[k, n])`, dense.
    pub fn multiply_transposed(&mut self, c: &mut [f32], a: &[f32], b: &[f32], m: usize, n: usize, k: usize) {
        self.matmul(c, View::dense(m, k), a, View::dense(m, n), b, View::dense(k, n).transposed(), false, 1.0);
    }

    /// `c[k, n] += transpose(a[m, k]) * b[m, n]`, dense: the gradient of a linear map's weight.
    pub fn add_transposed_product(&mut self, c: &mut [f32], a: &[f32], b: &[f32], m: usize, k: usize, n: usize) {
        self.matmul(c, View::dense(k, n), a, View::dense(m, k).transposed(), b, View::dense(m, n), true, 1.0);
    }
}

fn matmul_f32(c: &mut [f32], c_view: View, a: &[f32], a_view: View, b: &[f32], b_view: View, add: bool, scale: f32) {
    View::check(c, &c_view, a, &a_view, b, &b_view);
    if c_view.rows == 0 || c_view.columns == 0 {
        return;
    }
    // SAFETY: the check above keeps every element of the three matrices inside its slice; `c` is borrowed mutably, so
    // it cannot overlap `a` or `b`; f32 has no invalid values.
    unsafe {
        gemm::gemm(
            c_view.rows,
            c_view.columns,
            a_view.columns,
            c.as_mut_ptr().add(c_view.offset),
            c_view.column_step as isize,
            c_view.row_step as isize,
            add,
            a.as_ptr().add(a_view.offset),
            a_view.column_step as isize,
            a_view.row_step as isize,
            b.as_ptr().add(b_view.offset),
            b_view.column_step as isize,
            b_view.row_step as isize,
            1.0,
            scale,
            false,
            false,
            false,
            Parallelism::None,
        );
    }
}

/// The best rate of a large matrix product on one thread, in a precision and with a right factor that is packed already, in
/// GFLOP/s: what [`crate::kernel`] can be measured against.
pub fn peak_gflops(precision: Precision, seconds: f64) -> f64 {
    let size = 768;
    let (a, b) = (vec![0.5f32; size * size], vec![0.25f32; size * size]);
    let mut c = vec![0.0f32; size * size];
    let (mut products, mut panels) = (Products::new(precision), Panels::default());
    panels.pack_weights(precision, &b, View::dense(size, size));
    let b = Factor { values: &b, view: View::dense(size, size), panels: &panels };
    let (begin, mut best) = (std::time::Instant::now(), f64::INFINITY);
    while begin.elapsed().as_secs_f64() < seconds {
        let step = std::time::Instant::now();
        products.apply(&mut c, &a, b);
        best = best.min(step.elapsed().as_secs_f64());
    }
    2.0 * (size as f64).powi(3) / best / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_agree_with_the_definition() {
        let (m, k, n) = (3, 4, 2);
        let a: Vec<f32> = (0..m * k).map(|i| i as f32 - 5.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| (i * i) as f32 * 0.5).collect();
        let plain = |r: usize, c: usize| (0..k).map(|i| a[r * k + i] * b[i * n + c]).sum::<f32>();
        let mut products = Products::new(Precision::F32);
        let mut c = vec![9.0; m * n];
        products.multiply(&mut c, &a, &b, m, k, n);
        assert!((0..m * n).all(|i| c[i] == plain(i / n, i % n)), "{c:?}");
        let mut back = vec![0.0; m * k];
        products.multiply_transposed(&mut back, &c, &b, m, n, k);
        let expected: f32 = (0..n).map(|i| c[n + i] * b[2 * n + i]).sum();
        assert_eq!(back[k + 2], expected);
        let mut weight = vec![1.0; k * n];
        products.add_transposed_product(&mut weight, &a, &c, m, k, n);
        let expected: f32 = 1.0 + (0..m).map(|row| a[row * k + 3] * c[row * n + 1]).sum::<f32>();
        assert_eq!(weight[3 * n + 1], expected);
    }

    /// Whatever the processor has, AVX-512, AVX2 or neither: within 2e-6 of the sum of magnitudes.
    #[test]
    fn large_products_in_f32_agree_with_the_definition() {
        let (m, k, n) = (61, 397, 83);
        let a: Vec<f32> = (0..m * k).map(|i| ((i * 7919) % 1009) as f32 / 504.5 - 1.0).collect();
        let b: Vec<f32> = (0..k * n).map(|i| ((i * 6007) % 2003) as f32 / 1001.5 - 1.0).collect();
        let mut c = vec![0.0; m * n];
        Products::new(Precision::F32).multiply(&mut c, &a, &b, m, k, n);
        for (at, &found) in c.iter().enumerate() {
            let terms = (0..k).map(|i| f64::from(a[at / n * k + i]) * f64::from(b[i * n + at % n]));
            let (sum, magnitude) = terms.fold((0.0, 0.0), |(sum, size), term| (sum + term, size + term.abs()));
            assert!((f64::from(found) - sum).abs() < 2e-6 * magnitude, "{at}: {found} for {sum}");
        }
    }

    #[test]
    #[should_panic(expected = "leaves its slice")]
    fn a_matrix_outside_its_slice_is_refused() {
        Products::default().multiply(&mut [0.0; 4], &[0.0; 3], &[0.0; 4], 2, 2, 2);
    }
}
