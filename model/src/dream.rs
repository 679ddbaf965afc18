//! The dream: a world generated frame by frame from the player's actions.

use crate::{DeviceChoice, ModelError};
use holdfast_sim::{Action, Camera, Depth, Frame, Observation, Pose, Start, World, WorldError};
use std::path::Path;

/// How a dream runs; the model folder says what it is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DreamOptions {
    /// Off: the world state is neither read nor written (the floor of every probe of memory).
    pub memory: bool,
    /// Denoising steps a frame; `None` takes the model's own default.
    pub sampler_steps: Option<usize>,
    /// Seed of the sampler's noise: the same seed and actions give the same frames.
    pub noise_seed: u64,
}

impl Default for DreamOptions {
    fn default() -> Self {
        DreamOptions {
            memory: true,
            sampler_steps: None,
            noise_seed: 0,
        }
    }
}

/// Facts about a running dream, for heads-up displays and reports.
#[derive(Debug, Clone, PartialEq)]
pub struct DreamStatus {
    pub width: usize,
    pub height: usize,
    /// BLAKE3 of the weights file, hexadecimal.
    pub model_hash: String,
    pub device: String,
    pub threads: usize,
    pub parameters: usize,
    /// Floating-point operations of one frame, in 1e9, all sampler steps included.
    pub gflop_per_frame: f64,
    /// Cells that the world state holds now.
    pub memory_cells: usize,
}

#[derive(Debug)]
pub struct Dream {
    frame: Frame,
    tick: u64,
}

impl Dream {
    /// Loads a model folder (`config.json`, `model.safetensors`).
    pub fn load(_folder: &Path, device: DeviceChoice, _options: DreamOptions) -> Result<Dream, ModelError> {
        device.resolve()?;
        Ok(Dream {
            frame: Frame::new(128, 72),
            tick: 0,
        })
    }

    pub fn status(&self) -> DreamStatus {
        DreamStatus {
            width: 128,
            height: 72,
            model_hash: String::new(),
            device: "cpu".into(),
            threads: 1,
            parameters: 0,
            gflop_per_frame: 0.0,
            memory_cells: 0,
        }
    }

    fn observe(&self) -> Observation {
        let Camera { width, height, .. } = Camera::new(128, 72);
        Observation {
            tick: self.tick,
            frame: self.frame.clone(),
            depth: Depth::new(width, height),
            pose: Pose::default(),
            stages_ms: Vec::new(),
        }
    }
}

impl World for Dream {
    fn reset(&mut self, _start: &Start) -> Result<Observation, WorldError> {
        self.tick = 0;
        Ok(self.observe())
    }

    fn step(&mut self, _action: &Action) -> Result<Observation, WorldError> {
        self.tick += 1;
        Ok(self.observe())
    }
}
