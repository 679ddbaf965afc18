//! `turn_away`: what was in view is there again after a look the other way.

use super::{Scale, picture, psnr_db, sign};
use crate::probe::{Film, Lab, Metric, Plan, Probe, ProbeError, Record, Role, Rollout, Scene, stage};
use holdfast_sim::TICKS_PER_SECOND;

/// Scenario: yaw away by 90 (even seeds) or 180 degrees (odd seeds), stay, turn back to 30 degrees beside the start.
///
/// Metric: PSNR in dB against the truth over the pixels whose surface the picture of the start had shown; and its gain
/// over memory off. A trial counts when that is at least 1,000 pixels. The view is not that of the start, so a copy of
/// the start does not fit. Floor: memory off. Ceiling: memory filled from the simulator, true pose; what the simulator
/// wrote does not age, so it is measured at the shortest stay and stands for all. Controls run at the shortest stay.
#[derive(Debug, Clone)]
pub struct TurnAway {
    pub stays_s: Vec<u32>,
}

/// Beside the start's yaw, degrees.
const BESIDE_DEG: f32 = 30.0;
const LEAST_SHOWN: usize = 1000;

impl TurnAway {
    pub fn new(scale: Scale) -> TurnAway {
        let stays_s = match scale {
            Scale::Full => vec![1, 5, 20, 60],
            Scale::Quick => vec![1],
        };
        TurnAway { stays_s }
    }

    fn scene(&self, lab: &Lab, seed: u64, stay_s: u32) -> Scene {
        let start = stage::natural(lab.subject.camera(), seed);
        let away_deg = if seed.is_multiple_of(2) { 90.0 } else { 180.0 } * sign(seed, 1);
        let mut plan = Plan::new(&start);
        plan.turn([0.0, away_deg]);
        plan.rest((stay_s * TICKS_PER_SECOND) as usize);
        plan.turn([0.0, BESIDE_DEG * sign(seed, 2) - away_deg]);
        Scene { start, actions: plan.actions }
    }

    /// A stay that counts.
    fn case(&self, lab: &Lab, seed: u64, stay_s: u32) -> Option<Case> {
        let scene = self.scene(lab, seed, stay_s);
        let film = scene.film(&[]);
        let shown = film.shown(film.last_tick());
        let counts = shown.iter().filter(|&&shown| shown).count() >= LEAST_SHOWN;
        counts.then_some(Case { stay_s, scene, film, shown })
    }
}

/// A stay, and which pixels of its end show what the start had shown.
struct Case {
    stay_s: u32,
    scene: Scene,
    film: Film,
    shown: Vec<bool>,
}

impl Probe for TurnAway {
    fn id(&self) -> &'static str {
        "turn_away"
    }

    fn about(&self) -> &'static str {
        "Yaw away by 90 or 180 degrees, stay, turn back to 30 degrees beside the start. PSNR in dB over the pixels \
         whose surface the start had shown, and its gain over memory off."
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut stays = self.stays_s.clone();
        stays.reverse();
        let barred = |s: u32| matches!(s, 20 | 60);
        let db = |&s: &u32| {
            let db = Metric::mean(format!("psnr_db_{s}s"))
                .on_curve("PSNR in dB by the seconds of looking away", f64::from(s));
            if barred(s) { db.with_gap_bar(0.6) } else { db }
        };
        let gain = |&s: &u32| {
            let gain = Metric::mean(format!("gain_db_{s}s"));
            if barred(s) { gain.with_bar(5.0) } else { gain }
        };
        stays.iter().map(db).chain(stays.iter().map(gain)).collect()
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let cases: Vec<Case> = self.stays_s.iter().filter_map(|&stay_s| self.case(lab, seed, stay_s)).collect();
        let roles = lab.roles(seed);
        let mut played: Vec<Vec<(Role, Rollout)>> = cases.iter().map(|_| Vec::new()).collect();
        for &role in roles {
            let all_stays = matches!(role, Role::Subject | Role::MemoryOff | Role::Truth);
            let cases = if all_stays { &cases[..] } else { &cases[..cases.len().min(1)] };
            let scenes: Vec<_> = cases.iter().map(|case| (&case.scene, &case.film)).collect();
            for (played, rollout) in played.iter_mut().zip(lab.rollouts(role, &scenes)?) {
                played.extend(rollout.map(|rollout| (role, rollout)));
            }
        }
        let mut ceiling_db = None;
        for (Case { stay_s, film, shown, .. }, played) in cases.iter().zip(played) {
            let last = film.last_tick();
            let is_first = record.strip.is_empty();
            let mut found = Vec::new();
            for (role, mut rollout) in played {
                found.extend(psnr_db(&rollout.frames[&last], film.frame(last), shown).map(|db| (role, db)));
                // The start is shown once, and the end of each stay.
                rollout.frames.retain(|&tick, _| is_first || tick == last);
                picture(&mut record, role, film, &rollout);
            }
            let of = |role| found.iter().find(|(found, _)| *found == role).map(|(_, db)| *db);
            ceiling_db = ceiling_db.or(of(Role::MemoryTrue));
            let floor_db = of(Role::MemoryOff);
            if of(Role::MemoryTrue).is_none() {
                found.extend(ceiling_db.map(|db| (Role::MemoryTrue, db)));
            }
            for (role, db) in found {
                record.add(&format!("psnr_db_{stay_s}s"), role, db);
                if let Some(floor_db) = floor_db {
                    record.add(&format!("gain_db_{stay_s}s"), role, db - floor_db);
                }
            }
        }
        Ok(record)
    }
}
