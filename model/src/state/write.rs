//! Writing the world state: a finished frame carves what it sees through and adds what it hits.

use super::{CELL_BLOCKS, Canvas, Cell, Reader, WorldState};
use crate::layout::FAR_BLOCKS;
use holdfast_sim::{Camera, Depth, Frame, Pose};

/// A finished frame, to be written from the pose of the last read.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    pub frame: &'a Frame,
    pub depth: &'a Depth,
    /// What the state showed before the frame, from the same pose; empty at a start.
    pub canvas: &'a Canvas,
    /// How far each pixel is a copy of the canvas, 0..1: what was copied teaches the state nothing. Empty: not at all.
    pub copied: &'a [f32],
    pub tick: u32,
}

/// Most votes that a cell can have: how many looks it takes to unlearn it.
const MOST_VOTES: i8 = 4;
/// A colour that was seen this much finer replaces the old one instead of mixing with it.
const FINER: f32 = 0.7;
/// From here on a pixel counts as a copy of the canvas.
const COPIED: f32 = 0.6;
/// Share of a new look in a mixed colour.
const MIX: f32 = 0.3;

impl WorldState {
    /// Writes a frame seen from `pose`, after [`WorldState::read`] from the same pose with the same reader.
    pub fn write(&mut self, pose: &Pose, camera: &Camera, reader: &Reader, seen: &Seen) {
        let axes = pose.axes();
        let (width, height) = (camera.width, camera.height);
        let eye = pose.eye();
        let focal = camera.focal_px();
        let mut axis_z = vec![0.0f32; width * height];
        for y in 0..height {
            for x in 0..width {
                let pixel = y * width + x;
                axis_z[pixel] = seen.depth.blocks[pixel] / camera.ray(&axes, x, y).length();
            }
        }
        self.carve(camera, reader, seen, &nearest_of_neighbours(&axis_z, width, height));
        for y in 0..height {
            for x in 0..width {
                let pixel = y * width + x;
                let ray = camera.ray(&axes, x, y);
                let copied = seen.copied.get(pixel).copied().unwrap_or(0.0);
                if seen.depth.blocks[pixel] >= FAR_BLOCKS * 0.9 {
                    self.sky.write(ray, seen.frame.pixel(x, y), copied);
                    continue;
                }
                let z = axis_z[pixel];
                let point = eye + ray * z;
                let known = seen.canvas.agrees(pixel, seen.depth.blocks[pixel], z / focal, copied);
                self.add(point, z / focal, seen.frame.pixel(x, y), copied, seen.tick, known);
            }
        }
    }

    /// Takes votes from the cells in view that lie clearly in front of what was seen.
    fn carve(&mut self, camera: &Camera, reader: &Reader, seen: &Seen, nearest_z: &[f32]) {
        let mut touched: Vec<(u32, u32)> = Vec::new();
        for point in &reader.in_view {
            let (x, y) = (point.x.floor(), point.y.floor());
            if x < 0.0 || y < 0.0 || x >= camera.width as f32 || y >= camera.height as f32 {
                continue;
            }
            let pixel = y as usize * camera.width + x as usize;
            let cell = &mut self.columns[point.column as usize].cells[point.cell as usize];
            let size = CELL_BLOCKS[usize::from(cell.level)];
            if point.z < nearest_z[pixel] * 0.95 - 0.08 - 0.5 * size {
                let copied = seen.copied.get(pixel).copied().unwrap_or(0.0);
                cell.votes -= if copied < 0.5 { 2 } else { 1 };
                if cell.votes <= 0 {
                    touched.push((point.column, point.cell));
                }
            }
        }
        // From the back, so that a removal moves only cells that were already dealt with.
        touched.sort_unstable();
        for &(column, cell) in touched.iter().rev() {
            self.columns[column as usize].remove(cell as usize);
            self.cells -= 1;
        }
    }

    fn add(&mut self, point: glam::Vec3, footprint_blocks: f32, rgb: [u8; 3], copied: f32, tick: u32, known: bool) {
        let level =
            CELL_BLOCKS.iter().position(|&size| size >= footprint_blocks * 0.9).unwrap_or(CELL_BLOCKS.len() - 1);
        let next = self.columns.len() as u32;
        let at = *self.index.entry(Self::column_of(point)).or_insert(next);
        if at == next {
            self.columns.push(super::Column::default());
        }
        let column = &mut self.columns[at as usize];
        // A finer cell already stands here: a coarse look confirms it and changes nothing.
        for finer in 0..level {
            if let Some(found) = column.find(point, finer) {
                let cell = &mut column.cells[found];
                cell.votes = (cell.votes + 1).min(MOST_VOTES);
                return;
            }
        }
        for coarser in (level + 1..CELL_BLOCKS.len()).filter(|_| !known) {
            if let Some(found) = column.find(point, coarser) {
                column.remove(found);
                self.cells -= 1;
            }
        }
        let Some(found) = column.find(point, level) else {
            // Small errors of depth would else grow a second skin in front of and behind each surface.
            if known {
                return;
            }
            let key = Self::key_of(point, level);
            column.insert(Cell { position: point, footprint_blocks, tick, key, rgb, level: level as u8, votes: 1 });
            self.cells += 1;
            return;
        };
        let cell = &mut column.cells[found];
        cell.votes = (cell.votes + 1).min(MOST_VOTES);
        cell.tick = tick;
        let finer = footprint_blocks < cell.footprint_blocks * FINER;
        let share = if finer { 1.0 - copied } else { MIX * (1.0 - copied) };
        for (old, new) in cell.rgb.iter_mut().zip(rgb) {
            *old = (f32::from(*old) + (f32::from(new) - f32::from(*old)) * share).round() as u8;
        }
        cell.position += (point - cell.position) * share;
        if share > 0.5 {
            cell.footprint_blocks = footprint_blocks;
        }
    }
}

