//! `drift`: whether a world decays by being dreamed on.

use super::{Scale, each_role, picture, squares};
use crate::probe::{Estimate, Lab, Metric, Probe, ProbeError, Record, Role, Scene, bar, stage};
use holdfast_sim::{Action, Frame, TICKS_PER_SECOND, script::Policy};

/// Scenario: wander for `ticks` (every `long_every`-th seed also for `long_ticks`); on seeds that have a floor, stand still
/// for `ticks`.
///
/// Metrics: `ratio`: how much further late chunks of 16 wandering frames are from the truth's than early ones, by
/// Frechet distance (diagonal covariances) in the block reader's features; the truth has ratio 1. A world that is wrong
/// from the first frame does not drift: `late_distance` is the late distance itself, in units of that between halves of
/// the truth. `still_slope_db`: change of PSNR against the truth from the first second of standing to the last, dB;
/// `still_spurious_rate`: the share of the squares that showed one kind of surface in the start and still do by the truth
/// which the reader no longer reads so, after a second, ten and sixty; a copied start is right by nature in both, so they
/// say nothing alone. `alive`: share of late chunks whose contrast is at least half of the
/// truth's: a world that has collapsed to one colour is not alive. Every seed counts. Floor: memory off.
#[derive(Debug, Clone)]
pub struct Drift {
    pub ticks: usize,
    pub long_ticks: usize,
    /// 0: never.
    pub long_every: u64,
}

const CHUNK: usize = 16;
/// The early chunk begins here: the first ticks are the start itself.
const EARLY: usize = 20;
/// Seconds of standing after which the picture is looked at.
const LOOKS_S: [u32; 3] = [1, 10, 60];

impl Drift {
    pub fn new(scale: Scale) -> Drift {
        match scale {
            Scale::Full => Drift { ticks: 1200, long_ticks: 12_000, long_every: 20 },
            Scale::Quick => Drift { ticks: 60, long_ticks: 0, long_every: 0 },
        }
    }

    fn still(&self, lab: &Lab, seed: u64, record: &mut Record) -> Result<(), ProbeError> {
        let actions = vec![Action::default(); self.ticks];
        let scene = Scene { start: stage::natural(lab.subject.camera(), seed), actions };
        let looks = self.looks();
        let film = scene.film(&looks.iter().map(|&(_, tick)| tick).collect::<Vec<_>>());
        let squares = squares::at_start(lab, &film);
        let roles: Vec<Role> = lab.scored(seed).iter().copied().filter(|&role| role != Role::MemoryTrue).collect();
        each_role(lab, &roles, &scene, &film, |role, rollout| {
            let db = |tick: usize| film.frame(tick).psnr_db(&rollout.frames[&tick]).min(60.0);
            record.add("still_slope_db", role, db(film.last_tick()) - db(20));
            for &(seconds, tick) in &looks {
                let [lost, of] = squares::lost(lab, &film, tick, &rollout.frames[&tick], &squares);
                if of > 0 {
                    record.add(&spurious(seconds), role, lost as f64 / of as f64);
                }
            }
        })
    }

    /// Seconds of standing and their ticks, as far as it lasts.
    fn looks(&self) -> Vec<(u32, usize)> {
        let all = LOOKS_S.map(|seconds| (seconds, (seconds * TICKS_PER_SECOND) as usize));
        all.into_iter().filter(|(_, tick)| *tick <= self.ticks).collect()
    }

