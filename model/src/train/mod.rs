//! The trainer: data on the fly, resumable from any kill, validated on seeds that it never trains on.

mod adversary;
mod checkpoint;
mod config;
mod discriminator;
mod held;
mod loss;
mod matters;
mod muon;
mod optimizer;
mod passes;
mod props;
mod run;
mod stream;
mod strided;
mod validate;
mod worker;

pub use checkpoint::{Checkpoint, write_atomically};
pub use config::{Stage, TrainConfig};
pub use loss::LossSums;
pub use matters::true_matters;
pub use props::lore;
pub use run::{Event, Outcome, Progress, RunOptions, run};
pub use validate::{SCORED_TICKS, Scores, StripColumn, TickScores, Validation, first_frame, look_away, validate};

use std::path::PathBuf;

/// Why training cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum TrainError {
    #[error("{path}: {reason}")]
    Config { path: PathBuf, reason: String },
    #[error("{path} {reason}; delete it to start anew, or resume from a copy")]
    Checkpoint { path: PathBuf, reason: String },
    #[error("{path} exists: resume it with --resume, or choose another folder with --run")]
    Exists { path: PathBuf },
    #[error("cannot write {path}: {reason}")]
    Write { path: PathBuf, reason: String },
    #[error("the loss was not finite for {0} steps in a row; lower learning_rate and resume")]
    Diverged(u32),
    #[error("seeds {from}..{to} are not all validation seeds; choose some from 1000000..2000000")]
    ValidationSeeds { from: u64, to: u64 },
    #[error("the model to start from has other sizes than [model] of the config; make them equal")]
    OtherModel,
    #[error("{0}; the checkpoint is whole: go on with --resume, or with --device cpu too")]
    Device(#[from] crate::engine::DeviceFault),
    #[error(transparent)]
    Folder(#[from] crate::ModelError),
    #[error("{0}")]
    Model(String),
}
