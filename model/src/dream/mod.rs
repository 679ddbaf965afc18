//! The dream: a world generated frame by frame from the player's actions.

mod options;
mod tampering;

pub use options::{DreamOptions, DreamStatus};

use crate::{
    DeviceChoice, ModelConfig, ModelError,
    around::Around,
    assemble::assemble,
    cake, clearing, cracks,
    creature::{self, Sighted},
    deed::{self, Told},
    engine::{self, DeviceFault, Engine},
    flow,
    folder::ModelFolder,
    grain::{Drawn, Grain},
    grid::{Alignment, Grid},
    imagined::Imagined,
    keep::Snapshot,
    kernel::{self, Crew},
    layout::input,
    loose::{self, Last},
    lore::Lore,
    matter::Matter,
    motion::Motion,
    outcome::{self, Outcome},
    sampler::{self, Sampler},
    situation::Situation,
    state::{Glass, Herd, Memory, Shown, Sight},
    sweep, underfoot,
};
use holdfast_sim::{Action, Camera, Depth, Frame, Moment, Observation, Pose, Start, World, WorldError, script::Dice};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use std::{fmt, time::Instant};
pub use tampering::Remembered;
use tampering::{Tampering, shuffle_colours};

/// Gives the first frame of the world of a seed, at the camera's size, and the pose that it was seen from.
pub type StartFrames = Box<dyn FnMut(u64, Camera) -> (Frame, Pose)>;

/// A generated world behind [`World`]. Its coordinates begin at the start: eye at the origin, yaw 0; how the blocks lie in
/// them is a part of the start ([`Grid`]).
pub struct Dream {
    config: ModelConfig,
    options: DreamOptions,
    status: DreamStatus,
    camera: Camera,
    sampler: Sampler,
    lore: Lore,
    start_frames: StartFrames,
    rng: ChaCha8Rng,
    state: Memory,
    sight: Sight,
    /// For [`Dream::around`].
    wide_sight: Sight,
    outcome: Outcome,
    grain: Grain,
    pixels: Vec<f32>,
    motion: Motion,
    pose: Pose,
    last: Option<(Frame, Depth)>,
    /// The same without the herd and panes, where there are some.
    bare: Option<(Frame, Depth)>,
    situation: Situation,
    tick: u64,
    /// Frames drawn, and evaluations that they took.
    worked: [u64; 2],
    tampering: Tampering,
}

impl fmt::Debug for Dream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dream").field("status", &self.status).field("tick", &self.tick).finish_non_exhaustive()
    }
}

impl Dream {
    /// A dream of a model, on the device that the options name. `start_frames` is asked once per start from a seed.
    pub fn new(model: ModelFolder, options: DreamOptions, start_frames: StartFrames) -> Result<Dream, ModelError> {
        let crew = Crew::new(options.threads);
        let device = engine::open(options.device, &model.config, &model.weights, &crew)?;
        Self::on(model, options, start_frames, crew, device)
    }

    /// A dream whose denoiser an engine of the caller's evaluates.
    pub fn with_engine(
        model: ModelFolder,
        options: DreamOptions,
        start_frames: StartFrames,
        engine: Box<dyn Engine>,
    ) -> Result<Dream, ModelError> {
        Self::on(model, options, start_frames, Crew::new(options.threads), Some(engine))
    }

    fn on(
        model: ModelFolder,
        options: DreamOptions,
        start_frames: StartFrames,
        crew: Crew,
        device: Option<Box<dyn Engine>>,
    ) -> Result<Dream, ModelError> {
        let ModelFolder { config, weights, lore, hash } = model;
        let steps = options.sampler_steps.unwrap_or(config.sampler_steps);
        if !(1..=64).contains(&steps) {
            return Err(ModelError::Steps(steps));
        }
        let camera = Camera::new(config.width, config.height);
        let parameters = weights.parameters();
        let sampler = Sampler::new(&config, weights, options.rounds_to(), crew, device);
        let status = DreamStatus {
            width: config.width,
            height: config.height,
            model_hash: hash,
            device: String::new(),
            precision: "",
            threads: sampler.crew().threads(),
            parameters,
            gflop_per_frame: 0.0,
            memory_cells: 0,
        };
        Ok(Dream {
            sampler,
            lore,
            pixels: vec![0.0; config.width * config.height * input::CHANNELS],
            rng: ChaCha8Rng::seed_from_u64(options.noise_seed),
            config,
            options,
            status,
            camera,
            start_frames,
            state: Memory::new(),
            sight: Sight::default(),
            wide_sight: Sight::default(),
            outcome: Outcome::default(),
            grain: Grain::default(),
            motion: Motion::default(),
            pose: Pose::default(),
            last: None,
            bare: None,
            situation: Situation::default(),
            tick: 0,
            worked: [0, 0],
            tampering: Tampering::default(),
        })
    }

