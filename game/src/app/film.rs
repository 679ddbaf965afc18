//! A recording that the player switches on: video, native recording and VPT's lines of actions, written by a thread of
//! their own. The generator hands over what it has and never waits; a frame that finds no room is dropped and counted,
//! and the one before it shows in its place, so that the video keeps its time. Of what was done nothing is dropped.

use super::scribe::Tell;
use crate::{app::generator::guard_part, export::Exporter, vpt};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, TrySendError, bounded};
use holdfast_media::video::Mp4Writer;
use holdfast_model::keep::{
    Save,
    recording::{Beginning, Recorder},
};
use holdfast_sim::{Action, Frame, Pose, TICKS_PER_SECOND};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};
use thread_priority::{ThreadPriority, ThreadPriorityValue, set_current_thread_priority};

/// Where a film begins.
#[derive(Debug)]
pub struct Opening {
    pub folder: PathBuf,
    /// What the files are called, but for a number if there are such files already, and their endings.
    pub stem: String,
    pub tick: u64,
    /// The world as it is, for the native recording; `None` for a world that cannot be kept.
    pub world: Option<Box<Save>>,
    /// What marks and signs; `None` for a world of which nothing is known that could be signed.
    pub exporter: Option<Exporter>,
}

/// What happened to the world.
#[derive(Debug)]
enum Note {
    Tick {
        action: Action,
        /// Where the action was taken.
        pose: Pose,
        hash: [u8; 32],
    },
    /// The player went back and goes on from another tick.
    Fork { tick: u64, noise_seed: u64, frame: Frame },
}

#[derive(Debug)]
struct Batch {
    notes: Vec<Note>,
    /// After the last note.
    frame: Frame,
    exporter: Option<Exporter>,
}

/// A film under way. Dropping it ends it and waits until it is signed.
#[derive(Debug)]
pub struct Film {
    batches: Option<Sender<Batch>>,
    thread: Option<JoinHandle<()>>,
    /// What found no room yet.
    late: Vec<Note>,
    ticks: u64,
    dropped: u64,
}

/// Two seconds: an encoder that is behind by more has lost its core, and must not fill the memory.
const WAITING_FRAMES: usize = 2 * TICKS_PER_SECOND as usize;
/// A minute without any room: the disk has stopped.
const MOST_LATE: usize = 60 * TICKS_PER_SECOND as usize;
/// What waits is written at least so often.
const FLUSH_EVERY: Duration = Duration::from_millis(900);

/// Of 99, by which the film's thread gives way to the game where both want a core: niceness 3 on Linux. With 10 it
/// dropped two frames of five beside a training run on all cores.
const PRIORITY: u8 = 39;

impl Film {
    pub fn start(opening: Opening, tell: Tell) -> io::Result<Film> {
        let (sender, batches) = bounded(WAITING_FRAMES);
        let run = move || {
            give_way();
            // The encoder is C++: what goes wrong in it must not pass unseen. The world goes on without its film.
            let outcome = guard_part("the recording, which ends", || {
                let mut reel = Reel::create(opening)?;
                tell(format!("recording to {}", reel.video_path.display()));
                reel.run(&batches).map_err(|error| {
                    format!("recording stopped: {}: {error}; what was written stays", reel.video_path.display())
                })?;
                reel.finish()
            });
            tell(outcome.unwrap_or_else(|message| message));
        };
        let thread = thread::Builder::new().name("film".into()).spawn(run)?;
        Ok(Film { batches: Some(sender), thread: Some(thread), late: Vec::new(), ticks: 0, dropped: 0 })
    }

    /// Takes a tick: what was done at `pose`, and the frame that followed.
    pub fn push(&mut self, action: Action, pose: Pose, hash: [u8; 32], frame: &Frame, exporter: Option<&Exporter>) {
        if !self.is_running() {
            return;
        }
        self.ticks += 1;
        self.late.push(Note::Tick { action, pose, hash });
        self.hand_over(frame, exporter);
    }

