//! Acts that come back: looking away and back, walking loops, circling, and returning to a place.

use super::acts::{LEFT, NONE, Plan, RIGHT};
use super::stroke::{Step, Stroke};
use crate::kinematics::{GROUND_DRAG, GROUND_PUSH};
use crate::voxel::world::VoxelWorld;
use crate::{Action, Pose};

/// Walking pace, blocks a tick.
const PACE: f32 = GROUND_PUSH / (1.0 - GROUND_DRAG);

impl Plan<'_> {
    pub(super) fn look_back(&mut self) {
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
    pub(super) fn look_away_and_back(&mut self) {
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

    pub(super) fn walk_loop(&mut self) {
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
    pub(super) fn orbit(&mut self, sign: f32, level_deg: f32) {
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

    /// Walks off, comes back and looks again as before.
    pub(super) fn away_and_home(&mut self) {
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

    pub(super) fn revisit(&mut self) {
        match self.dice.weighted(&[0.45, 0.25, 0.2, 0.1]) {
            0 => self.change_and_return(),
            1 => self.away_and_home(),
            2 => {
                let pitch = self.dice.between(5.0, 40.0);
                self.stroke(NONE, 8, 0.0, pitch);
                self.look_away_and_back();
            }
            _ => self.stride(20, 60),
        }
    }
}
