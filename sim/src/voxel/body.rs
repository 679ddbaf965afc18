//! An upright box that moves through the blocks: collision, axis by axis, for the player and the animals alike.
//!
//! Positions are `f64`, so that a walk may go on for millions of blocks without the box sinking into walls.

use super::block::Block;
use glam::{DVec3, IVec3};

/// Gap kept between the box and what it touches, blocks: rounding never puts the box inside a block.
const SKIN: f64 = 1e-4;

/// A box on its feet: `feet` is the centre of its underside.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Body {
    pub feet: DVec3,
    pub half_width: f64,
    pub height: f64,
}

/// What a move met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Contact {
    pub floor: bool,
    pub ceiling: bool,
    pub wall_x: bool,
    pub wall_z: bool,
}

impl Contact {
    pub fn wall(&self) -> bool {
        self.wall_x || self.wall_z
    }
}

/// The box of a solid block in world coordinates, if bodies collide with it.
fn solid_box(cell: IVec3, block: Block) -> Option<(DVec3, DVec3)> {
    if !block.is_solid() {
        return None;
    }
    if block.is_full_cube() {
        return Some((cell.as_dvec3(), cell.as_dvec3() + 1.0));
    }
    let (low, high) = block.bounds();
    Some((cell.as_dvec3() + low.as_dvec3(), cell.as_dvec3() + high.as_dvec3()))
}

impl Body {
    pub fn low(&self) -> DVec3 {
        self.feet - DVec3::new(self.half_width, 0.0, self.half_width)
    }

    pub fn high(&self) -> DVec3 {
        self.feet + DVec3::new(self.half_width, self.height, self.half_width)
    }

    /// Whether the box overlaps this cell (by more than touching it).
    pub fn overlaps_cell(&self, cell: IVec3) -> bool {
        let low = cell.as_dvec3();
        self.low().cmplt(low + 1.0).all() && self.high().cmpgt(low).all()
    }

    /// Whether any block that `matches` shares space with the cells the box lies in.
    pub fn touches(&self, blocks: &impl Fn(IVec3) -> Block, matches: impl Fn(Block) -> bool) -> bool {
        cells(self.low(), self.high()).any(|cell| matches(blocks(cell)))
    }

    /// Whether a solid block overlaps the box.
    pub fn is_stuck(&self, blocks: &impl Fn(IVec3) -> Block) -> bool {
        let (low, high) = (self.low(), self.high());
        cells(low, high)
            .any(|cell| solid_box(cell, blocks(cell)).is_some_and(|(a, b)| low.cmplt(b).all() && high.cmpgt(a).all()))
    }

    /// How far the box can go along one axis.
    fn clip(&self, axis: usize, by: f64, blocks: &impl Fn(IVec3) -> Block) -> f64 {
        if by == 0.0 {
            return 0.0;
        }
        let (low, high) = (self.low(), self.high());
        let (mut swept_low, mut swept_high) = (low, high);
        swept_low[axis] += by.min(0.0) - SKIN;
        swept_high[axis] += by.max(0.0) + SKIN;
        let mut allowed = by;
        for cell in cells(swept_low, swept_high) {
            let Some((box_low, box_high)) = solid_box(cell, blocks(cell)) else {
                continue;
            };
            let beside =
                (0..3).any(|other| other != axis && (low[other] >= box_high[other] || high[other] <= box_low[other]));
            if beside {
                continue;
            }
            // A block that the box is already inside of along this axis does not hold it: it may leave.
            if by > 0.0 && box_low[axis] >= high[axis] {
                allowed = allowed.min((box_low[axis] - high[axis] - SKIN).max(0.0));
            } else if by < 0.0 && box_high[axis] <= low[axis] {
                allowed = allowed.max((box_high[axis] - low[axis] + SKIN).min(0.0));
            }
        }
        allowed
    }

    /// Moves by `by`, y first, then x and z, each clipped where a solid block stands.
    fn slide(&mut self, by: DVec3, blocks: &impl Fn(IVec3) -> Block) -> Contact {
        let mut contact = Contact::default();
        let y = self.clip(1, by.y, blocks);
        self.feet.y += y;
        contact.floor = by.y < 0.0 && y > by.y;
        contact.ceiling = by.y > 0.0 && y < by.y;
        let x = self.clip(0, by.x, blocks);
        self.feet.x += x;
        contact.wall_x = x != by.x;
        let z = self.clip(2, by.z, blocks);
        self.feet.z += z;
        contact.wall_z = z != by.z;
        contact
    }

    /// Moves by `by` as far as the blocks let it; `step_height` is climbed without a jump when on the ground.
    pub fn travel(
        &mut self,
        by: DVec3,
        on_ground: bool,
        step_height: f64,
        blocks: &impl Fn(IVec3) -> Block,
    ) -> Contact {
        let start = *self;
        let contact = self.slide(by, blocks);
        if !(contact.wall() && (on_ground || contact.floor) && step_height > 0.0) {
            return contact;
        }
        // Try the same move from a step higher, then come down again; keep it only if it went further.
        let mut stepped = start;
        stepped.feet.y += stepped.clip(1, step_height, blocks);
        let lifted = stepped.slide(DVec3::new(by.x, 0.0, by.z), blocks);
        let drop = start.feet.y - stepped.feet.y + by.y.min(0.0);
        let down = stepped.clip(1, drop, blocks);
        stepped.feet.y += down;
        let gained = |body: &Body| (body.feet - start.feet).with_y(0.0).length_squared();
        if down > drop && gained(&stepped) > gained(self) + 1e-9 {
            *self = stepped;
            return Contact {
                floor: true,
                ceiling: contact.ceiling,
                ..lifted
            };
        }
        contact
    }

    /// Shortens a horizontal move so that there is still ground within `step_height` below: a sneak's caution.
    pub fn stay_on_edge(&self, by: DVec3, step_height: f64, blocks: &impl Fn(IVec3) -> Block) -> DVec3 {
        let falls = |x: f64, z: f64| {
            let moved = Body {
                feet: self.feet + DVec3::new(x, 0.0, z),
                ..*self
            };
            moved.clip(1, -step_height, blocks) <= -step_height
        };
        let shorten = |v: f64| if v.abs() <= 0.05 { 0.0 } else { v - 0.05 * v.signum() };
        let (mut x, mut z) = (by.x, by.z);
        while x != 0.0 && falls(x, 0.0) {
            x = shorten(x);
        }
        while z != 0.0 && falls(0.0, z) {
            z = shorten(z);
        }
        while x != 0.0 && z != 0.0 && falls(x, z) {
            (x, z) = (shorten(x), shorten(z));
        }
        DVec3::new(x, by.y, z)
    }
}

/// The cells that a box from `low` to `high` lies in, in a fixed order.
fn cells(low: DVec3, high: DVec3) -> impl Iterator<Item = IVec3> {
    let (low, high) = (low.floor().as_ivec3(), high.floor().as_ivec3());
    (low.y..=high.y)
        .flat_map(move |y| (low.z..=high.z).flat_map(move |z| (low.x..=high.x).map(move |x| IVec3::new(x, y, z))))
}
