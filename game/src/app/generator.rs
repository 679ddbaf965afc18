//! The generator thread: owns the worlds, keeps the clock, takes the newest intent at the last moment before each
//! step, and answers with frames. It never waits for the window, and the window never waits for it.

use super::{
    game::{Game, Next},
    intent::Intent,
    playback::{Playback, Replayed},
    projector::Projector,
    waker::Waker,
    worlds::WorldFactory,
};
use crate::export::{Exporter, Seal};
use crossbeam_channel::{Receiver, Sender, TrySendError, bounded};
use holdfast_model::{Around, engine::said_in, keep::recording::Recording};
use holdfast_sim::{Frame, Observation};
use std::{
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    thread::{self, JoinHandle},
    time::Instant,
};

/// What the app tells the generator. One channel for all of it, so that a press cannot overtake a pause.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// What the player did since the last one.
    Act(Intent),
    /// A new world; whether it runs or waits stays as it was.
    Reset {
        seed: u64,
    },
    Pause,
    Resume,
    SideBySide(bool),
    /// Draw the map of what is known, or no longer.
    Chart(bool),
    /// The rewind key went down, or up again.
    Rewind(bool),
    Save,
    /// Begins to record, or ends the recording.
    Film,
    /// What is done to a replay.
    Playback(Playback),
    /// Goes on from a save; `None` takes the newest.
    Load(Option<PathBuf>),
    Stop,
}

/// Everything that the generator says.
#[derive(Debug)]
pub enum Event {
    /// The worlds are made; the generator waits for a `Reset`.
    Started {
        device: String,
        has_truth: bool,
    },
    Frame(Box<Tick>),
    /// What is known around the frame of a tick, to be shown where the look turns ahead of the next.
    Around {
        tick: u64,
        around: Around,
    },
    /// What is known, seen from above.
    Chart(Frame),
    /// A saved world goes on; its frame follows. A world that began with a picture has seed 0.
    Loaded {
        seed: u64,
    },
    /// Something that the player should know.
    News(String),
    /// Another device computes the frames from now on.
    Device(String),
    /// The world stopped. With `can_reset` a new one may be tried.
    Failed {
        message: String,
        can_reset: bool,
    },
    /// The thread has ended.
    Stopped,
}

/// One tick of the world as the window needs it.
#[derive(Debug)]
pub struct Tick {
    pub seed: u64,
    pub observation: Observation,
    pub truth: SideBySide,
    pub timings: Timings,
    /// When the oldest input event that this frame answers arrived.
    pub input_at: Option<Instant>,
    /// The mouse's turns that the generator had been told of when it asked for this frame, degrees of pitch and yaw since
    /// the program began.
    pub told_deg: [f64; 2],
    pub memory_cells: usize,
    /// The slot in hand, where it did not change by the player's choice: after a load or a rewind.
    pub slot: Option<u8>,
    /// How far before the newest tick this one is, while rewinding.
    pub rewound_ticks: u64,
    pub recorded: Option<Recorded>,
    /// Where a replay is, if this is one.
    pub replayed: Option<Replayed>,
    /// What marks and signs this frame where it is exported; `None` for a world of which nothing is known.
    pub exporter: Option<Exporter>,
}

/// What is being recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recorded {
    pub ticks: u64,
    /// Frames that found no room.
    pub dropped: u64,
    /// Video, and not actions alone.
    pub is_film: bool,
}

