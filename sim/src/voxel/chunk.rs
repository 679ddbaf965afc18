//! The blocks near the player, generated as needed, and every edit ever made.
//!
//! Loaded chunks lie in a torus of 16x16 chunk slots, so that a voxel's place in memory is a few bit operations away
//! from its coordinates: no hashing while a ray walks. Memory is bounded by the torus; only edits outlive unloading.

use super::block::Block;
use super::terrain::Terrain;
use glam::{IVec3, Vec3};
use std::collections::BTreeMap;

/// Blocks from bedrock to the top of the world.
pub const HEIGHT: usize = 64;
/// Chunk slots each way in the torus.
const SLOTS: i32 = 16;
const CHUNK_LEN: usize = 256 * HEIGHT;
const BRICKS: usize = (SLOTS * SLOTS) as usize * 256;
/// Beyond this distance of the last loaded centre, a chunk gives its slot back.
const KEEP_BLOCKS: i32 = 120;

/// Where a block lies inside its chunk's array; `x` and `z` in 0..16.
#[inline]
pub const fn index(x: i32, y: i32, z: i32) -> usize {
    (y << 8 | z << 4 | x) as usize
}

/// A chunk's place on the map, in chunks; ordered by z, then x.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct ChunkPos {
    z: i32,
    x: i32,
}

impl ChunkPos {
    fn of(x: i32, z: i32) -> Self {
        ChunkPos { x: x >> 4, z: z >> 4 }
    }

    fn slot(self) -> usize {
        ((self.z & (SLOTS - 1)) * SLOTS + (self.x & (SLOTS - 1))) as usize
    }

    /// Blocks between a place and the chunk, the larger of the two axes.
    fn distance(self, centre: IVec3) -> i32 {
        let axis = |chunk: i32, at: i32| (chunk * 16 - at).max(at - chunk * 16 - 15).max(0);
        axis(self.x, centre.x).max(axis(self.z, centre.z))
    }
}

/// The world's blocks: terrain of a seed under the edits made to it.
#[derive(Debug, Clone)]
pub struct Chunks {
    seed: u64,
    terrain: Terrain,
    /// Which chunk lies in each slot.
    tags: Vec<Option<ChunkPos>>,
    blocks: Vec<u8>,
    /// One bit for each block that is not air, in bricks of 4x4x4: rays cross an empty brick in one step.
    bricks: Vec<u64>,
    /// For each column, the height from which on nothing casts a shadow.
    open_from: Vec<u8>,
    /// For each slot, the height from which on it holds nothing but air (or a little above, after digging).
    empty_from: Vec<u8>,
    dryness: Vec<u8>,
    lamps: Vec<Vec<IVec3>>,
    /// Every edit, loaded or not, by chunk and place within it.
    edits: BTreeMap<ChunkPos, BTreeMap<u16, Block>>,
    /// No block that is not air lies at or above this height, in any chunk loaded so far.
    all_empty_from: i32,
}

impl Chunks {
    /// The untouched world of a seed, with nothing loaded.
    pub fn new(seed: u64) -> Self {
        let slots = (SLOTS * SLOTS) as usize;
        Chunks {
            seed,
            terrain: Terrain::new(seed),
            tags: vec![None; slots],
            blocks: vec![0; slots * CHUNK_LEN],
            bricks: vec![0; BRICKS],
            open_from: vec![0; slots * 256],
            dryness: vec![0; slots * 256],
            lamps: vec![Vec::new(); slots],
            edits: BTreeMap::new(),
            empty_from: vec![0; slots],
            all_empty_from: 0,
        }
    }

    pub fn seed(&self) -> u64 {
        self.seed
    }

    pub fn terrain(&self) -> &Terrain {
        &self.terrain
    }

    /// Generates what is missing within `radius_blocks` of `centre` (each axis, at most 112).
    pub fn load_around(&mut self, centre: IVec3, radius_blocks: i32) {
        let radius = radius_blocks.clamp(0, KEEP_BLOCKS - 8);
        self.unload_far(centre, KEEP_BLOCKS);
        let span = |at: i32| (at - radius) >> 4..=(at + radius) >> 4;
        for z in span(centre.z) {
            for x in span(centre.x) {
                let pos = ChunkPos { x, z };
                if self.tags[pos.slot()] != Some(pos) {
                    self.load(pos);
                }
            }
        }
    }

