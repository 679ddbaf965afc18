//! Outlines: pixels that hang together, held against where a thing would show.

use holdfast_sim::Camera;

/// Smaller patches say nothing.
const LEAST_PIXELS: usize = 30;
/// What is beside a patch is looked at so far around it, pixels.
const AROUND_PX: usize = 10;

/// Pixels that hang together, in their order.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    pub pixels: Vec<usize>,
    /// All pixels about it, and whether each is of it.
    about: Vec<(usize, bool)>,
}

impl Patch {
    fn new(camera: &Camera, pixels: Vec<usize>) -> Patch {
        let around = |place: &dyn Fn(usize) -> usize, end: usize| {
            let (low, high) =
                pixels.iter().fold((end, 0), |(low, high), &at| (low.min(place(at)), high.max(place(at))));
            low.saturating_sub(AROUND_PX)..(high + AROUND_PX + 1).min(end)
        };
        let columns = around(&|at| at % camera.width, camera.width);
        let rows = around(&|at| at / camera.width, camera.height);
        let inside = rows.flat_map(|y| columns.clone().map(move |x| y * camera.width + x));
        let about = inside.map(|pixel| (pixel, pixels.binary_search(&pixel).is_ok())).collect();
        Patch { pixels, about }
    }

    /// The first of the candidates that have most in common with it, if that is at least so large a share of all that is in
    /// either. `shows` tells of a candidate and a pixel.
    pub fn likest<T>(
        &self,
        candidates: impl Iterator<Item = T>,
        least_common: f32,
        shows: impl Fn(&T, usize) -> bool,
    ) -> Option<T> {
        let all = candidates.map(|candidate| (self.common(|pixel| shows(&candidate, pixel)), candidate));
        let likest = all.reduce(|best, next| if next.0 > best.0 { next } else { best });
        likest.filter(|(common, _)| *common >= least_common).map(|(_, candidate)| candidate)
    }

    /// The share that it and what a thing shows in have in common, of all that is in either, as far as is looked around.
    fn common(&self, shows: impl Fn(usize) -> bool) -> f32 {
        let (mut both, mut either) = (0, 0);
        for &(pixel, is_in) in &self.about {
            let shown = shows(pixel);
            both += usize::from(shown && is_in);
            either += usize::from(shown || is_in);
        }
        both as f32 / either.max(1) as f32
    }

    /// Its pixel in the middle of its order.
    pub fn middle(&self) -> usize {
        self.pixels[self.pixels.len() / 2]
    }
}

/// The patches that hang together by their sides.
pub fn patches(camera: &Camera, is_in: impl Fn(usize) -> bool) -> Vec<Patch> {
    let count = camera.width * camera.height;
    let mut left: Vec<bool> = (0..count).map(is_in).collect();
    let mut patches = Vec::new();
    for first in 0..count {
        if !std::mem::take(&mut left[first]) {
            continue;
        }
        let (mut pixels, mut edge) = (Vec::new(), vec![first]);
        while let Some(pixel) = edge.pop() {
            pixels.push(pixel);
            let (x, y) = (pixel % camera.width, pixel / camera.width);
            let beside = [
                (x > 0).then(|| pixel - 1),
                (x + 1 < camera.width).then_some(pixel + 1),
                (y > 0).then(|| pixel - camera.width),
                (y + 1 < camera.height).then_some(pixel + camera.width),
            ];
            edge.extend(beside.into_iter().flatten().filter(|&pixel| std::mem::take(&mut left[pixel])));
        }
        if pixels.len() >= LEAST_PIXELS {
            pixels.sort_unstable();
            patches.push(Patch::new(camera, pixels));
        }
    }
    patches
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patches_hang_together_by_their_sides_and_are_held_against_an_outline() {
        let camera = Camera::new(40, 30);
        let square = |left: usize, top: usize, pixel: usize| {
            (left..left + 8).contains(&(pixel % 40)) && (top..top + 8).contains(&(pixel / 40))
        };
        // Two that touch at a corner, and one that is too small.
        let found = patches(&camera, |pixel| square(2, 2, pixel) || square(10, 10, pixel) || pixel == 40 * 29);
        assert_eq!(found.iter().map(|patch| patch.pixels.len()).collect::<Vec<_>>(), [64, 64]);
        assert_eq!(found[0].common(|pixel| square(2, 2, pixel)), 1.0);
        assert_eq!(found[0].common(|pixel| square(6, 2, pixel)), 32.0 / 96.0);
        assert_eq!(found[0].common(|_| false), 0.0);
    }
}
