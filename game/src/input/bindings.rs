//! Which key, button or wheel notch means which control, and the names that the config file uses for both.

use bevy::input::{gamepad::GamepadButton, keyboard::KeyCode, mouse::MouseButton};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt, str::FromStr};

/// Something that a player can press.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Input {
    Key(KeyCode),
    Mouse(MouseButton),
    WheelUp,
    WheelDown,
    Pad(GamepadButton),
}

/// Something that a press can mean while playing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Control {
    Forward,
    Back,
    Left,
    Right,
    Jump,
    Sneak,
    Sprint,
    Attack,
    Use,
    #[serde(rename = "slot_1")]
    Slot1,
    #[serde(rename = "slot_2")]
    Slot2,
    #[serde(rename = "slot_3")]
    Slot3,
    #[serde(rename = "slot_4")]
    Slot4,
    #[serde(rename = "slot_5")]
    Slot5,
    #[serde(rename = "slot_6")]
    Slot6,
    #[serde(rename = "slot_7")]
    Slot7,
    #[serde(rename = "slot_8")]
    Slot8,
    #[serde(rename = "slot_9")]
    Slot9,
    NextSlot,
    PreviousSlot,
    /// Held: time runs backwards.
    Rewind,
}

/// The inputs of each control; a control that the file leaves out keeps its default inputs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bindings(BTreeMap<Control, Vec<Input>>);

impl Control {
    pub const SLOTS: [Control; 9] = [
        Control::Slot1,
        Control::Slot2,
        Control::Slot3,
        Control::Slot4,
        Control::Slot5,
        Control::Slot6,
        Control::Slot7,
        Control::Slot8,
        Control::Slot9,
    ];

    /// The hotbar slot in hand after this control is pressed, if it is one of those that select.
    pub fn slot_after(self, slot: u8) -> Option<u8> {
        match self {
            Control::NextSlot => Some(slot % 9 + 1),
            Control::PreviousSlot => Some((slot + 7) % 9 + 1),
            _ => Self::SLOTS.iter().position(|&control| control == self).map(|index| index as u8 + 1),
        }
    }
}

impl Bindings {
    /// The default bindings with these ones in place of theirs.
    pub fn with(changes: BTreeMap<Control, Vec<Input>>) -> Self {
        let mut bindings = Self::default();
        bindings.0.extend(changes);
        bindings
    }

    pub fn iter(&self) -> impl Iterator<Item = (Control, &[Input])> {
        self.0.iter().map(|(&control, inputs)| (control, inputs.as_slice()))
    }

    pub fn controls_of(&self, input: Input) -> impl Iterator<Item = Control> {
        self.iter().filter(move |(_, inputs)| inputs.contains(&input)).map(|(control, _)| control)
    }

    /// The inputs of a control as a player reads them: `W, Up`.
    pub fn label(&self, control: Control) -> String {
        let inputs = self.0.get(&control).map(Vec::as_slice).unwrap_or_default();
        let keys = inputs.iter().filter(|input| !matches!(input, Input::Pad(_)));
        keys.map(|input| input.label()).collect::<Vec<_>>().join(" / ")
    }
}

impl Default for Bindings {
    fn default() -> Self {
        use Input::{Key, Mouse, Pad, WheelDown, WheelUp};
        let digits = [
            KeyCode::Digit1,
            KeyCode::Digit2,
            KeyCode::Digit3,
            KeyCode::Digit4,
            KeyCode::Digit5,
            KeyCode::Digit6,
            KeyCode::Digit7,
            KeyCode::Digit8,
            KeyCode::Digit9,
        ];
        let mut map = BTreeMap::from([
            (Control::Forward, vec![Key(KeyCode::KeyW), Key(KeyCode::ArrowUp)]),
            (Control::Back, vec![Key(KeyCode::KeyS), Key(KeyCode::ArrowDown)]),
            (Control::Left, vec![Key(KeyCode::KeyA), Key(KeyCode::ArrowLeft)]),
            (Control::Right, vec![Key(KeyCode::KeyD), Key(KeyCode::ArrowRight)]),
            (Control::Jump, vec![Key(KeyCode::Space), Pad(GamepadButton::South)]),
            (Control::Sneak, vec![Key(KeyCode::ShiftLeft), Pad(GamepadButton::East)]),
            (Control::Sprint, vec![Key(KeyCode::ControlLeft), Pad(GamepadButton::LeftThumb)]),
            (Control::Attack, vec![Mouse(MouseButton::Left), Pad(GamepadButton::RightTrigger2)]),
            (Control::Use, vec![Mouse(MouseButton::Right), Pad(GamepadButton::LeftTrigger2)]),
            (Control::NextSlot, vec![WheelDown, Pad(GamepadButton::RightTrigger), Pad(GamepadButton::DPadRight)]),
            (Control::Rewind, vec![Key(KeyCode::KeyR), Key(KeyCode::Backspace), Pad(GamepadButton::West)]),
            (Control::PreviousSlot, vec![WheelUp, Pad(GamepadButton::LeftTrigger), Pad(GamepadButton::DPadLeft)]),
        ]);
        map.extend(Control::SLOTS.into_iter().zip(digits.map(|digit| vec![Key(digit)])));
        Bindings(map)
    }
}

