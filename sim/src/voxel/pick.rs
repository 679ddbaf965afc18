//! Which block a ray meets first, and on which face: the crosshair.

use super::block::Block;
use glam::{IVec3, Vec3};

pub use crate::kinematics::REACH_BLOCKS as REACH;

/// The block under the crosshair.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Target {
    pub cell: IVec3,
    pub block: Block,
    /// Outward normal of the face that was met: one component is 1 or -1.
    pub face: IVec3,
    /// From the eye, blocks.
    pub distance: f32,
}

/// Walks the cells along `direction` (any length) and returns the first block that hands can touch, within `reach`.
/// Air and liquids are passed through, as in Minecraft. A block that the eye is inside of is not met.
pub fn pick(eye: Vec3, direction: Vec3, reach: f32, blocks: &impl Fn(IVec3) -> Block) -> Option<Target> {
    let direction = direction.try_normalize()?;
    let mut cell = eye.floor().as_ivec3();
    let step = direction.signum().as_ivec3();
    // Distance along the ray between two walls of an axis, and to the next wall.
    let stride = direction.abs().recip();
    let offset = eye - eye.floor();
    let mut next = Vec3::select(direction.cmpgt(Vec3::ZERO), Vec3::ONE - offset, offset) * stride;
    // An axis that the ray does not move along (0 * infinity) has no next wall.
    next = Vec3::select(direction.cmpeq(Vec3::ZERO), Vec3::INFINITY, next);
    loop {
        let axis = if next.x < next.y && next.x < next.z {
            0
        } else if next.y < next.z {
            1
        } else {
            2
        };
        let distance = next[axis];
        if distance > reach {
            return None;
        }
        cell[axis] += step[axis];
        next[axis] += stride[axis];
        let block = blocks(cell);
        if block == Block::Air || block.is_liquid() {
            continue;
        }
        let mut face = IVec3::ZERO;
        face[axis] = -step[axis];
        if let Some((distance, face)) = meet_bounds(block, cell, eye, direction, distance, face)
            && distance <= reach
        {
            return Some(Target { cell, block, face, distance });
        }
    }
}

/// Where the ray meets the block's own box inside its cell; the cell's wall for a full cube.
fn meet_bounds(
    block: Block,
    cell: IVec3,
    eye: Vec3,
    direction: Vec3,
    entry: f32,
    entry_face: IVec3,
) -> Option<(f32, IVec3)> {
    if block.is_full_cube() {
        return Some((entry, entry_face));
    }
    let (low, high) = block.bounds();
    let (low, high) = (cell.as_vec3() + low, cell.as_vec3() + high);
    let (mut near, mut far, mut face) = (0.0f32, f32::INFINITY, IVec3::ZERO);
    for axis in 0..3 {
        if direction[axis] == 0.0 {
            if eye[axis] < low[axis] || eye[axis] > high[axis] {
                return None;
            }
            continue;
        }
        let (a, b) = ((low[axis] - eye[axis]) / direction[axis], (high[axis] - eye[axis]) / direction[axis]);
        if a.min(b) > near {
            near = a.min(b);
            face = IVec3::ZERO;
            face[axis] = if direction[axis] > 0.0 { -1 } else { 1 };
        }
        far = far.min(a.max(b));
    }
    (near <= far && face != IVec3::ZERO).then_some((near, face))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(cell: IVec3) -> Block {
        if cell.z >= 3 {
            Block::Stone
        } else if cell.y < 0 {
            Block::Grass
        } else {
            Block::Air
        }
    }

    #[track_caller]
    fn check(direction: [f32; 3], expected: Option<([i32; 3], [i32; 3], f32)>) {
        let found = pick(Vec3::new(0.5, 1.5, 0.5), direction.into(), REACH, &wall);
        let found = found.map(|target| (target.cell.to_array(), target.face.to_array(), target.distance));
        assert_eq!(found, expected, "{direction:?}");
    }

    #[test]
    fn faces_look_at_the_eye() {
        check([0.0, 0.0, 1.0], Some(([0, 1, 3], [0, 0, -1], 2.5)));
        check([0.0, 0.0, 9.0], Some(([0, 1, 3], [0, 0, -1], 2.5)));
        check([0.0, -1.0, 0.0], Some(([0, -1, 0], [0, 1, 0], 1.5)));
        check([0.0, 1.0, 0.0], None);
        check([1.0, 0.0, 0.0], None);
        check([0.0, 0.0, 0.0], None);
    }
}
