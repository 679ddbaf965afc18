//! How a body answers the keys, without the world: accelerations, drag and gravity of one tick.
//!
//! The numbers are Minecraft's own (Java edition, 20 ticks a second), written as its tick works: the keys push, the
//! body moves by its velocity (the voxel world clips that move), then drag and gravity act. This file knows nothing
//! of blocks, so a world model that predicts its own pose can reuse it; `Footing` is all it must guess.

use crate::{Action, Pose};
use glam::Vec3;
use serde::{Deserialize, Serialize};

/// The eye above the feet, blocks.
pub const EYE_HEIGHT: f32 = 1.62;
/// The eye above the feet while sneaking, blocks.
pub const SNEAK_EYE_HEIGHT: f32 = 1.54;
/// How far the player's hands reach from the eye, blocks.
pub const REACH_BLOCKS: f32 = 4.5;
/// While `use` is held, it acts again after this many ticks.
pub const USE_REPEAT_TICKS: u8 = 4;
/// The player's box, blocks.
pub const BODY_WIDTH: f32 = 0.6;
pub const BODY_HEIGHT: f32 = 1.8;
/// Ledges up to this high are stepped onto without a jump (a cake is, a full block never is), blocks.
pub const STEP_HEIGHT: f32 = 0.6;

/// Push of the keys on the ground, blocks a tick squared. With [`GROUND_DRAG`] it walks at 4.32 blocks a second.
pub const GROUND_PUSH: f32 = 0.098;
pub const AIR_PUSH: f32 = 0.0196;
pub const WATER_PUSH: f32 = 0.0196;
/// Sprinting multiplies the push: 5.61 blocks a second on the ground.
pub const SPRINT_FACTOR: f32 = 1.3;
/// Sneaking multiplies the push: 1.30 blocks a second.
pub const SNEAK_FACTOR: f32 = 0.3;

/// What is left of the horizontal velocity after a tick.
pub const GROUND_DRAG: f32 = 0.546;
pub const AIR_DRAG: f32 = 0.91;
/// What is left of the whole velocity after a tick in water.
pub const WATER_DRAG: f32 = 0.8;

/// Upward velocity of a jump, blocks a tick: it rises 1.25 blocks.
pub const JUMP_VELOCITY: f32 = 0.42;
/// A sprinting jump is also pushed forwards, blocks a tick.
pub const SPRINT_JUMP_PUSH: f32 = 0.2;
/// Downward acceleration, blocks a tick squared, before [`FALL_DRAG`].
pub const GRAVITY: f32 = 0.08;
/// What is left of the vertical velocity after a tick out of water; it bounds falling to 3.92 blocks a tick.
pub const FALL_DRAG: f32 = 0.98;
pub const WATER_GRAVITY: f32 = 0.02;
/// Upward push of the jump key in water, blocks a tick squared.
pub const SWIM_PUSH: f32 = 0.04;
/// No fall is ever faster than this, blocks a tick.
pub const MAX_FALL: f32 = GRAVITY * FALL_DRAG / (1.0 - FALL_DRAG);

/// What the body stands or hangs in at the start of a tick: the one thing that the plain kinematics must be told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Footing {
    #[default]
    Ground,
    Air,
    Water,
}

/// The height of the eye above the feet under this action.
pub fn eye_height(action: &Action) -> f32 {
    if action.sneak { SNEAK_EYE_HEIGHT } else { EYE_HEIGHT }
}

/// The keys' push: velocity at the start of a tick to the velocity that the body moves by, blocks a tick.
///
/// `yaw_deg` is the yaw after this tick's camera turn.
pub fn push(velocity: Vec3, action: &Action, yaw_deg: f32, footing: Footing) -> Vec3 {
    let axes = Pose { yaw_deg, ..Pose::default() }.axes();
    let [right, forward] = action.wish();
    // Diagonals are no faster than straight lines.
    let wish = (axes.right * right + axes.forward * forward).clamp_length_max(1.0);
    let sprints = action.sprint && forward > 0.0 && !action.sneak;
    let gait = match (sprints, action.sneak) {
        (true, _) => SPRINT_FACTOR,
        (_, true) => SNEAK_FACTOR,
        _ => 1.0,
    };
    let mut next = velocity;
    match footing {
        Footing::Ground => {
            next += wish * GROUND_PUSH * gait;
            if action.jump {
                next.y = JUMP_VELOCITY;
                if sprints {
                    next += axes.forward * SPRINT_JUMP_PUSH;
                }
            }
        }
        Footing::Air => next += wish * AIR_PUSH * gait,
        Footing::Water => {
            next += wish * WATER_PUSH * gait;
            if action.jump {
                next.y += SWIM_PUSH;
            }
        }
    }
    next
}

