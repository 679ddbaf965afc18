//! The world state: a sparse map of coloured surface cells in world coordinates.
//!
//! It holds only what the model itself showed, placed by the model's own depth and pose. It is read once before a frame
//! ([`WorldState::read`]) and written once after it ([`WorldState::write`]). Invariants: no cell is ever made where
//! nothing was seen; memory grows with the space seen, not with time; a read
//! costs by what is in view, thinned with distance; the order of hashing never shows.

mod body;
mod brick;
mod chart;
mod deeds;
mod glass;
mod herd;
mod kept;
mod kept_brick;
mod memory;
mod movers;
mod pen;
mod read;
mod sightings;
mod sky;
mod splat;
#[cfg(test)]
mod tests;
mod window;
mod write;

pub use body::Faces;
pub use chart::Chart;
pub use deeds::SIDES;
pub use glass::{Glass, frame_colour};
pub use herd::Herd;
pub use kept::KeptState;
pub use memory::{Memory, Shown, Sight};
pub use movers::Movers;
pub use read::{Canvas, Reader};
pub use write::Seen;

use brick::{BRICK_BLOCKS, Brick};
use glam::{IVec3, Vec3};
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Sides of the cells, in blocks: a surface seen from near is stored finer.
pub const CELL_BLOCKS: [f32; 4] = [1.0 / 16.0, 1.0 / 8.0, 1.0 / 4.0, 1.0 / 2.0];

/// By place on the ground: height and index of the bricks that stand there, in the order of their making.
type Columns = FxHashMap<(i32, i32), Vec<(i32, u32)>>;

/// The map. A clone shares its bricks with the original; each goes its own way with the first change to a brick, so a
/// clone costs next to nothing and holds only what has changed since.
#[derive(Debug, Clone, Default)]
pub struct WorldState {
    bricks: Vec<Arc<Brick>>,
    columns: Columns,
    /// Indices of bricks that stand nowhere.
    spare: Vec<u32>,
    cells: usize,
    /// How often it was read: summaries are renewed in turns.
    reads: u32,
    sky: sky::Sky,
    scratch: write::Scratch,
}

/// The whole number below, in a few instructions: the system's own is a call on processors without one for it.
fn floor(value: f32) -> i32 {
    let whole = value as i32;
    whole - i32::from(whole as f32 > value)
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

    /// The brick that a point lies in.
    fn place_of(point: Vec3) -> IVec3 {
        let along = |value: f32| floor(value * (1.0 / BRICK_BLOCKS));
        IVec3::new(along(point.x), along(point.y), along(point.z))
    }

    fn brick_at(&self, place: IVec3) -> Option<u32> {
        let column = self.columns.get(&(place.x, place.z))?;
        column.iter().find(|(y, _)| *y == place.y).map(|&(_, at)| at)
    }

    fn brick_mut(&mut self, at: u32) -> &mut Brick {
        Arc::make_mut(&mut self.bricks[at as usize])
    }

    fn make_brick(&mut self, place: IVec3) -> u32 {
        let at = self.spare.pop().unwrap_or_else(|| {
            self.bricks.push(Arc::default());
            self.bricks.len() as u32 - 1
        });
        self.brick_mut(at).place = place;
        self.columns.entry((place.x, place.z)).or_default().push((place.y, at));
        at
    }

    /// Takes a cell away, and its brick when it was the last.
    fn remove(&mut self, brick_at: u32, level: usize, at: usize) {
        let brick = self.brick_mut(brick_at);
        brick.remove(level, at);
        let (count, place) = (brick.count(), brick.place);
        self.cells -= 1;
        if count == 0 {
            let key = (place.x, place.z);
            let column = self.columns.get_mut(&key).expect("a brick stands in a column");
            column.retain(|&(_, at)| at != brick_at);
            if column.is_empty() {
                self.columns.remove(&key);
            }
            self.bricks[brick_at as usize] = Arc::default();
            self.spare.push(brick_at);
        }
    }
}
