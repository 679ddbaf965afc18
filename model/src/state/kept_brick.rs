//! A brick of the world state as plain data, for saves; see `kept.rs`.

use super::{
    brick::{Brick, Cell, LEVELS, Layer, MADE_LOOKS, MOST_CELLS, MOST_DOUBTS, Order, Summary, Thinned},
    write::MOST_VOTES,
};
use glam::IVec3;
use serde::{Deserialize, Serialize};

/// The cells of each level in their order, and the summaries.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct KeptBrick {
    layers: [Vec<Cell>; LEVELS],
    thinned: [KeptThinned; LEVELS - 1],
}

#[derive(Debug, Clone, Serialize, Deserialize)]
enum KeptThinned {
    /// Up to date: the cells tell them.
    Fresh,
    /// Behind the cells, and shown so until their turn comes.
    Stale { sound: bool, summaries: Vec<Summary>, members: Vec<(u8, u32)> },
}

/// One more than the largest key that a cell can have in its brick and layer: three times six bits.
const KEYS: u32 = 1 << 18;

impl Brick {
    /// Bytes in memory, about: tables for finding cells included.
    pub fn bytes(&self) -> usize {
        let of_layer = |layer: &Layer| layer.cells.capacity() * size_of::<Cell>() + layer.index.capacity() * 10;
        let of_thinned = |thinned: &Thinned| {
            thinned.summaries.capacity() * size_of::<Summary>() + thinned.members.capacity() * size_of::<(u8, u32)>()
        };
        let layers: usize = self.layers.iter().map(of_layer).sum();
        size_of::<Brick>() + layers + self.thinned.iter().map(of_thinned).sum::<usize>()
    }

    pub fn keep(&self) -> KeptBrick {
        let keep = |thinned: &Thinned| match thinned.fresh {
            true => KeptThinned::Fresh,
            false => KeptThinned::Stale {
                sound: thinned.sound,
                summaries: thinned.summaries.clone(),
                members: if thinned.sound { thinned.members.clone() } else { Vec::new() },
            },
        };
        KeptBrick {
            layers: std::array::from_fn(|level| self.layers[level].cells.clone()),
            thinned: std::array::from_fn(|at| keep(&self.thinned[at])),
        }
    }

    pub fn from_kept(kept: KeptBrick, place: IVec3) -> Result<Brick, String> {
        let mut brick = Brick { place, ..Brick::default() };
        for (layer, cells) in brick.layers.iter_mut().zip(kept.layers) {
            *layer = Layer::from_cells(cells)?;
        }
        if brick.count() > MOST_CELLS {
            return Err(format!("a brick holds {} cells, more than {MOST_CELLS}", brick.count()));
        }
        let mut order = Order::new();
        for (at, thinned) in kept.thinned.into_iter().enumerate() {
            match thinned {
                KeptThinned::Fresh => brick.thin(at + 1, &mut order),
                KeptThinned::Stale { sound, summaries, members } => {
                    let thinned = Thinned { fresh: false, sound, summaries, members };
                    thinned.check(&brick.layers[..=at])?;
                    brick.thinned[at] = thinned;
                }
            }
        }
        Ok(brick)
    }
}

impl Layer {
    fn from_cells(cells: Vec<Cell>) -> Result<Layer, String> {
        let mut layer = Layer { cells, ..Layer::default() };
        for (at, cell) in layer.cells.iter().enumerate() {
            let sound = cell.position.is_finite()
                && cell.footprint_blocks.is_finite()
                && cell.footprint_blocks >= 0.0
                && (1..=MOST_VOTES).contains(&cell.votes)
                && (1..=MADE_LOOKS).contains(&cell.looks)
                && cell.doubts < MOST_DOUBTS
                && cell.key < KEYS;
            if !sound || layer.index.insert(cell.key, at as u32).is_some() {
                return Err("a cell of the map is none".into());
            }
        }
        Ok(layer)
    }
}

impl Thinned {
    /// Whether every summary stands for cells of the layers below, where it claims to.
    fn check(&self, finer: &[Layer]) -> Result<(), String> {
        let there = |&(level, at): &(u8, u32)| {
            finer.get(usize::from(level)).is_some_and(|layer| (at as usize) < layer.cells.len())
        };
        let claims = |summary: &Summary| {
            let end = u64::from(summary.first) + u64::from(summary.count);
            let finite = summary.position.is_finite() && summary.look.footprint_blocks.is_finite();
            finite && summary.look.trust.is_finite() && (!self.sound || end <= self.members.len() as u64)
        };
        // Summaries that lag behind may outnumber the cells, but never what a brick can hold.
        let few = self.summaries.len() <= MOST_CELLS && self.members.len() <= MOST_CELLS;
        if few && (!self.sound || self.members.iter().all(there)) && self.summaries.iter().all(claims) {
            return Ok(());
        }
        Err("a summary of the map stands for cells that are not there".into())
    }
}
