//! How water spreads: the flow that belongs into a cell, from the cells around it.

use super::block::Block;
use super::dynamics::{SIDES, gives_way};
use glam::IVec3;

/// Flows from the thinnest (level 1) to the fullest (7).
const FLOWS: [Block; 7] = [
    Block::WaterFlow1,
    Block::WaterFlow2,
    Block::WaterFlow3,
    Block::WaterFlow4,
    Block::WaterFlow5,
    Block::WaterFlow6,
    Block::WaterFlow7,
];

/// The water that belongs into a cell that is open to it: below water a full flow, beside water one level less,
/// between two sources a source. Water that can run down does not run sideways.
pub(super) fn level_of(cell: IVec3, block: impl Fn(IVec3) -> Block) -> Option<Block> {
    if block(cell + IVec3::Y).is_liquid() {
        return Some(Block::WaterFlow7);
    }
    let below = block(cell + IVec3::NEG_Y);
    let (mut highest, mut sources) = (0, 0);
    for side in SIDES {
        let near = usize::from(block(cell + side).water_level());
        let under = block(cell + side + IVec3::NEG_Y);
        let spreads = !gives_way(under) || under == Block::Water;
        if near > 0 && spreads {
            highest = highest.max(near);
            sources += usize::from(near == 8);
        }
    }
    if sources >= 2 && (below == Block::Water || !gives_way(below)) {
        return Some(Block::Water);
    }
    (highest > 1).then(|| FLOWS[highest - 2])
}
