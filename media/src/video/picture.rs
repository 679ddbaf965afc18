//! Frames as H.264 wants them: enlarged, brightness apart from colour, colour at half the size (ITU-R BT.709).

use holdfast_sim::Frame;
use openh264::formats::YUVBuffer;

/// BT.709's weights of red, green and blue.
const RED: f32 = 0.2126;
const GREEN: f32 = 0.7152;
const BLUE: f32 = 0.0722;
/// Video's levels: brightness from 16 to 235, colour from 16 to 240.
const LUMA_SPAN: f32 = 219.0 / 255.0;
const CHROMA_SPAN: f32 = 224.0 / 255.0;

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

    #[test]
    fn colours_are_those_of_the_standard() {
        let levels = |rgb| convert(rgb).map(rounded);
        assert_eq!(levels([0, 0, 0]), [16, 128, 128]);
        assert_eq!(levels([255, 255, 255]), [235, 128, 128]);
        assert_eq!(levels([255, 0, 0]), [63, 102, 240]);
        assert_eq!(levels([0, 0, 255]), [32, 240, 118]);
    }
}
