//! The input map: a pure function from what the devices show to an `Action`.

use super::{
    bindings::{Control, Input},
    config::Config,
};
use bevy::math::Vec2;
use holdfast_sim::{Action, TICKS_PER_SECOND};
use std::collections::HashSet;

/// What the devices show: presses, and how far things moved.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Snapshot {
    pub down: HashSet<Input>,
    /// Slot chosen, 1 to 9; 0 keeps the slot in hand.
    pub slot: u8,
    /// Mouse motion in counts, x to the right and y down.
    pub mouse_counts: Vec2,
    /// Stick positions before dead zones, x to the right and y up, each -1 to 1.
    pub move_stick: Vec2,
    pub look_stick: Vec2,
}

/// The action that a tick with this snapshot means. Sticks turn the camera at a rate, the mouse by an amount.
pub fn map_input(snapshot: &Snapshot, config: &Config) -> Action {
    let on = |control: Control| {
        config
            .bindings
            .iter()
            .any(|(bound, inputs)| bound == control && inputs.iter().any(|i| snapshot.down.contains(i)))
    };
    let settings = &config.settings;
    let [stick_right, stick_forward] = eight_ways(outside_dead_zone(snapshot.move_stick, settings.stick_dead_zone));
    let look = outside_dead_zone(snapshot.look_stick, settings.stick_dead_zone);
    // The square of the tilt: fine aim near the middle, full speed at the rim.
    let stick_turn_deg = look * look.length() * (settings.gamepad_look_deg_per_s / TICKS_PER_SECOND as f32);
    let mouse_turn_deg = snapshot.mouse_counts * settings.mouse_deg_per_count;
    let up_sign = if settings.invert_y { -1.0 } else { 1.0 };
    let pitch_deg = (mouse_turn_deg.y - stick_turn_deg.y) * up_sign;
    let yaw_deg = mouse_turn_deg.x + stick_turn_deg.x;
    Action {
        forward: on(Control::Forward) || stick_forward > 0,
        back: on(Control::Back) || stick_forward < 0,
        left: on(Control::Left) || stick_right < 0,
        right: on(Control::Right) || stick_right > 0,
        jump: on(Control::Jump),
        sneak: on(Control::Sneak),
        sprint: on(Control::Sprint),
        attack: on(Control::Attack),
        use_: on(Control::Use),
        hotbar: snapshot.slot,
        camera: [clamp_turn(pitch_deg), clamp_turn(yaw_deg)],
    }
}

/// Keeps a turn within what one tick may hold.
pub fn clamp_turn(turn_deg: f32) -> f32 {
    turn_deg.clamp(-Action::MAX_TURN_DEG, Action::MAX_TURN_DEG)
}

/// A stick's position with a round dead zone: zero inside it, growing from zero at its edge to 1 at the rim.
fn outside_dead_zone(stick: Vec2, dead_zone: f32) -> Vec2 {
    let tilt = stick.length();
    if !tilt.is_finite() || tilt <= dead_zone {
        return Vec2::ZERO;
    }
    stick / tilt * ((tilt - dead_zone) / (1.0 - dead_zone)).min(1.0)
}

