//! A group of samples through the network and back: by our own kernel, or on a device of Burn's with its automatic
//! gradients. What a loss is made of, and the optimiser, are the same for both.

use crate::{
    Condition, ModelConfig,
    denoiser::{Angles, Denoiser, read},
    device::Found,
    engine::{DeviceFault, guard},
    kernel::{Batch, Kernel, Packed, Tape},
    layout::{input, output},
    weights::Weights,
};
use burn::tensor::{Tensor, TensorData};

/// The network during one step, on a device that it is trained on.
#[derive(Debug, Clone)]
pub(super) struct OnDevice {
    found: Found,
    network: Denoiser,
    angles: Angles,
}

impl OnDevice {
    /// Brings the weights to a device, for frames of one size.
    pub fn new(
        found: &Found,
        config: &ModelConfig,
        weights: &Weights,
        [width, height]: [usize; 2],
    ) -> Result<OnDevice, DeviceFault> {
        let found = Found { device: found.device.clone().autodiff(), ..found.clone() };
        let (network, angles) = guard(&found.name, || {
            let network = Denoiser::new(config, weights, &found.device);
            let angles = network.angles(width, height, &found.device);
            Ok((network, angles))
        })?;
        Ok(OnDevice { found, network, angles })
    }
}

/// What one worker's samples go through.
#[derive(Debug)]
pub(super) struct Passes {
    kernel: Kernel,
    tape: Tape,
    /// On a device: what came of the last forward pass, there and here.
    pending: Option<Tensor<4>>,
    output: Vec<f32>,
}

impl Passes {
    pub fn new(config: &ModelConfig) -> Passes {
        let kernel = Kernel::new(config.clone());
        Passes { kernel, tape: Tape::default(), pending: None, output: Vec::new() }
    }

    pub fn kernel(&self) -> &Kernel {
        &self.kernel
    }

    /// Evaluates a batch: on the device, or without one by our own kernel.
    pub fn forward(&mut self, weights: Packed, device: Option<&OnDevice>, batch: &Batch) -> Result<(), DeviceFault> {
        let Some(OnDevice { found, network, angles }) = device else {
            self.kernel.forward(weights, batch, &mut self.tape);
            self.pending = None;
            return Ok(());
        };
        let (pending, values) = guard(&found.name, || {
            let shape = [batch.samples, batch.height, batch.width, input::CHANNELS];
            let pixels = Tensor::<4>::from_data(TensorData::new(batch.pixels.to_vec(), shape), &found.device);
            let condition = TensorData::new(batch.condition.to_vec(), [batch.samples, Condition::FEATURES]);
            let output = network.forward(pixels, Tensor::<2>::from_data(condition, &found.device), angles);
            Ok((output.clone(), read(output)?))
        })?;
        (self.pending, self.output) = (Some(pending), values);
        Ok(())
    }

    /// The raw output of the last forward pass, `[samples, height, width, output::CHANNELS]`.
    pub fn output(&self) -> &[f32] {
        if self.pending.is_some() { &self.output } else { self.tape.output() }
    }

    /// Adds to `gradients` what `d_output`, the gradient of the last forward pass's output, means for each weight.
    pub fn backward(
        &mut self,
        weights: Packed,
        device: Option<&OnDevice>,
        batch: &Batch,
        d_output: &[f32],
        gradients: &mut Weights,
    ) -> Result<(), DeviceFault> {
        let (Some(OnDevice { found, network, .. }), Some(pending)) = (device, self.pending.take()) else {
            self.kernel.backward(weights, batch, &mut self.tape, d_output, gradients);
            return Ok(());
        };
        guard(&found.name, || {
            let shape = [batch.samples, batch.height, batch.width, output::CHANNELS];
            let d_output = Tensor::<4>::from_data(TensorData::new(d_output.to_vec(), shape), &found.device);
            // The gradient of this sum with respect to the output is `d_output`.
            let of_device = (pending * d_output).sum().backward();
            network.add_gradients(&of_device, gradients)
        })
    }
}
