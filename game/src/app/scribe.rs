//! Threads that write: a recording as it goes, and saves. The generator hands over and never waits for a disk.

use super::saves::{self, Occasion};
use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use holdfast_model::keep::{
    About, Save,
    recording::{Beginning, Recorder},
};
use holdfast_sim::{Action, Frame};
use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};

/// How a thread tells the player something.
pub type Tell = Box<dyn Fn(String) + Send>;

/// What a recording is told.
#[derive(Debug)]
enum Entry {
    Start { beginning: Beginning, noise_seed: u64, tick: u64, frame: Frame },
    Fork { tick: u64, noise_seed: u64, frame: Frame },
    Tick { action: Action, hash: [u8; 32] },
}

/// A recording under way, written by its own thread.
#[derive(Debug)]
pub struct Scribe {
    entries: Option<Sender<Entry>>,
    thread: Option<JoinHandle<()>>,
    ticks: u64,
}

/// Half a minute of ticks: a disk that is behind by more has stopped.
const WAITING_ENTRIES: usize = 600;
/// What waits is written at least so often.
const FLUSH_EVERY: Duration = Duration::from_millis(900);

impl Scribe {
    /// Makes the file, which must not be there yet.
    pub fn start(path: &Path, about: &About, tell: Tell) -> io::Result<Scribe> {
        let recorder = Recorder::create(path, about, false)?;
        let (sender, entries) = bounded(WAITING_ENTRIES);
        let path = path.to_path_buf();
        let run = move || match write(recorder, &entries) {
            Ok(()) => tell(format!("recorded {}", path.display())),
            Err(error) => tell(format!("recording stopped: {}: {error}; what was written stays", path.display())),
        };
        let thread = thread::Builder::new().name("recording".into()).spawn(run)?;
        Ok(Scribe { entries: Some(sender), thread: Some(thread), ticks: 0 })
    }

    pub fn begin(&mut self, beginning: Beginning, noise_seed: u64, tick: u64, frame: &Frame) {
        self.hand_over(Entry::Start { beginning, noise_seed, tick, frame: frame.clone() });
    }

    pub fn fork(&mut self, tick: u64, noise_seed: u64, frame: &Frame) {
        self.hand_over(Entry::Fork { tick, noise_seed, frame: frame.clone() });
    }

    pub fn push(&mut self, action: Action, hash: [u8; 32]) {
        self.ticks += 1;
        self.hand_over(Entry::Tick { action, hash });
    }

    /// Whether its thread takes anything still; it has told why not.
    pub fn is_running(&self) -> bool {
        self.entries.is_some()
    }

    pub fn ticks(&self) -> u64 {
        self.ticks
    }

    /// Ends the recording when there is no room: one with a hole could not be replayed. The thread has told why, or
    /// will when its disk lets it.
    fn hand_over(&mut self, entry: Entry) {
        if self.entries.as_ref().is_some_and(|entries| entries.try_send(entry).is_err()) {
            tracing::error!("the recording has stopped: its disk does not keep up");
            self.entries = None;
        }
    }
}

impl Drop for Scribe {
    fn drop(&mut self) {
        self.entries = None;
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by the hook; the file is readable up to its last second.
            let _ = thread.join();
        }
    }
}

fn write(mut recorder: Recorder<File>, entries: &Receiver<Entry>) -> io::Result<()> {
    loop {
        let wait = recorder.waiting_since().map_or(FLUSH_EVERY, |since| FLUSH_EVERY.saturating_sub(since.elapsed()));
        match entries.recv_timeout(wait) {
            Ok(Entry::Start { beginning, noise_seed, tick, frame }) => {
                recorder.start(&beginning, noise_seed, tick, &frame)?;
            }
            Ok(Entry::Fork { tick, noise_seed, frame }) => recorder.fork(tick, noise_seed, &frame)?,
            Ok(Entry::Tick { action, hash }) => recorder.push_hashed(&action, hash, None)?,
            Err(RecvTimeoutError::Timeout) => recorder.flush()?,
            Err(RecvTimeoutError::Disconnected) => return recorder.finish(),
        }
    }
}

/// The thread that writes saves.
#[derive(Debug)]
pub struct Keeper {
    jobs: Option<Sender<(Box<Save>, Occasion)>>,
    thread: Option<JoinHandle<()>>,
}

impl Keeper {
    pub fn start(folder: PathBuf, tell: Tell) -> io::Result<Keeper> {
        // One being written and one behind it.
        let (sender, jobs) = bounded::<(Box<Save>, Occasion)>(1);
        let run = move || {
            for (save, occasion) in jobs {
                match saves::write(&folder, &save, occasion) {
                    Ok(path) if occasion == Occasion::Asked => tell(format!("saved {}", path.display())),
                    Ok(_) => {}
                    Err(error) => tell(format!("not saved: {}: {error}", folder.display())),
                }
            }
        };
        let thread = thread::Builder::new().name("saves".into()).spawn(run)?;
        Ok(Keeper { jobs: Some(sender), thread: Some(thread) })
    }

    /// Hands a world over; false when two are waiting already.
    pub fn keep(&self, save: Save, occasion: Occasion) -> bool {
        self.jobs.as_ref().is_some_and(|jobs| jobs.try_send((Box::new(save), occasion)).is_ok())
    }

    /// The same for the last one, which waits for those before it.
    pub fn keep_last(&self, save: Save, occasion: Occasion) {
        // A thread that is gone has told why.
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send((Box::new(save), occasion));
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
