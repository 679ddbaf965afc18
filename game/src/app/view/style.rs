//! The look of everything that is not the world: few colours, one font, small text.

use bevy::prelude::*;

pub const BEHIND: Color = Color::srgb(0.035, 0.043, 0.05);
pub const PANEL: Color = Color::srgba(0.05, 0.065, 0.075, 0.9);
pub const SHADE: Color = Color::srgba(0.02, 0.03, 0.035, 0.55);
pub const TAG: Color = Color::srgba(0.03, 0.04, 0.05, 0.62);
pub const TEXT: Color = Color::srgb(0.93, 0.95, 0.94);
pub const FAINT: Color = Color::srgb(0.62, 0.68, 0.68);
pub const ACCENT: Color = Color::srgb(0.45, 0.82, 0.68);
pub const RECORDING: Color = Color::srgb(0.93, 0.2, 0.17);
pub const CHOSEN: Color = Color::srgba(0.45, 0.82, 0.68, 0.16);
pub const LINE: Color = Color::srgba(0.9, 1.0, 0.97, 0.14);

/// Text of a size and colour. Clicks go to the row behind it.
pub fn text(text: impl Into<String>, size_px: f32, color: Color) -> impl Bundle {
    (Text::new(text), TextFont::from_font_size(size_px), TextColor(color), Pickable::IGNORE)
}

/// A thin edge, so that text stays readable on bright ground.
pub fn edge() -> TextShadow {
    TextShadow { offset: Vec2::splat(1.0), color: Color::srgba(0.0, 0.0, 0.0, 0.8) }
}

/// A node that covers the window and lets clicks through.
pub fn cover(align: AlignItems, justify: JustifyContent) -> impl Bundle {
    let node = Node {
        position_type: PositionType::Absolute,
        width: percent(100),
        height: percent(100),
        flex_direction: FlexDirection::Column,
        align_items: align,
        justify_content: justify,
        ..default()
    };
    (node, Pickable::IGNORE)
}

/// A dark card.
pub fn panel(width_px: f32) -> impl Bundle {
    let node = Node {
        width: px(width_px),
        max_width: percent(96),
        flex_direction: FlexDirection::Column,
        padding: UiRect::all(px(26)),
        row_gap: px(4),
        border: UiRect::all(px(1)),
        border_radius: BorderRadius::all(px(8)),
        ..default()
    };
    (node, BackgroundColor(PANEL), BorderColor::all(LINE), Pickable::IGNORE)
}

pub fn show(node: &mut Mut<Node>, shown: bool) {
    let display = if shown { Display::Flex } else { Display::None };
    if node.display != display {
        node.display = display;
    }
}

/// Sets a text only when it differs: a touched text is laid out again.
pub fn say(text: &mut Mut<Text>, words: &str) {
    if text.0 != words {
        text.0 = words.into();
    }
}
