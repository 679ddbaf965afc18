//! MP4 with H.264 inside, in fragments or whole, ours or anybody's.

use super::{Look, is_looked_at, too_large};
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
use re_mp4::{Mp4, StsdBoxContent, TrackKind};
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
    let set = decode_nal(set).ok().and_then(|bits| SeqParameterSet::from_bits(BitReader::new(&*bits)).ok());
    let signal = set.and_then(|set| set.vui_parameters?.video_signal_type);
    let is_full = signal.as_ref().is_some_and(|signal| signal.video_full_range_flag);
    let matrix = signal.and_then(|signal| signal.colour_description).map(|said| said.matrix_coefficients);
    Colours::of(matrix, height, is_full)
}

fn decode(bytes: &[u8], each: &mut Show) -> Result<(), Error> {
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
    let set = head.sequence_parameter_sets.first().map_or(&[][..], |set| set.bytes.as_slice());
    let head = Head { frames: track.samples.len(), colours: colours(set, usize::from(avc1.height)) };
    let mut shown = 0;
    let mut show = |decoded: &DecodedYUV| -> Result<ControlFlow<()>, Error> {
        let (width, height) = decoded.dimensions();
        too_large(width, height)?;
        shown += 1;
        each(decoded, &head)
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
