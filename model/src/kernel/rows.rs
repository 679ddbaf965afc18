//! The arithmetic between the matrix products, row by row, forward and backward: the plain loops of [`super::rows_plain`],
//! which the compiler turns into vectors for each kind of processor (`multiversion`). Lanes and the order of sums are
//! written out there, so all kinds give the same bits.

use super::rows_plain as plain;
use multiversion::multiversion;

macro_rules! dispatched {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*);)*) => {
        $(
            $(#[$doc])*
            #[multiversion(targets(
                "x86_64+avx512f+avx512vl+avx512dq+avx512bw+fma",
                "x86_64+avx2+fma",
                "aarch64+neon"
            ))]
            pub fn $name($($argument: $kind),*) {
                plain::$name($($argument),*)
            }
        )*

        /// The same for processors without AVX-512, for the test.
        #[cfg(all(test, target_arch = "x86_64"))]
        mod avx2 {
            use super::plain;
            $(
                #[target_feature(enable = "avx2,fma")]
                pub fn $name($($argument: $kind),*) {
                    plain::$name($($argument),*)
                }
            )*
        }
    };
}

dispatched! {
    /// Divides each row of `d` values by its root mean square, then scales and shifts by rows that `count` rows share.
    /// `inverse` receives one over the root mean square of each row.
    modulate(out: &mut [f32], inverse: &mut [f32], x: &[f32], shift: &[f32], scale: &[f32]);
    /// The gradient of [`modulate`]: adds to `d_x`, `d_shift` and `d_scale`.
    modulate_back(d_x: &mut [f32], d_shift: &mut [f32], d_scale: &mut [f32], d_out: &[f32], x: &[f32], inverse: &[f32], scale: &[f32]);
    /// Normalises one head's rows, scales them and rotates them to their positions: `x` has `stride` values a row, of which
    /// the first `scale.len()` are the head's; `out` likewise.
    norm_rotate(out: &mut [f32], out_stride: usize, inverse: &mut [f32], x: &[f32], stride: usize, scale: &[f32], cos: &[f32], sin: &[f32]);
    /// The gradient of [`norm_rotate`]: writes `d_x`, adds to `d_scale`; `d_out` is overwritten.
    norm_rotate_back(d_x: &mut [f32], stride: usize, d_scale: &mut [f32], d_out: &mut [f32], out_stride: usize, x: &[f32], inverse: &[f32], scale: &[f32], cos: &[f32], sin: &[f32]);
    /// Softmax of each row of `d` values, in place.
    softmax(x: &mut [f32], d: usize);
    /// The gradient of [`softmax`] times `scale`: `d_p` becomes the gradient of the scores.
    softmax_back(d_p: &mut [f32], p: &[f32], d: usize, scale: f32);
    /// `relu` in place, and its square into `squared`.
    relu_squared(x: &mut [f32], squared: &mut [f32]);
    /// The square of `relu`, in place.
    relu_square(x: &mut [f32]);
    /// `out += x * gate / rms(x)`, row by row, the gate shared by all rows: a branch may say which way, its gate says how
    /// far. `inverse` receives one over the root mean square of each row.
    add_gated(out: &mut [f32], inverse: &mut [f32], x: &[f32], gate: &[f32]);
    /// The gradient of [`add_gated`]: writes `d_x`, adds to `d_gate`.
    add_gated_back(d_x: &mut [f32], d_gate: &mut [f32], d_out: &[f32], x: &[f32], inverse: &[f32], gate: &[f32]);
    /// Divides each row of `d` values by its root mean square; `inverse` receives one over it.
    norm(out: &mut [f32], inverse: &mut [f32], x: &[f32], d: usize);
    /// The gradient of [`norm`], in place.
    norm_back(d_x: &mut [f32], normed: &[f32], inverse: &[f32], d: usize);
    /// Adds `bias` to each row.
    add_bias(x: &mut [f32], bias: &[f32]);
    /// Adds each row to `d_bias`.
    add_rows(d_bias: &mut [f32], d_x: &[f32]);
}

#[cfg(test)]
#[allow(unsafe_code)] // calls of what is compiled for AVX2, on a processor that has it
mod tests {
    use super::*;
    use crate::weights::normal;
    use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};

    #[test]
    fn softmax_rows_sum_to_one() {
        let mut x = vec![1.0, 2.0, 3.0, -50.0, 0.0, 50.0];
        softmax(&mut x, 3);
        assert!((x[..3].iter().sum::<f32>() - 1.0).abs() < 1e-6 && (x[5] - 1.0).abs() < 1e-6, "{x:?}");
    }

    /// Runs `$name` by the plain loops, as compiled for AVX2 and as dispatched here: the written arguments must agree to
    /// the bit, so the largest relative error is 0.
    macro_rules! check {
        ($name:ident, ($($written:ident),*), ($($argument:expr),*)) => {
            let before = ($($written.clone(),)*);
            plain::$name($($argument),*);
            let expected = ($($written.clone(),)*);
            ($($written,)*) = before.clone();
            $name($($argument),*);
            assert!(($($written.clone(),)*) == expected, "{}, dispatched", stringify!($name));
            ($($written,)*) = before;
            #[cfg(target_arch = "x86_64")]
            if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
                // SAFETY: the processor has the instructions.
                unsafe { avx2::$name($($argument),*) };
                assert!(($($written.clone(),)*) == expected, "{}, AVX2", stringify!($name));
            }
        };
    }

    #[test]
    #[allow(unused_assignments)] // the last call's results are compared, not used
    fn every_kind_of_processor_gives_the_bits_of_the_plain_loops() {
        let (rows, d) = (7, 44);
        let mut rng = ChaCha8Rng::seed_from_u64(9);
        let mut draw = |len: usize| -> Vec<f32> { (0..len).map(|_| normal(&mut rng)).collect() };
        let (x, y, scale, shift) = (draw(rows * d), draw(rows * d), draw(d), draw(d));
        let (cos, sin) = (draw(rows * d / 2), draw(rows * d / 2));
        let (mut out, mut inverse, mut sums, mut more) = (draw(rows * d), draw(rows), draw(d), draw(d));
        let mut work = draw(rows * d);
        check!(modulate, (out, inverse), (&mut out, &mut inverse, &x, &shift, &scale));
        check!(modulate_back, (out, sums, more), (&mut out, &mut sums, &mut more, &y, &x, &inverse, &scale));
        check!(norm, (out, inverse), (&mut out, &mut inverse, &x, d));
        check!(norm_back, (out), (&mut out, &x, &inverse, d));
        check!(norm_rotate, (out, inverse), (&mut out, d, &mut inverse, &x, d, &scale, &cos, &sin));
        check!(
            norm_rotate_back,
            (out, sums, work),
            (&mut out, d, &mut sums, &mut work, d, &x, &inverse, &scale, &cos, &sin)
        );
        check!(softmax, (out), (&mut out, d));
        check!(softmax_back, (out), (&mut out, &y, d, 0.3));
        check!(relu_squared, (out, work), (&mut out, &mut work));
        check!(relu_square, (out), (&mut out));
        check!(add_gated, (out, inverse), (&mut out, &mut inverse, &x, &scale));
        check!(add_gated_back, (out, sums), (&mut out, &mut sums, &y, &x, &inverse, &scale));
        check!(add_bias, (out), (&mut out, &shift));
        check!(add_rows, (sums), (&mut sums, &x));
    }
}
