//! Where trials are run: one scene, one role, one rollout.

use super::{Film, ProbeError, Role, Scene, Subject, inverse::InverseDynamics, reader::BlockReader};
use holdfast_sim::{Frame, Observation, Pose, Start, World, WorldError};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
};

/// What a probe works with.
pub struct Lab<'a> {
    pub subject: &'a dyn Subject,
    pub reader: &'a BlockReader,
    pub inverse: &'a InverseDynamics,
    /// Floors and ceilings are run on one of so many seeds.
    pub floors_every: u64,
    /// Controls, on one of so many of these: they cost as much as all else, and need fewer trials to be seen to fall.
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
    /// The roles of a seed's trials.
    pub fn roles(&self, seed: u64) -> &'static [Role] {
        let has_controls = self.has_floor(seed) && is_drawn(seed / self.floors_every.max(1), self.controls_every);
        if has_controls { &Role::ALL } else { self.scored(seed) }
    }

    /// The same without the controls.
    pub fn scored(&self, seed: u64) -> &'static [Role] {
        if self.has_floor(seed) { &Role::SCORED } else { &Role::ALONE }
    }

    /// Whether floor and ceiling are run on a seed.
    pub fn has_floor(&self, seed: u64) -> bool {
        is_drawn(seed, self.floors_every)
    }

    /// Rolls a scene out in a role; `None` where the subject has no such role and nothing stands for it.
    ///
    /// Where the subject has no memory to switch, its floor is the picture of the start held still and its ceiling is
    /// the truth.
    pub fn rollout(&self, role: Role, scene: &Scene, film: &Film) -> Result<Option<Rollout>, ProbeError> {
        if let Some(mut world) = self.subject.world(role, scene)? {
            let mut rollout = Rollout::default();
            rollout.keep(0, film, &begin(world.as_mut(), scene, film)?);
            self.go_on(world.as_mut(), 0, scene, film, &mut rollout)?;
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

    /// Rolls out scenes of one start, each as [`Lab::rollout`] does. What their actions have in common with those of the
    /// longest is rolled out once, where the world can come back to a moment.
    pub fn rollouts(&self, role: Role, cases: &[(&Scene, &Film)]) -> Result<Vec<Option<Rollout>>, ProbeError> {
        let apart = || cases.iter().map(|(scene, film)| self.rollout(role, scene, film)).collect();
        let Some(&(trunk, film)) = cases.iter().max_by_key(|(scene, _)| scene.last()) else { return Ok(Vec::new()) };
        let Some(mut world) = self.subject.world(role, trunk)? else { return apart() };
        let mut last = begin(world.as_mut(), trunk, film)?;
        if cases.len() < 2 || world.moment().is_none() {
            return apart();
        }
        let common = |scene: &Scene| scene.actions.iter().zip(&trunk.actions).take_while(|(own, of)| own == of).count();
        let mut rollouts: Vec<Rollout> = cases.iter().map(|_| Rollout::default()).collect();
        for tick in 0..=trunk.last() {
            if tick > 0 {
                last = self.step(world.as_mut(), tick, trunk, &mut Rollout::default())?;
            }
            for ((scene, film), rollout) in cases.iter().zip(&mut rollouts) {
                let parts_at = common(scene);
                if tick <= parts_at {
                    rollout.keep(tick, film, &last);
                }
                if tick == parts_at && tick < trunk.last() {
                    let here = world.moment().ok_or(WorldError::NoWayBack)?;
                    self.go_on(world.as_mut(), tick, scene, film, rollout)?;
                    world.go_back(&here)?;
                }
            }
        }
        Ok(rollouts.into_iter().map(Some).collect())
    }

    /// Steps a world from a tick of a scene to its end.
    fn go_on(
        &self,
        world: &mut dyn World,
        from: usize,
        scene: &Scene,
        film: &Film,
        rollout: &mut Rollout,
    ) -> Result<(), ProbeError> {
        for tick in from + 1..=scene.last() {
            let seen = self.step(world, tick, scene, rollout)?;
            rollout.keep(tick, film, &seen);
        }
        Ok(())
    }

    fn step(
        &self,
        world: &mut dyn World,
        tick: usize,
        scene: &Scene,
        rollout: &mut Rollout,
    ) -> Result<Observation, ProbeError> {
        if self.stop.load(Ordering::Relaxed) {
            return Err(ProbeError::Stopped);
        }
        let begun = std::time::Instant::now();
        let seen = world.step(&scene.actions[tick - 1])?;
        rollout.step_ms.push(begun.elapsed().as_secs_f32() * 1e3);
        Ok(seen)
    }
}

/// Whether a number is the one that is drawn of its run of `of`. Scenes vary with the low bits of their seed, so it is in
/// another place of each run, as evenly as multiples of the golden ratio are spread.
fn is_drawn(number: u64, of: u64) -> bool {
    let of = of.max(1);
    let share = (number / of).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32;
    number % of == (share * of) >> 32
}

/// Gives a world the picture of a scene's start.
fn begin(world: &mut dyn World, scene: &Scene, film: &Film) -> Result<Observation, WorldError> {
    world.reset(&Start::Image(film.frame(0).clone(), Some(scene.start.pose())))
}

impl Rollout {
    /// Keeps what was seen at a tick that the film asks about.
    fn keep(&mut self, tick: usize, film: &Film, seen: &Observation) {
        if film.shots.contains_key(&tick) {
            self.frames.insert(tick, seen.frame.clone());
            self.poses.insert(tick, seen.pose);
        }
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
    use crate::{
        DreamOptions, ModelConfig,
        folder::ModelFolder,
        probe::{Dreamer, Plan, stage},
    };

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

    #[test]
    fn what_scenes_have_in_common_is_rolled_out_once_and_changes_nothing() {
        let config = ModelConfig { width: 32, height: 24, d_model: 32, heads: 1, layers: 1, ..ModelConfig::default() };
        let subject = Dreamer { model: ModelFolder::untrained(config, 3), options: DreamOptions::default() };
        let camera = subject.camera();
        let (reader, inverse) = (BlockReader::train(camera, 1, 1), InverseDynamics::train(camera, 1));
        let stop = AtomicBool::new(false);
        let lab = Lab {
            subject: &subject,
            reader: &reader,
            inverse: &inverse,
            floors_every: 4,
            controls_every: 2,
            stop: &stop,
        };
        let start = stage::natural(subject.camera(), 1_000_001);
        let scenes = [2, 5, 9].map(|stay| {
            let mut plan = Plan::new(&start);
            plan.turn([0.0, 60.0]);
            plan.rest(stay);
            plan.turn([0.0, -50.0]);
            Scene { start: start.clone(), actions: plan.actions }
        });
        let films = scenes.each_ref().map(|scene| scene.film(&[3]));
        let cases: Vec<_> = scenes.iter().zip(&films).collect();
        for role in [Role::Subject, Role::MemoryOff, Role::Truth, Role::MemoryShuffled] {
            let together = lab.rollouts(role, &cases).expect("it can be rolled out");
            for ((scene, film), together) in cases.iter().zip(together) {
                let apart = lab.rollout(role, scene, film).expect("it can be rolled out").expect("it has this role");
                let together = together.expect("it has this role");
                assert_eq!(together.frames, apart.frames, "{role:?}");
                assert_eq!(together.poses, apart.poses, "{role:?}");
            }
        }
        let mut roles: Vec<usize> = (1_000_000..1_000_008).map(|seed| lab.roles(seed).len()).collect();
        roles.sort_unstable();
        assert_eq!(roles, [2, 2, 2, 2, 2, 2, 4, 7]);
    }

    #[test]
    fn one_seed_of_each_run_is_drawn_in_another_place_each_time() {
        for first in [2_000_000, 2_500_000] {
            let drawn: Vec<u64> = (first..first + 200).filter(|&seed| is_drawn(seed, 4)).collect();
            assert_eq!(drawn.len(), 50);
            let controls = drawn.iter().filter(|&&seed| is_drawn(seed / 4, 2));
            assert_eq!(controls.clone().count(), 25);
            // Half of them, whichever bit of the seed decides on the scene.
            for bit in 0..3 {
                let of = |seeds: &mut dyn Iterator<Item = &u64>| seeds.filter(|&&seed| seed >> bit & 1 == 1).count();
                let (all, controls) = (of(&mut drawn.iter()), of(&mut controls.clone()));
                assert!((20..=30).contains(&all) && (9..=16).contains(&controls), "{first} {bit}: {all}, {controls}");
            }
        }
        assert!((0..9).all(|seed| is_drawn(seed, 1) && is_drawn(seed, 0)));
    }
}