/// The simulator's side of the picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SideBySide {
    Off,
    Shown(Frame),
    /// It was switched on late and is still running after the dream.
    Behind {
        ticks: usize,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Timings {
    /// The dream's step, milliseconds.
    pub step_ms: f32,
    /// Ticks of this world that were due and never ran.
    pub missed_ticks: u64,
    /// Frames of this world that the window was too slow to take.
    pub dropped_frames: u64,
}

/// The app's end of the channels, and the thread. Dropping it ends the thread and waits for it.
#[derive(Debug)]
pub struct Generator {
    commands: Option<Sender<Command>>,
    events: Option<Receiver<Event>>,
    thread: Option<JoinHandle<()>>,
}

/// Intents merge when this is full, so it only needs to hold what arrives during one step.
const WAITING_COMMANDS: usize = 32;
/// More than this and the window is not drawing: frames are dropped rather than queued into the past.
const WAITING_EVENTS: usize = 4;

/// Where worlds are kept.
#[derive(Debug, Clone, Default)]
pub struct KeepOptions {
    /// Folder of saved worlds; `None` for a game that saves nothing.
    pub worlds: Option<PathBuf>,
    /// File to record to.
    pub record: Option<PathBuf>,
    /// Folder of the recordings that the player switches on.
    pub recordings: Option<PathBuf>,
    pub seal: Seal,
    /// Replays this recording, rather than letting the player play.
    pub replay: Option<Recording>,
}

impl Generator {
    pub fn start(factory: WorldFactory, keep: KeepOptions, waker: Waker) -> io::Result<Generator> {
        let (command_sender, commands) = bounded(WAITING_COMMANDS);
        let (events, event_receiver) = bounded(WAITING_EVENTS);
        let run = move || {
            let outlet = Outlet { events, waker };
            if let Err(message) = guard(|| {
                run(factory, &keep, &commands, &outlet);
                Ok(())
            }) {
                outlet.say(Event::Failed { message, can_reset: false });
            }
            outlet.say(Event::Stopped);
        };
        let thread = thread::Builder::new().name("generator".into()).spawn(run)?;
        Ok(Generator { commands: Some(command_sender), events: Some(event_receiver), thread: Some(thread) })
    }

    /// Hands a command over without waiting; gives it back if the generator is too busy to take it now.
    pub fn tell(&self, command: Command) -> Result<(), Command> {
        match self.commands.as_ref().map(|commands| commands.try_send(command)) {
            Some(Err(TrySendError::Full(command))) => Err(command),
            // An ended generator needs no commands; it has said why.
            _ => Ok(()),
        }
    }

    /// What it has said since the last call.
    pub fn heard(&self) -> impl Iterator<Item = Event> {
        self.events.iter().flat_map(Receiver::try_iter)
    }

    /// Ends the thread and waits for it: as long as the step that is running takes.
    pub fn stop(&mut self) {
        // With both channels gone neither a full queue nor an unread event can hold the thread back.
        self.events = None;
        self.commands = None;
        if let Some(thread) = self.thread.take() {
            // Panics are caught and told inside.
            let _ = thread.join();
        }
    }
}

impl Drop for Generator {
    fn drop(&mut self) {
        self.stop();
    }
}

#[derive(Debug, Clone)]
pub(super) struct Outlet {
    events: Sender<Event>,
    waker: Waker,
}

impl Outlet {
    pub fn wake(&self) {
        self.waker.wake();
    }

    /// Says something that must arrive; an app that is gone needs no answer.
    pub fn say(&self, event: Event) {
        let _ = self.events.send(event);
        self.waker.wake();
    }

    /// Says something that nobody waits for, if there is room: it shows when the window is drawn next.
    pub fn mention(&self, event: Event) {
        let _ = self.events.try_send(event);
    }

    /// Shows a frame if there is room; hands it back otherwise.
    pub fn show(&self, tick: Box<Tick>) -> Option<Box<Tick>> {
        let back = match self.events.try_send(Event::Frame(tick)) {
            Err(TrySendError::Full(Event::Frame(tick))) => Some(tick),
            _ => None,
        };
        self.waker.wake();
        back
    }
}

fn run(factory: WorldFactory, keep: &KeepOptions, commands: &Receiver<Command>, outlet: &Outlet) {
    let worlds = match guard(|| factory().map_err(|error| format!("{error:#}"))) {
        Ok(worlds) => worlds,
        Err(message) => {
            return outlet.say(Event::Failed { message, can_reset: false });
        }
    };
    outlet.say(Event::Started { device: worlds.device.clone(), has_truth: worlds.truth.is_some() });
    if let Some(recording) = keep.replay.clone() {
        let shown = Projector::new(worlds, recording, keep.seal.clone());
        if let Err(message) = shown.and_then(|projector| projector.run(commands, outlet)) {
            outlet.say(Event::Failed { message, can_reset: false });
        }
        return;
    }
    let mut game = match Game::new(worlds, keep, outlet) {
        Ok(game) => game,
        Err(message) => return outlet.say(Event::Failed { message, can_reset: false }),
    };
    while let Some(next) = game.wait(commands) {
        let outcome = match next {
            Next::Obey(Command::Stop) => break,
            Next::Obey(command) => game.obey(command, outlet),
            Next::Ask => {
                game.asked = true;
                outlet.wake();
                Ok(())
            }
            Next::Tick => game.tick(outlet),
        };
        if let Err(message) = outcome {
            game.alive = false;
            outlet.say(Event::Failed { message, can_reset: true });
        }
    }
    game.end();
}

/// Runs what a world does; a panic in it becomes an error like any other, and the window stays.
pub(super) fn guard<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    guard_part("the world", act)
}

/// The same for another part of the game, by its name.
pub(super) fn guard_part<T>(part: &str, act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act))
        .unwrap_or_else(|panic| Err(format!("a fault in {part}: {}", said_in(&*panic).unwrap_or("no message"))))
}
