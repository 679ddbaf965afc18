//! What the denoiser is to expect where a block has just gone: what is known beside the hole.
//!
//! The memory knows nothing there, and the last frame shows the block: of the two the denoiser makes a shadow of the block
//! on whatever ground there is (`docs/decisions/deeds.md`).

use crate::{
    Condition,
    deed::Change,
    exposure::Exposure,
    layout::{encode_depth, input},
    state::Canvas,
};

/// So far beyond the hole's edge, pixels: about there the block's own colour had run into the ground's.
pub const RIM_PX: usize = 2;
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

#[cfg(test)]
mod tests {
    use super::*;
    use glam::IVec3;

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
}
