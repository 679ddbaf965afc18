//! The model folder, in the hub's convention: `config.json`, `model.safetensors`, and its pictures beside them.

use crate::{
    ModelConfig, ModelError,
    cracks::Cracks,
    creature::Creatures,
    hotbar::Hotbar,
    light::FaceLight,
    lore::Lore,
    materials::Materials,
    toughness::Toughness,
    train::write_atomically,
    weights::{self, Weights},
};
use std::{collections::BTreeMap, fs, path::Path};

/// A loaded model folder.
#[derive(Debug, Clone)]
pub struct ModelFolder {
    pub config: ModelConfig,
    pub weights: Weights,
    pub lore: Lore,
    /// BLAKE3 of `model.safetensors`, hexadecimal.
    pub hash: String,
}

impl ModelFolder {
    /// A model that has learnt nothing, for tests: weights as they are before training, grey pictures, and a hash that
    /// only its seed tells.
    pub fn untrained(config: ModelConfig, seed: u64) -> ModelFolder {
        let weights = Weights::init(&config, seed);
        ModelFolder { config, weights, lore: Lore::default(), hash: format!("{seed:064x}") }
    }

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
        let materials = Materials::read(&folder.join("materials.png"))?;
        let named = weights::metadata(&bytes);
        let check = |key: &str, hash: String| {
            let reason = "is not the one that model.safetensors was trained with; fetch both again".into();
            let fault = || ModelError::File { path: folder.join(format!("{key}.png")), reason };
            (named.get(key) == Some(&hash)).then_some(()).ok_or_else(fault)
        };
        check(HOTBAR_KEY, hotbar.hash())?;
        check(MATERIALS_KEY, materials.hash())?;
        let spoilt = |key: &str| {
            let reason = format!("its note {key} is spoilt; fetch or train it again");
            ModelError::File { path: folder.join("model.safetensors"), reason }
        };
        let note = |key: &'static str| named.get(key).map(String::as_str).ok_or_else(|| spoilt(key));
        let toughness = Toughness::from_text(note(TOUGHNESS_KEY)?).ok_or_else(|| spoilt(TOUGHNESS_KEY))?;
        let face_light = FaceLight::from_text(note(LIGHT_KEY)?).ok_or_else(|| spoilt(LIGHT_KEY))?;
        // Models that were trained before it was noted know none.
        let creatures = match named.get(BODIES_KEY) {
            Some(bodies) => {
                let bodies = Creatures::from_text(bodies).ok_or_else(|| spoilt(BODIES_KEY))?;
                let creatures = bodies.read(&folder.join("creatures.png"))?;
                check(CREATURES_KEY, creatures.hash())?;
                creatures
            }
            None => Creatures::default(),
        };
        let cracks = match named.contains_key(CRACKS_KEY) {
            true => {
                let cracks = Cracks::read(&folder.join("cracks.png"))?;
                check(CRACKS_KEY, cracks.hash())?;
                cracks
            }
            false => Cracks::default(),
        };
        // Nor were nights lifted then.
        let least = named.get(EXPOSURE_KEY).map_or(Some(0.0), |text| text.parse().ok());
        let least_brightness = least.filter(|least| (0.0..0.9).contains(least)).ok_or_else(|| spoilt(EXPOSURE_KEY))?;
        let lore = Lore { hotbar, materials, toughness, face_light, creatures, cracks, least_brightness };
        Ok(ModelFolder { config, weights, lore, hash: blake3::hash(&bytes).to_hex().to_string() })
    }
}

/// Under what names the weights' file says which pictures belong to it.
const HOTBAR_KEY: &str = "hotbar";
const MATERIALS_KEY: &str = "materials";
const CREATURES_KEY: &str = "creatures";
const CRACKS_KEY: &str = "cracks";
/// Under what names it notes how long each matter withstands the hand, how bright the faces of a block are, of what boxes
/// animals are built, and how much light the denoiser was told of nights.
const TOUGHNESS_KEY: &str = "break_ticks";
const LIGHT_KEY: &str = "face_light";
const BODIES_KEY: &str = "bodies";
const EXPOSURE_KEY: &str = "least_brightness";

/// Writes a folder for shipping: weights in half precision.
pub fn write_folder(folder: &Path, config: &ModelConfig, weights: &Weights, lore: &Lore) -> Result<(), ModelError> {
    let fail = |reason: String| ModelError::File { path: folder.into(), reason };
    fs::create_dir_all(folder).map_err(|error| fail(error.to_string()))?;
    let mut text = serde_json::to_string_pretty(config).map_err(|error| fail(error.to_string()))?;
    text.push('\n');
    let Lore { hotbar, materials, toughness, face_light, creatures, cracks, least_brightness } = lore;
    let named = [
        ("format", "holdfast".into()),
        (HOTBAR_KEY, hotbar.hash()),
        (MATERIALS_KEY, materials.hash()),
        (TOUGHNESS_KEY, toughness.to_text()),
        (LIGHT_KEY, face_light.to_text()),
        (EXPOSURE_KEY, least_brightness.to_string()),
    ];
    let mut named: BTreeMap<String, String> = named.map(|(key, value)| (key.into(), value)).into();
    let mut pictures = vec![(HOTBAR_KEY, hotbar.to_png()), (MATERIALS_KEY, materials.to_png())];
    if *creatures != Creatures::default() {
        named.insert(BODIES_KEY.into(), creatures.to_text());
        named.insert(CREATURES_KEY.into(), creatures.hash());
        pictures.push((CREATURES_KEY, creatures.to_png()));
    }
    if cracks.are_known() {
        named.insert(CRACKS_KEY.into(), cracks.hash());
        pictures.push((CRACKS_KEY, cracks.to_png()));
    }
    let bytes = weights.to_bytes(true, &named)?;
    for (key, png) in pictures {
        let png = png.map_err(|error| fail(error.to_string()))?;
        write_atomically(&folder.join(format!("{key}.png")), &png).map_err(|error| fail(error.to_string()))?;
    }
    write_atomically(&folder.join("config.json"), text.as_bytes()).map_err(|error| fail(error.to_string()))?;
    write_atomically(&folder.join("model.safetensors"), &bytes).map_err(|error| fail(error.to_string()))
}
