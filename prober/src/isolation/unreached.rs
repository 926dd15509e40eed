//! Rows of the catalogue that this suite does not try, and why: what is not built yet, and what
//! needs more than two processes and their files.

/// Row, what has to hold, and why it is not tried here.
pub const UNREACHED: [(&str, &str, &str); 31] = [
    (
        "ISO-07",
        "A swapped database is never read or written",
        "needs a PostgreSQL behind a proxy; tests/isolation/databases.rs does it",
    ),
    (
        "ISO-08",
        "Two instances on one database: the one that does not fit is refused",
        "needs PostgreSQL; of SQLite see ISO-10c; tests/isolation/databases.rs does it",
    ),
    (
        "ISO-10a",
        "A restored Production sends nothing by itself",
        "needs hundreds of effects that are due; tests/isolation/backups.rs does it",
    ),
    (
        "ISO-10b",
        "A Production backup is not restored into a Sandbox",
        "needs backups, also forged ones; tests/isolation/backups.rs does it",
    ),
    (
        "ISO-13",
        "A key row that was moved or put back opens nothing",
        "needs members with keys that are moved and put back; tests/isolation/keys.rs does it",
    ),
    (
        "ISO-17",
        "People see which environment they are in",
        "needs a browser; tests/browser/main.rs does it with the explorer",
    ),
    (
        "ISO-18",
        "No credential is in a log",
        "needs the log of a server at trace; tests/isolation/keys.rs does it",
    ),
    (
        "ISO-26",
        "A Sandbox reaches nobody but the receivers of its webhooks",
        "needs a network of its own; tests/effects/network.rs does it",
    ),
    (
        "ISO-27",
        "A real card is refused in a Sandbox",
        "there is no billing yet; card numbers in texts are ISO-33",
    ),
    (
        "ISO-28",
        "Claims and prescriptions say whether they are tests",
        "there are no claims and no prescriptions yet; of FHIR bundles practice/export/src/bundle.rs does it",
    ),
    ("ISO-29", "Automations begin disabled in Production", "there are no automations yet"),
    (
        "ISO-30",
        "What is simulated says so",
        "needs the mails of each template; world/effects/tests/it/templates.rs does it",
    ),
    (
        "ISO-31",
        "Held effects are let go by class, and not after a day",
        "needs a day to pass; tests/effects/cohort.rs does it",
    ),
    (
        "ISO-32",
        "Two workers do each job once",
        "needs two workers on one database; world/effects/tests/it/leases.rs does it",
    ),
    (
        "ISO-33",
        "Real people's data are refused by a Sandbox",
        "needs made-up records of real people; tests/http/tripwire.rs does it",
    ),
    (
        "ISO-34",
        "An export of the other environment is refused",
        "needs an export and a form with files; tests/http/files.rs does it; there is no import but of files",
    ),
    (
        "ISO-36",
        "Documents name their environment",
        "needs a reader of PDF; tests/http/notes_pdf.rs does it",
    ),
    ("ISO-37", "A dossier is not importable", "there is no dossier yet"),
    (
        "ISO-38",
        "A receiver says which environment it takes itself for",
        "needs a receiver; tests/webhooks/validation.rs does it",
    ),
    (
        "ISO-39",
        "A receiver that takes forged events is found",
        "needs a receiver; tests/webhooks/validation.rs does it",
    ),
    ("ISO-41", "A loop over webhooks ends", "needs a receiver; tests/webhooks/loops.rs does it"),
    (
        "ISO-42",
        "A local listener takes nothing from other receivers",
        "needs a receiver; tests/webhooks/command_line.rs does it",
    ),
    (
        "ISO-43",
        "Webhooks reach no private address",
        "needs names that change their address; world/webhooks/src/deliver/resolve.rs does it",
    ),
    (
        "ISO-44",
        "Three days of failures have the same end on the test clock",
        "needs a receiver; tests/webhooks/three_days.rs does it",
    ),
    (
        "ISO-45",
        "A test clock that was left on goes back",
        "needs the idle time to pass; tests/effects does it",
    ),
    (
        "ISO-48",
        "What goes wrong on purpose ends within an hour",
        "needs faults to end; tests/http/faults.rs does it",
    ),
    ("ISO-49", "Agents take no Production key", "there is no MCP server yet"),
    ("ISO-50", "A destructive confirmation asks for the environment", "there is no web app yet"),
    (
        "ISO-52",
        "Telemetry holds no client's data",
        "there is no telemetry but logs, which tests/trust/silence.rs looks at, and counts",
    ),
    (
        "ISO-54",
        "A load test names its environment",
        "there is no load tool that takes an address: ward-bench makes its own instances",
    ),
    (
        "ISO-55",
        "A Sandbox that ends says so before",
        "no Sandbox ends by itself but those of one command, and forks, when they were told to",
    ),
];

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    /// The text of a file, or of all files of a folder.
    fn text(path: &Path) -> String {
        if path.is_dir() {
            let entries = std::fs::read_dir(path).unwrap().flatten().map(|it| it.path());
            return entries.filter(|it| it.is_file()).map(|it| text(&it)).collect();
        }
        std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// A reason says what is not built, or where the row is tried instead: there a function has the
    /// row's number in its name.
    #[test]
    fn each_reason_is_what_is_not_built_or_names_a_test_of_its_row() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        for (iso, _, reason) in UNREACHED {
            let number = format!("{}_", iso.to_lowercase().replace('-', "_"));
            let words = reason.split([' ', ';', ',']);
            let places: Vec<&str> = words.filter(|word| word.contains('/')).collect();
            let is_told = ["there is no ", "there are no ", "no "];
            let is_told = is_told.iter().any(|it| reason.starts_with(it));
            assert!(is_told || !places.is_empty(), "{iso}: {reason}");
            for place in places {
                let text = text(&root.join(place));
                let mut functions = text.split("fn ").skip(1).filter_map(|it| it.split('(').next());
                assert!(functions.any(|name| name.contains(&number)), "{iso}: none in {place}");
            }
        }
    }
}
