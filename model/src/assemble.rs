//! From what is known before a frame to the denoiser's input pixels.

use crate::{
    Condition,
    deed::Change,
    exposure::Exposure,
    hole,
    hotbar::Hotbar,
    layout::{encode_depth, input},
    state::Canvas,
};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame};

/// 8-bit colour to -1..1.
pub fn encode_colour(value: f32) -> f32 {
    value / 127.5 - 1.0
}

/// -1..1 to 8-bit colour.
pub fn decode_colour(value: f32) -> u8 {
    // To the nearest: a conversion drops the fraction, and keeps to 0..255 by itself.
    (value * 127.5 + 128.0) as u8
}

/// Fills everything but the noised frame: `pixels` is `[height, width, input::CHANNELS]` of the camera's size.
///
/// Without a canvas nothing is known; where nothing is known, the canvas's colour is what the ambience expects there.
/// Without a last frame its channels are 0.
pub fn assemble(
    pixels: &mut [f32],
    camera: &Camera,
    condition: &Condition,
    hotbar: &Hotbar,
    canvas: Option<&Canvas>,
    last: Option<(&Frame, &Depth)>,
) {
    assert_eq!(pixels.len(), camera.width * camera.height * input::CHANNELS, "pixels of one frame");
    let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
    let unknown = Canvas::default();
    let shown = canvas.unwrap_or(&unknown);
    let floor_y = (eye.y - LEAST_EYE_HEIGHT).floor() - eye.y;
    let focal = camera.focal_px();
    let exposure = condition.exposure;
    for y in 0..camera.height {
        for x in 0..camera.width {
            let at = y * camera.width + x;
            let out = &mut pixels[at * input::CHANNELS..(at + 1) * input::CHANNELS];
            out[input::CANVAS..input::SLOPE_RIGHT].fill(0.0);
            let ray = camera.ray(&axes, x, y);
            let length = ray.length();
            let elevation = ray.y / length;
            // Lengths of the ray to what is shown, or to the floor.
            let floor = if ray.y < 0.0 { floor_y / ray.y } else { f32::INFINITY };
            let mut away = floor;
            if let Some(canvas) = canvas.filter(|canvas| canvas.known(at)) {
                for channel in 0..3 {
                    out[input::CANVAS + channel] = exposure.encode(canvas.rgb[at][channel]);
                }
                out[input::KNOWN] = 1.0;
                out[input::CANVAS_DEPTH] = encode_depth(canvas.depth_blocks[at]);
                out[input::CONFIDENCE] = canvas.confidence[at];
                away = canvas.depth_blocks[at] / length;
            } else {
                let expected = condition.ambience.expect(elevation).map(|colour| exposure.lift(colour));
                out[input::CANVAS..input::CANVAS + 3].copy_from_slice(&expected);
            }
            if let Some((_, depth)) = last {
                out[input::LAST_DEPTH] = encode_depth(depth.blocks[at]);
            }
            out[input::SLOPE_RIGHT] = ray.dot(axes.right) * 0.5;
            out[input::SLOPE_UP] = ray.dot(axes.up) * 0.5;
            out[input::ELEVATION] = elevation;
            put_place(&mut out[input::PLACE..input::CHANGE], eye, ray, away, away / focal);
            out[input::FLOOR_DEPTH] = encode_depth(floor * length);
            let changed = condition.change.and_then(|change| change.at(eye, ray, shown, at));
            out[input::CHANGE..input::FLOOR_DEPTH].fill(0.0);
            out[input::PLACED..input::CHANNELS].fill(0.0);
            if let Some(changed) = changed {
                out[input::CHANGE] = 1.0;
                out[input::CHANGE_DEPTH] = encode_depth(changed.depth_blocks);
                out[input::CHANGE_PLACE..input::CHANGE_PLACE + 3].copy_from_slice(&changed.place.to_array());
                if let Some(Change::Place(_)) = condition.change {
                    out[input::PLACED] = 1.0;
                    for (channel, value) in hotbar.colour(condition.slot, changed.place).into_iter().enumerate() {
                        out[input::PLACED_COLOUR + channel] = encode_colour(f32::from(value));
                    }
                }
            }
        }
    }
    if let Some((frame, _)) = last {
        put_last(pixels, frame, &exposure);
    }
    if let Some(canvas) = canvas {
        hole::fill(pixels, condition, canvas);
    }
}

