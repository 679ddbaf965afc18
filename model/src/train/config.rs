//! The trainer's one config file (TOML): documented defaults, unknown keys refused by name.

use super::TrainError;
use crate::ModelConfig;
use serde::{Deserialize, Serialize};
use std::path::Path;

/// What is trained, on what, and how. Every key has a default; a key that is not known is an error.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrainConfig {
    /// The network, as in a model folder's `config.json`.
    pub model: ModelConfig,
    /// Frame sizes to train at, one after the other; the last one lasts until `steps`.
    pub stages: Vec<Stage>,
    /// Optimiser steps in all.
    pub steps: u64,
    /// Samples a step.
    pub batch: usize,
    /// Episodes that run side by side; each step draws `batch` of them, so neighbours in time are rarely in one step.
    pub episodes: usize,
    /// Ticks of an episode, shortest and longest.
    pub episode_ticks: [u32; 2],
    pub optimizer: Optimizer,
    pub learning_rate: f32,
    pub warmup_steps: u64,
    /// Share of `steps` at the end over which the learning rate falls to a tenth.
    pub cooldown_share: f64,
    pub weight_decay: f32,
    pub ema_decay: f32,
    pub clip: f32,
    /// Share of samples whose frame is pure noise: what a one-step sampler meets.
    pub pure_noise_share: f32,
    /// Share of samples that read depth off a clean frame with nothing known: what a dream does with its start.
    pub perceive_share: f32,
    /// Share of samples in which the world state is hidden.
    pub hidden_state_share: f32,
    /// Share of episodes that are chosen to be of digging and building; the others are drawn from all policies.
    pub handiwork_share: f32,
    /// Share of episodes that begin with something put before the player: a cake for who builds, placed blocks for who
    /// digs, animals for the others.
    pub furnished_share: f32,
    /// Share of uneventful ticks that give no sample, in general and in episodes of digging and building.
    pub skip_share: f32,
    pub skip_share_handiwork: f32,
    /// Share of episodes that end on the model's own frames and depths, reached after `own_frames_ramp` steps, and for
    /// how many ticks at most.
    pub own_frames_share: f32,
    pub own_frames_ramp: u64,
    pub own_frames_ticks: u32,
    /// Share of those episodes in which the player stands still.
    pub still_share: f32,
    /// Share of those frames that are drafts: made from the truth under much noise, and the model's own also where nothing
    /// was known.
    pub draft_share: f32,
    /// How long the discriminator's gradient is beside the loss's, where the world state knows the pixel and where it
    /// does not; zeros train without one.
    pub adversarial_weights: [f32; 2],
    /// Standard deviation of the noise on frames and depths that are written from the truth: colour of 255, and share.
    pub colour_noise: f32,
    pub depth_noise: f32,
    /// Seed of the weights and of all draws.
    pub seed: u64,
    /// Minutes between checkpoints.
    pub checkpoint_minutes: f64,
    /// Minutes between validations (with strips of truth against dream).
    pub validate_minutes: f64,
    /// Rollouts a validation.
    pub validate_rollouts: u64,
}

/// How weights follow their gradients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Optimizer {
    AdamW,
    /// The matrices of the blocks take steps of equal strength in all directions; the rest goes by AdamW.
    Muon,
}

/// A frame size, until a step.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stage {
    pub width: usize,
    pub height: usize,
    pub until_step: u64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        TrainConfig {
            model: ModelConfig { d_model: 192, heads: 3, ..ModelConfig::default() },
            stages: vec![
                Stage { width: 64, height: 40, until_step: 6_000 },
                Stage { width: 128, height: 72, until_step: u64::MAX >> 12 },
            ],
            steps: 100_000,
            batch: 16,
            episodes: 64,
            episode_ticks: [30, 100],
            optimizer: Optimizer::AdamW,
            learning_rate: 5e-4,
            warmup_steps: 300,
            cooldown_share: 0.2,
            weight_decay: 0.05,
            ema_decay: 0.999,
            clip: 0.5,
            pure_noise_share: 0.6,
            perceive_share: 0.04,
            hidden_state_share: 0.04,
            handiwork_share: 0.25,
            furnished_share: 0.4,
            skip_share: 0.4,
            skip_share_handiwork: 0.85,
            own_frames_share: 0.25,
            own_frames_ramp: 3_000,
            own_frames_ticks: 30,
            still_share: 0.0,
            draft_share: 0.0,
            adversarial_weights: [0.0, 0.0],
            colour_noise: 0.5,
            depth_noise: 0.015,
            seed: 1,
            checkpoint_minutes: 3.0,
            validate_minutes: 20.0,
            validate_rollouts: 6,
        }
    }
}

