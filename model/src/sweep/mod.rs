//! Reading a start once more: the pictures of blocks are held against it.
//!
//! The denoiser tells by look alone how far off things are, and takes ground for ground a block lower, or a bush for a wood
//! farther off (`docs/decisions/walls.md`). But a model knows what its matters look like from near ([`Materials`]), and a
//! dream knows how its blocks lie: where a block's face truly is, the frame follows the face's picture texel by texel, and
//! a block nearer or farther off it does not. This is plane-sweep stereo (Collins, "A space-sweep approach to true
//! multi-image matching", CVPR 1996) with pictures in the place of a second view. What fits no picture is left as it was
//! read (`docs/decisions/sweep.md`).

mod fit;
mod panes;

pub use panes::Pane;

use crate::{
    face::uv_across,
    materials::{Materials, level_of},
    matter::Matter,
    pictures::{SIDE_PX, Way},
};
use fit::{Fit, Following, Parts};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Frame, Pose, pose::Axes};
use panes::Panes;
use std::collections::BTreeMap;

/// Faces farther off show too little of their texels, blocks.
const RANGE_BLOCKS: f32 = 8.0;
/// A face of fewer pixels says nothing; beside one that is there it may.
const LEAST_PIXELS: usize = 14;
const LEAST_BESIDE: usize = 8;
/// How far the share of a colour in the whole may be from the picture's: biomes and daylight tint.
const TINT: f32 = 0.1;
/// A face is there where frame and picture correlate so well: thousands of faces are tried, each with many pictures. The
/// second is for what the denoiser named alike.
const SURE: [Fit; 2] = [Fit { correlation: 0.65, sigmas: 6.5 }, Fit { correlation: 0.45, sigmas: 5.0 }];
/// The same beside a face of the same matter on the same wall that is there.
const BESIDE: [Fit; 2] = [Fit { correlation: 0.35, sigmas: 2.5 }, Fit { correlation: 0.25, sigmas: 2.0 }];
/// How strongly the frame follows the picture: less is veiled or something else, more is something else.
const SLOPES: [f32; 2] = [0.7, 1.35];
/// Squares of what is shown over squares of the picture: no slope and correlation that would do go with others.
const CONTRASTS: std::ops::Range<f32> = 0.3..45.0;
/// A pixel shows the face if it is this near to what the face's picture lets expect, as a share of the face's brightness.
const OFF_SHARE: f32 = 0.2;
/// Darker faces show no texels, red, green and blue together.
const LEAST_BRIGHT: f32 = 12.0;
/// A face is something else's if less than this share of its pixels is not taken yet by what fits better.
const LEAST_FREE: f32 = 0.6;

/// A pixel that would show a face if that were there.
#[derive(Debug, Clone, Copy)]
struct Sample {
    pixel: u32,
    /// From the top left of the face's picture, 0 to 1.
    uv: [f32; 2],
    /// Level of detail: 0 full, 1 of half the side.
    level: f32,
    blocks: f32,
}

/// The picture that fits a face best.
#[derive(Debug)]
struct Guess {
    matter: Matter,
    fit: Fit,
    /// The denoiser read this matter here as well, in most pixels.
    was_read: bool,
    /// The pixels that look as expected, and how far off each is.
    pixels: Vec<(u32, f32)>,
}

impl Guess {
    fn reaches(&self, least: [Fit; 2]) -> bool {
        self.fit.reaches(least[usize::from(self.was_read)])
    }
}

/// An axis, and the cell that the face belongs to.
type Place = (usize, [i32; 3]);

