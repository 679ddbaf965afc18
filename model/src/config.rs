//! What a model is: `config.json` of the model folder, documented defaults, checked by name.

use serde::{Deserialize, Serialize};

/// The sizes of a denoiser and how it is sampled. Unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ModelConfig {
    /// Name of the architecture; always `holdfast-denoiser-5`.
    pub architecture: String,
    /// Frame width in pixels, a multiple of `patch_px`.
    pub width: usize,
    /// Frame height in pixels, a multiple of `patch_px`.
    pub height: usize,
    /// Side of a square patch (one token), in pixels.
    pub patch_px: usize,
    /// Width of a token.
    pub d_model: usize,
    pub layers: usize,
    pub heads: usize,
    /// Width of the feed-forward layer as a multiple of `d_model`.
    pub mlp_ratio: usize,
    /// Features a pixel that the tokens hand to the full-resolution head.
    pub head_features: usize,
    /// Hidden channels of the full-resolution head.
    pub head_hidden: usize,
    /// Denoising steps a frame when none are asked for.
    pub sampler_steps: usize,
}

impl Default for ModelConfig {
    fn default() -> Self {
        ModelConfig {
            architecture: Self::ARCHITECTURE.into(),
            width: 128,
            height: 72,
            patch_px: 8,
            d_model: 256,
            layers: 6,
            heads: 4,
            mlp_ratio: 4,
            head_features: 12,
            head_hidden: 16,
            sampler_steps: 2,
        }
    }
}

impl ModelConfig {
    pub const ARCHITECTURE: &'static str = "holdfast-denoiser-5";

    /// Says which key is out of range and what it may be.
    pub fn check(&self) -> Result<(), String> {
        if self.architecture != Self::ARCHITECTURE {
            return Err(format!("`architecture` is out of range; expected {:?}", Self::ARCHITECTURE));
        }
        self.check_sizes()
    }

    /// The same of a model of any architecture: what a recording or a save says of the one that made it.
    pub fn check_sizes(&self) -> Result<(), String> {
        let rules = [
            (self.patch_px >= 2 && self.patch_px <= 32, "patch_px", "2 to 32"),
            (self.width > 0 && self.width.is_multiple_of(self.patch_px.max(1)), "width", "a multiple of patch_px"),
            (self.height > 0 && self.height.is_multiple_of(self.patch_px.max(1)), "height", "a multiple of patch_px"),
            (self.width <= 2048, "width", "at most 2048"),
            (self.height <= 2048, "height", "at most 2048"),
            ((1..=64).contains(&self.layers), "layers", "1 to 64"),
            (self.heads > 0 && self.d_model.is_multiple_of(self.heads.max(1)), "heads", "a divisor of d_model"),
            (
                self.d_model >= 32 && (self.d_model / self.heads.max(1)).is_multiple_of(4),
                "d_model",
                "at least 32, with heads of a multiple of 4 channels",
            ),
            ((1..=8).contains(&self.mlp_ratio), "mlp_ratio", "1 to 8"),
            ((1..=64).contains(&self.head_features), "head_features", "1 to 64"),
            ((1..=64).contains(&self.head_hidden), "head_hidden", "1 to 64"),
            ((1..=64).contains(&self.sampler_steps), "sampler_steps", "1 to 64"),
        ];
        match rules.iter().find(|(holds, ..)| !holds) {
            Some((_, key, expected)) => Err(format!("`{key}` is out of range; expected {expected}")),
            None => Ok(()),
        }
    }

    pub fn d_head(&self) -> usize {
        self.d_model / self.heads
    }

    pub fn d_mlp(&self) -> usize {
        self.d_model * self.mlp_ratio
    }

    /// Tokens of a frame of `width` x `height` pixels.
    pub fn tokens(&self, width: usize, height: usize) -> usize {
        (width / self.patch_px) * (height / self.patch_px)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(change: impl FnOnce(&mut ModelConfig), key: &str) {
        let mut config = ModelConfig::default();
        change(&mut config);
        let reason = config.check().expect_err(key);
        assert!(reason.starts_with(&format!("`{key}`")), "{reason}");
    }

    #[test]
    fn bad_sizes_are_refused_by_name() {
        ModelConfig::default().check().expect("the default is valid");
        check_refused(|c| c.width = 130, "width");
        check_refused(|c| c.heads = 0, "heads");
        check_refused(|c| c.heads = 5, "heads");
        check_refused(|c| c.layers = 0, "layers");
        check_refused(|c| c.patch_px = 0, "patch_px");
        check_refused(|c| c.architecture = "unet".into(), "architecture");
    }
}
