//! What evaluates the denoiser for a dream: the processor's own path ([`Cpu`]), or a device behind [`Engine`].

mod burn;
mod choose;
mod cpu;

pub use burn::{BurnEngine, said_in};
pub(crate) use burn::{Loaded, guard};
pub use choose::{check, devices_to_train_on, open};
pub use cpu::Cpu;

use std::fmt;

/// A device that evaluates the denoiser of one model, one frame at a time.
///
/// It may fail at any call, and then it is asked no more: a dream goes on with the processor ([`crate::Dream`]).
pub trait Engine: fmt::Debug + Send {
    /// Its name, for people: `vulkan (NVIDIA GeForce RTX 4070)`.
    fn name(&self) -> &str;

    /// What the factors of its large matrix products are rounded to.
    fn precision(&self) -> &'static str;

    /// One evaluation; what came of it is in [`Engine::output`].
    ///
    /// # Shapes
    /// - `pixels`: `[height, width, input::CHANNELS]`
    /// - `condition`: `[Condition::FEATURES]`
    fn evaluate(&mut self, pixels: &[f32], condition: &[f32]) -> Result<(), DeviceFault>;

    /// The raw output of the last evaluation, `[height, width, output::CHANNELS]`.
    fn output(&self) -> &[f32];

    /// What large matrix products reach on it now, in 1e9 operations a second; `None` if it cannot be measured.
    fn matrix_peak_gflops(&self) -> Option<f64> {
        None
    }
}

/// A device stopped working.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the device {device} failed: {reason}")]
pub struct DeviceFault {
    pub device: String,
    /// The first line of what it said.
    pub reason: String,
}

impl DeviceFault {
    pub fn new(device: &str, said: impl fmt::Display) -> DeviceFault {
        let said = said.to_string();
        let reason = said.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("it does not say why");
        DeviceFault { device: device.into(), reason: reason.into() }
    }
}
