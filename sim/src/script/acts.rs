//! What each policy does next: a plan of a few seconds, asked for again when it is carried out.
//!
//! Every plan works blind; where the true world is given, it returns to true places and aims at true blocks.

use super::Policy;
use super::dice::Dice;
use super::stroke::{Step, Stroke};
use crate::Action;
use crate::voxel::world::VoxelWorld;

/// No hand turns a mouse faster than this, degrees a tick.
const MAX_TURN_DEG: f32 = 30.0;

pub(super) const FORWARD: Action = keys([true, false, false, false]);
const BACK: Action = keys([false, true, false, false]);
pub(super) const LEFT: Action = keys([false, false, true, false]);
pub(super) const RIGHT: Action = keys([false, false, false, true]);
pub(super) const NONE: Action = keys([false; 4]);

const fn keys([forward, back, left, right]: [bool; 4]) -> Action {
    Action {
        forward,
        back,
        left,
        right,
        jump: false,
        sneak: false,
        sprint: false,
        attack: false,
        use_: false,
        hotbar: 0,
        camera: [0.0; 2],
    }
}

/// A plan being made.
pub(super) struct Plan<'a> {
    pub steps: Vec<Step>,
    /// The pitch at the end of the plan so far.
    pub pitch_deg: f32,
    pub dice: &'a mut Dice,
    pub world: Option<&'a VoxelWorld>,
}

/// The next few seconds of `policy`.
pub(super) fn plan(policy: Policy, pitch_deg: f32, dice: &mut Dice, world: Option<&VoxelWorld>) -> Vec<Step> {
    let mut plan = Plan {
        steps: Vec::new(),
        pitch_deg,
        dice,
        world,
    };
    match policy {
        Policy::Still => plan.rest(20, 21),
        Policy::Wander => plan.wander(),
        Policy::LookBack => plan.look_back(),
        Policy::Loop => plan.walk_loop(),
        Policy::Dig => plan.dig(),
        Policy::Build => plan.build(),
        Policy::Revisit => plan.revisit(),
        Policy::Random => plan.random(),
    }
    plan.steps
}

