//! What every world is, true or dreamed: it starts, and it answers each action with an observation.

use crate::{Action, Depth, Frame, Pose};
use std::any::Any;

/// How a world begins.
#[derive(Debug, Clone)]
pub enum Start {
    /// A world from a seed. A dream takes its first frame from the simulator's world of that seed, and nothing else.
    Seed(u64),
    /// A world that continues this picture; and the pose among the blocks that it was taken from, if that is known.
    Image(Frame, Option<Pose>),
}

/// What a world shows after one tick.
#[derive(Debug, Clone)]
pub struct Observation {
    /// 0 is the start; the first step gives 1.
    pub tick: u64,
    pub frame: Frame,
    /// The world's own depth: exact for the simulator, predicted for a dream.
    pub depth: Depth,
    /// The world's own pose: exact for the simulator, predicted for a dream (whose coordinates begin at the start).
    pub pose: Pose,
    /// Where the step's time went, in milliseconds, by stage; empty where it is not measured.
    pub stages_ms: Vec<(&'static str, f32)>,
}

/// Why a world could not start or go on.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    #[error("{0} cannot start from an image; give a seed")]
    NoImageStart(&'static str),
    #[error("the start image is {width}x{height}; expected {expected}")]
    ImageSize { width: usize, height: usize, expected: String },
    #[error("the model failed: {0}")]
    Model(String),
    #[error("this world cannot go back to a moment that is not its own")]
    NoWayBack,
}

/// A world at one tick, of which only that world knows what it holds.
pub type Moment = Box<dyn Any>;

/// A world that can be played, recorded and probed. The dream and the simulator stand behind it alike.
pub trait World {
    /// Forgets everything and starts anew; returns the observation of tick 0.
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError>;
    /// Advances one tick (1/20 s).
    fn step(&mut self, action: &Action) -> Result<Observation, WorldError>;
    /// The world as it is now, to come back to; `None` where it keeps none.
    fn moment(&self) -> Option<Moment> {
        None
    }
    /// Comes back to a moment: the next frames are those that followed it, under the same actions.
    fn go_back(&mut self, _to: &Moment) -> Result<(), WorldError> {
        Err(WorldError::NoWayBack)
    }
}