    /// The player went back to `tick`, which shows `frame`.
    pub fn fork(&mut self, tick: u64, noise_seed: u64, frame: &Frame) {
        if self.is_running() {
            self.late.push(Note::Fork { tick, noise_seed, frame: frame.clone() });
        }
    }

    /// Ends it without waiting; it is signed meanwhile.
    pub fn end(&mut self) {
        self.batches = None;
    }

    /// Whether its thread takes anything still; it has told why not.
    pub fn is_running(&self) -> bool {
        self.batches.is_some()
    }

    /// Whether all of it is written and signed, or has failed.
    pub fn is_done(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Frames that the one before them stands for.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    fn hand_over(&mut self, frame: &Frame, exporter: Option<&Exporter>) {
        let Some(batches) = &self.batches else { return };
        let batch = Batch { notes: std::mem::take(&mut self.late), frame: frame.clone(), exporter: exporter.cloned() };
        match batches.try_send(batch) {
            Ok(()) => {}
            Err(TrySendError::Full(batch)) => {
                self.dropped += 1;
                self.late = batch.notes;
                if self.late.len() > MOST_LATE {
                    tracing::error!("the recording has stopped: its disk does not keep up");
                    self.batches = None;
                }
            }
            Err(TrySendError::Disconnected(_)) => self.batches = None,
        }
    }
}

impl Drop for Film {
    fn drop(&mut self) {
        self.batches = None;
        if let Some(thread) = self.thread.take() {
            // Panics are caught and told inside.
            let _ = thread.join();
        }
    }
}

/// The thread's side: the files.
struct Reel {
    video_path: PathBuf,
    /// From the first frame on, which says how large it is.
    video: Option<Mp4Writer>,
    lines: File,
    rows: vpt::Rows,
    native: Option<Recorder<File>>,
    exporter: Option<Exporter>,
    /// As it was last written.
    frame: Option<Frame>,
    tick: u64,
    /// The earliest and the last tick that is shown.
    shown: Option<[u64; 2]>,
    repeated: u64,
}

impl Reel {
    fn create(opening: Opening) -> Result<Reel, String> {
        let Opening { folder, stem, tick, world, exporter } = opening;
        let fail = |path: &Path, error: &dyn std::fmt::Display| format!("not recording: {}: {error}", path.display());
        fs::create_dir_all(&folder).map_err(|error| fail(&folder, &error))?;
        let stem = free_stem(&folder, &stem);
        let path = |ending: &str| folder.join(format!("{stem}.{ending}"));
        let lines = path("jsonl");
        let native = world.map(|world| {
            let path = path("holdfast");
            let create = || -> io::Result<_> {
                let mut recorder = Recorder::create(&path, &world.about, false)?;
                let saved = world.to_bytes()?;
                let snapshot = &world.snapshot;
                let beginning = Beginning::Save(saved);
                recorder.start(&beginning, world.line.noise_seed, snapshot.tick(), snapshot.frame())?;
                Ok(recorder)
            };
            create().map_err(|error| {
                // Half of one is no use; somebody else's stays.
                if error.kind() != io::ErrorKind::AlreadyExists {
                    let _ = fs::remove_file(&path);
                }
                fail(&path, &error)
            })
        });
        Ok(Reel {
            video: None,
            native: native.transpose()?,
            lines: OpenOptions::new()
                .write(true)
                .create_new(true)
                .open(&lines)
                .map_err(|error| fail(&lines, &error))?,
            rows: vpt::Rows::default(),
            exporter,
            frame: None,
            tick,
            shown: None,
            repeated: 0,
            video_path: path("mp4"),
        })
    }

