//! The game without its window: the same plugin plays headless in tests and behind the real window.

use super::{
    generator::{Generator, KeepOptions},
    look::Look,
    menu::{Menu, Screen, Signal},
    playback,
    session::{self, Link, Notice, Phase, Pictures, Session},
    stats::Stats,
    steer::{self, ConfigPath, ScreenshotWanted},
    waker::Waker,
    worlds::WorldFactory,
};
use crate::{
    export::Seal,
    input::{Config, Devices, devices},
};
use bevy::{
    app::{App, Plugin, PreUpdate},
    ecs::schedule::{IntoScheduleConfigs, SystemSet},
    input::InputSystems,
    prelude::{OnEnter, OnExit, StateTransition},
    state::app::AppExtStates,
};
use holdfast_model::keep::recording::Recording;
use std::{
    fmt,
    path::PathBuf,
    sync::{Mutex, PoisonError},
    time::Instant,
};

/// The order of one update. All but `Show` run before state transitions, so that a screen opens in the very update
/// in which it was asked for: a window that sleeps between events may not get another one soon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, SystemSet)]
pub enum AppSet {
    /// Takes in what the generator has said.
    Hear,
    /// Gathers what the devices did.
    Gather,
    /// Menus and the app's own keys.
    Steer,
    /// Tells the generator.
    Tell,
    /// Draws, in `Update`.
    Show,
}

/// Starts the generator and everything that needs no window. Needs `InputPlugin` and `StatesPlugin`.
pub struct CorePlugin {
    factory: Mutex<Option<WorldFactory>>,
    seed: u64,
    side_by_side: bool,
    config: Config,
    config_path: Option<PathBuf>,
    waker: Waker,
    keep: KeepOptions,
    load: Option<PathBuf>,
    starts: bool,
}

impl CorePlugin {
    pub fn new(seed: u64, factory: WorldFactory) -> Self {
        CorePlugin {
            factory: Mutex::new(Some(factory)),
            seed,
            side_by_side: false,
            config: Config::default(),
            config_path: None,
            waker: Waker::default(),
            keep: KeepOptions::default(),
            load: None,
            starts: false,
        }
    }

    pub fn with_side_by_side(self, side_by_side: bool) -> Self {
        CorePlugin { side_by_side, ..self }
    }

    /// The settings, and where to keep them.
    pub fn with_config(self, config: Config, config_path: Option<PathBuf>) -> Self {
        CorePlugin { config, config_path, ..self }
    }

    /// Where saved worlds are; without it nothing is saved.
    pub fn with_worlds(mut self, folder: Option<PathBuf>) -> Self {
        self.keep.worlds = folder;
        self
    }

    /// A file to record the game to.
    pub fn with_record(mut self, file: Option<PathBuf>) -> Self {
        self.keep.record = file;
        self
    }

    /// A folder for what the player records.
    pub fn with_recordings(mut self, folder: Option<PathBuf>) -> Self {
        self.keep.recordings = folder;
        self
    }

    /// Whether, and by whom, what is exported is marked and signed.
    pub fn with_seal(mut self, seal: Seal) -> Self {
        self.keep.seal = seal;
        self
    }

    /// A recording to show, rather than a world to play.
    pub fn with_replay(mut self, replay: Option<Recording>) -> Self {
        self.keep.replay = replay;
        self
    }

    /// Whether the world starts without anybody asking for it.
    pub fn with_start(self, starts: bool) -> Self {
        CorePlugin { starts, ..self }
    }

    /// A saved world to begin with.
    pub fn with_load(self, load: Option<PathBuf>) -> Self {
        CorePlugin { load, ..self }
    }

    /// How to wake the app when there is something to see.
    pub fn with_waker(self, waker: Waker) -> Self {
        CorePlugin { waker, ..self }
    }
}

impl fmt::Debug for CorePlugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CorePlugin").field("seed", &self.seed).finish_non_exhaustive()
    }
}

impl Plugin for CorePlugin {
    fn build(&self, app: &mut App) {
        let factory = self.factory.lock().unwrap_or_else(PoisonError::into_inner).take();
        let factory = factory.expect("a plugin is built once");
        let generator = Generator::start(factory, self.keep.clone(), self.waker.clone())
            .expect("a machine that cannot start one thread cannot run Bevy either");
        app.insert_resource(Link::new(generator))
            .insert_resource(Session {
                phase: Phase::Loading { since: Instant::now() },
                seed: self.seed,
                side_by_side: self.side_by_side,
                load: self.load.clone(),
                // What is only watched waits for nobody.
                start_wanted: self.starts || self.keep.replay.is_some(),
                is_replay: self.keep.replay.is_some(),
                worlds_folder: self.keep.worlds.clone(),
                ..Session::default()
            })
            .insert_resource(self.waker.clone())
            .insert_resource(self.config.clone())
            .insert_resource(ConfigPath(self.config_path.clone()))
            .init_resource::<Devices>()
            .init_resource::<Look>()
            .init_resource::<Menu>()
            .init_resource::<Notice>()
            .init_resource::<Pictures>()
            .init_resource::<Stats>()
            .add_message::<Signal>()
            .add_message::<ScreenshotWanted>()
            .init_state::<Screen>()
            .configure_sets(
                PreUpdate,
                (AppSet::Hear, AppSet::Gather, AppSet::Steer, AppSet::Tell).chain().after(InputSystems),
            )
            .add_systems(
                PreUpdate,
                (
                    session::hear.in_set(AppSet::Hear),
                    devices::gather.in_set(AppSet::Gather),
                    (steer::read_signals, steer::answer_signals, steer::kept_keys, playback::keys)
                        .chain()
                        .in_set(AppSet::Steer),
                    session::act.in_set(AppSet::Tell),
                ),
            )
            .add_systems(
                StateTransition,
                session::open_menu.after(bevy::state::state::StateTransitionSystems::EnterSchedules),
            )
            .add_systems(OnEnter(Screen::Play), session::enter_play)
            .add_systems(OnExit(Screen::Play), session::leave_play);
    }
}
