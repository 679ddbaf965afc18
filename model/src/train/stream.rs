//! Training data on the fly: scripted players live in simulated worlds, each with a world state of its own.
//!
//! An episode is either taught (its world state is written from the truth, a little noised) or lives for its last ticks
//! on the model's own frames and depths where it had seen before, so that the model learns to survive its own mistakes (after Huang et al.,
//! "Self Forcing").

use super::{
    TrainConfig,
    held::held,
    matters::true_matters,
    props::{furnish, unit},
};
use crate::{
    Condition,
    assemble::{assemble, put_noised},
    clearing,
    deed::{self, Told},
    grain::{Drawn, Grain},
    grid::{Grid, enters},
    imagined::Imagined,
    layout::{encode_depth, input},
    lore::Lore,
    matter::Matter,
    noise::{add_noise, level_at},
    outcome::{self, Outcome},
    sampler::evaluations,
    situation::Situation,
    state::{Memory, Shown, Sight},
    sweep,
    weights::normal,
};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Camera, Depth, Frame, Pose,
    script::{Policy, Script},
    seeds,
    voxel::{render::View, world::VoxelWorld},
};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};

/// One simulated life and what a model would remember of it.
#[derive(Debug)]
pub struct Episode {
    rng: ChaCha8Rng,
    camera: Camera,
    world: VoxelWorld,
    script: Script,
    view: View,
    /// What the view truly shows, until the tick is answered.
    matters: Vec<Matter>,
    state: Memory,
    sight: Sight,
    last: Option<(Frame, Depth)>,
    situation: Situation,
    /// Of the tick.
    condition: Condition,
    outcome: Outcome,
    /// What the pixels have details of: in the truth, and in the answer.
    given: Grain,
    grain: Grain,
    tick: u32,
    ticks: u32,
    /// From here on the episode lives on the model's own frames.
    own_from_tick: u32,
    /// The map's axes and origin are not the blocks', as in a dream.
    map: Grid,
    /// Pose of the tick in map coordinates.
    map_pose: Pose,
    /// The pending sample saw nothing but noise at the frame, and its answer is the model's own.
    pending_own: bool,
    /// The pending sample saw nothing but noise at the frame.
    pending_blind: bool,
    /// The pending sample's answer becomes the state's own also where it had to invent.
    pending_draft: bool,
}

/// Most ticks that are passed over between two samples.
const MOST_SKIPPED: u32 = 10;
/// A change farther away than this is not worth a sample of its own, blocks.
const NEAR_BLOCKS: f32 = 8.0;

/// A surface that stands this close before a cell is the cell's own, blocks.
const CLOSE_BLOCKS: f32 = 0.05;

/// A deed that is drawn within this factor of its true depth (natural logarithm) was drawn.
const SAME_DEED: f32 = 0.2;

/// The farthest on the way from noise to frame that a draft is made from.
const MOST_DRAFT_WAY: f32 = 0.6;

/// The same of other samples: beyond, hardly anything is left to be imagined, and no sampler of a few steps gets there.
const MOST_WAY: f32 = 0.8;

/// What a draft's inventions are doubted by at least, as a share of their depth.
const DRAFT_DOUBT: f32 = 0.3;

/// Room for one sample of a batch.
#[derive(Debug)]
pub struct SampleSlot<'a> {
    /// `[height, width, input::CHANNELS]`
    pub pixels: &'a mut [f32],
    /// `[Condition::FEATURES]`
    pub condition: &'a mut [f32],
    /// `[height, width, 3]`, what is to be drawn, in -1..1, in the light that the pixels are told in: the truth, with the
    /// details of what is remembered.
    pub rgb: &'a mut [f32],
    /// `[height, width]`, the truth, encoded.
    pub depth: &'a mut [f32],
    /// `[height, width]`, where something may have changed since it was seen.
    pub eventful: &'a mut [bool],
    /// `[height, width]`, what stands there in truth.
    pub matters: &'a mut [Matter],
}

