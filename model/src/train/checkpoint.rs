//! Checkpoints: everything that a resumed run needs, in one file, replaced atomically.

use super::{TrainConfig, TrainError, optimizer::AdamW};
use crate::{
    ModelConfig,
    folder::ModelFolder,
    weights::{self, TensorSpec, Weights},
};
use std::{collections::BTreeMap, fs, io::Write, path::Path};

/// Where a run stands.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    pub weights: Weights,
    pub optimizer: AdamW,
    /// Episodes drawn so far.
    pub draws: u64,
    /// Samples seen so far.
    pub samples: u64,
    /// Seconds of training so far, over all resumptions.
    pub seconds: f64,
}

const PARTS: [&str; 4] = ["weights", "mean", "square", "average"];

impl Checkpoint {
    pub fn fresh(config: &ModelConfig, seed: u64) -> Checkpoint {
        let weights = Weights::init(config, seed);
        let optimizer = AdamW::new(&weights);
        Checkpoint { weights, optimizer, draws: 0, samples: 0, seconds: 0.0 }
    }

    /// A new run that begins with a trained model's weights; its optimiser knows nothing yet.
    pub fn from_model(model: ModelFolder, config: &TrainConfig) -> Result<Checkpoint, TrainError> {
        if (ModelConfig { sampler_steps: config.model.sampler_steps, ..model.config }) != config.model {
            return Err(TrainError::OtherModel);
        }
        let optimizer = AdamW::new(&model.weights);
        Ok(Checkpoint { weights: model.weights, optimizer, draws: 0, samples: 0, seconds: 0.0 })
    }

    /// Writes the file beside its place, flushes it to the disk and renames it: a kill at any moment leaves the old one.
    pub fn save(&self, path: &Path) -> Result<(), TrainError> {
        let meta = [
            ("steps", self.optimizer.steps.to_string()),
            ("draws", self.draws.to_string()),
            ("samples", self.samples.to_string()),
            ("seconds", self.seconds.to_string()),
        ];
        let meta: BTreeMap<String, String> = meta.into_iter().map(|(key, value)| (key.into(), value)).collect();
        let parts = [&self.weights, &self.optimizer.mean, &self.optimizer.square, &self.optimizer.average];
        save_parts(path, &parts, &meta)
    }

    /// Reads a checkpoint of this configuration.
    pub fn load(path: &Path, config: &ModelConfig) -> Result<Checkpoint, TrainError> {
        let ([weights, mean, square, average], meta) = load_parts(path, &Weights::spec(config), PARTS)?;
        let number = |key: &str| meta.get(key).and_then(|text| text.parse::<f64>().ok()).unwrap_or(0.0);
        Ok(Checkpoint {
            weights,
            optimizer: AdamW { mean, square, average, steps: number("steps") as u64 },
            draws: number("draws") as u64,
            samples: number("samples") as u64,
            seconds: number("seconds"),
        })
    }
}

/// Writes sets of tensors into one file, with its hash at the end.
pub fn save_parts(path: &Path, parts: &[&Weights], meta: &BTreeMap<String, String>) -> Result<(), TrainError> {
    let mut bytes = Vec::new();
    for part in parts {
        let part = part.to_bytes(false, meta).map_err(|error| TrainError::Model(error.to_string()))?;
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part);
    }
    bytes.extend(blake3::hash(&bytes).as_bytes());
    write_atomically(path, &bytes)
}

/// Reads what [`save_parts`] wrote: `N` sets of the same tensors, named for messages, and what is noted beside them.
pub fn load_parts<const N: usize>(
    path: &Path,
    specs: &[TensorSpec],
    names: [&str; N],
) -> Result<([Weights; N], BTreeMap<String, String>), TrainError> {
    let fail = |reason: &str| TrainError::Checkpoint { path: path.into(), reason: reason.into() };
    let bytes = fs::read(path).map_err(|error| fail(&error.to_string()))?;
    let split = bytes.len().checked_sub(blake3::OUT_LEN).ok_or_else(|| fail("is too short"))?;
    let (mut rest, hash) = bytes.split_at(split);
    if blake3::hash(rest).as_bytes() != hash {
        return Err(fail("is damaged (its hash does not match)"));
    }
    let mut parts = Vec::new();
    let mut meta = BTreeMap::new();
    for name in names {
        let (length, tail) = rest.split_at_checked(8).ok_or_else(|| fail("ends early"))?;
        let length = u64::from_le_bytes(length.try_into().expect("eight bytes")) as usize;
        let (part, tail) = tail.split_at_checked(length).ok_or_else(|| fail("ends early"))?;
        let read = Weights::read(part, specs.to_vec(), path);
        parts.push(read.map_err(|error| fail(&format!("{name}: {error}; was it made with another [model]?")))?);
        meta.extend(weights::metadata(part));
        rest = tail;
    }
    Ok((parts.try_into().expect("one part a name"), meta))
}

/// Writes `path` so that at no moment it is half written.
pub fn write_atomically(path: &Path, bytes: &[u8]) -> Result<(), TrainError> {
    let fail = |error: std::io::Error| TrainError::Write { path: path.into(), reason: error.to_string() };
    let partial = path.with_extension("partial");
    let mut file = fs::File::create(&partial).map_err(fail)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = fs::remove_file(&partial);
        return Err(fail(error));
    }
    fs::rename(&partial, path).map_err(fail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkpoint_loads_back_and_damage_is_found() {
        let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("checkpoint.bin");
        let mut checkpoint = Checkpoint::fresh(&config, 4);
        checkpoint.optimizer.steps = 77;
        checkpoint.seconds = 12.5;
        checkpoint.save(&path).expect("saved");
        let loaded = Checkpoint::load(&path, &config).expect("loads");
        assert_eq!(loaded.weights, checkpoint.weights);
        assert_eq!((loaded.optimizer.steps, loaded.seconds), (77, 12.5));
        let mut bytes = fs::read(&path).expect("read");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(&path, bytes).expect("written");
        assert!(Checkpoint::load(&path, &config).expect_err("damaged").to_string().contains("damaged"));
    }
}
