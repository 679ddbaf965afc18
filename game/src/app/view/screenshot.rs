//! F2: the window as it is, as a PNG.

use crate::app::{
    session::{Notice, Session},
    stats::Stats,
    steer::ScreenshotWanted,
};
use bevy::{
    prelude::*,
    render::view::screenshot::{Screenshot, ScreenshotCaptured},
};
use std::path::{Path, PathBuf};

/// Where screenshots go; `None` for the user's pictures.
#[derive(Resource)]
pub struct Folder(pub Option<PathBuf>);

pub fn take(
    mut commands: Commands,
    mut wanted: MessageReader<ScreenshotWanted>,
    folder: Res<Folder>,
    session: Res<Session>,
    stats: Res<Stats>,
) {
    if wanted.read().count() == 0 {
        return;
    }
    let folder = folder.0.clone().or_else(pictures_folder).unwrap_or_else(|| PathBuf::from("."));
    let stem = format!("holdfast-{}-{:06}", session.seed, stats.tick);
    commands.spawn(Screenshot::primary_window()).observe(
        move |captured: On<ScreenshotCaptured>, mut notice: ResMut<Notice>| {
            let path = free_path(&folder, &stem);
            match save(&captured.image, &path) {
                Ok(()) => notice.set(format!("saved {}", path.display())),
                Err(error) => notice.set(format!("screenshot not saved: {}: {error}", path.display())),
            }
        },
    );
}

fn pictures_folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    Some(dirs.picture_dir().unwrap_or_else(|| dirs.home_dir()).join("Holdfast"))
}

/// A name that nothing has yet: several screenshots may be taken of one tick.
fn free_path(folder: &Path, stem: &str) -> PathBuf {
    let numbered = (2..).map(|number| folder.join(format!("{stem}-{number}.png")));
    let mut paths = std::iter::once(folder.join(format!("{stem}.png"))).chain(numbered);
    paths.find(|path| !path.exists()).unwrap_or_else(|| folder.join("holdfast.png"))
}

fn save(image: &Image, path: &Path) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    // The window's alpha says nothing that a picture should keep.
    let picture = image.clone().try_into_dynamic()?.to_rgb8();
    let partial = path.with_extension("partial.png");
    picture.save(&partial)?;
    std::fs::rename(partial, path)?;
    Ok(())
}
