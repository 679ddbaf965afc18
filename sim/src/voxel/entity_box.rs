//! Animals and other moving things as the renderer sees them: coloured boxes, turned about the vertical.

use super::ray::Ray;
use crate::{Camera, Pose};
use glam::{IVec3, Vec3};

/// What is painted on the front of a box.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Front {
    /// Nothing: the box has one colour, slightly speckled.
    #[default]
    Plain,
    /// Two dark eyes and a snout of the second colour.
    Face,
}

/// A box of one colour with a pattern.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EntityBox {
    /// Its middle, in the world.
    pub centre: Vec3,
    /// Half its size to the right, up and forward, in its own axes.
    pub half: Vec3,
    /// As in `Pose`: 0 faces +z, grows to the right.
    pub yaw_deg: f32,
    pub colour: [u8; 3],
    /// For patches, and the snout of a face.
    pub second_colour: [u8; 3],
    pub front: Front,
}

/// At most this many boxes, the first given, are drawn in one frame.
pub const MOST_BOXES: usize = 96;

#[derive(Clone, Copy)]
struct Placed {
    /// The eye in the box's own axes, from its middle.
    within: Vec3,
    right: Vec3,
    forward: Vec3,
    x: (f32, f32),
    y: (f32, f32),
    which: usize,
}

/// The boxes of a frame, and where on the screen they may be.
pub(super) struct Seen<'a> {
    boxes: &'a [EntityBox],
    placed: [Placed; MOST_BOXES],
    count: usize,
}

impl<'a> Seen<'a> {
    pub fn new(boxes: &'a [EntityBox], pose: &Pose, camera: &Camera) -> Self {
        let nowhere =
            Placed { within: Vec3::ZERO, right: Vec3::X, forward: Vec3::Z, x: (0.0, 0.0), y: (0.0, 0.0), which: 0 };
        let mut seen = Seen { boxes, placed: [nowhere; MOST_BOXES], count: 0 };
        let axes = pose.axes();
        for (which, entity) in boxes.iter().enumerate() {
            let from_eye = entity.centre - pose.eye();
            let radius = entity.half.length();
            let ahead = from_eye.dot(axes.forward);
            if seen.count == MOST_BOXES || ahead < -radius || from_eye.length() > super::sky::VIEW_BLOCKS + radius {
                continue;
            }
            let own = Pose { yaw_deg: entity.yaw_deg, ..Pose::default() }.axes();
            let everywhere = ((0.0, f32::MAX), (0.0, f32::MAX));
            let (x, y) = if ahead <= radius * 1.5 {
                everywhere
            } else {
                // The sphere around the box, seen from its near side.
                let spread = radius / (ahead - radius) * camera.focal_px() + 1.0;
                camera.project(&axes, from_eye).map_or(everywhere, |(x, y, z)| {
                    let scale = 1.0 + (from_eye.length() - z) / z;
                    let spread = spread * scale * scale;
                    ((x - spread, x + spread), (y - spread, y + spread))
                })
            };
            let within = Vec3::new((-from_eye).dot(own.right), -from_eye.y, (-from_eye).dot(own.forward));
            seen.placed[seen.count] = Placed { within, right: own.right, forward: own.forward, x, y, which };
            seen.count += 1;
        }
        seen
    }

    /// The distance and colour of the nearest box that a pixel's ray meets.
    #[inline]
    pub fn meet(&self, x: usize, y: usize, ray: &Ray) -> Option<(f32, Vec3)> {
        let (x, y) = (x as f32 + 0.5, y as f32 + 0.5);
        let mut nearest: Option<(f32, Vec3)> = None;
        for placed in &self.placed[..self.count] {
            if x < placed.x.0 || x > placed.x.1 || y < placed.y.0 || y > placed.y.1 {
                continue;
            }
            let reach = nearest.map_or(f32::INFINITY, |(near, _)| near);
            nearest = self.meet_one(placed, ray, reach).or(nearest);
        }
        nearest
    }

    /// Where a ray meets one box, nearer than `reach`, and the colour there.
    fn meet_one(&self, placed: &Placed, ray: &Ray, reach: f32) -> Option<(f32, Vec3)> {
        let entity = &self.boxes[placed.which];
        let own = |v: Vec3| Vec3::new(v.dot(placed.right), v.y, v.dot(placed.forward));
        let ray = Ray { base: IVec3::ZERO, within: placed.within, direction: own(ray.direction) };
        let (distance, _, axis) = ray.meet_box(IVec3::ZERO, -entity.half, entity.half)?;
        if distance <= 0.05 || distance >= reach {
            return None;
        }
        let point = (ray.within + ray.direction * distance) / entity.half;
        let facing = match axis {
            0 => 0.72,
            1 if ray.direction.y < 0.0 => 1.0,
            1 => 0.55,
            _ => 0.84,
        };
        Some((distance, entity.colour_at(point, axis) * facing))
    }
}

impl EntityBox {
    /// The colour, 0..1, of a point on its surface, -1..1 in its own axes; `axis` is that which its side faces.
    pub fn colour_at(&self, point: Vec3, axis: usize) -> Vec3 {
        let is_face = self.front == Front::Face && axis == 2 && point.z > 0.0;
        let unit = |colour: [u8; 3]| Vec3::from_array(colour.map(|channel| f32::from(channel) / 255.0));
        if is_face && point.y > 0.05 && point.y < 0.5 && (point.x.abs() - 0.6).abs() < 0.22 {
            Vec3::splat(0.06)
        } else if is_face && point.y > -0.75 && point.y < -0.2 && point.x.abs() < 0.45 {
            unit(self.second_colour)
        } else if patch(point, axis) {
            unit(self.colour).lerp(unit(self.second_colour), 0.7)
        } else {
            unit(self.colour)
        }
    }
}

/// Coarse patches that stay on the box.
fn patch(point: Vec3, axis: usize) -> bool {
    let cell = ((point + 1.0) * 2.0).floor().as_ivec3();
    let cell = match axis {
        0 => IVec3::new(if point.x < 0.0 { -9 } else { 9 }, cell.y, cell.z),
        1 => IVec3::new(cell.x, if point.y < 0.0 { -9 } else { 9 }, cell.z),
        _ => IVec3::new(cell.x, cell.y, if point.z < 0.0 { -9 } else { 9 }),
    };
    super::noise::look_hash(cell.x, cell.y, cell.z).is_multiple_of(5)
}
