//! Why an attempt got no answer.

use crate::tables::Outcome;

/// An attempt without an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// Of which kind.
    pub outcome: Outcome,
    /// One sentence for developers; no text of the receiver's.
    pub sentence: &'static str,
}

impl Failure {
    /// The receiver is not reached.
    pub const fn unreachable(sentence: &'static str) -> Self {
        Failure { outcome: Outcome::Unreachable, sentence }
    }

    /// TLS fails.
    pub const fn insecure(sentence: &'static str) -> Self {
        Failure { outcome: Outcome::Insecure, sentence }
    }

    /// No answer in time.
    pub const fn timed_out() -> Self {
        Failure { outcome: Outcome::TimedOut, sentence: "No answer within 10 seconds" }
    }

    /// The name leads to where webhooks may not go.
    pub const fn forbidden() -> Self {
        let sentence = "The name leads to an address that is not public";
        Failure { outcome: Outcome::Forbidden, sentence }
    }
}
