//! The reference voxel simulator.

pub mod block;
pub mod body;
pub mod chance;
pub mod chunk;
pub mod climate;
pub mod dynamics;
pub mod entity;
pub mod entity_box;
mod falling;
pub mod hands;
mod light;
pub mod noise;
mod paint;
pub mod pick;
pub mod player;
pub mod ray;
pub mod render;
pub mod sky;
pub mod structures;
pub mod terrain;
pub mod texture;
pub mod trees;
pub mod truth;
mod view;
pub mod world;