macro_rules! names {
    ($name:ident: $enum:ident { $($variant:ident)* }) => {
        const $name: &[(&str, $enum)] = &[$((stringify!($variant), $enum::$variant)),*];
    };
}

names!(KEYS: KeyCode {
    KeyA KeyB KeyC KeyD KeyE KeyF KeyG KeyH KeyI KeyJ KeyK KeyL KeyM KeyN KeyO KeyP KeyQ KeyR KeyS KeyT KeyU KeyV
    KeyW KeyX KeyY KeyZ Digit0 Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 ArrowUp ArrowDown
    ArrowLeft ArrowRight Space Enter Tab Backspace ShiftLeft ShiftRight ControlLeft ControlRight AltLeft AltRight
    CapsLock Backquote Minus Equal BracketLeft BracketRight Backslash Semicolon Quote Comma Period Slash Insert
    Delete Home End PageUp PageDown Numpad0 Numpad1 Numpad2 Numpad3 Numpad4 Numpad5 Numpad6 Numpad7 Numpad8 Numpad9
    NumpadAdd NumpadSubtract NumpadMultiply NumpadDivide NumpadDecimal NumpadEnter F6 F7 F8 F10 F11
});
names!(MOUSE: MouseButton { Left Right Middle Back Forward });
names!(PAD: GamepadButton {
    South East North West LeftTrigger LeftTrigger2 RightTrigger RightTrigger2 Select Mode LeftThumb RightThumb
    DPadUp DPadDown DPadLeft DPadRight
});

/// Keys that the app keeps for itself, so that a file can't lock the player out of the menu.
const KEPT: &[(&str, &str)] = &[
    ("Escape", "the pause menu"),
    ("F1", "the heads-up display"),
    ("F2", "recording"),
    ("F3", "side by side"),
    ("F4", "the map"),
    ("F5", "saving"),
    ("F9", "loading"),
    ("F12", "screenshots"),
    ("PadStart", "the pause menu"),
];

impl FromStr for Input {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        fn find<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
            names.iter().find(|(known, _)| *known == name).map(|&(_, value)| value)
        }
        if let Some(purpose) = find(KEPT, name) {
            return Err(format!("{name} is kept for {purpose}; choose another"));
        }
        let of = |prefix| name.strip_prefix(prefix);
        let found = match name {
            "WheelUp" => Some(Input::WheelUp),
            "WheelDown" => Some(Input::WheelDown),
            _ => of("Mouse")
                .and_then(|rest| find(MOUSE, rest).map(Input::Mouse))
                .or_else(|| of("Pad").and_then(|rest| find(PAD, rest).map(Input::Pad)))
                .or_else(|| find(KEYS, name).map(Input::Key)),
        };
        found.ok_or_else(|| {
            format!(
                "there is no input named {name:?}; names look like KeyW, Digit1, ArrowUp, MouseLeft, WheelUp, PadSouth"
            )
        })
    }
}

impl TryFrom<String> for Input {
    type Error = String;

    fn try_from(name: String) -> Result<Self, String> {
        name.parse()
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Key(key) => write!(f, "{key:?}"),
            Input::Mouse(button) => write!(f, "Mouse{button:?}"),
            Input::WheelUp => f.write_str("WheelUp"),
            Input::WheelDown => f.write_str("WheelDown"),
            Input::Pad(button) => write!(f, "Pad{button:?}"),
        }
    }
}

impl Input {
    /// The name without what only a file needs: `KeyW` is `W`, `MouseLeft` is `left mouse`.
    fn label(self) -> String {
        let name = self.to_string();
        match self {
            Input::Key(_) => {
                let short = ["Key", "Digit", "Arrow"].iter().find_map(|prefix| name.strip_prefix(prefix));
                short.unwrap_or(&name).replace("ShiftLeft", "Shift").replace("ControlLeft", "Ctrl")
            }
            Input::Mouse(_) => format!("{} mouse", name["Mouse".len()..].to_lowercase()),
            Input::WheelUp | Input::WheelDown => "wheel".into(),
            Input::Pad(_) => name["Pad".len()..].to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back() {
        let keys = KEYS.iter().map(|&(_, key)| Input::Key(key));
        let pads = PAD.iter().map(|&(_, button)| Input::Pad(button));
        let mouse = MOUSE.iter().map(|&(_, button)| Input::Mouse(button));
        for input in keys.chain(pads).chain(mouse).chain([Input::WheelUp, Input::WheelDown]) {
            assert_eq!(input.to_string().parse(), Ok(input));
        }
    }

    #[test]
    fn slots_are_chosen_by_number_and_step_round() {
        assert_eq!(Control::Slot4.slot_after(9), Some(4));
        assert_eq!(Control::NextSlot.slot_after(9), Some(1));
        assert_eq!(Control::PreviousSlot.slot_after(1), Some(9));
        assert_eq!(Control::PreviousSlot.slot_after(5), Some(4));
        assert_eq!(Control::Jump.slot_after(5), None);
    }

    #[test]
    fn bad_names_are_refused_with_a_hint() {
        assert!("W".parse::<Input>().is_err_and(|reason| reason.contains("KeyW")));
        assert!("Escape".parse::<Input>().is_err_and(|reason| reason.contains("pause menu")));
    }
}