    pub fn status(&self) -> DreamStatus {
        let device = self.sampler.device().map_or("cpu", |device| device.name()).to_string();
        let (precision, memory_cells) = (self.sampler.precision(), self.state.cells());
        let evaluations = match self.worked {
            [0, _] => self.sampler_steps() as f64,
            [frames, evaluations] => evaluations as f64 / frames as f64,
        };
        let gflop_per_frame = evaluations * kernel::gflop(&self.config, self.config.width, self.config.height);
        DreamStatus { device, precision, memory_cells, gflop_per_frame, ..self.status.clone() }
    }

    /// What evaluates the denoiser in place of the processor, if anything does. On the processor the same seed and actions
    /// give the same frames bit for bit; on another device they do not everywhere.
    pub fn device(&self) -> Option<&dyn Engine> {
        self.sampler.device()
    }

    /// Why the device that the dream began with evaluates no more. The step in which it failed was finished on the processor.
    pub fn device_fault(&self) -> Option<&DeviceFault> {
        self.sampler.fault()
    }

    /// Stops a dream whose device failed, unless any device will do: after a whole step, so that nothing is lost.
    fn check_device(&self) -> Result<(), WorldError> {
        match self.device_fault() {
            Some(fault) if self.options.device != DeviceChoice::Auto => Err(WorldError::Model(fault.to_string())),
            _ => Ok(()),
        }
    }

    pub fn config(&self) -> &ModelConfig {
        &self.config
    }

    pub fn options(&self) -> DreamOptions {
        self.options
    }

    /// Denoising steps a frame; one where all that is in view is known ([`sampler::evaluations`]).
    pub fn sampler_steps(&self) -> usize {
        self.options.sampler_steps.unwrap_or(self.config.sampler_steps)
    }

    /// The slot in hand, 1 to 9.
    pub fn slot(&self) -> u8 {
        self.situation.slot()
    }

    /// Takes other options from the next reset on; device and threads stay.
    pub fn set_options(&mut self, options: DreamOptions) -> Result<(), ModelError> {
        let steps = options.sampler_steps.unwrap_or(self.config.sampler_steps);
        if !(1..=64).contains(&steps) {
            return Err(ModelError::Steps(steps));
        }
        self.sampler.set_precision(options.rounds_to());
        self.options = options;
        Ok(())
    }

    /// The dream as it is now; `None` before its first reset. What a probe did to it is not part of it.
    pub fn snapshot(&self) -> Option<Snapshot> {
        let (frame, depth) = self.last.clone()?;
        Some(Snapshot {
            model_hash: self.status.model_hash.clone(),
            state: self.state.clone(),
            frame,
            depth,
            bare: self.bare.clone(),
            motion: self.motion.clone(),
            pose: self.pose,
            situation: self.situation.clone(),
            rng: self.rng.clone(),
            tick: self.tick,
            memory: self.options.memory,
            sampler_steps: self.sampler_steps(),
        })
    }

    /// The newest frame with what is known around it, as far as a turn of `ahead_deg` shows; `None` before the first reset and
    /// without a memory. It changes nothing of the dream.
    pub fn around(&mut self, ahead_deg: f32) -> Option<Around> {
        let (frame, _) = self.last.as_ref().filter(|_| self.options.memory)?;
        let (memory, crew, sight) = (&self.state, self.sampler.crew(), &mut self.wide_sight);
        Some(Around::new(memory, crew, &self.pose, &self.camera, frame, ahead_deg, sight))
    }

