//! A dream at one tick: all that its next frames depend on. Cheap to take, exact to go on from.

use crate::{
    flow::Flows,
    grid::Grid,
    matter::Matter,
    motion::Motion,
    situation::{Known, Made, Situation},
    state::{Glass, Herd, KeptState, Memory, Movers},
};
use holdfast_sim::{Depth, Frame, Pose};
use rand_chacha::{ChaCha8Rng, rand_core::SeedableRng};
use serde::{Deserialize, Serialize};

/// See the module. It shares the world state with the dream until the dream changes it, so taking one each second costs
/// next to nothing, and it may cross to another thread to be written.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// BLAKE3 of the weights, hexadecimal: the model that can go on from here.
    pub model_hash: String,
    pub(crate) state: Memory,
    pub(crate) frame: Frame,
    pub(crate) depth: Depth,
    /// The last frame without the herd and panes, where there are some.
    pub(crate) bare: Option<(Frame, Depth)>,
    pub(crate) motion: Motion,
    pub(crate) pose: Pose,
    pub(crate) situation: Situation,
    pub(crate) rng: ChaCha8Rng,
    pub(crate) tick: u64,
    /// Whether the world state is read and written.
    pub(crate) memory: bool,
    pub(crate) sampler_steps: usize,
}

/// A snapshot as version 1 of a save had it. A change here is a new version.
#[derive(Debug, Serialize, Deserialize)]
struct Kept {
    tick: u64,
    memory: bool,
    sampler_steps: u16,
    width: u16,
    height: u16,
    rgb: Vec<u8>,
    depth_blocks: Vec<f32>,
    pose: Pose,
    motion: Motion,
    situation: Situation,
    rng_seed: [u8; 32],
    rng_stream: u64,
    rng_word: u128,
    state: KeptState,
}

/// What follows it from version 2 on.
#[derive(Debug, Serialize, Deserialize)]
struct Tail {
    drafts: KeptState,
    stood_y: f32,
}

/// What follows that from version 3 on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Lie {
    grid: Grid,
}

/// What follows that from version 4 on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Life {
    movers: Movers,
    under: Matter,
}

/// What follows that from version 5 on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Works {
    made: Made,
}

/// What follows from version 7 on, after what is known of single cells.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Beasts {
    herd: Herd,
    /// RGB and depths of the last frame without them.
    bare: Option<(Vec<u8>, Vec<f32>)>,
}

/// What follows that from version 8 on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Windows {
    glass: Glass,
}

/// What follows that from version 9 on.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Streams {
    flows: Flows,
}

/// No dream's eye is farther from its start than this, blocks.
const FARTHEST_BLOCKS: f32 = 1e7;
/// No dream turns farther than this in its life, degrees.
const MOST_YAW_DEG: f32 = 1e9;

/// Bytes, and those of a value after them.
fn with<T: Serialize>(bytes: Vec<u8>, value: &T) -> Vec<u8> {
    postcard::to_extend(value, bytes).expect("plain data in memory always serialises")
}

/// Reads a value where any bytes are left.
fn take_if_any<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(Option<T>, &'a [u8]), String> {
    if bytes.is_empty() {
        return Ok((None, bytes));
    }
    let taken = postcard::take_from_bytes::<T>(bytes);
    taken.map(|(value, rest)| (Some(value), rest)).map_err(|error| error.to_string())
}

impl Snapshot {
    /// The tick of the last frame; the next step gives the one after it.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// The same world at another tick, for tests of what counts ticks.
    pub fn at_tick(self, tick: u64) -> Snapshot {
        Snapshot { tick, ..self }
    }

    /// The last frame.
    pub fn frame(&self) -> &Frame {
        &self.frame
    }

    pub fn pose(&self) -> Pose {
        self.pose
    }

    pub fn world_state(&self) -> &Memory {
        &self.state
    }

    /// Cells that the world state holds.
    pub fn memory_cells(&self) -> usize {
        self.state.cells()
    }

    pub fn memory(&self) -> bool {
        self.memory
    }

    pub fn sampler_steps(&self) -> usize {
        self.sampler_steps
    }

    /// Bytes of memory that this one holds alone, when `later` is the next one kept of the same dream.
    pub fn bytes_not_shared_with(&self, later: &Snapshot) -> usize {
        let picture = |frame: &Frame, depth: &Depth| frame.rgb.len() + size_of_val(depth.blocks.as_slice());
        let bare = self.bare.as_ref().map_or(0, |(frame, depth)| picture(frame, depth));
        let pictures = picture(&self.frame, &self.depth) + bare;
        let known = self.situation.known().bytes_not_shared_with(later.situation.known());
        self.state.bytes_not_shared_with(&later.state) + pictures + known + size_of::<Snapshot>()
    }

