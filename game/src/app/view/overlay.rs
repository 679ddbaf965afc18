//! What lies over the picture while playing: the hotbar, a line of news, and what the world is busy with.

use super::{
    picture::{Crosshair, image_of},
    style,
};
use crate::{
    app::{
        hotbar::Hotbar,
        menu::Screen,
        session::{Notice, Phase, Session},
    },
    input::Devices,
};
use bevy::prelude::*;

#[derive(Component)]
pub struct HotbarNode;

#[derive(Component)]
pub struct SlotNode(u8);

#[derive(Component)]
pub struct SlotName;

#[derive(Component)]
pub struct NoticeText;

/// Leaves 32 for the picture: two screen pixels for each of its texels.
const SLOT_PX: f32 = 46.0;

pub fn spawn(mut commands: Commands, hotbar: Res<Hotbar>, mut images: ResMut<Assets<Image>>) {
    let bottom = commands.spawn((style::cover(AlignItems::Center, JustifyContent::End), GlobalZIndex(1))).id();
    commands.spawn((NoticeText, style::text("", 15.0, style::TEXT), style::edge(), ChildOf(bottom)));
    let bar = commands
        .spawn((
            HotbarNode,
            Node {
                flex_direction: FlexDirection::Column,
                align_items: AlignItems::Center,
                row_gap: px(6),
                padding: UiRect::all(px(12)),
                ..default()
            },
            Pickable::IGNORE,
            ChildOf(bottom),
        ))
        .id();
    commands.spawn((SlotName, style::text("", 15.0, style::TEXT), style::edge(), ChildOf(bar)));
    let row = Node { column_gap: px(5), ..default() };
    let row = commands.spawn((row, Pickable::IGNORE, ChildOf(bar))).id();
    for (index, slot) in hotbar.0.iter().enumerate() {
        let frame = Node {
            width: px(SLOT_PX),
            height: px(SLOT_PX),
            border: UiRect::all(px(2)),
            padding: UiRect::all(px(5)),
            border_radius: BorderRadius::all(px(5)),
            ..default()
        };
        let fill = Node { width: percent(100), height: percent(100), ..default() };
        let picture = ImageNode::new(images.add(image_of(&slot.picture)));
        commands
            .spawn((
                SlotNode(index as u8 + 1),
                frame,
                BackgroundColor(style::TAG),
                BorderColor::all(style::LINE),
                Pickable::IGNORE,
                ChildOf(row),
            ))
            .with_child((fill, picture, Pickable::IGNORE));
    }
}

type OfPlaying = Or<(With<HotbarNode>, With<Crosshair>)>;

/// Hotbar and crosshair belong to playing.
pub fn show_while_playing(screen: Res<State<Screen>>, session: Res<Session>, mut nodes: Query<&mut Node, OfPlaying>) {
    for mut node in &mut nodes {
        style::show(&mut node, *screen.get() == Screen::Play && !session.is_replay);
    }
}

/// Marks and names the slot in hand.
pub fn mark_slot(
    devices: Res<Devices>,
    hotbar: Res<Hotbar>,
    mut slots: Query<(&SlotNode, &mut BorderColor)>,
    mut name: Single<&mut Text, With<SlotName>>,
) {
    for (slot, mut border) in &mut slots {
        border.set_if_neq(BorderColor::all(if slot.0 == devices.slot { style::TEXT } else { style::LINE }));
    }
    let in_hand = hotbar.0.get(usize::from(devices.slot) - 1);
    style::say(&mut name, in_hand.map_or("", |slot| slot.name.as_str()));
}

/// What the world is busy with, or else the last notice.
pub fn tell_news(
    screen: Res<State<Screen>>,
    session: Res<Session>,
    notice: Res<Notice>,
    mut text: Single<&mut Text, With<NoticeText>>,
) {
    let making = matches!(session.phase, Phase::Making { .. }) && *screen.get() != Screen::Start;
    style::say(&mut text, if making { "making the world ..." } else { notice.text() });
}
