//! How well a dream follows the truth: rollouts on the validation seeds, scored against the simulator.
//!
//! The dream gets the first frame and the actions, nothing else. Beside it run the same model with its world state off,
//! and the picture of the start held still.

use super::TrainError;
use crate::{Dream, DreamOptions, folder::ModelFolder};
use holdfast_sim::{
    Action, Camera, Depth, Frame, Pose, Start, World,
    script::Policy,
    seeds,
    voxel::{render::View, world::VoxelWorld},
};
use serde::Serialize;
use std::{
    ops::Range,
    sync::atomic::{AtomicBool, Ordering},
};

/// Ticks at which a rollout is scored.
pub const SCORED_TICKS: [u64; 4] = [1, 10, 20, 40];
/// Looking away: ticks of turning by [`TURN_DEG`], then of standing, then of turning back.
const TURN_TICKS: u64 = 6;
const AWAY_TICKS: u64 = 20;
const TURN_DEG: f32 = 30.0;

/// Mean PSNR against the truth over the seeds, dB, of the three that are compared.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct Scores {
    pub dream: f64,
    pub memory_off: f64,
    pub start_frame: f64,
}

/// One scored tick.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TickScores {
    pub tick: u64,
    /// Over all pixels.
    pub all_db: Scores,
    /// Over the pixels whose surface an earlier frame had shown.
    pub seen_db: Scores,
    /// Mean share of such pixels.
    pub seen_share: f64,
    /// Over the pixels whose surface the start frame had shown: all of the truth that the dream was ever given.
    pub shown_db: Scores,
    pub shown_share: f64,
}

/// Truth beside dream at one tick, for people to look at.
#[derive(Debug, Clone)]
pub struct StripColumn {
    pub seed: u64,
    pub tick: u64,
    pub truth: Frame,
    pub dream: Frame,
    pub memory_off: Frame,
}

/// What a validation found.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Validation {
    pub seeds: u64,
    /// Mixed actions.
    pub rollout: Vec<TickScores>,
    /// Back from a look the other way.
    pub turn_away: Option<TickScores>,
    /// Mean distance of the dream's position from the true one after the longest rollout, blocks.
    pub position_error_blocks: f64,
    #[serde(skip)]
    pub rollout_strips: Vec<StripColumn>,
    #[serde(skip)]
    pub turn_away_strips: Vec<StripColumn>,
}

/// What the truth shows during a rollout.
struct TruthFilm {
    views: Vec<View>,
    poses: Vec<Pose>,
}

impl TruthFilm {
    fn new(seed: u64, camera: Camera, actions: &[Action]) -> TruthFilm {
        let mut world = VoxelWorld::new(camera);
        world.reset_seed(seed);
        let (mut views, mut poses) = (Vec::new(), Vec::new());
        for tick in 0..=actions.len() {
            if tick > 0 {
                world.tick(&actions[tick - 1]);
            }
            let mut view = View::new(camera.width, camera.height);
            world.view(&camera, &mut view);
            views.push(view);
            poses.push(world.pose());
        }
        TruthFilm { views, poses }
    }

    fn strip_column(&self, seed: u64, tick: usize, dream: &[Frame], memory_off: &[Frame]) -> StripColumn {
        StripColumn {
            seed,
            tick: tick as u64,
            truth: self.views[tick].frame.clone(),
            dream: dream[tick].clone(),
            memory_off: memory_off[tick].clone(),
        }
    }

