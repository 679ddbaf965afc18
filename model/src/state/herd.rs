//! The herd: animals that a start showed and that were recognised. They live on by themselves, seen or unseen, and are no
//! part of what the denoiser draws: it draws what is behind them (`docs/decisions/movers.md`).
//!
//! A beast stands, turns and walks as its like do, on the ground that is remembered and around what stands in its way. What
//! it does is drawn by lot, the lots by what it is and when: a replay shows the same.

use super::{WorldState, window::window};
use crate::{
    creature::{Creature, Creatures, Found, Posed},
    grid::{Alignment, cells},
    light::FaceLight,
    motion::Ground,
};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame, Pose, kinematics::BODY_WIDTH, script::Dice};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{Rng, SeedableRng},
};
use serde::{Deserialize, Serialize};

/// Most beasts: those that are nearest at the start.
const MOST_BEASTS: usize = 16;
/// How often a beast walks when it makes up its mind, for how many ticks it keeps to that, and how far it turns then.
const WALKS: f32 = 0.45;
const MOOD_TICKS: std::ops::Range<f32> = 20.0..90.0;
const MOST_TURN_DEG: f32 = 120.0;
/// How far it turns in a tick, and where it cannot go on, degrees.
const TURN_DEG: f32 = 8.0;
const ASIDE_DEG: f32 = 35.0;
/// The deepest drop that it walks down, and how fast it climbs a block and comes down, blocks a tick.
const MOST_DROP: f32 = 3.0;
const CLIMB: f32 = 0.34;
const SINK: f32 = 0.4;
/// How fast one walks for those who draw a map, blocks a tick.
const PACE_BLOCKS: f32 = 0.06;
/// Farther from the player it waits, blocks.
const WAITS_BLOCKS: f32 = 40.0;
/// And is too small to see.
const SEEN_BLOCKS: f32 = 32.0;
/// It stands before a surface that is at most this much nearer: the ground under its feet.
const SLACK_BLOCKS: f32 = 0.1;
const SLACK_SHARE: f32 = 0.04;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct Beast {
    /// Number of its kind.
    kind: u8,
    #[serde(with = "crate::keep::vec3")]
    feet: Vec3,
    yaw_deg: f32,
    goal_yaw_deg: f32,
    walks: bool,
    /// Ticks until it makes up its mind anew.
    mood_ticks: u16,
    /// Blocks walked so far: the legs swing by it.
    stride_blocks: f32,
    /// How bright it is, over its colours in full light, where the world around has a mean brightness of 1.
    light: f32,
}

/// See the module. In map coordinates.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Herd {
    beasts: Vec<Beast>,
}

impl Herd {
    /// What was found in a start, in a world of that mean brightness. All of it walks on where it faces: nobody knows from
    /// one picture whether it does.
    ///
    /// `turned_deg`: how far the map's yaw is from the blocks'.
    pub fn begin(found: &[Found], alignment: &Alignment, turned_deg: f32, brightness: f32) -> Herd {
        let beast = |found: &Found| {
            let yaw_deg = found.yaw_deg + turned_deg;
            Beast {
                kind: found.kind as u8,
                feet: alignment.in_map(found.feet),
                yaw_deg,
                goal_yaw_deg: yaw_deg,
                walks: true,
                mood_ticks: ((MOOD_TICKS.start + MOOD_TICKS.end) * 0.5) as u16,
                stride_blocks: 0.0,
                light: found.brightness / brightness.max(1e-3),
            }
        };
        Herd { beasts: found.iter().take(MOST_BEASTS).map(beast).collect() }
    }

    pub fn is_empty(&self) -> bool {
        self.beasts.is_empty()
    }

    /// Where each is, and how it moves, blocks a tick, about.
    pub fn places(&self) -> impl Iterator<Item = (Vec3, Vec3)> {
        let pace = |beast: &Beast| if beast.walks { PACE_BLOCKS } else { 0.0 };
        self.beasts.iter().map(move |beast| (beast.feet, heading(beast.yaw_deg) * pace(beast)))
    }

    /// Puts each somewhere else, facing some other way: for a probe's control.
    pub fn scatter(&mut self, dice: &mut Dice) {
        for beast in &mut self.beasts {
            let mut draw = |most: i32| (dice.whole(0..2 * most as u32 + 1) as i32 - most) as f32;
            beast.feet += Vec3::new(draw(6), 0.0, draw(6));
            (beast.yaw_deg, beast.goal_yaw_deg) = (draw(180), draw(180));
        }
    }

