//! Larger pictures with the same pixels: each becomes a square, so that players show them crisp.

use holdfast_sim::Frame;

/// Videos are at least this wide: VPT's own size, and what sites do not blur on upload.
const VIDEO_WIDTH: usize = 640;

/// How many pixels a frame's pixel becomes in video, each way: 5 for 128x72. Both sides come out even, as video asks.
pub fn video_scale(width: usize, height: usize) -> usize {
    let scale = VIDEO_WIDTH.div_ceil(width.max(1));
    let odd = |scale: usize| width * scale % 2 == 1 || height * scale % 2 == 1;
    if odd(scale) { scale + 1 } else { scale }
}

/// Each pixel as a square of `scale` pixels.
pub fn nearest(frame: &Frame, scale: usize) -> Frame {
    let rgb = squares(&frame.rgb, frame.width, 3, scale);
    Frame { width: frame.width * scale, height: frame.height * scale, rgb }
}

/// The same for rows of `width` pixels of `size` bytes.
pub(crate) fn squares(pixels: &[u8], width: usize, size: usize, scale: usize) -> Vec<u8> {
    let mut large = Vec::with_capacity(pixels.len() * scale * scale);
    for row in pixels.chunks_exact(width * size) {
        let wide: Vec<u8> =
            row.chunks_exact(size).flat_map(|pixel| std::iter::repeat_n(pixel, scale).flatten()).copied().collect();
        for _ in 0..scale {
            large.extend_from_slice(&wide);
        }
    }
    large
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pixels_become_squares_and_videos_are_even() {
        let frame = Frame { width: 2, height: 1, rgb: vec![1, 2, 3, 4, 5, 6] };
        let twice = nearest(&frame, 2);
        assert_eq!((twice.width, twice.height), (4, 2));
        assert_eq!(twice.rgb, [1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6].repeat(2));
        assert_eq!([(128, 72), (256, 144), (640, 360), (129, 73)].map(|(w, h)| video_scale(w, h)), [5, 3, 1, 6]);
    }
}
