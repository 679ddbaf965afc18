//! Flowing water: what stands free spreads, seen or unseen (`docs/decisions/active.md`).
//!
//! A dream knows of a block of water for certain that a start shows standing on the ground, by its outline, and of what the
//! hand lets in where it digs beside water. From these it runs by the rules of such worlds: down, or else sideways, each
//! cell a level lower. It is put into the memory as a block is, and the frames follow.

use crate::{
    grid::{Alignment, cells},
    loose::Last,
    matter::Matter,
    outline::patches,
    situation::Made,
    state::{Memory, SIDES},
    sweep::Pane,
};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Frame, Pose, kinematics::EYE_HEIGHT};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Water on its way, by cell.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Flows {
    pools: BTreeMap<[i32; 3], Pool>,
    /// Cells that are to be looked at, and in how many ticks.
    due: BTreeMap<[i32; 3], u8>,
    /// RGB of its surface and of its sides, once they were seen.
    colours: Option<[[u8; 3]; 2]>,
    /// Where nothing is known, ground is below cells of this level.
    floor_y: i32,
}

/// The water in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Pool {
    /// [`SOURCE`], or 7 to 1 of what has run from one.
    level: u8,
    /// Something solid is below.
    has_bed: bool,
}

const SOURCE: u8 = 8;
/// Height of each level, blocks.
const LEVEL_BLOCKS: f32 = 0.109375;
/// After a change its neighbours are looked at in so many ticks.
const FLOW_TICKS: u8 = 6;
/// So many cells of it, and no more.
const MOST_POOLS: usize = 1024;
/// Ground is looked for so far below, blocks.
const BELOW_BLOCKS: i32 = 6;
/// Farther off its outline does not say which cell it is in, blocks.
const RANGE_BLOCKS: f32 = 7.0;
/// A block of water is looked for so far around what is named so, pixels, and so many more as it is near.
const NEAR_PX: f32 = 10.0;
const NEAR_PX_BLOCKS: f32 = 20.0;
/// Share that the outlines of what is named water and of a block of it have in common, of all that is in either.
const LEAST_COMMON: f32 = 0.55;
/// What is shown nearer than this share of its distance stands before it.
const BEFORE_SHARE: f32 = 0.8;

/// How far off a ray meets a block of water that stands by itself, in lengths of `ray`, and whether on its surface.
fn meet(eye: Vec3, ray: Vec3, cell: IVec3) -> Option<(f32, bool)> {
    let high = Vec3::ONE.with_y(f32::from(SOURCE) * LEVEL_BLOCKS);
    let (a, b) = ((cell.as_vec3() - eye) / ray, (cell.as_vec3() + high - eye) / ray);
    let (near, far) = (a.min(b), a.max(b));
    let enters = near.max_element();
    (enters > 0.0 && enters < far.min_element()).then_some((enters, near.max_position() == 1 && ray.y < 0.0))
}

