//! The heads-up display: small figures in the corner, F1 to hide.

use super::style;
use crate::{
    app::{menu::Screen, session::Session, stats::Stats},
    input::Config,
};
use bevy::prelude::*;
use std::time::{Duration, Instant};

#[derive(Component)]
pub struct Figures;

#[derive(Component)]
pub struct FiguresText;

/// Figures that change more often cannot be read, and laying text out is dear.
const EVERY: Duration = Duration::from_millis(400);

pub fn spawn(mut commands: Commands) {
    let node = Node {
        position_type: PositionType::Absolute,
        top: px(8),
        left: px(8),
        // The map has the other half.
        max_width: percent(49),
        padding: UiRect::axes(px(9), px(6)),
        border_radius: BorderRadius::all(px(5)),
        ..default()
    };
    commands
        .spawn((Figures, node, BackgroundColor(style::TAG), GlobalZIndex(1), Pickable::IGNORE))
        .with_child((FiguresText, style::text("", 13.0, style::TEXT)));
}

pub fn update(
    screen: Res<State<Screen>>,
    config: Res<Config>,
    session: Res<Session>,
    stats: Res<Stats>,
    mut node: Single<&mut Node, With<Figures>>,
    mut text: Single<&mut Text, With<FiguresText>>,
    mut written_at: Local<Option<Instant>>,
) {
    let shown = config.settings.hud && *screen.get() == Screen::Play;
    style::show(&mut node, shown);
    if shown && written_at.is_none_or(|at| at.elapsed() > EVERY) {
        *written_at = Some(Instant::now());
        style::say(&mut text, &stats.text(&session.device));
    }
}
