//! The sign that something is being recorded: a red dot and how long it has been, with or without the figures.

use super::style;
use crate::app::{menu::Screen, stats::Stats};
use bevy::prelude::*;

#[derive(Component)]
pub struct Sign;

#[derive(Component)]
pub struct SignText;

const DOT_PX: f32 = 11.0;

pub fn spawn(mut commands: Commands) {
    let node = Node {
        position_type: PositionType::Absolute,
        top: px(8),
        right: px(8),
        align_items: AlignItems::Center,
        column_gap: px(8),
        padding: UiRect::axes(px(9), px(6)),
        border_radius: BorderRadius::all(px(5)),
        display: Display::None,
        ..default()
    };
    let dot = Node { width: px(DOT_PX), height: px(DOT_PX), border_radius: BorderRadius::MAX, ..default() };
    commands.spawn((Sign, node, BackgroundColor(style::TAG), GlobalZIndex(3), Pickable::IGNORE)).with_children(
        |sign| {
            sign.spawn((dot, BackgroundColor(style::RECORDING), Pickable::IGNORE));
            sign.spawn((SignText, style::text("", 15.0, style::TEXT)));
        },
    );
}

pub fn update(
    screen: Res<State<Screen>>,
    stats: Res<Stats>,
    mut node: Single<&mut Node, With<Sign>>,
    mut text: Single<&mut Text, With<SignText>>,
) {
    let time = stats.recorded_time().filter(|_| *screen.get() != Screen::Start);
    style::show(&mut node, time.is_some());
    let dropped = stats.recorded.map_or(0, |recorded| recorded.dropped);
    let dropped = if dropped > 0 { format!("   {dropped} frames dropped") } else { String::new() };
    style::say(&mut text, &format!("{}{dropped}", time.unwrap_or_default()));
}
