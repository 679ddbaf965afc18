//! The level ground on which a player stands reaches to their feet, and what stands on it goes down to it.
//!
//! A start shows ground from some two blocks on; what lies nearer comes into view with the first look down. The denoiser
//! makes it of whatever is beside it in the picture, of a block that stands there too (`docs/decisions/underfoot.md`). But
//! between the feet and ground that is known to be level with them there is nothing else than that ground.

use crate::{Condition, imagined::Imagined, matter::Matter, state::Sight};
use glam::Vec3;
use holdfast_sim::{Camera, kinematics::EYE_HEIGHT, pose::Axes};
use std::ops::Range;

/// What is known lies on the ground, or on a wall, if its distance differs by no more than this share.
const SAME_PLANE: f32 = 0.05;
/// That holds for what is shown so many pixels higher, too.
const HIGHER_PX: usize = 3;
/// A wall whose lowest known part is so high above the ground may end there, blocks.
const MOST_ABOVE: f32 = 1.0;
/// The mean colour of so many pixels to each side, and as many up, goes on.
const AROUND_PX: usize = 4;
/// Where something stands at the edge of what is known, the ground beside it counts, up to so many pixels away.
const BESIDE_PX: usize = 40;
/// So many of these columns tell what it is made of.
const NEAREST: usize = 9;
/// What is known is a wall, or what grows there hides the ground, if its distance is at least this share of the ground's.
const BEFORE_GROUND: f32 = 0.75;

/// What a plane looks like where it goes on.
#[derive(Debug, Clone, Copy)]
struct Paint {
    rgb: Vec3,
    matter: Matter,
}

/// The lowest that is known in a column of pixels.
#[derive(Debug, Clone, Copy)]
enum Foot {
    /// Level ground, and where something stands on it, nothing to go by.
    Ground(Option<Paint>),
    /// A wall at this horizontal distance, blocks.
    Wall(f32, Paint),
}

/// Draws the ground before the feet where nothing firm is known of it, from the lower edge of the picture up to where level
/// ground is known, or something that stands on it.
///
/// # Arguments
/// - `sight`: read from the pose of `condition`.
pub fn go_on(imagined: &mut Imagined, condition: &Condition, camera: &Camera, sight: &Sight) {
    let (width, height) = (camera.width, camera.height);
    let mut lowest_row = (height - 1) * width..height * width;
    if sight.canvas.depth_blocks.is_empty() || lowest_row.all(|pixel| sight.is_firm(pixel)) {
        return;
    }
    let view = View { camera, axes: condition.pose.axes(), sight, matters: &imagined.matters };
    // Mostly there is nothing to go by, and nothing is asked of the system for that.
    let goes_on = |foot: Foot| !matches!(foot, Foot::Ground(None));
    if !(0..width).any(|x| view.foot(x).is_some_and(|(_, foot)| goes_on(foot))) {
        return;
    }
    let feet: Vec<Option<(usize, Foot)>> = (0..width).map(|x| view.foot(x)).collect();
    let ground = |x: usize| match feet.get(x) {
        Some(Some((_, Foot::Ground(paint)))) => *paint,
        _ => None,
    };
    let mut drawn = Vec::new();
    for (x, foot) in feet.iter().enumerate() {
        let Some((known, foot)) = foot else { continue };
        let beside = in_the_open(x, ground);
        for pixel in (known + 1..height).map(|y| y * width + x) {
            let ground_blocks = view.ground_blocks(pixel);
            let (blocks, paint) = match foot {
                Foot::Wall(away, paint) if away * view.steepness(pixel) < ground_blocks => {
                    (away * view.steepness(pixel), Some(*paint))
                }
                _ => (ground_blocks, beside),
            };
            drawn.extend(paint.map(|paint| (pixel, blocks, paint)));
        }
    }
    for (pixel, blocks, Paint { rgb, matter }) in drawn {
        imagined.draw(pixel, rgb, blocks, matter);
        (imagined.copied[pixel], imagined.doubt[pixel]) = (0.0, 0.0);
    }
}

