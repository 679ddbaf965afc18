//! The player's body: kinematics against the blocks, and the camera.

use super::block::Block;
use super::body::Body;
use crate::kinematics::{self, Footing};
use crate::{Action, Pose};
use glam::{DVec3, IVec3, Vec3};

/// Where the player is and how they move.
#[derive(Debug, Clone, PartialEq)]
pub struct Player {
    /// Centre of the underside of the body.
    pub feet: DVec3,
    /// Blocks a tick, as the next tick begins.
    pub velocity: Vec3,
    pub yaw_deg: f32,
    pub pitch_deg: f32,
    pub on_ground: bool,
    pub in_water: bool,
    /// Whether the last move met a wall.
    pub against_wall: bool,
    eye_height: f32,
}

impl Player {
    pub fn new(feet: Vec3, yaw_deg: f32) -> Self {
        Player {
            feet: feet.as_dvec3(),
            velocity: Vec3::ZERO,
            yaw_deg,
            pitch_deg: 0.0,
            on_ground: true,
            in_water: false,
            against_wall: false,
            eye_height: kinematics::EYE_HEIGHT,
        }
    }

    pub fn body(&self) -> Body {
        Body {
            feet: self.feet,
            half_width: f64::from(kinematics::BODY_WIDTH) / 2.0,
            height: f64::from(kinematics::BODY_HEIGHT),
        }
    }

    pub fn pose(&self) -> Pose {
        let eye = self.feet + DVec3::Y * f64::from(self.eye_height);
        Pose {
            position: eye.as_vec3().to_array(),
            yaw_deg: self.yaw_deg,
            pitch_deg: self.pitch_deg,
        }
    }

    pub fn footing(&self) -> Footing {
        match (self.in_water, self.on_ground) {
            (true, _) => Footing::Water,
            (false, true) => Footing::Ground,
            (false, false) => Footing::Air,
        }
    }

    /// One tick: turn, push, move against the blocks, settle.
    pub fn step(&mut self, action: &Action, blocks: &impl Fn(IVec3) -> Block) {
        let turned = Pose {
            yaw_deg: self.yaw_deg,
            pitch_deg: self.pitch_deg,
            ..Pose::default()
        }
        .turned(action.camera);
        (self.yaw_deg, self.pitch_deg) = (turned.yaw_deg, turned.pitch_deg);
        self.eye_height = kinematics::eye_height(action);

        let footing = self.footing();
        let mut velocity = kinematics::push(self.velocity, action, self.yaw_deg, footing);
        let mut body = self.body();
        let mut by = velocity.as_dvec3();
        let step_height = f64::from(kinematics::STEP_HEIGHT);
        if action.sneak && footing == Footing::Ground && velocity.y <= 0.0 {
            by = body.stay_on_edge(by, step_height, blocks);
            (velocity.x, velocity.z) = (by.x as f32, by.z as f32);
        }
        let contact = body.travel(by, self.on_ground, step_height, blocks);
        self.feet = body.feet;
        self.on_ground = contact.floor;
        self.against_wall = contact.wall();
        // What met a block has lost its speed along that axis.
        if contact.wall_x {
            velocity.x = 0.0;
        }
        if contact.wall_z {
            velocity.z = 0.0;
        }
        if contact.floor || contact.ceiling {
            velocity.y = 0.0;
        }
        self.velocity = kinematics::settle(velocity, footing);
        self.in_water = self.is_swimming(blocks);
        // A swimmer who pushes against a bank is lifted out, as in Minecraft.
        if self.in_water && self.against_wall && action.jump {
            self.velocity.y = self.velocity.y.max(0.3);
        }
    }

    /// Feeds everything that decides the future into a state hash.
    pub fn hash_state(&self, hasher: &mut blake3::Hasher) {
        for value in self.feet.to_array() {
            hasher.update(&value.to_bits().to_le_bytes());
        }
        for value in self
            .velocity
            .to_array()
            .into_iter()
            .chain([self.yaw_deg, self.pitch_deg, self.eye_height])
        {
            hasher.update(&value.to_bits().to_le_bytes());
        }
        hasher.update(&[u8::from(self.on_ground), u8::from(self.in_water)]);
    }

