//! The probes, one file each, and the one list of them.

mod action_following;
mod drift;
mod edit_persistence;
mod fork;
mod loop_walk;
mod mover;
mod paired_history;
mod physics;
mod re_edit;
mod realtime;
mod region;
mod shape;
mod squares;
mod turn_away;
mod unseen_change;

use super::{Film, LEAST_PIXELS, Lab, Probe, ProbeError, Record, Role, Rollout, Scene, choice, different_pixels};
use holdfast_sim::Frame;
use serde::{Deserialize, Serialize};

/// How much is run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scale {
    Full,
    /// Short stays and walks: a look at everything within minutes.
    Quick,
}

/// Every probe, in the order of the design.
pub fn registry(scale: Scale) -> Vec<Box<dyn Probe>> {
    vec![
        Box::new(turn_away::TurnAway::new(scale)),
        Box::new(loop_walk::LoopWalk::new(scale)),
        Box::new(paired_history::PairedHistory),
        Box::new(edit_persistence::EditPersistence { is_full: scale == Scale::Full }),
        Box::new(re_edit::ReEdit),
        Box::new(unseen_change::UnseenChange { both: scale == Scale::Full }),
        Box::new(mover::Mover),
        Box::new(action_following::ActionFollowing::new(scale)),
        Box::new(fork::Fork),
        Box::new(physics::Physics { is_full: scale == Scale::Full }),
        Box::new(drift::Drift::new(scale)),
        Box::new(shape::Shape),
        Box::new(realtime::Realtime::new(scale)),
    ]
}

/// The probes that a list of ids names, in the order of the list.
pub fn named(scale: Scale, ids: &[&str]) -> Result<Vec<Box<dyn Probe>>, ProbeError> {
    let known = || registry(scale).iter().map(|probe| probe.id()).collect::<Vec<_>>().join(", ");
    let find = |id: &&str| {
        let found = registry(scale).into_iter().find(|probe| probe.id() == *id);
        found.ok_or_else(|| ProbeError::Unknown { name: (*id).into(), known: known() })
    };
    ids.iter().map(find).collect()
}

/// Rolls a scene out in each role that the subject has, and hands every rollout to `score`.
fn each_role(
    lab: &Lab,
    roles: &[Role],
    scene: &Scene,
    film: &Film,
    mut score: impl FnMut(Role, &Rollout),
) -> Result<(), ProbeError> {
    for &role in roles {
        if let Some(rollout) = lab.rollout(role, scene, film)? {
            score(role, &rollout);
        }
    }
    Ok(())
}

/// Two scenes of equal length that differ in one fact, and their films.
struct Pair {
    scenes: [Scene; 2],
    films: [Film; 2],
}

impl Pair {
    fn new(scenes: [Scene; 2], ticks: &[usize]) -> Pair {
        Pair { films: scenes.each_ref().map(|scene| scene.film(ticks)), scenes }
    }

    /// The pixels of a tick that tell the two truths apart.
    fn unlike(&self, tick: usize) -> Vec<usize> {
        different_pixels(self.films[0].frame(tick), self.films[1].frame(tick))
    }

    /// Rolls out both scenes, and adds for each whether its frame is nearer to its own truth than to the other's, on
    /// the given pixels of the given ticks where there are enough. A world that knows nothing of the fact is right
    /// exactly half of the time.
    fn choose(
        &self,
        lab: &Lab,
        metric: &str,
        looks: &[(usize, Vec<usize>)],
        record: &mut Record,
        draw: bool,
    ) -> Result<(), ProbeError> {
        self.choose_and(lab, metric, looks, record, draw, |_, _, _, _| {})
    }

    /// The same, and hands every rollout to `also`, with its role and whether it is of the first or the second scene:
    /// rolling out again would give the same.
    fn choose_and(
        &self,
        lab: &Lab,
        metric: &str,
        looks: &[(usize, Vec<usize>)],
        record: &mut Record,
        draw: bool,
        mut also: impl FnMut(&mut Record, usize, Role, &Rollout),
    ) -> Result<(), ProbeError> {
        let looks: Vec<_> = looks.iter().filter(|(_, pixels)| pixels.len() >= LEAST_PIXELS).collect();
        if looks.is_empty() {
            return Ok(());
        }
        for (own, scene) in self.scenes.iter().enumerate() {
            let (film, other) = (&self.films[own], &self.films[1 - own]);
            each_role(lab, lab.roles(record.seed), scene, film, |role, rollout| {
                for (tick, pixels) in &looks {
                    let (right, wrong) = (film.frame(*tick), other.frame(*tick));
                    record.add(metric, role, choice(&rollout.frames[tick], right, wrong, pixels));
                }
                if draw && own == 0 {
                    picture(record, role, film, rollout);
                }
                also(record, own, role, rollout);
            })?;
        }
        Ok(())
    }
}

/// Keeps truth, subject and memory off of every filmed tick.
fn picture(record: &mut Record, role: Role, film: &Film, rollout: &Rollout) {
    if !matches!(role, Role::Subject | Role::MemoryOff) {
        return;
    }
    for (&tick, frame) in &rollout.frames {
        if role == Role::Subject {
            record.picture(tick, film.frame(tick));
        }
        record.picture(tick, frame);
    }
}

/// PSNR in dB over some pixels, at most that of a difference nobody sees.
fn psnr_db(frame: &Frame, truth: &Frame, mask: &[bool]) -> Option<f64> {
    truth.psnr_db_where(frame, |pixel| mask[pixel]).map(|db| db.min(MOST_DB))
}

/// Equal frames have infinite PSNR: means need an end.
const MOST_DB: f64 = 60.0;

/// A sign that follows from the seed.
fn sign(seed: u64, bit: u32) -> f32 {
    if seed >> bit & 1 == 0 { 1.0 } else { -1.0 }
}

#[cfg(test)]
mod tests;
