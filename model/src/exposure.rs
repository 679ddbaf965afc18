//! How much light the denoiser's pictures are given: a night is told to it brighter than it is, and what it draws is taken
//! back.
//!
//! An error of a few steps of 255 is nothing by day, and at night a tint as strong as what is there
//! (`docs/decisions/exposure.md`).

use crate::assemble::{decode_colour, encode_colour};
use holdfast_sim::Frame;

/// A way from the colours of a frame to those that the denoiser reads and draws, and back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Exposure {
    /// Slope for what is black. 1: as it is.
    gain: f32,
}

/// What weights are trained with from now on: what is darker in the mean is lifted to it; 1 is white.
pub const LEAST_BRIGHTNESS: f32 = 0.2;
/// Beyond, what is lifted is the steps of 255 themselves.
const MOST_GAIN: f32 = 8.0;

impl Default for Exposure {
    fn default() -> Exposure {
        Exposure { gain: 1.0 }
    }
}

impl Exposure {
    /// For pictures of a mean brightness, 0..1, of which what is darker than the least is lifted to it.
    pub fn for_brightness(mean: f32, least: f32) -> Exposure {
        let gain = least * (1.0 - mean) / (mean * (1.0 - least));
        Exposure { gain: if gain.is_nan() { 1.0 } else { gain.clamp(1.0, MOST_GAIN) } }
    }

    /// Colour as the denoiser reads it, of -1..1 to -1..1.
    pub fn lift(&self, colour: f32) -> f32 {
        if self.gain == 1.0 {
            return colour;
        }
        let light = (colour + 1.0) * 0.5;
        2.0 * self.gain * light / (1.0 + (self.gain - 1.0) * light) - 1.0
    }

    /// 8-bit colour as the denoiser reads it, -1..1.
    pub fn encode(&self, value: f32) -> f32 {
        self.lift(encode_colour(value))
    }

    /// What the denoiser drew, -1..1 or beyond, as 8-bit colour.
    pub fn decode(&self, drawn: f32) -> u8 {
        if self.gain == 1.0 {
            return decode_colour(drawn);
        }
        let light = ((drawn + 1.0) * 0.5).clamp(0.0, 1.0);
        decode_colour(2.0 * light / (self.gain - (self.gain - 1.0) * light) - 1.0)
    }

    /// A frame as the denoiser counts it, `[height, width, 3]` in -1..1.
    pub fn encode_frame(&self, frame: &Frame) -> Vec<f32> {
        frame.rgb.iter().map(|&value| self.encode(f32::from(value))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn for_grey(value: u8) -> Exposure {
        Exposure::for_brightness(f32::from(value) / 255.0, LEAST_BRIGHTNESS)
    }

    #[test]
    fn what_is_drawn_is_taken_back_to_what_was_told() {
        for brightness in [0, 8, 20, 50, 51, 52, 128, 255] {
            let exposure = for_grey(brightness);
            for value in 0..=255u8 {
                assert_eq!(exposure.decode(exposure.encode(f32::from(value))), value, "{exposure:?}");
            }
            assert_eq!([exposure.decode(-1.5), exposure.decode(1.5)], [0, 255], "{exposure:?}");
        }
    }

    #[test]
    fn nights_are_lifted_and_days_are_as_they_are() {
        assert_eq!(for_grey(60), Exposure::default());
        assert_eq!(for_grey(90).encode(90.0), encode_colour(90.0));
        for dark in [10, 20, 40] {
            let told = for_grey(dark).encode(f32::from(dark));
            assert!((told - encode_colour(51.0)).abs() < 1e-4, "{dark} is told as {told}");
        }
        let darkest = for_grey(2).encode(2.0);
        assert!(darkest < encode_colour(17.0), "what is nearly black stays so: {darkest}");
        assert_eq!(for_grey(0), Exposure::for_brightness(0.001, LEAST_BRIGHTNESS));
        assert_eq!(Exposure::for_brightness(f32::NAN, LEAST_BRIGHTNESS), Exposure::default());
        assert_eq!(Exposure::for_brightness(0.01, 0.0), Exposure::default(), "weights that were trained without it");
    }
}
