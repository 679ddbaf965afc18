//! What lives, as a model knows it before it has seen any: of what boxes each kind is built, and how fast it walks.
//!
//! So a picture tells more than that something stands there ([`find`]).

mod behind;
mod find;

pub use behind::behind;
pub use find::{Found, Sighted, find};

use crate::{
    ModelError,
    kernel::elementary::cos_of_turn,
    light::FaceLight,
    pictures::{self, SIDE_PX},
};
use glam::Vec3;
use holdfast_sim::{Pose, pose::Axes};
use std::path::Path;

/// A part of a body: a box in the body's own axes (right, up from the feet, forward).
#[derive(Debug, Clone, PartialEq)]
pub struct Part {
    pub middle: Vec3,
    pub half: Vec3,
    /// `[SIDES, SIDE_PX, SIDE_PX, 3]`: what each side looks like in full light.
    pub rgb: Vec<u8>,
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

    /// As the weights' file notes it: kinds parted by semicolons, each its pace and then six numbers a part.
    pub fn to_text(&self) -> String {
        let part = |part: &Part| [part.middle, part.half].map(|v| format!("{} {} {}", v.x, v.y, v.z)).join(" ");
        let kind = |kind: &Creature| {
            let parts = kind.parts.iter().map(part);
            std::iter::once(kind.pace_blocks.to_string()).chain(parts).collect::<Vec<_>>().join(" ")
        };
        self.0.iter().map(kind).collect::<Vec<_>>().join(";")
    }

    /// Reads what [`Creatures::to_text`] wrote, all grey; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<Creatures> {
        let kind = |text: &str| {
            let numbers: Vec<f32> = text.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
            let (&pace_blocks, parts) = numbers.split_first()?;
            let sound =
                numbers.iter().all(|number| number.abs() <= LARGEST_BLOCKS) && (0.0..1.0).contains(&pace_blocks);
            let fits = parts.len().is_multiple_of(6) && (1..=MOST_PARTS).contains(&(parts.len() / 6));
            let part = |n: &[f32]| {
                let [middle, half] = [0, 3].map(|at| Vec3::new(n[at], n[at + 1], n[at + 2]));
                Part { middle, half, rgb: vec![128; Part::BYTES] }
            };
            let parts: Vec<Part> = parts.chunks_exact(6).map(part).collect();
            let solid = parts.iter().all(|part| part.half.min_element() > 0.0);
            (sound && fits && solid).then_some(Creature { parts, pace_blocks })
        };
        if text.is_empty() {
            return Some(Creatures::default());
        }
        let kinds: Vec<Creature> = text.split(';').map(kind).collect::<Option<_>>()?;
        (kinds.len() <= MOST_KINDS).then_some(Creatures(kinds))
    }

    fn parts(&self) -> impl Iterator<Item = &Part> {
        self.0.iter().flat_map(|kind| &kind.parts)
    }

    /// BLAKE3 of the colours, hexadecimal.
    pub fn hash(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        self.parts().for_each(|part| {
            hasher.update(&part.rgb);
        });
        hasher.finalize().to_hex().to_string()
    }

    /// Takes its colours from a picture with a row for each part: right, left, top, bottom, front and back.
    pub fn read(mut self, path: &Path) -> Result<Creatures, ModelError> {
        let rgb = pictures::read(path, Part::SIDES, self.parts().count())?;
        let parts = self.0.iter_mut().flat_map(|kind| &mut kind.parts);
        for (part, rows) in parts.zip(rgb.chunks_exact(Part::BYTES)) {
            let row = SIDE_PX * 3;
            let texels = |side: usize, y: usize| &rows[(y * Part::SIDES + side) * row..][..row];
            part.rgb =
                (0..Part::SIDES).flat_map(|side| (0..SIDE_PX).flat_map(move |y| texels(side, y).to_vec())).collect();
        }
        Ok(self)
    }

    /// The bytes of the file that [`Creatures::read`] reads.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        let row = SIDE_PX * 3;
        let texels = |part: &Part, y: usize, side: usize| part.rgb[(side * SIDE_PX + y) * row..][..row].to_vec();
        let rows = |part: &Part| {
            let rows = (0..SIDE_PX).flat_map(|y| (0..Part::SIDES).flat_map(move |side| texels(part, y, side)));
            rows.collect::<Vec<u8>>()
        };
        let rgb: Vec<u8> = self.parts().flat_map(rows).collect();
        pictures::to_png(&rgb, Part::SIDES, self.parts().count())
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
                let place = (from + ray * enters - middle) / part.half;
                nearest = (enters, Some(part.colour(place) * light.at(place)));
            }
        }
        nearest.1.map(|rgb| (nearest.0, rgb))
    }
}

