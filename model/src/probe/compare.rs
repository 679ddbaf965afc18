//! Two runs beside each other: other seeds of the same world, or another world on the same seeds.

use super::{
    Metric, Probe, Record, Role,
    estimate::{bootstrap, drawn},
    report::{number, short},
};
use serde::Serialize;
use std::collections::BTreeMap;

/// What another run found.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    pub model_hash: String,
    /// First, and one past the last, of those that it has.
    pub seeds: [u64; 2],
    /// Probe -> metric.
    pub probes: BTreeMap<&'static str, BTreeMap<String, Compared>>,
}

/// A metric in two runs.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Compared {
    /// The figure of this run and that of the other: of the seeds that both have, where there are some.
    pub value: f64,
    pub other: f64,
    /// 95% bounds of `value - other`, bootstrap over seeds: over those that both runs have, drawn together, or over each
    /// run's own where they have none in common.
    pub difference_lower95: f64,
    pub difference_upper95: f64,
}

impl Compared {
    /// Whether the difference is within what chance makes of it: one in twenty is not, of equal worlds.
    pub fn is_same(&self) -> bool {
        self.difference_lower95 <= 0.0 && self.difference_upper95 >= 0.0
    }

    /// Its row in a table for people.
    pub fn cells(&self, probe: &str, metric: &str) -> [String; 5] {
        let [value, other, lower, upper] =
            [self.value, self.other, self.difference_lower95, self.difference_upper95].map(number);
        let same = if self.is_same() { "yes" } else { "no" };
        [format!("{probe} {metric}"), value, other, format!("{lower} .. {upper}"), same.into()]
    }

    fn new(metric: &Metric, own: &[&Record], others: &[&Record]) -> Option<Compared> {
        let [own, others] = [own, others].map(|records| numbers(metric, records));
        let common: Vec<u64> = own.keys().filter(|seed| others.contains_key(seed)).copied().collect();
        let estimate = |of: &BTreeMap<u64, &[f64]>, seeds: &[u64]| {
            metric.estimate.value(&seeds.iter().map(|seed| of[seed]).collect::<Vec<_>>())
        };
        let (value, other, [difference_lower95, difference_upper95]) = if common.is_empty() {
            let [own_seeds, other_seeds] = [&own, &others].map(|of| of.keys().copied().collect::<Vec<u64>>());
            let (value, other) = (estimate(&own, &own_seeds)?, estimate(&others, &other_seeds)?);
            let bounds = bootstrap(value - other, |draw| {
                Some(estimate(&own, &drawn(&own_seeds, draw))? - estimate(&others, &drawn(&other_seeds, draw))?)
            });
            (value, other, bounds)
        } else {
            let (value, other) = (estimate(&own, &common)?, estimate(&others, &common)?);
            let bounds = bootstrap(value - other, |draw| {
                let seeds = drawn(&common, draw);
                Some(estimate(&own, &seeds)? - estimate(&others, &seeds)?)
            });
            (value, other, bounds)
        };
        Some(Compared { value, other, difference_lower95, difference_upper95 })
    }
}

/// What the columns of [`Comparison::rows`] say.
pub const COLUMNS: [&str; 5] = ["metric", "this run", "other run", "difference, 95% bounds", "same"];

impl Comparison {
    /// A row for each metric, for people.
    pub fn rows(&self) -> Vec<[String; 5]> {
        let rows = self.probes.iter().flat_map(|(probe, metrics)| metrics.iter().map(move |(m, c)| c.cells(probe, m)));
        rows.collect()
    }

    /// What they say together, in a sentence or two.
    pub fn summary(&self) -> String {
        let all: Vec<&Compared> = self.probes.values().flat_map(|metrics| metrics.values()).collect();
        let same = all.iter().filter(|compared| compared.is_same()).count();
        format!(
            "The other run: model {}, seeds {} to {}. {same} of {} metrics are the same within their bounds; of equal \
             worlds, chance parts one in twenty. Where the runs have seeds in common, those are compared.",
            short(&self.model_hash),
            self.seeds[0],
            self.seeds[1] - 1,
            all.len(),
        )
    }

    /// Of this run's records and those of the other, which has some.
    pub fn new(probes: &[Box<dyn Probe>], own: &[Record], others: &[Record], model_hash: &str) -> Comparison {
        let mut found = BTreeMap::new();
        for probe in probes {
            let of_probe = |record: &&Record| record.probe == probe.id();
            let [own, others] = [own, others].map(|records| records.iter().filter(of_probe).collect::<Vec<_>>());
            let metrics = probe.metrics();
            let compared = metrics.iter().filter_map(|m| Some((m.name.clone(), Compared::new(m, &own, &others)?)));
            found.insert(probe.id(), compared.collect());
        }
        let (first, last) = others.iter().fold((u64::MAX, 0), |(first, last), r| (first.min(r.seed), last.max(r.seed)));
        Comparison { model_hash: model_hash.into(), seeds: [first, last + 1], probes: found }
    }
}

/// The subject's numbers by seed.
fn numbers<'a>(metric: &Metric, records: &[&'a Record]) -> BTreeMap<u64, &'a [f64]> {
    let of = |record: &&'a Record| {
        let numbers = record.values.get(&metric.name)?.get(&Role::Subject)?;
        Some((record.seed, numbers.as_slice()))
    };
    records.iter().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(seeds: impl Iterator<Item = u64>, value: impl Fn(u64) -> f64) -> Vec<Record> {
        let record = |seed| {
            let mut record = Record::new("known", seed);
            record.add("holds", Role::Subject, value(seed));
            record
        };
        seeds.map(record).collect()
    }

    fn compared(own: &[Record], others: &[Record]) -> Option<Compared> {
        let [own, others] = [own, others].map(|records| records.iter().collect::<Vec<_>>());
        Compared::new(&Metric::mean("holds"), &own, &others)
    }

    #[test]
    fn equal_worlds_on_other_seeds_are_the_same_and_a_worse_one_is_not() {
        let wave = |seed: u64| (seed * 37 % 101) as f64 / 101.0;
        let own = records(0..80, wave);
        let same = compared(&own, &records(1000..1080, wave)).expect("both counted");
        assert!(same.is_same() && same.value != same.other, "{same:?}");
        let worse = compared(&own, &records(1000..1080, |seed| wave(seed) - 0.3)).expect("both counted");
        assert!(!worse.is_same() && worse.difference_lower95 > 0.0, "{worse:?}");
        assert_eq!(compared(&own, &[]), None);
    }

    #[test]
    fn on_common_seeds_a_small_difference_is_seen_through_a_large_spread() {
        let wave = |seed: u64| (seed * 37 % 101) as f64;
        let [own, others] = [records(0..40, wave), records(20..80, |seed| wave(seed) + 0.01)];
        let found = compared(&own, &others).expect("20 seeds are common");
        assert!((found.difference_upper95 + 0.01).abs() < 1e-9 && !found.is_same(), "{found:?}");
    }
}
