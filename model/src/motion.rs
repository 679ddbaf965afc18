//! Where the player goes: plain kinematics, held up and stopped by what the world state knows of the ground and walls.

use crate::state::WorldState;
use glam::Vec3;
use holdfast_sim::{
    Action, Pose,
    kinematics::{self, Footing},
};
use serde::{Deserialize, Serialize};

/// The moving body of a dream: what the pose alone does not tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// Blocks a tick.
    #[serde(with = "crate::keep::vec3")]
    velocity: Vec3,
    footing: Footing,
    eye_height: f32,
    /// Room for the heights around the feet.
    #[serde(skip)]
    heights: Vec<f32>,
}

impl Default for Motion {
    fn default() -> Self {
        Motion {
            velocity: Vec3::ZERO,
            footing: Footing::Ground,
            eye_height: kinematics::EYE_HEIGHT,
            heights: Vec::new(),
        }
    }
}

/// Height of the feet at the start: a dream begins with the eye at its origin.
const START_FEET_Y: f32 = -kinematics::EYE_HEIGHT;
/// The ground is looked for this far below the feet, blocks.
const DROP_BLOCKS: f32 = 4.0;
/// A surface at most this far above the feet is ground; what is higher is a wall.
const LEDGE_BLOCKS: f32 = 0.55;

impl Motion {
    /// Whether it is a motion that a body can have: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.velocity.is_finite() && self.velocity.length() < 100.0 && (0.0..4.0).contains(&self.eye_height)
    }

    /// The pose after one tick of `action`.
    pub fn step(&mut self, pose: &Pose, action: &Action, state: &WorldState) -> Pose {
        let mut next = pose.turned(action.camera);
        let feet = pose.eye() - Vec3::Y * self.eye_height;
        let mut moved = kinematics::push(self.velocity, action, next.yaw_deg, self.footing);
        let wall = |to: Vec3| state.surface_share(to + Vec3::Y * 0.65, to + Vec3::Y * 1.75, WALL_MARGIN) > WALL_SHARE;
        if (moved.x != 0.0 || moved.z != 0.0) && wall(feet + Vec3::new(moved.x, moved.y.max(0.0), moved.z)) {
            let (along_x, along_z) = (Vec3::new(moved.x, 0.0, 0.0), Vec3::new(0.0, 0.0, moved.z));
            let (free_x, free_z) = (!wall(feet + along_x), !wall(feet + along_z));
            moved.x = if free_x { moved.x } else { 0.0 };
            moved.z = if free_z && !(free_x && moved.x.abs() > moved.z.abs()) { moved.z } else { 0.0 };
        }
        let mut to = feet + moved;
        // The world is of whole blocks: its floors lie whole blocks above or below the start, and what is predicted of
        // them is rough.
        let level = |y: f32| (y - START_FEET_Y).round() + START_FEET_Y;
        let ground = state.ground_y(to, LEDGE_BLOCKS, DROP_BLOCKS, &mut self.heights).map(level);
        let footing_before = self.footing;
        if self.footing == Footing::Ground && moved.y <= 0.0 {
            // Unknown ground holds: a dream that falls through what it has not seen is of no use.
            if ground.is_some_and(|ground| ground < feet.y - LEDGE_BLOCKS) {
                self.footing = Footing::Air;
            } else {
                to.y = feet.y;
                moved.y = 0.0;
            }
        } else {
            self.footing = Footing::Air;
            let floor = ground.unwrap_or(level(feet.y - LEDGE_BLOCKS));
            if moved.y <= 0.0 && to.y <= floor {
                to.y = floor;
                moved.y = 0.0;
                self.footing = Footing::Ground;
            }
        }
        self.velocity = kinematics::settle(moved, footing_before);
        if self.footing == Footing::Ground {
            self.velocity.y = 0.0;
        }
        self.eye_height = kinematics::eye_height(action);
        next.position = (to + Vec3::Y * self.eye_height).to_array();
        next
    }
}

/// Half the width of the column in which walls are looked for, blocks.
const WALL_MARGIN: f32 = 0.3;
/// Cells a square block of wall that stop the body.
const WALL_SHARE: f32 = 12.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_unknown_ground_it_walks_as_the_kinematics_say() {
        let (mut motion, state) = (Motion::default(), WorldState::new());
        let mut pose = Pose::default();
        let forward = Action { forward: true, ..Action::default() };
        for _ in 0..100 {
            pose = motion.step(&pose, &forward, &state);
        }
        let before = pose;
        pose = motion.step(&pose, &forward, &state);
        assert!(((pose.position[2] - before.position[2]) * 20.0 - 4.317).abs() < 0.02, "{pose:?}");
        assert_eq!(pose.position[1], 0.0);
    }

    #[test]
    fn turning_follows_the_action_exactly() {
        let (mut motion, state) = (Motion::default(), WorldState::new());
        let mut pose = Pose::default();
        for _ in 0..7 {
            pose = motion.step(&pose, &Action { camera: [20.0, -30.0], ..Action::default() }, &state);
        }
        assert_eq!((pose.yaw_deg, pose.pitch_deg), (-210.0, 90.0));
    }
}
