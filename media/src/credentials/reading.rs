//! Reads a file's credentials: whether they hold, whose they are, and what they say.

use super::{
    context,
    statement::{LABEL, is_generated},
};
use c2pa::{Reader, ValidationState};
use serde_json::Value;
use std::io::Cursor;

/// Whether what is said can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Signed, unchanged since, by an identity that this computer knows.
    Known,
    /// Signed, unchanged since, by an identity that this computer does not know.
    Unknown,
    /// Changed after it was signed, or signed wrongly.
    Broken,
}

/// What a file's credentials say.
#[derive(Debug, Clone, PartialEq)]
pub struct Credentials {
    pub state: State,
    /// Why they are broken, in the standard's own words.
    pub reasons: Vec<String>,
    pub signer: Option<String>,
    /// The software that made the file, with its version.
    pub generator: Option<String>,
    /// Whether they say that a model made the pixels; `None` if they say nothing of it.
    pub is_generated: Option<bool>,
    /// Name and hash of the model, if our own software says them.
    pub model: Option<[String; 2]>,
}

/// What was found in a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    None,
    Found(Box<Credentials>),
}

/// Reads them. Whose certificates stand in `anchors` (PEM) is known.
pub fn read(bytes: &[u8], media_type: &str, anchors: Option<&str>) -> Reading {
    let reader = context(anchors).and_then(|context| {
        let reader = Reader::from_context(context);
        reader.with_stream(media_type, Cursor::new(bytes))
    });
    match reader {
        Ok(reader) => found(&reader),
        Err(error) if is_absence(&error) => Reading::None,
        // There are credentials, too damaged to be read.
        Err(error) => Reading::Found(Box::new(Credentials {
            state: State::Broken,
            reasons: vec![error.to_string()],
            signer: None,
            generator: None,
            is_generated: None,
            model: None,
        })),
    }
}

/// Whether the library's error means no more than that there are no credentials.
fn is_absence(error: &c2pa::Error) -> bool {
    use c2pa::Error::{InvalidAsset, JumbfNotFound, ProvenanceMissing, UnsupportedType};
    matches!(error, JumbfNotFound | ProvenanceMissing | UnsupportedType | InvalidAsset(_))
}

fn found(reader: &Reader) -> Reading {
    let Some(manifest) = reader.active_manifest() else {
        return Reading::None;
    };
    let state = match reader.validation_state() {
        ValidationState::Trusted => State::Known,
        ValidationState::Valid => State::Unknown,
        ValidationState::Invalid => State::Broken,
    };
    let statuses = reader.validation_status().unwrap_or_default().iter();
    let reasons = statuses.filter(|status| !status.code().ends_with("untrusted"));
    let reasons = reasons.map(|status| match status.explanation() {
        Some(explanation) => format!("{} ({explanation})", status.code()),
        None => status.code().to_string(),
    });
    let generator = manifest.claim_generator_info.as_ref().and_then(|info| info.first()).map(|info| {
        let version = info.version.as_deref().unwrap_or_default();
        format!("{} {version}", info.name).trim_end().to_string()
    });
    let signature = manifest.signature_info();
    let name = signature.and_then(|info| info.common_name.clone());
    let organisation = signature.and_then(|info| info.issuer.clone());
    let signer = match (name, organisation) {
        (Some(name), Some(organisation)) if name != organisation => Some(format!("{name} ({organisation})")),
        (name, organisation) => name.or(organisation),
    };
    let values =
        manifest.assertions().iter().filter_map(|assertion| Some((assertion.label(), assertion.value().ok()?)));
    let values: Vec<(&str, &Value)> = values.collect();
    let types = values.iter().filter(|(label, _)| label.starts_with("c2pa.actions"));
    let types: Vec<&str> = types
        .flat_map(|(_, value)| value["actions"].as_array().into_iter().flatten())
        .filter_map(|action| action["digitalSourceType"].as_str())
        .collect();
    let is_generated = (!types.is_empty()).then(|| types.iter().any(|source| is_generated(source)));
    let model = values.iter().find(|(label, _)| *label == LABEL).and_then(|(_, value)| {
        let text = |key: &str| value["model"][key].as_str().map(str::to_string);
        Some([text("name")?, text("hash")?])
    });
    Reading::Found(Box::new(Credentials { state, reasons: reasons.collect(), signer, generator, is_generated, model }))
}
