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
pub mod herds;
mod intervene;
mod light;
pub mod noise;
mod paint;
pub mod pick;
pub mod player;
mod ray;
pub mod render;
pub mod sky;
pub mod structures;
mod surface;
pub mod terrain;
pub mod texture;
pub mod trees;
pub mod truth;
mod view;
mod water;
pub mod world;

pub use light::face_light;
pub use view::built_of;
