//! Why appointments are called off: a code set, each with whose reason it is
//! (behaviour 23.4).

use serde_json::{Value as Json, json};

use super::status::CancelledBy;

/// A reason: its number, its label, and whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reason {
    /// What an input names it by.
    pub number: i64,
    /// What people read.
    pub label: &'static str,
    /// Who has such reasons.
    pub of: CancelledBy,
}

const fn reason(number: i64, label: &'static str, of: CancelledBy) -> Reason {
    Reason { number, label, of }
}

/// All of them, in the order in which they are listed.
pub const ALL: [Reason; 12] = [
    reason(1, "Scheduling conflict", CancelledBy::Client),
    reason(2, "Feeling better", CancelledBy::Client),
    reason(3, "Sick or unwell", CancelledBy::Client),
    reason(4, "Transportation", CancelledBy::Client),
    reason(5, "Cost or insurance", CancelledBy::Client),
    reason(6, "Chose another provider", CancelledBy::Client),
    reason(7, "Provider unavailable", CancelledBy::Provider),
    reason(8, "Provider sick or unwell", CancelledBy::Provider),
    reason(9, "Booked in error", CancelledBy::Provider),
    reason(10, "Office closed", CancelledBy::Organization),
    reason(11, "Technical difficulties", CancelledBy::Organization),
    reason(12, "Coverage not verified", CancelledBy::Organization),
];

/// The reason of a number.
pub fn of_number(number: i64) -> Option<&'static Reason> {
    ALL.iter().find(|it| it.number == number)
}

/// The reason that an input names.
pub fn of_text(text: &str) -> Option<&'static Reason> {
    text.trim().parse().ok().and_then(of_number)
}

impl Reason {
    /// As the contract's `CancellationReason`.
    pub fn shown(&self) -> Json {
        json!({
            "id": self.number.to_string(),
            "label": self.label,
            "reason_type": self.of.as_str(),
        })
    }
}

/// The members of the contract's `CancellationReason`.
pub const MEMBERS: &[&str] = &["id", "label", "reason_type"];

/// Those of a kind; of any without one.
pub fn of_kind(kind: Option<CancelledBy>) -> Vec<Json> {
    let of = |it: &&Reason| kind.is_none_or(|kind| it.of == kind);
    ALL.iter().filter(of).map(Reason::shown).collect()
}
