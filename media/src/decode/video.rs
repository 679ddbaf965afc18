//! MP4 with H.264 inside, in fragments or whole, ours or anybody's.

use super::{Look, is_looked_at, too_large};
use crate::{Error, Plane, video::nal};
use openh264::{
    decoder::{DecodedYUV, Decoder},
    formats::YUVSource,
};
use re_mp4::{Mp4, StsdBoxContent, TrackKind};
use std::ops::ControlFlow;

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Pixels(error.to_string())
}

pub fn mp4(bytes: &[u8], each: &mut Look) -> Result<(), Error> {
    let bytes = whole_boxes(bytes);
    let mp4 = Mp4::read_bytes(bytes).map_err(unreadable)?;
    let track = mp4.tracks().values().find(|track| track.kind == Some(TrackKind::Video));
    let track = track.ok_or_else(|| unreadable("no video in it"))?;
    let StsdBoxContent::Avc1(avc1) = &track.trak(&mp4).mdia.minf.stbl.stsd.contents else {
        return Err(unreadable("its video is not H.264"));
    };
    let head = &avc1.avcc;
    let length_size = usize::from(head.length_size_minus_one) + 1;
    // It gives each frame as soon as it has it, and so not always in the order of showing: nothing here minds.
    let mut decoder = Decoder::new().map_err(unreadable)?;
    for set in head.sequence_parameter_sets.iter().chain(&head.picture_parameter_sets) {
        let _ = decoder.decode(&nal::with_start_code(&set.bytes)).map_err(unreadable)?;
    }
    let mut size = None;
    let mut shown = 0;
    let count = track.samples.len();
    let mut show = |decoded: &DecodedYUV| -> Result<ControlFlow<()>, Error> {
        let (width, height) = decoded.dimensions();
        too_large(width, height)?;
        // A stream may change its size; what is left of it has another mark's grid.
        let is_wanted = *size.get_or_insert((width, height)) == (width, height) && is_looked_at(shown, count);
        shown += 1;
        if is_wanted {
            return Ok(each(Plane::from_rows(decoded.y(), width, height, decoded.strides().0)));
        }
        Ok(ControlFlow::Continue(()))
    };
    for sample in &track.samples {
        // A file that ends early, after a crash, still shows what is there.
        let Some(held) = bytes.get(sample.byte_range()) else {
            break;
        };
        match decoder.decode(&nal::stream(held, length_size)) {
            Ok(Some(decoded)) => {
                if show(&decoded)?.is_break() {
                    return Ok(());
                }
            }
            Ok(None) => {}
            // A damaged frame: the next one that stands alone goes on.
            Err(_) => {}
        }
    }
    for decoded in decoder.flush_remaining().map_err(unreadable)? {
        if show(&decoded)?.is_break() {
            return Ok(());
        }
    }
    if shown == 0 { Err(unreadable("no frame of it could be decoded")) } else { Ok(()) }
}

/// The file up to its last whole box: what was being written when the power went is left out.
fn whole_boxes(bytes: &[u8]) -> &[u8] {
    let mut end = 0;
    while let Some(size) = bytes.get(end..end + 4) {
        let size = u32::from_be_bytes([size[0], size[1], size[2], size[3]]) as usize;
        // 0 means up to the file's end, 1 that a larger number follows: such boxes are whole or of no use.
        if size < 8 {
            return bytes;
        }
        match end.checked_add(size) {
            Some(next) if next <= bytes.len() => end = next,
            _ => break,
        }
    }
    &bytes[..end]
}
