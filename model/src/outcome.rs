//! What came of a deed: by the hand's own experience, or, where that knows nothing, by what a finished frame shows.

use crate::{
    Condition, cake,
    deed::Change,
    grid::{SLACK_BLOCKS, cross_widened},
    imagined::Imagined,
    state::Canvas,
};
use glam::Vec3;
use holdfast_sim::{Camera, Depth};

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

/// What a broken block stood on or against begins where a ray leaves its cell, as far as depths are right, blocks.
const BEHIND_BLOCKS: f32 = 0.15;

impl Outcome {
    /// Finds out where a frame shows the change: where its depth is that of the changed cell rather than that of the
    /// canvas. There it is the deed that was seen and no guess: the depth becomes the wall's own, and nothing is doubted.
    ///
    /// Blocks come and go whole, but for bites: where enough of a change shows, it also came about in the pixels that the
    /// frame is not sure of. Else what stood there would go on showing through the holes. Where less shows, nothing came
    /// about yet, and what stood there is where it was: cracks pass, and are no part of the world.
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
        if let Some(due) = condition.due {
            return self.decide(due, condition, camera, canvas, depth, doubt);
        }
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

    /// Where the hand decides: in the tick that is due all of a change comes about, and before nothing of it does.
    fn decide(
        &mut self,
        due: bool,
        condition: &Condition,
        camera: &Camera,
        canvas: &Canvas,
        depth: &mut Depth,
        doubt: &mut [f32],
    ) {
        let Some(change) = condition.change else { return };
        let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
        self.changed.resize(depth.blocks.len(), false);
        self.pending.resize(depth.blocks.len(), false);
        for (pixel, blocks) in depth.blocks.iter_mut().enumerate() {
            let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
            let stood = canvas.depth_blocks.get(pixel).copied().unwrap_or(f32::INFINITY);
            if let (Change::Bite(cell), Some(eaten)) = (change, condition.eaten) {
                // Of a cake one slice goes, and nothing else.
                let is_shown = cake::enters(eye, ray, cell, eaten).is_some();
                match (due, stood < Depth::SKY) {
                    (false, true) if is_shown => (*blocks, self.pending[pixel]) = (stood, true),
                    (true, false) if is_shown => {
                        self.changed[pixel] = true;
                        if let Some(left) = cake::enters(eye, ray, cell, eaten + 1) {
                            *blocks = left * ray.length();
                        }
                        if let Some(doubt) = doubt.get_mut(pixel) {
                            *doubt = 0.0;
                        }
                    }
                    _ => {}
                }
                continue;
            }
            let Some(wall) = change.at(eye, ray, canvas, pixel).map(|wall| wall.depth_blocks) else {
                // Cracks run over onto the ground about the block.
                if let (false, Change::Break(cell)) = (due, change)
                    && stood < Depth::SKY
                    && cross_widened(eye, ray, cell, Vec3::splat(SLACK_BLOCKS)).is_some()
                {
                    (*blocks, self.pending[pixel]) = (stood, true);
                }
                continue;
            };
            let placed = matches!(change, Change::Place(_));
            match (due, stood < Depth::SKY) {
                (false, true) => (*blocks, self.pending[pixel]) = (stood, true),
                (false, false) => {}
                // What is known behind an emptied cell is seen again; the rest is new.
                (true, true) if !placed => {}
                (true, _) => {
                    *blocks = if placed { wall } else { blocks.max(wall) };
                    self.changed[pixel] = true;
                    if let Some(doubt) = doubt.get_mut(pixel) {
                        *doubt = 0.0;
                    }
                }
            }
        }
    }
}

