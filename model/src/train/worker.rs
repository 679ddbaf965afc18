//! One thread of the trainer: its episodes, and its part of every step.

use super::{
    LossSums, TrainConfig,
    adversary::Judge,
    loss::loss,
    passes::Passes,
    stream::{Episode, SampleSlot},
};
use crate::{
    Condition,
    engine::{DeviceFault, Loaded},
    kernel::{Batch, Crew, FrameTape, Kernel, Packed},
    layout::{input, output},
    lore::Lore,
    matter::Matter,
    sampler::{advance, sampled_level},
    weights::Weights,
};
use holdfast_sim::Camera;
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use std::{
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// Samples that go through the network together: few, so that what passes between layers stays in the caches.
const TOGETHER: usize = 4;
/// On a device of its own, which has no such caches and much to do at once.
const TOGETHER_ON_DEVICE: usize = 16;

/// Goes on from the first evaluation of a sample to the last of a sampler; gives the pixels and the output of that one.
fn draw_on<'a>(
    (kernel, tape): (&Kernel, &'a mut FrameTape),
    shared: &Shared,
    episode: &Episode,
    drawn: &'a mut Vec<f32>,
    [pixels, raw]: [&'a [f32]; 2],
) -> (&'a [f32], &'a [f32]) {
    let steps = episode.evaluations(shared.config.model.sampler_steps);
    if steps < 2 {
        return (pixels, raw);
    }
    drawn.clear();
    drawn.extend_from_slice(pixels);
    advance(drawn, raw, 0, steps);
    let (width, height) = (shared.camera.width, shared.camera.height);
    for step in 1..steps {
        let condition = episode.features_at(sampled_level(step, steps));
        let batch = Batch { pixels: drawn, condition: &condition, samples: 1, width, height };
        kernel.frame(shared.weights, &batch, tape, &Crew::default());
        if step + 1 < steps {
            advance(drawn, tape.output(), step, steps);
        }
    }
    (drawn, tape.output())
}

/// One thread's part of a step.
pub(super) struct Worker {
    passes: Passes,
    /// Of the further evaluations of what is the model's own.
    frame_tape: FrameTape,
    drawn: Vec<f32>,
    episodes: Vec<Episode>,
    pub gradients: Weights,
    rng: ChaCha8Rng,
    /// Samples of the coming step that are already there.
    ready: usize,
    /// Of all samples of a step.
    pixels: Vec<f32>,
    condition: Vec<f32>,
    rgb: Vec<f32>,
    depth: Vec<f32>,
    eventful: Vec<bool>,
    matters: Vec<Matter>,
    d_output: Vec<f32>,
    pub judge: Judge,
    /// Time since the last report: all, and in the episodes.
    busy: Duration,
    in_episodes: Duration,
}

/// What all workers share during a step.
pub(super) struct Shared<'a> {
    pub config: &'a TrainConfig,
    pub lore: &'a Lore,
    pub weights: Packed<'a>,
    /// Devices that the samples are shared out among; none for our own kernel.
    pub devices: &'a [Loaded],
    pub camera: Camera,
    pub draws: &'a AtomicU64,
    pub own_share: f32,
    /// The discriminator, and how much its gradient weighs.
    pub adversary: Option<(&'a Weights, [f32; 2])>,
    /// Workers whose gradients are not complete yet.
    pub at_work: AtomicUsize,
}

impl Worker {
    pub fn new(config: &TrainConfig, weights: &Weights, seed: u64) -> Worker {
        Worker {
            passes: Passes::new(&config.model),
            frame_tape: FrameTape::default(),
            drawn: Vec::new(),
            episodes: Vec::new(),
            gradients: weights.zeros_like(),
            rng: ChaCha8Rng::seed_from_u64(seed),
            ready: 0,
            pixels: Vec::new(),
            condition: Vec::new(),
            rgb: Vec::new(),
            depth: Vec::new(),
            eventful: Vec::new(),
            matters: Vec::new(),
            d_output: Vec::new(),
            judge: Judge::new(seed),
            busy: Duration::ZERO,
            in_episodes: Duration::ZERO,
        }
    }

    /// Share of the time since the last call that went into the episodes.
    pub fn take_data_share(&mut self) -> f64 {
        let (data, all) = (std::mem::take(&mut self.in_episodes), std::mem::take(&mut self.busy));
        data.as_secs_f64() / all.as_secs_f64().max(1e-9)
    }

    /// Forgets its episodes: frames have another size from now on.
    pub fn start_over(&mut self) {
        self.episodes.clear();
        self.ready = 0;
    }

    /// Draws `samples` samples, adds up their gradients and lets their episodes go on. What time is left until the last
    /// worker is done goes into the samples of the coming step.
    ///
    /// Returns the sums over all samples, and over those on the model's own frames.
    ///
    /// # Errors
    /// If its device fails.
    pub fn step(
        &mut self,
        shared: &Shared,
        samples: usize,
        episodes: usize,
        device: Option<&Loaded>,
    ) -> Result<[LossSums; 2], DeviceFault> {
        let begun = Instant::now();
        self.gradients.tensors.iter_mut().for_each(|tensor| tensor.values.fill(0.0));
        self.judge.begin();
        let mut sums = [LossSums::default(); 2];
        let together = if device.is_some() { TOGETHER_ON_DEVICE } else { TOGETHER };
        let mut learnt = Ok(());
        for first in (0..samples).step_by(together) {
            let count = together.min(samples - first);
            while self.ready < first + count {
                self.prepare(shared, samples, episodes);
            }
            learnt = self.learn(shared, first, count, device, &mut sums);
            if learnt.is_err() {
                break;
            }
        }
        self.ready = 0;
        shared.at_work.fetch_sub(1, Ordering::Relaxed);
        while shared.at_work.load(Ordering::Relaxed) > 0 && self.ready < samples {
            self.prepare(shared, samples, episodes);
        }
        self.busy += begun.elapsed();
        learnt.map(|()| sums)
    }

    /// Makes the next sample of a step.
    fn prepare(&mut self, shared: &Shared, samples: usize, episodes: usize) {
        let begun = Instant::now();
        let fresh = || {
            let draw = shared.draws.fetch_add(1, Ordering::Relaxed);
            Episode::new(shared.config, shared.camera, draw, shared.own_share)
        };
        while self.episodes.len() < episodes {
            self.episodes.push(fresh());
        }
        let n = shared.camera.width * shared.camera.height;
        self.pixels.resize(samples * n * input::CHANNELS, 0.0);
        self.condition.resize(samples * Condition::FEATURES, 0.0);
        self.rgb.resize(samples * n * 3, 0.0);
        self.depth.resize(samples * n, 0.0);
        self.eventful.resize(samples * n, false);
        self.matters.resize(samples * n, Matter::Rest);
        self.d_output.resize(samples * n * output::CHANNELS, 0.0);
        // A partial shuffle: no episode twice in one step.
        let at = self.ready;
        let other = at + self.rng.next_u32() as usize % (self.episodes.len() - at);
        self.episodes.swap(at, other);
        let episode = &mut self.episodes[at];
        if episode.is_over() {
            *episode = fresh();
        }
        let part = |width: usize| at * width..(at + 1) * width;
        let mut slot = SampleSlot {
            pixels: &mut self.pixels[part(n * input::CHANNELS)],
            condition: &mut self.condition[part(Condition::FEATURES)],
            rgb: &mut self.rgb[part(n * 3)],
            depth: &mut self.depth[part(n)],
            eventful: &mut self.eventful[part(n)],
            matters: &mut self.matters[part(n)],
        };
        episode.sample(shared.config, shared.lore, &mut slot);
        self.ready += 1;
        self.in_episodes += begun.elapsed();
    }

    /// Takes `count` samples from `first` on through the network and back, and gives their episodes the answers.
    fn learn(
        &mut self,
        shared: &Shared,
        first: usize,
        count: usize,
        device: Option<&Loaded>,
        [sums, own_sums]: &mut [LossSums; 2],
    ) -> Result<(), DeviceFault> {
        let n = shared.camera.width * shared.camera.height;
        let group = |width: usize| first * width..(first + count) * width;
        let batch = Batch {
            pixels: &self.pixels[group(n * input::CHANNELS)],
            condition: &self.condition[group(Condition::FEATURES)],
            samples: count,
            width: shared.camera.width,
            height: shared.camera.height,
        };
        self.passes.forward(shared.weights, device, &batch)?;
        let scale = 1.0 / (shared.config.batch * n * 3) as f32;
        let raws = self.passes.output().chunks_exact(n * output::CHANNELS);
        let d_raws = self.d_output[group(n * output::CHANNELS)].chunks_exact_mut(n * output::CHANNELS);
        for (at, (raw, d_raw)) in (first..first + count).zip(raws.zip(d_raws)) {
            let part = |width: usize| at * width..(at + 1) * width;
            let pixels = &self.pixels[part(n * input::CHANNELS)];
            let (rgb, depth) = (&self.rgb[part(n * 3)], &self.depth[part(n)]);
            let told = (&self.eventful[part(n)], &self.matters[part(n)]);
            let of_sample = loss(d_raw, [pixels, raw, rgb, depth], told.0, told.1, scale);
            sums.add(of_sample);
            if let Some((discriminator, say)) = shared.adversary.filter(|_| self.episodes[at].is_blind()) {
                let size = [shared.camera.width, shared.camera.height];
                self.judge.judge(discriminator, [pixels, raw, rgb, depth], d_raw, size, say);
            }
            if self.episodes[at].is_own() {
                own_sums.add(of_sample);
            }
            // What becomes the state's own is drawn as a dream draws it, in as many evaluations.
            let (mut pixels, mut raw) = (pixels, raw);
            if self.episodes[at].is_own() && self.episodes[at].is_blind() {
                let on = (self.passes.kernel(), &mut self.frame_tape);
                let drawn = draw_on(on, shared, &self.episodes[at], &mut self.drawn, [pixels, raw]);
                (pixels, raw) = drawn;
            }
            let data_begun = Instant::now();
            self.episodes[at].answer(shared.config, shared.lore, pixels, raw);
            self.in_episodes += data_begun.elapsed();
        }
        let d_output = &self.d_output[group(n * output::CHANNELS)];
        self.passes.backward(shared.weights, device, &batch, d_output, &mut self.gradients)
    }
}
