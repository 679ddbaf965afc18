//! `fork`: from one state, two actions lead to two worlds; and nothing appears from nowhere.

use super::{Pair, each_role, squares};
use crate::probe::{Lab, Metric, Plan, Probe, ProbeError, Record, Scene, stage};
use glam::Vec3;
use holdfast_sim::{Action, voxel::block::Block};

/// Scenario: from one start, strafe left or right for ten ticks; turn left or right; place a block or not. And: stand
/// still for a second.
///
/// Metrics: choice accuracy: of each of the two rollouts of a pair, whether its last frame is nearer to its own truth
/// than to the other's, on the pixels that tell them apart and whose surface the start had shown (for the block: on all
/// of them), chance 0.5. Spurious rate: standing still, the mean share a frame of 8x8-pixel squares that show one kind
/// of surface within 16 blocks by the truth, were read right in the start, and are not any more; `drift` has the same for
/// longer. A pair counts with at least 40 such pixels. Floor: memory off. Ceiling: memory filled from the simulator.
#[derive(Debug, Clone, Copy)]
pub struct Fork;

const STILL_TICKS: [usize; 4] = [5, 10, 15, 20];

impl Fork {
    /// Pairs of scenes, and whether only what was shown is scored.
    fn pairs(lab: &Lab, seed: u64) -> Vec<([Scene; 2], bool)> {
        let (camera, ground) = (lab.subject.camera(), [[2.7, 0.0]]);
        let (start, spot) = match stage::facing_ground(camera, seed, ground) {
            Some((start, [cell])) => (start, Some(cell)),
            None => (stage::quiet(camera, seed), None),
        };
        let scene = |act: &dyn Fn(&mut Plan)| {
            let mut plan = Plan::new(&start);
            act(&mut plan);
            Scene { start: start.clone(), actions: plan.actions }
        };
        let strafe = |keys: Action| scene(&move |plan| plan.hold(keys, 10));
        let turn = |yaw_deg: f32| scene(&move |plan| plan.turn([0.0, yaw_deg]));
        let mut pairs = vec![
            (
                [
                    strafe(Action { left: true, ..Action::default() }),
                    strafe(Action { right: true, ..Action::default() }),
                ],
                true,
            ),
            ([turn(-15.0), turn(15.0)], true),
        ];
        if let Some(cell) = spot {
            let slot = stage::slot_of(Block::Brick).unwrap_or(4);
            let place = |use_: bool| {
                scene(&move |plan| {
                    plan.aim(cell.as_vec3() + Vec3::new(0.5, 0.0, 0.5));
                    plan.act(Action { use_, hotbar: slot, ..Action::default() });
                    plan.rest(4);
                })
            };
            pairs.push(([place(true), place(false)], false));
        }
        pairs
    }

    fn spurious(lab: &Lab, seed: u64, record: &mut Record) -> Result<(), ProbeError> {
        let start = stage::quiet(lab.subject.camera(), seed);
        let scene = Scene { start, actions: vec![Action::default(); STILL_TICKS[STILL_TICKS.len() - 1]] };
        let film = scene.film(&STILL_TICKS);
        let squares = squares::at_start(lab, &film);
        if squares.is_empty() {
            return Ok(());
        }
        each_role(lab, lab.scored(seed), &scene, &film, |role, rollout| {
            for tick in STILL_TICKS {
                let [lost, of] = squares::lost(lab, &film, tick, &rollout.frames[&tick], &squares);
                if of > 0 {
                    record.add("spurious_rate", role, lost as f64 / of as f64);
                }
            }
        })
    }
}

impl Probe for Fork {
    fn id(&self) -> &'static str {
        "fork"
    }

    fn about(&self) -> &'static str {
        "One start, two actions: left or right, place or not. Share of right two-way choices (chance 0.5). \
         Standing still for a second (in drift: for a minute): share a frame of patches that the reader no longer reads \
         as what they are."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            Metric::mean("choice_accuracy").with_bar(0.9),
            Metric::mean("spurious_rate").lower_is_better().by_reader().with_bar(0.03),
        ]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        for (at, (scenes, only_shown)) in Self::pairs(lab, seed).into_iter().enumerate() {
            let pair = Pair::new(scenes, &[]);
            let last = pair.films[0].last_tick();
            let shown = pair.films.each_ref().map(|film| film.shown(last));
            let mut pixels = pair.unlike(last);
            pixels.retain(|&pixel| !only_shown || (shown[0][pixel] && shown[1][pixel]));
            pair.choose(lab, "choice_accuracy", &[(last, pixels)], &mut record, at == 0)?;
        }
        Self::spurious(lab, seed, &mut record)?;
        Ok(record)
    }
}
