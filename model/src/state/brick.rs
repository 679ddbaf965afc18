//! A brick of the world state: the surface cells of 4x4x4 blocks, by level, and coarse summaries of the fine ones.

use super::{CELL_BLOCKS, floor, splat::Look};
use glam::{IVec3, Vec3};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// Side of a brick, in blocks: the unit of culling, of thinning with distance, and of the bound on memory.
pub(super) const BRICK_BLOCKS: f32 = 4.0;
/// Most cells of a brick: a flat floor across it, seen as finely as can be, has 4,096.
pub(super) const MOST_CELLS: usize = 6144;
/// A full brick loses this share of its cells at once, the least proven first.
const EVICTED_SHARE: usize = 8;
pub(super) const LEVELS: usize = CELL_BLOCKS.len();

/// A piece of surface.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Cell {
    /// Mean of the points that were seen in it, blocks.
    #[serde(with = "crate::keep::vec3")]
    pub position: Vec3,
    /// Side of what it has details of, blocks: that of the pixel that saw it best, or more if that was soft.
    pub footprint_blocks: f32,
    /// Tick of the last write.
    pub tick: u32,
    pub key: u32,
    pub rgb: [u8; 3],
    /// Occupancy in votes: a hit adds one, being seen through takes some away; at 0 the cell is gone.
    pub votes: i8,
    /// In how many frames a surface was seen here, up to [`PROVEN_LOOKS`]; or [`MADE_LOOKS`].
    pub looks: u8,
    /// Frames in view since the last look that confirmed it, while it is not proven.
    pub doubts: u8,
}

/// A cell that so many frames confirmed stays, however long other surfaces hide it.
pub(super) const PROVEN_LOOKS: u8 = 3;

/// A cell that the hand made stays as it was made, whatever frames show there, until the hand takes it away.
pub(super) const MADE_LOOKS: u8 = PROVEN_LOOKS + 1;

/// A cell that is not proven goes after so many frames in view that did not confirm it.
pub(super) const MOST_DOUBTS: u8 = 6;

/// What a frame says of a point in view.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Verdict {
    /// The frame sees through it: it loses this many votes.
    SeenThrough(i8),
    /// The hand took away what stood there.
    TakenAway,
    /// A surface stands there.
    Confirmed,
    /// Another surface hides it.
    Hidden,
    /// The hand put something before it: it will be there again.
    Covered,
}

/// Cells of one size.
#[derive(Debug, Clone, Default)]
pub(super) struct Layer {
    pub cells: Vec<Cell>,
    pub index: FxHashMap<u32, u32>,
}

/// Room for sorting a brick's cells: key, layer and index.
pub(super) type Order = Vec<(u32, u8, u32)>;

