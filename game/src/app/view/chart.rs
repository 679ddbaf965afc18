//! The map of what is known, in a corner of the window.

use super::{picture::image_of, style};
use crate::app::{
    menu::Screen,
    session::{Pictures, Session},
};
use bevy::prelude::*;
use holdfast_sim::Frame;

#[derive(Component)]
pub struct ChartNode;

#[derive(Component)]
pub struct ChartImage;

pub fn spawn(mut commands: Commands, mut images: ResMut<Assets<Image>>) {
    let corner = Node {
        position_type: PositionType::Absolute,
        right: px(0),
        top: px(0),
        width: percent(50),
        padding: UiRect::all(px(6)),
        flex_direction: FlexDirection::Column,
        row_gap: px(3),
        display: Display::None,
        ..default()
    };
    let card =
        commands.spawn((ChartNode, corner, BackgroundColor(style::PANEL), GlobalZIndex(1), Pickable::IGNORE)).id();
    let image = images.add(image_of(&Frame::new(1, 1)));
    let fill = Node { width: percent(100), ..default() };
    commands.spawn((ChartImage, ImageNode::new(image), fill, Pickable::IGNORE, ChildOf(card)));
    let words = "what is known, from above (F4) | age: yellow is new | confidence: pale is sure";
    commands.spawn((style::text(words, 12.0, style::FAINT), ChildOf(card)));
}

pub fn show(
    screen: Res<State<Screen>>,
    session: Res<Session>,
    pictures: Res<Pictures>,
    mut node: Single<&mut Node, With<ChartNode>>,
) {
    let shown = session.chart_shown && pictures.chart.is_some() && *screen.get() == Screen::Play;
    style::show(&mut node, shown);
}

/// Uploads a map when there is a new one.
pub fn upload(
    mut pictures: ResMut<Pictures>,
    mut images: ResMut<Assets<Image>>,
    node: Single<&ImageNode, With<ChartImage>>,
) {
    let Some(chart) = pictures.bypass_change_detection().chart.as_mut().filter(|chart| chart.is_new) else { return };
    chart.is_new = false;
    if let Some(mut image) = images.get_mut(&node.image) {
        *image = image_of(&chart.frame);
    }
}
