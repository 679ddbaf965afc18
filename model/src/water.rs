//! Water: in which cells it is, by what frames are named. One swims in it, and it is no floor.

use crate::{cells::Cells, loose::Last, matter::Matter};
use glam::IVec3;
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

/// Farther off it is not told which cell it is in, blocks.
const RANGE_BLOCKS: f32 = 8.0;
/// So far beyond a surface is what it belongs to, blocks.
const INWARDS_BLOCKS: f32 = 0.05;
/// A cell that shows in fewer pixels is not told.
const LEAST_PIXELS: u16 = 4;
/// Looks that make sure, and the most that are counted.
const SURE: u8 = 3;
const MOST: u8 = 6;

/// See the module. Coordinates are those of the blocks.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Water {
    /// By how many looks each cell is water.
    looks: Cells,
}

impl Water {
    /// Bytes in memory that it does not share with a later one.
    pub fn bytes_not_shared_with(&self, later: &Water) -> usize {
        self.looks.bytes_not_shared_with(&later.looks)
    }

    pub fn is_in(&self, cell: IVec3) -> bool {
        self.looks.get(cell) >= SURE
    }

    /// Takes in what a frame shows. A picture that was `given` counts as several.
    pub fn see(&mut self, last: &Last, matters: &[Matter], given: bool) {
        if matters.iter().filter(|matter| **matter == Matter::Water).count() < usize::from(LEAST_PIXELS) {
            return;
        }
        let mut cells: FxHashMap<IVec3, [u16; 2]> = FxHashMap::default();
        let eye = last.pose.eye();
        for (pixel, ray) in last.rays().filter(|(pixel, _)| last.depth.blocks[*pixel] < RANGE_BLOCKS) {
            let point = eye + ray.normalize() * (last.depth.blocks[pixel] + INWARDS_BLOCKS);
            let [water, all] = cells.entry(point.floor().as_ivec3()).or_default();
            *water += u16::from(matters[pixel] == Matter::Water);
            *all += 1;
        }
        for (cell, [water, all]) in cells.into_iter().filter(|(_, [_, all])| *all >= LEAST_PIXELS) {
            let before = self.looks.get(cell);
            let more = if given { SURE } else { 1 };
            let looks = match (water * 2 > all, water * 4 < all) {
                (true, _) => (before + more).min(MOST),
                (_, true) => before.saturating_sub(more),
                _ => before,
            };
            self.looks.set(cell, looks);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::{Camera, Depth, Frame, Pose};

    #[test]
    fn what_is_named_water_often_enough_is_water() {
        let (camera, pose) =
            (Camera::new(64, 48), Pose { position: [0.5, 2.0, 0.5], pitch_deg: 30.0, ..Pose::default() });
        let axes = pose.axes();
        let blocks = (0..64 * 48).map(|pixel| {
            let ray = camera.ray(&axes, pixel % 64, pixel / 64).normalize();
            if ray.y < 0.0 { (2.0 - 0.875) / -ray.y } else { Depth::SKY }
        });
        let (frame, depth) = (Frame::new(64, 48), Depth { width: 64, height: 48, blocks: blocks.collect() });
        let last = Last { pose, camera: &camera, frame: &frame, depth: &depth };
        let all = |matter: Matter| vec![matter; 64 * 48];
        let (cell, mut water) = (IVec3::new(0, 0, 3), Water::default());
        let mut told = |matters: Vec<Matter>, given: bool| {
            water.see(&last, &matters, given);
            water.is_in(cell)
        };
        assert_eq!([0; 4].map(|_| told(all(Matter::Water), false)), [false, false, true, true]);
        let mut mostly = all(Matter::Sand);
        mostly[..8].fill(Matter::Water);
        assert_eq!([0; 2].map(|_| told(mostly.clone(), false)), [true, false]);
        assert!(told(all(Matter::Water), true));
    }
}
