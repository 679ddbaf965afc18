//! What a dream remembers: a firm map of what it was sure of when it drew it, and drafts of what it doubts.
//!
//! The denoiser says of each depth how far off it may be. What it doubts goes into a map of its own, which shows only
//! where the firm one knows nothing: an invention hides nothing that was seen and lets nobody climb, until a later frame
//! is sure of it (`docs/decisions/doubt.md`). It does stop who runs into it (`docs/decisions/drafts-stop.md`).

use super::{Canvas, Glass, Herd, Movers, Reader, Seen, WorldState, write::is_sky};
use crate::{creature::Creatures, grid::Alignment, kernel::Crew, matter::Matter, motion::Ground};
use glam::IVec3;
use holdfast_sim::{Camera, Depth, Frame, Pose};

/// Scale of a depth's expected error, as a share of it, up to which a look is firm: where the firm map knew nothing, and
/// where it did.
const FIRM_DOUBT: f32 = 0.06;
const FIRM_DOUBT_KNOWN: f32 = 0.1;
/// What is seen no farther than this from a known surface, as a share of its distance, is that surface; and a body of
/// which so large a share is, is none.
const SAME_PLACE: f32 = 0.1;
const GROUND_SHARE: f32 = 0.5;
/// Drafts are trusted this much as far as their cells are.
pub(super) const DRAFT_TRUST: f32 = 0.5;

/// See the module. A clone shares what it holds with the original until either changes.
#[derive(Debug, Clone, Default)]
pub struct Memory {
    pub(super) firm: WorldState,
    pub(super) drafts: WorldState,
    pub(super) movers: Movers,
    pub(super) herd: Herd,
    pub(super) glass: Glass,
}

/// What the memory shows from a pose; its buffers are reused from frame to frame.
#[derive(Debug, Clone, Default)]
pub struct Sight {
    /// The firm map, drafts where it knows nothing or only sky, and before them what lives.
    pub canvas: Canvas,
    firm: Layer,
    drafts: Layer,
    /// Pixels that one of the two maps does not take in.
    skipped: Vec<bool>,
    /// Pixels that show what is no part of the ground.
    passes: Vec<bool>,
    /// Of what lives.
    nearest_z: Vec<f32>,
}

#[derive(Debug, Clone, Default)]
struct Layer {
    reader: Reader,
    canvas: Canvas,
}

/// A finished frame, to be remembered from the pose of the last read.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    pub frame: &'a Frame,
    pub depth: &'a Depth,
    /// How far each pixel is a copy of the canvas, 0..1. Empty: not at all.
    pub copied: &'a [f32],
    /// Scale of the expected error of each depth, as a share of it. Empty: none.
    pub doubt: &'a [f32],
    /// Pixels in which the player's deed shows. Empty: none.
    pub changed: &'a [bool],
    /// Pixels in which the hand is at work to no effect yet: what shows there passes. Empty: none.
    pub pending: &'a [bool],
    /// Side of what each pixel has details of, blocks. Empty: each pixel's own side.
    pub detail_blocks: &'a [f32],
    /// What stands there. Empty: nothing that moves.
    pub matters: &'a [Matter],
    pub tick: u32,
}

impl<'a> Shown<'a> {
    /// A picture that was given, not drawn: nothing of it is copied or doubted.
    pub fn given(frame: &'a Frame, depth: &'a Depth, tick: u32) -> Shown<'a> {
        Shown {
            frame,
            depth,
            copied: &[],
            doubt: &[],
            changed: &[],
            pending: &[],
            detail_blocks: &[],
            matters: &[],
            tick,
        }
    }

    /// Whether a pixel shows something that lives. What a hand put there does not.
    pub(super) fn lives(&self, pixel: usize) -> bool {
        let deed = self.changed.get(pixel).is_some_and(|changed| *changed);
        !deed && self.matters.get(pixel).is_some_and(|matter| matter.lives())
    }
}

impl Sight {
    /// Whether the firm map shows something at a pixel.
    pub fn is_firm(&self, pixel: usize) -> bool {
        self.firm.canvas.known(pixel)
    }

    /// Share of the pixels at which it shows nothing; all of them before the first read.
    pub fn unsure(&self) -> f32 {
        let confidence = &self.firm.canvas.confidence;
        let sure = confidence.iter().filter(|confidence| **confidence > 0.0).count();
        1.0 - sure as f32 / confidence.len().max(1) as f32
    }
}

impl Layer {
    fn write(&self, state: &mut WorldState, pose: &Pose, camera: &Camera, shown: &Shown, skipped: &[bool]) {
        let Shown { frame, depth, copied, changed, detail_blocks, tick, .. } = *shown;
        let seen = Seen { frame, depth, canvas: &self.canvas, copied, changed, detail_blocks, skipped, tick };
        state.write(pose, camera, &self.reader, &seen);
    }
}

impl Memory {
    pub fn new() -> Self {
        Self::default()
    }

