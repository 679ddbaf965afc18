//! Panes of glass that a start shows (`docs/decisions/glass.md`). The denoiser names what is seen through them. But a pane has
//! a frame, a texel wide and of one colour, which lies on the grid; where one blends into what is behind, it is known how.

use super::{Place, Sample};
use crate::{materials::Materials, matter::Matter, pictures::SIDE_PX, state::frame_colour};
use glam::{IVec3, Vec3};
use holdfast_sim::Frame;
use std::collections::BTreeMap;

/// Of all pixels of a frame, the share that must look as expected; of all within, the share that must not look like it.
const ALIKE_SHARE: f32 = 0.9;
const OTHER_SHARE: f32 = 0.6;
/// Colours are alike up to this share of the frame's brightest channel, and told apart from the second on.
const ALIKE: f32 = 0.08;
const OTHER: f32 = 0.2;
/// Steps of 255 that are always alike.
const LEAST_STEPS: f32 = 5.0;
/// A frame shows in so many pixels, and what is within in so many.
const LEAST_FRAME: usize = 24;
const LEAST_WITHIN: usize = 40;
/// How far a channel's share in the whole may be from the picture's: light tints.
const TINT: f32 = 0.02;
/// A frame that is brighter than its picture is none.
const MOST_LIGHT: f32 = 1.06;
/// Pixels that blend more than two texels do not tell a frame from what is within, texels' logarithm.
const MOST_LEVEL: f32 = 1.0;
/// From the rim, texels: nearer is frame, farther is within.
const FRAME_TEXELS: f32 = 1.0;
const WITHIN_TEXELS: f32 = 2.0;

/// A pane that was found.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pane {
    pub cell: IVec3,
    /// Outwards, the face by which it was found.
    pub face: Vec3,
    /// How bright that is, over its colours in full light.
    pub light: f32,
}

/// What the frames of panes look like.
#[derive(Debug, Clone, Copy)]
pub struct Panes {
    /// In full light, 0..255.
    colour: Vec3,
}

/// A pixel of a frame.
struct Part {
    /// How much of it is frame.
    share: f32,
    /// How far below the middle of a pane that stands, 0 to 0.5.
    low: f32,
    shown: Vec3,
    /// What is seen through the pane beside it.
    behind: Vec3,
}

impl Panes {
    /// As the picture of glass has them; `None` where there is none.
    pub fn of(materials: &Materials) -> Option<Panes> {
        let colour = frame_colour(materials);
        (materials.has_grain(Matter::Glass) && colour.min_element() > 0.0).then_some(Panes { colour })
    }

    /// The panes, seen from `eye`, and the pixels of their frames with their distances.
    pub fn find(&self, frame: &Frame, faces: &BTreeMap<Place, Vec<Sample>>, eye: Vec3) -> (Vec<Pane>, Vec<(u32, f32)>) {
        let pane = |((axis, cell), face): (&Place, &Vec<Sample>)| {
            let light = self.light_on(frame, face, *axis != 1)?;
            let mut outwards = Vec3::ZERO;
            outwards[*axis] = if eye[*axis] < cell[*axis] as f32 { -1.0 } else { 1.0 };
            Some(Pane { cell: IVec3::from_array(*cell), face: outwards, light })
        };
        let mut panes: Vec<Pane> = faces.iter().filter_map(pane).collect();
        // One by the face that is seen best; the others are its as well.
        panes.sort_by_key(|pane| {
            let axis = pane.face.abs().max_position();
            let cell = pane.cell.to_array();
            (cell, std::cmp::Reverse(faces.get(&(axis, cell)).map_or(0, Vec::len)))
        });
        panes.dedup_by_key(|pane| pane.cell);
        let shown = panes.iter().flat_map(|pane| (0..3).filter_map(|axis| faces.get(&(axis, pane.cell.to_array()))));
        let rims = shown.flatten().filter(|sample| sample.level < MOST_LEVEL && from_rim(sample) < FRAME_TEXELS);
        let rims = rims.map(|sample| (sample.pixel, sample.blocks)).collect();
        (panes, rims)
    }

