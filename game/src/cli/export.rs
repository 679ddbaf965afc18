//! What leaves the program: marked if a model drew it, and signed with what is known of how it came to be.

use super::fault::mistake;
use holdfast_media::{
    Error,
    credentials::{Identity, Origin, Signer, Start, Statement},
    watermark::{self, Key},
};
use holdfast_sim::{Action, Frame};
use std::path::{Path, PathBuf};

/// What every command that exports pictures or video lets one choose.
#[derive(Debug, Clone, clap::Args)]
pub struct ProvenanceArgs {
    /// Sign with this certificate chain and its key (both PEM, the key in PKCS #8) [default: this computer's own]
    #[arg(long, value_names = ["CERT", "KEY"], num_args = 2, conflicts_with = "unsigned")]
    sign_with: Option<Vec<PathBuf>>,
    /// Write no content credentials
    #[arg(long)]
    unsigned: bool,
    /// Leave the model's pixels as they are, without the invisible watermark
    #[arg(long)]
    unmarked: bool,
}

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

impl ProvenanceArgs {
    /// # Errors
    /// If the identity asked for cannot sign, or this computer's own cannot be made.
    pub fn exporter(&self, dream: Origin, start: Start) -> anyhow::Result<Exporter> {
        let signer = if self.unsigned { None } else { Some(self.signer()?) };
        Ok(Exporter { signer, marks: !self.unmarked, dream, start, actions: blake3::Hasher::new() })
    }

    fn signer(&self) -> anyhow::Result<Signer> {
        let identity = match self.sign_with.as_deref() {
            Some([chain, key]) => Identity::from_files(chain, key).map_err(mistake)?,
            _ => {
                let folder = identity_folder()
                    .ok_or_else(|| mistake("this user has no data folder; give --sign-with CERT KEY or --unsigned"))?;
                Identity::of_this_computer(&folder)
                    .map_err(|error| mistake(format!("{error}; give --sign-with CERT KEY or --unsigned")))?
            }
        };
        Signer::new(&identity).map_err(|error| match error {
            Error::Identity { .. } => mistake(error),
            other => other.into(),
        })
    }
}

/// Where this computer's identity is kept.
pub fn identity_folder() -> Option<PathBuf> {
    Some(directories::ProjectDirs::from("", "", "holdfast")?.data_dir().join("identity"))
}

impl Exporter {
    /// Marks, and does not sign.
    #[cfg(test)]
    pub fn unsigned(dream: Origin, start: Start) -> Exporter {
        Exporter { signer: None, marks: true, dream, start, actions: blake3::Hasher::new() }
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
            Some(signer) => holdfast_media::credentials::sign(path, signer, &self.statement(origin, &title, ticks)),
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
