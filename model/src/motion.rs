//! Where the player goes: plain kinematics, held up and stopped by what the world state knows of the ground and walls.

use crate::{
    grid::{Alignment, Grid, cells},
    state::{Faces, Memory},
    trodden::Trodden,
    water::Water,
};
use glam::{IVec3, Vec3};
use holdfast_sim::{
    Action, Pose,
    kinematics::{self, Footing},
};
use serde::{Deserialize, Serialize};

/// The moving body of a dream: what the pose alone does not tell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Motion {
    /// Blocks a tick.
    #[serde(with = "crate::keep::vec3")]
    velocity: Vec3,
    footing: Footing,
    eye_height: f32,
    /// Height of the feet when they last stood. Saved worlds hold it apart from the rest: those of version 1 lack it.
    #[serde(skip)]
    stood_y: f32,
    /// Nothing is known of the ground that carries it but that. Of the last tick: saved worlds need not hold it.
    #[serde(skip)]
    trusts: bool,
}

impl Default for Motion {
    fn default() -> Self {
        Motion {
            velocity: Vec3::ZERO,
            footing: Footing::Ground,
            eye_height: kinematics::EYE_HEIGHT,
            stood_y: START_FEET_Y,
            trusts: true,
        }
    }
}

/// Height of the feet at the start: a dream begins with the eye at its origin.
const START_FEET_Y: f32 = -kinematics::EYE_HEIGHT;
/// A surface at most this far above the feet is ground; what is higher is a wall.
const LEDGE_BLOCKS: f32 = 0.55;