/// The blocks of water that a start shows standing free. Their pixels are mended in place.
///
/// # Arguments
/// - `pose`: of the eye among the blocks.
/// - `panes`: that were found. What stands beside one is held by it, and by others that are out of view.
/// - `depth`, `matters`: as the start was read, `[height * width]`.
pub fn find(
    frame: &Frame,
    pose: &Pose,
    camera: &Camera,
    panes: &[Pane],
    depth: &mut Depth,
    matters: &mut [Matter],
) -> Flows {
    let (eye, axes) = (pose.eye(), pose.axes());
    let ray = |pixel: usize| camera.ray(&axes, pixel % camera.width, pixel / camera.width);
    let feet_y = (eye.y - EYE_HEIGHT).round() as i32;
    let reach = Vec3::new(RANGE_BLOCKS, 0.0, RANGE_BLOCKS);
    let [first, last] = [-reach, reach].map(|reach| (eye + reach).floor().as_ivec3());
    let mut flows = Flows { floor_y: feet_y, ..Flows::default() };
    let (mut sums, mut counts) = ([Vec3::ZERO; 2], [0.0f32; 2]);
    for patch in patches(camera, |pixel| matters[pixel] == Matter::Water) {
        let sum = patch.pixels.iter().fold([0, 0], |[x, y], at| [x + at % camera.width, y + at / camera.width]);
        let [x, y] = sum.map(|sum| sum as f32 / patch.pixels.len() as f32);
        let is_about = |cell: &IVec3| {
            let away = cell.as_vec3() + 0.5 - eye;
            away.length() < RANGE_BLOCKS
                && camera.project(&axes, away).is_some_and(|(at_x, at_y, z)| {
                    (at_x - x).abs().max((at_y - y).abs()) < NEAR_PX + NEAR_PX_BLOCKS / z
                })
                && cells(*cell, *cell + 1).all(|corner| {
                    let shown = camera.project(&axes, corner.as_vec3() - eye);
                    shown.is_some_and(|(x, y, _)| {
                        (0.0..camera.width as f32).contains(&x) && (0.0..camera.height as f32).contains(&y)
                    })
                })
        };
        let about = cells(first.with_y(feet_y), last.with_y(feet_y + 1)).filter(is_about);
        let shows = |cell: &IVec3, pixel: usize| meet(eye, ray(pixel), *cell).is_some();
        let Some(cell) = patch.likest(about, LEAST_COMMON, shows) else { continue };
        for pixel in 0..matters.len() {
            let Some((enters, is_top)) = meet(eye, ray(pixel), cell) else { continue };
            let blocks = enters * ray(pixel).length();
            if depth.blocks[pixel] > blocks * BEFORE_SHARE {
                (depth.blocks[pixel], matters[pixel]) = (blocks, Matter::Water);
                let rgb = frame.pixel(pixel % camera.width, pixel / camera.width).map(f32::from);
                sums[usize::from(!is_top)] += Vec3::from_array(rgb);
                counts[usize::from(!is_top)] += 1.0;
            }
        }
        if panes.iter().all(|pane| (pane.cell - cell).abs().element_sum() != 1) {
            flows.spring(cell);
        }
    }
    let seen = [0, 1].map(|side| if counts[side] > 0.0 { side } else { 1 - side });
    if !flows.pools.is_empty() {
        flows.colours = Some(seen.map(|side| (sums[side] / counts[side].max(1.0)).to_array().map(|value| value as u8)));
    }
    flows
}

impl Flows {
    /// Nothing flows, and nothing is about to.
    pub fn is_still(&self) -> bool {
        self.due.is_empty()
    }

    pub fn is_in(&self, cell: IVec3) -> bool {
        self.pools.contains_key(&cell.to_array())
    }

    /// Whether it can be: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        let is_place = |cell: &[i32; 3]| cell.iter().all(|side| side.unsigned_abs() < 1 << 30);
        let Flows { pools, due, floor_y, .. } = self;
        let levels = pools.values().all(|pool| (1..=SOURCE).contains(&pool.level));
        let places = pools.keys().chain(due.keys()).all(is_place) && floor_y.unsigned_abs() < 1 << 30;
        levels && places && pools.len() <= MOST_POOLS && due.values().all(|ticks| *ticks <= FLOW_TICKS)
    }

    /// A block of water stands in a cell, from which it may run.
    pub fn spring(&mut self, cell: IVec3) {
        if self.pools.is_empty() {
            self.floor_y = cell.y;
        }
        self.pools.insert(cell.to_array(), Pool { level: SOURCE, has_bed: true });
        self.wake(cell);
    }

    /// Something solid has come into a cell, or has gone from it.
    pub fn changed(&mut self, cell: IVec3) {
        if !self.pools.is_empty() {
            self.pools.remove(&cell.to_array());
            self.wake(cell);
        }
    }

    fn wake(&mut self, cell: IVec3) {
        for near in [IVec3::ZERO].into_iter().chain(SIDES) {
            self.due.entry((cell + near).to_array()).or_insert(FLOW_TICKS);
        }
    }

    /// Lets it run on by a tick. Answers the cells in which something has changed.
    ///
    /// # Arguments
    /// - `made`: what the hand put where.
    /// - `last`: as it was seen before this tick.
    pub fn step(
        &mut self,
        made: &Made,
        memory: &mut Memory,
        alignment: &Alignment,
        last: &Last,
        tick: u32,
    ) -> Vec<IVec3> {
        self.due.values_mut().for_each(|ticks| *ticks = ticks.saturating_sub(1));
        let now: Vec<[i32; 3]> = self.due.iter().filter(|(_, ticks)| **ticks == 0).map(|(cell, _)| *cell).collect();
        let mut stirred = Vec::new();
        for cell in now {
            self.due.remove(&cell);
            let cell = IVec3::from_array(cell);
            let before = self.level(cell);
            let is_wet = |side: &IVec3| side.y >= 0 && self.is_in(cell + side);
            if before == SOURCE || before == 0 && !SIDES.iter().any(is_wet) {
                continue;
            }
            let around = Around { flows: self, made, memory, alignment };
            let after = if around.gives_way(cell) { around.level_of(cell) } else { 0 };
            if after == before || before == 0 && self.pools.len() >= MOST_POOLS {
                continue;
            }
            let has_bed = !around.gives_way(cell - IVec3::Y);
            let height = f32::from(after) * LEVEL_BLOCKS;
            memory.empty_part(cell, alignment, |place| place.cmpge(OWN_LOW).all() && place.cmplt(OWN_HIGH).all());
            if after > 0 {
                self.pools.insert(cell.to_array(), Pool { level: after, has_bed });
                let colours = *self.colours.get_or_insert_with(|| colours_seen(last, &self.pools));
                memory.pour(cell, alignment, height, colours, tick);
            } else {
                self.pools.remove(&cell.to_array());
            }
            self.wake(cell);
            stirred.push(cell);
        }
        stirred
    }

    fn level(&self, cell: IVec3) -> u8 {
        self.pools.get(&cell.to_array()).map_or(0, |pool| pool.level)
    }
}

