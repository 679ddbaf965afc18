//! What goes on where a block has just gone: the level ground that it stood on, and what is the same on both sides of the
//! hole (`docs/decisions/deeds.md`, `docs/decisions/underfoot.md`).

use crate::{Condition, cake, deed::Change, hole::RIM_PX, imagined::Imagined, matter::Matter, state::Canvas};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth};
use std::ops::Range;

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
/// What lies to both sides of a hole is one thing if its distances differ by no more than this (natural logarithm).
const SAME_WALL: f32 = 0.2;
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
    go_on_behind(imagined, canvas, &goes_on, |pixel| {
        let gone = change.at(eye, ray(pixel), canvas, pixel)?;
        (condition.eaten.is_none() && !canvas.known(pixel)).then_some(gone.depth_blocks)
    });
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
        imagined.draw(pixel, Vec3::from_array(colour) * gain, blocks, matter);
    }
}

/// What is the same to the left and to the right of a hole, about as far away, and behind it, goes on between the two.
///
/// # Arguments
/// - `ground`: pixels that are drawn otherwise.
/// - `leaves_blocks`: where a ray leaves the hole, if it passes through it and nothing is known there.
fn go_on_behind(
    imagined: &mut Imagined,
    canvas: &Canvas,
    ground: &[(usize, [f32; 3], f32, Matter)],
    leaves_blocks: impl Fn(usize) -> Option<f32>,
) {
    let matters = &imagined.matters;
    let mut drawn = Vec::new();
    for pixel in 0..canvas.rgb.len() {
        let Some(leaves_blocks) = leaves_blocks(pixel) else { continue };
        if ground.binary_search_by_key(&pixel, |ground| ground.0).is_ok() {
            continue;
        }
        let x = pixel % canvas.width;
        let sides = [(x, -1), (canvas.width - 1 - x, 1)].map(|(steps, step)| {
            let place = |steps: usize| pixel.wrapping_add_signed(step * steps as isize);
            let edge = (1..=steps).find(|&steps| canvas.known(place(steps)))? + RIM_PX;
            let beside = (edge <= steps).then(|| place(edge)).filter(|&beside| canvas.known(beside))?;
            let alike = (edge..=steps).take(SPAN_PX).map(place);
            let alike = alike.filter(|&at| canvas.known(at) && matters[at] == matters[beside]);
            let (sum, count) =
                alike.fold((Vec3::ZERO, 0.0), |(sum, count), at| (sum + Vec3::from(canvas.rgb[at]), count + 1.0));
            Some((edge as f32, matters[beside], canvas.depth_blocks[beside], sum / count))
        });
        let [Some((left, matter, left_blocks, left_rgb)), Some((right, other, right_blocks, right_rgb))] = sides else {
            continue;
        };
        let is_sky = |blocks: f32| blocks >= Depth::SKY;
        let are_alike = match [left_blocks, right_blocks].map(is_sky) {
            [true, true] => true,
            [false, false] => {
                (left_blocks / right_blocks).ln().abs() < SAME_WALL && left_blocks.min(right_blocks) > leaves_blocks
            }
            _ => false,
        };
        if !are_alike || matter != other || matter.lives() || matches!(matter, Matter::Plant | Matter::Water) {
            continue;
        }
        let share = left / (left + right);
        let blocks = match is_sky(left_blocks) {
            true => left_blocks,
            false => ((1.0 - share) / left_blocks + share / right_blocks).recip(),
        };
        drawn.push((pixel, left_rgb.lerp(right_rgb, share), blocks, matter));
    }
    for (pixel, rgb, blocks, matter) in drawn {
        imagined.draw(pixel, rgb, blocks, matter);
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
    use holdfast_sim::{Frame, Pose};

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
    fn what_is_the_same_on_both_sides_goes_on_behind() {
        let (camera, cell) = (Camera::new(33, 25), IVec3::new(0, 1, 3));
        let pose = Pose { position: [0.5, 1.5, 0.5], ..Pose::default() };
        let (change, due) = (Some(Change::Break(cell)), Some(true));
        let condition = Condition { pose, change, due, ..Condition::default() };
        let axes = pose.axes();
        let gone = |at: usize| crate::grid::cross(pose.eye(), camera.ray(&axes, at % 33, at / 33), cell).is_some();
        let pixels = 33 * 25;
        // A wall behind the block, to the left of its middle and to the right.
        let middle = |walls: [(f32, Matter); 2]| {
            let wall = |at: usize| walls[usize::from(at % 33 > 16)];
            let canvas = Canvas {
                width: 33,
                height: 25,
                rgb: (0..pixels).map(|at| [wall(at).0 * 20.0; 3]).collect(),
                depth_blocks: (0..pixels).map(|at| if gone(at) { f32::INFINITY } else { wall(at).0 }).collect(),
                confidence: (0..pixels).map(|at| if gone(at) { 0.0 } else { 1.0 }).collect(),
                ..Canvas::default()
            };
            let mut imagined = Imagined {
                frame: Frame { width: 33, height: 25, rgb: vec![7; pixels * 3] },
                depth: Depth { width: 33, height: 25, blocks: vec![1.0; pixels] },
                matters: (0..pixels).map(|at| wall(at).1).collect(),
                ..Imagined::default()
            };
            go_on(&mut imagined, &condition, &camera, &canvas);
            let at = 12 * 33 + 16;
            (imagined.frame.rgb[at * 3], (imagined.depth.blocks[at] * 10.0).round())
        };
        let left_alone = (7, 10.0);
        assert_eq!(middle([(6.0, Matter::Stone); 2]), (120, 60.0));
        let (grey, blocks) = middle([(6.0, Matter::Stone), (7.0, Matter::Stone)]);
        assert!((125..136).contains(&grey) && (62.0..68.0).contains(&blocks), "{grey} {blocks}");
        assert_eq!(middle([(6.0, Matter::Stone), (6.0, Matter::Dirt)]), left_alone, "one or the other");
        assert_eq!(middle([(6.0, Matter::Stone), (12.0, Matter::Stone)]), left_alone, "two walls");
        assert_eq!(middle([(2.6, Matter::Stone); 2]), left_alone, "the block was a part of it");
        assert_eq!(middle([(6.0, Matter::Plant); 2]), left_alone, "plants stand by themselves");
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