    fn load(&mut self, pos: ChunkPos) {
        let slot = pos.slot();
        let blocks = &mut self.blocks[slot * CHUNK_LEN..(slot + 1) * CHUNK_LEN];
        blocks.fill(0);
        let mut dryness = [0; 256];
        self.terrain.generate(pos.x, pos.z, blocks, &mut dryness);
        if let Some(edits) = self.edits.get(&pos) {
            for (&at, block) in edits {
                blocks[usize::from(at)] = block.id();
            }
        }
        self.dryness[slot * 256..(slot + 1) * 256].copy_from_slice(&dryness);
        self.tags[slot] = Some(pos);
        self.lamps[slot].clear();
        let bricks = &mut self.bricks[slot * 256..(slot + 1) * 256];
        bricks.fill(0);
        let open_from = &mut self.open_from[slot * 256..(slot + 1) * 256];
        open_from.fill(0);
        let mut highest = 0;
        for (at, &id) in blocks.iter().enumerate().filter(|&(_, &id)| id != 0) {
            let (x, y, z) = (at & 15, at >> 8, at >> 4 & 15);
            bricks[y >> 2 << 4 | z >> 2 << 2 | x >> 2] |= 1 << ((y & 3) << 4 | (z & 3) << 2 | (x & 3));
            highest = highest.max(y + 1);
            let block = Block::from_id(id).expect("only ids of blocks are stored");
            if block.casts_shadow() {
                open_from[z << 4 | x] = y as u8 + 1;
            }
            if block.light() > 0 {
                self.lamps[slot].push(IVec3::new(pos.x * 16 + x as i32, y as i32, pos.z * 16 + z as i32));
            }
        }
        self.empty_from[slot] = highest as u8;
        self.all_empty_from = self.all_empty_from.max(highest as i32);
    }

    /// Gives back what lies farther than `radius_blocks` of `centre`; edits are kept.
    pub fn unload_far(&mut self, centre: IVec3, radius_blocks: i32) {
        for slot in 0..self.tags.len() {
            if self.tags[slot].is_some_and(|pos| pos.distance(centre) > radius_blocks) {
                self.tags[slot] = None;
                self.blocks[slot * CHUNK_LEN..(slot + 1) * CHUNK_LEN].fill(0);
                self.bricks[slot * 256..(slot + 1) * 256].fill(0);
                self.open_from[slot * 256..(slot + 1) * 256].fill(0);
                self.empty_from[slot] = 0;
                self.lamps[slot].clear();
            }
        }
    }

    fn is_loaded(&self, pos: ChunkPos) -> bool {
        self.tags[pos.slot()] == Some(pos)
    }

    /// How many chunks are loaded.
    pub fn loaded_chunks(&self) -> usize {
        self.tags.iter().flatten().count()
    }

    /// The block at a place. Where nothing is loaded: the edit made there, or else the bare ground and water.
    pub fn get(&self, at: IVec3) -> Block {
        if !(0..HEIGHT as i32).contains(&at.y) {
            return Block::Air;
        }
        let pos = ChunkPos::of(at.x, at.z);
        let within = index(at.x & 15, at.y, at.z & 15);
        if self.is_loaded(pos) {
            let id = self.blocks[pos.slot() * CHUNK_LEN + within];
            return Block::from_id(id).expect("only ids of blocks are stored");
        }
        match self.edits.get(&pos).and_then(|edits| edits.get(&(within as u16))) {
            Some(&block) => block,
            None => Terrain::bare(&self.terrain.column(at.x, at.z), at.y),
        }
    }

    /// Changes a block, loaded or not, and remembers it. Outside the world's height nothing happens.
    pub fn set(&mut self, at: IVec3, block: Block) {
        if !(0..HEIGHT as i32).contains(&at.y) {
            return;
        }
        let pos = ChunkPos::of(at.x, at.z);
        let within = index(at.x & 15, at.y, at.z & 15);
        self.edits.entry(pos).or_default().insert(within as u16, block);
        if !self.is_loaded(pos) {
            return;
        }
        let slot = pos.slot();
        self.blocks[slot * CHUNK_LEN + within] = block.id();
        let brick = &mut self.bricks[brick_index(at.x, at.y, at.z)];
        let bit = 1 << brick_bit(at.x, at.y, at.z);
        *brick = if block == Block::Air {
            *brick & !bit
        } else {
            *brick | bit
        };
        if block != Block::Air {
            self.empty_from[slot] = self.empty_from[slot].max(at.y as u8 + 1);
            self.all_empty_from = self.all_empty_from.max(at.y + 1);
        }
        self.lamps[slot].retain(|&lamp| lamp != at);
        if block.light() > 0 {
            self.lamps[slot].push(at);
            self.lamps[slot].sort_unstable_by_key(|lamp| (lamp.y, lamp.z, lamp.x));
        }
        let column = slot * CHUNK_LEN + index(at.x & 15, 0, at.z & 15);
        let shadow = (0..HEIGHT)
            .rev()
            .find(|y| Block::from_id(self.blocks[column + (y << 8)]).is_some_and(Block::casts_shadow));
        self.open_from[column_index(at.x, at.z)] = shadow.map_or(0, |y| y as u8 + 1);
    }

