//! All animals of a world: a few to an area, the same for every visit to a seed.

use super::block::Block;
use super::body::Body;
use super::chance::{self, Stream};
use super::entity::{Animal, Kind};
use glam::{DVec3, IVec3};
use std::collections::BTreeSet;

/// Animals further than this from the player (along any horizontal axis) stand frozen, blocks.
pub const ACTIVE_RADIUS: i32 = 44;
/// Herds are drawn by lot for squares of this side, blocks.
const AREA: i32 = 16;
/// How far an animal is shoved in a tick by a body that stands in its place, blocks: faster than a sprint.
const SHOVE: f64 = 0.3;

/// All animals of a world.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Herds {
    /// Areas whose lot was drawn.
    drawn: BTreeSet<[i32; 2]>,
    /// By id order of birth.
    pub animals: Vec<Animal>,
}

impl Herds {
    /// Draws the lot of every area near the player that has none yet. `surface` gives the highest solid cell of a
    /// column and its block.
    pub fn populate(&mut self, seed: u64, centre: IVec3, radius: i32, surface: impl Fn(i32, i32) -> (i32, Block)) {
        let low = (centre - radius).map(|v| v.div_euclid(AREA)) + 1;
        let high = (centre + radius).map(|v| v.div_euclid(AREA)) - 1;
        for z in low.z..=high.z {
            for x in low.x..=high.x {
                if !self.drawn.insert([x, z]) {
                    continue;
                }
                let mut dice = Stream::new(seed ^ chance::ANIMALS, [x, z], u64::MAX);
                if dice.unit() > 0.3 {
                    continue;
                }
                let kind = Kind::ALL[(dice.draw() % 4) as usize];
                let herd = 1 + dice.draw() % 3;
                for member in 0..herd {
                    let cell_x = x * AREA + (dice.draw() % AREA as u64) as i32;
                    let cell_z = z * AREA + (dice.draw() % AREA as u64) as i32;
                    let yaw_deg = dice.between(-180.0, 180.0);
                    let (y, ground) = surface(cell_x, cell_z);
                    if !matches!(ground, Block::Grass | Block::Snow | Block::Sand) {
                        continue;
                    }
                    let id = chance::number([x, z]).wrapping_add(member);
                    let feet = DVec3::new(f64::from(cell_x) + 0.5, f64::from(y) + 1.0, f64::from(cell_z) + 0.5);
                    self.animals.push(Animal::new(id, kind, feet, yaw_deg));
                }
            }
        }
    }

    /// Adds an animal that walks straight on for `walk_ticks`.
    pub fn spawn(&mut self, kind: Kind, feet: DVec3, yaw_deg: f32, walk_ticks: u16) -> u64 {
        // Ids of herds are spread over the whole range; small ones are free.
        let id = (1..)
            .find(|id| self.animals.iter().all(|animal| animal.id != *id))
            .unwrap_or(u64::MAX);
        let walks = walk_ticks > 0;
        self.animals.push(Animal {
            walks,
            mood_ticks: walk_ticks,
            ..Animal::new(id, kind, feet, yaw_deg)
        });
        id
    }

    /// Animals give way to a body that walks into them, as far as the blocks let them.
    pub fn make_room(&mut self, body: &Body, blocks: &impl Fn(IVec3) -> Block) {
        for animal in &mut self.animals {
            let mut own = animal.body();
            let overlap = own.low().cmplt(body.high()).all() && own.high().cmpgt(body.low()).all();
            if overlap {
                let away = (own.feet - body.feet).with_y(0.0).normalize_or(DVec3::X);
                own.travel(away * SHOVE, false, 0.0, blocks);
                animal.feet = own.feet;
            }
        }
    }

    /// The animals near the player live on for a tick.
    pub fn step(&mut self, tick: u64, seed: u64, centre: IVec3, blocks: &impl Fn(IVec3) -> Block) {
        for animal in &mut self.animals {
            let away = (animal.feet.floor().as_ivec3() - centre).with_y(0).abs().max_element();
            if away <= ACTIVE_RADIUS {
                animal.step(tick, seed, blocks);
            }
        }
    }

    pub fn hash_state(&self, hasher: &mut blake3::Hasher) {
        for animal in &self.animals {
            hasher.update(&animal.id.to_le_bytes());
            for value in animal.feet.to_array() {
                hasher.update(&value.to_bits().to_le_bytes());
            }
            hasher.update(&[u8::from(animal.walks), u8::from(animal.on_ground)]);
            for value in [
                animal.velocity.y,
                animal.yaw_deg,
                animal.goal_yaw_deg,
                f32::from(animal.mood_ticks),
            ] {
                hasher.update(&value.to_bits().to_le_bytes());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Grass with a pond in the middle and a wall along x = 20.
    fn meadow(cell: IVec3) -> Block {
        let pond = cell.x.abs() < 4 && cell.z.abs() < 4;
        match cell.y {
            -1 if pond => Block::Water,
            ..0 => Block::Grass,
            0..2 if cell.x == 20 => Block::Stone,
            _ => Block::Air,
        }
    }

    #[test]
    fn animals_walk_about_on_dry_land() {
        let mut herds = Herds::default();
        herds.populate(5, IVec3::ZERO, 48, |x, z| (-1, meadow(IVec3::new(x, -1, z))));
        let born = herds.animals.clone();
        assert!(born.len() >= 5, "{} animals", born.len());
        for tick in 1..=1200 {
            herds.step(tick, 5, IVec3::ZERO, &meadow);
            for animal in &herds.animals {
                assert!(!animal.body().is_stuck(&meadow), "{animal:?}");
                assert!(animal.feet.y > -0.01, "in the water: {animal:?}");
            }
        }
        let walked = born
            .iter()
            .zip(&herds.animals)
            .filter(|(a, b)| a.feet.distance(b.feet) > 1.0)
            .count();
        assert!(walked * 2 > born.len(), "{walked} of {} walked", born.len());
        assert!(
            born.iter()
                .zip(&herds.animals)
                .all(|(a, b)| (a.feet.x < 20.0) == (b.feet.x < 20.0))
        );
    }
}
