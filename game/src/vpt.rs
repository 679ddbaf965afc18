//! VPT's contractor recordings, read and written: one JSON object a frame, keys and mouse as the game's own names have
//! them.
//!
//! Source: `data_loader.py` and `run_inverse_dynamics_model.py` of openai/Video-Pre-Training.

use holdfast_sim::{Action, Pose, TICKS_PER_SECOND, action::ActionFileError};
use serde::Deserialize;
use serde_json::json;
use std::io::BufRead;

/// Degrees of a turn for one count of the mouse.
const DEG_PER_COUNT: f32 = 360.0 / 2400.0;
const BUTTON_ATTACK: u8 = 0;
const BUTTON_USE: u8 = 1;

/// The fields that make an action; the others (inventory, statistics, position) are left alone.
#[derive(Debug, Deserialize)]
struct Row {
    mouse: Mouse,
    keyboard: Keyboard,
    /// Slot in hand, from 0.
    #[serde(default)]
    hotbar: u8,
    /// While an inventory is open, mouse and keys do not move the player.
    #[serde(default, rename = "isGuiOpen")]
    is_gui_open: bool,
}

#[derive(Debug, Deserialize)]
struct Mouse {
    dx: f32,
    dy: f32,
    #[serde(default)]
    buttons: Vec<u8>,
    #[serde(default, rename = "newButtons")]
    new_buttons: Vec<u8>,
}

#[derive(Debug, Deserialize)]
struct Keyboard {
    #[serde(default)]
    keys: Vec<String>,
}

/// Whether a line looks like VPT's: our own actions have neither of these fields.
pub fn is_vpt_line(line: &str) -> bool {
    serde_json::from_str::<serde_json::Value>(line)
        .is_ok_and(|value| value.get("mouse").is_some() && value.get("keyboard").is_some())
}

/// Reads one action a line; an error names the line (from 1).
pub fn read_jsonl(reader: impl BufRead) -> Result<Vec<Action>, ActionFileError> {
    let mut actions = Vec::new();
    let mut hotbar = 0;
    let mut attack_is_stuck = false;
    for (index, line) in reader.lines().enumerate() {
        let line = line?;
        if line.trim().is_empty() {
            continue;
        }
        let fail = |reason: String| ActionFileError::Line { line: index + 1, reason: format!("as VPT's: {reason}") };
        let row: Row = serde_json::from_str(&line).map_err(|error| fail(error.to_string()))?;
        if row.hotbar > 8 {
            return Err(fail(format!("hotbar is {}, expected 0 to 8", row.hotbar)));
        }
        // Some recordings begin with attack held down until the player presses it for the first time.
        let attack_is_new = row.mouse.new_buttons.contains(&BUTTON_ATTACK);
        attack_is_stuck = if actions.is_empty() {
            row.mouse.new_buttons == [BUTTON_ATTACK]
        } else {
            attack_is_stuck && !attack_is_new
        };
        let mut action = if row.is_gui_open { Action::default() } else { action(&row, attack_is_stuck) };
        // Scrolling selects a slot without a key, so the change itself is the action.
        if row.hotbar != hotbar {
            action.hotbar = row.hotbar + 1;
            hotbar = row.hotbar;
        }
        action.check().map_err(fail)?;
        actions.push(action);
    }
    if actions.is_empty() { Err(ActionFileError::Empty) } else { Ok(actions) }
}

fn action(row: &Row, attack_is_stuck: bool) -> Action {
    let key = |name: &str| row.keyboard.keys.iter().any(|key| key.strip_prefix("key.keyboard.") == Some(name));
    let button = |number: u8| row.mouse.buttons.contains(&number);
    let turn_deg = |counts: f32| (counts * DEG_PER_COUNT).clamp(-Action::MAX_TURN_DEG, Action::MAX_TURN_DEG);
    Action {
        forward: key("w"),
        back: key("s"),
        left: key("a"),
        right: key("d"),
        jump: key("space"),
        sneak: key("left.shift"),
        sprint: key("left.control"),
        attack: button(BUTTON_ATTACK) && !attack_is_stuck,
        use_: button(BUTTON_USE),
        hotbar: 0,
        camera: [turn_deg(row.mouse.dy), turn_deg(row.mouse.dx)],
    }
}

/// Writes actions as VPT's rows: what [`read_jsonl`] reads back.
#[derive(Debug, Default)]
pub struct Rows {
    tick: u64,
    keys: Vec<String>,
    buttons: Vec<u8>,
    hotbar: u8,
    /// Where the mouse would be, had each count of it been a pixel.
    cursor: [f64; 2],
}

/// Milliseconds from one row to the next.
const TICK_MS: u64 = 1000 / TICKS_PER_SECOND as u64;

