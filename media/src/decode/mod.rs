//! Reads the pixels of any file that people send: pictures in four formats, and MP4 video.

pub(crate) mod boxes;
mod still;
mod video;

use crate::{Error, Plane};
use holdfast_sim::Frame;
use std::ops::ControlFlow;

/// What a file is, by its first bytes: names lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Png,
    Jpeg,
    Gif,
    WebP,
    Mp4,
}

/// A picture or video with more pixels a frame than this is not read: a small file may claim any size.
pub const MOST_PIXELS: usize = 1 << 26;
/// A long video is looked at this often, evenly spread.
const FRAMES_LOOKED_AT: usize = 48;

impl Format {
    pub fn of(bytes: &[u8]) -> Option<Format> {
        match bytes {
            [0x89, b'P', b'N', b'G', ..] => Some(Format::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Format::Jpeg),
            [b'G', b'I', b'F', b'8', ..] => Some(Format::Gif),
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some(Format::WebP),
            [_, _, _, _, b'f', b't', b'y', b'p', ..] => Some(Format::Mp4),
            _ => None,
        }
    }

    pub fn media_type(self) -> &'static str {
        match self {
            Format::Png => "image/png",
            Format::Jpeg => "image/jpeg",
            Format::Gif => "image/gif",
            Format::WebP => "image/webp",
            Format::Mp4 => "video/mp4",
        }
    }
}

/// Who looks at planes: breaks when it has seen enough.
pub type Look<'a> = dyn FnMut(Plane) -> ControlFlow<()> + 'a;

/// Gives brightness by frame: one of a picture, up to a few dozen of what moves. All have one size.
pub fn planes(bytes: &[u8], format: Format, each: &mut Look) -> Result<(), Error> {
    let mut one = |plane: Plane| {
        // There is no second one to stop before.
        let _ = each(plane);
    };
    match format {
        Format::Png => still::png(bytes).map(&mut one),
        Format::Jpeg => still::jpeg(bytes).map(&mut one),
        Format::WebP => still::webp(bytes).map(&mut one),
        Format::Gif => still::gif(bytes, each),
        Format::Mp4 => video::mp4(bytes, each),
    }
}

/// The first frame of an MP4 video, in its colours.
///
/// # Errors
/// If it is damaged, or not H.264.
pub fn first_frame(mp4: &[u8]) -> Result<Frame, Error> {
    video::first_frame(mp4)
}

/// Which frames of `count` are looked at.
fn is_looked_at(index: usize, count: usize) -> bool {
    let every = count.div_ceil(FRAMES_LOOKED_AT).max(1);
    index.is_multiple_of(every)
}

fn too_large(width: usize, height: usize) -> Result<(), Error> {
    let fits = width.checked_mul(height).is_some_and(|pixels| pixels > 0 && pixels <= MOST_PIXELS);
    if fits { Ok(()) } else { Err(Error::Pixels(format!("a size of {width}x{height}"))) }
}
