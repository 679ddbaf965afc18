//! `physics`: bodies move as they do, and walls hold.

use super::{STILL, each_role, picture};
use crate::probe::{
    Film, LEAST_PIXELS, Lab, Metric, Plan, Probe, ProbeError, Record, Role, Scene, choice, different_pixels, error_on,
    look, stage,
};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Action, Frame, Pose,
    voxel::{block::Block, world::VoxelWorld},
};

/// Scenarios: jump on the spot; walk on level ground; walk off a pillar two blocks high; walk into a wall; break glass.
///
/// Metrics: trajectory error: where each frame must have been seen from, as a share of the whole way. The place is read
/// by matching the frame with true pictures from 33 places along the true way and beyond its end, on the pixels that the
/// start had shown: the world's own pose is not asked. Wall violations: the share of trials whose last frame matches a
/// place beyond the wall, which the pictures show without the wall. Glass choice: nearer to the broken than to the whole
/// pane, chance 0.5. Floor: memory off. Ceiling: memory filled from the simulator, true pose.
#[derive(Debug, Clone, Copy)]
pub struct Physics;

/// Places along a way that are compared.
const PLACES: usize = 33;
/// How far past the ends of the true way the places reach, as a share of it.
const MARGIN: f32 = 0.25;

impl Physics {
    fn trajectory(lab: &Lab, scene: &Scene, ticks: &[usize], record: &mut Record) -> Result<(), ProbeError> {
        let film = scene.film(ticks);
        let way = Way::of(&film);
        if way.length_blocks < 0.5 {
            return Ok(());
        }
        let pictures = way.pictures(&film);
        let draw = record.strip.is_empty();
        each_role(lab, &Role::ALL, scene, &film, |role, rollout| {
            for &tick in ticks {
                let shown = film.shown(tick);
                let pixels: Vec<usize> = (0..shown.len()).filter(|&pixel| shown[pixel]).collect();
                if pixels.len() >= 10 * LEAST_PIXELS {
                    let found = way.place_of(&rollout.frames[&tick], &pictures[&tick], &pixels);
                    let truth = way.share_of(&film.shots[&tick].pose);
                    record.add("trajectory_error", role, f64::from((found - truth).abs()));
                }
            }
            if draw {
                picture(record, role, &film, rollout);
            }
        })
    }

    fn wall(lab: &Lab, seed: u64, record: &mut Record) -> Result<(), ProbeError> {
        let mut start = stage::quiet(lab.subject.camera(), seed);
        let Some(cell) = stage::spot(&mut start, 4.0, 0.0) else { return Ok(()) };
        let axes = Pose { yaw_deg: start.player().yaw_deg, ..Pose::default() }.axes();
        let open = start.clone();
        for (aside, up) in (-2..=2).flat_map(|aside| (0..3).map(move |up| (aside, up))) {
            let at = cell.as_vec3() + 0.5 + axes.right * aside as f32;
            // Two deep, so that a wall that runs askew has no holes.
            for deep in 0..2 {
                let at = (at + axes.forward * deep as f32).floor().as_ivec3();
                start.set_block(IVec3::new(at.x, cell.y + up, at.z), Block::Cobble);
            }
        }
        let mut plan = Plan::new(&start);
        plan.hold(Action { forward: true, ..STILL }, 30);
        let scene = Scene { start, actions: plan.actions };
        let film = scene.film(&[10]);
        let (before, pose) = (&film.last().view.frame, film.last().pose);
        // The other answer: it went on as if there were no wall.
        let mut beyond = open;
        scene.actions.iter().for_each(|action| beyond.tick(action));
        let gone = look(&beyond).frame;
        let pixels = different_pixels(before, &gone);
        if (beyond.pose().eye() - pose.eye()).length() < 1.0 || pixels.len() < LEAST_PIXELS {
            return Ok(());
        }
        each_role(lab, &Role::ALL, &scene, &film, |role, rollout| {
            let frame = &rollout.frames[&film.last_tick()];
            record.add("wall_violations", role, 1.0 - choice(frame, before, &gone, &pixels));
        })
    }

