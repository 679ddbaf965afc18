//! A small world for the app's tests: a striped horizon that turns and shifts with the actions, and a record of them.

use anyhow::Result;
use holdfast_game::app::{PlayableWorld, WorldFactory, Worlds};
use holdfast_sim::{Action, Depth, Frame, Observation, Pose, Start, World, WorldError};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// What a world was told, readable from outside its thread.
#[derive(Debug, Clone, Default)]
pub struct Record {
    actions: Arc<Mutex<Vec<Action>>>,
    seeds: Arc<Mutex<Vec<u64>>>,
    gone: Arc<AtomicBool>,
}

#[allow(dead_code, reason = "each test program uses its own part")]
impl Record {
    pub fn actions(&self) -> Vec<Action> {
        self.actions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn seeds(&self) -> Vec<u64> {
        self.seeds.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub fn is_gone(&self) -> bool {
        self.gone.load(Ordering::SeqCst)
    }
}

/// The seed that no world can be made from.
pub const UNLUCKY_SEED: u64 = 13;

/// How a world behaves.
#[derive(Debug, Clone, Copy, Default)]
pub struct Manner {
    pub step: Duration,
    /// The tick in which it panics.
    pub panics_at: Option<u64>,
    /// Grey instead of coloured, to tell the truth from the dream.
    pub grey: bool,
}

#[derive(Debug)]
pub struct StripedWorld {
    manner: Manner,
    record: Record,
    seed: u64,
    tick: u64,
    pose: Pose,
    slot: u8,
    flash: bool,
}

impl StripedWorld {
    pub fn new(manner: Manner, record: &Record) -> Self {
        StripedWorld { manner, record: record.clone(), seed: 0, tick: 0, pose: Pose::default(), slot: 1, flash: false }
    }

    fn observe(&self) -> Observation {
        let (width, height) = (128, 72);
        let mut frame = Frame::new(width, height);
        let horizon = height as f32 / 2.0 - self.pose.pitch_deg;
        for (index, rgb) in frame.rgb.chunks_exact_mut(3).enumerate() {
            let (x, y) = ((index % width) as f32, (index / width) as f32);
            let below = y - horizon;
            let color = if below < 0.0 {
                [110.0 + below, 160.0 + below * 0.6, 225.0]
            } else {
                // Stripes that run towards the walker and turn with the head.
                let away = 60.0 / (below + 2.0) + self.pose.position[2];
                let across = (x - 64.0) / (below + 6.0) * 4.0 + self.pose.yaw_deg * 0.1 + self.pose.position[0];
                let dark = (away.floor() + across.floor()).rem_euclid(2.0) < 1.0;
                let hue = (self.seed % 5) as f32 * 12.0;
                if dark { [70.0 + hue, 120.0, 60.0] } else { [90.0 + hue, 150.0, 72.0] }
            };
            let color = if self.manner.grey { [(color[0] + color[1] + color[2]) / 3.0; 3] } else { color };
            let lift = if self.flash { 60.0 } else { 0.0 };
            rgb.copy_from_slice(&color.map(|part| (part + lift).clamp(0.0, 255.0) as u8));
        }
        let depth = Depth::new(width, height);
        Observation { tick: self.tick, frame, depth, pose: self.pose, stages_ms: Vec::new() }
    }
}

impl World for StripedWorld {
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
        let Start::Seed(seed) = start else {
            return Err(WorldError::NoImageStart("the striped world"));
        };
        self.record.seeds.lock().unwrap_or_else(PoisonError::into_inner).push(*seed);
        self.record.actions.lock().unwrap_or_else(PoisonError::into_inner).clear();
        if *seed == UNLUCKY_SEED {
            return Err(WorldError::Model("no world has the seed 13".into()));
        }
        (self.seed, self.tick, self.pose, self.slot, self.flash) = (*seed, 0, Pose::default(), 1, false);
        // The panic belongs to the first world only, so that a new one can be tried.
        if self.record.seeds().len() > 1 {
            self.manner.panics_at = None;
        }
        Ok(self.observe())
    }

    fn step(&mut self, action: &Action) -> Result<Observation, WorldError> {
        thread::sleep(self.manner.step);
        self.tick += 1;
        assert!(self.manner.panics_at != Some(self.tick), "the stripes ran out");
        self.record.actions.lock().unwrap_or_else(PoisonError::into_inner).push(*action);
        let [right, forward] = action.wish();
        self.pose = self.pose.turned(action.camera);
        self.pose.position[0] += right * 0.2;
        self.pose.position[2] += forward * 0.2;
        if action.hotbar > 0 {
            self.slot = action.hotbar;
        }
        self.flash = action.attack || action.jump;
        Ok(self.observe())
    }
}

impl Drop for StripedWorld {
    fn drop(&mut self) {
        self.record.gone.store(true, Ordering::SeqCst);
    }
}

impl PlayableWorld for StripedWorld {
    fn memory_cells(&self) -> usize {
        self.tick as usize * 40
    }
}

/// A game of two striped worlds, and what each was told.
pub fn striped(manner: Manner) -> (WorldFactory, Record, Record) {
    let (dream, truth) = (Record::default(), Record::default());
    let (dream_record, truth_record) = (dream.clone(), truth.clone());
    let factory = move || {
        let grey = Manner { grey: true, step: Duration::ZERO, panics_at: None };
        Ok(Worlds {
            dream: Box::new(StripedWorld::new(manner, &dream_record)),
            truth: Some(Box::new(StripedWorld::new(grey, &truth_record))),
            device: "test".into(),
            about: None,
        })
    };
    (Box::new(factory), dream, truth)
}
