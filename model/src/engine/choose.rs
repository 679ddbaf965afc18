//! Which device evaluates the denoiser: the one that was asked for, or the fastest that works.

use super::{BurnEngine, Cpu, Engine};
use crate::{
    Condition, DeviceChoice, ModelConfig, ModelError,
    device::{self, Found},
    kernel::Crew,
    layout::input,
    weights::Weights,
};
use std::{sync::OnceLock, time::Instant};

/// What can be a device other than the processor, the usually faster first.
const CARDS: [DeviceChoice; 3] = [DeviceChoice::Cuda, DeviceChoice::Metal, DeviceChoice::Vulkan];
/// Evaluations that two devices are compared by.
const TRIES: usize = 5;

/// What `auto` came to in this process: a second dream need not try again. `None` is the processor.
static FASTEST: OnceLock<Option<DeviceChoice>> = OnceLock::new();

/// Says, before any weights are read, why a device cannot be used.
pub fn check(choice: DeviceChoice) -> Result<(), ModelError> {
    match choice {
        DeviceChoice::Auto | DeviceChoice::Cpu => Ok(()),
        named => device::find(named).map(|_| ()),
    }
}

/// The devices that a network is trained on: all of the kind that is named; for `auto` all cards of the first kind that is
/// there. None for the processor's own kernel.
pub fn devices_to_train_on(choice: DeviceChoice) -> Result<Vec<Found>, ModelError> {
    match choice {
        DeviceChoice::Cpu => Ok(Vec::new()),
        DeviceChoice::Auto => {
            let kinds = CARDS.into_iter().filter_map(|kind| device::find_all(kind).ok());
            let mut cards = kinds.filter(|found| found.iter().all(|found| !found.is_software));
            Ok(cards.next().unwrap_or_default())
        }
        named => device::find_all(named),
    }
}

/// The device for a choice, ready to work; `None` for the processor.
pub fn open(
    choice: DeviceChoice,
    config: &ModelConfig,
    weights: &Weights,
    crew: &Crew,
) -> Result<Option<Box<dyn Engine>>, ModelError> {
    let chosen = match choice {
        DeviceChoice::Cpu => None,
        DeviceChoice::Auto => match FASTEST.get() {
            Some(known) => *known,
            None => {
                let (choice, engine) = fastest(config, weights, crew).unzip();
                let _ = FASTEST.set(choice);
                return Ok(engine);
            }
        },
        named => Some(named),
    };
    let Some(named) = chosen else { return Ok(None) };
    let found = device::find(named);
    let engine = found.and_then(|Found { name, device, .. }| Ok(BurnEngine::new(&name, device, config, weights)?));
    match engine {
        Ok(engine) => Ok(Some(Box::new(engine))),
        Err(fault) if choice == DeviceChoice::Auto => {
            tracing::warn!("{fault}");
            Ok(None)
        }
        Err(fault) => Err(fault),
    }
}

/// The device that takes the least time for a frame, if any takes less than the processor. One that does not work is
/// passed over.
fn fastest(config: &ModelConfig, weights: &Weights, crew: &Crew) -> Option<(DeviceChoice, Box<dyn Engine>)> {
    let found: Vec<(DeviceChoice, Found)> = CARDS
        .into_iter()
        .filter_map(|choice| device::find(choice).ok().map(|found| (choice, found)))
        .filter(|(_, found)| !found.is_software)
        .collect();
    if found.is_empty() {
        return None;
    }
    let pixels = vec![0.0; config.width * config.height * input::CHANNELS];
    let condition = [0.0; Condition::FEATURES];
    let mut own = Cpu::new(config, weights.clone());
    let mut best_s = best_of(|| {
        own.evaluate(&pixels, &condition, crew);
        Some(())
    })?;
    let mut best = None;
    for (choice, Found { name, device, .. }) in found {
        let engine = BurnEngine::new(&name, device, config, weights);
        let Ok(mut engine) = engine.inspect_err(|fault| tracing::warn!("{fault}; it is not used")) else { continue };
        let took_s = best_of(|| engine.evaluate(&pixels, &condition).ok());
        if let Some(took_s) = took_s.filter(|took_s| *took_s < best_s) {
            best_s = took_s;
            best = Some((choice, Box::new(engine) as Box<dyn Engine>));
        }
    }
    best
}

/// The shortest of some tries, seconds; `None` if one fails.
fn best_of(mut act: impl FnMut() -> Option<()>) -> Option<f64> {
    let mut best_s = f64::INFINITY;
    for _ in 0..TRIES {
        let start = Instant::now();
        act()?;
        best_s = best_s.min(start.elapsed().as_secs_f64());
    }
    Some(best_s)
}
