//! What is to be expected where a block has just gone: what is known beside the hole.
//!
//! The memory knows nothing there, and the last frame shows the block: of the two the denoiser makes a shadow of the block
//! on whatever ground there is (`docs/decisions/deeds.md`). And where the block stood on level ground, the ground goes on.

use crate::{
    Condition, cake,
    deed::Change,
    exposure::Exposure,
    imagined::Imagined,
    layout::{encode_depth, input},
    matter::Matter,
    state::Canvas,
};
use glam::{IVec3, Vec3};
use holdfast_sim::Camera;
use std::ops::Range;

/// So far beyond the hole's edge, pixels: about there the block's own colour had run into the ground's.
const RIM_PX: usize = 2;
/// Above and below lies ground at other distances: it counts less than what lies to the sides.
const UPRIGHT_SHARE: f32 = 0.25;

/// Puts what is to be expected in the place of what the last frame showed and of what the ambience expects.
///
/// # Arguments
/// - `pixels`: `[height, width, input::CHANNELS]`, everything else filled.
/// - `canvas`: read after the block was taken out of the memory.
pub fn fill(pixels: &mut [f32], condition: &Condition, canvas: &Canvas) {
    if !matches!((condition.change, condition.due), (Some(Change::Break(_) | Change::Bite(_)), Some(true))) {
        return;
    }
    for at in 0..canvas.width * canvas.height {
        let out = &mut pixels[at * input::CHANNELS..(at + 1) * input::CHANNELS];
        if out[input::CHANGE] == 0.0 || canvas.known(at) {
            continue;
        }
        let Some((colour, depth)) = beside(canvas, at, &condition.exposure) else { continue };
        for channel in 0..3 {
            (out[input::CANVAS + channel], out[input::LAST + channel]) = (colour[channel], colour[channel]);
        }
        out[input::LAST_DEPTH] = depth;
    }
}

/// Colour and encoded depth of the nearest that is known to the left, to the right, above and below, the nearer the more.
fn beside(canvas: &Canvas, at: usize, exposure: &Exposure) -> Option<([f32; 3], f32)> {
    let (width, height) = (canvas.width, canvas.height);
    let (x, y) = (at % width, at / width);
    // Pixels to the edge of the picture, and from one to the next.
    let ways = [(x, -1), (width - 1 - x, 1), (y, -(width as isize)), (height - 1 - y, width as isize)];
    let (mut sum, mut colour, mut depth) = (0.0, [0.0; 3], 0.0);
    for (way, (steps, step)) in ways.into_iter().enumerate() {
        let place = |steps: usize| at.wrapping_add_signed(step * steps as isize);
        let Some(edge) = (1..=steps).find(|&steps| canvas.known(place(steps))) else { continue };
        let beyond = (edge + RIM_PX).min(steps);
        let found = place(if canvas.known(place(beyond)) { beyond } else { edge });
        let weight = if way < 2 { 1.0 } else { UPRIGHT_SHARE } / edge as f32;
        sum += weight;
        depth += weight * encode_depth(canvas.depth_blocks[found]);
        for (colour, known) in colour.iter_mut().zip(canvas.rgb[found]) {
            *colour += weight * exposure.encode(known);
        }
    }
    (sum > 0.0).then(|| (colour.map(|value| value / sum), depth / sum))
}

/// Ground farther off is seen too flatly to be told apart from what rises out of it, blocks.
const FAR_BLOCKS: f32 = 16.0;
/// What is known lies on the ground if its distance differs by no more than this share.
const ON_GROUND: f32 = 0.06;
/// Pixels beside a hole whose mean colour is the ground's.
const SPAN_PX: usize = 5;
/// So far from a block the ground does not lie in its shade, and is still the same ground, blocks.
const LIT_BLOCKS: Range<f32> = 0.5..2.0;
/// Fewer pixels of it do not tell how bright it is.
const LEAST_LIT: usize = 12;
/// At the foot of a block there is more than this share of that light left.
const MOST_GAIN: f32 = 1.35;

