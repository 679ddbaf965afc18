//! `paired_history`: two pasts that differ in one thing, and the same last frames.

use super::{each_role, picture, sign};
use crate::probe::{
    LEAST_PIXELS, Lab, Metric, Plan, Probe, ProbeError, Record, Role, Scene, choice, different_pixels, stage,
};
use holdfast_sim::{script::Dice, voxel::block::Block};

/// Scenario: two worlds that differ in one block before the player, which the picture of the start shows. Turn away by
/// 180 degrees, stay two seconds, turn back to 30 degrees beside the start.
///
/// Metric: the share of right two-way choices. Each of the two rollouts is compared with both truths on the pixels that
/// tell them apart; chance is 0.5. A pair counts when the truths were pixel-identical during the whole stay, and at
/// least 40 pixels tell them apart both at the start and at the end. Floor: memory off. Ceiling: memory filled from the
/// simulator.
#[derive(Debug, Clone, Copy)]
pub struct PairedHistory;

const BESIDE_DEG: f32 = 30.0;
const STAY_TICKS: usize = 40;
/// What may stand there; air makes a pair of something and nothing.
const THINGS: [Block; 10] = [
    Block::Air,
    Block::Brick,
    Block::Planks,
    Block::Cobble,
    Block::Snow,
    Block::OakLog,
    Block::Sand,
    Block::Dirt,
    Block::Stone,
    Block::OakLeaves,
];

impl PairedHistory {
    fn pair(lab: &Lab, seed: u64) -> Option<[Scene; 2]> {
        let mut dice = Dice::new(seed ^ 0x7061_6972);
        let mut start = stage::quiet(lab.subject.camera(), seed);
        let places = [[3.5, 0.0], [3.0, 0.8], [3.0, -0.8], [4.5, 0.0], [2.6, 0.0]];
        let cell = places.into_iter().find_map(|[ahead, right]| stage::spot(&mut start, ahead, right))?;
        let first = dice.whole(0..THINGS.len() as u32) as usize;
        let other = (first + 1 + dice.whole(0..THINGS.len() as u32 - 1) as usize) % THINGS.len();
        let mut plan = Plan::new(&start);
        plan.turn([0.0, 180.0 * sign(seed, 1)]);
        plan.rest(STAY_TICKS);
        plan.turn([0.0, (BESIDE_DEG - 180.0) * sign(seed, 1)]);
        Some([first, other].map(|thing| {
            let mut start = start.clone();
            start.set_block(cell, THINGS[thing]);
            Scene { start, actions: plan.actions.clone() }
        }))
    }
}

impl Probe for PairedHistory {
    fn id(&self) -> &'static str {
        "paired_history"
    }

    fn about(&self) -> &'static str {
        "Two starts that differ in one block, pixel-identical frames while looking away, then back. Share of right \
         two-way choices against both truths; chance is 0.5."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![Metric::mean("choice_accuracy")]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let Some(pair) = Self::pair(lab, seed) else { return Ok(record) };
        let away: Vec<usize> = (6..=6 + STAY_TICKS).collect();
        let films = pair.each_ref().map(|scene| scene.film(&away));
        let last = films[0].last_tick();
        let unlike = |tick| different_pixels(films[0].frame(tick), films[1].frame(tick));
        let pixels = unlike(last);
        let hidden = away.iter().all(|&tick| films[0].frame(tick) == films[1].frame(tick));
        if !hidden || pixels.len() < LEAST_PIXELS || unlike(0).len() < LEAST_PIXELS {
            return Ok(record);
        }
        for (own, scene) in pair.iter().enumerate() {
            let (film, other) = (&films[own], &films[1 - own]);
            let mut shown = film.clone();
            shown.shots.retain(|&tick, _| tick == 0 || tick == 20 || tick == last);
            each_role(lab, &Role::ALL, scene, &shown, |role, rollout| {
                let frame = &rollout.frames[&last];
                record.add("choice_accuracy", role, choice(frame, film.frame(last), other.frame(last), &pixels));
                if own == 0 {
                    picture(&mut record, role, &shown, rollout);
                }
            })?;
        }
        Ok(record)
    }
}