    /// The light on a face if that is a pane; one that `stands` on the ground gets less the lower, from its middle on.
    fn light_on(&self, frame: &Frame, face: &[Sample], stands: bool) -> Option<f32> {
        let rgb = |sample: &Sample| {
            let at = sample.pixel as usize * 3;
            Vec3::from_slice(&[0, 1, 2].map(|channel| f32::from(frame.rgb[at + channel])))
        };
        let sharp = || face.iter().filter(|sample| sample.level < MOST_LEVEL);
        let rim: Vec<&Sample> = sharp().filter(|sample| from_rim(sample) < FRAME_TEXELS).collect();
        let within: Vec<&Sample> = sharp().filter(|sample| from_rim(sample) > WITHIN_TEXELS).collect();
        if rim.len() < LEAST_FRAME || within.len() < LEAST_WITHIN {
            return None;
        }
        let mean = rim.iter().map(|sample| rgb(sample)).sum::<Vec3>() / rim.len() as f32;
        let tint = mean / mean.element_sum().max(1.0) - self.colour / self.colour.element_sum();
        if tint.abs().max_element() > TINT {
            return None;
        }
        let behind = |rim: &Sample| {
            let away = |sample: &Sample| (sample.uv[0] - rim.uv[0]).powi(2) + (sample.uv[1] - rim.uv[1]).powi(2);
            within.iter().min_by(|a, b| away(a).total_cmp(&away(b))).map_or(Vec3::ZERO, |sample| rgb(sample))
        };
        let part = |sample: &&Sample| Part {
            // All of it where texels are told apart, and half where it blends two.
            share: 1.0 - 0.5 * sample.level.clamp(0.0, 1.0),
            low: if stands { (sample.uv[1] - 0.5).max(0.0) } else { 0.0 },
            shown: rgb(sample),
            behind: behind(sample),
        };
        let parts: Vec<Part> = rim.iter().map(part).collect();
        let (light, fall) = self.light(&parts);
        let brightest = (self.colour * light).max_element();
        let least = |share: f32, steps: f32| (share * brightest).max(steps);
        let looks_so = |part: &&Part| {
            let expected = part.share * self.colour * (light + fall * part.low) + (1.0 - part.share) * part.behind;
            (part.shown - expected).abs().max_element() <= least(ALIKE, LEAST_STEPS)
        };
        let is_other = |sample: &&&Sample| {
            (rgb(sample) - self.colour * light).abs().max_element() > least(OTHER, 2.0 * LEAST_STEPS)
        };
        let alike = parts.iter().filter(looks_so).count() as f32 / parts.len() as f32;
        let other = within.iter().filter(is_other).count() as f32 / within.len() as f32;
        (alike >= ALIKE_SHARE && other >= OTHER_SHARE && (0.0..MOST_LIGHT).contains(&light)).then_some(light)
    }

    /// The light on a frame, and how it falls downwards, that explain its pixels best (least squares).
    fn light(&self, parts: &[Part]) -> (f32, f32) {
        let [mut all, mut lower, mut lowest, mut lit, mut lit_lower] = [0.0f32; 5];
        for Part { share, low, shown, behind } in parts {
            let light = (*shown - (1.0 - share) * *behind).dot(self.colour) / self.colour.length_squared();
            all += share * share;
            lower += share * share * low;
            lowest += share * share * low * low;
            lit += share * light;
            lit_lower += share * light * low;
        }
        let spread = all * lowest - lower * lower;
        let fall = if spread > 1e-3 { ((all * lit_lower - lower * lit) / spread).min(0.0) } else { 0.0 };
        ((lit - fall * lower) / all, fall)
    }
}

