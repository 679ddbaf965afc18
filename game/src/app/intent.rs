//! From presses at any moment to one action a tick: no press is lost, the camera's turns add up.

use crate::input::map::clamp_turn;
use holdfast_sim::Action;
use std::time::Instant;

/// What the player did between two moments. Intents that follow each other merge into one that means the same, so
/// a slow world loses none of them and the channel to it can stay short.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Intent {
    /// What is held at the end; its camera is the sticks' turn in every tick.
    pub held: Action,
    /// What was pressed at any moment, released since or not; its camera is the mouse's turn, once.
    pub pressed: Action,
    /// When the oldest event in it arrived, for key-to-pixel time.
    pub oldest_event_at: Option<Instant>,
}

impl Intent {
    /// Adds what happened later.
    pub fn merge(&mut self, later: Intent) {
        self.held = later.held;
        self.pressed = Action {
            hotbar: if later.pressed.hotbar == 0 { self.pressed.hotbar } else { later.pressed.hotbar },
            camera: std::array::from_fn(|axis| self.pressed.camera[axis] + later.pressed.camera[axis]),
            ..either(&self.pressed, &later.pressed)
        };
        self.oldest_event_at = self.oldest_event_at.or(later.oldest_event_at);
    }

    /// The action of the tick that begins now, and when its oldest event arrived. What is held stays.
    pub fn take_action(&mut self) -> (Action, Option<Instant>) {
        let pressed = std::mem::take(&mut self.pressed);
        let action = Action {
            hotbar: pressed.hotbar,
            camera: std::array::from_fn(|axis| clamp_turn(pressed.camera[axis] + self.held.camera[axis])),
            ..either(&pressed, &self.held)
        };
        (action, self.oldest_event_at.take())
    }
}

/// On where one of the two is on; slot and camera are left to the caller.
fn either(a: &Action, b: &Action) -> Action {
    Action {
        forward: a.forward || b.forward,
        back: a.back || b.back,
        left: a.left || b.left,
        right: a.right || b.right,
        jump: a.jump || b.jump,
        sneak: a.sneak || b.sneak,
        sprint: a.sprint || b.sprint,
        attack: a.attack || b.attack,
        use_: a.use_ || b.use_,
        hotbar: 0,
        camera: [0.0; 2],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFF: Action = Action {
        forward: false,
        back: false,
        left: false,
        right: false,
        jump: false,
        sneak: false,
        sprint: false,
        attack: false,
        use_: false,
        hotbar: 0,
        camera: [0.0; 2],
    };

    fn tapped(pressed: Action) -> Intent {
        Intent { pressed, ..Intent::default() }
    }

    #[test]
    fn a_tap_between_ticks_counts_for_exactly_one_tick() {
        let mut intent = Intent::default();
        intent.merge(tapped(Action { jump: true, ..OFF }));
        intent.merge(tapped(Action { use_: true, ..OFF }));
        intent.merge(Intent::default());
        assert_eq!(intent.take_action().0, Action { jump: true, use_: true, ..OFF });
        assert_eq!(intent.take_action().0, OFF);
    }

    #[test]
    fn what_is_held_counts_until_it_is_released() {
        let held = Action { forward: true, camera: [0.0, 2.0], ..OFF };
        let mut intent = Intent { held, pressed: Action { forward: true, ..OFF }, ..Intent::default() };
        assert_eq!(intent.take_action().0, held);
        assert_eq!(intent.take_action().0, held);
        intent.merge(Intent::default());
        assert_eq!(intent.take_action().0, OFF);
    }

    #[test]
    fn mouse_turns_add_up_once_and_the_last_slot_wins() {
        let mut intent = Intent::default();
        for (slot, yaw_deg) in [(2, 30.0), (5, 40.0), (0, -10.0)] {
            intent.merge(tapped(Action { hotbar: slot, camera: [1.0, yaw_deg], ..OFF }));
        }
        assert_eq!(intent.take_action().0, Action { hotbar: 5, camera: [3.0, 60.0], ..OFF });
        assert_eq!(intent.take_action().0, OFF);
        intent.merge(tapped(Action { camera: [500.0, -500.0], ..OFF }));
        assert!(intent.take_action().0.check().is_ok());
    }

    #[test]
    fn the_oldest_event_is_the_one_that_waited() {
        let (first, second) = (Instant::now(), Instant::now());
        let mut intent = Intent { oldest_event_at: Some(first), ..Intent::default() };
        intent.merge(Intent { oldest_event_at: Some(second), ..Intent::default() });
        assert_eq!(intent.take_action().1, Some(first));
        assert_eq!(intent.take_action().1, None);
    }
}
