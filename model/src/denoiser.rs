//! The denoiser: a diffusion transformer on patches with a full-resolution head, in Burn.
//!
//! It reads a noised frame beside what the world state shows and the last frame ([`crate::layout`]), and predicts the
//! clean frame, its depth, and for each pixel whether the world state's own colour and depth should be kept.
//! Sources: Peebles and Xie, "Scalable Diffusion Models with Transformers" (zero-initialised adaptive norm, one
//! modulation for all blocks as in PixArt-alpha, section 2.3); "Back to Basics: Let Denoising Generative Models
//! Denoise" (prediction of the clean frame from pixels); So et al., "Primer" (squared ReLU); Ding et al., "CogView"
//! (section 2.4: a norm at the end of each branch, without which the residual stream grew a hundredfold).

use crate::{ModelConfig, layout::input, rotary::Rotary, weights::Weights};
use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Device, Gradients, Tensor, TensorData, activation};

/// Keeps the root mean square away from zero.
pub const NORM_EPSILON: f32 = 1e-5;

/// A linear map `[inputs, outputs]` with an optional bias.
#[derive(Module, Debug)]
pub struct Linear {
    pub weight: Param<Tensor<2>>,
    pub bias: Option<Param<Tensor<1>>>,
}

/// One transformer block.
#[derive(Module, Debug)]
pub struct Block {
    pub modulation_table: Param<Tensor<1>>,
    pub qkv: Linear,
    pub query_scale: Param<Tensor<1>>,
    pub key_scale: Param<Tensor<1>>,
    pub attention_out: Linear,
    pub mlp_in: Linear,
    pub mlp_out: Linear,
}

/// The whole network. Built by [`Denoiser::new`] from [`Weights`].
#[derive(Module, Debug)]
pub struct Denoiser {
    pub patch_in: Linear,
    pub condition_in: Linear,
    pub condition_out: Linear,
    pub no_prompt: Param<Tensor<1>>,
    pub modulation: Linear,
    pub final_modulation: Linear,
    pub blocks: Vec<Block>,
    pub final_modulation_table: Param<Tensor<1>>,
    pub patch_out: Linear,
    pub head_hidden: Linear,
    pub head_out: Linear,
    patch_px: usize,
    heads: usize,
}

/// The rotary positions of frames of one size, on a device: `[1, 1, tokens, d_head / 2]` each.
#[derive(Debug, Clone)]
pub struct Angles {
    cos: Tensor<4>,
    sin: Tensor<4>,
}

struct Source<'a> {
    weights: &'a Weights,
    device: &'a Device,
}

impl Source<'_> {
    fn param<const D: usize>(&self, name: &str) -> Param<Tensor<D>> {
        let tensor = self.weights.get(name);
        Param::from_data(TensorData::new(tensor.values.clone(), tensor.shape.clone()), self.device)
    }

    fn linear(&self, name: &str, bias: bool) -> Linear {
        let weight = self.param(&format!("{name}.weight"));
        Linear { weight, bias: bias.then(|| self.param(&format!("{name}.bias"))) }
    }
}

impl Linear {
    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        burn::tensor::module::linear(x, self.weight.val(), self.bias.as_ref().map(|bias| bias.val()))
    }
}

/// Divides by the root mean square over the last axis.
fn rms_norm<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let mean_square = x.clone().square().mean_dim(D - 1);
    x.div((mean_square + NORM_EPSILON).sqrt())
}

fn modulate(x: Tensor<3>, shift: Tensor<3>, scale: Tensor<3>) -> Tensor<3> {
    rms_norm(x) * (scale + 1.0) + shift
}

/// Rotates pairs (first half, second half of a head).
fn rotate(x: Tensor<4>, Angles { cos, sin }: &Angles) -> Tensor<4> {
    let half = x.dims()[3] / 2;
    let (a, b) = (x.clone().narrow(3, 0, half), x.narrow(3, half, half));
    let first = a.clone() * cos.clone() - b.clone() * sin.clone();
    let second = a * sin.clone() + b * cos.clone();
    Tensor::cat(vec![first, second], 3)
}

