//! Weights as the products read them: rounded to bf16 and rearranged once for as long as they stay the same, for all
//! workers, and not once a product.

use super::{
    Kernel, at,
    conv::{LANES, lanes_of, split_weights, spread_rows},
    matmul::{Factor, Panels, View},
};
use crate::{
    layout::output,
    weights::{Tensor, Weights},
};
use rayon::prelude::*;

/// Which passes the weights are packed for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Passes {
    Forward,
    ForwardAndBackward,
}

/// Where packed weights lie: buffers that the next packing uses again.
#[derive(Debug, Clone, Default)]
pub struct Packing {
    /// By tensor; empty where no product reads it so.
    forward: Vec<Panels>,
    backward: Vec<Panels>,
    /// Of the head's two convolutions: groups of [`LANES`] output channels.
    pub(super) head_hidden: Vec<Vec<[f32; LANES]>>,
    pub(super) head_hidden_bias: Vec<[f32; LANES]>,
    pub(super) head_out: Vec<[f32; LANES]>,
    pub(super) head_out_bias: [f32; LANES],
}

impl Packing {
    /// Packs the weights for a kernel. They are borrowed for as long as they are packed, so the two cannot part.
    pub fn pack<'a>(&'a mut self, kernel: &Kernel, weights: &'a Weights, passes: Passes) -> Packed<'a> {
        let config = &kernel.config;
        let tail = at::tail(config.layers);
        let blocks = (0..config.layers).map(at::block);
        let mut read: Vec<usize> =
            blocks.flat_map(|block| [block.qkv, block.attention_out, block.mlp_in, block.mlp_out]).collect();
        read.extend([at::PATCH_IN, tail.patch_out]);
        let passes: &[bool] = if passes == Passes::Forward { &[false] } else { &[false, true] };
        for &transposed in passes {
            let all = if transposed { &mut self.backward } else { &mut self.forward };
            all.resize_with(weights.tensors.len(), Default::default);
            all.par_iter_mut().zip(&weights.tensors).enumerate().for_each(|(index, (panels, tensor))| {
                if read.contains(&index) && !(transposed && index == at::PATCH_IN) {
                    panels.pack_weights(kernel.precision, &tensor.values, view_of(tensor, transposed));
                }
            });
        }
        let values = |index: usize| weights.tensors[index].values.as_slice();
        self.head_hidden = split_weights(values(tail.head_hidden), config.head_hidden);
        let bias = values(tail.head_hidden_bias);
        self.head_hidden_bias = (0..self.head_hidden.len()).map(|group| lanes_of(bias, group * LANES)).collect();
        self.head_out = spread_rows(values(tail.head_out), config.head_hidden, output::CHANNELS);
        self.head_out_bias = lanes_of(values(tail.head_out_bias), 0);
        Packed { plain: weights, packing: self }
    }
}

/// Weights together with their packed form.
#[derive(Debug, Clone, Copy)]
pub struct Packed<'a> {
    pub(super) plain: &'a Weights,
    pub(super) packing: &'a Packing,
}

impl<'a> Packed<'a> {
    pub(super) fn values(&self, index: usize) -> &'a [f32] {
        &self.plain.tensors[index].values
    }

    /// A matrix as the right factor of a product.
    pub(super) fn forward(&self, index: usize) -> Factor<'a> {
        self.factor(index, false, &self.packing.forward)
    }

    /// A matrix, transposed, as the right factor of a product.
    pub(super) fn backward(&self, index: usize) -> Factor<'a> {
        self.factor(index, true, &self.packing.backward)
    }

    fn factor(&self, index: usize, transposed: bool, panels: &'a [Panels]) -> Factor<'a> {
        let tensor = &self.plain.tensors[index];
        Factor { values: &tensor.values, view: view_of(tensor, transposed), panels: &panels[index] }
    }
}

fn view_of(matrix: &Tensor, transposed: bool) -> View {
    let view = View::dense(matrix.shape[0], matrix.shape[1]);
    if transposed { view.transposed() } else { view }
}

/// Weights that stay as they are, packed for the forward pass.
#[derive(Debug, Clone)]
pub struct PackedWeights {
    plain: Weights,
    packing: Packing,
}

impl PackedWeights {
    pub fn new(kernel: &Kernel, weights: Weights) -> PackedWeights {
        let mut packing = Packing::default();
        packing.pack(kernel, &weights, Passes::Forward);
        PackedWeights { plain: weights, packing }
    }

    /// Packs the same weights for another kernel.
    pub fn pack_again(&mut self, kernel: &Kernel) {
        self.packing.pack(kernel, &self.plain, Passes::Forward);
    }

    pub fn get(&self) -> Packed<'_> {
        Packed { plain: &self.plain, packing: &self.packing }
    }
}
