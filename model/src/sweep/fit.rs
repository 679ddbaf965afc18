//! How well a picture fits a part of a frame.

use super::Sample;

/// A face has so many texels: more pixels than these say the same again.
const TEXELS: f32 = 256.0;
/// A face of so many pixels is told by small parts, one of fewer by large ones, and one of very few as a whole.
const MANY_PIXELS: usize = 96;
const FEW_PIXELS: usize = 24;

/// Correlation, and how far that is from chance (Fisher's z, in standard deviations).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Fit {
    pub correlation: f32,
    pub sigmas: f32,
}

impl Fit {
    pub fn reaches(&self, least: Fit) -> bool {
        self.correlation >= least.correlation && self.sigmas >= least.sigmas
    }
}

/// How what is shown follows what is expected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Following {
    pub fit: Fit,
    /// By how much it rises with it.
    pub slope: f32,
    /// Its squares about the mean over the other's.
    pub contrast: f32,
}

/// A face in parts: light and soft patches make neighbours alike, and are no sign; what differs within a part is.
pub struct Parts {
    /// The part of each sample.
    of: Vec<u8>,
    counts: [f32; Parts::MOST],
    used: f32,
}

impl Parts {
    const SIDE: usize = 4;
    const MOST: usize = Self::SIDE * Self::SIDE;

    pub fn of(face: &[Sample]) -> Parts {
        let side = match face.len() {
            MANY_PIXELS.. => Self::SIDE,
            FEW_PIXELS.. => 2,
            _ => 1,
        };
        let along = |value: f32| ((value * side as f32) as usize).min(side - 1);
        let of: Vec<u8> = face.iter().map(|at| (along(at.uv[1]) * Self::SIDE + along(at.uv[0])) as u8).collect();
        let mut counts = [0.0; Self::MOST];
        of.iter().for_each(|&part| counts[part as usize] += 1.0);
        Parts { used: counts.iter().filter(|count| **count > 0.0).count() as f32, of, counts }
    }

    /// How far each value is from the mean of its part.
    pub fn details(&self, values: &[f32]) -> Vec<f32> {
        let mut means = [0.0; Self::MOST];
        self.of.iter().zip(values).for_each(|(&part, value)| means[part as usize] += value);
        means.iter_mut().zip(&self.counts).for_each(|(mean, count)| *mean /= count.max(1.0));
        self.of.iter().zip(values).map(|(&part, value)| value - means[part as usize]).collect()
    }

    /// Correlation of the details that are shown with those of what is expected, and how they follow those; `None` if there
    /// is too little of either.
    pub fn fit(&self, shown: &[f32], expected: &[f32]) -> Option<Following> {
        let count = shown.len() as f32;
        let mean = expected.iter().sum::<f32>() / count;
        let (mut spread, mut own, mut both) = (0.0, 0.0, 0.0);
        for (shown, expected) in shown.iter().zip(self.details(expected)) {
            let off = expected / mean;
            own += off * off;
            both += off * shown;
            spread += shown * shown;
        }
        let freedom = count.min(TEXELS) - self.used - 1.0;
        if own <= 1e-6 || spread <= 1e-6 || freedom < 4.0 {
            return None;
        }
        let correlation = (both / (own * spread).sqrt()).clamp(-0.999, 0.999);
        let fit = Fit { correlation, sigmas: correlation.atanh() * freedom.sqrt() };
        Some(Following { fit, slope: both / own, contrast: spread / own })
    }
}
