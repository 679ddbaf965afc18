//! Movers: what lives is kept apart from the map, in a few slots that say where it is, how it moves and how it looks.
//!
//! A slot is followed by a line through all its sightings (an alpha-beta filter of growing memory: Brookner, "Tracking
//! and Kalman Filtering Made Easy", section 1.2.10), seen or predicted; out of view it walks on, ever more slowly, since
//! nobody knows for how long it kept its way. What it looked like is drawn into the canvas where it must be by now.

use super::{
    Canvas, Shown,
    sightings::{Scratch, Sighting},
};
use glam::Vec3;
use holdfast_sim::{Camera, Pose, pose::Axes};
use serde::{Deserialize, Serialize};

/// Most slots; the one that was not seen for longest gives way.
pub(super) const MOST_MOVERS: usize = 8;
/// A sighting is of a mover that should be within this many blocks, and this share of the distance more.
const SAME_BLOCKS: f32 = 0.8;
const SAME_SHARE: f32 = 0.08;
/// Sightings after which older ones count ever less.
const LONG_SIGHT: f32 = 16.0;
/// No animal is faster, blocks a tick.
const TOP_SPEED: f32 = 0.12;
/// An unseen mover keeps its way for so many ticks on average: animals make up their minds every 20 to 90.
const RESOLVE_TICKS: f32 = 40.0;
/// A sighting counts as whole when it has between these shares of the pixels that the body should have.
const WHOLE: std::ops::Range<f32> = 0.6..1.8;
/// A look is taken anew after so many ticks, or when it is seen this much finer, or from this far round.
const FRESH_TICKS: u32 = 10;
const FINER: f32 = 0.8;
const ROUND_COS: f32 = 0.97;
/// A mover that is not where it should be in plain view is given up after so many ticks.
const MOST_MISSED: u8 = 4;
/// How far the canvas trusts what a slot shows.
const CONFIDENCE: f32 = 0.5;
/// A mover stands before a surface that is at most this much nearer, blocks: the ground under its feet.
const SLACK_BLOCKS: f32 = 0.2;

/// A point of a mover's body.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Dot {
    #[serde(with = "crate::keep::vec3")]
    from_middle: Vec3,
    rgb: [u8; 3],
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Mover {
    /// Mean of the points of its body that were in view.
    #[serde(with = "crate::keep::vec3")]
    middle: Vec3,
    /// Blocks a tick, along the ground.
    #[serde(with = "crate::keep::vec3")]
    velocity: Vec3,
    sightings: u32,
    unseen_ticks: u32,
    missed: u8,
    /// As it was last seen whole: when, from where (towards the eye), how far off, and each pixel.
    looked_tick: u32,
    #[serde(with = "crate::keep::vec3")]
    towards_eye: Vec3,
    distance_blocks: f32,
    dots: Vec<Dot>,
}

/// What lives, as far as it is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Movers {
    slots: Vec<Mover>,
    /// Of the last frame.
    tick: u32,
    #[serde(skip)]
    scratch: Scratch,
}

impl Mover {
    /// Where it is so many ticks after the last frame.
    fn after(&self, ticks: u32) -> Vec3 {
        // Unseen, the speed falls off by the chance that it still keeps its way.
        let walked = |unseen: f32| RESOLVE_TICKS * (1.0 - crate::kernel::elementary::exp(-unseen / RESOLVE_TICKS));
        let unseen = self.unseen_ticks as f32;
        self.middle + self.velocity * (walked(unseen + ticks as f32) - walked(unseen))
    }

    /// Takes in where it was seen, `off` the place where it should have been.
    fn follow(&mut self, off: Vec3) {
        self.sightings += 1;
        let n = (self.sightings as f32).min(LONG_SIGHT);
        self.middle += off * (2.0 * (2.0 * n - 1.0) / (n * (n + 1.0)));
        self.velocity += off * (6.0 / (n * (n + 1.0)));
        self.velocity.y = 0.0;
        self.velocity = self.velocity.clamp_length_max(TOP_SPEED);
    }

