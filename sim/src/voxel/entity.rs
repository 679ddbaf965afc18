//! An animal: its kind, its body, and how it wanders.

use super::block::Block;
use super::body::Body;
use super::chance::{self, Stream};
use crate::Pose;
use crate::kinematics::{FALL_DRAG, GRAVITY, JUMP_VELOCITY, SWIM_PUSH, WATER_DRAG, WATER_GRAVITY};
use glam::{DVec3, IVec3, Vec3};

/// How far an animal turns in a tick, degrees.
const TURN_DEG: f32 = 8.0;
/// The deepest drop that an animal walks down, blocks.
const MAX_DROP: i32 = 3;

#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Sheep,
    Pig,
    Cow,
    Chicken,
}

impl Kind {
    pub const ALL: [Kind; 4] = [Kind::Sheep, Kind::Pig, Kind::Cow, Kind::Chicken];

    pub const fn name(self) -> &'static str {
        match self {
            Kind::Sheep => "sheep",
            Kind::Pig => "pig",
            Kind::Cow => "cow",
            Kind::Chicken => "chicken",
        }
    }

    /// Width and height of the box that collides, blocks.
    pub const fn size(self) -> (f32, f32) {
        match self {
            Kind::Sheep => (0.9, 1.3),
            Kind::Pig => (0.9, 0.9),
            Kind::Cow => (0.9, 1.4),
            Kind::Chicken => (0.4, 0.7),
        }
    }

    /// Walking pace, blocks a tick.
    pub const fn pace(self) -> f32 {
        match self {
            Kind::Chicken => 0.05,
            Kind::Cow => 0.06,
            _ => 0.07,
        }
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Animal {
    /// Unique in its world.
    pub id: u64,
    pub kind: Kind,
    pub feet: DVec3,
    /// Blocks a tick.
    pub velocity: Vec3,
    pub yaw_deg: f32,
    pub on_ground: bool,
    pub(super) walks: bool,
    pub(super) goal_yaw_deg: f32,
    /// Ticks until it makes up its mind anew.
    pub(super) mood_ticks: u16,
    /// Blocks walked so far: the legs swing by it.
    pub stride: f32,
}

impl Animal {
    pub(super) fn new(id: u64, kind: Kind, feet: DVec3, yaw_deg: f32) -> Self {
        Animal {
            id,
            kind,
            feet,
            velocity: Vec3::ZERO,
            yaw_deg,
            on_ground: true,
            walks: false,
            goal_yaw_deg: yaw_deg,
            mood_ticks: 0,
            stride: 0.0,
        }
    }

    pub fn body(&self) -> Body {
        let (width, height) = self.kind.size();
        Body { feet: self.feet, half_width: f64::from(width) / 2.0, height: f64::from(height) }
    }

    pub(super) fn step(&mut self, tick: u64, seed: u64, blocks: &impl Fn(IVec3) -> Block) {
        if self.mood_ticks == 0 {
            let mut dice = Stream::new(seed ^ chance::ANIMALS, [self.id as i32, (self.id >> 32) as i32], tick);
            self.walks = dice.unit() < 0.45;
            self.mood_ticks = dice.between(20.0, 90.0) as u16;
            self.goal_yaw_deg = self.yaw_deg + dice.between(-120.0, 120.0);
        }
        self.mood_ticks -= 1;
        self.yaw_deg += (self.goal_yaw_deg - self.yaw_deg).clamp(-TURN_DEG, TURN_DEG);

        let forward = Pose { yaw_deg: self.yaw_deg, ..Pose::default() }.axes().forward;
        let in_water = blocks((self.feet + DVec3::Y * 0.3).floor().as_ivec3()).is_liquid();
        let mut pace = if self.walks { self.kind.pace() } else { 0.0 };
        if self.walks && self.on_ground {
            match self.look_ahead(forward, blocks) {
                Ahead::Free => {}
                Ahead::Ledge => self.velocity.y = JUMP_VELOCITY,
                Ahead::Blocked if !in_water => {
                    pace = 0.0;
                    // Turn until the way is free; always to the same side, so that it does not dither in a corner.
                    self.goal_yaw_deg = self.yaw_deg + if self.id.is_multiple_of(2) { 35.0 } else { -35.0 };
                }
                Ahead::Blocked => {}
            }
        }
        if in_water {
            self.velocity.y += SWIM_PUSH;
        }
        (self.velocity.x, self.velocity.z) = (forward.x * pace, forward.z * pace);
        let mut body = self.body();
        let contact = body.travel(self.velocity.as_dvec3(), self.on_ground, 0.0, blocks);
        self.stride += (body.feet - self.feet).with_y(0.0).length() as f32;
        self.feet = body.feet;
        self.on_ground = contact.floor;
        if contact.floor || contact.ceiling {
            self.velocity.y = 0.0;
        }
        self.velocity.y = if in_water {
            self.velocity.y * WATER_DRAG - WATER_GRAVITY
        } else {
            (self.velocity.y - GRAVITY) * FALL_DRAG
        };
    }

    fn look_ahead(&self, forward: Vec3, blocks: &impl Fn(IVec3) -> Block) -> Ahead {
        let (width, height) = self.kind.size();
        let reach = f64::from(width) * 0.5 + 0.4;
        let at = (self.feet + DVec3::Y * 0.05 + forward.as_dvec3() * reach).floor().as_ivec3();
        let solid = |up: i32| blocks(at + IVec3::Y * up).is_solid();
        let tall = 1 + i32::from(height > 1.0);
        if solid(0) {
            let room = (1..=tall).all(|up| !solid(up));
            let above = (self.feet + DVec3::Y * (f64::from(height) + 1.0)).floor().as_ivec3();
            return if room && !blocks(above).is_solid() { Ahead::Ledge } else { Ahead::Blocked };
        }
        if (1..tall).any(solid) {
            return Ahead::Blocked;
        }
        for down in 1..=MAX_DROP {
            let block = blocks(at - IVec3::Y * down);
            if block.is_liquid() || block == Block::Cactus {
                return Ahead::Blocked;
            }
            if block.is_solid() {
                return Ahead::Free;
            }
        }
        Ahead::Blocked
    }
}

enum Ahead {
    Free,
    /// One block high: a jump takes it.
    Ledge,
    Blocked,
}
