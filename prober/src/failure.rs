//! Why a run has no result.

use thiserror::Error;

use crate::text::{Secrets, finding};

/// A sentence, and the exit status that goes with it.
#[derive(Clone, Debug, Error)]
#[error("{sentence}")]
pub struct Failure {
    /// 1 the answer is no, 2 wrong use, 69 not there, 70 internal.
    pub status: u8,
    /// What is wrong, where, and how to mend it.
    pub sentence: String,
}

impl Failure {
    /// The same as it may be said: without secrets and control characters, and not long.
    #[must_use]
    pub fn without(self, secrets: &Secrets) -> Failure {
        Failure { sentence: finding(&self.sentence, secrets), ..self }
    }

    /// It ran and the answer is no.
    pub fn said_no(sentence: impl Into<String>) -> Failure {
        Failure { status: 1, sentence: sentence.into() }
    }

    /// Wrong use of the command.
    pub fn usage(sentence: impl Into<String>) -> Failure {
        Failure { status: 2, sentence: sentence.into() }
    }

    /// Something that is needed is not there.
    pub fn unavailable(sentence: impl Into<String>) -> Failure {
        Failure { status: 69, sentence: sentence.into() }
    }

    /// A defect of this program.
    pub fn internal(sentence: impl Into<String>) -> Failure {
        Failure { status: 70, sentence: sentence.into() }
    }
}