    /// Goes on from a snapshot: the next frames are those that followed it, bit for bit. The dream takes over the
    /// snapshot's memory switch and denoising steps; its own noise seed counts again from the next reset.
    pub fn restore(&mut self, snapshot: &Snapshot) -> Result<Observation, ModelError> {
        if snapshot.model_hash != self.status.model_hash {
            let short = |hash: &str| hash.chars().take(12).collect();
            let (saved, loaded) = (short(&snapshot.model_hash), short(&self.status.model_hash));
            return Err(ModelError::OtherModel { saved, loaded });
        }
        let (width, height) = (snapshot.frame.width, snapshot.frame.height);
        if (width, height) != (self.config.width, self.config.height) {
            let loaded = format!("{}x{}", self.config.width, self.config.height);
            return Err(ModelError::OtherSize { saved: format!("{width}x{height}"), loaded });
        }
        self.options.memory = snapshot.memory;
        self.options.sampler_steps = Some(snapshot.sampler_steps);
        self.state = snapshot.state.clone();
        (self.sight, self.outcome) = (Sight::default(), Outcome::default());
        (self.motion, self.pose) = (snapshot.motion.clone(), snapshot.pose);
        (self.situation, self.tick) = (snapshot.situation.clone(), snapshot.tick);
        (self.rng, self.tampering) = (snapshot.rng.clone(), Tampering::default());
        let (frame, depth) = (snapshot.frame.clone(), snapshot.depth.clone());
        self.last = Some((frame.clone(), depth.clone()));
        self.bare = snapshot.bare.clone();
        Ok(Observation { tick: self.tick, frame, depth, pose: self.pose, stages_ms: Vec::new() })
    }

    /// Starts from a picture of the dream's own size, taken from a pose among the blocks.
    fn begin(&mut self, frame: Frame, start: Option<Pose>) -> Observation {
        let grid = start.as_ref().map(Grid::of_start).unwrap_or_default();
        let pitch_deg = start.map_or(0.0, |pose| pose.pitch_deg);
        self.state.clear();
        (self.motion, self.pose) = (Motion::default(), Pose { pitch_deg, ..Pose::default() });
        (self.situation, self.tick) = (Situation::begin(grid), 0);
        self.tampering = Tampering { shuffled: self.tampering.shuffled, ..Tampering::default() };
        self.outcome = Outcome::default();
        self.rng = ChaCha8Rng::seed_from_u64(self.options.noise_seed);
        let condition = self.situation.at_rest(&self.pose);
        assemble(&mut self.pixels, &self.camera, &condition, &self.lore.hotbar, None, None);
        let Imagined { mut depth, mut matters, .. } = self.sampler.perceive(&mut self.pixels, &condition, &frame);
        let panes = sweep::mend(&frame, &condition.pose, &self.camera, &self.lore.materials, &mut depth, &mut matters);
        let mut sighted = if self.options.memory {
            creature::find(&frame, &condition.pose, &self.camera, &self.lore, &mut depth, &mut matters)
        } else {
            Sighted::default()
        };
        let cakes = cake::find(&condition.pose, &self.camera, &mut depth, &matters);
        let flows = flow::find(&frame, &condition.pose, &self.camera, &panes, &mut depth, &mut matters);
        let seen = Last { pose: condition.pose, camera: &self.camera, frame: &frame, depth: &depth };
        // A shuffled memory has lost what stands where.
        let panes = if self.options.memory && !self.tampering.shuffled { panes } else { Vec::new() };
        if !self.tampering.shuffled {
            self.situation.find_cakes(cakes);
            self.situation.find_flows(flows);
            self.situation.find_loose(loose::find(&seen, &matters));
            self.situation.find_glass(panes.iter().map(|pane| pane.cell));
        }
        let glass = Glass::begin(&panes, &self.lore);
        if !glass.is_empty() {
            glass.hide(&condition.pose, &self.camera, &self.lore, &mut sighted.hidden);
        }
        let is_bare = !sighted.found.is_empty() || !glass.is_empty();
        self.bare = is_bare.then(|| creature::behind(&frame, &depth, &sighted.hidden));
        let (bare_frame, bare_depth) = self.bare.take().unwrap_or_else(|| (frame.clone(), depth.clone()));
        self.remember_given(&bare_frame, &bare_depth, &matters, &sighted.hidden);
        if !sighted.found.is_empty() {
            let alignment = Alignment::new(&self.pose, &condition.pose);
            let turned_deg = self.pose.yaw_deg - condition.pose.yaw_deg;
            let brightness = self.situation.brightness();
            let mut herd = Herd::begin(&sighted.found, &alignment, turned_deg, brightness);
            if self.tampering.shuffled {
                herd.scatter(&mut Dice::new(self.options.noise_seed));
            }
            self.state.set_herd(herd);
        }
        self.state.set_glass(glass.in_light(self.situation.brightness()));
        if is_bare {
            self.bare = Some((bare_frame, bare_depth));
        }
        self.last = Some((frame.clone(), depth.clone()));
        Observation { tick: 0, frame, depth, pose: self.pose, stages_ms: Vec::new() }
    }

