//! What the world state tells the body: the ground below and the walls around it.

use super::{CELL_BLOCKS, WorldState};
use glam::{IVec3, Vec3};

/// Half the side of the column in which ground is looked for, blocks.
const HALF_BODY: f32 = 0.35;
/// The ground is looked for this far below the feet, blocks.
const MOST_DROP_BLOCKS: f32 = 4.0;
/// Square blocks of surface that hold up a body: a quarter of its column. Less is what a look from afar leaves.
const LEAST_GROUND_AREA: f32 = 0.12;

impl WorldState {
    /// Height of the ground under a body whose feet are at `feet`: of the surfaces below its middle, from `above` blocks
    /// over the feet to [`MOST_DROP_BLOCKS`] under them, the mean of the highest block's height that holds enough of them.
    /// `None` where no height does.
    pub fn ground_y(&self, feet: Vec3, above: f32) -> Option<f32> {
        let (low, high) =
            (Vec3::new(-HALF_BODY, -MOST_DROP_BLOCKS, -HALF_BODY), Vec3::new(HALF_BODY, above, HALF_BODY));
        // By whole blocks below the feet: area, and area times height.
        let mut heights = [(0.0f32, 0.0f32); MOST_DROP_BLOCKS as usize + 1];
        self.for_each_in(feet + low, feet + high, |position, (_, level, _)| {
            let area = CELL_BLOCKS[level] * CELL_BLOCKS[level];
            let sum = &mut heights[(feet.y - position.y).round().max(0.0) as usize];
            *sum = (sum.0 + area, sum.1 + area * position.y);
        });
        let found = heights.iter().find(|(area, _)| *area >= LEAST_GROUND_AREA);
        found.map(|(area, height)| height / area)
    }

    /// Surface cells, each counted by its area in square blocks times 16, in the box from `low` to `high` widened by
    /// `margin` sideways; divided by the box's width.
    pub fn surface_share(&self, low: Vec3, high: Vec3, margin: f32) -> f32 {
        let side = Vec3::new(margin, 0.0, margin);
        let mut area = 0.0;
        self.for_each_in(low - side, high + side, |_, (_, level, _)| area += CELL_BLOCKS[level] * CELL_BLOCKS[level]);
        area * 16.0 / (2.0 * margin)
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
