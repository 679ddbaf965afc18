//! Panes of glass that a start showed or the hand set. They are no part of what the denoiser draws: it draws what is seen through them
//! (`docs/decisions/glass.md`).

use super::{Faces, window::window};
use crate::{
    face::uv_across,
    grid::cross,
    lore::Lore,
    materials::{Materials, level_of},
    matter::Matter,
    pictures::SIDE_PX,
    sweep::Pane,
};
use glam::{IVec3, Vec3};
use holdfast_sim::{Camera, Depth, Frame, Pose};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Panes by their cells among the blocks: how bright each is, over its colours in full light, where the world around has a
/// mean brightness of 1.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Glass(BTreeMap<[i32; 3], f32>);

/// Farther off a frame is too thin to see, blocks.
const SEEN_BLOCKS: f32 = 24.0;
/// Half a cube's diagonal, blocks.
const RADIUS_BLOCKS: f32 = 0.87;
/// It stands before a surface that is at most this much nearer.
const SLACK_BLOCKS: f32 = 0.1;
const SLACK_SHARE: f32 = 0.04;
/// Less of a pixel than this is not seen, and from so much on it is the pane that is seen.
const LEAST_COVER: f32 = 0.05;
const SURFACE_COVER: f32 = 0.5;

/// How bright ground in full light is over the mean around, where nothing tells.
const USUAL_LIGHT: f32 = 1.8;

/// A pixel of a pane.
struct Seen {
    pixel: usize,
    blocks: f32,
    /// How much of it the pane covers, 0..1.
    cover: f32,
    light: f32,
}

impl Glass {
    /// The panes that were found in a picture whose mean brightness is told by [`Glass::in_light`].
    pub fn begin(found: &[Pane], lore: &Lore) -> Glass {
        let light = |pane: &Pane| pane.light / lore.face_light.at(pane.face).max(0.1);
        Glass(found.iter().map(|pane| (pane.cell.to_array(), light(pane))).collect())
    }

