//! What the world state tells a body: which faces of the blocks around it are there.

use super::{CELL_BLOCKS, WorldState};
use crate::{
    grid::{Alignment, cells},
    motion::Ground,
};
use glam::{IVec3, Vec3};

/// Faces are looked for this far around the feet, blocks: sideways, below and above.
const SIDEWAYS: i32 = 2;
const BELOW: i32 = 5;
const ABOVE: i32 = 3;
const SIDES: [i32; 3] = [2 * SIDEWAYS + 2, BELOW + ABOVE + 2, 2 * SIDEWAYS + 2];
const COUNT: usize = (SIDES[0] * SIDES[1] * SIDES[2]) as usize;
/// A surface this near to a wall of the grid is that wall's, blocks.
const NEAR_BLOCKS: f32 = 0.3;
/// So near to its edges a face may be another's, blocks: to those of a floor, since walls are drawn a little before where
/// they are, and to those of a wall.
const FLOOR_EDGE_BLOCKS: f32 = 0.2;
const WALL_EDGE_BLOCKS: f32 = 0.1;
/// Square blocks of surface that make a face: of a floor, which is seen at a slant, of a wall, and of its upper half.
const LEAST_FLOOR: f32 = 0.08;
const LEAST_WALL: f32 = 0.35;
const LEAST_UPPER_WALL: f32 = 0.12;

/// The faces of the blocks around a body, as far as surfaces are remembered there, among the blocks.
#[derive(Debug, Clone)]
pub struct Faces {
    first: IVec3,
    /// Square blocks of surface on the lower side of each cell, by axis; of a wall, of its lower and of its upper half.
    areas: [[[f32; 2]; COUNT]; 3],
}

impl Faces {
    /// None at all.
    fn around(feet: Vec3) -> Faces {
        let first = feet.floor().as_ivec3() - IVec3::new(SIDEWAYS, BELOW, SIDEWAYS);
        Faces { first, areas: [[[0.0; 2]; COUNT]; 3] }
    }

    fn index(&self, cell: IVec3) -> Option<usize> {
        let at = cell - self.first;
        let inside = at.cmpge(IVec3::ZERO).all() && at.cmplt(IVec3::from_array(SIDES)).all();
        inside.then(|| ((at.x * SIDES[1] + at.y) * SIDES[2] + at.z) as usize)
    }

    /// Notes a surface of some square blocks at a point.
    fn note(&mut self, point: Vec3, area: f32) {
        let part = point - point.floor();
        for axis in 0..3 {
            let edge = if axis == 1 { FLOOR_EDGE_BLOCKS } else { WALL_EDGE_BLOCKS };
            let is_inside = |axis: usize| (edge..1.0 - edge).contains(&part[axis]);
            let wall = point[axis].round();
            if (point[axis] - wall).abs() < NEAR_BLOCKS && is_inside((axis + 1) % 3) && is_inside((axis + 2) % 3) {
                let mut cell = point.floor().as_ivec3();
                cell[axis] = wall as i32;
                if let Some(at) = self.index(cell) {
                    self.areas[axis][at][usize::from(axis != 1 && part.y > 0.5)] += area;
                }
            }
        }
    }

    /// What the player's own body knows is surer than what was seen: what carried it is there, and between cells that it
    /// was in, or on top of one, nothing is.
    ///
    /// Water is no floor, and has a bed and banks: a block below, if that is not known to be deeper, and beside it, where
    /// there is a floor as high as the water.
    pub fn amend(&mut self, Ground { trodden, water, .. }: &Ground) {
        let first = self.first;
        let all = || cells(first, first + IVec3::from_array(SIDES) - 1);
        for cell in all() {
            let Some(at) = self.index(cell) else { continue };
            let under = cell - IVec3::Y;
            if trodden.carries(under) {
                self.areas[1][at] = [1.0; 2];
            } else if trodden.is_empty(under) || water.is_in(under) {
                self.areas[1][at] = [0.0; 2];
            } else if water.is_in(cell) {
                self.areas[1][at] = [1.0; 2];
            }
        }
        for (axis, cell) in [0, 2].into_iter().flat_map(|axis| all().map(move |cell| (axis, cell))) {
            let Some(at) = self.index(cell) else { continue };
            let both = [cell - IVec3::AXES[axis], cell];
            let [dry, wet] = match both.map(|cell| water.is_in(cell)) {
                [true, false] => [cell, both[0]],
                [false, true] => both,
                in_water => {
                    if in_water[0] || both.iter().all(|cell| trodden.is_empty(*cell)) {
                        self.areas[axis][at] = [0.0; 2];
                    }
                    continue;
                }
            };
            let is_bank = self.is_there(1, dry + IVec3::Y) && !water.is_in(wet + IVec3::Y);
            self.areas[axis][at] = if is_bank { [1.0; 2] } else { [0.0; 2] };
        }
    }

