//! The inverse dynamics reader: from neighbouring frames to the keys and the turn of the camera that lie between them.
//!
//! How the camera moved is measured ([`EgoMotion`]); which keys move it so is learnt, by small classifiers, from true
//! frames of training seeds alone. As the block reader it is frozen for the camera that models are probed through, and
//! trained on the spot for others. Probes print how well it reads true frames beside each score that uses it.

mod ego_motion;
mod keys;
mod pyramid;

pub use ego_motion::EgoMotion;
pub use keys::{Held, Key, held};

use super::{
    Film, Scene,
    perceptron::{Perceptron, Sample},
    reader::{FROZEN_CAMERA, training_seeds},
};
use holdfast_sim::{Action, Camera, Frame, script::Policy, voxel::world::VoxelWorld};
use rayon::prelude::*;
use std::{borrow::Cow, collections::BTreeMap};

/// The weights for [`FROZEN_CAMERA`].
const FROZEN: &[u8] = include_bytes!("frozen.f16");
/// Worlds of which a reader is trained on the spot, and ticks of each.
const WORLDS: u64 = 48;
const TICKS: usize = 96;
const ROUNDS: usize = 15;
/// A key in a tick is read from the motion of this tick and of so many before and after.
const REACH: usize = 2;
/// Numbers of a motion.
const PARTS: usize = 10;
const INPUTS: usize = (2 * REACH + 1) * PARTS;
const HIDDEN: [usize; 2] = [64, 32];
/// A motion can be read where this share of the truth's pixels shows a surface within [`NEAR_BLOCKS`].
const LEAST_SURFACE: f32 = 0.2;
const NEAR_BLOCKS: f32 = 16.0;
/// Faster turns leave too little of a frame in the next.
const MOST_TURN_DEG: f32 = 20.0;
/// In the second half of a film the view is turned down by this much: there the hands have something in reach.
const LOOK_DOWN_DEG: f32 = 36.0;
const LOOK_DOWN_TICKS: usize = 3;
const BREAK_TICKS: usize = 10;
const PLACE_TICKS: usize = 8;
const PLACE_EVERY: usize = 4;

/// Opposed keys share a classifier: neither, the first, the second.
type Either = Perceptron<INPUTS, 3>;
type Single = Perceptron<INPUTS, 2>;

/// A trained reader.
#[derive(Debug, Clone)]
pub struct InverseDynamics {
    along: Either,
    aside: Either,
    /// From [`Key::Jump`] on.
    others: [Single; Key::COUNT - 4],
}

/// What was read in a tick.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reading {
    pub held: [bool; Key::COUNT],
    /// `[pitch_deg, yaw_deg]`
    pub turn_deg: [f32; 2],
}

/// Random keys and turns. From the middle on the view is lowered, and the hands work: they break for a while, then
/// place.
pub fn random_actions(seed: u64, ticks: usize) -> Vec<Action> {
    let mut actions: Vec<Action> = Policy::Random.open_loop(seed).take(ticks).collect();
    let down = LOOK_DOWN_DEG / LOOK_DOWN_TICKS as f32;
    let hands = actions[ticks / 2..].iter_mut().enumerate();
    for (at, action) in hands {
        if at < LOOK_DOWN_TICKS {
            *action = Action { camera: [down, 0.0], ..Action::default() };
        } else {
            let at = (at - LOOK_DOWN_TICKS) % (BREAK_TICKS + PLACE_TICKS);
            action.attack = at < BREAK_TICKS;
            action.use_ = at >= BREAK_TICKS && at.is_multiple_of(PLACE_EVERY);
        }
    }
    actions
}

/// At which ticks the truth's view says how the eye moves.
pub fn can_be_seen(scene: &Scene, film: &Film) -> Vec<bool> {
    let shows = |tick: usize| {
        let blocks = &film.shots[&tick].view.depth.blocks;
        blocks.iter().filter(|&&blocks| blocks < NEAR_BLOCKS).count() as f32 >= LEAST_SURFACE * blocks.len() as f32
    };
    let slow = |action: &Action| action.camera.iter().all(|turn| turn.abs() <= MOST_TURN_DEG);
    let seen = |(at, action)| slow(action) && shows(at) && shows(at + 1);
    scene.actions.iter().enumerate().map(seen).collect()
}

