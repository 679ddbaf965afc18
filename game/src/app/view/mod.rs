//! The window: shows what the core holds, and sleeps in between.

pub mod bench;
mod chart;
mod figures;
mod menus;
mod overlay;
mod picture;
mod pointer;
mod present;
mod recorded;
mod replayed;
mod screenshot;
mod start;
mod style;
mod turning;

use super::{
    core::AppSet,
    hotbar::Hotbar,
    machine::Renderer,
    menu::Screen,
    session::{Notice, Phase, Pictures, Session},
    stats::Stats,
    steer::ScreenshotWanted,
};
use crate::input::Config;
use bevy::{
    picking::PickingSystems,
    prelude::*,
    render::view::Msaa,
    render::view::screenshot::Screenshot,
    window::{PresentMode, WindowResized, WindowResolution},
    winit::WinitSettings,
};
use std::path::PathBuf;

/// Draws the game. Needs `CorePlugin` and Bevy's default plugins.
#[derive(Debug, Clone, Default)]
pub struct ViewPlugin {
    pub screenshot_dir: Option<PathBuf>,
}

/// The window as it opens: ten screen pixels for each pixel of a frame, or seven where each costs the processor, which has
/// the world to make.
pub fn window(renderer: Renderer) -> Window {
    let [width, height] = match renderer {
        Renderer::Card => [1280, 720],
        Renderer::Processor => [896, 504],
    };
    Window {
        title: "Holdfast".into(),
        name: Some("holdfast".into()),
        resolution: WindowResolution::new(width, height),
        present_mode: PresentMode::AutoVsync,
        // A queued frame is an old frame.
        desired_maximum_frame_latency: std::num::NonZero::new(1),
        ..default()
    }
}

impl Plugin for ViewPlugin {
    fn build(&self, app: &mut App) {
        app.insert_resource(WinitSettings { focused_mode: turning::asleep(), unfocused_mode: turning::asleep() })
            .insert_resource(ClearColor(style::BEHIND))
            .insert_resource(screenshot::Folder(self.screenshot_dir.clone()))
            .init_resource::<Hotbar>()
            .init_resource::<screenshot::News>()
            .init_resource::<turning::Ahead>()
            .configure_sets(PreUpdate, AppSet::Steer.after(PickingSystems::Last))
            .add_plugins((present::PresentPlugin, picture::PicturePlugin))
            .add_systems(
                Startup,
                (
                    camera,
                    picture::spawn,
                    chart::spawn,
                    overlay::spawn,
                    figures::spawn,
                    recorded::spawn,
                    replayed::spawn,
                    start::spawn,
                )
                    .chain(),
            )
            .add_systems(OnEnter(Screen::Play), pointer::grab)
            .add_systems(OnExit(Screen::Play), pointer::release)
            .add_systems(
                Update,
                (
                    (turning::update, picture::upload, picture::lay_out).chain(),
                    turning::stay_awake,
                    (chart::upload, chart::show).chain(),
                    (overlay::show_while_playing, overlay::mark_slot, overlay::tell_news),
                    (figures::update, recorded::update, replayed::update),
                    start::update,
                    (menus::fit, menus::open, menus::update).chain(),
                    pointer::grab_again.run_if(in_state(Screen::Play)),
                    (screenshot::take, screenshot::tell),
                    redraw_if_changed.after(turning::update),
                )
                    .in_set(AppSet::Show),
            );
    }
}

fn camera(mut commands: Commands) {
    commands.spawn((Camera2d, IsDefaultUiCamera, Msaa::Off));
}

/// While playing, the window is also woken as often as the display draws, and shortly before each tick, to hand over what
/// the mouse did: mostly nothing has changed to draw then, and drawing is what costs.
fn redraw_if_changed(
    mut camera: Single<&mut Camera>,
    screen: Res<State<Screen>>,
    pictures: Res<Pictures>,
    (session, config, notice): (Res<Session>, Res<Config>, Res<Notice>),
    ahead: Res<turning::Ahead>,
    mut stats: ResMut<Stats>,
    mut shown: Local<u64>,
    mut resized: MessageReader<WindowResized>,
    mut screenshots: MessageReader<ScreenshotWanted>,
    capturing: Query<(), With<Screenshot>>,
) {
    let asked = resized.read().count() + screenshots.read().count() > 0 || !capturing.is_empty();
    let changed =
        ahead.is_changed() || screen.is_changed() || session.is_changed() || config.is_changed() || notice.is_changed();
    let playing = *screen.get() == Screen::Play && session.phase == Phase::Ready;
    let needed = asked || changed || !playing || *shown != pictures.version;
    *shown = pictures.version;
    stats.redraws += u64::from(needed);
    if camera.is_active != needed {
        camera.is_active = needed;
    }
}
