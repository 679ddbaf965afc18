//! What lives, as a model knows it before it has seen any: of what boxes each kind is built, and how fast it walks.
//!
//! So a picture tells more than that something stands there ([`find`]).

mod behind;
mod find;

pub use behind::behind;
pub use find::{Found, Sighted, find};

use crate::{kernel::elementary::cos_of_turn, light::FaceLight};
use glam::Vec3;
use holdfast_sim::{Pose, pose::Axes};

/// A part of a body: a box in the body's own axes (right, up from the feet, forward).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub middle: Vec3,
    pub half: Vec3,
    /// RGB, 0..1, in full light.
    pub rgb: Vec3,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Creature {
    pub parts: Vec<Part>,
    /// Blocks a tick when it walks.
    pub pace_blocks: f32,
}

/// All kinds that a model knows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Creatures(Vec<Creature>);

/// Most kinds, and most parts of each: what is read from a file may be anything.
const MOST_KINDS: usize = 16;
const MOST_PARTS: usize = 16;
const LARGEST_BLOCKS: f32 = 4.0;
impl Creatures {
    pub fn new(kinds: Vec<Creature>) -> Creatures {
        Creatures(kinds)
    }

    /// The creature of a kind's number.
    pub fn kind(&self, kind: usize) -> Option<&Creature> {
        self.0.get(kind)
    }

    /// As the weights' file notes it: kinds parted by semicolons, each its pace and then nine numbers a part.
    pub fn to_text(&self) -> String {
        let part =
            |part: &Part| [part.middle, part.half, part.rgb].map(|v| format!("{} {} {}", v.x, v.y, v.z)).join(" ");
        let kind = |kind: &Creature| {
            let parts = kind.parts.iter().map(part);
            std::iter::once(kind.pace_blocks.to_string()).chain(parts).collect::<Vec<_>>().join(" ")
        };
        self.0.iter().map(kind).collect::<Vec<_>>().join(";")
    }

    /// Reads what [`Creatures::to_text`] wrote; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<Creatures> {
        let kind = |text: &str| {
            let numbers: Vec<f32> = text.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
            let (&pace_blocks, parts) = numbers.split_first()?;
            let sound =
                numbers.iter().all(|number| number.abs() <= LARGEST_BLOCKS) && (0.0..1.0).contains(&pace_blocks);
            let fits = parts.len().is_multiple_of(9) && (1..=MOST_PARTS).contains(&(parts.len() / 9));
            let part = |n: &[f32]| {
                let [middle, half, rgb] = [0, 3, 6].map(|at| Vec3::new(n[at], n[at + 1], n[at + 2]));
                Part { middle, half, rgb }
            };
            let parts: Vec<Part> = parts.chunks_exact(9).map(part).collect();
            let solid = parts.iter().all(|part| part.half.min_element() > 0.0 && part.rgb.min_element() >= 0.0);
            (sound && fits && solid).then_some(Creature { parts, pace_blocks })
        };
        if text.is_empty() {
            return Some(Creatures::default());
        }
        let kinds: Vec<Creature> = text.split(';').map(kind).collect::<Option<_>>()?;
        (kinds.len() <= MOST_KINDS).then_some(Creatures(kinds))
    }
}

impl Creature {
    /// Half its width, and its height, blocks.
    pub fn size(&self) -> (f32, f32) {
        let half = self.parts.iter().map(|part| part.half.x).fold(0.0, f32::max);
        let height = self.parts.iter().map(|part| part.middle.y + part.half.y).fold(0.0, f32::max);
        (half * 1.2, height)
    }

    /// Height of the middle of a sphere around it, and the sphere's radius, blocks.
    pub fn sphere(&self) -> (f32, f32) {
        let middle = self.size().1 * 0.5;
        let reach = |part: &Part| (part.middle - Vec3::Y * middle).length() + part.half.length();
        (middle, self.parts.iter().map(reach).fold(0.0, f32::max))
    }

    /// It stands with its feet at a place, facing so, after it has walked so far: its legs swing, diagonal ones together.
    pub fn posed(&self, feet: Vec3, yaw_deg: f32, stride_blocks: f32) -> Posed<'_> {
        let Axes { right, forward, .. } = Pose { yaw_deg, ..Pose::default() }.axes();
        Posed {
            creature: self,
            feet,
            right,
            forward,
            swing: cos_of_turn((stride_blocks * SWINGS - 0.25).rem_euclid(1.0)) * SWING_BLOCKS,
        }
    }
}

/// A creature at a place.
#[derive(Debug, Clone, Copy)]
pub struct Posed<'a> {
    creature: &'a Creature,
    feet: Vec3,
    right: Vec3,
    forward: Vec3,
    swing: f32,
}

/// How often legs swing to and fro for each block walked, and how far, blocks.
const SWINGS: f32 = 0.72;
const SWING_BLOCKS: f32 = 0.16;

impl Posed<'_> {
    /// How far along a ray from an eye its nearest part is met, and the colour there in full light.
    pub fn meet(&self, eye: Vec3, ray: Vec3, light: &FaceLight) -> Option<(f32, Vec3)> {
        let into = |v: Vec3| Vec3::new(v.dot(self.right), v.y, v.dot(self.forward));
        let (from, ray) = (into(eye - self.feet), into(ray));
        let mut nearest: (f32, Option<Vec3>) = (f32::INFINITY, None);
        for part in &self.creature.parts {
            let middle = part.middle + Vec3::Z * part.sway() * self.swing;
            let (near, far) = ((middle - part.half - from) / ray, (middle + part.half - from) / ray);
            let (enters, leaves) = (near.min(far).max_element(), near.max(far).min_element());
            if enters > 0.0 && enters < leaves && enters < nearest.0 {
                nearest = (enters, Some(part.rgb * light.at((from + ray * enters - middle) / part.half)));
            }
        }
        nearest.1.map(|rgb| (nearest.0, rgb))
    }
}

impl Part {
    /// How far it swings to and fro when the body walks, -1 to 1: what reaches to the ground does.
    fn sway(&self) -> f32 {
        let is_leg = self.middle.y - self.half.y < 0.01;
        let end = if self.middle.z == 0.0 { 0.6 } else { self.middle.z.signum() };
        if is_leg { self.middle.x.signum() * end } else { 0.0 }
    }
}