/// What the ground in a column looks like: what is known nearest to it, or, where that is in the shade of what stands there,
/// the median of what is made of the same about there.
fn in_the_open(x: usize, ground: impl Fn(usize) -> Option<Paint>) -> Option<Paint> {
    let nearest = |away: usize| [x.checked_sub(away), Some(x + away)].into_iter().flatten();
    let known: Vec<Paint> = (0..BESIDE_PX).flat_map(nearest).filter_map(ground).collect();
    let few = &known[..known.len().min(NEAREST)];
    let count = |matter: Matter| few.iter().filter(|paint| paint.matter == matter).count();
    let own = few.iter().copied().rev().max_by_key(|paint| count(paint.matter))?;
    let mut alike: Vec<Paint> = known.into_iter().filter(|paint| paint.matter == own.matter).collect();
    alike.sort_by(|a, b| a.rgb.element_sum().total_cmp(&b.rgb.element_sum()));
    let median = alike[alike.len() / 2];
    Some(if median.rgb.element_sum() > own.rgb.element_sum() { median } else { own })
}

/// What is known before a frame is drawn, and what its pixels show.
struct View<'a> {
    camera: &'a Camera,
    axes: Axes,
    sight: &'a Sight,
    matters: &'a [Matter],
}

impl View<'_> {
    fn ray(&self, pixel: usize) -> Vec3 {
        self.camera.ray(&self.axes, pixel % self.camera.width, pixel / self.camera.width)
    }

    /// How far off ground on a level with the feet is.
    fn ground_blocks(&self, pixel: usize) -> f32 {
        let ray = self.ray(pixel);
        if ray.y < 0.0 { EYE_HEIGHT / -ray.y * ray.length() } else { f32::INFINITY }
    }

    /// Length of a ray over that of its shadow.
    fn steepness(&self, pixel: usize) -> f32 {
        let ray = self.ray(pixel);
        ray.length() / ray.with_y(0.0).length().max(1e-3)
    }

    /// Distance of a known pixel, as a share of another.
    fn is_at(&self, pixel: usize, blocks: f32) -> bool {
        self.sight.is_firm(pixel) && (self.sight.canvas.depth_blocks[pixel] / blocks - 1.0).abs() < SAME_PLANE
    }

    fn is_ground(&self, pixel: usize) -> bool {
        self.is_at(pixel, self.ground_blocks(pixel))
    }

    /// The lowest row of a column in which something firm is known, if nothing is below it, and what stands there.
    fn foot(&self, x: usize) -> Option<(usize, Foot)> {
        let Camera { width, height, .. } = *self.camera;
        let known = (HIGHER_PX..height).rev().find(|y| self.sight.is_firm(y * width + x))?;
        let pixel = known * width + x;
        let (blocks, ground_blocks) = (self.sight.canvas.depth_blocks[pixel], self.ground_blocks(pixel));
        if known + 1 == height || !ground_blocks.is_finite() {
            return None;
        }
        let higher = |at: usize| at >= HIGHER_PX * width;
        if self.is_ground(pixel) {
            let is_plane = |at: usize| higher(at) && self.is_ground(at) && self.is_ground(at - HIGHER_PX * width);
            let paint = if is_plane(pixel) { self.paint(x, known, is_plane) } else { None };
            return Some((known, Foot::Ground(paint)));
        }
        let away = blocks / self.steepness(pixel);
        let is_wall = |at: usize| self.is_at(at, away * self.steepness(at));
        let above_blocks = EYE_HEIGHT * (1.0 - blocks / ground_blocks);
        let wall = || is_wall(pixel - HIGHER_PX * width).then(|| self.paint(x, known, is_wall)).flatten();
        match (0.0..MOST_ABOVE).contains(&above_blocks).then(wall).flatten() {
            Some(paint) => Some((known, Foot::Wall(away, paint))),
            None => (BEFORE_GROUND..1.0).contains(&(blocks / ground_blocks)).then_some((known, Foot::Ground(None))),
        }
    }

    /// The mean colour and the matter of a plane around its lowest known pixel in a column.
    fn paint(&self, x: usize, y: usize, is_plane: impl Fn(usize) -> bool) -> Option<Paint> {
        let width = self.camera.width;
        let columns: Range<usize> = x.saturating_sub(AROUND_PX)..(x + AROUND_PX + 1).min(width);
        let around = (y.saturating_sub(AROUND_PX)..=y).flat_map(|y| columns.clone().map(move |x| y * width + x));
        let shown: Vec<usize> = around.filter(|&at| is_plane(at) && fills_cells(self.matters[at])).collect();
        let count = |matter: Matter| shown.iter().filter(|&&at| self.matters[at] == matter).count();
        let matter =
            Matter::ALL.into_iter().filter(|matter| fills_cells(*matter)).max_by_key(|matter| count(*matter))?;
        let of_it = shown.iter().filter(|&&at| self.matters[at] == matter);
        let sum: Vec3 = of_it.map(|&at| Vec3::from_array(self.sight.canvas.rgb[at])).sum();
        let rgb = sum / count(matter) as f32;
        (count(matter) * 2 > shown.len()).then_some(Paint { rgb, matter })
    }
}