    /// Which pixels of a tick show a surface that one of the `earlier` frames had shown: the point lands in that frame
    /// at that frame's own depth.
    fn seen_before(&self, camera: &Camera, tick: usize, earlier: Range<usize>) -> Vec<bool> {
        let pose = self.poses[tick];
        let axes = pose.axes();
        let mut seen = vec![false; camera.width * camera.height];
        let earlier: Vec<_> =
            earlier.map(|at| (self.poses[at], self.poses[at].axes(), &self.views[at].depth)).collect();
        for (at, seen) in seen.iter_mut().enumerate() {
            let blocks = self.views[tick].depth.blocks[at];
            if blocks >= Depth::SKY {
                continue;
            }
            let point = pose.eye() + camera.ray(&axes, at % camera.width, at / camera.width).normalize() * blocks;
            *seen = earlier.iter().any(|(pose, axes, depth)| {
                let from_eye = point - pose.eye();
                let Some((x, y, _)) = camera.project(axes, from_eye) else { return false };
                let inside = x >= 0.0 && y >= 0.0 && x < camera.width as f32 && y < camera.height as f32;
                inside && {
                    let there = depth.blocks[y as usize * camera.width + x as usize];
                    (there - from_eye.length()).abs() < 0.05 * there + 0.1
                }
            });
        }
        seen
    }
}

/// Sums over seeds of the three contenders' PSNR on some of the pixels.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    db: [f64; 3],
    count: f64,
    share: f64,
    seeds: f64,
}

/// A seed counts for a part of the pixels when at least this share of them belongs to it.
const LEAST_SHARE: f64 = 0.02;

impl Sums {
    fn add(&mut self, truth: &Frame, contenders: [&Frame; 3], keep: impl Fn(usize) -> bool) {
        let pixels = truth.width * truth.height;
        let share = (0..pixels).filter(|&pixel| keep(pixel)).count() as f64 / pixels as f64;
        self.seeds += 1.0;
        self.share += share;
        if share < LEAST_SHARE {
            return;
        }
        self.count += 1.0;
        for (sum, frame) in self.db.iter_mut().zip(contenders) {
            *sum += truth.psnr_db_where(frame, &keep).unwrap_or(0.0).min(60.0);
        }
    }

    fn scores(&self) -> Scores {
        let [dream, memory_off, start_frame] = self.db.map(|sum| sum / self.count.max(1.0));
        Scores { dream, memory_off, start_frame }
    }

    fn share(&self) -> f64 {
        self.share / self.seeds.max(1.0)
    }
}

/// The three sets of pixels that are scored at one tick.
#[derive(Debug, Clone, Copy, Default)]
struct TickSums {
    all: Sums,
    seen: Sums,
    shown: Sums,
}

impl TickSums {
    fn add(&mut self, film: &TruthFilm, camera: &Camera, tick: usize, dream: &Frame, memory_off: &Frame) {
        let contenders = [dream, memory_off, &film.views[0].frame];
        let truth = &film.views[tick].frame;
        let (seen, shown) = (film.seen_before(camera, tick, 0..tick), film.seen_before(camera, tick, 0..1));
        self.all.add(truth, contenders, |_| true);
        self.seen.add(truth, contenders, |pixel| seen[pixel]);
        self.shown.add(truth, contenders, |pixel| shown[pixel]);
    }

    fn scores(&self, tick: u64) -> TickScores {
        TickScores {
            tick,
            all_db: self.all.scores(),
            seen_db: self.seen.scores(),
            seen_share: self.seen.share(),
            shown_db: self.shown.scores(),
            shown_share: self.shown.share(),
        }
    }
}

/// The actions of the look away and back.
pub fn look_away() -> Vec<Action> {
    let turn =
        |yaw_deg: f32, ticks: u64| (0..ticks).map(move |_| Action { camera: [0.0, yaw_deg], ..Action::default() });
    turn(TURN_DEG, TURN_TICKS).chain(turn(0.0, AWAY_TICKS)).chain(turn(-TURN_DEG, TURN_TICKS)).collect()
}

