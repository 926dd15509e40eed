//! Rows of the catalogue that this suite does not try, and why: what is not built yet, and what
//! needs more than two processes and their files.

/// Row, what has to hold, and why it is not tried here.
pub const UNREACHED: [(&str, &str, &str); 31] = [
    (
        "ISO-07",
        "A swapped database is never read or written",
        "needs a PostgreSQL behind a proxy; tests/isolation does it",
    ),
    (
        "ISO-08",
        "Two instances on one database: the one that does not fit is refused",
        "needs PostgreSQL; of SQLite see ISO-10c; tests/isolation does it",
    ),
    (
        "ISO-10a",
        "A restored Production sends nothing by itself",
        "needs hundreds of effects that are due; tests/isolation and tests/reliability do it",
    ),
    (
        "ISO-10b",
        "A Production backup is not restored into a Sandbox",
        "writes into stopped instances; tests/isolation does it",
    ),
    (
        "ISO-13",
        "A key row that was moved or put back opens nothing",
        "writes into a running instance's database; tests/isolation does it",
    ),
    (
        "ISO-17",
        "People see which environment they are in",
        "needs a browser; tests/browser does it",
    ),
    (
        "ISO-18",
        "No credential is in a log",
        "needs the log of a server at trace; tests/isolation does it",
    ),
    (
        "ISO-26",
        "A Sandbox reaches nobody but the receivers of its webhooks",
        "needs a network of its own; tests/effects does it",
    ),
    (
        "ISO-27",
        "A real card is refused in a Sandbox",
        "there is no billing yet; card numbers in texts are ISO-33",
    ),
    (
        "ISO-28",
        "Claims and prescriptions say whether they are tests",
        "there are no claims and no prescriptions yet",
    ),
    ("ISO-29", "Automations begin disabled in Production", "there are no automations yet"),
    (
        "ISO-30",
        "What is simulated says so",
        "needs the mails of each template; tests/effects does it",
    ),
    (
        "ISO-31",
        "Held effects are let go by class, and not after a day",
        "needs a day to pass; tests/effects does it",
    ),
    (
        "ISO-32",
        "Two workers do each job once",
        "needs two workers on one database; tests/effects does it",
    ),
    (
        "ISO-33",
        "Real people's data are refused by a Sandbox",
        "needs the corpus of records; tests/http does it",
    ),
    (
        "ISO-34",
        "An export of the other environment is refused",
        "there are no exports and no imports yet",
    ),
    ("ISO-36", "Documents name their environment", "there are no documents and no web app yet"),
    ("ISO-37", "A dossier is not importable", "there is no dossier yet"),
    (
        "ISO-38",
        "A receiver says which environment it takes itself for",
        "needs a receiver; tests/webhooks does it",
    ),
    (
        "ISO-39",
        "A receiver that takes forged events is found",
        "needs a receiver; tests/webhooks does it",
    ),
    ("ISO-41", "A loop over webhooks ends", "needs a receiver; tests/webhooks does it"),
    (
        "ISO-42",
        "A local listener takes nothing from other receivers",
        "needs a receiver; tests/webhooks does it",
    ),
    ("ISO-43", "Webhooks reach no private address", "needs a name server; tests/webhooks does it"),
    (
        "ISO-44",
        "Three days of failures have the same end on the test clock",
        "needs a receiver; tests/webhooks does it",
    ),
    (
        "ISO-45",
        "A test clock that was left on goes back",
        "needs the idle time to pass; tests/effects does it",
    ),
    (
        "ISO-48",
        "What goes wrong on purpose ends within an hour",
        "needs an hour to pass; tests/http does it",
    ),
    ("ISO-49", "Agents take no Production key", "there is no MCP server yet"),
    ("ISO-50", "A destructive confirmation asks for the environment", "there is no web app yet"),
    (
        "ISO-52",
        "Telemetry holds no client's data",
        "there is no telemetry but logs; tests/trust looks at them",
    ),
    ("ISO-54", "A load test names its environment", "there is no load tool yet"),
    (
        "ISO-55",
        "A Sandbox that ends says so before",
        "no Sandbox ends by itself but those of one command",
    ),
];
