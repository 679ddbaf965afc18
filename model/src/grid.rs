//! How the world's blocks lie in a dream, and what the crosshair rests on in them.
//!
//! A world of blocks has its edges where coordinates are whole. A dream begins in the middle of a block, with its heading
//! known, and from there knows its own pose exactly: so it knows the fractions of every point that it draws.

use crate::{Condition, state::Canvas};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Camera, Depth, Pose,
    kinematics::{EYE_HEIGHT, REACH_BLOCKS},
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

/// The block under the crosshair, as far as a picture's depth tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Target {
    pub cell: IVec3,
    /// Outward normal of the face that was met.
    pub face: IVec3,
}

/// A wall of cells is taken for what was seen up to this far off: in blocks, and as a share of the distance.
const SLACK_BLOCKS: f32 = 0.2;
const SLACK_SHARE: f32 = 0.05;
/// The same for the target of the tick before: depth trembles, and the hand does not let go for that.
const HELD_SLACK: f32 = 0.5;
/// Neighbouring pixels whose distances differ by more than this share do not show one plane.
const ONE_PLANE: f32 = 0.1;
/// How much farther off a wall may be that lies as the surface does.
const FACING_BONUS: f32 = 0.5;

impl Target {
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
        let mut best: Option<(f32, Target)> = None;
        for axis in 0..3 {
            let speed = axes.forward[axis];
            if speed.abs() < 1e-3 {
                continue;
            }
            let wall = (eye[axis] + axes.forward[axis] * away).round();
            let off = ((wall - eye[axis]) / speed - away).abs();
            let cost = if facing == Some(axis) { off * FACING_BONUS } else { off };
            if off > slack || best.is_some_and(|(least, _)| least <= cost) {
                continue;
            }
            let mut cell = (eye + axes.forward * ((wall - eye[axis]) / speed)).floor().as_ivec3();
            cell[axis] = if speed > 0.0 { wall as i32 } else { wall as i32 - 1 };
            let mut face = IVec3::ZERO;
            face[axis] = -speed.signum() as i32;
            best = Some((cost, Target { cell, face }));
        }
        // What fills no cell, as a flower: the cell that it stands in.
        let inside = || {
            let cell = (eye + axes.forward * away).floor().as_ivec3();
            let (_, _, face) = cross(eye, axes.forward, cell)?;
            Some(Target { cell, face })
        };
        best.map(|(_, target)| target).or_else(inside)
    }
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
fn cross(eye: Vec3, ray: Vec3, cell: IVec3) -> Option<(f32, f32, IVec3)> {
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

/// What the hand is about to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// This cell may become empty.
    Break(IVec3),
    /// This cell may become full.
    Place(IVec3),
    /// A part of what stands in this cell may go.
    Bite(IVec3),
}

/// What came of a change in a finished frame, pixel by pixel.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Pixels in which the change shows. Empty: none.
    pub changed: Vec<bool>,
    /// Pixels in which it could, and does not yet. Empty: none.
    pub pending: Vec<bool>,
}

/// A depth within this factor of a wall's (natural logarithm) is that wall's, if it is nearer to it than to what stood
/// there before.
const SAME_WALL: f32 = 0.35;

/// A change that shows in this share of the pixels in which it could came about as a whole; else not at all.
const WHOLE_SHARE: f32 = 0.3;
/// Scale of a depth's expected error, as a share of it, from which on the frame is not sure what stands there.
const UNSURE: f32 = 0.04;

