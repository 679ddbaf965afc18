//! Pictures and video of worlds: how they are written, marked and signed, and what a file says of where it came from.
//!
//! Writing: a frame is [marked](watermark) if a model made it, written as [video], an [animation] or a picture, and the
//! finished file is [signed](credentials). Reading back: [verify] says what is known of any file.

pub mod animation;
pub mod credentials;
pub mod decode;
mod error;
pub mod plane;
pub mod upscale;
pub mod verify;
pub mod video;
pub mod watermark;

pub use error::Error;
pub use plane::Plane;
