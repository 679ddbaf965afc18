//! One sitting at the game: the link to the generator, what it has said, and what the window is to show.

use super::{
    generator::{Command, Event, Generator, SideBySide},
    look::Look,
    menu::{Menu, Screen},
    saves::{self, SavedWorld},
    stats::Stats,
};
use crate::{
    export::Exporter,
    input::{Config, Devices},
};
use bevy::{
    ecs::resource::Resource,
    prelude::{DetectChanges, NextState, Res, ResMut, State},
};
use holdfast_model::Around;
use holdfast_sim::{Frame, TICKS_PER_SECOND};
use std::{
    collections::VecDeque,
    path::PathBuf,
    time::{Duration, Instant},
};

/// The app's end of the generator, and the commands that it was too busy to take.
#[derive(Debug, Resource)]
pub struct Link {
    generator: Generator,
    outbox: VecDeque<Command>,
}

impl Link {
    pub fn new(generator: Generator) -> Self {
        Link { generator, outbox: VecDeque::new() }
    }

    /// Tells the generator, now or as soon as it listens. Never waits; intents that must wait merge into one.
    pub fn tell(&mut self, command: Command) {
        match (self.outbox.back_mut(), &command) {
            (Some(Command::Act(waiting)), Command::Act(intent)) => waiting.merge(*intent),
            _ => self.outbox.push_back(command),
        }
        self.flush();
    }

    fn flush(&mut self) {
        while let Some(command) = self.outbox.pop_front() {
            if let Err(refused) = self.generator.tell(command) {
                self.outbox.push_front(refused);
                break;
            }
        }
    }
}

/// How far the world is.
#[derive(Debug, Clone, PartialEq)]
pub enum Phase {
    /// The model is being loaded.
    Loading {
        since: Instant,
    },
    /// A world is being made from its seed.
    Making {
        since: Instant,
    },
    Ready,
    Failed {
        message: String,
        can_reset: bool,
    },
}

#[derive(Debug, Clone, PartialEq, Resource)]
pub struct Session {
    pub phase: Phase,
    pub seed: u64,
    pub device: String,
    pub has_truth: bool,
    pub side_by_side: bool,
    /// The map of what is known is wanted.
    pub chart_shown: bool,
    /// A saved world to begin with.
    pub load: Option<PathBuf>,
    pub worlds_folder: Option<PathBuf>,
    /// The saved worlds, as they were when the menu that lists them opened.
    pub saves: Vec<SavedWorld>,
    /// The player asked to start while the model was still loading.
    pub start_wanted: bool,
    /// A recording is shown, and nobody plays.
    pub is_replay: bool,
}

impl Default for Session {
    fn default() -> Self {
        Session {
            phase: Phase::Loading { since: Instant::now() },
            seed: 0,
            device: String::new(),
            has_truth: false,
            side_by_side: false,
            chart_shown: false,
            load: None,
            worlds_folder: None,
            saves: Vec::new(),
            start_wanted: false,
            is_replay: false,
        }
    }
}

/// The newest frames.
#[derive(Debug, Clone, Resource)]
pub struct Pictures {
    pub dream: Frame,
    /// Of that frame.
    pub tick: u64,
    pub truth: SideBySide,
    pub chart: Option<ChartPicture>,
    /// What is known around the newest frame, once it is drawn.
    pub around: Option<Around>,
    /// What marks and signs them where they are exported.
    pub exporter: Option<Exporter>,
    /// Counts up with every new frame.
    pub version: u64,
    /// When the oldest input event that waits for its frame on the screen arrived.
    pub input_at: Option<Instant>,
}

impl Pictures {
    /// A frame of a dream's as it would be exported: whoever films the screen films the mark.
    pub fn as_exported(&self, frame: &Frame) -> Frame {
        self.exporter.as_ref().map_or_else(|| frame.clone(), |exporter| exporter.marked(frame))
    }
}

impl Default for Pictures {
    fn default() -> Self {
        Pictures {
            dream: Frame::default(),
            tick: 0,
            truth: SideBySide::Off,
            chart: None,
            around: None,
            exporter: None,
            version: 0,
            input_at: None,
        }
    }
}

/// The map of what is known.
#[derive(Debug, Clone)]
pub struct ChartPicture {
    pub frame: Frame,
    /// Not uploaded yet.
    pub is_new: bool,
}

/// Saved worlds that the menu shows: the newest.
const MOST_LISTED: usize = 7;

/// A line that shows for a while.
#[derive(Debug, Clone, Default, Resource)]
pub struct Notice(Option<(String, Instant)>);

impl Notice {
    const SHOWN: Duration = Duration::from_secs(4);

    pub fn set(&mut self, text: impl Into<String>) {
        self.0 = Some((text.into(), Instant::now()));
    }

    pub fn text(&self) -> &str {
        self.0.as_ref().filter(|(_, set_at)| set_at.elapsed() < Self::SHOWN).map_or("", |(text, _)| text)
    }
}

