//! Refusals with a number (`E-ISO-nn`), the crate's error, and the exit codes of the programs.

use std::fmt;

/// Wrong use of a command.
pub const EXIT_USAGE: i32 = 2;
/// A needed service is not there.
pub const EXIT_UNAVAILABLE: i32 = 69;
/// Internal error.
pub const EXIT_INTERNAL: i32 = 70;
/// Locked or busy: try again.
pub const EXIT_BUSY: i32 = 75;
/// Refused by environment or configuration.
pub const EXIT_REFUSED: i32 = 78;

/// A mix-up of environments, refused. Exits with [`EXIT_REFUSED`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IsoError {
    /// The row of the isolation suite, for example `ISO-02`.
    pub code: &'static str,
    /// What is wrong, in one sentence without a full stop and without any secret.
    pub sentence: String,
    /// What the reader can do about it.
    pub fix: String,
}

impl IsoError {
    /// A refusal under `code` (`ISO-nn`).
    pub fn new(code: &'static str, sentence: impl Into<String>, fix: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into(), fix: fix.into() }
    }
}

impl fmt::Display for IsoError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "E-{}: {}; fix: {}", self.code, self.sentence, self.fix)
    }
}

impl std::error::Error for IsoError {}

/// Why an instance could not be made, opened or changed. No variant carries a secret.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// An environment mix-up.
    #[error(transparent)]
    Iso(#[from] IsoError),
    /// Another process holds the instance; the text says who, where it is known.
    #[error("{0}")]
    Busy(String),
    /// The operating system refused `what`.
    #[error("{what}: {source}")]
    Io {
        /// What was tried, with the file's name.
        what: String,
        /// The system's answer.
        source: std::io::Error,
    },
    /// A file or setting is wrong; the text names it.
    #[error("{0}")]
    Config(String),
}

impl InstanceError {
    /// The exit code of a program that ends with this error.
    pub const fn exit_code(&self) -> i32 {
        match self {
            Self::Iso(_) | Self::Config(_) => EXIT_REFUSED,
            Self::Busy(_) => EXIT_BUSY,
            Self::Io { .. } => EXIT_INTERNAL,
        }
    }

    pub(crate) fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    /// A refusal of the configuration, as one sentence.
    pub fn config(sentence: impl Into<String>) -> Self {
        Self::Config(sentence.into())
    }
}
