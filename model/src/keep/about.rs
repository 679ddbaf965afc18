//! What a kept file says of the model and the program that made it.

use super::bytes::MOST_SIDE_PX;
use crate::{Dream, DreamOptions, ModelConfig, device, kernel::Precision};
use holdfast_sim::TICKS_PER_SECOND;
use serde::{Deserialize, Serialize};

/// The header of a save or a recording, as JSON. Unknown keys are left alone, so that more can be said later.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct About {
    /// Name and version of the program.
    pub program: String,
    /// Name of the model's folder, to tell a person which one it was; no path.
    pub model_name: String,
    /// BLAKE3 of the weights, hexadecimal: what decides which model it was.
    pub model_hash: String,
    pub model_config: ModelConfig,
    pub device: String,
    /// The processor's instructions that the frames were computed with: others may differ in the last bit.
    pub instructions: String,
    pub threads: usize,
    pub ticks_per_second: u32,
    /// Whether the world state was read and written.
    pub memory: bool,
    pub sampler_steps: usize,
    /// What the factors of large products were rounded to; files of before 2026-11-23 do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub precision: Option<String>,
}

impl About {
    /// Most bytes of the JSON.
    pub const MOST_BYTES: u32 = 1 << 16;

    pub fn of(dream: &Dream, model_name: &str) -> About {
        let status = dream.status();
        About {
            program: concat!("holdfast ", env!("CARGO_PKG_VERSION")).into(),
            model_name: plain_name(model_name),
            model_hash: status.model_hash,
            model_config: dream.config().clone(),
            device: status.device,
            instructions: device::instructions().into(),
            threads: status.threads,
            ticks_per_second: TICKS_PER_SECOND,
            memory: dream.options().memory,
            sampler_steps: dream.sampler_steps(),
            precision: Some(status.precision.into()),
        }
    }

    /// Options of a dream that makes such frames again. Where the file does not say what they were computed in, it was the
    /// fastest but int8.
    pub fn options(&self, noise_seed: u64, options: DreamOptions) -> DreamOptions {
        let precision = self.precision.as_ref().map_or(Some(Precision::default()), |name| name.parse().ok());
        DreamOptions {
            memory: self.memory,
            sampler_steps: Some(self.sampler_steps),
            noise_seed,
            precision: precision.or(options.precision),
            ..options
        }
    }

    pub fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("fixed names and finite numbers always serialise")
    }

    pub fn from_json(json: &[u8]) -> Result<About, String> {
        let about: About = serde_json::from_slice(json).map_err(|error| format!("its header: {error}"))?;
        if about.model_name != plain_name(&about.model_name) {
            return Err(format!("its header names the model {:?}, which is no plain name", about.model_name));
        }
        if about.model_hash.len() != 64 || !about.model_hash.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err("its header names no model hash".into());
        }
        about.model_config.check_sizes().map_err(|reason| format!("its header: {reason}"))?;
        let fits = about.model_config.width <= MOST_SIDE_PX && about.model_config.height <= MOST_SIDE_PX;
        if !fits || about.ticks_per_second != TICKS_PER_SECOND || !(1..=64).contains(&about.sampler_steps) {
            return Err("its header says what no dream does".into());
        }
        Ok(about)
    }

    /// The model in a few words: `pebble (16c0ffee0123)`.
    pub fn model(&self) -> String {
        format!("{} ({})", self.model_name, self.model_hash.get(..12).unwrap_or(&self.model_hash))
    }
}

/// A name that is no path and no escape sequence: letters, digits and `-_.`, none of the dots in front.
fn plain_name(name: &str) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || "-_.".contains(*c);
    let name: String = name.trim_start_matches('.').chars().filter(plain).take(64).collect();
    if name.is_empty() || name.contains("..") { "model".into() } else { name }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// What tests say a recording or a save is of.
    pub fn about() -> About {
        About {
            program: "holdfast 0".into(),
            model_name: "pebble".into(),
            model_hash: "0".repeat(64),
            model_config: ModelConfig::default(),
            device: "cpu".into(),
            instructions: "portable".into(),
            threads: 1,
            ticks_per_second: 20,
            memory: true,
            sampler_steps: 1,
            precision: Some("bf16".into()),
        }
    }

    #[test]
    fn names_are_plain() {
        for (name, expected) in [
            ("pebble", "pebble"),
            ("../../etc/passwd", "model"),
            (".hidden", "hidden"),
            ("a/b", "ab"),
            ("a..b", "model"),
            ("", "model"),
            ("\x1b[2J", "2J"),
        ] {
            assert_eq!(plain_name(name), expected, "{name:?}");
        }
    }

    #[test]
    fn a_header_with_a_path_or_absurd_sizes_is_refused() {
        let good = about();
        assert_eq!(About::from_json(&good.to_json()), Ok(good.clone()));
        let refused = |spoil: fn(&mut About)| {
            let mut bad = good.clone();
            spoil(&mut bad);
            About::from_json(&bad.to_json()).expect_err("refused")
        };
        assert!(refused(|about| about.model_name = "../secret".into()).contains("plain name"));
        assert!(refused(|about| about.model_hash = "zz".into()).contains("hash"));
        assert!(refused(|about| about.model_config.width = 1 << 60).contains("width"));
        refused(|about| about.sampler_steps = 1 << 60);
        refused(|about| about.ticks_per_second = 0);
    }
}
