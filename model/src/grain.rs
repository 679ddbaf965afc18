//! Grain: details finer than the denoiser draws, on what it invents.
//!
//! A token of 8x8 pixels has no room for sixteen texels a block, so new ground came out smooth. The denoiser says what
//! each pixel is made of and how far off it is; a dream knows how its blocks lie; what a matter looks like from near is
//! known to the model ([`Materials`]). Laid onto what is new, it reaches the world state with the frame, and from then on
//! is remembered like anything else. What was seen before is left alone (`docs/decisions/grain.md`).

use crate::{
    Condition,
    deed::Change,
    face::{Face, Faces},
    light,
    lore::Lore,
    materials::Materials,
    matter::Matter,
    pictures::{SIDE_PX, Way},
    state::Canvas,
};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame, Pose};

/// What is remembered as coarsely as this many pixels of now has details to gain, all of them from the second number on.
const COARSE_PX: [f32; 2] = [1.25, 2.0];
/// The denoiser's own details are no finer than this many pixels.
const SOFT_PX: f32 = 3.0;
/// Ground that is seen at a flatter angle than this is counted as if it were not.
const LEAST_COSINE: f32 = 0.06;
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

/// Lays grain, and tells what each pixel has details of; its buffers are reused.
#[derive(Debug, Clone, Default)]
pub struct Grain {
    faces: Faces,
    /// Side of what each pixel of the newest frame has details of, blocks.
    pub detail_blocks: Vec<f32>,
}

impl Grain {
    /// Lays grain onto a frame. `copied` `[pixels]` is how far each is a copy of what was known: what gets grain no longer
    /// is.
    pub fn lay(&mut self, frame: &mut Frame, copied: &mut [f32], drawn: &Drawn, lore: &Lore) {
        self.faces.see(&drawn.condition.pose, drawn.camera, drawn.depth);
        self.detail_blocks.clear();
        let placed = place_colours(frame, drawn, &self.faces, lore);
        for pixel in 0..drawn.matters.len() {
            let rgb = &mut frame.rgb[pixel * 3..pixel * 3 + 3];
            let (face, side_blocks) = self.side_of(pixel, drawn.camera, drawn.depth);
            if let Some(colour) = placed.as_ref().and_then(|placed| placed.get(pixel).copied().flatten()) {
                rgb.copy_from_slice(&colour);
                self.detail_blocks.push(side_blocks);
                continue;
            }
            let known_blocks = drawn.known_blocks(pixel);
            let (matter, share) = (drawn.matters[pixel], drawn.share(pixel, known_blocks, side_blocks));
            let mut laid = false;
            if share > 0.0
                && lore.materials.has_grain(matter)
                && let Some(face) = face
            {
                let grain = 1.0 + share * (lacking(&face, matter, side_blocks, known_blocks, &lore.materials) - 1.0);
                rgb.iter_mut().for_each(|value| *value = (f32::from(*value) * grain + 0.5) as u8);
                copied[pixel] *= 1.0 - share;
                laid = share > 0.5;
            }
            let drawn_blocks = if laid { side_blocks } else { side_blocks * SOFT_PX };
            self.detail_blocks.push(match known_blocks.filter(|_| !laid) {
                Some(known_blocks) => drawn_blocks + (known_blocks - drawn_blocks) * copied[pixel],
                None => drawn_blocks,
            });
        }
    }

    /// How bright the ground is around in the frame that was laid last; see [`light::around`].
    pub fn light_around(&self, frame: &Frame, drawn: &Drawn, lore: &Lore) -> Option<f32> {
        light::around(frame, drawn, &self.faces, lore)
    }

    /// A picture that was given has details of each pixel's side. `pose` is that among the blocks.
    pub fn given(&mut self, pose: &Pose, camera: &Camera, depth: &Depth) {
        self.faces.see(pose, camera, depth);
        self.detail_blocks.clear();
        for pixel in 0..depth.blocks.len() {
            self.detail_blocks.push(self.side_of(pixel, camera, depth).1);
        }
    }

    /// The face that a pixel shows, if it is near, and the pixel's side on it, blocks: the mean of along and across.
    fn side_of(&self, pixel: usize, camera: &Camera, depth: &Depth) -> (Option<Face>, f32) {
        let blocks = depth.blocks[pixel];
        let face = if blocks < MIST_BLOCKS[1] { self.faces.at(pixel) } else { None };
        let slant = face.map_or(1.0, |face| face.cosine.max(LEAST_COSINE).sqrt());
        (face, blocks / (camera.focal_px() * slant))
    }
}

