//! How the world's blocks lie in a dream.
//!
//! A world of blocks has its edges where coordinates are whole. A dream begins in the middle of a block, with its heading
//! known, and from there knows its own pose exactly: so it knows the fractions of every point that it draws.

use glam::{IVec3, Vec3};
use holdfast_sim::{Pose, kinematics::EYE_HEIGHT};
use serde::{Deserialize, Serialize};

/// From a dream's own coordinates, which begin at its start, to those of the blocks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Heading of the start among the blocks.
    pub yaw_deg: f32,
    /// Where the eye of the start is in its block.
    pub origin: [f32; 3],
}

impl Default for Grid {
    /// In the middle of a block, standing on it, along the blocks: what a picture without a pose is taken for.
    fn default() -> Self {
        Grid { yaw_deg: 0.0, origin: [0.5, EYE_HEIGHT.fract(), 0.5] }
    }
}

impl Grid {
    /// A dream whose coordinates are the blocks' own.
    pub const ALIGNED: Grid = Grid { yaw_deg: 0.0, origin: [0.0; 3] };

    /// That of a dream that begins at a pose among the blocks.
    pub fn of_start(pose: &Pose) -> Grid {
        Grid { yaw_deg: pose.yaw_deg, origin: pose.position.map(|side| side - side.floor()) }
    }

    /// Whether it is one: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.yaw_deg.abs() < 1e6 && self.origin.iter().all(|side| (0.0..=1.0).contains(side))
    }

    /// A dream's pose among the blocks.
    pub fn place(&self, pose: &Pose) -> Pose {
        let axes = Pose { yaw_deg: self.yaw_deg, ..Pose::default() }.axes();
        let [x, y, z] = pose.position;
        let turned = axes.up * y + axes.forward * z - axes.right * x;
        let position = (turned + Vec3::from_array(self.origin)).to_array();
        Pose { position, yaw_deg: pose.yaw_deg + self.yaw_deg, ..*pose }
    }
}

/// How a map's coordinates lie among the blocks, told by one eye's pose in both.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// Eye, and axes of a level look, in each.
    eyes: [Vec3; 2],
    axes: [[Vec3; 3]; 2],
}

impl Alignment {
    pub fn new(in_map: &Pose, among_blocks: &Pose) -> Alignment {
        let poses = [in_map, among_blocks];
        let axes = poses.map(|pose| {
            let axes = Pose { pitch_deg: 0.0, ..*pose }.axes();
            [axes.right, axes.up, axes.forward]
        });
        Alignment { eyes: poses.map(Pose::eye), axes }
    }

    fn turn(&self, point: Vec3, from: usize, to: usize) -> Vec3 {
        let away = point - self.eyes[from];
        let along = |axis: usize| self.axes[to][axis] * away.dot(self.axes[from][axis]);
        self.eyes[to] + along(0) + along(1) + along(2)
    }

    /// A point of the map among the blocks.
    pub fn among_blocks(&self, point: Vec3) -> Vec3 {
        self.turn(point, 0, 1)
    }

    /// A point among the blocks in the map.
    pub fn in_map(&self, point: Vec3) -> Vec3 {
        self.turn(point, 1, 0)
    }
}

/// The cells from one corner to the opposite one, both of them too.
pub(crate) fn cells(first: IVec3, last: IVec3) -> impl Iterator<Item = IVec3> {
    let along = move |axis: usize| first[axis]..=last[axis];
    along(0).flat_map(move |x| along(1).flat_map(move |y| along(2).map(move |z| IVec3::new(x, y, z))))
}

/// A wall of cells is taken for what was seen up to this far off: in blocks, and as a share of the distance.
pub(crate) const SLACK_BLOCKS: f32 = 0.2;
pub(crate) const SLACK_SHARE: f32 = 0.05;

/// How much off what is seen of a wall may be that a ray meets after so many blocks, where a block is to be told from what
/// stands about it.
pub(crate) fn close_slack(blocks: f32) -> f32 {
    SLACK_BLOCKS * 0.5 + SLACK_SHARE * blocks
}

