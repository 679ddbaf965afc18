//! Where a replay is: a bar, the time, and the keys.

use super::style;
use crate::app::{menu::Screen, stats::Stats};
use bevy::prelude::*;

#[derive(Component)]
pub struct Panel;

#[derive(Component)]
pub struct Done;

#[derive(Component)]
pub struct Words;

const BAR_PX: f32 = 5.0;
const KEYS: &str = "Space pause   , . a frame   Left Right 5 s   0 to 9, Home, End   Up Down speed   Escape menu";

pub fn spawn(mut commands: Commands) {
    let bottom = commands.spawn((style::cover(AlignItems::Center, JustifyContent::End), GlobalZIndex(1))).id();
    let node = Node {
        width: percent(86),
        flex_direction: FlexDirection::Column,
        row_gap: px(6),
        padding: UiRect::axes(px(14), px(10)),
        // The line of news stands below it.
        margin: UiRect::bottom(px(34)),
        border_radius: BorderRadius::all(px(6)),
        display: Display::None,
        ..default()
    };
    let panel = commands.spawn((Panel, node, BackgroundColor(style::TAG), Pickable::IGNORE, ChildOf(bottom))).id();
    commands.spawn((Words, style::text("", 15.0, style::TEXT), ChildOf(panel)));
    let bar = Node { width: percent(100), height: px(BAR_PX), border_radius: BorderRadius::MAX, ..default() };
    let bar = commands.spawn((bar, BackgroundColor(style::LINE), Pickable::IGNORE, ChildOf(panel))).id();
    let done = Node { width: percent(0), height: percent(100), border_radius: BorderRadius::MAX, ..default() };
    commands.spawn((Done, done, BackgroundColor(style::ACCENT), Pickable::IGNORE, ChildOf(bar)));
    commands.spawn((style::text(KEYS, 12.0, style::FAINT), ChildOf(panel)));
}

pub fn update(
    screen: Res<State<Screen>>,
    stats: Res<Stats>,
    mut panel: Single<&mut Node, (With<Panel>, Without<Done>)>,
    mut done: Single<&mut Node, (With<Done>, Without<Panel>)>,
    mut words: Single<&mut Text, With<Words>>,
) {
    let replayed = stats.replayed.filter(|_| *screen.get() == Screen::Play);
    style::show(&mut panel, replayed.is_some());
    let Some(replayed) = replayed else { return };
    style::say(&mut words, &replayed.text());
    let share = replayed.frame as f32 / replayed.frames.saturating_sub(1).max(1) as f32;
    let width = percent(share * 100.0);
    if done.width != width {
        done.width = width;
    }
}
