//! How the true world is seen: its observations behind [`World`], and the shapes of its animals.

use super::entity::{Animal, Kind};
use super::entity_box::{EntityBox, Front, MOST_BOXES};
use super::render::{Scene, View, render};
use super::world::VoxelWorld;
use crate::{Action, Camera, Observation, Pose, Start, World, WorldError};
use glam::{DVec3, Vec3};

/// The most boxes that one animal is made of.
const BOXES_PER_ANIMAL: usize = 6;

impl VoxelWorld {
    /// Draws what the player sees now, through any camera.
    pub fn view(&self, camera: &Camera, out: &mut View) {
        self.view_from(&self.pose(), camera, out);
    }

    /// Draws what a free eye would see now.
    pub fn view_from(&self, pose: &Pose, camera: &Camera, out: &mut View) {
        let boxes = self.boxes();
        let scene = Scene { chunks: &self.chunks, sky: &self.sky, boxes: &boxes, crack: self.crack() };
        render(&scene, pose, camera, out);
    }

    /// The nearest animals as boxes.
    fn boxes(&self) -> Vec<EntityBox> {
        let away = |animal: &Animal| animal.feet.distance_squared(self.player.feet);
        let mut near: Vec<&Animal> = self.herds.animals.iter().filter(|animal| away(animal) < 70.0 * 70.0).collect();
        near.sort_by(|a, b| away(a).total_cmp(&away(b)).then(a.id.cmp(&b.id)));
        near.truncate(MOST_BOXES / BOXES_PER_ANIMAL);
        near.into_iter().flat_map(boxes_of).collect()
    }

    fn observe(&self) -> Observation {
        let mut view = View::new(self.camera.width, self.camera.height);
        self.view(&self.camera, &mut view);
        Observation {
            tick: self.ticks(),
            frame: view.frame,
            depth: view.depth,
            pose: self.pose(),
            stages_ms: Vec::new(),
        }
    }
}

impl World for VoxelWorld {
    fn reset(&mut self, start: &Start) -> Result<Observation, WorldError> {
        match start {
            Start::Seed(seed) => self.reset_seed(*seed),
            Start::Image(..) => return Err(WorldError::NoImageStart("the simulator")),
        }
        Ok(self.observe())
    }

    fn step(&mut self, action: &Action) -> Result<Observation, WorldError> {
        self.tick(action);
        Ok(self.observe())
    }
}

/// How an animal is built, in blocks, in its own axes (right, up, forward).
struct Build {
    trunk: (Vec3, Vec3),
    head: (Vec3, Vec3),
    /// Half of a leg, and how far the legs stand from the middle (right, forward); forward 0 means two legs.
    leg: Vec3,
    stance: (f32, f32),
    coat: [u8; 3],
    patches: [u8; 3],
    head_colour: [u8; 3],
    snout: [u8; 3],
    leg_colour: [u8; 3],
}

const fn build(kind: Kind) -> Build {
    let v = Vec3::new;
    match kind {
        Kind::Sheep => Build {
            trunk: (v(0.0, 0.8, -0.05), v(0.36, 0.36, 0.55)),
            head: (v(0.0, 1.1, 0.62), v(0.2, 0.2, 0.24)),
            leg: v(0.11, 0.25, 0.11),
            stance: (0.2, 0.35),
            coat: [232, 230, 224],
            patches: [214, 210, 202],
            head_colour: [196, 160, 138],
            snout: [232, 205, 190],
            leg_colour: [190, 152, 130],
        },
        Kind::Pig => Build {
            trunk: (v(0.0, 0.55, -0.05), v(0.31, 0.25, 0.5)),
            head: (v(0.0, 0.68, 0.6), v(0.25, 0.25, 0.24)),
            leg: v(0.12, 0.17, 0.12),
            stance: (0.17, 0.33),
            coat: [240, 165, 162],
            patches: [228, 148, 148],
            head_colour: [240, 165, 162],
            snout: [208, 110, 118],
            leg_colour: [226, 148, 146],
        },
        Kind::Cow => Build {
            trunk: (v(0.0, 0.98, -0.05), v(0.38, 0.34, 0.58)),
            head: (v(0.0, 1.2, 0.72), v(0.24, 0.24, 0.2)),
            leg: v(0.12, 0.34, 0.12),
            stance: (0.24, 0.4),
            coat: [70, 52, 40],
            patches: [226, 222, 214],
            head_colour: [74, 54, 42],
            snout: [214, 190, 180],
            leg_colour: [64, 48, 38],
        },
        Kind::Chicken => Build {
            trunk: (v(0.0, 0.38, -0.02), v(0.16, 0.16, 0.22)),
            head: (v(0.0, 0.68, 0.2), v(0.1, 0.16, 0.1)),
            leg: v(0.04, 0.12, 0.04),
            stance: (0.08, 0.0),
            coat: [245, 245, 240],
            patches: [225, 225, 220],
            head_colour: [245, 245, 240],
            snout: [226, 140, 30],
            leg_colour: [222, 160, 40],
        },
    }
}

fn boxes_of(animal: &Animal) -> impl Iterator<Item = EntityBox> {
    let build = build(animal.kind);
    let axes = Pose { yaw_deg: animal.yaw_deg, ..Pose::default() }.axes();
    let feet = animal.feet.as_vec3();
    let yaw_deg = animal.yaw_deg;
    let part = move |(at, half): (Vec3, Vec3), colour, second_colour, front| EntityBox {
        centre: feet + axes.right * at.x + Vec3::Y * at.y + axes.forward * at.z,
        half,
        yaw_deg,
        colour,
        second_colour,
        front,
    };
    // Legs swing with the way walked, diagonal ones together.
    let swing = libm::sinf(animal.stride * 4.5) * 0.16;
    let legs: &[(f32, f32)] = if build.stance.1 == 0.0 {
        &[(-1.0, 0.0), (1.0, 0.0)]
    } else {
        &[(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)]
    };
    let (leg, stance) = (build.leg, build.stance);
    let legs = legs.iter().map(move |&(side, end)| {
        let forward = end * stance.1 + swing * side * if end == 0.0 { 0.6 } else { end };
        let at = Vec3::new(side * stance.0, leg.y, forward);
        part((at, leg), build.leg_colour, build.leg_colour, Front::Plain)
    });
    let trunk = part(build.trunk, build.coat, build.patches, Front::Plain);
    let head = part(build.head, build.head_colour, build.snout, Front::Face);
    [head, trunk].into_iter().chain(legs)
}

/// What an animal that stands at the origin and looks along +z is built of.
pub fn built_of(kind: Kind) -> Vec<EntityBox> {
    boxes_of(&Animal::new(0, kind, DVec3::ZERO, 0.0)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_animal_has_its_size() {
        for kind in Kind::ALL {
            let build = build(kind);
            let (_, height) = kind.size();
            assert!((build.head.0.y + build.head.1.y - height).abs() < 0.16, "{kind:?}");
            assert!(build.leg.y * 2.0 <= build.trunk.0.y - build.trunk.1.y + 0.1, "{kind:?}");
        }
    }
}
