//! Who may do what: every served root field, and every argument that names an object, tried by
//! every kind of principal. The verdicts are committed in `verdicts.txt`, where a reviewer reads
//! them; `WARD_UPDATE=1` writes the file anew.
//!
//! Besides the file, these hold by themselves: nobody of another organization gets anything of
//! organization A, or an answer that differs from the one for an id that nobody ever had; nobody
//! without a credential gets anything but what is public; a client gets what is their own.

#![allow(
    clippy::disallowed_methods,
    reason = "a test reads its environment and waits by the real clock"
)]
#![allow(clippy::unwrap_used)]

mod booked;
mod call;
mod canary;
mod care;
mod charting;
mod clients;
mod clinical;
mod documents;
mod flags;
mod foreign;
mod identity;
mod lists;
mod meaning;
mod messaging;
mod objects;
mod one_flag;
mod paint;
mod principal;
mod sample;
mod scheduling;
mod sites;
mod walk;
mod webhooks;
mod world;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ward_tests::schema::{Root, Schema};
use ward_tests::{BASELINE, Engine, V2026, tell};

use crate::call::{Filled, Line, fill, lines, send, verdict};
use crate::principal::Principal;
use crate::sample::Sample;
use crate::world::World;

/// What strangers may ask, with everybody else (behaviour 3.4).
const PUBLIC: [&str; 11] = [
    "validateResetPasswordToken",
    "validateSignupToken",
    "brand",
    "brandFromCustomSignInPath",
    "embedWidgetSteps",
    "medication_options",
    "organization",
    "organizationMembership",
    "resetPassword",
    "signIn",
    "signUp",
];

/// Who names a client whom they do not see is answered their own (behaviour 32), and a
/// client their own appointments, steps, requests and entries, whatever they name (behaviour 23.6,
/// 27, 28, 30).
const OWN_INSTEAD: [&str; 10] = [
    "conversationMemberships",
    "conversationMembershipsAllCounts",
    "conversationMembershipsCount",
    "appointments",
    "appointmentsCount",
    "entries",
    "entriesCount",
    "intakeFlow",
    "requestedFormCompletions",
    "unassociatedCompletedOnboardingItems",
];

/// How many refused writes stand between two looks at everything that the instance holds.
const WRITES_BETWEEN_DUMPS: usize = 24;

/// A verdict for every principal, in the order of the columns.
type Row = [String; Principal::COLUMNS.len()];

#[test]
fn every_root_field_and_principal() {
    let mut world = World::new(Engine::Sqlite);
    let mut table: BTreeMap<(bool, String), Row> = BTreeMap::new();
    let mut faults = Vec::new();
    let mut calls = 0;
    let sample = Sample::announced("authorization");
    // All reads first: what the writes make would show in them.
    for (root, view) in
        [Root::Query, Root::Mutation].iter().flat_map(|root| [(*root, V2026), (*root, BASELINE)])
    {
        // A whole run of writes makes more than one organization may have.
        match sample.is_whole() && root == Root::Mutation {
            true => world = World::new(Engine::Sqlite),
            false => world.next_call(),
        }
        let schema = Schema::of(&world.server.api(), view);
        let (lines, unmapped) = lines(&schema);
        assert!(unmapped.is_empty(), "nobody has said what these mean: {unmapped:#?}");
        // Both views stand on the same operations: the second look is a sample.
        let key = |line: &Line| (root == Root::Mutation, line.name());
        let is_due = |line: &Line| !table.contains_key(&key(line)) || sample.has(&line.name());
        let lines: Vec<Line> =
            lines.into_iter().filter(|line| line.root == root && is_due(line)).collect();
        let mut refused = BTreeMap::new();
        let foreign: Vec<&Line> = lines.iter().filter(|line| is_foreign_write(line)).collect();
        for group in foreign.chunks(WRITES_BETWEEN_DUMPS) {
            foreign_writes(&mut world, &schema, group, &mut refused, &mut faults);
        }
        for line in &lines {
            let key = key(line);
            let row = Principal::COLUMNS.map(|principal| {
                calls += 1;
                let known = (principal == Principal::Other).then(|| refused.remove(&key.1));
                known.flatten().unwrap_or_else(|| {
                    let filled = fill(&mut world, line, principal);
                    judged(&mut world, &schema, line, principal, &filled, &mut faults)
                })
            });
            let known = table.entry(key).or_insert_with(|| row.clone());
            // What there is to see may have changed since the first look; whether it is
            // allowed may not.
            if allowed(known) != allowed(&row) {
                faults.push(format!(
                    "{}: {view} judges otherwise: {row:?}, not {known:?}",
                    line.name()
                ));
            }
        }
    }
    let roots = table.keys().filter(|(_, name)| !name.contains('(')).count();
    tell(
        "authorization",
        format_args!(
            "{roots} root fields, {} lines x {} principals, {calls} calls",
            table.len(),
            Principal::COLUMNS.len()
        ),
    );
    compare(concat!(env!("CARGO_MANIFEST_DIR"), "/authorization/verdicts.txt"), &shown(&table));
    blame(&faults);
}

/// Which principals are not denied.
fn allowed(row: &Row) -> [bool; Principal::COLUMNS.len()] {
    row.each_ref().map(|verdict| verdict != "denied" && verdict != "refused")
}

/// Fails with the first faults, if there are any.
fn blame(faults: &[String]) {
    let shown: Vec<String> =
        faults.iter().take(40).map(|it| it.chars().take(900).collect()).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), shown.join("\n"));
}

