//! Moving pictures of a rollout: one file for each format, written frame by frame, signed when whole.

use holdfast_game::export::Exporter;
use holdfast_media::{Error, animation::GifWriter, credentials::Origin, video::Mp4Writer};
use holdfast_sim::Frame;
use std::path::{Path, PathBuf};

/// How frames are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// A numbered picture a tick, of the model's own size
    Png,
    /// A video, enlarged, with VPT's lines of actions beside it
    Mp4,
    /// An animation, enlarged
    Gif,
}

/// A file of moving pictures under way.
#[derive(Debug)]
pub struct Film {
    path: PathBuf,
    origin: Origin,
    writer: Writer,
    first_tick: u64,
    frames: u64,
}

#[derive(Debug)]
enum Writer {
    // Large, and there are at most four.
    Mp4(Box<Mp4Writer>),
    Gif(Box<GifWriter>),
}

impl Film {
    /// `None` for pictures, which are files of their own. The file is `stem` with the format's ending.
    pub fn create(
        format: Format,
        stem: &Path,
        origin: Origin,
        [width, height]: [usize; 2],
        first_tick: u64,
    ) -> Result<Option<Film>, Error> {
        let (path, writer) = match format {
            Format::Png => return Ok(None),
            Format::Mp4 => {
                let path = stem.with_extension("mp4");
                let writer = Mp4Writer::create(&path, width, height)?;
                (path, Writer::Mp4(Box::new(writer)))
            }
            Format::Gif => {
                let path = stem.with_extension("gif");
                let writer = GifWriter::create(&path, width, height)?;
                (path, Writer::Gif(Box::new(writer)))
            }
        };
        Ok(Some(Film { path, origin, writer, first_tick, frames: 0 }))
    }

    pub fn push(&mut self, frame: &Frame) -> Result<(), Error> {
        self.frames += 1;
        match &mut self.writer {
            Writer::Mp4(writer) => writer.push(frame),
            Writer::Gif(writer) => writer.push(frame),
        }
    }

    /// Writes the rest, and signs.
    pub fn finish(self, exporter: &Exporter) -> Result<(), Error> {
        match self.writer {
            Writer::Mp4(writer) => writer.finish()?,
            Writer::Gif(writer) => writer.finish()?,
        }
        exporter.sign(&self.path, &self.origin, [self.first_tick, self.first_tick + self.frames.saturating_sub(1)])
    }
}