impl Outcome {
    /// Finds out where a frame shows the change: where its depth is that of the changed cell rather than that of the
    /// canvas. There it is the deed that was seen and no guess: the depth becomes the wall's own, and nothing is doubted.
    ///
    /// Blocks come and go whole, but for bites: where enough of a change shows, it also came about in the pixels that the frame is not
    /// sure of. Else what stood there would go on showing through the holes. Where less shows, nothing came about yet, and
    /// what stood there is where it was: cracks pass, and are no part of the world.
    pub fn settle(
        &mut self,
        condition: &Condition,
        camera: &Camera,
        canvas: &Canvas,
        depth: &mut Depth,
        doubt: &mut [f32],
    ) {
        self.changed.clear();
        self.pending.clear();
        let Some(change) = condition.change else { return };
        let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
        let wall_at = |pixel: usize| {
            let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
            change.at(eye, ray, canvas, pixel).map(|wall| wall.depth_blocks)
        };
        let apart = |a: f32, b: f32| (a / b).ln().abs();
        // What lay behind a broken block may be farther off than its own back wall.
        let is_open = |blocks: f32, wall: f32| !matches!(change, Change::Place(_)) && blocks > wall;
        let (mut possible, mut shown) = (0, 0);
        self.changed.resize(depth.blocks.len(), false);
        self.pending.resize(depth.blocks.len(), false);
        let stood_at = |pixel: usize| canvas.depth_blocks.get(pixel).copied().unwrap_or(f32::INFINITY);
        for (pixel, changed) in self.changed.iter_mut().enumerate() {
            let Some(wall) = wall_at(pixel) else { continue };
            let blocks = depth.blocks[pixel];
            let stood = stood_at(pixel);
            let is_there = apart(blocks, wall) < SAME_WALL || is_open(blocks, wall);
            *changed = is_there && apart(blocks, wall) < apart(blocks, stood);
            possible += 1;
            shown += usize::from(*changed);
        }
        let bite = matches!(change, Change::Bite(_));
        let whole = shown > 0 && shown as f32 >= WHOLE_SHARE * possible as f32;
        for (pixel, changed) in self.changed.iter_mut().enumerate() {
            let unsure = || doubt.get(pixel).is_some_and(|doubt| *doubt > UNSURE);
            let Some(wall) = wall_at(pixel) else { continue };
            let blocks = &mut depth.blocks[pixel];
            *changed = if bite { *changed } else { whole && (*changed || unsure()) };
            if !*changed {
                let stood = stood_at(pixel);
                if stood < Depth::SKY {
                    (*blocks, self.pending[pixel]) = (stood, true);
                }
                continue;
            }
            if apart(*blocks, wall) < SAME_WALL || !is_open(*blocks, wall) {
                *blocks = wall;
            }
            if let Some(doubt) = doubt.get_mut(pixel) {
                *doubt = 0.0;
            }
        }
    }
}

/// Where a ray would end if a change came about.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Changed {
    /// Distance along the ray, blocks.
    pub depth_blocks: f32,
    /// The point's place in the cell that changes, -1..1 from wall to wall.
    pub place: Vec3,
}

