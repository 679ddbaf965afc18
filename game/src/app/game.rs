//! The generator's side of a game: the world that is played, its clock, its last minute, and what is kept of it.

use super::{
    generator::{Command, Event, KeepOptions, Outlet, SideBySide, Tick, Timings, guard},
    history::History,
    intent::Intent,
    pacer::Pacer,
    saves::{self, Occasion},
    scribe::{Keeper, Scribe, Tell},
    truth::Truth,
    worlds::{PlayableWorld, Worlds},
};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use holdfast_model::keep::{About, Line, Origin, Save, Snapshot, frame_hash, recording::Beginning};
use holdfast_sim::{Action, Depth, Observation, TICKS_PER_SECOND};
use std::{
    fs,
    path::PathBuf,
    time::{Duration, Instant},
};

/// How long before a tick the window is asked for what it has gathered: it sleeps through mouse motion otherwise.
const ASK_BEFORE: Duration = Duration::from_millis(6);
/// Ticks between two saves that nobody asked for.
const AUTOSAVE_TICKS: usize = 60 * TICKS_PER_SECOND as usize;
/// Ticks that a rewind goes back in the time of one: a minute takes twenty seconds.
const REWIND_SPEED: u64 = 3;

pub(super) enum Next {
    Obey(Command),
    /// Ask the window for the newest input.
    Ask,
    Tick,
}

/// See the module.
pub(super) struct Game {
    dream: Box<dyn PlayableWorld>,
    truth: Option<Truth>,
    about: Option<About>,
    seed: u64,
    pub alive: bool,
    wanted_running: bool,
    side_by_side: bool,
    intent: Intent,
    pacer: Pacer,
    pub asked: bool,
    dropped_frames: u64,
    unanswered_input_at: Option<Instant>,
    line: Line,
    history: History,
    /// The tick that a rewind shows, while the key is held.
    rewound_to: Option<u64>,
    worlds_folder: Option<PathBuf>,
    keeper: Option<Keeper>,
    scribe: Option<Scribe>,
    ticks_since_save: usize,
}

impl Game {
    pub fn new(worlds: Worlds, keep: &KeepOptions, outlet: &Outlet) -> Result<Game, String> {
        let Worlds { dream, truth, about, .. } = worlds;
        let tell = || -> Tell {
            let outlet = outlet.clone();
            Box::new(move |news| outlet.say(Event::News(news)))
        };
        // What cannot be kept is no such world: the game goes on without.
        let folder = keep.worlds.clone().filter(|_| about.is_some());
        let keeper = folder.clone().map(|folder| Keeper::start(folder, tell())).transpose();
        let scribe = match (&keep.record, &about) {
            (Some(path), Some(about)) => Some(Scribe::start(path, about, tell()).map_err(|error| {
                format!("cannot record to {}: {error}; choose a new file that can be written", path.display())
            })?),
            _ => None,
        };
        Ok(Game {
            dream,
            truth: truth.map(Truth::new),
            about,
            seed: 0,
            alive: false,
            wanted_running: false,
            side_by_side: false,
            intent: Intent::default(),
            pacer: Pacer::new(Instant::now()),
            asked: false,
            dropped_frames: 0,
            unanswered_input_at: None,
            line: Line::new(Origin::Seed(0), 0),
            history: History::default(),
            rewound_to: None,
            worlds_folder: folder,
            keeper: keeper.map_err(|error| format!("cannot start the thread that saves: {error}"))?,
            scribe,
            ticks_since_save: 0,
        })
    }

