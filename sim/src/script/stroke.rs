//! What a plan is made of: strokes of keys and camera that need no eyes, and steps that look at the world.

use crate::Action;
use glam::Vec3;

/// One step of a plan.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// Keys held for some ticks while the camera turns by a given angle: it needs no eyes.
    Stroke(Stroke),
    /// The camera goes to an absolute direction.
    Face { yaw_deg: f32, pitch_deg: f32, keys: Action },
    /// The camera goes to a point.
    Aim { point: Vec3 },
    /// A walk to a place (x, z), round what can be walked round; given up when it takes too long.
    Walk {
        to: [f32; 2],
        keys: Action,
        ticks_left: u32,
    },
    /// Attack what is under the crosshair until it breaks.
    Break { ticks_left: u32 },
    /// One press of `use` with this slot in hand; 0 keeps the slot.
    Use { slot: u8 },
}

/// Keys held for `ticks` while the camera turns by `turn_deg` (`[pitch, yaw]`), slow at both ends as a hand does it.
#[derive(Debug, Clone, PartialEq)]
pub struct Stroke {
    pub keys: Action,
    pub ticks: u32,
    pub turn_deg: [f32; 2],
    /// Turns at one speed, as one does who circles something.
    pub steady: bool,
    done_ticks: u32,
}

/// Angles are emitted in multiples of this, as a mouse does, and so that files stay short.
const MOUSE_STEP_DEG: f32 = 0.05;

impl Stroke {
    pub fn new(keys: Action, ticks: u32, turn_deg: [f32; 2]) -> Self {
        Stroke {
            keys,
            ticks: ticks.max(1),
            turn_deg,
            steady: false,
            done_ticks: 0,
        }
    }

    /// Turns at one speed throughout.
    pub fn steady(keys: Action, ticks: u32, turn_deg: [f32; 2]) -> Self {
        Stroke {
            steady: true,
            ..Stroke::new(keys, ticks, turn_deg)
        }
    }

    /// Stands still.
    pub fn rest(ticks: u32) -> Self {
        Stroke::new(Action::default(), ticks, [0.0; 2])
    }

    /// Where the turn stands after a share of the time: the minimum-jerk curve of a human hand (Flash and Hogan,
    /// 1985), whose top speed is 1.875 times the mean.
    fn turned(&self, done_ticks: u32) -> [f32; 2] {
        let s = done_ticks as f32 / self.ticks as f32;
        let share = if self.steady {
            s
        } else {
            s * s * s * (10.0 - 15.0 * s + 6.0 * s * s)
        };
        self.turn_deg
            .map(|angle| (angle * share / MOUSE_STEP_DEG).round() * MOUSE_STEP_DEG)
    }

    /// The next tick's action; `None` when it is over.
    pub fn advance(&mut self) -> Option<Action> {
        if self.done_ticks >= self.ticks {
            return None;
        }
        let before = self.turned(self.done_ticks);
        self.done_ticks += 1;
        let after = self.turned(self.done_ticks);
        let camera = [0, 1].map(|axis| snap_deg(after[axis] - before[axis]));
        // The hotbar key is a press, not a hold.
        let hotbar = if self.done_ticks == 1 { self.keys.hotbar } else { 0 };
        Some(Action {
            camera,
            hotbar,
            ..self.keys
        })
    }
}

/// The nearest angle that a mouse can give.
pub fn snap_deg(angle: f32) -> f32 {
    // Dividing by a whole number gives the float that prints shortest.
    (angle / MOUSE_STEP_DEG).round() / (1.0 / MOUSE_STEP_DEG).round()
}

impl From<Stroke> for Step {
    fn from(stroke: Stroke) -> Self {
        Step::Stroke(stroke)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stroke_turns_by_exactly_its_angle_and_smoothly() {
        for (ticks, turn) in [(1, 90.0f32), (7, -180.0), (30, 33.3), (60, 0.0)] {
            let mut stroke = Stroke::new(Action::default(), ticks, [0.0, turn]);
            let turns: Vec<f32> = std::iter::from_fn(|| stroke.advance())
                .map(|action| action.camera[1])
                .collect();
            assert_eq!(turns.len(), ticks as usize);
            assert!((turns.iter().sum::<f32>() - turn).abs() < 0.051, "{turns:?}");
            assert!(
                turns
                    .iter()
                    .all(|step| step.abs() <= turn.abs() / ticks as f32 * 1.9 + 0.1),
                "{turns:?}"
            );
        }
    }
}
