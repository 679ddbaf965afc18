//! Reading what lives in a start once more: bodies are held against it.
//!
//! The denoiser names pixels that live, leaves out half a hen and takes in the grass beside it, and says nothing of where a
//! body faces. But a model knows of what boxes each kind is built: kind, place and heading are those whose picture is most
//! like what is shown (analysis by synthesis: Yuille and Kersten, "Vision as Bayesian inference: analysis by synthesis?",
//! 2006). Whatever stands, stands on the top of a block, which says how far off it is.

use super::Posed;
use crate::{lore::Lore, matter::Matter};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame, Pose, pose::Axes};

/// A body that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// Number of its kind.
    pub kind: usize,
    /// Among the blocks.
    pub feet: Vec3,
    /// Where it faces, as in [`Pose`].
    pub yaw_deg: f32,
    /// Share of it that looks as it should, 0..1.
    pub likeness: f32,
    /// How bright it is, over its colours in full light.
    pub brightness: f32,
}

/// What lives in a picture.
#[derive(Debug, Clone, Default)]
pub struct Sighted {
    pub found: Vec<Found>,
    /// `[pixels]`: shows a body, or was taken for one; what is behind, nobody knows. Empty: none.
    pub hidden: Vec<bool>,
}

/// Fewer pixels say nothing.
const LEAST_PIXELS: usize = 8;
/// The largest are looked at: a picture of anything may be full of what is taken for animals.
const MOST_BODIES: usize = 12;
/// Pixels of one body may be so far apart.
const GAP_PX: usize = 2;
/// No two stand so near to each other, blocks.
const ONE_BODY_BLOCKS: f32 = 0.6;
/// How far off a body may stand, along the ground, blocks.
const DISTANCES_BLOCKS: std::ops::Range<f32> = 1.2..9.0;
/// Levels below the eye that it may stand on, blocks.
const LEVELS: i32 = 5;
/// The lowest pixel of a body shows its nearest foot, or something higher: the middle is farther off by so many blocks.
const BEHIND_BLOCKS: [f32; 5] = [-0.6, -0.2, 0.1, 0.4, 0.8];
/// Ways to face that are tried first.
const WAYS: usize = 12;
/// So many of the likest are looked at more closely, at steps of so many blocks and degrees.
const KEPT: usize = 6;
const STEPS: [(f32, f32); 3] = [(0.15, 10.0), (0.08, 5.0), (0.04, 3.0)];
/// Pixels that a body is compared in, at most, about.
const MOST_PIXELS: usize = 700;
/// Colours this far apart, as a share of the brightest, are not alike at all.
const APART: f32 = 0.35;
/// It is as bright as the frame is in the mean, about, and no brighter than full light.
const LIGHTS: [f32; 2] = [0.6, 3.4];
const FULL_LIGHT: f32 = 1.2;
/// What looks as it should and was not named counts as much; and what was named and is beside it, against it.
const UNNAMED: f32 = 0.35;
const BESIDE: f32 = 0.4;
/// Ground is read from so many rows below a body; each block that one stands off it counts against it.
const FLOOR_PX: usize = 3;
const OFF_FLOOR: f32 = 0.08;
/// Pixels to the left and right of a body, and half as many above and below, that may show a little of it.
const EDGE_PX: usize = 2;
/// What is less like than this is not there.
const LEAST_LIKENESS: f32 = 0.62;

/// Finds the bodies in a start, and puts their pixels right: those that show them, and how far off each is.
///
/// # Arguments
/// - `pose`: of the eye among the blocks.
/// - `depth`, `matters`: as the denoiser read them, `[height * width]`; mended in place.
pub fn find(
    frame: &Frame,
    pose: &Pose,
    camera: &Camera,
    lore: &Lore,
    depth: &mut Depth,
    matters: &mut [Matter],
) -> Sighted {
    let mut sighted = Sighted::default();
    for pixels in named(matters, camera) {
        let glimpse = Glimpse::new(&pixels, frame, pose, camera, lore);
        let floor_y = glimpse.floor_y(&pixels, depth);
        let Some(found) = glimpse.likest(&pixels, floor_y) else { continue };
        sighted.hidden.resize(matters.len(), false);
        for at in pixels {
            (matters[at], sighted.hidden[at]) = (Matter::Rest, true);
        }
        // A part of one that was seen apart from the rest of it.
        if sighted.found.iter().any(|other| (other.feet - found.feet).with_y(0.0).length() < ONE_BODY_BLOCKS) {
            continue;
        }
        let posed = glimpse.posed(&found);
        for at in 0..matters.len() {
            let ray = camera.ray(&glimpse.axes, at % camera.width, at / camera.width);
            if let Some((reach, _)) = posed.meet(glimpse.eye, ray, &lore.face_light) {
                depth.blocks[at] = reach * ray.length();
                (matters[at], sighted.hidden[at]) = (Matter::Rest, true);
            }
        }
        sighted.found.push(found);
    }
    widen(&mut sighted.hidden, camera.width);
    sighted
}

