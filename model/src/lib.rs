//! The dreamed world: denoiser, noise, sampler, world state, `Dream` and training. Burn; never Bevy.

pub mod ambience;
pub mod assemble;
pub mod condition;
pub mod config;
pub mod deed;
pub mod denoiser;
pub mod device;
pub mod dream;
pub mod error;
pub mod face;
pub mod folder;
pub mod grain;
pub mod grid;
pub mod hotbar;
pub mod imagined;
pub mod keep;
pub mod kernel;
pub mod layout;
pub mod materials;
pub mod matter;
pub mod motion;
pub mod noise;
pub mod pictures;
pub mod probe;
pub mod rotary;
pub mod sampler;
pub mod situation;
pub mod state;
pub mod train;
pub mod weights;

pub use condition::Condition;
pub use config::ModelConfig;
pub use device::DeviceChoice;
pub use dream::{Dream, DreamOptions, DreamStatus, StartFrames};
pub use error::ModelError;