/// The grain that a pixel lacks: that of its size, over that of what is remembered there.
fn lacking(face: &Face, matter: Matter, side_blocks: f32, known_blocks: Option<f32>, materials: &Materials) -> f32 {
    let uv = turned(face, matter);
    let grain = |blocks: f32| materials.grain(matter, face.side, uv, blocks * SIDE_PX as f32);
    grain(side_blocks) / known_blocks.map_or(1.0, grain)
}

/// The colours of a placed block where it shows, in the light of the ground around it; or, where there is too little, in
/// that in which the frame shows it.
fn place_colours(frame: &Frame, drawn: &Drawn, faces: &Faces, lore: &Lore) -> Option<Vec<Option<[u8; 3]>>> {
    let Drawn { condition, camera, canvas, changed, .. } = *drawn;
    let change = condition.change.filter(|change| matches!(change, Change::Place(_)))?;
    let cube = lore.cube_in(condition.slot)?;
    let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
    let place = |pixel: usize| {
        let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
        changed[pixel].then(|| change.at(eye, ray, canvas, pixel)).flatten().map(|shown| shown.place)
    };
    let places: Vec<Option<Vec3>> = (0..changed.len()).map(place).collect();
    let shown = places.iter().enumerate().filter_map(|(pixel, place)| Some((pixel, (*place)?)));
    let light = light::around(frame, drawn, faces, lore).or_else(|| light::shown_on(frame, cube, shown, lore))?;
    Some(places.iter().map(|place| place.map(|place| lore.colour(cube, place, light))).collect())
}

