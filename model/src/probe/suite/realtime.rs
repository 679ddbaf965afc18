//! `realtime`: whether the world keeps its pace.

use super::{Scale, each_role, picture};
use crate::probe::{Lab, Metric, Probe, ProbeError, Record, Role, Scene, stage};
use holdfast_sim::{TICKS_PER_SECOND, script::Policy};

/// Scenario: a long wandering play.
///
/// Metrics: milliseconds of a step at the median and at the 95th and 99th of a hundred, and how the median of the last
/// tenth stands to that of the first tenth (after the first second). Wall clock of this machine, nothing else running
/// in the suite. Key-to-pixel time needs a window: `holdfast bench` has it. Floor: memory off. Only worlds that are
/// stepped count: true frames and copies take no time.
#[derive(Debug, Clone)]
pub struct Realtime {
    pub seconds: u32,
    /// Only every so-many-th seed is played: minutes are long.
    pub every: u64,
}

impl Realtime {
    pub fn new(scale: Scale) -> Realtime {
        match scale {
            Scale::Full => Realtime { seconds: 600, every: 50 },
            Scale::Quick => Realtime { seconds: 5, every: 4 },
        }
    }
}

impl Probe for Realtime {
    fn id(&self) -> &'static str {
        "realtime"
    }

    fn about(&self) -> &'static str {
        "A long wandering play. Milliseconds of a step at p50, p95 and p99 on this machine, and the pace of the \
         end over that of the beginning."
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut metrics = ["step_ms_p95", "step_ms_p50", "step_ms_p99", "late_over_early"]
            .map(|name| Metric::mean(name).lower_is_better());
        metrics[0].bar = Some(1000.0 / TICKS_PER_SECOND as f64);
        // What a few seconds say of pace is chance.
        metrics[3].bar = (self.seconds >= 600).then_some(1.05);
        metrics.into()
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        if !seed.is_multiple_of(self.every) {
            return Ok(record);
        }
        let ticks = (self.seconds * TICKS_PER_SECOND) as usize;
        let actions = Policy::Wander.open_loop(seed).take(ticks).collect();
        let scene = Scene { start: stage::natural(lab.subject.camera(), seed), actions };
        let film = scene.film(&[ticks / 4, ticks / 2]);
        let roles = [Role::Subject, Role::MemoryOff];
        each_role(lab, &roles, &scene, &film, |role, rollout| {
            let steps = rollout.step_ms.get(TICKS_PER_SECOND as usize..).unwrap_or_default();
            if steps.is_empty() {
                return;
            }
            for (name, share) in [("step_ms_p50", 0.5), ("step_ms_p95", 0.95), ("step_ms_p99", 0.99)] {
                record.add(name, role, quantile(steps, share));
            }
            let tenth = (steps.len() / 10).max(1);
            let ratio = quantile(&steps[steps.len() - tenth..], 0.5) / quantile(&steps[..tenth], 0.5);
            record.add("late_over_early", role, ratio);
            picture(&mut record, role, &film, rollout);
        })?;
        Ok(record)
    }

    fn alone(&self) -> bool {
        true
    }
}

fn quantile(values: &[f32], share: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f32::total_cmp);
    f64::from(sorted[((sorted.len() - 1) as f64 * share).round() as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_sorted_values() {
        let values: Vec<f32> = (0..101).rev().map(|value| value as f32).collect();
        assert_eq!([0.5, 0.95, 0.99].map(|share| quantile(&values, share)), [50.0, 95.0, 99.0]);
    }
}
