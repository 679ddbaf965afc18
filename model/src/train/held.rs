//! What a frame is to be that is drawn from memory: what is remembered well, as it is remembered.
//!
//! A memory is never quite the truth: what it shows lies a pixel aside, and its texture with it. The frame nearest to the
//! truth in the mean is then a blurred memory, and a world drawn from its own frames blurs away. So where memory and truth
//! agree up to such details, the details asked for are the memory's own, and only what is broad is the truth's: light,
//! mist, and the colour of what was seen too coarsely (`docs/decisions/held.md`).

use crate::state::Canvas;
use holdfast_sim::{Depth, voxel::render::View};

/// Memory and truth show one surface when their depths differ by less (natural logarithm): a model's own memory is that far
/// off, and is to be held all the same.
const SAME_SURFACE: f32 = 0.3;
/// What was seen coarser than so many pixels of now has details to gain.
const COARSE_PX: f32 = 1.5;
/// Details are what differs from the mean of a square with this many pixels on each side of its middle.
const RADIUS_PX: usize = 2;
/// Where memory and truth differ by more in such a mean, of 255, something else is there.
const MOST_APART: f32 = 50.0;

/// The frame to be drawn, RGB in 0..255.
///
/// # Arguments
/// - `eventful` `[pixels]`: where something may have changed since it was seen. There it is the truth that counts.
/// - `side_blocks` `[pixels]`: sides of the pixels on what they truly show, blocks.
pub(super) fn held(truth: &View, canvas: &Canvas, eventful: &[bool], side_blocks: &[f32]) -> Vec<f32> {
    let (width, pixels) = (truth.depth.width, truth.depth.blocks.len());
    let mut frame: Vec<f32> = truth.frame.rgb.iter().map(|&value| f32::from(value)).collect();
    let agrees = |at: usize| {
        let (shown, true_blocks) = (canvas.depth_blocks[at], truth.depth.blocks[at]);
        let sky = true_blocks >= Depth::SKY;
        let fine = sky || canvas.footprint_blocks[at] < COARSE_PX * side_blocks[at];
        let same = (shown >= Depth::SKY) == sky && (sky || (shown / true_blocks).ln().abs() < SAME_SURFACE);
        canvas.known(at) && !eventful[at] && fine && same
    };
    // Red, green and blue of the truth less the memory's, and 1; zeros where they do not agree.
    let mut apart = vec![[0.0f32; 4]; pixels];
    for (at, apart) in apart.iter_mut().enumerate().filter(|(at, _)| agrees(*at)) {
        (0..3).for_each(|channel| apart[channel] = frame[at * 3 + channel] - canvas.rgb[at][channel]);
        apart[3] = 1.0;
    }
    let broad = sums_along(&sums_along(&apart, width, true), width, false);
    for at in (0..pixels).filter(|&at| apart[at][3] > 0.0) {
        let [red, green, blue, count] = broad[at];
        let mean = [red, green, blue].map(|sum| sum / count);
        if mean.iter().all(|mean| mean.abs() < MOST_APART) {
            for channel in 0..3 {
                frame[at * 3 + channel] = (canvas.rgb[at][channel] + mean[channel]).clamp(0.0, 255.0);
            }
        }
    }
    frame
}

/// Sums over [`RADIUS_PX`] neighbours on both sides, along the rows or down the columns.
fn sums_along(values: &[[f32; 4]], width: usize, along_rows: bool) -> Vec<[f32; 4]> {
    let height = values.len() / width;
    let (lines, line, side, stride) = if along_rows { (height, width, width, 1) } else { (width, 1, height, width) };
    let mut sums = vec![[0.0; 4]; values.len()];
    for first in (0..lines).map(|index| index * line) {
        for at in 0..side {
            let near = at.saturating_sub(RADIUS_PX)..(at + RADIUS_PX + 1).min(side);
            let sum = &mut sums[first + at * stride];
            for value in near.map(|near| values[first + near * stride]) {
                sum.iter_mut().zip(value).for_each(|(sum, value)| *sum += value);
            }
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    const WIDTH: usize = 24;

    /// A wall with stripes two pixels wide, `aside` pixels on, brighter by `light`, at so many blocks.
    fn striped(aside: usize, light: u8, blocks: f32) -> View {
        let mut view = View::new(WIDTH, WIDTH);
        for (at, rgb) in view.frame.rgb.chunks_exact_mut(3).enumerate() {
            rgb.fill(80 + light + 40 * u8::from((at + aside) % 4 < 2));
        }
        view.depth.blocks.fill(blocks);
        view
    }

    fn remembered(view: &View, footprint_blocks: f32) -> Canvas {
        let rgb = view.frame.rgb.chunks_exact(3).map(|rgb| [0, 1, 2].map(|channel| f32::from(rgb[channel]))).collect();
        let (depth_blocks, pixels) = (view.depth.blocks.clone(), WIDTH * WIDTH);
        let (confidence, footprint_blocks) = (vec![1.0; pixels], vec![footprint_blocks; pixels]);
        Canvas { width: WIDTH, height: WIDTH, rgb, depth_blocks, confidence, footprint_blocks }
    }

    /// Mean difference of the frame to be drawn from a picture, of 255.
    #[track_caller]
    fn check_near(truth: &View, canvas: &Canvas, eventful: bool, like: &View) {
        let frame = held(truth, canvas, &[eventful; WIDTH * WIDTH], &[0.05; WIDTH * WIDTH]);
        let apart = frame.iter().zip(&like.frame.rgb).map(|(a, &b)| (a - f32::from(b)).abs()).sum::<f32>();
        assert!(apart / (frame.len() as f32) < 4.0, "{apart}");
    }

    #[test]
    fn details_are_those_of_the_memory_and_light_is_that_of_the_truth() {
        let (truth, memory) = (striped(1, 20, 5.0), striped(0, 0, 5.0));
        check_near(&truth, &remembered(&memory, 0.05), false, &striped(0, 20, 5.0));
    }

    #[test]
    fn what_may_have_changed_or_was_seen_coarsely_is_drawn_as_it_is() {
        let (truth, memory) = (striped(1, 0, 5.0), striped(0, 0, 5.0));
        check_near(&truth, &remembered(&memory, 0.05), true, &truth);
        check_near(&truth, &remembered(&memory, 0.1), false, &truth);
        check_near(&truth, &remembered(&striped(0, 0, 8.0), 0.05), false, &truth);
        check_near(&truth, &remembered(&striped(0, 90, 5.0), 0.05), false, &truth);
    }
}
