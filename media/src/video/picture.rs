//! Frames as H.264 wants them: enlarged, brightness apart from colour, colour at half the size (ITU-R BT.709); and back,
//! from the colours of any video.

use holdfast_sim::Frame;
use openh264::formats::YUVBuffer;

/// BT.709's weights of red, green and blue.
const RED: f32 = 0.2126;
const GREEN: f32 = 0.7152;
const BLUE: f32 = 0.0722;
/// Video's levels: brightness from 16 to 235, colour from 16 to 240.
const LUMA_SPAN: f32 = 219.0 / 255.0;
const CHROMA_SPAN: f32 = 224.0 / 255.0;

/// How a video's brightness and colours are meant.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Colours {
    red: f32,
    blue: f32,
    /// Levels from 0 to 255.
    is_full: bool,
}

impl Colours {
    /// `matrix` is H.264's number of them (ITU-T H.264, table E-5). Where none is said players take BT.601 for video of
    /// less than 720 lines, and BT.709 otherwise.
    pub fn of(matrix: Option<u8>, height: usize, is_full: bool) -> Colours {
        let is_709 = match matrix {
            Some(1) => true,
            Some(5 | 6) => false,
            _ => height >= 720,
        };
        let (red, blue) = if is_709 { (RED, BLUE) } else { (0.299, 0.114) };
        Colours { red, blue, is_full }
    }
}

/// The frame of a video's brightness and its two colours at half the size; `strides` are bytes a row of each.
pub fn shown(
    [luma, blue, red]: [&[u8]; 3],
    [luma_stride, colour_stride]: [usize; 2],
    [width, height]: [usize; 2],
    colours: Colours,
) -> Frame {
    let [luma_span, chroma_span, foot] = if colours.is_full { [1.0, 1.0, 0.0] } else { [LUMA_SPAN, CHROMA_SPAN, 16.0] };
    let mut frame = Frame::new(width, height);
    for (index, rgb) in frame.rgb.chunks_exact_mut(3).enumerate() {
        let (x, y) = (index % width, index / width);
        let colour = |plane: &[u8]| (f32::from(plane[y / 2 * colour_stride + x / 2]) - 128.0) / chroma_span * 2.0;
        let luma = (f32::from(luma[y * luma_stride + x]) - foot) / luma_span;
        let blue = luma + colour(blue) * (1.0 - colours.blue);
        let red = luma + colour(red) * (1.0 - colours.red);
        let green = (luma - colours.red * red - colours.blue * blue) / (1.0 - colours.red - colours.blue);
        rgb.copy_from_slice(&[red, green, blue].map(rounded));
    }
    frame
}

/// Each pixel as a square of `scale` pixels; both sides of the result must be even.
pub fn enlarged(frame: &Frame, scale: usize) -> YUVBuffer {
    let (width, height) = (frame.width * scale, frame.height * scale);
    // Colours are computed once for each pixel of the frame, and only then spread.
    let pixels: Vec<[f32; 3]> = frame.rgb.chunks_exact(3).map(|rgb| convert([rgb[0], rgb[1], rgb[2]])).collect();
    let row = |y: usize| &pixels[y / scale * frame.width..][..frame.width];
    let mut planes = Vec::with_capacity(width * height * 3 / 2);
    for y in 0..frame.height {
        let wide: Vec<u8> =
            row(y * scale).iter().flat_map(|pixel| std::iter::repeat_n(rounded(pixel[0]), scale)).collect();
        for _ in 0..scale {
            planes.extend_from_slice(&wide);
        }
    }
    for colour in [1, 2] {
        for y in 0..height / 2 {
            let rows = [row(2 * y), row(2 * y + 1)];
            planes.extend((0..width / 2).map(|x| {
                let columns = [2 * x / scale, (2 * x + 1) / scale];
                let sum: f32 = rows.iter().flat_map(|row| columns.map(|column| row[column][colour])).sum();
                rounded(sum / 4.0)
            }));
        }
    }
    YUVBuffer::from_vec(planes, width, height)
}

fn convert(rgb: [u8; 3]) -> [f32; 3] {
    let [red, green, blue] = rgb.map(f32::from);
    let luma = RED * red + GREEN * green + BLUE * blue;
    [
        16.0 + luma * LUMA_SPAN,
        128.0 + (blue - luma) / (2.0 * (1.0 - BLUE)) * CHROMA_SPAN,
        128.0 + (red - luma) / (2.0 * (1.0 - RED)) * CHROMA_SPAN,
    ]
}

fn rounded(value: f32) -> u8 {
    // A cast saturates.
    value.round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use openh264::formats::YUVSource;

    #[test]
    fn colours_are_those_of_the_standard() {
        let levels = |rgb| convert(rgb).map(rounded);
        assert_eq!(levels([0, 0, 0]), [16, 128, 128]);
        assert_eq!(levels([255, 255, 255]), [235, 128, 128]);
        assert_eq!(levels([255, 0, 0]), [63, 102, 240]);
        assert_eq!(levels([0, 0, 255]), [32, 240, 118]);
    }

    #[test]
    fn colours_come_back_and_each_standard_is_its_own() {
        let colours = [[200, 30, 40], [20, 180, 60], [10, 60, 220], [128, 128, 128], [255, 255, 255], [0, 0, 0]];
        for rgb in colours {
            let frame = Frame { width: 1, height: 1, rgb: rgb.to_vec() };
            let video = enlarged(&frame, 2);
            let planes = [video.y(), video.u(), video.v()];
            let back = |matrix| shown(planes, [2, 1], [2, 2], Colours::of(matrix, 72, false)).pixel(1, 1);
            let far = |a: [u8; 3]| a.iter().zip(rgb).map(|(&a, b)| a.abs_diff(b)).max().unwrap_or(0);
            assert!(far(back(Some(1))) <= 3, "{rgb:?} came back as {:?}", back(Some(1)));
            let is_grey = rgb[0] == rgb[1];
            assert_eq!(far(back(None)) > 3, !is_grey, "{rgb:?} under the other standard: {:?}", back(None));
        }
        assert_eq!(Colours::of(None, 720, false), Colours::of(Some(1), 72, false));
        assert_eq!(Colours::of(Some(6), 720, false), Colours::of(None, 360, false));
    }
}