    /// The height of the highest solid block of a column: ground, roof or tree top.
    pub fn surface_y(&self, x: i32, z: i32) -> i32 {
        if !self.is_loaded(ChunkPos::of(x, z)) && !self.edits.contains_key(&ChunkPos::of(x, z)) {
            return self.terrain.ground_y(x, z);
        }
        (0..HEIGHT as i32)
            .rev()
            .find(|&y| self.get(IVec3::new(x, y, z)).is_solid())
            .unwrap_or(0)
    }

    /// The height from which on a column lies open to the sky: above every opaque block and leaf. 0 where nothing is
    /// loaded.
    pub fn open_from(&self, x: i32, z: i32) -> i32 {
        if self.is_loaded(ChunkPos::of(x, z)) {
            i32::from(self.open_from[column_index(x, z)])
        } else {
            0
        }
    }

    /// Where a player begins: feet on dry, open land with a good view.
    pub fn spawn(&self) -> Vec3 {
        self.terrain.spawn()
    }

    /// Every edit ever made, by chunk and then by place: always in the same order.
    pub fn edits(&self) -> impl Iterator<Item = (IVec3, Block)> + '_ {
        self.edits.iter().flat_map(|(pos, edits)| {
            edits.iter().map(move |(&at, &block)| {
                let at = i32::from(at);
                (
                    IVec3::new(pos.x * 16 + (at & 15), at >> 8, pos.z * 16 + (at >> 4 & 15)),
                    block,
                )
            })
        })
    }

    /// Feeds everything that the world's future depends on: the seed and the edits, not what happens to be loaded.
    pub fn hash_state(&self, hasher: &mut blake3::Hasher) {
        hasher.update(&self.seed.to_le_bytes());
        for (at, block) in self.edits() {
            for axis in at.to_array() {
                hasher.update(&axis.to_le_bytes());
            }
            hasher.update(&[block.id()]);
        }
    }

    /// A view of the loaded blocks for rays, without checks of what is loaded.
    pub(super) fn grid(&self) -> Grid<'_> {
        Grid {
            blocks: self.blocks.as_slice().try_into().expect("made with this length"),
            bricks: self.bricks.as_slice().try_into().expect("made with this length"),
            open_from: self.open_from.as_slice().try_into().expect("made with this length"),
            dryness: self.dryness.as_slice().try_into().expect("made with this length"),
            empty_from: self.empty_from.as_slice().try_into().expect("made with this length"),
            all_empty_from: self.all_empty_from,
        }
    }

    /// Every loaded lamp within `reach` blocks of a place on each axis, in a fixed order.
    pub(super) fn lamps_near(&self, centre: IVec3, reach: i32) -> impl Iterator<Item = IVec3> + '_ {
        let span = move |at: i32| (at - reach) >> 4..=(at + reach) >> 4;
        span(centre.z)
            .flat_map(move |z| span(centre.x).map(move |x| ChunkPos { x, z }))
            .filter(|&pos| self.is_loaded(pos))
            .flat_map(|pos| self.lamps[pos.slot()].iter().copied())
            .filter(move |lamp| (*lamp - centre).abs().max_element() <= reach)
    }
}

/// What rays read. Arrays of known length: a masked index needs no bounds check.
#[derive(Clone, Copy)]
pub(super) struct Grid<'a> {
    pub blocks: &'a [u8; BRICKS * 64],
    pub bricks: &'a [u64; BRICKS],
    pub open_from: &'a [u8; BRICKS],
    pub dryness: &'a [u8; BRICKS],
    pub empty_from: &'a [u8; (SLOTS * SLOTS) as usize],
    pub all_empty_from: i32,
}

impl Grid<'_> {
    /// The id at a place; the height wraps, so check it first.
    #[inline]
    pub fn id(&self, x: i32, y: i32, z: i32) -> u8 {
        self.blocks[(slot_bits(x, z) << 14 | (y & 63) << 8 | (z & 15) << 4 | (x & 15)) as usize]
    }
}

#[inline]
pub(super) fn slot_bits(x: i32, z: i32) -> i32 {
    (z >> 4 & (SLOTS - 1)) << 4 | (x >> 4 & (SLOTS - 1))
}

/// Where a column lies in the arrays that hold one value a column.
#[inline]
pub(super) fn column_index(x: i32, z: i32) -> usize {
    (slot_bits(x, z) << 8 | (z & 15) << 4 | (x & 15)) as usize
}

#[inline]
pub(super) fn brick_index(x: i32, y: i32, z: i32) -> usize {
    (slot_bits(x, z) << 8 | (y & 63) >> 2 << 4 | (z & 15) >> 2 << 2 | (x & 15) >> 2) as usize
}

#[inline]
pub(super) fn brick_bit(x: i32, y: i32, z: i32) -> i32 {
    (y & 3) << 4 | (z & 3) << 2 | (x & 3)
}

#[cfg(test)]
#[path = "chunk_tests.rs"]
mod tests;