impl Motion {
    /// Whether it is a motion that a body can have: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.stood_y.is_finite()
            && self.velocity.is_finite()
            && self.velocity.length() < 100.0
            && (0.0..4.0).contains(&self.eye_height)
    }

    /// Corners of the body of a player who has its eye there, and whether it stands on ground of which nothing else is known.
    pub fn body(&self, pose: &Pose) -> (Vec3, Vec3, bool) {
        let (low, high) = body(pose.eye() - Vec3::Y * self.eye_height);
        (low, high, self.footing == Footing::Ground && self.trusts)
    }

    /// Height of the feet when they last stood, in blocks above the eye's start.
    pub fn stood_y(&self) -> f32 {
        self.stood_y
    }

    /// The motion that a save holds, and where its feet last stood; where the save does not say, where they are now.
    pub fn that_stood(self, stood_y: Option<f32>, pose: &Pose) -> Motion {
        let stood_y = stood_y.unwrap_or(pose.eye().y - self.eye_height);
        Motion { stood_y, ..self }
    }

    /// The pose after one tick of `action`, in a dream whose blocks lie so.
    ///
    /// The body is a box among the blocks, as the players of such worlds are: it stands on any block that it is over a part
    /// of, and stops where the faces of blocks are. Faces are what the memory's surfaces make of the grid.
    pub fn step(&mut self, pose: &Pose, action: &Action, memory: &Memory, ground: Ground) -> Pose {
        let mut next = pose.turned(action.camera);
        let feet = pose.eye() - Vec3::Y * self.eye_height;
        let push = kinematics::push(self.velocity, action, next.yaw_deg, self.footing);
        let alignment = Alignment::new(pose, &ground.grid.place(pose));
        let from = alignment.among_blocks(feet);
        // On the ground it does not sink, and whole blocks are whole.
        let from = if (from.y - from.y.round()).abs() < LEVEL_BLOCKS { from.with_y(from.y.round()) } else { from };
        let by = alignment.among_blocks(feet + push) - alignment.among_blocks(feet);
        let amended = |mut faces: Faces| {
            faces.amend(&ground);
            memory.glass().stand(&mut faces);
            faces
        };
        let (mut faces, drafts) = (memory.firm().faces(from, &alignment), memory.drafts().faces(from, &alignment));
        // What one has right before one's eyes stops, doubted or not: one who walks through it sees nothing else any more.
        faces.add_walls(&drafts);
        let faces = amended(faces);
        let (mut to, mut left) = (from, by);
        let footing_before = self.footing;
        if self.footing == Footing::Ground && by.y <= 0.0 {
            // Unknown ground holds, and so does what is doubted: a dream that falls through what it has not seen is of no use.
            let is_known = |faces: &Faces| {
                let level = |floor: i32| floor as f32 > from.y - LEDGE_BLOCKS;
                faces.floors(body(from)).any(|(_, floor)| floor.is_some_and(level))
            };
            let may_be = |(cell, floor): (IVec3, Option<i32>)| floor.is_none() && !ground.trodden.is_empty(cell);
            self.trusts = !is_known(&faces);
            if !self.trusts || faces.floors(body(from)).any(may_be) || is_known(&amended(drafts)) {
                left.y = 0.0;
            } else {
                self.footing = Footing::Air;
                left.y = -kinematics::GRAVITY * kinematics::FALL_DRAG;
            }
        } else if self.footing != Footing::Water {
            self.footing = Footing::Air;
        }
        let (down, stopped) = faces.clip(body(to), 1, left.y);
        to.y += down;
        if stopped {
            self.footing = if left.y < 0.0 { Footing::Ground } else { self.footing };
            left.y = 0.0;
        }
        if left.y < 0.0 && faces.floors(body(from)).all(|(_, floor)| floor.is_none()) {
            // A jump over unknown ground ends where it began; a fall into the unknown, at the next level.
            let stood_y = alignment.among_blocks(feet.with_y(self.stood_y)).y;
            let floor = if from.y > stood_y - LEDGE_BLOCKS { stood_y } else { (from.y - LEDGE_BLOCKS).round() };
            let under = floor.round() as i32 - 1;
            let open = |(cell, _): (IVec3, _)| ground.trodden.is_empty(cell.with_y(under));
            if to.y <= floor && !faces.floors(body(from)).all(open) {
                (to.y, left.y) = (floor, 0.0);
                (self.footing, self.trusts) = (Footing::Ground, true);
            }
        }
        let mut against_wall = false;
        for axis in [0, 2] {
            let (way, stopped) = faces.clip(body(to), axis, left[axis]);
            to[axis] += way;
            left[axis] = if stopped { 0.0 } else { left[axis] };
            against_wall |= stopped;
        }
        let moved = alignment.in_map(from + left) - alignment.in_map(from);
        self.velocity = kinematics::settle(moved, footing_before);
        if swims(to, ground.water) {
            self.footing = Footing::Water;
            if against_wall && action.jump {
                self.velocity.y = self.velocity.y.max(CLIMB_BLOCKS);
            }
        } else if self.footing == Footing::Water {
            self.footing = Footing::Air;
        }
        let to = alignment.in_map(to);
        if self.footing == Footing::Ground {
            self.velocity.y = 0.0;
            self.stood_y = to.y;
        }
        self.eye_height = kinematics::eye_height(action);
        next.position = (to + Vec3::Y * self.eye_height).to_array();
        next
    }
}

/// Feet this near to a whole height stand there, blocks.
const LEVEL_BLOCKS: f32 = 0.02;

/// The player's box, its feet at a place.
fn body(feet: Vec3) -> (Vec3, Vec3) {
    let half = 0.5 * kinematics::BODY_WIDTH;
    (feet - Vec3::new(half, 0.0, half), feet + Vec3::new(half, kinematics::BODY_HEIGHT, half))
}

/// A swimmer who pushes against a bank is lifted out by so much a tick, blocks.
const CLIMB_BLOCKS: f32 = 0.3;

/// Whether a body is in the water from its knees up.
fn swims(feet: Vec3, water: &Water) -> bool {
    let (low, high) = body(feet);
    let (first, last) = (low + Vec3::Y * 0.4, high.with_y(feet.y + 1.2));
    let (first, last) = ((first + 1e-3).floor().as_ivec3(), (last - 1e-3).floor().as_ivec3());
    cells(first, last).any(|cell| water.is_in(cell))
}