    fn wander(&self, lab: &Lab, seed: u64, ticks: usize, long: bool, record: &mut Record) -> Result<(), ProbeError> {
        let start = stage::natural(lab.subject.camera(), seed);
        let actions = Policy::Wander.open_loop(seed).take(ticks).collect();
        let scene = Scene { start, actions };
        let late = ticks - CHUNK + 1;
        let chunks = [EARLY, late].map(|from| (from..from + CHUNK).collect::<Vec<_>>());
        let film = scene.film(&chunks.concat());
        let chunk_features = |frame_at: &dyn Fn(usize) -> Frame, ticks: &[usize]| -> Vec<f64> {
            let all: Vec<Vec<f64>> = ticks.iter().map(|&tick| lab.reader.features(&frame_at(tick))).collect();
            (0..all[0].len()).map(|at| all.iter().map(|f| f[at]).sum::<f64>() / all.len() as f64).collect()
        };
        let truth = |tick: usize| film.frame(tick).clone();
        let true_features = chunks.each_ref().map(|ticks| chunk_features(&truth, ticks));
        let roles: &[Role] = match (long, lab.scored(seed).contains(&Role::MemoryOff)) {
            (true, _) => &[Role::Subject],
            (false, true) => &[Role::Subject, Role::MemoryOff, Role::CopyLastFrame, Role::Truth],
            (false, false) => &[Role::Subject, Role::CopyLastFrame, Role::Truth],
        };
        each_role(lab, roles, &scene, &film, |role, rollout| {
            let own = |tick: usize| rollout.frames[&tick].clone();
            let alive = chunks[1].iter().all(|&tick| contrast(&own(tick)) * 2.0 >= contrast(&truth(tick)));
            record.add(if long { "alive_long" } else { "alive" }, role, f64::from(u8::from(alive)));
            if !long {
                let [early, late] = chunks.each_ref().map(|ticks| chunk_features(&own, ticks));
                let numbers = [early, true_features[0].clone(), late, true_features[1].clone()].concat();
                record.set("late_distance", role, numbers.clone());
                record.set("ratio", role, numbers);
                let mut few = rollout.clone();
                few.frames.retain(|tick, _| [0, EARLY, film.last_tick()].contains(tick));
                picture(record, role, &film, &few);
            }
        })
    }
}

fn spurious(seconds: u32) -> String {
    format!("still_spurious_rate_{seconds}s")
}

/// Standard deviation of brightness, 0..255.
fn contrast(frame: &Frame) -> f64 {
    let grey: Vec<f64> =
        frame.rgb.chunks_exact(3).map(|rgb| rgb.iter().map(|&value| f64::from(value)).sum::<f64>() / 3.0).collect();
    let mean = grey.iter().sum::<f64>() / grey.len() as f64;
    (grey.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / grey.len() as f64).sqrt()
}

impl Probe for Drift {
    fn id(&self) -> &'static str {
        "drift"
    }

    fn about(&self) -> &'static str {
        "Stand still and wander for long. Ratio of the late to the early Frechet distance from the truth in the block \
         reader's features; change of PSNR while standing, dB, and share of patches that do not read as what they are any \
         more; share of worlds that still have contrast."
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut ratio = Metric::mean("ratio").lower_is_better().by_reader();
        ratio.estimate = Estimate::FrechetRatio;
        let late = Metric { name: "late_distance".into(), estimate: Estimate::FrechetLate, ..ratio.clone() };
        let mut metrics = vec![
            if self.long_every > 0 { ratio.with_bar(1.5) } else { ratio },
            late,
            Metric::mean("still_slope_db"),
            Metric::mean("alive"),
        ];
        if self.long_every > 0 {
            metrics.push(Metric::mean("alive_long").with_bar(bar::ALL));
        }
        let spurious = self.looks().into_iter().map(|(seconds, _)| Metric::mean(spurious(seconds)));
        metrics.extend(spurious.map(|metric| metric.lower_is_better().by_reader()));
        metrics
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        // As long as wandering, and says less.
        if lab.has_floor(seed) {
            self.still(lab, seed, &mut record)?;
        }
        self.wander(lab, seed, self.ticks, false, &mut record)?;
        if self.long_every > 0 && seed.is_multiple_of(self.long_every) {
            self.wander(lab, seed, self.long_ticks, true, &mut record)?;
        }
        Ok(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_colour_has_no_contrast() {
        let mut frame = Frame::new(4, 4);
        assert_eq!(contrast(&frame), 0.0);
        frame.rgb[..24].fill(255);
        assert!((contrast(&frame) - 127.5).abs() < 1e-9);
    }
}
