//! The weights as plain named tensors: what `model.safetensors` holds, what the optimiser updates,
//! and what every implementation of the denoiser is built from.

use crate::{
    ModelConfig, ModelError,
    condition::Condition,
    layout::{input, output},
};
use half::f16;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use safetensors::{Dtype, SafeTensors, tensor::TensorView};
use std::{borrow::Cow, collections::BTreeMap, path::Path};

/// One tensor, row-major f32.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub name: String,
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// All tensors of a denoiser, in the order of [`Weights::spec`].
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    pub tensors: Vec<Tensor>,
}

/// How a tensor starts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    Zero,
    One,
    /// Normal with standard deviation `gain / sqrt(fan_in)`.
    Normal {
        fan_in: usize,
        gain: f32,
    },
}

/// Name, shape and start of one tensor.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorSpec {
    pub name: String,
    pub shape: Vec<usize>,
    pub init: Init,
}

impl Weights {
    /// Every tensor that a denoiser of this configuration has.
    pub fn spec(config: &ModelConfig) -> Vec<TensorSpec> {
        let (d, mlp, dh) = (config.d_model, config.d_mlp(), config.d_head());
        let pixels = config.patch_px * config.patch_px;
        let mut specs = Vec::new();
        let mut add = |name: &str, shape: &[usize], init: Init| {
            specs.push(TensorSpec { name: name.into(), shape: shape.to_vec(), init });
        };
        let normal = |fan_in: usize| Init::Normal { fan_in, gain: 1.0 };
        add("patch_in.weight", &[pixels * input::CHANNELS, d], normal(pixels * input::CHANNELS));
        add("patch_in.bias", &[d], Init::Zero);
        add("condition_in.weight", &[Condition::FEATURES, d], normal(Condition::FEATURES));
        add("condition_in.bias", &[d], Init::Zero);
        add("condition_out.weight", &[d, d], normal(d));
        add("condition_out.bias", &[d], Init::Zero);
        add("no_prompt", &[d], Init::Zero);
        add("modulation.weight", &[d, 6 * d], Init::Zero);
        add("final_modulation.weight", &[d, 2 * d], Init::Zero);
        for block in 0..config.layers {
            let mut add = |name: &str, shape: &[usize], init: Init| add(&format!("blocks.{block}.{name}"), shape, init);
            add("modulation_table", &[6 * d], Init::Zero);
            add("qkv.weight", &[d, 3 * d], normal(d));
            add("query_scale", &[dh], Init::One);
            add("key_scale", &[dh], Init::One);
            add("attention_out.weight", &[d, d], normal(d));
            add("mlp_in.weight", &[d, mlp], normal(d));
            add("mlp_out.weight", &[mlp, d], Init::Normal { fan_in: mlp, gain: 0.5 });
        }
        add("final_modulation_table", &[2 * d], Init::Zero);
        add("patch_out.weight", &[d, pixels * config.head_features], normal(d));
        add("patch_out.bias", &[pixels * config.head_features], Init::Zero);
        let head_in = config.head_features + input::CHANNELS;
        add("head_hidden.weight", &[9 * head_in, config.head_hidden], normal(9 * head_in));
        add("head_hidden.bias", &[config.head_hidden], Init::Zero);
        add(
            "head_out.weight",
            &[9 * config.head_hidden, output::CHANNELS],
            Init::Normal { fan_in: 9 * config.head_hidden, gain: 0.3 },
        );
        add("head_out.bias", &[output::CHANNELS], Init::Zero);
        specs
    }

    /// Fresh weights, the same for the same seed.
    pub fn init(config: &ModelConfig, seed: u64) -> Weights {
        Self::from_spec(Self::spec(config), seed)
    }

    /// Fresh tensors, the same for the same seed.
    pub fn from_spec(specs: Vec<TensorSpec>, seed: u64) -> Weights {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let tensors = specs.into_iter().map(|TensorSpec { name, shape, init }| {
            let len = shape.iter().product();
            let values = match init {
                Init::Zero => vec![0.0; len],
                Init::One => vec![1.0; len],
                Init::Normal { fan_in, gain } => {
                    let scale = gain / (fan_in as f32).sqrt();
                    (0..len).map(|_| normal(&mut rng) * scale).collect()
                }
            };
            Tensor { name, shape, values }
        });
        Weights { tensors: tensors.collect() }
    }

    /// Tensors of the same shapes, all zero: gradients and moments.
    pub fn zeros_like(&self) -> Weights {
        let zero =
            |t: &Tensor| Tensor { name: t.name.clone(), shape: t.shape.clone(), values: vec![0.0; t.values.len()] };
        Weights { tensors: self.tensors.iter().map(zero).collect() }
    }

    pub fn parameters(&self) -> usize {
        self.tensors.iter().map(|tensor| tensor.values.len()).sum()
    }

    /// The tensor of this name.
    ///
    /// # Panics
    /// If there is none: names are fixed by [`Weights::spec`].
    pub fn get(&self, name: &str) -> &Tensor {
        self.tensors.iter().find(|tensor| tensor.name == name).unwrap_or_else(|| panic!("no tensor `{name}`"))
    }

