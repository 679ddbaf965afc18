//! The last minute of a world, for rewinding: whole worlds at some ticks, and the actions and frames of all.
//!
//! A frame of the past is shown as it was. To go on from it, the world before it is taken and played forward with the
//! same actions, which gives the same frames again, bit for bit. Worlds share what did not change between them; when
//! they hold too much all the same, some go, and going on takes longer, but the whole minute stays in reach.

use holdfast_model::keep::Snapshot;
use holdfast_sim::{Action, Frame, TICKS_PER_SECOND};
use std::collections::VecDeque;

/// How far back one can go.
const REACH_TICKS: u64 = 60 * TICKS_PER_SECOND as u64;
/// A world is kept every so many ticks: going on from the past takes at most as many steps.
const WORLD_EVERY_TICKS: u64 = 2 * TICKS_PER_SECOND as u64;
/// Most bytes of the worlds.
const MOST_WORLD_BYTES: usize = 256 << 20;
/// Most bytes of the frames: a model with large ones has a shorter past.
const MOST_FRAME_BYTES: usize = 96 << 20;

/// A world kept, and the bytes that it does not share with the next one.
#[derive(Debug)]
struct Kept {
    world: Snapshot,
    own_bytes: usize,
}

/// See the module. Empty for worlds that cannot be kept.
#[derive(Debug, Default)]
pub struct History {
    /// The oldest first; never empty while there is a past.
    worlds: VecDeque<Kept>,
    /// From the tick after the oldest world on: what was done, and the frame that followed.
    past: VecDeque<(Action, Frame)>,
    most_world_bytes: Option<usize>,
}

impl History {
    /// Forgets everything, and begins with a world.
    pub fn begin(&mut self, world: Option<Snapshot>) {
        self.worlds = world.map(|world| Kept { world, own_bytes: 0 }).into_iter().collect();
        self.past.clear();
    }

    /// The oldest and the newest tick that one can go to, if any.
    pub fn span(&self) -> Option<(u64, u64)> {
        let first = self.worlds.front()?.world.tick();
        let last = first + self.past.len() as u64;
        Some((first.max(last.saturating_sub(REACH_TICKS)), last))
    }

    /// Takes in a tick. `world` is asked for the world as it is now when one is to be kept.
    pub fn note(&mut self, action: Action, frame: &Frame, world: impl FnOnce() -> Option<Snapshot>) {
        let Some(newest) = self.worlds.back() else { return };
        let newest = newest.world.tick();
        self.past.push_back((action, frame.clone()));
        let (_, tick) = self.span().expect("there is a world");
        // Frames go with the worlds before them, so large frames need more worlds.
        let few_frames = (MOST_FRAME_BYTES / frame.rgb.len().max(1) / 4).max(1) as u64;
        if tick - newest >= WORLD_EVERY_TICKS.min(few_frames)
            && let Some(world) = world()
        {
            self.worlds.push_back(Kept { world, own_bytes: 0 });
            self.weigh(self.worlds.len() - 2);
            self.thin_out();
        }
        // Worlds go when the next one reaches back far enough.
        let too_large = self.past.len() * frame.rgb.len() > MOST_FRAME_BYTES;
        while let Some(second) = self.worlds.get(1)
            && (second.world.tick() + REACH_TICKS <= tick || too_large)
        {
            let gone = second.world.tick() - self.worlds[0].world.tick();
            self.worlds.pop_front();
            self.past.drain(..gone as usize);
            if too_large {
                break;
            }
        }
    }

    /// The frame of a tick in the span.
    pub fn frame_at(&self, tick: u64) -> Option<&Frame> {
        let first = self.worlds.front()?;
        match tick.checked_sub(first.world.tick())? {
            0 => Some(first.world.frame()),
            after => self.past.get(after as usize - 1).map(|(_, frame)| frame),
        }
    }

