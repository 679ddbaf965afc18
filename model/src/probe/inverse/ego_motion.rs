//! How the camera moved between two neighbouring frames: the turn and the step that lay one over the other.
//!
//! Direct alignment (Lucas and Kanade, 1981; with depth as in Steinbrücker, Sturm and Cremers, 2011): Gauss-Newton on
//! the difference of brightness, from coarse to fine, with outliers weighed down, over five numbers: the turn in pitch
//! and yaw, and the step to the right, up and ahead. The distances and the pitch of the first frame are the truth's, as
//! the block reader's are: they say what moves how far, never whether it moves.

use super::pyramid::{Brightness, shrink_blocks};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame, Pose};

/// What was found.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct EgoMotion {
    /// `[pitch_deg, yaw_deg]`, as actions have it.
    pub turn_deg: [f32; 2],
    /// To the right, up and level ahead, in the frame of the view after the turn, blocks.
    pub step_blocks: Vec3,
    /// Share of the view that was found again in the second frame.
    pub overlap: f32,
    /// Mean difference that is left: in the middle of the view, and everywhere; 0..255.
    pub left_in_middle: f32,
    pub left: f32,
    /// How much brighter the middle has become; -255..255.
    pub brighter_in_middle: f32,
}

/// Halvings of the frame: the coarsest searches, the next ones refine.
const SEARCH: usize = 3;
const REFINE: [usize; 2] = [2, 1];
/// Turns that the search tries, degrees.
const SEARCH_DEG: f32 = 24.0;
const SEARCH_STEP_DEG: f32 = 6.0;
const MOST_TURN_DEG: f32 = 30.0;
/// The best so many of the search are refined once, and the best of these to the end.
const CANDIDATES: usize = 3;
const ROUNDS: [usize; 2] = [5, 4];
/// Differences above this are taken for something that moved or changed.
const OUTLIER: [f32; 2] = [24.0, 12.0];
/// Steps of a body in a tick, blocks, against this much noise in the brightness: decides where the frame says nothing.
const USUAL_STEP_BLOCKS: f32 = 0.3;
const NOISE: f32 = 6.0;
/// The least share of the pixels that must be found again for a motion to be one.
const LEAST_OVERLAP: f32 = 0.3;
/// What is nearer than this to the middle of the view counts as its middle, as a share of its height.
const MIDDLE: f32 = 0.15;

/// Pitch and yaw in radians, steps in blocks.
type Motion = [f32; 5];

/// One halving of both frames.
struct Level {
    camera: Camera,
    from: Brightness,
    to: Brightness,
    /// Points of the first frame by distance 1 along the ray, in axes level with the ground; and 1 / distance.
    points: Vec<(Vec3, f32)>,
}

impl EgoMotion {
    /// Between two frames of one camera; `depth` and `pitch_deg` are the truth's at the first.
    pub fn between(camera: Camera, from: &Frame, to: &Frame, depth: &Depth, pitch_deg: f32) -> EgoMotion {
        let (mut from, mut to) = (Brightness::of(from), Brightness::of(to));
        let mut blocks = depth.blocks.clone();
        let mut levels: Vec<Level> = Vec::new();
        let mut camera = camera;
        for halving in 0..=SEARCH {
            if halving > 0 {
                blocks = shrink_blocks(&blocks, camera.width, camera.height);
                (from, to) = (from.shrunk(), to.shrunk());
                camera = Camera { width: from.width, height: from.height, ..camera };
            }
            levels.push(Level::new(camera, from.clone(), to.clone(), &blocks, pitch_deg));
        }
        let pitch = pitch_deg.to_radians();
        let mut found = levels[SEARCH].search(pitch);
        for ((halving, rounds), outlier) in REFINE.into_iter().zip(ROUNDS).zip(OUTLIER) {
            let mut refined: Vec<(f32, Motion)> =
                found.iter().map(|(_, motion)| levels[halving].refine(*motion, pitch, rounds, outlier)).collect();
            refined.sort_by(|a, b| a.0.total_cmp(&b.0));
            refined.truncate(1);
            found = refined;
        }
        levels[0].describe(found[0].1, pitch)
    }
}