/// The 3x3 neighbourhood of every pixel, zero outside: `[b, h, w, c]` to `[b, h, w, 9 * c]` (row, column, channel).
fn neighbourhood(x: Tensor<4>) -> Tensor<4> {
    let [batch, height, width, channels] = x.dims();
    let device = x.device();
    let row = Tensor::zeros([batch, 1, width, channels], &device);
    let x = Tensor::cat(vec![row.clone(), x, row], 1);
    let column = Tensor::zeros([batch, height + 2, 1, channels], &device);
    let x = Tensor::cat(vec![column.clone(), x, column], 2);
    let shifts = (0..3).flat_map(|dy| (0..3).map(move |dx| (dy, dx)));
    Tensor::cat(shifts.map(|(dy, dx)| x.clone().narrow(1, dy, height).narrow(2, dx, width)).collect(), 3)
}

impl Denoiser {
    pub fn new(config: &ModelConfig, weights: &Weights, device: &Device) -> Denoiser {
        let from = Source { weights, device };
        let blocks = (0..config.layers).map(|block| {
            let name = |part: &str| format!("blocks.{block}.{part}");
            Block {
                modulation_table: from.param(&name("modulation_table")),
                qkv: from.linear(&name("qkv"), false),
                query_scale: from.param(&name("query_scale")),
                key_scale: from.param(&name("key_scale")),
                attention_out: from.linear(&name("attention_out"), false),
                mlp_in: from.linear(&name("mlp_in"), false),
                mlp_out: from.linear(&name("mlp_out"), false),
            }
        });
        Denoiser {
            patch_in: from.linear("patch_in", true),
            condition_in: from.linear("condition_in", true),
            condition_out: from.linear("condition_out", true),
            no_prompt: from.param("no_prompt"),
            modulation: from.linear("modulation", false),
            final_modulation: from.linear("final_modulation", false),
            blocks: blocks.collect(),
            final_modulation_table: from.param("final_modulation_table"),
            patch_out: from.linear("patch_out", true),
            head_hidden: from.linear("head_hidden", true),
            head_out: from.linear("head_out", true),
            patch_px: config.patch_px,
            heads: config.heads,
        }
    }

    /// Adds to `sums` the gradients that automatic differentiation found for each weight.
    ///
    /// # Errors
    /// If the device does not give one.
    pub fn add_gradients(&self, found: &Gradients, sums: &mut Weights) -> Result<(), String> {
        let mut adding = Adding { found, sums, path: Vec::new(), fault: None };
        self.visit(&mut adding);
        adding.fault.map_or(Ok(()), Err)
    }

    /// What [`Denoiser::forward`] needs to know of a frame's size, once for all frames.
    pub fn angles(&self, width: usize, height: usize, device: &Device) -> Angles {
        let d_head = self.no_prompt.dims()[0] / self.heads;
        let rotary = Rotary::new(width, height, self.patch_px, d_head);
        let tokens = (width / self.patch_px) * (height / self.patch_px);
        let on_device =
            |values: Vec<f32>| Tensor::<4>::from_data(TensorData::new(values, [1, 1, tokens, d_head / 2]), device);
        Angles { cos: on_device(rotary.cos), sin: on_device(rotary.sin) }
    }

