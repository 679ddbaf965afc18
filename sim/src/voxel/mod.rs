//! The reference voxel simulator.

pub mod block;
pub mod body;
pub mod chance;
pub mod dynamics;
pub mod hands;
pub mod pick;
pub mod player;