    /// The way to a tick in the span: the last world before it, and what was done from there on.
    pub fn way_to(&self, tick: u64) -> Option<(&Snapshot, Vec<Action>)> {
        let first = self.worlds.front()?.world.tick();
        let at = self.worlds.iter().rposition(|kept| kept.world.tick() <= tick)?;
        let world = &self.worlds[at].world;
        let (from, to) = ((world.tick() - first) as usize, (tick - first) as usize);
        (to <= self.past.len()).then(|| (world, self.past.range(from..to).map(|(action, _)| *action).collect()))
    }

    /// Forgets what came after a tick.
    pub fn cut_after(&mut self, tick: u64) {
        let Some(first) = self.worlds.front().map(|kept| kept.world.tick()) else { return };
        self.past.truncate(tick.saturating_sub(first) as usize);
        while self.worlds.len() > 1 && self.worlds.back().is_some_and(|kept| kept.world.tick() > tick) {
            self.worlds.pop_back();
        }
    }

    /// Bytes of memory that it holds: worlds and frames.
    pub fn bytes(&self) -> [usize; 2] {
        let worlds = self.worlds.iter().map(|kept| kept.own_bytes).sum();
        [worlds, self.past.iter().map(|(_, frame)| frame.rgb.len()).sum()]
    }

    /// Weighs a world against the next one.
    fn weigh(&mut self, at: usize) {
        if let (Some(kept), Some(next)) = (self.worlds.get(at), self.worlds.get(at + 1)) {
            let own_bytes = kept.world.bytes_not_shared_with(&next.world);
            self.worlds[at].own_bytes = own_bytes;
        }
    }