/// Takes in what the generator has said.
pub(super) fn hear(
    mut link: ResMut<Link>,
    mut session: ResMut<Session>,
    mut pictures: ResMut<Pictures>,
    mut stats: ResMut<Stats>,
    mut notice: ResMut<Notice>,
    (mut devices, mut look): (ResMut<Devices>, ResMut<Look>),
    mut next: ResMut<NextState<Screen>>,
    screen: Res<State<Screen>>,
) {
    let events: Vec<Event> = link.generator.heard().collect();
    for event in events {
        match event {
            Event::Started { device, has_truth } => {
                (session.device, session.has_truth) = (device, has_truth);
                session.side_by_side &= has_truth;
                session.phase = Phase::Making { since: Instant::now() };
                link.tell(Command::SideBySide(session.side_by_side));
                let begin = match session.load.take() {
                    Some(path) => Command::Load(Some(path)),
                    None => Command::Reset { seed: session.seed },
                };
                link.tell(begin);
            }
            Event::Loaded { seed } => session.seed = seed,
            Event::Chart(frame) => {
                // It shows with the next frame: drawing the window is what costs.
                pictures.chart = Some(ChartPicture { frame, is_new: true });
            }
            Event::News(news) => notice.set(news),
            Event::Device(device) => session.device = device,
            Event::Frame(tick) => {
                // A frame of the world before may still be on its way.
                if tick.seed != session.seed {
                    continue;
                }
                if session.phase != Phase::Ready {
                    session.phase = Phase::Ready;
                }
                if tick.rewound_ticks > 0 {
                    let seconds = tick.rewound_ticks as f32 / TICKS_PER_SECOND as f32;
                    notice.set(format!("{seconds:.1} s back; let go to play on from here"));
                }
                if let Some(slot) = tick.slot {
                    devices.slot = slot;
                }
                stats.note_tick(&tick, Instant::now());
                look.answer(tick.told_deg, tick.observation.pose.pitch_deg);
                pictures.dream = tick.observation.frame;
                (pictures.tick, pictures.around) = (tick.observation.tick, None);
                pictures.truth = tick.truth;
                pictures.exporter = tick.exporter;
                pictures.version += 1;
                pictures.input_at = pictures.input_at.or(tick.input_at);
            }
            Event::Around { tick, around } if tick == pictures.tick => pictures.around = Some(around),
            // Of a frame that has gone.
            Event::Around { .. } => {}
            Event::Failed { message, can_reset } => {
                tracing::error!("{message}");
                session.phase = Phase::Failed { message, can_reset };
                next.set(Screen::Failed);
            }
            Event::Stopped if !matches!(session.phase, Phase::Failed { .. }) => {
                session.phase = Phase::Failed { message: "the generator ended".into(), can_reset: false };
                next.set(Screen::Failed);
            }
            Event::Stopped => {}
        }
    }
    if session.start_wanted && session.phase == Phase::Ready && *screen.get() == Screen::Start {
        session.start_wanted = false;
        next.set(Screen::Play);
    }
}

/// Tells the generator what the player did since the last update.
pub(super) fn act(
    mut link: ResMut<Link>,
    (mut devices, mut look): (ResMut<Devices>, ResMut<Look>),
    (config, session): (Res<Config>, Res<Session>),
    screen: Res<State<Screen>>,
) {
    if let Some(held) = devices.rewind_changed(&config) {
        link.tell(Command::Rewind(held));
    }
    match devices.take_intent(&config) {
        Some(intent) if *screen.get() == Screen::Play && !session.is_replay => {
            look.tell(intent.pressed.camera, intent.oldest_event_at);
            link.tell(Command::Act(intent));
        }
        _ => link.flush(),
    }
}

pub(super) fn enter_play(
    mut link: ResMut<Link>,
    mut devices: ResMut<Devices>,
    mut stats: ResMut<Stats>,
    mut pictures: ResMut<Pictures>,
) {
    devices.clear();
    stats.forget_rate();
    pictures.input_at = None;
    link.tell(Command::Resume);
}

pub(super) fn leave_play(mut link: ResMut<Link>) {
    link.tell(Command::Pause);
}

pub(super) fn open_menu(screen: Res<State<Screen>>, mut menu: ResMut<Menu>, mut session: ResMut<Session>) {
    if screen.is_changed() {
        if *screen.get() == Screen::Worlds {
            let folder = session.worlds_folder.clone();
            session.saves = folder.map(|folder| saves::list(&folder, MOST_LISTED)).unwrap_or_default();
        }
        menu.open(*screen.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::{Notary, Seal};
    use holdfast_media::credentials::{Origin, Start};

    #[test]
    fn what_the_window_shows_of_a_dream_is_marked_unless_the_user_wants_no_mark() {
        let exporter = |marks| {
            let origin = Origin::Model { name: "pebble".into(), hash: "abc".into() };
            Exporter::new(Seal { notary: Notary::Nobody, marks }, origin, Start::Seed(7))
        };
        let frame = Frame::new(128, 72);
        let shown = |exporter| Pictures { exporter, ..Pictures::default() }.as_exported(&frame);
        assert_ne!(shown(Some(exporter(true))), frame);
        assert_eq!(shown(Some(exporter(false))), frame);
        assert_eq!(shown(None), frame, "nothing is known of who draws here");
    }
}
