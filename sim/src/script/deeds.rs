//! Acts that change the world: breaking, placing, eating, and setting things going.

use super::acts::{FORWARD, NONE, Plan};
use super::eyes;
use super::stroke::Step;
use crate::Action;
use glam::Vec3;

/// How often a builder who is near a cake eats from it rather than going on.
const EAT_SHARE: f32 = 0.4;
/// Where sand lies in the hotbar.
const SAND_SLOT: u8 = 6;

impl Plan<'_> {
    /// Breaks one block near at hand; where it truly is, if that is known.
    pub(super) fn break_one(&mut self) -> Option<Vec3> {
        let Some(world) = self.world else {
            let (turn, pitch, ticks) =
                (self.dice.between(-40.0, 40.0), self.dice.between(30.0, 65.0), self.dice.whole(12..45));
            self.stroke(NONE, 10, turn, pitch);
            self.stroke(Action { attack: true, ..NONE }, ticks, 0.0, pitch);
            return None;
        };
        let Some(point) = eyes::something_to_break(world, self.dice) else {
            self.stride(10, 25);
            return None;
        };
        self.steps.push(Step::Aim { point });
        // Now and then it changes its mind before the block has broken.
        let ticks_left = if self.dice.chance(0.12) { self.dice.whole(3..10) } else { 80 };
        self.steps.push(Step::Break { ticks_left });
        self.rest(1, 6);
        Some(point)
    }

    /// Places one block; where it truly is, if that is known.
    pub(super) fn place_one(&mut self, slot: u8) -> Option<Vec3> {
        let Some(world) = self.world else {
            let (turn, pitch) = (self.dice.between(-40.0, 40.0), self.dice.between(30.0, 55.0));
            self.stroke(Action { hotbar: slot, ..NONE }, 10, turn, pitch);
            self.stroke(Action { use_: true, ..NONE }, 1, 0.0, pitch);
            self.rest(3, 9);
            return None;
        };
        let Some((point, _)) = eyes::somewhere_to_place(world, self.dice) else {
            self.stride(10, 25);
            return None;
        };
        self.steps.push(Step::Aim { point });
        self.steps.push(Step::Use { slot });
        self.rest(3, 9);
        Some(point)
    }

    /// Builds two blocks high and puts sand on the side of it: the sand falls, sometimes while nobody looks.
    fn drop_sand(&mut self) {
        let place = self.world.and_then(|world| Some((world, eyes::somewhere_to_place(world, self.dice)?)));
        let Some((world, (point, cell))) = place else {
            return self.stride(10, 25);
        };
        let slot = self.dice.whole(1..4) as u8;
        let middle = cell.as_vec3() + 0.5;
        let towards = (world.pose().eye() - middle).with_y(0.0);
        let towards = if towards.x.abs() > towards.z.abs() { Vec3::X * towards.x } else { Vec3::Z * towards.z };
        for (point, slot) in [
            (point, slot),
            (middle + Vec3::Y * 0.49, slot),
            (middle + Vec3::Y + towards.normalize_or_zero() * 0.49, SAND_SLOT),
        ] {
            self.steps.push(Step::Aim { point });
            self.steps.push(Step::Use { slot });
            self.rest(1, 3);
        }
        if self.dice.chance(0.5) {
            self.look_away_and_back();
        }
        self.rest(6, 16);
    }

    /// Walks to another side of a point and looks at it from there.
    pub(super) fn see_from_aside(&mut self, point: Vec3) {
        let Some(world) = self.world else { return };
        let from = (world.pose().eye() - point).with_y(0.0).normalize_or(Vec3::X);
        let turn_deg = self.dice.sign() * self.dice.between(50.0, 180.0);
        let (sin, cos) = libm::sincosf(turn_deg.to_radians());
        let aside = Vec3::new(from.x * cos - from.z * sin, 0.0, from.x * sin + from.z * cos);
        let stand = point + aside * self.dice.between(2.2, 4.0);
        self.steps.push(Step::Walk { to: [stand.x, stand.z], keys: FORWARD, ticks_left: 70 });
        self.steps.push(Step::Aim { point });
        self.rest(8, 20);
    }

    /// Changes something, leaves it, and comes back to see what has become of it.
    pub(super) fn change_and_return(&mut self) {
        let slot = self.dice.whole(1..10) as u8;
        let changed = if self.dice.chance(0.5) { self.place_one(slot) } else { self.break_one() };
        match self.dice.weighted(&[0.4, 0.35, 0.25]) {
            0 => self.away_and_home(),
            1 => self.look_away_and_back(),
            _ => {
                if let Some(point) = changed {
                    return self.see_from_aside(point);
                }
            }
        }
        if let Some(point) = changed {
            self.steps.push(Step::Aim { point });
            self.rest(6, 16);
        }
    }

    /// Goes to a cake, where to stand and where to bite, and eats some of it.
    fn eat(&mut self, (stand, bite): ([f32; 3], Vec3)) {
        self.steps.push(Step::Walk { to: [stand[0], stand[2]], keys: FORWARD, ticks_left: 80 });
        for _ in 0..self.dice.whole(1..5) {
            self.steps.push(Step::Aim { point: bite });
            self.steps.push(Step::Use { slot: 0 });
            self.rest(4, 14);
        }
    }

    pub(super) fn dig(&mut self) {
        match self.dice.weighted(&[0.72, 0.1, 0.08, 0.1]) {
            0 => {
                self.break_one();
            }
            1 => self.look_away_and_back(),
            2 => self.change_and_return(),
            _ => self.stride(10, 40),
        }
    }

    pub(super) fn build(&mut self) {
        // Cakes are rare: whoever finds one may as well eat now.
        let cake = self.world.and_then(eyes::nearest_cake);
        if let Some(cake) = cake
            && self.dice.chance(EAT_SHARE)
        {
            return self.eat(cake);
        }
        match self.dice.weighted(&[0.48, 0.08, 0.12, 0.08, 0.12, 0.04, 0.08]) {
            0 => {
                let slot = self.dice.whole(1..10) as u8;
                // One, or a row or a tower of the same.
                for _ in 0..self.dice.whole(1..4) {
                    if let Some(point) = self.place_one(slot)
                        && self.dice.chance(0.2)
                    {
                        self.see_from_aside(point);
                        break;
                    }
                }
            }
            1 => self.look_away_and_back(),
            2 => self.change_and_return(),
            3 => {
                let sign = self.dice.sign();
                self.orbit(sign, 25.0);
            }
            4 => match cake {
                Some(cake) => self.eat(cake),
                None => self.stride(10, 40),
            },
            5 => {
                self.break_one();
            }
            _ => self.drop_sand(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::voxel::block::Block;
    use crate::voxel::hands::PALETTE;

    #[test]
    fn sand_lies_where_it_is_taken_from() {
        assert_eq!(PALETTE[usize::from(SAND_SLOT) - 1], Block::Sand);
    }
}
