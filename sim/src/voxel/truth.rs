//! What is true of the voxel world at a tick: the answers that captions, scripts and probes ask for.

use super::entity::Kind;
use super::hands::Edit;
use super::pick::Target;
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
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Truth {
    pub tick: u64,
    pub pose: Pose,
    /// Blocks a tick.
    pub velocity: [f32; 3],
    pub on_ground: bool,
    pub in_water: bool,
    /// Whether the last move met a wall.
    pub against_wall: bool,
    /// The hotbar slot in hand, 1 to 9.
    pub slot: u8,
    pub target: Option<Target>,
    /// The crack on the block that is being broken: its cell and stage, 0 to 9.
    pub crack: Option<([i32; 3], u8)>,
    /// Every cell that changed during the tick, in order: by the player's hands and by the world itself.
    pub edits: Vec<Edit>,
    pub entities: Vec<EntityTruth>,
}
