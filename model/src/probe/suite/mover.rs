//! `mover`: an animal that left the view comes back where it should.

use super::{Pair, each_role, picture, sign};
use crate::probe::{
    LEAST_PIXELS, Lab, Metric, Plan, Probe, ProbeError, Record, Scene, choice, different_pixels, look, stage,
};
use glam::Vec3;
use holdfast_sim::{
    Frame, Pose,
    voxel::entity::{self, Animal},
};

/// Scenario: an animal before the player, in the picture of the start, walks across. Watch it for half a second, turn
/// away by 120 degrees, stay a second, turn back to 15 degrees beside the start.
///
/// Metrics: crossing: of two rollouts, in which it walks from the left and from the right, whether each is nearer to
/// its own truth than to the other's; chance is 0.5, and a memory that keeps it where it was seen is below. And, of the
/// one rollout: existence (the animal where it is, or none), position (where it is, or where it was last seen), heading
/// (as it is, or facing the other way). Of these three a guess is not right half of the time but as often as the
/// controls are. Crossing is told apart by animal too. A choice counts when at least 40 pixels tell its pictures apart. Floor: memory off. Ceiling: memory
/// filled from the simulator, which holds the animal where it was last seen: for position it is no upper bound.
#[derive(Debug, Clone, Copy)]
pub struct Mover;

const WATCH_TICKS: usize = 10;
const AWAY_TICKS: usize = 20;
const BESIDE_DEG: f32 = 15.0;

fn kind_of(seed: u64) -> entity::Kind {
    entity::Kind::ALL[(seed % 4) as usize]
}

fn crossing_of(kind: entity::Kind) -> String {
    format!("crossing_{}", kind.name())
}

impl Mover {
    /// The animal walks to one `side`, from the other.
    fn scene(lab: &Lab, seed: u64, side: f32) -> Option<Scene> {
        let turn_side = sign(seed, 1);
        let places = [[4.0, -1.4 * side], [4.0, 0.0], [4.0, 1.4 * side]];
        let (mut start, [from, ..]) = stage::facing_ground(lab.subject.camera(), seed, places)?;
        let kind = kind_of(seed);
        let yaw_deg = start.player().yaw_deg + 90.0 * side;
        start.spawn_animal(kind, from.as_vec3() + Vec3::new(0.5, 0.0, 0.5), yaw_deg, 200);
        let mut plan = Plan::new(&start);
        plan.rest(WATCH_TICKS);
        plan.turn([0.0, 120.0 * turn_side]);
        plan.rest(AWAY_TICKS);
        plan.turn([0.0, (BESIDE_DEG - 120.0) * turn_side]);
        Some(Scene { start, actions: plan.actions })
    }
}

impl Probe for Mover {
    fn id(&self) -> &'static str {
        "mover"
    }

    fn about(&self) -> &'static str {
        "An animal walks on while the player looks away. From the left or from the right (chance 0.5); there or not, \
         where it is or where it was last seen, facing its way or the other (no chance of 0.5: see what the controls \
         reach). Every animal here walks and every dreamed one is taken to walk on: those that stand are not asked about."
    }

    fn metrics(&self) -> Vec<Metric> {
        let barred = ["crossing", "position", "existence", "heading"].map(|name| Metric::mean(name).with_bar(0.8));
        let each = entity::Kind::ALL.map(|kind| Metric::mean(crossing_of(kind)));
        barred.into_iter().chain(each).collect()
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let side = sign(seed, 2);
        let scenes = (Self::scene(lab, seed, side), Self::scene(lab, seed, -side));
        let (Some(scene), Some(crossing)) = scenes else { return Ok(record) };
        let pair = Pair::new([scene.clone(), crossing], &[]);
        let looks = [(scene.last(), pair.unlike(scene.last()))];
        pair.choose(lab, "crossing", &looks, &mut record, false)?;
        if let Some(found) = record.values.get("crossing").cloned() {
            record.values.insert(crossing_of(kind_of(seed)), found);
        }
        let film = scene.film(&[WATCH_TICKS]);
        let last = film.last_tick();
        let mut watched = scene.start.clone();
        scene.actions[..WATCH_TICKS].iter().for_each(|action| watched.tick(action));
        let (now, then) = (film.end.herds().animals.first(), watched.herds().animals.first());
        let Some((now, then)) = now.zip(then) else { return Ok(record) };
        let with = |animal: Option<(&Animal, f32)>| -> Frame {
            let mut world = film.end.clone();
            world.clear_animals();
            if let Some((animal, turn_deg)) = animal {
                world.spawn_animal(animal.kind, animal.feet.as_vec3(), animal.yaw_deg + turn_deg, 0);
            }
            let mut view = look(&world);
            let pose: Pose = film.last().pose;
            world.view_from(&pose, &film.camera, &mut view);
            view.frame
        };
        let truth = film.frame(last);
        let wrong =
            [("existence", with(None)), ("position", with(Some((then, 0.0)))), ("heading", with(Some((now, 180.0))))];
        let told_apart = wrong.each_ref().map(|(_, wrong)| different_pixels(truth, wrong));
        each_role(lab, lab.roles(record.seed), &scene, &film, |role, rollout| {
            for ((name, wrong), pixels) in wrong.iter().zip(&told_apart) {
                if pixels.len() >= LEAST_PIXELS {
                    record.add(name, role, choice(&rollout.frames[&last], truth, wrong, pixels));
                }
            }
            picture(&mut record, role, &film, rollout);
        })?;
        Ok(record)
    }
}
