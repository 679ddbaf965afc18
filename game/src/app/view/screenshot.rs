//! F12: the window as it is, as a PNG, signed where it shows a world. A thread of its own writes it.

use crate::{
    app::{
        session::{Notice, Pictures, Session},
        stats::Stats,
        steer::ScreenshotWanted,
        waker::Waker,
    },
    export::Exporter,
};
use bevy::{
    prelude::*,
    render::view::screenshot::{Screenshot, ScreenshotCaptured},
};
use crossbeam_channel::{Receiver, Sender, bounded};
use holdfast_sim::Frame;
use std::{
    path::{Path, PathBuf},
    thread,
};

/// Where screenshots go; `None` for the user's pictures.
#[derive(Resource)]
pub struct Folder(pub Option<PathBuf>);

/// What the writing threads say.
#[derive(Resource)]
pub struct News {
    sender: Sender<String>,
    receiver: Receiver<String>,
}

/// More screenshots than this at once are written all the same; only what is told of them is lost.
const WAITING_NEWS: usize = 8;

impl Default for News {
    fn default() -> Self {
        let (sender, receiver) = bounded(WAITING_NEWS);
        News { sender, receiver }
    }
}

/// What is known of a screenshot besides its pixels.
#[derive(Clone)]
struct Caption {
    folder: PathBuf,
    stem: String,
    tick: u64,
    /// Of the world that is shown, if one is.
    exporter: Option<Exporter>,
    side_by_side: bool,
}

pub fn take(
    mut commands: Commands,
    mut wanted: MessageReader<ScreenshotWanted>,
    folder: Res<Folder>,
    (session, stats, pictures): (Res<Session>, Res<Stats>, Res<Pictures>),
    (news, waker): (Res<News>, Res<Waker>),
) {
    if wanted.read().count() == 0 {
        return;
    }
    let caption = Caption {
        folder: folder.0.clone().or_else(pictures_folder).unwrap_or_else(|| PathBuf::from(".")),
        stem: format!("holdfast-{}-{:06}", session.seed, stats.tick),
        tick: stats.tick,
        exporter: pictures.exporter.clone(),
        side_by_side: session.side_by_side,
    };
    let (news, waker) = (news.sender.clone(), waker.clone());
    commands.spawn(Screenshot::primary_window()).observe(
        move |captured: On<ScreenshotCaptured>, mut notice: ResMut<Notice>| {
            let (image, caption) = (captured.image.clone(), caption.clone());
            let (news, waker) = (news.clone(), waker.clone());
            let write = move || {
                let _ = news.try_send(save(image, &caption));
                waker.wake();
            };
            if let Err(error) = thread::Builder::new().name("screenshot".into()).spawn(write) {
                notice.set(format!("screenshot not saved: {error}"));
            }
        },
    );
}

/// Tells what became of screenshots.
pub fn tell(news: Res<News>, mut notice: ResMut<Notice>) {
    for line in news.receiver.try_iter() {
        notice.set(line);
    }
}

fn pictures_folder() -> Option<PathBuf> {
    let dirs = directories::UserDirs::new()?;
    Some(dirs.picture_dir().unwrap_or_else(|| dirs.home_dir()).join("Holdfast"))
}

/// A name that nothing has yet: several screenshots may be taken of one tick.
fn free_path(folder: &Path, stem: &str) -> PathBuf {
    let numbered = (2..).map(|number| folder.join(format!("{stem}-{number}.png")));
    let mut paths = std::iter::once(folder.join(format!("{stem}.png"))).chain(numbered);
    paths.find(|path| path.symlink_metadata().is_err()).unwrap_or_else(|| folder.join("holdfast.png"))
}

/// What to tell the player.
fn save(image: Image, caption: &Caption) -> String {
    let path = free_path(&caption.folder, &caption.stem);
    match write(image, caption, &path) {
        Ok(None) => format!("saved {}", path.display()),
        Ok(Some(reason)) => format!("saved {}; {reason}", path.display()),
        Err(error) => format!("screenshot not saved: {}: {error}", path.display()),
    }
}

/// Answers why it is not signed, if it should be.
fn write(image: Image, caption: &Caption, path: &Path) -> anyhow::Result<Option<String>> {
    // The window's alpha says nothing that a picture should keep.
    let picture = image.try_into_dynamic()?.to_rgb8();
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let frame = Frame { width, height, rgb: picture.into_raw() };
    let title = path.file_name().unwrap_or_default().to_string_lossy();
    let signed = caption.exporter.as_ref().map(|exporter| {
        let origin = if caption.side_by_side { exporter.both() } else { exporter.dream.clone() };
        exporter.picture(&frame, &origin, &title, caption.tick)
    });
    let (bytes, unsigned_because) = match signed {
        Some(Ok(bytes)) => (bytes, None),
        Some(Err(error)) => (frame.to_png(), Some(error.to_string())),
        None => (frame.to_png(), None),
    };
    std::fs::create_dir_all(&caption.folder)?;
    let partial = path.with_extension("partial.png");
    std::fs::write(&partial, bytes)?;
    std::fs::rename(partial, path)?;
    Ok(unsigned_because)
}
