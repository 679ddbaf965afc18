//! Frames from files: any 8 or 16-bit PNG, or the first frame of a video; and fitted to a model's frame.

use super::fault::mistake;
use holdfast_media::decode::{self, Format};
use holdfast_sim::Frame;
use std::{fs, io::Cursor, path::Path};

/// A picture to start from, and the bytes of a PNG of it.
#[derive(Debug)]
pub struct Picture {
    pub frame: Frame,
    pub png: Vec<u8>,
}

/// Reads a PNG picture, or the first frame of an MP4 video.
pub fn read(path: &Path) -> anyhow::Result<Picture> {
    let fail = |reason: String| mistake(format!("{}: {reason}; give a PNG picture or an MP4 video", path.display()));
    let bytes = fs::read(path).map_err(|error| fail(error.to_string()))?;
    if Format::of(&bytes) == Some(Format::Mp4) {
        let frame = decode::first_frame(&bytes).map_err(|error| fail(error.to_string()))?;
        return Ok(Picture { png: frame.to_png(), frame });
    }
    let frame = read_png(&bytes).map_err(fail)?;
    Ok(Picture { frame, png: bytes })
}

/// Reads a picture; what is transparent becomes black.
fn read_png(bytes: &[u8]) -> Result<Frame, String> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(png::Transformations::normalize_to_color8());
    let mut reader = decoder.read_info().map_err(|error| error.to_string())?;
    let (width, height) = (u64::from(reader.info().width), u64::from(reader.info().height));
    if width * height > decode::MOST_PIXELS as u64 {
        return Err(format!("it says that it has {width}x{height} pixels, which are too many"));
    }
    let size = reader.output_buffer_size().ok_or("too large")?;
    let mut samples = vec![0; size];
    let info = reader.next_frame(&mut samples).map_err(|error| error.to_string())?;
    let samples = &samples[..info.buffer_size()];
    let faded = |value: u8, alpha: u8| (u16::from(value) * u16::from(alpha) / 255) as u8;
    let rgb = match info.color_type {
        png::ColorType::Rgb => samples.to_vec(),
        png::ColorType::Grayscale => samples.iter().flat_map(|&grey| [grey; 3]).collect(),
        png::ColorType::Rgba => {
            samples.chunks_exact(4).flat_map(|p| [p[0], p[1], p[2]].map(|v| faded(v, p[3]))).collect()
        }
        png::ColorType::GrayscaleAlpha => samples.chunks_exact(2).flat_map(|p| [faded(p[0], p[1]); 3]).collect(),
        png::ColorType::Indexed => return Err("its palette could not be expanded".into()),
    };
    Ok(Frame { width: info.width as usize, height: info.height as usize, rgb })
}

/// The picture at another size: the largest middle part of the right shape, each pixel the mean of what it covers.
pub fn fit(frame: &Frame, width: usize, height: usize) -> Frame {
    // Compared by cross products, so that a picture of the right shape is never cropped by rounding.
    let (crop_width, crop_height) = if frame.width * height > frame.height * width {
        (frame.height * width / height, frame.height)
    } else {
        (frame.width, frame.width * height / width)
    };
    let (crop_width, crop_height) = (crop_width.max(1), crop_height.max(1));
    let (left, top) = ((frame.width - crop_width) / 2, (frame.height - crop_height) / 2);
    let span = |index: usize, from: usize, to: usize| {
        let start = index * from / to;
        start..((index + 1) * from).div_ceil(to).max(start + 1)
    };
    let mut fitted = Frame::new(width, height);
    for y in 0..height {
        for x in 0..width {
            let (mut sum, mut count) = ([0u64; 3], 0);
            for source_y in span(y, crop_height, height) {
                for source_x in span(x, crop_width, width) {
                    let pixel = frame.pixel(left + source_x, top + source_y);
                    sum.iter_mut().zip(pixel).for_each(|(sum, value)| *sum += u64::from(value));
                    count += 1;
                }
            }
            let mean = sum.map(|sum| ((sum + count / 2) / count) as u8);
            fitted.rgb[(y * width + x) * 3..][..3].copy_from_slice(&mean);
        }
    }
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbered(width: usize, height: usize) -> Frame {
        let mut frame = Frame::new(width, height);
        frame.rgb.iter_mut().enumerate().for_each(|(index, value)| *value = (index * 7 % 251) as u8);
        frame
    }

    #[test]
    fn what_is_written_reads_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let (path, frame) = (folder.path().join("a.png"), numbered(13, 7));
        std::fs::write(&path, frame.to_png()).expect("room for a small file");
        let picture = read(&path).expect("valid");
        assert_eq!((picture.frame, picture.png), (frame.clone(), frame.to_png()));
    }

    #[test]
    fn a_broken_picture_is_named() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("not.png");
        for bytes in [&b"GIF89a"[..], b"\0\0\0\x18ftypmp42 and nothing more"] {
            std::fs::write(&path, bytes).expect("room for a small file");
            let message = read(&path).expect_err("neither").to_string();
            assert!(
                message.contains("not.png") && message.ends_with("give a PNG picture or an MP4 video"),
                "{message}"
            );
        }
    }

    #[test]
    fn a_picture_that_says_it_is_too_large_is_refused_before_it_is_read() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("huge.png");
        // 2^30 pixels, and no more than this header, with its checksum.
        let size = [0, 0, 0x80, 0, 0, 0, 0x80, 0, 8, 2, 0, 0, 0];
        let checksum = [0x4b, 0x1e, 0x34, 0x28];
        let data = b"\0\0\0\0IDAT\x35\xaf\x06\x1e";
        std::fs::write(&path, [&b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR"[..], &size, &checksum, data].concat())
            .expect("room");
        let message = read(&path).expect_err("too large").to_string();
        assert!(message.contains("32768x32768"), "{message}");
    }

    #[test]
    fn fitting_keeps_a_picture_of_that_size_and_crops_the_middle_of_others() {
        let frame = numbered(8, 4);
        assert_eq!(fit(&frame, 8, 4), frame);
        let wide = fit(&frame, 4, 4);
        assert_eq!(
            (0..4).map(|x| wide.pixel(x, 1)).collect::<Vec<_>>(),
            (2..6).map(|x| frame.pixel(x, 1)).collect::<Vec<_>>()
        );
    }

    #[test]
    fn fitting_takes_means_and_never_leaves_the_picture() {
        let mut frame = Frame::new(4, 2);
        frame.rgb.fill(10);
        frame.rgb[..3].fill(50);
        assert_eq!(fit(&frame, 2, 1).rgb, [20, 20, 20, 10, 10, 10]);
        for (width, height) in [(1, 1), (3, 5), (128, 72), (1, 9)] {
            for size in [(1, 1), (7, 3), (3, 7), (200, 2)] {
                assert_eq!(fit(&numbered(size.0, size.1), width, height).rgb.len(), width * height * 3);
            }
        }
    }
}
