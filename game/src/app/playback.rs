//! Watching a recording: what the keys mean, and what the window is told.

use super::{
    generator::Command,
    menu::Screen,
    session::{Link, Session},
};
use bevy::{
    ecs::message::MessageReader,
    input::keyboard::{KeyCode, KeyboardInput},
    prelude::{Res, ResMut, State},
};
use holdfast_sim::TICKS_PER_SECOND;

/// What a watcher does to a replay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Playback {
    /// Stands still, or goes on.
    Toggle,
    /// One frame on or back, and stands still.
    Step {
        back: bool,
    },
    /// So many frames on, or back.
    Skip(i64),
    /// To so many tenths of the whole.
    Tenth(u8),
    End,
    Faster,
    Slower,
}

/// Where a replay is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Replayed {
    /// Of the frame that is shown, from 0.
    pub frame: u64,
    pub frames: u64,
    /// Of the line that it belongs to, from 0.
    pub line: usize,
    pub lines: usize,
    pub speed: f32,
    pub is_paused: bool,
    /// The frame that is wanted, while those on the way to it are made.
    pub wanted: Option<u64>,
    /// Frames seen so far that are not the recorded ones.
    pub different: u64,
}

/// Five seconds.
const SKIP_FRAMES: i64 = 5 * TICKS_PER_SECOND as i64;

/// The keys of a replay.
pub(super) fn keys(
    mut keys: MessageReader<KeyboardInput>,
    mut link: ResMut<Link>,
    session: Res<Session>,
    screen: Res<State<Screen>>,
) {
    if !session.is_replay || *screen.get() != Screen::Play {
        return keys.clear();
    }
    for key in keys.read().filter(|key| key.state.is_pressed()) {
        let playback = match key.key_code {
            KeyCode::Space if !key.repeat => Playback::Toggle,
            KeyCode::Period => Playback::Step { back: false },
            KeyCode::Comma => Playback::Step { back: true },
            KeyCode::ArrowRight => Playback::Skip(SKIP_FRAMES),
            KeyCode::ArrowLeft => Playback::Skip(-SKIP_FRAMES),
            KeyCode::ArrowUp if !key.repeat => Playback::Faster,
            KeyCode::ArrowDown if !key.repeat => Playback::Slower,
            KeyCode::Home => Playback::Tenth(0),
            KeyCode::End => Playback::End,
            _ => match key.text.as_ref().and_then(|text| text.chars().next()).and_then(|c| c.to_digit(10)) {
                Some(digit) => Playback::Tenth(digit as u8),
                None => continue,
            },
        };
        link.tell(Command::Playback(playback));
    }
}

impl Replayed {
    /// What the window says of it.
    pub fn text(&self) -> String {
        let time = |frame: u64| {
            let seconds = frame / u64::from(TICKS_PER_SECOND);
            format!("{}:{:02}", seconds / 60, seconds % 60)
        };
        let last = self.frames.saturating_sub(1);
        let mut text = format!("{} of {}   frame {} of {last}", time(self.frame), time(last), self.frame);
        if self.lines > 1 {
            text += &format!("   line {} of {}", self.line + 1, self.lines);
        }
        text += &format!("   {}x", self.speed);
        match self.wanted {
            Some(wanted) => text += &format!("   making the frames up to {wanted}"),
            None if self.is_paused => text += "   paused",
            None => {}
        }
        if self.different > 0 {
            text += &format!("   {} frames differ from the recorded ones", self.different);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_where_the_replay_is() {
        let mut replayed = Replayed {
            frame: 245,
            frames: 1201,
            line: 0,
            lines: 1,
            speed: 1.0,
            is_paused: false,
            wanted: None,
            different: 0,
        };
        assert_eq!(replayed.text(), "0:12 of 1:00   frame 245 of 1200   1x");
        (replayed.lines, replayed.is_paused, replayed.speed) = (3, true, 0.25);
        assert_eq!(replayed.text(), "0:12 of 1:00   frame 245 of 1200   line 1 of 3   0.25x   paused");
        (replayed.wanted, replayed.different) = (Some(900), 2);
        let text = replayed.text();
        assert!(text.ends_with("making the frames up to 900   2 frames differ from the recorded ones"), "{text}");
    }
}
