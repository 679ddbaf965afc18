//! Looks for the mark in pictures of any size and cut, and knows how seldom it is wrong.
//!
//! **The rate of false positives is a bound, not a fit.** For one supposed size and place, a picture without the mark
//! folds to 4096 numbers that have nothing to do with the key, whose signs are independent and fair. The correlation of
//! such numbers with such signs, divided by the numbers' length, exceeds t with probability at most exp(-t^2 / 2)
//! (W. Hoeffding, "Probability inequalities for sums of bounded random variables", J. Am. Stat. Assoc. 58, 1963,
//! theorem 2). Over all sizes, places and shifts that are tried the probabilities at most add up.

use super::{
    grid::{Grid, Integral},
    pattern::{CHIPS, Key, TILE},
};
use crate::plane::Plane;
use rustfft::{Fft, FftPlanner, num_complex::Complex32};
use std::sync::Arc;

/// How often a file that has nothing to do with the key may be taken for marked.
pub const FALSE_POSITIVE_RATE: f64 = 1e-6;

/// Sizes of the dream's pixels that crops are tried at: whole enlargements, their halves, and the usual windows.
const CELLS: [f64; 16] = [1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 3.75, 4.0, 5.0, 6.0, 7.5, 8.0, 9.0, 10.0, 12.0, 15.0];
/// Widths and heights of whole frames that are tried stretched over the whole picture.
const WHOLE: [[usize; 2]; 2] = [[128, 72], [256, 144]];
/// Places tried within a cell, each way; the middle that is read leaves room for what lies between.
const PLACES: usize = 3;
/// How often an answer may be asked for while frames are folded in: each is a chance to be wrong.
const LOOKS: usize = 2;
/// Fewer cells than this each way hold too little of the mark.
const FEWEST_CELLS: usize = 24;

/// Activity (grey levels) that stands for noise where the picture is smooth.
const NOISE: f32 = 2.0;
/// No pixel counts more than this, so that a few edges do not drown the rest.
const LOUDEST: f32 = 1.5;

/// Frames of one size, folded under every supposition.
#[derive(Debug, Clone)]
pub struct Search {
    width: usize,
    height: usize,
    suppositions: Vec<Supposition>,
}

#[derive(Debug, Clone)]
struct Supposition {
    grid: Grid,
    folded: Vec<f32>,
}

/// The best of all suppositions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// The correlation, in units of what chance makes.
    pub score: f64,
    /// The score that chance exceeds once in a million files.
    pub threshold: f64,
}

impl Finding {
    pub fn is_found(&self) -> bool {
        self.score > self.threshold
    }
}

impl Search {
    /// Ready for pictures of this size.
    pub fn new(width: usize, height: usize) -> Search {
        let mut grids = Vec::new();
        let size = [width as f64, height as f64];
        let mut suppose = |cell: [f64; 2]| {
            if (0..2).any(|side| size[side] / cell[side] < FEWEST_CELLS as f64) {
                return;
            }
            // A cell of one pixel has one place.
            let places = if cell[0].max(cell[1]) > 1.0 { PLACES } else { 1 };
            for place in 0..places * places {
                let within = [place % places, place / places];
                let start = [0, 1].map(|side| cell[side] * within[side] as f64 / places as f64);
                grids.push(Grid { cell, start });
            }
        };
        let whole = WHOLE.map(|[across, down]| [size[0] / across as f64, size[1] / down as f64]);
        for cell in whole.into_iter().filter(|cell| cell.iter().all(|&side| side >= 0.75)) {
            suppose(cell);
        }
        for cell in CELLS.map(|side| [side, side]).into_iter().filter(|cell| !whole.contains(cell)) {
            suppose(cell);
        }
        let suppositions = grids.into_iter().map(|grid| Supposition { grid, folded: vec![0.0; CHIPS] }).collect();
        Search { width, height, suppositions }
    }

    /// Folds one more picture in.
    ///
    /// # Panics
    /// If it has another size.
    pub fn push(&mut self, plane: &Plane) {
        assert_eq!((plane.width, plane.height), (self.width, self.height), "pictures of one size");
        let integral = Integral::of(plane);
        for supposition in &mut self.suppositions {
            fold(&integral.sample(&supposition.grid), &mut supposition.folded);
        }
    }

    /// The best of all suppositions so far. It may be asked for twice within the rate of false positives.
    pub fn best(&self, key: &Key) -> Finding {
        let correlator = Correlator::new(key);
        let scores = self.suppositions.iter().map(|supposition| correlator.peak(&supposition.folded));
        Finding { score: scores.fold(0.0, f64::max), threshold: self.threshold() }
    }

    /// By Hoeffding's inequality and the number of things tried.
    fn threshold(&self) -> f64 {
        let tried = (LOOKS * self.suppositions.len().max(1) * CHIPS) as f64;
        (2.0 * (tried / FALSE_POSITIVE_RATE).ln()).sqrt()
    }
}

