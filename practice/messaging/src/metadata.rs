//! `metadata` of a conversation: a JSON value of a program's own (behaviour 9).

use ward_engine::{Answer, FromIn, Given, IdCodec, In, Kind, Problems};
use ward_store::Json;

/// The longest, written out, in characters.
pub const METADATA_CHARS_MAX: usize = 2_000;

/// A JSON value as text.
#[derive(Clone, Debug, PartialEq)]
pub struct Metadata(pub String);

impl FromIn for Metadata {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        match value {
            In::Json(json) => Ok(Metadata(json.to_string())),
            other => String::from_in(other, at, ids)
                .map(|text| Metadata(serde_json::Value::from(text).to_string())),
        }
    }
}

/// A value that is too long is a problem.
pub fn check(value: &Given<Metadata>, problems: &mut Problems) {
    if value.value().is_some_and(|it| it.0.chars().count() > METADATA_CHARS_MAX) {
        let message = format!("Metadata is too long (maximum is {METADATA_CHARS_MAX} characters)");
        problems.add("metadata", message);
    }
}

/// Overwrites what is kept when something was sent.
pub fn set(value: &Given<Metadata>, kept: &mut Option<Json>) {
    match value {
        Given::Absent => {}
        Given::Null => *kept = None,
        Given::Value(value) => *kept = Some(Json(value.0.clone())),
    }
}
