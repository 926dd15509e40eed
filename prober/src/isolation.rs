//! The isolation conformance suite on a pair of its own: the checks from outside, and what needs
//! the files, writes that are refused, and starts that fail. Cases are made from what there is:
//! every table, every operation, every argument that takes an id.

mod copies;
pub mod dump;
mod leaks;
mod operations;
mod own;
mod starts;
mod unreached;

use std::path::Path;

use crate::checks;
use crate::failure::Failure;
use crate::kind::Kind;
use crate::pair::Pair;
use crate::report::{Report, Row};

pub use own::Own;
pub use unreached::UNREACHED;

/// What the rows are tried on.
pub struct Ground {
    /// The program, and the folder that all instances are in.
    own: Own,
    /// Both, running, with their clocks stopped where they can be.
    pair: Pair,
}

impl Ground {
    fn dir(&self, kind: Kind) -> &Path {
        self.own.dir(kind)
    }
}

/// A row of the suite.
struct Tried {
    id: &'static str,
    iso: &'static str,
    title: &'static str,
    run: fn(&Ground, &mut Row) -> Result<(), Failure>,
}

const fn tried(
    id: &'static str,
    iso: &'static str,
    title: &'static str,
    run: fn(&Ground, &mut Row) -> Result<(), Failure>,
) -> Tried {
    Tried { id, iso, title, run }
}

/// In the order in which they are tried: what ends keys and ids comes last.
const TRIED: [Tried; 17] = [
    tried("wrong-kind", "ISO-01", "A start as the wrong kind is refused", starts::wrong_kind),
    tried(
        "copied-database",
        "ISO-02",
        "A database file of another instance is refused",
        starts::copied_database,
    ),
    tried("copied-rows", "ISO-03", "No table takes a row of the other environment", copies::rows),
    tried(
        "both-variables",
        "ISO-04",
        "Variables of both kinds are refused",
        starts::both_variables,
    ),
    tried(
        "live-settings",
        "ISO-05",
        "A Sandbox refuses the settings of live connectors",
        starts::live_settings,
    ),
    tried("conversion", "ISO-06", "No instance is made the other kind", starts::conversion),
    tried(
        "second-process",
        "ISO-10c",
        "A second process on the same files is refused",
        starts::second_process,
    ),
    tried(
        "copied-directory",
        "ISO-09",
        "A copied directory is quarantined",
        starts::copied_directory,
    ),
    tried(
        "every-operation",
        "ISO-11",
        "Every operation refuses the other's key",
        operations::every_operation,
    ),
    tried(
        "no-trace",
        "ISO-12",
        "A key of another instance is refused and leaves no trace",
        leaks::no_trace,
    ),
    tried(
        "every-id",
        "ISO-19",
        "Every input that takes an id refuses the other's",
        operations::every_id,
    ),
    tried(
        "documentation",
        "ISO-20",
        "No operation takes an id of documentation",
        operations::documentation,
    ),
    tried(
        "only-a-sandbox",
        "ISO-35",
        "What is for Sandboxes refuses a Production",
        leaks::only_a_sandbox,
    ),
    tried(
        "secrets-are-made",
        "ISO-40",
        "No input sets a webhook's secret",
        operations::secrets_are_made,
    ),
    tried(
        "leaked-key",
        "ISO-14",
        "A leaked key is ended by who found it, and nothing else",
        leaks::leaked_key,
    ),
    tried("stale-ids", "ISO-21", "Ids of before a reset name nothing", leaks::stale_ids),
    tried(
        "every-answer",
        "ISO-24",
        "No answer of all that is tried names the other",
        leaks::every_answer,
    ),
];

/// Tries everything on a pair that the program `ward` makes in a folder.
pub fn run(ward: &Path, folder: &Path, told: impl Fn(&str)) -> Result<Report, Failure> {
    told("making a Sandbox and a Production …");
    let (own, pair) = Own::start(ward, folder)?;
    let ground = Ground { own, pair };
    let secrets = ground.pair.secrets();
    told("trying what is seen from outside …");
    let mut report = checks::begun("isolation", &ground.pair)?;
    for it in &TRIED {
        if report.ended().is_none() {
            told(&format!("{}: {} …", it.iso, it.title));
        }
        let row = Row::new(it.id, it.iso, it.title, &secrets);
        report.try_row(row, |row| (it.run)(&ground, row));
    }
    report.rows.extend(UNREACHED.iter().map(|(iso, title, reason)| {
        let mut row = Row::new("", iso, title, &secrets);
        row.without(*reason);
        row
    }));
    // As the catalogue is numbered, GL after ISO.
    report.rows.sort_by_key(|row| (!row.iso.starts_with("ISO"), row.iso));
    report.finished()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// No row of the catalogue is left out without a word.
    #[test]
    fn every_row_of_the_catalogue_is_tried_or_has_a_reason() {
        let numbers =
            (1..=55).filter(|number| *number != 10).map(|number| format!("ISO-{number:02}"));
        let all: BTreeSet<String> =
            numbers.chain(["a", "b", "c"].map(|part| format!("ISO-10{part}"))).collect();
        let tried: BTreeSet<String> =
            TRIED.iter().map(|it| it.iso).chain(checks::rows()).map(str::to_owned).collect();
        let told: BTreeSet<String> = UNREACHED.iter().map(|(iso, ..)| (*iso).to_owned()).collect();
        assert_eq!(tried.intersection(&told).collect::<Vec<_>>(), Vec::<&String>::new());
        let named: BTreeSet<String> =
            tried.union(&told).filter(|iso| iso.starts_with("ISO")).cloned().collect();
        assert_eq!(named, all);
        assert_eq!(all.len(), 57);
    }
}
