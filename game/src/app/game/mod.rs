//! The generator's side of a game: the world that is played, its clock, its last minute, and what is kept of it.

mod chart;
mod filming;
mod kept;
mod rewind;

use super::{
    charter::{Charter, Trail},
    film::Film,
    generator::{Command, Event, KeepOptions, Outlet, SideBySide, Tick, Timings, guard},
    history::History,
    intent::Intent,
    look,
    pacer::Pacer,
    saves::Occasion,
    scribe::{Keeper, Scribe, Tell},
    truth::Truth,
    worlds::{PlayableWorld, Worlds},
};
use crate::export::{Exporter, Seal};
use crossbeam_channel::{Receiver, RecvTimeoutError};
use holdfast_model::keep::{About, Line, Origin, recording::Beginning};
use holdfast_sim::{Observation, Pose};
use std::{
    path::PathBuf,
    time::{Duration, Instant},
};

/// With at least this long until the next tick, what is known around the frame is drawn; it takes some milliseconds.
const AROUND_WITHIN: Duration = Duration::from_millis(12);
/// It is drawn until the look has rested for so many ticks.
const RESTED_TICKS: u32 = 20;

/// How long before a tick the window is asked for what it has gathered: it sleeps through mouse motion otherwise.
const ASK_BEFORE: Duration = Duration::from_millis(6);

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
    /// See [`Tick::told_deg`].
    told_deg: [f64; 2],
    /// Since the look turned.
    rested_ticks: u32,
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
    seal: Seal,
    exporter: Option<Exporter>,
    recordings: Option<PathBuf>,
    film: Option<Film>,
    /// Where the last frame was seen from: the next action is taken there.
    pose: Pose,
    ticks_since_save: usize,
    trail: Trail,
    charter: Option<Charter>,
    /// `None` while no map is shown.
    ticks_since_chart: Option<usize>,
    /// The device that it began with failed, and that was told.
    device_lost: bool,
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
            told_deg: [0.0; 2],
            rested_ticks: RESTED_TICKS,
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
            seal: keep.seal.clone(),
            exporter: None,
            recordings: keep.recordings.clone(),
            film: None,
            pose: Pose::default(),
            ticks_since_save: 0,
            trail: Trail::default(),
            charter: None,
            ticks_since_chart: None,
            device_lost: false,
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
            Command::Act(intent) => {
                look::add(&mut self.told_deg, intent.pressed.camera);
                self.intent.merge(intent);
            }
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
            Command::Chart(shown) => return self.show_chart(shown, outlet),
            Command::Reset { seed } => return self.reset(seed, outlet),
            Command::Rewind(true) => self.rewound_to = self.history.span().map(|(_, newest)| newest),
            Command::Rewind(false) => return self.end_rewind(outlet),
            Command::Save => self.save(Occasion::Asked, outlet),
            Command::Film => self.switch_film(outlet),
            Command::Load(path) => return self.load(path, outlet),
            Command::Playback(_) | Command::Stop => {}
        }
        Ok(())
    }

    /// Keeps what was played since the last save.
    pub fn end(mut self) {
        if let (Some(save), Some(keeper)) = (self.unsaved(), self.keeper.take()) {
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

    /// Begins to play a world whose line is already known.
    fn enter(&mut self, seed: u64, observation: Observation, outlet: &Outlet) -> Result<(), String> {
        self.retrace_truth(seed);
        (self.seed, self.alive, self.intent) = (seed, true, Intent::default());
        (self.dropped_frames, self.unanswered_input_at) = (0, None);
        (self.rewound_to, self.ticks_since_save) = (None, 0);
        self.pose = observation.pose;
        // Another world is another film.
        self.end_film();
        self.credit();
        self.history.begin(self.dream.snapshot());
        self.trail.clear();
        self.trail.note(&self.pose);
        self.ticks_since_chart = self.ticks_since_chart.map(|_| usize::MAX / 2);
        self.chart();
        self.pacer = Pacer::new(Instant::now());
        let truth = self.truth_beside()?;
        let slot = self.dream.slot();
        let tick = Tick { truth, slot, ..self.describe(observation, 0.0) };
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
        self.mind_device(outlet)?;
        let (action, input_at) = self.intent.take_action();
        self.rested_ticks = if action.camera == [0.0; 2] { self.rested_ticks.saturating_add(1) } else { 0 };
        self.unanswered_input_at = self.unanswered_input_at.or(input_at);
        let started = Instant::now();
        let observation = guard(|| self.dream.step(&action).map_err(|error| error.to_string()))?;
        let step_ms = started.elapsed().as_secs_f32() * 1e3;
        if let Some(truth) = &mut self.truth {
            truth.note(action);
        }
        self.keep(action, &observation, outlet);
        self.trail.note(&self.pose);
        self.chart();
        let truth = self.truth_beside()?;
        self.pacer.advance(Instant::now());
        self.asked = false;
        let input_at = self.unanswered_input_at.take();
        let tick = Tick { truth, input_at, ..self.describe(observation, step_ms) };
        let at = tick.observation.tick;
        if let Some(refused) = outlet.show(Box::new(tick)) {
            self.dropped_frames += 1;
            self.unanswered_input_at = refused.input_at;
        }
        self.look_around(at, outlet)
    }

    /// Draws what is known around a frame, after it and only where there is time: it is of use to a look that turns.
    fn look_around(&mut self, tick: u64, outlet: &Outlet) -> Result<(), String> {
        let time_left = self.pacer.due().saturating_duration_since(Instant::now());
        if self.rested_ticks < RESTED_TICKS && time_left >= AROUND_WITHIN {
            let around = guard(|| Ok(self.dream.around(look::MOST_AHEAD_DEG)))?;
            if let Some(around) = around {
                outlet.mention(Event::Around { tick, around });
            }
        }
        Ok(())
    }

    /// Tells of a device that failed, once: the world goes on without it, or is kept and ends here.
    fn mind_device(&mut self, outlet: &Outlet) -> Result<(), String> {
        if self.device_lost {
            return Ok(());
        }
        let Some(lost) = self.dream.device_lost() else { return Ok(()) };
        self.device_lost = true;
        let Some(device) = lost.now else {
            self.save(Occasion::Auto, outlet);
            return Err(format!(
                "{}; the world is kept up to here, and goes on with --device cpu --load FILE",
                lost.fault
            ));
        };
        outlet.say(Event::News(format!("{}; {device} goes on", lost.fault)));
        outlet.say(Event::Device(device.clone()));
        if let Some(about) = &mut self.about {
            about.device = device;
        }
        // Nobody but that device could make the frames of before again.
        self.history.begin(self.dream.snapshot());
        Ok(())
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
            told_deg: self.told_deg,
            memory_cells: self.dream.memory_cells(),
            slot: None,
            rewound_ticks: 0,
            recorded: self.recorded(),
            replayed: None,
            exporter: self.exporter.clone(),
        }
    }
}
