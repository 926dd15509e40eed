//! Every operation and every input that takes an id, made from the served schema. Writes are
//! sent here, to instances that are this suite's own; each is one that has to be refused.

use std::path::PathBuf;

use serde_json::{Value as Json, json};

use crate::document::{document, places};
use crate::failure::Failure;
use crate::ids::{absent, id_places, is_answered, refusal_fault, value};
use crate::isolation::Ground;
use crate::isolation::dump::{changes, settled};
use crate::kind::Kind;
use crate::report::Row;
use crate::schema::{Field, Root};
use crate::side::{Side, VIEWS};

fn file(ground: &Ground, kind: Kind) -> PathBuf {
    ground.dir(kind).join("ward.db")
}

/// Tries something at an instance, and that nothing changed there.
fn unchanged(
    ground: &Ground,
    kind: Kind,
    row: &mut Row,
    attempt: impl FnOnce(&mut Row) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let before = settled(&file(ground, kind))?;
    attempt(row)?;
    let changed = changes(&file(ground, kind), &before)?;
    row.case(changed.is_empty(), || format!("the {} changed in {changed:?}", kind.title()));
    Ok(())
}

/// ISO-11, and its other direction.
pub fn every_operation(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (to, from) in ground.pair.ways() {
        let own = ground.pair.absent(to.kind)?;
        unchanged(ground, to.kind, row, |row| {
            for view in VIEWS {
                let schema = to.schema(view)?;
                for (root, field) in schema.roots() {
                    let call = document(&schema, root, field, &own, None);
                    let ask = Side::question(view, &call.query, &call.variables);
                    let key = format!("Basic {}", from.key);
                    let answer = to.ask(&ask.with("authorization", key))?;
                    let told = (answer.status, answer.code());
                    let is_refused =
                        told == (200, "WRONG_ENVIRONMENT_KEY") && answer.json["data"].is_null();
                    row.case(is_refused, || {
                        format!(
                            "the {} answers {view} {} {} with a {} key: {told:?}",
                            to.kind.title(),
                            root.word(),
                            field.name,
                            from.kind.title()
                        )
                    });
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Input that is right but for the id that is tried: what is refused is refused for the id.
fn otherwise_right(field: &Field, group: &str) -> Json {
    match field.name.as_str() {
        "signUp" => json!({"role": "dietitian", "first_name": "Sign", "last_name": "Up",
            "email": "signup@practice.example", "password": "violet-harbour-93-lantern"}),
        "createClient" => json!({"first_name": "Foreign", "last_name": "Id",
            "dont_send_welcome": true}),
        "createLocation" => json!({"name": "Office", "line1": "Road 1"}),
        "createTag" | "createApiKey" => json!({"name": "foreign"}),
        "deleteUserGroup" | "updateUserGroup" => json!({"id": group}),
        _ => json!({}),
    }
}

/// ISO-19.
pub fn every_id(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (to, from) in ground.pair.ways() {
        let held = ground.pair.holdings(from.kind)?;
        let own = ground.pair.absent(to.kind)?;
        let known = held.ids.get("User").and_then(|ids| ids.first());
        let foreign = known.map_or(absent(from.kind), String::as_str);
        let group = ground.pair.holdings(to.kind)?.one("UserGroup");
        unchanged(ground, to.kind, row, |row| {
            for view in VIEWS {
                let schema = to.schema(view)?;
                for (root, field) in schema.roots() {
                    for place in id_places(&schema, field).0 {
                        let id = value(place.last(), foreign);
                        let mut call = document(&schema, root, field, &own, Some((&place, id)));
                        call.complete("input", &otherwise_right(field, group));
                        let answer = to.graphql(view, &call.query, &call.variables)?;
                        let fault = refusal_fault(root, field, &place, answer.status, &answer.json);
                        row.judged(
                            fault.map(|it| format!("the {}, {view}: {it}", to.kind.title())),
                        );
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// Ids that documentation shows, and numbers that nobody ever gets.
const EXAMPLES: [&str; 5] = ["1", "123", "12345", "999999", "0"];

/// ISO-20, of writes; reads are tried from outside.
pub fn documentation(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (to, _) in ground.pair.ways() {
        let schema = ground.pair.schema(to.kind)?;
        let own = ground.pair.absent(to.kind)?;
        unchanged(ground, to.kind, row, |row| {
            for (root, field) in schema.roots() {
                if root != Root::Mutation {
                    continue;
                }
                for place in id_places(schema, field).0 {
                    for example in EXAMPLES {
                        let id = value(place.last(), example);
                        let mut call = document(schema, root, field, &own, Some((&place, id)));
                        call.complete("input", &otherwise_right(field, &own));
                        let answer = to.graphql(VIEWS[1], &call.query, &call.variables)?;
                        let answered = is_answered(root, field, answer.status, &answer.json);
                        row.case(!answered, || {
                            format!(
                                "the {} does not refuse {}({}: {example}): {} {:?}",
                                to.kind.title(),
                                field.name,
                                place.dotted(),
                                answer.status,
                                answer.code()
                            )
                        });
                    }
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// ISO-40: as inputs, secrets do not exist.
pub fn secrets_are_made(ground: &Ground, row: &mut Row) -> Result<(), Failure> {
    for (side, _) in ground.pair.ways() {
        for view in VIEWS {
            let schema = side.schema(view)?;
            for (_, field) in schema.roots() {
                if !field.name.to_lowercase().contains("webhook") {
                    continue;
                }
                for place in places(&schema, field) {
                    let is_secret = place.last().name.contains("secret");
                    row.case(!is_secret, || {
                        format!("{view}: {} takes {}", field.name, place.dotted())
                    });
                }
            }
        }
    }
    Ok(())
}