/// The axis that a surface faces most, by two lines along it.
pub(crate) fn axis_faced(across: Vec3, down: Vec3) -> usize {
    let normal = across.cross(down).abs();
    match () {
        () if normal.y >= normal.x && normal.y >= normal.z => 1,
        () if normal.x >= normal.z => 0,
        () => 2,
    }
}

/// Where a ray enters and leaves a cell, in lengths of `ray`, and the face by which it enters; `None` if it passes by, or
/// the eye is inside.
pub(crate) fn cross(eye: Vec3, ray: Vec3, cell: IVec3) -> Option<(f32, f32, IVec3)> {
    let (near, far) = walls(eye, ray, cell, Vec3::ZERO);
    let (enters, leaves) = (near.max_element(), far.min_element());
    let axis = (0..3).max_by(|&i, &j| near[i].total_cmp(&near[j]))?;
    let mut face = IVec3::ZERO;
    face[axis] = if ray[axis] > 0.0 { -1 } else { 1 };
    (enters > 0.0 && enters < leaves).then_some((enters, leaves, face))
}

/// Where a ray meets the near and the far walls of a cell that is wider by `margin` on all sides, in lengths of `ray`.
fn walls(eye: Vec3, ray: Vec3, cell: IVec3, margin: Vec3) -> (Vec3, Vec3) {
    let inverse = ray.recip();
    let (a, b) = ((cell.as_vec3() - margin - eye) * inverse, (cell.as_vec3() + 1.0 + margin - eye) * inverse);
    (a.min(b), a.max(b))
}

/// Where a ray enters and leaves a cell that is wider by `margin` on all sides, in lengths of `ray`; it enters at 0 from
/// inside, `None` if it passes by.
pub(crate) fn cross_widened(eye: Vec3, ray: Vec3, cell: IVec3, margin: Vec3) -> Option<(f32, f32)> {
    let (near, far) = walls(eye, ray, cell, margin);
    let (enters, leaves) = (near.max_element().max(0.0), far.min_element());
    (enters < leaves).then_some((enters, leaves))
}

/// Where a ray enters a cell, in lengths of `ray`; `None` if it passes by, or the eye is inside.
pub fn enters(eye: Vec3, ray: Vec3, cell: IVec3) -> Option<f32> {
    cross(eye, ray, cell).map(|(enters, ..)| enters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dream_lies_among_the_blocks_as_its_start_did() {
        let start = Pose { position: [12.5, 64.62, -3.5], yaw_deg: 30.0, pitch_deg: 0.0 };
        let grid = Grid::of_start(&start);
        let began = grid.place(&Pose::default());
        assert_eq!(began.yaw_deg, 30.0);
        assert!((began.eye() - Vec3::new(0.5, 0.62, 0.5)).length() < 1e-4, "{began:?}");
        // Straight on in the dream is straight on among the blocks.
        let ahead = grid.place(&Pose { position: [0.0, 0.0, 2.0], ..Pose::default() });
        assert!((ahead.eye() - began.eye() - start.axes().forward * 2.0).length() < 1e-5, "{ahead:?}");
        assert!(grid.is_sound() && Grid::default().is_sound() && Grid::ALIGNED.is_sound());
        assert!(!Grid { yaw_deg: f32::NAN, ..grid }.is_sound());
        let pose = Pose { position: [0.3, 1.0, 2.0], yaw_deg: 50.0, pitch_deg: 20.0 };
        let alignment = Alignment::new(&pose, &grid.place(&pose));
        let point = Vec3::new(3.0, -1.0, 0.5);
        let placed = grid.place(&Pose { position: point.to_array(), ..pose }).eye();
        assert!((alignment.among_blocks(point) - placed).length() < 1e-4);
        assert!((alignment.in_map(placed) - point).length() < 1e-4);
    }
}