    /// Takes over what another map of the same surroundings knows of walls.
    pub fn add_walls(&mut self, other: &Faces) {
        for axis in [0, 2] {
            for (areas, more) in self.areas[axis].iter_mut().zip(&other.areas[axis]) {
                areas.iter_mut().zip(more).for_each(|(area, more)| *area += more);
            }
        }
    }

    /// Notes a block of which nothing need be seen.
    pub fn fill(&mut self, cell: IVec3) {
        for (axis, side) in (0..3).flat_map(|axis| [cell, cell + IVec3::AXES[axis]].map(|side| (axis, side))) {
            if let Some(at) = self.index(side) {
                self.areas[axis][at] = [1.0; 2];
            }
        }
    }

    /// Whether the face on the lower side of a cell is there.
    fn is_there(&self, axis: usize, cell: IVec3) -> bool {
        self.index(cell).is_some_and(|at| match (axis, self.areas[axis][at]) {
            (1, [area, _]) => area >= LEAST_FLOOR,
            // A floor that is drawn too high is no wall.
            (_, [lower, upper]) => upper >= LEAST_UPPER_WALL && lower + upper >= LEAST_WALL,
        })
    }

    /// How far a box can go along an axis, and whether something stops it there. What it is already in does not.
    pub fn clip(&self, (low, high): (Vec3, Vec3), axis: usize, by: f32) -> (f32, bool) {
        let leading = if by > 0.0 { high[axis] } else { low[axis] };
        let (from, to) = (leading - SKIN_BLOCKS * by.signum(), leading + by);
        let walls = from.min(to).ceil() as i32..=from.max(to).floor() as i32;
        let (mut first, mut last) = (floor(low + SKIN_BLOCKS), floor(high - SKIN_BLOCKS));
        let stops = |wall: &i32| {
            (first[axis], last[axis]) = (*wall, *wall);
            cells(first, last).any(|cell| self.is_there(axis, cell))
        };
        let met = if by > 0.0 { walls.into_iter().find(stops) } else { walls.rev().find(stops) };
        met.map_or((by, false), |wall| {
            let way = wall as f32 - leading;
            (if by > 0.0 { way.clamp(0.0, by) } else { way.clamp(by, 0.0) }, true)
        })
    }

    /// The cells under a box, level with its underside, and the height of the floor in the column of each, at or below that;
    /// `None` where none is remembered.
    pub fn floors(&self, (low, high): (Vec3, Vec3)) -> impl Iterator<Item = (IVec3, Option<i32>)> {
        let (first, last) = (floor(low + SKIN_BLOCKS), floor(high - SKIN_BLOCKS));
        let level = (low.y + SKIN_BLOCKS).floor() as i32;
        cells(first.with_y(level), last.with_y(level)).map(move |column| {
            let floor = (level - BELOW..=level).rev().find(|&y| self.is_there(1, column.with_y(y)));
            (column - IVec3::Y, floor)
        })
    }
}

/// A box keeps this far from what it touches, blocks.
const SKIN_BLOCKS: f32 = 1e-3;

fn floor(point: Vec3) -> IVec3 {
    point.floor().as_ivec3()
}