/// Drag and gravity, after the move: the velocity that the next tick starts with.
///
/// `footing` is that of the start of the tick, as in Minecraft.
pub fn settle(velocity: Vec3, footing: Footing) -> Vec3 {
    match footing {
        Footing::Water => velocity * WATER_DRAG - Vec3::Y * WATER_GRAVITY,
        Footing::Ground | Footing::Air => {
            let drag = if footing == Footing::Ground { GROUND_DRAG } else { AIR_DRAG };
            Vec3::new(velocity.x * drag, (velocity.y - GRAVITY) * FALL_DRAG, velocity.z * drag)
        }
    }
}

/// One tick where nothing is in the way: the eye's pose and the velocity after `action`. On the ground the body does
/// not sink. `was_sneaking` is the key of the tick before: the eye sinks and rises with it.
pub fn free_step(pose: Pose, velocity: Vec3, action: &Action, was_sneaking: bool, footing: Footing) -> (Pose, Vec3) {
    let mut pose = pose.turned(action.camera);
    let mut moved = push(velocity, action, pose.yaw_deg, footing);
    if footing == Footing::Ground {
        moved.y = moved.y.max(0.0);
    }
    let before = Action { sneak: was_sneaking, ..Action::default() };
    let eye_rise = eye_height(action) - eye_height(&before);
    pose.position = (pose.eye() + moved + Vec3::Y * eye_rise).to_array();
    (pose, settle(moved, footing))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Horizontal speed in blocks a second after long enough, and its direction.
    fn steady(action: Action, footing: Footing) -> Vec3 {
        let (mut pose, mut velocity, mut moved) = (Pose::default(), Vec3::ZERO, Vec3::ZERO);
        for _ in 0..200 {
            let before = pose.eye();
            (pose, velocity) = free_step(pose, velocity, &action, action.sneak, footing);
            moved = (pose.eye() - before) * 20.0;
        }
        moved
    }

    #[track_caller]
    fn check_speed(action: Action, blocks_per_s: f32) {
        let moved = steady(action, Footing::Ground);
        assert!((moved.length() - blocks_per_s).abs() < 0.02, "{action:?}: {moved}");
    }

    #[test]
    fn gaits_have_their_speeds() {
        let forward = Action { forward: true, ..Action::default() };
        check_speed(forward, 4.317);
        check_speed(Action { left: true, ..forward }, 4.317);
        check_speed(Action { sprint: true, ..forward }, 5.612);
        check_speed(Action { sneak: true, ..forward }, 1.295);
        check_speed(Action { back: true, sprint: true, ..Action::default() }, 4.317);
        check_speed(Action { forward: true, back: true, ..Action::default() }, 0.0);
    }

    #[test]
    fn yaw_zero_walks_along_z_and_right_is_minus_x() {
        assert!(steady(Action { forward: true, ..Action::default() }, Footing::Ground).z > 4.0);
        assert!(steady(Action { right: true, ..Action::default() }, Footing::Ground).x < -4.0);
    }

    #[test]
    fn a_jump_rises_a_block_and_a_quarter() {
        let mut velocity = push(Vec3::ZERO, &Action { jump: true, ..Action::default() }, 0.0, Footing::Ground);
        let (mut height, mut top) = (0.0f32, 0.0f32);
        for _ in 0..30 {
            height += velocity.y;
            top = top.max(height);
            velocity = settle(velocity, Footing::Air);
        }
        assert!((top - 1.252).abs() < 0.01, "{top}");
    }

    #[test]
    fn falling_has_a_bound() {
        let mut velocity = Vec3::ZERO;
        for _ in 0..2000 {
            velocity = settle(velocity, Footing::Air);
        }
        assert!(-velocity.y <= MAX_FALL + 1e-3 && -velocity.y > MAX_FALL - 0.1, "{velocity}");
    }
}