/// What is known of the ground beside what the memory holds.
#[derive(Debug, Clone, Copy)]
pub struct Ground<'a> {
    /// How the blocks lie.
    pub grid: Grid,
    pub trodden: &'a Trodden,
    pub water: &'a Water,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        loose::Last,
        matter::Matter,
        state::{Shown, Sight},
    };
    use holdfast_sim::{Camera, Depth, Frame};
    use std::sync::LazyLock;

    static NOTHING: LazyLock<(Trodden, Water)> = LazyLock::new(Default::default);

    fn ground() -> Ground<'static> {
        Ground { grid: Grid::default(), trodden: &NOTHING.0, water: &NOTHING.1 }
    }

    #[test]
    fn on_unknown_ground_it_walks_as_the_kinematics_say() {
        let (mut motion, memory) = (Motion::default(), Memory::new());
        let mut pose = Pose::default();
        let forward = Action { forward: true, ..Action::default() };
        for _ in 0..100 {
            pose = motion.step(&pose, &forward, &memory, ground());
        }
        let before = pose;
        pose = motion.step(&pose, &forward, &memory, ground());
        assert!(((pose.position[2] - before.position[2]) * 20.0 - 4.317).abs() < 0.02, "{pose:?}");
        assert_eq!(pose.position[1], 0.0);
    }

    #[test]
    fn jumps_over_unknown_ground_end_where_they_began() {
        let (mut motion, memory) = (Motion::default(), Memory::new());
        let mut pose = Pose::default();
        let jump = Action { forward: true, jump: true, ..Action::default() };
        let heights: Vec<f32> = (0..200)
            .map(|_| {
                pose = motion.step(&pose, &jump, &memory, ground());
                pose.position[1]
            })
            .collect();
        assert!(heights.iter().filter(|height| **height == 0.0).count() > 10, "{heights:?}");
        assert!(heights.iter().all(|height| (0.0..1.5).contains(height)), "{heights:?}");
    }

    /// Where the eye ends after a second on ground that was looked down upon: so far below the eye, and so doubted.
    fn height_on(grounds: &[(f32, f32)]) -> f32 {
        let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), Camera::new(32, 32));
        let down = Pose { pitch_deg: 90.0, ..Pose::default() };
        for &(below, doubt) in grounds {
            memory.read(&down, &camera, &mut sight);
            let mut depth = Depth::new(32, 32);
            for (pixel, blocks) in depth.blocks.iter_mut().enumerate() {
                *blocks = below * camera.ray(&down.axes(), pixel % 32, pixel / 32).length();
            }
            let (frame, doubt) = (Frame::new(32, 32), vec![doubt; 32 * 32]);
            let shown = Shown { doubt: &doubt, ..Shown::given(&frame, &depth, 1) };
            memory.write(&down, &camera, &mut sight, &shown);
        }
        let (mut motion, mut pose) = (Motion::default(), Pose::default());
        for _ in 0..20 {
            pose = motion.step(&pose, &Action::default(), &memory, ground());
        }
        pose.position[1]
    }

    #[test]
    fn it_falls_to_ground_that_it_is_sure_of() {
        let level = kinematics::EYE_HEIGHT;
        assert_eq!(height_on(&[]), 0.0);
        assert!((height_on(&[(level + 1.0, 0.0)]) + 1.0).abs() < 1e-4);
        assert_eq!(height_on(&[(level + 1.0, 0.5)]), 0.0, "doubted");
        assert_eq!(height_on(&[(level, 0.0), (level + 1.0, 0.5)]), 0.0, "ground above what is doubted");
    }

    /// The eye after each tick of walking on over ground whose surfaces are told by their height at each point, as seen from
    /// above and so far ahead; from a block's middle.
    fn walk(height: impl Fn(f32, f32) -> f32, ahead: f32, action: &Action, ticks: usize) -> Vec<Vec3> {
        let grid = Grid { yaw_deg: 0.0, origin: [0.5, kinematics::EYE_HEIGHT, 0.5] };
        let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), Camera::new(96, 96));
        for look in 0..2 {
            let above = Pose { position: [0.0, 3.0, ahead + look as f32], pitch_deg: 60.0, ..Pose::default() };
            memory.read(&above, &camera, &mut sight);
            let mut depth = Depth::new(96, 96);
            for (pixel, blocks) in depth.blocks.iter_mut().enumerate() {
                let ray = camera.ray(&above.axes(), pixel % 96, pixel / 96).normalize();
                let point = |at: f32| grid.place(&above).eye() + ray * at;
                let under =
                    (0..400).map(|step| step as f32 * 0.05).find(|&at| point(at).y < height(point(at).x, point(at).z));
                *blocks = under.unwrap_or(Depth::SKY);
            }
            memory.write(&above, &camera, &mut sight, &Shown::given(&Frame::new(96, 96), &depth, look));
        }
        let (mut motion, mut pose) = (Motion::default(), Pose::default());
        let trodden = Trodden::default();
        let steps = (0..ticks).map(|_| {
            pose = motion.step(&pose, action, &memory, Ground { grid, trodden: &trodden, water: &NOTHING.1 });
            grid.place(&pose).eye()
        });
        steps.collect()
    }

    #[test]
    fn a_block_stops_a_walk_where_its_face_is_and_a_jump_goes_over() {
        let step = |_: f32, z: f32| if z < 3.0 { 0.0 } else { 1.0 };
        let walked = walk(step, -2.0, &Action { forward: true, ..Action::default() }, 40);
        let end = walked[39];
        assert!((end.z - 2.7).abs() < 0.01 && (end.y - kinematics::EYE_HEIGHT).abs() < 1e-3, "{end}");
        let end = walk(step, -2.0, &Action { forward: true, jump: true, ..Action::default() }, 60)[59];
        assert!(end.z > 4.0 && end.y > kinematics::EYE_HEIGHT + 0.99, "{end}");
    }

    #[test]
    fn a_wall_that_is_doubted_stops_too() {
        let grid = Grid { yaw_deg: 0.0, origin: [0.5, kinematics::EYE_HEIGHT, 0.5] };
        let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), Camera::new(64, 64));
        let level = Pose::default();
        memory.read(&level, &camera, &mut sight);
        let mut depth = Depth::new(64, 64);
        for (pixel, blocks) in depth.blocks.iter_mut().enumerate() {
            let ray = camera.ray(&level.axes(), pixel % 64, pixel / 64);
            *blocks = 2.5 * ray.length() / ray.z;
        }
        let (frame, doubt) = (Frame::new(64, 64), vec![0.5; 64 * 64]);
        memory.write(&level, &camera, &mut sight, &Shown { doubt: &doubt, ..Shown::given(&frame, &depth, 1) });
        assert!(memory.firm().cells() == 0 && memory.drafts().cells() > 0);
        let (mut motion, mut pose) = (Motion::default(), level);
        for _ in 0..40 {
            let forward = Action { forward: true, ..Action::default() };
            pose = motion.step(&pose, &forward, &memory, Ground { grid, ..ground() });
        }
        assert!((grid.place(&pose).eye().z - 2.7).abs() < 0.01, "{pose:?}");
    }

    #[test]
    fn it_stands_on_a_ledge_as_long_as_its_heel_does() {
        let ledge = |_: f32, z: f32| if z < 3.0 { 0.0 } else { -1.0 };
        let walked = walk(ledge, 1.0, &Action { forward: true, ..Action::default() }, 60);
        let left = walked.iter().find(|eye| eye.y < kinematics::EYE_HEIGHT - 0.01).expect("it fell");
        // It has moved on in the tick in which it falls.
        assert!((3.5..3.75).contains(&left.z), "{left}");
        assert!((walked[59].y - kinematics::EYE_HEIGHT + 1.0).abs() < 1e-3, "{}", walked[59]);
    }

    #[test]
    fn the_body_knows_better_than_the_eye_where_it_has_been() {
        let grid = Grid { yaw_deg: 0.0, origin: [0.5, kinematics::EYE_HEIGHT, 0.5] };
        let (mut motion, mut pose, memory) = (Motion::default(), Pose::default(), Memory::new());
        let mut trodden = Trodden::default();
        let forward = Action { forward: true, ..Action::default() };
        for _ in 0..30 {
            pose = motion.step(&pose, &forward, &memory, Ground { grid, trodden: &trodden, water: &NOTHING.1 });
            let (low, high, trusts) = motion.body(&grid.place(&pose));
            trodden.tread(low, high, trusts);
        }
        assert!(trodden.carries(IVec3::new(0, -1, 2)) && trodden.is_empty(IVec3::new(0, 0, 2)));
        // Digging away what carries it, it falls; elsewhere it does not.
        let under = grid.place(&pose).eye().with_y(-0.5).floor().as_ivec3();
        let rest = |trodden: &Trodden| {
            let (mut motion, mut pose) = (motion.clone(), pose);
            for _ in 0..20 {
                pose = motion.step(&pose, &Action::default(), &memory, Ground { grid, trodden, water: &NOTHING.1 });
            }
            pose.eye().y
        };
        assert_eq!(rest(&trodden), 0.0);
        for away in [IVec3::ZERO, IVec3::Z, IVec3::NEG_Z] {
            trodden.empty(under + away);
        }
        assert!((rest(&trodden) + 1.0).abs() < 1e-3, "{}", rest(&trodden));
    }

    #[test]
    fn one_sinks_into_water_and_climbs_out_at_the_bank() {
        let grid = Grid { yaw_deg: 0.0, origin: [0.5, kinematics::EYE_HEIGHT, 0.5] };
        // From z = 3 to 6 a pond, level with the ground; its surface has been seen from above.
        let (mut memory, mut sight, camera) = (Memory::new(), Sight::default(), Camera::new(96, 96));
        let above = Pose { position: [0.0, 5.0, 4.0], pitch_deg: 90.0, ..Pose::default() };
        memory.read(&above, &camera, &mut sight);
        let mut depth = Depth::new(96, 96);
        for (pixel, blocks) in depth.blocks.iter_mut().enumerate() {
            let ray = camera.ray(&above.axes(), pixel % 96, pixel / 96).normalize();
            *blocks = (5.0 + kinematics::EYE_HEIGHT) / -ray.y;
        }
        let frame = Frame::new(96, 96);
        memory.write(&above, &camera, &mut sight, &Shown::given(&frame, &depth, 0));
        let eye = grid.place(&above).eye();
        let matters: Vec<Matter> = (0..96 * 96)
            .map(|pixel| {
                let ray = camera.ray(&above.axes(), pixel % 96, pixel / 96).normalize();
                let z = eye.z + ray.z * depth.blocks[pixel];
                if (3.0..6.0).contains(&z) { Matter::Water } else { Matter::Grass }
            })
            .collect();
        // Near enough to be told.
        let (mut water, trodden) = (Water::default(), Trodden::default());
        water.see(&Last { pose: grid.place(&above), camera: &camera, frame: &frame, depth: &depth }, &matters, true);
        assert!(water.is_in(IVec3::new(0, -1, 4)) && !water.is_in(IVec3::new(0, -1, 2)));
        let walk = |jump: bool| -> Vec<Vec3> {
            let (mut motion, mut pose) = (Motion::default(), Pose::default());
            let action = Action { forward: true, jump, ..Action::default() };
            let steps = (0..160).map(|_| {
                pose = motion.step(&pose, &action, &memory, Ground { grid, trodden: &trodden, water: &water });
                grid.place(&pose).eye()
            });
            steps.collect()
        };
        let waded = walk(false);
        let end = waded[159];
        assert!((end.y - kinematics::EYE_HEIGHT + 1.0).abs() < 0.01 && (end.z - 5.7).abs() < 0.01, "{end}");
        let slow = waded.iter().filter(|eye| (3.5..5.5).contains(&eye.z)).count();
        assert!(slow > 12, "{slow} ticks for two blocks");
        let end = walk(true)[159];
        assert!(end.z > 7.0 && end.y > kinematics::EYE_HEIGHT - 0.01, "{end}");
    }

    #[test]
    fn turning_follows_the_action_exactly() {
        let (mut motion, memory) = (Motion::default(), Memory::new());
        let mut pose = Pose::default();
        for _ in 0..7 {
            pose = motion.step(&pose, &Action { camera: [20.0, -30.0], ..Action::default() }, &memory, ground());
        }
        assert_eq!((pose.yaw_deg, pose.pitch_deg), (-210.0, 90.0));
    }
}
