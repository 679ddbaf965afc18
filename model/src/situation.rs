//! What a dream carries from tick to tick beside its map: the slot in hand, how long the hand has been at work on one
//! target, and the colours around.

use crate::{Condition, ambience::Ambience, state::Shown};
use glam::Vec3;
use holdfast_sim::{Action, Camera, Pose};
use serde::{Deserialize, Serialize};

/// See the module. Training episodes and dreams keep it alike, so that the network meets the same conditions.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Situation {
    slot: u8,
    /// What the crosshair rested on in the last frame.
    #[serde(with = "crate::keep::vec3::option")]
    aim: Option<Vec3>,
    /// Where the attack under way began, and for how many ticks it has gone on.
    #[serde(with = "crate::keep::vec3::option")]
    attacked: Option<Vec3>,
    attack_ticks: u32,
    use_ticks: u32,
    ambience: Ambience,
}

/// How far a hand reaches, with some slack for the error of the depth, blocks.
const REACH_BLOCKS: f32 = 6.0;
/// A target that moved farther than this between two ticks is another one: half a block and the error of the depth.
const SAME_TARGET_BLOCKS: f32 = 0.6;

impl Default for Situation {
    fn default() -> Self {
        let (attack_ticks, use_ticks) = (0, 0);
        Situation { slot: 1, aim: None, attacked: None, attack_ticks, use_ticks, ambience: Ambience::default() }
    }
}

impl Situation {
    /// Whether it is a situation that a player can be in: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        let finite = |point: Option<Vec3>| point.is_none_or(|point| point.is_finite());
        let counts = self.attack_ticks < u32::MAX / 2 && self.use_ticks < u32::MAX / 2;
        (1..=9).contains(&self.slot) && counts && finite(self.aim) && finite(self.attacked) && self.ambience.is_sound()
    }

    /// The slot in hand, 1 to 9.
    pub fn slot(&self) -> u8 {
        self.slot
    }

    /// The condition of the frame after `action`, which took the eye from `before` to `pose`; its noise level is 0.
    pub fn act(&mut self, action: &Action, before: &Pose, pose: &Pose) -> Condition {
        if action.hotbar > 0 {
            self.slot = action.hotbar;
        }
        self.use_ticks = if action.use_ { self.use_ticks + 1 } else { 0 };
        let same = matches!((self.attacked, self.aim), (Some(a), Some(b)) if a.distance(b) < SAME_TARGET_BLOCKS);
        self.attack_ticks = match (action.attack, same) {
            (false, _) => 0,
            (true, true) => self.attack_ticks + 1,
            (true, false) => 1,
        };
        if self.attack_ticks <= 1 {
            self.attacked = self.aim.filter(|_| action.attack);
        }
        let axes = Pose { pitch_deg: 0.0, ..*pose }.axes();
        let moved = pose.eye() - before.eye();
        Condition {
            action: *action,
            attack_ticks: self.attack_ticks,
            use_ticks: self.use_ticks,
            moved_blocks: [moved.dot(axes.right), moved.y, moved.dot(axes.forward)],
            ..self.at_rest(pose)
        }
    }

    /// The condition of a frame that no action led to.
    pub fn at_rest(&self, pose: &Pose) -> Condition {
        Condition { slot: self.slot, pose: *pose, ambience: self.ambience, ..Condition::default() }
    }

    /// Takes in the frame that followed.
    pub fn see(&mut self, pose: &Pose, camera: &Camera, shown: &Shown) {
        self.ambience.see(pose, camera, shown);
        let centre = camera.height / 2 * camera.width + camera.width / 2;
        let blocks = shown.depth.blocks[centre];
        self.aim = (blocks < REACH_BLOCKS).then(|| pose.eye() + pose.axes().forward * blocks);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::{Depth, Frame};

    fn look(situation: &mut Situation, blocks: f32) {
        let mut depth = Depth::new(8, 8);
        depth.blocks.fill(blocks);
        let frame = Frame::new(8, 8);
        situation.see(&Pose::default(), &Camera::new(8, 8), &Shown::given(&frame, &depth, 0));
    }

    #[test]
    fn attack_is_counted_on_one_target_at_a_time() {
        let (mut situation, pose) = (Situation::default(), Pose::default());
        let attack = Action { attack: true, ..Action::default() };
        let ticks = |situation: &mut Situation, action: &Action| situation.act(action, &pose, &pose).attack_ticks;
        look(&mut situation, 3.0);
        for expected in 1..=4 {
            assert_eq!(ticks(&mut situation, &attack), expected);
            look(&mut situation, 3.0 + 0.1 * (expected % 2) as f32);
        }
        // The block is gone: what stands behind it is another target.
        look(&mut situation, 4.2);
        assert_eq!(ticks(&mut situation, &attack), 1);
        assert_eq!(ticks(&mut situation, &attack), 2);
        assert_eq!(ticks(&mut situation, &Action::default()), 0);
        assert_eq!(ticks(&mut situation, &attack), 1);
        // Nothing in reach: each tick is a first one.
        look(&mut situation, 30.0);
        assert_eq!(ticks(&mut situation, &attack), 1);
        assert_eq!(ticks(&mut situation, &attack), 1);
    }

    #[test]
    fn the_slot_stays_until_another_is_chosen() {
        let (mut situation, pose) = (Situation::default(), Pose::default());
        assert_eq!(situation.act(&Action { hotbar: 4, ..Action::default() }, &pose, &pose).slot, 4);
        assert_eq!(situation.act(&Action::default(), &pose, &pose).slot, 4);
        let used = [true, true, false, true].map(|use_| {
            let action = Action { use_, ..Action::default() };
            situation.act(&action, &pose, &pose).use_ticks
        });
        assert_eq!(used, [1, 2, 0, 1]);
    }
}
