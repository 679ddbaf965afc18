//! `re_edit`: of three changes to one cell, the last one stays.

use super::{
    each_role,
    edit_persistence::unedited,
    picture,
    region::{read, regions},
};
use crate::probe::{
    LEAST_PIXELS, Lab, Metric, Plan, Probe, ProbeError, Record, Scene, different_pixels, error_on, stage,
};
use glam::Vec3;
use holdfast_sim::{Action, voxel::block::Block};

/// Scenario: place a block on the ground ahead, break it, place another at the same cell; look away by 180 degrees for
/// a second and look back.
///
/// Metrics: newest-state accuracy: the share of the regions that tell the newest state from the first block which the
/// reader reads as the newest; newest choice: whether the frame is nearer to the newest state than to both older ones
/// (the first block, the empty cell), chance 1/3. A trial counts when the truth made all three changes. Floor: memory
/// off. Ceiling: memory filled from the simulator.
#[derive(Debug, Clone, Copy)]
pub struct ReEdit;

const THINGS: [Block; 4] = [Block::Planks, Block::Brick, Block::Dirt, Block::Stone];
const AWAY_TICKS: usize = 20;

impl Probe for ReEdit {
    fn id(&self) -> &'static str {
        "re_edit"
    }

    fn about(&self) -> &'static str {
        "Place, break, and place another block at one cell; look away and back. Share that reads as the newest state; \
         three-way choice between the states (chance 1/3)."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::mean("newest_accuracy").by_reader().with_bar(0.8), Metric::mean("newest_choice")]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let Some((start, [cell])) = stage::facing_ground(lab.subject.camera(), seed, [[2.7, 0.0]]) else {
            return Ok(record);
        };
        let first = THINGS[(seed % 4) as usize];
        let second = THINGS[((seed + 1 + seed / 4 % 3) % 4) as usize];
        let mut plan = Plan::new(&start);
        plan.aim(cell.as_vec3() + Vec3::new(0.5, 0.0, 0.5));
        for (at, thing) in [first, second].into_iter().enumerate() {
            plan.act(Action { use_: true, hotbar: stage::slot_of(thing).unwrap_or(1), ..Action::default() });
            plan.rest(6);
            if plan.world.block(cell) != thing {
                return Ok(record);
            }
            if at == 0 {
                let ticks = thing.hardness_ticks().unwrap_or(0) as usize;
                plan.hold(Action { attack: true, ..Action::default() }, ticks);
                plan.rest(6);
                if plan.world.block(cell) != Block::Air {
                    return Ok(record);
                }
            }
        }
        plan.turn([0.0, 180.0]);
        plan.rest(AWAY_TICKS);
        plan.turn([0.0, -180.0]);
        let scene = Scene { start, actions: plan.actions };
        let film = scene.film(&[10, 20, scene.last() - 34]);
        let last = film.last_tick();
        let older = [first, Block::Air].map(|block| unedited(&scene, &film, last, cell, block));
        let truth = &film.shots[&last].view;
        let regions = regions(truth, &older[0]);
        let told_apart: Vec<Vec<usize>> =
            older.iter().map(|older| different_pixels(&truth.frame, &older.frame)).collect();
        if told_apart.iter().any(|pixels| pixels.len() < LEAST_PIXELS) {
            return Ok(record);
        }
        each_role(lab, lab.roles(record.seed), &scene, &film, |role, rollout| {
            let frame = &rollout.frames[&last];
            if !regions.is_empty() {
                let (right, _) = read(lab, frame, truth, &regions);
                record.add_share("newest_accuracy", role, right, regions.len() as f64);
            }
            let nearest = older
                .iter()
                .zip(&told_apart)
                .all(|(older, pixels)| error_on(frame, &truth.frame, pixels) < error_on(frame, &older.frame, pixels));
            record.add("newest_choice", role, f64::from(u8::from(nearest)));
            picture(&mut record, role, &film, rollout);
        })?;
        Ok(record)
    }
}
