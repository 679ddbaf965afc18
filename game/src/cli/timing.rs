//! Durations in milliseconds and their percentiles.

use std::time::Instant;

/// Milliseconds since `start`.
pub fn elapsed_ms(start: Instant) -> f64 {
    start.elapsed().as_secs_f64() * 1e3
}

/// The durations of many steps.
#[derive(Debug, Default)]
pub struct Durations {
    ms: Vec<f64>,
}

impl Durations {
    pub fn push(&mut self, ms: f64) {
        self.ms.push(ms);
    }

    pub fn len(&self) -> usize {
        self.ms.len()
    }

    /// 0 for none.
    pub fn mean(&self) -> f64 {
        self.ms.iter().sum::<f64>() / self.ms.len().max(1) as f64
    }

    /// The smallest duration that at least `percent` of all reach or stay below (nearest rank); 0 for none.
    pub fn percentile(&self, percent: f64) -> f64 {
        let mut sorted = self.ms.clone();
        sorted.sort_by(f64::total_cmp);
        let rank = (percent / 100.0 * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0)
    }
}

/// A thousandth of a millisecond is as much as the clock means.
pub fn rounded(ms: f64) -> f64 {
    (ms * 1e3).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ms: &[f64], percent: f64, expected: f64) {
        assert_eq!(Durations { ms: ms.to_vec() }.percentile(percent), expected);
    }

    #[test]
    fn percentiles_are_by_nearest_rank() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        check(&hundred, 50.0, 50.0);
        check(&hundred, 95.0, 95.0);
        check(&hundred, 99.0, 99.0);
        check(&[3.0, 1.0], 50.0, 1.0);
        check(&[3.0, 1.0], 95.0, 3.0);
        check(&[7.0], 99.0, 7.0);
        check(&[], 50.0, 0.0);
    }
}
