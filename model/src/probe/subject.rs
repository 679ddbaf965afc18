//! Whom a probe asks: any world, in each of the roles that give its score a floor, a ceiling and controls.

use super::{ProbeError, Scene, film::look};
use crate::{Dream, DreamOptions, dream::Remembered, folder::ModelFolder, train::true_matters};
use glam::Vec3;
use holdfast_sim::{
    Action, Camera, Depth, Frame, Observation, Pose, Start, World, WorldError, script::Dice, voxel::world::VoxelWorld,
};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The part that a world plays in a trial.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// What is probed.
    Subject,
    /// The same with its memory off: the floor.
    MemoryOff,
    /// The same with its memory filled from the simulator and the true pose: the ceiling.
    MemoryTrue,
    /// Control: the colours of the memory permuted.
    MemoryShuffled,
    /// Control: it starts with the memory of another start.
    MemoryForeign,
    /// Control: the picture of the start, held still.
    CopyLastFrame,
    /// True frames: what the reader and the metric make of them.
    Truth,
}

impl Role {
    pub const ALL: [Role; 7] = [
        Role::Subject,
        Role::MemoryOff,
        Role::MemoryTrue,
        Role::MemoryShuffled,
        Role::MemoryForeign,
        Role::CopyLastFrame,
        Role::Truth,
    ];
    /// Without the controls, for what takes long.
    pub const SCORED: [Role; 4] = [Role::Subject, Role::MemoryOff, Role::MemoryTrue, Role::Truth];
    /// Without floor and ceiling too.
    pub const ALONE: [Role; 2] = [Role::Subject, Role::Truth];
    /// What must fall to the floor.
    pub const CONTROLS: [Role; 4] = [Role::MemoryOff, Role::MemoryShuffled, Role::MemoryForeign, Role::CopyLastFrame];

    pub fn name(self) -> &'static str {
        match self {
            Role::Subject => "subject",
            Role::MemoryOff => "memory_off",
            Role::MemoryTrue => "memory_true",
            Role::MemoryShuffled => "memory_shuffled",
            Role::MemoryForeign => "memory_foreign",
            Role::CopyLastFrame => "copy_last_frame",
            Role::Truth => "truth",
        }
    }
}

/// Something that can be probed: it makes fresh worlds.
pub trait Subject: Sync {
    fn name(&self) -> String;
    /// Hash of its weights, or its name where it has none.
    fn model_hash(&self) -> String {
        self.name()
    }
    /// How it is run, where that may change what it scores.
    fn settings(&self) -> String {
        String::new()
    }
    /// The camera of its frames.
    fn camera(&self) -> Camera;
    /// A fresh world for a trial, to be reset with the picture of the scene's start; `None` where it has no such role.
    ///
    /// Only [`Role::MemoryTrue`] and the simulator itself may look at more of the scene than its size.
    fn world(&self, role: Role, scene: &Scene) -> Result<Option<Box<dyn World>>, ProbeError>;
}

/// A model, dreaming.
#[derive(Debug, Clone)]
pub struct Dreamer {
    pub model: ModelFolder,
    /// How it dreams; whether with a memory, each role says. Only on the processor are scores the same, bit for bit, each
    /// time.
    pub options: DreamOptions,
}

impl Subject for Dreamer {
    fn name(&self) -> String {
        "dream".into()
    }

    fn model_hash(&self) -> String {
        self.model.hash.clone()
    }

    fn settings(&self) -> String {
        let DreamOptions { sampler_steps, device, .. } = self.options;
        let steps = sampler_steps.unwrap_or(self.model.config.sampler_steps);
        format!("{steps} steps, {} on {device}", self.options.rounds_to().name())
    }

    fn camera(&self) -> Camera {
        Camera::new(self.model.config.width, self.model.config.height)
    }

    fn world(&self, role: Role, scene: &Scene) -> Result<Option<Box<dyn World>>, ProbeError> {
        let options = DreamOptions { memory: role != Role::MemoryOff, ..self.options };
        // Trials start from pictures, never from seeds.
        let no_seeds = Box::new(|_, camera: Camera| (Frame::new(camera.width, camera.height), Pose::default()));
        let mut dream = Dream::new(self.model.clone(), options, no_seeds)?;
        Ok(match role {
            Role::Subject | Role::MemoryOff => Some(Box::new(dream)),
            Role::MemoryShuffled => {
                dream.shuffle_memory();
                Some(Box::new(dream))
            }
            Role::MemoryForeign => {
                Some(Box::new(Foreign { dream, camera: self.camera(), seed: scene.start.seed() ^ FOREIGN }))
            }
            Role::MemoryTrue => {
                let (truth, origin) = (scene.start.clone(), scene.start.pose());
                Some(Box::new(Taught { dream, start: truth.clone(), truth, origin }))
            }
            Role::CopyLastFrame | Role::Truth => None,
        })
    }
}

/// Turns a seed into that of the start whose memory is lent; the range of the seed stays the same.
const FOREIGN: u64 = 0x155;

/// A dream that begins with what another start showed in its memory.
struct Foreign {
    dream: Dream,
    camera: Camera,
    seed: u64,
}

impl World for Foreign {
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
        let mut other = VoxelWorld::new(self.camera);
        other.reset_seed(self.seed);
        self.dream.reset(&Start::Image(look(&other).frame, Some(other.pose())))?;
        let lent = self.dream.exchange_memory(Remembered::default());
        let own = self.dream.reset(start)?;
        self.dream.exchange_memory(lent);
        Ok(own)
    }

    fn step(&mut self, action: &Action) -> Result<Observation, WorldError> {
        self.dream.step(action)
    }
}

