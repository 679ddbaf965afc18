//! `turn_away`: what was in view is there again after a look the other way.

use super::{Scale, each_role, picture, psnr_db, sign};
use crate::probe::{Lab, Metric, Plan, Probe, ProbeError, Record, Role, Scene, stage};
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
        let db =
            |&s: &u32| Metric::mean(format!("psnr_db_{s}s")).on_curve("PSNR in dB after a stay of s", f64::from(s));
        let gain = |s: &u32| Metric::mean(format!("gain_db_{s}s"));
        stays.iter().map(db).chain(stays.iter().map(gain)).collect()
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let mut ceiling_db = None;
        for (at, &stay_s) in self.stays_s.iter().enumerate() {
            let scene = self.scene(lab, seed, stay_s);
            let film = scene.film(&[]);
            let (last, shown) = (film.last_tick(), film.shown(film.last_tick()));
            if shown.iter().filter(|&&shown| shown).count() < LEAST_SHOWN {
                continue;
            }
            let (db_name, gain_name) = (format!("psnr_db_{stay_s}s"), format!("gain_db_{stay_s}s"));
            let mut found = Vec::new();
            let roles: &[Role] = if at == 0 { lab.roles(seed) } else { &[Role::Subject, Role::MemoryOff, Role::Truth] };
            each_role(lab, roles, &scene, &film, |role, rollout| {
                let frame = &rollout.frames[&last];
                found.extend(psnr_db(frame, film.frame(last), &shown).map(|db| (role, db)));
                picture_last(&mut record, role, &film, rollout);
            })?;
            let of = |role| found.iter().find(|(found, _)| *found == role).map(|(_, db)| *db);
            if at == 0 {
                ceiling_db = of(Role::MemoryTrue);
            } else {
                found.extend(ceiling_db.map(|db| (Role::MemoryTrue, db)));
            }
            let floor_db = found.iter().find(|(role, _)| *role == Role::MemoryOff).map(|(_, db)| *db);
            for (role, db) in found {
                record.add(&db_name, role, db);
                if let Some(floor_db) = floor_db {
                    record.add(&gain_name, role, db - floor_db);
                }
            }
        }
        Ok(record)
    }
}

/// The start once, and the end of each stay.
fn picture_last(record: &mut Record, role: Role, film: &crate::probe::Film, rollout: &crate::probe::Rollout) {
    if record.strip.iter().any(|column| column.tick == 0 && column.pictures.len() == 3) {
        let last = film.last_tick();
        let mut rollout = rollout.clone();
        rollout.frames.retain(|&tick, _| tick == last);
        return picture(record, role, film, &rollout);
    }
    picture(record, role, film, rollout);
}
