//! The reference voxel simulator.

pub mod block;
pub mod chunk;
pub mod entity_box;
mod falling;
mod light;
pub mod noise;
mod paint;
pub mod ray;
pub mod render;
pub mod sky;
pub mod structures;
mod surface;
pub mod terrain;
pub mod texture;
pub mod trees;