impl TrainConfig {
    /// Reads and checks a file.
    pub fn load(path: &Path) -> Result<TrainConfig, TrainError> {
        let fail = |reason: String| TrainError::Config { path: path.into(), reason };
        let text = std::fs::read_to_string(path).map_err(|error| fail(error.to_string()))?;
        let config: TrainConfig = toml::from_str(&text).map_err(|error| {
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count() + 1);
            fail(format!("line {line}: {}", error.message()))
        })?;
        config.check().map_err(fail)?;
        Ok(config)
    }

    /// Says which key is out of range and what it may be.
    pub fn check(&self) -> Result<(), String> {
        self.model.check().map_err(|reason| format!("model: {reason}"))?;
        let share = |value: f32| (0.0..=1.0).contains(&value);
        let [shortest, longest] = self.episode_ticks;
        let patch = self.model.patch_px;
        let whole = |stage: &Stage| {
            let side = |px: usize| (16..=2048).contains(&px) && px.is_multiple_of(patch);
            side(stage.width) && side(stage.height)
        };
        let rules = [
            (
                !self.stages.is_empty() && self.stages.iter().all(whole),
                "stages",
                "sizes that are multiples of patch_px",
            ),
            (self.stages.is_sorted_by_key(|stage| stage.until_step), "stages", "until_step in rising order"),
            (self.steps > 0, "steps", "at least 1"),
            ((1..=4096).contains(&self.batch), "batch", "1 to 4096"),
            (self.episodes >= self.batch && self.episodes <= 65_536, "episodes", "at least `batch`"),
            (
                shortest >= 2 && shortest <= longest,
                "episode_ticks",
                "[shortest, longest] with 2 <= shortest <= longest",
            ),
            (self.learning_rate > 0.0 && self.learning_rate < 1.0, "learning_rate", "above 0 and below 1"),
            ((0.0..=1.0).contains(&self.cooldown_share), "cooldown_share", "0 to 1"),
            (self.weight_decay >= 0.0, "weight_decay", "0 or more"),
            ((0.0..1.0).contains(&self.ema_decay), "ema_decay", "0 to below 1"),
            (self.clip > 0.0, "clip", "above 0"),
            (share(self.pure_noise_share), "pure_noise_share", "0 to 1"),
            (share(self.perceive_share + self.hidden_state_share), "perceive_share", "0 to 1, with hidden_state_share"),
            (share(self.hidden_state_share), "hidden_state_share", "0 to 1"),
            (share(self.handiwork_share), "handiwork_share", "0 to 1"),
            (share(self.furnished_share), "furnished_share", "0 to 1"),
            (share(self.skip_share), "skip_share", "0 to 1"),
            (share(self.skip_share_handiwork), "skip_share_handiwork", "0 to 1"),
            (share(self.own_frames_share), "own_frames_share", "0 to 1"),
            (share(self.still_share), "still_share", "0 to 1"),
            (share(self.draft_share), "draft_share", "0 to 1"),
            (self.own_frames_ticks >= 1, "own_frames_ticks", "at least 1"),
            (
                self.adversarial_weights.iter().all(|weight| (0.0..=10.0).contains(weight)),
                "adversarial_weights",
                "[known, unknown], each 0 to 10",
            ),
            ((0.0..=128.0).contains(&self.colour_noise), "colour_noise", "0 to 128"),
            (share(self.depth_noise), "depth_noise", "0 to 1"),
            (self.checkpoint_minutes > 0.0, "checkpoint_minutes", "above 0"),
            (self.validate_minutes > 0.0, "validate_minutes", "above 0"),
            ((1..=1000).contains(&self.validate_rollouts), "validate_rollouts", "1 to 1000"),
        ];
        match rules.iter().find(|(holds, ..)| !holds) {
            Some((_, key, expected)) => Err(format!("`{key}` is out of range; expected {expected}")),
            None => Ok(()),
        }
    }

    /// The frame size at a step.
    pub fn stage(&self, step: u64) -> Stage {
        let last = self.stages.len() - 1;
        *self.stages.iter().find(|stage| step < stage.until_step).unwrap_or(&self.stages[last])
    }

    pub fn learning_rate_at(&self, step: u64) -> f32 {
        let warm = ((step + 1) as f64 / self.warmup_steps.max(1) as f64).min(1.0);
        let left = self.steps.saturating_sub(step) as f64 / self.steps as f64;
        let cool = if left < self.cooldown_share { 0.1 + 0.9 * left / self.cooldown_share } else { 1.0 };
        self.learning_rate * (warm * cool) as f32
    }

    /// Share of episodes that live on the model's own frames at a step.
    pub fn own_frames_at(&self, step: u64) -> f32 {
        self.own_frames_share * (step as f32 / self.own_frames_ramp.max(1) as f32).min(1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_refused(text: &str, expected: &str) {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("train.toml");
        std::fs::write(&path, text).expect("written");
        let message = TrainConfig::load(&path).expect_err(text).to_string();
        assert!(message.contains(expected), "{message}");
    }

    #[test]
    fn bad_configs_are_refused_by_name() {
        TrainConfig::default().check().expect("the default is valid");
        check_refused("steps = 5\nlerning_rate = 1\n", "line 2: unknown field `lerning_rate`");
        check_refused("batch = 0", "`batch` is out of range");
        check_refused("[model]\nheads = 7", "model: `heads`");
        check_refused("batch = \"many\"", "line 1: invalid type");
        check_refused("ema_decay = 1.0", "`ema_decay`");
        check_refused("episode_ticks = [50, 20]", "`episode_ticks`");
    }

    #[test]
    fn schedules_rise_hold_and_fall() {
        let config = TrainConfig { steps: 1000, warmup_steps: 100, ..TrainConfig::default() };
        assert!(config.learning_rate_at(0) < config.learning_rate * 0.02);
        assert_eq!(config.learning_rate_at(500), config.learning_rate);
        assert!(config.learning_rate_at(1000) < config.learning_rate * 0.11);
        assert_eq!(config.stage(0).width, 64);
        assert_eq!(config.stage(6_000).width, 128);
    }
}
