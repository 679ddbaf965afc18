//! The reference voxel simulator.

pub mod block;
pub mod noise;
