//! The denoiser on a device of Burn's: the module that defines the network ([`crate::denoiser`]), one frame at a time.

use super::{DeviceFault, Engine};
use crate::{
    Condition, ModelConfig,
    denoiser::{Angles, Denoiser, read},
    layout::{input, output},
    weights::Weights,
};
use burn::tensor::{Device, Distribution, Tensor, TensorData};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

/// Evaluations before the first that counts: a device compiles its kernels then, and tries which are the fastest.
const WARM_UP: usize = 3;
/// Side of the matrices that the peak is measured with, and how often they are multiplied.
const PEAK_SIDE: usize = 2048;
const PEAK_ROUNDS: usize = 20;

/// See the module.
#[derive(Debug)]
pub struct BurnEngine {
    name: String,
    device: Device,
    network: Denoiser,
    angles: Angles,
    output: Vec<f32>,
    width: usize,
    height: usize,
}

impl BurnEngine {
    /// Brings the weights to a device and tries them there; `name` is what people call it.
    pub fn new(name: &str, device: Device, config: &ModelConfig, weights: &Weights) -> Result<BurnEngine, DeviceFault> {
        let (width, height) = (config.width, config.height);
        let built = guard(name, || {
            let network = Denoiser::new(config, weights, &device);
            let angles = network.angles(width, height, &device);
            Ok((network, angles))
        });
        let (network, angles) = built?;
        let mut engine = BurnEngine { name: name.into(), device, network, angles, output: Vec::new(), width, height };
        let (pixels, condition) = (vec![0.0; width * height * input::CHANNELS], [0.0; Condition::FEATURES]);
        for _ in 0..WARM_UP {
            engine.evaluate(&pixels, &condition)?;
        }
        Ok(engine)
    }
}

impl Engine for BurnEngine {
    fn name(&self) -> &str {
        &self.name
    }

    fn precision(&self) -> &'static str {
        "f32"
    }

    fn evaluate(&mut self, pixels: &[f32], condition: &[f32]) -> Result<(), DeviceFault> {
        let (network, angles, device) = (&self.network, &self.angles, &self.device);
        let (width, height) = (self.width, self.height);
        self.output = guard(&self.name, || {
            let pixels = TensorData::new(pixels.to_vec(), [1, height, width, input::CHANNELS]);
            let condition = TensorData::new(condition.to_vec(), [1, Condition::FEATURES]);
            let pixels = Tensor::<4>::from_data(pixels, device);
            read(network.forward(pixels, Tensor::<2>::from_data(condition, device), angles))
        })?;
        let expected = width * height * output::CHANNELS;
        if self.output.len() != expected || self.output.iter().any(|value| !value.is_finite()) {
            return Err(DeviceFault::new(&self.name, "it answered with values that are no frame"));
        }
        Ok(())
    }

    fn output(&self) -> &[f32] {
        &self.output
    }

    fn matrix_peak_gflops(&self) -> Option<f64> {
        let measured = guard(&self.name, || {
            let matrix = || {
                let shape = [PEAK_SIDE, PEAK_SIDE];
                Tensor::<2>::random(shape, Distribution::Uniform(-0.01, 0.01), &self.device)
            };
            let (mut product, right) = (matrix(), matrix());
            let mut best_s = f64::INFINITY;
            // The first round chooses a kernel.
            for _ in 0..3 {
                self.device.sync().map_err(|error| error.to_string())?;
                let start = Instant::now();
                for _ in 0..PEAK_ROUNDS {
                    product = product.matmul(right.clone());
                }
                self.device.sync().map_err(|error| error.to_string())?;
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
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or_default().to_string()
        }
    };
    Err(DeviceFault::new(name, said))
}
