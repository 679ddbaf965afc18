//! How scenes are set: worlds at rest, spots on the ground ahead, and actions that turn, wait and aim.

use glam::{IVec3, Vec3};
use holdfast_sim::{
    Action, Camera, Pose,
    script::Dice,
    voxel::{block::Block, hands::PALETTE, sky::Weather, world::VoxelWorld},
};

/// No turn is faster than this, degrees a tick.
const MAX_TURN_DEG: f32 = 30.0;

/// The world of a seed as it is.
pub fn natural(camera: Camera, seed: u64) -> VoxelWorld {
    let mut world = VoxelWorld::new(camera);
    world.reset_seed(seed);
    world
}

/// The world of a seed by day, in clear weather, without animals: nothing but the player changes it.
pub fn quiet(camera: Camera, seed: u64) -> VoxelWorld {
    let mut world = natural(camera, seed);
    world.set_weather(Some(Weather::Clear));
    world.set_time_of_day(Dice::new(seed ^ 0x6461_7900).between(0.4, 0.6));
    world.clear_animals();
    world
}

/// A free cell on the ground, `ahead` blocks before the player and `right` blocks aside, level with their feet; what
/// grows there is cleared. `None` where the ground is not level, or where something stands between.
pub fn spot(world: &mut VoxelWorld, ahead: f32, right: f32) -> Option<IVec3> {
    let feet = world.player().feet.as_vec3();
    let axes = Pose { yaw_deg: world.player().yaw_deg, ..Pose::default() }.axes();
    let y = feet.y.round() as i32;
    let along = |share: f32| {
        let at = feet + (axes.forward * ahead + axes.right * right) * share;
        IVec3::new(at.x.floor() as i32, y, at.z.floor() as i32)
    };
    let steps = (ahead.hypot(right) * 2.0).ceil() as i32;
    for step in 0..=steps {
        let cell = along(step as f32 / steps as f32);
        let open = |block: Block| block == Block::Air || block.is_plant();
        if !open(world.block(cell)) || !open(world.block(cell + IVec3::Y)) {
            return None;
        }
        if !world.block(cell - IVec3::Y).is_full_cube() {
            return None;
        }
        for cell in [cell, cell + IVec3::Y] {
            if world.block(cell).is_plant() {
                world.set_block(cell, Block::Air);
            }
        }
    }
    Some(along(1.0))
}

/// A quiet world whose player faces level ground, in the first of eight directions that has it: the free cells at the
/// given places, `[ahead, right]` in blocks.
pub fn facing_ground<const N: usize>(
    camera: Camera,
    seed: u64,
    places: [[f32; 2]; N],
) -> Option<(VoxelWorld, [IVec3; N])> {
    let world = quiet(camera, seed);
    let (feet, yaw_deg) = (world.player().feet.as_vec3(), world.player().yaw_deg);
    (0..8).find_map(|turn| {
        let mut world = world.clone();
        world.place_player(feet, yaw_deg + 45.0 * turn as f32, 0.0);
        world.clear_animals();
        let mut cells = [IVec3::ZERO; N];
        for (cell, [ahead, right]) in cells.iter_mut().zip(places) {
            *cell = spot(&mut world, ahead, right)?;
        }
        Some((world, cells))
    })
}

/// The hotbar slot that holds a block, 1 to 9.
pub fn slot_of(block: Block) -> Option<u8> {
    PALETTE.iter().position(|&held| held == block).map(|at| at as u8 + 1)
}

/// Actions, and the true world in which they are rehearsed: aiming needs to know where the player is.
#[derive(Debug, Clone)]
pub struct Plan {
    pub world: VoxelWorld,
    pub actions: Vec<Action>,
}

impl Plan {
    pub fn new(start: &VoxelWorld) -> Plan {
        Plan { world: start.clone(), actions: Vec::new() }
    }

    pub fn act(&mut self, action: Action) {
        self.world.tick(&action);
        self.actions.push(action);
    }