    /// Draws the herd and panes into a finished frame; what is behind them is kept for the next.
    fn show_apart(&mut self, frame: &mut Frame, depth: &mut Depth) {
        if self.state.herd().is_empty() && self.state.glass().is_empty() {
            self.bare = None;
            return;
        }
        self.bare = Some((frame.clone(), depth.clone()));
        let (kinds, brightness) = ((&self.lore.creatures, &self.lore.face_light), self.situation.brightness());
        self.state.herd().show(&self.pose, &self.camera, kinds, brightness, (frame, depth));
        let among_blocks = self.situation.grid().place(&self.pose);
        self.state.glass().show(&among_blocks, &self.camera, &self.lore, brightness, (frame, depth));
    }

    fn remember_given(&mut self, frame: &Frame, depth: &Depth, matters: &[Matter], pending: &[bool]) {
        let mut grain = std::mem::take(&mut self.grain);
        grain.given(&self.situation.grid().place(&self.pose), &self.camera, depth);
        let detail_blocks = &grain.detail_blocks;
        self.remember(&Shown { matters, detail_blocks, pending, ..Shown::given(frame, depth, self.tick as u32) });
        self.grain = grain;
    }

    fn remember(&mut self, shown: &Shown) {
        self.situation.see(&self.pose, &self.camera, shown);
        if self.options.memory && !self.tampering.taught {
            self.state.write(&self.pose, &self.camera, &mut self.sight, shown);
        }
    }
}

