//! The steps that look at the true world: aiming, walking to a place, breaking, and not walking into trouble.

use super::Policy;
use super::dice::Dice;
use super::stroke::{Step, Stroke, snap_deg};
use crate::voxel::block::Block;
use crate::voxel::hands::PALETTE;
use crate::voxel::pick::{self, Target};
use crate::voxel::world::VoxelWorld;
use crate::{Action, Pose};
use glam::{DVec3, IVec3, Vec3};

/// A hand's fastest turn, degrees a tick, and how fast it gets there, degrees a tick squared.
const MAX_RATE_DEG: f32 = 22.0;
const MAX_GAIN_DEG: f32 = 6.0;
/// Aiming is given up after this long.
const PATIENCE_TICKS: u32 = 80;
/// A player pushes against a wall for this long before they give way: some of it is worth seeing.
const PUSH_TICKS: u32 = 5;

/// What a player remembers while one step lasts.
#[derive(Debug, Clone, Default)]
pub(super) struct Eyes {
    /// The camera's turn in the last tick, `[pitch, yaw]`.
    rate_deg: [f32; 2],
    ticks: u32,
    pushed_ticks: u32,
    /// While it is not 0, the walk steps aside.
    detour_ticks: u32,
    detour_left: bool,
    cell: Option<IVec3>,
}

/// What lies a step ahead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ahead {
    Free,
    /// One block high, with room above: a jump takes it.
    Ledge,
    Wall,
    /// A deep drop or deep water.
    Danger,
}

impl Eyes {
    /// A step is over; the hand comes to rest.
    pub(super) fn rest(&mut self) {
        *self = Eyes::default();
    }

    /// The next action of a step in the true world; `None` when the step is over.
    pub(super) fn perform(
        &mut self,
        step: &mut Step,
        policy: Policy,
        world: &VoxelWorld,
        dice: &mut Dice,
    ) -> Option<Action> {
        self.ticks += 1;
        match step {
            Step::Stroke(stroke) => {
                let action = stroke.advance()?;
                if matches!(policy, Policy::Random | Policy::Still) {
                    return Some(action);
                }
                let (action, turn_away) = self.careful(action, world);
                if turn_away {
                    let turn = dice.sign() * dice.between(60.0, 150.0);
                    *stroke = Stroke::new(Action::default(), dice.whole(8..20), [0.0, turn]);
                }
                Some(action)
            }
            Step::Face { yaw_deg, pitch_deg, keys } => {
                let pose = world.pose();
                // The short way round.
                let yaw_error = (*yaw_deg - pose.yaw_deg + 180.0).rem_euclid(360.0) - 180.0;
                let camera = self.pursue([*pitch_deg - pose.pitch_deg, yaw_error])?;
                Some(Action { camera, ..*keys })
            }
            Step::Aim { point } => {
                let camera = self.pursue(error_deg(&world.pose(), *point))?;
                Some(Action { camera, ..Action::default() })
            }
            Step::Walk { to, keys, ticks_left } => {
                *ticks_left = ticks_left.checked_sub(1)?;
                self.walk(*to, *keys, world, dice)
            }
            Step::Break { ticks_left } => {
                *ticks_left = ticks_left.checked_sub(1)?;
                let target = world.target()?;
                target.block.hardness_ticks()?;
                (*self.cell.get_or_insert(target.cell) == target.cell).then_some(())?;
                Some(Action { attack: true, ..Action::default() })
            }
            Step::Use { slot } => {
                (self.ticks == 1).then_some(Action { use_: true, hotbar: *slot, ..Action::default() })
            }
        }
    }

    /// The camera's turn towards an error of `[pitch, yaw]`, fast in the middle and slow at both ends; `None` when
    /// there is nothing left to turn.
    fn pursue(&mut self, error_deg: [f32; 2]) -> Option<[f32; 2]> {
        if error_deg.iter().all(|error| error.abs() < 0.1) || self.ticks > PATIENCE_TICKS {
            return None;
        }
        for axis in 0..2 {
            let error = error_deg[axis];
            let wish = if error.abs() < 1.5 { error } else { (error * 0.35).clamp(-MAX_RATE_DEG, MAX_RATE_DEG) };
            let rate = self.rate_deg[axis];
            self.rate_deg[axis] = wish.clamp(rate - MAX_GAIN_DEG, rate + MAX_GAIN_DEG);
        }
        Some(self.rate_deg.map(snap_deg))
    }

