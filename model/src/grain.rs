//! Grain: details finer than the denoiser draws, on what it invents.
//!
//! A token of 8x8 pixels has no room for sixteen texels a block, so new ground came out smooth. The denoiser says what
//! each pixel is made of and how far off it is; a dream knows how its blocks lie; what a matter looks like from near is
//! known to the model ([`Materials`]). Laid onto what is new, it reaches the world state with the frame, and from then on
//! is remembered like anything else. What was seen before is left alone (`docs/decisions/grain.md`).

use crate::{
    Condition,
    deed::Change,
    face::{Face, Seen},
    light,
    lore::Lore,
    materials::Materials,
    matter::Matter,
    pictures::Way,
    state::Canvas,
};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame, pose::Axes};

/// What is remembered as coarsely as this many pixels of now has details to gain, all of them from the second number on.
const COARSE_PX: [f32; 2] = [1.5, 3.0];
/// Mist takes the grain from here to there, blocks.
const MIST_BLOCKS: [f32; 2] = [14.0, 36.0];

/// A frame as the denoiser drew it, and what is known of it.
#[derive(Debug, Clone, Copy)]
pub struct Drawn<'a> {
    pub condition: &'a Condition,
    pub camera: &'a Camera,
    /// What the memory showed before.
    pub canvas: &'a Canvas,
    pub depth: &'a Depth,
    pub matters: &'a [Matter],
    /// Pixels in which the player's deed shows. Empty: none.
    pub changed: &'a [bool],
}

/// Lays grain onto a frame.
pub fn lay(frame: &mut Frame, drawn: &Drawn, lore: &Lore) {
    let axes = drawn.condition.pose.axes();
    let placed = place_colours(frame, drawn, &axes, lore);
    for pixel in 0..drawn.matters.len() {
        let rgb = &mut frame.rgb[pixel * 3..pixel * 3 + 3];
        if let Some(colour) = placed.as_ref().and_then(|placed| placed.get(pixel).copied().flatten()) {
            rgb.copy_from_slice(&colour);
            continue;
        }
        let (matter, share) = (drawn.matters[pixel], drawn.share(pixel));
        if share > 0.0
            && lore.materials.has_grain(matter)
            && let Some(grain) = drawn.grain(pixel, &axes, matter, &lore.materials)
        {
            rgb.iter_mut().for_each(|value| *value = (f32::from(*value) * (1.0 + share * (grain - 1.0)) + 0.5) as u8);
        }
    }
}

/// The colours of a placed block where it shows, in the light of the ground around it; or, where there is too little, in
/// that in which the frame shows it.
fn place_colours(frame: &Frame, drawn: &Drawn, axes: &Axes, lore: &Lore) -> Option<Vec<Option<[u8; 3]>>> {
    let Drawn { condition, camera, canvas, changed, .. } = *drawn;
    let change = condition.change.filter(|change| matches!(change, Change::Place(_)))?;
    let cube = lore.cube_in(condition.slot)?;
    let eye = condition.pose.eye();
    let place = |pixel: usize| {
        let ray = camera.ray(axes, pixel % camera.width, pixel / camera.width);
        changed[pixel].then(|| change.at(eye, ray, canvas, pixel)).flatten().map(|shown| shown.place)
    };
    let places: Vec<Option<Vec3>> = (0..changed.len()).map(place).collect();
    let shown = places.iter().enumerate().filter_map(|(pixel, place)| Some((pixel, (*place)?)));
    let light = light::around(frame, drawn, axes, lore).or_else(|| light::shown_on(frame, cube, shown, lore))?;
    Some(places.iter().map(|place| place.map(|place| lore.colour(cube, place, light))).collect())
}

impl Drawn<'_> {
    /// How far a pixel is new, 0 to 1.
    fn share(&self, pixel: usize) -> f32 {
        let blocks = self.depth.blocks[pixel];
        let clear = 1.0 - between(MIST_BLOCKS, blocks);
        let deed = self.changed.get(pixel).is_some_and(|changed| *changed);
        if deed || self.canvas.rgb.is_empty() || !self.canvas.known(pixel) {
            return clear;
        }
        let pixel_blocks = blocks / self.camera.focal_px();
        clear * between(COARSE_PX, self.canvas.footprint_blocks[pixel] / pixel_blocks)
    }

    fn grain(&self, pixel: usize, axes: &Axes, matter: Matter, materials: &Materials) -> Option<f32> {
        let place =
            Face::find(&Seen { camera: self.camera, axes, eye: self.condition.pose.eye(), depth: self.depth }, pixel)?;
        let uv = turned(&place, matter);
        let texels_a_block = crate::pictures::SIDE_PX as f32 / self.camera.focal_px();
        let texels = self.depth.blocks[pixel] * texels_a_block / place.cosine.max(0.06).sqrt();
        Some(materials.grain(matter, place.side, uv, texels))
    }
}

