//! What the denoiser reads and writes at each pixel, and what it is told beside: one place for channel order.

use crate::kernel::elementary;

/// Channels of the denoiser's input, each scaled to about -1..1.
pub mod input {
    /// The noised frame, RGB in -1..1.
    pub const NOISED: usize = 0;
    /// The world state's colour here, RGB in -1..1; where unknown, what the ambience expects, and in the hole of a block
    /// that has just gone, what is known beside it, as in [`LAST`] and [`LAST_DEPTH`].
    pub const CANVAS: usize = 3;
    /// 1 where the world state knows this pixel, else 0.
    pub const KNOWN: usize = 6;
    /// Encoded depth of the world state here ([`crate::layout::encode_depth`]); 0 where unknown.
    pub const CANVAS_DEPTH: usize = 7;
    /// How trusted and how fine the world state is here, 0..1.
    pub const CONFIDENCE: usize = 8;
    /// The last frame, RGB in -1..1, in squares of 2 pixels a side that have one colour each.
    pub const LAST: usize = 9;
    /// Encoded depth of the last frame.
    pub const LAST_DEPTH: usize = 12;
    /// Slope of the pixel's ray to the right and upwards, halved.
    pub const SLOPE_RIGHT: usize = 13;
    pub const SLOPE_UP: usize = 14;
    /// Height that the ray gains a block of its length: -1 straight down, 1 straight up.
    pub const ELEVATION: usize = 15;
    /// Where the point that is shown here lies among the blocks: for each axis a triangle wave of a block's length and
    /// the same a quarter block on, fading with distance. Where nothing is known, of the level floor under the feet.
    pub const PLACE: usize = 16;
    /// 1 where what the hand is about to change would show, else 0.
    pub const CHANGE: usize = 22;
    /// Encoded depth of what would show then.
    pub const CHANGE_DEPTH: usize = 23;
    /// Its place in the cell that changes, -1..1 from wall to wall on each axis.
    pub const CHANGE_PLACE: usize = 24;
    /// Encoded depth of the level floor under the feet; 1 above the horizon.
    pub const FLOOR_DEPTH: usize = 27;
    /// 1 where a block that is about to be placed would show, else 0.
    pub const PLACED: usize = 28;
    /// What that block's picture in the hotbar shows there, RGB in -1..1; 0 elsewhere.
    pub const PLACED_COLOUR: usize = 29;
    pub const CHANNELS: usize = 32;
}

/// Channels of the denoiser's raw output.
pub mod output {
    /// The frame as the network imagines it, RGB in -1..1.
    pub const RGB: usize = 0;
    /// Logit of copying the canvas instead.
    pub const COPY_LOGIT: usize = 3;
    /// Encoded depth as the network imagines it.
    pub const DEPTH: usize = 4;
    /// Logit of copying the canvas's depth instead.
    pub const COPY_DEPTH_LOGIT: usize = 5;
    /// Natural logarithm of the depth error's scale (Laplace), in encoded units.
    pub const DEPTH_LOG_SCALE: usize = 6;
    /// Logits of the bits of what is seen here ([`crate::matter::Matter`]).
    pub const MATTER: usize = 7;
    pub const CHANNELS: usize = 16;
}

/// Nearest and farthest depth that the code tells apart, in blocks; everything from `FAR_BLOCKS` on is sky.
pub const NEAR_BLOCKS: f32 = 0.2;
pub const FAR_BLOCKS: f32 = 80.0;

/// Bounds of the logarithm of the depth error's scale.
pub const LEAST_LOG_SCALE: f32 = -6.0;
pub const MOST_LOG_SCALE: f32 = 2.0;

/// Natural logarithm of the farthest over the nearest.
const SPAN: f32 = 5.991_464_5;

/// Depth in blocks to -1 (near) .. 1 (far and sky), linear in the logarithm.
pub fn encode_depth(blocks: f32) -> f32 {
    elementary::ln(blocks.clamp(NEAR_BLOCKS, FAR_BLOCKS) / NEAR_BLOCKS) / SPAN * 2.0 - 1.0
}

/// From the logarithm of a scale in encoded units ([`output::DEPTH_LOG_SCALE`]) to a share of the depth.
pub fn decode_scale(log_scale: f32) -> f32 {
    elementary::exp(log_scale.clamp(LEAST_LOG_SCALE, MOST_LOG_SCALE)) * (0.5 * SPAN)
}

/// The inverse of [`encode_depth`]; what decodes to nearly `FAR_BLOCKS` is sky.
pub fn decode_depth(code: f32) -> f32 {
    let blocks = NEAR_BLOCKS * elementary::exp((code.clamp(-1.0, 1.0) + 1.0) * 0.5 * SPAN);
    if blocks > FAR_BLOCKS * 0.93 { holdfast_sim::Depth::SKY } else { blocks }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_code_is_monotone_and_inverts() {
        assert!((SPAN - (FAR_BLOCKS / NEAR_BLOCKS).ln()).abs() < 1e-6);
        for blocks in [0.2f32, 1.0, 3.7, 20.0, 60.0] {
            assert!((decode_depth(encode_depth(blocks)) / blocks - 1.0).abs() < 1e-4);
        }
        assert_eq!(encode_depth(holdfast_sim::Depth::SKY), 1.0);
        assert_eq!(decode_depth(1.0), holdfast_sim::Depth::SKY);
        assert!(encode_depth(2.0) < encode_depth(2.1));
    }
}
