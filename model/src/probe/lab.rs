//! Where trials are run: one scene, one role, one rollout.

use super::{Film, ProbeError, Role, Scene, Subject, inverse::InverseDynamics, reader::BlockReader};
use holdfast_sim::{Frame, Pose, Start};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

/// What a probe works with.
pub struct Lab<'a> {
    pub subject: &'a dyn Subject,
    pub reader: &'a BlockReader,
    /// There when one of the probes reads keys.
    pub inverse: Option<&'a InverseDynamics>,
    /// Controls run on every so-many-th seed: they cost as much as all else, and need fewer trials to be seen to fall.
    pub controls_every: u64,
    /// Ends a rollout at the next tick.
    pub stop: &'a AtomicBool,
}

impl std::fmt::Debug for Lab<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lab").field("subject", &self.subject.name()).finish_non_exhaustive()
    }
}

/// What a world showed at the ticks that were asked about.
#[derive(Debug, Clone, Default)]
pub struct Rollout {
    pub frames: BTreeMap<usize, Frame>,
    /// The world's own poses: compared with the truth, never with themselves.
    pub poses: BTreeMap<usize, Pose>,
    /// Wall clock of each step.
    pub step_ms: Vec<f32>,
}

impl Lab<'_> {
    /// The inverse dynamics reader.
    ///
    /// # Panics
    /// If none of the suite's probes says that it reads keys.
    pub fn inverse(&self) -> &InverseDynamics {
        self.inverse.expect("the probe says that it reads keys")
    }

    /// The roles of a seed's trials.
    pub fn roles(&self, seed: u64) -> &'static [Role] {
        if seed.is_multiple_of(self.controls_every.max(1)) { &Role::ALL } else { &Role::SCORED }
    }

    /// Rolls a scene out in a role; `None` where the subject has no such role and nothing stands for it.
    ///
    /// Where the subject has no memory to switch, its floor is the picture of the start held still and its ceiling is
    /// the truth.
    pub fn rollout(&self, role: Role, scene: &Scene, film: &Film) -> Result<Option<Rollout>, ProbeError> {
        if let Some(mut world) = self.subject.world(role, scene)? {
            let mut rollout = Rollout::default();
            let mut last = world.reset(&Start::Image(film.frame(0).clone(), Some(scene.start.pose())))?;
            for tick in 0..=scene.last() {
                if self.stop.load(Ordering::Relaxed) {
                    return Err(ProbeError::Stopped);
                }
                if tick > 0 {
                    let begun = std::time::Instant::now();
                    last = world.step(&scene.actions[tick - 1])?;
                    rollout.step_ms.push(begun.elapsed().as_secs_f32() * 1e3);
                }
                if film.shots.contains_key(&tick) {
                    rollout.frames.insert(tick, last.frame.clone());
                    rollout.poses.insert(tick, last.pose);
                }
            }
            return Ok(Some(rollout));
        }
        let frame_at = |tick| match role {
            Role::Truth | Role::MemoryTrue => Some(film.frame(tick).clone()),
            Role::CopyLastFrame | Role::MemoryOff => Some(film.frame(0).clone()),
            _ => None,
        };
        let frames: BTreeMap<_, _> = film.shots.keys().filter_map(|&tick| Some((tick, frame_at(tick)?))).collect();
        let pose_at = |tick| {
            if matches!(role, Role::CopyLastFrame | Role::MemoryOff) {
                film.shots[&0].pose
            } else {
                film.shots[&tick].pose
            }
        };
        let poses = film.shots.keys().map(|&tick| (tick, pose_at(tick))).collect();
        Ok((!frames.is_empty()).then_some(Rollout { frames, poses, step_ms: Vec::new() }))
    }
}

/// Two colours this far apart in any channel are told apart.
const CLEAR_DIFFERENCE: u8 = 12;
/// A choice needs this many pixels that tell the answers apart.
pub const LEAST_PIXELS: usize = 40;

/// The pixels that tell two pictures apart.
pub fn different_pixels(a: &Frame, b: &Frame) -> Vec<usize> {
    let pixels = a.rgb.chunks_exact(3).zip(b.rgb.chunks_exact(3)).enumerate();
    let clear = |a: &[u8], b: &[u8]| a.iter().zip(b).any(|(&a, &b)| a.abs_diff(b) >= CLEAR_DIFFERENCE);
    pixels.filter(|(_, (a, b))| clear(a, b)).map(|(pixel, _)| pixel).collect()
}

/// Squared error over some pixels.
pub fn error_on(frame: &Frame, truth: &Frame, pixels: &[usize]) -> f64 {
    let one = |at: usize| (f64::from(frame.rgb[at]) - f64::from(truth.rgb[at])).powi(2);
    pixels.iter().map(|&pixel| (0..3).map(|channel| one(pixel * 3 + channel)).sum::<f64>()).sum()
}

/// A two-way choice: 1 if the frame is nearer to `right` than to `wrong` on these pixels, 0 if not, 0.5 for a tie.
pub fn choice(frame: &Frame, right: &Frame, wrong: &Frame, pixels: &[usize]) -> f64 {
    let (to_right, to_wrong) = (error_on(frame, right, pixels), error_on(frame, wrong, pixels));
    match to_right.total_cmp(&to_wrong) {
        std::cmp::Ordering::Less => 1.0,
        std::cmp::Ordering::Equal => 0.5,
        std::cmp::Ordering::Greater => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_goes_to_the_nearer() {
        let grey = |value: u8| Frame { width: 2, height: 1, rgb: vec![value; 6] };
        let pixels = different_pixels(&grey(0), &grey(100));
        assert_eq!(pixels, [0, 1]);
        assert!(different_pixels(&grey(0), &grey(CLEAR_DIFFERENCE - 1)).is_empty());
        for (value, expected) in [(10, 1.0), (50, 0.5), (90, 0.0)] {
            assert_eq!(choice(&grey(value), &grey(0), &grey(100), &pixels), expected);
        }
    }
}
