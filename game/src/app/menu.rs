//! The menus without their looks: which rows each screen has and what a row does. Keyboard, gamepad and mouse all
//! arrive here as the same signals.

use super::session::{Phase, Session};
use crate::input::Settings;
use bevy::{
    ecs::{message::Message, resource::Resource},
    state::state::States,
};
use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    ops::RangeInclusive,
    path::PathBuf,
};

/// What the window shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, States)]
pub enum Screen {
    #[default]
    Start,
    Play,
    Paused,
    NewWorld,
    Worlds,
    Settings,
    Failed,
}

/// What a player does to a menu, whatever with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
pub enum Signal {
    Up,
    Down,
    Left,
    Right,
    Accept,
    Back,
    Digit(u8),
    Erase,
    /// The mouse is over a row.
    Point(usize),
    Click(usize),
}

/// A row of a menu.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Resume,
    NewWorld,
    Worlds,
    /// One of the saved worlds.
    Saved(usize),
    Settings,
    Quit,
    Seed,
    AnotherSeed,
    Create,
    MouseSpeed,
    InvertY,
    LookSpeed,
    SmoothLook,
    Hud,
    SideBySide,
    Back,
}

/// What a menu decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Start,
    Go(Screen),
    NewWorld { seed: u64 },
    Load(PathBuf),
    ToggleSideBySide,
    Quit,
}

/// Which row is chosen, and the seed being typed.
#[derive(Debug, Clone, PartialEq, Eq, Default, Resource)]
pub struct Menu {
    pub selected: usize,
    pub seed_text: String,
}

const MOUSE_STEP_DEG: f32 = 0.01;
const LOOK_STEP_DEG_PER_S: f32 = 20.0;

impl Screen {
    pub fn rows(self, session: &Session) -> Vec<Row> {
        match self {
            Screen::Start | Screen::Play => vec![],
            Screen::Paused if session.is_replay => vec![Row::Resume, Row::Settings, Row::Quit],
            Screen::Paused => vec![Row::Resume, Row::NewWorld, Row::Worlds, Row::Settings, Row::Quit],
            Screen::Worlds => (0..session.saves.len()).map(Row::Saved).chain([Row::Back]).collect(),
            Screen::NewWorld => vec![Row::Seed, Row::AnotherSeed, Row::Create, Row::Back],
            Screen::Settings => {
                vec![
                    Row::MouseSpeed,
                    Row::InvertY,
                    Row::LookSpeed,
                    Row::SmoothLook,
                    Row::Hud,
                    Row::SideBySide,
                    Row::Back,
                ]
            }
            Screen::Failed if matches!(session.phase, Phase::Failed { can_reset: true, .. }) => {
                vec![Row::NewWorld, Row::Worlds, Row::Quit]
            }
            Screen::Failed => vec![Row::Quit],
        }
    }

    pub fn title(self) -> &'static str {
        match self {
            Screen::Start | Screen::Play => "Holdfast",
            Screen::Paused => "Paused",
            Screen::NewWorld => "New world",
            Screen::Worlds => "Saved worlds",
            Screen::Settings => "Settings",
            Screen::Failed => "The world stopped",
        }
    }

    /// Where Escape and the pad's East lead.
    fn back(self, session: &Session) -> Option<Screen> {
        match self {
            Screen::Paused => Some(Screen::Play),
            Screen::NewWorld | Screen::Worlds if matches!(session.phase, Phase::Failed { .. }) => Some(Screen::Failed),
            Screen::NewWorld | Screen::Worlds | Screen::Settings => Some(Screen::Paused),
            Screen::Start | Screen::Play | Screen::Failed => None,
        }
    }
}

impl Row {
    pub fn label(self, menu: &Menu, session: &Session, settings: &Settings) -> String {
        let on = |is_on| if is_on { "on" } else { "off" };
        match self {
            Row::Resume => "Resume".into(),
            Row::NewWorld => "New world".into(),
            Row::Worlds => "Saved worlds".into(),
            Row::Saved(index) => session.saves.get(index).map(|save| save.title.clone()).unwrap_or_default(),
            Row::Settings => "Settings".into(),
            Row::Quit => "Quit".into(),
            Row::Seed => format!("Seed  {}_", menu.seed_text),
            Row::AnotherSeed => "Another random seed".into(),
            Row::Create => "Create".into(),
            Row::MouseSpeed => format!("Mouse speed  < {:.2} >", settings.mouse_deg_per_count),
            Row::InvertY => format!("Invert up and down  < {} >", on(settings.invert_y)),
            Row::LookSpeed => format!("Gamepad look speed  < {:.0} >", settings.gamepad_look_deg_per_s),
            Row::SmoothLook => format!("Smooth looking  < {} >", on(settings.smooth_look)),
            Row::Hud => format!("Figures (F1)  < {} >", on(settings.hud)),
            Row::SideBySide if !session.has_truth => "Side by side: no simulator here".into(),
            Row::SideBySide => format!("Side by side (F3)  < {} >", on(session.side_by_side)),
            Row::Back => "Back".into(),
        }
    }
}

