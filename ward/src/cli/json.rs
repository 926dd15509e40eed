//! `--json`, which every command has.

use std::path::PathBuf;

/// What `--json` asks for. It is one type everywhere, since it is one option of every command, and
/// takes a file only where the standard output belongs to somebody else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonWanted {
    /// Text for people.
    No,
    /// JSON on standard output.
    Answer,
    /// JSON in a file.
    File(PathBuf),
}

impl JsonWanted {
    pub(super) fn flag(text: &str) -> Result<Self, &'static str> {
        Ok(if text == "true" { JsonWanted::Answer } else { JsonWanted::No })
    }

    pub(super) fn file(text: &str) -> Result<Self, &'static str> {
        match text {
            "" => Err("name a file"),
            path => Ok(JsonWanted::File(path.into())),
        }
    }
}