impl Part {
    /// Right, left, top, bottom, front and back.
    pub const SIDES: usize = 6;
    /// Length of [`Part::rgb`].
    pub const BYTES: usize = Part::SIDES * SIDE_PX * SIDE_PX * 3;

    /// The place, -1..1 in its own axes, that a texel of a side shows.
    pub fn place(side: usize, x: usize, y: usize) -> Vec3 {
        let [u, v] = [x, y].map(|at| (at as f32 + 0.5) / SIDE_PX as f32 * 2.0 - 1.0);
        let out = if side.is_multiple_of(2) { 1.0 } else { -1.0 };
        match side / 2 {
            0 => Vec3::new(out, -v, u),
            1 => Vec3::new(u, out, v),
            _ => Vec3::new(u, -v, out),
        }
    }

    /// RGB, 0..1, of the texel at a place, -1..1 in its own axes, on the side that it is nearest to.
    fn colour(&self, place: Vec3) -> Vec3 {
        let away = place.abs();
        let (axis, u, v) = match () {
            () if away.x >= away.y.max(away.z) => (0, place.z, -place.y),
            () if away.y >= away.z => (1, place.x, place.z),
            () => (2, place.x, -place.y),
        };
        let side = axis * 2 + usize::from(place[axis] < 0.0);
        let [x, y] = [u, v].map(|along| (((along + 1.0) * 0.5 * SIDE_PX as f32) as usize).min(SIDE_PX - 1));
        let texel = ((side * SIDE_PX + y) * SIDE_PX + x) * 3;
        Vec3::from_array([0, 1, 2].map(|channel| f32::from(self.rgb[texel + channel]) / 255.0))
    }

    /// How far it swings to and fro when the body walks, -1 to 1: what reaches to the ground does.
    fn sway(&self) -> f32 {
        let is_leg = self.middle.y - self.half.y < 0.01;
        let end = if self.middle.z == 0.0 { 0.6 } else { self.middle.z.signum() };
        if is_leg { self.middle.x.signum() * end } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hare() -> Creatures {
        let part = |y: f32, first: usize| Part {
            middle: Vec3::new(0.0, y, 0.1),
            half: Vec3::new(0.2, 0.3, 0.4),
            rgb: (first..first + Part::BYTES).map(|at| (at * 7 % 251) as u8).collect(),
        };
        Creatures::new(vec![Creature { parts: vec![part(0.3, 0), part(0.9, 5)], pace_blocks: 0.07 }])
    }

    #[test]
    fn bodies_and_their_looks_come_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("creatures.png");
        std::fs::write(&path, hare().to_png().expect("memory")).expect("room");
        let grey = Creatures::from_text(&hare().to_text()).expect("just written");
        assert_ne!(grey, hare());
        assert_eq!(grey.read(&path).expect("just written"), hare());
        assert_eq!(Creatures::from_text(""), Some(Creatures::default()));
        for text in ["0.07", "0.07 1 2 3", "x 0 0 0 1 1 1", "0.1 0 0 0 1 1 0", "0.1 0 0 9 1 1 1", "0.1 0 0 NaN 1 1 1"] {
            assert_eq!(Creatures::from_text(text), None, "{text}");
        }
    }

    #[test]
    fn each_side_shows_its_own_picture() {
        let hare = hare();
        let part = &hare.0[0].parts[0];
        for (at, texel) in part.rgb.chunks_exact(3).enumerate() {
            let (side, y, x) = (at / (SIDE_PX * SIDE_PX), at / SIDE_PX % SIDE_PX, at % SIDE_PX);
            let shown = part.colour(Part::place(side, x, y));
            assert!(shown.abs_diff_eq(Vec3::from_array([0, 1, 2].map(|c| f32::from(texel[c]) / 255.0)), 1e-6));
        }
    }

    #[test]
    fn a_posed_body_is_met_where_it_stands() {
        let hare = hare();
        let light = FaceLight::default();
        let met = |yaw_deg: f32, ray: Vec3| {
            let posed = hare.0[0].posed(Vec3::new(0.0, 0.0, 5.0), yaw_deg, 0.0);
            posed.meet(Vec3::new(0.0, 0.9, 0.0), ray, &light).map(|(reach, _)| reach)
        };
        assert!((met(180.0, Vec3::Z).expect("ahead") - 4.5).abs() < 1e-4, "its front is half a block before its feet");
        assert!((met(0.0, Vec3::Z).expect("ahead") - 4.7).abs() < 1e-4);
        assert_eq!(met(0.0, Vec3::new(0.2, 0.0, 1.0)), None, "beside it");
        assert_eq!(met(0.0, -Vec3::Z), None, "behind the eye");
    }
}
