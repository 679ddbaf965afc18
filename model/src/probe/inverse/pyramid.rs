//! Brightness of a frame, and its halvings.

use holdfast_sim::Frame;

/// One number a pixel, 0..255.
#[derive(Debug, Clone, PartialEq)]
pub struct Brightness {
    pub width: usize,
    pub height: usize,
    pub values: Vec<f32>,
}

impl Brightness {
    pub fn of(frame: &Frame) -> Brightness {
        // Rec. 601.
        let luma = |rgb: &[u8]| 0.299 * f32::from(rgb[0]) + 0.587 * f32::from(rgb[1]) + 0.114 * f32::from(rgb[2]);
        let values = frame.rgb.chunks_exact(3).map(luma).collect();
        Brightness { width: frame.width, height: frame.height, values }
    }

    /// Half as wide and high: means of squares of four. An odd last row or column goes.
    pub fn shrunk(&self) -> Brightness {
        let values = shrink(&self.values, self.width, self.height, |four| four.iter().sum::<f32>() * 0.25);
        Brightness { width: self.width / 2, height: self.height / 2, values }
    }

    /// Between the four pixels around a place, which lies inside the last row and column.
    pub fn at(&self, x: f32, y: f32) -> f32 {
        let (left, top, fx, fy) = (x as usize, y as usize, x - x.floor(), y - y.floor());
        let at = top * self.width + left;
        let [a, b] = [self.values[at], self.values[at + 1]];
        let [c, d] = [self.values[at + self.width], self.values[at + self.width + 1]];
        (a + (b - a) * fx) * (1.0 - fy) + (c + (d - c) * fx) * fy
    }

    /// How brightness grows to the right and downwards there.
    pub fn slope(&self, x: f32, y: f32) -> [f32; 2] {
        let (last_x, last_y) = (self.width as f32 - 1.001, self.height as f32 - 1.001);
        let along = |dx: f32, dy: f32| {
            let (low_x, low_y) = ((x - dx).max(0.0), (y - dy).max(0.0));
            let (high_x, high_y) = ((x + dx).min(last_x), (y + dy).min(last_y));
            (self.at(high_x, high_y) - self.at(low_x, low_y)) / (high_x - low_x + high_y - low_y).max(1e-3)
        };
        [along(1.0, 0.0), along(0.0, 1.0)]
    }
}

/// Distances of the halved frame: the nearness is averaged, so that the far says no more than it should.
pub fn shrink_blocks(blocks: &[f32], width: usize, height: usize) -> Vec<f32> {
    shrink(blocks, width, height, |four| 4.0 / four.iter().map(|blocks| 1.0 / blocks.max(0.1)).sum::<f32>())
}

fn shrink(values: &[f32], width: usize, height: usize, mean: impl Fn([f32; 4]) -> f32) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len() / 4);
    for y in 0..height / 2 {
        for x in 0..width / 2 {
            let at = y * 2 * width + x * 2;
            out.push(mean([values[at], values[at + 1], values[at + width], values[at + width + 1]]));
        }
    }
    out
}
