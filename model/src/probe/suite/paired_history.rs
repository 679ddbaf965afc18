//! `paired_history`: two pasts that differ in one thing, and the same last frames.

use super::{Pair, sign};
use crate::probe::{LEAST_PIXELS, Lab, Metric, Plan, Probe, ProbeError, Record, Scene, stage};
use holdfast_sim::{script::Dice, voxel::block::Block};

/// Scenario: two worlds that differ in one block before the player, which the picture of the start shows. Turn away by
/// 180 degrees, stay a second, turn back to 30 degrees beside the start.
///
/// Metric: the share of right two-way choices. Each of the two rollouts is compared with both truths on the pixels that
/// tell them apart; chance is 0.5. A pair counts when the truths were pixel-identical during the whole stay, and at
/// least 40 pixels tell them apart both at the start and at the end. Floor: memory off. Ceiling: memory filled from the
/// simulator.
#[derive(Debug, Clone, Copy)]
pub struct PairedHistory;

const BESIDE_DEG: f32 = 30.0;
const STAY_TICKS: usize = 20;
/// Half a turn takes so long.
const TURN_TICKS: usize = 6;
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
        let places = [[3.5, 0.0], [3.0, 0.8], [3.0, -0.8], [4.5, 0.0], [2.6, 0.0]];
        let place = places[dice.whole(0..places.len() as u32) as usize];
        let (start, [cell]) = stage::facing_ground(lab.subject.camera(), seed, [place])?;
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
        vec![Metric::mean("choice_accuracy").with_bar(0.9)]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let Some(scenes) = Self::pair(lab, seed) else { return Ok(record) };
        let away: Vec<usize> = (TURN_TICKS..=TURN_TICKS + STAY_TICKS).collect();
        let mut pair = Pair::new(scenes, &away);
        let last = pair.films[0].last_tick();
        let hidden = away.iter().all(|&tick| pair.films[0].frame(tick) == pair.films[1].frame(tick));
        if hidden && pair.unlike(0).len() >= LEAST_PIXELS {
            let looks = [(last, pair.unlike(last))];
            for film in &mut pair.films {
                film.shots.retain(|tick, _| [0, away[STAY_TICKS / 2], last].contains(tick));
            }
            pair.choose(lab, "choice_accuracy", &looks, &mut record, true)?;
        }
        Ok(record)
    }
}
