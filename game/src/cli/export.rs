//! What every command that exports lets one choose: who signs, and whether pixels are marked.

use super::fault::mistake;
use holdfast_game::export::{Exporter, Notary, Seal, identity_folder};
use holdfast_media::{
    Error,
    credentials::{Identity, Origin, Signer, Start},
};
use std::{path::PathBuf, sync::Arc};

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
    /// For what is exported at once.
    ///
    /// # Errors
    /// If the identity asked for cannot sign, or this computer's own cannot be made.
    pub fn exporter(&self, dream: Origin, start: Start) -> anyhow::Result<Exporter> {
        let notary = match self.seal()?.notary {
            Notary::ThisComputer(_) => Notary::Given(Arc::new(this_computer()?)),
            notary => notary,
        };
        Ok(Exporter::new(Seal { notary, marks: !self.unmarked }, dream, start))
    }

    /// For what may be exported some time: this computer's own identity is not made before.
    ///
    /// # Errors
    /// If the identity asked for cannot sign.
    pub fn seal(&self) -> anyhow::Result<Seal> {
        let notary = match self.sign_with.as_deref() {
            Some([chain, key]) => Notary::Given(Arc::new(signer(&Identity::from_files(chain, key).map_err(mistake)?)?)),
            _ if self.unsigned => Notary::Nobody,
            _ => Notary::this_computer(),
        };
        Ok(Seal { notary, marks: !self.unmarked })
    }
}

fn this_computer() -> anyhow::Result<Signer> {
    let folder = identity_folder()
        .ok_or_else(|| mistake("this user has no data folder; give --sign-with CERT KEY or --unsigned"))?;
    let identity = Identity::of_this_computer(&folder)
        .map_err(|error| mistake(format!("{error}; give --sign-with CERT KEY or --unsigned")))?;
    signer(&identity)
}

fn signer(identity: &Identity) -> anyhow::Result<Signer> {
    Signer::new(identity).map_err(|error| match error {
        Error::Identity { .. } => mistake(error),
        other => other.into(),
    })
}
