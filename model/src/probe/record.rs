//! What one seed gave in one probe: a line of JSON, and a strip of pictures for people.

use super::Role;
use holdfast_sim::Frame;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The figures of one probe on one seed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    pub probe: String,
    pub seed: u64,
    /// Those that were asked for: a run that asks for others runs the seed again.
    #[serde(default)]
    pub roles: Vec<Role>,
    /// Metric -> role -> the numbers that its estimate takes: `[sum, weight, trials]` for a mean.
    pub values: BTreeMap<String, BTreeMap<Role, Vec<f64>>>,
    /// Wall clock that it took, on one of the suite's threads.
    #[serde(default)]
    pub took_s: f64,
    /// Pictures for people, kept beside the records.
    #[serde(skip)]
    pub strip: Vec<StripColumn>,
}

/// Truth above subject above memory off, at one tick.
#[derive(Debug, Clone, PartialEq)]
pub struct StripColumn {
    pub tick: usize,
    pub pictures: Vec<Frame>,
}

impl Record {
    pub fn new(probe: &str, seed: u64) -> Record {
        let (values, roles, strip) = Default::default();
        Record { probe: probe.into(), seed, roles, values, took_s: 0.0, strip }
    }

    /// Adds one trial that counts as `sum` of `weight`.
    pub fn add_share(&mut self, metric: &str, role: Role, sum: f64, weight: f64) {
        let values = self.values.entry(metric.into()).or_default().entry(role).or_insert_with(|| vec![0.0; 3]);
        values[0] += sum;
        values[1] += weight;
        values[2] += 1.0;
    }

    /// Adds one trial.
    pub fn add(&mut self, metric: &str, role: Role, value: f64) {
        self.add_share(metric, role, value, 1.0);
    }

    /// Sets the numbers of an estimate that is no mean.
    pub fn set(&mut self, metric: &str, role: Role, numbers: Vec<f64>) {
        self.values.entry(metric.into()).or_default().insert(role, numbers);
    }

    /// Keeps a picture for people; pictures of one tick stand below each other in the order in which they come.
    pub fn picture(&mut self, tick: usize, frame: &Frame) {
        match self.strip.iter_mut().find(|column| column.tick == tick) {
            Some(column) => column.pictures.push(frame.clone()),
            None => self.strip.push(StripColumn { tick, pictures: vec![frame.clone()] }),
        }
    }

    /// The mean of a metric on this seed.
    pub fn mean(&self, metric: &str, role: Role) -> Option<f64> {
        let numbers = self.values.get(metric)?.get(&role)?;
        (numbers.len() == 3 && numbers[1] > 0.0).then(|| numbers[0] / numbers[1])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_reads_back_from_its_line() {
        let mut record = Record::new("drift", 1_000_001);
        record.add("psnr_db", Role::Subject, 20.5);
        record.add("psnr_db", Role::Subject, 21.5);
        record.add_share("rate", Role::MemoryOff, 3.0, 4.0);
        record.set("features", Role::Truth, vec![0.25; 5]);
        let line = serde_json::to_string(&record).expect("plain fields");
        assert!(!line.contains('\n'));
        assert_eq!(serde_json::from_str::<Record>(&line).expect("what was written"), record);
        assert_eq!(record.mean("psnr_db", Role::Subject), Some(21.0));
        assert_eq!(record.mean("rate", Role::MemoryOff), Some(0.75));
        assert_eq!(record.mean("features", Role::Truth), None);
    }
}
