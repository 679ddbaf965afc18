//! The player's hands: what they break, place and eat, and how far along they are.

use super::block::Block;
use super::dynamics::stands;
use super::pick::Target;
use crate::{Action, kinematics::USE_REPEAT_TICKS};
use glam::IVec3;

/// What the nine hotbar slots hold, always: placing uses nothing up, and breaking gains nothing.
pub const PALETTE: [Block; 9] = [
    Block::Dirt,
    Block::Stone,
    Block::Planks,
    Block::Brick,
    Block::Glass,
    Block::Sand,
    Block::OakLog,
    Block::Lamp,
    Block::Cake0,
];

/// The stages of the crack on a block that is being broken: 0 to 9.
pub const CRACK_STAGES: u32 = 10;

/// A change of one cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Edit {
    pub cell: [i32; 3],
    pub before: Block,
    pub after: Block,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hands {
    /// The slot in hand, 1 to 9.
    pub slot: u8,
    /// The cell that is being broken and for how many ticks it has been.
    breaking: Option<(IVec3, u32)>,
    /// Ticks until a held `use` acts again; 0 when it may act now.
    use_wait_ticks: u8,
}

impl Default for Hands {
    fn default() -> Self {
        Hands { slot: 1, breaking: None, use_wait_ticks: 0 }
    }
}

impl Hands {
    /// The block in hand.
    pub fn held(&self) -> Block {
        PALETTE[usize::from(self.slot) - 1]
    }

    /// The cell with a crack and the crack's stage, 0 to 9.
    pub fn crack(&self, blocks: &impl Fn(IVec3) -> Block) -> Option<(IVec3, u8)> {
        let (cell, ticks) = self.breaking?;
        let whole = blocks(cell).hardness_ticks()?.max(1);
        Some((cell, (ticks * CRACK_STAGES / whole).min(CRACK_STAGES - 1) as u8))
    }

    /// What this tick's action does to the target, if anything. `in_the_way` are the bodies that a placed block must
    /// not cut into. Attack comes before use.
    pub fn step(
        &mut self,
        action: &Action,
        target: Option<Target>,
        in_the_way: impl Fn(IVec3) -> bool,
        blocks: &impl Fn(IVec3) -> Block,
    ) -> Option<Edit> {
        if (1..=9).contains(&action.hotbar) {
            self.slot = action.hotbar;
        }
        self.break_block(action, target).or_else(|| self.use_hand(action, target, in_the_way, blocks))
    }

    fn break_block(&mut self, action: &Action, target: Option<Target>) -> Option<Edit> {
        let hit = target.filter(|_| action.attack).and_then(|hit| Some((hit, hit.block.hardness_ticks()?)));
        let Some((hit, whole)) = hit else {
            self.breaking = None;
            return None;
        };
        let ticks = match self.breaking {
            Some((cell, ticks)) if cell == hit.cell => ticks + 1,
            _ => 1,
        };
        self.breaking = Some((hit.cell, ticks));
        if ticks < whole {
            return None;
        }
        self.breaking = None;
        Some(Edit { cell: hit.cell.to_array(), before: hit.block, after: Block::Air })
    }

    fn use_hand(
        &mut self,
        action: &Action,
        target: Option<Target>,
        in_the_way: impl Fn(IVec3) -> bool,
        blocks: &impl Fn(IVec3) -> Block,
    ) -> Option<Edit> {
        if !action.use_ {
            self.use_wait_ticks = 0;
            return None;
        }
        if self.use_wait_ticks > 0 {
            self.use_wait_ticks -= 1;
            return None;
        }
        let hit = target?;
        let edit = if let Some(after) = after_a_bite(hit.block) {
            Edit { cell: hit.cell.to_array(), before: hit.block, after }
        } else {
            // A plant gives way to the block that is placed on it.
            let cell = if hit.block.is_plant() { hit.cell } else { hit.cell + hit.face };
            let before = blocks(cell);
            let free = before == Block::Air || before.is_liquid() || before.is_plant();
            let after = self.held();
            if !free || in_the_way(cell) || !stands(after, blocks(cell + IVec3::NEG_Y)) {
                return None;
            }
            Edit { cell: cell.to_array(), before, after }
        };
        self.use_wait_ticks = USE_REPEAT_TICKS - 1;
        Some(edit)
    }

