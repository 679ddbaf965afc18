//! How long each matter withstands the hand: what a player learns by breaking one of each.

use crate::matter::Matter;

/// Ticks for which attack must be held until a block of a matter breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Toughness {
    /// 0: nobody knows.
    break_ticks: [u16; Matter::COUNT],
}

impl Toughness {
    /// From ticks by matter; 0 where nobody knows.
    pub fn new(break_ticks: [u16; Matter::COUNT]) -> Toughness {
        Toughness { break_ticks }
    }

    /// Ticks until a block of this matter breaks; of what is no matter of a block, as long as most take. `None` where
    /// nothing is known at all.
    pub fn break_ticks(&self, matter: Matter) -> Option<u32> {
        let mut known = self.break_ticks.map(u32::from);
        known.sort_unstable();
        let of_blocks = &known[known.partition_point(|ticks| *ticks == 0)..];
        let middle = of_blocks.get(of_blocks.len() / 2)?;
        let ticks = u32::from(self.break_ticks[matter as usize]);
        Some(if ticks > 0 { ticks } else { *middle })
    }

    /// As the weights' file notes it: the numbers in the order of the matters, with blanks between.
    pub fn to_text(&self) -> String {
        self.break_ticks.map(|ticks| ticks.to_string()).join(" ")
    }

    /// Reads what [`Toughness::to_text`] wrote; `None` when it is something else.
    pub fn from_text(text: &str) -> Option<Toughness> {
        let ticks: Vec<u16> = text.split(' ').map(|number| number.parse().ok()).collect::<Option<_>>()?;
        Some(Toughness::new(ticks.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_comes_back_and_another_is_refused() {
        let mut ticks = [0; Matter::COUNT];
        ticks[Matter::Stone as usize] = 28;
        let toughness = Toughness::new(ticks);
        assert_eq!(Toughness::from_text(&toughness.to_text()), Some(toughness));
        assert_eq!(toughness.break_ticks(Matter::Stone), Some(28));
        assert_eq!(toughness.break_ticks(Matter::Water), Some(28), "something that looks like water");
        assert_eq!(Toughness::default().break_ticks(Matter::Stone), None);
        for text in ["", "1 2 3", "-1", &"70000 ".repeat(Matter::COUNT)] {
            assert_eq!(Toughness::from_text(text), None, "{text}");
        }
    }
}