/// Whether an owner of another organization must be refused, with nothing left behind.
fn is_foreign_write(line: &Line) -> bool {
    line.root == Root::Mutation
        && line.names_object()
        && !PUBLIC.contains(&line.field.name.as_str())
}

/// The verdicts of writes to what is another organization's. Everything that the instance holds
/// is looked at before and after all of them; when anything has changed, around each.
fn foreign_writes(
    world: &mut World,
    schema: &Schema,
    group: &[&Line],
    verdicts: &mut BTreeMap<String, String>,
    faults: &mut Vec<String>,
) {
    let filled: Vec<Filled> =
        group.iter().map(|line| fill(world, line, Principal::Other)).collect();
    let before = world.instance.settled_dump();
    let mut found = Vec::new();
    for (line, filled) in group.iter().zip(&filled) {
        let verdict = judged(world, schema, line, Principal::Other, filled, &mut found);
        verdicts.insert(line.name(), verdict);
    }
    let changed = before != world.instance.settled_dump();
    match group {
        [line] if changed => found.push(format!("{} changes what is not theirs", line.name())),
        [_] => {}
        _ if changed => {
            found.clear();
            for line in group {
                foreign_writes(world, schema, &[*line], verdicts, &mut found);
            }
            let names: Vec<String> = group.iter().map(|line| line.name()).collect();
            found.push(format!("one of these changes what is not theirs: {names:?}"));
        }
        _ => {}
    }
    faults.append(&mut found);
}

fn judged(
    world: &mut World,
    schema: &Schema,
    line: &Line,
    principal: Principal,
    filled: &Filled,
    faults: &mut Vec<String>,
) -> String {
    let is_public = PUBLIC.contains(&line.field.name.as_str())
        || principal == Principal::Anonymous
            && foreign::OF_STRANGERS.contains(&line.field.name.as_str());
    let reply = send(world, schema, line, principal, &filled.values);
    let verdict = verdict(line, &reply);
    world.spent |= verdict == "done";
    let gets = verdict == "rows" || verdict == "done";
    if line.field.name == "revokeToken" {
        world.end_session();
    }
    let mut fault = |what: &str| {
        let text: String = reply.text.chars().take(300).collect();
        faults.push(format!("{} as {}: {what}: {text}", line.name(), principal.title()));
    };
    let is_refused = verdict == "refused";
    if is_refused != (principal == Principal::Deactivated) {
        fault("a credential that counts and should not, or the other way round");
    }
    if reply.status != 200 || verdict.starts_with("error:") {
        fault("not an answer");
    }
    let foreign = principal.is_foreign() && !OWN_INSTEAD.contains(&line.field.name.as_str());
    if gets && !is_public && (foreign && line.names_object() || principal == Principal::Anonymous) {
        fault("gets what is not theirs");
    }
    // Whoever signs in is somebody else from there on.
    let reader = if line.signs_in() { Principal::Anonymous } else { principal };
    if let Some(word) = canary::leaked(None, reader, &reply.text) {
        fault(&format!("reads {word:?}, which is not theirs"));
    }
    if principal == Principal::Other && line.names_object() && !is_public {
        let mut values = filled.values.clone();
        for (_, value) in &mut values {
            for (_, object, id) in &filled.ids {
                let never = world.never(*object);
                *value = serde_json::from_str(&value.to_string().replace(id, &never)).unwrap();
            }
        }
        let again = send(world, schema, line, principal, &values);
        let masked = filled.ids.iter().fold(reply.text.clone(), |text, (_, object, id)| {
            text.replace(id, &world.never(*object))
        });
        if (reply.status, &masked) != (again.status, &again.text) {
            fault(&format!("an id that nobody has is answered otherwise, with {}", again.text));
        }
    }
    verdict
}

fn shown(table: &BTreeMap<(bool, String), Row>) -> String {
    let mut text = String::from(
        "# What every root field answers to every principal; a line with an argument names an object\n\
         # there besides what the field needs. The objects are of organization A and of a client whom only\n\
         # the owner cares for; `primary` and `care_team` name those of a client whom they care for.\n\
         # `parent` (A's owner), `sub_owner`, `sub_member` and `sibling` name those of a sub-organization;\n\
         # `other` is the owner of organization B. `client` names what is not theirs; `own`, `restricted`\n\
         # and `archived` are clients who name what is theirs. `no_flag` and `standard` care for nobody.\n\
         # Written by WARD_UPDATE=1.\n\n",
    );
    let mut line = |name: &str, words: &[&str]| {
        let mut row = format!("{name:<56}");
        for word in words {
            let _ = write!(row, " {word:<11}");
        }
        text.push_str(row.trim_end());
        text.push('\n');
    };
    line("", &Principal::COLUMNS.map(Principal::title));
    for ((_, name), row) in table {
        line(name, &row.each_ref().map(String::as_str));
    }
    text
}

/// Compares with a committed table, or writes it.
fn compare(path: &str, found: &str) {
    if std::env::var("WARD_UPDATE").is_ok_and(|value| value == "1") {
        std::fs::write(path, found).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(path).unwrap_or_default();
    let gone = committed.lines().filter(|line| !found.lines().any(|other| other == *line));
    let new = found.lines().filter(|line| !committed.lines().any(|other| other == *line));
    let changes: Vec<String> =
        gone.map(|line| format!("- {line}")).chain(new.map(|line| format!("+ {line}"))).collect();
    assert!(
        changes.is_empty(),
        "verdicts changed; if they are right, WARD_UPDATE=1 writes them:\n{}",
        changes.join("\n")
    );
}
