//! What comes in wrong: its wording, and the holes that validation leaves.

use expect_test::expect;
use serde_json::json;
use ward_engine::ViewId;

use crate::inputs::echo;
use crate::world::{World, messages};

cases!(
    invalid_variables,
    missing_variables,
    holes_of_validation_are_closed,
    invalid_literals,
    the_nul_character_is_refused,
    a_file_comes_as_multipart_only,
    nothing_is_repeated_at_length,
);

async fn invalid_variables(w: World) {
    for (ty, argument, value, expected) in [
        ("Int", "number", json!("5"), "(Could not coerce value to Int)"),
        ("Int", "number", json!(5.5), "(Could not coerce value to Int)"),
        ("Int", "number", json!(3_000_000_000_u64), "(Could not coerce value to Int)"),
        ("Int", "number", json!(true), "(Could not coerce value to Int)"),
        ("Float", "size", json!("1.5"), "(Could not coerce value to Float)"),
        ("Boolean", "flag", json!("true"), "(Could not coerce value to Boolean)"),
        ("Boolean", "flag", json!(1), "(Could not coerce value to Boolean)"),
        ("String", "text", json!(5), "(Could not coerce value to String)"),
        ("String", "text", json!(["a"]), "(Could not coerce value to String)"),
        ("AuthorKind", "kind", json!("PAINTER"), "(Expected one of: CRITIC, NOVELIST, POET)"),
        ("AuthorKind", "kind", json!(1), "(Expected one of: CRITIC, NOVELIST, POET)"),
        ("[ID!]", "ids", json!(["1", null]), "for 1 (Expected value to not be null)"),
        ("[ID!]", "ids", json!([["1"]]), "for 0 (Could not coerce value to ID)"),
        ("Filter", "filter", json!("x"), "(Could not coerce value to Filter)"),
        ("Filter", "filter", json!({"nmae": "x"}), "for nmae (Field is not defined on Filter)"),
        (
            "Filter",
            "filter",
            json!({"child": {"child": {"limit": "x"}}}),
            "for child.child.limit (Could not coerce value to Int)",
        ),
        ("Strict", "strict", json!({}), "for id (Expected value to not be null)"),
        ("Strict", "strict", json!({"id": null}), "for id (Expected value to not be null)"),
        (
            "Strict",
            "strict",
            json!({"id": 1, "ids": null}),
            "for ids (Expected value to not be null)",
        ),
        ("ISO8601Date", "day", json!(5), "(Could not coerce value to ISO8601Date)"),
    ] {
        let query = format!("query($v: {ty}) {{ echo({argument}: $v) }}");
        let answer = w.run(ViewId::V2026, &query, json!({ "v": value })).await;
        let start = format!("Variable $v of type {ty} was provided invalid value ");
        assert_eq!(messages(&answer), [start + expected], "{value}");
        assert!(answer.get("data").is_none());
    }
    // Several at once.
    let query =
        "query($a: Int, $b: Int!, $c: Boolean) { echo(number: $a, flag: $c, filter: {limit: $b}) }";
    let answer = w.run(ViewId::V2026, query, json!({"a": "x", "c": "y"})).await;
    assert_eq!(messages(&answer).len(), 3, "{answer}");
}

