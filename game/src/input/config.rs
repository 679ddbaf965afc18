//! The settings and bindings file: made with comments on the first run, read with errors that name the line.

use super::bindings::{Bindings, Control, Input};
use bevy::ecs::resource::Resource;
use serde::Deserialize;
use std::{
    collections::BTreeMap,
    fmt::Write,
    fs, io,
    ops::RangeInclusive,
    path::{Path, PathBuf},
};
use toml::Spanned;

/// Everything that the config file holds.
#[derive(Debug, Clone, PartialEq, Default, Resource)]
pub struct Config {
    pub settings: Settings,
    pub bindings: Bindings,
}

/// What the settings menu changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// Camera turn of one count of mouse motion, degrees.
    pub mouse_deg_per_count: f32,
    /// Pushing forward looks down.
    pub invert_y: bool,
    /// Turn rate of a fully tilted stick, degrees a second.
    pub gamepad_look_deg_per_s: f32,
    /// Tilt below which a stick counts as resting, 0 to 0.9.
    pub stick_dead_zone: f32,
    /// Whether the heads-up display shows.
    pub hud: bool,
    /// Whether the last frame follows the mouse until the next one comes.
    pub smooth_look: bool,
}

/// Why the config file could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the config file {path}: {source}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path}, line {line}: {reason}")]
    Line { path: PathBuf, line: usize, reason: String },
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            mouse_deg_per_count: 0.12,
            invert_y: false,
            gamepad_look_deg_per_s: 200.0,
            stick_dead_zone: 0.15,
            hud: true,
            smooth_look: true,
        }
    }
}

impl Settings {
    pub const MOUSE_RANGE: RangeInclusive<f32> = 0.01..=1.0;
    pub const LOOK_RANGE: RangeInclusive<f32> = 20.0..=720.0;
    pub const DEAD_ZONE_RANGE: RangeInclusive<f32> = 0.0..=0.9;

