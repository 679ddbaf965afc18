//! From records to a figure with its bounds: means, Frechet ratios, and the bootstrap over seeds.

use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::Serialize;

/// How the numbers of many seeds become one figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Estimate {
    /// Sum over sum of `[sum, weight, trials]`.
    Mean,
    /// How much further from the truth late pieces of film are than early ones: `d(late) / d(early)`, each a Frechet
    /// distance between the features of all seeds and the truth's, with diagonal covariances. A seed's numbers are the
    /// features of `[early, true early, late, true late]`, one after the other.
    ///
    /// Both are means over draws of a fixed number of worlds, and the distance between the truth of two such draws is added
    /// above and below: the truth itself has ratio 1, and figures of few and of many seeds can stand beside each other.
    FrechetRatio,
    /// Of the same numbers: `d(late)`, in units of the distance between two draws of the truth; the truth itself has 1.
    FrechetLate,
}

/// A figure and its 95% bounds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounded {
    pub value: f64,
    pub lower95: f64,
    pub upper95: f64,
    /// Trials that counted.
    pub n: u64,
    /// Seeds on which some counted: trials of one seed are not independent.
    pub seeds: u64,
}

const RESAMPLES: usize = 1000;
/// The same records give the same bounds.
const SEED: u64 = 0x626f_6f74;
/// Worlds whose features make a Frechet distance, where there are twice as many; and how often they are drawn.
const WORLDS_OF_DISTANCE: usize = 25;
const DRAWS_OF_DISTANCE: usize = 16;

impl Estimate {
    /// The figure of some seeds' numbers; `None` when nothing counted.
    pub fn value(self, seeds: &[&[f64]]) -> Option<f64> {
        match self {
            Estimate::Mean => {
                let (sum, weight) = seeds.iter().fold((0.0, 0.0), |(s, w), numbers| (s + numbers[0], w + numbers[1]));
                (weight > 0.0).then(|| sum / weight)
            }
            Estimate::FrechetRatio => frechet_distances(seeds).map(|[early, late, _]| late / early),
            Estimate::FrechetLate => frechet_distances(seeds).map(|[_, late, chance]| late / chance),
        }
    }

    fn trials(self, seeds: &[&[f64]]) -> u64 {
        match self {
            Estimate::Mean => seeds.iter().map(|numbers| numbers[2]).sum::<f64>() as u64,
            Estimate::FrechetRatio | Estimate::FrechetLate => seeds.len() as u64,
        }
    }

    fn counted(self, seeds: &[&[f64]]) -> u64 {
        let counts = |numbers: &&&[f64]| self != Estimate::Mean || numbers[1] > 0.0;
        seeds.iter().filter(counts).count() as u64
    }

    /// The figure with percentile bootstrap bounds over seeds (Efron and Tibshirani, 1993, chapter 13): trials of one
    /// seed are not independent, so whole seeds are drawn.
    pub fn bounded(self, seeds: &[&[f64]]) -> Option<Bounded> {
        let value = self.value(seeds)?;
        let [lower95, upper95] = bootstrap(value, |draw| self.value(&drawn(seeds, draw)));
        Some(Bounded { value, lower95, upper95, n: self.trials(seeds), seeds: self.counted(seeds) })
    }
}

/// As many of the given as there are, each drawn with `draw`.
pub fn drawn<T: Copy>(all: &[T], draw: &mut dyn FnMut(usize) -> usize) -> Vec<T> {
    (0..all.len()).map(|_| all[draw(all.len())]).collect()
}

/// The 95% percentile bounds of what `figure_of` makes of draws with replacement: its argument draws a whole number below
/// the one that it is given. A draw of which nothing counts is left out; where none counts, the value stands alone.
pub fn bootstrap(value: f64, figure_of: impl Fn(&mut dyn FnMut(usize) -> usize) -> Option<f64>) -> [f64; 2] {
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut draw = |below: usize| ((u64::from(rng.next_u32()) * below as u64) >> 32) as usize;
    let mut resampled: Vec<f64> = (0..RESAMPLES).filter_map(|_| figure_of(&mut draw)).collect();
    resampled.sort_by(f64::total_cmp);
    [0.025, 0.975].map(|share| {
        let index = (share * resampled.len() as f64) as usize;
        resampled.get(index.min(resampled.len().saturating_sub(1))).copied().unwrap_or(value)
    })
}

/// Mean and standard deviation of each feature over the seeds.
fn moments(seeds: &[&[f64]], part: usize, of: usize) -> Vec<(f64, f64)> {
    let features = seeds[0].len() / of;
    let count = seeds.len() as f64;
    (part * features..(part + 1) * features)
        .map(|at| {
            let mean = seeds.iter().map(|numbers| numbers[at]).sum::<f64>() / count;
            let variance = seeds.iter().map(|numbers| (numbers[at] - mean).powi(2)).sum::<f64>() / count;
            (mean, variance.sqrt())
        })
        .collect()
}

/// Squared Frechet distance of two Gaussians with diagonal covariances.
fn frechet(a: &[(f64, f64)], b: &[(f64, f64)]) -> f64 {
    a.iter().zip(b).map(|((m, s), (n, t))| (m - n).powi(2) + (s - t).powi(2)).sum()
}

