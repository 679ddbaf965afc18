//! Exponential, logarithm and cosine in plain arithmetic: loops over them become vectors, calls of the system's library
//! do not. The same bits on every machine that rounds alike.

/// e to the x, relative error below 1e-6 for x in -87..88, beyond which it stays as it is there: range reduction by powers
/// of two and a polynomial (Cephes).
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    // What is added to a number of this size is rounded to whole numbers: here to that of the power of two, in the lowest
    // bits, from where it moves to its place.
    const WHOLE: f32 = 12_582_912.0 + 127.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + WHOLE;
    let n = shifted - WHOLE;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = ((((1.987_569_1e-4 * r + 1.398_199_9e-3) * r + 8.333_452e-3) * r + 4.166_579_6e-2) * r + 0.166_666_65) * r
        + 0.5;
    (p * r * r + r + 1.0) * f32::from_bits(shifted.to_bits() << 23)
}

/// The natural logarithm of a normal positive number, error below 2e-7 of it or of 1: the mantissa by a polynomial around
/// 1 (Cephes).
#[inline(always)]
pub fn ln(x: f32) -> f32 {
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
    // The exponent such that the mantissa lies between the root of a half and the root of two.
    let exponent = (x.to_bits().wrapping_sub(SQRT_HALF_BITS) as i32) >> 23;
    let m = f32::from_bits(x.to_bits().wrapping_sub((exponent << 23) as u32)) - 1.0;
    let e = exponent as f32;
    let p = 7.037_683_6e-2 * m - 0.115_146_1;
    let p = ((p * m + 0.116_769_98) * m - 0.124_201_41) * m + 0.142_493_23;
    let p = ((p * m - 0.166_680_57) * m + 0.200_007_15) * m - 0.249_999_94;
    let p = (p * m + 0.333_333_3) * m;
    let square = m * m;
    e * 0.693_359_4 + (m + (p * square - e * 2.121_944_4e-4 - 0.5 * square))
}

/// The cosine of a share of a full turn, 0..1, error below 3e-7.
#[inline(always)]
pub fn cos_of_turn(turn: f32) -> f32 {
    // The sine of what is left to a quarter, which is odd around it.
    let y = (0.25 - (turn - 0.5).abs()) * std::f32::consts::TAU;
    let s = y * y;
    let p = ((((-2.505_210_8e-8 * s + 2.755_731_9e-6) * s - 1.984_127e-4) * s + 8.333_333e-3) * s - 0.166_666_67) * s;
    -(y + y * p)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_accurate() {
        let error = |x: f32| (f64::from(exp(x)) / f64::from(x).exp() - 1.0).abs();
        let worst = (-8600..=8800).map(|i| error(i as f32 * 0.01)).fold(0.0, f64::max);
        assert!(worst < 1e-6, "{worst}");
        assert!(exp(1e9).is_finite() && exp(-1e9) > 0.0);
    }

    #[test]
    fn ln_and_cos_are_accurate() {
        for step in 1..=200_000 {
            let x = step as f32 / 100_000.0;
            let (found, expected) = (f64::from(ln(x)), f64::from(x).ln());
            assert!((found - expected).abs() < 2e-7 * expected.abs().max(1.0), "ln {x}: {found}, {expected}");
            let turn = step as f32 / 200_000.0;
            let (found, expected) = (f64::from(cos_of_turn(turn)), (f64::from(turn) * std::f64::consts::TAU).cos());
            assert!((found - expected).abs() < 4e-7, "cos {turn}: {found}, {expected}");
        }
        assert!((ln(1e-30) - 1e-30f32.ln()).abs() < 1e-5 && (ln(3e8) - 3e8f32.ln()).abs() < 1e-5);
    }
}