    fn run(&mut self, batches: &Receiver<Batch>) -> anyhow::Result<()> {
        loop {
            let since = self.native.as_ref().and_then(Recorder::waiting_since);
            let wait = since.map_or(FLUSH_EVERY, |since| FLUSH_EVERY.saturating_sub(since.elapsed()));
            match batches.recv_timeout(wait) {
                Ok(batch) => self.take(batch)?,
                Err(RecvTimeoutError::Timeout) => {
                    self.native.as_mut().map_or(Ok(()), Recorder::flush)?;
                    self.video.as_mut().map_or(Ok(()), Mp4Writer::flush_old)?;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn take(&mut self, batch: Batch) -> anyhow::Result<()> {
        let last = batch.notes.len().saturating_sub(1);
        for (index, note) in batch.notes.into_iter().enumerate() {
            match note {
                Note::Tick { action, pose, hash } => {
                    self.tick += 1;
                    if let Some(native) = &mut self.native {
                        native.push_hashed(&action, hash, None)?;
                    }
                    // A row is of the action after its frame, and the first frame is that of the first tick.
                    if self.frame.is_some() {
                        writeln!(self.lines, "{}", self.rows.push(&action, &pose))?;
                    }
                    if index < last {
                        self.repeat()?;
                    }
                }
                Note::Fork { tick, noise_seed, frame } => {
                    self.tick = tick;
                    if let Some(native) = &mut self.native {
                        native.fork(tick, noise_seed, &frame)?;
                    }
                }
            }
        }
        self.exporter = batch.exporter;
        let frame = self.exporter.as_ref().map_or_else(|| batch.frame.clone(), |by| by.marked(&batch.frame));
        self.show(frame)
    }

    /// Shows the last frame again, in the place of one that was dropped.
    fn repeat(&mut self) -> anyhow::Result<()> {
        let Some(frame) = self.frame.take() else { return Ok(()) };
        self.repeated += 1;
        self.show(frame)
    }

    fn show(&mut self, frame: Frame) -> anyhow::Result<()> {
        let video = match &mut self.video {
            Some(video) => video,
            None => self.video.insert(Mp4Writer::create(&self.video_path, frame.width, frame.height)?),
        };
        video.push(&frame)?;
        self.frame = Some(frame);
        let first = self.shown.map_or(self.tick, |[first, _]| first.min(self.tick));
        self.shown = Some([first, self.tick]);
        Ok(())
    }

    /// Ends the files and signs; what to tell the player.
    fn finish(self) -> Result<String, String> {
        let path = self.video_path.display().to_string();
        let fail = |error: &dyn std::fmt::Display| format!("recording ended badly: {path}: {error}");
        if let Some(native) = self.native {
            native.finish().map_err(|error| fail(&error))?;
        }
        let (Some(video), Some(ticks)) = (self.video, self.shown) else {
            return Ok(format!("nothing was recorded to {path}"));
        };
        let seconds = video.frames() as f64 / f64::from(TICKS_PER_SECOND);
        video.finish().map_err(|error| fail(&error))?;
        let mut told = format!("recorded {path}, {seconds:.1} s");
        if self.repeated > 0 {
            told += &format!(", {} frames dropped", self.repeated);
        }
        if let Some(Err(error)) = self.exporter.map(|by| by.sign(&self.video_path, &by.dream, ticks)) {
            told += &format!("; not signed: {error}");
        }
        Ok(told)
    }
}

/// Lowers the priority of this thread; where the system refuses, it stays as it is.
fn give_way() {
    if let Ok(priority) = ThreadPriorityValue::try_from(PRIORITY) {
        let _ = set_current_thread_priority(ThreadPriority::Crossplatform(priority));
    }
}

/// A stem that none of the three files has yet.
fn free_stem(folder: &Path, stem: &str) -> String {
    let is_free = |stem: &String| {
        let is_there = |ending| folder.join(format!("{stem}.{ending}")).symlink_metadata().is_ok();
        !["mp4", "holdfast", "jsonl"].into_iter().any(is_there)
    };
    let numbered = (2..).map(|number: u64| format!("{stem}-{number}"));
    let mut stems = std::iter::once(stem.to_string()).chain(numbered);
    stems.find(is_free).expect("a folder does not hold so many files")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    #[test]
    fn frames_without_room_are_counted_and_the_one_before_stands_for_them() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (sender, batches) = bounded(1);
        let mut film = Film { batches: Some(sender), thread: None, late: Vec::new(), ticks: 0, dropped: 0 };
        let opening = || Opening {
            folder: folder.path().to_path_buf(),
            stem: "clip".into(),
            tick: 100,
            world: None,
            exporter: None,
        };
        let mut reel = Reel::create(opening()).expect("room");
        let push = |film: &mut Film, level: u8| {
            let mut frame = Frame::new(64, 36);
            frame.rgb.fill(level);
            film.push(Action { jump: level == 3, ..Action::default() }, Pose::default(), [0; 32], &frame, None);
        };
        // The thread has no time for the second and the third.
        (1..=3).for_each(|level| push(&mut film, level));
        reel.take(batches.recv().expect("the first")).expect("room");
        push(&mut film, 4);
        reel.take(batches.recv().expect("the rest")).expect("room");
        assert_eq!((film.ticks(), film.dropped()), (4, 2));
        assert_eq!(reel.video.as_ref().map(Mp4Writer::frames), Some(4), "the video keeps its time");
        assert_eq!(reel.shown, Some([101, 104]));
        let told = reel.finish().expect("room");
        assert!(told.contains("clip.mp4, 0.2 s, 2 frames dropped"), "{told}");
        let rows = fs::read(folder.path().join("clip.jsonl")).expect("written");
        let jumps: Vec<bool> =
            vpt::read_jsonl(rows.as_slice()).expect("as VPT's").iter().map(|action| action.jump).collect();
        assert_eq!(jumps, [false, true, false], "nothing that was done is dropped");
        // Another one takes another name.
        let again = Reel::create(opening()).expect("room");
        assert!(again.video_path.ends_with("clip-2.mp4"), "{}", again.video_path.display());
    }

    #[test]
    fn a_thread_that_fails_is_told_of_and_the_film_ends() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let place = folder.path().join("taken");
        fs::write(&place, "a file where the folder should be").expect("room");
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let opening = Opening { folder: place, stem: "clip".into(), tick: 0, world: None, exporter: None };
        let film = Film::start(opening, Box::new(move |news| tell.lock().expect("unbroken").push(news)));
        let mut film = film.expect("a thread");
        while !film.is_done() {
            thread::sleep(Duration::from_millis(1));
        }
        film.push(Action::default(), Pose::default(), [0; 32], &Frame::new(64, 36), None);
        assert!(!film.is_running() && film.late.is_empty());
        let told = told.lock().expect("unbroken");
        assert!(told.len() == 1 && told[0].starts_with("not recording: "), "{told:?}");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_thread_gives_way_to_the_game() {
        let niceness = || -> i32 {
            give_way();
            let told = fs::read_to_string("/proc/thread-self/stat").expect("of Linux");
            // The fields after the name, which may hold spaces; niceness is the 19th of all (man 5 proc).
            let (_, fields) = told.rsplit_once(") ").expect("a name in brackets");
            fields.split(' ').nth(16).expect("niceness").parse().expect("a number")
        };
        let niceness = thread::spawn(niceness).join().expect("no panic");
        assert!((3..20).contains(&niceness), "{niceness}");
    }

    #[test]
    fn a_fault_in_the_thread_is_told_as_one_of_the_recording_and_not_of_the_world() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let told = Arc::new(Mutex::new(Vec::new()));
        let tell = Arc::clone(&told);
        let folder = folder.path().to_path_buf();
        let opening = Opening { folder, stem: "clip".into(), tick: 0, world: None, exporter: None };
        let film = Film::start(opening, Box::new(move |news| tell.lock().expect("unbroken").push(news)));
        let mut film = film.expect("a thread");
        // A video has one size: another one is a fault of ours, whose panic the thread must outlive.
        for width in [64, 32] {
            film.push(Action::default(), Pose::default(), [0; 32], &Frame::new(width, 36), None);
        }
        film.end();
        while !film.is_done() {
            thread::sleep(Duration::from_millis(1));
        }
        let told = told.lock().expect("unbroken");
        let last = told.last().expect("something was told");
        assert!(last.starts_with("a fault in the recording, which ends: ") && last.contains("video's size"), "{last}");
    }
}
