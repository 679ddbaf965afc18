//! What is known of a file, in plain words: who signed it, whether it changed since, whether a model made it.

use crate::{
    Error,
    credentials::{self, Credentials, Reading, State},
    decode::{self, Format},
    watermark::{Finding, Key, Search},
};
use serde::Serialize;
use std::{ops::ControlFlow, path::Path};

/// Files are read whole: a larger one would take the memory that it claims.
const MOST_BYTES: u64 = 1 << 31;

/// Whether a file's credentials can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Validity {
    Valid,
    Invalid,
    None,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Watermark {
    Found,
    NotFound,
}

/// What `verify --json` says of a file. Keys are part of the product: add, never rename.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    pub path: String,
    pub credentials: Validity,
    pub signer: Option<String>,
    /// The software that says it made the file.
    pub generator: Option<String>,
    pub watermark: Watermark,
    /// Whether a model made the pixels, at least in part; null where nothing says.
    pub generated: Option<bool>,
    /// Whether the signer is one that this computer knows.
    pub signer_known: bool,
    pub model: Option<String>,
    pub model_hash: Option<String>,
    /// How far the mark stands out of chance, and how far chance gets once in a million files; null if no pixels were read.
    pub watermark_score: Option<f64>,
    pub watermark_threshold: Option<f64>,
    /// What is wrong with the credentials, or with the pixels.
    pub notes: Vec<String>,
}

/// Looks at a file. `anchors` are certificates (PEM) whose signatures are known.
///
/// # Errors
/// If it cannot be read at all, or is neither a picture nor a video.
pub fn verify(path: &Path, anchors: Option<&str>) -> Result<Verdict, Error> {
    let size = std::fs::metadata(path).map_err(Error::io(path))?.len();
    if size > MOST_BYTES {
        return Err(Error::Pixels(format!("{size} bytes are too many; cut it, up to {MOST_BYTES} are read")));
    }
    let bytes = std::fs::read(path).map_err(Error::io(path))?;
    verify_bytes(&path.display().to_string(), &bytes, anchors)
}

/// [`verify`], of a file in memory.
pub fn verify_bytes(path: &str, bytes: &[u8], anchors: Option<&str>) -> Result<Verdict, Error> {
    let format = Format::of(bytes).ok_or(Error::Unknown)?;
    let reading = credentials::read(bytes, format.media_type(), anchors);
    let pixels = look(bytes, format);
    Ok(verdict(path, reading, pixels))
}

/// After so many frames of a video a first answer is tried; most marked ones are known by then.
const FIRST_LOOK: usize = 4;

/// Looks for the watermark in a file's pixels.
pub fn look(bytes: &[u8], format: Format) -> Result<Finding, Error> {
    let mut search: Option<Search> = None;
    let mut frames = 0;
    decode::planes(bytes, format, &mut |plane| {
        let search = search.get_or_insert_with(|| Search::new(plane.width, plane.height));
        search.push(&plane);
        frames += 1;
        let is_enough = frames == FIRST_LOOK && search.best(Key::public()).is_found();
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let search = search.ok_or_else(|| Error::Pixels("no frame in it".into()))?;
    Ok(search.best(Key::public()))
}

fn verdict(path: &str, reading: Reading, pixels: Result<Finding, Error>) -> Verdict {
    let mut notes = Vec::new();
    let finding = pixels.map_err(|error| notes.push(error.to_string())).ok();
    let is_marked = finding.is_some_and(|finding| finding.is_found());
    let (validity, credentials) = match reading {
        Reading::None => (Validity::None, None),
        Reading::Found(credentials) if credentials.state == State::Broken => (Validity::Invalid, Some(credentials)),
        Reading::Found(credentials) => (Validity::Valid, Some(credentials)),
    };
    let said = credentials.as_ref().filter(|_| validity == Validity::Valid).and_then(|said| said.is_generated);
    let Credentials { state, reasons, signer, generator, model, .. } = match credentials {
        Some(credentials) => *credentials,
        None => Credentials {
            state: State::Unknown,
            reasons: Vec::new(),
            signer: None,
            generator: None,
            is_generated: None,
            model: None,
        },
    };
    notes.splice(0..0, reasons);
    let [model, model_hash] = model.map_or([None, None], |model| model.map(Some));
    Verdict {
        path: path.to_string(),
        credentials: validity,
        signer,
        generator,
        watermark: if is_marked { Watermark::Found } else { Watermark::NotFound },
        // The mark speaks for itself; broken credentials say nothing.
        generated: if is_marked { Some(true) } else { said },
        signer_known: state == State::Known,
        model,
        model_hash,
        watermark_score: finding.map(|finding| hundredths(finding.score)),
        watermark_threshold: finding.map(|finding| hundredths(finding.threshold)),
        notes,
    }
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

impl Verdict {
    /// The verdict in a few sentences.
    pub fn words(&self) -> String {
        let signer = self.signer.as_deref().unwrap_or("somebody without a name");
        let known = if self.signer_known {
            "an identity that this computer knows"
        } else {
            "an identity that this computer does not know"
        };
        let first = match self.credentials {
            Validity::Valid => format!("Signed by {signer}, {known}; unchanged since."),
            Validity::Invalid => {
                "CHANGED after it was signed, or signed wrongly: what its credentials say does not count.".into()
            }
            Validity::None => "Not signed.".into(),
        };
        let made = self.generator.as_ref().filter(|_| self.credentials == Validity::Valid).map(|generator| {
            let model = self.model.as_ref().map(|model| format!(", model {model}")).unwrap_or_default();
            format!("Made by {generator}{model}.")
        });
        let mark = match (self.watermark, self.watermark_score) {
            (Watermark::Found, _) => "Holdfast's watermark is in the pixels.",
            (Watermark::NotFound, Some(_)) => "No watermark of Holdfast's was found.",
            (Watermark::NotFound, None) => "The pixels were not looked at.",
        };
        let generated = match self.generated {
            Some(true) if self.watermark == Watermark::Found => "So it was generated by a model.",
            Some(true) => "Its credentials say that it was generated by a model.",
            Some(false) => "Its credentials say that no model generated it.",
            None => "Nothing here says whether a model generated it.",
        };
        let notes = self.notes.iter().map(|note| format!("\n  note: {note}"));
        let sentences = [Some(first), made, Some(mark.into()), Some(generated.into())];
        let sentences: Vec<String> = sentences.into_iter().flatten().collect();
        format!("{}\n  {}{}", self.path, sentences.join(" "), notes.collect::<String>())
    }
}