    /// Cells held now.
    pub fn cells(&self) -> usize {
        self.firm.cells() + self.drafts.cells()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::default();
    }

    /// The map that the player stands on.
    pub fn firm(&self) -> &WorldState {
        &self.firm
    }

    /// The map of what is doubted; nobody falls or walks through it, either.
    pub fn drafts(&self) -> &WorldState {
        &self.drafts
    }

    /// Animals that a start showed and that were recognised.
    pub fn herd(&self) -> &Herd {
        &self.herd
    }

    /// Takes in what a start showed.
    pub fn set_herd(&mut self, herd: Herd) {
        self.herd = herd;
    }

    /// Panes that a start showed or the hand set.
    pub fn glass(&self) -> &Glass {
        &self.glass
    }

    /// Takes in those that a start showed.
    pub fn set_glass(&mut self, glass: Glass) {
        self.glass = glass;
    }

    /// Takes in a pane that the hand sets; see [`Glass::set`].
    pub fn set_pane(&mut self, cell: IVec3, light: Option<f32>, brightness: f32) {
        self.glass.set(cell, light, brightness);
    }

    /// A tick of the herd's life, seen or unseen; `pose` is the player's.
    pub fn live(&mut self, pose: &Pose, ground: &Ground, creatures: &Creatures, tick: u32) {
        let alignment = Alignment::new(pose, &ground.grid.place(pose));
        self.herd.live(&self.firm, pose.eye(), &alignment, ground, creatures, tick);
    }

    /// What lives and was not recognised.
    pub fn movers(&self) -> &Movers {
        &self.movers
    }

    /// Forgets what lives.
    pub fn forget_movers(&mut self) {
        self.movers = Movers::default();
    }

    /// Bytes in memory that `later`, a later clone of the same memory, no longer shares with this one.
    pub fn bytes_not_shared_with(&self, later: &Memory) -> usize {
        self.firm.bytes_not_shared_with(&later.firm) + self.drafts.bytes_not_shared_with(&later.drafts)
    }

    /// Draws what is known from `pose` into `sight`.
    pub fn read(&mut self, pose: &Pose, camera: &Camera, sight: &mut Sight) {
        self.read_on(&Crew::default(), pose, camera, sight);
    }

    /// As [`Memory::read`], on a crew's threads; their number changes no bit.
    pub fn read_on(&mut self, crew: &Crew, pose: &Pose, camera: &Camera, sight: &mut Sight) {
        let Sight { firm, drafts, .. } = sight;
        self.firm.read_on(crew, pose, camera, &mut firm.reader, &mut firm.canvas);
        self.drafts.read_on(crew, pose, camera, &mut drafts.reader, &mut drafts.canvas);
        self.lay_together(pose, camera, sight);
    }

    /// As [`Memory::read_on`], and changes nothing: for eyes, not for the dream.
    pub fn glance(&self, crew: &Crew, pose: &Pose, camera: &Camera, sight: &mut Sight) {
        let Sight { firm, drafts, .. } = sight;
        self.firm.glance(crew, pose, camera, &mut firm.reader, &mut firm.canvas);
        self.drafts.glance(crew, pose, camera, &mut drafts.reader, &mut drafts.canvas);
        self.lay_together(pose, camera, sight);
    }

    /// Lays what was read of the two maps over each other, and what lives before them.
    fn lay_together(&self, pose: &Pose, camera: &Camera, sight: &mut Sight) {
        let Sight { canvas, firm, drafts, nearest_z, .. } = sight;
        canvas.copy_from(&firm.canvas);
        let drafts = &drafts.canvas;
        for pixel in 0..canvas.rgb.len() {
            if !canvas.shows_surface(pixel) && drafts.known(pixel) {
                canvas.rgb[pixel] = drafts.rgb[pixel];
                canvas.depth_blocks[pixel] = drafts.depth_blocks[pixel];
                canvas.confidence[pixel] = drafts.confidence[pixel] * DRAFT_TRUST;
                canvas.footprint_blocks[pixel] = drafts.footprint_blocks[pixel];
            }
        }
        self.movers.draw(pose, camera, canvas, nearest_z);
    }

