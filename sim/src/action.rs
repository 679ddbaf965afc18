//! One tick of a player's intent: the only action vocabulary of the house, and its file format.

use serde::{Deserialize, Serialize};
use std::io::BufRead;

/// What the player does during one tick. An absent field of the file format is off.
///
/// The names are those of the field (VPT, MineRL). Opposed keys cancel.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Action {
    pub forward: bool,
    pub back: bool,
    pub left: bool,
    pub right: bool,
    pub jump: bool,
    pub sneak: bool,
    pub sprint: bool,
    /// Held to break the block under the crosshair.
    pub attack: bool,
    /// Pressed to place the block in hand, or to eat from a cake.
    #[serde(rename = "use")]
    pub use_: bool,
    /// Slot to select, 1 to 9; 0 keeps the slot in hand.
    pub hotbar: u8,
    /// Camera turn during this tick, `[pitch_deg, yaw_deg]`: positive looks down, positive turns right.
    pub camera: [f32; 2],
}

/// Why an actions file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ActionFileError {
    #[error("cannot read the actions file: {0}")]
    Io(#[from] std::io::Error),
    #[error("line {line}: {reason}; expected one JSON object a tick, such as {{\"forward\":true,\"camera\":[0,5]}}")]
    Line { line: usize, reason: String },
    #[error("the actions file is empty; write one JSON object a tick, such as {{\"forward\":true}}")]
    Empty,
}

impl Action {
    /// A turn of the camera larger than this in one tick is refused when a file is read, and clamped from devices.
    pub const MAX_TURN_DEG: f32 = 180.0;

    /// Movement in the player's own frame: `[right, forward]`, each -1, 0 or 1.
    pub fn wish(&self) -> [f32; 2] {
        let axis = |plus: bool, minus: bool| plus as i8 as f32 - minus as i8 as f32;
        [axis(self.right, self.left), axis(self.forward, self.back)]
    }

    /// Says what is out of range, if anything is.
    pub fn check(&self) -> Result<(), String> {
        if self.hotbar > 9 {
            return Err(format!("hotbar is {}, expected 1 to 9, or 0 to keep the slot", self.hotbar));
        }
        match self.camera.iter().find(|turn| !turn.is_finite() || turn.abs() > Self::MAX_TURN_DEG) {
            Some(turn) => Err(format!("camera turn of {turn} degrees, expected -180 to 180 in a tick")),
            None => Ok(()),
        }
    }

    /// Reads one action a line; an error names the line (from 1).
    pub fn read_jsonl(reader: impl BufRead) -> Result<Vec<Action>, ActionFileError> {
        let mut actions = Vec::new();
        for (index, line) in reader.lines().enumerate() {
            let line = line?;
            if line.trim().is_empty() {
                continue;
            }
            let fail = |reason| ActionFileError::Line { line: index + 1, reason };
            let action: Action = serde_json::from_str(&line).map_err(|error| {
                let text = error.to_string();
                fail(text.split(" at line ").next().unwrap_or(&text).to_string())
            })?;
            action.check().map_err(fail)?;
            actions.push(action);
        }
        if actions.is_empty() { Err(ActionFileError::Empty) } else { Ok(actions) }
    }

    /// One line of the file format, without the newline.
    pub fn to_json_line(&self) -> String {
        serde_json::to_string(self).expect("an action has no map keys and no failing serialiser")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(text: &str, expected: &str) {
        let message = Action::read_jsonl(text.as_bytes()).expect_err(text).to_string();
        assert!(message.contains(expected), "{message:?} lacks {expected:?}");
    }

    #[test]
    fn absent_fields_are_off() {
        let read = Action::read_jsonl("{}\n\n{\"use\":true,\"camera\":[-1.5,3]}\n".as_bytes()).expect("valid");
        assert_eq!(read, [Action::default(), Action { use_: true, camera: [-1.5, 3.0], ..Action::default() }]);
    }

    #[test]
    fn errors_name_the_line_and_the_field() {
        check_error("{}\n{\"forwards\":true}", "line 2: unknown field `forwards`");
        check_error("{\"hotbar\":10}", "line 1: hotbar is 10");
        check_error("{\"camera\":[0,181]}", "line 1: camera turn of 181");
        check_error("{}\n{}\nforward", "line 3: ");
        check_error("\n", "empty");
    }

    #[test]
    fn opposed_keys_cancel() {
        let both = Action { left: true, right: true, forward: true, ..Action::default() };
        assert_eq!(both.wish(), [0.0, 1.0]);
    }

    #[test]
    fn what_is_written_reads_back() {
        let action = Action { jump: true, use_: true, hotbar: 7, camera: [0.1, -33.25], ..Action::default() };
        assert_eq!(Action::read_jsonl(action.to_json_line().as_bytes()).expect("valid"), [action]);
    }
}
