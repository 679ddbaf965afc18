//! A strided convolution for the discriminator, channels last, forward and backward: unfolded, it is a matrix product.

use crate::{
    kernel::Products,
    weights::{Init, TensorSpec},
};

/// One layer: `side x side` windows, `stride` apart, one zero pixel around the image.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Strided {
    pub side: usize,
    pub stride: usize,
    pub inputs: usize,
    pub outputs: usize,
}

/// Zero pixels around the image.
const BORDER: usize = 1;

impl Strided {
    /// Weight `[side * side * inputs, outputs]`.
    pub fn weight_spec(&self, name: String) -> TensorSpec {
        let fan_in = self.window();
        let init = Init::Normal { fan_in, gain: std::f32::consts::SQRT_2 };
        TensorSpec { name, shape: vec![fan_in, self.outputs], init }
    }

    /// Values that one output sees.
    pub fn window(&self) -> usize {
        self.side * self.side * self.inputs
    }

    /// Width and height of the output.
    pub fn out_size(&self, [width, height]: [usize; 2]) -> [usize; 2] {
        [width, height].map(|side| (side + 2 * BORDER - self.side) / self.stride + 1)
    }

    /// The values of an image's row that the window row at output `(column, row)` covers, with where they stand in it.
    fn spans(&self, size: [usize; 2], mut each: impl FnMut(usize, usize, usize)) {
        let [width, height] = size;
        let [columns, rows] = self.out_size(size);
        for row in 0..rows {
            for column in 0..columns {
                let window = (row * columns + column) * self.window();
                let left = column * self.stride;
                let (first, last) = (left.max(BORDER), (left + self.side).min(width + BORDER));
                for dy in 0..self.side {
                    let y = row * self.stride + dy;
                    if (BORDER..height + BORDER).contains(&y) && first < last {
                        let inside = ((y - BORDER) * width + first - BORDER) * self.inputs;
                        let place = window + (dy * self.side + first - left) * self.inputs;
                        each(place, inside, (last - first) * self.inputs);
                    }
                }
            }
        }
    }

    /// The windows of an image `[height, width, inputs]` as rows `[outputs' positions, window]`.
    pub fn unfold(&self, windows: &mut Vec<f32>, image: &[f32], size: [usize; 2]) {
        let [columns, rows] = self.out_size(size);
        windows.clear();
        windows.resize(columns * rows * self.window(), 0.0);
        self.spans(size, |place, inside, len| {
            windows[place..place + len].copy_from_slice(&image[inside..inside + len]);
        });
    }

    /// The transpose of [`Strided::unfold`]: adds the windows' gradients up in the image's.
    pub fn fold(&self, d_image: &mut Vec<f32>, d_windows: &[f32], size: [usize; 2]) {
        d_image.clear();
        d_image.resize(size[0] * size[1] * self.inputs, 0.0);
        self.spans(size, |place, inside, len| {
            let into = &mut d_image[inside..inside + len];
            into.iter_mut().zip(&d_windows[place..place + len]).for_each(|(sum, part)| *sum += part);
        });
    }

    /// `out = windows * weight`.
    pub fn forward(&self, products: &mut Products, out: &mut Vec<f32>, windows: &[f32], weight: &[f32]) {
        let positions = windows.len() / self.window();
        out.resize(positions * self.outputs, 0.0);
        products.multiply(out, windows, weight, positions, self.window(), self.outputs);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folding_is_the_transpose_of_unfolding() {
        let layer = Strided { side: 4, stride: 2, inputs: 3, outputs: 1 };
        let size = [10, 6];
        assert_eq!(layer.out_size(size), [5, 3]);
        let image: Vec<f32> = (0..180).map(|i| (i as f32 * 0.7).sin()).collect();
        let (mut windows, mut back) = (Vec::new(), Vec::new());
        layer.unfold(&mut windows, &image, size);
        let other: Vec<f32> = (0..windows.len()).map(|i| (i as f32 * 1.3).cos()).collect();
        layer.fold(&mut back, &other, size);
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        assert!((dot(&windows, &other) - dot(&image, &back)).abs() < 1e-3);
        // The middle of the image, channel by channel, at its place in the window.
        assert_eq!(windows[(5 + 1) * 48..(5 + 1) * 48 + 3], image[(10 + 1) * 3..(10 + 1) * 3 + 3]);
    }
}
