//! What can go wrong with media: one clear line each, which says what to do where there is something to do.

use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum Error {
    #[error("{}: {error}", .path.display())]
    Io { path: PathBuf, error: std::io::Error },
    /// The file is of a format that is not read here.
    #[error("neither a picture (PNG, JPEG, GIF, WebP) nor an MP4 video")]
    Unknown,
    /// The file is of a known format, and damaged or of a kind that is not read.
    #[error("the pixels cannot be read: {0}")]
    Pixels(String),
    #[error("the encoder failed: {0}")]
    Encoder(String),
    #[error("cannot sign: {0}")]
    Signing(String),
    /// A certificate or key of the user's that does not serve.
    #[error("{}: {reason}", .path.display())]
    Identity { path: PathBuf, reason: String },
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.to_path_buf();
        move |error| Error::Io { path, error }
    }
}
