//! Every probe on worlds whose score is known: the simulator is right, the baselines know nothing.

use super::{drift::Drift, edit_persistence::EditPersistence, physics::Physics, realtime::Realtime, *};
use crate::probe::{
    Baseline, Ignorant, Metric, OwnWorld, ProbeReport, Simulator, Subject,
    inverse::InverseDynamics,
    reader::{BlockReader, FROZEN_CAMERA as CAMERA},
};
use holdfast_sim::{Action, Depth, Frame, Observation, Pose, Start, World, WorldError, seeds};
use std::sync::{LazyLock, atomic::AtomicBool};

static READER: LazyLock<BlockReader> = LazyLock::new(|| BlockReader::of(CAMERA));
static INVERSE: LazyLock<InverseDynamics> = LazyLock::new(|| InverseDynamics::of(CAMERA));

fn report(subject: &dyn Subject, probe: &dyn Probe, count: u64) -> ProbeReport {
    let stop = AtomicBool::new(false);
    let lab = Lab { subject, reader: &READER, inverse: &INVERSE, floors_every: 1, controls_every: 1, stop: &stop };
    let first = seeds::VALIDATION.start + 100;
    let records: Vec<Record> =
        (first..first + count).map(|seed| probe.run(&lab, seed).expect("these worlds do not fail")).collect();
    ProbeReport::new(probe, &records.iter().collect::<Vec<_>>())
}

/// How far a value is on the way from the worst to the best of the two, by the metric's direction.
fn is_clearly_better(metric: &Metric, a: f64, b: f64, by: f64) -> bool {
    if metric.higher_is_better { a > b + by } else { a + by < b }
}

/// A probe's headline: the simulator scores the ceiling and `best` or better, the baselines are worse by `by`.
#[track_caller]
fn check(id: &str, count: u64, best: f64, by: f64) {
    let probe = named(Scale::Quick, &[id]).expect("it is registered").remove(0);
    let metric = probe.metrics().remove(0);
    let simulator = report(&Simulator { camera: CAMERA }, probe.as_ref(), count);
    let figure = simulator.metrics.get(&metric.name).unwrap_or_else(|| panic!("{id}: no trial counted"));
    let value = figure.bounded.value;
    assert_eq!(figure.ceiling, Some(value), "{id}: the simulator is the ceiling");
    assert_eq!(figure.on_true_frames, Some(value), "{id}: its frames are the true ones");
    assert!(!is_clearly_better(&metric, best, value, 1e-6), "{id}: {} is {value}, not {best}", metric.name);
    for baseline in [Baseline::CopyLastFrame, Baseline::Noise] {
        let found = report(&Ignorant { baseline, camera: CAMERA }, probe.as_ref(), count);
        let own = found.metrics[&metric.name].bounded.value;
        assert!(is_clearly_better(&metric, value, own, by), "{id}: {baseline:?} has {own}, the simulator {value}");
        let floor = simulator.metrics[&metric.name].floor.expect("a copied start stands for memory off");
        assert!(
            !is_clearly_better(&metric, own, floor, by * 0.75),
            "{id}: {baseline:?} has {own}, the floor is {floor}"
        );
    }
}

#[test]
fn turn_away() {
    check("turn_away", 4, MOST_DB, 20.0);
}

#[test]
fn loop_walk() {
    check("loop", 6, 0.7, 0.15);
}

#[test]
fn paired_history() {
    check("paired_history", 6, 1.0, 0.4);
}

#[test]
fn edit_persistence() {
    check("edit_persistence", 6, 0.8, 0.4);
}

#[test]
fn re_edit() {
    check("re_edit", 4, 0.8, 0.4);
}

#[test]
fn unseen_change() {
    check("unseen_change", 4, 1.0, 0.4);
}

#[test]
fn mover() {
    check("mover", 6, 1.0, 0.4);
}

#[test]
fn action_following() {
    check("action_following", 4, 0.85, 0.45);
}

#[test]
fn the_camera_is_read_to_half_a_degree() {
    let probe = named(Scale::Quick, &["action_following"]).expect("it is registered").remove(0);
    let figure = |subject: &dyn Subject| report(subject, probe.as_ref(), 4).metrics["camera_error_deg"].clone();
    let right = figure(&Simulator { camera: CAMERA });
    assert!(right.bounded.value < 0.5 && right.floor.expect("a copied start") > 1.0, "{right:?}");
}

#[test]
fn fork() {
    check("fork", 4, 1.0, 0.4);
}

#[test]
fn physics() {
    check("physics", 3, 1e-6, 0.3);
}

#[test]
fn shape() {
    check("shape", 4, 1.0, 0.3);
}

