//! What the hand does to the map: it empties cells and fills them, whole blocks at once.

use super::{
    CELL_BLOCKS, Memory, WorldState,
    brick::{Cell, MADE_LOOKS},
    write::MOST_VOTES,
};
use crate::grid::Alignment;
use glam::{IVec3, Vec3};

/// Surfaces this far outside a cell are taken for the emptied block's, blocks: sideways, since depth is rough, and below,
/// where the ground lies.
const SLACK_BLOCKS: Vec3 = Vec3::new(0.2, 0.08, 0.2);
/// Level and number along a side of the cells that a new block is made of.
const MADE_LEVEL: usize = 1;
const MADE_SIDE: usize = 8;
/// From its middle to the outer side of the cells that a new block is made of, blocks.
const MADE_REACH: f32 = 0.5 + 0.5 * CELL_BLOCKS[MADE_LEVEL];
/// What lies in this part of a cell, from its lowest corner in blocks, in so many map cells, holds what is above.
const HOLD_LOW: Vec3 = Vec3::splat(0.1);
const HOLD_HIGH: Vec3 = Vec3::new(0.9, 1.12, 0.9);
const LEAST_HOLDING: usize = 4;
/// The same of what is its top.
const TOP_LOW: Vec3 = Vec3::new(0.1, 0.85, 0.1);
/// Frames draw the edges of a block this much beside it, blocks.
const EDGE_BLOCKS: f32 = 0.12;

/// Of a block: outwards, in the order of the axes.
pub const SIDES: [IVec3; 6] = [IVec3::NEG_X, IVec3::X, IVec3::NEG_Y, IVec3::Y, IVec3::NEG_Z, IVec3::Z];

/// The side of a block that a point of its surface is on, as seen from its middle.
fn face(away: Vec3) -> usize {
    let axis = away.abs().max_position();
    axis * 2 + usize::from(away[axis] > 0.0)
}

/// A map cell that no look has shown yet, and that is there all the same.
fn made(position: Vec3, rgb: [u8; 3], tick: u32) -> Cell {
    let footprint_blocks = CELL_BLOCKS[MADE_LEVEL];
    Cell { position, footprint_blocks, tick, key: 0, rgb, votes: MOST_VOTES, looks: MADE_LOOKS, doubts: 0 }
}

impl WorldState {
    /// The tick in which the hand put a block into a cell among the blocks; `None` if it did not. The faces `shared` with
    /// neighbours that it made tell nothing.
    fn made_at(&self, cell: IVec3, alignment: &Alignment, shared: [bool; 6]) -> Option<u32> {
        let middle = cell.as_vec3() + 0.5;
        let mut made_at = None;
        self.for_each_around(cell, alignment, |position, (brick, level, at)| {
            let cell = &self.bricks[brick as usize].layers[level].cells[at];
            let away = alignment.among_blocks(position) - middle;
            if cell.looks == MADE_LOOKS && away.abs().max_element() < MADE_REACH && !shared[face(away)] {
                made_at = made_at.max(Some(cell.tick));
            }
        });
        made_at
    }

    /// Takes away what lies in a cell among the blocks. Of a block that the hand had put there, just that, and what frames
    /// since then showed of its edges or under it, but for the faces `shared` with neighbours of its kind; of another also
    /// what is a little beside it, and what was seen of the ground at its foot.
    fn empty(&mut self, cell: IVec3, alignment: &Alignment, shared: [bool; 6], made_at: Option<u32>) {
        let middle = cell.as_vec3() + 0.5;
        let mut gone = Vec::new();
        self.for_each_around(cell, alignment, |position, place| {
            let (brick, level, at) = place;
            let cell = &self.bricks[brick as usize].layers[level].cells[at];
            let away = alignment.among_blocks(position) - middle;
            let is_above_ground = away.y > SLACK_BLOCKS.y - 0.5;
            let goes = match (made_at, cell.looks == MADE_LOOKS) {
                (Some(_), true) => away.abs().max_element() < MADE_REACH && !shared[face(away)],
                (Some(since), false) => {
                    let is_under = away.x.abs().max(away.z.abs()) < 0.5;
                    cell.tick >= since && (is_above_ground || is_under) && away.abs().max_element() < 0.5 + EDGE_BLOCKS
                }
                (None, true) => false,
                (None, false) => {
                    // The ground around the block lies level with its foot.
                    let around = away.x.abs().max(away.z.abs()) > 0.53 && !is_above_ground;
                    !around && away.abs().cmple(SLACK_BLOCKS + 0.5).all()
                }
            };
            if goes {
                gone.push(place);
            }
        });
        self.remove_all(gone);
    }