/// How far a place on a face is from the nearest rim, texels.
fn from_rim(sample: &Sample) -> f32 {
    let [u, v] = sample.uv;
    u.min(1.0 - u).min(v.min(1.0 - v)) * SIDE_PX as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{lore::Lore, state::Glass, sweep::mend};
    use holdfast_sim::{Camera, Depth, Pose};

    const CAMERA: Camera = Camera { width: 128, height: 72, fov_y_deg: Camera::FOV_Y_DEG };
    const POSE: Pose = Pose { position: [0.4, 1.62, 0.6], yaw_deg: 10.0, pitch_deg: 25.0 };
    const RIM: [u8; 3] = [206, 228, 232];

    /// Glass is a frame on a ground half as bright; all else is grey.
    fn lore() -> Lore {
        let texel = |at: usize| {
            let (matter, y, x) = (at / (SIDE_PX * 3 * SIDE_PX), at / (SIDE_PX * 3) % SIDE_PX, at % SIDE_PX);
            let is_rim = [x, y].into_iter().any(|along| along == 0 || along == SIDE_PX - 1);
            match (matter == Matter::Glass as usize, is_rim) {
                (false, _) => [128; 3],
                (true, true) => RIM,
                (true, false) => RIM.map(|value| value / 2),
            }
        };
        let texels = Materials::BYTES / 3;
        Lore { materials: Materials::new((0..texels).flat_map(texel).collect()), ..Lore::default() }
    }

    /// Ground that gets darker to the right.
    fn ground() -> (Frame, Depth) {
        let (mut frame, mut depth) = (Frame::new(128, 72), Depth::new(128, 72));
        for pixel in 0..128 * 72 {
            let shade = 150 - (pixel % 128) as u8 / 2;
            frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&[shade / 2, shade, shade / 4]);
        }
        depth.blocks.fill(9.0);
        (frame, depth)
    }

    #[test]
    fn a_pane_is_found_where_it_stands_and_in_its_light() {
        let lore = lore();
        for (cell, light) in [([-1, 0, 3], 0.9), ([0, 0, 3], 0.4), ([-1, 1, 2], 0.7), ([0, 0, 4], 0.9)] {
            let cell = IVec3::from_array(cell);
            let (mut frame, mut depth) = ground();
            let pane = Pane { cell, face: Vec3::NEG_Z, light };
            Glass::begin(&[pane], &lore).show(&POSE, &CAMERA, &lore, 1.0, (&mut frame, &mut depth));
            let (_, mut read) = ground();
            let mut matters = vec![Matter::Grass; 128 * 72];
            let found = mend(&frame, &POSE, &CAMERA, &lore.materials, &mut read, &mut matters);
            assert_eq!(found.iter().map(|pane| pane.cell).collect::<Vec<_>>(), [cell]);
            assert!((found[0].light - light).abs() < 0.05, "{} for {light}", found[0].light);
            let on_rim = matters.iter().filter(|matter| **matter == Matter::Glass).count();
            assert!(on_rim > 40, "{on_rim} pixels of frame");
            let rim: Vec<usize> = (0..128 * 72).filter(|&pixel| depth.blocks[pixel] < 9.0).collect();
            let mended = rim.iter().filter(|&&pixel| (read.blocks[pixel] - depth.blocks[pixel]).abs() < 0.01).count();
            assert!(mended * 10 > rim.len() * 8, "{mended} of {} distances", rim.len());
        }
    }

    #[test]
    fn what_has_no_frame_is_no_pane() {
        let lore = lore();
        let (ground, _) = ground();
        let snow = Frame { rgb: RIM.repeat(128 * 72), ..ground.clone() };
        for frame in [ground, snow] {
            let mut depth = Depth { width: 128, height: 72, blocks: vec![9.0; 128 * 72] };
            let mut matters = vec![Matter::Grass; 128 * 72];
            assert_eq!(mend(&frame, &POSE, &CAMERA, &lore.materials, &mut depth, &mut matters), []);
        }
    }
}
