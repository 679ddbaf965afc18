//! Pictures that come with a model: what the hand's slots hold, and what its matters look like, 16 texels a side each.

use crate::{ModelError, hotbar::Hotbar, materials::Materials};
use std::{fs, io::Cursor, path::Path};

/// Side of a picture, one face of a block.
pub const SIDE_PX: usize = 16;

/// The pictures of a model folder.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Pictures {
    /// The blocks that it was trained to place.
    pub hotbar: Hotbar,
    pub materials: Materials,
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
