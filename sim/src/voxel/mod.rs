//! The reference voxel simulator.

pub mod block;
