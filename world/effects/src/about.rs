//! Which record a message is about.

use serde::Deserialize;
use serde_json::Value;

/// A record by its type in the contract and its id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The contract's type name, such as `User`.
    pub kind: String,
    /// The id as the contract writes it.
    pub id: String,
}

impl About {
    /// A client.
    pub fn client(id: i64) -> Self {
        About { kind: "User".to_owned(), id: id.to_string() }
    }
}

/// As a payload writes it; the id may be a number.
#[derive(Deserialize)]
pub(crate) struct Written {
    #[serde(rename = "type")]
    kind: String,
    id: Value,
}

impl Written {
    pub(crate) fn read(self) -> Option<About> {
        let id = match self.id {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        Some(About { kind: self.kind, id })
    }
}