async fn missing_variables(w: World) {
    let query = "query($i: ID!) { author(id: $i) { id } }";
    expect![[r#"{"errors":[{"message":"Variable $i of type ID! was provided invalid value (Expected value to not be null)","extensions":{"problems":[{"path":[],"explanation":"Expected value to not be null"}]}}]}"#]].assert_eq(&w.run(ViewId::V2026, query, json!({})).await.to_string());
    expect![[r#"{"errors":[{"message":"Variable $i of type ID! was provided invalid value (Expected value to not be null)","extensions":{"problems":[{"path":[],"explanation":"Expected value to not be null"}]}}]}"#]].assert_eq(&w.run(ViewId::V2026, query, json!({"i": null})).await.to_string());
}

/// Validation compares only innermost names inside objects and lists.
async fn holes_of_validation_are_closed(w: World) {
    for (query, variables, expected) in [
        (
            "query($i: ID) { echo(strict: {id: $i}) }",
            json!({}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'strict' on Field 'echo' has an invalid value. Variable $i has no value, and ID! may not be null.","locations":[{"line":1,"column":17}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "query($i: ID) { echo(strict: {id: $i}) }",
            json!({"i": null}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'strict' on Field 'echo' has an invalid value. ID! may not be null.","locations":[{"line":1,"column":17}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "query($i: ID) { echo(ids: [$i]) }",
            json!({"i": null}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'ids' on Field 'echo' has an invalid value. ID! may not be null.","locations":[{"line":1,"column":17}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "query($i: ID) { echo(ids: [$i]) }",
            json!({}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'ids' on Field 'echo' has an invalid value. Variable $i has no value, and ID! may not be null.","locations":[{"line":1,"column":17}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "query($i: [ID]) { echo(strict: {id: $i}) }",
            json!({"i": ["1"]}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'strict' on Field 'echo' has an invalid value. List dimension mismatch: ID! is no list.","locations":[{"line":1,"column":19}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "query($i: [ID]) { echo(strict: {id: 1, ids: $i}) }",
            json!({"i": ["1", null]}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'strict' on Field 'echo' has an invalid value. ID! may not be null.","locations":[{"line":1,"column":19}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "query($i: [ID]) { echo(strict: {id: 1, ids: $i}) }",
            json!({}),
            expect![[
                r#"Args({"strict": Object({"id": Text("1"), "ids": List([Text("2007500001")])}), "text": Text("none")})"#
            ]],
        ),
        (
            "query($i: ID) { echo(strict: {id: 1, ids: $i}) }",
            json!({"i": 7}),
            expect![[
                r#"Args({"strict": Object({"id": Text("1"), "ids": List([Text("7")])}), "text": Text("none")})"#
            ]],
        ),
        (
            "query($t: String) { echo(texts: [\"a\", $t]) }",
            json!({}),
            expect![[r#"Args({"text": Text("none"), "texts": List([Text("a"), Null])})"#]],
        ),
        (
            "{ echo(filter: {name: \"a\", name: \"b\"}) }",
            json!({}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'filter' on Field 'echo' has an invalid value. Field 'name' is given twice.","locations":[{"line":1,"column":3}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "{ echo(extra: {a: $nobody}) }",
            json!({}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'extra' on Field 'echo' has an invalid value. Expected type 'JSON'.","locations":[{"line":1,"column":3}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "query($j: JSON) { echo(extra: {a: $j, b: [$j]}) }",
            json!({"j": {"x": 1}}),
            expect![[
                r#"Args({"extra": Json(Object {"a": Object {"x": Number(1)}, "b": Array [Object {"x": Number(1)}]}), "text": Text("none")})"#
            ]],
        ),
        (
            "query($j: JSON) { echo(extra: {a: $j}) }",
            json!({}),
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'extra' on Field 'echo' has an invalid value. Expected type 'JSON'.","locations":[{"line":1,"column":19}],"path":["echo"]}]}"#
            ]],
        ),
    ] {
        expected.assert_eq(&echo(&w, ViewId::V2026, query, variables).await);
    }
}

async fn invalid_literals(w: World) {
    for (literal, expected) in [
        (
            "number: \"5\"",
            expect![[
                r#"{"errors":[{"message":"expected value of type Int, found a string","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "number: 5.0",
            expect![[
                r#"{"errors":[{"message":"expected value of type Int, found a float","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "number: 3000000000",
            expect![[
                r#"{"errors":[{"message":"int cannot represent non 32-bit signed integer value","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "size: \"1\"",
            expect![[
                r#"{"errors":[{"message":"expected value of type Float, found a string","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "size: 1e999",
            expect![[
                r#"{"errors":[{"message":"float cannot represent non-finite 64-bit floating point value","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "flag: 1",
            expect![[
                r#"{"errors":[{"message":"expected value of type Boolean, found an integer","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "text: 5",
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'text' on Field 'echo' has an invalid value. Expected type 'String'.","locations":[{"line":1,"column":3}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "text: POET",
            expect![[
                r#"{"errors":[{"message":"expected value of type ID, found an enum","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "day: 5",
            expect![[
                r#"{"data":{"echo":null},"errors":[{"message":"Argument 'day' on Field 'echo' has an invalid value. Expected type 'ISO8601Date'.","locations":[{"line":1,"column":3}],"path":["echo"]}]}"#
            ]],
        ),
        (
            "ids: [1.5]",
            expect![[
                r#"{"errors":[{"message":"expected value of type ID!, found a float","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "ids: [true]",
            expect![[
                r#"{"errors":[{"message":"expected value of type ID!, found a boolean","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "kind: \"POET\"",
            expect![[
                r#"{"errors":[{"message":"expected value of type AuthorKind, found a string","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "kind: PAINTER",
            expect![[
                r#"{"errors":[{"message":"value `PAINTER` does not exist on `AuthorKind`","locations":[{"line":1,"column":14}]}]}"#
            ]],
        ),
        (
            "filter: {nmae: 1}",
            expect![[
                r#"{"errors":[{"message":"InputObject 'Filter' doesn't accept argument 'nmae'","locations":[{"line":1,"column":23}]}]}"#
            ]],
        ),
        (
            "filter: \"x\"",
            expect![[
                r#"{"errors":[{"message":"expected value of type Filter, found a string","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        (
            "strict: {ids: [1]}",
            expect![[
                r#"{"errors":[{"message":"Argument 'id' on InputObject 'Strict' is required","locations":[{"line":1,"column":16}]}]}"#
            ]],
        ),
        ("strict: null", expect![[r#"Args({"strict": Null, "text": Text("none")})"#]]),
    ] {
        let answer = echo(&w, ViewId::V2026, &format!("{{ echo({literal}) }}"), json!({})).await;
        expected.assert_eq(&answer);
    }
}

async fn the_nul_character_is_refused(w: World) {
    let v = ViewId::V2026;
    let query = "query($t: String) { echo(text: $t) }";
    expect![[r#"{"errors":[{"message":"Variable $t of type String was provided invalid value (A text may not contain the NUL character)","extensions":{"problems":[{"path":[],"explanation":"A text may not contain the NUL character"}]}}]}"#]].assert_eq(&echo(&w, v, query, json!({"t": "a\u{0}b"})).await);
    for (query, variables) in [
        ("{ echo(text: \"a\\u0000b\") }", json!({})),
        ("{ echo(texts: [\"\\u0000\"]) }", json!({})),
        ("{ echo(ids: \"\\u0000\") }", json!({})),
        ("{ echo(filter: {name: \"\\u0000\"}) }", json!({})),
        ("query($o: Filter) { echo(filter: $o) }", json!({"o": {"child": {"name": "\u{0}"}}})),
        ("query($i: ID) { author(id: $i) { id } }", json!({"i": "\u{0}"})),
        ("query($o: JSON) { echo(extra: $o) }", json!({"o": {"child": ["\u{0}"]}})),
        ("query($o: JSON) { echo(extra: $o) }", json!({"o": {"a\u{0}": 1}})),
        ("{ echo(extra: {a: [\"\\u0000\"]}) }", json!({})),
    ] {
        let answer = w.run(v, query, variables).await;
        assert!(!answer["errors"].is_null(), "{query}: {answer}");
        assert!(answer["data"].is_null() || answer["data"]["echo"].is_null(), "{query}: {answer}");
    }
}

async fn a_file_comes_as_multipart_only(w: World) {
    let query = "mutation($f: Upload) { createAuthor(input: {name: \"F\", file: $f}) { author { id } messages { field message } } }";
    let answer = w.run(ViewId::V2026, query, json!({"f": "data:text/plain;base64,eA=="})).await;
    expect![[r#"{"errors":[{"message":"Variable $f of type Upload was provided invalid value (A file is sent as a multipart request)","extensions":{"problems":[{"path":[],"explanation":"A file is sent as a multipart request"}]}}]}"#]].assert_eq(&answer.to_string());
    for query in [
        "mutation { createAuthor(input: {name: \"F\", file: \"x\"}) { author { id } } }",
        "mutation { createAuthor(input: {name: \"F\", file: {a: 1}}) { author { id } } }",
    ] {
        let answer = w.v2026(query).await;
        assert!(!answer["errors"].is_null(), "{answer}");
    }
    assert_eq!(w.number("SELECT COUNT(*) FROM authors WHERE name = 'F'").await, 0);
}

/// A refusal does not send back what was sent.
async fn nothing_is_repeated_at_length(w: World) {
    let long = "x".repeat(300_000);
    for (query, variables) in [
        ("query($o: Filter) { echo(filter: $o) }", json!({"o": {long.as_str(): 1}})),
        ("query($k: AuthorKind) { echo(kind: $k) }", json!({"k": long})),
        ("query($n: Int) { echo(number: $n) }", json!({"n": long})),
        ("query($i: ID) { author(id: $i) { id } }", json!({"i": long})),
        (
            "query($i: [ID!]) { authors(ids: $i) { total_count } }",
            json!({"i": vec![true; 100_000]}),
        ),
    ] {
        let answer = w.run(ViewId::V2026, query, variables).await;
        assert!(answer.to_string().len() < 3_000, "{query}");
    }
}