    fn walk(&mut self, to: [f32; 2], keys: Action, world: &VoxelWorld, dice: &mut Dice) -> Option<Action> {
        let pose = world.pose();
        let away = Vec3::new(to[0] - pose.position[0], 0.0, to[1] - pose.position[2]);
        if away.length() < 0.45 {
            return None;
        }
        // Looks at the ground well ahead, not at its own feet.
        let point = pose.eye() + away.normalize() * 8.0 - Vec3::Y;
        let error = error_deg(&pose, point);
        self.ticks = 0; // patience is for aiming
        let camera = self.pursue(error).unwrap_or([0.0; 2]);
        let near = away.length() < 1.2;
        let mut action = Action { camera, forward: error[1].abs() < 50.0, sprint: keys.sprint && !near, ..keys };
        if self.detour_ticks > 0 {
            self.detour_ticks -= 1;
            (action.left, action.right) = (self.detour_left, !self.detour_left);
            action.forward = self.detour_ticks < 6;
        }
        let (careful, blocked) = self.careful(action, world);
        if blocked && self.detour_ticks == 0 {
            self.detour_ticks = dice.whole(10..22);
            self.detour_left = dice.chance(0.5);
        }
        Some(careful)
    }

    /// The action with a jump where one is needed; true when the way should be given up.
    fn careful(&mut self, mut action: Action, world: &VoxelWorld) -> (Action, bool) {
        let player = world.player();
        if player.in_water {
            action.jump = true;
        }
        let [right, forward] = action.wish();
        if right == 0.0 && forward == 0.0 {
            return (action, false);
        }
        let axes = Pose { yaw_deg: player.yaw_deg + action.camera[1], ..Pose::default() }.axes();
        let way = (axes.right * right + axes.forward * forward).normalize_or_zero();
        let ahead = look_ahead(world, way);
        self.pushed_ticks = if player.against_wall { self.pushed_ticks + 1 } else { 0 };
        match ahead {
            Ahead::Danger if player.on_ground => {
                let stop = Action { forward: false, back: false, left: false, right: false, ..action };
                (stop, true)
            }
            Ahead::Ledge if player.on_ground && !action.sneak => (Action { jump: true, ..action }, false),
            _ => (action, self.pushed_ticks > PUSH_TICKS),
        }
    }
}

/// The turn `[pitch, yaw]` that brings the crosshair to a point.
fn error_deg(pose: &Pose, point: Vec3) -> [f32; 2] {
    let to = point - pose.eye();
    let yaw_deg = libm::atan2f(-to.x, to.z).to_degrees();
    let flat = libm::sqrtf(to.x * to.x + to.z * to.z);
    let pitch_deg = libm::atan2f(-to.y, flat).to_degrees();
    [pitch_deg - pose.pitch_deg, (yaw_deg - pose.yaw_deg + 180.0).rem_euclid(360.0) - 180.0]
}

fn look_ahead(world: &VoxelWorld, way: Vec3) -> Ahead {
    let feet = world.player().feet;
    let block = |at: DVec3| world.block(at.floor().as_ivec3());
    let at = feet + way.as_dvec3() * 0.8 + DVec3::Y * 0.1;
    if block(at).is_solid() && !block(at).is_cake() {
        let room = !block(at + DVec3::Y).is_solid() && !block(at + DVec3::Y * 2.0).is_solid();
        let head = block(feet + DVec3::Y * 2.1).is_solid();
        return if room && !head { Ahead::Ledge } else { Ahead::Wall };
    }
    if block(at + DVec3::Y).is_solid() {
        return Ahead::Wall;
    }
    for down in 1..=4 {
        let below = block(at - DVec3::Y * f64::from(down));
        if below.is_solid() {
            return Ahead::Free;
        }
        let deeper = block(at - DVec3::Y * f64::from(down + 1));
        if below.is_liquid() && deeper.is_liquid() {
            return Ahead::Danger;
        }
    }
    Ahead::Danger
}

