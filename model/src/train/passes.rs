//! A group of samples through the network and back: by our own kernel, or on a device of Burn's with its automatic
//! gradients. What a loss is made of, and the optimiser, are the same for both.

use crate::{
    ModelConfig,
    denoiser::read,
    engine::{DeviceFault, Loaded, guard},
    kernel::{Batch, Kernel, Packed, Tape},
    layout::output,
    weights::Weights,
};
use burn::tensor::{Tensor, TensorData};

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
    pub fn forward(&mut self, weights: Packed, device: Option<&Loaded>, batch: &Batch) -> Result<(), DeviceFault> {
        let Some(loaded) = device else {
            self.kernel.forward(weights, batch, &mut self.tape);
            self.pending = None;
            return Ok(());
        };
        let (pending, values) = guard(&loaded.name, || {
            let output = loaded.forward(batch);
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
        device: Option<&Loaded>,
        batch: &Batch,
        d_output: &[f32],
        gradients: &mut Weights,
    ) -> Result<(), DeviceFault> {
        let (Some(Loaded { name, device, network, .. }), Some(pending)) = (device, self.pending.take()) else {
            self.kernel.backward(weights, batch, &mut self.tape, d_output, gradients);
            return Ok(());
        };
        guard(name, || {
            let shape = [batch.samples, batch.height, batch.width, output::CHANNELS];
            let d_output = Tensor::<4>::from_data(TensorData::new(d_output.to_vec(), shape), device);
            // The gradient of this sum with respect to the output is `d_output`.
            let of_device = (pending * d_output).sum().backward();
            network.add_gradients(&of_device, gradients)
        })
    }
}