/// Axes of a view at a yaw and pitch in radians: right, up, forward.
fn axes(pitch: f32, yaw: f32) -> [Vec3; 3] {
    let axes = Pose { yaw_deg: yaw.to_degrees(), pitch_deg: pitch.to_degrees(), ..Pose::default() }.axes();
    [axes.right, axes.up, axes.forward]
}

/// Right, up and ahead of a body that looks along a yaw.
fn body_axes(yaw: f32) -> [Vec3; 3] {
    axes(0.0, yaw)
}

impl Level {
    fn new(camera: Camera, from: Brightness, to: Brightness, blocks: &[f32], pitch_deg: f32) -> Level {
        let axes = Pose { pitch_deg, ..Pose::default() }.axes();
        let point = |(at, blocks): (usize, &f32)| {
            let ray = camera.ray(&axes, at % camera.width, at / camera.width);
            // The distance is along the ray, the ray has length 1 along the axis.
            (ray, if *blocks < Depth::SKY * 0.9 { ray.length() / blocks.max(0.1) } else { 0.0 })
        };
        Level { camera, from, to, points: blocks.iter().enumerate().map(point).collect() }
    }

    /// Turns without a step, the best few first.
    fn search(&self, pitch: f32) -> Vec<(f32, Motion)> {
        let steps = (SEARCH_DEG / SEARCH_STEP_DEG) as i32;
        let mut tried = Vec::new();
        for up in -steps..=steps {
            for aside in -steps..=steps {
                let turn = [up, aside].map(|step| (step as f32 * SEARCH_STEP_DEG).to_radians());
                let motion = [turn[0], turn[1], 0.0, 0.0, 0.0];
                tried.push((self.cost(&motion, pitch, OUTLIER[0]), motion));
            }
        }
        // Standing still comes first among equals.
        tried.sort_by(|a, b| (a.0, size(&a.1)).partial_cmp(&(b.0, size(&b.1))).expect("costs are numbers"));
        tried.truncate(CANDIDATES);
        tried
    }

    /// Calls `visit` with each point that the motion puts into the second frame: its index, its place there in pixels
    /// (centres at whole numbers), and where it is relative to the eye, along the view's axes.
    fn project(&self, motion: &Motion, pitch: f32, mut visit: impl FnMut(usize, [f32; 2], Vec3)) {
        let [right, up, forward] = axes(pitch + motion[0], motion[1]);
        let body = body_axes(motion[1]);
        let step = body[0] * motion[2] + body[1] * motion[3] + body[2] * motion[4];
        let focal = self.camera.focal_px();
        let (middle_x, middle_y) = (self.camera.width as f32 * 0.5 - 0.5, self.camera.height as f32 * 0.5 - 0.5);
        let (last_x, last_y) = (self.camera.width as f32 - 1.0, self.camera.height as f32 - 1.0);
        for (at, (ray, nearness)) in self.points.iter().enumerate() {
            let seen = *ray - step * *nearness;
            let z = seen.dot(forward);
            if z < 0.05 {
                continue;
            }
            let place = Vec3::new(seen.dot(right), seen.dot(up), z);
            let (x, y) = (middle_x + place.x / z * focal, middle_y - place.y / z * focal);
            if x >= 0.0 && y >= 0.0 && x < last_x && y < last_y {
                visit(at, [x, y], place);
            }
        }
    }

    /// Mean robust difference of what is found again; infinite where too little is.
    fn cost(&self, motion: &Motion, pitch: f32, outlier: f32) -> f32 {
        let (mut sum, mut count) = (0.0, 0);
        self.project(motion, pitch, |at, [x, y], _| {
            let difference = (self.to.at(x, y) - self.from.values[at]) / outlier;
            sum += difference * difference / (1.0 + difference * difference);
            count += 1;
        });
        if (count as f32) < LEAST_OVERLAP * self.points.len() as f32 {
            return f32::INFINITY;
        }
        sum / count as f32
    }

