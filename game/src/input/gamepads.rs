//! Gamepads by gilrs on a thread of their own, bridged into Bevy as raw gamepad messages, so that menus, play and
//! tests share one path. Bevy's own bridge polls once an app update, which a reactive window makes far too rare.

use crate::app::Waker;
use bevy::{
    app::{App, Plugin, PreUpdate},
    ecs::{entity::Entity, message::MessageWriter, resource::Resource, schedule::IntoScheduleConfigs},
    input::{
        InputSystems,
        gamepad::{
            GamepadAxis, GamepadButton, GamepadConnection, GamepadConnectionEvent, RawGamepadAxisChangedEvent,
            RawGamepadButtonChangedEvent, RawGamepadEvent,
        },
    },
    prelude::{Commands, ResMut},
};
use crossbeam_channel::{Receiver, SendTimeoutError, Sender, bounded};
use gilrs::{Axis, Button, EventType, GamepadId, Gilrs};
use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// Events that may wait for the app; beyond it the thread waits too, and the kernel keeps what comes.
const WAITING_EVENTS: usize = 256;
/// How long a closed window may have to wait for the thread.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// Adds the gamepad thread and its bridge.
#[derive(Debug, Clone)]
pub struct GamepadPlugin {
    pub waker: Waker,
}

impl Plugin for GamepadPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(Bridge::start(self.waker.clone())).add_systems(PreUpdate, forward.before(InputSystems));
    }
}

enum PadEvent {
    Connected { id: GamepadId, name: String, vendor_id: Option<u16>, product_id: Option<u16> },
    Disconnected(GamepadId),
    Button(GamepadId, GamepadButton, f32),
    Axis(GamepadId, GamepadAxis, f32),
}

#[derive(Resource)]
struct Bridge {
    events: Option<Receiver<PadEvent>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
    entities: HashMap<GamepadId, Entity>,
}

impl Bridge {
    fn start(waker: Waker) -> Self {
        let (sender, events) = bounded(WAITING_EVENTS);
        let stop = Arc::new(AtomicBool::new(false));
        let seen_stop = Arc::clone(&stop);
        let spawned = thread::Builder::new().name("gamepads".into()).spawn(move || watch(&sender, &seen_stop, &waker));
        let thread = spawned.map_err(|error| tracing::warn!("no gamepads: cannot start their thread: {error}")).ok();
        Bridge { events: Some(events), stop, thread, entities: HashMap::new() }
    }
}

impl Drop for Bridge {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.events = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has already been reported by the panic hook.
            let _ = thread.join();
        }
    }
}

fn watch(sender: &Sender<PadEvent>, stop: &AtomicBool, waker: &Waker) {
    let mut gilrs = match Gilrs::new() {
        Ok(gilrs) => gilrs,
        Err(error) => return tracing::warn!("no gamepads: {error}"),
    };
    let connected = |gilrs: &Gilrs, id: GamepadId| {
        let pad = gilrs.gamepad(id);
        PadEvent::Connected {
            id,
            name: pad.name().to_string(),
            vendor_id: pad.vendor_id(),
            product_id: pad.product_id(),
        }
    };
    let already_there: Vec<_> = gilrs.gamepads().map(|(id, _)| id).collect();
    for id in already_there {
        if !send(sender, stop, waker, connected(&gilrs, id)) {
            return;
        }
    }
    while !stop.load(Ordering::Relaxed) {
        let Some(event) = gilrs.next_event_blocking(Some(STOP_CHECK)) else {
            continue;
        };
        let found = match event.event {
            EventType::Connected => Some(connected(&gilrs, event.id)),
            EventType::Disconnected => Some(PadEvent::Disconnected(event.id)),
            EventType::ButtonChanged(button, value, _) => {
                button_of(button).map(|button| PadEvent::Button(event.id, button, value))
            }
            EventType::AxisChanged(axis, value, _) => axis_of(axis).map(|axis| PadEvent::Axis(event.id, axis, value)),
            _ => None,
        };
        if let Some(found) = found
            && !send(sender, stop, waker, found)
        {
            return;
        }
    }
}

