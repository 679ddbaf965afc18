//! The menus' looks: a card with the rows of the open screen. The mouse speaks the same signals as the keys.

use super::{picture::image_of, style};
use crate::{
    app::{
        menu::{Menu, Row, Screen, Signal},
        session::{Phase, Pictures, Session},
    },
    input::Config,
};
use bevy::{prelude::*, window::PrimaryWindow};

#[derive(Component)]
pub struct MenuRoot;

#[derive(Component)]
pub struct RowNode(usize);

/// Logical pixels that the tallest screen needs, but for saved worlds: the start screen.
const SCREEN_PX: f32 = 490.0;
/// Around the rows of saved worlds, and each with its picture.
const WORLDS_PX: [f32; 2] = [200.0, 70.0];

/// Makes everything smaller where a window has no room for what it shows.
pub fn fit(
    window: Single<&Window, With<PrimaryWindow>>,
    screen: Res<State<Screen>>,
    session: Res<Session>,
    mut scale: ResMut<UiScale>,
) {
    let needed_px = match screen.get() {
        Screen::Worlds => WORLDS_PX[0] + WORLDS_PX[1] * session.saves.len() as f32,
        _ => SCREEN_PX,
    };
    let wanted = (window.height() / needed_px).clamp(0.25, 1.0);
    if scale.0 != wanted {
        scale.0 = wanted;
    }
}

/// Builds the card when a screen opens, and takes it away when it closes.
pub fn open(
    mut commands: Commands,
    screen: Res<State<Screen>>,
    session: Res<Session>,
    pictures: Res<Pictures>,
    old: Query<Entity, With<MenuRoot>>,
    mut images: ResMut<Assets<Image>>,
) {
    if !screen.is_changed() {
        return;
    }
    for root in &old {
        commands.entity(root).despawn();
    }
    let screen = *screen.get();
    let rows = screen.rows(&session);
    if rows.is_empty() {
        return;
    }
    let root = commands
        .spawn((
            MenuRoot,
            style::cover(AlignItems::Center, JustifyContent::Center),
            BackgroundColor(style::SHADE),
            GlobalZIndex(2),
        ))
        .id();
    let panel = commands.spawn((style::panel(440.0), ChildOf(root))).id();
    commands.spawn((style::text(screen.title(), 26.0, style::TEXT), ChildOf(panel)));
    if let (Screen::Failed, Phase::Failed { message, .. }) = (screen, &session.phase) {
        commands.spawn((style::text(message, 15.0, style::FAINT), ChildOf(panel)));
    }
    if screen == Screen::NewWorld {
        commands.spawn((style::text("type a number, or take the random one", 14.0, style::FAINT), ChildOf(panel)));
    }
    commands.spawn((Node { height: px(10), ..default() }, ChildOf(panel)));
    if screen == Screen::Worlds && session.saves.is_empty() {
        let hint = "none yet: F5 saves while playing, and the game saves each minute";
        commands.spawn((style::text(hint, 14.0, style::FAINT), ChildOf(panel)));
    }
    for (index, row) in rows.into_iter().enumerate() {
        let picture = match row {
            Row::Saved(at) => {
                session.saves.get(at).map(|save| images.add(image_of(&pictures.as_exported(&save.frame))))
            }
            _ => None,
        };
        let node = Node {
            align_items: AlignItems::Center,
            column_gap: px(14),
            padding: UiRect::axes(px(12), px(8)),
            border: UiRect::left(px(3)),
            border_radius: BorderRadius::all(px(4)),
            ..default()
        };
        let row_node = (RowNode(index), node, BackgroundColor(Color::NONE), BorderColor::all(Color::NONE));
        let mut row = commands.spawn((row_node, ChildOf(panel)));
        if let Some(picture) = picture {
            let size = Node { width: px(96), height: px(54), ..default() };
            row.with_child((size, ImageNode::new(picture), Pickable::IGNORE));
        }
        row.with_child(style::text("", 17.0, style::TEXT))
            // A pointer that only rests where the menu opens has chosen nothing.
            .observe(|moved: On<Pointer<Move>>, rows: Query<&RowNode>, mut signals: MessageWriter<Signal>| {
                if let Ok(row) = rows.get(moved.entity) {
                    signals.write(Signal::Point(row.0));
                }
            })
            // The press rather than the click: a click in the very update in which the mouse arrived is none to Bevy.
            .observe(|press: On<Pointer<Press>>, rows: Query<&RowNode>, mut signals: MessageWriter<Signal>| {
                if let Ok(row) = rows.get(press.entity) {
                    signals.write(Signal::Click(row.0));
                }
            });
    }
    commands.spawn((Node { height: px(10), ..default() }, ChildOf(panel)));
    let help = "arrows and Enter, the mouse, or a gamepad";
    commands.spawn((style::text(help, 12.0, style::FAINT), ChildOf(panel)));
}

pub fn update(
    screen: Res<State<Screen>>,
    menu: Res<Menu>,
    session: Res<Session>,
    config: Res<Config>,
    mut rows: Query<(&RowNode, &Children, &mut BackgroundColor, &mut BorderColor)>,
    mut texts: Query<&mut Text>,
) {
    let contents = screen.get().rows(&session);
    for (row, children, mut background, mut border) in &mut rows {
        let Some(content) = contents.get(row.0) else { continue };
        let chosen = row.0 == menu.selected;
        let (fill, edge) = if chosen { (style::CHOSEN, style::ACCENT) } else { (Color::NONE, Color::NONE) };
        background.set_if_neq(BackgroundColor(fill));
        border.set_if_neq(BorderColor::all(edge));
        let label = content.label(&menu, &session, &config.settings);
        let mut text = texts.iter_many_mut(children);
        while let Some(mut text) = text.fetch_next() {
            style::say(&mut text, &label);
        }
    }
}