/// Where the block that has just gone stood on level ground that is known to its left or right, that ground goes on: its
/// colour, out of the shade of the block, its distance, and what it is made of.
///
/// # Arguments
/// - `canvas`: read after the block was taken out of the memory.
pub fn go_on(imagined: &mut Imagined, condition: &Condition, camera: &Camera, canvas: &Canvas) {
    let (Some(change @ (Change::Break(cell) | Change::Bite(cell))), Some(true)) = (condition.change, condition.due)
    else {
        return;
    };
    if canvas.depth_blocks.is_empty() {
        return;
    }
    let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
    let ray = |pixel: usize| camera.ray(&axes, pixel % camera.width, pixel / camera.width);
    let ground_blocks = |ray: Vec3| {
        let blocks = (cell.y as f32 - eye.y) / ray.y * ray.length();
        (ray.y < 0.0 && (0.0..FAR_BLOCKS).contains(&blocks)).then_some(blocks)
    };
    let lies_on_ground = |pixel: usize| {
        let ground = ground_blocks(ray(pixel));
        canvas.known(pixel)
            && ground.is_some_and(|ground| (canvas.depth_blocks[pixel] / ground - 1.0).abs() < ON_GROUND)
    };
    let mut goes_on = Vec::new();
    for pixel in 0..canvas.width * canvas.height {
        let ray = ray(pixel);
        let Some(blocks) = ground_blocks(ray).filter(|_| !canvas.known(pixel)) else { continue };
        if change.at(eye, ray, canvas, pixel).is_none_or(|gone| blocks < gone.depth_blocks * (1.0 - ON_GROUND)) {
            continue;
        }
        // What is left of a cake stands before it.
        if condition.eaten.is_some_and(|eaten| cake::enters(eye, ray, cell, eaten + 1).is_some()) {
            continue;
        }
        let (left, right) = (pixel % canvas.width, canvas.width - 1 - pixel % canvas.width);
        let (mut sum, mut colour, mut nearest) = (0.0, [0.0; 3], None::<(usize, Matter)>);
        for (steps, step) in [(left, -1), (right, 1)] {
            let place = |steps: usize| pixel.wrapping_add_signed(step * steps as isize);
            let Some(edge) = (1..=steps).find(|&steps| canvas.known(place(steps))) else { continue };
            let ground = (edge + RIM_PX..=steps).take(SPAN_PX).map(place).filter(|&beside| lies_on_ground(beside));
            for beside in ground {
                let weight = 1.0 / edge as f32;
                sum += weight;
                colour.iter_mut().zip(canvas.rgb[beside]).for_each(|(colour, known)| *colour += weight * known);
                if nearest.is_none_or(|(away, _)| edge < away) {
                    nearest = Some((edge, imagined.matters[beside]));
                }
            }
        }
        if let Some((_, matter)) = nearest {
            goes_on.push((pixel, colour.map(|value| value / sum), blocks, matter));
        }
    }
    if goes_on.is_empty() {
        return;
    }
    let away_blocks = |pixel: usize| {
        let ray = ray(pixel);
        let blocks = ground_blocks(ray).filter(|_| lies_on_ground(pixel))?;
        Some(away_from(cell, eye + ray * (blocks / ray.length())))
    };
    let brightness = in_the_light(canvas, &imagined.matters, away_blocks);
    for (pixel, colour, blocks, matter) in goes_on {
        let gain = (brightness[matter as usize] / colour.iter().sum::<f32>().max(1.0)).clamp(1.0, MOST_GAIN);
        let colour = colour.map(|value| (value * gain + 0.5) as u8);
        imagined.frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&colour);
        (imagined.depth.blocks[pixel], imagined.matters[pixel]) = (blocks, matter);
    }
}