/// Adds the picture's grain, evened out, to the tile.
fn fold(plane: &Plane, folded: &mut [f32]) {
    let grain = plane.grain();
    let rows = grain.detail.chunks_exact(plane.width).zip(grain.activity.chunks_exact(plane.width));
    for (y, (details, activities)) in rows.enumerate() {
        let tile_row = &mut folded[y % TILE * TILE..][..TILE];
        for (details, activities) in details.chunks(TILE).zip(activities.chunks(TILE)) {
            for ((sum, detail), activity) in tile_row.iter_mut().zip(details).zip(activities) {
                *sum += (detail / (activity + NOISE)).clamp(-LOUDEST, LOUDEST);
            }
        }
    }
}

/// Correlates a tile with the key at all shifts, by Fourier transform.
struct Correlator {
    forward: Arc<dyn Fft<f32>>,
    inverse: Arc<dyn Fft<f32>>,
    /// The key's spectrum, conjugated.
    key: Vec<Complex32>,
}

impl Correlator {
    fn new(key: &Key) -> Correlator {
        let mut planner = FftPlanner::new();
        let (forward, inverse) = (planner.plan_fft_forward(TILE), planner.plan_fft_inverse(TILE));
        let mut spectrum = complex(&key.signs);
        both_ways(&*forward, &mut spectrum);
        Correlator { forward, inverse, key: spectrum.iter().map(Complex32::conj).collect() }
    }

    /// The largest correlation over all shifts, in units of the tile's own length.
    fn peak(&self, folded: &[f32]) -> f64 {
        let length = folded.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt();
        if length < 1e-6 {
            return 0.0;
        }
        let mut tile = complex(folded);
        both_ways(&*self.forward, &mut tile);
        for (value, key) in tile.iter_mut().zip(&self.key) {
            *value *= key;
        }
        both_ways(&*self.inverse, &mut tile);
        let peak = tile.iter().map(|value| value.re).fold(f32::MIN, f32::max);
        f64::from(peak) / CHIPS as f64 / length
    }
}

fn complex(values: &[f32]) -> Vec<Complex32> {
    values.iter().map(|&value| Complex32::new(value, 0.0)).collect()
}

/// The transform along rows, then along columns.
fn both_ways(fft: &dyn Fft<f32>, tile: &mut [Complex32]) {
    for _ in 0..2 {
        fft.process(tile);
        for y in 0..TILE {
            for x in y + 1..TILE {
                tile.swap(y * TILE + x, x * TILE + y);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{upscale, watermark::mark};
    use holdfast_sim::Frame;

    fn noisy(width: usize, height: usize) -> Frame {
        let mut frame = Frame::new(width, height);
        let mut bytes = vec![0; frame.rgb.len()];
        blake3::Hasher::new().finalize_xof().fill(&mut bytes);
        for (value, byte) in frame.rgb.iter_mut().zip(bytes) {
            *value = 100 + byte / 8;
        }
        frame
    }

    fn look(frame: &Frame) -> Finding {
        let mut search = Search::new(frame.width, frame.height);
        search.push(&Plane::of(frame));
        search.best(Key::public())
    }

    #[test]
    fn a_marked_frame_is_found_at_its_own_size_and_enlarged_and_an_unmarked_one_is_not() {
        let clean = noisy(128, 72);
        let mut marked = clean.clone();
        mark(&mut marked, Key::public());
        for scale in [1, 3, 5] {
            let finding = look(&upscale::nearest(&marked, scale));
            assert!(finding.score > 15.0, "at {scale}: {finding:?}");
            assert!(!look(&upscale::nearest(&clean, scale)).is_found());
        }
    }

    #[test]
    fn correlation_is_that_of_its_definition() {
        let key = Key::from_words("another");
        let folded: Vec<f32> = (0..CHIPS).map(|at| ((at * at + 3 * at) % 17) as f32 - 8.0).collect();
        let length = folded.iter().map(|value| value * value).sum::<f32>().sqrt();
        let at = |shift_x: usize, shift_y: usize| -> f32 {
            let pairs = (0..CHIPS).map(|at| (at, Key::chip(at % TILE + shift_x, at / TILE + shift_y)));
            pairs.map(|(chip, place)| key.signs[chip] * folded[place]).sum::<f32>() / length
        };
        let expected = (0..CHIPS).map(|shift| at(shift % TILE, shift / TILE)).fold(f32::MIN, f32::max);
        assert!((Correlator::new(&key).peak(&folded) - f64::from(expected)).abs() < 1e-3);
    }

    #[test]
    fn a_flat_or_tiny_picture_has_no_mark() {
        let mut flat = Frame::new(200, 200);
        flat.rgb.fill(9);
        assert_eq!(look(&flat).score, 0.0);
        assert!(!look(&Frame::new(1, 1)).is_found());
    }
}
