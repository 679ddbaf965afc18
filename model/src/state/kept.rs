//! The world state as plain data, for saves: everything that the next frames depend on, and nothing that follows from
//! the rest.
//!
//! The order of cells and bricks is kept, because sums of floats depend on it; so are summaries that lag behind their
//! cells. Tables for finding things are made anew. What is read may come from a damaged or hostile file: every number
//! is checked before a map is made of it.

use super::{Glass, Herd, Memory, Movers, WorldState, brick::Brick, kept_brick::KeptBrick, sky::Sky, write::Scratch};
use glam::IVec3;
use rustc_hash::FxHashMap;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor},
};
use std::{fmt, marker::PhantomData, sync::Arc};

/// Place on the ground, and height and index of the bricks that stand there.
type KeptColumn = ((i32, i32), Vec<(i32, u32)>);

/// See the module.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeptState {
    #[serde(deserialize_with = "few")]
    bricks: Vec<KeptBrick>,
    /// Sorted by place.
    #[serde(deserialize_with = "few")]
    columns: Vec<KeptColumn>,
    spare: Vec<u32>,
    reads: u32,
    sky: Vec<Option<[f32; 3]>>,
}

/// No brick stands farther out than this, in bricks.
const FARTHEST_PLACE: i32 = 1 << 24;

/// Most bricks that are read: an empty one takes a few bytes of a file and hundreds of memory.
const MOST_BRICKS: usize = 1 << 18;

/// Reads a sequence and gives up when it is longer than any map's.
fn few<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    struct Few<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for Few<T> {
        type Value = Vec<T>;

        fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
            write!(f, "at most {MOST_BRICKS} in a row")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Vec<T>, A::Error> {
            let mut items = Vec::new();
            while let Some(item) = sequence.next_element()? {
                if items.len() == MOST_BRICKS {
                    return Err(A::Error::custom("more bricks than a map can have"));
                }
                items.push(item);
            }
            Ok(items)
        }
    }

    deserializer.deserialize_seq(Few(PhantomData))
}

impl WorldState {
    /// Bytes in memory of the bricks that `later`, a later clone of the same map, no longer shares with this one.
    pub fn bytes_not_shared_with(&self, later: &WorldState) -> usize {
        let unshared = self.bricks.iter().enumerate().filter(|(at, brick)| {
            let others = later.bricks.get(*at);
            !others.is_some_and(|other| Arc::ptr_eq(brick, other))
        });
        let bricks: usize = unshared.map(|(_, brick)| brick.bytes()).sum();
        let tables = self.bricks.len() * size_of::<usize>() + self.columns.len() * 64;
        bricks + tables + if self.sky.is_shared_with(&later.sky) { 0 } else { self.sky.bytes() }
    }

    /// The map as plain data.
    pub fn keep(&self) -> KeptState {
        let mut columns: Vec<_> = self.columns.iter().map(|(&key, column)| (key, column.clone())).collect();
        // The table's own order says nothing, and would make equal maps differ in their files.
        columns.sort_unstable_by_key(|(key, _)| *key);
        KeptState {
            bricks: self.bricks.iter().map(|brick| brick.keep()).collect(),
            columns,
            spare: self.spare.clone(),
            reads: self.reads,
            sky: self.sky.keep(),
        }
    }

    /// The map of plain data; what cannot be one is refused with the reason.
    pub fn from_kept(kept: KeptState) -> Result<WorldState, String> {
        let KeptState { bricks: kept_bricks, columns: kept_columns, spare, reads, sky } = kept;
        let mut stands = vec![None; kept_bricks.len()];
        let mut columns = FxHashMap::default();
        for (key, column) in kept_columns {
            for &(y, at) in &column {
                let place = IVec3::new(key.0, y, key.1);
                if !place.to_array().iter().all(|part| (-FARTHEST_PLACE..=FARTHEST_PLACE).contains(part)) {
                    return Err(format!("a brick at {place} is out of the world"));
                }
                let stand = stands.get_mut(at as usize).ok_or("a column names a brick that is not there")?;
                if stand.replace(place).is_some() {
                    return Err("a brick stands in two places".into());
                }
            }
            if column.is_empty() || columns.insert(key, column).is_some() {
                return Err("a column is empty or there twice".into());
            }
        }
        let mut is_spare = vec![false; kept_bricks.len()];
        for &at in &spare {
            let fits = is_spare.get_mut(at as usize).is_some_and(|seen| !std::mem::replace(seen, true));
            if !fits || stands[at as usize].is_some() {
                return Err("the list of spare bricks is wrong".into());
            }
        }
        let mut cells = 0;
        let mut bricks = Vec::with_capacity(kept_bricks.len());
        for (at, kept) in kept_bricks.into_iter().enumerate() {
            let brick = Brick::from_kept(kept, stands[at].unwrap_or_default())?;
            let empty = brick.count() == 0;
            if empty == stands[at].is_some() || empty != is_spare[at] {
                return Err("a brick has no cells and stands somewhere, or has some and stands nowhere".into());
            }
            cells += brick.count();
            bricks.push(Arc::new(brick));
        }
        Ok(WorldState { bricks, columns, spare, cells, reads, sky: Sky::from_kept(sky)?, scratch: Scratch::default() })
    }
}

impl Memory {
    /// The memory as plain data: the firm map, and the drafts.
    pub fn keep(&self) -> [KeptState; 2] {
        [self.firm.keep(), self.drafts.keep()]
    }

    /// The memory of plain data; what cannot be one is refused with the reason.
    pub fn from_kept(
        firm: KeptState,
        drafts: Option<KeptState>,
        movers: Movers,
        herd: Herd,
        glass: Glass,
    ) -> Result<Memory, String> {
        let drafts = drafts.map_or_else(|| Ok(WorldState::new()), WorldState::from_kept)?;
        if !movers.is_sound() || !herd.is_sound() {
            return Err("what lives is nowhere".into());
        }
        if !glass.is_sound() {
            return Err("its glass shines as nothing does".into());
        }
        Ok(Memory { firm: WorldState::from_kept(firm)?, drafts, movers, herd, glass })
    }
}
