//! What the world does by itself: sand falls, water spreads, crops grow, plants lose their hold.
//!
//! A change of a cell schedules its neighbours; due cells are worked off in a fixed order, a bounded number a tick.
//! Cells far from the player wait until the player is near again, as they do in Minecraft.

use super::block::Block;
use super::chance::{self, Stream};
use super::hands::Edit;
use super::water::level_of;
use glam::IVec3;
use std::collections::BTreeSet;

/// Cells further than this from the player (along any horizontal axis) wait, blocks.
pub const ACTIVE_RADIUS: i32 = 40;
/// Cells that are updated in a tick at most; the rest is due in the next.
const MAX_UPDATES_PER_TICK: usize = 256;
/// A cell that waits for the player is looked at again after this long.
const WAIT_TICKS: u64 = 20;
const FALL_TICKS: u64 = 2;
const WATER_TICKS: u64 = 6;
const PLANT_TICKS: u64 = 1;

/// Columns of this size get [`RANDOM_CELLS`] random looks a tick, as Minecraft's chunk sections do; more of them, so
/// that a crop ripens within minutes: a stage takes 40 s on average.
const COLUMN: i32 = 16;
const RANDOM_CELLS: u32 = 16;
/// Random looks go from this far below the player to this far above, blocks.
const RANDOM_HEIGHT: i32 = 24;

/// The cells that are due to change, by tick. Ordered, so that every run works them off alike.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dynamics {
    due: BTreeSet<(u64, [i32; 3])>,
}

/// What dynamics may read and change: the blocks, and where no solid block may appear.
pub trait Cells {
    fn block(&self, cell: IVec3) -> Block;
    fn change(&mut self, edit: Edit);
    /// Whether a body stands in this cell.
    fn is_occupied(&self, cell: IVec3) -> bool;
}

pub(super) const SIDES: [IVec3; 4] = [IVec3::X, IVec3::NEG_X, IVec3::Z, IVec3::NEG_Z];

impl Dynamics {
    /// Something changed at `cell`: it and its neighbours will be looked at.
    pub fn wake(&mut self, cell: IVec3, tick: u64, block: impl Fn(IVec3) -> Block) {
        for near in [IVec3::ZERO, IVec3::Y, IVec3::NEG_Y].into_iter().chain(SIDES) {
            let near = cell + near;
            if let Some(delay) = delay_ticks(near, &block) {
                self.due.insert((tick + delay, near.to_array()));
            }
        }
    }

    /// Cells that wait for their tick.
    pub fn pending(&self) -> usize {
        self.due.len()
    }

    /// Advances to `tick` around `centre` (the player's feet).
    pub fn step(&mut self, tick: u64, seed: u64, centre: IVec3, cells: &mut impl Cells) {
        for _ in 0..MAX_UPDATES_PER_TICK {
            let Some(&first) = self.due.first().filter(|(due, _)| *due <= tick) else {
                break;
            };
            self.due.remove(&first);
            let cell = IVec3::from_array(first.1);
            if (cell - centre).with_y(0).abs().max_element() > ACTIVE_RADIUS {
                self.due.insert((tick + WAIT_TICKS, first.1));
            } else {
                self.update(cell, tick, cells);
            }
        }
        self.grow(tick, seed, centre, cells);
    }

    fn set(&mut self, cell: IVec3, after: Block, tick: u64, cells: &mut impl Cells) {
        let before = cells.block(cell);
        if before != after {
            cells.change(Edit {
                cell: cell.to_array(),
                before,
                after,
            });
            self.wake(cell, tick, |near| cells.block(near));
        }
    }

    fn update(&mut self, cell: IVec3, tick: u64, cells: &mut impl Cells) {
        let block = cells.block(cell);
        if block.falls() {
            let below = cell + IVec3::NEG_Y;
            if gives_way(cells.block(below)) && !cells.is_occupied(below) {
                self.set(cell, Block::Air, tick, cells);
                self.set(below, block, tick, cells);
            } else if gives_way(cells.block(below)) {
                // Somebody stands under it: it waits until they have gone.
                self.due.insert((tick + WAIT_TICKS, cell.to_array()));
            }
        } else if !stands(block, cells.block(cell + IVec3::NEG_Y)) {
            self.set(cell, Block::Air, tick, cells);
        } else if block != Block::Water && gives_way(block) {
            let after = level_of(cell, |near| cells.block(near));
            if after.is_some() || block.is_liquid() {
                self.set(cell, after.unwrap_or(Block::Air), tick, cells);
            }
        }
    }

    /// Crops ripen now and then: random cells of every column near the player get a look.
    fn grow(&mut self, tick: u64, seed: u64, centre: IVec3, cells: &mut impl Cells) {
        let low = (centre - ACTIVE_RADIUS).map(|v| v.div_euclid(COLUMN));
        let high = (centre + ACTIVE_RADIUS).map(|v| v.div_euclid(COLUMN));
        for z in low.z..=high.z {
            for x in low.x..=high.x {
                let mut dice = Stream::new(seed ^ chance::GROWTH, [x, z], tick);
                for _ in 0..RANDOM_CELLS {
                    let roll = dice.draw();
                    let height = ((roll >> 8) % (2 * RANDOM_HEIGHT as u64)) as i32 - RANDOM_HEIGHT;
                    let cell = IVec3::new(
                        x * COLUMN + (roll & 15) as i32,
                        centre.y + height,
                        z * COLUMN + ((roll >> 4) & 15) as i32,
                    );
                    if let Some(next) = riper(cells.block(cell)) {
                        self.set(cell, next, tick, cells);
                    }
                }
            }
        }
    }

