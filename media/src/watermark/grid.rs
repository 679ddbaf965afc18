//! From a picture of any size back to the pixels of the dream: the means of squares of a supposed size and place.

use crate::plane::Plane;

/// Where the dream's pixels are supposed to lie in a picture, in the picture's own pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Grid {
    /// Width and height of one of the dream's pixels.
    pub cell: [f64; 2],
    /// Left and top of the first whole one.
    pub start: [f64; 2],
}

/// No more cells than this each way: enough for the mark, and a huge picture does not take for ever.
const MOST_CELLS: usize = 512;
/// Share of a cell that is read, about its middle, so that a place that is a little off reads no neighbour.
const CORE: f64 = 0.6;
/// Cells smaller than this (pixels) are read whole: their middle alone would be too few pixels.
const SMALLEST_CORED: f64 = 2.5;

/// Sums over all rectangles that begin at the top left corner, by which any rectangle's mean is four look-ups.
pub struct Integral {
    width: usize,
    height: usize,
    sums: Vec<f64>,
}

impl Integral {
    pub fn of(plane: &Plane) -> Integral {
        let (width, height) = (plane.width, plane.height);
        let mut sums = vec![0.0; (width + 1) * (height + 1)];
        for y in 0..height {
            let (above, below) = sums[y * (width + 1)..(y + 2) * (width + 1)].split_at_mut(width + 1);
            let mut row_sum = 0.0;
            for x in 0..width {
                row_sum += f64::from(plane.luma[y * width + x]);
                below[x + 1] = above[x + 1] + row_sum;
            }
        }
        Integral { width, height, sums }
    }

    /// The means of the grid's cells.
    pub fn sample(&self, grid: &Grid) -> Plane {
        let columns = Edges::along(self.width, grid.cell[0], grid.start[0]);
        let rows = Edges::along(self.height, grid.cell[1], grid.start[1]);
        let mut luma = Vec::with_capacity(columns.len() * rows.len());
        let stride = self.width + 1;
        for (top, bottom) in rows.from.iter().zip(&rows.to) {
            let band = |x: usize| {
                let at = |edge: &Edge| {
                    let above = self.sums[edge.at * stride + x];
                    above + edge.fraction * (self.sums[edge.next * stride + x] - above)
                };
                at(bottom) - at(top)
            };
            for (left, right) in columns.from.iter().zip(&columns.to) {
                let at = |edge: &Edge| {
                    let before = band(edge.at);
                    // Most exported grids lie on whole pixels.
                    if edge.fraction == 0.0 { before } else { before + edge.fraction * (band(edge.next) - before) }
                };
                luma.push(((at(right) - at(left)) / (columns.span * rows.span)) as f32);
            }
        }
        Plane { width: columns.len(), height: rows.len(), luma }
    }
}

/// A place between two columns or rows of the sums.
struct Edge {
    at: usize,
    next: usize,
    fraction: f64,
}

/// Where cells are read from and to, along one side.
struct Edges {
    from: Vec<Edge>,
    to: Vec<Edge>,
    span: f64,
}

impl Edges {
    fn along(length: usize, cell: f64, start: f64) -> Edges {
        let margin = if cell >= SMALLEST_CORED { cell * (1.0 - CORE) / 2.0 } else { 0.0 };
        let count = (((length as f64 - start) / cell + 1e-9).max(0.0) as usize).min(MOST_CELLS);
        let edge = |place: f64| {
            let place = place.clamp(0.0, length as f64);
            let at = place as usize;
            Edge { at, next: (at + 1).min(length), fraction: place - at as f64 }
        };
        let edges = |shift: f64| (0..count).map(|index| edge(start + index as f64 * cell + shift)).collect();
        Edges { from: edges(margin), to: edges(cell - margin), span: cell - 2.0 * margin }
    }

    fn len(&self) -> usize {
        self.from.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upscale;
    use holdfast_sim::Frame;

    #[test]
    fn an_enlarged_frame_is_read_back_wherever_it_was_cut() {
        let mut frame = Frame::new(8, 6);
        for (index, pixel) in frame.rgb.chunks_exact_mut(3).enumerate() {
            pixel.fill((index * 5) as u8);
        }
        let small = Plane::of(&frame);
        let large = Plane::of(&upscale::nearest(&frame, 5));
        let grid = Grid { cell: [5.0, 5.0], start: [0.0, 0.0] };
        let close = |a: &[f32], b: &[f32]| a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-3);
        let read = Integral::of(&large).sample(&grid);
        assert_eq!((read.width, read.height), (8, 6));
        assert!(close(&read.luma, &small.luma));
        let read = Integral::of(&large).sample(&Grid { start: [10.0, 5.0], ..grid });
        assert_eq!((read.width, read.height), (6, 5));
        assert!((read.luma[0] - small.luma[10]).abs() < 1e-3);
        // A fraction of a pixel off still reads inside the cell.
        let read = Integral::of(&large).sample(&Grid { start: [0.9, 0.9], ..grid });
        assert!((read.luma[0] - small.luma[0]).abs() < 1e-3);
    }
}