    /// Takes away what lies in a part of a cell among the blocks, told by places in the cell, 0..1 from wall to wall.
    fn empty_part(&mut self, cell: IVec3, alignment: &Alignment, is_part: &impl Fn(Vec3) -> bool) {
        let mut gone = Vec::new();
        self.for_each_around(cell, alignment, |position, place| {
            if is_part(alignment.among_blocks(position) - cell.as_vec3()) {
                gone.push(place);
            }
        });
        self.remove_all(gone);
    }

    fn remove_all(&mut self, mut gone: Vec<(u32, usize, usize)>) {
        // From the back, so that a removal moves only cells that were already dealt with.
        gone.sort_unstable();
        for (brick, level, at) in gone.into_iter().rev() {
            self.remove(brick, level, at);
        }
    }

    /// Calls `visit` with every cell in and about a cell among the blocks, as [`WorldState::for_each_in`].
    fn for_each_around(&self, cell: IVec3, alignment: &Alignment, visit: impl FnMut(Vec3, (u32, usize, usize))) {
        // Half a cube's diagonal, and slack.
        let reach = Vec3::splat(0.9 + SLACK_BLOCKS.max_element());
        let in_map = alignment.in_map(cell.as_vec3() + 0.5);
        self.for_each_in(in_map - reach, in_map + reach, visit);
    }

    /// Puts a block into a cell among the blocks: its six faces, where no finer look at them lies already. `colour` is
    /// asked for places in the cell, -1..1 from wall to wall.
    pub fn fill(&mut self, cell: IVec3, alignment: &Alignment, colour: impl Fn(Vec3) -> [u8; 3], tick: u32) {
        let middle = cell.as_vec3() + 0.5;
        let along = |at: usize| (at as f32 + 0.5) * (2.0 / MADE_SIDE as f32) - 1.0;
        for outwards in SIDES.map(|side| side.as_vec3()) {
            let axis = outwards.abs().max_position();
            for (u, v) in (0..MADE_SIDE).flat_map(|u| (0..MADE_SIDE).map(move |v| (along(u), along(v)))) {
                let mut place = Vec3::ZERO;
                (place[axis], place[(axis + 1) % 3], place[(axis + 2) % 3]) = (outwards[axis], u, v);
                self.put(made(alignment.in_map(middle + place * 0.5), colour(place), tick));
            }
        }
        // What the frame showed of it is of the same make.
        let mut made = Vec::new();
        self.for_each_around(cell, alignment, |position, place| {
            let away = alignment.among_blocks(position) - middle;
            if away.y > -0.45 && away.abs().max_element() < MADE_REACH {
                made.push(place);
            }
        });
        for (brick, level, at) in made {
            let cell = self.brick_mut(brick).change(level, at);
            (cell.votes, cell.looks) = (MOST_VOTES, MADE_LOOKS);
        }
    }

    /// Pours water into a cell among the blocks, so high; see [`Memory::pour`].
    fn pour(&mut self, cell: IVec3, alignment: &Alignment, height: f32, colours: [[u8; 3]; 2], tick: u32) {
        let foot = cell.as_vec3();
        let along = |at: usize| (at as f32 + 0.5) / MADE_SIDE as f32;
        for (u, v) in (0..MADE_SIDE).flat_map(|u| (0..MADE_SIDE).map(move |v| (along(u), along(v)))) {
            self.put(made(alignment.in_map(foot + Vec3::new(u, height, v)), colours[0], tick));
            for side in [(0.0, u), (1.0, u), (u, 0.0), (u, 1.0)].map(|(x, z)| Vec3::new(x, v, z)) {
                if v < height {
                    self.put(made(alignment.in_map(foot + side), colours[1], tick));
                }
            }
        }
    }

    /// Puts a cell where none of its size or finer is.
    fn put(&mut self, cell: Cell) {
        let place = Self::place_of(cell.position);
        let at = self.brick_at(place).unwrap_or_else(|| self.make_brick(place));
        let quarter = CELL_BLOCKS[MADE_LEVEL] * 0.25;
        let brick = &self.bricks[at as usize];
        let finer = |side: Vec3| brick.find(cell.position + side * quarter, 0).is_some();
        let beside = [Vec3::ZERO, Vec3::X, Vec3::NEG_X, Vec3::Y, Vec3::NEG_Y, Vec3::Z, Vec3::NEG_Z];
        if brick.find(cell.position, MADE_LEVEL).is_some() || beside.into_iter().any(finer) {
            return;
        }
        self.cells += 1;
        self.cells -= self.brick_mut(at).insert(MADE_LEVEL, cell);
        for coarser in MADE_LEVEL + 1..CELL_BLOCKS.len() {
            if let Some(found) = self.bricks[at as usize].find(cell.position, coarser) {
                self.remove(at, coarser, found);
            }
        }
    }
}