/// A dream whose memory is filled from the simulator, which lives beside it.
struct Taught {
    dream: Dream,
    start: VoxelWorld,
    truth: VoxelWorld,
    origin: Pose,
}

impl Taught {
    /// A true pose in the dream's own coordinates, which begin at the start.
    fn in_dream(&self, pose: &Pose) -> Pose {
        let away = pose.eye() - self.origin.eye();
        let (sin, cos) = (-self.origin.yaw_deg).to_radians().sin_cos();
        let turned = Vec3::new(away.x * cos - away.z * sin, away.y, away.x * sin + away.z * cos);
        Pose { position: turned.to_array(), yaw_deg: pose.yaw_deg - self.origin.yaw_deg, pitch_deg: pose.pitch_deg }
    }

    fn teach(&mut self) {
        let view = look(&self.truth);
        self.dream.teach(&view.frame, &view.depth, &true_matters(&view));
    }
}

impl World for Taught {
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
        self.truth = self.start.clone();
        let first = self.dream.reset(start)?;
        self.teach();
        Ok(first)
    }

    fn step(&mut self, action: &Action) -> Result<Observation, WorldError> {
        self.truth.tick(action);
        self.dream.guide(self.in_dream(&self.truth.pose()));
        let observation = self.dream.step(action)?;
        self.teach();
        Ok(observation)
    }
}

/// The simulator itself: it must score the ceiling of every probe.
#[derive(Debug, Clone)]
pub struct Simulator {
    pub camera: Camera,
}

impl Subject for Simulator {
    fn name(&self) -> String {
        "simulator".into()
    }

    fn camera(&self) -> Camera {
        self.camera
    }

    fn world(&self, role: Role, scene: &Scene) -> Result<Option<Box<dyn World>>, ProbeError> {
        let prepared = || Prepared { start: scene.start.clone(), now: scene.start.clone() };
        Ok((role == Role::Subject).then(|| Box::new(prepared()) as Box<dyn World>))
    }
}

/// A true world that begins where a scene does.
struct Prepared {
    start: VoxelWorld,
    now: VoxelWorld,
}

impl Prepared {
    fn observe(&self) -> Observation {
        let view = look(&self.now);
        let (tick, pose) = (self.now.ticks(), self.now.pose());
        Observation { tick, frame: view.frame, depth: view.depth, pose, stages_ms: Vec::new() }
    }
}

impl World for Prepared {
    fn reset(&mut self, _start: &Start) -> Result<Observation, WorldError> {
        self.now = self.start.clone();
        Ok(self.observe())
    }

    fn step(&mut self, action: &Action) -> Result<Observation, WorldError> {
        self.now.tick(action);
        Ok(self.observe())
    }
}

/// Worlds that know nothing: they must score the floor of every probe.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Baseline {
    /// Shows the picture of the start for ever.
    CopyLastFrame,
    /// Shows noise, each frame another.
    Noise,
}

/// A baseline with a camera.
#[derive(Debug, Clone)]
pub struct Ignorant {
    pub baseline: Baseline,
    pub camera: Camera,
}

impl Subject for Ignorant {
    fn name(&self) -> String {
        match self.baseline {
            Baseline::CopyLastFrame => "copy_last_frame".into(),
            Baseline::Noise => "noise".into(),
        }
    }

    fn camera(&self) -> Camera {
        self.camera
    }

    fn world(&self, role: Role, _scene: &Scene) -> Result<Option<Box<dyn World>>, ProbeError> {
        let world = || Box::new(Blind { baseline: self.baseline, frame: Frame::default(), tick: 0 });
        Ok((role == Role::Subject).then(|| world() as Box<dyn World>))
    }
}

/// The world of a baseline.
struct Blind {
    baseline: Baseline,
    frame: Frame,
    tick: u64,
}

impl Blind {
    fn observe(&mut self) -> Observation {
        if self.baseline == Baseline::Noise && self.tick > 0 {
            let mut dice = Dice::new(self.tick);
            self.frame.rgb.iter_mut().for_each(|value| *value = dice.whole(0..256) as u8);
        }
        let depth = Depth::new(self.frame.width, self.frame.height);
        let (tick, frame) = (self.tick, self.frame.clone());
        Observation { tick, frame, depth, pose: Pose::default(), stages_ms: Vec::new() }
    }
}

impl World for Blind {
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
        let Start::Image(frame, _) = start else {
            return Err(WorldError::Model("a baseline starts from a picture".into()));
        };
        (self.frame, self.tick) = (frame.clone(), 0);
        Ok(self.observe())
    }

    fn step(&mut self, _action: &Action) -> Result<Observation, WorldError> {
        self.tick += 1;
        Ok(self.observe())
    }
}

/// Makes a fresh world.
pub type MakeWorld = Box<dyn Fn() -> Box<dyn World> + Sync>;

/// Anybody's world. Its floor is the picture of the start held still, its ceiling the simulator.
pub struct OwnWorld {
    pub name: String,
    pub camera: Camera,
    pub make: MakeWorld,
}

impl fmt::Debug for OwnWorld {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OwnWorld").field("name", &self.name).field("camera", &self.camera).finish_non_exhaustive()
    }
}

impl Subject for OwnWorld {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn camera(&self) -> Camera {
        self.camera
    }

    fn world(&self, role: Role, _scene: &Scene) -> Result<Option<Box<dyn World>>, ProbeError> {
        Ok((role == Role::Subject).then(|| (self.make)()))
    }
}