/// The cells of the finer layers that lie in one cell of a coarser level, drawn as one from afar.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(super) struct Summary {
    #[serde(with = "crate::keep::vec3")]
    pub position: Vec3,
    pub look: Look,
    /// Whether all members are proven.
    pub proven: bool,
    /// Its place in [`Thinned::members`].
    pub first: u32,
    pub count: u32,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Thinned {
    /// Nothing that is summed up here has changed since.
    pub fresh: bool,
    /// The members are still where they were.
    pub sound: bool,
    pub summaries: Vec<Summary>,
    /// Layer and index of each cell.
    pub members: Vec<(u8, u32)>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Brick {
    /// Its least corner, in bricks.
    pub place: IVec3,
    pub layers: [Layer; LEVELS],
    /// At `level - 1`: all layers below `level`, summed up in cells of that level.
    pub thinned: [Thinned; LEVELS - 1],
}

/// Key of a cell within its brick and layer.
fn key_of(point: Vec3, level: usize) -> u32 {
    let cells_per_block = 1.0 / CELL_BLOCKS[level];
    let mask = (BRICK_BLOCKS * cells_per_block) as i32 - 1;
    let along = |value: f32| (floor(value * cells_per_block) & mask) as u32;
    along(point.x) << 12 | along(point.y) << 6 | along(point.z)
}

impl Cell {
    pub fn look(&self) -> Look {
        let trust = f32::from(self.votes).min(4.0) * 0.25;
        Look { rgb: self.rgb, footprint_blocks: self.footprint_blocks, trust }
    }
}

impl Layer {
    fn remove(&mut self, at: usize) {
        let gone = self.cells.swap_remove(at);
        self.index.remove(&gone.key);
        if let Some(moved) = self.cells.get(at) {
            self.index.insert(moved.key, at as u32);
        }
    }
}

impl Brick {
    pub fn count(&self) -> usize {
        self.layers.iter().map(|layer| layer.cells.len()).sum()
    }

    pub fn find(&self, point: Vec3, level: usize) -> Option<usize> {
        let layer = &self.layers[level];
        if layer.cells.is_empty() {
            return None;
        }
        layer.index.get(&key_of(point, level)).map(|&at| at as usize)
    }

    /// A cell that is about to be changed.
    pub fn change(&mut self, level: usize, at: usize) -> &mut Cell {
        self.thinned[level..].iter_mut().for_each(|thinned| thinned.fresh = false);
        &mut self.layers[level].cells[at]
    }

    /// Adds a cell where none of its level stands; answers how many others had to go for it.
    pub fn insert(&mut self, level: usize, mut cell: Cell) -> usize {
        let evicted = if self.count() >= MOST_CELLS { self.evict() } else { 0 };
        cell.key = key_of(cell.position, level);
        self.thinned[level..].iter_mut().for_each(|thinned| thinned.fresh = false);
        let layer = &mut self.layers[level];
        layer.index.insert(cell.key, layer.cells.len() as u32);
        layer.cells.push(cell);
        evicted
    }

    pub fn remove(&mut self, level: usize, at: usize) {
        for thinned in &mut self.thinned[level..] {
            (thinned.fresh, thinned.sound) = (false, false);
        }
        self.layers[level].remove(at);
    }

    /// Whether a verdict changes a cell at all: what stays as it is may go on being shared.
    pub fn minds(&self, level: usize, at: usize, verdict: Verdict) -> bool {
        let looks = self.layers[level].cells[at].looks;
        match verdict {
            Verdict::TakenAway => true,
            Verdict::SeenThrough(_) => looks < MADE_LOOKS,
            Verdict::Confirmed | Verdict::Hidden | Verdict::Covered => looks < PROVEN_LOOKS,
        }
    }

    /// Applies a verdict to a cell; answers whether the cell must go.
    pub fn judge(&mut self, level: usize, at: usize, verdict: Verdict) -> bool {
        let cell = &mut self.layers[level].cells[at];
        match verdict {
            Verdict::TakenAway => true,
            Verdict::SeenThrough(_) if cell.looks >= MADE_LOOKS => false,
            Verdict::SeenThrough(votes) => {
                let cell = self.change(level, at);
                cell.votes -= votes;
                cell.votes <= 0
            }
            _ if cell.looks >= PROVEN_LOOKS => false,
            Verdict::Confirmed => {
                cell.looks += 1;
                cell.doubts = 0;
                if cell.looks == PROVEN_LOOKS {
                    self.change(level, at);
                }
                false
            }
            Verdict::Covered => {
                self.change(level, at).looks = PROVEN_LOOKS;
                false
            }
            Verdict::Hidden => {
                cell.doubts += 1;
                cell.doubts >= MOST_DOUBTS
            }
        }
    }

    /// Drops the cells that were confirmed least, the oldest first.
    fn evict(&mut self) -> usize {
        let mut ranks = Vec::with_capacity(self.count());
        for (level, layer) in self.layers.iter().enumerate() {
            ranks.extend(layer.cells.iter().enumerate().map(|(at, cell)| (cell.looks, cell.tick, level, at)));
        }
        let gone = ranks.len() / EVICTED_SHARE;
        ranks.select_nth_unstable(gone);
        ranks.truncate(gone);
        // From the back, so that a removal moves only cells that stay or were already dealt with.
        ranks.sort_unstable_by_key(|&(_, _, level, at)| std::cmp::Reverse((level, at)));
        for (_, _, level, at) in ranks {
            self.remove(level, at);
        }
        gone
    }

    /// Whether the summaries of a level must be brought up to date: there are none, or `renew` says so.
    pub fn needs_thinning(&self, level: usize, renew: bool) -> bool {
        let thinned = &self.thinned[level - 1];
        !thinned.fresh && (renew || thinned.summaries.is_empty())
    }

    /// The summaries of all cells finer than `level`, as they were when last brought up to date.
    pub fn summaries(&self, level: usize) -> &[Summary] {
        &self.thinned[level - 1].summaries
    }

    pub fn summary(&self, level: usize, at: usize) -> &Summary {
        &self.thinned[level - 1].summaries[at]
    }

    /// Layer and index of the cells that a summary stands for; none when they have moved since.
    pub fn members(&self, level: usize, at: usize) -> &[(u8, u32)] {
        let thinned = &self.thinned[level - 1];
        if !thinned.sound {
            return &[];
        }
        let summary = &thinned.summaries[at];
        &thinned.members[summary.first as usize..(summary.first + summary.count) as usize]
    }

    /// Sums up all cells finer than `level`.
    pub fn thin(&mut self, level: usize, order: &mut Order) {
        let thinned = &mut self.thinned[level - 1];
        order.clear();
        for (finer, layer) in self.layers[..level].iter().enumerate() {
            let keyed = |(at, cell): (usize, &Cell)| (key_of(cell.position, level), finer as u8, at as u32);
            order.extend(layer.cells.iter().enumerate().map(keyed));
        }
        order.sort_unstable();
        thinned.members.clear();
        thinned.members.extend(order.iter().map(|&(_, finer, at)| (finer, at)));
        thinned.summaries.clear();
        let mut first = 0;
        for group in order.chunk_by(|a, b| a.0 == b.0) {
            let cells = group.iter().map(|&(_, finer, at)| &self.layers[usize::from(finer)].cells[at as usize]);
            thinned.summaries.push(Summary::of(cells, first, group.len() as u32));
            first += group.len() as u32;
        }
        (thinned.fresh, thinned.sound) = (true, true);
    }
}

impl Summary {
    fn of<'a>(cells: impl Iterator<Item = &'a Cell>, first: u32, count: u32) -> Summary {
        let (mut position, mut rgb, mut footprint, mut votes) = (Vec3::ZERO, [0.0; 3], 0.0, 0.0);
        let (mut weight, mut proven) = (0.0, true);
        for cell in cells {
            let Look { trust, .. } = cell.look();
            let share = 0.1 + trust;
            position += cell.position * share;
            footprint += cell.footprint_blocks * share;
            votes += trust * share;
            (0..3).for_each(|channel| rgb[channel] += f32::from(cell.rgb[channel]) * share);
            weight += share;
            proven &= cell.looks >= PROVEN_LOOKS;
        }
        let scale = 1.0 / weight;
        Summary {
            position: position * scale,
            look: Look {
                rgb: rgb.map(|sum| (sum * scale).round() as u8),
                footprint_blocks: footprint * scale,
                trust: votes * scale,
            },
            proven,
            first,
            count,
        }
    }
}
