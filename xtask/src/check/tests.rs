//! One test a rule: the served schema that breaks it gets exactly one sentence.

use super::contract_check;
use crate::unserved::parse_unserved;

const CONTRACT: &str = r#"
directive @feature(if: String) on FIELD
scalar Cursor
type Query {
  user(id: ID!): User
  users(first: Int = 10, order_by: UserOrderKeys, tag: String): [User]
  old: String @deprecated
}
type Mutation { createClient(input: createClientInput): createClientPayload }
type createClientPayload { user: User messages: [FieldError] }
type FieldError { field: String message: String! }
type User { id: ID! name: String tags(limit: Int): [String!]! status: Status thing: Thing }
enum Status { ACTIVE ARCHIVED @deprecated }
enum UserOrderKeys { NAME_ASC NAME_DESC }
union Thing = User | FieldError
input createClientInput { email: String! nick: String skip: Boolean = false gone: String @deprecated }
"#;

const SERVED: &str = r#"
directive @feature(if: String) on FIELD
type Query {
  user(id: ID!): User
  users(first: Int = 10, order_by: UserOrderKeys, tag: String): [User]
  old: String @deprecated
}
type Mutation { createClient(input: createClientInput): createClientPayload }
type createClientPayload { user: User messages: [FieldError] }
type FieldError { field: String message: String! }
type User { id: ID! name: String tags(limit: Int): [String!]! status: Status thing: Thing }
enum Status { ACTIVE ARCHIVED @deprecated }
enum UserOrderKeys { NAME_ASC NAME_DESC }
union Thing = User | FieldError
input createClientInput { email: String! nick: String skip: Boolean = false gone: String @deprecated }
"#;

/// What the check says when one piece of the served schema is replaced.
fn with(from: &str, to: &str, unserved: &str) -> Vec<String> {
    assert!(SERVED.contains(from), "the served sample has no {from:?}");
    let unserved = parse_unserved(unserved).unwrap();
    contract_check(CONTRACT, &SERVED.replacen(from, to, 1), &unserved)
}

#[track_caller]
fn says(from: &str, to: &str, sentence: &str) {
    assert_eq!(with(from, to, ""), [sentence]);
}

#[test]
fn the_contract_itself_is_compatible() {
    assert_eq!(contract_check(CONTRACT, SERVED, &[]), [] as [&str; 0]);
    assert_eq!(contract_check(CONTRACT, CONTRACT, &[]), [] as [&str; 0]);
}

#[test]
fn a_part_of_the_contract_is_compatible() {
    let served = "type Query { user(id: ID!): User } type User { id: ID! status: Status } enum Status { ACTIVE }";
    assert_eq!(contract_check(CONTRACT, served, &[]), [] as [&str; 0]);
}

#[test]
fn an_unknown_type() {
    says(
        "union Thing = User | FieldError",
        "union Thing = User | FieldError\nscalar Extra",
        "Type Extra is served but is not in the contract.",
    );
}

#[test]
fn an_unknown_directive() {
    says(
        "directive @feature(if: String) on FIELD",
        "directive @other on FIELD",
        "Directive @other is served but is not in the contract.",
    );
}

#[test]
fn another_kind() {
    says(
        "enum Status { ACTIVE ARCHIVED @deprecated }",
        "scalar Status",
        "Status is served as scalar, but the contract has it as enum.",
    );
}

#[test]
fn an_unknown_field() {
    says(
        "name: String",
        "name: String extra: Int",
        "Field User.extra is served but is not in the contract.",
    );
}

#[test]
fn an_unknown_interface() {
    let found = with(
        "type FieldError {",
        "interface Node { field: String }\ntype FieldError implements Node {",
        "",
    );
    assert_eq!(found.len(), 2, "{found:?}");
    assert!(
        found.contains(
            &"Type FieldError implements Node, which the contract's does not.".to_owned()
        )
    );
}

#[test]
fn an_unknown_enum_value() {
    says(
        "{ ACTIVE",
        "{ PAUSED ACTIVE",
        "Enum value Status.PAUSED is served but is not in the contract.",
    );
}

#[test]
fn an_unknown_argument() {
    says(
        "user(id: ID!)",
        "user(id: ID!, extra: Int)",
        "Argument Query.user(extra:) is served but is not in the contract.",
    );
}