    /// Gauss-Newton from a motion; the cost and the motion at its end.
    fn refine(&self, mut motion: Motion, pitch: f32, rounds: usize, outlier: f32) -> (f32, Motion) {
        let focal = self.camera.focal_px();
        for _ in 0..rounds {
            let [right, up, forward] = axes(pitch + motion[0], motion[1]);
            let body = body_axes(motion[1]);
            let (sin, cos) = (pitch + motion[0]).sin_cos();
            let (mut squares, mut sums) = ([[0.0f32; 5]; 5], [0.0f32; 5]);
            self.project(&motion, pitch, |at, [x, y], place| {
                let difference = self.to.at(x, y) - self.from.values[at];
                let [slope_x, slope_y] = self.to.slope(x, y);
                let weight = 1.0 / (1.0 + (difference / outlier).powi(2)).powi(2);
                let nearness = self.points[at].1;
                // How the pixel moves with the point: d(x)/d(place), d(y)/d(place), times the slopes.
                let scale = focal / place.z;
                let pull = Vec3::new(
                    slope_x * scale,
                    -slope_y * scale,
                    (-slope_x * place.x + slope_y * place.y) * scale / place.z,
                );
                let turn_pitch = Vec3::new(0.0, place.z, -place.y);
                let turn_yaw = Vec3::new(-(cos * place.z + sin * place.y), sin * place.x, cos * place.x);
                let mut row = [pull.dot(turn_pitch), pull.dot(turn_yaw), 0.0, 0.0, 0.0];
                for (axis, along) in body.into_iter().enumerate() {
                    let moved = Vec3::new(right.dot(along), up.dot(along), forward.dot(along)) * -nearness;
                    row[axis + 2] = pull.dot(moved);
                }
                for i in 0..5 {
                    sums[i] += weight * row[i] * difference;
                    for j in 0..=i {
                        squares[i][j] += weight * row[i] * row[j];
                    }
                }
            });
            let prior = (NOISE / USUAL_STEP_BLOCKS).powi(2);
            for axis in 2..5 {
                squares[axis][axis] += prior;
                sums[axis] += prior * motion[axis];
            }
            let Some(change) = solve(&mut squares, sums) else { break };
            for (value, change) in motion.iter_mut().zip(change) {
                *value -= change.clamp(-0.3, 0.3);
            }
        }
        (self.cost(&motion, pitch, outlier), motion)
    }

    fn describe(&self, motion: Motion, pitch: f32) -> EgoMotion {
        let (width, height) = (self.camera.width, self.camera.height);
        let near = (MIDDLE * height as f32).powi(2);
        let (mut sums, mut counts, mut brighter) = ([0.0f32; 2], [0.0f32; 2], 0.0);
        self.project(&motion, pitch, |at, [x, y], _| {
            let difference = self.to.at(x, y) - self.from.values[at];
            let (dx, dy) = (x - width as f32 * 0.5, y - height as f32 * 0.5);
            let outside = usize::from(dx * dx + dy * dy > near);
            sums[outside] += difference.abs();
            counts[outside] += 1.0;
            brighter += if outside == 0 { difference } else { 0.0 };
        });
        let all = counts[0] + counts[1];
        EgoMotion {
            // What ran farther than it may was never found.
            turn_deg: [motion[0], motion[1]].map(|turn| turn.to_degrees().clamp(-MOST_TURN_DEG, MOST_TURN_DEG)),
            step_blocks: Vec3::new(motion[2], motion[3], motion[4]),
            overlap: all / self.points.len() as f32,
            left_in_middle: sums[0] / counts[0].max(1.0),
            left: (sums[0] + sums[1]) / all.max(1.0),
            brighter_in_middle: brighter / counts[0].max(1.0),
        }
    }
}

fn size(motion: &Motion) -> f32 {
    motion.iter().map(|value| value * value).sum()
}

