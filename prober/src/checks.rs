//! What is tried of a pair from outside. Only reads: every operation is a query, every other
//! request a `GET`, and what a check attempts is refused before anything is looked up where the
//! two are apart. A key is sent to the other instance on purpose: that it is refused there is the
//! first thing to know.

mod answers;
mod doors;
mod ids;
mod keys;
mod texts;

use crate::failure::Failure;
use crate::pair::Pair;
use crate::report::{Report, Row};

/// One check.
struct Check {
    id: &'static str,
    iso: &'static str,
    title: &'static str,
    run: fn(&Pair, &mut Row) -> Result<(), Failure>,
}

const fn check(
    id: &'static str,
    iso: &'static str,
    title: &'static str,
    run: fn(&Pair, &mut Row) -> Result<(), Failure>,
) -> Check {
    Check { id, iso, title, run }
}

/// All, in the order of the report. What every answer of the run has to be comes last, when most
/// is answered.
const CHECKS: [Check; 21] = [
    check("addresses", "ISO-53", "No address and port is both's", doors::addresses),
    check("tls-keys", "ISO-51", "Their certificates have different keys", doors::tls_keys),
    check(
        "sandbox-key-in-production",
        "ISO-11",
        "Production refuses the Sandbox's key, however it is sent",
        keys::sandbox_key_in_production,
    ),
    check(
        "production-key-in-sandbox",
        "ISO-12",
        "The Sandbox refuses Production's key, however it is sent",
        keys::production_key_in_sandbox,
    ),
    check("sessions", "ISO-15", "A session of the one opens nothing at the other", keys::sessions),
    check(
        "tokens",
        "ISO-25",
        "Cursors and links of the one open nothing at the other",
        texts::tokens,
    ),
    check("id-ranges", "ISO-22", "Every id tells its environment by its value", ids::ranges),
    check("rows", "ISO-03", "No object is answered by both", ids::rows),
    check(
        "foreign-ids",
        "ISO-19",
        "An id of the other is refused wherever an id is taken",
        ids::foreign,
    ),
    check(
        "oracle",
        "ISO-19",
        "A foreign id is answered alike, whether it names something or not",
        ids::oracle,
    ),
    check("documentation-ids", "ISO-20", "Ids of documentation name nothing", ids::documentation),
    check(
        "expectation",
        "ISO-23",
        "Who expects the other environment is answered 421",
        doors::expectation,
    ),
    check("host", "ISO-53", "A foreign host is answered 421", doors::host),
    check(
        "control-plane",
        "ISO-46",
        "The Sandbox's control plane is not in Production",
        doors::control_plane,
    ),
    check(
        "webhook-secrets",
        "ISO-40",
        "Webhook secrets tell their environment, and none is both's",
        texts::webhook_secrets,
    ),
    check("schema", "GL-02", "Both have one schema, to the byte", texts::schema),
    check(
        "cookies",
        "ISO-16",
        "The other's cookies lead nowhere, and those set are bound to their host and named apart",
        answers::cookies,
    ),
    check("clock", "ISO-47", "Their clocks tell the time", answers::clock),
    check(
        "environment-header",
        "ISO-23",
        "Every answer names the environment",
        answers::environment,
    ),
    check("instance-tag", "ISO-12", "Each has a tag of its own, and names it", answers::instance),
    check("links", "ISO-24", "Nothing that the one answers names the other", texts::links),
];

/// Tries a pair; each has to know its own key, and its session where one is given.
pub fn probe(pair: &Pair) -> Result<Report, Failure> {
    begun("probe", pair)?.finished()
}

/// A report with all checks tried, or those before the one that could not be.
pub fn begun(suite: &'static str, pair: &Pair) -> Result<Report, Failure> {
    let secrets = pair.secrets();
    for (side, _) in pair.ways() {
        side.must_know_its_own().map_err(|failure| failure.without(&secrets))?;
    }
    texts::learn_hosts(pair).map_err(|failure| failure.without(&secrets))?;
    let mut report = Report::new(suite);
    for check in &CHECKS {
        let row = Row::new(check.id, check.iso, check.title, &secrets);
        report.try_row(row, |row| (check.run)(pair, row));
    }
    report.instances = pair.json();
    Ok(report)
}

/// No answer so far names the other: once more, when more than the checks was tried.
pub fn every_answer(pair: &Pair, row: &mut Row) -> Result<(), Failure> {
    texts::every_answer(pair, row)
}

/// The rows of the catalogue that the checks are of.
pub fn rows() -> impl Iterator<Item = &'static str> {
    CHECKS.iter().map(|check| check.iso)
}
