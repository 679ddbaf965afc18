//! The simulator beside a dream: the same start and the same actions, as pictures and as lines of `truth.jsonl`.

use holdfast_sim::{
    Action, Camera, Frame, Observation, Pose, Start, World, WorldError,
    voxel::{block::Block, hands::Edit, pick::Target, truth::EntityTruth, world::VoxelWorld},
};
use serde::Serialize;

/// One line of `truth.jsonl`. Keys are part of the product: add, never rename.
#[derive(Debug, Serialize)]
struct Line<'a> {
    tick: u64,
    pose: Pose,
    /// The block under the crosshair, if one is in reach.
    target: Option<TargetLine>,
    /// Every cell that changed during the tick, by the player or by the world itself.
    edits: &'a [Edit],
    /// Blocks a tick.
    velocity: [f32; 3],
    on_ground: bool,
    in_water: bool,
    /// Slot in hand, 1 to 9.
    slot: u8,
    entities: &'a [EntityTruth],
}

#[derive(Debug, Serialize)]
struct TargetLine {
    cell: [i32; 3],
    block: Block,
    /// Outward normal of the face that is met.
    face: [i32; 3],
    /// From the eye, blocks.
    distance: f32,
}

impl From<Target> for TargetLine {
    fn from(target: Target) -> TargetLine {
        let (cell, face) = (target.cell.to_array(), target.face.to_array());
        TargetLine { cell, block: target.block, face, distance: target.distance }
    }
}

/// The truth of one tick.
#[derive(Debug)]
pub struct TrueTick {
    pub frame: Frame,
    /// Its line of `truth.jsonl`, without the newline.
    pub line: String,
}

#[derive(Debug)]
pub struct Truth {
    world: VoxelWorld,
}

impl Truth {
    pub fn new(width: usize, height: usize) -> Truth {
        Truth { world: VoxelWorld::new(Camera::new(width, height)) }
    }

    pub fn reset(&mut self, start: &Start) -> Result<TrueTick, WorldError> {
        let observation = self.world.reset(start)?;
        Ok(self.tell(observation))
    }

    pub fn step(&mut self, action: &Action) -> Result<TrueTick, WorldError> {
        let observation = self.world.step(action)?;
        Ok(self.tell(observation))
    }

    pub fn world(&self) -> &VoxelWorld {
        &self.world
    }

    /// The scene in words, as a line of `captions.jsonl`.
    pub fn caption_line(&self) -> String {
        "{}".into()
    }

    fn tell(&self, observation: Observation) -> TrueTick {
        let truth = self.world.truth();
        let line = Line {
            tick: observation.tick,
            pose: truth.pose,
            target: truth.target.map(TargetLine::from),
            edits: &truth.edits,
            velocity: truth.velocity,
            on_ground: truth.on_ground,
            in_water: truth.in_water,
            slot: truth.slot,
            entities: &truth.entities,
        };
        let line = serde_json::to_string(&line).expect("numbers and names under fixed keys always serialise");
        TrueTick { frame: observation.frame, line }
    }
}
