//! Cakes: where a start shows one, and how much of it is left.
//!
//! They fill no cell, so the crosshair's depth often tells the cell beside; and in a frame that turns they are named
//! anything. The picture of a start names them well, and their outline says where they stand.

use crate::{grid::cells, matter::Matter, outline::patches};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Pose};
use std::collections::BTreeMap;

/// Cells that hold a cake, and the slices that are gone of each.
pub type Cakes = BTreeMap<[i32; 3], u8>;

/// A cake has so many slices. They go from west to east.
pub const SLICES: u8 = 6;
/// From the cell's walls to the cake's sides, and the cake's height, blocks.
const INSET_BLOCKS: f32 = 0.0625;
const HEIGHT_BLOCKS: f32 = 0.5;
/// Surfaces this far outside a slice are taken for its own; lower ones are the ground's.
const SLACK_BLOCKS: f32 = 0.08;
const LEAST_HEIGHT_BLOCKS: f32 = 0.03;
/// Farther off its outline does not say which cell it is in, blocks.
const RANGE_BLOCKS: f32 = 8.0;
/// Share that the outlines of what is named cake and of a cake there have in common, of all that is in either.
const LEAST_COMMON: f32 = 0.6;
/// A cake is looked for in so many cells around where it was read.
const NEAR_CELLS: IVec3 = IVec3::new(2, 1, 2);

/// Opposite corners of what is left of a cake in its cell, blocks.
fn bounds(eaten: u8) -> (Vec3, Vec3) {
    let (mut low, mut high) = (Vec3::splat(INSET_BLOCKS).with_y(0.0), Vec3::splat(1.0 - INSET_BLOCKS));
    high.y = HEIGHT_BLOCKS;
    low.x += f32::from(eaten) * (1.0 - 2.0 * INSET_BLOCKS) / f32::from(SLICES);
    (low, high)
}

/// Whether a place in the cell of a cake, 0..1 from wall to wall, is on the slice that goes next.
pub fn is_on_next_slice(place: Vec3, eaten: u8) -> bool {
    let ((low, high), (rest, _)) = (bounds(eaten), bounds(eaten + 1));
    let (low, high) = ((low - SLACK_BLOCKS).with_y(LEAST_HEIGHT_BLOCKS), (high + SLACK_BLOCKS).with_x(rest.x));
    place.cmpge(low).all() && place.cmplt(high).all()
}

/// How far off a ray meets what is left of a cake, in lengths of `ray`.
pub fn enters(eye: Vec3, ray: Vec3, cell: IVec3, eaten: u8) -> Option<f32> {
    if eaten >= SLICES {
        return None;
    }
    let (low, high) = bounds(eaten);
    let (a, b) = ((cell.as_vec3() + low - eye) / ray, (cell.as_vec3() + high - eye) / ray);
    let (enters, leaves) = (a.min(b).max_element(), a.max(b).min_element());
    (enters > 0.0 && enters < leaves).then_some(enters)
}

/// The cakes that a start shows. Their distances are mended in place.
///
/// # Arguments
/// - `pose`: of the eye among the blocks.
/// - `depth`, `matters`: as the start was read, `[height * width]`.
pub fn find(pose: &Pose, camera: &Camera, depth: &mut Depth, matters: &[Matter]) -> Cakes {
    let (eye, axes) = (pose.eye(), pose.axes());
    let ray = |pixel: usize| camera.ray(&axes, pixel % camera.width, pixel / camera.width);
    let mut found = Cakes::new();
    for patch in patches(camera, |pixel| matters[pixel] == Matter::Cake && depth.blocks[pixel] < RANGE_BLOCKS) {
        let middle = patch.middle();
        let about = (eye + ray(middle).normalize() * depth.blocks[middle]).floor().as_ivec3();
        let near = cells(about - NEAR_CELLS, about + NEAR_CELLS);
        let cakes = near.flat_map(|cell| (0..SLICES).map(move |eaten| (cell, eaten)));
        let shows = |&(cell, eaten): &(IVec3, u8), pixel: usize| enters(eye, ray(pixel), cell, eaten).is_some();
        if let Some((cell, eaten)) = patch.likest(cakes, LEAST_COMMON, shows) {
            found.insert(cell.to_array(), eaten);
            for &pixel in &patch.pixels {
                if let Some(enters) = enters(eye, ray(pixel), cell, eaten) {
                    depth.blocks[pixel] = enters * ray(pixel).length();
                }
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cake_is_found_by_its_outline_though_its_distance_is_misread() {
        let camera = Camera::new(128, 72);
        let pose = Pose { position: [0.4, 1.62, 0.6], yaw_deg: 10.0, pitch_deg: 25.0 };
        let axes = pose.axes();
        for (cell, eaten) in [(IVec3::new(-1, 0, 3), 0), (IVec3::new(0, 0, 3), 2), (IVec3::new(-1, 0, 2), 4)] {
            let met = |pixel: usize| {
                let ray = camera.ray(&axes, pixel % 128, pixel / 128);
                enters(pose.eye(), ray, cell, eaten).map(|enters| enters * ray.length())
            };
            let truth: Vec<Option<f32>> = (0..128 * 72).map(met).collect();
            let blocks = truth.iter().map(|met| met.map_or(9.0, |blocks| blocks * 1.2)).collect();
            let mut depth = Depth { width: 128, height: 72, blocks };
            // A tenth of it is named something else.
            let named = |(pixel, met): (usize, &Option<f32>)| {
                if met.is_some() && pixel % 10 != 0 { Matter::Cake } else { Matter::Sand }
            };
            let matters: Vec<Matter> = truth.iter().enumerate().map(named).collect();
            assert_eq!(find(&pose, &camera, &mut depth, &matters), Cakes::from([(cell.to_array(), eaten)]));
            let mended = truth.iter().zip(&depth.blocks).zip(&matters);
            let off = mended.filter(|(_, matter)| **matter == Matter::Cake);
            assert!(off.into_iter().all(|((truth, blocks), _)| (truth.unwrap_or(0.0) - blocks).abs() < 1e-3));
        }
        let mut depth = Depth { width: 128, height: 72, blocks: vec![3.0; 128 * 72] };
        assert!(find(&pose, &camera, &mut depth, &[Matter::Cake; 128 * 72]).is_empty(), "no cake is so large");
    }

    #[test]
    fn slices_go_one_by_one_from_the_west() {
        let west = |eaten: u8| enters(Vec3::new(-1.0, 0.25, 0.5), Vec3::X, IVec3::ZERO, eaten);
        let sides: Vec<f32> = (0..SLICES).map(|eaten| west(eaten).expect("some is left") - 1.0).collect();
        assert!(
            (sides[0] - 0.0625).abs() < 1e-6
                && sides.windows(2).all(|two| (two[1] - two[0] - 0.875 / 6.0).abs() < 1e-6)
        );
        assert_eq!(west(SLICES), None);
        for eaten in 0..SLICES {
            let at = sides[usize::from(eaten)];
            let on = |x: f32, y: f32| is_on_next_slice(Vec3::new(x, y, 0.5), eaten);
            assert!(on(at, 0.25) && on(at + 0.1, 0.5), "its west side and its top");
            assert!(
                !on(at + 0.2, 0.5) && !on(at + 0.1, 0.0) && !on(at - 0.2, 0.25),
                "the next one, the ground, beside"
            );
        }
    }
}