/// Takes in the pixels beside what is set: edges are drawn by nobody to the pixel.
fn widen(set: &mut [bool], width: usize) {
    let before = set.to_vec();
    let row = |at: usize| at / width * width;
    for at in (0..before.len()).filter(|&at| before[at]) {
        for row in [row(at).checked_sub(width), Some(row(at)), Some(row(at) + width)].into_iter().flatten() {
            let x = at % width;
            for beside in row + x.saturating_sub(EDGE_PX)..(row + x + EDGE_PX + 1).min(row + width) {
                if let Some(beside) = set.get_mut(beside) {
                    *beside = true;
                }
            }
        }
    }
}

/// Pixels that were named as living, by neighbourhood, the largest first.
fn named(matters: &[Matter], camera: &Camera) -> Vec<Vec<usize>> {
    let mut left: Vec<bool> = matters.iter().map(|matter| matter.lives()).collect();
    let (mut bodies, mut open) = (Vec::new(), Vec::new());
    for first in 0..left.len() {
        if !std::mem::take(&mut left[first]) {
            continue;
        }
        open.push(first);
        let mut pixels = Vec::new();
        while let Some(at) = open.pop() {
            pixels.push(at);
            let (x, y) = (at % camera.width, at / camera.width);
            for y in y.saturating_sub(GAP_PX)..(y + GAP_PX + 1).min(camera.height) {
                for x in x.saturating_sub(GAP_PX)..(x + GAP_PX + 1).min(camera.width) {
                    let next = y * camera.width + x;
                    if std::mem::take(&mut left[next]) {
                        open.push(next);
                    }
                }
            }
        }
        if pixels.len() >= LEAST_PIXELS {
            pixels.sort_unstable();
            bodies.push(pixels);
        }
    }
    bodies.sort_by_key(|pixels: &Vec<usize>| std::cmp::Reverse(pixels.len()));
    bodies.truncate(MOST_BODIES);
    bodies
}

/// The surroundings of what may be a body, as coarse as need be.
struct Glimpse<'a> {
    lore: &'a Lore,
    camera: &'a Camera,
    eye: Vec3,
    axes: Axes,
    /// Darkest and brightest that a body may be, over its colours in full light.
    lights: [f32; 2],
    /// The ray, the colour, and whether it was named.
    pixels: Vec<(Vec3, Vec3, bool)>,
}

