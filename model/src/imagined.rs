//! From the denoiser's raw output to the frame that it means: imagined colour and depth, with the world state's own kept
//! where the network says so.

use crate::{
    exposure::Exposure,
    kernel::elementary::exp,
    layout::{decode_depth, decode_scale, input, output},
    matter::Matter,
    state::Canvas,
};
use glam::Vec3;
use holdfast_sim::{Depth, Frame};

/// One pixel as the network means it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pixel {
    /// RGB, -1..1 (not clamped).
    pub rgb: [f32; 3],
    /// Encoded depth.
    pub depth: f32,
    /// How far the colour is the canvas's own, 0..1.
    pub copy: f32,
    /// How far the depth is the canvas's own, 0..1.
    pub copy_depth: f32,
}

pub fn sigmoid(x: f32) -> f32 {
    1.0 / (1.0 + exp(-x))
}

/// Added to both copy logits: an untrained network keeps what the world state knows.
pub const COPY_BIAS: f32 = 2.0;

/// # Arguments
/// - `pixel`: `[input::CHANNELS]`, what the network read; `raw`: `[output::CHANNELS]`, what it said.
pub fn mean(pixel: &[f32], raw: &[f32]) -> Pixel {
    let known = pixel[input::KNOWN];
    let copy = known * sigmoid(raw[output::COPY_LOGIT] + COPY_BIAS);
    let copy_depth = known * sigmoid(raw[output::COPY_DEPTH_LOGIT] + COPY_BIAS);
    let mix = |channel: usize| copy * pixel[input::CANVAS + channel] + (1.0 - copy) * raw[output::RGB + channel];
    let depth = copy_depth * pixel[input::CANVAS_DEPTH] + (1.0 - copy_depth) * raw[output::DEPTH];
    Pixel { rgb: [mix(0), mix(1), mix(2)], depth, copy, copy_depth }
}

/// A whole frame as the network means it.
#[derive(Debug, Clone, Default)]
pub struct Imagined {
    pub frame: Frame,
    pub depth: Depth,
    /// How far each pixel is a copy of the canvas.
    pub copied: Vec<f32>,
    /// Scale of the error that the network expects of each depth, as a share of it.
    pub doubt: Vec<f32>,
    /// What stands at each pixel.
    pub matters: Vec<Matter>,
}

impl Imagined {
    /// # Arguments
    /// - `pixels`: `[height, width, input::CHANNELS]`; `raw`: `[height, width, output::CHANNELS]`
    /// - `exposure`: the one that the pixels were told with.
    pub fn new(width: usize, height: usize, pixels: &[f32], raw: &[f32], exposure: &Exposure) -> Imagined {
        let mut imagined = Imagined {
            frame: Frame::new(width, height),
            depth: Depth::new(width, height),
            copied: vec![0.0; width * height],
            doubt: vec![0.0; width * height],
            matters: vec![Matter::Rest; width * height],
        };
        let both = pixels.chunks_exact(input::CHANNELS).zip(raw.chunks_exact(output::CHANNELS));
        for (at, (pixel, raw)) in both.enumerate() {
            let meant = mean(pixel, raw);
            for channel in 0..3 {
                imagined.frame.rgb[at * 3 + channel] = exposure.decode(meant.rgb[channel]);
            }
            imagined.depth.blocks[at] = decode_depth(meant.depth);
            imagined.copied[at] = meant.copy;
            imagined.doubt[at] = decode_scale(raw[output::DEPTH_LOG_SCALE]);
            imagined.matters[at] = Matter::said(raw);
        }
        imagined
    }

    /// Draws at a pixel what stands there, so far away, of this colour, 0..255.
    pub fn draw(&mut self, pixel: usize, rgb: Vec3, blocks: f32, matter: Matter) {
        let rgb = rgb.to_array().map(|value| (value + 0.5) as u8);
        self.frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&rgb);
        (self.depth.blocks[pixel], self.matters[pixel]) = (blocks, matter);
    }

    /// Shows at a pixel what is remembered.
    pub fn keep(&mut self, pixel: usize, canvas: &Canvas) {
        let colour = canvas.rgb[pixel].map(|value| value.round() as u8);
        self.frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&colour);
        self.depth.blocks[pixel] = canvas.depth_blocks[pixel];
        (self.copied[pixel], self.doubt[pixel]) = (1.0, 0.0);
    }
}
