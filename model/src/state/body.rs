//! What the world state tells the body: the ground below and the walls around it.

use super::{CELL_BLOCKS, WorldState};
use glam::{IVec3, Vec3};

impl WorldState {
    /// Height of the ground under a body whose feet are at `feet`: the upper quartile of the surface heights below its
    /// middle, from `above` blocks over the feet to `below` blocks under them. `None` where nothing is known.
    /// `heights` is room for its work.
    pub fn ground_y(&self, feet: Vec3, above: f32, below: f32, heights: &mut Vec<f32>) -> Option<f32> {
        let half = 0.35;
        heights.clear();
        let (low, high) = (feet - Vec3::new(half, below, half), feet + Vec3::new(half, above, half));
        self.for_each_in(low, high, |position, _| heights.push(position.y));
        if heights.len() < 4 {
            return None;
        }
        // The highest well-supported surface: walls and the sides of steps spread over many heights, floors do not.
        let quartile = heights.len() * 3 / 4;
        Some(*heights.select_nth_unstable_by(quartile, f32::total_cmp).1)
    }

    /// Surface cells, each counted by its area in square blocks times 16, in the box from `low` to `high` widened by
    /// `margin` sideways; divided by the box's width.
    pub fn surface_share(&self, low: Vec3, high: Vec3, margin: f32) -> f32 {
        let side = Vec3::new(margin, 0.0, margin);
        let mut area = 0.0;
        self.for_each_in(low - side, high + side, |_, level| area += CELL_BLOCKS[level] * CELL_BLOCKS[level]);
        area * 16.0 / (2.0 * margin)
    }

    /// Calls `visit` with the position and level of every cell in a box. The cost is bounded: the box touches few
    /// bricks, and a brick holds only so many cells.
    fn for_each_in(&self, low: Vec3, high: Vec3, mut visit: impl FnMut(Vec3, usize)) {
        let (first, last) = (Self::place_of(low), Self::place_of(high));
        for x in first.x..=last.x {
            for z in first.z..=last.z {
                for y in first.y..=last.y {
                    let Some(at) = self.brick_at(IVec3::new(x, y, z)) else { continue };
                    for (level, layer) in self.bricks[at as usize].layers.iter().enumerate() {
                        for cell in &layer.cells {
                            if cell.position.cmpge(low).all() && cell.position.cmple(high).all() {
                                visit(cell.position, level);
                            }
                        }
                    }
                }
            }
        }
    }
}