#[test]
fn an_unknown_input_field() {
    says(
        "nick: String",
        "nick: String extra: Int",
        "Input field createClientInput.extra is served but is not in the contract.",
    );
}

#[test]
fn an_unknown_union_member() {
    says(
        "union Thing = User",
        "union Thing = createClientPayload | User",
        "Union Thing has the member createClientPayload, which the contract's has not.",
    );
}

#[test]
fn a_stricter_output_is_fine_and_a_looser_is_not() {
    assert_eq!(with("name: String", "name: String!", ""), [] as [&str; 0]);
    says("id: ID! name", "id: ID name", "Field User.id answers ID, but the contract promises ID!.");
    says(
        "[String!]!",
        "[String]!",
        "Field User.tags answers [String]!, but the contract promises [String!]!.",
    );
}

#[test]
fn another_output_type() {
    says(
        "name: String",
        "name: Int",
        "Field User.name answers Int, but the contract promises String.",
    );
    says(
        "user(id: ID!): User",
        "user(id: ID!): [User]",
        "Field Query.user answers [User], but the contract promises User.",
    );
}

#[test]
fn a_looser_input_is_fine_and_a_stricter_is_not() {
    assert_eq!(with("email: String!", "email: String", ""), [] as [&str; 0]);
    assert_eq!(with("user(id: ID!)", "user(id: ID)", ""), [] as [&str; 0]);
    says(
        "nick: String",
        "nick: String!",
        "Input field createClientInput.nick takes String!, but the contract lets clients send String.",
    );
    says(
        "limit: Int",
        "limit: Int!",
        "Argument User.tags(limit:) takes Int!, but the contract lets clients send Int.",
    );
}

#[test]
fn a_missing_argument() {
    says(", tag: String", "", "Argument Query.users(tag:) of the contract is not served.");
    says("tags(limit: Int)", "tags", "Argument User.tags(limit:) of the contract is not served.");
}

#[test]
fn a_missing_input_field() {
    says("nick: String ", "", "Input field createClientInput.nick of the contract is not served.");
}

#[test]
fn a_missing_enum_value_matters_only_where_clients_send_it() {
    assert_eq!(with("ACTIVE ARCHIVED @deprecated", "ACTIVE", ""), [] as [&str; 0]);
    says("NAME_ASC ", "", "Enum value UserOrderKeys.NAME_ASC can be sent but is not served.");
}

#[test]
fn unserved_entries_allow_what_they_name() {
    let entries = "Query.users(tag:) | tags come later | clients\n\
                   createClientInput.nick | no page shows it | -\n\
                   UserOrderKeys.NAME_ASC | not sorted | -\n";
    assert_eq!(with(", tag: String", "", entries), [] as [&str; 0]);
    assert_eq!(with("nick: String ", "", entries), [] as [&str; 0]);
    assert_eq!(with("NAME_ASC ", "", entries), [] as [&str; 0]);
    assert_eq!(with("tags(limit: Int)", "tags", entries).len(), 1);
}

#[test]
fn another_default() {
    says(
        "first: Int = 10",
        "first: Int = 20",
        "Argument Query.users(first:) has the default 20, but the contract has 10.",
    );
    says(
        "skip: Boolean = false",
        "skip: Boolean",
        "Input field createClientInput.skip has the default none, but the contract has false.",
    );
    says(
        "tag: String",
        "tag: String = \"x\"",
        "Argument Query.users(tag:) has the default \"x\", but the contract has none.",
    );
}

#[test]
fn deprecated_stays_deprecated() {
    says(
        "old: String @deprecated",
        "old: String",
        "Field Query.old is deprecated in the contract but not as served.",
    );
    says(
        "ARCHIVED @deprecated",
        "ARCHIVED",
        "Enum value Status.ARCHIVED is deprecated in the contract but not as served.",
    );
    says(
        "gone: String @deprecated",
        "gone: String",
        "Input field createClientInput.gone is deprecated in the contract but not as served.",
    );
    assert_eq!(with("name: String", "name: String @deprecated", ""), [] as [&str; 0]);
}

#[test]
fn unreadable_sdl_is_one_sentence() {
    assert_eq!(contract_check(CONTRACT, "type {", &[]).len(), 1);
    assert_eq!(contract_check("type {", SERVED, &[]).len(), 1);
}
