//! How the world's blocks lie in a dream, and what the crosshair rests on in them.
//!
//! A world of blocks has its edges where coordinates are whole. A dream begins in the middle of a block, with its heading
//! known, and from there knows its own pose exactly: so it knows the fractions of every point that it draws.

use glam::{IVec3, Vec3};
use holdfast_sim::{
    Camera, Depth, Pose,
    kinematics::{EYE_HEIGHT, REACH_BLOCKS},
    pose::Axes,
};
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

/// The block under the crosshair, as far as a picture's depth tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub cell: IVec3,
    /// Outward normal of the face that was met.
    pub face: IVec3,
}

/// A wall of cells is taken for what was seen up to this far off: in blocks, and as a share of the distance.
pub(crate) const SLACK_BLOCKS: f32 = 0.2;
pub(crate) const SLACK_SHARE: f32 = 0.05;
/// The same for the target of the tick before: depth trembles, and the hand does not let go for that.
const HELD_SLACK: f32 = 0.5;
/// Neighbouring pixels whose distances differ by more than this share do not show one plane.
const ONE_PLANE: f32 = 0.1;
/// How much farther off a wall may be that lies as the surface does.
const FACING_BONUS: f32 = 0.5;
/// Half the side of the square of pixels that tell which cell the crosshair is on.
const VOTERS_PX: usize = 18;

/// What a hand is at work on stays its target until what shows there is so much nearer or farther, blocks.
const GRIP_BLOCKS: f32 = 0.8;

impl Target {
    /// The cell that the hand is at work on, while the crosshair is on it: what shows there trembles with every crack.
    pub fn gripped(pose: &Pose, camera: &Camera, depth_blocks: &[f32], cell: IVec3) -> Option<Target> {
        let (enters, _, face) = cross(pose.eye(), pose.axes().forward, cell)?;
        let shown = depth_blocks[camera.height / 2 * camera.width + camera.width / 2];
        (enters <= REACH_BLOCKS * (1.0 + SLACK_SHARE) && (shown - enters).abs() < GRIP_BLOCKS)
            .then_some(Target { cell, face })
    }

    /// What the middle of the picture shows, seen from `pose` among the blocks; `held` is the target of the tick before.
    pub fn find(pose: &Pose, camera: &Camera, depth_blocks: &[f32], held: Option<IVec3>) -> Option<Target> {
        let eye = pose.eye();
        let axes = pose.axes();
        let (column, row) = (camera.width / 2, camera.height / 2);
        let point = |x: usize, y: usize| -> Option<Vec3> {
            let blocks = depth_blocks[y * camera.width + x];
            let ray = camera.ray(&axes, x, y);
            (blocks < Depth::SKY).then(|| ray * (blocks / ray.length()))
        };
        // The middle lies between four pixels. On a plane the inverse of the distance is straight from pixel to pixel.
        let four = [(column - 1, row - 1), (column, row - 1), (column - 1, row), (column, row)];
        let near = point(column, row)?.dot(axes.forward);
        let inverse = four.map(|(x, y)| point(x, y).map_or(0.0, |point| point.dot(axes.forward).recip()));
        let away = 4.0 / inverse.iter().sum::<f32>();
        let away = if (away / near - 1.0).abs() < ONE_PLANE { away } else { near };
        if away > REACH_BLOCKS * (1.0 + SLACK_SHARE) {
            return None;
        }
        let slack = SLACK_BLOCKS + SLACK_SHARE * away;
        if let Some(cell) = held
            && let Some((enters, _, face)) = cross(eye, axes.forward, cell)
            && (enters - away).abs() < slack * HELD_SLACK
        {
            return Some(Target { cell, face });
        }
        let facing = facing(&point, column, row);
        // At a corner the ray enters several cells about there; what is seen through is not the one.
        let entered = [0, 1, 2].map(|axis| {
            let speed = axes.forward[axis];
            let wall = (eye[axis] + speed * away).round();
            let to_wall = (wall - eye[axis]) / speed;
            let off = (to_wall - away).abs();
            if speed.abs() <= 1e-3 || off > slack {
                return None;
            }
            let mut cell = (eye + axes.forward * to_wall).floor().as_ivec3();
            cell[axis] = if speed > 0.0 { wall as i32 } else { wall as i32 - 1 };
            let mut face = IVec3::ZERO;
            face[axis] = -speed.signum() as i32;
            Some((if facing == Some(axis) { off * FACING_BONUS } else { off }, Target { cell, face }))
        });
        let several = entered.iter().flatten().count() > 1;
        let open = |cell: IVec3| several && is_seen_through(cell, eye, &axes, camera, depth_blocks, slack);
        let judged = entered.into_iter().flatten().map(|(cost, target)| (open(target.cell), cost, target));
        let best = judged.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // What fills no cell, as a flower: the cell that it stands in.
        let inside = || {
            let cell = (eye + axes.forward * away).floor().as_ivec3();
            let (_, _, face) = cross(eye, axes.forward, cell)?;
            Some(Target { cell, face })
        };
        best.map(|(.., target)| target).or_else(inside)
    }
}