impl<'a> Glimpse<'a> {
    fn new(body: &[usize], frame: &Frame, pose: &Pose, camera: &'a Camera, lore: &'a Lore) -> Glimpse<'a> {
        let sides = [camera.width, camera.height];
        let along = |axis: usize| body.iter().map(move |at| if axis == 0 { at % sides[0] } else { at / sides[0] });
        // As much again on each side.
        let around = [0, 1].map(|axis| {
            let (low, high) = (along(axis).min().unwrap_or(0), along(axis).max().unwrap_or(0));
            let margin = high - low + 4;
            low.saturating_sub(margin)..(high + margin + 1).min(sides[axis])
        });
        let area = around[0].len() * around[1].len();
        let step = ((area as f32 / MOST_PIXELS as f32).sqrt() as usize).max(1);
        let axes = pose.axes();
        let mut is_named = vec![false; sides[0] * sides[1]];
        body.iter().for_each(|&at| is_named[at] = true);
        let pixel = |x: usize, y: usize| {
            let rgb = Vec3::from_array(frame.pixel(x, y).map(|value| f32::from(value) / 255.0));
            (camera.ray(&axes, x, y), rgb, is_named[y * sides[0] + x])
        };
        let columns = || around[0].clone().step_by(step);
        let pixels = around[1].clone().step_by(step).flat_map(|y| columns().map(move |x| (x, y)));
        let bright = frame.rgb.iter().map(|&value| f32::from(value)).sum::<f32>() / (frame.rgb.len() as f32 * 255.0);
        let lights = LIGHTS.map(|share| (share * bright.max(0.01)).min(FULL_LIGHT));
        let pixels = pixels.map(|(x, y)| pixel(x, y)).collect();
        Glimpse { lore, camera, eye: pose.eye(), axes, lights, pixels }
    }

    fn posed(&self, found: &Found) -> Posed<'_> {
        self.lore.creatures.0[found.kind].posed(found.feet, found.yaw_deg, 0.0)
    }

    /// Height of what is shown just below a body.
    fn floor_y(&self, body: &[usize], depth: &Depth) -> f32 {
        let (width, lowest) = (self.camera.width, body.last().map_or(0, |at| at / self.camera.width));
        let rows = lowest + 1..(lowest + 1 + FLOOR_PX).min(self.camera.height);
        let columns: std::collections::BTreeSet<usize> = body.iter().map(|at| at % width).collect();
        let mut heights: Vec<f32> = rows
            .flat_map(|y| columns.iter().map(move |x| (*x, y)))
            .map(|(x, y)| {
                let ray = self.camera.ray(&self.axes, x, y);
                self.eye.y + ray.y * depth.blocks[y * width + x] / ray.length()
            })
            .collect();
        heights.sort_unstable_by(f32::total_cmp);
        heights.get(heights.len() / 2).copied().unwrap_or(self.eye.y - 1.6)
    }

    /// The body that is likest to what is shown.
    fn likest(&self, body: &[usize], floor_y: f32) -> Option<Found> {
        let width = self.camera.width;
        let ray = |at: usize| self.camera.ray(&self.axes, at % width, at / width);
        let middle = body.iter().map(|&at| ray(at)).sum::<Vec3>() / body.len() as f32;
        let lowest = body.last().map(|&at| ray(at))?;
        let mut found: Vec<Found> = Vec::new();
        let aside = Vec3::new(middle.x, 0.0, middle.z).normalize_or_zero();
        for level in (1..=LEVELS).map(|down| self.eye.y.ceil() - down as f32) {
            let to_floor = (level - self.eye.y) / lowest.y.min(-1e-3);
            let away = (lowest * to_floor).with_y(0.0).length();
            for away in BEHIND_BLOCKS.map(|behind| away + behind) {
                if !DISTANCES_BLOCKS.contains(&away) {
                    continue;
                }
                let feet = (self.eye + aside * away).with_y(level);
                for kind in 0..self.lore.creatures.0.len() {
                    found.extend((0..WAYS).map(|way| Found {
                        kind,
                        feet,
                        yaw_deg: way as f32 * (360.0 / WAYS as f32),
                        likeness: 0.0,
                        brightness: 1.0,
                    }));
                }
            }
        }
        found.iter_mut().for_each(|found| self.judge(found));
        let score = |it: &Found| it.likeness * (1.0 - OFF_FLOOR * (it.feet.y - floor_y).abs().min(3.0));
        found.sort_by(|a, b| score(b).total_cmp(&score(a)));
        found.truncate(KEPT);
        found.iter_mut().for_each(|found| self.settle(found));
        found.into_iter().max_by(|a, b| score(a).total_cmp(&score(b))).filter(|it| it.likeness > LEAST_LIKENESS)
    }

    /// Moves and turns a body to where it is likest, in ever smaller steps.
    fn settle(&self, found: &mut Found) {
        for (blocks, turn_deg) in STEPS {
            for _ in 0..4 {
                let moved = |right: f32, ahead: f32, turn: f32| {
                    let mut other = *found;
                    other.feet += (self.axes.right * right + self.axes.forward * ahead).with_y(0.0) * blocks;
                    other.yaw_deg += turn * turn_deg;
                    self.judge(&mut other);
                    other
                };
                let ways = [(1.0, 0.0, 0.0), (0.0, 1.0, 0.0), (0.0, 0.0, 1.0)];
                let others = ways.into_iter().flat_map(|(x, z, turn)| [moved(x, z, turn), moved(-x, -z, -turn)]);
                match others.max_by(|a, b| a.likeness.total_cmp(&b.likeness)) {
                    Some(other) if other.likeness > found.likeness => *found = other,
                    _ => break,
                }
            }
        }
    }

    /// Sets a body's likeness, the share of what was named or would show it that is as it should be, and how bright it is.
    fn judge(&self, found: &mut Found) {
        let (posed, light) = (self.posed(found), &self.lore.face_light);
        let (mut drawn, mut beside) = (Vec::with_capacity(self.pixels.len()), 0.0);
        for &(ray, rgb, named) in &self.pixels {
            match posed.meet(self.eye, ray, light) {
                Some((_, should)) => drawn.push((rgb, should, named)),
                None if named => beside += 1.0,
                None => {}
            }
        }
        let (mut shown, mut should) = (0.0, 1e-3);
        for (rgb, in_full_light, _) in drawn.iter().filter(|(.., named)| *named) {
            (shown, should) = (shown + rgb.element_sum(), should + in_full_light.element_sum());
        }
        let brightness = (shown / should).clamp(self.lights[0], self.lights[1]);
        let alike = |&(rgb, should, named): &(Vec3, Vec3, bool)| {
            let apart = (rgb - should * brightness).abs().element_sum() / (3.0 * APART * brightness);
            (1.0 - apart.min(1.0)) * if named { 1.0 } else { UNNAMED }
        };
        found.brightness = brightness;
        found.likeness = drawn.iter().map(alike).sum::<f32>() / f32::max(drawn.len() as f32 + BESIDE * beside, 1.0);
    }
}
