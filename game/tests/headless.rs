//! The game without a window: device messages go in, and the actions that reach the world are what counts.

mod worlds;

use bevy::{
    app::{App, AppExit, ScheduleRunnerPlugin},
    input::{
        ButtonState, InputPlugin,
        gamepad::{
            GamepadAxis, GamepadButton, GamepadConnection, GamepadConnectionEvent, RawGamepadAxisChangedEvent,
            RawGamepadButtonChangedEvent, RawGamepadEvent,
        },
        keyboard::{Key, KeyCode, KeyboardInput},
        mouse::{MouseButton, MouseButtonInput, MouseMotion},
    },
    math::Vec2,
    prelude::{Entity, Messages, MinimalPlugins, PluginGroup, State},
    state::app::StatesPlugin,
};
use holdfast_game::{
    app::{
        WorldFactory,
        core::CorePlugin,
        generator::SideBySide,
        menu::Screen,
        session::{Phase, Pictures, Session},
        stats::Stats,
    },
    input::Config,
};
use holdfast_sim::Action;
use std::time::{Duration, Instant};
use worlds::{Manner, Record, striped};

const PATIENCE: Duration = Duration::from_secs(20);

struct Rig {
    app: App,
    dream: Record,
    truth: Record,
}

fn rig(manner: Manner) -> Rig {
    let (factory, dream, truth) = striped(manner);
    Rig { app: app(factory), dream, truth }
}

fn app(factory: WorldFactory) -> App {
    let mut app = App::new();
    let plugins = MinimalPlugins.set(ScheduleRunnerPlugin::run_once());
    app.add_plugins((plugins, StatesPlugin, InputPlugin, CorePlugin::new(7, factory)));
    app
}

/// A game that is being played.
fn playing(manner: Manner) -> Rig {
    let mut rig = rig(manner);
    rig.tap(KeyCode::Enter);
    rig.until("play begins", |rig| rig.screen() == Screen::Play && rig.ticks() > 1);
    rig
}