impl WorldState {
    /// The faces around a body whose feet are at `feet`, among the blocks.
    pub fn faces(&self, feet: Vec3, alignment: &Alignment) -> Faces {
        let mut faces = Faces::around(feet);
        let middle = alignment.in_map(feet);
        // However the map lies among the blocks, all corners are within.
        let sideways = (SIDEWAYS + 1) as f32 * std::f32::consts::SQRT_2;
        let (low, high) =
            (Vec3::new(-sideways, -1.0 - BELOW as f32, -sideways), Vec3::new(sideways, 1.0 + ABOVE as f32, sideways));
        self.for_each_in(middle + low, middle + high, |position, (_, level, _)| {
            faces.note(alignment.among_blocks(position), CELL_BLOCKS[level] * CELL_BLOCKS[level]);
        });
        faces
    }

    /// Calls `visit` with the position of every cell in a box, and its brick, level and index. The cost is bounded: the box
    /// touches few bricks, and a brick holds only so many cells.
    pub(super) fn for_each_in(&self, low: Vec3, high: Vec3, mut visit: impl FnMut(Vec3, (u32, usize, usize))) {
        let (first, last) = (Self::place_of(low), Self::place_of(high));
        for x in first.x..=last.x {
            for z in first.z..=last.z {
                for y in first.y..=last.y {
                    let Some(at) = self.brick_at(IVec3::new(x, y, z)) else { continue };
                    for (level, layer) in self.bricks[at as usize].layers.iter().enumerate() {
                        for (index, cell) in layer.cells.iter().enumerate() {
                            if cell.position.cmpge(low).all() && cell.position.cmple(high).all() {
                                visit(cell.position, (at, level, index));
                            }
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A floor at 0 up to z = 3, where a wall of two blocks begins; both a little off.
    fn faces() -> Faces {
        let mut faces = Faces::around(Vec3::new(0.5, 0.0, 1.5));
        let along = |at: i32| at as f32 / 8.0 + 0.06;
        for (u, v) in (-16..32).flat_map(|u| (0..24).map(move |v| (along(u), along(v)))) {
            faces.note(Vec3::new(u, 0.1, v), 1.0 / 64.0);
            if v < 2.0 {
                faces.note(Vec3::new(u, v, 2.85), 1.0 / 64.0);
            }
        }
        faces
    }

    fn body(x: f32, y: f32, z: f32) -> (Vec3, Vec3) {
        (Vec3::new(x - 0.3, y, z - 0.3), Vec3::new(x + 0.3, y + 1.8, z + 0.3))
    }

    #[test]
    fn a_box_stops_where_the_wall_of_the_blocks_is() {
        let faces = faces();
        let (way, stopped) = faces.clip(body(0.5, 0.0, 2.5), 2, 0.4);
        assert!((way - 0.2).abs() < 1e-5 && stopped, "{way}");
        assert_eq!(faces.clip(body(0.5, 0.0, 2.5), 2, 0.15), (0.15, false));
        assert_eq!(faces.clip(body(0.5, 0.0, 2.5), 2, -0.4), (-0.4, false));
        assert_eq!(faces.clip(body(0.5, 2.0, 2.5), 2, 0.4), (0.4, false), "over it");
        assert_eq!(faces.clip(body(0.5, 0.0, 2.9), 2, 0.4), (0.4, false), "out of it");
        assert!(faces.clip(body(0.5, 1.5, 2.5), 2, 0.4).1, "by the shins");
    }

    #[test]
    fn a_box_stands_on_what_any_part_of_it_is_over() {
        let faces = faces();
        let (way, stopped) = faces.clip(body(0.5, 0.1, 1.5), 1, -0.3);
        assert!((way + 0.1).abs() < 1e-5 && stopped, "{way}");
        assert!(faces.clip(body(0.5, 0.0, 1.5), 1, -0.0784).1);
        assert!(faces.clip(body(0.5, 0.0, 3.2), 1, -0.0784).1, "its heel");
        assert!(!faces.clip(body(0.5, 0.0, 3.4), 1, -0.0784).1);
        let floors = |z: f32| faces.floors(body(0.5, 1.0, z)).map(|(_, floor)| floor).collect::<Vec<_>>();
        assert_eq!((floors(1.5), floors(3.1)), (vec![Some(0)], vec![Some(0), None]));
    }
}
