//! The colours of the sky and the ground so far: weather, time of day and biome, which no single place holds.

use crate::{assemble::encode_colour, state::Shown};
use holdfast_sim::{Camera, Depth, Pose, kinematics};
use serde::{Deserialize, Serialize};

/// Slow mean colours of the dream's own frames: the sky by height above the horizon, the ground by distance.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Ambience {
    /// RGB in -1..1; 0 where nothing was seen yet.
    means: [[f32; 3]; BANDS],
    seen: [bool; BANDS],
}

/// Three of the sky, three of the ground.
const BANDS: usize = 6;
/// The first band of the sky.
const SKY: usize = 3;
/// Sine of the elevation up to which a part of the sky is low, or middling.
const SKY_LOW: f32 = 0.12;
const SKY_MIDDLE: f32 = 0.4;
/// Distance up to which a surface is near, or middling, in blocks.
const NEAR_BLOCKS: f32 = 6.0;
const MIDDLE_BLOCKS: f32 = 18.0;
/// Share of one frame in a mean: about 30 ticks of memory, so that a walk into another biome is followed.
const MIX: f32 = 0.03;
/// Surfaces whose depth is expected to be off by more than this share tell nothing: their colour is that of fog.
const MOST_DOUBT: f32 = 0.1;
/// Every so manieth pixel is looked at, both ways.
const STEP_PX: usize = 2;
/// A band counts when at least this share of the pixels lies in it.
const LEAST_SHARE: f32 = 0.01;

impl Ambience {
    /// Whether it holds colours: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.means.iter().flatten().all(|mean| mean.is_finite())
    }

    /// Length of [`Ambience::features`].
    pub const FEATURES: usize = BANDS * 4;

    /// Takes in a frame and its depth.
    pub fn see(&mut self, pose: &Pose, camera: &Camera, shown: &Shown) {
        let Shown { frame, depth, doubt, .. } = *shown;
        let axes = pose.axes();
        let mut sums = [[0.0f32; 4]; BANDS];
        let mut looked_at = 0.0;
        for y in (0..camera.height).step_by(STEP_PX) {
            for x in (0..camera.width).step_by(STEP_PX) {
                let pixel = y * camera.width + x;
                if doubt.get(pixel).is_some_and(|doubt| *doubt > MOST_DOUBT) {
                    continue;
                }
                let ray = camera.ray(&axes, x, y);
                let blocks = depth.blocks[pixel];
                let band = if blocks >= Depth::SKY {
                    SKY + thirds(ray.y / ray.length(), SKY_LOW, SKY_MIDDLE)
                } else {
                    thirds(blocks, NEAR_BLOCKS, MIDDLE_BLOCKS)
                };
                let rgb = frame.pixel(x, y);
                (0..3).for_each(|channel| sums[band][channel] += encode_colour(f32::from(rgb[channel])));
                sums[band][3] += 1.0;
                looked_at += 1.0;
            }
        }
        for (band, sum) in sums.iter().enumerate() {
            if sum[3] < (looked_at * LEAST_SHARE).max(1.0) {
                continue;
            }
            let mix = if self.seen[band] { MIX } else { 1.0 };
            for (mean, sum_of_channel) in self.means[band].iter_mut().zip(sum) {
                *mean += (sum_of_channel / sum[3] - *mean) * mix;
            }
            self.seen[band] = true;
        }
    }

    /// The colour, RGB in -1..1, to expect along a ray of this sine of elevation over open ground; 0 where neither sky nor
    /// ground was seen yet.
    pub fn expect(&self, elevation: f32) -> [f32; 3] {
        let (first, band) = if elevation > 0.0 {
            (SKY, SKY + thirds(elevation, SKY_LOW, SKY_MIDDLE))
        } else {
            (0, thirds(kinematics::EYE_HEIGHT / -elevation, NEAR_BLOCKS, MIDDLE_BLOCKS))
        };
        let nearest = (first..first + SKY).filter(|&band| self.seen[band]).min_by_key(|&other| other.abs_diff(band));
        nearest.map_or([0.0; 3], |band| self.means[band])
    }

    /// Mean brightness, 0..1; `None` where nothing was seen yet.
    pub fn brightness(&self) -> Option<f32> {
        let seen = self.means.iter().zip(self.seen).filter(|(_, seen)| *seen);
        let (sum, count) =
            seen.fold((0.0, 0.0), |(sum, count), (mean, _)| (sum + mean.iter().sum::<f32>(), count + 3.0));
        // -1..1 is black to white.
        (count > 0.0).then(|| (sum / count + 1.0) * 0.5)
    }

    /// RGB and whether it was seen, band by band.
    pub fn features(&self) -> [f32; Self::FEATURES] {
        std::array::from_fn(|index| match (index / 4, index % 4) {
            (band, 3) => f32::from(u8::from(self.seen[band])),
            (band, channel) => self.means[band][channel],
        })
    }
}

fn thirds(value: f32, low: f32, middle: f32) -> usize {
    if value < low {
        0
    } else if value < middle {
        1
    } else {
        2
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::Frame;

    #[test]
    fn sky_and_ground_are_kept_apart_and_change_slowly() {
        let camera = Camera::new(16, 16);
        let mut frame = Frame::new(16, 16);
        let mut depth = Depth::new(16, 16);
        for y in 0..16 {
            for x in 0..16 {
                let at = y * 16 + x;
                frame.rgb[at * 3..at * 3 + 3].copy_from_slice(if y < 8 { &[0, 0, 255] } else { &[0, 255, 0] });
                depth.blocks[at] = if y < 8 { Depth::SKY } else { 3.0 };
            }
        }
        let mut ambience = Ambience::default();
        ambience.see(&Pose::default(), &camera, &Shown::given(&frame, &depth, 0));
        let features = ambience.features();
        assert_eq!(features[..4], [-1.0, 1.0, -1.0, 1.0], "near ground is green");
        assert_eq!(features[4..12], [0.0; 8], "nothing was seen far away");
        assert_eq!(features[12..16], [-1.0, -1.0, 1.0, 1.0], "the low sky is blue");
        assert_eq!(ambience.expect(0.9), [-1.0, -1.0, 1.0], "the whole sky is expected to be like its lowest part");
        assert_eq!(ambience.expect(-0.02), [-1.0, 1.0, -1.0], "so is the ground");
        assert_eq!(Ambience::default().expect(0.5), [0.0; 3]);
        frame.rgb.fill(255);
        ambience.see(&Pose::default(), &camera, &Shown::given(&frame, &depth, 0));
        let red = ambience.features()[0];
        assert!(red > -1.0 && red < -0.9, "one frame moves the mean a little: {red}");
    }
}