impl Rows {
    /// The row of one action, taken at `pose`, without the newline.
    pub fn push(&mut self, action: &Action, pose: &Pose) -> String {
        let held = [
            (action.forward, "w"),
            (action.back, "s"),
            (action.left, "a"),
            (action.right, "d"),
            (action.jump, "space"),
            (action.sneak, "left.shift"),
            (action.sprint, "left.control"),
        ];
        let held = held.into_iter().filter(|(is_held, _)| *is_held);
        let keys: Vec<String> = held.map(|(_, key)| format!("key.keyboard.{key}")).collect();
        let buttons = [(action.attack, BUTTON_ATTACK), (action.use_, BUTTON_USE)];
        let buttons: Vec<u8> = buttons.into_iter().filter(|(is_held, _)| *is_held).map(|(_, button)| button).collect();
        // A button that is new in the first row would be taken for one that is stuck.
        let is_new = |button: &u8| self.tick > 0 && !self.buttons.contains(button);
        let new_buttons: Vec<u8> = buttons.iter().copied().filter(is_new).collect();
        let new_keys: Vec<&String> = keys.iter().filter(|key| !self.keys.contains(key)).collect();
        if action.hotbar > 0 {
            self.hotbar = action.hotbar - 1;
        }
        let [pitch_counts, yaw_counts] = action.camera.map(|turn_deg| f64::from(turn_deg) / f64::from(DEG_PER_COUNT));
        self.cursor = [self.cursor[0] + yaw_counts, self.cursor[1] + pitch_counts];
        let row = json!({
            "mouse": {
                "x": self.cursor[0], "y": self.cursor[1], "dx": yaw_counts, "dy": pitch_counts,
                "scaledX": self.cursor[0], "scaledY": self.cursor[1], "dwheel": 0.0,
                "buttons": buttons, "newButtons": new_buttons,
            },
            "keyboard": { "keys": keys, "newKeys": new_keys, "chars": "" },
            "isGuiOpen": false,
            "isGuiInventory": false,
            "hotbar": self.hotbar,
            "yaw": pose.yaw_deg, "pitch": pose.pitch_deg,
            "xpos": pose.position[0], "ypos": pose.position[1], "zpos": pose.position[2],
            "tick": self.tick,
            "milli": self.tick * TICK_MS,
            "inventory": [],
            "serverTick": self.tick,
            "serverTickDurationMs": TICK_MS,
            "stats": {},
        });
        (self.tick, self.keys, self.buttons) = (self.tick + 1, keys, buttons);
        row.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(keys: &str, mouse: &str, rest: &str) -> String {
        format!(
            "{{\"keyboard\":{{\"keys\":[{keys}],\"newKeys\":[],\"chars\":\"\"}},\"mouse\":{{\"x\":1.0,{mouse}}},\"tick\":3{rest}}}\n"
        )
    }

    #[track_caller]
    fn check(text: &str, expected: &[Action]) {
        assert_eq!(read_jsonl(text.as_bytes()).expect(text), expected);
    }

    #[test]
    fn keys_buttons_and_counts_become_an_action() {
        let text = row(
            "\"key.keyboard.w\",\"key.keyboard.left.control\",\"key.keyboard.q\"",
            "\"dx\":20.0,\"dy\":-4.0,\"buttons\":[0,1]",
            "",
        );
        let expected =
            Action { forward: true, sprint: true, attack: true, use_: true, camera: [-0.6, 3.0], ..Action::default() };
        check(&text, &[expected]);
        assert!(is_vpt_line(&text) && !is_vpt_line("{\"forward\":true}"));
    }

    #[test]
    fn a_change_of_slot_is_the_hotbar_key() {
        let still = "\"dx\":0,\"dy\":0";
        let text: String = [0, 3, 3, 0].iter().map(|slot| row("", still, &format!(",\"hotbar\":{slot}"))).collect();
        let expected = [0, 4, 0, 1].map(|hotbar| Action { hotbar, ..Action::default() });
        check(&text, &expected);
    }

    #[test]
    fn attack_stuck_at_the_start_counts_from_its_next_press() {
        let held = |new: &str| row("", &format!("\"dx\":0,\"dy\":0,\"buttons\":[0],\"newButtons\":[{new}]"), "");
        let text = [held("0"), held(""), held("0"), held("")].concat();
        let expected = [false, false, true, true].map(|attack| Action { attack, ..Action::default() });
        check(&text, &expected);
    }

    #[test]
    fn an_open_inventory_moves_nothing_and_a_wild_turn_is_clamped() {
        let text = [
            row("\"key.keyboard.w\"", "\"dx\":50,\"dy\":0", ",\"isGuiOpen\":true"),
            row("", "\"dx\":9000,\"dy\":0", ",\"isGuiOpen\":false"),
        ];
        check(&text.concat(), &[Action::default(), Action { camera: [0.0, 180.0], ..Action::default() }]);
    }

    #[test]
    fn errors_name_the_line() {
        let text = row("", "\"dx\":0,\"dy\":0", "") + "{\"mouse\":{}}\n";
        let message = read_jsonl(text.as_bytes()).expect_err("no dx").to_string();
        assert!(message.starts_with("line 2: as VPT's: missing field `dx`"), "{message}");
    }

    #[test]
    fn what_is_written_reads_back() {
        let actions = [
            Action { attack: true, forward: true, sprint: true, hotbar: 5, camera: [-3.0, 4.5], ..Action::default() },
            Action { attack: true, back: true, left: true, jump: true, ..Action::default() },
            Action { use_: true, sneak: true, right: true, hotbar: 1, camera: [179.85, -0.15], ..Action::default() },
            Action::default(),
        ];
        let mut rows = Rows::default();
        let text: Vec<String> = actions.iter().map(|action| rows.push(action, &Pose::default())).collect();
        assert!(text.iter().all(|line| is_vpt_line(line)));
        let read = read_jsonl(text.join("\n").as_bytes()).expect("our own rows");
        for (read, written) in read.iter().zip(&actions) {
            let close = read.camera.iter().zip(written.camera).all(|(read, written)| (read - written).abs() < 1e-3);
            assert!(close, "{read:?}");
            assert_eq!(Action { camera: written.camera, ..*read }, *written);
        }
    }
}