/// Whether more of the pixels around the crosshair see through a cell than show a surface of its own.
fn is_seen_through(cell: IVec3, eye: Vec3, axes: &Axes, camera: &Camera, depth_blocks: &[f32], slack: f32) -> bool {
    let near = |side: usize| (side / 2).saturating_sub(VOTERS_PX)..(side / 2 + VOTERS_PX).min(side);
    let (mut shown_through, mut own) = (0, 0);
    for (x, y) in near(camera.height).flat_map(|y| near(camera.width).map(move |x| (x, y))) {
        let ray = camera.ray(axes, x, y);
        if let Some((enters, leaves, _)) = cross(eye, ray, cell) {
            let shown = depth_blocks[y * camera.width + x] / ray.length();
            own += usize::from((shown - enters).abs() < slack);
            shown_through += usize::from(shown > leaves - 0.05 && shown > enters + slack);
        }
    }
    shown_through > own
}

/// The axis that the surface in the middle faces most.
fn facing(point: &impl Fn(usize, usize) -> Option<Vec3>, x: usize, y: usize) -> Option<usize> {
    let across = point(x + 2, y)? - point(x.checked_sub(2)?, y)?;
    let down = point(x, y + 2)? - point(x, y.checked_sub(2)?)?;
    Some(axis_faced(across, down))
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
    let inverse = ray.recip();
    let (a, b) = ((cell.as_vec3() - eye) * inverse, (cell.as_vec3() + 1.0 - eye) * inverse);
    let (near, far) = (a.min(b), a.max(b));
    let (enters, leaves) = (near.max_element(), far.min_element());
    let axis = (0..3).max_by(|&i, &j| near[i].total_cmp(&near[j]))?;
    let mut face = IVec3::ZERO;
    face[axis] = if ray[axis] > 0.0 { -1 } else { 1 };
    (enters > 0.0 && enters < leaves).then_some((enters, leaves, face))
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

    #[test]
    fn at_a_corner_the_block_is_found_and_not_the_air_before_it() {
        // A block seen over its corner, its depth told a little short or long; around it is nothing.
        let camera = Camera::new(64, 48);
        let cell = IVec3::new(2, 0, 2);
        for (yaw_deg, error) in [(-45.0, 0.94), (-45.0, 1.05), (-44.0, 0.95), (-47.0, 0.95), (-47.0, 1.04)] {
            let pose = Pose { position: [0.5, 0.5, 0.5], yaw_deg, pitch_deg: 0.0 };
            let axes = pose.axes();
            let blocks = (0..64 * 48).map(|at| {
                let ray = camera.ray(&axes, at % 64, at / 64);
                cross(pose.eye(), ray, cell).map_or(30.0, |(enters, ..)| enters * ray.length() * error)
            });
            let target = Target::find(&pose, &camera, &blocks.collect::<Vec<_>>(), None);
            assert_eq!(target.map(|target| target.cell), Some(cell), "yaw {yaw_deg}, {error}");
        }
    }
}
