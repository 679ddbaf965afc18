//! `physics`: bodies move as they do, and walls hold.

use super::{Pair, each_role, picture};
use crate::probe::{Film, Lab, Metric, Plan, Probe, ProbeError, Record, Scene, error_on, look, stage};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Action, Frame, Pose,
    voxel::{block::Block, world::VoxelWorld},
};

/// Scenarios: jump on the spot; walk on level ground; walk off a pillar two blocks high; climb a ledge of one block, with a
/// jump; walk into a pool and sink; walk into a wall; break glass; set a pane. Sand that falls has its own probe.
///
/// Metrics: trajectory error: how far the place that a frame must have been seen from is from the true one, as a share
/// of the farthest that the body goes; of all ways and of each kind. The place is found by matching the frame with true
/// pictures from every place of the way and a block beyond both of its ends, on the pixels that the start had shown (at
/// least 400): the world's own pose is not asked. An error aside of the way is not found: what is measured is too little
/// rather than too much. Wall violations:
/// the share of trials whose last frame matches a place more than a block beyond where the wall stops the body. Glass
/// choice: of two rollouts, one that breaks the pane and one that does not, whether each is nearer to its own truth,
/// chance 0.5. Pane choice: the same of one that sets a pane, looks away and back, and one that only looks. Floor: memory
/// off. Ceiling: memory filled from the simulator, true pose.
#[derive(Debug, Clone, Copy)]
pub struct Physics {
    /// The ledge and the pool too.
    pub is_full: bool,
}

const LEAST_SHOWN: usize = 400;
const WALL_TICKS: usize = 30;
/// What a way is, in the names of the metrics.
const WAYS: [&str; 5] = ["jump", "walk", "fall", "ledge", "pool"];