    /// Whether the body, from its knees up, is in a liquid.
    fn is_swimming(&self, blocks: &impl Fn(IVec3) -> Block) -> bool {
        let body = self.body();
        let inner = Body {
            feet: body.feet + DVec3::Y * 0.4,
            half_width: body.half_width - 0.001,
            height: 0.8,
        };
        inner.touches(blocks, Block::is_liquid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn flat(cell: IVec3) -> Block {
        if cell.y < 0 { Block::Stone } else { Block::Air }
    }

    /// A rough world without pattern: floor, pillars and steps from a hash of the cell.
    fn rough(cell: IVec3) -> Block {
        let mut hash = (cell.x as u32).wrapping_mul(0x9E37_79B1) ^ (cell.z as u32).wrapping_mul(0x85EB_CA77);
        hash = (hash ^ (hash >> 15)).wrapping_mul(0x2C1B_3C6D);
        hash ^= hash >> 13;
        let height = match hash % 8 {
            0 => 3,
            1 | 2 => 1,
            _ => 0,
        };
        match cell.y - height {
            ..0 => Block::Stone,
            0 if hash.is_multiple_of(5) => Block::Cake0,
            0 if hash.is_multiple_of(7) => Block::Water,
            3 if hash.is_multiple_of(3) => Block::OakLeaves,
            _ => Block::Air,
        }
    }

    fn player(feet: [f32; 3]) -> Player {
        Player::new(feet.into(), 0.0)
    }

    fn run(player: &mut Player, ticks: usize, action: Action, blocks: &impl Fn(IVec3) -> Block) {
        for _ in 0..ticks {
            player.step(&action, blocks);
        }
    }

    const FORWARD: Action = Action {
        forward: true,
        back: false,
        left: false,
        right: false,
        jump: false,
        sneak: false,
        sprint: false,
        attack: false,
        use_: false,
        hotbar: 0,
        camera: [0.0; 2],
    };

    #[test]
    fn walks_at_minecrafts_pace() {
        let mut player = player([0.5, 0.0, 0.5]);
        run(&mut player, 20, FORWARD, &flat);
        let start = player.feet.z;
        run(&mut player, 20, FORWARD, &flat);
        assert!(
            (player.feet.z - start - 4.317).abs() < 0.01,
            "{}",
            player.feet.z - start
        );
        assert!(player.on_ground);
    }

    #[test]
    fn a_full_block_stops_a_walk_but_not_a_jump() {
        let ledge = |cell: IVec3| {
            if cell.y < i32::from(cell.z >= 3) {
                Block::Stone
            } else {
                Block::Air
            }
        };
        let mut walker = player([0.5, 0.0, 0.5]);
        run(&mut walker, 40, FORWARD, &ledge);
        assert!(
            walker.feet.y < 0.01 && walker.feet.z < 2.71 && walker.against_wall,
            "{walker:?}"
        );
        run(&mut walker, 20, Action { jump: true, ..FORWARD }, &ledge);
        assert!(walker.feet.y > 0.99 && walker.feet.z > 3.0, "{walker:?}");
    }

    #[test]
    fn a_cake_is_stepped_onto() {
        let cake = |cell: IVec3| {
            if cell == IVec3::new(0, 0, 2) {
                Block::Cake0
            } else {
                flat(cell)
            }
        };
        let mut walker = player([0.5, 0.0, 0.5]);
        let mut top = 0.0f64;
        for _ in 0..20 {
            walker.step(&FORWARD, &cake);
            top = top.max(walker.feet.y);
        }
        assert!(top > 0.4 && top < 0.6 && walker.feet.z > 3.0, "{top} {walker:?}");
    }

    #[test]
    fn a_sneak_stops_at_the_edge_and_a_walk_does_not() {
        let cliff = |cell: IVec3| {
            if cell.y < 0 && cell.z < 3 {
                Block::Stone
            } else {
                Block::Air
            }
        };
        let mut sneaker = player([0.5, 0.0, 0.5]);
        run(&mut sneaker, 200, Action { sneak: true, ..FORWARD }, &cliff);
        assert!(sneaker.feet.y > -0.01 && sneaker.feet.z < 3.31, "{sneaker:?}");
        assert!((sneaker.pose().position[1] - 1.54).abs() < 0.01);
        let mut walker = player([0.5, 0.0, 0.5]);
        run(&mut walker, 40, FORWARD, &cliff);
        assert!(walker.feet.y < -1.0, "{walker:?}");
    }

    #[test]
    fn water_carries_a_swimmer_up_and_out() {
        let pond = |cell: IVec3| match cell.y {
            -4..0 if (0..4).contains(&cell.z) => Block::Water,
            ..0 => Block::Stone,
            _ => Block::Air,
        };
        let mut swimmer = player([0.5, -3.5, 1.5]);
        run(&mut swimmer, 30, Action::default(), &pond);
        assert!(swimmer.in_water && swimmer.feet.y < -3.5, "{swimmer:?}");
        run(&mut swimmer, 200, Action { jump: true, ..FORWARD }, &pond);
        assert!(swimmer.feet.z > 4.5 && swimmer.feet.y > -0.01, "{swimmer:?}");
    }

    #[test]
    fn pitch_stops_at_straight_up_and_down() {
        let mut player = player([0.5, 0.0, 0.5]);
        run(
            &mut player,
            5,
            Action {
                camera: [30.0, 400.0],
                ..Action::default()
            },
            &flat,
        );
        assert_eq!((player.pitch_deg, player.yaw_deg), (90.0, 2000.0));
    }

    fn any_action() -> impl Strategy<Value = Action> {
        (any::<[bool; 7]>(), -40.0f32..40.0, -180.0f32..180.0).prop_map(|(keys, pitch, yaw)| {
            let [forward, back, left, right, jump, sneak, sprint] = keys;
            Action {
                forward,
                back,
                left,
                right,
                jump,
                sneak,
                sprint,
                camera: [pitch, yaw],
                ..Action::default()
            }
        })
    }

    proptest! {
        #[test]
        fn on_open_ground_the_plain_kinematics_say_the_same(
            actions in proptest::collection::vec((any_action(), 1usize..12), 1..30),
        ) {
            let mut player = player([0.5, 0.0, 0.5]);
            player.step(&Action::default(), &flat);
            let (mut pose, mut velocity, mut sneaking) = (player.pose(), player.velocity, false);
            for (action, ticks) in actions {
                for _ in 0..ticks {
                    let footing = player.footing();
                    let landing = footing == Footing::Air;
                    (pose, velocity) = kinematics::free_step(pose, velocity, &action, sneaking, footing);
                    player.step(&action, &flat);
                    sneaking = action.sneak;
                    if landing && player.on_ground {
                        // Only the floor knows where a fall ends.
                        pose.position[1] = player.pose().position[1];
                        velocity.y = player.velocity.y;
                    }
                    prop_assert!(pose.eye().distance(player.pose().eye()) < 2e-3, "{pose:?} {player:?}");
                    prop_assert_eq!(pose.yaw_deg, player.pose().yaw_deg);
                    prop_assert!(velocity.distance(player.velocity) < 1e-3, "{velocity} {player:?}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn never_inside_a_block_and_never_too_fast(
            x in -2000i32..2000,
            z in -2000i32..2000,
            actions in proptest::collection::vec((any_action(), 1usize..12), 1..40),
        ) {
            let mut player = player([x as f32 + 0.5, 8.0, z as f32 + 0.5]);
            for (action, ticks) in actions {
                for _ in 0..ticks {
                    player.step(&action, &rough);
                    prop_assert!(!player.body().is_stuck(&rough), "{player:?}");
                    prop_assert!(player.velocity.is_finite() && -player.velocity.y <= kinematics::MAX_FALL + 0.1);
                    prop_assert!(player.feet.y > -0.01, "fell through the floor: {player:?}");
                }
            }
        }
    }
}
