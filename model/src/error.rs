//! What can go wrong with a model: each message says what, where and what to do.

use crate::engine::DeviceFault;
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
    #[error(
        "the device `{device}` is not in this build; build it with `cargo build --release --features {feature}`, \
         or use --device cpu or auto"
    )]
    NotBuilt { device: String, feature: &'static str },
    #[error("no {device} device works on this machine; install its driver, or use --device cpu or auto")]
    NoDevice { device: String },
    #[error("{0}; try --device cpu or auto")]
    Device(#[from] DeviceFault),
}
