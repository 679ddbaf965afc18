//! `loop`: what was in view is there again after a walk.

use super::{Scale, each_role, picture, psnr_db, sign};
use crate::probe::{
    Film, Lab, Metric, Plan, Probe, ProbeError, Record, Role, Scene,
    reader::{Kind, Page},
    stage,
};
use glam::{IVec3, Vec3};
use holdfast_sim::{Frame, Pose};
use std::collections::BTreeMap;

/// Scenario: turn, walk `radius` blocks to B (odd seeds: then on to C, a third of the way round), walk back to A, and
/// look 30 degrees beside the start's yaw. The way is found in the true world; where none is open, no trial counts.
///
/// Metrics: PSNR in dB over the pixels whose surface the picture of the start had shown; block accuracy: the share of
/// the cells that the start had shown and that cover at least 12 pixels now whose kind the reader reads right; pose
/// error: how far the world's own position is from the true one, each from the start. Floor, ceiling: memory off,
/// memory filled from the simulator with the true pose. The walk ends where it began, so the picture of the start held
/// still is right in what both views show, and its position is right by nature: that control stands at every radius, those
/// that are dreamed at the first.
#[derive(Debug, Clone)]
pub struct LoopWalk {
    pub radii_blocks: Vec<u32>,
}

const BESIDE_DEG: f32 = 30.0;
const LEAST_SHOWN: usize = 700;
/// A cell is read when it covers this many pixels.
const LEAST_OF_CELL: usize = 12;
/// Cells farther than this are too small to read, blocks.
const READ_BLOCKS: f32 = 14.0;

impl LoopWalk {
    pub fn new(scale: Scale) -> LoopWalk {
        let radii_blocks = match scale {
            Scale::Full => vec![5, 15, 30, 50],
            Scale::Quick => vec![3],
        };
        LoopWalk { radii_blocks }
    }

    /// The first open way of the eight about the start, beginning with one that follows from the seed.
    fn scene(&self, lab: &Lab, seed: u64, radius: f32) -> Option<Scene> {
        let mut start = stage::natural(lab.subject.camera(), seed);
        start.clear_animals();
        let pose = start.pose();
        (0..8).find_map(|turn| {
            let yaw_deg = pose.yaw_deg + 45.0 * ((seed + turn) % 8) as f32;
            let to = |yaw_deg: f32| pose.eye() + Pose { yaw_deg, ..Pose::default() }.axes().forward * radius;
            let mut stops: Vec<Vec3> = vec![to(yaw_deg)];
            if !seed.is_multiple_of(2) {
                stops.push(to(yaw_deg + 60.0 * sign(seed, 1)));
            }
            stops.push(pose.eye());
            let mut plan = Plan::new(&start);
            let most_ticks = (radius * 7.0) as usize + 40;
            for stop in stops {
                if !plan.walk([stop.x, stop.z], most_ticks) {
                    return None;
                }
            }
            plan.rest(4);
            let beside = pose.yaw_deg + BESIDE_DEG * sign(seed, 2) - plan.world.pose().yaw_deg;
            plan.turn([0.0, (beside + 180.0).rem_euclid(360.0) - 180.0]);
            Some(Scene { start: start.clone(), actions: plan.actions })
        })
    }
}

