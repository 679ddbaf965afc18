//! `edit_persistence`: what was broken, placed or bitten off stays so.

use super::{
    Pair, each_role, picture,
    region::{read, regions},
};
use crate::probe::{Film, Lab, Metric, Plan, Probe, ProbeError, Record, Scene, look, stage};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Action, Pose,
    voxel::{block::Block, render::View},
};

/// Scenario: place a block on the ground ahead; break one that stood there; bite half of a cake. Look away by 180
/// degrees for a second, look back, then step aside and look again. What was placed or broken is also left: turn round, walk
/// six blocks off (in the first open of eight directions, behind first), walk back and look.
///
/// Metrics: right-id rate: the share of the regions that the edit changed (at least 24 pixels of one kind, by the
/// truth, and not the sky) which the reader reads as they are now; ghost rate: the share that it reads as they were before;
/// each of the two looks without a walk, and of the one after it (`_walk`), to which errors of the place add; bite choice:
/// of two rollouts, with bites and without, whether each is nearer to its own truth than to the other's, chance 0.5. A
/// region counts after the truth has made the edit in view, under the crosshair. Floor: memory off. Ceiling: memory
/// filled from the simulator.
#[derive(Debug, Clone, Copy)]
pub struct EditPersistence {
    /// All three deeds on every seed, and the walk; or one of them in turn, without.
    pub is_full: bool,
}

const AWAY_TICKS: usize = 20;
const WALK_BLOCKS: f32 = 6.0;
const BITES: usize = 3;
/// What is placed and broken: what stands by itself and gives no light.
const THINGS: [Block; 5] = [Block::Stone, Block::Planks, Block::Brick, Block::OakLog, Block::Sand];

/// An edit, and when it is looked at again.
struct Trial {
    scene: Scene,
    cell: IVec3,
    before: Block,
    looks: [usize; 2],
    /// After the walk, where a way is open.
    walked: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Deed {
    Place,
    Break,
    Bite,
}

impl EditPersistence {
    fn trial(&self, lab: &Lab, seed: u64, deed: Deed) -> Option<Trial> {
        let (mut start, [cell]) = stage::facing_ground(lab.subject.camera(), seed, [[2.7, 0.0]])?;
        let thing = THINGS[(seed % THINGS.len() as u64) as usize];
        let before = match deed {
            Deed::Place => Block::Air,
            Deed::Break => thing,
            Deed::Bite => Block::Cake0,
        };
        start.set_block(cell, before);
        let mut plan = Plan::new(&start);
        let middle = cell.as_vec3() + Vec3::new(0.5, 0.0, 0.5);
        match deed {
            Deed::Place => {
                plan.aim(middle);
                plan.act(Action { use_: true, hotbar: stage::slot_of(thing)?, ..Action::default() });
            }
            Deed::Break => {
                plan.aim(middle + Vec3::Y * 0.5);
                plan.hold(Action { attack: true, ..Action::default() }, thing.hardness_ticks()? as usize);
            }
            Deed::Bite => {
                // The side that is eaten last.
                plan.aim(middle + Vec3::new(0.3, 0.5, 0.0));
                for _ in 0..BITES {
                    plan.act(Action { use_: true, ..Action::default() });
                    plan.rest(5);
                }
            }
        }
        if plan.world.block(cell) == before {
            return None;
        }
        plan.rest(8);
        plan.turn([0.0, 180.0]);
        plan.rest(AWAY_TICKS);
        plan.turn([0.0, -180.0]);
        let back = plan.actions.len();
        plan.hold(Action { right: true, ..Action::default() }, 10);
        plan.rest(4);
        plan.aim(middle + Vec3::Y * 0.3);
        let looks = [back, plan.actions.len()];
        let leaves = self.is_full && deed != Deed::Bite;
        let walked = if leaves { walk_and_return(&mut plan, middle + Vec3::Y * 0.3) } else { None };
        Some(Trial { scene: Scene { start, actions: plan.actions }, cell, before, looks, walked })
    }