/// What lies in this part of a cell, from its lowest corner in blocks, gives way to water: nearer to its walls it is its
/// neighbour's, and the top of the ground below is the water's bed.
const OWN_LOW: Vec3 = Vec3::new(0.04, -0.06, 0.04);
const OWN_HIGH: Vec3 = Vec3::new(1.0 - 0.04, 1.0 - 0.06, 1.0 - 0.04);

/// The colours of its surface and sides, as pools were last seen; a blue of noon where they were not.
fn colours_seen(last: &Last, pools: &BTreeMap<[i32; 3], Pool>) -> [[u8; 3]; 2] {
    let shown: Vec<usize> =
        pools.keys().flat_map(|cell| last.showing(IVec3::from_array(*cell))).map(|(pixel, _)| pixel).collect();
    let rgb =
        |at: &usize| Vec3::from_array(last.frame.pixel(at % last.frame.width, at / last.frame.width).map(f32::from));
    let sum: Vec3 = shown.iter().map(rgb).sum();
    let mean = if shown.is_empty() { Vec3::new(60.0, 95.0, 170.0) } else { sum / shown.len() as f32 };
    [mean, mean * 0.85].map(|colour| colour.to_array().map(|value| value as u8))
}

/// What water meets.
struct Around<'a> {
    flows: &'a Flows,
    made: &'a Made,
    memory: &'a Memory,
    alignment: &'a Alignment,
}

impl Around<'_> {
    fn is_solid(&self, cell: IVec3) -> bool {
        // Panes are among what is made.
        self.made.contains_key(&cell.to_array())
            || self.flows.pools.get(&(cell + IVec3::Y).to_array()).is_some_and(|pool| pool.has_bed)
            || self.memory.has_top(cell, self.alignment)
    }

    /// Whether water may be in a cell: where something holds it up, or, where nothing is known, on the level at which it
    /// began.
    fn gives_way(&self, cell: IVec3) -> bool {
        if self.flows.is_in(cell) {
            return true;
        }
        if self.is_solid(cell) {
            return false;
        }
        let below = |down: i32| cell - IVec3::Y * down;
        cell.y == self.flows.floor_y
            || (1..=BELOW_BLOCKS).any(|down| self.flows.is_in(below(down)) || self.is_solid(below(down)))
    }

    /// The level of the water that belongs into a cell that is open to it: below water a full flow, beside water one less,
    /// between two sources a source. Water that can run down does not run sideways.
    fn level_of(&self, cell: IVec3) -> u8 {
        if self.flows.level(cell + IVec3::Y) > 0 {
            return SOURCE - 1;
        }
        let (mut highest, mut sources) = (0, 0);
        for side in SIDES.into_iter().filter(|side| side.y == 0) {
            let (near, under) = (self.flows.level(cell + side), cell + side - IVec3::Y);
            if near > 0 && (!self.gives_way(under) || self.flows.level(under) == SOURCE) {
                highest = highest.max(near);
                sources += usize::from(near == SOURCE);
            }
        }
        let under = cell - IVec3::Y;
        if sources >= 2 && (self.flows.level(under) == SOURCE || !self.gives_way(under)) {
            return SOURCE;
        }
        highest.saturating_sub(1)
    }
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