impl Menu {
    /// Makes ready for a screen that is about to show.
    pub fn open(&mut self, screen: Screen) {
        self.selected = 0;
        if screen == Screen::NewWorld {
            self.seed_text = random_seed().to_string();
            // A random seed is ready to go.
            self.selected = 2;
        }
    }

    /// Answers a signal; settings change in place, everything else is a choice.
    pub fn answer(
        &mut self,
        signal: Signal,
        screen: Screen,
        session: &Session,
        settings: &mut Settings,
    ) -> Option<Choice> {
        if screen == Screen::Start {
            return match signal {
                Signal::Accept => Some(Choice::Start),
                Signal::Back => Some(Choice::Quit),
                _ => None,
            };
        }
        let rows = screen.rows(session);
        let row = *rows.get(self.selected)?;
        match signal {
            Signal::Up => self.selected = (self.selected + rows.len() - 1) % rows.len(),
            Signal::Down => self.selected = (self.selected + 1) % rows.len(),
            Signal::Point(index) if index < rows.len() => self.selected = index,
            Signal::Click(index) if index < rows.len() => {
                self.selected = index;
                return self.accept(rows[index], screen, session, settings);
            }
            Signal::Accept => return self.accept(row, screen, session, settings),
            Signal::Back => return screen.back(session).map(Choice::Go),
            Signal::Left => return self.adjust(row, -1, settings),
            Signal::Right => return self.adjust(row, 1, settings),
            Signal::Digit(digit) if screen == Screen::NewWorld => {
                if self.selected != 0 {
                    // Typing replaces the random seed.
                    (self.selected, self.seed_text) = (0, String::new());
                }
                let longer = format!("{}{digit}", self.seed_text);
                if let Ok(seed) = longer.parse::<u64>() {
                    self.seed_text = seed.to_string();
                }
            }
            Signal::Erase if screen == Screen::NewWorld => {
                self.selected = 0;
                self.seed_text.pop();
            }
            Signal::Digit(_) | Signal::Erase | Signal::Point(_) | Signal::Click(_) => {}
        }
        None
    }

    fn accept(&mut self, row: Row, screen: Screen, session: &Session, settings: &mut Settings) -> Option<Choice> {
        match row {
            Row::Resume => Some(Choice::Go(Screen::Play)),
            Row::NewWorld => Some(Choice::Go(Screen::NewWorld)),
            Row::Worlds => Some(Choice::Go(Screen::Worlds)),
            Row::Saved(index) => session.saves.get(index).map(|save| Choice::Load(save.path.clone())),
            Row::Settings => Some(Choice::Go(Screen::Settings)),
            Row::Quit => Some(Choice::Quit),
            Row::AnotherSeed => {
                self.seed_text = random_seed().to_string();
                None
            }
            // An emptied seed field means no wish: a random world.
            Row::Seed | Row::Create => {
                Some(Choice::NewWorld { seed: self.seed_text.parse().unwrap_or_else(|_| random_seed()) })
            }
            Row::MouseSpeed | Row::LookSpeed | Row::InvertY | Row::SmoothLook | Row::Hud | Row::SideBySide => {
                self.adjust(row, 1, settings)
            }
            Row::Back => screen.back(session).map(Choice::Go),
        }
    }

    fn adjust(&mut self, row: Row, steps: i8, settings: &mut Settings) -> Option<Choice> {
        match row {
            Row::Seed => {
                let seed: u64 = self.seed_text.parse().unwrap_or(0);
                self.seed_text = seed.saturating_add_signed(i64::from(steps)).to_string();
            }
            Row::MouseSpeed => {
                let speed = &mut settings.mouse_deg_per_count;
                *speed = stepped(*speed, steps, MOUSE_STEP_DEG, Settings::MOUSE_RANGE);
            }
            Row::LookSpeed => {
                let speed = &mut settings.gamepad_look_deg_per_s;
                *speed = stepped(*speed, steps, LOOK_STEP_DEG_PER_S, Settings::LOOK_RANGE);
            }
            Row::InvertY => settings.invert_y = !settings.invert_y,
            Row::SmoothLook => settings.smooth_look = !settings.smooth_look,
            Row::Hud => settings.hud = !settings.hud,
            Row::SideBySide => return Some(Choice::ToggleSideBySide),
            _ => {}
        }
        None
    }
}

