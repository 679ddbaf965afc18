//! Between two frames of the world the window follows the mouse: how far the last frame is turned, and how often.

use crate::{
    app::{
        look::Look,
        menu::Screen,
        session::{Phase, Session},
    },
    input::Config,
};
use bevy::{
    prelude::*,
    window::Monitor,
    winit::{UpdateMode, WinitSettings},
};
use std::time::{Duration, Instant};

/// How far the shown frame is turned, degrees of pitch and yaw.
#[derive(Debug, Clone, Copy, PartialEq, Default, Resource)]
pub struct Ahead {
    pub deg: [f32; 2],
    /// When the oldest turn that is drawn in this update for the first time arrived.
    pub moved_at: Option<Instant>,
}

/// Looks at the mouse a second where the display does not say how often it draws, and at most.
const USUAL_HZ: f32 = 60.0;
const MOST_HZ: f32 = 144.0;
/// The generator, the gamepads and the user wake a window that does not follow the mouse; the pause only lets old notices
/// disappear.
pub fn asleep() -> UpdateMode {
    UpdateMode::reactive_low_power(Duration::from_secs(1))
}

fn follows(config: &Config, screen: &State<Screen>, session: &Session) -> bool {
    config.settings.smooth_look && *screen.get() == Screen::Play && session.phase == Phase::Ready
}

pub fn update(
    (config, screen, session): (Res<Config>, Res<State<Screen>>, Res<Session>),
    mut look: ResMut<Look>,
    mut ahead: ResMut<Ahead>,
) {
    let deg = if follows(&config, &screen, &session) { look.ahead_deg() } else { [0.0; 2] };
    let moved_at = if deg == ahead.deg { None } else { look.bypass_change_detection().moved_at.take() };
    ahead.set_if_neq(Ahead { deg, moved_at });
}

/// Wakes the window as often as the display draws while it follows the mouse, whose motion alone wakes nobody: a mouse
/// moves a thousand times a second.
pub fn stay_awake(
    (config, screen, session): (Res<Config>, Res<State<Screen>>, Res<Session>),
    monitors: Query<&Monitor>,
    mut winit: ResMut<WinitSettings>,
) {
    let hz = monitors.iter().filter_map(|monitor| monitor.refresh_rate_millihertz).max();
    let hz = hz.map_or(USUAL_HZ, |millihertz| millihertz as f32 / 1e3).clamp(1.0, MOST_HZ);
    let focused_mode = match follows(&config, &screen, &session) {
        true => UpdateMode::reactive_low_power(Duration::from_secs_f32(1.0 / hz)),
        false => asleep(),
    };
    if winit.focused_mode != focused_mode {
        winit.focused_mode = focused_mode;
    }
}
