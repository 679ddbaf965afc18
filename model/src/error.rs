//! What can go wrong with a model: each message says what, where and what to do.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    #[error("{path}: {reason}")]
    File { path: PathBuf, reason: String },
    #[error("{0} denoising steps; expected 1 to 64")]
    Steps(usize),
    #[error("the weights cannot be written: {0}")]
    Weights(String),
    #[error("it was made with another model ({saved}, this one is {loaded}); give its model folder with --model")]
    OtherModel { saved: String, loaded: String },
    #[error("its frames are {saved}, this model's are {loaded}")]
    OtherSize { saved: String, loaded: String },
    #[error("device `{device}` is not available: this build computes on the CPU only; use --device cpu or auto")]
    Device { device: String },
}
