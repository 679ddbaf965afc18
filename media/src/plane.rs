//! The brightness of a picture: all that the watermark is written to and read from.

use holdfast_sim::Frame;

/// Brightness by pixel, 0 to 255, row by row from the top left.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plane {
    pub width: usize,
    pub height: usize,
    pub luma: Vec<f32>,
}

/// Weights of red, green and blue: ITU-R BT.601, which JPEG uses too.
const WEIGHTS: [f32; 3] = [0.299, 0.587, 0.114];

impl Plane {
    pub fn of(frame: &Frame) -> Plane {
        let bright = |rgb: &[u8]| rgb.iter().zip(WEIGHTS).map(|(&value, weight)| f32::from(value) * weight).sum();
        Plane { width: frame.width, height: frame.height, luma: frame.rgb.chunks_exact(3).map(bright).collect() }
    }

    /// From a video's own brightness plane, whose rows are `stride` bytes apart.
    pub fn from_rows(bytes: &[u8], width: usize, height: usize, stride: usize) -> Plane {
        let rows = bytes.chunks(stride).take(height);
        let luma = rows.flat_map(|row| &row[..width]).map(|&value| f32::from(value)).collect();
        Plane { width, height, luma }
    }

    /// What each pixel adds to the mean of its eight neighbours, and how lively the picture is there: the mean size of
    /// what the pixels around add. Both have the mark's own grain, one pixel.
    pub(crate) fn grain(&self) -> Grain {
        let (width, height) = (self.width, self.height);
        let around = sum_3x3(&self.luma, width, height);
        let detail: Vec<f32> =
            self.luma.iter().zip(&around).map(|(&value, &sum)| value - (sum - value) / 8.0).collect();
        let sizes: Vec<f32> = detail.iter().map(|value| value.abs()).collect();
        let activity = sum_3x3(&sizes, width, height).into_iter().map(|sum| sum / 9.0).collect();
        Grain { detail, activity }
    }
}

/// A picture without what is smooth in it.
pub(crate) struct Grain {
    pub detail: Vec<f32>,
    pub activity: Vec<f32>,
}

/// The sum of each pixel and its neighbours; beyond the border stands the border's own value.
fn sum_3x3(values: &[f32], width: usize, height: usize) -> Vec<f32> {
    let mut across = Vec::with_capacity(values.len());
    for row in values.chunks_exact(width) {
        across.extend((0..width).map(|x| row[x.saturating_sub(1)] + row[x] + row[(x + 1).min(width - 1)]));
    }
    let row = |y: usize| &across[y * width..(y + 1) * width];
    let mut sums = Vec::with_capacity(values.len());
    for y in 0..height {
        let (above, here, below) = (row(y.saturating_sub(1)), row(y), row((y + 1).min(height - 1)));
        sums.extend(above.iter().zip(here).zip(below).map(|((above, here), below)| above + here + below));
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smooth_picture_has_no_grain_and_a_speck_is_all_grain() {
        let ramp: Vec<f32> = (0..25).map(|at| (at % 5) as f32).collect();
        let grain = Plane { width: 5, height: 5, luma: ramp }.grain();
        assert_eq!(grain.detail[12], 0.0, "inside a ramp each pixel is its neighbours' mean");
        let mut luma = vec![0.0; 25];
        luma[12] = 8.0;
        let grain = Plane { width: 5, height: 5, luma }.grain();
        assert_eq!((grain.detail[12], grain.detail[11]), (8.0, -1.0));
        assert!((grain.activity[12] - 16.0 / 9.0).abs() < 1e-6);
    }
}
