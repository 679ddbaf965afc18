//! What keys, buttons and the mouse mean to the app itself: menu signals, and the few keys that it keeps.

use super::{
    generator::Command,
    menu::{Choice, Menu, Screen, Signal},
    session::{Link, Notice, Phase, Session},
};
use crate::input::{Config, Devices};
use bevy::{
    app::AppExit,
    ecs::{
        message::{Message, MessageReader, MessageWriter},
        resource::Resource,
        system::SystemParam,
    },
    input::{
        gamepad::{Gamepad, GamepadButton, GamepadButtonStateChangedEvent},
        keyboard::{KeyCode, KeyboardFocusLost, KeyboardInput},
        mouse::MouseButtonInput,
    },
    prelude::{Local, NextState, Query, Res, ResMut, State},
};
use std::{path::PathBuf, time::Instant};

/// Asks the window for a screenshot.
#[derive(Debug, Clone, Copy, Message)]
pub struct ScreenshotWanted;

/// Where settings are kept, if anywhere.
#[derive(Debug, Clone, Default, Resource)]
pub struct ConfigPath(pub Option<PathBuf>);

/// Tilt at which a stick counts as a menu key, and below which it is back at rest.
const STICK_PRESSED: f32 = 0.6;
const STICK_RESTING: f32 = 0.3;

/// Turns devices into menu signals.
pub(super) fn read_signals(
    mut signals: MessageWriter<Signal>,
    mut keys: MessageReader<KeyboardInput>,
    mut buttons: MessageReader<GamepadButtonStateChangedEvent>,
    mut clicks: MessageReader<MouseButtonInput>,
    pads: Query<&Gamepad>,
    mut stick_was: Local<Option<Signal>>,
    screen: Res<State<Screen>>,
) {
    for key in keys.read().filter(|key| key.state.is_pressed()) {
        let signal = match key.key_code {
            KeyCode::ArrowUp => Signal::Up,
            KeyCode::ArrowDown | KeyCode::Tab => Signal::Down,
            KeyCode::ArrowLeft => Signal::Left,
            KeyCode::ArrowRight => Signal::Right,
            KeyCode::Backspace => Signal::Erase,
            KeyCode::Enter | KeyCode::NumpadEnter | KeyCode::Space if !key.repeat => Signal::Accept,
            KeyCode::Escape if !key.repeat => Signal::Back,
            _ => match key.text.as_ref().and_then(|text| text.chars().next()).and_then(|c| c.to_digit(10)) {
                Some(digit) => Signal::Digit(digit as u8),
                None => continue,
            },
        };
        signals.write(signal);
    }
    for event in buttons.read().filter(|event| event.state.is_pressed()) {
        signals.write(match event.button {
            GamepadButton::DPadUp => Signal::Up,
            GamepadButton::DPadDown => Signal::Down,
            GamepadButton::DPadLeft => Signal::Left,
            GamepadButton::DPadRight => Signal::Right,
            GamepadButton::South => Signal::Accept,
            GamepadButton::East | GamepadButton::Start => Signal::Back,
            _ => continue,
        });
    }
    let stick = pads.iter().map(Gamepad::left_stick).max_by(|a, b| a.length().total_cmp(&b.length()));
    let stick = stick.unwrap_or_default();
    if stick.length() < STICK_RESTING {
        *stick_was = None;
    } else if stick.length() > STICK_PRESSED {
        let signal = match (stick.x.abs() > stick.y.abs(), stick.x > 0.0, stick.y > 0.0) {
            (true, true, _) => Signal::Right,
            (true, false, _) => Signal::Left,
            (false, _, true) => Signal::Up,
            (false, _, false) => Signal::Down,
        };
        if stick_was.replace(signal) != Some(signal) {
            signals.write(signal);
        }
    }
    let clicked = clicks.read().filter(|click| click.state.is_pressed()).count() > 0;
    if clicked && *screen.get() == Screen::Start {
        signals.write(Signal::Accept);
    }
}

/// What a choice can change.
#[derive(SystemParam)]
pub(super) struct Wheelhouse<'w> {
    link: ResMut<'w, Link>,
    session: ResMut<'w, Session>,
    config: ResMut<'w, Config>,
    config_path: Res<'w, ConfigPath>,
    devices: ResMut<'w, Devices>,
    notice: ResMut<'w, Notice>,
    next: ResMut<'w, NextState<Screen>>,
    exit: MessageWriter<'w, AppExit>,
}