    /// Feeds everything that decides the future into a state hash.
    pub fn hash_state(&self, hasher: &mut blake3::Hasher) {
        let (cell, ticks) = self.breaking.unwrap_or((IVec3::ZERO, u32::MAX));
        hasher.update(&[self.slot, self.use_wait_ticks]);
        for value in [cell.x, cell.y, cell.z, ticks as i32] {
            hasher.update(&value.to_le_bytes());
        }
    }
}

/// What is left of a cake after one more slice; `None` for what cannot be eaten.
pub fn after_a_bite(block: Block) -> Option<Block> {
    match block {
        Block::Cake0 => Some(Block::Cake1),
        Block::Cake1 => Some(Block::Cake2),
        Block::Cake2 => Some(Block::Cake3),
        Block::Cake3 => Some(Block::Cake4),
        Block::Cake4 => Some(Block::Cake5),
        Block::Cake5 => Some(Block::Air),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(block: Block) -> Option<Target> {
        Some(Target { cell: IVec3::ZERO, block, face: IVec3::Y, distance: 2.0 })
    }

    fn air(_: IVec3) -> Block {
        Block::Air
    }

    #[test]
    fn breaking_takes_its_ticks_and_starts_over_when_released() {
        let whole = Block::Stone.hardness_ticks().expect("stone breaks");
        let attack = Action { attack: true, ..Action::default() };
        let mut hands = Hands::default();
        let mut stages = Vec::new();
        for _ in 1..whole {
            assert_eq!(hands.step(&attack, target(Block::Stone), |_| false, &air), None);
            stages.push(hands.crack(&|_| Block::Stone).expect("cracked").1);
        }
        assert!(stages.is_sorted() && stages.iter().all(|&stage| stage <= 9), "{stages:?}");
        let mut released = hands.clone();
        let broken = Edit { cell: [0; 3], before: Block::Stone, after: Block::Air };
        assert_eq!(hands.step(&attack, target(Block::Stone), |_| false, &air), Some(broken));
        released.step(&Action::default(), target(Block::Stone), |_| false, &air);
        assert_eq!(released.step(&attack, target(Block::Stone), |_| false, &air), None);
    }

    #[test]
    fn bedrock_and_air_do_not_break() {
        let attack = Action { attack: true, ..Action::default() };
        let mut hands = Hands::default();
        for _ in 0..2000 {
            assert_eq!(hands.step(&attack, target(Block::Bedrock), |_| false, &air), None);
            assert_eq!(hands.step(&attack, None, |_| false, &air), None);
        }
    }

    #[test]
    fn a_press_places_once_and_a_hold_repeats() {
        let press = Action { use_: true, hotbar: 4, ..Action::default() };
        let mut hands = Hands::default();
        let placed: Vec<bool> =
            (0..9).map(|_| hands.step(&press, target(Block::Stone), |_| false, &air).is_some()).collect();
        assert_eq!(placed, [true, false, false, false, true, false, false, false, true]);
        let edit = Hands::default().step(&press, target(Block::Stone), |_| false, &air).expect("placed");
        assert_eq!(edit, Edit { cell: [0, 1, 0], before: Block::Air, after: Block::Brick });
        assert_eq!(Hands::default().step(&press, target(Block::Stone), |_| true, &air), None);
    }

    #[test]
    fn six_slices_make_a_cake() {
        let press = Action { use_: true, ..Action::default() };
        let mut cake = Block::Cake0;
        for _ in 0..6 {
            let edit = Hands::default().step(&press, target(cake), |_| false, &air).expect("eaten");
            cake = edit.after;
        }
        assert_eq!(cake, Block::Air);
    }
}
