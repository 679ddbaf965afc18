//! The discriminator: tells true frames from generated ones, patch by patch, so that what the denoiser must invent looks
//! like the world and not like the mean of all worlds.
//!
//! Four convolutions over colour, depth and what the world state knew (Isola et al., "Image-to-Image Translation with
//! Conditional Adversarial Networks", section 3.2.2: a score for each patch). It is used in training alone.

use super::strided::Strided;
use crate::{
    kernel::Products,
    weights::{Tensor, TensorSpec, Weights},
};

/// What the discriminator sees of a pixel.
pub mod seen {
    /// RGB, -1..1.
    pub const RGB: usize = 0;
    /// Encoded depth.
    pub const DEPTH: usize = 3;
    /// 1 where the world state knew the pixel.
    pub const KNOWN: usize = 4;
    pub const CHANNELS: usize = 5;
}

const LAYERS: [Strided; 4] = [
    Strided { side: 4, stride: 2, inputs: seen::CHANNELS, outputs: 24 },
    Strided { side: 4, stride: 2, inputs: 24, outputs: 48 },
    Strided { side: 4, stride: 2, inputs: 48, outputs: 96 },
    Strided { side: 3, stride: 1, inputs: 96, outputs: 1 },
];
/// Slope of the leaky rectifier below 0.
const LEAK: f32 = 0.2;

/// Every tensor of a discriminator. The last layer has no bias: only differences of scores count.
pub fn spec() -> Vec<TensorSpec> {
    let names = ["first.weight", "second.weight", "third.weight", "score.weight"];
    LAYERS.iter().zip(names).map(|(layer, name)| layer.weight_spec(name.into())).collect()
}

/// What a forward pass leaves for its backward pass.
#[derive(Debug, Clone, Default)]
pub struct Trace {
    sizes: Vec<[usize; 2]>,
    windows: [Vec<f32>; LAYERS.len()],
    outputs: [Vec<f32>; LAYERS.len()],
}

impl Trace {
    /// The score of each patch: the higher, the more like a true frame.
    pub fn scores(&self) -> &[f32] {
        &self.outputs[LAYERS.len() - 1]
    }
}

/// Buffers of one thread.
#[derive(Debug, Clone, Default)]
pub struct Passes {
    products: Products,
    activated: Vec<f32>,
    d_outputs: Vec<f32>,
    d_windows: Vec<f32>,
}

impl Passes {
    /// Scores an image, `[height, width, seen::CHANNELS]`.
    pub fn forward(&mut self, weights: &Weights, image: &[f32], size: [usize; 2], trace: &mut Trace) {
        trace.sizes.clear();
        let mut size = size;
        for (at, layer) in LAYERS.iter().enumerate() {
            trace.sizes.push(size);
            if at == 0 {
                layer.unfold(&mut trace.windows[at], image, size);
            } else {
                self.activated.clear();
                self.activated.extend(trace.outputs[at - 1].iter().map(|&x| if x > 0.0 { x } else { LEAK * x }));
                layer.unfold(&mut trace.windows[at], &self.activated, size);
            }
            let weight = &weights.tensors[at].values;
            layer.forward(&mut self.products, &mut trace.outputs[at], &trace.windows[at], weight);
            size = layer.out_size(size);
        }
    }

    /// Carries the scores' gradient back: into the weights' (`gradients`, added), and into the image's, if asked for.
    pub fn backward(
        &mut self,
        weights: &Weights,
        trace: &Trace,
        d_scores: &[f32],
        mut gradients: Option<&mut Weights>,
        mut d_image: Option<&mut Vec<f32>>,
    ) {
        self.d_outputs.clear();
        self.d_outputs.extend_from_slice(d_scores);
        for (at, layer) in LAYERS.iter().enumerate().rev() {
            let (window, outputs) = (layer.window(), layer.outputs);
            let positions = self.d_outputs.len() / outputs;
            if let Some(gradients) = gradients.as_deref_mut() {
                let Tensor { values, .. } = &mut gradients.tensors[at];
                let windows = &trace.windows[at];
                self.products.add_transposed_product(values, windows, &self.d_outputs, positions, window, outputs);
            }
            if at == 0 && d_image.is_none() {
                return;
            }
            self.d_windows.resize(positions * window, 0.0);
            let weight = &weights.tensors[at].values;
            self.products.multiply_transposed(&mut self.d_windows, &self.d_outputs, weight, positions, outputs, window);
            let size = trace.sizes[at];
            match (at, d_image.as_deref_mut()) {
                (0, Some(d_image)) => layer.fold(d_image, &self.d_windows, size),
                _ => {
                    layer.fold(&mut self.d_outputs, &self.d_windows, size);
                    let before = &trace.outputs[at - 1];
                    let slopes = self.d_outputs.iter_mut().zip(before);
                    slopes.filter(|(_, x)| **x <= 0.0).for_each(|(d, _)| *d *= LEAK);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::Precision;

    #[test]
    fn the_gradient_is_that_of_the_scores() {
        let size = [16, 8];
        let weights = Weights::from_spec(spec(), 3);
        let image: Vec<f32> = (0..16 * 8 * seen::CHANNELS).map(|i| (i as f32 * 0.37).sin()).collect();
        let mut passes = Passes { products: Products::new(Precision::F32), ..Passes::default() };
        let mut trace = Trace::default();
        passes.forward(&weights, &image, size, &mut trace);
        assert_eq!(trace.scores().len(), 2);
        let weigh = |scores: &[f32]| scores.iter().enumerate().map(|(i, s)| s * (1.0 + i as f32)).sum::<f32>();
        let (mut gradients, mut d_image) = (weights.zeros_like(), Vec::new());
        passes.backward(&weights, &trace, &[1.0, 2.0], Some(&mut gradients), Some(&mut d_image));
        let mut unused = Trace::default();
        let mut check = |weights: [&Weights; 2], images: [&[f32]; 2], expected: f32| {
            let sides = [0, 1].map(|side| {
                passes.forward(weights[side], images[side], size, &mut unused);
                weigh(unused.scores())
            });
            let slope = (sides[1] - sides[0]) / 2e-3;
            assert!((slope - expected).abs() < 0.02 + 0.02 * expected.abs(), "{slope} against {expected}");
        };
        for (tensor, index) in [(0, 5), (0, 1_000), (1, 77), (1, 9_000), (2, 12_345), (3, 400)] {
            let moved = [-1e-3, 1e-3].map(|step| {
                let mut weights = weights.clone();
                weights.tensors[tensor].values[index] += step;
                weights
            });
            check([&moved[0], &moved[1]], [&image, &image], gradients.tensors[tensor].values[index]);
        }
        for index in [0, 9, 123, 400, 639] {
            let moved = [-1e-3, 1e-3].map(|step| {
                let mut image = image.clone();
                image[index] += step;
                image
            });
            check([&weights, &weights], [&moved[0], &moved[1]], d_image[index]);
        }
    }
}
