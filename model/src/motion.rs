//! Where the player goes: plain kinematics, held up and stopped by what the world state knows of the ground and walls.

use crate::state::Memory;
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
    /// Height of the feet when they last stood. Saved worlds hold it apart from the rest: those of version 1 lack it.
    #[serde(skip)]
    stood_y: f32,
}

impl Default for Motion {
    fn default() -> Self {
        Motion {
            velocity: Vec3::ZERO,
            footing: Footing::Ground,
            eye_height: kinematics::EYE_HEIGHT,
            stood_y: START_FEET_Y,
        }
    }
}

/// Height of the feet at the start: a dream begins with the eye at its origin.
const START_FEET_Y: f32 = -kinematics::EYE_HEIGHT;
/// A surface at most this far above the feet is ground; what is higher is a wall.
const LEDGE_BLOCKS: f32 = 0.55;

impl Motion {
    /// Whether it is a motion that a body can have: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.stood_y.is_finite()
            && self.velocity.is_finite()
            && self.velocity.length() < 100.0
            && (0.0..4.0).contains(&self.eye_height)
    }

    /// Height of the feet when they last stood, in blocks above the eye's start.
    pub fn stood_y(&self) -> f32 {
        self.stood_y
    }

    /// The motion that a save holds, and where its feet last stood; where the save does not say, where they are now.
    pub fn that_stood(self, stood_y: Option<f32>, pose: &Pose) -> Motion {
        let stood_y = stood_y.unwrap_or(pose.eye().y - self.eye_height);
        Motion { stood_y, ..self }
    }

    /// The pose after one tick of `action`.
    pub fn step(&mut self, pose: &Pose, action: &Action, memory: &Memory) -> Pose {
        let mut next = pose.turned(action.camera);
        let feet = pose.eye() - Vec3::Y * self.eye_height;
        let mut moved = kinematics::push(self.velocity, action, next.yaw_deg, self.footing);
        let wall =
            |to: Vec3| memory.firm().surface_share(to + Vec3::Y * 0.65, to + Vec3::Y * 1.75, WALL_MARGIN) > WALL_SHARE;
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
        let ground = memory.firm().ground_y(to, LEDGE_BLOCKS).map(level);
        let footing_before = self.footing;
        if self.footing == Footing::Ground && moved.y <= 0.0 {
            // Unknown ground holds, and so does what is doubted: a dream that falls through what it has not seen is of no
            // use.
            let open = |ground: f32| ground < feet.y - LEDGE_BLOCKS;
            let held = || memory.drafts().ground_y(to, LEDGE_BLOCKS).is_some_and(|draft| !open(level(draft)));
            if ground.is_some_and(open) && !held() {
                self.footing = Footing::Air;
            } else {
                to.y = feet.y;
                moved.y = 0.0;
            }
        } else {
            self.footing = Footing::Air;
            // A jump over unknown ground ends where it began; a fall into the unknown, at the next level.
            let below = if feet.y > self.stood_y - LEDGE_BLOCKS { self.stood_y } else { level(feet.y - LEDGE_BLOCKS) };
            let floor = ground.unwrap_or(below);
            if moved.y <= 0.0 && to.y <= floor {
                to.y = floor;
                moved.y = 0.0;
                self.footing = Footing::Ground;
            }
        }
        self.velocity = kinematics::settle(moved, footing_before);
        if self.footing == Footing::Ground {
            self.velocity.y = 0.0;
            self.stood_y = to.y;
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
    use crate::state::{Shown, Sight};
    use holdfast_sim::{Camera, Depth, Frame};

    #[test]
    fn on_unknown_ground_it_walks_as_the_kinematics_say() {
        let (mut motion, memory) = (Motion::default(), Memory::new());
        let mut pose = Pose::default();
        let forward = Action { forward: true, ..Action::default() };
        for _ in 0..100 {
            pose = motion.step(&pose, &forward, &memory);
        }
        let before = pose;
        pose = motion.step(&pose, &forward, &memory);
        assert!(((pose.position[2] - before.position[2]) * 20.0 - 4.317).abs() < 0.02, "{pose:?}");
        assert_eq!(pose.position[1], 0.0);
    }

    #[test]
    fn jumps_over_unknown_ground_end_where_they_began() {
        let (mut motion, memory) = (Motion::default(), Memory::new());
        let mut pose = Pose::default();
        let jump = Action { forward: true, jump: true, ..Action::default() };
        let heights: Vec<f32> = (0..200)
            .map(|_| {
                pose = motion.step(&pose, &jump, &memory);
                pose.position[1]
            })
            .collect();
        assert!(heights.iter().filter(|height| **height == 0.0).count() > 10, "{heights:?}");
        assert!(heights.iter().all(|height| (0.0..1.5).contains(height)), "{heights:?}");
    }

    /// Where the eye ends after a second on ground that was looked down upon: so far below the eye, and so doubted.
    fn height_on(grounds: &[(f32, f32)]) -> f32 {
        let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), Camera::new(32, 32));
        let down = Pose { pitch_deg: 90.0, ..Pose::default() };
        for &(below, doubt) in grounds {
            memory.read(&down, &camera, &mut sight);
            let mut depth = Depth::new(32, 32);
            for (pixel, blocks) in depth.blocks.iter_mut().enumerate() {
                *blocks = below * camera.ray(&down.axes(), pixel % 32, pixel / 32).length();
            }
            let (frame, doubt) = (Frame::new(32, 32), vec![doubt; 32 * 32]);
            let shown = Shown { doubt: &doubt, ..Shown::given(&frame, &depth, 1) };
            memory.write(&down, &camera, &mut sight, &shown);
        }
        let (mut motion, mut pose) = (Motion::default(), Pose::default());
        for _ in 0..20 {
            pose = motion.step(&pose, &Action::default(), &memory);
        }
        pose.position[1]
    }

    #[test]
    fn it_falls_to_ground_that_it_is_sure_of() {
        let level = kinematics::EYE_HEIGHT;
        assert_eq!(height_on(&[]), 0.0);
        assert!((height_on(&[(level + 1.0, 0.0)]) + 1.0).abs() < 1e-4);
        assert_eq!(height_on(&[(level + 1.0, 0.5)]), 0.0, "doubted");
        assert_eq!(height_on(&[(level, 0.0), (level + 1.0, 0.5)]), 0.0, "ground above what is doubted");
    }

    #[test]
    fn turning_follows_the_action_exactly() {
        let (mut motion, memory) = (Motion::default(), Memory::new());
        let mut pose = Pose::default();
        for _ in 0..7 {
            pose = motion.step(&pose, &Action { camera: [20.0, -30.0], ..Action::default() }, &memory);
        }
        assert_eq!((pose.yaw_deg, pose.pitch_deg), (-210.0, 90.0));
    }
}