/// Distance of the early and of the late features from the truth's, each with that between two draws of the truth added;
/// and that.
fn frechet_distances(seeds: &[&[f64]]) -> Option<[f64; 3]> {
    let worlds = (seeds.len() / 2).min(WORLDS_OF_DISTANCE);
    if worlds == 0 {
        return None;
    }
    let first = |seed: &&[f64]| seeds.iter().position(|other| std::ptr::eq(*other, *seed)).unwrap_or(0);
    let firsts: Vec<usize> = seeds.iter().map(first).collect();
    let mut rng = ChaCha8Rng::seed_from_u64(SEED);
    let mut sum = [0.0; 3];
    for _ in 0..DRAWS_OF_DISTANCE {
        let keys: Vec<u64> = seeds.iter().map(|_| rng.next_u64()).collect();
        // A resample holds seeds twice. Each world counts once in a draw, or the spread of fewer worlds would be taken for
        // that of the truth; one that is held twice is drawn sooner.
        let mut order: Vec<usize> = (0..seeds.len()).collect();
        order.sort_by_key(|&at| (keys[at], at));
        let mut taken = vec![false; seeds.len()];
        order.retain(|&at| !std::mem::replace(&mut taken[firsts[at]], true));
        if order.len() < 2 * worlds {
            // Too few are left: then each stays on one side, or the truth would be near itself.
            order = (0..seeds.len()).collect();
            order.sort_by_key(|&at| (keys[firsts[at]], at));
        }
        let [one, other] = [&order[..worlds], &order[order.len() - worlds..]]
            .map(|of| of.iter().map(|&at| seeds[at]).collect::<Vec<&[f64]>>());
        let [one, other] = [one, other].map(|of| [0, 1, 2, 3].map(|part| moments(&of, part, 4)));
        sum[0] += (frechet(&one[0], &one[1]) + frechet(&other[0], &other[1])) / 2.0;
        sum[1] += (frechet(&one[2], &one[3]) + frechet(&other[2], &other[3])) / 2.0;
        sum[2] += (frechet(&one[1], &other[1]) + frechet(&one[3], &other[3])) / 2.0;
    }
    let [early, late, chance] = sum.map(|sum| sum / DRAWS_OF_DISTANCE as f64);
    let chance = chance.max(1e-9);
    Some([early + chance, late + chance, chance])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_of_a_known_case() {
        // 100 seeds, 80 right: the bounds of a share of 0.8 are near 0.8 +- 1.96 * 0.04 (normal approximation).
        let seeds: Vec<[f64; 3]> = (0..100).map(|at| [if at % 5 == 0 { 0.0 } else { 1.0 }, 1.0, 1.0]).collect();
        let seeds: Vec<&[f64]> = seeds.iter().map(|numbers| &numbers[..]).collect();
        let found = Estimate::Mean.bounded(&seeds).expect("100 seeds");
        assert_eq!((found.value, found.n, found.seeds), (0.8, 100, 100));
        assert!((found.lower95 - 0.72).abs() <= 0.011 && (found.upper95 - 0.88).abs() <= 0.011, "{found:?}");
        assert_eq!(Estimate::Mean.bounded(&seeds), Some(found));
        assert_eq!(Estimate::Mean.bounded(&[]), None);
    }

    #[test]
    fn seeds_without_spread_have_no_width() {
        let seeds = [&[3.0, 2.0, 2.0][..]; 7];
        let expected = Bounded { value: 1.5, lower95: 1.5, upper95: 1.5, n: 14, seeds: 7 };
        assert_eq!(Estimate::Mean.bounded(&seeds), Some(expected));
    }

    #[test]
    fn the_truth_does_not_drift_and_a_late_offset_does() {
        let wave = |seed: usize| ((seed * 37 % 101) as f64) / 101.0;
        let with_offset = |offset: f64| -> Vec<[f64; 4]> {
            (0..40).map(|seed| [wave(seed), wave(seed), wave(seed + 1) + offset, wave(seed + 1)]).collect()
        };
        let ratio = |offset| {
            let seeds = with_offset(offset);
            let seeds: Vec<&[f64]> = seeds.iter().map(|numbers| &numbers[..]).collect();
            Estimate::FrechetRatio.value(&seeds).expect("40 seeds")
        };
        assert!((ratio(0.0) - 1.0).abs() < 1e-9);
        assert!(ratio(0.5) > 2.0 && ratio(1.0) > ratio(0.5));
        let numbers = with_offset(0.0);
        let numbers: Vec<&[f64]> = numbers.iter().map(|numbers| &numbers[..]).collect();
        assert!((Estimate::FrechetLate.value(&numbers).expect("40 seeds") - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_drift_is_as_far_for_fifty_worlds_as_for_two_hundred() {
        let dice = |seed: usize| ((seed * 7919 % 1009) as f64) / 1009.0;
        let bounded = |estimate: Estimate, count: usize| {
            let numbers: Vec<[f64; 4]> = (0..count)
                .map(|seed| [dice(seed) + 0.1, dice(seed), dice(seed + 500) + 0.3, dice(seed + 500)])
                .collect();
            let seeds: Vec<&[f64]> = numbers.iter().map(|numbers| &numbers[..]).collect();
            estimate.bounded(&seeds).expect("enough seeds")
        };
        let [some, many] = [50, 200].map(|count| bounded(Estimate::FrechetRatio, count));
        assert!((some.value - many.value).abs() < 0.25 * many.value, "{some:?} {many:?}");
        for found in [some, many, bounded(Estimate::FrechetLate, 200)] {
            assert!(found.lower95 < found.value && found.value < found.upper95, "{found:?}");
        }
    }
}
