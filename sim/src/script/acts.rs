//! What each policy does next: a plan of a few seconds, asked for again when it is carried out.
//!
//! Every plan works blind; where the true world is given, it returns to true places and aims at true blocks.

use super::dice::Dice;
use super::stroke::{Step, Stroke};
use super::{Policy, eyes};
use crate::kinematics::{GROUND_DRAG, GROUND_PUSH};
use crate::voxel::world::VoxelWorld;
use crate::{Action, Pose};

/// No hand turns a mouse faster than this, degrees a tick.
const MAX_TURN_DEG: f32 = 30.0;
/// Walking pace, blocks a tick.
const PACE: f32 = GROUND_PUSH / (1.0 - GROUND_DRAG);

const FORWARD: Action = keys([true, false, false, false]);
const BACK: Action = keys([false, true, false, false]);
const LEFT: Action = keys([false, false, true, false]);
const RIGHT: Action = keys([false, false, false, true]);
const NONE: Action = keys([false; 4]);

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
struct Plan<'a> {
    steps: Vec<Step>,
    /// The pitch at the end of the plan so far.
    pitch_deg: f32,
    dice: &'a mut Dice,
    world: Option<&'a VoxelWorld>,
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
    fn rest(&mut self, from_ticks: u32, to_ticks: u32) {
        let ticks = self.dice.whole(from_ticks..to_ticks);
        self.steps.push(Stroke::rest(ticks).into());
    }

    /// A stroke that takes at least `ticks` and turns no faster than a hand.
    fn stroke(&mut self, keys: Action, ticks: u32, yaw_deg: f32, to_pitch_deg: f32) {
        let to_pitch_deg = to_pitch_deg.clamp(-88.0, 88.0);
        let pitch_deg = to_pitch_deg - self.pitch_deg;
        // The top speed of a stroke is 1.875 times its mean.
        let least = (yaw_deg.abs().max(pitch_deg.abs()) * 1.875 / MAX_TURN_DEG).ceil() as u32;
        self.steps
            .push(Stroke::new(keys, ticks.max(least), [pitch_deg, yaw_deg]).into());
        self.pitch_deg = to_pitch_deg;
    }

    /// A pitch to look at: mostly near the horizon, now and then far up or down.
    fn any_pitch(&mut self) -> f32 {
        match self.dice.weighted(&[0.6, 0.3, 0.1]) {
            0 => self.dice.between(-8.0, 22.0),
            1 => self.dice.between(-30.0, 40.0),
            _ => self.dice.between(-85.0, 85.0),
        }
    }

    fn gait(&mut self) -> Action {
        Action {
            sprint: self.dice.chance(0.3),
            ..FORWARD
        }
    }

    fn hotbar(&mut self) {
        let hotbar = self.dice.whole(1..10) as u8;
        self.steps
            .push(Stroke::new(Action { hotbar, ..NONE }, 1, [0.0; 2]).into());
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

    fn stride(&mut self, from_ticks: u32, to_ticks: u32) {
        let keys = self.gait();
        let ticks = self.dice.whole(from_ticks..to_ticks);
        let turn = self.dice.between(-35.0, 35.0);
        let pitch = self.dice.between(-6.0, 18.0);
        self.stroke(keys, ticks, turn, pitch);
    }

    fn look_back(&mut self) {
        let pitch = self.any_pitch();
        self.stroke(NONE, 8, 0.0, pitch);
        self.rest(2, 15);
        self.look_away_and_back();
        match self.dice.weighted(&[0.35, 0.3, 0.35]) {
            0 => self.stride(10, 50),
            1 => {
                let turn = self.dice.between(-70.0, 70.0);
                self.stroke(NONE, 12, turn, 5.0);
            }
            _ => {}
        }
    }

    /// Turns away, stays, and turns back by exactly as much.
    fn look_away_and_back(&mut self) {
        let angle = match self.dice.weighted(&[0.35, 0.4, 0.25]) {
            0 => 90.0,
            1 => 180.0,
            _ => self.dice.between(40.0, 180.0),
        };
        let turn = angle * self.dice.sign();
        let home_deg = self.pitch_deg;
        let (there, back) = (self.dice.whole(4..35), self.dice.whole(4..35));
        let away_deg = if self.dice.chance(0.5) {
            home_deg
        } else {
            self.dice.between(-20.0, 30.0)
        };
        self.stroke(NONE, there, turn, away_deg);
        match self.dice.weighted(&[0.55, 0.3, 0.15]) {
            0 => self.rest(1, 25),
            1 => self.rest(20, 60),
            _ => self.rest(60, 120),
        }
        // Half of the time it comes back the other way round, when that is the same direction.
        let back_turn = if angle == 180.0 && self.dice.chance(0.5) {
            turn
        } else {
            -turn
        };
        self.stroke(NONE, back, back_turn, home_deg);
        self.rest(4, 16);
    }

    fn walk_loop(&mut self) {
        let leg_ticks = match self.dice.weighted(&[0.5, 0.35, 0.15]) {
            0 => self.dice.whole(12..40),
            1 => self.dice.whole(40..90),
            _ => self.dice.whole(90..180),
        };
        let level_deg = self.dice.between(-4.0, 15.0);
        self.stroke(NONE, 6, 0.0, level_deg);
        let home = self.world.map(VoxelWorld::pose);
        let keys = self.gait();
        let sign = self.dice.sign();
        match self.dice.weighted(&[0.4, 0.25, 0.15, 0.2]) {
            0 => self.legs(keys, 2, leg_ticks, 180.0 * sign, level_deg),
            1 => self.legs(keys, 3, leg_ticks * 2 / 3, 120.0 * sign, level_deg),
            2 => self.legs(keys, 4, leg_ticks / 2, 90.0 * sign, level_deg),
            _ => return self.orbit(sign, level_deg),
        }
        if let Some(home) = home {
            // The last leg goes to where it truly began.
            self.steps.pop();
            self.steps.pop();
            self.go_home(home, keys, leg_ticks);
        }
        self.rest(6, 20);
        if self.dice.chance(0.4) {
            let turn = self.dice.between(-90.0, 90.0);
            self.stroke(NONE, 10, turn, level_deg);
        }
    }

    /// Equal legs with equal turns between them: a polygon that closes, and ends in the direction it began.
    fn legs(&mut self, keys: Action, count: u32, ticks: u32, turn_deg: f32, level_deg: f32) {
        for _ in 0..count {
            self.stroke(keys, ticks.max(6), 0.0, level_deg);
            let turn_ticks = self.dice.whole(8..25);
            self.stroke(NONE, turn_ticks, turn_deg, level_deg);
        }
    }

    /// Strafes round a point ahead while looking at it, and often back again.
    fn orbit(&mut self, sign: f32, level_deg: f32) {
        let radius = self.dice.between(2.5, 8.0);
        let share = self.dice.between(0.2, 1.0);
        let ticks = (share * std::f32::consts::TAU * radius / PACE) as u32;
        let (out, home) = if sign > 0.0 { (LEFT, RIGHT) } else { (RIGHT, LEFT) };
        self.stroke(NONE, 5, 0.0, level_deg);
        // Going left round a point ahead, the view turns right.
        let turn = [0.0, sign * share * 360.0];
        self.steps.push(Stroke::steady(out, ticks, turn).into());
        self.rest(2, 8);
        if self.dice.chance(0.7) {
            self.steps
                .push(Stroke::steady(home, ticks, turn.map(|deg| -deg)).into());
            self.rest(2, 8);
        }
    }

    fn go_home(&mut self, home: Pose, keys: Action, leg_ticks: u32) {
        let to = [home.position[0], home.position[2]];
        self.steps.push(Step::Walk {
            to,
            keys,
            ticks_left: leg_ticks * 2 + 60,
        });
        self.steps.push(Step::Face {
            yaw_deg: home.yaw_deg,
            pitch_deg: home.pitch_deg,
            keys: NONE,
        });
        self.pitch_deg = home.pitch_deg;
    }

    /// Breaks one block near at hand.
    fn break_one(&mut self) {
        let Some(world) = self.world else {
            let (turn, pitch, ticks) = (
                self.dice.between(-40.0, 40.0),
                self.dice.between(30.0, 65.0),
                self.dice.whole(12..45),
            );
            self.stroke(NONE, 10, turn, pitch);
            return self.stroke(Action { attack: true, ..NONE }, ticks, 0.0, pitch);
        };
        match eyes::something_to_break(world, self.dice) {
            Some(point) => {
                self.steps.push(Step::Aim { point });
                // Now and then it changes its mind before the block has broken.
                let ticks_left = if self.dice.chance(0.12) {
                    self.dice.whole(3..10)
                } else {
                    80
                };
                self.steps.push(Step::Break { ticks_left });
                self.rest(1, 6);
            }
            None => self.stride(10, 25),
        }
    }

    /// Places one block, or eats from a cake within reach.
    fn place_one(&mut self, slot: u8) {
        let Some(world) = self.world else {
            let (turn, pitch) = (self.dice.between(-40.0, 40.0), self.dice.between(30.0, 55.0));
            self.stroke(Action { hotbar: slot, ..NONE }, 10, turn, pitch);
            self.stroke(Action { use_: true, ..NONE }, 1, 0.0, pitch);
            return self.rest(3, 9);
        };
        match eyes::somewhere_to_place(world, self.dice) {
            Some(point) => {
                self.steps.push(Step::Aim { point });
                self.steps.push(Step::Use { slot });
                self.rest(3, 9);
            }
            None => self.stride(10, 25),
        }
    }

    /// Goes to a cake nearby and eats some of it; false when there is none.
    fn eat(&mut self) -> bool {
        let Some((cake, point)) = self.world.and_then(eyes::nearest_cake) else {
            return false;
        };
        self.steps.push(Step::Walk {
            to: [cake[0], cake[2]],
            keys: FORWARD,
            ticks_left: 80,
        });
        for _ in 0..self.dice.whole(1..5) {
            self.steps.push(Step::Aim { point });
            self.steps.push(Step::Use { slot: 0 });
            self.rest(4, 14);
        }
        true
    }

    fn dig(&mut self) {
        match self.dice.weighted(&[0.68, 0.16, 0.08, 0.08]) {
            0 => self.break_one(),
            1 => self.look_away_and_back(),
            2 => self.away_and_home(),
            _ => self.stride(10, 40),
        }
    }

    fn build(&mut self) {
        match self.dice.weighted(&[0.6, 0.14, 0.08, 0.05, 0.05, 0.08]) {
            0 => {
                let slot = self.dice.whole(1..10) as u8;
                self.place_one(slot);
                // A row or a tower of the same.
                for _ in 0..self.dice.whole(0..3) {
                    self.place_one(slot);
                }
            }
            1 => self.look_away_and_back(),
            2 => {
                let sign = self.dice.sign();
                self.orbit(sign, 25.0);
            }
            3 => self.away_and_home(),
            4 => self.break_one(),
            _ => {
                if !self.eat() {
                    self.stride(10, 40);
                }
            }
        }
    }

    /// Walks off, comes back and looks again as before.
    fn away_and_home(&mut self) {
        let keys = self.gait();
        let sign = self.dice.sign();
        let ticks = self.dice.whole(15..80);
        let (home, home_deg) = (self.world.map(VoxelWorld::pose), self.pitch_deg);
        let level_deg = self.dice.between(0.0, 15.0);
        let turn = sign * self.dice.between(60.0, 180.0);
        self.stroke(NONE, 10, turn, level_deg);
        self.stroke(keys, ticks, 0.0, level_deg);
        self.stroke(NONE, 12, 180.0, level_deg);
        match home {
            Some(home) => self.go_home(home, keys, ticks),
            None => {
                self.stroke(keys, ticks, 0.0, level_deg);
                self.stroke(NONE, 12, 180.0 - turn, home_deg);
            }
        }
        self.rest(8, 20);
    }

    fn revisit(&mut self) {
        // One thing at a time: what is aimed at must be chosen where the player then stands.
        match self.dice.weighted(&[0.3, 0.22, 0.1, 0.28, 0.1]) {
            0 => {
                let slot = self.dice.whole(1..10) as u8;
                if self.dice.chance(0.5) {
                    self.place_one(slot)
                } else {
                    self.break_one()
                }
            }
            1 => self.away_and_home(),
            2 => self.look_away_and_back(),
            3 => {
                let pitch = self.dice.between(5.0, 40.0);
                self.stroke(NONE, 8, 0.0, pitch);
                self.away_and_home();
            }
            _ => self.stride(20, 60),
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