    /// Takes in a frame seen from `pose`, after [`Memory::read`] from the same pose into the same sight.
    pub fn write(&mut self, pose: &Pose, camera: &Camera, sight: &mut Sight, shown: &Shown) {
        let Sight { firm, drafts, skipped, passes, .. } = sight;
        let mut sightings = self.movers.sight(pose, camera, shown);
        // Nothing comes to life that has been known as a part of the ground.
        sightings.retain(|sighting| {
            // At a start nothing was read.
            let known = |at: usize| firm.canvas.depth_blocks.get(at).copied().unwrap_or(f32::INFINITY);
            let same = |&&at: &&usize| (known(at) / shown.depth.blocks[at] - 1.0).abs() < SAME_PLACE;
            let of_ground = sighting.pixels.iter().filter(same).count();
            (of_ground as f32) < GROUND_SHARE * sighting.pixels.len() as f32
        });
        passes.clear();
        passes.extend_from_slice(shown.pending);
        passes.resize(shown.depth.blocks.len(), false);
        sightings.iter().flat_map(|sighting| &sighting.pixels).for_each(|&pixel| passes[pixel] = true);
        skipped.clear();
        skipped.extend(shown.depth.blocks.iter().enumerate().map(|(pixel, &blocks)| {
            let doubt = shown.doubt.get(pixel).copied().unwrap_or(0.0);
            let known = doubt > 0.0 && firm.canvas.known(pixel);
            let most = if known { FIRM_DOUBT_KNOWN } else { FIRM_DOUBT };
            // The sky has no depth to be wrong about; what lives is no part of the ground.
            !is_sky(blocks) && doubt > most || passes[pixel]
        }));
        firm.write(&mut self.firm, pose, camera, shown, skipped);
        // What is doubted of a firm surface is not worth a draft: it would not show.
        for (pixel, skipped) in skipped.iter_mut().enumerate() {
            *skipped = !*skipped || passes[pixel] || firm.canvas.shows_surface(pixel);
        }
        drafts.write(&mut self.drafts, pose, camera, shown, skipped);
        let known = |at: usize| firm.canvas.shows_surface(at) || drafts.canvas.shows_surface(at);
        self.movers.see(pose, camera, shown, &sightings, known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(blocks: f32, grey: u8) -> (Frame, Depth) {
        let (mut frame, mut depth) = (Frame::new(32, 24), Depth::new(32, 24));
        frame.rgb.fill(grey);
        depth.blocks.fill(blocks);
        (frame, depth)
    }

    /// Looks at walls in turn, each so far away, so bright and so doubted, and gives what is remembered of the middle.
    fn after(walls: &[(f32, u8, f32)]) -> (Memory, f32, f32) {
        let (mut memory, mut sight, pose) = (Memory::new(), Sight::default(), Pose::default());
        let camera = Camera::new(32, 24);
        for (tick, &(blocks, grey, doubt)) in walls.iter().enumerate() {
            memory.read(&pose, &camera, &mut sight);
            let (frame, depth) = wall(blocks, grey);
            let doubt = vec![doubt; depth.blocks.len()];
            let shown = Shown { doubt: &doubt, ..Shown::given(&frame, &depth, tick as u32) };
            memory.write(&pose, &camera, &mut sight, &shown);
        }
        memory.read(&pose, &camera, &mut sight);
        let middle = 12 * 32 + 16;
        (memory, sight.canvas.rgb[middle][0], sight.canvas.depth_blocks[middle])
    }

    #[test]
    fn a_draft_shows_but_hides_nothing_firm() {
        let (memory, grey, blocks) = after(&[(5.0, 90, 0.5)]);
        assert!((grey - 90.0).abs() < 2.0 && (blocks - 5.0).abs() < 0.3, "{grey} at {blocks}");
        assert_eq!(memory.firm().cells(), 0, "nobody can stand on a draft");
        let (_, grey, blocks) = after(&[(8.0, 200, 0.0), (5.0, 90, 0.5)]);
        assert!((grey - 200.0).abs() < 2.0 && (blocks - 8.0).abs() < 0.4, "{grey} at {blocks}");
        let (_, grey, blocks) = after(&[(5.0, 90, 0.5), (8.0, 200, 0.0)]);
        assert!((grey - 200.0).abs() < 2.0 && (blocks - 8.0).abs() < 0.4, "{grey} at {blocks}");
    }

    #[test]
    fn a_soft_look_gives_way_to_a_sharp_one_and_not_the_other_way_round() {
        let after = |details: [f32; 2]| {
            let (mut memory, mut sight) = (Memory::new(), Sight::default());
            let (pose, camera) = (Pose::default(), Camera::new(32, 24));
            for ((tick, grey), detail_blocks) in [(0, 90), (1, 200)].into_iter().zip(details) {
                memory.read(&pose, &camera, &mut sight);
                let (frame, depth) = wall(5.0, grey);
                let detail_blocks = &vec![detail_blocks; depth.blocks.len()];
                let shown = Shown { detail_blocks, ..Shown::given(&frame, &depth, tick) };
                memory.write(&pose, &camera, &mut sight, &shown);
            }
            memory.read(&pose, &camera, &mut sight);
            sight.canvas.rgb[12 * 32 + 16][0]
        };
        let [alike, sharper, softer] = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0]].map(after);
        assert!(sharper > 195.0 && alike < 180.0 && softer <= alike, "{sharper} {alike} {softer}");
    }

    #[test]
    fn what_is_seen_through_a_draft_takes_it_away() {
        let far = (20.0, 200, 0.0);
        let (memory, ..) = after(&[(5.0, 90, 0.5), far, far, far, far]);
        assert_eq!(memory.drafts.cells(), 0);
    }
}