impl Drawn<'_> {
    /// Side of what is remembered at a pixel, blocks; `None` where nothing is, or where the hand changed it.
    fn known_blocks(&self, pixel: usize) -> Option<f32> {
        let deed = self.changed.get(pixel).is_some_and(|changed| *changed);
        let known = !deed && !self.canvas.rgb.is_empty() && self.canvas.known(pixel);
        known.then(|| self.canvas.footprint_blocks[pixel])
    }

    /// How far a pixel has details to gain, 0 to 1.
    fn share(&self, pixel: usize, known_blocks: Option<f32>, side_blocks: f32) -> f32 {
        let clear = 1.0 - between(MIST_BLOCKS, self.depth.blocks[pixel]);
        clear * known_blocks.map_or(1.0, |known_blocks| between(COARSE_PX, known_blocks / side_blocks))
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
    use std::collections::BTreeMap;

    const SIZE: [usize; 2] = [64, 48];

    /// Every face of everything is a chequered board.
    fn chequered() -> Lore {
        let across = Materials::FACES * crate::pictures::SIDE_PX;
        let texel = |at: usize| if (at / 3 % across + at / 3 / across).is_multiple_of(2) { 90 } else { 160 };
        let materials = Materials::new((0..Materials::BYTES).map(texel).collect());
        Lore { materials, ..Lore::default() }
    }

    /// A grey floor of stone at height 0 under an eye that looks down on it, drawn as a copy of what is remembered, with
    /// grain laid on.
    struct Floor {
        /// Where each pixel lies; above the horizon nowhere.
        points: Vec<Vec3>,
        frame: Frame,
        copied: Vec<f32>,
        grain: Grain,
    }

    impl Floor {
        fn new([x, z]: [f32; 2], [yaw_deg, pitch_deg]: [f32; 2], canvas: &Canvas, lore: &Lore) -> Floor {
            let camera = Camera::new(SIZE[0], SIZE[1]);
            let pose = Pose { position: [x, 1.62, z], yaw_deg, pitch_deg };
            let condition = Condition { pose, ..Condition::default() };
            let (mut frame, mut depth) = (Frame::new(SIZE[0], SIZE[1]), Depth::new(SIZE[0], SIZE[1]));
            frame.rgb.fill(100);
            let axes = pose.axes();
            let rays = (0..depth.blocks.len()).map(|at| camera.ray(&axes, at % SIZE[0], at / SIZE[0]));
            let mut points = Vec::new();
            for (blocks, ray) in depth.blocks.iter_mut().zip(rays) {
                let away = if ray.y < -0.1 { pose.eye().y / -ray.y } else { 1e6 };
                *blocks = away * ray.length();
                points.push(pose.eye() + ray * away);
            }
            let matters = vec![Matter::Stone; points.len()];
            let (camera, depth, matters) = (&camera, &depth, matters.as_slice());
            let drawn = Drawn { condition: &condition, camera, canvas, depth, matters, changed: &[] };
            let (mut grain, mut copied) = (Grain::default(), vec![1.0; points.len()]);
            grain.lay(&mut frame, &mut copied, &drawn, lore);
            Floor { points, frame, copied, grain }
        }

        /// Where the floor's pixels lie, and how bright they are.
        fn values(&self) -> impl Iterator<Item = (Vec3, u8)> {
            let values = self.frame.rgb.chunks_exact(3).map(|rgb| rgb[0]);
            self.points.iter().copied().zip(values).filter(|(point, _)| point.y < 0.1)
        }
    }

    fn remembered(footprint_blocks: f32) -> Canvas {
        let pixels = SIZE[0] * SIZE[1];
        Canvas {
            width: SIZE[0],
            height: SIZE[1],
            rgb: vec![[100.0; 3]; pixels],
            depth_blocks: vec![2.0; pixels],
            confidence: vec![1.0; pixels],
            footprint_blocks: vec![footprint_blocks; pixels],
        }
    }

    #[test]
    fn new_ground_has_the_grain_of_its_matter_and_keeps_it_from_elsewhere() {
        let texel = |point: Vec3| [(point.x * 16.0).floor() as i32, (point.z * 16.0).floor() as i32];
        let inner =
            |point: &Vec3| [point.x, point.z].iter().all(|side| ((side * 16.0).fract().abs() - 0.5).abs() < 0.3);
        let floor = |place, look| Floor::new(place, look, &Canvas::default(), &chequered());
        let mut seen = BTreeMap::new();
        for (point, value) in floor([0.5, 0.5], [0.0, 60.0]).values().filter(|(point, _)| inner(point)) {
            assert!((60..=140).contains(&value));
            seen.insert(texel(point), value);
        }
        let rough = seen.values().filter(|value| value.abs_diff(100) > 15).count();
        assert!(rough * 2 > seen.len(), "{rough} of {} texels have a grain", seen.len());
        let (mut same, mut all) = (0, 0);
        for (point, value) in floor([0.9, 0.2], [35.0, 60.0]).values().filter(|(point, _)| inner(point)) {
            let Some(before) = seen.get(&texel(point)) else { continue };
            all += 1;
            same += usize::from(before.abs_diff(value) < 12);
        }
        assert!(all > 100 && same * 10 > all * 9, "{same} of {all} look as before");
    }

    #[test]
    fn what_is_remembered_well_is_left_alone() {
        let rough = |canvas: &Canvas| {
            let floor = Floor::new([0.5; 2], [0.0, 60.0], canvas, &chequered());
            floor.values().filter(|(_, value)| *value != 100).count()
        };
        assert_eq!(rough(&remembered(0.01)), 0);
        assert!(rough(&remembered(1.0)) > SIZE[0] * SIZE[1] / 4, "seen from afar only");
    }

    #[test]
    fn what_is_copied_is_as_coarse_as_it_was_and_grain_makes_it_fine_and_its_own() {
        let middle = SIZE[0] * (SIZE[1] + 1) / 2;
        let of = |footprint_blocks: f32, lore: &Lore| {
            let floor = Floor::new([0.5; 2], [0.0, 60.0], &remembered(footprint_blocks), lore);
            (floor.grain.detail_blocks[middle], floor.copied[middle])
        };
        let pixel_blocks = 1.62 / Camera::new(SIZE[0], SIZE[1]).focal_px();
        assert_eq!(of(0.5, &Lore::default()), (0.5, 1.0), "a matter without grain");
        let (detail_blocks, copied) = of(0.5, &chequered());
        assert!(detail_blocks < 2.0 * pixel_blocks && copied == 0.0, "{detail_blocks} {copied}");
    }

    #[test]
    fn flat_ground_is_seen_more_coarsely_than_ground_below() {
        let camera = Camera::new(SIZE[0], SIZE[1]);
        let side_of = |pitch_deg: f32| {
            let floor = Floor::new([0.5; 2], [0.0, pitch_deg], &Canvas::default(), &Lore::default());
            let below = SIZE[0] * (SIZE[1] * 3 / 4) + SIZE[0] / 2;
            let away = (floor.points[below] - Vec3::new(0.5, 1.62, 0.5)).length();
            floor.grain.detail_blocks[below] / SOFT_PX * camera.focal_px() / away
        };
        assert!(side_of(80.0) < 1.2 && side_of(5.0) > 1.5, "{} {}", side_of(80.0), side_of(5.0));
    }
}