/// Rolls out on each seed, with the memory and without it, and scores. Stops early, with what is done, when `stop` is set.
///
/// # Errors
/// If the seeds are not validation seeds, or the model fails.
pub fn validate(
    model: &ModelFolder,
    options: DreamOptions,
    seeds: Range<u64>,
    stop: &AtomicBool,
    on_done: &mut dyn FnMut(u64),
) -> Result<Validation, TrainError> {
    if seeds.start < seeds::VALIDATION.start || seeds.end > seeds::VALIDATION.end || seeds.is_empty() {
        return Err(TrainError::ValidationSeeds { from: seeds.start, to: seeds.end });
    }
    let camera = Camera::new(model.config.width, model.config.height);
    let dream = |memory: bool| {
        let options = DreamOptions { memory, ..options };
        let start = Box::new(first_frame);
        Dream::new(model.clone(), options, start).map_err(|error| TrainError::Model(error.to_string()))
    };
    let (mut on, mut off) = (dream(true)?, dream(false)?);
    let longest = SCORED_TICKS[SCORED_TICKS.len() - 1] as usize;
    let mut validation = Validation::default();
    let mut sums = [TickSums::default(); SCORED_TICKS.len()];
    let mut away = TickSums::default();
    for (done, seed) in seeds.enumerate() {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let keep_strip = done < 6;
        let actions: Vec<Action> = Policy::mixed(seed).open_loop(seed).take(longest).collect();
        let film = TruthFilm::new(seed, camera, &actions);
        let (frames, pose) = film_of(&mut on, seed, &actions)?;
        let (frames_off, _) = film_of(&mut off, seed, &actions)?;
        let true_move = film.poses[longest].eye() - film.poses[0].eye();
        // The dream's own axes begin at the start: compare how far it went and how high.
        let (flat, flat_true) =
            (glam::Vec2::new(pose.position[0], pose.position[2]), glam::Vec2::new(true_move.x, true_move.z));
        let height = pose.position[1] - true_move.y;
        validation.position_error_blocks += f64::from((flat.length() - flat_true.length()).hypot(height));
        for (sums, tick) in sums.iter_mut().zip(SCORED_TICKS) {
            let at = tick as usize;
            sums.add(&film, &camera, at, &frames[at], &frames_off[at]);
        }
        if keep_strip {
            for tick in [0, 1, 5, 10, 20, 30, 40] {
                validation.rollout_strips.push(film.strip_column(seed, tick, &frames, &frames_off));
            }
        }

        let actions = look_away();
        let film = TruthFilm::new(seed, camera, &actions);
        let (frames, _) = film_of(&mut on, seed, &actions)?;
        let (frames_off, _) = film_of(&mut off, seed, &actions)?;
        let last = actions.len();
        away.add(&film, &camera, last, &frames[last], &frames_off[last]);
        if keep_strip {
            for tick in [0, 2, 4, 6, 16, 26, 28, 30, 32] {
                validation.turn_away_strips.push(film.strip_column(seed, tick, &frames, &frames_off));
            }
        }
        validation.seeds += 1;
        on_done(validation.seeds);
    }
    validation.position_error_blocks /= validation.seeds.max(1) as f64;
    validation.rollout = sums.iter().zip(SCORED_TICKS).map(|(sums, tick)| sums.scores(tick)).collect();
    validation.turn_away = Some(away.scores(look_away().len() as u64));
    Ok(validation)
}

/// The frames of a dream under the actions (index 0 is the start), and its pose at the end.
fn film_of(dream: &mut Dream, seed: u64, actions: &[Action]) -> Result<(Vec<Frame>, Pose), TrainError> {
    let fail = |error: holdfast_sim::WorldError| TrainError::Model(error.to_string());
    let mut last = dream.reset(&Start::Seed(seed)).map_err(fail)?;
    let mut frames = vec![last.frame.clone()];
    for action in actions {
        last = dream.step(action).map_err(fail)?;
        frames.push(last.frame.clone());
    }
    Ok((frames, last.pose))
}

/// The first frame of the simulator's world of a seed and the pose it is seen from: all that a dream gets of it.
pub fn first_frame(seed: u64, camera: Camera) -> (Frame, Pose) {
    let mut world = VoxelWorld::new(camera);
    world.reset_seed(seed);
    let mut view = View::new(camera.width, camera.height);
    world.view(&camera, &mut view);
    (view.frame, world.pose())
}