impl Rig {
    #[track_caller]
    fn until(&mut self, what: &str, mut done: impl FnMut(&Rig) -> bool) {
        let start = Instant::now();
        while !done(self) {
            assert!(start.elapsed() < PATIENCE, "waited in vain until {what}");
            self.app.update();
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn screen(&self) -> Screen {
        *self.app.world().resource::<State<Screen>>().get()
    }

    fn session(&self) -> &Session {
        self.app.world().resource()
    }

    fn ticks(&self) -> usize {
        self.dream.actions().len()
    }

    fn key(&mut self, key_code: KeyCode, state: ButtonState) {
        let text = match key_code {
            KeyCode::Digit4 => Some("4".into()),
            KeyCode::Digit2 => Some("2".into()),
            _ => None,
        };
        let logical_key = Key::Unidentified(bevy::input::keyboard::NativeKey::Unidentified);
        let window = Entity::PLACEHOLDER;
        self.app.world_mut().write_message(KeyboardInput { key_code, logical_key, state, text, repeat: false, window });
    }

    /// Pressed and released before the app looks once.
    fn tap(&mut self, key: KeyCode) {
        self.key(key, ButtonState::Pressed);
        self.key(key, ButtonState::Released);
        self.app.update();
    }

    fn connect_pad(&mut self) -> Entity {
        let pad = self.app.world_mut().spawn_empty().id();
        let connection = GamepadConnection::Connected { name: "a pad".into(), vendor_id: None, product_id: None };
        self.app.world_mut().write_message(GamepadConnectionEvent::new(pad, connection));
        self.app.update();
        pad
    }

    fn pad_button(&mut self, pad: Entity, button: GamepadButton, value: f32) {
        let event = RawGamepadEvent::from(RawGamepadButtonChangedEvent::new(pad, button, value));
        self.app.world_mut().write_message(event);
    }

    fn pad_tap(&mut self, pad: Entity, button: GamepadButton) {
        self.pad_button(pad, button, 1.0);
        self.pad_button(pad, button, 0.0);
        self.app.update();
    }

    fn pad_axis(&mut self, pad: Entity, axis: GamepadAxis, value: f32) {
        let event = RawGamepadEvent::from(RawGamepadAxisChangedEvent::new(pad, axis, value));
        self.app.world_mut().write_message(event);
    }

    /// Plays on for some ticks and returns the actions of these.
    fn actions_of_next(&mut self, ticks: usize) -> Vec<Action> {
        let before = self.ticks();
        self.until("some ticks pass", |rig| rig.ticks() >= before + ticks);
        self.dream.actions()[before..].to_vec()
    }
}

#[test]
fn enter_starts_the_world_of_the_seed_and_held_keys_move() {
    let mut rig = playing(Manner::default());
    assert_eq!(rig.dream.seeds(), [7]);
    rig.key(KeyCode::KeyW, ButtonState::Pressed);
    rig.until("walking", |rig| rig.dream.actions().iter().filter(|action| action.forward).count() >= 3);
    rig.key(KeyCode::KeyW, ButtonState::Released);
    rig.until("standing", |rig| rig.dream.actions().last().is_some_and(|action| *action == Action::default()));
}

#[test]
fn a_tap_within_a_tick_counts_for_exactly_one_tick() {
    let mut rig = playing(Manner::default());
    for taps in 1..=3 {
        rig.tap(KeyCode::Space);
        rig.until("the jump", |rig| rig.dream.actions().iter().filter(|action| action.jump).count() >= taps);
        rig.actions_of_next(2);
        assert_eq!(rig.dream.actions().iter().filter(|action| action.jump).count(), taps);
    }
}

#[test]
fn no_press_is_lost_in_a_slow_world() {
    let mut rig = playing(Manner { step: Duration::from_millis(300), ..Manner::default() });
    rig.tap(KeyCode::Space);
    rig.tap(KeyCode::Digit4);
    for state in [ButtonState::Pressed, ButtonState::Released] {
        rig.app.world_mut().write_message(MouseButtonInput {
            button: MouseButton::Right,
            state,
            window: Entity::PLACEHOLDER,
        });
    }
    // Far more updates than the channel holds, while the world is busy with one step.
    for _ in 0..100 {
        rig.app.world_mut().write_message(MouseMotion { delta: Vec2::new(1.0, 0.5) });
        rig.app.update();
    }
    let seen = rig.actions_of_next(3);
    let has = |is: fn(&Action) -> bool| seen.iter().filter(|action| is(action)).count();
    assert_eq!((has(|a| a.jump), has(|a| a.use_), has(|a| a.hotbar == 4)), (1, 1, 1), "{seen:?}");
    let turned_deg: f32 = seen.iter().map(|action| action.camera[1]).sum();
    let wanted_deg = 100.0 * Config::default().settings.mouse_deg_per_count;
    assert!((turned_deg - wanted_deg).abs() < 1e-3, "{turned_deg} {wanted_deg}");
}

#[test]
fn a_slow_world_never_freezes_the_app_and_its_missed_ticks_are_counted() {
    let mut rig = playing(Manner { step: Duration::from_millis(600), ..Manner::default() });
    let (mut updates, before) = (0, rig.ticks());
    rig.until("three slow steps pass", |rig| {
        updates += 1;
        rig.ticks() >= before + 3
    });
    assert!(updates > 15, "{updates} updates of the app during three steps of the world");
    let stats = rig.app.world().resource::<Stats>();
    assert!(stats.step_ms >= 600.0, "{}", stats.step_ms);
    // At 600 ms a step eleven of twelve ticks are missed; a busy machine misses more.
    let share = stats.missed_ticks as f64 / (stats.missed_ticks + stats.tick) as f64;
    assert!((0.85..1.0).contains(&share), "missed {} of tick {}", stats.missed_ticks, stats.tick);
}

#[test]
fn a_punctual_world_runs_at_twenty_ticks_a_second() {
    let mut rig = playing(Manner::default());
    let due = |rig: &Rig| rig.ticks() + rig.app.world().resource::<Stats>().missed_ticks as usize;
    let (start, before) = (Instant::now(), due(&rig));
    rig.until("forty ticks are due", |rig| due(rig) >= before + 40);
    // Made or missed, no tick comes early; how late the last one is depends on the machine.
    assert!(start.elapsed() >= Duration::from_millis(1850), "forty ticks took {:?}", start.elapsed());
}

#[test]
fn a_gamepad_starts_walks_looks_fights_and_pauses() {
    let mut rig = rig(Manner::default());
    let pad = rig.connect_pad();
    rig.pad_tap(pad, GamepadButton::South);
    rig.until("play begins", |rig| rig.screen() == Screen::Play && rig.ticks() > 1);
    rig.pad_axis(pad, GamepadAxis::LeftStickY, 0.1);
    rig.pad_axis(pad, GamepadAxis::RightStickX, -0.12);
    assert!(rig.actions_of_next(4).iter().all(|action| *action == Action::default()), "inside the dead zone");
    rig.pad_axis(pad, GamepadAxis::LeftStickY, 0.9);
    rig.pad_axis(pad, GamepadAxis::RightStickX, 1.0);
    rig.pad_button(pad, GamepadButton::RightTrigger2, 1.0);
    rig.until("all of it", |rig| {
        rig.dream.actions().last().is_some_and(|action| action.forward && action.attack && action.camera[1] > 0.0)
    });
    let deg_per_tick = Config::default().settings.gamepad_look_deg_per_s / 20.0;
    let later = rig.actions_of_next(3);
    assert!(later.iter().all(|action| (action.camera[1] - deg_per_tick).abs() < 1e-3), "a held stick turns: {later:?}");
    rig.app.world_mut().write_message(GamepadConnectionEvent::new(pad, GamepadConnection::Disconnected));
    rig.until("the pad is gone", |rig| rig.dream.actions().last() == Some(&Action::default()));
    let pad = rig.connect_pad();
    rig.pad_tap(pad, GamepadButton::RightTrigger);
    rig.until("next slot", |rig| rig.dream.actions().iter().any(|action| action.hotbar == 2));
    rig.pad_tap(pad, GamepadButton::Start);
    rig.until("paused", |rig| rig.screen() == Screen::Paused);
    for _ in 0..4 {
        rig.pad_tap(pad, GamepadButton::DPadDown);
    }
    rig.pad_tap(pad, GamepadButton::South);
    let exits = rig.app.world().resource::<Messages<AppExit>>();
    assert_eq!(exits.len(), 1, "the last row is Quit");
}

#[test]
fn a_pause_stops_the_world_and_its_keys_do_not_act_in_it() {
    let mut rig = playing(Manner::default());
    rig.tap(KeyCode::Escape);
    rig.until("paused", |rig| rig.screen() == Screen::Paused);
    // The tick under way may still end; then there are no more, however long it takes to be sure of it.
    let mut paused_at = usize::MAX;
    rig.until("no tick comes in a pause", |rig| {
        let ticks_before = std::mem::replace(&mut paused_at, rig.ticks());
        std::thread::sleep(Duration::from_millis(300));
        ticks_before == rig.ticks()
    });
    rig.key(KeyCode::KeyW, ButtonState::Pressed);
    rig.tap(KeyCode::Space); // Accept: resume
    rig.until("playing again", |rig| rig.screen() == Screen::Play && rig.ticks() > paused_at + 3);
    let after = &rig.dream.actions()[paused_at..];
    assert!(after.iter().all(|action| *action == Action::default()), "{after:?}");
    assert_eq!(rig.app.world().resource::<Stats>().missed_ticks, 0, "a pause misses nothing");
}

#[test]
fn a_new_world_takes_the_typed_seed() {
    let mut rig = playing(Manner::default());
    for key in [KeyCode::Escape, KeyCode::ArrowDown, KeyCode::Enter, KeyCode::Digit4, KeyCode::Digit2, KeyCode::Enter] {
        rig.tap(key);
    }
    rig.until("the new world", |rig| rig.screen() == Screen::Play && rig.dream.seeds() == [7, 42]);
    rig.until("it is shown", |rig| rig.app.world().resource::<Stats>().seed == 42 && rig.ticks() > 0);
    assert_eq!(rig.session().phase, Phase::Ready);
}

#[test]
fn the_truth_catches_up_under_the_same_actions() {
    let mut rig = playing(Manner::default());
    rig.key(KeyCode::KeyD, ButtonState::Pressed);
    rig.actions_of_next(10);
    assert!(rig.truth.seeds().is_empty(), "nobody has looked");
    rig.tap(KeyCode::F3);
    rig.until("both are shown", |rig| matches!(rig.app.world().resource::<Pictures>().truth, SideBySide::Shown(_)));
    rig.tap(KeyCode::Escape);
    rig.until("paused", |rig| rig.screen() == Screen::Paused);
    std::thread::sleep(Duration::from_millis(150));
    assert_eq!(rig.truth.seeds(), [7]);
    assert!(rig.truth.actions().len() > 10);
    assert_eq!(rig.truth.actions(), rig.dream.actions());
}

#[test]
fn a_panic_in_the_world_is_told_and_a_new_world_can_be_had() {
    let mut rig = rig(Manner { panics_at: Some(3), ..Manner::default() });
    rig.tap(KeyCode::Enter);
    rig.until("it failed", |rig| rig.screen() == Screen::Failed);
    let Phase::Failed { message, can_reset: true } = &rig.session().phase else { panic!("{:?}", rig.session().phase) };
    assert!(message.contains("the stripes ran out"), "{message}");
    rig.tap(KeyCode::Enter);
    rig.until("the seed is asked", |rig| rig.screen() == Screen::NewWorld);
    rig.tap(KeyCode::Enter);
    rig.until("it plays again", |rig| rig.screen() == Screen::Play && rig.ticks() > 5);
}

#[test]
fn a_model_that_cannot_be_loaded_is_told_in_one_message() {
    let mut app = app(Box::new(|| anyhow::bail!("no such model: pebble")));
    let start = Instant::now();
    while *app.world().resource::<State<Screen>>().get() != Screen::Failed {
        assert!(start.elapsed() < PATIENCE);
        app.update();
    }
    let session = app.world().resource::<Session>();
    assert_eq!(session.phase, Phase::Failed { message: "no such model: pebble".into(), can_reset: false });
}

#[test]
fn closing_the_app_ends_the_thread_and_its_worlds() {
    for step_ms in [0, 200] {
        let rig = playing(Manner { step: Duration::from_millis(step_ms), ..Manner::default() });
        let Rig { app, dream, truth } = rig;
        assert!(!dream.is_gone());
        drop(app);
        assert!(dream.is_gone() && truth.is_gone(), "the worlds outlived the window");
    }
}