    fn glass(lab: &Lab, seed: u64, record: &mut Record) -> Result<(), ProbeError> {
        let mut start = stage::quiet(lab.subject.camera(), seed);
        let Some(cell) = stage::spot(&mut start, 2.3, 0.0) else { return Ok(()) };
        start.set_block(cell, Block::Glass);
        let mut plan = Plan::new(&start);
        plan.aim(cell.as_vec3() + 0.5);
        plan.hold(Action { attack: true, ..STILL }, Block::Glass.hardness_ticks().unwrap_or(5) as usize);
        if plan.world.block(cell) == Block::Glass {
            return Ok(());
        }
        plan.rest(3);
        let scene = Scene { start, actions: plan.actions };
        let film = scene.film(&[]);
        let last = film.last_tick();
        let whole = super::edit_persistence::unedited(&scene, &film, last, cell, Block::Glass);
        let pixels = different_pixels(film.frame(last), &whole.frame);
        if pixels.len() < LEAST_PIXELS {
            return Ok(());
        }
        each_role(lab, &Role::ALL, &scene, &film, |role, rollout| {
            record.add("glass_choice", role, choice(&rollout.frames[&last], film.frame(last), &whole.frame, &pixels));
        })
    }
}

/// The straight way between the start of a trajectory and its farthest place.
struct Way {
    from: Vec3,
    to: Vec3,
    length_blocks: f32,
}

impl Way {
    fn of(film: &Film) -> Way {
        let from = film.shots[&0].pose.eye();
        let farthest = film.shots.values().map(|shot| shot.pose.eye());
        let to = farthest.max_by(|a, b| a.distance(from).total_cmp(&b.distance(from))).unwrap_or(from);
        Way { from, to, length_blocks: to.distance(from) }
    }

    fn shares() -> impl Iterator<Item = f32> {
        (0..PLACES).map(|at| -MARGIN + (1.0 + 2.0 * MARGIN) * at as f32 / (PLACES - 1) as f32)
    }

    /// How far along the way a true pose is.
    fn share_of(&self, pose: &Pose) -> f32 {
        (pose.eye() - self.from).dot(self.to - self.from) / self.length_blocks.powi(2)
    }

    /// True pictures from each place, at each filmed tick.
    fn pictures(&self, film: &Film) -> std::collections::BTreeMap<usize, Vec<Frame>> {
        let world: &VoxelWorld = &film.end;
        let mut view = look(world);
        let mut at = |share: f32, pose: Pose| {
            let eye = self.from + (self.to - self.from) * share;
            world.view_from(&Pose { position: eye.to_array(), ..pose }, &film.camera, &mut view);
            view.frame.clone()
        };
        film.shots.iter().map(|(&tick, shot)| (tick, Self::shares().map(|s| at(s, shot.pose)).collect())).collect()
    }

    fn place_of(&self, frame: &Frame, pictures: &[Frame], pixels: &[usize]) -> f32 {
        let error = |picture: &Frame| error_on(frame, picture, pixels);
        let best = Self::shares().zip(pictures).min_by(|a, b| error(a.1).total_cmp(&error(b.1)));
        best.map_or(0.0, |(share, _)| share)
    }
}

impl Probe for Physics {
    fn id(&self) -> &'static str {
        "physics"
    }

    fn about(&self) -> &'static str {
        "Jump, walk, fall, walk into a wall, break glass. Error of the place that a frame was seen from, as a share of \
         the way, by matching true pictures; share that went through the wall; choice of the broken pane (chance 0.5)."
    }

    fn metrics(&self) -> Vec<Metric> {
        vec![
            Metric::mean("trajectory_error").lower_is_better(),
            Metric::mean("wall_violations").lower_is_better(),
            Metric::mean("glass_choice"),
        ]
    }

    fn run(&self, lab: &Lab, seed: u64) -> Result<Record, ProbeError> {
        let mut record = Record::new(self.id(), seed);
        let start = stage::quiet(lab.subject.camera(), seed);
        let jump = [vec![Action { jump: true, ..STILL }], vec![STILL; 11]].concat();
        Self::trajectory(lab, &Scene { start: start.clone(), actions: jump }, &[3, 6, 9, 12], &mut record)?;
        let mut open = start.clone();
        if stage::spot(&mut open, 3.0, 0.0).is_some() {
            let walk = vec![Action { forward: true, ..STILL }; 12];
            Self::trajectory(lab, &Scene { start: open, actions: walk }, &[4, 8, 12], &mut record)?;
            let mut high = start;
            let feet = high.player().feet.as_vec3();
            let cell = feet.floor().as_ivec3();
            (0..2).for_each(|up| high.set_block(cell + IVec3::Y * up, Block::Stone));
            let yaw_deg = high.player().yaw_deg;
            high.place_player(feet + Vec3::Y * 2.0, yaw_deg, 0.0);
            let fall = vec![Action { forward: true, ..STILL }; 16];
            Self::trajectory(lab, &Scene { start: high, actions: fall }, &[5, 10, 16], &mut record)?;
        }
        Self::wall(lab, seed, &mut record)?;
        Self::glass(lab, seed, &mut record)?;
        Ok(record)
    }
}
