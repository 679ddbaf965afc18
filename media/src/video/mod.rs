//! MP4 as it goes: H.264 in fragments of a second, so that whatever stops the program, what is written plays.

pub(crate) mod nal;
pub(crate) mod picture;

use crate::{Error, upscale};
use holdfast_sim::{Frame, TICKS_PER_SECOND};
use muxide::fragmented::{FragmentConfig, FragmentedMuxer};
use openh264::{
    OpenH264API,
    encoder::{
        BitRate, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, QpRange, RateControlMode, UsageType,
        VuiConfig,
    },
};
use std::{
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// Frames from one that stands alone to the next: with them a fragment ends, and what a crash costs.
const FRAGMENT_FRAMES: u32 = TICKS_PER_SECOND;
/// No frame waits longer than this for the file, also where frames come slowly.
const LONGEST_WAIT: Duration = Duration::from_millis(900);
/// The step of quantisation, of 0 to 51: the dream's grain and the mark in it stay, at about 1 Mbit/s.
const QUANTISER: u8 = 23;
/// Above what the quantiser ever asks for, so that it alone decides.
const MOST_BITS_PER_SECOND: u32 = 50_000_000;

/// A video file under way.
pub struct Mp4Writer {
    path: PathBuf,
    file: File,
    encoder: Encoder,
    /// From the first frame on: its header needs what the encoder says of the stream.
    muxer: Option<FragmentedMuxer>,
    size: [usize; 2],
    scale: usize,
    frames: u64,
    /// Since when a frame has been waiting for the file.
    waiting_since: Option<Instant>,
}

impl Mp4Writer {
    /// Creates the file, over one that is there. Frames are `width` by `height`; the video is larger by
    /// [`upscale::video_scale`].
    pub fn create(path: &Path, width: usize, height: usize) -> Result<Mp4Writer, Error> {
        // One thread: the other core draws the next frame.
        let config = EncoderConfig::new()
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(RateControlMode::Off)
            .qp(QpRange::new(QUANTISER, QUANTISER))
            .bitrate(BitRate::from_bps(MOST_BITS_PER_SECOND))
            .max_frame_rate(FrameRate::from_hz(TICKS_PER_SECOND as f32))
            .intra_frame_period(IntraFramePeriod::from_num_frames(FRAGMENT_FRAMES))
            .skip_frames(false)
            .adaptive_quantization(false)
            .background_detection(false)
            // A change of scene is coded as well within a frame that builds on others; fragments stay a second long.
            .scene_change_detect(false)
            .num_threads(1)
            .vui(VuiConfig::bt709());
        let encoder = Encoder::with_api_config(OpenH264API::from_source(), config).map_err(encoder_error)?;
        let file = File::create(path).map_err(Error::io(path))?;
        let scale = upscale::video_scale(width, height);
        let (path, size) = (path.to_path_buf(), [width, height]);
        Ok(Mp4Writer { path, file, encoder, muxer: None, size, scale, frames: 0, waiting_since: None })
    }

    /// Frames so far.
    pub fn frames(&self) -> u64 {
        self.frames
    }

    /// Adds a frame; each twentieth writes what is complete to the file, and so does one that comes after a wait.
    ///
    /// # Panics
    /// If its size is not that of [`Mp4Writer::create`].
    pub fn push(&mut self, frame: &Frame) -> Result<(), Error> {
        assert_eq!([frame.width, frame.height], self.size, "frames of the video's size");
        let picture = picture::enlarged(frame, self.scale);
        let stream = self.encoder.encode(&picture).map_err(encoder_error)?;
        let stands_alone = matches!(stream.frame_type(), FrameType::IDR);
        let units = nal::split(&stream.to_vec());
        if stands_alone && self.muxer.is_none() {
            let mut muxer = muxer(&units, self.size.map(|side| side * self.scale))?;
            self.file.write_all(&muxer.init_segment()).map_err(Error::io(&self.path))?;
            self.muxer = Some(muxer);
        } else if stands_alone {
            self.write_fragment()?;
        }
        let muxer = self.muxer.as_mut().ok_or_else(|| Error::Encoder("the first frame does not stand alone".into()))?;
        muxer
            .write_video(self.frames, self.frames, &nal::sample(&units), stands_alone)
            .map_err(|error| Error::Encoder(error.to_string()))?;
        self.frames += 1;
        self.waiting_since.get_or_insert_with(Instant::now);
        self.flush_old()
    }

    /// Writes what has been waiting for the file too long; to be called now and then where no frames come.
    pub fn flush_old(&mut self) -> Result<(), Error> {
        match self.waiting_since {
            Some(since) if since.elapsed() >= LONGEST_WAIT => self.write_fragment(),
            _ => Ok(()),
        }
    }

    /// Writes the rest.
    pub fn finish(mut self) -> Result<(), Error> {
        self.write_fragment()?;
        self.file.sync_all().map_err(Error::io(&self.path))
    }

    fn write_fragment(&mut self) -> Result<(), Error> {
        self.waiting_since = None;
        let fragment = self.muxer.as_mut().and_then(FragmentedMuxer::flush_segment);
        self.file.write_all(&fragment.unwrap_or_default()).map_err(Error::io(&self.path))
    }
}

impl std::fmt::Debug for Mp4Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Mp4Writer").field("path", &self.path).field("frames", &self.frames).finish_non_exhaustive()
    }
}

fn muxer(units: &[Vec<u8>], [width, height]: [usize; 2]) -> Result<FragmentedMuxer, Error> {
    let unit = |kind: u8| {
        let found = units.iter().find(|unit| nal::kind(unit) == kind);
        found.cloned().ok_or_else(|| Error::Encoder(format!("the first frame lacks a unit of type {kind}")))
    };
    // Time is counted in ticks: the duration that the muxer assumes for a last frame is then right, too.
    let mut config = FragmentConfig::new(width as u32, height as u32, TICKS_PER_SECOND);
    (config.sps, config.pps) = (unit(nal::SEQUENCE)?, unit(nal::PICTURE)?);
    FragmentedMuxer::new(config).map_err(|error| Error::Encoder(error.to_string()))
}

fn encoder_error(error: openh264::Error) -> Error {
    Error::Encoder(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::boxes::Video;

    /// Frames that a player finds in the file as it is, unfinished.
    fn frames_in(path: &Path) -> usize {
        let bytes = std::fs::read(path).expect("written");
        Video::of(&bytes).map_or(0, |video| video.frames.len())
    }

    #[test]
    fn slow_frames_do_not_wait_for_the_second_to_be_full() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("slow.mp4");
        let mut video = Mp4Writer::create(&path, 64, 36).expect("room");
        let frame = |level: u8| Frame { width: 64, height: 36, rgb: vec![level; 64 * 36 * 3] };
        (0..4).for_each(|level| video.push(&frame(level * 40)).expect("room"));
        assert_eq!(frames_in(&path), 0, "a fragment is not written frame by frame");
        std::thread::sleep(LONGEST_WAIT);
        video.flush_old().expect("room");
        assert_eq!(frames_in(&path), 4);
        video.push(&frame(200)).expect("room");
        std::thread::sleep(LONGEST_WAIT);
        video.push(&frame(220)).expect("room");
        assert_eq!(frames_in(&path), 6, "also where frames come, but slowly");
        video.finish().expect("room");
    }
}
