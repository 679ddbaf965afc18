//! MP4 with H.264 inside, in fragments or whole, ours or anybody's.

use super::{Look, boxes::Video, is_looked_at, too_large};
use crate::{
    Error, Plane,
    video::{
        nal,
        picture::{self, Colours},
    },
};
use h264_reader::{
    nal::sps::SeqParameterSet,
    rbsp::{BitReader, decode_nal},
};
use holdfast_sim::Frame;
use openh264::{
    decoder::{DecodedYUV, Decoder},
    formats::YUVSource,
};
use std::ops::ControlFlow;

fn unreadable(error: impl std::fmt::Display) -> Error {
    Error::Pixels(error.to_string())
}

/// What a file says of its video.
struct Head {
    frames: usize,
    colours: Colours,
}

/// Who is shown the frames as they are decoded: breaks when it has seen enough.
type Show<'a> = dyn FnMut(&DecodedYUV, &Head) -> Result<ControlFlow<()>, Error> + 'a;

pub fn mp4(bytes: &[u8], each: &mut Look) -> Result<(), Error> {
    let mut size = None;
    let mut shown = 0;
    decode(bytes, &mut |decoded, head| {
        let (width, height) = decoded.dimensions();
        // A stream may change its size; what is left of it has another mark's grid.
        let is_wanted = *size.get_or_insert((width, height)) == (width, height) && is_looked_at(shown, head.frames);
        shown += 1;
        if is_wanted {
            return Ok(each(Plane::from_rows(decoded.y(), width, height, decoded.strides().0)));
        }
        Ok(ControlFlow::Continue(()))
    })
}

/// The first frame, in its colours.
pub fn first_frame(bytes: &[u8]) -> Result<Frame, Error> {
    let mut first = None;
    decode(bytes, &mut |decoded, head| {
        let ((width, height), (luma, colour, _)) = (decoded.dimensions(), decoded.strides());
        first = Some(picture::shown(
            [decoded.y(), decoded.u(), decoded.v()],
            [luma, colour],
            [width, height],
            head.colours,
        ));
        Ok(ControlFlow::Break(()))
    })?;
    first.ok_or_else(|| unreadable("no frame of it could be decoded"))
}

/// What the stream says of its colours; where it says nothing they are those of video of its height.
fn colours(set: &[u8], height: usize) -> Colours {
    // The library takes two bytes for granted.
    let bits = Some(set).filter(|set| set.len() > 2).and_then(|set| decode_nal(set).ok());
    let set = bits.and_then(|bits| SeqParameterSet::from_bits(BitReader::new(&*bits)).ok());
    let signal = set.and_then(|set| set.vui_parameters?.video_signal_type);
    let is_full = signal.as_ref().is_some_and(|signal| signal.video_full_range_flag);
    let matrix = signal.and_then(|signal| signal.colour_description).map(|said| said.matrix_coefficients);
    Colours::of(matrix, height, is_full)
}

fn decode(bytes: &[u8], each: &mut Show) -> Result<(), Error> {
    let video = Video::of(bytes).map_err(unreadable)?;
    // It gives each frame as soon as it has it, and so not always in the order of showing: nothing here minds.
    let mut decoder = Decoder::new().map_err(unreadable)?;
    for set in &video.parameter_sets {
        let _ = decoder.decode(&nal::with_start_code(set)).map_err(unreadable)?;
    }
    let set = video.parameter_sets.first().map_or(&[][..], Vec::as_slice);
    let head = Head { frames: video.frames.len(), colours: colours(set, video.height) };
    let mut shown = 0;
    let mut show = |decoded: &DecodedYUV| -> Result<ControlFlow<()>, Error> {
        let (width, height) = decoded.dimensions();
        too_large(width, height)?;
        shown += 1;
        each(decoded, &head)
    };
    for place in video.frames {
        // A file that ends early, after a crash, still shows what is there.
        let Some(held) = bytes.get(place) else {
            break;
        };
        match decoder.decode(&nal::stream(held, video.length_size)) {
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
