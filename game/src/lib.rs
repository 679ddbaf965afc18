//! The Bevy app and the command line.

pub mod app;
pub mod input;
