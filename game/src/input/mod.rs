//! Devices and what they mean: keyboard, mouse and gamepads become an `Action` here, and stop here.

pub mod bindings;
pub mod config;
pub mod devices;
pub mod gamepads;
pub mod map;

pub use bindings::{Bindings, Control, Input};
pub use config::{Config, ConfigError, Settings};
pub use devices::Devices;
pub use map::{Snapshot, map_input};
