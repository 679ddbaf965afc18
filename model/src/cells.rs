//! A byte a cell of the blocks' grid, kept where it is not 0: in chunks that clones share until they change.

use glam::IVec3;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Cells along the side of a chunk.
const SIDE: i32 = 8;
const COUNT: usize = (SIDE * SIDE * SIDE) as usize;

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(into = "Kept", from = "Kept")]
pub struct Cells {
    chunks: BTreeMap<[i32; 3], Arc<[u8; COUNT]>>,
}

/// The cells that are not 0, as files hold them.
#[derive(Serialize, Deserialize)]
struct Kept(Vec<([i32; 3], u8)>);

impl From<Cells> for Kept {
    fn from(cells: Cells) -> Kept {
        let all = cells.chunks.iter().flat_map(|(chunk, bytes)| {
            let first = IVec3::from_array(*chunk) * SIDE;
            let known = bytes.iter().enumerate().filter(|(_, byte)| **byte != 0);
            known.map(move |(at, byte)| ((first + place(at)).to_array(), *byte))
        });
        Kept(all.collect())
    }
}

impl From<Kept> for Cells {
    fn from(kept: Kept) -> Cells {
        let mut cells = Cells::default();
        let possible = kept.0.into_iter().filter(|(cell, _)| cell.iter().all(|side| side.unsigned_abs() < 1 << 30));
        possible.for_each(|(cell, byte)| cells.set(IVec3::from_array(cell), byte));
        cells
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

impl Cells {
    pub fn get(&self, cell: IVec3) -> u8 {
        let (chunk, at) = find(cell);
        self.chunks.get(&chunk).map_or(0, |bytes| bytes[at])
    }

    pub fn set(&mut self, cell: IVec3, byte: u8) {
        if self.get(cell) != byte {
            let (chunk, at) = find(cell);
            Arc::make_mut(self.chunks.entry(chunk).or_insert_with(|| Arc::new([0; COUNT])))[at] = byte;
        }
    }

    /// Bytes in memory that it does not share with a later one.
    pub fn bytes_not_shared_with(&self, later: &Cells) -> usize {
        let is_shared =
            |(chunk, bytes): &(&[i32; 3], &Arc<_>)| later.chunks.get(*chunk).is_some_and(|own| Arc::ptr_eq(own, bytes));
        self.chunks.iter().filter(|chunk| !is_shared(chunk)).count() * COUNT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_kept_and_shared() {
        let mut cells = Cells::default();
        for z in -40..40 {
            cells.set(IVec3::new(z, -3, 2 * z), (z & 7) as u8);
        }
        assert_eq!([cells.get(IVec3::new(-9, -3, -18)), cells.get(IVec3::new(9, -3, 9))], [7, 0]);
        let bytes = postcard::to_stdvec(&cells).expect("plain data");
        assert_eq!(postcard::from_bytes::<Cells>(&bytes).expect("its own"), cells);
        let mut later = cells.clone();
        assert_eq!(cells.bytes_not_shared_with(&later), 0);
        later.set(IVec3::new(1, -3, 2), 9);
        assert_eq!(cells.bytes_not_shared_with(&later), COUNT);
    }
}
