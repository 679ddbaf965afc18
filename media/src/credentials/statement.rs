//! What credentials say: who drew the pixels, from which start, under which actions.

use serde_json::{Value, json};

/// Who drew the pixels.
#[derive(Debug, Clone, PartialEq)]
pub enum Origin {
    /// A model: named, and told from others by the hash of its weights.
    Model { name: String, hash: String },
    /// The simulator: rules, no model.
    Simulator,
    /// Pictures of both, side by side.
    Both { name: String, hash: String },
}

/// What a world began with.
#[derive(Debug, Clone, PartialEq)]
pub enum Start {
    Seed(u64),
    /// The bytes of a PNG picture, which is named as an ingredient.
    Picture {
        name: String,
        png: Vec<u8>,
    },
    /// A world that went on from where it was.
    Unknown,
}

/// What is signed.
#[derive(Debug, Clone, PartialEq)]
pub struct Statement {
    pub title: String,
    /// Of this software.
    pub version: String,
    pub origin: Origin,
    pub start: Start,
    /// BLAKE3 of the actions that led here, as lines of an actions file.
    pub actions_hash: Option<String>,
    /// Ticks from the start to the first and the last picture.
    pub ticks: [u64; 2],
    /// Whether the pixels carry the watermark.
    pub is_marked: bool,
}

/// Our own assertion, for what no standard one holds.
pub const LABEL: &str = "org.holdfast.generation";
pub const NAME: &str = "Holdfast";
/// IPTC's vocabulary of sources.
const SOURCES: &str = "http://cv.iptc.org/newscodes/digitalsourcetype/";
/// How an action names the start picture among the ingredients.
pub const START_INGREDIENT: &str = "start";

impl Origin {
    /// The last word of IPTC's name.
    pub fn source_type(&self) -> &'static str {
        match self {
            Origin::Model { .. } => "trainedAlgorithmicMedia",
            Origin::Simulator => "algorithmicMedia",
            Origin::Both { .. } => "compositeWithTrainedAlgorithmicMedia",
        }
    }

    fn model(&self) -> Value {
        match self {
            Origin::Model { name, hash } | Origin::Both { name, hash } => json!({ "name": name, "hash": hash }),
            Origin::Simulator => Value::Null,
        }
    }
}

/// Whether a source type means that a model made at least part of it.
pub fn is_generated(source_type: &str) -> bool {
    source_type.to_ascii_lowercase().contains("trainedalgorithmic")
}

impl Statement {
    pub(super) fn manifest(&self) -> Value {
        let mut created = json!({
            "action": "c2pa.created",
            "digitalSourceType": format!("{SOURCES}{}", self.origin.source_type()),
            "softwareAgent": { "name": NAME, "version": self.version },
        });
        let start = match &self.start {
            Start::Seed(seed) => json!({ "seed": seed }),
            Start::Picture { name, .. } => {
                created["parameters"] = json!({ "ingredientIds": [START_INGREDIENT] });
                json!({ "picture": name })
            }
            Start::Unknown => Value::Null,
        };
        let ours = json!({
            "model": self.origin.model(),
            "start": start,
            "actions_blake3": self.actions_hash,
            "first_tick": self.ticks[0],
            "last_tick": self.ticks[1],
            "watermark": self.is_marked,
        });
        json!({
            "claim_generator_info": [{ "name": NAME, "version": self.version }],
            "title": self.title,
            "assertions": [
                { "label": "c2pa.actions.v2", "data": { "actions": [created] } },
                { "label": LABEL, "data": ours },
            ],
        })
    }
}
