//! The training run: workers, steps, checkpoints, metrics.

use super::{
    Checkpoint, LossSums, TrainConfig, TrainError,
    adversary::{Adversary, Judge, Verdicts},
    loss::loss,
    optimizer::Step,
    stream::{Episode, SampleSlot},
    validate::{Validation, validate},
    write_atomically,
};
use crate::{
    Condition,
    folder::{ModelFolder, write_folder},
    kernel::{Batch, Kernel, Packed, Packing, Passes, Tape},
    layout::{input, output},
    weights::Weights,
};
use holdfast_sim::{Camera, seeds};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::Serialize;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    time::{Duration, Instant},
};

/// How a run is started.
#[derive(Debug, Clone)]
pub struct RunOptions {
    /// Goes on from the checkpoint in `run_dir`.
    pub resume: bool,
    /// A model folder whose weights a new run begins with, in place of fresh ones.
    pub start_from: Option<PathBuf>,
    /// Where checkpoints, metrics and the model of the moment are kept.
    pub run_dir: PathBuf,
    /// Ends the run after this time, as Ctrl-C would.
    pub max_minutes: Option<f64>,
    /// Worker threads; `None` takes all cores.
    pub threads: Option<usize>,
}

/// Where a run stands, reported every few steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Progress {
    pub step: u64,
    pub steps: u64,
    pub samples: u64,
    /// Seconds of training so far, over all resumptions.
    pub seconds: f64,
    pub samples_per_s: f64,
    pub width: usize,
    pub height: usize,
    pub loss: f64,
    /// PSNR of the predicted clean frames, dB, over all noise levels, in training.
    pub psnr_db: f64,
    /// Mean absolute error of the encoded depth.
    pub depth_error: f64,
    pub gradient: f64,
    pub learning_rate: f32,
    pub own_frames: f32,
    /// Loss of the samples on the model's own frames, and their share.
    pub own_loss: f64,
    pub own_samples: f64,
    /// How far the discriminator scores true frames above generated ones, a patch; 0 without one.
    pub lead: f64,
    /// Share of the workers' time that went into making samples; the rest is the network.
    pub data_share: f64,
    /// Seconds that are left at this rate.
    pub left_s: f64,
}

/// What a run reports while it goes on.
#[derive(Debug)]
pub enum Event<'a> {
    Progress(&'a Progress),
    /// The averaged weights of `step` were validated; `dir` is the run's folder, for strips.
    Validated {
        step: u64,
        validation: &'a Validation,
        dir: &'a Path,
    },
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    pub steps: u64,
    pub samples: u64,
    pub seconds: f64,
    /// The model folder with the averaged weights.
    pub model_dir: PathBuf,
    /// All steps of the config are done.
    pub finished: bool,
}

/// Samples that go through the network together: few, so that what passes between layers stays in the caches.
const TOGETHER: usize = 4;
/// Steps between reports.
const REPORT_STEPS: u64 = 20;
/// How much of its past the mean gradient keeps.
const BETA_MEAN: f32 = 0.9;
/// Steps without a finite gradient after which a run gives up.
const MOST_BAD_STEPS: u32 = 20;

/// One thread's part of a step.
struct Worker {
    kernel: Kernel,
    tape: Tape,
    episodes: Vec<Episode>,
    gradients: Weights,
    rng: ChaCha8Rng,
    pixels: Vec<f32>,
    condition: Vec<f32>,
    rgb: Vec<f32>,
    depth: Vec<f32>,
    d_output: Vec<f32>,
    judge: Judge,
    /// Time since the last report: all, and in the episodes.
    busy: Duration,
    in_episodes: Duration,
}

/// What all workers share during a step.
struct Shared<'a> {
    config: &'a TrainConfig,
    weights: Packed<'a>,
    camera: Camera,
    draws: &'a AtomicU64,
    own_share: f32,
    /// The discriminator, and how much its gradient weighs.
    adversary: Option<(&'a Weights, [f32; 2])>,
}

