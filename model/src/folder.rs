//! The model folder, in the hub's convention: `config.json`, `model.safetensors`, and `hotbar.png` beside them.

use crate::{
    ModelConfig, ModelError,
    hotbar::Hotbar,
    train::write_atomically,
    weights::{self, Weights},
};
use std::{collections::BTreeMap, fs, path::Path};

/// A loaded model folder.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    pub config: ModelConfig,
    pub weights: Weights,
    /// The blocks that it was trained to place.
    pub hotbar: Hotbar,
    /// BLAKE3 of `model.safetensors`, hexadecimal.
    pub hash: String,
}

impl ModelFolder {
    /// Reads and checks a folder.
    pub fn load(folder: &Path) -> Result<ModelFolder, ModelError> {
        let read = |name: &str| {
            let path = folder.join(name);
            fs::read(&path).map_err(|error| ModelError::File {
                reason: match error.kind() {
                    std::io::ErrorKind::NotFound => {
                        "no such file; give a model folder with config.json and model.safetensors by --model".into()
                    }
                    _ => error.to_string(),
                },
                path,
            })
        };
        let text = read("config.json")?;
        let fail = |reason: String| ModelError::File { path: folder.join("config.json"), reason };
        let config: ModelConfig = serde_json::from_slice(&text).map_err(|error| fail(error.to_string()))?;
        config.check().map_err(fail)?;
        let bytes = read("model.safetensors")?;
        let weights = Weights::from_bytes(&bytes, &config, &folder.join("model.safetensors"))?;
        let hotbar = Hotbar::read(&folder.join("hotbar.png"))?;
        let named = weights::metadata(&bytes).remove(HOTBAR_KEY);
        if named.is_some_and(|named| named != hotbar.hash()) {
            let reason = "is not the one that model.safetensors was trained with; fetch both again".into();
            return Err(ModelError::File { path: folder.join("hotbar.png"), reason });
        }
        Ok(ModelFolder { config, weights, hotbar, hash: blake3::hash(&bytes).to_hex().to_string() })
    }
}

/// Under what name the weights' file says which hotbar belongs to it.
const HOTBAR_KEY: &str = "hotbar";

/// Writes a folder for shipping: weights in half precision.
pub fn write_folder(folder: &Path, config: &ModelConfig, weights: &Weights, hotbar: &Hotbar) -> Result<(), ModelError> {
    let fail = |reason: String| ModelError::File { path: folder.into(), reason };
    fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))?;
    let mut text = serde_json::to_string_pretty(config).map_err(|error| fail(error.to_string()))?;
    text.push('\n');
    let bytes = weights
        .to_bytes(true, &BTreeMap::from([("format".into(), "holdfast".into()), (HOTBAR_KEY.into(), hotbar.hash())]))?;
    let picture = hotbar.to_png().map_err(|error| fail(error.to_string()))?;
    write_atomically(&folder.join("hotbar.png"), &picture).map_err(|error| fail(error.to_string()))?;
    write_atomically(&folder.join("config.json"), text.as_bytes()).map_err(|error| fail(error.to_string()))?;
    write_atomically(&folder.join("model.safetensors"), &bytes).map_err(|error| fail(error.to_string()))
}