/// The motion of every tick, as the frames show it; the first is that of tick 1.
pub fn motions(film: &Film, frames: &BTreeMap<usize, Frame>) -> Vec<EgoMotion> {
    let between = |tick: usize| {
        let shot = &film.shots[&(tick - 1)];
        let (from, to) = (&frames[&(tick - 1)], &frames[&tick]);
        EgoMotion::between(film.camera, from, to, &shot.view.depth, shot.pose.pitch_deg)
    };
    (1..frames.len()).map(between).collect()
}

/// The classifiers' inputs for the tick whose motion is `motions[at]`.
fn inputs(motions: &[EgoMotion], at: usize) -> [f32; INPUTS] {
    let mut inputs = [0.0; INPUTS];
    for (place, part) in inputs.chunks_exact_mut(PARTS).enumerate() {
        let Some(motion) = (at + place).checked_sub(REACH).and_then(|at| motions.get(at)) else { continue };
        let step = motion.step_blocks * 8.0;
        part.copy_from_slice(&[
            step.x,
            step.y,
            step.z,
            motion.turn_deg[0] * 0.1,
            motion.turn_deg[1] * 0.1,
            step.x.hypot(step.z),
            (motion.left_in_middle * 0.2).min(4.0),
            (motion.brighter_in_middle * 0.2).clamp(-4.0, 4.0),
            (motion.left * 0.2).min(4.0),
            1.0 - motion.overlap,
        ]);
    }
    inputs
}

/// A key's class among those that share its classifier, and what the others must be for it to count.
fn class_of(held: &Held, first: Key, second: Key) -> Option<usize> {
    Some(match (held[first as usize]?, held[second as usize]?) {
        (true, _) => 1,
        (_, true) => 2,
        _ => 0,
    })
}

impl InverseDynamics {
    /// The frozen reader, if it is of this camera; otherwise one that is trained now, in some seconds.
    pub fn of(camera: Camera) -> InverseDynamics {
        if camera != FROZEN_CAMERA {
            return Self::train(camera, WORLDS);
        }
        Self::take(&mut &FROZEN[..]).expect("a test reads with what is part of the program")
    }

    fn take(bytes: &mut &[u8]) -> Option<InverseDynamics> {
        let along = Perceptron::take(&HIDDEN, bytes)?;
        let aside = Perceptron::take(&HIDDEN, bytes)?;
        let mut single = || Perceptron::take(&HIDDEN, bytes);
        Some(InverseDynamics { along, aside, others: [single()?, single()?, single()?] })
    }

    /// The weights as they are kept.
    pub fn to_bytes(&self) -> Vec<u8> {
        let others = self.others.iter().map(Perceptron::to_bytes);
        [self.along.to_bytes(), self.aside.to_bytes()].into_iter().chain(others).flatten().collect()
    }

    /// BLAKE3 of the weights, hexadecimal.
    pub fn hash(&self) -> String {
        blake3::hash(&self.to_bytes()).to_hex().to_string()
    }

    /// Trains on frames of the simulator's training seeds.
    pub fn train(camera: Camera, worlds: u64) -> InverseDynamics {
        let lessons: Vec<Lesson> =
            training_seeds(worlds).into_par_iter().flat_map_iter(|seed| lessons_of(camera, seed)).collect();
        let mirrored: Vec<Lesson> = lessons.iter().map(Lesson::mirrored).collect();
        let samples = |class: &dyn Fn(&Held) -> Option<usize>| -> Vec<Sample<INPUTS>> {
            let sample = |lesson: &Lesson| Some(Sample { inputs: lesson.inputs, class: class(&lesson.held)? });
            lessons.iter().chain(&mirrored).filter_map(sample).collect()
        };
        let either = |first, second| {
            let samples = samples(&|held| class_of(held, first, second));
            Either::train(&HIDDEN, ROUNDS, |_| Cow::Borrowed(&samples[..]))
        };
        let single = |at: usize| {
            let samples = samples(&|held| held[at + 4].map(usize::from));
            Single::train(&HIDDEN, ROUNDS, |_| Cow::Borrowed(&samples[..]))
        };
        InverseDynamics {
            along: either(Key::Forward, Key::Back),
            aside: either(Key::Left, Key::Right),
            others: std::array::from_fn(single),
        }
    }

