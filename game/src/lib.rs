//! The Bevy app and the command line.

pub mod app;
pub mod export;
pub mod input;
pub mod vpt;
