//! `action_following`: whether the picture does what the keys say.

use super::{Scale, each_role, picture};
use crate::probe::{
    Lab, Metric, Probe, ProbeError, Record, Scene,
    inverse::{self, Key},
    stage,
};

/// Scenario: random keys and turns of the camera; in the second half the view is lowered and the hands break and place.
///
/// Metrics: F1, precision and recall over the keys forward, back, left, right, jump, attack and use, and the F1 of each,
/// as the inverse dynamics reader reads them from neighbouring frames; and the mean error of the camera's turn in a tick,
/// degrees. That reader has only seen true frames of training seeds; what it makes of true frames of the same seeds
/// stands beside, and is all that a perfect world would get. Sneaking and sprinting cannot be read well even there.
/// A tick counts where by the truth at least a fifth of the view is a surface within 16 blocks, and the turn is at most
/// 20 degrees; a key in it where the truth itself shows it: no steps in the air or against a wall, no jump below a
/// ceiling, an attack only where a clear crack grows or the block breaks, a use only where it changes a block. Floor:
/// memory off. Ceiling: memory filled from the simulator, true pose.
#[derive(Debug, Clone)]
pub struct ActionFollowing {
    pub ticks: usize,
}

impl ActionFollowing {
    pub fn new(scale: Scale) -> ActionFollowing {
        ActionFollowing { ticks: if scale == Scale::Full { 120 } else { 40 } }
    }
}

impl Probe for ActionFollowing {
    fn id(&self) -> &'static str {
        "action_following"
    }

    fn about(&self) -> &'static str {
        "Random keys and turns. F1 of the keys and mean error of the camera's turn, degrees, as an inverse dynamics \
         reader has them from neighbouring frames; on true frames: what it reads of the truth itself."
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![
            Metric::mean("f1").with_bar(0.85),
            Metric::mean("camera_error_deg").lower_is_better().with_bar(0.5),
            Metric::mean("precision"),
        ];
        metrics.push(Metric::mean("recall"));
        metrics.extend(Key::ALL.map(|key| Metric::mean(format!("f1_{}", key.name()))));
        metrics.into_iter().map(Metric::by_reader).collect()
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let mut start = stage::natural(lab.subject.camera(), seed);
        start.clear_animals();
        let scene = Scene { start, actions: inverse::random_actions(seed, self.ticks) };
        let film = scene.film(&(0..=self.ticks).collect::<Vec<_>>());
        let (held, seen) = (inverse::held(&scene), inverse::can_be_seen(&scene, &film));
        let reader = lab.inverse;
        each_role(lab, lab.roles(seed), &scene, &film, |role, rollout| {
            let motions = inverse::motions(&film, &rollout.frames);
            for tick in (0..self.ticks).filter(|&tick| seen[tick]) {
                let reading = reader.read(&motions, tick);
                for key in Key::ALL {
                    let (Some(held), found) = (held[tick][key as usize], reading.held[key as usize]) else { continue };
                    let number = |of: bool| f64::from(u8::from(of));
                    let right = number(held && found);
                    // F1 = 2 tp / (2 tp + fp + fn): a ratio of sums, as every mean is.
                    for metric in ["f1".to_string(), format!("f1_{}", key.name())] {
                        record.add_share(&metric, role, 2.0 * right, number(held) + number(found));
                    }
                    record.add_share("precision", role, right, number(found));
                    record.add_share("recall", role, right, number(held));
                }
                let [before, after] = [tick, tick + 1].map(|tick| film.shots[&tick].pose);
                let turned = [after.pitch_deg - before.pitch_deg, after.yaw_deg - before.yaw_deg];
                let error = [0, 1].map(|axis| f64::from(reading.turn_deg[axis] - turned[axis]));
                record.add("camera_error_deg", role, error[0].hypot(error[1]));
            }
            let mut few = rollout.clone();
            few.frames.retain(|tick, _| tick.is_multiple_of(self.ticks / 5));
            picture(&mut record, role, &film, &few);
        })?;
        Ok(record)
    }
}
