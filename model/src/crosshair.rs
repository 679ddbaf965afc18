//! What the crosshair rests on: the block that a hand can reach, as far as a picture's depth tells.

use crate::grid::{SLACK_BLOCKS, SLACK_SHARE, axis_faced, cross};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Pose, kinematics::REACH_BLOCKS, pose::Axes};

/// The block under the crosshair, as far as a picture's depth tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub cell: IVec3,
    /// Outward normal of the face that was met.
    pub face: IVec3,
}

/// The target of the tick before stays it within this share of a wall's slack: depth trembles, and the hand does not let
/// go for that.
const HELD_SLACK: f32 = 0.5;
/// Neighbouring pixels whose distances differ by more than this share do not show one plane.
const ONE_PLANE: f32 = 0.1;
/// How much farther off a wall may be that lies as the surface does.
const FACING_BONUS: f32 = 0.5;
/// Half the side of the square of pixels that tell which cell the crosshair is on.
const VOTERS_PX: usize = 18;

/// A ray that has gone on so far is in the next cell, blocks.
const SKIN_BLOCKS: f32 = 1e-3;

/// What a hand is at work on stays its target until what shows there is so much nearer or farther, blocks.
const GRIP_BLOCKS: f32 = 0.8;

impl Target {
    /// The cell that the hand is at work on, while the crosshair is on it: what shows there trembles with every crack.
    pub fn gripped(pose: &Pose, camera: &Camera, depth_blocks: &[f32], cell: IVec3) -> Option<Target> {
        let (enters, target) = Self::meet(pose, cell)?;
        let shown = depth_blocks[camera.height / 2 * camera.width + camera.width / 2];
        (enters <= REACH_BLOCKS * (1.0 + SLACK_SHARE) && (shown - enters).abs() < GRIP_BLOCKS).then_some(target)
    }

    /// How far off the crosshair meets a cell, and where, if it does.
    fn meet(pose: &Pose, cell: IVec3) -> Option<(f32, Target)> {
        cross(pose.eye(), pose.axes().forward, cell).map(|(enters, _, face)| (enters, Target { cell, face }))
    }

    /// The first of some cells that are known to be full that the crosshair meets, if nothing stands before it.
    pub fn among(full: impl Iterator<Item = IVec3>, pose: &Pose, shown_blocks: f32) -> Option<Target> {
        let met = full.filter_map(|cell| Self::meet(pose, cell));
        let (enters, target) = met.min_by(|a, b| a.0.total_cmp(&b.0))?;
        let slack = SLACK_BLOCKS + SLACK_SHARE * enters;
        (enters <= REACH_BLOCKS && enters < shown_blocks + slack).then_some(target)
    }

    /// What shows in cells that are known to be empty stands behind them: the first that is not, if it is within reach.
    pub fn behind(self, pose: &Pose, is_empty: impl Fn(IVec3) -> bool) -> Option<Target> {
        let (eye, forward) = (pose.eye(), pose.axes().forward);
        let mut target = self;
        while is_empty(target.cell) {
            let (_, leaves, _) = cross(eye, forward, target.cell)?;
            let (enters, next) = Self::meet(pose, (eye + forward * (leaves + SKIN_BLOCKS)).floor().as_ivec3())?;
            target = (enters <= REACH_BLOCKS).then_some(next)?;
        }
        Some(target)
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
            && let Some((enters, target)) = Self::meet(pose, cell)
            && (enters - away).abs() < slack * HELD_SLACK
        {
            return Some(target);
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
        // What the ray is in a little farther on: a block that is met at its very edge.
        let in_cell = |away: f32| Self::meet(pose, (eye + axes.forward * away).floor().as_ivec3());
        let behind = in_cell(away + slack).map(|(enters, target)| ((enters - away).abs(), target));
        let behind = behind.filter(|(off, target)| {
            *off <= slack && !entered.iter().flatten().any(|(_, other)| other.cell == target.cell)
        });
        let entered = entered.into_iter().chain([behind]).flatten();
        let several = entered.clone().count() > 1;
        let open = |cell: IVec3| several && is_seen_through(cell, eye, &axes, camera, depth_blocks, slack);
        let judged = entered.map(|(cost, target)| (open(target.cell), cost, target));
        let best = judged.min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        // What fills no cell, as a flower: the cell that it stands in.
        let inside = || in_cell(away).map(|(_, target)| target);
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
            // A ray that cuts off an edge tells nothing.
            if leaves - enters > slack {
                let through = shown - enters > 0.5 * (leaves - enters);
                own += usize::from(!through && (shown - enters).abs() < slack);
                shown_through += usize::from(through);
            }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_a_corner_the_block_is_found_and_not_the_air_before_it() {
        // A block on a floor, seen over its corner, its depth told a little short or long.
        let camera = Camera::new(64, 48);
        let cell = IVec3::new(2, 0, 2);
        for (height, pitch_deg) in [(0.5, 0.0), (1.62, 21.6)] {
            for (yaw_deg, error) in
                [(-45.0, 0.94), (-45.0, 1.0), (-45.0, 1.05), (-44.0, 0.95), (-47.0, 0.95), (-47.0, 1.04)]
            {
                let pose = Pose { position: [0.5, height, 0.5], yaw_deg, pitch_deg };
                let axes = pose.axes();
                let blocks = (0..64 * 48).map(|at| {
                    let ray = camera.ray(&axes, at % 64, at / 64);
                    let to_floor = if ray.y < 0.0 { height / -ray.y } else { 30.0 };
                    let block = cross(pose.eye(), ray, cell).map_or(to_floor, |(enters, ..)| enters);
                    block * ray.length() * error
                });
                let target = Target::find(&pose, &camera, &blocks.collect::<Vec<_>>(), None);
                assert_eq!(target.map(|target| target.cell), Some(cell), "from {height}, yaw {yaw_deg}, {error}");
            }
        }
    }

    #[test]
    fn what_shows_in_empty_cells_stands_behind_them() {
        let pose = Pose { position: [0.5, 2.5, 0.5], pitch_deg: 45.0, ..Pose::default() };
        // From (0, 2, 0) over (0, 1, 0) or (0, 2, 1) into (0, 1, 1), and on.
        let shown = Target { cell: IVec3::new(0, 1, 1), face: IVec3::Y };
        assert_eq!(shown.behind(&pose, |_| false), Some(shown));
        let behind = shown.behind(&pose, |cell| cell == shown.cell).expect("within reach");
        assert!(behind.cell != shown.cell && behind.cell.y <= 1, "{behind:?}");
        assert!((behind.cell + behind.face - shown.cell).abs().max_element() <= 1);
        assert_eq!(shown.behind(&pose, |_| true), None, "out of reach");
    }

    #[test]
    fn a_cell_that_is_known_to_be_full_is_met_unless_something_stands_before_it() {
        let pose = Pose { position: [0.5; 3], ..Pose::default() };
        let full = [IVec3::new(0, 0, 4), IVec3::new(0, 0, 3), IVec3::new(1, 0, 2)];
        let met = |shown_blocks: f32| Target::among(full.into_iter(), &pose, shown_blocks);
        let nearest = Some(Target { cell: full[1], face: IVec3::NEG_Z });
        assert_eq!([met(2.5), met(2.9), met(f32::INFINITY)], [nearest; 3], "however far off the picture has it");
        assert_eq!(met(1.5), None, "something stands before it");
        let beyond_reach = [IVec3::new(0, 0, 6)];
        assert_eq!(Target::among(beyond_reach.into_iter(), &pose, 9.0), None);
    }
}