impl Worker {
    fn new(config: &TrainConfig, weights: &Weights, seed: u64) -> Worker {
        Worker {
            kernel: Kernel::new(config.model.clone()),
            tape: Tape::default(),
            episodes: Vec::new(),
            gradients: weights.zeros_like(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            pixels: Vec::new(),
            condition: Vec::new(),
            rgb: Vec::new(),
            depth: Vec::new(),
            d_output: Vec::new(),
            judge: Judge::new(seed),
            busy: Duration::ZERO,
            in_episodes: Duration::ZERO,
        }
    }

    /// Share of the time since the last call that went into the episodes.
    fn take_data_share(&mut self) -> f64 {
        let (data, all) = (std::mem::take(&mut self.in_episodes), std::mem::take(&mut self.busy));
        data.as_secs_f64() / all.as_secs_f64().max(1e-9)
    }

    /// Draws `samples` samples, adds up their gradients and lets their episodes go on.
    ///
    /// Returns the sums over all samples, and over those on the model's own frames.
    fn step(&mut self, shared: &Shared, samples: usize, episodes: usize) -> [LossSums; 2] {
        let begun = Instant::now();
        let draw = || shared.draws.fetch_add(1, Ordering::Relaxed);
        let fresh = || Episode::new(shared.config, shared.camera, draw(), shared.own_share);
        while self.episodes.len() < episodes {
            self.episodes.push(fresh());
        }
        self.gradients.tensors.iter_mut().for_each(|tensor| tensor.values.fill(0.0));
        self.judge.begin();
        let n = shared.camera.width * shared.camera.height;
        let [mut sums, mut own_sums] = [LossSums::default(); 2];
        // A partial shuffle: no episode twice in one step.
        for index in 0..samples {
            let other = index + self.rng.next_u32() as usize % (self.episodes.len() - index);
            self.episodes.swap(index, other);
        }
        for first in (0..samples).step_by(TOGETHER) {
            let count = TOGETHER.min(samples - first);
            self.pixels.resize(count * n * input::CHANNELS, 0.0);
            self.condition.resize(count * Condition::FEATURES, 0.0);
            self.rgb.resize(count * n * 3, 0.0);
            self.depth.resize(count * n, 0.0);
            self.d_output.resize(count * n * output::CHANNELS, 0.0);
            let data_begun = Instant::now();
            let slots = self.pixels.chunks_exact_mut(n * input::CHANNELS);
            let slots = slots.zip(self.condition.chunks_exact_mut(Condition::FEATURES));
            let slots = slots.zip(self.rgb.chunks_exact_mut(n * 3)).zip(self.depth.chunks_exact_mut(n));
            for (episode, (((pixels, condition), rgb), depth)) in self.episodes[first..].iter_mut().zip(slots) {
                if episode.is_over() {
                    *episode = fresh();
                }
                episode.sample(shared.config, &mut SampleSlot { pixels, condition, rgb, depth });
            }
            self.in_episodes += data_begun.elapsed();
            let batch = Batch {
                pixels: &self.pixels,
                condition: &self.condition,
                samples: count,
                width: shared.camera.width,
                height: shared.camera.height,
            };
            self.kernel.forward(shared.weights, &batch, &mut self.tape);
            let scale = 1.0 / (shared.config.batch * n * 3) as f32;
            for sample in 0..count {
                let (pixels, raw) = (
                    &self.pixels[sample * n * input::CHANNELS..(sample + 1) * n * input::CHANNELS],
                    &self.tape.output()[sample * n * output::CHANNELS..(sample + 1) * n * output::CHANNELS],
                );
                let d_raw = &mut self.d_output[sample * n * output::CHANNELS..(sample + 1) * n * output::CHANNELS];
                let (rgb, depth) =
                    (&self.rgb[sample * n * 3..(sample + 1) * n * 3], &self.depth[sample * n..(sample + 1) * n]);
                let of_sample = loss(d_raw, pixels, raw, rgb, depth, scale);
                sums.add(of_sample);
                if let Some((discriminator, say)) =
                    shared.adversary.filter(|_| self.episodes[first + sample].is_blind())
                {
                    let size = [shared.camera.width, shared.camera.height];
                    self.judge.judge(discriminator, [pixels, raw, rgb, depth], d_raw, size, say);
                }
                if self.episodes[first + sample].is_own() {
                    own_sums.add(of_sample);
                }
                let data_begun = Instant::now();
                self.episodes[first + sample].answer(shared.config, pixels, raw);
                self.in_episodes += data_begun.elapsed();
            }
            self.kernel.backward(shared.weights, &batch, &mut self.tape, &self.d_output, &mut self.gradients);
        }
        self.busy += begun.elapsed();
        [sums, own_sums]
    }
}

fn add_up(sums: &mut Weights, parts: &Weights) {
    for (sum, part) in sums.tensors.iter_mut().zip(&parts.tensors) {
        sum.values.iter_mut().zip(&part.values).for_each(|(sum, part)| *sum += part);
    }
}

/// Trains until the steps are done, the time is up or `stop` is set; the checkpoint is written in each case.
pub fn run(
    config: &TrainConfig,
    options: &RunOptions,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(Event),
) -> Result<Outcome, TrainError> {
    let dir = &options.run_dir;
    fs::create_dir_all(dir).map_err(|error| TrainError::Write { path: dir.clone(), reason: error.to_string() })?;
    let path = dir.join("checkpoint.bin");
    let mut state = match (path.exists(), options.resume) {
        (true, true) => Checkpoint::load(&path, &config.model)?,
        (true, false) => return Err(TrainError::Exists { path }),
        (false, _) => match &options.start_from {
            Some(folder) => Checkpoint::from_model(ModelFolder::load(folder)?, config)?,
            None => Checkpoint::fresh(&config.model, config.seed),
        },
    };
    let adversary_path = dir.join("discriminator.bin");
    let mut adversary = match config.adversarial_weights != [0.0; 2] {
        true => Some(Adversary::load(&adversary_path, config.seed)?),
        false => None,
    };
    let text = toml::to_string(config).map_err(|error| TrainError::Model(error.to_string()))?;
    write_atomically(&dir.join("config.toml"), text.as_bytes())?;
    let metrics_path = dir.join("metrics.jsonl");
    let metrics = fs::File::options().create(true).append(true).open(&metrics_path);
    let mut metrics =
        metrics.map_err(|error| TrainError::Write { path: metrics_path.clone(), reason: error.to_string() })?;

    let threads = options.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, |n| n.get()));
    let threads = threads.clamp(1, config.batch);
    let new_worker = |index: usize| Worker::new(config, &state.weights, config.seed ^ state.draws << 8 ^ index as u64);
    let mut workers: Vec<Worker> = (0..threads).map(new_worker).collect();
    let draws = AtomicU64::new(state.draws);
    let (kernel, mut packing) = (Kernel::new(config.model.clone()), Packing::default());
    let (begun, seconds_before) = (Instant::now(), state.seconds);
    let (mut saved, mut reported, mut validated) = (Instant::now(), Instant::now(), Instant::now());
    let [mut sums, mut own_sums] = [LossSums::default(); 2];
    let (mut gradient_sum, mut since, mut bad_steps) = (0.0f64, 0u64, 0u32);
    let mut size = (0, 0);
    let mut verdicts = Verdicts::default();
    let save = |state: &mut Checkpoint, adversary: &Option<Adversary>, draws: &AtomicU64| -> Result<(), TrainError> {
        state.draws = draws.load(Ordering::Relaxed);
        state.seconds = seconds_before + begun.elapsed().as_secs_f64();
        state.save(&path)?;
        if let Some(adversary) = adversary {
            adversary.save(&adversary_path)?;
        }
        write_folder(&dir.join("model"), &config.model, &state.optimizer.average)
            .map_err(|error| TrainError::Model(error.to_string()))
    };

    while state.optimizer.steps < config.steps {
        let out_of_time = options.max_minutes.is_some_and(|minutes| begun.elapsed().as_secs_f64() > minutes * 60.0);
        if stop.load(Ordering::Relaxed) || out_of_time {
            break;
        }
        let step = state.optimizer.steps;
        let stage = config.stage(step);
        if size != (stage.width, stage.height) {
            size = (stage.width, stage.height);
            workers.iter_mut().for_each(|worker| worker.episodes.clear());
        }
        let shared = Shared {
            config,
            weights: packing.pack(&kernel, &state.weights, Passes::ForwardAndBackward),
            camera: Camera::new(stage.width, stage.height),
            draws: &draws,
            own_share: config.own_frames_at(step),
            adversary: adversary.as_ref().map(|it| (&it.weights, it.say(config.adversarial_weights))),
        };
        let part = |all: usize, index: usize| all * (index + 1) / threads - all * index / threads;
        let results: Vec<[LossSums; 2]> = std::thread::scope(|scope| {
            let shared = &shared;
            let step = |(index, worker): (usize, &'_ mut Worker)| -> [LossSums; 2] {
                let samples = part(config.batch, index);
                worker.step(shared, samples, part(config.episodes, index).max(samples))
            };
            let mut parts = workers.iter_mut().enumerate();
            let own = parts.next();
            let others: Vec<_> = parts.map(|part| scope.spawn(move || step(part))).collect();
            let mut results: Vec<[LossSums; 2]> = own.map(step).into_iter().collect();
            let joined = others.into_iter().map(|other| other.join().expect("a worker's panic is a bug: pass it on"));
            results.extend(joined);
            results
        });
        let (first, rest) = workers.split_first_mut().expect("at least one worker");
        for other in rest {
            add_up(&mut first.gradients, &other.gradients);
            add_up(&mut first.judge.gradients, &other.judge.gradients);
            first.judge.verdicts.add(other.judge.verdicts);
        }
        if let Some(adversary) = &mut adversary {
            adversary.step(&first.judge.gradients, &first.judge.verdicts);
            verdicts.add(first.judge.verdicts);
        }
        let how = Step {
            learning_rate: config.learning_rate_at(step),
            weight_decay: config.weight_decay,
            ema_decay: config.ema_decay,
            clip: config.clip,
            beta_mean: BETA_MEAN,
        };
        match state.optimizer.step(&mut state.weights, &first.gradients, &how) {
            Some(length) => {
                gradient_sum += f64::from(length);
                bad_steps = 0;
            }
            None if bad_steps + 1 >= MOST_BAD_STEPS => return Err(TrainError::Diverged(MOST_BAD_STEPS)),
            None => bad_steps += 1,
        }
        for [of_all, of_own] in results {
            sums.add(of_all);
            own_sums.add(of_own);
        }
        state.samples += config.batch as u64;
        since += 1;
        if since == REPORT_STEPS {
            let rate = since as f64 / reported.elapsed().as_secs_f64();
            let progress = Progress {
                step: state.optimizer.steps,
                steps: config.steps,
                samples: state.samples,
                seconds: seconds_before + begun.elapsed().as_secs_f64(),
                samples_per_s: rate * config.batch as f64,
                width: stage.width,
                height: stage.height,
                loss: sums.loss(),
                psnr_db: sums.psnr_db(),
                depth_error: sums.depth_error(),
                gradient: gradient_sum / since as f64,
                learning_rate: how.learning_rate,
                own_frames: config.own_frames_at(step),
                own_loss: own_sums.loss(),
                own_samples: own_sums.pixels / sums.pixels,
                lead: verdicts.lead / verdicts.samples.max(1.0),
                data_share: workers.iter_mut().map(Worker::take_data_share).sum::<f64>() / threads as f64,
                left_s: (config.steps - state.optimizer.steps) as f64 / rate,
            };
            let line = serde_json::to_string(&progress).expect("numbers serialise");
            writeln!(metrics, "{line}")
                .map_err(|error| TrainError::Write { path: metrics_path.clone(), reason: error.to_string() })?;
            on_event(Event::Progress(&progress));
            (sums, own_sums, gradient_sum) = (LossSums::default(), LossSums::default(), 0.0);
            verdicts = Verdicts::default();
            (since, reported) = (0, Instant::now());
        }
        if saved.elapsed().as_secs_f64() > config.checkpoint_minutes * 60.0 {
            save(&mut state, &adversary, &draws)?;
            saved = Instant::now();
        }
        if validated.elapsed().as_secs_f64() > config.validate_minutes * 60.0 {
            save(&mut state, &adversary, &draws)?;
            let model = ModelFolder::load(&dir.join("model")).map_err(|error| TrainError::Model(error.to_string()))?;
            let seeds = seeds::VALIDATION.start..seeds::VALIDATION.start + config.validate_rollouts;
            let validation = validate(&model, None, seeds, stop, &mut |_| ())?;
            on_event(Event::Validated { step: state.optimizer.steps, validation: &validation, dir });
            (validated, reported, since) = (Instant::now(), Instant::now(), 0);
            (sums, own_sums, gradient_sum) = (LossSums::default(), LossSums::default(), 0.0);
        }
    }
    save(&mut state, &adversary, &draws)?;
    Ok(Outcome {
        steps: state.optimizer.steps,
        samples: state.samples,
        seconds: state.seconds,
        model_dir: dir.join("model"),
        finished: state.optimizer.steps >= config.steps,
    })
}
