//! The app: a window in which a person plays a generated world.
//!
//! A generator thread owns the worlds and keeps the clock; the app tells it what the player does and shows what it
//! answers. Everything but [`play`] works without a window, and is tested without one.

pub mod bench;
mod charter;
pub mod core;
mod film;
mod game;
pub mod generator;
mod history;
pub mod hotbar;
mod intent;
pub mod look;
#[cfg(feature = "view")]
pub mod machine;
pub mod menu;
pub mod pacer;
pub mod playback;
mod projector;
pub mod saves;
mod scribe;
pub mod session;
pub mod stats;
pub mod steer;
mod truth;
#[cfg(feature = "view")]
pub mod view;
mod waker;
mod worlds;

pub use intent::Intent;
pub use waker::Waker;
pub use worlds::{DeviceLost, DrawChart, PlayableWorld, WorldFactory, Worlds};

use crate::export::Seal;
use holdfast_model::keep::recording::Recording;
use std::path::PathBuf;

/// What the command line decides about a game.
#[derive(Debug, Clone, Default)]
pub struct PlayOptions {
    /// The first world's seed.
    pub seed: u64,
    /// Start with the simulator beside the dream.
    pub side_by_side: bool,
    /// The settings and bindings file; `None` takes the one in the user's config folder.
    pub config_path: Option<PathBuf>,
    /// Go on from this saved world instead.
    pub load: Option<PathBuf>,
    /// Where saved worlds are; `None` takes the user's data folder.
    pub worlds_dir: Option<PathBuf>,
    /// File to record the game to.
    pub record: Option<PathBuf>,
    /// Where F2 puts recordings; `None` takes the user's videos folder.
    pub recordings_dir: Option<PathBuf>,
    /// Where F12 puts screenshots; `None` takes the user's pictures folder.
    pub screenshot_dir: Option<PathBuf>,
    /// Rather than a person, a made-up player plays, and measures. No settings are read, and nothing is saved.
    pub bench: Option<bench::WindowBench>,
    /// Show this recording, rather than a world to play.
    pub replay: Option<Recording>,
    /// Whether, and by whom, recordings and screenshots are marked and signed.
    pub seal: Seal,
}

#[cfg(feature = "view")]
fn videos_folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    Some(dirs.video_dir().unwrap_or_else(|| dirs.home_dir()).join("Holdfast"))
}

/// Opens the window and plays until it is closed.
///
/// # Errors
/// In one line, before anything opens: no display, no Vulkan driver, or a mistake in the config file.
#[cfg(feature = "view")]
pub fn play(options: PlayOptions, factory: WorldFactory) -> anyhow::Result<()> {
    use bevy::{log::LogPlugin, prelude::*, winit::EventLoopProxyWrapper, winit::WinitUserEvent};

    let is_bench = options.bench.is_some();
    let unless_bench = |folder: Option<PathBuf>| folder.filter(|_| !is_bench);
    let config_path = unless_bench(options.config_path.or_else(crate::input::Config::default_path));
    let config = config_path.as_deref().map(crate::input::Config::load).transpose()?.unwrap_or_default();
    let renderer = machine::can_show()?;
    let mut app = App::new();
    let window = WindowPlugin { primary_window: Some(view::window(renderer)), ..default() };
    // The command line sets up the log for every command.
    app.add_plugins(DefaultPlugins.build().disable::<LogPlugin>().set(window));
    let proxy = (**app.world().resource::<EventLoopProxyWrapper>()).clone();
    // Waking fails only when the window is gone, and then there is nothing to wake.
    let waker = Waker::new(move || {
        let _ = proxy.send_event(WinitUserEvent::WakeUp);
    });
    app.add_plugins((
        crate::input::gamepads::GamepadPlugin { waker: waker.clone() },
        core::CorePlugin::new(options.seed, factory)
            .with_side_by_side(options.side_by_side)
            .with_config(config, config_path)
            .with_worlds(unless_bench(options.worlds_dir.or_else(saves::default_folder)))
            .with_load(options.load)
            .with_record(options.record)
            .with_recordings(options.recordings_dir.or_else(videos_folder))
            .with_seal(options.seal)
            .with_replay(options.replay)
            .with_start(is_bench)
            .with_waker(waker.clone()),
        view::ViewPlugin { screenshot_dir: options.screenshot_dir },
    ));
    if let Some(bench) = options.bench {
        app.add_plugins(view::bench::BenchPlugin { bench, waker });
    }
    match app.run() {
        AppExit::Success => Ok(()),
        AppExit::Error(code) => anyhow::bail!("the window ended with code {code}"),
    }
}
