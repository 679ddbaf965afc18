//! What leaves the program: marked if a model drew it, and signed with what is known of how it came to be.

use holdfast_media::{
    Error,
    credentials::{self, Identity, Origin, Signer, Start, Statement},
    watermark::{self, Key},
};
use holdfast_model::keep;
use holdfast_sim::{Action, Frame};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
};

/// Who signs.
#[derive(Debug, Clone)]
pub enum Notary {
    Nobody,
    Given(Arc<Signer>),
    /// This computer's own identity, opened when something is signed first, and then kept.
    ThisComputer(Arc<OnceLock<Result<Signer, String>>>),
}

/// What the user decides about all that is exported.
#[derive(Debug, Clone)]
pub struct Seal {
    pub notary: Notary,
    /// Whether the model's pixels carry the watermark.
    pub marks: bool,
}

/// Marks and signs what one world exports.
#[derive(Debug, Clone)]
pub struct Exporter {
    seal: Seal,
    /// Who draws the dream's pixels.
    pub dream: Origin,
    start: Arc<Start>,
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
        keep::Origin::Image(frame, _) => Start::Picture { name: "start.png".into(), png: frame.to_png() },
    }
}

impl Notary {
    pub fn this_computer() -> Notary {
        Notary::ThisComputer(Arc::default())
    }

    /// # Errors
    /// If this computer's own identity cannot be opened or made.
    fn signer(&self) -> Result<Option<&Signer>, Error> {
        match self {
            Notary::Nobody => Ok(None),
            Notary::Given(signer) => Ok(Some(signer)),
            Notary::ThisComputer(opened) => {
                let opened = opened.get_or_init(|| {
                    let folder = identity_folder().ok_or("this user has no data folder")?;
                    let identity = Identity::of_this_computer(&folder).map_err(|error| error.to_string())?;
                    Signer::new(&identity).map_err(|error| error.to_string())
                });
                opened.as_ref().map(Some).map_err(|reason| Error::Signing(reason.clone()))
            }
        }
    }
}

impl Default for Seal {
    fn default() -> Self {
        Seal { notary: Notary::this_computer(), marks: true }
    }
}

impl Exporter {
    /// Of a world at its start.
    pub fn new(seal: Seal, dream: Origin, start: Start) -> Exporter {
        Exporter { seal, dream, start: Arc::new(start), actions: blake3::Hasher::new() }
    }

    /// One more action led to what is exported from now on.
    pub fn act(&mut self, action: &Action) {
        self.actions.update(action.to_json_line().as_bytes()).update(b"\n");
    }

    /// The dream's frame as it is exported.
    pub fn marked(&self, frame: &Frame) -> Frame {
        let mut frame = frame.clone();
        if self.seal.marks {
            watermark::mark(&mut frame, Key::public());
        }
        frame
    }

    /// A picture's bytes, signed.
    ///
    /// # Errors
    /// If it cannot be signed.
    pub fn picture(&self, frame: &Frame, origin: &Origin, title: &str, tick: u64) -> Result<Vec<u8>, Error> {
        let png = frame.to_png();
        match self.seal.notary.signer()? {
            Some(signer) => signer.sign(&png, &self.statement(origin, title, [tick, tick])),
            None => Ok(png),
        }
    }

    /// Signs a finished file in its place.
    ///
    /// # Errors
    /// If it cannot be signed; the file is then as it was.
    pub fn sign(&self, path: &Path, origin: &Origin, ticks: [u64; 2]) -> Result<(), Error> {
        let title = path.file_name().unwrap_or_default().to_string_lossy();
        match self.seal.notary.signer()? {
            Some(signer) => credentials::sign(path, signer, &self.statement(origin, &title, ticks)),
            None => Ok(()),
        }
    }

    /// Who drew a picture that shows the dream and the simulator side by side.
    pub fn both(&self) -> Origin {
        match &self.dream {
            Origin::Model { name, hash } => Origin::Both { name: name.clone(), hash: hash.clone() },
            origin => origin.clone(),
        }
    }

    fn statement(&self, origin: &Origin, title: &str, ticks: [u64; 2]) -> Statement {
        Statement {
            title: title.to_string(),
            version: env!("CARGO_PKG_VERSION").to_string(),
            origin: origin.clone(),
            start: (*self.start).clone(),
            actions_hash: Some(self.actions.finalize().to_hex().to_string()),
            ticks,
            is_marked: self.seal.marks && *origin != Origin::Simulator,
        }
    }
}
