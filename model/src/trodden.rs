//! What the player's body knows: in which cells it was, and which have carried it.
//!
//! The ground at one's own feet is hardly ever in view. Coming home over a ledge, frames invent ground on the upper level
//! where one had walked on the lower one; the body remembers (`docs/decisions/body.md`).

use glam::{IVec3, Vec3};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Cells along the side of a chunk.
const SIDE: i32 = 8;
const COUNT: usize = (SIDE * SIDE * SIDE) as usize;
/// What a body merely touches it is not in, blocks.
const SKIN_BLOCKS: f32 = 1e-2;

/// What is known of a cell; 0 is nothing.
const EMPTY: u8 = 1;
const CARRIES: u8 = 2;

/// See the module. Coordinates are those of the blocks. A clone shares its chunks with the original until they change.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Kept", from = "Kept")]
pub struct Trodden {
    chunks: BTreeMap<[i32; 3], Arc<[u8; COUNT]>>,
}

/// The cells of which something is known, as files hold them.
#[derive(Serialize, Deserialize)]
struct Kept(Vec<([i32; 3], u8)>);

impl From<Trodden> for Kept {
    fn from(trodden: Trodden) -> Kept {
        let cells = trodden.chunks.iter().flat_map(|(chunk, cells)| {
            let first = IVec3::from_array(*chunk) * SIDE;
            let known = cells.iter().enumerate().filter(|(_, known)| **known != 0);
            known.map(move |(at, known)| ((first + place(at)).to_array(), *known))
        });
        Kept(cells.collect())
    }
}

impl From<Kept> for Trodden {
    fn from(kept: Kept) -> Trodden {
        let mut trodden = Trodden::default();
        let possible = kept.0.into_iter().filter(|(cell, _)| cell.iter().all(|side| side.unsigned_abs() < 1 << 30));
        possible.for_each(|(cell, known)| trodden.set(IVec3::from_array(cell), known.min(CARRIES)));
        trodden
    }
}

fn place(at: usize) -> IVec3 {
    let at = at as i32;
    IVec3::new(at / (SIDE * SIDE), at / SIDE % SIDE, at % SIDE)
}

fn find(cell: IVec3) -> ([i32; 3], usize) {
    let chunk = cell.div_euclid(IVec3::splat(SIDE));
    let place = cell - chunk * SIDE;
    (chunk.to_array(), ((place.x * SIDE + place.y) * SIDE + place.z) as usize)
}

impl Trodden {
    fn get(&self, cell: IVec3) -> u8 {
        let (chunk, at) = find(cell);
        self.chunks.get(&chunk).map_or(0, |cells| cells[at])
    }

    fn set(&mut self, cell: IVec3, known: u8) {
        if self.get(cell) != known {
            let (chunk, at) = find(cell);
            Arc::make_mut(self.chunks.entry(chunk).or_insert_with(|| Arc::new([0; COUNT])))[at] = known;
        }
    }

    /// Bytes in memory that it does not share with a later one.
    pub fn bytes_not_shared_with(&self, later: &Trodden) -> usize {
        let shared =
            |(chunk, cells): &(&[i32; 3], &Arc<_>)| later.chunks.get(*chunk).is_some_and(|l| Arc::ptr_eq(l, cells));
        self.chunks.iter().filter(|chunk| !shared(chunk)).count() * COUNT
    }

    /// Whether nothing is in a cell: the player was there, or has emptied it.
    pub fn is_empty(&self, cell: IVec3) -> bool {
        self.get(cell) == EMPTY
    }

    /// Whether the player stood on a cell.
    pub fn carries(&self, cell: IVec3) -> bool {
        self.get(cell) == CARRIES
    }

    /// Something has come into a cell.
    pub fn fill(&mut self, cell: IVec3) {
        self.set(cell, 0);
    }

    /// What was in a cell has gone.
    pub fn empty(&mut self, cell: IVec3) {
        self.set(cell, EMPTY);
    }

    /// A body has come here: nothing else is in any of its cells, and what it stands on carries it.
    ///
    /// # Arguments
    /// - `low`, `high`: corners of the body.
    pub fn tread(&mut self, low: Vec3, high: Vec3, stands: bool) {
        let (first, last) = ((low + SKIN_BLOCKS).floor().as_ivec3(), (high - SKIN_BLOCKS).floor().as_ivec3());
        for x in first.x..=last.x {
            for y in first.y..=last.y {
                (first.z..=last.z).for_each(|z| self.empty(IVec3::new(x, y, z)));
            }
        }
        let under = ((low + high) * 0.5).with_y(low.y - 0.5).floor().as_ivec3();
        if stands && !self.is_empty(under) {
            self.set(under, CARRIES);
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

    #[test]
    fn it_is_kept_and_shared() {
        let trodden = walked(40);
        let bytes = postcard::to_stdvec(&trodden).expect("plain data");
        assert_eq!(postcard::from_bytes::<Trodden>(&bytes).expect("its own"), trodden);
        let mut later = trodden.clone();
        assert_eq!(trodden.bytes_not_shared_with(&later), 0);
        later.empty(IVec3::new(0, 3, 40));
        assert_eq!(trodden.bytes_not_shared_with(&later), COUNT);
    }
}
