//! What the player's body knows: in which cells it was, and which have carried it.
//!
//! The ground at one's own feet is hardly ever in view. Coming home over a ledge, frames invent ground on the upper level
//! where one had walked on the lower one; the body remembers (`docs/decisions/body.md`).

use crate::{cells::Cells, grid::cells};
use glam::{IVec3, Vec3};
use serde::{Deserialize, Serialize};

/// What a body merely touches it is not in, blocks.
const SKIN_BLOCKS: f32 = 1e-2;

/// What is known of a cell; 0 is nothing.
const EMPTY: u8 = 1;
const CARRIES: u8 = 2;

/// See the module. Coordinates are those of the blocks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Trodden {
    cells: Cells,
}

impl Trodden {
    /// Bytes in memory that it does not share with a later one.
    pub fn bytes_not_shared_with(&self, later: &Trodden) -> usize {
        self.cells.bytes_not_shared_with(&later.cells)
    }

    /// Whether nothing is in a cell: the player was there, or has emptied it.
    pub fn is_empty(&self, cell: IVec3) -> bool {
        self.cells.get(cell) == EMPTY
    }

    /// Whether the player stood on a cell.
    pub fn carries(&self, cell: IVec3) -> bool {
        self.cells.get(cell) == CARRIES
    }

    /// Something has come into a cell.
    pub fn fill(&mut self, cell: IVec3) {
        self.cells.set(cell, 0);
    }

    /// What was in a cell has gone.
    pub fn empty(&mut self, cell: IVec3) {
        self.cells.set(cell, EMPTY);
    }

    /// A body has come here: nothing else is in any of its cells, and what it stands on carries it.
    ///
    /// # Arguments
    /// - `low`, `high`: corners of the body.
    /// - `trusts`: it stands on ground of which nothing else is known. Known ground beside the middle may carry it too.
    pub fn tread(&mut self, low: Vec3, high: Vec3, trusts: bool) {
        let (first, last) = ((low + SKIN_BLOCKS).floor().as_ivec3(), (high - SKIN_BLOCKS).floor().as_ivec3());
        cells(first, last).for_each(|cell| self.empty(cell));
        let under = ((low + high) * 0.5).with_y(low.y - 0.5).floor().as_ivec3();
        if trusts && !self.is_empty(under) {
            self.cells.set(under, CARRIES);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn walked(to: i32) -> Trodden {
        let mut trodden = Trodden::default();
        for z in 0..=to {
            let feet = Vec3::new(0.5, 4.0, z as f32 + 0.5);
            trodden.tread(feet - Vec3::new(0.3, 0.0, 0.3), feet + Vec3::new(0.3, 1.8, 0.3), true);
        }
        trodden
    }

    #[test]
    fn the_body_knows_where_it_was_and_what_carried_it() {
        let mut trodden = walked(90);
        for z in [0, 9, 90] {
            assert!(trodden.is_empty(IVec3::new(0, 4, z)) && trodden.is_empty(IVec3::new(0, 5, z)));
            assert!(trodden.carries(IVec3::new(0, 3, z)));
        }
        for cell in [IVec3::new(0, 3, 91), IVec3::new(0, 6, 1), IVec3::new(1, 4, 1), IVec3::new(-1, 3, 1)] {
            assert!(!trodden.is_empty(cell) && !trodden.carries(cell), "{cell}");
        }
        trodden.empty(IVec3::new(0, 3, 5));
        trodden.fill(IVec3::new(0, 4, 6));
        assert!(trodden.is_empty(IVec3::new(0, 3, 5)) && !trodden.is_empty(IVec3::new(0, 4, 6)));
        // Over a hole it is held by something else, or by nothing.
        let feet = Vec3::new(0.5, 4.0, 5.5);
        trodden.tread(feet - 0.3, feet + 0.3, true);
        assert!(!trodden.carries(IVec3::new(0, 3, 5)));
    }
}
