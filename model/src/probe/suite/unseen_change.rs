//! `unseen_change`: the world goes on while nobody looks.

use super::{each_role, picture, region::regions, sign};
use crate::probe::{
    LEAST_PIXELS, Lab, Metric, Plan, Probe, ProbeError, Record, Scene, choice, different_pixels, look,
    reader::{Kind, Page},
    stage,
};
use glam::IVec3;
use holdfast_sim::voxel::{block::Block, world::VoxelWorld};

/// Scenario: the picture of the start shows a source of water that is about to spread, or a pile of sand high in the air
/// that is about to fall. Turn away at once by 180 degrees, stay two seconds, turn back to 20 degrees beside.
///
/// Metrics: nearer to the truth than to the frozen start, on the pixels that tell them apart (chance 0.5); change IoU:
/// of the pixels where truth and frozen start show different kinds, those that read as the truth's kind, over those
/// plus the ones that read as something else or as frozen, and 0 for a frozen world. A trial counts when at least 40
/// pixels tell truth and frozen apart. Growing crops take minutes and are left out. Floor: memory off. Ceiling: memory
/// filled from the simulator, which holds what was last seen: for this probe it is no upper bound.
#[derive(Debug, Clone, Copy)]
pub struct UnseenChange;

const BESIDE_DEG: f32 = 20.0;
const AWAY_TICKS: usize = 40;
/// How high the sand begins, blocks: it falls for longer than the turn takes.
const SAND_HEIGHT: i32 = 5;

#[derive(Debug, Clone, Copy)]
enum Change {
    Water,
    Sand,
}

impl UnseenChange {
    /// The start, and the same as it would be for ever if nothing moved.
    fn scene(lab: &Lab, seed: u64, change: Change) -> Option<(Scene, VoxelWorld)> {
        let (mut start, [cell]) = stage::facing_ground(lab.subject.camera(), seed, [[4.5, 0.0]])?;
        let things: Vec<(IVec3, Block)> = match change {
            Change::Water => vec![(cell, Block::Water)],
            Change::Sand => (0..2).map(|up| (cell + IVec3::Y * (SAND_HEIGHT - up), Block::Sand)).collect(),
        };
        things.into_iter().for_each(|(cell, block)| start.set_block(cell, block));
        let mut plan = Plan::new(&start);
        plan.turn([0.0, 180.0 * sign(seed, 1)]);
        plan.rest(AWAY_TICKS);
        plan.turn([0.0, (BESIDE_DEG - 180.0) * sign(seed, 1)]);
        let frozen = start.clone();
        Some((Scene { start, actions: plan.actions }, frozen))
    }
}

impl Probe for UnseenChange {
    fn id(&self) -> &'static str {
        "unseen_change"
    }

    fn about(&self) -> &'static str {
        "Water spreads and sand falls while the player looks away. Share of trials nearer to the truth than to the frozen \
         start (chance 0.5), and the share of the changed pixels that reads as changed."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::mean("nearer_truth"), Metric::mean("change_iou").by_reader()]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        for change in [Change::Water, Change::Sand] {
            let Some((scene, frozen)) = Self::scene(lab, seed, change) else { continue };
            let film = scene.film(&[6, 20]);
            let last = film.last_tick();
            let mut stale = look(&frozen);
            frozen.view_from(&film.last().pose, &film.camera, &mut stale);
            let truth = &film.last().view;
            let pixels = different_pixels(&truth.frame, &stale.frame);
            if pixels.len() < LEAST_PIXELS {
                continue;
            }
            let changed = regions(truth, &stale);
            let draw = record.strip.is_empty();
            each_role(lab, lab.roles(record.seed), &scene, &film, |role, rollout| {
                let frame = &rollout.frames[&last];
                record.add("nearer_truth", role, choice(frame, &truth.frame, &stale.frame, &pixels));
                let page = Page::new(frame);
                for region in &changed {
                    let read: Vec<Option<Kind>> =
                        region.pixels.iter().map(|&at| lab.reader.read(&page, &truth.depth, &[at])).collect();
                    let right = read.iter().filter(|&&kind| kind == Some(region.now)).count();
                    record.add_share("change_iou", role, right as f64, read.len() as f64);
                }
                if draw {
                    picture(&mut record, role, &film, rollout);
                }
            })?;
        }
        Ok(record)
    }
}
