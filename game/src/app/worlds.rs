//! What the app plays: a dreamed world, and beside it, if wanted, the true one under the same actions.

use holdfast_model::{
    Around, DeviceChoice, Dream,
    keep::{About, Snapshot},
    state::Chart,
};
use holdfast_sim::{Camera, Frame, Observation, World};
use std::fmt;

/// Draws what a world knows from above, with the way so far, on another thread.
pub type DrawChart = Box<dyn FnOnce(&[[f32; 2]]) -> Frame + Send>;

/// Size of the map, pixels: half of the window as it opens.
const CHART_PX: [usize; 2] = [640, 360];
/// A known world wider than this is shown only around the player, blocks.
const CHART_BLOCKS: f32 = 64.0;

/// A world that the app can play and tell about in its heads-up display.
pub trait PlayableWorld: World {
    /// Cells that the world's memory holds now; 0 for a world without such a memory.
    fn memory_cells(&self) -> usize;

    /// The world as it is now, for saves and rewinding; `None` for a world that cannot be kept.
    fn snapshot(&self) -> Option<Snapshot> {
        None
    }

    /// Goes on from a snapshot.
    fn restore(&mut self, _snapshot: &Snapshot) -> Result<Observation, String> {
        Err("this world cannot go on from another one".into())
    }

    /// The slot in hand, 1 to 9, for a world that can be restored.
    fn slot(&self) -> Option<u8> {
        None
    }

    /// How to draw what it knows now; `None` for a world without a map. Copying it costs the tick next to nothing.
    fn draw_chart(&self) -> Option<DrawChart> {
        None
    }

    /// The newest frame with what is known around it, as far as a turn of so many degrees shows; `None` for a world that
    /// knows nothing beyond its frame.
    fn around(&mut self, _ahead_deg: f32) -> Option<Around> {
        None
    }

    /// The dream, for replays: only a dream can make the frames of a recording again.
    fn as_dream(&mut self) -> Option<&mut Dream> {
        None
    }

    /// Seed of the noise that a reset begins with.
    fn noise_seed(&self) -> u64 {
        0
    }

    /// Whether the same actions from the same snapshot give the same frames, bit for bit.
    fn repeats(&self) -> bool {
        true
    }

    /// What became of the device that began to compute it, if that failed.
    fn device_lost(&self) -> Option<DeviceLost> {
        None
    }
}

/// A world's device failed; the last tick is whole all the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeviceLost {
    pub fault: String,
    /// What computes it from now on; `None` if it ends here.
    pub now: Option<String>,
}

impl PlayableWorld for Dream {
    fn memory_cells(&self) -> usize {
        self.status().memory_cells
    }

    fn snapshot(&self) -> Option<Snapshot> {
        Dream::snapshot(self)
    }

    fn restore(&mut self, snapshot: &Snapshot) -> Result<Observation, String> {
        Dream::restore(self, snapshot).map_err(|error| error.to_string())
    }

    fn slot(&self) -> Option<u8> {
        Some(Dream::slot(self))
    }

    fn draw_chart(&self) -> Option<DrawChart> {
        let snapshot = Dream::snapshot(self).filter(Snapshot::memory)?;
        Some(Box::new(move |trail| {
            let camera = Camera::new(snapshot.frame().width, snapshot.frame().height);
            let (pose, tick) = (Some(snapshot.pose()), snapshot.tick());
            let chart = Chart { pose, camera: Some(camera), trail, tick, most_blocks: CHART_BLOCKS };
            snapshot.world_state().draw_chart(&chart, CHART_PX[0], CHART_PX[1])
        }))
    }

    fn around(&mut self, ahead_deg: f32) -> Option<Around> {
        Dream::around(self, ahead_deg)
    }

    fn as_dream(&mut self) -> Option<&mut Dream> {
        Some(self)
    }

    fn noise_seed(&self) -> u64 {
        self.options().noise_seed
    }

    fn repeats(&self) -> bool {
        self.device().is_none() && self.device_fault().is_none()
    }

    fn device_lost(&self) -> Option<DeviceLost> {
        let goes_on = self.options().device == DeviceChoice::Auto;
        let now = goes_on.then(|| self.status().device);
        self.device_fault().map(|fault| DeviceLost { fault: fault.to_string(), now })
    }
}

/// The worlds of one game. They are made in the generator thread and never leave it, so they need not be `Send`.
pub struct Worlds {
    pub dream: Box<dyn PlayableWorld>,
    /// The simulator under the same seed and actions, for side by side.
    pub truth: Option<Box<dyn World>>,
    /// What computes the frames, in words for the heads-up display.
    pub device: String,
    /// What saves and recordings say of the model; `None` for worlds that cannot be kept.
    pub about: Option<About>,
}

/// Makes the worlds inside the generator thread: only the factory crosses over.
pub type WorldFactory = Box<dyn FnOnce() -> anyhow::Result<Worlds> + Send>;

impl fmt::Debug for Worlds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let truth = self.truth.is_some();
        f.debug_struct("Worlds").field("device", &self.device).field("truth", &truth).finish_non_exhaustive()
    }
}
