//! The dreamed world: denoiser, noise, sampler, world state, `Dream` and training. Burn; never Bevy.

pub mod condition;
pub mod config;
pub mod denoiser;
pub mod device;
pub mod dream;
pub mod error;
pub mod kernel;
pub mod layout;
pub mod rotary;
pub mod state;
pub mod weights;

pub use condition::Condition;
pub use config::ModelConfig;
pub use device::DeviceChoice;
pub use dream::{Dream, DreamOptions, DreamStatus};
pub use error::ModelError;