    /// The same, in light of which a mean `brightness` came.
    pub fn in_light(mut self, brightness: f32) -> Glass {
        self.0.values_mut().for_each(|light| *light /= brightness.max(1e-3));
        self
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Puts a pane into a cell, where the ground is `light` times as bright as in full light, and the world around has so
    /// bright a mean.
    pub fn set(&mut self, cell: IVec3, light: Option<f32>, brightness: f32) {
        let light = light.map(|light| light / brightness.max(1e-3));
        let like_others = || self.0.values().next().copied();
        self.0.insert(cell.to_array(), light.or_else(like_others).unwrap_or(USUAL_LIGHT));
    }

    /// Nothing goes through them.
    pub fn stand(&self, faces: &mut Faces) {
        self.0.keys().for_each(|cell| faces.fill(IVec3::from_array(*cell)));
    }

    /// Takes a pane away.
    pub fn remove(&mut self, cell: IVec3) {
        self.0.remove(&cell.to_array());
    }

    /// Whether it can be: what is read from a file may be anything.
    pub fn is_sound(&self) -> bool {
        self.0.values().all(|light| (0.0..1e4).contains(light))
    }

    /// Notes which pixels show some of a pane, seen from `pose` among the blocks.
    pub fn hide(&self, pose: &Pose, camera: &Camera, lore: &Lore, hidden: &mut Vec<bool>) {
        hidden.resize(camera.width * camera.height, false);
        for (cell, light) in &self.0 {
            seen(*cell, *light, pose, camera, lore).for_each(|seen| hidden[seen.pixel] = true);
        }
    }

    /// Draws them into a picture and its depths, seen from `pose` among the blocks, before what is farther off.
    pub fn show(
        &self,
        pose: &Pose,
        camera: &Camera,
        lore: &Lore,
        brightness: f32,
        (frame, depth): (&mut Frame, &mut Depth),
    ) {
        let far = |cell: &[i32; 3]| (IVec3::from_array(*cell).as_vec3() + 0.5).distance(pose.eye());
        let mut panes: Vec<_> = self.0.iter().map(|(cell, light)| (far(cell), *cell, *light)).collect();
        panes.sort_by(|a, b| b.0.total_cmp(&a.0));
        let colour = frame_colour(&lore.materials);
        for (_, cell, light) in panes.into_iter().filter(|(far, ..)| *far < SEEN_BLOCKS) {
            for Seen { pixel, blocks, cover, light } in seen(cell, light * brightness, pose, camera, lore) {
                if blocks > depth.blocks[pixel] * (1.0 + SLACK_SHARE) + SLACK_BLOCKS {
                    continue;
                }
                let lit = (colour * light).min(Vec3::splat(255.0));
                for (rgb, lit) in frame.rgb[pixel * 3..pixel * 3 + 3].iter_mut().zip(lit.to_array()) {
                    *rgb = (f32::from(*rgb) * (1.0 - cover) + lit * cover + 0.5) as u8;
                }
                if cover >= SURFACE_COVER {
                    depth.blocks[pixel] = blocks;
                }
            }
        }
    }
}

/// The colour of a pane's frame in full light, 0..255.
pub fn frame_colour(materials: &Materials) -> Vec3 {
    let corner_of_a_side = Vec3::new(1.0, 0.99, -0.99);
    Vec3::from_array(materials.colour(Matter::Glass, corner_of_a_side).map(f32::from))
}

/// How much of a pixel a pane covers at a place on it. Its picture lies on a ground half as bright as its frame.
fn cover(materials: &Materials, uv: [f32; 2], level: f32) -> f32 {
    let shown = materials.blended_grain(Matter::Glass, 1, uv, level);
    (2.0 * shown / materials.grain_at(Matter::Glass, 1, [0.0; 2], 0) - 1.0).clamp(0.0, 1.0)
}

/// The pixels of a pane.
fn seen<'a>(
    cell: [i32; 3],
    light: f32,
    pose: &Pose,
    camera: &'a Camera,
    lore: &'a Lore,
) -> impl Iterator<Item = Seen> + use<'a> {
    let (eye, axes, cell) = (pose.eye(), pose.axes(), IVec3::from_array(cell));
    let (columns, rows) = window(camera, &axes, cell.as_vec3() + 0.5 - eye, RADIUS_BLOCKS);
    let texels_a_block = SIDE_PX as f32 / camera.focal_px();
    rows.flat_map(move |y| columns.clone().map(move |x| (x, y))).filter_map(move |(x, y)| {
        let ray = camera.ray(&axes, x, y).normalize();
        let (blocks, _, face) = cross(eye, ray, cell)?;
        let place = eye + ray * blocks - cell.as_vec3();
        let uv = uv_across(face.abs().as_vec3().max_position(), place);
        let level = level_of(blocks * texels_a_block, ray.dot(face.as_vec3()));
        let cover = cover(&lore.materials, uv, level);
        let light = light * lore.face_light.at(face.as_vec3());
        (cover > LEAST_COVER).then_some(Seen { pixel: y * camera.width + x, blocks, cover, light })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{grid::Alignment, state::Memory};

    #[test]
    fn a_pane_is_gone_when_its_cell_is_emptied() {
        let (mut memory, pose) = (Memory::new(), Pose::default());
        let cells = [IVec3::new(0, 0, 3), IVec3::new(1, 0, 3)];
        let found = cells.map(|cell| Pane { cell, face: Vec3::NEG_Z, light: 0.5 });
        memory.set_glass(Glass::begin(&found, &Lore::default()));
        for (left, cell) in [1, 0].into_iter().zip(cells) {
            memory.empty(cell, &Alignment::new(&pose, &pose), [false; 6]);
            assert_eq!(memory.glass().0.len(), left);
        }
    }

    #[test]
    fn a_pane_that_is_set_stops_a_body_and_takes_its_light_from_the_ground() {
        let (mut glass, feet) = (Glass::default(), Vec3::new(0.5, 0.0, 0.5));
        let by = |glass: &Glass| {
            let mut faces = Memory::new().firm().faces(feet, &Alignment::new(&Pose::default(), &Pose::default()));
            glass.stand(&mut faces);
            let body = (feet - Vec3::new(0.3, 0.0, 0.3), feet + Vec3::new(0.3, 1.8, 0.3));
            faces.clip(body, 2, 0.9)
        };
        assert_eq!(by(&glass), (0.9, false));
        glass.set(IVec3::new(0, 1, 1), Some(0.8), 0.4);
        let (way, stopped) = by(&glass);
        assert!((way - 0.2).abs() < 1e-5 && stopped, "{way}");
        glass.set(IVec3::new(0, 1, 2), None, 0.1);
        assert_eq!(glass.0.values().copied().collect::<Vec<_>>(), [2.0; 2], "like the one that is there");
    }

    #[test]
    fn a_light_that_is_none_is_refused() {
        let with = |light: f32| Glass(BTreeMap::from([([0; 3], light)]));
        assert_eq!(
            [0.0, 0.7, -1.0, f32::NAN, f32::INFINITY].map(|light| with(light).is_sound()),
            [true, true, false, false, false]
        );
    }
}
