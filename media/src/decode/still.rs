//! Pictures: PNG, JPEG, WebP, and GIF with its frames.

use super::{Look, is_looked_at, too_large};
use crate::{Error, Plane};
use holdfast_sim::Frame;
use std::io::Cursor;
use zune_jpeg::{
    JpegDecoder,
    zune_core::{bytestream::ZCursor, colorspace::ColorSpace, options::DecoderOptions},
};

/// What a GIF's frame may take, in bytes: 4 a pixel.
const GIF_BYTES: u64 = 4 * super::MOST_PIXELS as u64;

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Pixels(error.to_string())
}

/// Brightness of 8-bit samples, `channels` a pixel: grey, grey and alpha, red green blue, or these and alpha.
fn plane(width: usize, height: usize, samples: &[u8], channels: usize) -> Plane {
    let rgb = match channels {
        1 | 2 => samples.chunks_exact(channels).flat_map(|pixel| [pixel[0]; 3]).collect(),
        _ => samples.chunks_exact(channels).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect(),
    };
    Plane::of(&Frame { width, height, rgb })
}

pub fn png(bytes: &[u8]) -> Result<Plane, Error> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(unreadable)?;
    let (width, height) = (reader.info().width as usize, reader.info().height as usize);
    too_large(width, height)?;
    let mut samples = vec![0; reader.output_buffer_size().ok_or_else(|| unreadable("too large"))?];
    let info = reader.next_frame(&mut samples).map_err(unreadable)?;
    Ok(plane(width, height, &samples[..info.buffer_size()], info.color_type.samples()))
}

pub fn jpeg(bytes: &[u8]) -> Result<Plane, Error> {
    let options = DecoderOptions::default().jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder.decode_headers().map_err(unreadable)?;
    let info = decoder.info().ok_or_else(|| unreadable("no size"))?;
    let (width, height) = (usize::from(info.width), usize::from(info.height));
    too_large(width, height)?;
    let samples = decoder.decode().map_err(unreadable)?;
    let channels = samples.len() / (width * height);
    Ok(plane(width, height, &samples, channels.max(1)))
}

pub fn webp(bytes: &[u8]) -> Result<Plane, Error> {
    let mut decoder = image_webp::WebPDecoder::new(Cursor::new(bytes)).map_err(unreadable)?;
    let (width, height) = decoder.dimensions();
    let (width, height) = (width as usize, height as usize);
    too_large(width, height)?;
    let channels = if decoder.has_alpha() { 4 } else { 3 };
    let mut samples = vec![0; width * height * channels];
    decoder.read_image(&mut samples).map_err(unreadable)?;
    Ok(plane(width, height, &samples, channels))
}

pub fn gif(bytes: &[u8], each: &mut Look) -> Result<(), Error> {
    let options = || {
        let mut options = gif::DecodeOptions::new();
        options.set_color_output(gif::ColorOutput::RGBA);
        options.set_memory_limit(gif::MemoryLimit::Bytes(GIF_BYTES.try_into().expect("not zero")));
        options
    };
    let mut counter = options().read_info(Cursor::new(bytes)).map_err(unreadable)?;
    let mut count = 0;
    while counter.next_frame_info().is_ok_and(|frame| frame.is_some()) {
        count += 1;
    }
    let mut decoder = options().read_info(Cursor::new(bytes)).map_err(unreadable)?;
    let (width, height) = (usize::from(decoder.width()), usize::from(decoder.height()));
    too_large(width, height)?;
    // A frame may hold no more than what changed: it is drawn over the former ones.
    let mut canvas = vec![0; width * height * 4];
    for index in 0.. {
        // What stands before a damaged frame is still a picture.
        let Ok(Some(frame)) = decoder.read_next_frame() else {
            break;
        };
        let (left, top) = (usize::from(frame.left), usize::from(frame.top));
        let row_bytes = usize::from(frame.width) * 4;
        for (row, pixels) in frame.buffer.chunks_exact(row_bytes.max(1)).enumerate().take(height.saturating_sub(top)) {
            let target = canvas.chunks_exact_mut(4).skip((top + row) * width + left);
            for (target, pixel) in target.take(width.saturating_sub(left)).zip(pixels.chunks_exact(4)) {
                if pixel[3] > 0 {
                    target.copy_from_slice(pixel);
                }
            }
        }
        if is_looked_at(index, count) && each(plane(width, height, &canvas, 4)).is_break() {
            break;
        }
    }
    if count == 0 { Err(unreadable("no frame")) } else { Ok(()) }
}
