//! Polling: gathers device messages between two updates, so that nothing pressed in between is lost.

use super::{
    bindings::{Control, Input},
    config::Config,
    map::{Snapshot, map_input},
};
use crate::app::{Intent, menu::Screen};
use bevy::{
    ecs::{message::MessageReader, resource::Resource, system::SystemParam},
    input::{
        ButtonState,
        gamepad::{Gamepad, GamepadButtonStateChangedEvent},
        keyboard::{KeyboardFocusLost, KeyboardInput},
        mouse::{MouseButtonInput, MouseMotion, MouseScrollUnit, MouseWheel},
    },
    math::Vec2,
    prelude::{Query, Res, ResMut, State},
};
use holdfast_sim::Action;
use std::{collections::HashSet, time::Instant};

/// What the devices did since the last intent was taken, and what is held.
#[derive(Debug, Resource)]
pub struct Devices {
    held: HashSet<Input>,
    pressed: HashSet<Input>,
    mouse_counts: Vec2,
    move_stick: Vec2,
    look_stick: Vec2,
    /// Parts of a wheel notch that a touchpad has scrolled so far.
    wheel_notches: f32,
    /// The slot in hand, 1 to 9.
    pub slot: u8,
    slot_chosen: u8,
    oldest_event_at: Option<Instant>,
    sent_held: Action,
    sent_rewind: bool,
}

impl Default for Devices {
    fn default() -> Self {
        Devices {
            held: HashSet::new(),
            pressed: HashSet::new(),
            mouse_counts: Vec2::ZERO,
            move_stick: Vec2::ZERO,
            look_stick: Vec2::ZERO,
            wheel_notches: 0.0,
            slot: 1,
            slot_chosen: 0,
            oldest_event_at: None,
            sent_held: Action::default(),
            sent_rewind: false,
        }
    }
}

impl Devices {
    pub fn press(&mut self, input: Input, config: &Config, at: Instant) {
        self.held.insert(input);
        self.pressed.insert(input);
        for control in config.bindings.controls_of(input) {
            if let Some(slot) = control.slot_after(self.slot) {
                (self.slot, self.slot_chosen) = (slot, slot);
            }
        }
        self.stamp(at);
    }

    pub fn release(&mut self, input: Input, at: Instant) {
        self.held.remove(&input);
        self.stamp(at);
    }

    /// Forgets what is held and pending: what was pressed in a menu must not act in the world.
    pub fn clear(&mut self) {
        *self = Devices { slot: self.slot, ..Devices::default() };
    }

    /// Whether the rewind key is held, if that has changed since the last call.
    pub fn rewind_changed(&mut self, config: &Config) -> Option<bool> {
        let held = self.held.iter().any(|&input| config.bindings.controls_of(input).any(|c| c == Control::Rewind));
        (held != std::mem::replace(&mut self.sent_rewind, held)).then_some(held)
    }

    /// What happened since the last call, as it crosses to the generator; `None` if nothing that matters did.
    pub fn take_intent(&mut self, config: &Config) -> Option<Intent> {
        let held = Snapshot {
            down: self.held.clone(),
            move_stick: self.move_stick,
            look_stick: self.look_stick,
            ..Snapshot::default()
        };
        let pressed = Snapshot {
            down: std::mem::take(&mut self.pressed),
            slot: std::mem::take(&mut self.slot_chosen),
            mouse_counts: std::mem::take(&mut self.mouse_counts),
            ..Snapshot::default()
        };
        let oldest_event_at = self.oldest_event_at.take();
        let intent = Intent { held: map_input(&held, config), pressed: map_input(&pressed, config), oldest_event_at };
        let quiet = intent.held == self.sent_held && intent.pressed == Action::default();
        self.sent_held = intent.held;
        (!quiet).then_some(intent)
    }

    /// Notes a motion of the mouse.
    pub fn move_mouse(&mut self, counts: Vec2, at: Instant) {
        self.mouse_counts += counts;
        self.stamp(at);
    }

    fn stamp(&mut self, at: Instant) {
        self.oldest_event_at = Some(self.oldest_event_at.map_or(at, |oldest| oldest.min(at)));
    }
}

/// The messages of every device.
#[derive(SystemParam)]
#[expect(missing_debug_implementations, reason = "a system parameter lives inside one system call")]
pub struct DeviceMessages<'w, 's> {
    keys: MessageReader<'w, 's, KeyboardInput>,
    focus_lost: MessageReader<'w, 's, KeyboardFocusLost>,
    buttons: MessageReader<'w, 's, MouseButtonInput>,
    motion: MessageReader<'w, 's, MouseMotion>,
    wheel: MessageReader<'w, 's, MouseWheel>,
    pad_buttons: MessageReader<'w, 's, GamepadButtonStateChangedEvent>,
    pads: Query<'w, 's, &'static Gamepad>,
}

impl DeviceMessages<'_, '_> {
    /// Drops what has gathered while no world was listening.
    pub fn skip(&mut self) {
        self.keys.clear();
        self.focus_lost.clear();
        self.buttons.clear();
        self.motion.clear();
        self.wheel.clear();
        self.pad_buttons.clear();
    }
}

/// Gathers every message since the last update. Messages rather than key states: a press and its release that
/// arrive together must still count.
pub fn gather(
    mut devices: ResMut<Devices>,
    mut messages: DeviceMessages,
    config: Res<Config>,
    screen: Res<State<Screen>>,
) {
    if *screen.get() != Screen::Play {
        return messages.skip();
    }
    let devices = &mut *devices;
    let now = Instant::now();
    let turn = |devices: &mut Devices, input: Input, state: ButtonState| match state {
        ButtonState::Pressed => devices.press(input, &config, now),
        ButtonState::Released => devices.release(input, now),
    };
    for key in messages.keys.read().filter(|key| !key.repeat) {
        turn(devices, Input::Key(key.key_code), key.state);
    }
    for button in messages.buttons.read() {
        turn(devices, Input::Mouse(button.button), button.state);
    }
    for event in messages.pad_buttons.read() {
        turn(devices, Input::Pad(event.button), event.state);
    }
    for motion in messages.motion.read() {
        devices.move_mouse(motion.delta, now);
    }
    for wheel in messages.wheel.read() {
        devices.wheel_notches += match wheel.unit {
            MouseScrollUnit::Line => wheel.y,
            MouseScrollUnit::Pixel => wheel.y / MouseScrollUnit::SCROLL_UNIT_CONVERSION_FACTOR,
        };
        while devices.wheel_notches.abs() >= 1.0 {
            let input = if devices.wheel_notches > 0.0 { Input::WheelUp } else { Input::WheelDown };
            devices.wheel_notches -= devices.wheel_notches.signum();
            devices.press(input, &config, now);
            devices.release(input, now);
        }
    }
    if messages.focus_lost.read().count() > 0 {
        // The window will not hear these keys go up.
        devices.held.retain(|input| matches!(input, Input::Pad(_)));
    }
    if messages.pads.is_empty() {
        devices.held.retain(|input| !matches!(input, Input::Pad(_)));
    }
    let sum = |stick: fn(&Gamepad) -> Vec2| messages.pads.iter().map(stick).sum::<Vec2>();
    let sticks = (sum(Gamepad::left_stick), sum(Gamepad::right_stick));
    if sticks != (devices.move_stick, devices.look_stick) {
        (devices.move_stick, devices.look_stick) = sticks;
        devices.stamp(now);
    }
}