    pub fn hash_state(&self, hasher: &mut blake3::Hasher) {
        for (due, cell) in &self.due {
            hasher.update(&due.to_le_bytes());
            for value in cell {
                hasher.update(&value.to_le_bytes());
            }
        }
    }
}

/// How soon a cell is to be looked at after a change beside it; `None` when it does nothing by itself.
fn delay_ticks(cell: IVec3, block: &impl Fn(IVec3) -> Block) -> Option<u64> {
    let here = block(cell);
    if here.falls() {
        Some(FALL_TICKS)
    } else if !stands(here, block(cell + IVec3::NEG_Y)) {
        Some(PLANT_TICKS)
    } else if here != Block::Water && gives_way(here) {
        let wet = [IVec3::ZERO, IVec3::Y]
            .into_iter()
            .chain(SIDES)
            .any(|near| block(cell + near).is_liquid());
        wet.then_some(WATER_TICKS)
    } else {
        None
    }
}

/// Whether sand falls through it and water runs into it.
pub(super) fn gives_way(block: Block) -> bool {
    block == Block::Air || block.is_liquid() || block.is_plant()
}

/// Whether a block holds on what is below it.
pub(super) fn stands(block: Block, below: Block) -> bool {
    match block {
        Block::Cactus => matches!(below, Block::Sand | Block::Cactus),
        _ if block.is_plant() || block.is_cake() => below.is_full_cube(),
        _ => true,
    }
}

fn riper(block: Block) -> Option<Block> {
    match block {
        Block::Crop0 => Some(Block::Crop1),
        Block::Crop1 => Some(Block::Crop2),
        Block::Crop2 => Some(Block::Crop3),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    /// Stone below 0, air above, and what the test puts there.
    #[derive(Default)]
    struct Toy(BTreeMap<[i32; 3], Block>);

    impl Cells for Toy {
        fn block(&self, cell: IVec3) -> Block {
            let ground = if cell.y < 0 { Block::Stone } else { Block::Air };
            self.0.get(&cell.to_array()).copied().unwrap_or(ground)
        }
        fn change(&mut self, edit: Edit) {
            self.0.insert(edit.cell, edit.after);
        }
        fn is_occupied(&self, _: IVec3) -> bool {
            false
        }
    }

    /// Sets the blocks, wakes the first of them, runs, and returns the world.
    fn run(set: &[([i32; 3], Block)], ticks: u64) -> Toy {
        let mut toy = Toy(set.iter().copied().collect());
        let mut dynamics = Dynamics::default();
        dynamics.wake(IVec3::from_array(set[0].0), 0, |cell| toy.block(cell));
        (1..=ticks).for_each(|tick| dynamics.step(tick, 1, IVec3::ZERO, &mut toy));
        toy
    }

    #[track_caller]
    fn check(toy: &Toy, cell: [i32; 3], expected: Block) {
        assert_eq!(toy.block(IVec3::from_array(cell)), expected, "{cell:?}");
    }

    #[test]
    fn sand_falls_in_a_pile() {
        let toy = run(
            &[
                ([0, 5, 0], Block::Sand),
                ([0, 6, 0], Block::Gravel),
                ([0, 0, 0], Block::TallGrass),
            ],
            40,
        );
        check(&toy, [0, 0, 0], Block::Sand);
        check(&toy, [0, 1, 0], Block::Gravel);
        check(&toy, [0, 2, 0], Block::Air);
    }

    #[test]
    fn water_spreads_seven_blocks_and_falls_over_edges() {
        let toy = run(
            &[
                ([0, 0, 0], Block::Water),
                ([0, -1, 2], Block::Air),
                ([0, -2, 2], Block::Air),
            ],
            200,
        );
        check(&toy, [1, 0, 0], Block::WaterFlow7);
        check(&toy, [-7, 0, 0], Block::WaterFlow1);
        check(&toy, [-8, 0, 0], Block::Air);
        check(&toy, [0, -1, 2], Block::WaterFlow7);
        check(&toy, [0, -2, 2], Block::WaterFlow7);
    }

    #[test]
    fn a_flow_without_a_source_dries_up() {
        let mut toy = run(&[([0, 0, 0], Block::Water)], 200);
        let mut dynamics = Dynamics::default();
        toy.change(Edit {
            cell: [0, 0, 0],
            before: Block::Water,
            after: Block::Stone,
        });
        dynamics.wake(IVec3::ZERO, 0, |cell| toy.block(cell));
        (1..=400).for_each(|tick| dynamics.step(tick, 1, IVec3::ZERO, &mut toy));
        assert!(toy.0.values().all(|block| !block.is_liquid()), "{:?}", toy.0);
        assert_eq!(dynamics.pending(), 0);
    }

    #[test]
    fn plants_fall_with_their_ground() {
        let toy = run(
            &[
                ([0, 0, 0], Block::Air),
                ([0, 1, 0], Block::Cactus),
                ([0, 2, 0], Block::Cactus),
                ([1, 0, 0], Block::RedFlower),
            ],
            20,
        );
        check(&toy, [0, 1, 0], Block::Air);
        check(&toy, [0, 2, 0], Block::Air);
        check(&toy, [1, 0, 0], Block::RedFlower);
    }

    #[test]
    fn crops_ripen_within_minutes() {
        let field: Vec<_> = (0..16).map(|x| ([x, 0, 3], Block::Crop0)).collect();
        let toy = run(&field, 20 * 60 * 4);
        let ripe = field
            .iter()
            .filter(|(cell, _)| toy.block(IVec3::from_array(*cell)) == Block::Crop3)
            .count();
        assert!(ripe >= 12, "{ripe} of 16");
    }
}