    /// Whether it is one: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.beasts.len() <= MOST_BEASTS
            && self.beasts.iter().all(|beast| {
                let numbers = [beast.yaw_deg, beast.goal_yaw_deg, beast.stride_blocks, beast.light];
                beast.feet.is_finite()
                    && beast.feet.abs().max_element() < 1e7
                    && numbers.iter().all(|it| it.abs() < 1e7)
            })
    }

    /// One tick of its life.
    pub(super) fn live(
        &mut self,
        map: &WorldState,
        eye: Vec3,
        alignment: &Alignment,
        ground: &Ground,
        kinds: &Creatures,
        tick: u32,
    ) {
        for (at, beast) in self.beasts.iter_mut().enumerate() {
            let Some(creature) = kinds.kind(beast.kind.into()) else { continue };
            if beast.feet.distance(eye) > WAITS_BLOCKS {
                continue;
            }
            beast.resolve(tick);
            if beast.walks && (beast.is_in_the_way(creature, eye) || !beast.walk(creature, map, alignment, ground)) {
                // Always to the same side, so that it does not dither in a corner.
                beast.goal_yaw_deg = beast.yaw_deg + if at % 2 == 0 { ASIDE_DEG } else { -ASIDE_DEG };
            }
        }
    }

    /// Draws it into a picture and its depths, seen from `pose`, before what is farther off.
    pub fn show(
        &self,
        pose: &Pose,
        camera: &Camera,
        (kinds, light): (&Creatures, &FaceLight),
        brightness: f32,
        (frame, depth): (&mut Frame, &mut Depth),
    ) {
        let (eye, axes) = (pose.eye(), pose.axes());
        for beast in &self.beasts {
            let Some(creature) = kinds.kind(beast.kind.into()) else { continue };
            let (middle, radius) = creature.sphere();
            let away = beast.feet + Vec3::Y * middle - eye;
            if away.length() > SEEN_BLOCKS {
                continue;
            }
            let (columns, rows) = window(camera, &axes, away, radius);
            let body = beast.body(creature);
            let bright = beast.light * brightness * 255.0;
            for at in rows.flat_map(|y| columns.clone().map(move |x| y * camera.width + x)) {
                let ray = camera.ray(&axes, at % camera.width, at / camera.width);
                let Some((reach, rgb)) = body.meet(eye, ray, light) else { continue };
                let blocks = reach * ray.length();
                if blocks < depth.blocks[at] * (1.0 + SLACK_SHARE) + SLACK_BLOCKS {
                    depth.blocks[at] = blocks;
                    frame.rgb[at * 3..at * 3 + 3].copy_from_slice(&(rgb * bright).to_array().map(|value| value as u8));
                }
            }
        }
    }
}

/// A block ahead.
fn heading(yaw_deg: f32) -> Vec3 {
    Pose { yaw_deg, ..Pose::default() }.axes().forward
}

impl Beast {
    fn velocity(&self, creature: &Creature) -> Vec3 {
        heading(self.yaw_deg) * if self.walks { creature.pace_blocks } else { 0.0 }
    }

    fn body<'a>(&self, creature: &'a Creature) -> Posed<'a> {
        creature.posed(self.feet, self.yaw_deg, self.stride_blocks)
    }

    /// Makes up its mind when it is time, and turns to where it wants to go.
    fn resolve(&mut self, tick: u32) {
        if self.mood_ticks == 0 {
            let [x, z] = [self.feet.x, self.feet.z].map(|part| u64::from(part.to_bits()));
            let mut rng = ChaCha8Rng::seed_from_u64((x << 32 | z) ^ u64::from(tick) << 16);
            let mut unit = || (rng.next_u32() >> 8) as f32 / (1u32 << 24) as f32;
            self.walks = unit() < WALKS;
            self.mood_ticks = (MOOD_TICKS.start + unit() * (MOOD_TICKS.end - MOOD_TICKS.start)) as u16;
            self.goal_yaw_deg = self.yaw_deg + (unit() - 0.5) * 2.0 * MOST_TURN_DEG;
        }
        self.mood_ticks -= 1;
        self.yaw_deg += (self.goal_yaw_deg - self.yaw_deg).clamp(-TURN_DEG, TURN_DEG);
    }

    /// Whether a step ahead leads into a player who has the eye there.
    fn is_in_the_way(&self, creature: &Creature, eye: Vec3) -> bool {
        let away = |feet: Vec3| (eye - feet).with_y(0.0).length();
        let next = away(self.feet + self.velocity(creature));
        next < creature.size().0 + BODY_WIDTH && next < away(self.feet)
    }

    /// A step ahead; whether the way is free.
    fn walk(&mut self, creature: &Creature, map: &WorldState, alignment: &Alignment, ground: &Ground) -> bool {
        let [from, ahead] = [self.feet, self.feet + self.velocity(creature)].map(|point| alignment.among_blocks(point));
        let by = ahead - from;
        let mut faces = map.faces(from, alignment);
        faces.amend(ground);
        let (girth, height) = creature.size();
        let body = |feet: Vec3| {
            let half = Vec3::new(girth, 0.0, girth);
            (feet - half, feet + half.with_y(height))
        };
        let is_free = |from: Vec3| [0, 2].into_iter().all(|axis| !faces.clip(body(from), axis, by[axis]).1);
        let to = if is_free(from) {
            let floors = faces.floors(body(from + by));
            let floor = floors.filter_map(|(_, floor)| floor).max().map_or(from.y, |floor| floor as f32);
            let is_wet = |feet: Vec3| {
                let (low, high) = body(feet);
                cells(low.floor().as_ivec3(), high.with_y(low.y).floor().as_ivec3())
                    .any(|cell| ground.water.is_in(cell))
            };
            if floor < from.y - MOST_DROP || is_wet((from + by).with_y(floor - 0.5)) && !is_wet(from) {
                return false;
            }
            (from + by).with_y((floor - from.y).clamp(-SINK, 0.0) + from.y)
        } else if is_free(from + Vec3::Y) {
            from + Vec3::Y * CLIMB
        } else {
            return false;
        };
        self.stride_blocks += (to - from).with_y(0.0).length();
        self.feet = alignment.in_map(to);
        true
    }
}

#[cfg(test)]
#[path = "herd_tests.rs"]
mod tests;