#[test]
fn drift() {
    let probe = Drift { ticks: 60, long_ticks: 0, long_every: 0 };
    let ratio = |subject: &dyn Subject| report(subject, &probe, 6).metrics["ratio"].bounded.value;
    assert!((ratio(&Simulator { camera: CAMERA }) - 1.0).abs() < 1e-9);
    let late = |subject: &dyn Subject| report(subject, &probe, 6).metrics["late_distance"].bounded.value;
    assert!((late(&Simulator { camera: CAMERA }) - 1.0).abs() < 1e-9);
    for (baseline, least) in [(Baseline::CopyLastFrame, 1.05), (Baseline::Noise, 2.0)] {
        let found = late(&Ignorant { baseline, camera: CAMERA });
        assert!(found > least, "{baseline:?}: {found}");
    }
}

/// What a metric is on true frames, and on the picture of the start held still.
fn right_and_copied(probe: &dyn Probe, count: u64, name: &str) -> [f64; 2] {
    let copied = Ignorant { baseline: Baseline::CopyLastFrame, camera: CAMERA };
    let subjects: [&dyn Subject; 2] = [&Simulator { camera: CAMERA }, &copied];
    subjects.map(|subject| {
        let found = report(subject, probe, count);
        found.metrics.get(name).unwrap_or_else(|| panic!("{name}: no trial counted")).bounded.value
    })
}

#[test]
fn ledges_pools_and_returns_are_right_in_true_frames_alone() {
    let physics = Physics { is_full: true };
    for way in ["error_ledge", "error_pool"] {
        let [right, copied] = right_and_copied(&physics, 3, way);
        assert!(right < 1e-6 && copied > 0.2, "{way}: {right}, {copied}");
    }
    let edits = EditPersistence { is_full: true };
    let [right, copied] = right_and_copied(&edits, 6, "right_id_rate_walk");
    assert!(right > 0.8 && copied < right - 0.4, "{right}, {copied}");
}

#[test]
fn nothing_comes_from_nowhere_while_the_truth_stands_still() {
    let probe = Drift { ticks: 40, long_ticks: 0, long_every: 0 };
    let rate = |subject: &dyn Subject| report(subject, &probe, 3).metrics["still_spurious_rate_1s"].bounded.value;
    assert_eq!(rate(&Simulator { camera: CAMERA }), 0.0);
    assert!(rate(&Ignorant { baseline: Baseline::Noise, camera: CAMERA }) > 0.5);
}

#[test]
fn a_world_of_another_house_is_probed_as_ours_are() {
    struct Still(Option<Frame>);
    impl Still {
        fn observe(&self) -> Observation {
            let frame = self.0.clone().expect("a start comes first");
            let (depth, pose) = (Depth::new(frame.width, frame.height), Pose::default());
            Observation { tick: 0, frame, depth, pose, stages_ms: Vec::new() }
        }
    }
    impl World for Still {
        fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
            let Start::Image(frame, _) = start else { return Err(WorldError::NoImageStart("only a picture")) };
            self.0 = Some(frame.clone());
            Ok(self.observe())
        }

        fn step(&mut self, _: &Action) -> Result<Observation, WorldError> {
            Ok(self.observe())
        }
    }
    let own = OwnWorld { name: "still".into(), camera: CAMERA, make: Box::new(|| Box::new(Still(None))) };
    let copied = Ignorant { baseline: Baseline::CopyLastFrame, camera: CAMERA };
    for probe in named(Scale::Quick, &["turn_away", "fork"]).expect("registered") {
        let [own, copied] = [&own as &dyn Subject, &copied].map(|subject| report(subject, probe.as_ref(), 2));
        let values =
            |report: &ProbeReport| report.metrics.iter().map(|(m, f)| (m.clone(), f.bounded)).collect::<Vec<_>>();
        assert_eq!(values(&own), values(&copied), "{}", probe.id());
    }
}

#[test]
fn realtime_measures_worlds_that_are_stepped() {
    let probe = Realtime { seconds: 2, every: 1 };
    let found = report(&Simulator { camera: CAMERA }, &probe, 1);
    let value = |name: &str| found.metrics[name].bounded.value;
    assert!(0.0 < value("step_ms_p50") && value("step_ms_p50") <= value("step_ms_p95"), "{found:?}");
    assert!(value("step_ms_p95") <= value("step_ms_p99") && value("late_over_early") > 0.0, "{found:?}");
}

#[test]
fn ids_are_stable_and_every_probe_can_be_named() {
    let ids: Vec<&str> = registry(Scale::Full).iter().map(|probe| probe.id()).collect();
    let stable = [
        "turn_away",
        "loop",
        "paired_history",
        "edit_persistence",
        "re_edit",
        "unseen_change",
        "mover",
        "action_following",
        "fork",
        "physics",
        "drift",
        "shape",
        "realtime",
    ];
    assert_eq!(ids, stable);
    for id in stable {
        assert_eq!(named(Scale::Quick, &[id]).expect("registered")[0].id(), id);
    }
    let error = named(Scale::Quick, &["turnaway"]).err().expect("no such probe").to_string();
    assert!(error.contains("\"turnaway\"") && error.contains("turn_away, loop"), "{error}");
}