    /// The same dream as bytes; equal dreams give equal bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let [firm, drafts] = self.state.keep();
        let kept = Kept {
            tick: self.tick,
            memory: self.memory,
            sampler_steps: self.sampler_steps as u16,
            width: self.frame.width as u16,
            height: self.frame.height as u16,
            rgb: self.frame.rgb.clone(),
            depth_blocks: self.depth.blocks.clone(),
            pose: self.pose,
            motion: self.motion.clone(),
            situation: self.situation.clone(),
            rng_seed: self.rng.get_seed(),
            rng_stream: self.rng.get_stream(),
            rng_word: self.rng.get_word_pos(),
            state: firm,
        };
        let bytes = with(Vec::new(), &kept);
        let bytes = with(bytes, &Tail { drafts, stood_y: self.motion.stood_y() });
        let bytes = with(bytes, &Lie { grid: self.situation.grid() });
        let bytes = with(bytes, &Life { movers: self.state.movers().clone(), under: self.situation.under() });
        let bytes = with(bytes, &Works { made: self.situation.made().clone() });
        // What follows that from version 6 on.
        let bytes = with(bytes, self.situation.known());
        let bare = self.bare.as_ref().map(|(frame, depth)| (frame.rgb.clone(), depth.blocks.clone()));
        let bytes = with(bytes, &Beasts { herd: self.state.herd().clone(), bare });
        let bytes = with(bytes, &Windows { glass: self.state.glass().clone() });
        with(bytes, &Streams { flows: self.situation.known().flows().clone() })
    }

    /// Reads [`Snapshot::to_bytes`]; what no dream can be is refused with the reason.
    pub fn from_bytes(bytes: &[u8], model_hash: String) -> Result<Snapshot, String> {
        let (kept, rest) = postcard::take_from_bytes::<Kept>(bytes).map_err(|error| error.to_string())?;
        let (tail, rest) = take_if_any::<Tail>(rest)?;
        let (lie, rest) = take_if_any::<Lie>(rest)?;
        let (life, rest) = take_if_any::<Life>(rest)?;
        let (works, rest) = take_if_any::<Works>(rest)?;
        let (known, rest) = take_if_any::<Known>(rest)?;
        let (beasts, rest) = take_if_any::<Beasts>(rest)?;
        let (windows, rest) = take_if_any::<Windows>(rest)?;
        let (streams, rest) = take_if_any::<Streams>(rest)?;
        if !rest.is_empty() {
            return Err(format!("{} bytes too many", rest.len()));
        }
        let (width, height) = (usize::from(kept.width), usize::from(kept.height));
        let pixels = width * height;
        if pixels == 0 || kept.rgb.len() != pixels * 3 || kept.depth_blocks.len() != pixels {
            return Err("the last frame has not the size that it claims".into());
        }
        let is_depth = |blocks: &f32| blocks.is_finite() && *blocks >= 0.0;
        if !kept.depth_blocks.iter().all(is_depth) {
            return Err("the last depth is none".into());
        }
        let Pose { position, yaw_deg, pitch_deg } = kept.pose;
        let stands = position.iter().all(|part| part.is_finite() && part.abs() < FARTHEST_BLOCKS);
        if !(stands && yaw_deg.abs() < MOST_YAW_DEG && pitch_deg.abs() <= 90.0) {
            return Err("the pose is out of the world".into());
        }
        let beasts = beasts.unwrap_or_default();
        let is_frame = |rgb: &[u8], blocks: &[f32]| {
            rgb.len() == pixels * 3 && blocks.len() == pixels && blocks.iter().all(is_depth)
        };
        if beasts.bare.as_ref().is_some_and(|(rgb, blocks)| !is_frame(rgb, blocks)) {
            return Err("what is behind the animals is no frame".into());
        }
        let bare = beasts.bare.map(|(rgb, blocks)| (Frame { width, height, rgb }, Depth { width, height, blocks }));
        let (drafts, stood_y) = tail.map_or((None, None), |tail| (Some(tail.drafts), Some(tail.stood_y)));
        let motion = kept.motion.that_stood(stood_y, &kept.pose);
        let life = life.unwrap_or_default();
        let (grid, made) = (lie.unwrap_or_default().grid, works.unwrap_or_default().made);
        let known = known.unwrap_or_default().that_flow(streams.unwrap_or_default().flows);
        let situation = kept.situation.that_lies(grid, life.under, made, known);
        if !motion.is_sound() || !situation.is_sound() || !(1..=64).contains(&kept.sampler_steps) {
            return Err("the player's motion or situation is impossible".into());
        }
        let mut rng = ChaCha8Rng::from_seed(kept.rng_seed);
        rng.set_stream(kept.rng_stream);
        rng.set_word_pos(kept.rng_word);
        Ok(Snapshot {
            model_hash,
            state: Memory::from_kept(kept.state, drafts, life.movers, beasts.herd, windows.unwrap_or_default().glass)?,
            frame: Frame { width, height, rgb: kept.rgb },
            depth: Depth { width, height, blocks: kept.depth_blocks },
            bare,
            motion,
            pose: kept.pose,
            situation,
            rng,
            tick: kept.tick,
            memory: kept.memory,
            sampler_steps: usize::from(kept.sampler_steps),
        })
    }
}
