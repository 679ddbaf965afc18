//! What a probe does to a dream's memory and pose, for its ceilings and controls. Nothing that plays or records does any of it.

use super::Dream;
use crate::{
    grain::Grain,
    matter::Matter,
    situation::{Known, Made},
    state::{Canvas, Memory, Shown},
};
use holdfast_sim::{Depth, Frame, Pose, script::Dice};
use std::sync::Arc;

/// What a probe does to a dream's memory, for its ceiling and its controls. A dream that is played has none of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Tampering {
    /// The pose of the next step, in place of the predicted one.
    pub next_pose: Option<Pose>,
    /// The memory holds true views only: the dream's own frames are not written.
    pub taught: bool,
    /// What the memory shows has its colours permuted among the pixels.
    pub shuffled: bool,
}

/// What a dream remembers of places.
#[derive(Debug, Default)]
pub struct Remembered {
    state: Memory,
    /// What the hand put where, and what is known of single cells.
    cells: (Arc<Made>, Arc<Known>),
}

/// Permutes the colours among the known pixels: places stay, what is there is lost.
pub(super) fn shuffle_colours(canvas: &mut Canvas, seed: u64) {
    let known: Vec<usize> = (0..canvas.rgb.len()).filter(|&pixel| canvas.known(pixel)).collect();
    let mut dice = Dice::new(seed);
    for last in (1..known.len()).rev() {
        let other = dice.whole(0..last as u32 + 1) as usize;
        canvas.rgb.swap(known[last], known[other]);
    }
}

impl Dream {
    /// The next step takes this pose (in the dream's own coordinates) instead of predicting one.
    pub fn guide(&mut self, pose: Pose) {
        self.tampering.next_pose = Some(pose);
    }

    /// Writes a true view from the present pose into the memory; from the first on, the memory holds nothing else.
    pub fn teach(&mut self, frame: &Frame, depth: &Depth, matters: &[Matter]) {
        if !self.tampering.taught {
            self.tampering.taught = true;
            self.state.clear();
        }
        self.state.read(&self.pose, &self.camera, &mut self.sight);
        let mut grain = Grain::default();
        grain.given(&self.situation.grid().place(&self.pose), &self.camera, depth);
        let detail_blocks = &grain.detail_blocks;
        let shown = Shown { matters, detail_blocks, ..Shown::given(frame, depth, self.tick as u32) };
        self.state.write(&self.pose, &self.camera, &mut self.sight, &shown);
    }

    /// From now on, also after a reset, the memory is read with its colours permuted.
    pub fn shuffle_memory(&mut self) {
        self.tampering.shuffled = true;
    }

    /// Takes what another dream remembers for its own, and gives back what it had.
    pub fn exchange_memory(&mut self, other: Remembered) -> Remembered {
        let state = std::mem::replace(&mut self.state, other.state);
        Remembered { state, cells: self.situation.exchange_cells(other.cells) }
    }
}
