//! Cracks: what shows on a block while the hand is at work on it, stage by stage.
//!
//! The hand knows how far its work has come, and the memory what the block looks like: nothing of it is the denoiser's to
//! guess. Left to it, each frame's cracks darkened those of the last, until the block was black
//! (`docs/decisions/cracks.md`).

use crate::{
    Condition, ModelError,
    deed::Change,
    face::uv_across,
    grid::{SLACK_BLOCKS, close_slack, cross, cross_widened},
    imagined::Imagined,
    pictures::{self, SIDE_PX},
    state::Canvas,
};
use glam::Vec3;
use holdfast_sim::{Camera, Depth, Frame};
use std::path::Path;

/// What each stage of a crack leaves of a block's colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cracks {
    /// `[STAGES, SIDE_PX, SIDE_PX, 3]`; 255 where the block is whole.
    rgb: Vec<u8>,
}

impl Default for Cracks {
    /// None: nothing is known.
    fn default() -> Self {
        Cracks { rgb: vec![255; Self::BYTES] }
    }
}

impl Cracks {
    pub const STAGES: u32 = 10;
    pub const BYTES: usize = Self::STAGES as usize * SIDE_PX * SIDE_PX * 3;

    /// From `[STAGES, SIDE_PX, SIDE_PX, 3]`, stage by stage.
    ///
    /// # Panics
    /// If there are not as many bytes.
    pub fn new(rgb: Vec<u8>) -> Cracks {
        assert_eq!(rgb.len(), Self::BYTES, "ten pictures");
        Cracks { rgb }
    }

    /// Whether there are any.
    pub fn are_known(&self) -> bool {
        self.rgb.iter().any(|value| *value < 255)
    }

    /// The stage after so many of all the ticks that a block withstands.
    pub fn stage(ticks: u32, of: u32) -> u8 {
        (ticks * Self::STAGES / of.max(1)).min(Self::STAGES - 1) as u8
    }

    /// What a stage leaves of a colour at a place on a face, 0 to 1 from the top left, of each channel a share; `texels` of
    /// a full picture lie under a pixel's side.
    fn left(&self, stage: u8, uv: [f32; 2], texels: f32) -> Vec3 {
        let reach = (texels * 0.5).min(SIDE_PX as f32);
        let [columns, rows] = uv.map(|along| {
            let middle = along * SIDE_PX as f32;
            let first = (middle - reach).max(0.0) as usize;
            first..((middle + reach) as usize).clamp(first + 1, SIDE_PX)
        });
        let at = |x: usize, y: usize| ((usize::from(stage) * SIDE_PX + y) * SIDE_PX + x) * 3;
        let texel = |at: usize| Vec3::from_array([self.rgb[at], self.rgb[at + 1], self.rgb[at + 2]].map(f32::from));
        let all = (columns.len() * rows.len()) as f32;
        let sum: Vec3 = rows.flat_map(|y| columns.clone().map(move |x| at(x, y))).map(texel).sum();
        sum / (255.0 * all.max(1.0))
    }

    /// Shows the block that the hand is at work on as it is remembered, with its cracks, and what is about it as it is
    /// remembered.
    ///
    /// # Arguments
    /// - `canvas`: read from the pose of `condition`.
    pub fn show(&self, imagined: &mut Imagined, condition: &Condition, camera: &Camera, canvas: &Canvas) {
        let (Some(Change::Break(cell)), Some(stage)) = (condition.change, condition.crack_stage) else { return };
        if !self.are_known() || canvas.depth_blocks.is_empty() {
            return;
        }
        let (eye, axes) = (condition.pose.eye(), condition.pose.axes());
        for pixel in (0..camera.width * camera.height).filter(|&pixel| canvas.known(pixel)) {
            let ray = camera.ray(&axes, pixel % camera.width, pixel / camera.width);
            if cross_widened(eye, ray, cell, Vec3::splat(SLACK_BLOCKS)).is_none() {
                continue;
            }
            imagined.keep(pixel, canvas);
            let Some((enters, _, face)) = cross(eye, ray, cell) else { continue };
            let off = (canvas.depth_blocks[pixel] / ray.length() - enters).abs();
            if off > close_slack(enters) {
                continue;
            }
            let axis = face.abs().as_vec3().max_position();
            let place = (eye + ray * enters - cell.as_vec3()).clamp(Vec3::ZERO, Vec3::ONE);
            let texels = enters * ray.length() / camera.focal_px() * SIDE_PX as f32;
            let left = self.left(stage, uv_across(axis, place), texels);
            let colour = (Vec3::from_array(canvas.rgb[pixel]) * left).to_array().map(|value| (value + 0.5) as u8);
            imagined.frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&colour);
        }
    }

    /// BLAKE3 of the colours, hexadecimal. The weights' file names it, so that one belongs to the other.
    pub fn hash(&self) -> String {
        blake3::hash(&self.rgb).to_hex().to_string()
    }

    /// Reads a picture of ten squares, one below the other.
    pub fn read(path: &Path) -> Result<Cracks, ModelError> {
        pictures::read(path, 1, Self::STAGES as usize).map(Cracks::new)
    }

    /// The bytes of the file that [`Cracks::read`] reads.
    pub fn to_png(&self) -> Result<Vec<u8>, png::EncodingError> {
        pictures::to_png(&self.rgb, 1, Self::STAGES as usize)
    }
}

