//! An animated GIF for sharing: plays anywhere, without a player.

use crate::{Error, upscale};
use gif::{Encoder, Repeat};
use holdfast_sim::{Frame, TICKS_PER_SECOND};
use std::{
    fs::File,
    io::BufWriter,
    path::{Path, PathBuf},
};

/// GIF counts time in hundredths of a second.
const DELAY: u16 = (100 / TICKS_PER_SECOND) as u16;
/// Each pixel becomes this many, each way: large enough to see, small enough to send.
const SCALE: usize = 3;
/// From 1, which is best, to 30, which is fastest: few colours differ in so small a frame.
const PALETTE_SPEED: i32 = 10;

/// A GIF file under way.
pub struct GifWriter {
    path: PathBuf,
    encoder: Encoder<BufWriter<File>>,
}

impl GifWriter {
    /// Creates the file, over one that is there.
    pub fn create(path: &Path, width: usize, height: usize) -> Result<GifWriter, Error> {
        let fits = |side: usize| {
            u16::try_from(side * SCALE).map_err(|_| Error::Encoder("frames are too large for a GIF".into()))
        };
        let file = BufWriter::new(File::create(path).map_err(Error::io(path))?);
        let encoder = Encoder::new(file, fits(width)?, fits(height)?, &[]).and_then(|mut encoder| {
            encoder.set_repeat(Repeat::Infinite)?;
            Ok(encoder)
        });
        Ok(GifWriter { path: path.to_path_buf(), encoder: encoder.map_err(|error| failed(path, error))? })
    }

    pub fn push(&mut self, frame: &Frame) -> Result<(), Error> {
        // Colours are chosen before the frame is enlarged: fewer pixels, the same colours.
        let mut small = gif::Frame::from_rgb_speed(frame.width as u16, frame.height as u16, &frame.rgb, PALETTE_SPEED);
        let large = upscale::squares(&small.buffer, frame.width, 1, SCALE);
        (small.width, small.height) = (small.width * SCALE as u16, small.height * SCALE as u16);
        small.buffer = large.into();
        small.delay = DELAY;
        self.encoder.write_frame(&small).map_err(|error| failed(&self.path, error))
    }

    pub fn finish(self) -> Result<(), Error> {
        use std::io::Write;
        let path = self.path;
        let mut file = self.encoder.into_inner().map_err(|error| failed(&path, error))?;
        file.flush().map_err(Error::io(&path))
    }
}

impl std::fmt::Debug for GifWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("GifWriter").field("path", &self.path).finish_non_exhaustive()
    }
}

fn failed(path: &Path, error: gif::EncodingError) -> Error {
    match error {
        gif::EncodingError::Io(error) => Error::Io { path: path.to_path_buf(), error },
        other => Error::Encoder(other.to_string()),
    }
}