    /// Drops worlds until the rest fit: those whose neighbours are nearest to each other, the oldest first.
    fn thin_out(&mut self) {
        let most = self.most_world_bytes.unwrap_or(MOST_WORLD_BYTES);
        while self.worlds.len() > 2 && self.bytes()[0] > most {
            let gap = |at: &usize| self.worlds[at + 1].world.tick() - self.worlds[at - 1].world.tick();
            let Some(at) = (1..self.worlds.len() - 1).min_by_key(gap) else { return };
            self.worlds.remove(at);
            self.weigh(at - 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_model::{Dream, DreamOptions, ModelConfig, folder::ModelFolder, keep::frame_hash};
    use holdfast_sim::{Start, World, script::Policy};

    fn dream() -> Dream {
        let config = ModelConfig { d_model: 32, heads: 2, layers: 1, ..ModelConfig::default() };
        let model = ModelFolder::untrained(config, 1);
        let start_frames = Box::new(holdfast_model::train::first_frame);
        Dream::new(model, DreamOptions::default(), start_frames).expect("a valid model")
    }

    #[test]
    fn any_tick_of_the_past_is_reached_exactly_whatever_had_to_go() {
        let mut dream = dream();
        dream.reset(&Start::Seed(3)).expect("a seed");
        // Not enough for all of them.
        let mut history = History { most_world_bytes: Some(4 << 20), ..History::default() };
        history.begin(dream.snapshot());
        let actions: Vec<_> = Policy::Wander.open_loop(3).take(330).collect();
        let mut hashes = vec![[0; 32]];
        for action in &actions {
            let frame = dream.step(action).expect("goes on").frame;
            hashes.push(frame_hash(&frame));
            history.note(*action, &frame, || dream.snapshot());
        }
        assert_eq!(history.span(), Some((0, 330)));
        let fits = history.bytes()[0] <= 4 << 20 || history.worlds.len() == 2;
        assert!(fits && history.worlds.len() < 9, "{} worlds", history.worlds.len());
        for tick in [330, 329, 201, 40, 39] {
            let (world, way) = history.way_to(tick).expect("in the span");
            dream.restore(&world.clone()).expect("its own");
            let last = way.iter().map(|action| dream.step(action).expect("goes on").frame).last();
            let frame = last.unwrap_or_else(|| world.frame().clone());
            assert_eq!(frame_hash(&frame), hashes[tick as usize], "tick {tick}");
            assert_eq!(Some(&frame), history.frame_at(tick), "what was shown");
            history.cut_after(tick);
            assert_eq!(history.span(), Some((0, tick)));
        }
        assert!(history.way_to(40).is_none() && history.frame_at(40).is_none(), "cut off");
    }

    #[test]
    fn a_minute_stays_and_what_is_older_goes() {
        let mut dream = dream();
        dream.reset(&Start::Seed(3)).expect("a seed");
        let mut history = History::default();
        history.begin(dream.snapshot());
        for tick in 1..=1400u64 {
            // Only the tick of a world matters here, and a dream is slow.
            let snapshot = (tick % WORLD_EVERY_TICKS == 0).then(|| {
                let world = dream.snapshot().map(|world| world.at_tick(tick));
                world.expect("it has begun")
            });
            history.note(Action::default(), &Frame::new(1, 1), || snapshot);
        }
        assert_eq!(history.span(), Some((200, 1400)));
        assert!(history.worlds[0].world.tick() >= 200 - WORLD_EVERY_TICKS && history.past.len() <= 1240);
    }

    /// The figures of `docs/decisions/keeping.md`.
    #[test]
    #[ignore = "measures: cargo test --release --workspace --lib -- --ignored --nocapture what_keeping_costs"]
    fn what_keeping_costs() {
        use std::time::Instant;
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/pebble");
        let model = ModelFolder::load(&folder).expect("the shipped model");
        let mut dream = Dream::new(model, DreamOptions::default(), Box::new(holdfast_model::train::first_frame))
            .expect("a valid model");
        dream.reset(&Start::Seed(7)).expect("a seed");
        let mut history = History::default();
        // By turns with and without, so that whatever else the machine does weighs on both alike.
        let (mut ms, mut worst_ms) = ([const { Vec::new() }; 2], 0.0f64);
        for (tick, action) in Policy::Wander.open_loop(7).take(3600).enumerate() {
            let keeps = tick / 120 % 2;
            if tick % 120 == 0 {
                history.begin((keeps == 1).then(|| dream.snapshot()).flatten());
            }
            let start = Instant::now();
            let frame = dream.step(&action).expect("goes on").frame;
            let stepped = start.elapsed();
            history.note(action, &frame, || dream.snapshot());
            if keeps == 1 {
                std::hint::black_box(frame_hash(&frame));
                worst_ms = worst_ms.max((start.elapsed() - stepped).as_secs_f64() * 1e3);
            }
            ms[keeps].push(start.elapsed().as_secs_f64() * 1e3);
        }
        for (name, ms) in ["without", "with"].into_iter().zip(&mut ms) {
            ms.sort_by(f64::total_cmp);
            let mean = ms.iter().sum::<f64>() / ms.len() as f64;
            let at = |share: f64| ms[(ms.len() as f64 * share) as usize];
            println!("{name}: mean {mean:.2} ms a tick, p50 {:.2}, p95 {:.2}, p99 {:.2}", at(0.5), at(0.95), at(0.99));
        }
        println!("worst tick's keeping after its step: {worst_ms:.2} ms; {} cells", dream.status().memory_cells);
        history.begin(dream.snapshot());
        for action in Policy::Wander.open_loop(8).take(1300) {
            let frame = dream.step(&action).expect("goes on").frame;
            history.note(action, &frame, || dream.snapshot());
        }
        let [worlds, frames] = history.bytes().map(|bytes| bytes as f64 / 1e6);
        println!("a minute: {} worlds of {worlds:.0} MB, frames of {frames:.0} MB", history.worlds.len());
        let (oldest, newest) = history.span().expect("a past");
        for tick in [newest - 1, newest - 199, oldest + 39] {
            let start = Instant::now();
            let (world, way) = history.way_to(tick).expect("in the span");
            dream.restore(world).expect("its own");
            way.iter().for_each(|action| drop(dream.step(action).expect("goes on")));
            let back = newest - tick;
            println!("{back} ticks back: {} steps, {:.0} ms", way.len(), start.elapsed().as_secs_f64() * 1e3);
        }
        let world = dream.snapshot().expect("it has begun");
        let start = Instant::now();
        let bytes = world.to_bytes();
        let plain_ms = start.elapsed().as_secs_f64() * 1e3;
        println!(
            "a world: {} cells, {:.1} MB plain in {plain_ms:.0} ms",
            world.memory_cells(),
            bytes.len() as f64 / 1e6
        );
    }
}
