//! The training run: workers, steps, checkpoints, metrics.

use super::{
    Checkpoint, LossSums, TrainConfig, TrainError,
    adversary::{Adversary, Verdicts},
    config::Optimizer,
    optimizer::Step,
    validate::{Validation, validate},
    worker::{Shared, Worker},
    write_atomically,
};
use crate::{
    DreamOptions,
    device::{Found, cores},
    engine::{DeviceFault, Loaded},
    folder::{ModelFolder, write_folder},
    kernel::{Kernel, Packing, Passes, Precision},
    weights::Weights,
};
use holdfast_sim::{Camera, seeds};
use rayon::prelude::*;
use serde::Serialize;
use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
    sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering},
    time::Instant,
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
    /// Devices that the network is trained on, by its definition in Burn: the workers share them, and their gradients are
    /// added up here. None for our own kernel.
    pub devices: Vec<Found>,
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

/// Steps between reports.
const REPORT_STEPS: u64 = 20;
/// How much of its past the mean gradient keeps.
const BETA_MEAN: f32 = 0.9;
/// Steps without a finite gradient after which a run gives up.
const MOST_BAD_STEPS: u32 = 20;

/// Adds the gradients of the other workers to the first one's.
fn add_up(sums: &mut Weights, others: &[Worker], of: impl Fn(&Worker) -> &Weights + Sync) {
    sums.tensors.par_iter_mut().enumerate().for_each(|(index, sum)| {
        for other in others {
            let part = &of(other).tensors[index].values;
            sum.values.iter_mut().zip(part).for_each(|(sum, part)| *sum += part);
        }
    });
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

    let threads = options.threads.unwrap_or_else(cores);
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
    let lore = super::lore();
    let mut verdicts = Verdicts::default();
    let save = |state: &mut Checkpoint, adversary: &Option<Adversary>, draws: &AtomicU64| -> Result<(), TrainError> {
        state.draws = draws.load(Ordering::Relaxed);
        state.seconds = seconds_before + begun.elapsed().as_secs_f64();
        state.save(&path)?;
        if let Some(adversary) = adversary {
            adversary.save(&adversary_path)?;
        }
        write_folder(&dir.join("model"), &config.model, &state.optimizer.average, &lore)
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
            workers.iter_mut().for_each(Worker::start_over);
        }
        let on_device = |Found { name, device, .. }: &Found| {
            let size = [stage.width, stage.height];
            Loaded::new(name, device.clone().autodiff(), &config.model, &state.weights, size)
        };
        let devices = options.devices.iter().map(on_device).collect::<Result<Vec<_>, _>>()?;
        // Devices find their gradients by themselves.
        let passes = if devices.is_empty() { Passes::ForwardAndBackward } else { Passes::Forward };
        let shared = Shared {
            config,
            lore: &lore,
            weights: packing.pack(&kernel, &state.weights, passes),
            camera: Camera::new(stage.width, stage.height),
            devices: &devices,
            draws: &draws,
            own_share: config.own_frames_at(step),
            adversary: adversary.as_ref().map(|it| (&it.weights, it.say(config.adversarial_weights))),
            at_work: AtomicUsize::new(threads),
        };
        let part = |all: usize, index: usize| all * (index + 1) / threads - all * index / threads;
        let results: Vec<Result<[LossSums; 2], DeviceFault>> = std::thread::scope(|scope| {
            let shared = &shared;
            let step = |(index, worker): (usize, &'_ mut Worker)| {
                let samples = part(config.batch, index);
                let device = shared.devices.get(index % shared.devices.len().max(1));
                worker.step(shared, samples, part(config.episodes, index).max(samples), device)
            };
            let mut parts = workers.iter_mut().enumerate();
            let own = parts.next();
            let others: Vec<_> = parts.map(|part| scope.spawn(move || step(part))).collect();
            let mut results: Vec<_> = own.map(step).into_iter().collect();
            let joined = others.into_iter().map(|other| other.join().expect("a worker's panic is a bug: pass it on"));
            results.extend(joined);
            results
        });
        let results = match results.into_iter().collect::<Result<Vec<_>, _>>() {
            Ok(results) => results,
            Err(fault) => {
                // Without the step in which it failed.
                save(&mut state, &adversary, &draws)?;
                return Err(fault.into());
            }
        };
        let (first, rest) = workers.split_first_mut().expect("at least one worker");
        add_up(&mut first.gradients, rest, |worker| &worker.gradients);
        if let Some(adversary) = &mut adversary {
            add_up(&mut first.judge.gradients, rest, |worker| &worker.judge.gradients);
            rest.iter().for_each(|other| first.judge.verdicts.add(other.judge.verdicts));
            adversary.step(&first.judge.gradients, &first.judge.verdicts);
            verdicts.add(first.judge.verdicts);
        }
        let how = Step {
            learning_rate: config.learning_rate_at(step),
            weight_decay: config.weight_decay,
            ema_decay: config.ema_decay,
            clip: config.clip,
            beta_mean: BETA_MEAN,
            evened: (config.optimizer == Optimizer::Muon).then(Precision::default),
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
            let validation = validate(&model, DreamOptions::default(), seeds, stop, &mut |_| ())?;
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
