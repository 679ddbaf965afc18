//! `unseen_change`: the world goes on while nobody looks.

use super::{Pair, region::regions, sign};
use crate::probe::{
    Lab, Metric, Plan, Probe, ProbeError, Record, Role, Scene, different_pixels, look,
    reader::{Kind, Page},
    stage,
};
use glam::IVec3;
use holdfast_sim::voxel::block::Block;

/// Scenario: a source of water that is about to spread, or sand high in the air that is about to fall, in the picture
/// of the start; and beside it the same held in place, by glass around the water or planks under the sand. Turn away at
/// once by 180 degrees, stay two seconds, turn back to 20 degrees beside.
///
/// Metrics: nearer to the truth: of the two rollouts, whether each is nearer to its own truth than to the other's, on
/// the pixels that the change alone tells apart (where the held scene looks as the free one would have without it).
/// Chance is 0.5, and so is a memory that only keeps what it saw. Change recall: of the pixels of the free scene where
/// truth and frozen start show different kinds, the share that reads as the truth's kind; changes where there were none are
/// the choice's to find. A trial counts when at least
/// 40 pixels tell the answers apart. Growing crops take minutes and are left out. Floor: memory off. Ceiling: memory
/// filled from the simulator, which holds what was last seen: for this probe it is no upper bound.
#[derive(Debug, Clone, Copy)]
pub struct UnseenChange {
    /// Water and sand on every seed, not in turns.
    pub both: bool,
}

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
    /// The scene that changes, and the one in which it cannot.
    fn scenes(lab: &Lab, seed: u64, change: Change) -> Option<[Scene; 2]> {
        let (start, [cell]) = stage::facing_ground(lab.subject.camera(), seed, [[4.5, 0.0]])?;
        let mut plan = Plan::new(&start);
        plan.turn([0.0, 180.0 * sign(seed, 1)]);
        plan.rest(AWAY_TICKS);
        plan.turn([0.0, (BESIDE_DEG - 180.0) * sign(seed, 1)]);
        let (mut things, mut holds) = (Vec::new(), Vec::new());
        match change {
            Change::Water => {
                things.push((cell, Block::Water));
                holds.extend([IVec3::X, IVec3::NEG_X, IVec3::Z, IVec3::NEG_Z].map(|side| (cell + side, Block::Glass)));
            }
            Change::Sand => {
                things.extend((0..2).map(|up| (cell + IVec3::Y * (SAND_HEIGHT - up), Block::Sand)));
                holds.push((cell + IVec3::Y * (SAND_HEIGHT - 2), Block::Planks));
            }
        }
        Some([vec![], holds].map(|holds| {
            let mut start = start.clone();
            holds.iter().chain(&things).for_each(|&(cell, block)| start.set_block(cell, block));
            Scene { start, actions: plan.actions.clone() }
        }))
    }
}

impl Probe for UnseenChange {
    fn id(&self) -> &'static str {
        "unseen_change"
    }

    fn about(&self) -> &'static str {
        "Water spreads and sand falls while the player looks away, or is held. Share of rollouts nearer to their \
         own truth than to the other's (chance 0.5), and share of the changed pixels that reads as changed."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::mean("nearer_truth").with_bar(0.7), Metric::mean("change_recall").by_reader()]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let changes: &[Change] = match (self.both, seed % 2) {
            (true, _) => &[Change::Water, Change::Sand],
            (false, 0) => &[Change::Water],
            (false, _) => &[Change::Sand],
        };
        for &change in changes {
            let Some(scenes) = Self::scenes(lab, seed, change) else { continue };
            let frozen = scenes[0].start.clone();
            let pair = Pair::new(scenes, &[6, 20]);
            let last = pair.films[0].last_tick();
            let mut stale = look(&frozen);
            frozen.view_from(&pair.films[0].last().pose, &pair.films[0].camera, &mut stale);
            let held = different_pixels(&stale.frame, pair.films[1].frame(last));
            let truth = &pair.films[0].last().view;
            let mut pixels = different_pixels(&truth.frame, &stale.frame);
            pixels.retain(|pixel| held.binary_search(pixel).is_err());
            let draw = record.strip.is_empty();
            let changed = regions(truth, &stale);
            let looks = [(last, pixels)];
            pair.choose_and(lab, "nearer_truth", &looks, &mut record, draw, |record, own, role, rollout| {
                if own != 0 || !Role::SCORED.contains(&role) {
                    return;
                }
                let page = Page::new(&rollout.frames[&last]);
                for region in &changed {
                    let read: Vec<Option<Kind>> =
                        region.pixels.iter().map(|&at| lab.reader.read(&page, &truth.depth, &[at])).collect();
                    let right = read.iter().filter(|&&kind| kind == Some(region.now)).count();
                    record.add_share("change_recall", role, right as f64, read.len() as f64);
                }
            })?;
        }
        Ok(record)
    }
}
