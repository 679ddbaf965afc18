//! The generator thread: owns the worlds, keeps the clock, takes the newest intent at the last moment before each
//! step, and answers with frames. It never waits for the window, and the window never waits for it.

use super::{
    intent::Intent,
    pacer::Pacer,
    truth::Truth,
    waker::Waker,
    worlds::{PlayableWorld, WorldFactory, Worlds},
};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use holdfast_sim::{Frame, Observation, Start};
use std::{
    any::Any,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// What the app tells the generator. One channel for all of it, so that a press cannot overtake a pause.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    pub memory_cells: usize,
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
/// How long before a tick the window is asked for what it has gathered: it sleeps through mouse motion otherwise.
const ASK_BEFORE: Duration = Duration::from_millis(6);

impl Generator {
    pub fn start(factory: WorldFactory, waker: Waker) -> io::Result<Generator> {
        let (command_sender, commands) = bounded(WAITING_COMMANDS);
        let (events, event_receiver) = bounded(WAITING_EVENTS);
        let run = move || {
            let outlet = Outlet { events, waker };
            if let Err(message) = guard(|| {
                run(factory, &commands, &outlet);
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

struct Outlet {
    events: Sender<Event>,
    waker: Waker,
}

impl Outlet {
    /// Says something that must arrive; an app that is gone needs no answer.
    fn say(&self, event: Event) {
        let _ = self.events.send(event);
        self.waker.wake();
    }

    /// Shows a frame if there is room; hands it back otherwise.
    fn show(&self, tick: Box<Tick>) -> Option<Box<Tick>> {
        let back = match self.events.try_send(Event::Frame(tick)) {
            Err(TrySendError::Full(Event::Frame(tick))) => Some(tick),
            _ => None,
        };
        self.waker.wake();
        back
    }
}

struct Game {
    dream: Box<dyn PlayableWorld>,
    truth: Option<Truth>,
    seed: u64,
    alive: bool,
    wanted_running: bool,
    side_by_side: bool,
    intent: Intent,
    pacer: Pacer,
    asked: bool,
    dropped_frames: u64,
    unanswered_input_at: Option<Instant>,
}

fn run(factory: WorldFactory, commands: &Receiver<Command>, outlet: &Outlet) {
    let Worlds { dream, truth, device } = match guard(|| factory().map_err(|error| format!("{error:#}"))) {
        Ok(worlds) => worlds,
        Err(message) => {
            return outlet.say(Event::Failed { message, can_reset: false });
        }
    };
    outlet.say(Event::Started { device, has_truth: truth.is_some() });
    let mut game = Game {
        dream,
        truth: truth.map(Truth::new),
        seed: 0,
        alive: false,
        wanted_running: false,
        side_by_side: false,
        intent: Intent::default(),
        pacer: Pacer::new(Instant::now()),
        asked: false,
        dropped_frames: 0,
        unanswered_input_at: None,
    };
    while let Some(next) = game.wait(commands) {
        let outcome = match next {
            Next::Obey(Command::Stop) => return,
            Next::Obey(command) => game.obey(command, outlet),
            Next::Ask => {
                game.asked = true;
                outlet.waker.wake();
                Ok(())
            }
            Next::Tick => game.tick(outlet),
        };
        if let Err(message) = outcome {
            game.alive = false;
            outlet.say(Event::Failed { message, can_reset: true });
        }
    }
}

enum Next {
    Obey(Command),
    /// Ask the window for the newest input.
    Ask,
    Tick,
}

impl Game {
    /// Waits for a command or the clock; `None` when the app is gone.
    fn wait(&self, commands: &Receiver<Command>) -> Option<Next> {
        if !(self.alive && self.wanted_running) {
            return commands.recv().ok().map(Next::Obey);
        }
        let due = self.pacer.due();
        let (deadline, then) = match due.checked_sub(ASK_BEFORE) {
            Some(ask) if !self.asked && ask > Instant::now() => (ask, Next::Ask),
            _ => (due, Next::Tick),
        };
        match commands.recv_deadline(deadline) {
            Ok(command) => Some(Next::Obey(command)),
            Err(RecvTimeoutError::Timeout) => Some(then),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn obey(&mut self, command: Command, outlet: &Outlet) -> Result<(), String> {
        match command {
            Command::Act(intent) => self.intent.merge(intent),
            Command::Pause => {
                self.wanted_running = false;
                self.intent = Intent::default();
            }
            Command::Resume => {
                self.wanted_running = true;
                self.intent = Intent::default();
                self.pacer.restart(Instant::now());
            }
            Command::SideBySide(on) => self.side_by_side = on,
            Command::Reset { seed } => return self.reset(seed, outlet),
            Command::Stop => {}
        }
        Ok(())
    }

    fn reset(&mut self, seed: u64, outlet: &Outlet) -> Result<(), String> {
        self.alive = false;
        let observation = guard(|| self.dream.reset(&Start::Seed(seed)).map_err(|error| error.to_string()))?;
        if let Some(truth) = &mut self.truth {
            truth.restart(seed);
        }
        (self.seed, self.alive, self.intent) = (seed, true, Intent::default());
        (self.dropped_frames, self.unanswered_input_at) = (0, None);
        self.pacer = Pacer::new(Instant::now());
        let truth = self.truth_beside()?;
        let tick = Tick { truth, ..self.describe(observation, 0.0) };
        outlet.say(Event::Frame(Box::new(tick)));
        Ok(())
    }

    fn tick(&mut self, outlet: &Outlet) -> Result<(), String> {
        let (action, input_at) = self.intent.take_action();
        self.unanswered_input_at = self.unanswered_input_at.or(input_at);
        let started = Instant::now();
        let observation = guard(|| self.dream.step(&action).map_err(|error| error.to_string()))?;
        let step_ms = started.elapsed().as_secs_f32() * 1e3;
        if let Some(truth) = &mut self.truth {
            truth.note(action);
        }
        let truth = self.truth_beside()?;
        self.pacer.advance(Instant::now());
        self.asked = false;
        let input_at = self.unanswered_input_at.take();
        let tick = Tick { truth, input_at, ..self.describe(observation, step_ms) };
        if let Some(refused) = outlet.show(Box::new(tick)) {
            self.dropped_frames += 1;
            self.unanswered_input_at = refused.input_at;
        }
        Ok(())
    }

    fn truth_beside(&mut self) -> Result<SideBySide, String> {
        match &mut self.truth {
            Some(truth) if self.side_by_side => guard(|| truth.catch_up(self.pacer.due() + Pacer::PERIOD)),
            _ => Ok(SideBySide::Off),
        }
    }

    fn describe(&self, observation: Observation, step_ms: f32) -> Tick {
        Tick {
            seed: self.seed,
            observation,
            truth: SideBySide::Off,
            timings: Timings { step_ms, missed_ticks: self.pacer.missed(), dropped_frames: self.dropped_frames },
            input_at: None,
            memory_cells: self.dream.memory_cells(),
        }
    }
}

/// Runs what a world does; a panic in it becomes an error like any other, and the window stays.
fn guard<T>(act: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|panic| Err(format!("a fault in the world: {}", said(&*panic))))
}

fn said(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("no message")
}
