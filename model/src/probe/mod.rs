//! Probes: does a generated world hold? Each is settings, a run over one seed, and a score, with a stable id.
//!
//! A probe prepares a true scene, films what the simulator shows, and rolls the probed world out under the same
//! actions, in each of its roles ([`Role`]): as it is, with its memory off (the floor), with its memory filled from the
//! simulator (the ceiling), and with a memory that should not help (the controls). The probed world is given the
//! picture of the start and the actions; its frames are compared with true frames. Its own depth, pose and memory are
//! never scored against themselves.

mod bar;
mod bench;
mod compare;
mod estimate;
mod film;
mod html;
pub mod inverse;
mod lab;
mod markdown;
mod perceptron;
pub mod reader;
mod record;
mod report;
mod stage;
mod subject;
pub mod suite;

pub use bar::{Judged, Verdict};
pub use bench::{Event, Options, PROBES_MAY_USE, run};
pub use compare::{Compared, Comparison};
pub use estimate::{Bounded, Estimate};
pub use film::{Film, Scene, Shot, look};
pub use lab::{LEAST_PIXELS, Lab, Rollout, choice, different_pixels, error_on};
pub use markdown::markdown;
pub use record::{Record, StripColumn};
pub use report::{Control, Figure, ProbeReport, Report, SCHEMA};
pub use stage::Plan;
pub use subject::{Baseline, Dreamer, Ignorant, MakeWorld, OwnWorld, Role, Simulator, Subject};
pub use suite::{Scale, registry};

use std::path::PathBuf;

/// What a metric is called, how its figure is made, and which way is good.
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    pub name: String,
    pub estimate: Estimate,
    pub higher_is_better: bool,
    /// It depends on the block reader: the report prints how that reads true frames beside it.
    pub by_reader: bool,
    /// The curve that it is a point of: the curve's name and the point's place.
    pub curve: Option<(&'static str, f64)>,
    /// What a world should reach: as its value, and as the share of the gap that it closes.
    pub bar: Option<f64>,
    pub gap_bar: Option<f64>,
}

impl Metric {
    pub fn mean(name: impl Into<String>) -> Metric {
        Metric {
            name: name.into(),
            estimate: Estimate::Mean,
            higher_is_better: true,
            by_reader: false,
            curve: None,
            bar: None,
            gap_bar: None,
        }
    }

    pub fn lower_is_better(self) -> Metric {
        Metric { higher_is_better: false, ..self }
    }

    pub fn by_reader(self) -> Metric {
        Metric { by_reader: true, ..self }
    }

    pub fn on_curve(self, curve: &'static str, at: f64) -> Metric {
        Metric { curve: Some((curve, at)), ..self }
    }

    pub fn with_bar(self, bar: f64) -> Metric {
        Metric { bar: Some(bar), ..self }
    }

    pub fn with_gap_bar(self, bar: f64) -> Metric {
        Metric { gap_bar: Some(bar), ..self }
    }
}

/// A probe.
pub trait Probe: Send + Sync {
    /// Stable: reports and scripts name it.
    fn id(&self) -> &'static str;
    /// Scenario and metric in a sentence or two, for the report.
    fn about(&self) -> &'static str;
    /// What it measures; the first is the headline.
    fn metrics(&self) -> Vec<Metric>;
    /// All trials of one seed.
    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError>;
    /// Whether it must have the machine to itself, because it measures time.
    fn alone(&self) -> bool {
        false
    }
}

/// Why a suite cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    #[error("seeds {from}..{to} are not for probes; choose some from 2000000 on (or validation seeds, to try things)")]
    Seeds { from: u64, to: u64 },
    #[error("no probe is called {name:?}; expected one of {known}")]
    Unknown { name: String, known: String },
    #[error("{path} was made with another {what}; choose another --out, or delete it")]
    OtherRun { path: PathBuf, what: &'static str },
    #[error("{path} exists: go on with --resume, or choose another --out")]
    Exists { path: PathBuf },
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("stopped")]
    Stopped,
    #[error(transparent)]
    Model(#[from] crate::ModelError),
    #[error(transparent)]
    World(#[from] holdfast_sim::WorldError),
}

#[cfg(test)]
mod tests;