    /// Holds keys for some ticks.
    pub fn hold(&mut self, keys: Action, ticks: usize) {
        (0..ticks).for_each(|_| self.act(keys));
    }

    pub fn rest(&mut self, ticks: usize) {
        self.hold(Action::default(), ticks);
    }

    /// Turns by `[pitch_deg, yaw_deg]`, no faster than a hand.
    pub fn turn(&mut self, camera: [f32; 2]) {
        let ticks = (camera[0].abs().max(camera[1].abs()) / MAX_TURN_DEG).ceil() as usize;
        let part = camera.map(|turn| turn / ticks.max(1) as f32);
        self.hold(Action { camera: part, ..Action::default() }, ticks);
    }

    /// Turns until the crosshair is on a point.
    pub fn aim(&mut self, point: Vec3) {
        let pose = self.world.pose();
        let to = point - pose.eye();
        let yaw_deg = yaw_deg_of(to);
        let pitch_deg = (-to.y).atan2(to.x.hypot(to.z)).to_degrees();
        self.turn([pitch_deg - pose.pitch_deg, (yaw_deg - pose.yaw_deg + 180.0).rem_euclid(360.0) - 180.0]);
    }

    /// Walks towards a place on the map until it is near; false when the way is blocked.
    pub fn walk(&mut self, to: [f32; 2], most_ticks: usize) -> bool {
        let away = |plan: &Plan| {
            let at = plan.world.pose().eye();
            Vec3::new(to[0] - at.x, 0.0, to[1] - at.z)
        };
        for _ in 0..most_ticks {
            let left = away(self);
            if left.length() < 0.3 {
                return true;
            }
            let pose = self.world.pose();
            let error_deg = (yaw_deg_of(left) - pose.yaw_deg + 180.0).rem_euclid(360.0) - 180.0;
            let turn_deg = error_deg.clamp(-MAX_TURN_DEG, MAX_TURN_DEG);
            let player = self.world.player();
            let jump = player.on_ground && player.against_wall || player.in_water;
            let forward = error_deg.abs() < 40.0;
            self.act(Action { forward, jump, camera: [0.0, turn_deg], ..Action::default() });
        }
        away(self).length() < 0.6
    }
}

fn yaw_deg_of(to: Vec3) -> f32 {
    (-to.x).atan2(to.z).to_degrees()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn aiming_brings_the_crosshair_to_the_spot() {
        let mut found = 0;
        for seed in 1_000_000..1_000_020 {
            let Some((mut world, [cell])) = facing_ground(Camera::new(32, 24), seed, [[3.0, 0.5]]) else { continue };
            found += 1;
            world.set_block(cell, Block::Brick);
            let mut plan = Plan::new(&world);
            plan.aim(cell.as_vec3() + 0.5);
            assert_eq!(plan.world.target().map(|target| target.cell), Some(cell), "seed {seed}");
        }
        assert!(found > 14, "{found} of 20 seeds have level ground ahead");
    }

    #[test]
    fn a_walk_arrives_where_it_says() {
        let world = quiet(Camera::new(32, 24), 1_000_001);
        let mut arrived = 0;
        for yaw_deg in [0.0f32, 90.0, 180.0, 270.0] {
            let feet = world.player().feet.as_vec3();
            let to = feet + Pose { yaw_deg, ..Pose::default() }.axes().forward * 5.0;
            let mut plan = Plan::new(&world);
            if plan.walk([to.x, to.z], 80) {
                arrived += 1;
                assert!(plan.world.player().feet.as_vec3().with_y(0.0).distance(to.with_y(0.0)) < 0.7);
            }
        }
        assert!(arrived >= 2, "{arrived} of 4 ways are open");
    }

    #[test]
    fn slots_hold_what_they_are_named_for() {
        assert_eq!(slot_of(Block::Dirt), Some(1));
        assert_eq!(slot_of(Block::Bedrock), None);
    }
}