/// 0 up to the first bound, 1 from the second on.
fn between([from, to]: [f32; 2], value: f32) -> f32 {
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

/// Natural ground is laid in any of eight ways, each cell its own, or it would look tiled.
fn turned(place: &Face, matter: Matter) -> [f32; 2] {
    if !matter.lies_any_way(place.side) {
        return place.uv;
    }
    let [x, y, z] = place.cell.to_array().map(|side| side as u32);
    let mixed = x.wrapping_mul(0x9e37_79b1) ^ y.wrapping_mul(0x85eb_ca77) ^ z.wrapping_mul(0xc2b2_ae3d);
    Way::new(((mixed ^ mixed >> 15).wrapping_mul(0x2c1b_3c6d) >> 29) as u8).turn(place.uv)
}

#[cfg(test)]
mod tests {
    use super::*;
    use holdfast_sim::Pose;
    use std::collections::BTreeMap;

    const SIZE: [usize; 2] = [64, 48];

    /// Every face of everything is a chequered board.
    fn chequered() -> Lore {
        let across = Materials::FACES * crate::pictures::SIDE_PX;
        let texel = |at: usize| if (at / 3 % across + at / 3 / across).is_multiple_of(2) { 90 } else { 160 };
        let materials = Materials::new((0..Materials::BYTES).map(texel).collect());
        Lore { materials, ..Lore::default() }
    }

    /// A grey floor of stone at height 0 under an eye that looks down on it, with grain laid on; and where each pixel lies.
    fn floor(x: f32, z: f32, yaw_deg: f32, canvas: &Canvas) -> Vec<(Vec3, u8)> {
        let camera = Camera::new(SIZE[0], SIZE[1]);
        let pose = Pose { position: [x, 1.62, z], yaw_deg, pitch_deg: 60.0 };
        let condition = Condition { pose, ..Condition::default() };
        let (mut frame, mut depth) = (Frame::new(SIZE[0], SIZE[1]), Depth::new(SIZE[0], SIZE[1]));
        frame.rgb.fill(100);
        let axes = pose.axes();
        let rays: Vec<Vec3> = (0..depth.blocks.len()).map(|at| camera.ray(&axes, at % SIZE[0], at / SIZE[0])).collect();
        let away: Vec<f32> = rays.iter().map(|ray| if ray.y < -0.1 { 1.62 / -ray.y } else { 1e6 }).collect();
        depth
            .blocks
            .iter_mut()
            .zip(rays.iter().zip(&away))
            .for_each(|(blocks, (ray, away))| *blocks = away * ray.length());
        let matters = vec![Matter::Stone; rays.len()];
        let drawn =
            Drawn { condition: &condition, camera: &camera, canvas, depth: &depth, matters: &matters, changed: &[] };
        lay(&mut frame, &drawn, &chequered());
        let points = rays.iter().zip(&away).map(|(ray, away)| pose.eye() + *ray * *away);
        points.zip(frame.rgb.chunks_exact(3).map(|rgb| rgb[0])).filter(|(point, _)| point.y < 0.1).collect()
    }

    #[test]
    fn new_ground_has_the_grain_of_its_matter_and_keeps_it_from_elsewhere() {
        let texel = |point: Vec3| [(point.x * 16.0).floor() as i32, (point.z * 16.0).floor() as i32];
        let inner =
            |point: &Vec3| [point.x, point.z].iter().all(|side| ((side * 16.0).fract().abs() - 0.5).abs() < 0.3);
        let mut seen = BTreeMap::new();
        for (point, value) in floor(0.5, 0.5, 0.0, &Canvas::default()).into_iter().filter(|(point, _)| inner(point)) {
            assert!((60..=140).contains(&value));
            seen.insert(texel(point), value);
        }
        let rough = seen.values().filter(|value| value.abs_diff(100) > 15).count();
        assert!(rough * 2 > seen.len(), "{rough} of {} texels have a grain", seen.len());
        let (mut same, mut all) = (0, 0);
        for (point, value) in floor(0.9, 0.2, 35.0, &Canvas::default()).into_iter().filter(|(point, _)| inner(point)) {
            let Some(before) = seen.get(&texel(point)) else { continue };
            all += 1;
            same += usize::from(before.abs_diff(value) < 12);
        }
        assert!(all > 100 && same * 10 > all * 9, "{same} of {all} look as before");
    }

    #[test]
    fn what_is_remembered_well_is_left_alone() {
        let pixels = SIZE[0] * SIZE[1];
        let remembered = |footprint_blocks: f32| Canvas {
            width: SIZE[0],
            height: SIZE[1],
            rgb: vec![[100.0; 3]; pixels],
            depth_blocks: vec![2.0; pixels],
            confidence: vec![1.0; pixels],
            footprint_blocks: vec![footprint_blocks; pixels],
        };
        let rough = |canvas: &Canvas| floor(0.5, 0.5, 0.0, canvas).iter().filter(|(_, value)| *value != 100).count();
        assert_eq!(rough(&remembered(0.01)), 0);
        assert!(rough(&remembered(1.0)) > pixels / 4, "seen from afar only");
    }
}
