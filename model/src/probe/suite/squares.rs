//! Squares of a picture that show one kind of surface: where something that comes from nowhere would show.

use crate::probe::{
    Film, Lab,
    reader::{Kind, Page},
};
use holdfast_sim::Frame;

/// A square that showed one kind of surface at the start, and was read right there.
pub struct Square {
    kind: Kind,
    pixels: Vec<usize>,
}

const SIDE: usize = 8;
const READ_BLOCKS: f32 = 16.0;

/// The squares of a film's start: of one kind within 16 blocks, by the truth, and read right in the true frame.
pub fn at_start(lab: &Lab, film: &Film) -> Vec<Square> {
    let (view, camera) = (&film.shots[&0].view, film.camera);
    let page = Page::new(&view.frame);
    let mut squares = Vec::new();
    for top in (0..camera.height - SIDE + 1).step_by(SIDE) {
        for left in (0..camera.width - SIDE + 1).step_by(SIDE) {
            let pixels: Vec<usize> =
                (0..SIDE * SIDE).map(|at| (top + at / SIDE) * camera.width + left + at % SIDE).collect();
            let one = |&pixel: &usize| {
                view.block_ids[pixel] == view.block_ids[pixels[0]] && view.depth.blocks[pixel] < READ_BLOCKS
            };
            if let Some(kind) = Kind::of_id(view.block_ids[pixels[0]])
                && pixels.iter().all(one)
                && lab.reader.read(&page, &view.depth, &pixels) == Some(kind)
            {
                squares.push(Square { kind, pixels });
            }
        }
    }
    squares
}

/// How many squares are lost in a frame of a tick, and of how many: those that the truth still shows as they were, and
/// whose true frame still reads so.
pub fn lost(lab: &Lab, film: &Film, tick: usize, frame: &Frame, squares: &[Square]) -> [usize; 2] {
    let view = &film.shots[&tick].view;
    let (page, true_page) = (Page::new(frame), Page::new(&view.frame));
    let still = squares.iter().filter(|Square { kind, pixels }| {
        pixels.iter().all(|&pixel| Kind::of_id(view.block_ids[pixel]) == Some(*kind))
            && lab.reader.read(&true_page, &view.depth, pixels) == Some(*kind)
    });
    let is_lost = |square: &&Square| lab.reader.read(&page, &view.depth, &square.pixels) != Some(square.kind);
    [still.clone().filter(is_lost).count(), still.count()]
}