/// One step on from a value, on the grid of the step, within the range.
fn stepped(value: f32, steps: i8, step: f32, range: RangeInclusive<f32>) -> f32 {
    let whole_steps = (value / step).round() + f32::from(steps);
    // Through hundredths, so that the file says 0.13 and not 0.13000001.
    ((whole_steps * step * 100.0).round() / 100.0).clamp(*range.start(), *range.end())
}

/// A seed nobody chose; short enough to say aloud.
pub fn random_seed() -> u64 {
    RandomState::new().build_hasher().finish() % 1_000_000_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(screen: Screen, signals: &[Signal], expected: Option<Choice>) -> (Menu, Settings) {
        let (mut menu, mut settings) = (Menu::default(), Settings::default());
        let session = Session { has_truth: true, ..Session::default() };
        menu.open(screen);
        let choice = signals.iter().fold(None, |_, &signal| menu.answer(signal, screen, &session, &mut settings));
        assert_eq!(choice, expected, "{signals:?}");
        (menu, settings)
    }

    #[test]
    fn rows_are_reached_by_keys_and_by_mouse_and_wrap_round() {
        use Signal::{Accept, Back, Click, Down, Point, Up};
        check(Screen::Start, &[Accept], Some(Choice::Start));
        check(Screen::Paused, &[Accept], Some(Choice::Go(Screen::Play)));
        check(Screen::Paused, &[Back], Some(Choice::Go(Screen::Play)));
        check(Screen::Paused, &[Down, Accept], Some(Choice::Go(Screen::NewWorld)));
        check(Screen::Paused, &[Up, Accept], Some(Choice::Quit));
        check(Screen::Paused, &[Down, Down, Down, Down, Down, Accept], Some(Choice::Go(Screen::Play)));
        check(Screen::Paused, &[Point(2), Accept], Some(Choice::Go(Screen::Worlds)));
        check(Screen::Paused, &[Point(3), Accept], Some(Choice::Go(Screen::Settings)));
        check(Screen::Paused, &[Click(4)], Some(Choice::Quit));
        check(Screen::Paused, &[Click(9)], None);
        check(Screen::Settings, &[Back], Some(Choice::Go(Screen::Paused)));
        check(Screen::Settings, &[Click(5)], Some(Choice::ToggleSideBySide));
    }

    #[test]
    fn a_seed_is_typed_over_the_random_one() {
        use Signal::{Accept, Digit, Erase, Right, Up};
        check(Screen::NewWorld, &[Digit(0), Digit(4), Digit(2), Accept], Some(Choice::NewWorld { seed: 42 }));
        check(Screen::NewWorld, &[Digit(7), Digit(1), Erase, Accept], Some(Choice::NewWorld { seed: 7 }));
        check(Screen::NewWorld, &[Digit(9), Right, Accept], Some(Choice::NewWorld { seed: 10 }));
        let (menu, _) = check(Screen::NewWorld, &[Digit(9); 30], None);
        assert!(menu.seed_text.parse::<u64>().is_ok(), "{}", menu.seed_text);
        let (menu, _) = check(Screen::NewWorld, &[Up], None);
        assert!(menu.seed_text.parse::<u64>().is_ok_and(|seed| seed < 1_000_000_000));
    }

    #[test]
    fn settings_step_within_their_range() {
        use Signal::{Down, Left, Right};
        assert_eq!(check(Screen::Settings, &[Right], None).1.mouse_deg_per_count, 0.13);
        assert_eq!(check(Screen::Settings, &[Left; 50], None).1.mouse_deg_per_count, 0.01);
        assert_eq!(check(Screen::Settings, &[Down, Down, Right], None).1.gamepad_look_deg_per_s, 220.0);
        assert!(check(Screen::Settings, &[Down, Right], None).1.invert_y);
        assert!(!check(Screen::Settings, &[Down, Down, Down, Left], None).1.smooth_look);
        assert!(!check(Screen::Settings, &[Down, Down, Down, Down, Left], None).1.hud);
    }

    #[test]
    fn a_replay_offers_no_other_world() {
        let session = Session { is_replay: true, ..Session::default() };
        assert_eq!(Screen::Paused.rows(&session), [Row::Resume, Row::Settings, Row::Quit]);
    }

    #[test]
    fn a_failed_world_offers_what_is_possible() {
        let failed =
            |can_reset| Session { phase: Phase::Failed { message: "no".into(), can_reset }, ..Session::default() };
        assert_eq!(Screen::Failed.rows(&failed(true)), [Row::NewWorld, Row::Worlds, Row::Quit]);
        assert_eq!(Screen::Failed.rows(&failed(false)), [Row::Quit]);
        let mut menu = Menu::default();
        let back = menu.answer(Signal::Back, Screen::NewWorld, &failed(true), &mut Settings::default());
        assert_eq!(back, Some(Choice::Go(Screen::Failed)));
    }
}