impl Probe for LoopWalk {
    fn id(&self) -> &'static str {
        "loop"
    }

    fn about(&self) -> &'static str {
        "Walk A-B-A or A-B-C-A and look 30 degrees beside the start. PSNR in dB and block accuracy by the reader on what \
         the start had shown; error of the world's own position, blocks. One ends where one began, so a picture of the \
         start held still (copy_last_frame) is partly right, and at no distance from its place: a dream that is below it \
         has lost its way."
    }

    fn metrics(&self) -> Vec<Metric> {
        let each = |make: &dyn Fn(u32) -> Metric| self.radii_blocks.iter().map(|&r| make(r)).collect::<Vec<_>>();
        let curve = "block accuracy after a walk of radius";
        let mut metrics = each(&|r| {
            let accuracy = Metric::mean(format!("block_accuracy_r{r}")).by_reader().on_curve(curve, f64::from(r));
            match r {
                15 => accuracy.with_bar(0.75),
                50 => accuracy.with_bar(0.7),
                _ => accuracy,
            }
        });
        metrics.extend(each(&|r| Metric::mean(format!("psnr_db_r{r}"))));
        metrics.extend(each(&|r| Metric::mean(format!("pose_error_blocks_r{r}")).lower_is_better()));
        metrics
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        for &radius in &self.radii_blocks {
            let Some(scene) = self.scene(lab, seed, radius as f32) else { continue };
            let ticks = [scene.last() / 4, scene.last() / 2];
            let film = scene.film(if record.strip.is_empty() { &ticks } else { &[] });
            let (last, shown) = (film.last_tick(), film.shown(film.last_tick()));
            if shown.iter().filter(|&&shown| shown).count() < LEAST_SHOWN {
                continue;
            }
            let cells = cells_to_read(&film, last, &shown);
            let draw = record.strip.is_empty();
            // A picture held still costs no dream, and its share at the end of a walk is no smaller for a longer one.
            let may_run = |role: &Role| draw || *role == Role::CopyLastFrame || Role::SCORED.contains(role);
            let roles: Vec<Role> = lab.roles(seed).iter().copied().filter(may_run).collect();
            each_role(lab, &roles, &scene, &film, |role, rollout| {
                let frame = &rollout.frames[&last];
                if let Some(db) = psnr_db(frame, film.frame(last), &shown) {
                    record.add(&format!("psnr_db_r{radius}"), role, db);
                }
                if !cells.is_empty() {
                    let right = read_right(lab, &film, last, frame, &cells);
                    record.add_share(&format!("block_accuracy_r{radius}"), role, right, cells.len() as f64);
                }
                let moved = |from: &Pose, to: &Pose| turned_back(to.eye() - from.eye(), from.yaw_deg);
                let own = moved(&rollout.poses[&0], &rollout.poses[&last]);
                let truth = moved(&film.shots[&0].pose, &film.shots[&last].pose);
                record.add(&format!("pose_error_blocks_r{radius}"), role, f64::from(own.distance(truth)));
                if draw {
                    picture(&mut record, role, &film, rollout);
                }
            })?;
        }
        Ok(record)
    }
}

/// A way in axes that begin with the start's yaw, so that worlds with other coordinates can be compared.
fn turned_back(way: Vec3, yaw_deg: f32) -> Vec3 {
    let axes = Pose { yaw_deg, ..Pose::default() }.axes();
    Vec3::new(way.dot(axes.right), way.y, way.dot(axes.forward))
}

/// The regions of cells that the start had shown, large enough to be read, and what they truly are.
fn cells_to_read(film: &Film, tick: usize, shown: &[bool]) -> Vec<(Kind, Vec<usize>)> {
    let shot = &film.shots[&tick];
    let eye = shot.pose.eye();
    let mut cells: BTreeMap<([i32; 3], u8), Vec<usize>> = BTreeMap::new();
    for (pixel, point) in film.points(shot).enumerate() {
        let Some(point) = point.filter(|point| shown[pixel] && point.distance(eye) < READ_BLOCKS) else { continue };
        let cell: IVec3 = (point + (point - eye).normalize() * 0.02).floor().as_ivec3();
        cells.entry((cell.to_array(), shot.view.block_ids[pixel])).or_default().push(pixel);
    }
    let large = cells.into_iter().filter(|(_, pixels)| pixels.len() >= LEAST_OF_CELL);
    large.filter_map(|((_, id), pixels)| Some((Kind::of_id(id)?, pixels))).collect()
}

fn read_right(lab: &Lab, film: &Film, tick: usize, frame: &Frame, cells: &[(Kind, Vec<usize>)]) -> f64 {
    let (page, depth) = (Page::new(frame), &film.shots[&tick].view.depth);
    cells.iter().filter(|(kind, pixels)| lab.reader.read(&page, depth, pixels) == Some(*kind)).count() as f64
}
