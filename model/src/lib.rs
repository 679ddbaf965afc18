//! The dreamed world: denoiser, noise, sampler, world state, `Dream` and training. Burn; never Bevy.

pub mod device;
pub mod dream;
pub mod error;

pub use device::DeviceChoice;
pub use dream::{Dream, DreamOptions, DreamStatus};
pub use error::ModelError;