impl World for Dream {
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
        self.check_device()?;
        self.sight = Sight::default();
        let (frame, pose) = match start {
            Start::Seed(seed) => {
                let (frame, pose) = (self.start_frames)(*seed, self.camera);
                (frame, Some(pose))
            }
            Start::Image(frame, pose) => (frame.clone(), *pose),
        };
        if (frame.width, frame.height) != (self.config.width, self.config.height) {
            let expected = format!("{}x{}", self.config.width, self.config.height);
            return Err(WorldError::ImageSize { width: frame.width, height: frame.height, expected });
        }
        Ok(self.begin(frame, pose))
    }

    fn step(&mut self, action: &Action) -> Result<Observation, WorldError> {
        if self.last.is_none() {
            return Err(WorldError::Model("a dream must be reset before its first step".into()));
        }
        self.check_device()?;
        let begun = Instant::now();
        let mut stages_ms = Vec::with_capacity(6);
        let mut lap = begun;
        let mut mark = |name: &'static str| {
            let now = Instant::now();
            stages_ms.push((name, (now - lap).as_secs_f32() * 1e3));
            lap = now;
        };
        self.tick += 1;
        let before = self.pose;
        self.pose = self.motion.step(&before, action, &self.state, self.situation.ground());
        if let Some(pose) = self.tampering.next_pose.take() {
            self.pose = pose;
        }
        self.situation.tread(&self.pose, &self.motion);
        mark("pose");

        let mut stirred = Vec::new();
        let last = self.bare.as_ref().or(self.last.as_ref());
        if let Some((frame, depth)) = last.filter(|_| self.options.memory && !self.tampering.taught) {
            let grid = self.situation.grid();
            let seen = Last { pose: grid.place(&before), camera: &self.camera, frame, depth };
            let alignment = Alignment::new(&self.pose, &grid.place(&self.pose));
            stirred = self.situation.stir(&mut self.state, &alignment, &seen, &self.lore, self.tick as u32);
        }
        if self.options.memory {
            self.state.live(&self.pose, &self.situation.ground(), &self.lore.creatures, self.tick as u32);
            let crew = self.sampler.crew();
            self.state.read_on(crew, &self.pose, &self.camera, &mut self.sight);
            if self.tampering.shuffled {
                shuffle_colours(&mut self.sight.canvas, self.tick);
            }
        }
        mark("map_read");

        let canvas = self.options.memory.then_some(&self.sight.canvas);
        let last = self.bare.as_ref().or(self.last.as_ref()).map(|(frame, depth)| (frame, depth));
        let poses = [&before, &self.pose];
        let last_depth = last.map(|(_, depth)| depth);
        let mut condition = self.situation.act(action, poses, &self.camera, canvas, last_depth, &self.lore, None);
        if self.options.memory && deed::begin(&mut self.state, &self.pose, &condition, self.situation.made()) {
            self.state.read_on(self.sampler.crew(), &self.pose, &self.camera, &mut self.sight);
        }
        let canvas = self.options.memory.then_some(&self.sight.canvas);
        if !self.options.memory {
            condition = condition.without_ambience();
        }
        assemble(&mut self.pixels, &self.camera, &condition, &self.lore.hotbar, canvas, last);
        mark("assemble");

        let unsure = if self.options.memory { self.sight.unsure() } else { 1.0 };
        let steps = sampler::evaluations(self.sampler_steps(), unsure, &condition);
        let mut imagined = self.sampler.sample(&mut self.pixels, &condition, steps, &mut self.rng);
        self.worked = [self.worked[0] + 1, self.worked[1] + steps as u64];
        mark("denoiser");

        if self.options.memory {
            outcome::keep_known(&mut imagined, &condition, &self.camera, &self.sight.canvas);
            clearing::go_on(&mut imagined, &condition, &self.camera, &self.sight.canvas);
            underfoot::go_on(&mut imagined, &condition, &self.camera, &self.sight);
            self.lore.cracks.show(&mut imagined, &condition, &self.camera, &self.sight.canvas);
            loose::show(&stirred, &mut imagined, &condition.pose, &self.camera, &self.sight.canvas);
        }
        let Imagined { mut frame, mut depth, mut copied, mut doubt, matters } = imagined;
        if self.options.memory {
            self.outcome.settle(&condition, &self.camera, &self.sight.canvas, &mut depth, &mut doubt);
        }
        let (camera, canvas, changed) = (&self.camera, &self.sight.canvas, self.outcome.changed.as_slice());
        let drawn = Drawn { condition: &condition, camera, canvas, depth: &depth, matters: &matters, changed };
        self.grain.lay(&mut frame, &mut copied, &drawn, &self.lore);
        let pane = condition.pane.filter(|_| self.tampering == Tampering::default());
        let pane = pane.map(|cell| (cell, self.grain.light_around(&frame, &drawn, &self.lore)));
        mark("grain");
        if self.options.memory {
            loose::let_pass(&stirred, &condition.pose, &self.camera, &self.sight.canvas, &mut self.outcome.pending);
        }

        let tick = self.tick as u32;
        let outcome = std::mem::take(&mut self.outcome);
        let grain = std::mem::take(&mut self.grain);
        let Outcome { changed, pending } = &outcome;
        self.remember(&Shown {
            frame: &frame,
            depth: &depth,
            copied: &copied,
            doubt: &doubt,
            changed,
            pending,
            detail_blocks: &grain.detail_blocks,
            matters: &matters,
            tick,
        });
        if self.options.memory && !self.tampering.taught {
            let (camera, canvas, lore) = (&self.camera, &self.sight.canvas, &self.lore);
            let told = Told { condition: &condition, camera, canvas, lore, tick };
            deed::end(&mut self.state, &self.pose, &frame, &outcome, &told);
        }
        (self.outcome, self.grain) = (outcome, grain);
        if let Some((cell, light)) = pane {
            self.state.set_pane(cell, light, self.situation.brightness());
        }
        self.show_apart(&mut frame, &mut depth);
        if self.options.memory {
            cracks::leave_out(&mut self.bare, (&frame, &depth), &self.outcome.pending, &self.sight.canvas);
        }
        mark("map_write");
        if let Some((last_frame, last_depth)) = &mut self.last {
            last_frame.rgb.copy_from_slice(&frame.rgb);
            last_depth.blocks.copy_from_slice(&depth.blocks);
        }
        Ok(Observation { tick: self.tick, frame, depth, pose: self.pose, stages_ms })
    }

    fn moment(&self) -> Option<Moment> {
        // A snapshot is of a dream that nobody meddled with.
        let snapshot = self.snapshot().filter(|_| self.tampering == Tampering::default())?;
        Some(Box::new(snapshot))
    }

    fn go_back(&mut self, to: &Moment) -> Result<(), WorldError> {
        let snapshot = to.downcast_ref::<Snapshot>().ok_or(WorldError::NoWayBack)?;
        self.restore(snapshot).map(|_| ()).map_err(|error| WorldError::Model(error.to_string()))
    }
}