    fn run_one(&self, lab: &Lab, seed: u64, deed: Deed, record: &mut Record) -> Result<(), ProbeError> {
        let Some(Trial { scene, cell, before, looks, walked }) = self.trial(lab, seed, deed) else { return Ok(()) };
        if deed == Deed::Bite {
            let hungry = |action: &Action| Action { use_: false, ..*action };
            let whole = Scene { start: scene.start.clone(), actions: scene.actions.iter().map(hungry).collect() };
            let pair = Pair::new([scene, whole], &looks);
            let looks = looks.map(|tick| (tick, pair.unlike(tick)));
            return pair.choose(lab, "bite_choice", &looks, record, record.strip.is_empty());
        }
        let looks: Vec<(usize, &str)> =
            looks.into_iter().map(|tick| (tick, "")).chain(walked.map(|tick| (tick, WALKED))).collect();
        let film = scene.film(&looks.iter().map(|&(tick, _)| tick).collect::<Vec<_>>());
        let stale: Vec<View> = looks.iter().map(|&(tick, _)| unedited(&scene, &film, tick, cell, before)).collect();
        let draw = record.strip.is_empty();
        each_role(lab, lab.roles(record.seed), &scene, &film, |role, rollout| {
            for (&(tick, walked), stale) in looks.iter().zip(&stale) {
                let (truth, frame) = (&film.shots[&tick].view, &rollout.frames[&tick]);
                let regions = regions(truth, stale);
                if !regions.is_empty() {
                    let (right, ghosts) = read(lab, frame, truth, &regions);
                    record.add_share(&format!("right_id_rate{walked}"), role, right, regions.len() as f64);
                    record.add_share(&format!("ghost_rate{walked}"), role, ghosts, regions.len() as f64);
                }
            }
            if draw {
                picture(record, role, &film, rollout);
            }
        })
    }
}

/// The metrics of the look after the walk end so.
const WALKED: &str = "_walk";

/// Walks off and back to where it is, and looks at a point; the tick of that look, where a way is open.
fn walk_and_return(plan: &mut Plan, point: Vec3) -> Option<usize> {
    let pose = plan.world.pose();
    let most_ticks = WALK_BLOCKS as usize * 10;
    let walked = (0..8).find_map(|turn| {
        let away = Pose { yaw_deg: pose.yaw_deg + 180.0 + 45.0 * turn as f32, ..Pose::default() }.axes().forward;
        let stop = pose.eye() + away * WALK_BLOCKS;
        let mut tried = plan.clone();
        tried.turn([-pose.pitch_deg, 0.0]);
        (tried.walk([stop.x, stop.z], most_ticks) && tried.walk([pose.eye().x, pose.eye().z], most_ticks))
            .then_some(tried)
    })?;
    *plan = walked;
    plan.rest(4);
    plan.aim(point);
    Some(plan.actions.len())
}

/// What would be seen at a tick if the edit had not been made.
pub(super) fn unedited(scene: &Scene, film: &Film, tick: usize, cell: IVec3, before: Block) -> View {
    let mut world = scene.start.clone();
    scene.actions[..tick].iter().for_each(|action| world.tick(action));
    world.set_block(cell, before);
    let mut view = look(&world);
    world.view_from(&film.shots[&tick].pose, &film.camera, &mut view);
    view
}

impl Probe for EditPersistence {
    fn id(&self) -> &'static str {
        "edit_persistence"
    }

    fn about(&self) -> &'static str {
        "Place a block, break one, bite half a cake; look away for a second, look back, and look from aside; walk six \
         blocks off, come back and look (_walk). Share of what the edit changed that reads as it is now, and share that \
         reads as it was (ghosts); chance of the bite choice is 0.5."
    }

    fn metrics(&self) -> Vec<Metric> {
        let right = |name: &str| Metric::mean(name).by_reader().with_bar(0.85);
        let ghosts = |name: &str| Metric::mean(name).lower_is_better().by_reader().with_bar(0.05);
        let mut metrics = vec![right("right_id_rate"), ghosts("ghost_rate"), Metric::mean("bite_choice")];
        if self.is_full {
            metrics.extend([right("right_id_rate_walk"), ghosts("ghost_rate_walk")]);
        }
        metrics
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        for (at, deed) in [Deed::Place, Deed::Break, Deed::Bite].into_iter().enumerate() {
            if self.is_full || seed % 3 == at as u64 {
                self.run_one(lab, seed, deed, &mut record)?;
            }
        }
        Ok(record)
    }
}