impl Change {
    /// What a ray from `eye` would meet after the change; `None` where it makes no difference, as far as can be told.
    ///
    /// A cell that empties shows the walls behind it, a cell that fills its own.
    pub fn at(&self, eye: Vec3, ray: Vec3, canvas: &Canvas, pixel: usize) -> Option<Changed> {
        let (Change::Break(cell) | Change::Place(cell) | Change::Bite(cell)) = *self;
        let (enters, leaves, _) = cross(eye, ray, cell)?;
        let length = ray.length();
        let shown = canvas.depth_blocks.get(pixel).map_or(f32::INFINITY, |blocks| blocks / length);
        let slack = SLACK_BLOCKS * 0.5 + SLACK_SHARE * enters;
        let ends = match self {
            Change::Break(_) | Change::Bite(_) => {
                (shown.is_infinite() || (enters - slack..leaves + slack).contains(&shown)).then_some(leaves)
            }
            Change::Place(_) => (enters < shown + slack).then_some(enters),
        }?;
        let place = (eye + ray * ends - cell.as_vec3()) * 2.0 - 1.0;
        Some(Changed { depth_blocks: ends * length, place: place.clamp(Vec3::NEG_ONE, Vec3::ONE) })
    }
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
    }

    #[test]
    fn a_deed_is_told_from_a_guess_by_where_it_shows() {
        let camera = Camera::new(8, 8);
        let pose = Pose { position: [0.5; 3], ..Pose::default() };
        let flat = |blocks: f32| Depth { width: 8, height: 8, blocks: vec![blocks; 64] };
        let middle = 8 * 4 + 4;
        let settle = |change: Change, canvas_blocks: f32, blocks: f32| {
            let condition = Condition { change: Some(change), pose, ..Condition::default() };
            let canvas = Canvas {
                width: 8,
                height: 8,
                depth_blocks: vec![canvas_blocks; 64],
                confidence: vec![1.0; 64],
                ..Canvas::default()
            };
            let (mut outcome, mut depth, mut doubt) = (Outcome::default(), flat(blocks), vec![0.5; 64]);
            outcome.settle(&condition, &camera, &canvas, &mut depth, &mut doubt);
            (outcome.changed[middle], depth.blocks[middle], doubt[middle], outcome.changed[0])
        };
        let cell = IVec3::new(0, 0, 3);
        // Placed 2.5 blocks ahead of a wall at 6: drawn roughly there, or not drawn. Corners look past it.
        let (changed, blocks, doubt, corner) = settle(Change::Place(cell), 6.0, 2.9);
        assert!(changed && (blocks - 2.5).abs() < 0.05 && doubt == 0.0 && !corner, "{blocks} {doubt}");
        assert_eq!(settle(Change::Place(cell), 6.0, 5.8), (false, 6.0, 0.5, false));
        // Broken: the back wall, a hole, or still there.
        let (changed, blocks, doubt, _) = settle(Change::Break(cell), 2.5, 3.3);
        assert!(changed && (blocks - 3.5).abs() < 0.07 && doubt == 0.0, "{blocks} {doubt}");
        assert_eq!(settle(Change::Break(cell), 2.5, 9.0), (true, 9.0, 0.0, false));
        assert_eq!(settle(Change::Break(cell), 2.5, 2.6), (false, 2.5, 0.5, false));
    }

    #[test]
    fn a_deed_that_shows_in_part_came_about_where_the_frame_is_not_sure() {
        let camera = Camera::new(16, 16);
        let pose = Pose { position: [0.5; 3], ..Pose::default() };
        let change = Change::Place(IVec3::new(0, 0, 2));
        let condition = Condition { change: Some(change), pose, ..Condition::default() };
        let canvas = Canvas {
            width: 16,
            height: 16,
            depth_blocks: vec![6.0; 256],
            confidence: vec![1.0; 256],
            ..Canvas::default()
        };
        let axes = pose.axes();
        let wall = |pixel: usize| change.at(pose.eye(), camera.ray(&axes, pixel % 16, pixel / 16), &canvas, pixel);
        // The upper rows show the block, and what lies behind it is doubted in the right half.
        let settled = |shown_rows: usize| {
            let mut depth = Depth { width: 16, height: 16, blocks: vec![6.0; 256] };
            (0..shown_rows * 16).for_each(|at| depth.blocks[at] = wall(at).map_or(6.0, |wall| wall.depth_blocks));
            let mut doubt: Vec<f32> = (0..256).map(|at| if at % 16 < 8 { 0.0 } else { 0.2 }).collect();
            let mut outcome = Outcome::default();
            outcome.settle(&condition, &camera, &canvas, &mut depth, &mut doubt);
            let low = |x: usize| (outcome.changed[10 * 16 + x], depth.blocks[10 * 16 + x] < 3.0);
            let shown = outcome.changed[5 * 16 + 6];
            assert!((0..256).all(|at| !(outcome.changed[at] && outcome.pending[at])));
            (low(6), low(9), shown, outcome.pending[5 * 16 + 6])
        };
        assert!(wall(10 * 16 + 6).is_some() && wall(10 * 16 + 9).is_some() && wall(255).is_none());
        assert_eq!(settled(8), ((false, false), (true, true), true, false), "half of it shows");
        assert_eq!(settled(6), ((false, false), (false, false), false, true), "a sliver of it shows");
    }

    #[test]
    fn a_change_shows_where_it_would_be_seen() {
        let (eye, cell) = (Vec3::new(0.5, 0.5, 0.5), IVec3::new(0, 0, 3));
        let canvas = |blocks: f32| Canvas { width: 1, height: 1, depth_blocks: vec![blocks], ..Canvas::default() };
        let broken = Change::Break(cell).at(eye, Vec3::Z, &canvas(2.5), 0).expect("seen");
        assert_eq!((broken.depth_blocks, broken.place), (3.5, Vec3::new(0.0, 0.0, 1.0)));
        let placed = Change::Place(cell).at(eye, Vec3::Z, &canvas(9.0), 0).expect("seen");
        assert_eq!((placed.depth_blocks, placed.place), (2.5, Vec3::new(0.0, 0.0, -1.0)));
        assert_eq!(Change::Break(cell).at(eye, Vec3::Z, &canvas(9.0), 0), None, "already gone");
        assert_eq!(Change::Break(cell).at(eye, Vec3::Z, &canvas(1.0), 0), None, "behind something");
        assert_eq!(Change::Place(cell).at(eye, Vec3::Z, &canvas(1.0), 0), None, "behind something");
        assert_eq!(Change::Place(cell).at(eye, Vec3::X, &canvas(9.0), 0), None, "beside it");
        assert!(Change::Place(cell).at(eye, Vec3::Z, &Canvas::default(), 0).is_some(), "nothing is known");
    }
}