impl Physics {
    fn ways(&self) -> &'static [&'static str] {
        if self.is_full { &WAYS } else { &WAYS[..3] }
    }

    /// The scenes of the ways that are open to a seed.
    fn scenes(&self, lab: &Lab, seed: u64) -> Vec<(&'static str, Scene)> {
        let camera = lab.subject.camera();
        let jump = [vec![Action { jump: true, ..Action::default() }], vec![Action::default(); 11]].concat();
        let mut scenes = vec![("jump", Scene { start: stage::quiet(camera, seed), actions: jump })];
        let forward = |ticks| vec![Action { forward: true, ..Action::default() }; ticks];
        if let Some((open, _)) = stage::facing_ground(camera, seed, [[3.0, 0.0]]) {
            let mut high = open.clone();
            scenes.push(("walk", Scene { start: open, actions: forward(12) }));
            let feet = high.player().feet.as_vec3();
            let cell = feet.floor().as_ivec3();
            (0..2).for_each(|up| high.set_block(cell + IVec3::Y * up, Block::Stone));
            let yaw_deg = high.player().yaw_deg;
            high.place_player(feet + Vec3::Y * 2.0, yaw_deg, 0.0);
            scenes.push(("fall", Scene { start: high, actions: forward(16) }));
        }
        if let Some((mut start, [ahead])) = stage::facing_ground(camera, seed, [[4.0, 0.0]]) {
            let mut pool = start.clone();
            let around =
                |reach: i32| (-reach..=reach).flat_map(move |x| (-reach..=reach).map(move |z| IVec3::new(x, 0, z)));
            around(1).for_each(|aside| start.set_block(ahead + aside, Block::Stone));
            let mut plan = Plan::new(&start);
            for _ in 0..24 {
                let jump = plan.world.player().on_ground && plan.world.player().against_wall;
                plan.act(Action { forward: true, jump, ..Action::default() });
            }
            scenes.push(("ledge", Scene { start, actions: plan.actions }));
            // A basin of stone, so that nothing runs out of it.
            for deep in 1..=3 {
                around(2).for_each(|aside| pool.set_block(ahead + aside - IVec3::Y * deep, Block::Stone));
            }
            for deep in 1..=2 {
                around(1).for_each(|aside| pool.set_block(ahead + aside - IVec3::Y * deep, Block::Water));
            }
            scenes.push(("pool", Scene { start: pool, actions: forward(26) }));
        }
        scenes.retain(|(name, _)| self.ways().contains(name));
        scenes
    }

    fn trajectory(lab: &Lab, name: &str, scene: &Scene, record: &mut Record) -> Result<(), ProbeError> {
        let film = scene.film(&(0..=scene.last()).collect::<Vec<_>>());
        let way = Way::of(&film);
        if way.length_blocks < 0.5 {
            return Ok(());
        }
        let ticks = [scene.last() / 4, scene.last() / 2, scene.last()];
        let asked: Vec<_> = ticks
            .into_iter()
            .map(|tick| {
                let shown = film.shown(tick);
                let pixels: Vec<usize> = (0..shown.len()).filter(|&pixel| shown[pixel]).collect();
                (tick, pixels)
            })
            .filter(|(_, pixels)| pixels.len() >= LEAST_SHOWN)
            .map(|(tick, pixels)| (tick, pixels, way.pictures(scene, &film, tick)))
            .collect();
        let mut few = film.clone();
        few.shots.retain(|tick, _| *tick == 0 || ticks.contains(tick));
        let draw = record.strip.is_empty();
        each_role(lab, lab.roles(record.seed), scene, &few, |role, rollout| {
            for (tick, pixels, pictures) in &asked {
                let found = way.place_of(&rollout.frames[tick], pictures, pixels);
                let error_blocks = found.distance(film.shots[tick].pose.eye());
                for metric in ["trajectory_error".to_string(), error_of(name)] {
                    record.add(&metric, role, f64::from(error_blocks / way.length_blocks));
                }
            }
            if draw {
                picture(record, role, &few, rollout);
            }
        })
    }

    fn wall(lab: &Lab, seed: u64, record: &mut Record) -> Result<(), ProbeError> {
        let Some((mut start, [cell])) = stage::facing_ground(lab.subject.camera(), seed, [[4.0, 0.0]]) else {
            return Ok(());
        };
        let axes = Pose { yaw_deg: start.player().yaw_deg, ..Pose::default() }.axes();
        for (aside, up) in (-3..=3).flat_map(|aside| (0..3).map(move |up| (aside, up))) {
            let at = cell.as_vec3() + 0.5 + axes.right * aside as f32 * 0.7;
            // Two deep, so that a wall that runs askew has no holes.
            for deep in 0..2 {
                let at = (at + axes.forward * deep as f32).floor().as_ivec3();
                start.set_block(IVec3::new(at.x, cell.y + up, at.z), Block::Cobble);
            }
        }
        let from = start.pose();
        let mut plan = Plan::new(&start);
        plan.hold(Action { forward: true, ..Action::default() }, WALL_TICKS);
        let scene = Scene { start, actions: plan.actions };
        let film = scene.film(&[]);
        let last = film.last_tick();
        let walked_blocks = film.last().pose.eye().distance(from.eye());
        if !(1.5..5.0).contains(&walked_blocks) {
            return Ok(());
        }
        // Where it might be: from the start to well behind the wall.
        let places = (0..40).map(|at| from.eye() + axes.forward * (at as f32 * 0.25));
        let way = Way { places: places.collect(), length_blocks: walked_blocks };
        let pictures = way.pictures(&scene, &film, last);
        let everywhere: Vec<usize> = (0..film.frame(last).rgb.len() / 3).collect();
        each_role(lab, lab.roles(record.seed), &scene, &film, |role, rollout| {
            let found = way.place_of(&rollout.frames[&last], &pictures, &everywhere);
            let beyond = found.distance(from.eye()) > walked_blocks + 1.0;
            record.add("wall_violations", role, f64::from(u8::from(beyond)));
        })
    }

    fn glass(lab: &Lab, seed: u64, record: &mut Record) -> Result<(), ProbeError> {
        let Some((mut start, [cell])) = stage::facing_ground(lab.subject.camera(), seed, [[2.3, 0.0]]) else {
            return Ok(());
        };
        start.set_block(cell, Block::Glass);
        let mut plan = Plan::new(&start);
        plan.aim(cell.as_vec3() + 0.5);
        plan.hold(Action { attack: true, ..Action::default() }, Block::Glass.hardness_ticks().unwrap_or(5) as usize);
        if plan.world.block(cell) == Block::Glass {
            return Ok(());
        }
        plan.rest(3);
        Self::done_or_not(lab, start, plan.actions, "glass_choice", record)
    }

    fn pane(lab: &Lab, seed: u64, record: &mut Record) -> Result<(), ProbeError> {
        let Some((start, [cell])) = stage::facing_ground(lab.subject.camera(), seed, [[2.7, 0.0]]) else {
            return Ok(());
        };
        let Some(slot) = stage::slot_of(Block::Glass) else { return Ok(()) };
        let mut plan = Plan::new(&start);
        plan.aim(cell.as_vec3() + Vec3::new(0.5, 0.0, 0.5));
        plan.act(Action { use_: true, hotbar: slot, ..Action::default() });
        if plan.world.block(cell) != Block::Glass {
            return Ok(());
        }
        plan.turn([0.0, 90.0]);
        plan.rest(5);
        plan.turn([0.0, -90.0]);
        Self::done_or_not(lab, start, plan.actions, "pane_choice", record)
    }

    /// The choice between what the hand does, and the same without it.
    fn done_or_not(
        lab: &Lab,
        start: VoxelWorld,
        actions: Vec<Action>,
        metric: &'static str,
        record: &mut Record,
    ) -> Result<(), ProbeError> {
        let idle = |action: &Action| Action { attack: false, use_: false, ..*action };
        let without = Scene { start: start.clone(), actions: actions.iter().map(idle).collect() };
        let pair = Pair::new([Scene { start, actions }, without], &[]);
        let last = pair.films[0].last_tick();
        pair.choose(lab, metric, &[(last, pair.unlike(last))], record, false)
    }
}

