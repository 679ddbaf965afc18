//! What leaves the program: marked if a model drew it, and signed with what is known of how it came to be.

use holdfast_media::{
    Error,
    credentials::{self, Origin, Signer, Start, Statement},
    watermark::{self, Key},
};
use holdfast_model::keep;
use holdfast_sim::{Action, Frame};
use std::path::{Path, PathBuf};

/// Marks and signs what one world exports.
#[derive(Debug)]
pub struct Exporter {
    signer: Option<Signer>,
    marks: bool,
    /// Who draws the dream's pixels.
    pub dream: Origin,
    start: Start,
    /// Of the actions so far, as lines of an actions file.
    actions: blake3::Hasher,
}

/// Where this computer's identity is kept.
pub fn identity_folder() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "holdfast")?.data_dir().join("identity"))
}

/// What a world began with, as credentials tell it.
pub fn credited(origin: &keep::Origin) -> Start {
    match origin {
        keep::Origin::Seed(seed) => Start::Seed(*seed),
        keep::Origin::Image(frame) => Start::Picture { name: "start.png".into(), png: frame.to_png() },
    }
}

impl Exporter {
    /// Without a signer nothing is signed; without `marks` the model's pixels stay as they are.
    pub fn new(signer: Option<Signer>, marks: bool, dream: Origin, start: Start) -> Exporter {
        Exporter { signer, marks, dream, start, actions: blake3::Hasher::new() }
    }

    /// One more action led to what is exported from now on.
    pub fn act(&mut self, action: &Action) {
        self.actions.update(action.to_json_line().as_bytes()).update(b"\n");
    }

    /// The dream's frame as it is exported.
    pub fn marked(&self, frame: &Frame) -> Frame {
        let mut frame = frame.clone();
        if self.marks {
            watermark::mark(&mut frame, Key::public());
        }
        frame
    }

    /// A picture's bytes, signed.
    pub fn picture(&self, frame: &Frame, origin: &Origin, title: &str, tick: u64) -> Result<Vec<u8>, Error> {
        let png = frame.to_png();
        match &self.signer {
            Some(signer) => signer.sign(&png, &self.statement(origin, title, [tick, tick])),
            None => Ok(png),
        }
    }

    /// Signs a finished file in its place.
    pub fn sign(&self, path: &Path, origin: &Origin, ticks: [u64; 2]) -> Result<(), Error> {
        let title = path.file_name().unwrap_or_default().to_string_lossy();
        match &self.signer {
            Some(signer) => credentials::sign(path, signer, &self.statement(origin, &title, ticks)),
            None => Ok(()),
        }
    }

    fn statement(&self, origin: &Origin, title: &str, ticks: [u64; 2]) -> Statement {
        Statement {
            title: title.to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            origin: origin.clone(),
            start: self.start.clone(),
            actions_hash: Some(self.actions.finalize().to_hex().to_string()),
            ticks,
            is_marked: self.marks && *origin != Origin::Simulator,
        }
    }
}