    /// Name, value and explanation of each line of the file.
    fn lines(&self) -> [(&'static str, String, &'static str); 6] {
        [
            ("mouse_deg_per_count", self.mouse_deg_per_count.to_string(), "camera turn of one count of mouse motion"),
            ("invert_y", self.invert_y.to_string(), "true: pushing the mouse or stick forward looks down"),
            ("gamepad_look_deg_per_s", self.gamepad_look_deg_per_s.to_string(), "turn rate of a fully tilted stick"),
            ("stick_dead_zone", self.stick_dead_zone.to_string(), "tilt below which a stick rests, 0 to 0.9"),
            ("hud", self.hud.to_string(), "the heads-up display (F1 while playing)"),
            (
                "smooth_look",
                self.smooth_look.to_string(),
                "true: the last frame follows the mouse until the next comes",
            ),
        ]
    }
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct File {
    settings: FileSettings,
    bindings: BTreeMap<Control, Vec<Input>>,
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct FileSettings {
    mouse_deg_per_count: Option<Spanned<f32>>,
    invert_y: Option<bool>,
    gamepad_look_deg_per_s: Option<Spanned<f32>>,
    stick_dead_zone: Option<Spanned<f32>>,
    hud: Option<bool>,
    smooth_look: Option<bool>,
}

impl Config {
    /// The file in the user's config folder; `None` where the user has no home.
    pub fn default_path() -> Option<PathBuf> {
        directories::ProjectDirs::from("", "", "holdfast").map(|dirs| dirs.config_dir().join("config.toml"))
    }

    /// Reads the file, or writes one with the defaults if there is none.
    pub fn load(path: &Path) -> Result<Config, ConfigError> {
        match fs::read_to_string(path) {
            Ok(text) => {
                Self::parse(&text).map_err(|(line, reason)| ConfigError::Line { path: path.into(), line, reason })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let config = Config::default();
                if let Err(error) = write_whole(path, &config.to_toml()) {
                    tracing::warn!("cannot write {}: {error}; playing with the default keys", path.display());
                }
                Ok(config)
            }
            Err(source) => Err(ConfigError::Read { path: path.into(), source }),
        }
    }

    /// Writes the settings into the file and leaves the rest of it, the player's own comments too, as it is.
    pub fn save_settings(&self, path: &Path) -> io::Result<()> {
        let text = fs::read_to_string(path).unwrap_or_else(|_| self.to_toml());
        write_whole(path, &with_settings(&text, &self.settings))
    }

    /// Reads the text of a file; an error is the line (from 1) and what is wrong there.
    pub fn parse(text: &str) -> Result<Config, (usize, String)> {
        let line_of = |at: usize| text[..at.min(text.len())].matches('\n').count() + 1;
        let file: File = toml::from_str(text).map_err(|error| {
            (line_of(error.span().map_or(0, |span| span.start)), error.message().trim().to_string())
        })?;
        let defaults = Settings::default();
        let number = |name: &str, value: Option<Spanned<f32>>, default: f32, range: RangeInclusive<f32>| match value {
            None => Ok(default),
            Some(value) if range.contains(value.get_ref()) => Ok(*value.get_ref()),
            Some(value) => {
                let reason = format!("{name} is {}, expected {} to {}", value.get_ref(), range.start(), range.end());
                Err((line_of(value.span().start), reason))
            }
        };
        let FileSettings { mouse_deg_per_count, invert_y, gamepad_look_deg_per_s, stick_dead_zone, hud, smooth_look } =
            file.settings;
        let settings = Settings {
            mouse_deg_per_count: number(
                "mouse_deg_per_count",
                mouse_deg_per_count,
                defaults.mouse_deg_per_count,
                Settings::MOUSE_RANGE,
            )?,
            invert_y: invert_y.unwrap_or(defaults.invert_y),
            gamepad_look_deg_per_s: number(
                "gamepad_look_deg_per_s",
                gamepad_look_deg_per_s,
                defaults.gamepad_look_deg_per_s,
                Settings::LOOK_RANGE,
            )?,
            stick_dead_zone: number(
                "stick_dead_zone",
                stick_dead_zone,
                defaults.stick_dead_zone,
                Settings::DEAD_ZONE_RANGE,
            )?,
            hud: hud.unwrap_or(defaults.hud),
            smooth_look: smooth_look.unwrap_or(defaults.smooth_look),
        };
        Ok(Config { settings, bindings: Bindings::with(file.bindings) })
    }

    /// The file with its comments.
    pub fn to_toml(&self) -> String {
        let mut text = String::from(
            "# Holdfast: settings and key bindings. Read at the start; delete a line to get its default back.\n\n[settings]\n",
        );
        // Writing to a string cannot fail.
        for (name, value, comment) in self.settings.lines() {
            let _ = writeln!(text, "# {comment}\n{name} = {value}");
        }
        text.push_str(
            "\n# Each control takes a list of inputs:\n\
             #   keys by their place on a US keyboard: KeyW, Digit1, ArrowUp, Space, ShiftLeft, ControlLeft, Tab, F5 ...\n\
             #   MouseLeft, MouseRight, MouseMiddle, MouseBack, MouseForward, WheelUp, WheelDown\n\
             #   PadSouth, PadEast, PadNorth, PadWest, PadLeftTrigger, PadLeftTrigger2, PadLeftThumb, PadDPadUp ...\n\
             # The left stick walks, the right stick looks. Escape, F1 to F5, F9, F12 and the pad's Start are the app's own.\n\
             [bindings]\n",
        );
        for (control, inputs) in self.bindings.iter() {
            let name = serde_json::to_string(&control).unwrap_or_default();
            let inputs = inputs.iter().map(|input| format!("\"{input}\"")).collect::<Vec<_>>().join(", ");
            let _ = writeln!(text, "{} = [{inputs}]", name.trim_matches('"'));
        }
        text
    }
}

/// The text with the values of its settings lines replaced; lines that are missing go to the top of the section.
fn with_settings(text: &str, settings: &Settings) -> String {
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    let header = lines.iter().position(|line| line.trim() == "[settings]").unwrap_or_else(|| {
        lines.insert(0, "[settings]".into());
        0
    });
    for (name, value, _) in settings.lines() {
        let is_it = |line: &String| line.split_once('=').is_some_and(|(key, _)| key.trim() == name);
        match lines.iter_mut().find(|line| is_it(line)) {
            Some(line) => {
                let comment = line.find('#').map_or(String::new(), |at| format!("  {}", &line[at..]));
                *line = format!("{name} = {value}{comment}");
            }
            None => lines.insert(header + 1, format!("{name} = {value}")),
        }
    }
    lines.join("\n") + "\n"
}

/// Writes beside the file and renames, so that a crash never leaves half a config.
fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let partial = path.with_extension("toml.partial");
    fs::write(&partial, text)?;
    fs::rename(&partial, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use bevy::input::keyboard::KeyCode;

    #[track_caller]
    fn check_error(text: &str, line: usize, expected: &str) {
        let (at, reason) = Config::parse(text).expect_err(text);
        assert_eq!(at, line, "{reason}");
        assert!(reason.contains(expected), "{reason:?} lacks {expected:?}");
        assert!(!reason.contains('\n'), "{reason:?} is more than one line");
    }

    #[test]
    fn the_first_file_reads_back_as_the_defaults() {
        assert_eq!(Config::parse(&Config::default().to_toml()), Ok(Config::default()));
        assert_eq!(Config::parse(""), Ok(Config::default()));
    }

    #[test]
    fn a_changed_line_changes_only_itself() {
        let config = Config::parse("[settings]\ninvert_y = true\n[bindings]\njump = [\"KeyJ\"]\n").expect("valid");
        assert!(config.settings.invert_y);
        assert_eq!(config.settings.mouse_deg_per_count, Settings::default().mouse_deg_per_count);
        assert_eq!(config.bindings.controls_of(Input::Key(KeyCode::KeyJ)).collect::<Vec<_>>(), [Control::Jump]);
        assert_eq!(config.bindings.controls_of(Input::Key(KeyCode::Space)).count(), 0);
        assert_eq!(config.bindings.controls_of(Input::Key(KeyCode::KeyW)).collect::<Vec<_>>(), [Control::Forward]);
    }

    #[test]
    fn errors_name_the_line_and_what_is_wrong() {
        check_error("[settings]\nmouse = 1\n", 2, "unknown field `mouse`");
        check_error("[settings]\n\nmouse_deg_per_count = 50.0\n", 3, "mouse_deg_per_count is 50, expected 0.01 to 1");
        check_error("[bindings]\nforward = [\"KeyW\"]\njump = [\"Spacebar\"]\n", 3, "no input named \"Spacebar\"");
        check_error("[bindings]\nfly = [\"KeyF\"]\n", 2, "unknown variant `fly`");
        check_error("[bindings]\nuse = [\"F3\"]\n", 2, "F3 is kept for side by side");
        check_error("[bindings]\nuse = \"KeyE\"\n", 2, "sequence");
        check_error("[settings]\nhud = true\nhud =\n", 3, "");
        check_error("[keys]\n", 1, "unknown field `keys`");
    }

    #[test]
    fn saving_settings_keeps_the_players_comments() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("deep/config.toml");
        let mut config = Config::load(&path).expect("made on first use");
        fs::write(&path, "# mine\n[settings]\ninvert_y = false # as on the plane\n[bindings]\njump = [\"KeyJ\"]\n")
            .expect("written");
        config.settings = Settings { invert_y: true, hud: false, ..config.settings };
        config.save_settings(&path).expect("saved");
        let text = fs::read_to_string(&path).expect("there");
        assert!(
            text.starts_with("# mine\n[settings]\n") && text.contains("invert_y = true  # as on the plane"),
            "{text}"
        );
        let read = Config::load(&path).expect("valid");
        assert_eq!(read.settings, config.settings);
        assert_eq!(read.bindings.controls_of(Input::Key(KeyCode::KeyJ)).count(), 1);
    }

    #[test]
    fn a_bad_file_is_refused_by_path_and_line() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("config.toml");
        fs::write(&path, "[bindings]\njump = [\"Spacebar\"]\n").expect("written");
        let message = Config::load(&path).expect_err("bad").to_string();
        assert!(message.contains("config.toml, line 2: there is no input named \"Spacebar\""), "{message}");
    }
}
