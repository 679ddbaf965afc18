//! Pictures: a colour frame and a depth map, both row by row from the top left.

/// An RGB frame, 8 bits a channel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frame {
    pub width: usize,
    pub height: usize,
    /// `height * width * 3` bytes.
    pub rgb: Vec<u8>,
}

/// Distance along the ray from the eye to the first surface, in blocks; the sky is [`Depth::SKY`].
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Depth {
    pub width: usize,
    pub height: usize,
    /// `height * width` distances along the ray (not along the view axis).
    pub blocks: Vec<f32>,
}

impl Frame {
    pub fn new(width: usize, height: usize) -> Self {
        Frame { width, height, rgb: vec![0; width * height * 3] }
    }

    /// The bytes of a PNG file.
    pub fn to_png(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.width as u32, self.height as u32);
        encoder.set_color(png::ColorType::Rgb);
        encoder.set_depth(png::BitDepth::Eight);
        let mut writer = encoder.write_header().expect("memory takes any header; no frame is empty");
        writer.write_image_data(&self.rgb).expect("the frame holds width x height x 3 bytes");
        writer.finish().expect("memory takes any bytes");
        bytes
    }

    pub fn pixel(&self, x: usize, y: usize) -> [u8; 3] {
        let at = (y * self.width + x) * 3;
        [self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]]
    }

    /// Peak signal-to-noise ratio in dB over all pixels and channels, data range 255; infinite for equal frames.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn psnr_db(&self, other: &Frame) -> f64 {
        self.psnr_db_where(other, |_| true).unwrap_or(f64::INFINITY)
    }

    /// [`Frame::psnr_db`] over the pixels whose index `keep` accepts; `None` when it accepts none.
    ///
    /// # Panics
    /// If the sizes differ.
    pub fn psnr_db_where(&self, other: &Frame, keep: impl Fn(usize) -> bool) -> Option<f64> {
        assert_eq!((self.width, self.height), (other.width, other.height), "frames of one size");
        let (mut sum, mut count) = (0.0f64, 0usize);
        for (index, (a, b)) in self.rgb.chunks_exact(3).zip(other.rgb.chunks_exact(3)).enumerate() {
            if keep(index) {
                sum += a.iter().zip(b).map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2)).sum::<f64>();
                count += 3;
            }
        }
        (count > 0).then(|| 10.0 * (255.0f64.powi(2) * count as f64 / sum).log10())
    }
}

impl Depth {
    /// The distance that stands for the sky: beyond every surface that the simulator draws.
    pub const SKY: f32 = 1000.0;

    pub fn new(width: usize, height: usize) -> Self {
        Depth { width, height, blocks: vec![Self::SKY; width * height] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn psnr_follows_the_definition() {
        let black = Frame::new(2, 1);
        let mut grey = black.clone();
        grey.rgb.fill(51);
        assert!((black.psnr_db(&grey) - 20.0 * 5f64.log10()).abs() < 1e-9);
        assert_eq!(black.psnr_db(&black), f64::INFINITY);
        grey.rgb[..3].fill(0);
        assert_eq!(black.psnr_db_where(&grey, |index| index == 0), Some(f64::INFINITY));
        assert_eq!(black.psnr_db_where(&grey, |_| false), None);
    }
}
