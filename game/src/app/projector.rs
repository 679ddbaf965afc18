//! The generator's side of a replay: makes a recording's frames again and shows them, forwards, backwards, at any speed.
//!
//! Frames near the one that is shown are kept. What is wanted beyond them is made from the nearest world before it: the
//! dream's own, or a bookmark, of which there are so few that a long recording needs no more memory than a short one.

use super::{
    generator::{Command, Event, Outlet, SideBySide, Tick, Timings, guard},
    pacer::Pacer,
    playback::{Playback, Replayed},
    worlds::Worlds,
};
use crate::export::{Exporter, Seal, credited};
use crossbeam_channel::{Receiver, RecvTimeoutError, TryRecvError};
use holdfast_media::credentials;
use holdfast_model::keep::{
    Save, Snapshot,
    recording::{Beginning, Recording, Replay},
};
use holdfast_sim::{Depth, Observation};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

const SPEEDS: [f32; 6] = [0.25, 0.5, 1.0, 2.0, 4.0, 8.0];
const NORMAL_SPEED: usize = 2;
/// Bookmarks lie this many frames apart, or a multiple of it when there would be too many.
const BOOKMARK_EVERY: u64 = 20;
const MOST_BOOKMARKS: usize = 24;
/// Most bytes of frames that are kept: 15 s at 128x72.
const MOST_FRAME_BYTES: usize = 8 << 20;

/// From here the frame after `frame` can be made.
struct Bookmark {
    frame: u64,
    replay: Replay,
    world: Snapshot,
}

/// A frame as it was made.
struct Made {
    line: usize,
    observation: Observation,
    step_ms: f32,
}

/// See the module.
pub(super) struct Projector {
    recording: Recording,
    worlds: Worlds,
    seal: Seal,
    seed: u64,
    replay: Replay,
    /// The frame that the dream makes next.
    next: u64,
    bookmarks: Vec<Bookmark>,
    bookmark_every: u64,
    made: BTreeMap<u64, Made>,
    different: BTreeSet<u64>,
    /// The frame that is shown.
    at: u64,
    wanted: Option<u64>,
    speed: usize,
    is_paused: bool,
    /// Whether the window is at a menu.
    is_away: bool,
    due: Instant,
    /// What marks and signs the frame of a line after so many actions.
    credit: Option<(usize, usize, Exporter)>,
}

enum Next {
    Obey(Command),
    Make,
    Advance,
}

impl Projector {
    pub fn new(worlds: Worlds, recording: Recording, seal: Seal) -> Result<Projector, String> {
        if recording.lines.is_empty() {
            return Err("the recording holds no frame".into());
        }
        let replay = Replay::new(&recording);
        Ok(Projector {
            recording,
            worlds,
            seal,
            seed: 0,
            replay,
            next: 0,
            bookmarks: Vec::new(),
            bookmark_every: BOOKMARK_EVERY,
            made: BTreeMap::new(),
            different: BTreeSet::new(),
            at: 0,
            wanted: None,
            speed: NORMAL_SPEED,
            is_paused: false,
            is_away: true,
            due: Instant::now(),
            credit: None,
        })
    }

    /// Shows the recording until the app is gone.
    pub fn run(mut self, commands: &Receiver<Command>, outlet: &Outlet) -> Result<(), String> {
        while let Some(next) = self.wait(commands) {
            match next {
                Next::Obey(Command::Stop) => break,
                Next::Obey(command) => self.obey(command, outlet),
                Next::Make => self.make(outlet)?,
                Next::Advance => {
                    let period = Pacer::PERIOD.div_f32(SPEEDS[self.speed]);
                    // A world that is too slow for the speed is shown as fast as it is.
                    self.due = (self.due + period).max(Instant::now());
                    self.wanted = Some(self.at + 1);
                }
            }
        }
        Ok(())
    }

    fn wait(&self, commands: &Receiver<Command>) -> Option<Next> {
        if self.wanted.is_some() {
            return match commands.try_recv() {
                Ok(command) => Some(Next::Obey(command)),
                Err(TryRecvError::Empty) => Some(Next::Make),
                Err(TryRecvError::Disconnected) => None,
            };
        }
        if self.is_away || self.is_paused || self.at == self.last() {
            return commands.recv().ok().map(Next::Obey);
        }
        match commands.recv_deadline(self.due) {
            Ok(command) => Some(Next::Obey(command)),
            Err(RecvTimeoutError::Timeout) => Some(Next::Advance),
            Err(RecvTimeoutError::Disconnected) => None,
        }
    }