    /// The file's bytes, half precision for shipping or full for checkpoints.
    pub fn to_bytes(&self, half: bool, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>, ModelError> {
        let dtype = if half { Dtype::F16 } else { Dtype::F32 };
        let data: Vec<Vec<u8>> = self.tensors.iter().map(|tensor| encode(&tensor.values, half)).collect();
        let views = self.tensors.iter().zip(&data).map(|(tensor, bytes)| {
            let view = TensorView::new(dtype, tensor.shape.clone(), bytes);
            view.map(|view| (tensor.name.as_str(), view)).map_err(|error| ModelError::Weights(error.to_string()))
        });
        let views = views.collect::<Result<Vec<_>, _>>()?;
        let metadata = metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect();
        safetensors::serialize(views, Some(metadata)).map_err(|error| ModelError::Weights(error.to_string()))
    }

    /// Reads a safetensors file (f32 or f16) and checks names and shapes against the configuration.
    pub fn from_bytes(bytes: &[u8], config: &ModelConfig, path: &Path) -> Result<Weights, ModelError> {
        Self::read(bytes, Self::spec(config), path)
    }

    /// Reads a safetensors file (f32 or f16) that must hold these tensors and no others.
    pub fn read(bytes: &[u8], specs: Vec<TensorSpec>, path: &Path) -> Result<Weights, ModelError> {
        let fail = |reason: String| ModelError::File { path: path.into(), reason };
        let file = SafeTensors::deserialize(bytes)
            .map_err(|error| fail(format!("not a whole safetensors file ({error}); fetch or train it again")))?;
        if let Some(name) = file.names().into_iter().find(|name| specs.iter().all(|spec| spec.name != **name)) {
            return Err(fail(format!(
                "holds a tensor `{name}` that config.json does not know; they do not belong together"
            )));
        }
        let tensors = specs.into_iter().map(|spec| {
            let view = file.tensor(&spec.name);
            let view = view.map_err(|_| fail(format!("lacks the tensor `{}` that config.json asks for", spec.name)))?;
            if view.shape() != spec.shape {
                let (name, found, expected) = (spec.name, view.shape(), spec.shape);
                return Err(fail(format!("tensor `{name}` has shape {found:?}, config.json asks for {expected:?}")));
            }
            let values: Vec<f32> = match view.dtype() {
                Dtype::F32 => {
                    view.data().chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
                }
                Dtype::F16 => view.data().chunks_exact(2).map(|b| f16::from_le_bytes([b[0], b[1]]).to_f32()).collect(),
                other => return Err(fail(format!("tensor `{}` is {other:?}; expected F32 or F16", spec.name))),
            };
            if values.iter().any(|value| !value.is_finite()) {
                return Err(fail(format!("tensor `{}` holds values that are not finite", spec.name)));
            }
            Ok(Tensor { name: spec.name, shape: spec.shape, values })
        });
        Ok(Weights { tensors: tensors.collect::<Result<_, _>>()? })
    }
}

/// What a safetensors file notes beside its tensors; nothing if it is none.
pub fn metadata(bytes: &[u8]) -> BTreeMap<String, String> {
    let header = SafeTensors::read_metadata(bytes).ok();
    let noted = header.and_then(|(_, header)| header.metadata().clone());
    noted.into_iter().flatten().collect()
}

fn encode(values: &[f32], half: bool) -> Vec<u8> {
    if half {
        values.iter().flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect()
    } else {
        Cow::from(values).iter().flat_map(|value| value.to_le_bytes()).collect()
    }
}

/// A standard normal draw (Box and Muller).
pub fn normal(rng: &mut ChaCha8Rng) -> f32 {
    let unit = |rng: &mut ChaCha8Rng| ((rng.next_u32() >> 8) as f32 + 0.5) / (1u32 << 24) as f32;
    let (radius, angle) = ((-2.0 * unit(rng).ln()).sqrt(), std::f32::consts::TAU * unit(rng));
    radius * angle.cos()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small() -> ModelConfig {
        ModelConfig { d_model: 32, heads: 2, layers: 1, width: 16, height: 16, ..ModelConfig::default() }
    }

    #[track_caller]
    fn check_refused(bytes: &[u8], config: &ModelConfig, expected: &str) {
        let error = Weights::from_bytes(bytes, config, Path::new("m.safetensors")).expect_err(expected).to_string();
        assert!(error.starts_with("m.safetensors: ") && error.contains(expected), "{error}");
    }

    #[test]
    fn what_is_saved_loads_back() {
        let weights = Weights::init(&small(), 3);
        let bytes = weights.to_bytes(false, &BTreeMap::new()).expect("saves");
        assert_eq!(Weights::from_bytes(&bytes, &small(), Path::new("w")).expect("loads"), weights);
        let half = weights.to_bytes(true, &BTreeMap::new()).expect("saves");
        let loaded = Weights::from_bytes(&half, &small(), Path::new("w")).expect("loads");
        let worst = loaded.tensors.iter().zip(&weights.tensors).flat_map(|(a, b)| a.values.iter().zip(&b.values));
        assert!(worst.map(|(a, b)| (a - b).abs() / (b.abs() + 1e-3)).fold(0.0, f32::max) < 1e-3);
    }

    #[test]
    fn wrong_files_are_refused_with_the_reason() {
        let bytes = Weights::init(&small(), 3).to_bytes(true, &BTreeMap::new()).expect("saves");
        check_refused(&bytes[..bytes.len() / 2], &small(), "not a whole safetensors file");
        check_refused(b"hello", &small(), "not a whole safetensors file");
        check_refused(&bytes, &ModelConfig { layers: 2, ..small() }, "lacks the tensor `blocks.1.");
        check_refused(&bytes, &ModelConfig { d_model: 64, ..small() }, "has shape");
        let two =
            Weights::init(&ModelConfig { layers: 2, ..small() }, 3).to_bytes(true, &BTreeMap::new()).expect("saves");
        check_refused(&two, &small(), "holds a tensor `blocks.1.");
    }
}
