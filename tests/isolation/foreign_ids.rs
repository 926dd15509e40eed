//! ISO-19, 20, 22: ids of the other environment, of the documentation, and what every served id is.

use std::collections::BTreeSet;

use ward_probe::ids::{NOT_OURS, id_places, is_answered, refusal_fault, value};
use ward_tests::document::document;
use ward_tests::schema::{Field, Schema};
use ward_tests::{BASELINE, Json, Kind, V2026, json, people, tell};

use crate::pair::{PASSWORD, Side, pair};

/// Input that is right but for the id that is tried: what is refused is refused for the id.
fn otherwise_right(side: &Side, field: &Field) -> Json {
    let number = field.name.len();
    match field.name.as_str() {
        "signUp" => json!({
            "role": "dietitian", "first_name": "Sign", "last_name": "Up",
            "email": format!("signup{number}@x.example"), "password": PASSWORD,
        }),
        "createClient" => people::new_client("foreign")["client"].clone(),
        "createLocation" => json!({"name": "Office", "line1": "Road 1"}),
        "createTag" => json!({"name": "foreign"}),
        "createApiKey" => json!({"name": "foreign", "user_id": side.own_id}),
        "bulkApply" => json!({"ids": [side.tag], "taggable_user_id": side.clients[0]}),
        "deleteUserGroup" | "updateUserGroup" => json!({"id": side.group}),
        "updateTag" | "deleteTag" => json!({"id": side.tag}),
        "updateClient" | "updateUser" => json!({"id": side.clients[0]}),
        "createOrganizationMembership" => json!({
            "email": "new@practice.example", "first_name": "New", "last_name": "Member",
        }),
        _ => json!({}),
    }
}

#[test]
fn iso_19_ids_of_the_other_environment_refused() {
    let pair = pair();
    let (mut faults, mut skipped) = (Vec::new(), BTreeSet::new());
    for kind in Kind::BOTH {
        let (to, from) = pair.sides(kind);
        let before = to.instance.settled_dump();
        let api = to.as_owner();
        let mut tried = 0;
        for view in [BASELINE, V2026] {
            let schema = Schema::of(&to.server.api(), view);
            for (root, field) in schema.roots() {
                let (ours, others) = id_places(&schema, field);
                skipped.extend(others);
                for place in ours {
                    let id = value(place.last(), &from.clients[0]);
                    let own = to.instance.kind.some_id();
                    let mut call = document(&schema, root, field, own, Some((&place, id)));
                    call.complete("input", &otherwise_right(to, field));
                    let reply = api.gql(view, &call.query, call.variables);
                    faults.extend(
                        refusal_fault(root, field, &place, reply.status, &reply.json)
                            .map(|it| format!("{view} {it}")),
                    );
                    tried += 1;
                }
            }
        }
        assert!(tried > 20, "hardly any id argument is served: {tried}");
        to.instance.await_refusal("WRONG_ENVIRONMENT_ID");
        let after = to.instance.settled_dump();
        tell(
            "ISO-19",
            format_args!(
                "{} ids on {}: all {tried} served id inputs (two views) tried, {} faults so far",
                from.instance.kind.title(),
                to.instance.kind.title(),
                faults.len()
            ),
        );
        faults.extend(after.changes_since(&before).into_iter().map(|it| format!("state: {it}")));
    }
    tell("ISO-19", format_args!("inputs named like ids that are none: {skipped:?}"));
    let listed: BTreeSet<&str> = NOT_OURS.iter().map(|(name, _)| *name).collect();
    assert_eq!(skipped, listed, "the list of exceptions is not what is served");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

/// Ids that documentation shows, and numbers that nobody ever gets.
const EXAMPLES: [&str; 6] = ["1", "123", "12345", "999999", "2147999999", "0"];

#[test]
fn iso_20_ids_of_documentation_name_nothing() {
    let pair = pair();
    let mut faults = Vec::new();
    for kind in Kind::BOTH {
        let (to, _) = pair.sides(kind);
        let before = to.instance.settled_dump();
        let mut tried = 0;
        let schema = Schema::of(&to.server.api(), V2026);
        for (root, field) in schema.roots() {
            for place in id_places(&schema, field).0 {
                for example in EXAMPLES {
                    // A client whom the caller does not see: their own parts (behaviour 32).
                    let own_instead = field.name.starts_with("conversationMemberships");
                    if own_instead && place.dotted() == "client_id" {
                        continue;
                    }
                    if place.last().of.name() == "Int" && example == "2147999999" {
                        continue;
                    }
                    let id = value(place.last(), example);
                    let own = to.instance.kind.some_id();
                    let mut call = document(&schema, root, field, own, Some((&place, id)));
                    call.complete("input", &otherwise_right(to, field));
                    let reply = to.as_owner().ask(&call.query, call.variables);
                    tried += 1;
                    let line =
                        || format!("{}({}: {example}): {}", field.name, place.dotted(), reply.text);
                    if is_answered(root, field, reply.status, &reply.json) {
                        faults.push(line());
                    }
                }
            }
        }
        let after = to.instance.settled_dump();
        faults.extend(after.changes_since(&before).into_iter().map(|it| format!("state: {it}")));
        tell(
            "ISO-20",
            format_args!("{}: {tried} calls with {} ids", to.instance.kind.title(), EXAMPLES.len()),
        );
    }
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn iso_22_ids_survive_every_client() {
    let pair = pair();
    for kind in Kind::BOTH {
        let (side, _) = pair.sides(kind);
        let api = side.as_provider();
        for number in 0..20 {
            people::client(&api, &format!("{}id{number}", side.canary));
        }
        let mut served = BTreeSet::new();
        for list in ["users", "organizationMembers", "userGroups", "tagsPaginated", "apiKeys"] {
            let query = format!("{{ {list}(first: 1000) {{ nodes {{ id }} }} }}");
            let reply = side.as_owner().ask(&query, json!({}));
            let nodes = reply.data()[list]["nodes"].as_array().cloned().unwrap_or_default();
            served.extend(nodes.iter().map(people::id));
        }
        assert!(served.len() > 25, "hardly any id is served: {}", served.len());
        let mut checked = 0;
        for id in served.into_iter().chain(stored(side)) {
            assert_survives(kind, &id);
            checked += 1;
        }
        tell(
            "ISO-22",
            format_args!(
                "{}: {checked} ids are the same after parseInt, i32 and f64",
                kind.title()
            ),
        );
    }
}

/// Every id in every table.
fn stored(side: &Side) -> Vec<String> {
    side.instance.database().ids(&[])
}

fn assert_survives(kind: Kind, id: &str) {
    let number: i64 = id.parse().unwrap();
    assert_eq!(number.to_string(), id, "not a plain decimal number");
    // All types that are served so far stay below the overflow range.
    assert!(i32::try_from(number).is_ok(), "{id} does not fit 32 bits");
    let float: f64 = id.parse().unwrap();
    #[expect(clippy::cast_possible_truncation, reason = "that is the question")]
    let back = float as i64;
    assert_eq!(back, number, "{id} changes in a float");
    // The rule that people remember.
    let sandbox = id.len() == 10 && (id.starts_with("20") || id.starts_with("21"));
    assert_eq!(sandbox, kind == Kind::Sandbox, "{id} is served by a {}", kind.title());
    assert!(number >= 1_000_000, "{id} is of the documentation");
}