/// The denoiser goes on from a block that is whole: cracks that are drawn on cracks darken it.
///
/// # Arguments
/// - `bare`: what it goes on from, if that is not what was `shown`.
/// - `pending`: pixels in which the hand is at work to no effect yet.
pub fn leave_out(bare: &mut Option<(Frame, Depth)>, shown: (&Frame, &Depth), pending: &[bool], canvas: &Canvas) {
    for pixel in (0..pending.len()).filter(|&pixel| pending[pixel] && canvas.known(pixel)) {
        let (frame, _) = bare.get_or_insert_with(|| (shown.0.clone(), shown.1.clone()));
        let colour = canvas.rgb[pixel].map(|value| (value + 0.5) as u8);
        frame.rgb[pixel * 3..pixel * 3 + 3].copy_from_slice(&colour);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use glam::IVec3;
    use holdfast_sim::Pose;

    /// The left half of each stage is dark, the darker the later.
    fn halves() -> Cracks {
        let side = SIDE_PX;
        let grey = |at: usize| {
            let (stage, x) = (at / (side * side), at % side);
            if x < side / 2 { 200 - 10 * stage as u8 } else { 255 }
        };
        Cracks::new((0..Cracks::BYTES / 3).flat_map(|at| [grey(at); 3]).collect())
    }

    #[test]
    fn stages_follow_the_work() {
        assert_eq!(
            [(1, 12), (6, 12), (11, 12), (12, 12), (5, 0)].map(|(at, of)| Cracks::stage(at, of)),
            [0, 5, 9, 9, 9]
        );
    }

    #[test]
    fn a_block_at_work_looks_as_it_is_remembered_with_its_cracks() {
        let camera = Camera::new(33, 33);
        let pose = Pose { position: [0.5; 3], ..Pose::default() };
        let canvas = Canvas {
            width: 33,
            height: 33,
            rgb: vec![[100.0; 3]; 33 * 33],
            depth_blocks: vec![2.5; 33 * 33],
            confidence: vec![1.0; 33 * 33],
            ..Canvas::default()
        };
        let shown = |cracks: &Cracks, stage: Option<u8>, blocks: f32| {
            let change = Some(Change::Break(IVec3::new(0, 0, 3)));
            let condition = Condition { change, crack_stage: stage, pose, ..Condition::default() };
            let mut imagined = Imagined {
                frame: Frame { width: 33, height: 33, rgb: vec![7; 33 * 33 * 3] },
                depth: Depth::new(33, 33),
                copied: vec![0.0; 33 * 33],
                doubt: vec![1.0; 33 * 33],
                ..Imagined::default()
            };
            let canvas = Canvas { depth_blocks: vec![blocks; 33 * 33], ..canvas.clone() };
            cracks.show(&mut imagined, &condition, &camera, &canvas);
            [13, 19, 0].map(|x| imagined.frame.rgb[(16 * 33 + x) * 3])
        };
        let dark = |stage: u8| (100.0 * f32::from(200 - 10 * stage) / 255.0 + 0.5) as u8;
        let mut sides = shown(&halves(), Some(4), 2.5);
        sides[..2].sort_unstable();
        assert_eq!(sides, [dark(4), 100, 7], "one half of it, the other, and far from it");
        assert_eq!(shown(&halves(), Some(4), 6.0), [100, 100, 7], "something behind it");
        assert_eq!(shown(&halves(), None, 2.5), [7; 3], "the hand is not at work");
        assert_eq!(shown(&Cracks::default(), Some(4), 2.5), [7; 3], "nothing is known of cracks");
    }

    #[test]
    fn a_block_at_work_is_whole_where_the_denoiser_goes_on_from() {
        let (frame, depth) = (Frame { width: 2, height: 1, rgb: vec![7; 6] }, Depth::new(2, 1));
        let canvas = |known: f32| Canvas {
            width: 2,
            height: 1,
            rgb: vec![[99.0; 3]; 2],
            confidence: vec![known; 2],
            ..Canvas::default()
        };
        let gone_on = |pending: &[bool], known: f32| {
            let mut bare = None;
            leave_out(&mut bare, (&frame, &depth), pending, &canvas(known));
            bare.map(|(frame, _): (Frame, Depth)| [frame.rgb[0], frame.rgb[3]])
        };
        assert_eq!(gone_on(&[false, true], 1.0), Some([7, 99]));
        assert_eq!([gone_on(&[false, true], 0.0), gone_on(&[], 1.0)], [None; 2], "not known, or not at work");
    }

    #[test]
    fn a_file_comes_back() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("cracks.png");
        std::fs::write(&path, halves().to_png().expect("memory")).expect("room");
        assert_eq!(Cracks::read(&path).expect("whole"), halves());
    }
}