/// How far beyond the ends of a way a frame may have been seen from.
const BEYOND_BLOCKS: [f32; 4] = [0.25, 0.5, 0.75, 1.0];

fn error_of(way: &str) -> String {
    format!("error_{way}")
}

/// The places along a trajectory that a frame may have been seen from.
struct Way {
    places: Vec<Vec3>,
    /// The farthest that it truly goes from its start.
    length_blocks: f32,
}

impl Way {
    /// The true places of every tick, those in the middle between them, and some beyond the way's ends.
    fn of(film: &Film) -> Way {
        let eyes: Vec<Vec3> = film.shots.values().map(|shot| shot.pose.eye()).collect();
        let middles = eyes.windows(2).map(|pair| (pair[0] + pair[1]) / 2.0);
        let farthest = eyes.iter().copied().max_by(|a, b| a.distance(eyes[0]).total_cmp(&b.distance(eyes[0])));
        let along = farthest.map_or(Vec3::ZERO, |eye| eye - eyes[0]);
        let beyond = BEYOND_BLOCKS.into_iter().flat_map(|blocks| {
            let step = along.normalize_or_zero() * blocks;
            [eyes[0] - step, eyes[0] + along + step]
        });
        Way { places: eyes.iter().copied().chain(middles).chain(beyond).collect(), length_blocks: along.length() }
    }

    /// True pictures from each place, as the world is at a tick.
    fn pictures(&self, scene: &Scene, film: &Film, tick: usize) -> Vec<Frame> {
        let mut world = scene.start.clone();
        scene.actions[..tick].iter().for_each(|action| world.tick(action));
        let mut view = look(&world);
        let pose = film.shots[&tick].pose;
        let mut from = |place: &Vec3| {
            world.view_from(&Pose { position: place.to_array(), ..pose }, &film.camera, &mut view);
            view.frame.clone()
        };
        self.places.iter().map(&mut from).collect()
    }

    fn place_of(&self, frame: &Frame, pictures: &[Frame], pixels: &[usize]) -> Vec3 {
        let errors = pictures.iter().map(|picture| error_on(frame, picture, pixels));
        let best = self.places.iter().zip(errors).min_by(|a, b| a.1.total_cmp(&b.1));
        best.map_or(self.places[0], |(place, _)| *place)
    }
}

impl Probe for Physics {
    fn id(&self) -> &'static str {
        "physics"
    }

    fn about(&self) -> &'static str {
        "Jump, walk, fall, climb a ledge, sink in a pool, walk into a wall, break glass, set a pane and look away. Error of \
         the place that a frame was seen from, as a share of the way, by matching true pictures from along the way; share \
         that went through the wall; choice of the broken pane, and of the one that was set (chance 0.5)."
    }

    fn metrics(&self) -> Vec<Metric> {
        let mut metrics = vec![
            Metric::mean("trajectory_error").lower_is_better().with_bar(0.05),
            Metric::mean("wall_violations").lower_is_better(),
            Metric::mean("glass_choice"),
            Metric::mean("pane_choice"),
        ];
        metrics.extend(self.ways().iter().map(|way| Metric::mean(error_of(way)).lower_is_better()));
        metrics
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        for (name, scene) in self.scenes(lab, seed) {
            Self::trajectory(lab, name, &scene, &mut record)?;
        }
        Self::wall(lab, seed, &mut record)?;
        Self::glass(lab, seed, &mut record)?;
        Self::pane(lab, seed, &mut record)?;
        Ok(record)
    }
}