impl Episode {
    /// An episode of the training seeds. The same draw gives the same episode.
    pub fn new(config: &TrainConfig, camera: Camera, draw: u64, own_share: f32) -> Episode {
        let mut rng = ChaCha8Rng::seed_from_u64(config.seed ^ draw.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let span = seeds::TRAINING.end - seeds::TRAINING.start;
        let seed = seeds::TRAINING.start + rng.next_u64() % span;
        let mut world = VoxelWorld::new(camera);
        world.reset_seed(seed);
        let script_seed = rng.next_u64();
        let mut policy = match unit(&mut rng) / config.handiwork_share {
            draw if draw < 0.5 => Policy::Dig,
            draw if draw < 1.0 => Policy::Build,
            _ => Policy::mixed(script_seed),
        };
        let [shortest, longest] = config.episode_ticks;
        let ticks = shortest + rng.next_u32() % (longest - shortest + 1);
        // Own frames follow the start, as in a dream, or a state that was taught for some ticks; and not for long, since
        // what has once gone wrong in a state is never mended, and teaches nothing.
        let taught_ticks = rng.next_u32() % (longest / 2).max(1);
        let own_ticks = 1 + rng.next_u32() % config.own_frames_ticks;
        let (own_from_tick, ticks) = match unit(&mut rng) / own_share {
            draw if draw < 0.5 => (0, own_ticks),
            draw if draw < 1.0 => (taught_ticks, taught_ticks + own_ticks),
            _ => (u32::MAX, ticks),
        };
        // Who stands still sees each frame drawn from the one before: what is made a little crisper each time grows without
        // end unless that is learnt.
        if own_from_tick != u32::MAX && unit(&mut rng) < config.still_share {
            policy = Policy::Still;
        }
        if unit(&mut rng) < config.furnished_share {
            furnish(&mut world, policy, &mut rng);
        }
        let map = Grid { yaw_deg: unit(&mut rng) * 360.0, origin: [unit(&mut rng), unit(&mut rng), unit(&mut rng)] };
        Episode {
            rng,
            camera,
            world,
            script: policy.script(script_seed),
            view: View::new(camera.width, camera.height),
            matters: Vec::new(),
            state: Memory::new(),
            sight: Sight::default(),
            last: None,
            situation: Situation::begin(Grid::ALIGNED),
            condition: Condition::default(),
            outcome: Outcome::default(),
            given: Grain::default(),
            grain: Grain::default(),
            tick: 0,
            ticks,
            own_from_tick,
            map,
            map_pose: Pose::default(),
            pending_own: false,
            pending_blind: false,
            pending_draft: false,
        }
    }

    pub fn is_over(&self) -> bool {
        self.tick > self.ticks
    }

    /// Whether the pending sample's answer becomes the state's own.
    pub fn is_own(&self) -> bool {
        self.pending_own && self.tick > self.own_from_tick
    }

    /// Whether the pending sample's answer is a whole frame from nothing but noise, as a sampler's first.
    pub fn is_blind(&self) -> bool {
        self.pending_blind
    }

    /// The features of a further evaluation of the pending sample's frame, at another level.
    pub fn features_at(&self, signal_level: f32) -> [f32; Condition::FEATURES] {
        Condition { signal_level, ..self.condition }.features()
    }

    /// Evaluations that a dream would spend on the pending sample's frame, of at most `steps`.
    pub fn evaluations(&self, steps: usize) -> usize {
        evaluations(steps, self.sight.unsure(), &self.condition)
    }

    /// Advances to the next tick worth a sample and fills it: what the model would know before the frame, and the truth.
    pub fn sample(&mut self, config: &TrainConfig, lore: &Lore, out: &mut SampleSlot) {
        let mut condition = self.advance(lore);
        let mut skipped = 0;
        while skipped < MOST_SKIPPED && self.may_skip(config) {
            self.answer(config, lore, &[], &[]);
            condition = self.advance(lore);
            skipped += 1;
        }
        let draw = unit(&mut self.rng);
        let perceive = self.tick == 1 || draw < config.perceive_share;
        let hidden = draw < config.perceive_share + config.hidden_state_share;
        if perceive {
            condition = Condition { slot: condition.slot, pose: condition.pose, ..Condition::default() };
        } else if hidden {
            condition = condition.without_ambience();
        }
        let own = !perceive && self.tick > self.own_from_tick;
        let still = self.script.policy() == Policy::Still;
        self.pending_draft = own && !still && unit(&mut self.rng) < config.draft_share;
        condition.signal_level = match (perceive, own) {
            (true, _) => 1.0,
            (_, true) if self.pending_draft => level_at(unit(&mut self.rng) * MOST_DRAFT_WAY),
            (_, true) => 0.0,
            _ if unit(&mut self.rng) < config.pure_noise_share => 0.0,
            _ => level_at(unit(&mut self.rng) * MOST_WAY),
        };
        let exposure = condition.exposure;
        // The answer is read as the sample was told.
        self.condition.exposure = exposure;
        let canvas = (!perceive && !hidden).then_some(&self.sight.canvas);
        let last = if perceive { None } else { self.last.as_ref().map(|(frame, depth)| (frame, depth)) };
        assemble(out.pixels, &self.camera, &condition, &lore.hotbar, canvas, last);
        self.tell_events(out);
        match canvas {
            Some(canvas) => {
                let held = held(&self.view, canvas, out.eventful, &self.given.detail_blocks);
                out.rgb.iter_mut().zip(held).for_each(|(code, value)| *code = exposure.encode(value));
            }
            None => out.rgb.copy_from_slice(&exposure.encode_frame(&self.view.frame)),
        }
        for (code, &blocks) in out.depth.iter_mut().zip(&self.view.depth.blocks) {
            *code = encode_depth(blocks);
        }
        out.matters.copy_from_slice(&self.matters);
        let level = condition.signal_level;
        let mut noised = out.rgb.to_vec();
        add_noise(&mut noised, level, &mut self.rng);
        put_noised(out.pixels, &noised);
        out.condition.copy_from_slice(&condition.features());
        self.pending_own = !hidden && (level == 0.0 || perceive || self.pending_draft);
        self.pending_blind = level == 0.0;
    }

    /// What moves by itself, what the hand is at work on, and every cell that this tick changed, where it can be seen.
    fn tell_events(&self, out: &mut SampleSlot) {
        let (eye, axes) = (self.world.pose().eye(), self.world.pose().axes());
        let touches = |at: usize, cell: [i32; 3]| {
            let ray = self.camera.ray(&axes, at % self.camera.width, at / self.camera.width);
            let reach = self.view.depth.blocks[at] / ray.length() + CLOSE_BLOCKS;
            enters(eye, ray, IVec3::from_array(cell)).is_some_and(|enters| enters < reach)
        };
        for (at, eventful) in out.eventful.iter_mut().enumerate() {
            *eventful = self.view.block_ids[at] == View::ENTITY
                || out.pixels[at * input::CHANNELS + input::CHANGE] > 0.0
                || self.world.edits().iter().any(|edit| touches(at, edit.cell));
        }
    }

    /// One tick of the world; what the state shows of it is in the canvas, the truth in the view.
    fn advance(&mut self, lore: &Lore) -> Condition {
        let before = self.world.pose();
        let action = (self.tick > 0).then(|| self.script.next(Some(&self.world)));
        if let Some(action) = &action {
            self.world.tick(action);
        }
        self.tick += 1;
        let pose = self.world.pose();
        self.world.view(&self.camera, &mut self.view);
        self.matters = true_matters(&self.view);
        self.given.given(&pose, &self.camera, &self.view.depth);
        self.map_pose = self.map.place(&pose);
        self.state.read(&self.map_pose, &self.camera, &mut self.sight);
        self.pending_own = false;
        self.condition = match action {
            Some(action) => {
                let last = self.last.as_ref().map(|(_, depth)| depth);
                let edits = self.world.edits();
                let truly = |cell: IVec3| edits.iter().any(|edit| edit.cell == cell.to_array());
                let (poses, canvas) = ([&before, &pose], Some(&self.sight.canvas));
                self.situation.act(&action, poses, &self.camera, canvas, last, lore, Some(&truly))
            }
            None => self.situation.at_rest(&pose),
        };
        if deed::begin(&mut self.state, &self.map_pose, &self.condition, self.situation.made()) {
            self.state.read(&self.map_pose, &self.camera, &mut self.sight);
        }
        self.condition
    }

    /// Ticks in which nothing was broken or built are passed over now and then, so that the rare ones weigh more. An
    /// episode on the model's own frames needs its answer at each tick.
    fn may_skip(&mut self, config: &TrainConfig) -> bool {
        let eye = self.world.pose().eye();
        let near = |cell: [i32; 3]| (Vec3::from_array(cell.map(|side| side as f32 + 0.5)) - eye).length() < NEAR_BLOCKS;
        let eventful = self.world.edits().iter().any(|edit| near(edit.cell));
        let handiwork = matches!(self.script.policy(), Policy::Dig | Policy::Build);
        let share = if handiwork { config.skip_share_handiwork } else { config.skip_share };
        self.tick > 1 && self.tick <= self.own_from_tick && !eventful && unit(&mut self.rng) < share
    }

    /// Takes the model's answer to the last sample and writes the world state, with it or with the truth.
    pub fn answer(&mut self, config: &TrainConfig, lore: &Lore, pixels: &[f32], raw: &[f32]) {
        let tick = self.tick;
        let (width, height) = (self.camera.width, self.camera.height);
        let (mut frame, mut depth) = self.noised_truth(config);
        let (mut copied, mut doubt) = (Vec::new(), Vec::new());
        let mut matters = std::mem::take(&mut self.matters);
        self.outcome.settle(&self.condition, &self.camera, &self.sight.canvas, &mut depth, &mut doubt);
        if self.is_own() {
            // The model's own where it drew from the state; the truth where it had to invent. Its inventions differ from
            // the truth, and a state full of them would teach it that the state is wrong. A draft does not: the truth
            // shows through the noise that it was made from, so it is soft and rough but has the truth's large shapes,
            // and teaches to go on from such. Deeds are the truth's: who remembers a block that was broken can only be
            // wrong from then on. But where it drew the deed as well, it goes on from its own colours.
            let draft = self.pending_draft;
            let mut imagined = Imagined::new(width, height, pixels, raw, &self.condition.exposure);
            let (condition, camera, canvas) = (&self.condition, &self.camera, &self.sight.canvas);
            if tick == 1 {
                let (depth, matters) = (&mut imagined.depth, &mut imagined.matters);
                sweep::mend(&self.view.frame, &condition.pose, camera, &lore.materials, depth, matters);
            }
            outcome::keep_known(&mut imagined, condition, camera, canvas);
            clearing::go_on(&mut imagined, condition, camera, canvas);
            let (depth_drawn, matters_drawn, changed) = (&imagined.depth, &imagined.matters, &self.outcome.changed);
            let drawn = Drawn { condition, camera, canvas, depth: depth_drawn, matters: matters_drawn, changed };
            self.grain.lay(&mut imagined.frame, &mut imagined.copied, &drawn, lore);
            doubt = imagined.doubt;
            for at in 0..width * height {
                let own_colour = |frame: &mut Frame| {
                    frame.rgb[at * 3..at * 3 + 3].copy_from_slice(&imagined.frame.rgb[at * 3..at * 3 + 3]);
                };
                let deed = self.outcome.changed.get(at).is_some_and(|changed| *changed);
                let pending = self.outcome.pending.get(at).is_some_and(|pending| *pending);
                if deed || pending || !(draft || self.sight.canvas.known(at) || tick == 1) {
                    (doubt[at], self.grain.detail_blocks[at]) = (0.0, self.given.detail_blocks[at]);
                    if deed && (imagined.depth.blocks[at] / depth.blocks[at]).ln().abs() < SAME_DEED {
                        own_colour(&mut frame);
                    }
                    continue;
                }
                if draft && !self.sight.is_firm(at) {
                    // It would doubt this if the truth did not show through.
                    doubt[at] = doubt[at].max(DRAFT_DOUBT);
                }
                depth.blocks[at] = imagined.depth.blocks[at];
                matters[at] = imagined.matters[at];
                if tick > 1 {
                    own_colour(&mut frame);
                }
            }
            copied = imagined.copied;
            if tick == 1 {
                // The start is the truth's picture: a dream is never in doubt of what it was given.
                doubt.clear();
            }
        }
        let Outcome { changed, pending } = &self.outcome;
        let drawn = self.is_own() && tick > 1;
        let detail_blocks = if drawn { &self.grain.detail_blocks } else { &self.given.detail_blocks };
        let (copied, doubt, matters) = (&copied, &doubt, &matters);
        let shown =
            Shown { frame: &frame, depth: &depth, copied, doubt, changed, pending, detail_blocks, matters, tick };
        self.situation.see(&self.world.pose(), &self.camera, &shown);
        self.state.write(&self.map_pose, &self.camera, &mut self.sight, &shown);
        let (condition, camera, canvas) = (&self.condition, &self.camera, &self.sight.canvas);
        let told = Told { condition, camera, canvas, lore, tick };
        deed::end(&mut self.state, &self.map_pose, &frame, &self.outcome, &told);
        self.last = Some((frame, depth));
    }

    fn noised_truth(&mut self, config: &TrainConfig) -> (Frame, Depth) {
        let (mut frame, mut depth) = (self.view.frame.clone(), self.view.depth.clone());
        let whole = 1.0 + config.depth_noise * normal(&mut self.rng);
        for blocks in depth.blocks.iter_mut().filter(|blocks| **blocks < Depth::SKY) {
            *blocks *= whole * (1.0 + config.depth_noise * (unit(&mut self.rng) - 0.5) * 2.0);
        }
        let strength = config.colour_noise * unit(&mut self.rng);
        for value in &mut frame.rgb {
            let noise = strength * (unit(&mut self.rng) - 0.5) * 3.4;
            *value = (f32::from(*value) + noise).round().clamp(0.0, 255.0) as u8;
        }
        (frame, depth)
    }
}

#[cfg(test)]
#[path = "stream_tests.rs"]
mod tests;
