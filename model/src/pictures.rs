//! Pictures that come with a model: what the hand's slots hold, and what its matters look like, 16 texels a side each.

use crate::ModelError;
use glam::Vec3;
use std::{fs, io::Cursor, path::Path};

/// Side of a picture, one face of a block.
pub const SIDE_PX: usize = 16;

/// The face that a place in a cell, -1..1 from wall to wall, is nearest to (0 its top, 1 a side, 2 its bottom), and the
/// texel there, from the top left.
pub(crate) fn texel(place: Vec3) -> (usize, [usize; 2]) {
    let away = place.abs();
    let (face, along) = match () {
        () if away.y >= away.x.max(away.z) => (if place.y > 0.0 { 0 } else { 2 }, [place.x, place.z]),
        () if away.x >= away.z => (1, [place.z, -place.y]),
        () => (1, [place.x, -place.y]),
    };
    (face, along.map(|along| (((along + 1.0) * 0.5 * SIDE_PX as f32) as usize).min(SIDE_PX - 1)))
}

/// One of the eight ways to lay a picture onto a face.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Way(u8);

impl Way {
    pub const COUNT: u8 = 8;

    /// Bits of the number: mirrored left to right, turned upside down, mirrored along the diagonal.
    pub fn new(number: u8) -> Way {
        Way(number % Self::COUNT)
    }

    /// The place in the picture that lies at a place on the face, both from the top left, 0 to 1.
    pub fn turn(self, [u, v]: [f32; 2]) -> [f32; 2] {
        let u = if self.0 & 1 != 0 { 1.0 - u } else { u };
        let v = if self.0 & 2 != 0 { 1.0 - v } else { v };
        if self.0 & 4 != 0 { [v, u] } else { [u, v] }
    }
}

/// The bytes of a PNG of so many columns and rows of pictures: `rgb` is `[rows, SIDE_PX, columns, SIDE_PX, 3]`.
pub(crate) fn to_png(rgb: &[u8], columns: usize, rows: usize) -> Result<Vec<u8>, png::EncodingError> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, (columns * SIDE_PX) as u32, (rows * SIDE_PX) as u32);
    encoder.set_color(png::ColorType::Rgb);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(bytes)
}

/// Reads what [`to_png`] wrote.
pub(crate) fn read(path: &Path, columns: usize, rows: usize) -> Result<Vec<u8>, ModelError> {
    let fail = |reason: String| ModelError::File { path: path.into(), reason };
    let file = fs::read(path).map_err(|error| fail(format!("{error}; it belongs to model.safetensors")))?;
    let spoilt = |error: png::DecodingError| fail(format!("not a whole PNG ({error}); fetch it again"));
    let mut reader = png::Decoder::new(Cursor::new(file)).read_info().map_err(spoilt)?;
    let (width, height) = (columns * SIDE_PX, rows * SIDE_PX);
    let is_one = (reader.info().width as usize, reader.info().height as usize) == (width, height);
    if !is_one || reader.output_color_type() != (png::ColorType::Rgb, png::BitDepth::Eight) {
        return Err(fail(format!("must be 8-bit RGB of {width}x{height} pixels")));
    }
    let mut rgb = vec![0; width * height * 3];
    reader.next_frame(&mut rgb).map_err(spoilt)?;
    Ok(rgb)
}
