//! The denoiser on a device of Burn's: the module that defines the network ([`crate::denoiser`]), one frame at a time.

use super::{DeviceFault, Engine};
use crate::{
    Condition, ModelConfig,
    denoiser::{Angles, Denoiser, read},
    kernel::Batch,
    layout::{input, output},
    weights::Weights,
};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

/// Evaluations before the first that counts: a device compiles its kernels then, and tries which are the fastest.
const WARM_UP: usize = 3;
/// Side of the matrices that the peak is measured with, and how often they are multiplied.
const PEAK_SIDE: usize = 2048;
const PEAK_ROUNDS: usize = 20;

/// The network on a device, for frames of one size.
#[derive(Debug)]
pub(crate) struct Loaded {
    pub name: String,
    pub device: Device,
    pub network: Denoiser,
    angles: Angles,
}

impl Loaded {
    /// Brings the weights to a device; `name` is what people call it.
    pub fn new(
        name: &str,
        device: Device,
        config: &ModelConfig,
        weights: &Weights,
        [width, height]: [usize; 2],
    ) -> Result<Loaded, DeviceFault> {
        guard(name, || {
            let network = Denoiser::new(config, weights, &device);
            let angles = network.angles(width, height, &device);
            Ok(Loaded { name: name.into(), device, network, angles })
        })
    }

    /// Evaluates a batch of frames of its size. May panic: within [`guard`].
    pub fn forward(&self, batch: &Batch) -> Tensor<4> {
        let shape = [batch.samples, batch.height, batch.width, input::CHANNELS];
        let pixels = TensorData::new(batch.pixels.to_vec(), shape);
        let condition = TensorData::new(batch.condition.to_vec(), [batch.samples, Condition::FEATURES]);
        let pixels = Tensor::<4>::from_data(pixels, &self.device);
        self.network.forward(pixels, Tensor::<2>::from_data(condition, &self.device), &self.angles)
    }
}

/// See the module.
#[derive(Debug)]
pub struct BurnEngine {
    loaded: Loaded,
    output: Vec<f32>,
    width: usize,
    height: usize,
}

impl BurnEngine {
    /// Brings the weights to a device and tries them there; `name` is what people call it.
    pub fn new(name: &str, device: Device, config: &ModelConfig, weights: &Weights) -> Result<BurnEngine, DeviceFault> {
        let (width, height) = (config.width, config.height);
        let loaded = Loaded::new(name, device, config, weights, [width, height])?;
        let mut engine = BurnEngine { loaded, output: Vec::new(), width, height };
        let (pixels, condition) = (vec![0.0; width * height * input::CHANNELS], [0.0; Condition::FEATURES]);
        for _ in 0..WARM_UP {
            engine.evaluate(&pixels, &condition)?;
        }
        Ok(engine)
    }
}

impl Engine for BurnEngine {
    fn name(&self) -> &str {
        &self.loaded.name
    }

    fn precision(&self) -> &'static str {
        "f32"
    }

    fn evaluate(&mut self, pixels: &[f32], condition: &[f32]) -> Result<(), DeviceFault> {
        let batch = Batch { pixels, condition, samples: 1, width: self.width, height: self.height };
        let loaded = &self.loaded;
        self.output = guard(&loaded.name, || read(loaded.forward(&batch)))?;
        let expected = self.width * self.height * output::CHANNELS;
        if self.output.len() != expected || self.output.iter().any(|value| !value.is_finite()) {
            return Err(DeviceFault::new(&loaded.name, "it answered with values that are no frame"));
        }
        Ok(())
    }

    fn output(&self) -> &[f32] {
        &self.output
    }

    fn matrix_peak_gflops(&self) -> Option<f64> {
        let Loaded { name, device, .. } = &self.loaded;
        let measured = guard(name, || {
            let matrix = || Tensor::<2>::random([PEAK_SIDE, PEAK_SIDE], Distribution::Uniform(-0.01, 0.01), device);
            let (mut product, right) = (matrix(), matrix());
            let mut best_s = f64::INFINITY;
            // The first round chooses a kernel.
            for _ in 0..3 {
                device.sync().map_err(|error| error.to_string())?;
                let start = Instant::now();
                for _ in 0..PEAK_ROUNDS {
                    product = product.matmul(right.clone());
                }
                device.sync().map_err(|error| error.to_string())?;
                best_s = best_s.min(start.elapsed().as_secs_f64());
            }
            Ok(best_s)
        });
        let flop = 2.0 * (PEAK_SIDE as f64).powi(3) * PEAK_ROUNDS as f64;
        measured.ok().map(|seconds| flop / seconds / 1e9)
    }
}

/// Runs what a device does: drivers and their bindings panic where they should answer.
pub(crate) fn guard<T>(name: &str, act: impl FnOnce() -> Result<T, String>) -> Result<T, DeviceFault> {
    let said = match catch_unwind(AssertUnwindSafe(act)) {
        Ok(Ok(done)) => return Ok(done),
        Ok(Err(said)) => said,
        Err(panic) => said_in(&*panic).unwrap_or_default().to_string(),
    };
    Err(DeviceFault::new(name, said))
}

/// What a panic said, if it said anything.
pub fn said_in(panic: &(dyn Any + Send)) -> Option<&str> {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied())
}