/// Median brightness, red, green and blue together, of ground that is not in the shade of the block, by what it is made of;
/// 0 where too little is known.
fn in_the_light(
    canvas: &Canvas,
    matters: &[Matter],
    away_blocks: impl Fn(usize) -> Option<f32>,
) -> [f32; Matter::COUNT] {
    let is_lit = |pixel: &usize| away_blocks(*pixel).is_some_and(|blocks| LIT_BLOCKS.contains(&blocks));
    let mut lit: [Vec<f32>; Matter::COUNT] = Default::default();
    for pixel in (0..canvas.rgb.len()).filter(is_lit) {
        lit[matters[pixel] as usize].push(canvas.rgb[pixel].iter().sum());
    }
    lit.map(|mut sums| {
        sums.sort_by(f32::total_cmp);
        sums.get(sums.len() / 2).copied().filter(|_| sums.len() >= LEAST_LIT).unwrap_or_default()
    })
}

/// How far a point is from the walls of a cell, beside it, blocks.
fn away_from(cell: IVec3, point: Vec3) -> f32 {
    let low = cell.as_vec3();
    let away = (low - point).max(point - low - 1.0).max(Vec3::ZERO);
    away.x.max(away.z)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::{Depth, Frame, Pose};

    #[test]
    fn a_hole_is_expected_to_look_like_what_is_beside_it() {
        let (width, height) = (9, 3);
        let hole = |at: usize| (2..5).contains(&(at % width));
        let canvas = Canvas {
            width,
            height,
            rgb: (0..27).map(|at| [if at % width < 2 { 0.0 } else { 255.0 }; 3]).collect(),
            depth_blocks: vec![4.0; 27],
            confidence: (0..27).map(|at| if hole(at) { 0.0 } else { 1.0 }).collect(),
            ..Canvas::default()
        };
        let filled = |due: bool| {
            let mut pixels = vec![0.5; 27 * input::CHANNELS];
            (0..27).for_each(|at| pixels[at * input::CHANNELS + input::CHANGE] = f32::from(u8::from(hole(at))));
            let change = Some(Change::Break(IVec3::ZERO));
            fill(&mut pixels, &Condition { change, due: Some(due), ..Condition::default() }, &canvas);
            pixels
        };
        let told = |pixels: &[f32], x: usize, channel: usize| pixels[(width + x) * input::CHANNELS + channel];
        let pixels = filled(true);
        for channel in [input::CANVAS, input::LAST + 2] {
            let row: Vec<f32> = (0..width).map(|x| told(&pixels, x, channel)).collect();
            assert!(row[2] < row[3] && row[3] < row[4] && row[2] < 0.0 && row[4] > 0.0, "{row:?}");
            assert_eq!([row[1], row[5]], [0.5; 2], "known ground is as it was");
        }
        assert!((told(&pixels, 3, input::LAST_DEPTH) - encode_depth(4.0)).abs() < 1e-6);
        assert!(filled(false).iter().all(|value| [0.0, 0.5, 1.0].contains(value)), "not yet");
    }

    /// A hole before an eye that looks down on ground at height 0, left of the middle of which `left_y` is the ground's
    /// height: colour and distance drawn there, and how far off the ground is.
    fn gone_on(cell_y: i32, left_y: f32, due: bool) -> (u8, f32, f32) {
        let camera = Camera::new(32, 32);
        let pose = Pose { position: [0.5, 2.6, 0.5], pitch_deg: 40.0, ..Pose::default() };
        let axes = pose.axes();
        let condition = Condition {
            pose,
            change: Some(Change::Break(IVec3::new(0, cell_y, 2))),
            due: Some(due),
            ..Condition::default()
        };
        let rays: Vec<Vec3> = (0..1024).map(|at| camera.ray(&axes, at % 32, at / 32)).collect();
        let hole = |at: usize| (12..20).contains(&(at % 32)) && (12..20).contains(&(at / 32));
        let to = |at: usize, y: f32| {
            let ray = rays[at];
            if ray.y < -0.1 { (y - 2.6) / ray.y * ray.length() } else { f32::INFINITY }
        };
        let ground = |at: usize| if at % 32 < 12 { left_y } else { 1.5 };
        let canvas = Canvas {
            width: 32,
            height: 32,
            rgb: vec![[90.0; 3]; 1024],
            depth_blocks: (0..1024).map(|at| if hole(at) { f32::INFINITY } else { to(at, ground(at)) }).collect(),
            confidence: (0..1024).map(|at| if hole(at) || to(at, 0.0) > 99.0 { 0.0 } else { 1.0 }).collect(),
            ..Canvas::default()
        };
        let mut imagined = Imagined {
            frame: Frame { width: 32, height: 32, rgb: vec![7; 1024 * 3] },
            depth: Depth { width: 32, height: 32, blocks: vec![1.0; 1024] },
            matters: vec![Matter::Sand; 1024],
            ..Imagined::default()
        };
        go_on(&mut imagined, &condition, &camera, &canvas);
        let middle = 16 * 32 + 16;
        (imagined.frame.rgb[middle * 3], imagined.depth.blocks[middle], to(middle, 0.0))
    }

    #[test]
    fn the_shade_of_a_block_goes_with_it() {
        let (camera, cell) = (Camera::new(64, 48), IVec3::new(0, 0, 3));
        let pose = Pose { position: [0.5, 2.6, 0.5], pitch_deg: 35.0, ..Pose::default() };
        let (change, due) = (Some(Change::Break(cell)), Some(true));
        let condition = Condition { pose, change, due, ..Condition::default() };
        let (eye, axes) = (pose.eye(), pose.axes());
        let rays: Vec<Vec3> = (0..64 * 48).map(|at| camera.ray(&axes, at % 64, at / 64)).collect();
        let ground = |ray: &Vec3| if ray.y < 0.0 { -2.6 / ray.y } else { f32::INFINITY };
        let gone = |ray: &Vec3| crate::grid::cross(eye, *ray, cell).is_some();
        let shown = |ray: &Vec3| if gone(ray) { f32::INFINITY } else { ground(ray) * ray.length() };
        let light = |ray: &Vec3| if away_from(cell, eye + *ray * ground(ray)) < 0.5 { 70.0 } else { 100.0 };
        let canvas = Canvas {
            width: 64,
            height: 48,
            rgb: rays.iter().map(|ray| [light(ray); 3]).collect(),
            depth_blocks: rays.iter().map(shown).collect(),
            confidence: rays.iter().map(|ray| if shown(ray).is_finite() { 1.0 } else { 0.0 }).collect(),
            ..Canvas::default()
        };
        let mut imagined = Imagined {
            frame: Frame::new(64, 48),
            depth: Depth::new(64, 48),
            matters: vec![Matter::Grass; 64 * 48],
            ..Imagined::default()
        };
        go_on(&mut imagined, &condition, &camera, &canvas);
        let drawn = (0..64 * 48).filter(|&at| gone(&rays[at])).map(|at| imagined.frame.rgb[at * 3]);
        let drawn: Vec<u8> = drawn.filter(|grey| *grey > 0).collect();
        assert!(drawn.len() > 60 && drawn.iter().all(|grey| *grey > 94), "{drawn:?}");
    }

    #[test]
    fn level_ground_goes_on_where_a_block_stood_on_it() {
        let (colour, blocks, ground_blocks) = gone_on(0, 0.0, true);
        assert!(colour == 90 && (blocks - ground_blocks).abs() < 1e-4, "{colour} {blocks} {ground_blocks}");
        let untouched = (7, 1.0);
        let told = |(colour, blocks, _): (u8, f32, f32)| (colour, blocks);
        assert_eq!(told(gone_on(0, 0.0, false)), untouched, "it has not gone yet");
        assert_eq!(told(gone_on(0, 1.0, true)), untouched, "it lay in the ground");
        assert_eq!(told(gone_on(1, 0.0, true)), untouched, "it hung in the air");
    }
}
