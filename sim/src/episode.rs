//! An episode: a seed, who played, and what they did. Everything that was seen follows from these.

use crate::action::ActionFileError;
use crate::{Action, Observation, Start, World, WorldError};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, BufReader, Write};
use std::path::{Path, PathBuf};

/// A seed, a player's name and their actions, one a tick.
#[derive(Debug, Clone, PartialEq)]
pub struct Episode {
    pub seed: u64,
    /// The name of a policy, or whatever else tells who played.
    pub player: String,
    pub actions: Vec<Action>,
}

/// The small file beside the actions.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    seed: u64,
    player: String,
    ticks: usize,
}

/// Why an episode could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum EpisodeError {
    #[error("{}: {error}", path.display())]
    Io { path: PathBuf, error: io::Error },
    #[error("{}: {error}", path.display())]
    Head { path: PathBuf, error: serde_json::Error },
    #[error("{}: {error}", path.display())]
    Actions { path: PathBuf, error: ActionFileError },
    #[error("{} says {expected} ticks, but {found} actions are there: one of the files is cut off", path.display())]
    Ticks {
        path: PathBuf,
        expected: usize,
        found: usize,
    },
}

/// The names of an episode's files in its folder.
pub const ACTIONS_FILE: &str = "actions.jsonl";
pub const HEAD_FILE: &str = "episode.json";

impl Episode {
    /// Writes the episode into a folder, which is made if it is missing. Each file appears whole or not at all.
    pub fn save(&self, folder: &Path) -> Result<(), EpisodeError> {
        fs::create_dir_all(folder).map_err(|error| EpisodeError::Io {
            path: folder.to_path_buf(),
            error,
        })?;
        let lines: String = self.actions.iter().map(|action| action.to_json_line() + "\n").collect();
        write_whole(&folder.join(ACTIONS_FILE), lines.as_bytes())?;
        let head = Head {
            seed: self.seed,
            player: self.player.clone(),
            ticks: self.actions.len(),
        };
        let text = serde_json::to_string(&head).expect("plain fields always serialise") + "\n";
        // The head comes last: where it lies, the actions lie too.
        write_whole(&folder.join(HEAD_FILE), text.as_bytes())
    }

    pub fn load(folder: &Path) -> Result<Self, EpisodeError> {
        let path = folder.join(HEAD_FILE);
        let text = fs::read_to_string(&path).map_err(|error| EpisodeError::Io {
            path: path.clone(),
            error,
        })?;
        let head: Head = serde_json::from_str(&text).map_err(|error| EpisodeError::Head {
            path: path.clone(),
            error,
        })?;
        let actions_path = folder.join(ACTIONS_FILE);
        let file = File::open(&actions_path).map_err(|error| EpisodeError::Io {
            path: actions_path.clone(),
            error,
        })?;
        let actions = Action::read_jsonl(BufReader::new(file)).map_err(|error| EpisodeError::Actions {
            path: actions_path,
            error,
        })?;
        if actions.len() != head.ticks {
            return Err(EpisodeError::Ticks {
                path,
                expected: head.ticks,
                found: actions.len(),
            });
        }
        Ok(Episode {
            seed: head.seed,
            player: head.player,
            actions,
        })
    }

    /// Plays the episode in a world, one observation at a time: the start first, then one for each action.
    pub fn play<'a, W: World>(&'a self, world: &'a mut W) -> Play<'a, W> {
        Play {
            world,
            seed: Some(self.seed),
            actions: self.actions.iter(),
        }
    }
}

/// Observations of an episode, made when asked for.
#[derive(Debug)]
pub struct Play<'a, W> {
    world: &'a mut W,
    /// Taken by the first observation.
    seed: Option<u64>,
    actions: std::slice::Iter<'a, Action>,
}

impl<W: World> Iterator for Play<'_, W> {
    type Item = Result<Observation, WorldError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(seed) = self.seed.take() {
            return Some(self.world.reset(&Start::Seed(seed)));
        }
        self.actions.next().map(|action| self.world.step(action))
    }
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), EpisodeError> {
    let part = path.with_extension("part");
    let write = || -> io::Result<()> {
        let mut file = File::create(&part)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&part, path)
    };
    write().map_err(|error| EpisodeError::Io {
        path: path.to_path_buf(),
        error,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of this test's own, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Self {
            let folder = std::env::temp_dir().join(format!("holdfast-episode-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&folder); // it may be left from an earlier run
            Scratch(folder)
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0); // nothing more can be done for it
        }
    }

    fn episode() -> Episode {
        let actions = (0..5)
            .map(|tick| Action {
                hotbar: tick,
                camera: [0.25, -3.5],
                ..Action::default()
            })
            .collect();
        Episode {
            seed: 77,
            player: "wander".to_string(),
            actions,
        }
    }

    #[test]
    fn what_is_saved_loads_back() {
        let scratch = Scratch::new("round");
        episode().save(&scratch.0).expect("saved");
        assert_eq!(Episode::load(&scratch.0).expect("loaded"), episode());
    }

    #[test]
    fn a_cut_off_file_is_named() {
        let scratch = Scratch::new("cut");
        assert!(
            Episode::load(&scratch.0)
                .expect_err("missing")
                .to_string()
                .contains(HEAD_FILE)
        );
        episode().save(&scratch.0).expect("saved");
        fs::write(scratch.0.join(ACTIONS_FILE), "{}\n{}\n").expect("written");
        let message = Episode::load(&scratch.0).expect_err("cut off").to_string();
        assert!(message.contains("says 5 ticks, but 2 actions"), "{message}");
        fs::write(scratch.0.join(ACTIONS_FILE), "{}\n{\"ford\":1}\n").expect("written");
        let message = Episode::load(&scratch.0).expect_err("bad line").to_string();
        assert!(message.contains("line 2: unknown field"), "{message}");
    }
}
