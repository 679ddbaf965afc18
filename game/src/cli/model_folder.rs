//! Where the model is: the folder asked for, or the one shipped with the repository.

use super::fault::mistake;
use holdfast_model::{
    DeviceChoice, Dream, DreamOptions, device::threads_of_a_dream, engine, folder::ModelFolder, kernel::Precision,
    train::first_frame,
};
use std::path::{Path, PathBuf};

/// The shipped model, relative to the repository or to the folder of an installed binary.
const DEFAULT: &str = "assets/models/pebble";

/// What every command that dreams lets one choose.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct DreamArgs {
    /// Model folder, with config.json and model.safetensors [default: the shipped assets/models/pebble]
    #[arg(long, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// Where the model computes: cpu, vulkan, metal, cuda, or auto for the fastest that works
    #[arg(long, value_name = "NAME", default_value_t)]
    pub device: DeviceChoice,
    /// Denoising steps a frame, at most: one where all that is in view is known [default: the model's own]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub steps: Option<u16>,
    /// Threads that compute a frame; their number changes no bit of it [default: all cores but one, at most 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    pub threads: Option<u16>,
    /// What the processor rounds large products to: f32, bf16 or int8 [default: the fastest that it has]
    #[arg(long, value_name = "NAME")]
    pub precision: Option<Precision>,
}

impl DreamArgs {
    /// Loads the model and makes a dream of it; every failure here is a mistake that the user can put right.
    pub fn load(&self, noise_seed: u64, memory: bool) -> anyhow::Result<Dream> {
        let (model, options) = self.read(noise_seed, memory)?;
        dream(model, options)
    }

    /// Name of the model's folder, for people.
    pub fn name(&self) -> anyhow::Result<String> {
        let folder = find(self.model.as_deref())?;
        // A folder such as `.` has its name only in full.
        let folder = folder.canonicalize().unwrap_or(folder);
        Ok(folder.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default())
    }

    /// Reads and checks the model, for a dream that is made elsewhere.
    pub fn read(&self, noise_seed: u64, memory: bool) -> anyhow::Result<(ModelFolder, DreamOptions)> {
        if let Some(precision) = self.precision.filter(|precision| *precision > Precision::coarsest()) {
            let (wanted, best) = (precision.name(), Precision::coarsest().name());
            return Err(mistake(format!(
                "this processor has no instructions for {wanted}; choose {best} or leave it out"
            )));
        }
        // Before the weights are read: a wrong device should not cost a wait.
        engine::check(self.device).map_err(mistake)?;
        let model = ModelFolder::load(&find(self.model.as_deref())?).map_err(mistake)?;
        let threads = self.threads.map_or_else(threads_of_a_dream, usize::from);
        let sampler_steps = self.steps.map(usize::from);
        Ok((
            model,
            DreamOptions { memory, sampler_steps, noise_seed, threads, device: self.device, precision: self.precision },
        ))
    }
}

/// Where a dream computes that is scored: on the processor, where scores are the same each time, unless a device is named.
pub fn scored_on(device: DeviceChoice) -> DeviceChoice {
    if device == DeviceChoice::Auto { DeviceChoice::Cpu } else { device }
}

/// A dream that takes the first frame of a seed from the simulator, and nothing else.
pub fn dream(model: ModelFolder, options: DreamOptions) -> anyhow::Result<Dream> {
    Dream::new(model, options, Box::new(first_frame)).map_err(mistake)
}

/// The folder asked for as it is, or the default one from the first place that has it.
fn find(asked: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(folder) = asked {
        return Ok(folder.to_path_buf());
    }
    let candidates = candidates();
    candidates.iter().find(|folder| folder.join("config.json").is_file()).cloned().ok_or_else(|| {
        mistake(format!("no model at {DEFAULT}, neither here nor beside the program; give one with --model DIR"))
    })
}

/// Here, beside the program and above it, and in the checkout that the program was built from.
fn candidates() -> Vec<PathBuf> {
    let mut folders = vec![PathBuf::from(DEFAULT)];
    if let Ok(program) = std::env::current_exe() {
        folders.extend(program.ancestors().skip(1).map(|folder| folder.join(DEFAULT)));
    }
    folders.push(Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(DEFAULT));
    folders
}