/// Solves a symmetric positive system whose lower half is given (Cholesky); `None` where it has no one answer.
fn solve(squares: &mut [[f32; 5]; 5], mut sums: [f32; 5]) -> Option<[f32; 5]> {
    for i in 0..5 {
        for j in 0..=i {
            let mut sum = squares[i][j];
            for k in 0..j {
                sum -= squares[i][k] * squares[j][k];
            }
            if i == j {
                if sum <= 1e-3 {
                    return None;
                }
                squares[i][i] = sum.sqrt();
            } else {
                squares[i][j] = sum / squares[j][j];
            }
        }
    }
    for i in 0..5 {
        for k in 0..i {
            sums[i] -= squares[i][k] * sums[k];
        }
        sums[i] /= squares[i][i];
    }
    for i in (0..5).rev() {
        for k in i + 1..5 {
            sums[i] -= squares[k][i] * sums[k];
        }
        sums[i] /= squares[i][i];
    }
    Some(sums)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::{film::look, stage};
    use holdfast_sim::Action;

    #[track_caller]
    fn check(actions: &[Action], turn_deg: [f32; 2], step: Vec3) {
        let on = |seed| stage::facing_ground(Camera::new(128, 72), seed, [[4.0, 0.0]]);
        let (mut world, _) = (1_000_000..).find_map(on).expect("level ground somewhere");
        // A body that was just put down stands after a tick.
        (0..2).for_each(|_| world.tick(&Action::default()));
        for action in &actions[..actions.len() - 1] {
            world.tick(action);
        }
        let (before, pitch_deg) = (look(&world), world.pose().pitch_deg);
        world.tick(&actions[actions.len() - 1]);
        let found = EgoMotion::between(world.camera(), &before.frame, &look(&world).frame, &before.depth, pitch_deg);
        let error = [0, 1].map(|axis| (found.turn_deg[axis] - turn_deg[axis]).abs());
        assert!(error[0].max(error[1]) < 0.5 && found.step_blocks.distance(step) < 0.04, "{found:?}");
    }

    #[test]
    fn turns_and_steps_are_found() {
        let turn = |pitch_deg, yaw_deg| Action { camera: [pitch_deg, yaw_deg], ..Action::default() };
        check(&[turn(0.0, 0.0)], [0.0; 2], Vec3::ZERO);
        check(&[turn(0.0, 4.0)], [0.0, 4.0], Vec3::ZERO);
        check(&[turn(20.0, 0.0), turn(-3.0, -11.0)], [-3.0, -11.0], Vec3::ZERO);
        check(&[turn(9.0, 15.0)], [9.0, 15.0], Vec3::ZERO);
        let jump = Action { jump: true, camera: [0.0, 2.0], ..Action::default() };
        check(&[turn(10.0, 0.0), jump], [0.0, 2.0], Vec3::Y * 0.42);
        let walk = Action { forward: true, ..Action::default() };
        let first = Action { camera: [20.0, 0.0], ..walk };
        check(&[first, walk, walk, walk, walk, walk, walk], [0.0; 2], Vec3::Z * 0.21);
        let strafe = Action { right: true, ..Action::default() };
        check(&[Action { camera: [20.0, 0.0], ..strafe }, strafe, strafe], [0.0; 2], Vec3::X * 0.18);
    }

    #[test]
    fn a_system_is_solved() {
        let mut squares = [[0.0; 5]; 5];
        for i in 0..5 {
            squares[i][i] = 4.0 + i as f32;
            (0..i).for_each(|j| squares[i][j] = 0.5);
        }
        let wanted = [1.0, -2.0, 3.0, 0.5, -0.25];
        let whole = |i: usize, j: usize| squares[i.max(j)][i.min(j)];
        let sums = std::array::from_fn(|i| (0..5).map(|j| whole(i, j) * wanted[j]).sum());
        let found = solve(&mut squares.clone(), sums).expect("definite");
        assert!(found.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-4), "{found:?}");
        assert_eq!(solve(&mut [[0.0; 5]; 5], sums), None);
    }
}
