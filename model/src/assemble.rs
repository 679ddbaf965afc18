//! From what is known before a frame to the denoiser's input pixels.

use crate::{
    ambience::Ambience,
    layout::{encode_depth, input},
    state::Canvas,
};
use holdfast_sim::{Camera, Depth, Frame, Pose};

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
    pose: &Pose,
    canvas: Option<&Canvas>,
    ambience: &Ambience,
    last: Option<(&Frame, &Depth)>,
) {
    assert_eq!(pixels.len(), camera.width * camera.height * input::CHANNELS, "pixels of one frame");
    let axes = pose.axes();
    for y in 0..camera.height {
        for x in 0..camera.width {
            let at = y * camera.width + x;
            let out = &mut pixels[at * input::CHANNELS..(at + 1) * input::CHANNELS];
            out[input::CANVAS..input::SLOPE_RIGHT].fill(0.0);
            let ray = camera.ray(&axes, x, y);
            let elevation = ray.y / ray.length();
            if let Some(canvas) = canvas.filter(|canvas| canvas.known(at)) {
                for channel in 0..3 {
                    out[input::CANVAS + channel] = encode_colour(canvas.rgb[at][channel]);
                }
                out[input::KNOWN] = 1.0;
                out[input::CANVAS_DEPTH] = encode_depth(canvas.depth_blocks[at]);
                out[input::CONFIDENCE] = canvas.confidence[at];
            } else {
                out[input::CANVAS..input::CANVAS + 3].copy_from_slice(&ambience.expect(elevation));
            }
            if let Some((frame, depth)) = last {
                for (channel, value) in frame.pixel(x, y).into_iter().enumerate() {
                    out[input::LAST + channel] = encode_colour(f32::from(value));
                }
                out[input::LAST_DEPTH] = encode_depth(depth.blocks[at]);
            }
            out[input::SLOPE_RIGHT] = ray.dot(axes.right) * 0.5;
            out[input::SLOPE_UP] = ray.dot(axes.up) * 0.5;
            out[input::ELEVATION] = elevation;
        }
    }
}

/// Puts a noised frame, `[height, width, 3]`, in its place.
pub fn put_noised(pixels: &mut [f32], noised: &[f32]) {
    for (out, noised) in pixels.chunks_exact_mut(input::CHANNELS).zip(noised.chunks_exact(3)) {
        out[input::NOISED..input::NOISED + 3].copy_from_slice(noised);
    }
}

/// The clean frame as the denoiser counts it, `[height, width, 3]` in -1..1.
pub fn encode_frame(frame: &Frame) -> Vec<f32> {
    frame.rgb.iter().map(|&value| encode_colour(f32::from(value))).collect()
}
