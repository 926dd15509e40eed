//! Documents from a small contract, and from the whole recording against the whole contract.

use apollo_compiler::ExecutableDocument;

use super::*;
use crate::contract_files::{VIEWS, contract_sdl, load_usage};
use crate::repository;

const BASELINE: &str = "
type Query { users(offset: Int, keywords: String): [User] user(id: ID): User usersCount: Int }
type Mutation { createClient(input: createClientInput): createClientPayload }
type createClientPayload { user: User messages: [FieldError] }
type FieldError { field: String message: String! }
type User { id: ID! name: String cursor: Cursor tags(limit: Int, kind: String): [Tag!] thing: Thing }
type Tag { id: ID! name: String }
type Bill { id: ID! cents: Int }
union Thing = Tag | Bill
scalar Cursor
input createClientInput { email: String! locations: [LocationInput!] extra: JSON tag: TagInput }
input LocationInput { city: String zip: String }
input TagInput { name: String }
scalar JSON
";

const NEWEST: &str = "
type Query { users(first: Int, keywords: String): UserConnection user(id: ID!): User }
type Mutation { createClient(input: createClientInput!): createClientPayload }
type UserConnection { nodes: [User!]! }
type createClientPayload { user: User messages: [FieldError] }
type FieldError { field: String message: String! }
type User { id: ID! name: String tags(limit: Int, kind: String): [Tag!] thing: Thing }
type Tag { id: ID! name: String }
type Bill { id: ID! cents: Int }
union Thing = Tag | Bill
input createClientInput { email: String! locations: [LocationInput!] extra: JSON tag: TagInput }
input LocationInput { city: String zip: String }
input TagInput { name: String }
scalar JSON
";

fn domains() -> Domains {
    serde_json::from_str(
        r#"{"order":["identity","tags","billing"],
            "root_fields":{"users":"identity","user":"identity","createClient":"identity"},
            "types":{"User":"identity","Tag":"tags","Thing":"tags","Bill":"billing","TagInput":"tags",
                     "createClientInput":"identity","LocationInput":"identity","FieldError":"engine"}}"#,
    )
    .unwrap()
}

/// The replays of one operation; the served schema is the contract with pieces taken out.
fn replays(root: &str, kind: &str, op: &str, taken_out: &[&str]) -> Vec<Replay> {
    let usage = format!(r#"{{"{root}":{{"kind":"{kind}","operations":[{op}]}}}}"#);
    let prune =
        |sdl: &str| taken_out.iter().fold(sdl.to_owned(), |sdl, piece| sdl.replacen(piece, "", 1));
    let served = [prune(BASELINE), prune(NEWEST)];
    let views = [
        ReplayView { date: VIEWS[0], contract: BASELINE, served: &served[0] },
        ReplayView { date: VIEWS[1], contract: NEWEST, served: &served[1] },
    ];
    let all = replay_documents(&Usage::parse(&usage).unwrap(), &views, &domains()).unwrap();
    for replay in &all {
        let served = &served[usize::from(replay.view == VIEWS[1])];
        valid(served, replay).unwrap();
    }
    all
}

fn valid(sdl: &str, replay: &Replay) -> Result<(), String> {
    let schema = schema::parse(sdl, "served").unwrap().validate().unwrap();
    match ExecutableDocument::parse_and_validate(&schema, &replay.document, "replay") {
        Ok(_) => Ok(()),
        Err(error) => Err(format!("{}\n{}", replay.document, error.errors)),
    }
}

fn op(args: &str, inferred: &str, selects: &str, list: bool, accepted: &str, more: &str) -> String {
    format!(
        r#"{{"id":"op-1","args":[{args}],"input_fields_inferred":[{inferred}],"selects":[{selects}],
            "written_for_list_shape":{list},"accepted_by":"{accepted}"{more}}}"#
    )
}

