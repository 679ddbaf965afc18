//! `shape`: things keep their shape while one walks round them.

use super::{each_role, picture, sign};
use crate::probe::{Film, Lab, Metric, Probe, ProbeError, Record, Scene, Shot, stage};
use holdfast_sim::{Action, Frame};

/// Scenario: strafe for two seconds while turning to keep what was ahead in view.
///
/// Metric: 3D consistency: two of the world's own frames, ten ticks apart, are laid over each other by the true depth
/// and the true poses; the mean correlation of 7x7 patches whose surface the start had shown, as it is for true frames.
/// A frame without detail correlates with nothing. The geometry is the simulator's: an eye that owes nothing to the
/// probed world's own depth or pose. A trial counts with at least 60 such patches. Floor: memory off. Ceiling: memory
/// filled from the simulator, true pose.
#[derive(Debug, Clone, Copy)]
pub struct Shape;

const TICKS: usize = 40;
const APART: usize = 10;
const HALF: usize = 3;
const LEAST_PATCHES: usize = 60;
/// Patches of the truth with less contrast than this have no shape to follow (standard deviation of brightness).
const LEAST_DETAIL: f32 = 6.0;

impl Shape {
    fn scene(lab: &Lab, seed: u64) -> Scene {
        let start = stage::quiet(lab.subject.camera(), seed);
        let side = sign(seed, 1);
        let keys = if side > 0.0 {
            Action { left: true, ..Action::default() }
        } else {
            Action { right: true, ..Action::default() }
        };
        // About the pace of a walk round something 6 blocks ahead.
        let round = Action { camera: [0.0, 1.5 * side], ..keys };
        Scene { start, actions: vec![round; TICKS] }
    }
}

/// A patch of a later frame and where its middle was in the earlier one.
struct Match {
    later: usize,
    earlier: (f32, f32),
}

fn matches(film: &Film, later: usize, earlier: usize) -> Vec<Match> {
    let (now, before) = (&film.shots[&later], &film.shots[&earlier]);
    let (shown, seen) = (film.shown(later), film.seen_from(later, earlier));
    let axes = before.pose.axes();
    let (width, height) = (film.camera.width, film.camera.height);
    let mut found = Vec::new();
    for (pixel, point) in film.points(now).enumerate() {
        let (x, y) = (pixel % width, pixel / width);
        let inside = x >= HALF && y >= HALF && x + HALF < width && y + HALF < height;
        // Every third pixel is enough.
        let Some(point) = point.filter(|_| inside && (x + y).is_multiple_of(3) && shown[pixel] && seen[pixel]) else {
            continue;
        };
        if !is_flat(now, pixel, width) {
            continue;
        }
        if let Some((bx, by, _)) = film.camera.project(&axes, point - before.pose.eye()) {
            let margin = HALF as f32 + 0.5;
            let fits = bx > margin && by > margin && bx < width as f32 - margin && by < height as f32 - margin;
            if fits && patch(&now.view.frame, x as f32 + 0.5, y as f32 + 0.5).1 >= LEAST_DETAIL {
                found.push(Match { later: pixel, earlier: (bx, by) });
            }
        }
    }
    found
}

/// No edge of depth runs through the patch: what is laid over each other is one surface.
fn is_flat(shot: &Shot, pixel: usize, width: usize) -> bool {
    let depth = &shot.view.depth.blocks;
    let here = depth[pixel];
    [pixel - HALF, pixel + HALF, pixel - HALF * width, pixel + HALF * width]
        .into_iter()
        .all(|near| (depth[near] - here).abs() < 0.15 * here)
}

/// The brightness of a patch around a place (read between pixels), without its mean; and its standard deviation.
fn patch(frame: &Frame, x: f32, y: f32) -> (Vec<f32>, f32) {
    let grey = |x: usize, y: usize| frame.pixel(x, y).into_iter().map(f32::from).sum::<f32>() / 3.0;
    let read = |x: f32, y: f32| {
        let (x, y) =
            ((x - 0.5).clamp(0.0, frame.width as f32 - 1.001), (y - 0.5).clamp(0.0, frame.height as f32 - 1.001));
        let (left, top, right, down) = (x as usize, y as usize, x.fract(), y.fract());
        let row = |y: usize| grey(left, y) * (1.0 - right) + grey(left + 1, y) * right;
        row(top) * (1.0 - down) + row(top + 1) * down
    };
    let side = 2 * HALF + 1;
    let mut values: Vec<f32> = (0..side * side)
        .map(|at| read(x + (at % side) as f32 - HALF as f32, y + (at / side) as f32 - HALF as f32))
        .collect();
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    values.iter_mut().for_each(|value| *value -= mean);
    let spread = (values.iter().map(|value| value * value).sum::<f32>() / values.len() as f32).sqrt();
    (values, spread)
}

/// Correlation of two patches, 0 where one has no detail.
fn correlation(a: &(Vec<f32>, f32), b: &(Vec<f32>, f32)) -> f64 {
    if a.1 < 1.0 || b.1 < 1.0 {
        return 0.0;
    }
    let sum: f32 = a.0.iter().zip(&b.0).map(|(a, b)| a * b).sum();
    f64::from(sum / a.0.len() as f32 / (a.1 * b.1))
}

fn consistency(later: &Frame, earlier: &Frame, matches: &[Match]) -> f64 {
    let width = later.width;
    let one = |found: &Match| {
        let (x, y) = ((found.later % width) as f32 + 0.5, (found.later / width) as f32 + 0.5);
        correlation(&patch(later, x, y), &patch(earlier, found.earlier.0, found.earlier.1))
    };
    matches.iter().map(one).sum::<f64>() / matches.len() as f64
}

impl Probe for Shape {
    fn id(&self) -> &'static str {
        "shape"
    }

    fn about(&self) -> &'static str {
        "Strafe round what is ahead. Correlation of patches of the world's own frames, laid over each other by the \
         true depth and poses, as a share of what true frames reach."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::mean("consistency").with_bar(0.9)]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let scene = Self::scene(lab, seed);
        let ticks: Vec<usize> = (1..=TICKS / APART).map(|at| at * APART).collect();
        let film = scene.film(&ticks);
        let pairs: Vec<(usize, usize, Vec<Match>)> = ticks
            .iter()
            .filter(|&&later| later > APART)
            .map(|&later| (later, later - APART, matches(&film, later, later - APART)))
            .filter(|(.., matches)| matches.len() >= LEAST_PATCHES)
            .collect();
        each_role(lab, lab.roles(record.seed), &scene, &film, |role, rollout| {
            for (later, earlier, matches) in &pairs {
                let truth = consistency(film.frame(*later), film.frame(*earlier), matches);
                let own = consistency(&rollout.frames[later], &rollout.frames[earlier], matches);
                record.add_share("consistency", role, own, truth);
            }
            picture(&mut record, role, &film, rollout);
        })?;
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_correlates_with_itself_and_not_with_a_flat_one() {
        let mut frame = Frame::new(20, 20);
        frame.rgb.iter_mut().enumerate().for_each(|(at, value)| *value = (at * 53 % 200) as u8);
        let own = patch(&frame, 10.5, 10.5);
        assert!((correlation(&own, &own) - 1.0).abs() < 1e-4);
        assert_eq!(correlation(&own, &patch(&Frame::new(20, 20), 10.5, 10.5)), 0.0);
    }
}