    /// Whether a whole look from the eye is worth keeping.
    fn is_stale(&self, towards_eye: Vec3, distance_blocks: f32, tick: u32) -> bool {
        self.looked_tick + FRESH_TICKS <= tick
            || distance_blocks < self.distance_blocks * FINER
            || towards_eye.dot(self.towards_eye) < ROUND_COS
    }

    fn look(&mut self, sighting: &Sighting, eye: Vec3, shown: &Shown) {
        self.looked_tick = shown.tick;
        (self.towards_eye, self.distance_blocks) = towards(sighting.middle, eye);
        self.dots.clear();
        self.dots.extend(sighting.pixels.iter().zip(&sighting.points).map(|(&at, &point)| {
            let rgb = [0, 1, 2].map(|channel| shown.frame.rgb[at * 3 + channel]);
            Dot { from_middle: point - sighting.middle, rgb }
        }));
    }

    /// Pixels that the whole body should have from so far.
    fn expected_pixels(&self, distance_blocks: f32) -> f32 {
        let nearer = self.distance_blocks / distance_blocks;
        self.dots.len() as f32 * nearer * nearer
    }
}

/// The direction from a point to the eye, and how far it is.
fn towards(point: Vec3, eye: Vec3) -> (Vec3, f32) {
    let away = eye - point;
    (away.normalize_or(Vec3::Y), away.length().max(0.1))
}

impl Movers {
    /// Slots in use.
    pub fn count(&self) -> usize {
        self.slots.len()
    }

    /// Where each should be in the tick after the last frame, and its velocity in blocks a tick.
    pub(super) fn places(&self) -> impl Iterator<Item = (Vec3, Vec3)> {
        self.slots.iter().map(|mover| (mover.after(1), mover.velocity))
    }