/// Side of the squares in which the last frame's colours are told, pixels. Told pixel by pixel, what each frame draws a
/// little crisper than the one before grows without end when nothing moves; details are the world state's to keep.
const LAST_SQUARE_PX: usize = 2;

fn put_last(pixels: &mut [f32], frame: &Frame, exposure: &Exposure) {
    let (width, height) = (frame.width, frame.height);
    for top in (0..height).step_by(LAST_SQUARE_PX) {
        for left in (0..width).step_by(LAST_SQUARE_PX) {
            let (rows, columns) = (top..(top + LAST_SQUARE_PX).min(height), left..(left + LAST_SQUARE_PX).min(width));
            let square = || rows.clone().flat_map(|y| columns.clone().map(move |x| y * width + x));
            for channel in 0..3 {
                let sum: u32 = square().map(|at| u32::from(frame.rgb[at * 3 + channel])).sum();
                let mean = exposure.encode(sum as f32 / square().count() as f32);
                square().for_each(|at| pixels[at * input::CHANNELS + input::LAST + channel] = mean);
            }
        }
    }
}

/// The eye of a player who stands or sneaks is at least this far above the feet, and less than a block more.
const LEAST_EYE_HEIGHT: f32 = 1.2;
/// Blocks a pixel from which on a place within a block says nothing.
const BLURRED_FOOTPRINT: f32 = 0.375;

/// Fills [`input::PLACE`] for the point that lies `away` lengths of the ray from the eye, where a pixel covers
/// `footprint` blocks.
fn put_place(out: &mut [f32], eye: Vec3, ray: Vec3, away: f32, footprint: f32) {
    let say = (1.5 - footprint * (1.5 / BLURRED_FOOTPRINT)).min(1.0);
    if say <= 0.0 {
        return out.fill(0.0);
    }
    let point = eye + ray * away;
    for axis in 0..3 {
        out[axis * 2] = say * triangle(point[axis]);
        out[axis * 2 + 1] = say * triangle(point[axis] + 0.25);
    }
}

/// -1 at whole numbers, 1 between them, straight from one to the other.
fn triangle(x: f32) -> f32 {
    let part = x - x.floor();
    1.0 - 4.0 * (part - 0.5).abs()
}

/// Puts a noised frame, `[height, width, 3]`, in its place.
pub fn put_noised(pixels: &mut [f32], noised: &[f32]) {
    for (out, noised) in pixels.chunks_exact_mut(input::CHANNELS).zip(noised.chunks_exact(3)) {
        out[input::NOISED..input::NOISED + 3].copy_from_slice(noised);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pictures::SIDE_PX;
    use glam::IVec3;
    use holdfast_sim::Pose;

    #[test]
    fn what_is_about_to_be_placed_shows_the_slot_in_hand() {
        let camera = Camera::new(16, 16);
        let slots = (1..=Hotbar::SLOTS as u8).flat_map(|slot| vec![slot * 20; SIDE_PX * SIDE_PX * 3]);
        let hotbar = Hotbar::new(slots.collect());
        let middle = |slot: u8, change: Option<Change>| {
            let pose = Pose { position: [0.5; 3], ..Pose::default() };
            let condition = Condition { slot, change, pose, ..Condition::default() };
            let mut pixels = vec![9.0; 16 * 16 * input::CHANNELS];
            assemble(&mut pixels, &camera, &condition, &hotbar, None, None);
            let at = (16 * 8 + 8) * input::CHANNELS;
            [input::CHANGE, input::PLACED, input::PLACED_COLOUR, input::PLACED_COLOUR + 2].map(|it| pixels[at + it])
        };
        let cell = IVec3::new(0, 0, 3);
        let shown = |slot: u8| encode_colour(f32::from(slot * 20));
        assert_eq!(middle(2, Some(Change::Place(cell))), [1.0, 1.0, shown(2), shown(2)]);
        assert_eq!(middle(9, Some(Change::Place(cell))), [1.0, 1.0, shown(9), shown(9)]);
        assert_eq!(middle(2, Some(Change::Break(cell))), [1.0, 0.0, 0.0, 0.0], "what lies behind is not in the hand");
        assert_eq!(middle(2, None), [0.0; 4]);
    }
}
