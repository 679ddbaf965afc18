//! What is true of the voxel world at a tick: the answers that captions, scripts and probes ask for.

use super::block::Block;
use super::entity::Kind;
use super::hands::Edit;
use super::pick::Target;
use super::sky::Sky;
use super::terrain::Biome;
use crate::Pose;
use serde::Serialize;

/// An animal as it is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct EntityTruth {
    pub id: u64,
    pub kind: Kind,
    /// Centre of the underside, blocks.
    pub feet: [f64; 3],
    pub yaw_deg: f32,
    /// Blocks a tick.
    pub velocity: [f32; 3],
}

/// The state behind one frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    pub tick: u64,
    pub pose: Pose,
    /// Blocks a tick.
    pub velocity: [f32; 3],
    pub on_ground: bool,
    pub in_water: bool,
    /// Whether the last move met a wall.
    pub against_wall: bool,
    /// The hotbar slot in hand, 1 to 9, and what it holds.
    pub slot: u8,
    pub held: Block,
    pub target: Option<Target>,
    /// The crack on the block that is being broken: its cell and stage, 0 to 9.
    pub crack: Option<([i32; 3], u8)>,
    /// Every cell that changed during the tick, in order: by the player's hands and by the world itself.
    pub edits: Vec<Edit>,
    pub entities: Vec<EntityTruth>,
    /// Where the player stands.
    pub biome: Biome,
    pub sky: Sky,
}

/// One line of a truth file: keys are part of the product.
#[derive(Serialize)]
struct Line<'a> {
    tick: u64,
    pose: &'a Pose,
    velocity: [f32; 3],
    on_ground: bool,
    in_water: bool,
    slot: u8,
    target: Option<TargetLine>,
    crack: Option<([i32; 3], u8)>,
    edits: &'a [Edit],
    entities: &'a [EntityTruth],
    biome: &'static str,
    time_of_day: f32,
    weather: super::sky::Weather,
}

#[derive(Serialize)]
struct TargetLine {
    cell: [i32; 3],
    block: Block,
    face: [i32; 3],
    distance: f32,
}

impl Truth {
    /// One JSON object, without the newline.
    pub fn to_json_line(&self) -> String {
        let target = self.target.map(|target| TargetLine {
            cell: target.cell.to_array(),
            block: target.block,
            face: target.face.to_array(),
            distance: target.distance,
        });
        let line = Line {
            tick: self.tick,
            pose: &self.pose,
            velocity: self.velocity,
            on_ground: self.on_ground,
            in_water: self.in_water,
            slot: self.slot,
            target,
            crack: self.crack,
            edits: &self.edits,
            entities: &self.entities,
            biome: self.biome.name(),
            time_of_day: self.sky.time_of_day,
            weather: self.sky.weather,
        };
        serde_json::to_string(&line).expect("plain fields always serialise")
    }
}