#[test]
fn the_older_shape_goes_to_the_baseline_without_nodes() {
    let more = r#","legacy_only_parts":["arg:offset","sel:nodes.cursor"]"#;
    let op = op(r#""keywords""#, "", r#""nodes.id","nodes.tags.name""#, true, "older schema", more);
    let all = replays("users", "query", &op, &[]);
    assert_eq!(all.len(), 1);
    assert_eq!(all[0].view, VIEWS[0]);
    assert_eq!(
        all[0].document,
        "query op_1($keywords: String, $offset: Int) {\n  users(keywords: $keywords, offset: $offset) {\n    \
         id\n    tags {\n      name\n    }\n    cursor\n  }\n}\n"
    );
    assert_eq!(all[0].selected, ["id", "tags.name", "cursor"]);
    assert_eq!(all[0].left_out, []);
}

#[test]
fn an_operation_that_every_version_takes_goes_to_both() {
    let op = op(r#""first","keywords""#, "", r#""nodes.id""#, false, "2026-01-01", "");
    let all = replays("users", "query", &op, &[]);
    assert_eq!(all.len(), 2);
    assert_eq!(all[0].left_out, [("first".to_owned(), NOT_IN_THIS_VIEW.to_owned())]);
    assert_eq!(all[1].selected, ["nodes.id"]);
    assert_eq!(all[1].variables.len(), 2);
}

#[test]
fn what_is_not_served_is_left_out_with_its_owner() {
    let op = op(
        r#""id","@tags(kind)""#,
        "",
        r#""id","tags.name","name","nothing""#,
        false,
        "2026-01-01",
        "",
    );
    let all = replays(
        "user",
        "query",
        &op,
        &["name: String ", "tags(limit: Int, kind: String): [Tag!] "],
    );
    let owned = |path: &str, owner: &str| (path.to_owned(), owner.to_owned());
    assert_eq!(
        all[1].left_out,
        [
            owned("tags.name", "tags"),
            owned("name", "identity"),
            owned("nothing", NOT_IN_THIS_VIEW),
            owned("@tags(kind)", "identity")
        ]
    );
    assert_eq!(all[1].selected, ["id"]);
}

#[test]
fn nested_arguments_and_union_members() {
    let op = op(
        r#""id","@tags(limit)","@tags(kind)""#,
        "",
        r#""tags.id","thing.cents","thing.name""#,
        false,
        "2026-01-01",
        "",
    );
    let all = replays("user", "query", &op, &[]);
    let document = &all[1].document;
    assert!(
        document.starts_with("query op_1($id: ID!, $limit: Int, $kind: String) {"),
        "{document}"
    );
    assert!(document.contains("tags(limit: $limit, kind: $kind) {"), "{document}");
    assert!(document.contains("... on Bill { cents }"), "{document}");
    assert!(document.contains("... on Tag { name }"), "{document}");
    assert_eq!(all[1].variables[1].arg_path, "@tags(limit)");
}

#[test]
fn a_mutation_spells_its_input_and_asks_for_messages() {
    let args = r#""input.email","input.locations.city","input.extra.a","input.tag.name""#;
    let op = op(args, "", r#""user.id""#, false, "2026-01-01", "");
    let all = replays("createClient", "mutation", &op, &[]);
    assert_eq!(
        all[1].document,
        "mutation op_1($email: String!, $city: String, $extra: JSON, $name: String) {\n  \
         createClient(input: { email: $email, locations: [{ city: $city }], extra: $extra, tag: { name: $name } }) {\n    \
         user {\n      id\n    }\n    messages {\n      field\n      message\n    }\n  }\n}\n"
    );
    let all = replays("createClient", "mutation", &op, &[" tag: TagInput"]);
    assert_eq!(all[1].left_out, [("input.tag".to_owned(), "tags".to_owned())]);
    assert_eq!(all[1].selected, ["user.id", "messages.field", "messages.message"]);
}

#[test]
fn a_bare_input_is_one_variable_and_names_its_fields() {
    let op = op(
        r#""input""#,
        r#""input.email","input.tag","input.no""#,
        r#""user.id""#,
        false,
        "2026-01-01",
        "",
    );
    let all = replays("createClient", "mutation", &op, &[" tag: TagInput"]);
    assert_eq!(all[1].variables.len(), 1);
    assert_eq!(all[1].variables[0].graphql_type, "createClientInput!");
    assert_eq!(all[1].input_fields, ["email"]);
    assert_eq!(all[1].left_out.len(), 2);
}

#[test]
fn operations_that_no_version_takes() {
    let unknown = r#","parts_unknown_to_contract":["sel:name"]"#;
    let rest = op(r#""id""#, "", r#""id""#, false, "no known version", unknown);
    let all = replays("user", "query", &rest, &[]);
    assert!(all.iter().all(|replay| replay.needs_reason));
    assert_eq!(all.len(), 2);
    let nothing = op(r#""id""#, "", "", false, "no known version", unknown);
    assert!(replays("user", "query", &nothing, &[]).is_empty());
}

#[test]
fn a_root_field_that_is_not_served_has_no_replay() {
    let op = op("", "", "", false, "2026-01-01", "");
    assert!(replays("nobody", "query", &op, &[]).is_empty());
    assert_eq!(replays("usersCount", "query", &op, &[]).len(), 1);
}

/// With the whole contract served, every operation that a version accepts gives a valid document.
#[test]
fn the_whole_recording_gives_valid_documents() {
    let domains = Domains::load(&repository()).unwrap();
    let sdl = VIEWS.map(|view| contract_sdl(&repository(), &domains, view).unwrap());
    let views: Vec<ReplayView<'_>> =
        (0..2).map(|i| ReplayView { date: VIEWS[i], contract: &sdl[i], served: &sdl[i] }).collect();
    let usage = load_usage(&repository()).unwrap();
    let all = replay_documents(&usage, &views, &domains).unwrap();
    let schemas: Vec<_> =
        sdl.iter().map(|sdl| schema::parse(sdl, "all").unwrap().validate().unwrap()).collect();
    assert!(all.len() > 400, "only {} documents", all.len());
    let mut invalid = Vec::new();
    for replay in &all {
        let schema = &schemas[usize::from(replay.view == VIEWS[1])];
        if let Err(error) = ExecutableDocument::parse_and_validate(schema, &replay.document, "r")
            && !replay.needs_reason
        {
            invalid.push(format!(
                "{} {} {}\n{}",
                replay.view, replay.root_field, replay.document, error.errors
            ));
        }
    }
    assert!(invalid.is_empty(), "{} of {}:\n{}", invalid.len(), all.len(), invalid.join("\n"));
}
