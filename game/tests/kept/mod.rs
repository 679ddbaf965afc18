//! What tests of kept worlds share: a folder with a small untrained model, and a game with a real dream of it.

#![allow(dead_code, reason = "each test program uses its own part")]

use bevy::{
    app::{App, ScheduleRunnerPlugin},
    input::{
        ButtonState, InputPlugin,
        keyboard::{Key, KeyCode, KeyboardInput, NativeKey},
    },
    prelude::{Entity, MinimalPlugins, PluginGroup, State},
    state::app::StatesPlugin,
};
use holdfast_game::{
    app::{
        WorldFactory, Worlds,
        core::CorePlugin,
        menu::Screen,
        session::{Notice, Phase, Pictures, Session},
        stats::Stats,
    },
    export::{Notary, Seal},
};
use holdfast_model::{
    Dream, DreamOptions, ModelConfig, ModelError,
    folder::{ModelFolder, write_folder},
    keep::{
        About, frame_hash,
        recording::{Recording, Replay},
    },
    lore::Lore,
    train::first_frame,
    weights::Weights,
};
use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
    thread,
    time::{Duration, Instant},
};
use tempfile::TempDir;

pub const PATIENCE: Duration = Duration::from_secs(60);

pub struct Place(pub TempDir);

impl Place {
    /// A folder with a small untrained model in it: what must be equal is equal for any weights.
    pub fn new() -> Place {
        let place = Place(tempfile::tempdir().expect("a temporary folder"));
        let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
        let weights = Weights::init(&config, 1);
        write_folder(&place.path("model"), &config, &weights, &Lore::default()).expect("room for a small model");
        place
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// A command line in this folder, split at spaces.
    pub fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_holdfast"));
        command.args(line.split_whitespace()).args(["--model", "model"]).current_dir(self.0.path());
        command.env_remove("RUST_BACKTRACE").env_remove("RUST_LOG");
        // Tests sign as somebody else than whoever runs them.
        command.env("XDG_DATA_HOME", self.path("data")).env("XDG_CONFIG_HOME", self.path("config"));
        if line.starts_with("rollout") {
            // Frames are compared byte by byte, and no two signatures are the same.
            command.arg("--unsigned");
        }
        command
    }

    #[track_caller]
    pub fn run(&self, line: &str, code: i32) -> Output {
        let output = self.command(line).output().expect("the binary starts");
        assert_eq!(output.status.code(), Some(code), "{line}: {}", err(&output));
        output
    }

    pub fn dream(&self) -> Dream {
        let model = ModelFolder::load(&self.path("model")).expect("just written");
        Dream::new(model, DreamOptions::default(), Box::new(first_frame)).expect("a valid model")
    }
}

pub fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// A game with a real dream, without a window.
pub struct Rig {
    pub app: App,
}

impl Rig {
    pub fn new(place: &Place, change: impl FnOnce(CorePlugin) -> CorePlugin) -> Rig {
        let mut rig = Rig::unstarted(place, change);
        rig.tap(KeyCode::Enter);
        rig.until("play begins", |rig| rig.screen() == Screen::Play && rig.tick() > 0);
        rig
    }

    pub fn unstarted(place: &Place, change: impl FnOnce(CorePlugin) -> CorePlugin) -> Rig {
        Rig::with_dream(place, |model| Dream::new(model, DreamOptions::default(), Box::new(first_frame)), change)
    }

    /// A game whose dream is made otherwise.
    pub fn with_dream(
        place: &Place,
        make: impl FnOnce(ModelFolder) -> Result<Dream, ModelError> + Send + 'static,
        change: impl FnOnce(CorePlugin) -> CorePlugin,
    ) -> Rig {
        let folder = place.path("model");
        let factory: WorldFactory = Box::new(move || {
            let dream = make(ModelFolder::load(&folder)?)?;
            let about = Some(About::of(&dream, "small"));
            let device = dream.status().device;
            Ok(Worlds { dream: Box::new(dream), truth: None, device, about })
        });
        let mut app = App::new();
        let plugins = MinimalPlugins.set(ScheduleRunnerPlugin::run_once());
        // Tests sign as somebody else than whoever runs them, or not at all.
        let seal = Seal { notary: Notary::Nobody, marks: true };
        let core = CorePlugin::new(7, factory).with_worlds(Some(place.path("worlds"))).with_seal(seal);
        app.add_plugins((plugins, StatesPlugin, InputPlugin, change(core)));
        Rig { app }
    }

    /// A game that cannot begin; answers what it says.
    #[cfg(target_os = "linux")]
    pub fn refused(place: &Place, change: impl FnOnce(CorePlugin) -> CorePlugin) -> String {
        let mut rig = Rig::unstarted(place, change);
        rig.until("it says so", |rig| rig.screen() == Screen::Failed);
        match &rig.app.world().resource::<Session>().phase {
            Phase::Failed { message, .. } => message.clone(),
            phase => panic!("{phase:?}"),
        }
    }

    #[track_caller]
    pub fn until(&mut self, what: &str, mut done: impl FnMut(&Rig) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "waited in vain until {what}; {}", self.notice());
            self.app.update();
            thread::sleep(Duration::from_millis(2));
        }
    }

    pub fn screen(&self) -> Screen {
        *self.app.world().resource::<State<Screen>>().get()
    }

    pub fn tick(&self) -> u64 {
        self.app.world().resource::<Stats>().tick
    }

    pub fn hash(&self) -> [u8; 32] {
        frame_hash(&self.app.world().resource::<Pictures>().dream)
    }

    pub fn notice(&self) -> String {
        self.app.world().resource::<Notice>().text().to_string()
    }

    pub fn key(&mut self, key_code: KeyCode, state: ButtonState) {
        let logical_key = Key::Unidentified(NativeKey::Unidentified);
        let window = Entity::PLACEHOLDER;
        let event = KeyboardInput { key_code, logical_key, state, text: None, repeat: false, window };
        self.app.world_mut().write_message(event);
        self.app.update();
    }

    pub fn tap(&mut self, key: KeyCode) {
        self.key(key, ButtonState::Pressed);
        self.key(key, ButtonState::Released);
    }
}

/// Makes every frame of a recording again; fails at the first that is another. Answers their hashes.
#[track_caller]
pub fn replayed(place: &Place, path: &Path) -> Vec<[u8; 32]> {
    let recording = Recording::open(path).expect("readable");
    assert_eq!(recording.missing, None);
    let (mut replay, mut dream, mut hashes) = (Replay::new(&recording), place.dream(), Vec::new());
    while let Some(outcome) = replay.next(&recording, &mut dream).expect("it goes on") {
        assert!(outcome.equal, "tick {} of line {}", outcome.observation.tick, outcome.line);
        hashes.push(frame_hash(&outcome.observation.frame));
    }
    hashes
}
