//! The true world: the vocabulary that every world shares (action, frame, pose, world) and the reference
//! voxel simulator. No Burn, no Bevy, no wall clock, no global state.
//!
//! **Conventions, used everywhere.** 20 ticks a second. Lengths in blocks, y up, angles in degrees. Yaw 0 looks
//! along +z and grows to the right (yaw 90 looks along -x); pitch grows downwards, in -90..=90.

pub mod action;
pub mod caption;
pub mod episode;
pub mod frame;
pub mod kinematics;
pub mod pose;
pub mod script;
pub mod seeds;
pub mod voxel;
pub mod world;

pub use action::Action;
pub use episode::Episode;
pub use frame::{Depth, Frame};
pub use pose::{Camera, Pose};
pub use world::{Moment, Observation, Start, World, WorldError};

/// Ticks a second, as in Minecraft and in VPT's recordings.
pub const TICKS_PER_SECOND: u32 = 20;