    /// Reads the tick whose motion is `motions[at]`.
    pub fn read(&self, motions: &[EgoMotion], at: usize) -> Reading {
        let inputs = inputs(motions, at);
        let mut held = [false; Key::COUNT];
        for (either, first) in [(&self.along, Key::Forward), (&self.aside, Key::Left)] {
            let found = likeliest(&either.log_probabilities(&inputs));
            (held[first as usize], held[first as usize + 1]) = (found == 1, found == 2);
        }
        for (held, single) in held[4..].iter_mut().zip(&self.others) {
            *held = likeliest(&single.log_probabilities(&inputs)) == 1;
        }
        Reading { held, turn_deg: motions[at].turn_deg }
    }
}

fn likeliest(logs: &[f32]) -> usize {
    (0..logs.len()).max_by(|&a, &b| logs[a].total_cmp(&logs[b])).unwrap_or(0)
}

/// A tick to learn from.
struct Lesson {
    inputs: [f32; INPUTS],
    held: Held,
}

impl Lesson {
    /// The same in a mirror: what goes left goes right.
    fn mirrored(&self) -> Lesson {
        let (mut inputs, mut held) = (self.inputs, self.held);
        for part in inputs.chunks_exact_mut(PARTS) {
            (part[0], part[4]) = (-part[0], -part[4]);
        }
        held.swap(Key::Left as usize, Key::Right as usize);
        Lesson { inputs, held }
    }
}

fn lessons_of(camera: Camera, seed: u64) -> Vec<Lesson> {
    let mut start = VoxelWorld::new(camera);
    start.reset_seed(seed);
    start.clear_animals();
    let scene = Scene { start, actions: random_actions(seed, TICKS) };
    let film = scene.film(&(0..=TICKS).collect::<Vec<_>>());
    let frames = film.shots.iter().map(|(&tick, shot)| (tick, shot.view.frame.clone())).collect();
    let motions = motions(&film, &frames);
    let lessons = held(&scene).into_iter().zip(can_be_seen(&scene, &film)).enumerate();
    lessons
        .filter(|(_, (_, seen))| *seen)
        .map(|(at, (held, _))| Lesson { inputs: inputs(&motions, at), held })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::seeds;

    #[track_caller]
    fn reads(reader: &InverseDynamics, camera: Camera, least_share: f64) {
        let (mut right, mut all) = (0u32, 0u32);
        for seed in seeds::VALIDATION.start + 600..seeds::VALIDATION.start + 604 {
            for lesson in lessons_of(camera, seed) {
                let found = likeliest(&reader.along.log_probabilities(&lesson.inputs));
                if let Some(class) = class_of(&lesson.held, Key::Forward, Key::Back) {
                    (right, all) = (right + u32::from(found == class), all + 1);
                }
            }
        }
        assert!(all > 160 && f64::from(right) > f64::from(all) * least_share, "{right} of {all}");
    }

    #[test]
    fn the_frozen_one_reads_true_frames_of_seeds_that_it_never_saw() {
        reads(&InverseDynamics::of(FROZEN_CAMERA), FROZEN_CAMERA, 0.9);
    }

    #[test]
    fn one_for_another_camera_learns_to_read() {
        let camera = Camera::new(64, 40);
        reads(&InverseDynamics::train(camera, 16), camera, 0.7);
    }

    #[test]
    fn it_is_the_same_every_time() {
        let make = || InverseDynamics::train(Camera::new(48, 27), 2).hash();
        assert_eq!(make(), make());
    }

    #[test]
    fn a_mirror_swaps_left_and_right_and_back_again() {
        let lesson = lessons_of(Camera::new(48, 27), 3).swap_remove(5);
        let there = lesson.mirrored();
        assert_eq!(there.held[Key::Left as usize], lesson.held[Key::Right as usize]);
        let back = there.mirrored();
        assert_eq!((back.inputs, back.held), (lesson.inputs, lesson.held));
    }
}