/// The nearest of eight directions as `[right, forward]`; walking has no speeds in between.
fn eight_ways(stick: Vec2) -> [i8; 2] {
    let sin_22_5_deg = 0.382_683_43;
    let way = |part: f32| {
        if part.abs() <= stick.length() * sin_22_5_deg { 0 } else { part.signum() as i8 }
    };
    [way(stick.x), way(stick.y)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::input::{gamepad::GamepadButton, keyboard::KeyCode, mouse::MouseButton};

    #[track_caller]
    fn check(snapshot: Snapshot, expected: Action) {
        assert_eq!(map_input(&snapshot, &Config::default()), expected);
    }

    fn down(inputs: &[Input]) -> Snapshot {
        Snapshot { down: inputs.iter().copied().collect(), ..Snapshot::default() }
    }

    #[test]
    fn default_bindings_reach_every_field() {
        let off = Action::default();
        check(Snapshot::default(), off);
        check(down(&[Input::Key(KeyCode::KeyW)]), Action { forward: true, ..off });
        check(down(&[Input::Key(KeyCode::ArrowDown)]), Action { back: true, ..off });
        check(down(&[Input::Key(KeyCode::KeyA)]), Action { left: true, ..off });
        check(down(&[Input::Key(KeyCode::KeyD)]), Action { right: true, ..off });
        check(down(&[Input::Key(KeyCode::Space), Input::Pad(GamepadButton::South)]), Action { jump: true, ..off });
        check(down(&[Input::Key(KeyCode::ShiftLeft)]), Action { sneak: true, ..off });
        check(down(&[Input::Pad(GamepadButton::LeftThumb)]), Action { sprint: true, ..off });
        check(down(&[Input::Mouse(MouseButton::Left)]), Action { attack: true, ..off });
        check(down(&[Input::Mouse(MouseButton::Right)]), Action { use_: true, ..off });
        check(down(&[Input::Key(KeyCode::KeyQ)]), off);
        check(Snapshot { slot: 3, ..Snapshot::default() }, Action { hotbar: 3, ..off });
    }

    #[test]
    fn the_mouse_turns_by_an_amount_and_huge_turns_are_clamped() {
        let turn =
            |x, y| map_input(&Snapshot { mouse_counts: Vec2::new(x, y), ..Snapshot::default() }, &Config::default());
        let per_count = Config::default().settings.mouse_deg_per_count;
        assert_eq!(turn(10.0, -4.0).camera, [-4.0 * per_count, 10.0 * per_count]);
        assert_eq!(turn(1e6, -1e6).camera, [-180.0, 180.0]);
        assert!(turn(1e6, 0.0).check().is_ok());
    }

    #[test]
    fn invert_y_turns_pitch_around_for_mouse_and_stick() {
        let mut config = Config::default();
        let snapshot =
            Snapshot { mouse_counts: Vec2::new(3.0, 5.0), look_stick: Vec2::new(0.2, -0.9), ..Snapshot::default() };
        let [pitch_deg, yaw_deg] = map_input(&snapshot, &config).camera;
        assert!(pitch_deg > 0.0);
        config.settings.invert_y = true;
        assert_eq!(map_input(&snapshot, &config).camera, [-pitch_deg, yaw_deg]);
    }

    #[test]
    fn sticks_rest_inside_the_dead_zone_and_reach_full_speed_at_the_rim() {
        let resting = Vec2::new(0.1, -0.1);
        check(Snapshot { move_stick: resting, look_stick: resting, ..Snapshot::default() }, Action::default());
        let config = Config::default();
        let full = Snapshot { look_stick: Vec2::X, ..Snapshot::default() };
        assert_eq!(map_input(&full, &config).camera, [-0.0, config.settings.gamepad_look_deg_per_s / 20.0]);
        let just_outside = Vec2::X * (config.settings.stick_dead_zone + 0.001);
        let slow = map_input(&Snapshot { look_stick: just_outside, ..Snapshot::default() }, &config);
        assert!(slow.camera[1] > 0.0 && slow.camera[1] < 0.01, "{slow:?}");
    }

    #[test]
    fn the_move_stick_has_eight_directions() {
        let toward =
            |x, y| map_input(&Snapshot { move_stick: Vec2::new(x, y), ..Snapshot::default() }, &Config::default());
        assert_eq!(toward(0.05, 0.9).wish(), [0.0, 1.0]);
        assert_eq!(toward(0.7, 0.7).wish(), [1.0, 1.0]);
        assert_eq!(toward(-0.9, -0.2).wish(), [-1.0, 0.0]);
        assert_eq!(toward(0.0, f32::NAN).wish(), [0.0, 0.0]);
    }
}