/// Lays what is near and fits a picture on the walls of the blocks, and names it. Answers the panes of glass.
///
/// # Arguments
/// - `pose`: of the eye among the blocks ([`crate::grid::Grid::place`]).
/// - `depth`, `matters`: as the denoiser read them, `[height * width]`; mended in place.
pub fn mend(
    frame: &Frame,
    pose: &Pose,
    camera: &Camera,
    materials: &Materials,
    depth: &mut Depth,
    matters: &mut [Matter],
) -> Vec<Pane> {
    let sweep = Sweep { frame, camera, eye: pose.eye(), axes: pose.axes(), materials, matters };
    // The sky is read right, and a cloud may look like snow.
    let free = depth.blocks.iter().map(|blocks| *blocks < Depth::SKY).collect();
    let mut found = Found { free, standing: BTreeMap::new(), pixels: Vec::new() };
    let faces = sweep.faces();
    let (glass, rims) = Panes::of(materials).map(|panes| panes.find(frame, &faces, sweep.eye)).unwrap_or_default();
    rims.into_iter().for_each(|(pixel, blocks)| found.claim(pixel, blocks, Matter::Glass));
    found.take_sure(&sweep, faces.iter());
    // What is partly hidden by what is there is looked at again without that.
    let free = found.free.clone();
    let is_partly_hidden = |face: &[Sample]| face.iter().any(|sample| !free[sample.pixel as usize]);
    found.take_sure(&sweep, faces.iter().filter(|(_, face)| is_partly_hidden(face)));
    found.spread(&sweep, &faces);
    for (pixel, blocks, matter) in found.pixels {
        (depth.blocks[pixel], matters[pixel]) = (blocks, matter);
    }
    glass
}

/// What is there.
struct Found {
    /// Pixels that show nothing of it yet.
    free: Vec<bool>,
    standing: BTreeMap<Place, Matter>,
    pixels: Vec<(usize, f32, Matter)>,
}

impl Found {
    /// What fits the pixels of a face that are free, if it is not there yet.
    fn look(&self, sweep: &Sweep, place: Place, face: &[Sample], least: usize) -> Option<Guess> {
        if self.standing.contains_key(&place) {
            return None;
        }
        let free: Vec<Sample> = face.iter().filter(|sample| self.free[sample.pixel as usize]).copied().collect();
        (free.len() >= least).then(|| sweep.guess(place, &free)).flatten()
    }

    /// Puts there what is sure, what fits best first.
    fn take_sure<'a>(&mut self, sweep: &Sweep, faces: impl Iterator<Item = (&'a Place, &'a Vec<Sample>)>) {
        let look = |(place, face): (&Place, &Vec<Sample>)| {
            let guess = self.look(sweep, *place, face, LEAST_PIXELS).filter(|guess| guess.reaches(SURE))?;
            Some((*place, guess))
        };
        let mut sure: Vec<(Place, Guess)> = faces.filter_map(look).collect();
        sure.sort_by(|a, b| b.1.fit.sigmas.total_cmp(&a.1.fit.sigmas));
        sure.into_iter().for_each(|(place, guess)| self.take(place, guess));
    }

    /// Puts a face there, unless what fits better stands before most of it.
    fn take(&mut self, place: Place, guess: Guess) {
        let all = guess.pixels.len() as f32;
        let free: Vec<_> = guess.pixels.into_iter().filter(|(pixel, _)| self.free[*pixel as usize]).collect();
        if (free.len() as f32) < LEAST_FREE * all {
            return;
        }
        self.standing.insert(place, guess.matter);
        free.into_iter().for_each(|(pixel, blocks)| self.claim(pixel, blocks, guess.matter));
    }

    /// A pixel shows this.
    fn claim(&mut self, pixel: u32, blocks: f32, matter: Matter) {
        self.free[pixel as usize] = false;
        self.pixels.push((pixel as usize, blocks, matter));
    }

    /// Goes on along the walls from face to face.
    fn spread(&mut self, sweep: &Sweep, faces: &BTreeMap<Place, Vec<Sample>>) {
        let mut from: Vec<(Place, Matter)> = self.standing.iter().map(|(place, matter)| (*place, *matter)).collect();
        while let Some(((axis, cell), matter)) = from.pop() {
            for (along, step) in (0..3).filter(|along| *along != axis).flat_map(|along| [(along, -1), (along, 1)]) {
                let mut beside = cell;
                beside[along] += step;
                let place = (axis, beside);
                let Some(face) = faces.get(&place) else { continue };
                let guess = self.look(sweep, place, face, LEAST_BESIDE);
                if let Some(guess) = guess.filter(|guess| guess.matter == matter && guess.reaches(BESIDE)) {
                    self.take(place, guess);
                    from.push((place, matter));
                }
            }
        }
    }
}

struct Sweep<'a> {
    frame: &'a Frame,
    camera: &'a Camera,
    eye: Vec3,
    axes: Axes,
    materials: &'a Materials,
    matters: &'a [Matter],
}

