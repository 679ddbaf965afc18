//! What is kept of a dream: snapshots that go on bit for bit, saved worlds, and recordings that can be checked.
//!
//! Files come from anywhere: every parser here refuses what it cannot be with a reason, allocates nothing on the word of a
//! length, and never panics.

mod about;
mod bytes;
mod container;
mod line;
pub mod recording;
mod save;
mod snapshot;
pub(crate) mod vec3;

pub use about::About;
pub use container::Fault;
pub use line::{Line, Origin, frame_hash};
pub use save::{Preview, Save, write_whole};
pub use snapshot::Snapshot;