impl Memory {
    /// Takes away what lies in a cell among the blocks, firm or doubted.
    ///
    /// # Arguments
    /// - `shared`: on which sides ([`SIDES`]) stand blocks that the hand made.
    pub fn empty(&mut self, cell: IVec3, alignment: &Alignment, shared: [bool; 6]) {
        let made_at = self.firm.made_at(cell, alignment, shared);
        self.firm.empty(cell, alignment, shared, made_at);
        self.drafts.empty(cell, alignment, shared, made_at);
        self.glass.remove(cell);
    }

    /// Takes away what lies in a part of a cell among the blocks, firm or doubted: `is_part` is asked for places in the
    /// cell, 0..1 from wall to wall.
    pub fn empty_part(&mut self, cell: IVec3, alignment: &Alignment, is_part: impl Fn(Vec3) -> bool) {
        self.firm.empty_part(cell, alignment, &is_part);
        self.drafts.empty_part(cell, alignment, &is_part);
    }

    /// Whether something lies in a cell among the blocks, or on top of it; what the hand put onto it is not meant.
    pub fn holds(&self, cell: IVec3, alignment: &Alignment) -> bool {
        let mut found = 0;
        for map in [&self.firm, &self.drafts] {
            map.for_each_around(cell, alignment, |position, (brick, level, at)| {
                let place = alignment.among_blocks(position) - cell.as_vec3();
                let inside = place.cmpge(HOLD_LOW).all() && place.cmplt(HOLD_HIGH).all();
                let above = place.y > 0.9 && map.bricks[brick as usize].layers[level].cells[at].looks == MADE_LOOKS;
                found += usize::from(inside && !above);
            });
        }
        found >= LEAST_HOLDING
    }

    /// Whether the top of a block in a cell among the blocks is known.
    pub fn has_top(&self, cell: IVec3, alignment: &Alignment) -> bool {
        let mut found = 0;
        self.firm.for_each_around(cell, alignment, |position, _| {
            let place = alignment.among_blocks(position) - cell.as_vec3();
            found += usize::from(place.cmpge(TOP_LOW).all() && place.cmplt(HOLD_HIGH).all());
        });
        found >= LEAST_HOLDING
    }

    /// Pours water into a cell among the blocks, so high, of these colours on its surface and its sides.
    pub fn pour(&mut self, cell: IVec3, alignment: &Alignment, height: f32, colours: [[u8; 3]; 2], tick: u32) {
        self.firm.pour(cell, alignment, height, colours, tick);
    }

