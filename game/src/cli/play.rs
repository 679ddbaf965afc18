//! `holdfast play`: loads the model, then opens the window.

use super::{export::ProvenanceArgs, model_folder::DreamArgs, seed};
#[cfg(feature = "view")]
use holdfast_game::app::{PlayOptions, WorldFactory};
#[cfg(feature = "view")]
use holdfast_model::{DreamOptions, folder::ModelFolder};
use std::{
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

const AFTER_HELP: &str = "Examples:
  holdfast play
  holdfast play --seed 7 --side-by-side
  holdfast play --seed 7 --record walk.holdfast
  holdfast play --recordings clips --screenshots shots
  holdfast play --load ~/.local/share/holdfast/worlds/world-1790000000.world

The keys are on the start screen and in the README; the pause menu (Escape) leads to the settings.
Without a display, `holdfast rollout` writes the same world to pictures.";

/// Walk about in a generated world, in a window
#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub struct PlayArgs {
    /// Seed of the first world [default: another one each time]
    #[arg(long, value_name = "N", value_parser = seed)]
    pub seed: Option<u64>,
    /// Show the simulator beside the dream, under the same actions (F3 in the game)
    #[arg(long)]
    pub side_by_side: bool,
    /// Go on from this saved world
    #[arg(long, value_name = "FILE", conflicts_with_all = ["seed", "steps"])]
    pub load: Option<PathBuf>,
    /// Record what is done to this new file, for `holdfast replay`; F2 in the game records video, too
    #[arg(long, value_name = "FILE")]
    pub record: Option<PathBuf>,
    /// Folder of saved worlds (F5 saves, F9 loads) [default: in the user's data folder]
    #[arg(long, value_name = "DIR")]
    pub worlds: Option<PathBuf>,
    /// File of settings and key bindings [default: in the user's config folder]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for recordings (F2 in the game) [default: the user's videos folder]
    #[arg(long, value_name = "DIR")]
    pub recordings: Option<PathBuf>,
    /// Folder for screenshots (F12 in the game) [default: the user's pictures folder]
    #[arg(long, value_name = "DIR")]
    pub screenshots: Option<PathBuf>,
    #[command(flatten)]
    pub dream: DreamArgs,
    #[command(flatten)]
    pub provenance: ProvenanceArgs,
}

#[cfg(feature = "view")]
pub fn run(args: &PlayArgs) -> anyhow::Result<()> {
    use super::fault::mistake;
    use holdfast_model::keep::Save;

    let seed = args.seed.unwrap_or_else(seed_of_the_moment);
    // Read before the window opens, so that a broken model is told in one line where the command was typed.
    let (model, options) = args.dream.read(seed, true)?;
    let model_name = args.dream.name()?;
    if let Some(path) = &args.load {
        let save = Save::open(path).map_err(|fault| mistake(format!("{}: {fault}", path.display())))?;
        if save.about.model_hash != model.hash {
            let (path, model) = (path.display(), save.about.model());
            return Err(mistake(format!(
                "{path} was saved with the model {model}, which is not this one; give its folder with --model"
            )));
        }
    }
    let factory = worlds(model, options, model_name);
    let options = PlayOptions {
        seed,
        side_by_side: args.side_by_side,
        load: args.load.clone(),
        worlds_dir: args.worlds.clone(),
        record: args.record.clone(),
        config_path: args.config.clone(),
        recordings_dir: args.recordings.clone(),
        screenshot_dir: args.screenshots.clone(),
        seal: args.provenance.seal()?,
        replay: None,
        bench: None,
    };
    open(options, factory)
}

/// Makes a dream of a model, and the simulator to stand beside it.
#[cfg(feature = "view")]
pub fn worlds(model: ModelFolder, options: DreamOptions, model_name: String) -> WorldFactory {
    use super::model_folder::dream;
    use holdfast_game::app::Worlds;
    use holdfast_model::keep::About;
    use holdfast_sim::{Camera, World, voxel::world::VoxelWorld};

    let camera = Camera::new(model.config.width, model.config.height);
    Box::new(move || {
        let dream = dream(model, options)?;
        let device = dream.status().device;
        let truth: Box<dyn World> = Box::new(VoxelWorld::new(camera));
        let about = Some(About::of(&dream, &model_name));
        Ok(Worlds { dream: Box::new(dream), truth: Some(truth), device, about })
    })
}

/// Opens the window; a mistake in the settings file is the user's.
#[cfg(feature = "view")]
pub fn open(options: PlayOptions, factory: WorldFactory) -> anyhow::Result<()> {
    use holdfast_game::{app::play, input::ConfigError};

    play(options, factory).map_err(|error| if error.is::<ConfigError>() { super::fault::mistake(error) } else { error })
}

#[cfg(not(feature = "view"))]
pub fn run(_args: &PlayArgs) -> anyhow::Result<()> {
    let hint = "`holdfast rollout --seed 7 --policy wander --ticks 200 --out out` writes a world to pictures";
    Err(super::fault::mistake(format!("this build has no window (cargo feature `view`); {hint}")))
}

/// A seed short enough to tell a friend.
#[cfg_attr(not(feature = "view"), allow(dead_code, reason = "only a window needs a world of its own choosing"))]
fn seed_of_the_moment() -> u64 {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since_1970.as_millis() as u64 % 1_000_000
}
