//! Where the model computes: parsed from the command line, checked against what this binary was built with.

use crate::ModelError;
use burn::tensor::Device;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    str::FromStr,
};

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

/// The device asked for. A plain build computes on the processor; the cargo features `gpu` (Vulkan, Metal) and `cuda` add
/// the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceChoice {
    /// The fastest device that works. When it fails, the processor goes on.
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

    /// The cargo feature that brings it.
    fn feature(self) -> &'static str {
        if self == DeviceChoice::Cuda { "cuda" } else { "gpu" }
    }

    fn is_built_in(self) -> bool {
        match self {
            DeviceChoice::Auto | DeviceChoice::Cpu => true,
            DeviceChoice::Vulkan | DeviceChoice::Metal => cfg!(feature = "gpu"),
            DeviceChoice::Cuda => cfg!(feature = "cuda"),
        }
    }
}

/// A device of Burn's that is there.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its name, for people: `vulkan (NVIDIA GeForce RTX 4070)`.
    pub name: String,
    pub device: Device,
    /// The processor in the guise of a graphics card.
    pub is_software: bool,
}

/// The first device of a kind on this machine: a card of its own before one that shares the processor's memory.
pub fn find(choice: DeviceChoice) -> Result<Found, ModelError> {
    let first = there(choice)?.into_iter().next();
    first.map(|found| named(choice, found)).ok_or_else(|| ModelError::NoDevice { device: choice.to_string() })
}

/// All devices of a kind on this machine, at least one; software only where there is no card.
pub fn find_all(choice: DeviceChoice) -> Result<Vec<Found>, ModelError> {
    let found: Vec<Found> = there(choice)?.into_iter().map(|found| named(choice, found)).collect();
    if found.is_empty() { Err(ModelError::NoDevice { device: choice.to_string() }) } else { Ok(found) }
}

/// The devices of a kind, and whether each is none but the processor.
fn there(choice: DeviceChoice) -> Result<Vec<(Device, bool)>, ModelError> {
    let elsewhere = if cfg!(target_os = "macos") { DeviceChoice::Vulkan } else { DeviceChoice::Metal };
    if choice == elsewhere {
        return Err(ModelError::NoDevice { device: choice.to_string() });
    }
    if !choice.is_built_in() {
        return Err(ModelError::NotBuilt { device: choice.to_string(), feature: choice.feature() });
    }
    // Bindings to drivers panic where a driver is missing.
    Ok(catch_unwind(|| kind::all(choice)).unwrap_or_default())
}

/// A device with its name, for which it is opened.
fn named(choice: DeviceChoice, (device, is_software): (Device, bool)) -> Found {
    let name = catch_unwind(AssertUnwindSafe(|| kind::name(&device))).ok().flatten();
    Found { name: name.map_or(choice.to_string(), |name| format!("{choice} ({name})")), device, is_software }
}

#[cfg(any(feature = "gpu", feature = "cuda"))]
mod kind {
    use super::DeviceChoice;
    use burn::tensor::{Device, DeviceType};

    /// The devices of a kind, and whether each is none but the processor.
    pub fn all(choice: DeviceChoice) -> Vec<(Device, bool)> {
        match choice {
            #[cfg(feature = "gpu")]
            DeviceChoice::Vulkan | DeviceChoice::Metal => graphics(),
            #[cfg(feature = "cuda")]
            DeviceChoice::Cuda if cuda_driver_is_installed() => {
                let all = Device::enumerate(DeviceType::Cuda).into_vec();
                all.into_iter().map(|device| (device, false)).collect()
            }
            _ => Vec::new(),
        }
    }

    #[cfg(feature = "gpu")]
    fn graphics() -> Vec<(Device, bool)> {
        use burn::tensor::DeviceKind::{Cpu, DiscreteGpu, IntegratedGpu, VirtualGpu};

        /// Most cards of one kind that are looked for.
        const MOST_CARDS: usize = 16;
        let there = Device::enumerate(DeviceType::Wgpu).into_vec();
        let cards = [DiscreteGpu, IntegratedGpu, VirtualGpu];
        let cards =
            cards.into_iter().flat_map(|card| (0..MOST_CARDS).map(card)).map(|kind| (Device::wgpu(kind), false));
        let mut found: Vec<(Device, bool)> = cards.filter(|(card, _)| there.contains(card)).collect();
        if found.is_empty() && there.contains(&Device::wgpu(Cpu)) {
            found.push((Device::wgpu(Cpu), true));
        }
        found
    }

    /// The bindings to CUDA panic where its driver is missing, so it is looked for before they are touched.
    #[cfg(feature = "cuda")]
    fn cuda_driver_is_installed() -> bool {
        use std::{env, path::PathBuf};

        let (variable, name) = if cfg!(windows) { ("PATH", "nvcuda.dll") } else { ("LD_LIBRARY_PATH", "libcuda.so.1") };
        let usual = [
            "/usr/lib/x86_64-linux-gnu",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/lib64",
            "/usr/lib",
            "/usr/local/cuda/compat",
            "/usr/lib/wsl/lib",
            "/run/opengl-driver/lib",
        ];
        let named = env::var_os(variable).map(|paths| env::split_paths(&paths).collect::<Vec<_>>());
        let folders = named.into_iter().flatten().chain(usual.map(PathBuf::from));
        folders.into_iter().any(|folder| folder.join(name).exists())
    }

    pub fn name(device: &Device) -> Option<String> {
        device.identity().map(|identity| identity.name)
    }
}

#[cfg(not(any(feature = "gpu", feature = "cuda")))]
mod kind {
    use super::{Device, DeviceChoice};

    pub fn all(_: DeviceChoice) -> Vec<(Device, bool)> {
        Vec::new()
    }

    pub fn name(_: &Device) -> Option<String> {
        None
    }
}

/// Threads that a dream computes a frame on when none are asked for: all cores but one, which is left to the window and
/// the system. On two cores a second thread gains nothing (`docs/performance.md`); more than eight wait for each other
/// longer than they help.
pub fn threads_of_a_dream() -> usize {
    (cores() - 1).clamp(1, 8)
}

/// Cores that this process may use; one where the system does not say.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |cores| cores.get())
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
