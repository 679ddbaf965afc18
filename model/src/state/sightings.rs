//! The bodies that a frame shows: connected pixels that live, at one distance.

use super::Shown;
use glam::Vec3;
use holdfast_sim::{Camera, Pose};

/// Fewer pixels than this are a speck, and what is farther off than this is too small to follow.
const LEAST_PIXELS: usize = 12;
const FARTHEST_BLOCKS: f32 = 24.0;
/// Neighbouring pixels belong to one body when their distances differ by less than this share.
const ONE_BODY: f32 = 0.12;
/// What lies flatter than this, or is larger, is no animal, whatever it is taken for; blocks.
const FLAT_BLOCKS: f32 = 0.25;
const LARGE_BLOCKS: f32 = 2.5;

/// One pixel in so many on each side is not counted for a body's size.
const EDGE_SHARE: usize = 12;

/// A body in a frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Sighting {
    pub pixels: Vec<usize>,
    /// Of its pixels, in map coordinates.
    pub points: Vec<Vec3>,
    pub middle: Vec3,
    /// It reaches to the frame's edge.
    pub cut: bool,
}

impl Sighting {
    /// Whether it has the shape of a body, but for a few pixels whose depth is wrong, as along an outline.
    fn is_body(&self) -> bool {
        let edge = self.points.len() / EDGE_SHARE;
        let size = Vec3::from_array([0, 1, 2].map(|axis| {
            let mut along: Vec<f32> = self.points.iter().map(|point| point[axis]).collect();
            along.sort_unstable_by(f32::total_cmp);
            along[along.len() - 1 - edge] - along[edge]
        }));
        size.max_element() < LARGE_BLOCKS && size.y > FLAT_BLOCKS
    }
}

/// Buffers, reused from frame to frame.
#[derive(Debug, Clone, Default)]
pub(super) struct Scratch {
    body_of: Vec<u32>,
    open: Vec<usize>,
}

impl PartialEq for Scratch {
    fn eq(&self, _: &Scratch) -> bool {
        true
    }
}

impl Scratch {
    /// All bodies of a frame seen from `pose`.
    pub fn sightings(&mut self, pose: &Pose, camera: &Camera, shown: &Shown) -> Vec<Sighting> {
        let (width, height) = (camera.width, camera.height);
        let (eye, axes) = (pose.eye(), pose.axes());
        let blocks = &shown.depth.blocks;
        let lives = |at: usize| shown.lives(at) && blocks[at] < FARTHEST_BLOCKS;
        let Scratch { body_of, open } = self;
        body_of.clear();
        body_of.resize(shown.matters.len(), 0);
        let mut sightings: Vec<Sighting> = Vec::new();
        let mut bodies = 0;
        for first in 0..shown.matters.len() {
            if !lives(first) || body_of[first] > 0 {
                continue;
            }
            bodies += 1;
            body_of[first] = bodies;
            let mut sighting = Sighting::default();
            open.push(first);
            while let Some(at) = open.pop() {
                let (x, y) = (at % width, at / width);
                sighting.cut |= x == 0 || y == 0 || x + 1 == width || y + 1 == height;
                sighting.pixels.push(at);
                let beside = [(x > 0, at.wrapping_sub(1)), (x + 1 < width, at + 1)];
                let above = [(y > 0, at.wrapping_sub(width)), (y + 1 < height, at + width)];
                for next in beside.into_iter().chain(above).filter(|(inside, _)| *inside).map(|(_, next)| next) {
                    if body_of[next] == 0 && lives(next) && (blocks[next] / blocks[at] - 1.0).abs() < ONE_BODY {
                        body_of[next] = bodies;
                        open.push(next);
                    }
                }
            }
            if sighting.pixels.len() < LEAST_PIXELS {
                continue;
            }
            sighting.pixels.sort_unstable();
            sighting.points.extend(sighting.pixels.iter().map(|&at| {
                let ray = camera.ray(&axes, at % width, at / width);
                eye + ray * (blocks[at] / ray.length())
            }));
            sighting.middle = sighting.points.iter().sum::<Vec3>() / sighting.points.len() as f32;
            if sighting.is_body() {
                sightings.push(sighting);
            }
        }
        sightings
    }
}