impl Canvas {
    /// Whether the canvas already shows a surface at this depth, seen about as finely as now; or one that the frame
    /// merely copied, which a nearer look has therefore not made any finer.
    fn agrees(&self, pixel: usize, depth_blocks: f32, footprint_blocks: f32, copied: f32) -> bool {
        let Some(&shown) = self.depth_blocks.get(pixel) else { return false };
        let near = (shown - depth_blocks).abs() < 0.04 * depth_blocks + 0.05;
        near && (copied > COPIED || self.footprint_blocks[pixel] * FINER < footprint_blocks)
    }
}

/// The nearest depth in each pixel's 3x3 neighbourhood, so that edges do not carve what stands beside them.
fn nearest_of_neighbours(z: &[f32], width: usize, height: usize) -> Vec<f32> {
    let mut across = vec![0.0f32; z.len()];
    for y in 0..height {
        let row = &z[y * width..(y + 1) * width];
        for x in 0..width {
            across[y * width + x] =
                row[x.saturating_sub(1)..(x + 2).min(width)].iter().copied().fold(f32::INFINITY, f32::min);
        }
    }
    let mut nearest = vec![0.0f32; z.len()];
    for y in 0..height {
        for x in 0..width {
            let rows = y.saturating_sub(1)..(y + 2).min(height);
            nearest[y * width + x] = rows.map(|row| across[row * width + x]).fold(f32::INFINITY, f32::min);
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::state::Canvas;

    /// Looks once along +z at a wall of one colour at `z_blocks`, and returns the state.
    fn look(state: &mut WorldState, pose: &Pose, z_blocks: f32, rgb: [u8; 3], times: u32) {
        let camera = Camera::new(64, 40);
        let (mut reader, mut canvas) = (Reader::default(), Canvas::default());
        let mut frame = Frame::new(64, 40);
        frame.rgb.chunks_exact_mut(3).for_each(|pixel| pixel.copy_from_slice(&rgb));
        let mut depth = Depth::new(64, 40);
        for y in 0..40 {
            for x in 0..64 {
                depth.blocks[y * 64 + x] = z_blocks * camera.ray(&pose.axes(), x, y).length();
            }
        }
        for tick in 0..times {
            state.read(pose, &camera, &mut reader, &mut canvas);
            state.write(
                pose,
                &camera,
                &reader,
                &Seen { frame: &frame, depth: &depth, canvas: &canvas, copied: &[], tick },
            );
        }
    }

    fn canvas_from(state: &WorldState, pose: &Pose) -> Canvas {
        let (mut reader, mut canvas) = (Reader::default(), Canvas::default());
        state.read(pose, &Camera::new(64, 40), &mut reader, &mut canvas);
        canvas
    }

    #[track_caller]
    fn check_colour(found: [f32; 3], expected: [f32; 3]) {
        assert!(found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.01), "{found:?}");
    }

    #[test]
    fn nothing_is_known_before_it_is_seen() {
        let canvas = canvas_from(&WorldState::new(), &Pose::default());
        assert!((0..64 * 40).all(|pixel| !canvas.known(pixel)));
    }

    #[test]
    fn what_was_seen_is_shown_again_with_its_colour_and_depth() {
        let mut state = WorldState::new();
        look(&mut state, &Pose::default(), 6.0, [200, 100, 50], 1);
        let canvas = canvas_from(&state, &Pose::default());
        let centre = 20 * 64 + 32;
        let known = (0..64 * 40).filter(|&pixel| canvas.known(pixel)).count();
        assert!(known > 2500, "{known}");
        check_colour(canvas.rgb[centre], [200.0, 100.0, 50.0]);
        assert!((canvas.depth_blocks[centre] - 6.0).abs() < 0.05, "{}", canvas.depth_blocks[centre]);
        let away = Pose { yaw_deg: 180.0, ..Pose::default() };
        assert!((0..64 * 40).all(|pixel| !canvas_from(&state, &away).known(pixel)));
    }

    #[test]
    fn what_is_seen_through_is_forgotten() {
        let mut state = WorldState::new();
        look(&mut state, &Pose::default(), 3.0, [10, 10, 10], 6);
        look(&mut state, &Pose::default(), 8.0, [250, 250, 250], 3);
        let canvas = canvas_from(&state, &Pose::default());
        check_colour(canvas.rgb[20 * 64 + 32], [250.0; 3]);
        assert!((canvas.depth_blocks[20 * 64 + 32] - 8.0).abs() < 0.1);
    }

    #[test]
    fn looking_on_does_not_grow_the_state() {
        let mut state = WorldState::new();
        look(&mut state, &Pose::default(), 5.0, [1, 2, 3], 1);
        let cells = state.cells();
        look(&mut state, &Pose::default(), 5.0, [1, 2, 3], 20);
        assert_eq!(state.cells(), cells);
        let counted: usize = state.columns.iter().map(|column| column.cells.len()).sum();
        assert_eq!(counted, cells);
        assert!(state.columns.iter().all(|column| column.index.len() == column.cells.len()));
    }

    #[test]
    fn a_nearer_look_replaces_a_coarse_one() {
        let mut state = WorldState::new();
        look(&mut state, &Pose::default(), 20.0, [100, 100, 100], 3);
        let near = Pose { position: [0.0, 0.0, 18.0], ..Pose::default() };
        look(&mut state, &near, 2.0, [30, 200, 30], 1);
        check_colour(canvas_from(&state, &near).rgb[20 * 64 + 32], [30.0, 200.0, 30.0]);
    }
}
