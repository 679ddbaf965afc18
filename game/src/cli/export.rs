//! What every command that exports lets one choose: who signs, and whether pixels are marked.

use super::fault::mistake;
use holdfast_game::export::{Exporter, identity_folder};
use holdfast_media::{
    Error,
    credentials::{Identity, Origin, Signer, Start},
};
use std::path::PathBuf;

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

impl ProvenanceArgs {
    /// # Errors
    /// If the identity asked for cannot sign, or this computer's own cannot be made.
    pub fn exporter(&self, dream: Origin, start: Start) -> anyhow::Result<Exporter> {
        let signer = if self.unsigned { None } else { Some(self.signer()?) };
        Ok(Exporter::new(signer, !self.unmarked, dream, start))
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
