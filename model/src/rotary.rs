//! Rotary positions over the two axes of the image plane (Su et al., "RoFormer"), in units of the view's angle, so
//! that the same weights serve other sizes and aspect ratios.

use holdfast_sim::Camera;

/// Cosines and sines for each token: `[tokens, d_head / 2]`, the first half of the pairs for the vertical axis.
#[derive(Debug, Clone, PartialEq)]
pub struct Rotary {
    pub cos: Vec<f32>,
    pub sin: Vec<f32>,
}

impl Rotary {
    /// Slope of a ray that counts as one unit of position: a patch of the default model.
    const UNIT_SLOPE: f32 = 0.156;
    /// Angle of the fastest and the slowest pair for one unit.
    const FASTEST: f32 = 1.2;
    const SLOWEST: f32 = 0.03;

    pub fn new(width: usize, height: usize, patch_px: usize, d_head: usize) -> Rotary {
        let focal = Camera::new(width, height).focal_px();
        let (rows, columns) = (height / patch_px, width / patch_px);
        let pairs = d_head / 2;
        let axis_pairs = pairs / 2;
        let (mut cos, mut sin) = (Vec::with_capacity(rows * columns * pairs), Vec::with_capacity(rows * columns * pairs));
        let centre = |index: usize, size_px: usize| {
            ((index as f32 + 0.5) * patch_px as f32 - size_px as f32 * 0.5) / focal / Self::UNIT_SLOPE
        };
        for row in 0..rows {
            for column in 0..columns {
                for pair in 0..pairs {
                    let (position, step) = if pair < axis_pairs {
                        (centre(row, height), pair)
                    } else {
                        (centre(column, width), pair - axis_pairs)
                    };
                    let share = step as f32 / (axis_pairs.max(2) - 1) as f32;
                    let angle = position * Self::FASTEST * (Self::SLOWEST / Self::FASTEST).powf(share);
                    cos.push(angle.cos());
                    sin.push(angle.sin());
                }
            }
        }
        Rotary { cos, sin }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_angle_of_view_has_one_position_at_every_size() {
        // The left edge of a frame twice as large falls between two of its tokens: compare the mean of the two.
        let (small, large) = (Rotary::new(64, 32, 8, 16), Rotary::new(128, 64, 8, 16));
        let slow = 7; // the slowest pair of the horizontal axis
        let angle = |rotary: &Rotary, token: usize| rotary.sin[token * 8 + slow].asin();
        let (of_small, of_large) = (angle(&small, 0), (angle(&large, 0) + angle(&large, 1)) / 2.0);
        assert!((of_small - of_large).abs() < 1e-5, "{of_small} {of_large}");
    }
}