    /// Waits for a command or the clock; `None` when the app is gone.
    pub fn wait(&self, commands: &Receiver<Command>) -> Option<Next> {
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

    pub fn obey(&mut self, command: Command, outlet: &Outlet) -> Result<(), String> {
        match command {
            Command::Act(intent) => self.intent.merge(intent),
            Command::Pause => {
                self.wanted_running = false;
                self.intent = Intent::default();
                return self.end_rewind(outlet);
            }
            Command::Resume => {
                self.wanted_running = true;
                self.intent = Intent::default();
                self.pacer.restart(Instant::now());
            }
            Command::SideBySide(on) => self.side_by_side = on,
            Command::Reset { seed } => return self.reset(seed, outlet),
            Command::Rewind(true) => self.rewound_to = self.history.span().map(|(_, newest)| newest),
            Command::Rewind(false) => return self.end_rewind(outlet),
            Command::Save => self.save(Occasion::Asked, outlet),
            Command::Load(path) => return self.load(path, outlet),
            Command::Stop => {}
        }
        Ok(())
    }

    /// Keeps what was played since the last save.
    pub fn end(mut self) {
        if self.alive
            && self.ticks_since_save > 0
            && let (Some(save), Some(keeper)) = (self.world(), self.keeper.take())
        {
            keeper.keep_last(save, Occasion::Auto);
        }
    }

    fn reset(&mut self, seed: u64, outlet: &Outlet) -> Result<(), String> {
        self.leave();
        let origin = Origin::Seed(seed);
        let observation = guard(|| self.dream.reset(&origin.start()).map_err(|error| error.to_string()))?;
        self.line = Line::new(origin.clone(), self.dream.noise_seed());
        if let Some(scribe) = &mut self.scribe {
            scribe.begin(Beginning::Origin(origin), self.line.noise_seed, 0, &observation.frame);
        }
        self.enter(seed, observation, outlet)
    }

    /// Goes on from a save. A failure leaves the present world as it is, if there is one.
    fn load(&mut self, path: Option<PathBuf>, outlet: &Outlet) -> Result<(), String> {
        let newest = || self.worlds_folder.as_deref().and_then(saves::newest);
        let Some(path) = path.or_else(newest) else {
            outlet.say(Event::News("there is no saved world yet; F5 saves".into()));
            return Ok(());
        };
        let fail = |reason: String| format!("not loaded: {}: {reason}", path.display());
        let read = || {
            let bytes = fs::read(&path).map_err(|error| fail(error.to_string()))?;
            let save = Save::read(bytes.as_slice()).map_err(|fault| fail(fault.to_string()))?;
            Ok((bytes, save))
        };
        // A world that is played is kept before it is left.
        let present = self.alive.then(|| self.world()).flatten();
        let loaded = guard(read).and_then(|(bytes, save)| {
            let observation = guard(|| self.dream.restore(&save.snapshot)).map_err(fail)?;
            Ok((bytes, save, observation))
        });
        let (bytes, save, observation) = match loaded {
            Ok(loaded) => loaded,
            Err(message) if self.alive => {
                outlet.say(Event::News(message));
                return Ok(());
            }
            Err(message) => return Err(message),
        };
        if self.ticks_since_save > 0
            && let (Some(present), Some(keeper)) = (present, &self.keeper)
        {
            keeper.keep(present, Occasion::Auto);
        }
        self.line = save.line;
        let seed = self.line.origin.seed();
        if let Some(scribe) = &mut self.scribe {
            scribe.begin(Beginning::Save(bytes), self.line.noise_seed, observation.tick, &observation.frame);
        }
        outlet.say(Event::Loaded { seed: seed.unwrap_or(0) });
        self.enter(seed.unwrap_or(0), observation, outlet)
    }

    /// Keeps the world that is about to be left for another one.
    fn leave(&mut self) {
        if self.alive
            && self.ticks_since_save > 0
            && let (Some(save), Some(keeper)) = (self.world(), &self.keeper)
        {
            keeper.keep(save, Occasion::Auto);
        }
        self.alive = false;
    }

    /// Begins to play a world whose line is already known.
    fn enter(&mut self, seed: u64, observation: Observation, outlet: &Outlet) -> Result<(), String> {
        self.retrace_truth(seed);
        (self.seed, self.alive, self.intent) = (seed, true, Intent::default());
        (self.dropped_frames, self.unanswered_input_at) = (0, None);
        (self.rewound_to, self.ticks_since_save) = (None, 0);
        self.history.begin(self.dream.snapshot());
        self.pacer = Pacer::new(Instant::now());
        let truth = self.truth_beside()?;
        let tick = Tick { truth, ..self.describe(observation, 0.0) };
        outlet.say(Event::Frame(Box::new(tick)));
        Ok(())
    }

    /// The simulator runs after the dream from its beginning, under the line's actions.
    fn retrace_truth(&mut self, seed: u64) {
        if let Some(truth) = &mut self.truth {
            truth.restart(seed);
            self.line.actions.iter().for_each(|action| truth.note(*action));
        }
    }

    pub fn tick(&mut self, outlet: &Outlet) -> Result<(), String> {
        if let Some(tick) = self.rewound_to {
            return self.rewind_from(tick, outlet);
        }
        let (action, input_at) = self.intent.take_action();
        self.unanswered_input_at = self.unanswered_input_at.or(input_at);
        let started = Instant::now();
        let observation = guard(|| self.dream.step(&action).map_err(|error| error.to_string()))?;
        let step_ms = started.elapsed().as_secs_f32() * 1e3;
        if let Some(truth) = &mut self.truth {
            truth.note(action);
        }
        self.keep(action, &observation, outlet);
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

    /// What is kept of a tick.
    fn keep(&mut self, action: Action, observation: &Observation, outlet: &Outlet) {
        self.line.actions.push(action);
        self.history.note(action, &observation.frame, || self.dream.snapshot());
        if let Some(scribe) = &mut self.scribe {
            scribe.push(action, frame_hash(&observation.frame));
        }
        self.ticks_since_save += 1;
        if self.ticks_since_save >= AUTOSAVE_TICKS {
            self.save(Occasion::Auto, outlet);
        }
    }

    /// Shows a little more of the past.
    fn rewind_from(&mut self, tick: u64, outlet: &Outlet) -> Result<(), String> {
        let Some((oldest, newest)) = self.history.span() else { return Ok(()) };
        let tick = tick.saturating_sub(REWIND_SPEED).max(oldest);
        self.rewound_to = Some(tick);
        self.pacer.advance(Instant::now());
        self.asked = false;
        if let Some(frame) = self.history.frame_at(tick).cloned() {
            let depth = Depth::default();
            let observation = Observation { tick, frame, depth, pose: Default::default(), stages_ms: Vec::new() };
            let tick = Tick { rewound_ticks: newest - tick, ..self.describe(observation, 0.0) };
            // One that the window has no room for is not missed.
            let _ = outlet.show(Box::new(tick));
        }
        Ok(())
    }

    /// Goes on from the tick that was shown: another line, which forks from the one so far.
    fn end_rewind(&mut self, outlet: &Outlet) -> Result<(), String> {
        let (Some(tick), Some((_, newest))) = (self.rewound_to.take(), self.history.span()) else { return Ok(()) };
        if tick == newest {
            return Ok(());
        }
        // The line so far stays: as a save, and in the recording if there is one.
        self.save(Occasion::Rewind, outlet);
        let (world, way) = self.history.way_to(tick).ok_or("a tick of the last minute is not in reach")?;
        let dream = &mut self.dream;
        let observation = guard(|| {
            let mut observation = dream.restore(world)?;
            for action in &way {
                observation = dream.step(action).map_err(|error| error.to_string())?;
            }
            Ok(observation)
        })?;
        if self.history.frame_at(tick) != Some(&observation.frame) {
            return Err("the past did not come back as it was".into());
        }
        self.history.cut_after(tick);
        let from_origin = self.line.actions.len() as u64 - (newest - tick);
        self.line.actions.truncate(from_origin as usize);
        if let Some(scribe) = &mut self.scribe {
            scribe.fork(tick, self.line.noise_seed, &observation.frame);
        }
        self.retrace_truth(self.seed);
        // What was pressed meanwhile was not meant for this tick; what is held goes on.
        let _ = self.intent.take_action();
        self.pacer.restart(Instant::now());
        let tick = self.describe(observation, 0.0);
        outlet.say(Event::Frame(Box::new(tick)));
        Ok(())
    }

    /// The world as it is now.
    fn world(&self) -> Option<Save> {
        let (about, snapshot): (_, Snapshot) = (self.about.clone()?, self.dream.snapshot()?);
        Some(Save { about, line: self.line.clone(), snapshot })
    }

    fn save(&mut self, occasion: Occasion, outlet: &Outlet) {
        let asked = occasion == Occasion::Asked;
        match (&self.keeper, self.world().filter(|_| self.alive)) {
            (Some(keeper), Some(save)) => {
                if keeper.keep(save, occasion) {
                    self.ticks_since_save = 0;
                } else if asked {
                    outlet.say(Event::News("still saving; try again in a moment".into()));
                }
            }
            _ if asked => outlet.say(Event::News("this world cannot be saved".into())),
            _ => {}
        }
    }

    fn truth_beside(&mut self) -> Result<SideBySide, String> {
        match &mut self.truth {
            // No simulator knows the world of a picture.
            Some(truth) if self.side_by_side && self.line.origin.seed().is_some() => {
                guard(|| truth.catch_up(self.pacer.due() + Pacer::PERIOD))
            }
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
            rewound_ticks: 0,
        }
    }
}
