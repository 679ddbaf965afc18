//! The folder of saved worlds: their names, which are there, and which old ones go.

use holdfast_model::keep::{Preview, Save};
use holdfast_sim::{Frame, TICKS_PER_SECOND};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// Why a world is saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Occasion {
    /// The player asked for it: it stays.
    Asked,
    /// Each minute and at the end: the last three stay.
    Auto,
    /// The line that a rewind left: the last three stay.
    Rewind,
}

/// A save as a menu shows it.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedWorld {
    pub path: PathBuf,
    pub title: String,
    pub frame: Frame,
}

/// Saves of an occasion that are kept by themselves; all others are the player's.
const KEPT: usize = 3;
const EXTENSION: &str = "world";

impl Occasion {
    const ALL: [Occasion; 3] = [Occasion::Asked, Occasion::Auto, Occasion::Rewind];

    fn prefix(self) -> &'static str {
        match self {
            Occasion::Asked => "world",
            Occasion::Auto => "auto",
            Occasion::Rewind => "rewind",
        }
    }

    /// The number in a name of this occasion: seconds since 1970, so that names sort by age.
    fn number(self, name: &str) -> Option<u64> {
        let digits = name.strip_prefix(self.prefix())?.strip_prefix('-')?.strip_suffix(EXTENSION)?.strip_suffix('.')?;
        // Only names that this program gives: no sign, no spaces.
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
    }

    /// Saves of this occasion, the newest first.
    fn list(self, folder: &Path) -> Vec<(u64, PathBuf)> {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        let mut found: Vec<_> =
            entries.filter_map(|entry| Some((self.number(entry.file_name().to_str()?)?, entry.path()))).collect();
        found.sort_unstable_by(|a, b| b.cmp(a));
        found
    }
}

/// The user's folder of saved worlds; `None` where the user has no home.
pub fn default_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "holdfast").map(|dirs| dirs.data_dir().join("worlds"))
}

/// Writes a save under a new name, then lets old ones of its occasion go.
pub fn write(folder: &Path, save: &Save, occasion: Occasion) -> io::Result<PathBuf> {
    fs::create_dir_all(folder)?;
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let there = occasion.list(folder);
    // Also after a clock that went back, the newest has the highest number.
    let number = there.first().map_or(since_1970, |(newest, _)| since_1970.max(newest.saturating_add(1)));
    let path = folder.join(format!("{}-{number}.{EXTENSION}", occasion.prefix()));
    save.write(&path)?;
    if occasion != Occasion::Asked {
        for (_, old) in there.iter().skip(KEPT - 1) {
            // One that stays too long does no harm.
            let _ = fs::remove_file(old);
        }
    }
    Ok(path)
}

/// The newest save that the player asked for, or else the newest of all.
pub fn newest(folder: &Path) -> Option<PathBuf> {
    let of = |occasion: Occasion| occasion.list(folder).into_iter().next();
    of(Occasion::Asked).or_else(|| Occasion::ALL.into_iter().filter_map(of).max()).map(|(_, path)| path)
}

/// The newest saves that can be shown, at most `most`; one that cannot be read is named so, and harms no other.
pub fn list(folder: &Path, most: usize) -> Vec<SavedWorld> {
    let all = Occasion::ALL
        .into_iter()
        .flat_map(|occasion| occasion.list(folder).into_iter().map(move |(number, path)| (number, occasion, path)));
    let mut all: Vec<_> = all.collect();
    all.sort_unstable_by(|a, b| b.0.cmp(&a.0).then_with(|| b.2.cmp(&a.2)));
    all.truncate(most);
    let shown = all.into_iter().map(|(_, occasion, path)| match Preview::open(&path) {
        Ok(preview) => SavedWorld { title: title(&preview, occasion), frame: preview.frame, path },
        Err(_) => {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            SavedWorld { title: format!("{name}: damaged"), frame: Frame::new(1, 1), path: path.clone() }
        }
    });
    shown.collect()
}

fn title(preview: &Preview, occasion: Occasion) -> String {
    let world = preview.seed.map_or("a picture's world".to_string(), |seed| format!("seed {seed}"));
    let seconds = preview.tick / u64::from(TICKS_PER_SECOND);
    let played = match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds / 60 % 60),
    };
    let how = match occasion {
        Occasion::Asked => "",
        Occasion::Auto => ", autosave",
        Occasion::Rewind => ", before a rewind",
    };
    format!("{world}, {played}{how}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_names_count_and_the_newest_come_first() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        for name in
            ["auto-9.world", "auto-10.world", "auto-+11.world", "auto-x.world", "auto-12.world.partial", "notes"]
        {
            fs::write(folder.path().join(name), "x").expect("room");
        }
        let numbers: Vec<_> = Occasion::Auto.list(folder.path()).into_iter().map(|(number, _)| number).collect();
        assert_eq!(numbers, [10, 9]);
        assert!(newest(folder.path()).is_some_and(|path| path.ends_with("auto-10.world")));
        fs::write(folder.path().join("world-3.world"), "x").expect("room");
        assert!(newest(folder.path()).is_some_and(|path| path.ends_with("world-3.world")), "what was asked for");
        let shown = list(folder.path(), 9);
        assert!(shown.len() == 3 && shown[0].title == "auto-10.world: damaged", "{shown:?}");
    }
}