/// What stands on ground, or gives way, is none.
fn fills_cells(matter: Matter) -> bool {
    !matter.lives() && !matches!(matter, Matter::Water | Matter::Plant | Matter::Cake | Matter::Rest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        grid::cross,
        state::{Memory, Shown},
    };
    use glam::IVec3;
    use holdfast_sim::{Depth, Frame, Pose};

    const CAMERA: Camera = Camera { width: 64, height: 48, fov_y_deg: Camera::FOV_Y_DEG };
    const LEVEL: Pose = Pose { position: [0.5, EYE_HEIGHT, 0.5], yaw_deg: 0.0, pitch_deg: 0.0 };

    /// Distance and matter along a ray over ground of this height that may carry a block.
    fn truth(ray: Vec3, ground_y: f32, block: Option<IVec3>) -> (f32, Matter) {
        let down = ground_y - EYE_HEIGHT;
        let ground = if ray.y < 0.0 { down / ray.y } else { f32::INFINITY };
        let met = block.and_then(|cell| cross(LEVEL.eye(), ray, cell)).map(|(enters, ..)| enters);
        match met.filter(|enters| *enters < ground) {
            Some(enters) => (enters * ray.length(), Matter::Stone),
            None if ground.is_finite() => (ground * ray.length(), Matter::Grass),
            None => (Depth::SKY, Matter::Rest),
        }
    }

    fn grey(matter: Matter) -> u8 {
        matter as u8 * 20 + 40
    }

    /// Remembers a level look, looks down, and compares what is drawn where nothing was known with the truth: pixels drawn,
    /// and those of them that are right.
    fn drawn(ground_y: f32, block: Option<IVec3>) -> (usize, usize) {
        let pixels = CAMERA.width * CAMERA.height;
        let ray = |axes: &Axes, at: usize| CAMERA.ray(axes, at % CAMERA.width, at / CAMERA.width);
        let (mut memory, mut sight) = (Memory::new(), Sight::default());
        let (mut frame, mut depth) = (Frame::new(64, 48), Depth::new(64, 48));
        for at in 0..pixels {
            let (blocks, matter) = truth(ray(&LEVEL.axes(), at), ground_y, block);
            depth.blocks[at] = blocks;
            frame.rgb[at * 3..at * 3 + 3].fill(grey(matter));
        }
        memory.read(&LEVEL, &CAMERA, &mut sight);
        memory.write(&LEVEL, &CAMERA, &mut sight, &Shown::given(&frame, &depth, 0));
        let pose = Pose { pitch_deg: 30.0, ..LEVEL };
        let truths: Vec<_> = (0..pixels).map(|at| truth(ray(&pose.axes(), at), ground_y, block)).collect();
        memory.read(&pose, &CAMERA, &mut sight);
        let mut imagined = Imagined {
            frame: Frame::new(64, 48),
            depth: Depth::new(64, 48),
            copied: vec![1.0; pixels],
            doubt: vec![0.5; pixels],
            matters: truths.iter().map(|(_, matter)| *matter).collect(),
        };
        go_on(&mut imagined, &Condition { pose, ..Condition::default() }, &CAMERA, &sight);
        let drawn = (0..pixels).filter(|&at| imagined.doubt[at] == 0.0);
        let is_right = |at: &usize| {
            let (blocks, matter) = truths[*at];
            let off = imagined.depth.blocks[*at] / blocks - 1.0;
            off.abs() < 0.06
                && imagined.frame.rgb[*at * 3].abs_diff(grey(matter)) < 3
                && imagined.matters[*at] == matter
        };
        (drawn.clone().count(), drawn.filter(is_right).count())
    }

    #[test]
    fn ground_that_is_level_with_the_feet_reaches_to_them() {
        let (all, right) = drawn(0.0, None);
        assert!(all > 800 && right == all, "{right} of {all}");
    }

    #[test]
    fn other_ground_is_left_to_the_denoiser() {
        assert_eq!([drawn(-1.0, None).0, drawn(0.5, None).0], [0, 0]);
    }

    #[test]
    fn what_stands_on_it_goes_down_to_it() {
        // The lower edge of the level look cuts it off.
        let (all, right) = drawn(0.0, Some(IVec3::new(0, 0, 2)));
        assert!(all > 700 && right * 100 > all * 95, "{right} of {all}");
    }
}
