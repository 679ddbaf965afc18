//! The app: a window in which a person plays a generated world.

mod worlds;

pub use worlds::{PlayableWorld, WorldFactory, Worlds};

use std::path::PathBuf;

/// What the command line decides about a game.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlayOptions {
    /// The first world's seed.
    pub seed: u64,
    /// Start with the simulator beside the dream.
    pub side_by_side: bool,
    /// The settings and bindings file; `None` takes the one in the user's config folder.
    pub config_path: Option<PathBuf>,
    /// Where F2 puts screenshots; `None` takes the user's pictures folder.
    pub screenshot_dir: Option<PathBuf>,
}

/// Opens the window and plays until it is closed.
///
/// # Errors
/// In one line, before anything opens: no display, no Vulkan driver, or a mistake in the config file.
#[cfg(feature = "view")]
pub fn play(_options: PlayOptions, _factory: WorldFactory) -> anyhow::Result<()> {
    anyhow::bail!("the window is not built yet; try `holdfast rollout --seed 7 --policy wander --ticks 200 --out out`")
}