impl Plan<'_> {
    pub(super) fn rest(&mut self, from_ticks: u32, to_ticks: u32) {
        let ticks = self.dice.whole(from_ticks..to_ticks);
        self.steps.push(Stroke::rest(ticks).into());
    }

    /// A stroke that takes at least `ticks` and turns no faster than a hand.
    pub(super) fn stroke(&mut self, keys: Action, ticks: u32, yaw_deg: f32, to_pitch_deg: f32) {
        let to_pitch_deg = to_pitch_deg.clamp(-88.0, 88.0);
        let pitch_deg = to_pitch_deg - self.pitch_deg;
        // The top speed of a stroke is 1.875 times its mean.
        let least = (yaw_deg.abs().max(pitch_deg.abs()) * 1.875 / MAX_TURN_DEG).ceil() as u32;
        self.steps
            .push(Stroke::new(keys, ticks.max(least), [pitch_deg, yaw_deg]).into());
        self.pitch_deg = to_pitch_deg;
    }

    /// A pitch to look at: mostly near the horizon, now and then far up or down.
    pub(super) fn any_pitch(&mut self) -> f32 {
        match self.dice.weighted(&[0.6, 0.3, 0.1]) {
            0 => self.dice.between(-8.0, 22.0),
            1 => self.dice.between(-30.0, 40.0),
            _ => self.dice.between(-85.0, 85.0),
        }
    }

    pub(super) fn gait(&mut self) -> Action {
        Action {
            sprint: self.dice.chance(0.3),
            ..FORWARD
        }
    }

    pub(super) fn hotbar(&mut self) {
        let hotbar = self.dice.whole(1..10) as u8;
        self.steps
            .push(Stroke::new(Action { hotbar, ..NONE }, 1, [0.0; 2]).into());
    }

    pub(super) fn stride(&mut self, from_ticks: u32, to_ticks: u32) {
        let keys = self.gait();
        let ticks = self.dice.whole(from_ticks..to_ticks);
        let turn = self.dice.between(-35.0, 35.0);
        let pitch = self.dice.between(-6.0, 18.0);
        self.stroke(keys, ticks, turn, pitch);
    }

    fn wander(&mut self) {
        let pitch = self.any_pitch();
        match self
            .dice
            .weighted(&[30.0, 8.0, 10.0, 14.0, 6.0, 4.0, 4.0, 8.0, 3.0, 3.0])
        {
            0 => self.stride(15, 70),
            1 => {
                let side = if self.dice.chance(0.5) { LEFT } else { RIGHT };
                let side = Action {
                    forward: self.dice.chance(0.4),
                    ..side
                };
                let (ticks, turn) = (self.dice.whole(8..30), self.dice.between(-40.0, 40.0));
                self.stroke(side, ticks, turn, pitch);
            }
            2 => {
                for _ in 0..self.dice.whole(1..4) {
                    let pitch = self.any_pitch();
                    let (ticks, turn) = (self.dice.whole(10..40), self.dice.between(-110.0, 110.0));
                    self.stroke(NONE, ticks, turn, pitch);
                    self.rest(1, 12);
                }
            }
            3 => {
                let turn = self.dice.sign() * self.dice.between(40.0, 180.0);
                let keys = if self.dice.chance(0.5) { FORWARD } else { NONE };
                self.stroke(keys, 3, turn, pitch.clamp(-20.0, 25.0));
            }
            4 => {
                let (ticks, turn) = (self.dice.whole(15..40), self.dice.between(-30.0, 30.0));
                self.stroke(Action { sneak: true, ..FORWARD }, ticks, turn, pitch);
            }
            5 => {
                let ticks = self.dice.whole(8..25);
                self.stroke(BACK, ticks, 0.0, pitch);
            }
            6 => self.hotbar(),
            7 => {
                let keys = Action {
                    jump: true,
                    ..self.gait()
                };
                let (ticks, turn) = (self.dice.whole(8..30), self.dice.between(-25.0, 25.0));
                self.stroke(keys, ticks, turn, self.pitch_deg * 0.7);
            }
            8 => {
                let ticks = self.dice.whole(5..40);
                self.stroke(Action { attack: true, ..NONE }, ticks, 0.0, 35.0);
            }
            _ => {
                self.hotbar();
                self.stroke(NONE, 12, 0.0, 35.0);
                self.stroke(Action { use_: true, ..NONE }, 1, 0.0, 35.0);
                self.rest(2, 8);
            }
        }
    }

    /// Keys and turns at random, each held for a random while; nothing is avoided.
    fn random(&mut self) {
        let pairs = |dice: &mut Dice| match dice.weighted(&[0.5, 0.25, 0.25]) {
            0 => [false, false],
            1 => [true, false],
            _ => [false, true],
        };
        let [back, forward] = if self.dice.chance(0.35) {
            [false, true]
        } else {
            pairs(self.dice)
        };
        let [left, right] = pairs(self.dice);
        let keys = Action {
            jump: self.dice.chance(0.15),
            sneak: self.dice.chance(0.08),
            sprint: self.dice.chance(0.25),
            attack: self.dice.chance(0.2),
            use_: self.dice.chance(0.08),
            hotbar: if self.dice.chance(0.15) {
                self.dice.whole(1..10) as u8
            } else {
                0
            },
            ..self::keys([forward, back, left, right])
        };
        let ticks = self.dice.whole(2..24);
        let spread = match self.dice.weighted(&[0.3, 0.45, 0.25]) {
            0 => 0.0,
            1 => 5.0,
            _ => 15.0,
        };
        let turn = self.dice.between(-spread, spread) * ticks as f32 / 1.875;
        let pitch = if spread > 0.0 && self.dice.chance(0.5) {
            self.any_pitch()
        } else {
            self.pitch_deg
        };
        self.stroke(keys, ticks, turn, pitch);
    }
}