    /// Whether they are some: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        let sound = |point: Vec3| point.is_finite() && point.abs().max_element() < 1e7;
        self.slots.len() <= MOST_MOVERS
            && self.slots.iter().all(|mover| {
                let places = [mover.middle, mover.velocity, mover.towards_eye].into_iter().all(sound);
                let counts = mover.sightings < u32::MAX / 2 && mover.unseen_ticks < u32::MAX / 2;
                let looked = mover.looked_tick < u32::MAX / 2 && mover.distance_blocks > 0.0;
                places && counts && looked && mover.dots.iter().all(|dot| sound(dot.from_middle))
            })
    }

    /// The bodies in a frame seen from `pose`.
    pub(super) fn sight(&mut self, pose: &Pose, camera: &Camera, shown: &Shown) -> Vec<Sighting> {
        self.scratch.sightings(pose, camera, shown)
    }

    /// Takes in a finished frame, seen from `pose`, and the bodies in it. `known` says at which pixels a surface was
    /// remembered before it: nothing is born there.
    pub(super) fn see(
        &mut self,
        pose: &Pose,
        camera: &Camera,
        shown: &Shown,
        sightings: &[Sighting],
        known: impl Fn(usize) -> bool,
    ) {
        let ticks = shown.tick.saturating_sub(self.tick);
        self.tick = shown.tick;
        for mover in &mut self.slots {
            mover.middle = mover.after(ticks);
            mover.unseen_ticks += ticks;
        }
        let (eye, axes) = (pose.eye(), pose.axes());
        let mut found = vec![false; self.slots.len()];
        for sighting in sightings {
            let (towards_eye, distance_blocks) = towards(sighting.middle, eye);
            let near = SAME_BLOCKS + SAME_SHARE * distance_blocks;
            let off = |at: &usize| (self.slots[*at].middle - sighting.middle).length();
            let free = (0..found.len()).filter(|&at| !found[at]);
            let nearest = free.min_by(|a, b| off(a).total_cmp(&off(b))).filter(|at| off(at) < near);
            let Some(at) = nearest else {
                let over_known = || sighting.pixels.iter().filter(|&&at| known(at)).count();
                if !sighting.cut && 2 * over_known() < sighting.pixels.len() {
                    self.welcome(sighting, eye, shown);
                }
                continue;
            };
            found[at] = true;
            let mover = &mut self.slots[at];
            (mover.missed, mover.unseen_ticks) = (0, 0);
            let share = sighting.pixels.len() as f32 / mover.expected_pixels(distance_blocks).max(1.0);
            if sighting.cut || !WHOLE.contains(&share) {
                continue;
            }
            mover.follow(sighting.middle - mover.middle);
            if mover.is_stale(towards_eye, distance_blocks, shown.tick) {
                mover.look(sighting, eye, shown);
            }
        }
        for (mover, _) in self.slots.iter_mut().zip(&found).filter(|(_, found)| !**found) {
            if in_plain_view(mover.middle, eye, &axes, camera, shown) {
                mover.missed += 1;
            }
        }
        self.slots.retain(|mover| mover.missed < MOST_MISSED);
    }

    /// Gives a body that none of the slots knows one of its own.
    fn welcome(&mut self, sighting: &Sighting, eye: Vec3, shown: &Shown) {
        if self.slots.len() == MOST_MOVERS {
            let longest = (0..MOST_MOVERS).max_by_key(|&at| self.slots[at].unseen_ticks).unwrap_or(0);
            self.slots.swap_remove(longest);
        }
        let mut mover = Mover {
            middle: sighting.middle,
            velocity: Vec3::ZERO,
            sightings: 1,
            unseen_ticks: 0,
            missed: 0,
            looked_tick: 0,
            towards_eye: Vec3::Y,
            distance_blocks: 1.0,
            dots: Vec::new(),
        };
        mover.look(sighting, eye, shown);
        self.slots.push(mover);
    }

    /// Draws them into what the map shows from `pose`, as they should be in the tick after the last frame.
    ///
    /// `nearest_z` is room for a depth along the view axis a pixel.
    pub(super) fn draw(&self, pose: &Pose, camera: &Camera, canvas: &mut Canvas, nearest_z: &mut Vec<f32>) {
        if self.slots.is_empty() {
            return;
        }
        let (eye, axes, focal) = (pose.eye(), pose.axes(), camera.focal_px());
        nearest_z.clear();
        nearest_z.resize(canvas.rgb.len(), f32::INFINITY);
        for mover in &self.slots {
            let middle = mover.after(1) - eye;
            for dot in &mover.dots {
                let Some((x, y, z)) = camera.project(&axes, middle + dot.from_middle) else { continue };
                // A pixel of the look, as large as it is now.
                let pixel_blocks = (mover.distance_blocks - dot.from_middle.dot(mover.towards_eye)) / focal;
                let radius = (0.75 * pixel_blocks * focal / z).max(0.5);
                let range = |centre: f32, side: usize| {
                    let first = (centre - radius).round().max(0.0) as usize;
                    first..((centre + radius).round().max(0.0) as usize).min(side)
                };
                for at in range(y, camera.height).flat_map(|y| range(x, camera.width).map(move |x| (x, y))) {
                    let ray = camera.ray(&axes, at.0, at.1).length();
                    let at = at.1 * camera.width + at.0;
                    if z < nearest_z[at] && (z < canvas.depth_blocks[at] / ray + SLACK_BLOCKS || nearest_z[at] < 1e9) {
                        nearest_z[at] = z;
                        canvas.rgb[at] = dot.rgb.map(f32::from);
                        canvas.depth_blocks[at] = z * ray;
                        canvas.confidence[at] = CONFIDENCE;
                        canvas.footprint_blocks[at] = pixel_blocks;
                    }
                }
            }
        }
    }
}

/// Whether a point is well within the frame, and nothing nearer is seen there.
fn in_plain_view(point: Vec3, eye: Vec3, axes: &Axes, camera: &Camera, shown: &Shown) -> bool {
    let Some((x, y, z)) = camera.project(axes, point - eye) else { return false };
    let inside = |at: f32, side: usize| (0.08..0.92).contains(&(at / side as f32));
    if !(inside(x, camera.width) && inside(y, camera.height) && z > 0.5) {
        return false;
    }
    let blocks = shown.depth.blocks[y as usize * camera.width + x as usize];
    blocks > (point - eye).length() * 0.9 - SLACK_BLOCKS
}

#[cfg(test)]
#[path = "movers_tests.rs"]
mod tests;
