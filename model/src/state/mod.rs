//! The world state: a sparse map of coloured surface cells in world coordinates.
//!
//! It holds only what the model itself showed, placed by the model's own depth and pose. It is read once before a frame
//! ([`WorldState::read`]) and written once after it ([`WorldState::write`]). Invariants: no cell is ever made where
//! nothing was seen; memory grows with the surface seen, not with time; the order of hashing never shows.

mod body;
mod read;
mod sky;
mod write;

pub use read::{Canvas, Reader};
pub use write::Seen;

use glam::Vec3;
use rustc_hash::FxHashMap;

/// Sides of the cells, in blocks: a surface seen from near is stored finer.
pub const CELL_BLOCKS: [f32; 4] = [1.0 / 16.0, 1.0 / 8.0, 1.0 / 4.0, 1.0 / 2.0];
/// Side of a column of cells, in blocks: the unit of culling.
const COLUMN_BLOCKS: f32 = 4.0;

/// A piece of surface.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Cell {
    /// Mean of the points that were seen in it, blocks.
    position: Vec3,
    /// Blocks a pixel covered when its colour was seen best.
    footprint_blocks: f32,
    /// Tick of the last write.
    tick: u32,
    key: u32,
    rgb: [u8; 3],
    level: u8,
    /// Occupancy in votes: a hit adds one, being seen through takes some away; at 0 the cell is gone.
    votes: i8,
}

#[derive(Debug, Clone, Default)]
struct Column {
    cells: Vec<Cell>,
    index: FxHashMap<u32, u32>,
    low_y: f32,
    high_y: f32,
}

/// The map.
#[derive(Debug, Clone, Default)]
pub struct WorldState {
    columns: Vec<Column>,
    index: FxHashMap<(i32, i32), u32>,
    cells: usize,
    sky: sky::Sky,
}

impl WorldState {
    pub fn new() -> Self {
        Self::default()
    }

    /// Cells held now.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn column_of(point: Vec3) -> (i32, i32) {
        ((point.x / COLUMN_BLOCKS).floor() as i32, (point.z / COLUMN_BLOCKS).floor() as i32)
    }

    /// Key of a cell within its column: level, x, z (6 bits each) and y (17 bits, wrapped far from the ground).
    fn key_of(point: Vec3, level: usize) -> u32 {
        let size = CELL_BLOCKS[level];
        let per_column = (COLUMN_BLOCKS / size) as i32;
        let x = ((point.x / size).floor() as i32).rem_euclid(per_column) as u32;
        let z = ((point.z / size).floor() as i32).rem_euclid(per_column) as u32;
        let y = ((point.y / size).floor() as i32 as u32) & 0x1_ffff;
        (level as u32) << 29 | x << 23 | z << 17 | y
    }
}

impl Column {
    fn find(&self, point: Vec3, level: usize) -> Option<usize> {
        self.index.get(&WorldState::key_of(point, level)).map(|&at| at as usize)
    }

    fn insert(&mut self, cell: Cell) {
        if self.cells.is_empty() {
            (self.low_y, self.high_y) = (cell.position.y, cell.position.y);
        }
        self.low_y = self.low_y.min(cell.position.y);
        self.high_y = self.high_y.max(cell.position.y);
        self.index.insert(cell.key, self.cells.len() as u32);
        self.cells.push(cell);
    }

    fn remove(&mut self, at: usize) {
        let gone = self.cells.swap_remove(at);
        self.index.remove(&gone.key);
        if let Some(moved) = self.cells.get(at) {
            self.index.insert(moved.key, at as u32);
        }
    }
}
