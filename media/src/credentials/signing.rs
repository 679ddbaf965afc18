//! Signs finished files: the statement goes in, the pixels stay.

use super::{
    Identity, Reading, State, context, reading,
    statement::{Origin, START_INGREDIENT, Start, Statement},
};
use crate::{Error, decode::Format};
use c2pa::{Builder, Context, SigningAlg, create_signer};
use holdfast_sim::Frame;
use serde_json::json;
use std::{fs, io::Cursor, path::Path, sync::Arc};

/// Kinds of keys that C2PA takes, the usual ones first.
const ALGORITHMS: [SigningAlg; 5] =
    [SigningAlg::Es256, SigningAlg::Es384, SigningAlg::Es512, SigningAlg::Ps256, SigningAlg::Ed25519];

/// Signs any number of files under one identity.
pub struct Signer {
    signer: c2pa::BoxedSigner,
    context: Arc<Context>,
}

impl Signer {
    /// # Errors
    /// If the certificates and the key do not fit each other, or are not of a kind that C2PA takes.
    pub fn new(identity: &Identity) -> Result<Signer, Error> {
        let refuse = |reason: String| Error::Identity { path: identity.place.clone(), reason };
        let opened = ALGORITHMS.iter().find_map(|&algorithm| {
            let (chain, key) = (identity.chain.as_bytes(), identity.key.as_bytes());
            create_signer::from_keys(chain, key, algorithm, None).ok()
        });
        let signer = opened.ok_or_else(|| {
            refuse("not a key that can sign; give a certificate chain and its key in PKCS #8, both as PEM".into())
        })?;
        let context = context(Some(&identity.chain)).map_err(|error| refuse(error.to_string()))?.into_shared();
        let signer = Signer { signer, context };
        signer.try_out(&identity.chain).map_err(|reason| refuse(format!("what it signs does not hold: {reason}")))?;
        Ok(signer)
    }

    /// Signs a pixel and reads it back: a key that does not fit, or a certificate that is not for signing, is found now
    /// and not by whoever verifies.
    fn try_out(&self, chain: &str) -> Result<(), String> {
        let statement = Statement {
            title: String::new(),
            version: String::new(),
            origin: Origin::Simulator,
            start: Start::Unknown,
            actions_hash: None,
            ticks: [0, 0],
            is_marked: false,
        };
        let signed = self.sign(&Frame::new(1, 1).to_png(), &statement).map_err(|error| error.to_string())?;
        match reading::read(&signed, Format::Png.media_type(), Some(chain)) {
            Reading::Found(found) if found.state != State::Broken => Ok(()),
            Reading::Found(found) => Err(found.reasons.join("; ")),
            Reading::None => Err("nothing was signed".into()),
        }
    }

    /// The file's bytes with the signed statement inside.
    pub fn sign(&self, bytes: &[u8], statement: &Statement) -> Result<Vec<u8>, Error> {
        let failed = |error: c2pa::Error| Error::Signing(error.to_string());
        let format = Format::of(bytes).ok_or(Error::Unknown)?;
        let mut builder =
            Builder::from_shared_context(&self.context).with_definition(statement.manifest()).map_err(failed)?;
        if let Start::Picture { name, png } = &statement.start {
            let ingredient = json!({ "title": name, "relationship": "inputTo", "label": START_INGREDIENT });
            let mut png = Cursor::new(png);
            builder.add_ingredient_from_stream(ingredient.to_string(), "image/png", &mut png).map_err(failed)?;
        }
        let mut signed = Cursor::new(Vec::with_capacity(bytes.len() + (1 << 14)));
        builder.sign(&*self.signer, format.media_type(), &mut Cursor::new(bytes), &mut signed).map_err(failed)?;
        Ok(signed.into_inner())
    }
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Signer").finish_non_exhaustive()
    }
}

/// Signs a file in its place: the signed one is written beside it, then takes its name.
pub fn sign(path: &Path, signer: &Signer, statement: &Statement) -> Result<(), Error> {
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let signed = signer.sign(&bytes, statement)?;
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = Path::new(&partial);
    let written = fs::write(partial, signed).and_then(|()| fs::rename(partial, path));
    if written.is_err() {
        // What stopped the writing is the error to tell, not what stops the tidying.
        let _ = fs::remove_file(partial);
    }
    written.map_err(Error::io(path))
}
