//! The picture: one ray a pixel through the blocks, to colour, depth and the block seen.

use super::block::Block;
use super::chunk::Chunks;
use super::entity_box::{self, EntityBox};
use super::falling;
use super::sky::{Sky, Weather};
use super::surface::Painter;
use crate::{Camera, Depth, Frame, Pose};
use glam::{IVec3, Vec3};

/// What there is to see.
#[derive(Debug, Clone, Copy)]
pub struct Scene<'a> {
    pub chunks: &'a Chunks,
    pub sky: &'a Sky,
    pub boxes: &'a [EntityBox],
    /// The block being broken, and how far it is, 0 to 9.
    pub crack: Option<(IVec3, u8)>,
}

/// What is seen. Keep one and render into it again: its buffers are reused.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct View {
    pub frame: Frame,
    pub depth: Depth,
    /// The id of the block under each pixel; air for sky, and [`View::ENTITY`] for an entity.
    pub block_ids: Vec<u8>,
}

impl View {
    /// Stands in `block_ids` where an entity is seen.
    pub const ENTITY: u8 = 255;

    pub fn new(width: usize, height: usize) -> Self {
        let ids = vec![Block::Air.id(); width * height];
        View {
            frame: Frame::new(width, height),
            depth: Depth::new(width, height),
            block_ids: ids,
        }
    }
}

/// Draws the scene as the camera sees it. `out` takes the camera's size if it has another.
pub fn render(scene: &Scene, pose: &Pose, camera: &Camera, out: &mut View) {
    let (width, height) = (camera.width, camera.height);
    if (out.frame.width, out.frame.height) != (width, height) || out.block_ids.len() != width * height {
        *out = View::new(width, height);
    }
    let painter = Painter::new(scene, pose, camera);
    let axes = pose.axes();
    let focal = camera.focal_px();
    let boxes = entity_box::Seen::new(scene.boxes, pose, camera);
    for y in 0..height {
        let v = (height as f32 * 0.5 - y as f32 - 0.5) / focal;
        let row = axes.forward + axes.up * v;
        for x in 0..width {
            let u = (x as f32 + 0.5 - width as f32 * 0.5) / focal;
            let ray = painter.eye_ray((row + axes.right * u).normalize());
            let entity = boxes.meet(x, y, &ray);
            let seen = painter.look(&ray, entity);
            let at = y * width + x;
            out.frame.rgb[at * 3..at * 3 + 3].copy_from_slice(&to_bytes(seen.colour));
            out.depth.blocks[at] = seen.distance;
            out.block_ids[at] = seen.id;
        }
    }
    if scene.sky.weather != Weather::Clear {
        falling::draw(scene, &painter.air, pose, camera, out);
    }
}

fn to_bytes(colour: Vec3) -> [u8; 3] {
    (colour * 255.0 + 0.5).to_array().map(|channel| channel as u8)
}

#[cfg(test)]
#[path = "render_tests.rs"]
mod tests;