impl Sweep<'_> {
    /// All faces that may be there, and the pixels that would show them.
    fn faces(&self) -> BTreeMap<Place, Vec<Sample>> {
        let mut faces: BTreeMap<Place, Vec<Sample>> = BTreeMap::new();
        for axis in 0..3 {
            let at = self.eye[axis];
            for wall in (at - RANGE_BLOCKS).ceil() as i32..=(at + RANGE_BLOCKS).floor() as i32 {
                self.on_wall(axis, wall, |cell, sample| faces.entry((axis, cell)).or_default().push(sample));
            }
        }
        faces
    }

    /// Where each pixel's ray meets a wall, by the cell behind it.
    fn on_wall(&self, axis: usize, wall: i32, mut found: impl FnMut([i32; 3], Sample)) {
        let texels_a_block = SIDE_PX as f32 / self.camera.focal_px();
        for pixel in 0..self.camera.width * self.camera.height {
            let ray = self.camera.ray(&self.axes, pixel % self.camera.width, pixel / self.camera.width).normalize();
            let blocks = (wall as f32 - self.eye[axis]) / ray[axis];
            if !(0.05..RANGE_BLOCKS).contains(&blocks) {
                continue;
            }
            let point = self.eye + ray * blocks;
            let mut cell: IVec3 = point.floor().as_ivec3();
            cell[axis] = wall - i32::from(ray[axis] < 0.0);
            let uv = uv_across(axis, point - point.floor());
            let level = level_of(blocks * texels_a_block, ray[axis]);
            found(cell.to_array(), Sample { pixel: pixel as u32, uv, level, blocks });
        }
    }

    /// The picture that fits some pixels of a face best, turned as it may be.
    fn guess(&self, (axis, cell): Place, face: &[Sample]) -> Option<Guess> {
        let side = match axis {
            1 if (cell[1] as f32) < self.eye.y => 0,
            1 => 2,
            _ => 1,
        };
        let count = face.len() as f32;
        let rgb = |sample: &Sample| {
            let at = sample.pixel as usize * 3;
            Vec3::from_array([0, 1, 2].map(|channel| f32::from(self.frame.rgb[at + channel])))
        };
        let mean = face.iter().map(rgb).sum::<Vec3>() / count;
        let bright = mean.element_sum();
        if bright < LEAST_BRIGHT {
            return None;
        }
        let parts = Parts::of(face);
        let shown: Vec<f32> = face.iter().map(|sample| rgb(sample).element_sum() / bright).collect();
        let details = parts.details(&shown);
        let alike = |matter: &Matter| {
            let picture = self.materials.mean(*matter, side);
            let off = picture / picture.element_sum().max(1.0) - mean / bright;
            // Through glass one sees something else.
            self.materials.has_grain(*matter) && *matter != Matter::Glass && off.abs().max_element() < TINT
        };
        let mut best: Option<(Fit, Matter, Vec<f32>)> = None;
        for matter in Matter::ALL.into_iter().filter(alike) {
            // What lies one way may be mirrored.
            let ways = if matter.lies_any_way(side) { Way::COUNT } else { 2 };
            for way in (0..ways).map(Way::new) {
                let expected: Vec<f32> = face.iter().map(|sample| self.expected(matter, side, way, sample)).collect();
                let Some(Following { fit, slope, contrast }) = parts.fit(&details, &expected) else { break };
                // Turned otherwise it is about as rough.
                if !CONTRASTS.contains(&contrast) {
                    break;
                }
                let follows = (SLOPES[0]..SLOPES[1]).contains(&slope);
                if follows && best.as_ref().is_none_or(|(least, ..)| fit.sigmas > least.sigmas) {
                    best = Some((fit, matter, expected));
                }
            }
        }
        let (fit, matter, expected) = best?;
        let level = expected.iter().sum::<f32>() / count;
        let shows = |at: &usize| (shown[*at] - expected[*at] / level).abs() < OFF_SHARE;
        let pixels = (0..face.len()).filter(shows).map(|at| (face[at].pixel, face[at].blocks)).collect();
        let read = face.iter().filter(|sample| self.matters[sample.pixel as usize] == matter).count();
        Some(Guess { matter, fit, was_read: read * 2 > face.len(), pixels })
    }

    /// The brightness that a picture lets expect, blended between its levels of detail as the eye blends them.
    fn expected(&self, matter: Matter, side: usize, way: Way, sample: &Sample) -> f32 {
        let uv = way.turn(sample.uv);
        self.materials.blended_grain(matter, side, uv, sample.level)
    }
}