/// In the tick in which a block breaks or is placed, or a slice is eaten: what is known behind it or beside it shows as it is
/// remembered. A frame that draws a deed and what surrounds it at once makes one run into the other.
///
/// # Arguments
/// - `canvas`: read after a block that breaks was taken out of the memory.
pub fn keep_known(imagined: &mut Imagined, condition: &Condition, camera: &Camera, canvas: &Canvas) {
    let (Some(change), Some(true)) = (condition.change, condition.due) else { return };
    let (Change::Break(cell) | Change::Place(cell) | Change::Bite(cell)) = change;
    let (placed, broken) = (matches!(change, Change::Place(_)), matches!(change, Change::Break(_)));
    // The ground that a broken block stood on begins at its foot.
    let margin = Vec3::new(SLACK_BLOCKS, if broken { 0.0 } else { SLACK_BLOCKS }, SLACK_BLOCKS);
    let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
    for pixel in (0..camera.width * camera.height).filter(|&pixel| canvas.known(pixel)) {
        let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
        // What stands before the cell hides the deed too; what is left in it of a block that was thought to stand a little
        // elsewhere is that block.
        let is_behind = |(enters, leaves): (f32, f32)| {
            let begins = if broken { ray.length() * leaves - BEHIND_BLOCKS } else { ray.length() * enters };
            canvas.depth_blocks[pixel] > begins
        };
        let is_about = cross_widened(eye, ray, cell, margin).is_some_and(is_behind);
        if is_about && (!placed || change.at(eye, ray, canvas, pixel).is_none()) {
            imagined.keep(pixel, canvas);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::IVec3;
    use holdfast_sim::{Frame, Pose};

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
    fn where_the_hand_decides_nothing_comes_about_before_its_tick_and_all_of_it_then() {
        let camera = Camera::new(16, 16);
        let pose = Pose { position: [0.5; 3], ..Pose::default() };
        let settled = |change: Change, due: bool, stood: f32, drawn: f32| {
            let condition = Condition { change: Some(change), due: Some(due), pose, ..Condition::default() };
            let depth_blocks = vec![stood; 256];
            let canvas =
                Canvas { width: 16, height: 16, depth_blocks, confidence: vec![1.0; 256], ..Canvas::default() };
            let mut depth = Depth { width: 16, height: 16, blocks: vec![drawn; 256] };
            let (mut outcome, mut doubt) = (Outcome::default(), vec![0.5; 256]);
            outcome.settle(&condition, &camera, &canvas, &mut depth, &mut doubt);
            let middle = 8 * 16 + 8;
            (outcome.changed[middle], outcome.pending[middle], depth.blocks[middle], doubt[middle])
        };
        let near = |a: (bool, bool, f32, f32), b: (bool, bool, f32, f32)| {
            assert!((a.0, a.1, a.3) == (b.0, b.1, b.3) && (a.2 - b.2).abs() < 0.1, "{a:?} {b:?}");
        };
        let (place, broken) = (Change::Place(IVec3::new(0, 0, 3)), Change::Break(IVec3::new(0, 0, 3)));
        near(settled(place, false, 6.0, 2.5), (false, true, 6.0, 0.5));
        near(settled(place, true, 6.0, 5.8), (true, false, 2.5, 0.0));
        near(settled(broken, false, 2.5, 9.0), (false, true, 2.5, 0.5));
        // The memory has been emptied: what is drawn is new, and lies behind the cell or farther.
        near(settled(broken, true, f32::INFINITY, 2.6), (true, false, 3.5, 0.0));
        near(settled(broken, true, f32::INFINITY, 9.0), (true, false, 9.0, 0.0));
        near(settled(broken, true, 3.5, 3.4), (false, false, 3.4, 0.5));
    }

    #[test]
    fn cracks_do_not_run_over_onto_what_is_beside() {
        let camera = Camera::new(32, 32);
        let pose = Pose { position: [0.5; 3], ..Pose::default() };
        let change = Some(Change::Break(IVec3::new(0, 0, 3)));
        let canvas = Canvas { width: 32, height: 32, depth_blocks: vec![6.0; 1024], ..Canvas::default() };
        // Beside the block, which is 9 pixels wide there: near it, and far from it.
        let pending = |due: bool| {
            let condition = Condition { change, due: Some(due), pose, ..Condition::default() };
            let mut outcome = Outcome::default();
            let mut depth = Depth { width: 32, height: 32, blocks: vec![5.0; 1024] };
            outcome.settle(&condition, &camera, &canvas, &mut depth, &mut []);
            [22, 30].map(|x| (outcome.pending[16 * 32 + x], depth.blocks[16 * 32 + x]))
        };
        assert_eq!(pending(false), [(true, 6.0), (false, 5.0)]);
        assert_eq!(pending(true), [(false, 5.0), (false, 5.0)]);
    }

    #[test]
    fn of_a_cake_one_slice_goes() {
        let camera = Camera::new(32, 32);
        // From the north, so that the slice that goes is on the right.
        let pose = Pose { position: [0.5, 0.3, 0.0], ..Pose::default() };
        let cell = IVec3::new(0, 0, 1);
        let axes = pose.axes();
        let left =
            |pixel: usize, eaten: u8| cake::enters(pose.eye(), camera.ray(&axes, pixel % 32, pixel / 32), cell, eaten);
        let bitten = |due: bool, known: bool| {
            let (change, due) = (Some(Change::Bite(cell)), Some(due));
            let condition = Condition { change, due, eaten: Some(2), pose, ..Condition::default() };
            let canvas = Canvas {
                width: 32,
                height: 32,
                depth_blocks: vec![if known { 1.2 } else { f32::INFINITY }; 1024],
                confidence: vec![if known { 1.0 } else { 0.0 }; 1024],
                ..Canvas::default()
            };
            let mut outcome = Outcome::default();
            let mut depth = Depth { width: 32, height: 32, blocks: vec![5.0; 1024] };
            outcome.settle(&condition, &camera, &canvas, &mut depth, &mut []);
            (outcome, depth)
        };
        let (outcome, depth) = bitten(true, false);
        for pixel in 0..1024 {
            assert_eq!(outcome.changed[pixel], left(pixel, 2).is_some());
            let expected = left(pixel, 3).map(|left| left * camera.ray(&axes, pixel % 32, pixel / 32).length());
            assert_eq!(depth.blocks[pixel], expected.unwrap_or(5.0));
        }
        assert!((0..1024).any(|pixel| left(pixel, 2).is_some() && left(pixel, 3).is_none()));
        assert!(!bitten(true, true).0.changed.contains(&true), "what is remembered stays");
        let (outcome, depth) = bitten(false, true);
        assert!((0..1024).all(|pixel| outcome.pending[pixel] == left(pixel, 2).is_some()));
        assert!(depth.blocks.contains(&1.2) && !outcome.changed.contains(&true));
    }

    #[test]
    fn what_is_known_about_a_deed_shows_as_it_is_remembered() {
        let camera = Camera::new(16, 16);
        let pose = Pose { position: [0.5; 3], ..Pose::default() };
        let cell = IVec3::new(0, 0, 3);
        let (middle, beside) = (8 * 16 + 8, 8 * 16 + 10);
        let drawn = |change: Change, due: bool, known_blocks: f32| {
            let condition = Condition { change: Some(change), due: Some(due), pose, ..Condition::default() };
            let canvas = Canvas {
                width: 16,
                height: 16,
                rgb: vec![[9.4; 3]; 256],
                depth_blocks: vec![known_blocks; 256],
                confidence: vec![if known_blocks < Depth::SKY { 1.0 } else { 0.0 }; 256],
                ..Canvas::default()
            };
            let mut imagined = Imagined {
                frame: Frame { width: 16, height: 16, rgb: vec![77; 256 * 3] },
                depth: Depth { width: 16, height: 16, blocks: vec![4.0; 256] },
                copied: vec![0.0; 256],
                doubt: vec![0.5; 256],
                ..Imagined::default()
            };
            keep_known(&mut imagined, &condition, &camera, &canvas);
            let colour = |pixel: usize| imagined.frame.rgb[pixel * 3];
            assert_eq!(colour(0), 77, "far from it nothing changes");
            (colour(middle), imagined.depth.blocks[middle], colour(beside))
        };
        let broken = Change::Break(cell);
        assert_eq!(drawn(broken, true, 6.0), (9, 6.0, 9));
        assert_eq!(drawn(broken, true, Depth::SKY), (77, 4.0, 77), "nothing was known");
        assert_eq!(drawn(broken, true, 1.0), (77, 4.0, 77), "it stands before the block");
        assert_eq!(drawn(broken, false, 6.0), (77, 4.0, 77), "not yet");
        assert_eq!(drawn(Change::Place(cell), true, 6.0), (77, 4.0, 9), "the block itself is new");
        assert_eq!(drawn(Change::Bite(cell), true, 6.0), (9, 6.0, 9));
    }
}
