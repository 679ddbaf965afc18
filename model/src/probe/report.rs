//! What machines read: `report.json`. Its keys are part of the product: adding is fine, renaming breaks.

use super::{
    Bounded, Comparison, Judged, Metric, Probe, Record, Role, Subject,
    estimate::{bootstrap, drawn},
};
use serde::Serialize;
use std::{collections::BTreeMap, ops::Range};

/// Raised when a key changes its meaning.
pub const SCHEMA: u32 = 1;

/// A whole report.
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub schema: u32,
    pub subject: String,
    pub model_hash: String,
    /// First, and one past the last.
    pub seeds: [u64; 2],
    pub command: String,
    pub version: &'static str,
    pub reader: ReaderReport,
    pub probes: BTreeMap<&'static str, ProbeReport>,
    /// Another run beside it, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub compared: Option<Comparison>,
}

/// The readers: which they are, and how much of true frames that of blocks reads right, pixel by pixel.
#[derive(Debug, Clone, Serialize)]
pub struct ReaderReport {
    pub hash: String,
    pub accuracy: f64,
    /// The inverse dynamics reader.
    pub keys_hash: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct ProbeReport {
    pub about: &'static str,
    /// The first of the metrics.
    pub headline: String,
    /// Seeds that are finished.
    pub seeds_done: usize,
    /// Wall clock of all its seeds, each on one of the suite's threads.
    pub took_s: f64,
    pub metrics: BTreeMap<String, Figure>,
    pub controls: BTreeMap<&'static str, Control>,
    /// What is asked of a world, and whether it is shown.
    pub bars: Vec<Judged>,
}

/// A figure with its bounds, between its floor and its ceiling.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    #[serde(flatten)]
    pub bounded: Bounded,
    pub floor: Option<f64>,
    pub ceiling: Option<f64>,
    /// `(value - floor) / (ceiling - floor)`, on the seeds on which all three were run; none where the ceiling is no better
    /// than the floor.
    pub gap_closed: Option<f64>,
    /// What the metric gives for true frames: the reader's own error, where one reads.
    pub on_true_frames: Option<f64>,
    pub higher_is_better: bool,
}

/// A control: the figure of the first metric that it has, and those of all.
#[derive(Debug, Clone, Serialize)]
pub struct Control {
    #[serde(flatten)]
    pub figure: Figure,
    pub metric: String,
    pub metrics: BTreeMap<String, Figure>,
}

impl Report {
    /// `records` are those of these seeds.
    pub fn new(
        subject: &dyn Subject,
        probes: &[Box<dyn Probe>],
        records: &[Record],
        seeds: &Range<u64>,
        command: &str,
        reader: ReaderReport,
    ) -> Report {
        let mut found = BTreeMap::new();
        for probe in probes {
            let records: Vec<&Record> = records.iter().filter(|record| record.probe == probe.id()).collect();
            found.insert(probe.id(), ProbeReport::new(probe.as_ref(), &records));
        }
        Report {
            schema: SCHEMA,
            subject: subject.name(),
            model_hash: subject.model_hash(),
            seeds: [seeds.start, seeds.end],
            command: command.into(),
            version: env!("CARGO_PKG_VERSION"),
            reader,
            probes: found,
            compared: None,
        }
    }

    /// Every bar of every probe as a row for people, in the columns of `bar::COLUMNS`.
    pub fn bar_rows(&self) -> Vec<[String; 6]> {
        let rows = self.probes.iter().flat_map(|(id, probe)| probe.bars.iter().map(move |bar| bar.cells(id)));
        rows.collect()
    }
}

impl ProbeReport {
    pub fn new(probe: &dyn Probe, records: &[&Record]) -> ProbeReport {
        let metrics = probe.metrics();
        let figures = |role: Role| -> Vec<(String, Figure)> {
            metrics.iter().filter_map(|m| Some((m.name.clone(), figure(m, records, role)?))).collect()
        };
        let controls = Role::CONTROLS.into_iter().filter_map(|role| {
            let figures = figures(role);
            let (metric, figure) = figures.first()?.clone();
            Some((role.name(), Control { figure, metric, metrics: figures.into_iter().collect() }))
        });
        ProbeReport {
            about: probe.about(),
            headline: metrics[0].name.clone(),
            seeds_done: records.len(),
            took_s: records.iter().map(|record| record.took_s).sum(),
            metrics: figures(Role::Subject).into_iter().collect(),
            controls: controls.collect(),
            bars: Judged::all(&metrics, records),
        }
    }
}

/// The figure of a role in a metric; `None` when nothing counted.
pub fn figure(metric: &Metric, records: &[&Record], role: Role) -> Option<Figure> {
    let numbers = |role: Role| -> Vec<&[f64]> {
        records.iter().filter_map(|record| Some(record.values.get(&metric.name)?.get(&role)?.as_slice())).collect()
    };
    let bounded = metric.estimate.bounded(&numbers(role))?;
    let value_of = |role: Role| metric.estimate.value(&numbers(role));
    let (floor, ceiling) = (value_of(Role::MemoryOff), value_of(Role::MemoryTrue));
    Some(Figure {
        bounded,
        floor,
        ceiling,
        gap_closed: gap_closed(metric, records, role),
        on_true_frames: value_of(Role::Truth),
        higher_is_better: metric.higher_is_better,
    })
}

/// A seed's numbers of a role, of the floor and of the ceiling.
type Between<'a> = [&'a [f64]; 3];

/// How much of the way from floor to ceiling a role is, over the seeds that have all three: a floor of some seeds says
/// nothing about the others. `None` where the ceiling is not above the floor: there is no way between them.
fn gap_closed(metric: &Metric, records: &[&Record], role: Role) -> Option<f64> {
    gap_of(metric, &between(metric, records, role))
}

/// The same with its bounds.
pub fn gap_closed_bounded(metric: &Metric, records: &[&Record], role: Role) -> Option<Bounded> {
    let seeds = between(metric, records, role);
    let value = gap_of(metric, &seeds)?;
    let [lower95, upper95] = bootstrap(value, |draw| gap_of(metric, &drawn(&seeds, draw)));
    let n = seeds.len() as u64;
    Some(Bounded { value, lower95, upper95, n, seeds: n })
}

fn between<'a>(metric: &Metric, records: &[&'a Record], role: Role) -> Vec<Between<'a>> {
    let roles = [role, Role::MemoryOff, Role::MemoryTrue];
    let seeds = records.iter().filter_map(|record| {
        let values = record.values.get(&metric.name)?;
        let [value, floor, ceiling] = roles.map(|role| values.get(&role).map(Vec::as_slice));
        Some([value?, floor?, ceiling?])
    });
    seeds.collect()
}

fn gap_of(metric: &Metric, seeds: &[Between]) -> Option<f64> {
    let of = |at: usize| metric.estimate.value(&seeds.iter().map(|seed| seed[at]).collect::<Vec<_>>());
    let (value, floor, ceiling) = (of(0)?, of(1)?, of(2)?);
    let way = if metric.higher_is_better { ceiling - floor } else { floor - ceiling };
    (way > 1e-9).then(|| (value - floor) / (ceiling - floor))
}

/// A figure as people read it.
pub fn number(value: f64) -> String {
    if value.abs() >= 100.0 { format!("{value:.1}") } else { format!("{value:.3}") }
}

/// As much of a hash as tells it from others.
pub fn short(hash: &str) -> &str {
    hash.get(..12).unwrap_or(hash)
}