/// Lets the open menu answer the signals.
pub(super) fn answer_signals(
    mut signals: MessageReader<Signal>,
    mut menu: ResMut<Menu>,
    mut wheelhouse: Wheelhouse,
    screen: Res<State<Screen>>,
) {
    let screen = *screen.get();
    if screen == Screen::Play {
        return signals.clear();
    }
    for &signal in signals.read() {
        let mut settings = wheelhouse.config.settings;
        let choice = menu.answer(signal, screen, &wheelhouse.session, &mut settings);
        if settings != wheelhouse.config.settings {
            wheelhouse.config.settings = settings;
        }
        if let Some(choice) = choice {
            wheelhouse.choose(choice, screen);
            // The signals that follow were meant for the screen that has just closed.
            return signals.clear();
        }
    }
}

impl Wheelhouse<'_> {
    fn choose(&mut self, choice: Choice, screen: Screen) {
        match choice {
            Choice::Start if self.session.phase == Phase::Ready => self.next.set(Screen::Play),
            Choice::Start => self.session.start_wanted = true,
            Choice::Go(to) => {
                if screen == Screen::Settings {
                    self.save_settings();
                }
                self.next.set(to);
            }
            Choice::NewWorld { seed } => {
                self.session.seed = seed;
                self.session.phase = Phase::Making { since: Instant::now() };
                self.devices.slot = 1;
                self.link.tell(Command::Reset { seed });
                self.next.set(Screen::Play);
            }
            Choice::Load(path) => {
                self.session.phase = Phase::Making { since: Instant::now() };
                self.link.tell(Command::Load(Some(path)));
                self.next.set(Screen::Play);
            }
            Choice::ToggleSideBySide => self.toggle_side_by_side(),
            Choice::Quit => {
                self.exit.write(AppExit::Success);
            }
        }
    }

    fn toggle_side_by_side(&mut self) {
        if !self.session.has_truth {
            self.notice.set("side by side needs the simulator, which this game runs without");
            return;
        }
        self.session.side_by_side = !self.session.side_by_side;
        self.link.tell(Command::SideBySide(self.session.side_by_side));
    }

    fn toggle_chart(&mut self) {
        self.session.chart_shown = !self.session.chart_shown;
        self.link.tell(Command::Chart(self.session.chart_shown));
    }

    fn save_settings(&mut self) {
        let Some(path) = &self.config_path.0 else { return };
        if let Err(error) = self.config.save_settings(path) {
            self.notice.set(format!("settings not saved: {}: {error}", path.display()));
        }
    }
}

/// The keys that the app keeps for itself.
pub(super) fn kept_keys(
    mut keys: MessageReader<KeyboardInput>,
    mut buttons: MessageReader<GamepadButtonStateChangedEvent>,
    mut focus_lost: MessageReader<KeyboardFocusLost>,
    mut screenshots: MessageWriter<ScreenshotWanted>,
    mut wheelhouse: Wheelhouse,
    screen: Res<State<Screen>>,
) {
    let mut pause = focus_lost.read().count() > 0;
    for key in keys.read().filter(|key| key.state.is_pressed() && !key.repeat) {
        match key.key_code {
            KeyCode::Escape => pause = true,
            KeyCode::F1 => wheelhouse.config.settings.hud = !wheelhouse.config.settings.hud,
            KeyCode::F3 => wheelhouse.toggle_side_by_side(),
            KeyCode::F2 if *screen.get() == Screen::Play => wheelhouse.link.tell(Command::Film),
            KeyCode::F4 if *screen.get() == Screen::Play => wheelhouse.toggle_chart(),
            KeyCode::F5 if *screen.get() == Screen::Play => wheelhouse.link.tell(Command::Save),
            KeyCode::F9 if *screen.get() == Screen::Play => wheelhouse.link.tell(Command::Load(None)),
            KeyCode::F12 => {
                screenshots.write(ScreenshotWanted);
            }
            _ => {}
        }
    }
    let is_start =
        |event: &&GamepadButtonStateChangedEvent| event.button == GamepadButton::Start && event.state.is_pressed();
    pause |= buttons.read().filter(is_start).count() > 0;
    if pause && *screen.get() == Screen::Play {
        wheelhouse.next.set(Screen::Paused);
    }
}