/// The first thing met in one of a few random directions about the present view that fits, and the point that was met.
fn glance(
    world: &VoxelWorld,
    dice: &mut Dice,
    pitch_deg: [f32; 2],
    fits: impl Fn(&Target) -> bool,
) -> Option<(Vec3, Target)> {
    let pose = world.pose();
    for _ in 0..16 {
        let yaw_deg = pose.yaw_deg + dice.between(-60.0, 60.0);
        let pitch_deg = dice.between(pitch_deg[0], pitch_deg[1]);
        let look = Pose { yaw_deg, pitch_deg, ..pose };
        let forward = look.axes().forward;
        if let Some(hit) = pick::pick(pose.eye(), forward, pick::REACH - 0.2, &|cell| world.block(cell))
            && fits(&hit)
        {
            return Some((pose.eye() + forward * (hit.distance + 0.01), hit));
        }
    }
    None
}

/// A point on a block within reach that can be broken, and that the player does not stand on. A third of the time one is
/// sought that somebody placed, and a third of the time one that will set something going: sand that falls, water that
/// runs, a plant that loses its hold.
pub(super) fn something_to_break(world: &VoxelWorld, dice: &mut Dice) -> Option<Vec3> {
    let feet = world.player().feet.floor().as_ivec3();
    let breaks = |hit: &Target| {
        let under = hit.cell.x == feet.x && hit.cell.z == feet.z && hit.cell.y < feet.y;
        hit.block.hardness_ticks().is_some() && !under
    };
    let sets_going = |hit: &Target| {
        let above = world.block(hit.cell + IVec3::Y);
        let beside = [IVec3::X, IVec3::NEG_X, IVec3::Z, IVec3::NEG_Z];
        let wet = || beside.iter().any(|&side| world.block(hit.cell + side).is_liquid());
        breaks(hit) && (above.falls() || above.is_plant() || above.is_liquid() || wet())
    };
    let placed = |hit: &Target| breaks(hit) && PALETTE.contains(&hit.block);
    let sought = match dice.whole(0..3) {
        0 => glance(world, dice, [-10.0, 65.0], placed),
        1 => glance(world, dice, [-10.0, 65.0], sets_going),
        _ => None,
    };
    sought.or_else(|| glance(world, dice, [-10.0, 65.0], breaks)).map(|(point, _)| point)
}

/// A point on a face within reach on which a block can be placed, and the cell that it would fill.
pub(super) fn somewhere_to_place(world: &VoxelWorld, dice: &mut Dice) -> Option<(Vec3, IVec3)> {
    let body = world.player().body();
    let found = glance(world, dice, [0.0, 60.0], |hit| {
        let cell = hit.cell + hit.face;
        !body.overlaps_cell(cell) && !world.block(cell).is_solid() && !hit.block.is_cake()
    });
    found.map(|(point, hit)| (point, if hit.block.is_plant() { hit.cell } else { hit.cell + hit.face }))
}

/// The nearest cake within a few steps: where to stand beside it (x, y, z), and a point to aim at.
pub(super) fn nearest_cake(world: &VoxelWorld) -> Option<([f32; 3], Vec3)> {
    const STEPS: i32 = 7;
    let feet = world.player().feet.floor().as_ivec3();
    let mut best: Option<(i32, IVec3)> = None;
    for y in -2..=2 {
        for z in -STEPS..=STEPS {
            for x in -STEPS..=STEPS {
                let away = IVec3::new(x, y, z);
                if world.block(feet + away).is_cake() && best.is_none_or(|(least, _)| away.length_squared() < least) {
                    best = Some((away.length_squared(), feet + away));
                }
            }
        }
    }
    let (_, cell) = best?;
    let (low, high) = Block::bounds(world.block(cell));
    // The side that is eaten last.
    let point = cell.as_vec3() + Vec3::new(high.x - 0.08, high.y, (low.z + high.z) / 2.0);
    let from = (world.pose().eye() - point).with_y(0.0).normalize_or(Vec3::X);
    Some(((point + from * 1.6).to_array(), point))
}
