//! GL-02, GL-03: what is rehearsed in a Sandbox is what there is in Production. Both have the same
//! schema to the byte, and every operation is answered alike.

use std::collections::BTreeSet;

use ward_tests::document::document;
use ward_tests::schema::{Root, Schema};
use ward_tests::{BASELINE, Json, Kind, Reply, V2026, json, tell};

use crate::pair::{Side, pair};

const INTROSPECTION: &str = "{ __schema { queryType { name } mutationType { name } subscriptionType { name }
    directives { name locations args { ...input } }
    types { kind name description enumValues(includeDeprecated: true) { name isDeprecated }
      inputFields { ...input } interfaces { name } possibleTypes { name }
      fields(includeDeprecated: true) { name isDeprecated args { ...input } type { ...of } } } } }
    fragment input on __InputValue { name defaultValue type { ...of } }
    fragment of on __Type { kind name ofType { kind name ofType { kind name ofType { kind name } } } }";

#[test]
fn gl_02_one_schema_to_the_byte() {
    let pair = pair();
    for view in [V2026, BASELINE] {
        let [s, p] =
            [&pair.s, &pair.p].map(|side| side.as_owner().gql(view, INTROSPECTION, json!({})).text);
        assert!(s.len() > 100_000 && s.starts_with("{\"data\":"), "{view}: {}", s.len());
        assert!(s == p, "{view}: the schemas differ");
        tell("GL-02", format_args!("{view}: {} bytes alike", s.len()));
    }
}

/// What an answer is made of, without what it says: lists by the sorts of their members.
fn shape(value: &Json) -> Json {
    match value {
        Json::Null => Json::Null,
        Json::Bool(_) => "a truth".into(),
        Json::Number(_) => "a number".into(),
        Json::String(_) => "a text".into(),
        Json::Array(members) => {
            let sorts: BTreeSet<String> =
                members.iter().map(|member| shape(member).to_string()).collect();
            json!(sorts)
        }
        Json::Object(members) => {
            members.iter().map(|(name, value)| (name.clone(), shape(value))).collect()
        }
    }
}

/// What an answer is: its status, its data's shape, its errors by code and place.
fn outline(reply: &Reply) -> Json {
    let errors = reply.json["errors"].as_array().cloned().unwrap_or_default();
    let told = |error: &Json| {
        json!([error["extensions"]["code"], error["path"], error["extensions"]["argument"]])
    };
    let messages = |data: &Json| -> Json {
        let fields = |payload: &Json| -> Json {
            let messages = payload["messages"].as_array().cloned().unwrap_or_default();
            messages.iter().map(|it| it["field"].clone()).collect()
        };
        data.as_object().into_iter().flatten().map(|(_, payload)| fields(payload)).collect()
    };
    json!({
        "status": reply.status,
        "data": shape(&reply.json["data"]),
        "messages": messages(&reply.json["data"]),
        "errors": errors.iter().map(told).collect::<Vec<_>>(),
    })
}

#[test]
fn gl_03_every_operation_is_answered_alike() {
    // Of its own: the operations change what there is.
    let sides = [Kind::Sandbox, Kind::Production].map(Side::new);
    let (mut faults, mut asked, mut answered) = (Vec::new(), 0, 0);
    for root in [Root::Query, Root::Mutation] {
        for view in [V2026, BASELINE] {
            let schema = Schema::of(&sides[0].as_owner(), view);
            for (_, field) in schema.roots().into_iter().filter(|(of, _)| *of == root) {
                let [s, p] = sides.each_ref().map(|side| {
                    let call = document(&schema, root, field, &side.own_id, None);
                    outline(&side.as_owner().gql(view, &call.query, call.variables))
                });
                asked += 1;
                answered += usize::from(!s["data"].is_null());
                if s != p {
                    faults.push(format!("{view} {} {}:\n  {s}\n  {p}", root.word(), field.name));
                }
            }
        }
    }
    tell("GL-03", format_args!("{asked} operations answered alike, {} not", faults.len()));
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    // Most is answered, not refused on the way.
    assert!(asked > 300 && answered > asked / 3, "{answered} of {asked} have data");
}
