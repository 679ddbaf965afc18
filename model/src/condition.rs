//! What the denoiser is told beside pixels: noise level, action, motion, what is in hand, and the light around.

use crate::{ambience::Ambience, deed::Change, exposure::Exposure};
use glam::IVec3;
use holdfast_sim::{Action, Pose};

/// The condition of one evaluation, before it is turned into features.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Condition {
    pub action: Action,
    /// Slot in hand, 1 to 9.
    pub slot: u8,
    /// Ticks for which attack has been held on the same target, this one included.
    pub attack_ticks: u32,
    /// Ticks for which use has been held, this one included.
    pub use_ticks: u32,
    /// The pose from which the frame is seen, among the blocks.
    pub pose: Pose,
    /// What the hand is about to change; it is told in pixels ([`crate::layout::input::CHANGE`]).
    pub change: Option<Change>,
    /// Whether that comes about in this tick; `None`: the finished frame will tell.
    pub due: Option<bool>,
    /// A pane of glass that the hand sets here in this tick. The denoiser is told that nothing comes about: panes are not its
    /// to draw.
    pub pane: Option<IVec3>,
    /// Stage of the crack on the block that is to break and does not yet; `None` where that is not known.
    pub crack_stage: Option<u8>,
    /// Slices that were gone of the cake that is bitten; `None` where that is not known.
    pub eaten: Option<u8>,
    /// Blocks moved during this tick: right, up, forward of the player's heading.
    pub moved_blocks: [f32; 3],
    /// Colours of the sky and the ground so far.
    pub ambience: Ambience,
    /// How the pixels' colours are told.
    pub exposure: Exposure,
    /// Signal level of the noised frame: 0 is pure noise, 1 the clean frame.
    pub signal_level: f32,
}

impl Condition {
    const LEVEL_FEATURES: usize = 16;
    /// Ticks of attack and of use that have a feature each.
    const ATTACK_FEATURES: u32 = 33;
    const USE_FEATURES: u32 = 8;
    /// Length of [`Condition::features`].
    pub const FEATURES: usize = 9
        + 2
        + 9
        + (Self::ATTACK_FEATURES + Self::USE_FEATURES) as usize
        + 2
        + 2
        + 3
        + Ambience::FEATURES
        + Self::LEVEL_FEATURES
        + 1;

    /// What the world state told of the light is left out.
    pub fn without_ambience(self) -> Condition {
        Condition { ambience: Ambience::default(), exposure: Exposure::default(), ..self }
    }

    /// The features that the network reads, each about -1..1.
    pub fn features(&self) -> [f32; Self::FEATURES] {
        let mut features = [0.0; Self::FEATURES];
        let mut at = 0;
        let mut put = |value: f32| {
            features[at] = value;
            at += 1;
        };
        let a = &self.action;
        for held in [a.forward, a.back, a.left, a.right, a.jump, a.sneak, a.sprint, a.attack, a.use_] {
            put(f32::from(u8::from(held)));
        }
        put(a.camera[0] / 20.0);
        put(a.camera[1] / 20.0);
        for slot in 1..=9 {
            put(f32::from(u8::from(self.slot == slot)));
        }
        for (ticks, most) in [(self.attack_ticks, Self::ATTACK_FEATURES), (self.use_ticks, Self::USE_FEATURES)] {
            (1..=most).for_each(|tick| put(f32::from(u8::from(ticks == tick))));
            put(ticks.min(40) as f32 / 40.0);
        }
        let (sin, cos) = self.pose.pitch_deg.to_radians().sin_cos();
        put(sin);
        put(cos);
        for moved in self.moved_blocks {
            put(moved * 4.0);
        }
        self.ambience.features().into_iter().for_each(&mut put);
        for index in 0..Self::LEVEL_FEATURES / 2 {
            let angle = self.signal_level * std::f32::consts::PI * (1 << index) as f32 * 0.5;
            put(angle.sin());
            put(angle.cos());
        }
        put(1.0);
        debug_assert_eq!(at, Self::FEATURES);
        features
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Shown;
    use holdfast_sim::{Camera, Depth, Frame};

    #[test]
    fn every_part_changes_the_features() {
        let plain = Condition { slot: 1, ..Condition::default() };
        let mut ambience = Ambience::default();
        let (frame, depth) = (Frame::new(8, 8), Depth::new(8, 8));
        let shown = Shown::given(&frame, &depth, 0);
        ambience.see(&Pose::default(), &Camera::new(8, 8), &shown);
        let others = [
            Condition { slot: 2, ..plain },
            Condition { attack_ticks: 9, ..plain },
            Condition { attack_ticks: 35, ..plain },
            Condition { use_ticks: 1, ..plain },
            Condition { signal_level: 0.5, ..plain },
            Condition { moved_blocks: [0.0, 0.0, 0.2], ..plain },
            Condition { pose: Pose { pitch_deg: 30.0, ..Pose::default() }, ..plain },
            Condition { action: Action { camera: [0.0, 4.0], ..Action::default() }, ..plain },
            Condition { action: Action { use_: true, ..Action::default() }, ..plain },
            Condition { ambience, ..plain },
        ];
        for other in others {
            assert_ne!(other.features(), plain.features(), "{other:?}");
        }
    }
}
