//! The list of what does not pass, each with its reason.

use std::collections::BTreeMap;

use crate::Fault;

/// The path that stands for the whole operation.
pub const OPERATION: &str = "operation";

/// The committed list: `operation-id | view | path or "operation" | reason`, one a line.
pub struct Reasons(BTreeMap<Fault, String>);

impl Reasons {
    /// Reads the list.
    pub fn load() -> Reasons {
        let lines = include_str!("reasons.txt").lines().map(str::trim);
        let entries = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(|line| {
            let parts: Vec<&str> = line.splitn(4, '|').map(str::trim).collect();
            let [op, view, path, reason] = parts[..] else { panic!("not four parts: {line}") };
            assert!(reason.len() > 10, "not a reason: {line}");
            ((op.to_owned(), view.to_owned(), path.to_owned()), reason.to_owned())
        });
        let all: Vec<_> = entries.collect();
        let count = all.len();
        let reasons = Reasons(all.into_iter().collect());
        assert_eq!(reasons.0.len(), count, "an entry stands twice in reasons.txt");
        reasons
    }

    /// Asserts that the faults are those of the list, no more and no fewer.
    pub fn assert_match(&self, faults: &BTreeMap<Fault, String>) {
        let shown = |(op, view, path): &Fault| format!("{op} | {view} | {path}");
        let new = faults.iter().filter(|(fault, _)| !self.0.contains_key(*fault));
        let new: Vec<String> =
            new.map(|(fault, what)| format!("{}: {what}", shown(fault))).collect();
        let gone: Vec<String> =
            self.0.keys().filter(|fault| !faults.contains_key(*fault)).map(shown).collect();
        assert!(
            new.is_empty() && gone.is_empty(),
            "{} fail without a reason:\n{}\n{} reasons are no longer needed:\n{}",
            new.len(),
            new.join("\n"),
            gone.len(),
            gone.join("\n")
        );
    }
}