    fn obey(&mut self, command: Command, outlet: &Outlet) {
        match command {
            Command::Reset { seed } => (self.seed, self.wanted) = (seed, Some(0)),
            Command::Pause => self.is_away = true,
            Command::Resume => (self.is_away, self.due) = (false, Instant::now()),
            Command::Playback(playback) => self.play_back(playback, outlet),
            Command::Save | Command::Load(_) | Command::Film => {
                outlet.say(Event::News("this is a recording: what it shows is kept already".into()));
            }
            Command::Chart(true) => {
                outlet.say(Event::News("a recording shows no map; holdfast inspect --map draws one".into()));
            }
            Command::Act(_) | Command::Rewind(_) | Command::SideBySide(_) | Command::Chart(false) | Command::Stop => {}
        }
    }

    fn play_back(&mut self, playback: Playback, outlet: &Outlet) {
        let from = self.wanted.unwrap_or(self.at);
        let to = match playback {
            Playback::Toggle if self.is_paused && self.at == self.last() => {
                self.is_paused = false;
                Some(0)
            }
            Playback::Toggle => {
                self.is_paused = !self.is_paused;
                None
            }
            Playback::Step { back } => {
                self.is_paused = true;
                Some(if back { from.saturating_sub(1) } else { from + 1 })
            }
            Playback::Skip(frames) => Some(from.saturating_add_signed(frames)),
            Playback::Tenth(tenth) => Some(self.last() * u64::from(tenth.min(10)) / 10),
            Playback::End => Some(self.last()),
            Playback::Faster => {
                self.speed = (self.speed + 1).min(SPEEDS.len() - 1);
                None
            }
            Playback::Slower => {
                self.speed = self.speed.saturating_sub(1);
                None
            }
        };
        self.due = Instant::now();
        match to {
            Some(to) => self.wanted = Some(to.min(self.last())),
            // The same frame, with what is now said of it.
            None => self.show(self.at, outlet),
        }
    }

    fn last(&self) -> u64 {
        (self.recording.ticks() + self.recording.lines.len() as u64).saturating_sub(1)
    }

    /// Shows the frame that is wanted, or makes one on the way to it and shows that.
    fn make(&mut self, outlet: &Outlet) -> Result<(), String> {
        let Some(wanted) = self.wanted else { return Ok(()) };
        if !self.made.contains_key(&wanted) {
            self.go_near(wanted)?;
            let frame = self.next;
            self.make_next()?;
            if frame < wanted {
                self.show(frame, outlet);
                return Ok(());
            }
        }
        (self.at, self.wanted) = (wanted, None);
        if self.at == self.last() {
            self.is_paused = true;
        }
        self.forget_far();
        self.show(wanted, outlet);
        Ok(())
    }

    /// Takes up the nearest world from which the frame can be made.
    fn go_near(&mut self, wanted: u64) -> Result<(), String> {
        let bookmark = self.bookmarks.iter().rev().find(|bookmark| bookmark.frame < wanted);
        match bookmark {
            Some(bookmark) if self.next > wanted || bookmark.frame >= self.next => {
                let worlds = &mut self.worlds;
                guard(|| worlds.dream.restore(&bookmark.world))?;
                (self.replay, self.next) = (bookmark.replay.clone(), bookmark.frame + 1);
            }
            None if self.next > wanted => (self.replay, self.next) = (Replay::new(&self.recording), 0),
            _ => {}
        }
        Ok(())
    }

    fn make_next(&mut self) -> Result<(), String> {
        let started = Instant::now();
        let (recording, replay, worlds) = (&self.recording, &mut self.replay, &mut self.worlds);
        let outcome = guard(|| {
            let dream = worlds.dream.as_dream().ok_or("this world cannot be replayed")?;
            replay.next(recording, dream)
        })?;
        let outcome = outcome.ok_or("the recording ended before its end")?;
        let frame = self.next;
        self.next += 1;
        if !outcome.equal {
            self.different.insert(frame);
        }
        if frame.is_multiple_of(self.bookmark_every)
            && let Err(place) = self.bookmarks.binary_search_by_key(&frame, |bookmark| bookmark.frame)
            && let Some(world) = self.worlds.dream.snapshot()
        {
            self.bookmarks.insert(place, Bookmark { frame, replay: self.replay.clone(), world });
            if self.bookmarks.len() > MOST_BOOKMARKS {
                self.bookmark_every *= 2;
                let every = self.bookmark_every;
                self.bookmarks.retain(|bookmark| bookmark.frame.is_multiple_of(every));
            }
        }
        let observation = Observation { depth: Depth::default(), ..outcome.observation };
        let step_ms = started.elapsed().as_secs_f32() * 1e3;
        self.made.insert(frame, Made { line: outcome.line, observation, step_ms });
        self.forget_far();
        Ok(())
    }