    /// Puts a block into a cell among the blocks; see [`WorldState::fill`].
    pub fn fill(&mut self, cell: IVec3, alignment: &Alignment, colour: impl Fn(Vec3) -> [u8; 3], tick: u32) {
        self.firm.fill(cell, alignment, colour, tick);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::{Shown, Sight};
    use holdfast_sim::{Camera, Depth, Frame, Pose};

    const CELL: IVec3 = IVec3::new(0, 0, 3);

    /// From an eye a block above the foot of the cell.
    fn pose(x: f32, z: f32, yaw_deg: f32) -> Pose {
        Pose { position: [x, 1.0, z], yaw_deg, pitch_deg: 10.0 }
    }

    /// What the memory shows in the middle of a look from a pose: green, and distance.
    fn middle(memory: &mut Memory, pose: &Pose) -> (f32, f32) {
        let (camera, mut sight) = (Camera::new(33, 25), Sight::default());
        memory.read(pose, &camera, &mut sight);
        let at = 12 * 33 + 16;
        (sight.canvas.rgb[at][1], sight.canvas.depth_blocks[at])
    }

    fn see(memory: &mut Memory, pose: &Pose, tick: u32, blocks: impl Fn(Vec3) -> f32, grey: u8) {
        let (camera, mut sight) = (Camera::new(33, 25), Sight::default());
        memory.read(pose, &camera, &mut sight);
        let (mut frame, mut depth, axes) = (Frame::new(33, 25), Depth::new(33, 25), pose.axes());
        frame.rgb.fill(grey);
        let all = depth.blocks.iter_mut().enumerate();
        all.for_each(|(at, out)| *out = blocks(camera.ray(&axes, at % 33, at / 33)));
        memory.write(pose, &camera, &mut sight, &Shown::given(&frame, &depth, tick));
    }

    #[test]
    fn a_block_that_was_placed_is_seen_from_every_side_until_it_is_taken_away() {
        let mut memory = Memory::new();
        // The map's heading is not that of the blocks.
        let (in_map, among) = (pose(0.5, 0.5, 40.0), pose(0.5, 0.5, 0.0));
        let alignment = Alignment::new(&in_map, &among);
        memory.fill(CELL, &alignment, |place| [9, if place.y > 0.99 { 200 } else { 90 }, 9], 1);
        let check = |memory: &mut Memory, there: bool| {
            for (x, z, yaw_deg) in [(0.5, 0.5, 0.0), (0.5, 6.5, 180.0), (-2.5, 3.5, -90.0), (3.5, 3.5, 90.0)] {
                let eye = alignment.in_map(Vec3::new(x, 1.0, z));
                let from = Pose { position: eye.to_array(), yaw_deg: yaw_deg + 40.0, pitch_deg: 10.0 };
                let (green, blocks) = middle(memory, &from);
                let is_there = (green - 90.0).abs() < 8.0 && (blocks - 2.54).abs() < 0.2;
                assert_eq!(is_there, there, "from {x} {z}: {green} at {blocks}");
            }
        };
        check(&mut memory, true);
        // A frame that does not show it does not take it away.
        (2..12).for_each(|tick| see(&mut memory, &in_map, tick, |_| 20.0, 30));
        check(&mut memory, true);
        memory.empty(CELL, &alignment, [false; 6]);
        check(&mut memory, false);
    }

    #[test]
    fn what_is_emptied_leaves_the_ground_around_it() {
        let mut memory = Memory::new();
        let above = Pose { position: [0.5, 3.0, 2.0], yaw_deg: 0.0, pitch_deg: 60.0 };
        let floor = |ray: Vec3| if ray.y < -0.1 { 3.0 / -ray.y * ray.length() } else { Depth::SKY };
        see(&mut memory, &above, 1, floor, 120);
        let ground = memory.cells();
        let alignment = Alignment::new(&above, &above);
        memory.fill(CELL, &alignment, |_| [0, 0, 0], 2);
        assert!(memory.cells() > ground + 200);
        memory.empty(CELL, &alignment, [false; 6]);
        // Nothing but what lay under the block.
        let gone = ground - memory.cells();
        assert!(gone * 4 < ground, "{gone} of {ground}");
        let beside = Pose { position: [1.4, 3.0, 2.0], ..above };
        assert!((middle(&mut memory, &beside).0 - 120.0).abs() < 4.0);
    }

    #[test]
    fn a_neighbour_of_the_same_hand_keeps_its_face() {
        let mut memory = Memory::new();
        let at = pose(0.5, 0.5, 0.0);
        let alignment = Alignment::new(&at, &at);
        let behind = CELL + IVec3::Z;
        memory.fill(behind, &alignment, |_| [9, 90, 9], 1);
        memory.fill(CELL, &alignment, |_| [9, 90, 9], 2);
        memory.empty(CELL, &alignment, SIDES.map(|side| CELL + side == behind));
        let (green, blocks) = middle(&mut memory, &at);
        assert!((green - 90.0).abs() < 8.0 && (blocks - 3.55).abs() < 0.2, "{green} at {blocks}");
    }

    #[test]
    fn what_frames_showed_of_its_edges_goes_with_a_block() {
        let mut memory = Memory::new();
        let at = pose(0.5, 0.5, 0.0);
        let alignment = Alignment::new(&at, &at);
        // A wall behind, the block before it, and a frame that draws the block a little too large.
        let wall = |ray: Vec3| 6.0 / ray.z * ray.length();
        see(&mut memory, &at, 1, wall, 200);
        memory.fill(CELL, &alignment, |_| [9, 90, 9], 2);
        let large = |ray: Vec3| {
            let on_it = (ray * (2.5 / ray.z)).abs();
            if on_it.x.max(on_it.y) < 0.6 { 2.5 / ray.z * ray.length() } else { wall(ray) }
        };
        see(&mut memory, &Pose { pitch_deg: 0.0, ..at }, 3, large, 90);
        memory.empty(CELL, &alignment, [false; 6]);
        let mut left = 0;
        let reach = Vec3::splat(0.62);
        let middle = CELL.as_vec3() + 0.5;
        memory.firm().for_each_in(middle - reach, middle + reach, |_, _| left += 1);
        memory.drafts().for_each_in(middle - reach, middle + reach, |_, _| left += 1);
        assert_eq!(left, 0);
    }
}
