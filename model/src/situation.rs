//! What a dream carries from tick to tick beside its map: the slot in hand, how long the hand has been at work on one
//! target, and the colours around.

use crate::{
    Condition,
    ambience::Ambience,
    deed::Change,
    grid::{Grid, Target},
    matter::Matter,
    state::{Canvas, Shown},
};
use glam::{IVec3, Vec3};
use holdfast_sim::{Action, Camera, Depth, Pose};
use serde::{Deserialize, Serialize};

/// See the module. Training episodes and dreams keep it alike, so that the network meets the same conditions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Situation {
    hand: Hand,
    ambience: Ambience,
    /// How the blocks lie. Saved worlds hold it apart from the rest: those before version 3 lack it.
    #[serde(skip)]
    grid: Grid,
    /// What the last frame showed under the crosshair. Those before version 4 lack it.
    #[serde(skip)]
    under: Matter,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Hand {
    slot: u8,
    /// Middle of the cell that the crosshair rests on.
    #[serde(with = "crate::keep::vec3::option")]
    aim: Option<Vec3>,
    /// Middle of the cell that is under attack, and for how many ticks it has been.
    #[serde(with = "crate::keep::vec3::option")]
    attacked: Option<Vec3>,
    attack_ticks: u32,
    use_ticks: u32,
}

impl Default for Hand {
    fn default() -> Self {
        Hand { slot: 1, aim: None, attacked: None, attack_ticks: 0, use_ticks: 0 }
    }
}

/// The pixel that the crosshair is on.
fn crosshair(camera: &Camera) -> usize {
    camera.height / 2 * camera.width + camera.width / 2
}

fn middle(cell: IVec3) -> Vec3 {
    cell.as_vec3() + 0.5
}

impl Situation {
    /// At the start of a dream whose blocks lie so.
    pub fn begin(grid: Grid) -> Situation {
        Situation { grid, ..Situation::default() }
    }

    pub fn grid(&self) -> Grid {
        self.grid
    }

    /// What the last frame showed under the crosshair.
    pub fn under(&self) -> Matter {
        self.under
    }

    /// The situation that a save holds, how the blocks lie in it and what is under the crosshair.
    pub fn that_lies(self, grid: Grid, under: Matter) -> Situation {
        Situation { grid, under, ..self }
    }

    /// Whether it is a situation that a player can be in: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        let Hand { slot, aim, attacked, attack_ticks, use_ticks } = self.hand;
        let finite = |point: Option<Vec3>| point.is_none_or(|point| point.is_finite());
        let counts = attack_ticks < u32::MAX / 2 && use_ticks < u32::MAX / 2;
        let sound = self.ambience.is_sound() && self.grid.is_sound();
        (1..=9).contains(&slot) && counts && finite(aim) && finite(attacked) && sound
    }

    /// The slot in hand, 1 to 9.
    pub fn slot(&self) -> u8 {
        self.hand.slot
    }

    /// The condition of the frame after `action`, which took the eye from `before` to `pose`; its noise level is 0.
    /// What lies under the crosshair is told by the canvas, read from `pose`, or else by the depth of the last frame.
    pub fn act(
        &mut self,
        action: &Action,
        [before, pose]: [&Pose; 2],
        camera: &Camera,
        canvas: Option<&Canvas>,
        last: Option<&Depth>,
    ) -> Condition {
        let at_rest = self.at_rest(pose);
        let middle = crosshair(camera);
        let canvas = canvas.filter(|canvas| canvas.known(middle)).map(|canvas| canvas.depth_blocks.as_slice());
        let depth_blocks = canvas.or(last.map(|depth| depth.blocks.as_slice()));
        let target = self.hand.take(action, &at_rest.pose, camera, depth_blocks);
        let change = target.and_then(|Target { cell, face }| match (action.attack, action.use_) {
            (true, _) => Some(Change::Break(cell)),
            // Who has a cake before them eats, whatever else is in their hand.
            (_, true) if self.under == Matter::Cake => Some(Change::Bite(cell)),
            (_, true) => Some(Change::Place(cell + face)),
            _ => None,
        });
        let axes = Pose { pitch_deg: 0.0, ..*pose }.axes();
        let moved = pose.eye() - before.eye();
        Condition {
            action: *action,
            slot: self.hand.slot,
            attack_ticks: self.hand.attack_ticks,
            use_ticks: self.hand.use_ticks,
            moved_blocks: [moved.dot(axes.right), moved.y, moved.dot(axes.forward)],
            change,
            ..at_rest
        }
    }

    /// The condition of a frame that no action led to.
    pub fn at_rest(&self, pose: &Pose) -> Condition {
        let pose = self.grid.place(pose);
        Condition { slot: self.hand.slot, pose, ambience: self.ambience, ..Condition::default() }
    }

    /// Takes in the frame that followed.
    pub fn see(&mut self, pose: &Pose, camera: &Camera, shown: &Shown) {
        self.ambience.see(pose, camera, shown);
        self.under = shown.matters.get(crosshair(camera)).copied().unwrap_or_default();
    }
}