    /// Lets frames go that are far from the one that is wanted or shown, when there are too many.
    fn forget_far(&mut self) {
        let Some(made) = self.made.values().next() else { return };
        let most = (MOST_FRAME_BYTES / made.observation.frame.rgb.len().max(1)).max(2);
        while self.made.len() > most
            && let (Some((&first, _)), Some((&last, _))) = (self.made.first_key_value(), self.made.last_key_value())
        {
            let (near, newest) = (self.wanted.unwrap_or(self.at), self.next.saturating_sub(1));
            // The frame that was just made is still to be shown.
            let first_goes = last == newest || (first != newest && near.abs_diff(first) > near.abs_diff(last));
            self.made.remove(if first_goes { &first } else { &last });
        }
    }

    fn show(&mut self, frame: u64, outlet: &Outlet) {
        let exporter = self.exporter_at(frame);
        let Some(made) = self.made.get(&frame) else { return };
        let replayed = Replayed {
            frame,
            frames: self.last() + 1,
            line: made.line,
            lines: self.recording.lines.len(),
            speed: SPEEDS[self.speed],
            is_paused: self.is_paused,
            wanted: self.wanted,
            different: self.different.len() as u64,
        };
        let tick = Tick {
            seed: self.seed,
            observation: made.observation.clone(),
            truth: SideBySide::Off,
            timings: Timings { step_ms: made.step_ms, ..Timings::default() },
            input_at: None,
            told_deg: [0.0; 2],
            memory_cells: self.worlds.dream.memory_cells(),
            slot: None,
            rewound_ticks: 0,
            recorded: None,
            replayed: Some(replayed),
            exporter,
        };
        if self.wanted.is_some() {
            // One on the way that the window has no room for is not missed.
            let _ = outlet.show(Box::new(tick));
        } else {
            outlet.say(Event::Frame(Box::new(tick)));
        }
    }

    /// What marks and signs a frame.
    fn exporter_at(&mut self, frame: u64) -> Option<Exporter> {
        let (mut line, mut actions) = (0, frame as usize);
        while actions > self.recording.lines.get(line)?.actions.len() {
            actions -= self.recording.lines[line].actions.len() + 1;
            line += 1;
        }
        let (told, mut exporter) = match self.credit.take() {
            Some((of, told, exporter)) if of == line && told <= actions => (told, exporter),
            _ => (0, self.exporter_of(line)?),
        };
        self.recording.lines[line].actions[told..actions].iter().for_each(|action| exporter.act(action));
        self.credit = Some((line, actions, exporter.clone()));
        Some(exporter)
    }

    /// The same for the first frame of a line.
    fn exporter_of(&self, line: usize) -> Option<Exporter> {
        let about = &self.recording.about;
        let of = |origin| {
            let model = credentials::Origin::Model { name: about.model_name.clone(), hash: about.model_hash.clone() };
            Exporter::new(self.seal.clone(), model, credited(origin))
        };
        let recorded = &self.recording.lines[line];
        match &recorded.beginning {
            Beginning::Origin(origin) => Some(of(origin)),
            Beginning::Save(bytes) => {
                let line = Save::read(bytes.as_slice()).ok()?.line;
                let mut exporter = of(&line.origin);
                line.actions.iter().for_each(|action| exporter.act(action));
                Some(exporter)
            }
            Beginning::Fork { line: parent } => {
                let parent = *parent as usize;
                if parent >= line {
                    return None;
                }
                let mut exporter = self.exporter_of(parent)?;
                let before = recorded.first_tick.checked_sub(self.recording.lines[parent].first_tick)?;
                let actions = self.recording.lines[parent].actions.get(..before as usize)?;
                actions.iter().for_each(|action| exporter.act(action));
                Some(exporter)
            }
        }
    }
}
