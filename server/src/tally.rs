//! What was asked of the instance since the counting began, by operation: for the report of a
//! Sandbox that lives for one command. Nobody else counts.

use std::collections::{BTreeMap, BTreeSet};

use parking_lot::Mutex;
use ward_instance::FaultKind;

/// The counts of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Asked {
    /// Requests that named it.
    pub requests: u64,
    /// Of these, answers with an error, by its code, or [`NO_CODE`].
    pub refused: BTreeMap<String, u64>,
    /// Of these, answers that were our failure: a status of 500 or above.
    pub unexpected: u64,
}

/// The answers that a kind of fault has hit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Faulted {
    /// All of them.
    pub answers: u64,
    /// Of these, those with a status of 500 or above that was asked for: the fault's own. One that a
    /// fault only marks, such as `latency`, is our failure.
    pub failed: u64,
}

/// Counts by operation, such as `query currentUser`, and by kind of fault.
#[derive(Debug, Default)]
pub struct Tally {
    asked: Mutex<BTreeMap<String, Asked>>,
    faults: Mutex<BTreeMap<String, Faulted>>,
}

/// Stands for the code of errors that have none: a document that does not fit the contract.
pub const NO_CODE: &str = "-";

/// What is counted of documents that name no operation of the contract.
const UNREADABLE: &str = "refused document";

impl Tally {
    /// Counts one answered request, once for each operation in it; `refused` is the code of its error, if it has one.
    pub fn note(&self, operations: Vec<String>, refused: Option<&str>, status: u16) {
        let mut names: BTreeSet<String> = operations.into_iter().collect();
        if names.is_empty() {
            names.insert(UNREADABLE.to_owned());
        }
        let mut counts = self.asked.lock();
        for name in names {
            let asked = counts.entry(name).or_default();
            asked.requests += 1;
            if let Some(code) = refused {
                *asked.refused.entry(code.to_owned()).or_default() += 1;
            }
            asked.unexpected += u64::from(status >= 500);
        }
    }

    /// What was counted so far.
    pub fn counts(&self) -> BTreeMap<String, Asked> {
        self.asked.lock().clone()
    }

    /// Counts an answer that a fault has hit, of which its mark tells.
    pub fn note_fault(&self, mark: &str, status: u16) {
        let kind = mark.split(';').next().unwrap_or_default();
        let mut counts = self.faults.lock();
        let faulted = counts.entry(kind.to_owned()).or_default();
        faulted.answers += 1;
        let is_its_own = FaultKind::from_text(kind).is_some_and(FaultKind::is_failure);
        faulted.failed += u64::from(status >= 500 && is_its_own);
    }

    /// What faults have hit so far.
    pub fn faults(&self) -> BTreeMap<String, Faulted> {
        self.faults.lock().clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_counted_by_operation_and_by_what_was_wrong() {
        let tally = Tally::default();
        let of = |name: &str| vec![name.to_owned()];
        tally.note(of("query user"), None, 200);
        tally.note(of("query user"), Some("PERMISSION_DENIED"), 200);
        tally.note(of("query user"), Some("INTERNAL"), 500);
        tally.note(Vec::new(), Some(NO_CODE), 200);
        let twice = [of("query organization"), of("query organization")].concat();
        tally.note(twice, None, 200);
        let counts = tally.counts();
        let user = &counts["query user"];
        assert_eq!((user.requests, user.unexpected), (3, 1));
        assert_eq!(user.refused.keys().collect::<Vec<_>>(), ["INTERNAL", "PERMISSION_DENIED"]);
        assert_eq!(counts["query organization"].requests, 1, "by two names in one request");
        assert_eq!(counts[UNREADABLE].refused[NO_CODE], 1);
    }

    #[test]
    fn answers_are_counted_by_the_fault_that_hit_them() {
        let tally = Tally::default();
        for (mark, status) in [
            ("bad_gateway; id=1", 502),
            ("bad_gateway; id=2", 502),
            ("latency; id=3", 200),
            // Failures of ours, which a fault has marked.
            ("latency; id=3", 500),
            ("truncated_json; id=4", 503),
        ] {
            tally.note_fault(mark, status);
        }
        let [gateway, latency, truncated] =
            ["bad_gateway", "latency", "truncated_json"].map(|kind| tally.faults()[kind].clone());
        assert_eq!(gateway, Faulted { answers: 2, failed: 2 });
        assert_eq!(latency, Faulted { answers: 2, failed: 0 });
        assert_eq!(truncated, Faulted { answers: 1, failed: 0 });
        assert!(tally.counts().is_empty());
    }
}