impl Hand {
    /// Takes up a tick's action: what it is at work on, and for how long.
    fn take(&mut self, action: &Action, pose: &Pose, camera: &Camera, depth_blocks: Option<&[f32]>) -> Option<Target> {
        if action.hotbar > 0 {
            self.slot = action.hotbar;
        }
        self.use_ticks = if action.use_ { self.use_ticks + 1 } else { 0 };
        let held = self.aim.map(|middle| middle.floor().as_ivec3());
        let target = depth_blocks.and_then(|blocks| Target::find(pose, camera, blocks, held));
        self.aim = target.map(|target| middle(target.cell));
        self.attack_ticks = match (action.attack, self.aim.is_some() && self.aim == self.attacked) {
            (false, _) => 0,
            (true, true) => self.attack_ticks + 1,
            (true, false) => 1,
        };
        self.attacked = self.aim.filter(|_| action.attack);
        target
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One tick in front of a wall so many blocks ahead, from half a block into a cell.
    fn tick(situation: &mut Situation, action: &Action, wall_blocks: f32) -> Condition {
        let (pose, camera) = (Pose::default(), Camera::new(8, 8));
        let axes = pose.axes();
        let blocks = (0..64).map(|at| camera.ray(&axes, at % 8, at / 8).length() * wall_blocks).collect();
        let last = Depth { width: 8, height: 8, blocks };
        situation.act(action, [&pose, &pose], &camera, None, Some(&last))
    }

    #[test]
    fn attack_is_counted_on_one_target_at_a_time() {
        let mut situation = Situation::default();
        let attack = Action { attack: true, ..Action::default() };
        let broken = |z: i32| Some(Change::Break(IVec3::new(0, 0, z)));
        for expected in 1..=4 {
            let condition = tick(&mut situation, &attack, 2.5 + 0.1 * (expected % 2) as f32);
            assert_eq!((condition.attack_ticks, condition.change), (expected, broken(3)));
        }
        // The block is gone: what stands behind it is another target.
        let condition = tick(&mut situation, &attack, 3.5);
        assert_eq!((condition.attack_ticks, condition.change), (1, broken(4)));
        assert_eq!(tick(&mut situation, &attack, 3.5).attack_ticks, 2);
        assert_eq!(tick(&mut situation, &Action::default(), 3.5).attack_ticks, 0);
        assert_eq!(tick(&mut situation, &attack, 3.5).attack_ticks, 1);
        // Nothing in reach: each tick is a first one.
        for _ in 0..2 {
            let condition = tick(&mut situation, &attack, Depth::SKY);
            assert_eq!((condition.attack_ticks, condition.change), (1, None));
        }
    }

    #[test]
    fn what_is_placed_stands_before_what_was_aimed_at() {
        let place = Action { use_: true, ..Action::default() };
        let condition = tick(&mut Situation::default(), &place, 2.5);
        assert_eq!(condition.change, Some(Change::Place(IVec3::new(0, 0, 2))));
    }

    #[test]
    fn a_cake_is_bitten_and_nothing_is_placed_on_it() {
        let (mut situation, pose, camera) = (Situation::default(), Pose::default(), Camera::new(8, 8));
        let place = Action { use_: true, ..Action::default() };
        let (frame, depth) = (holdfast_sim::Frame::new(8, 8), Depth::new(8, 8));
        let mut matters = [Matter::Cake; 64];
        situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &depth, 1) });
        assert_eq!(tick(&mut situation, &place, 2.5).change, Some(Change::Bite(IVec3::new(0, 0, 3))));
        matters[4 * 8 + 4] = Matter::Sand;
        situation.see(&pose, &camera, &Shown { matters: &matters, ..Shown::given(&frame, &depth, 2) });
        assert_eq!(tick(&mut situation, &place, 2.5).change, Some(Change::Place(IVec3::new(0, 0, 2))));
    }

    #[test]
    fn the_slot_stays_until_another_is_chosen() {
        let mut situation = Situation::default();
        assert_eq!(tick(&mut situation, &Action { hotbar: 4, ..Action::default() }, 9.0).slot, 4);
        assert_eq!(tick(&mut situation, &Action::default(), 9.0).slot, 4);
        let used = [true, true, false, true].map(|use_| {
            let action = Action { use_, ..Action::default() };
            tick(&mut situation, &action, 9.0).use_ticks
        });
        assert_eq!(used, [1, 2, 0, 1]);
    }
}