    /// One evaluation.
    ///
    /// # Shapes
    /// - `pixels`: `[batch, height, width, input::CHANNELS]`
    /// - `condition`: `[batch, Condition::FEATURES]`
    /// - output: `[batch, height, width, output::CHANNELS]`
    pub fn forward(&self, pixels: Tensor<4>, condition: Tensor<2>, angles: &Angles) -> Tensor<4> {
        let [batch, height, width, channels] = pixels.dims();
        let (p, rows, columns) = (self.patch_px, height / self.patch_px, width / self.patch_px);
        let tokens = rows * columns;
        let d_model = self.no_prompt.dims()[0];

        let patches: Tensor<6> = pixels.clone().reshape([batch, rows, p, columns, p, channels]);
        let patches: Tensor<3> = patches.permute([0, 1, 3, 2, 4, 5]).reshape([batch, tokens, p * p * channels]);
        let mut x = self.patch_in.forward(patches);

        let hidden = activation::silu(self.condition_in.forward(condition));
        let condition = rms_norm(self.condition_out.forward(hidden) + self.no_prompt.val().unsqueeze());
        let condition = activation::silu(condition);
        let modulation: Tensor<3> = self.modulation.forward(condition.clone()).unsqueeze_dim(1);

        for block in &self.blocks {
            x = block.forward(x, &modulation, self.heads, angles);
        }

        let last: Tensor<3> = self.final_modulation.forward(condition).unsqueeze_dim(1);
        let last = last + self.final_modulation_table.val().unsqueeze();
        let x = modulate(x, last.clone().narrow(2, 0, d_model), last.narrow(2, d_model, d_model));
        let features = self.patch_out.forward(x);
        let per_pixel = features.dims()[2] / (p * p);
        let features: Tensor<6> = features.reshape([batch, rows, columns, p, p, per_pixel]);
        let features: Tensor<4> = features.permute([0, 1, 3, 2, 4, 5]).reshape([batch, height, width, per_pixel]);

        let full = Tensor::cat(vec![features, pixels.narrow(3, 0, input::CHANNELS)], 3);
        let hidden = activation::relu(self.head_hidden.forward(neighbourhood(full)));
        self.head_out.forward(neighbourhood(hidden))
    }
}

/// A tensor's values, row-major.
pub(crate) fn read<const D: usize>(tensor: Tensor<D>) -> Result<Vec<f32>, String> {
    let data = tensor.try_into_data().map_err(|error| error.to_string())?;
    data.try_to_vec::<f32>().map_err(|error| error.to_string())
}

/// Walks over a network's tensors and adds their gradients to those of the same name.
struct Adding<'a> {
    found: &'a Gradients,
    sums: &'a mut Weights,
    path: Vec<String>,
    fault: Option<String>,
}

impl ModuleVisitor for Adding<'_> {
    fn enter_module(&mut self, name: &str, _container_type: &str) {
        self.path.push(name.to_string());
    }

    fn exit_module(&mut self, _name: &str, _container_type: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let name = self.path.join(".");
        let values = param.val().grad(self.found).ok_or_else(|| "it has no gradient".to_string()).and_then(read);
        let sum = self.sums.tensors.iter_mut().find(|tensor| tensor.name == name);
        match (values, sum) {
            (Ok(values), Some(sum)) => sum.values.iter_mut().zip(values).for_each(|(sum, value)| *sum += value),
            (Err(fault), _) => self.fault = Some(format!("{name}: {fault}")),
            (_, None) => self.fault = Some(format!("{name} is no tensor of ours")),
        }
    }
}

impl Block {
    /// # Shapes
    /// - `x`: `[batch, tokens, d_model]`; `modulation`: `[batch, 1, 6 * d_model]`
    fn forward(&self, x: Tensor<3>, modulation: &Tensor<3>, heads: usize, angles: &Angles) -> Tensor<3> {
        let [batch, tokens, d_model] = x.dims();
        let d_head = d_model / heads;
        let modulation = modulation.clone() + self.modulation_table.val().unsqueeze();
        let part = |index: usize| modulation.clone().narrow(2, index * d_model, d_model);

        let qkv = self.qkv.forward(modulate(x.clone(), part(0), part(1)));
        let head = |index: usize| -> Tensor<4> {
            qkv.clone().narrow(2, index * d_model, d_model).reshape([batch, tokens, heads, d_head]).swap_dims(1, 2)
        };
        let query = rotate(rms_norm(head(0)) * self.query_scale.val().unsqueeze(), angles);
        let key = rotate(rms_norm(head(1)) * self.key_scale.val().unsqueeze(), angles);
        let scores = activation::softmax(query.matmul(key.transpose()) * (d_head as f32).powf(-0.5), 3);
        let mixed: Tensor<3> = scores.matmul(head(2)).swap_dims(1, 2).reshape([batch, tokens, d_model]);
        let x = x + rms_norm(self.attention_out.forward(mixed)) * part(2);

        let hidden = activation::relu(self.mlp_in.forward(modulate(x.clone(), part(3), part(4))));
        x + rms_norm(self.mlp_out.forward(hidden.square())) * part(5)
    }
}