/// Sends and wakes the app; false when the app is gone.
fn send(sender: &Sender<PadEvent>, stop: &AtomicBool, waker: &Waker, mut event: PadEvent) -> bool {
    while !stop.load(Ordering::Relaxed) {
        match sender.send_timeout(event, STOP_CHECK) {
            Ok(()) => {
                waker.wake();
                return true;
            }
            Err(SendTimeoutError::Timeout(again)) => event = again,
            Err(SendTimeoutError::Disconnected(_)) => return false,
        }
    }
    false
}

/// Writes what the thread saw as Bevy's raw gamepad messages.
fn forward(
    mut bridge: ResMut<Bridge>,
    mut commands: Commands,
    mut raw: MessageWriter<RawGamepadEvent>,
    mut connections: MessageWriter<GamepadConnectionEvent>,
) {
    let Bridge { events: Some(events), entities, .. } = &mut *bridge else {
        return;
    };
    for event in events.try_iter() {
        let connection = match event {
            PadEvent::Connected { id, name, vendor_id, product_id } => {
                let entity = *entities.entry(id).or_insert_with(|| commands.spawn_empty().id());
                GamepadConnectionEvent::new(entity, GamepadConnection::Connected { name, vendor_id, product_id })
            }
            PadEvent::Disconnected(id) => {
                let Some(&entity) = entities.get(&id) else { continue };
                GamepadConnectionEvent::new(entity, GamepadConnection::Disconnected)
            }
            PadEvent::Button(id, button, value) => {
                if let Some(&entity) = entities.get(&id) {
                    raw.write(RawGamepadButtonChangedEvent::new(entity, button, value).into());
                }
                continue;
            }
            PadEvent::Axis(id, axis, value) => {
                if let Some(&entity) = entities.get(&id) {
                    raw.write(RawGamepadAxisChangedEvent::new(entity, axis, value).into());
                }
                continue;
            }
        };
        raw.write(connection.clone().into());
        connections.write(connection);
    }
}

fn button_of(button: Button) -> Option<GamepadButton> {
    Some(match button {
        Button::South => GamepadButton::South,
        Button::East => GamepadButton::East,
        Button::North => GamepadButton::North,
        Button::West => GamepadButton::West,
        Button::C => GamepadButton::C,
        Button::Z => GamepadButton::Z,
        Button::LeftTrigger => GamepadButton::LeftTrigger,
        Button::LeftTrigger2 => GamepadButton::LeftTrigger2,
        Button::RightTrigger => GamepadButton::RightTrigger,
        Button::RightTrigger2 => GamepadButton::RightTrigger2,
        Button::Select => GamepadButton::Select,
        Button::Start => GamepadButton::Start,
        Button::Mode => GamepadButton::Mode,
        Button::LeftThumb => GamepadButton::LeftThumb,
        Button::RightThumb => GamepadButton::RightThumb,
        Button::DPadUp => GamepadButton::DPadUp,
        Button::DPadDown => GamepadButton::DPadDown,
        Button::DPadLeft => GamepadButton::DPadLeft,
        Button::DPadRight => GamepadButton::DPadRight,
        Button::Unknown => return None,
    })
}

fn axis_of(axis: Axis) -> Option<GamepadAxis> {
    Some(match axis {
        Axis::LeftStickX => GamepadAxis::LeftStickX,
        Axis::LeftStickY => GamepadAxis::LeftStickY,
        Axis::LeftZ => GamepadAxis::LeftZ,
        Axis::RightStickX => GamepadAxis::RightStickX,
        Axis::RightStickY => GamepadAxis::RightStickY,
        Axis::RightZ => GamepadAxis::RightZ,
        // gilrs' default filters turn a hat's axes into direction buttons.
        Axis::DPadX | Axis::DPadY | Axis::Unknown => return None,
    })
}
