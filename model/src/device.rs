//! Where the model computes: parsed from the command line, checked against what this binary was built with.

use crate::ModelError;
use std::{fmt, str::FromStr};

/// The processor's instructions that frames are computed with: the same actions give the same frames, bit for bit, on
/// processors that answer alike.
pub fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512f") {
            return if is_x86_feature_detected!("avx512bf16") { "avx512bf16" } else { "avx512" };
        }
        if is_x86_feature_detected!("avx2") {
            return "avx2";
        }
    }
    if cfg!(target_arch = "aarch64") { "neon" } else { "portable" }
}

/// The device asked for. This build holds the CPU path; the GPU paths come with their cargo features.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The fastest device that works.
    #[default]
    Auto,
    Cpu,
    Vulkan,
    Metal,
    Cuda,
}

impl DeviceChoice {
    const NAMES: [(&str, DeviceChoice); 5] = [
        ("auto", DeviceChoice::Auto),
        ("cpu", DeviceChoice::Cpu),
        ("vulkan", DeviceChoice::Vulkan),
        ("metal", DeviceChoice::Metal),
        ("cuda", DeviceChoice::Cuda),
    ];

    /// The device that will be used, or why it cannot be.
    pub fn resolve(self) -> Result<DeviceChoice, ModelError> {
        match self {
            DeviceChoice::Auto | DeviceChoice::Cpu => Ok(DeviceChoice::Cpu),
            other => Err(ModelError::Device { device: other.to_string() }),
        }
    }
}

/// Threads that a dream computes a frame on when none are asked for: all cores but one, which is left to the window and
/// the system. On two cores a second thread gains nothing (`docs/performance.md`); more than eight wait for each other
/// longer than they help.
pub fn threads_of_a_dream() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get());
    (cores - 1).clamp(1, 8)
}

impl fmt::Display for DeviceChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = Self::NAMES.iter().find(|(_, choice)| choice == self).map_or("cpu", |(name, _)| name);
        f.write_str(name)
    }
}

impl FromStr for DeviceChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::NAMES.iter().find(|(name, _)| *name == text).map(|(_, choice)| *choice);
        found.ok_or_else(|| format!("unknown device `{text}`, expected auto, cpu, vulkan, metal or cuda"))
    }
}
