//! What comes in: literals and variables, with the leniency that clients need.

use expect_test::expect;
use serde_json::{Value as Json, json};
use ward_engine::ViewId;

use crate::world::{World, messages};

cases!(
    literals_and_variables_agree,
    ids_are_texts_and_numbers,
    text_ids_and_dates_stand_for_each_other,
    one_stands_for_a_list,
    defaults,
    undeclared_variables_are_ignored,
    invalid_variables,
    missing_variables,
    holes_of_validation_are_closed,
    invalid_literals,
    the_nul_character_is_refused,
    a_file_comes_as_multipart_only,
    nothing_is_repeated_at_length,
);

/// What `echo` was given, as the resolver sees it.
async fn echo(w: &World, view: ViewId, query: &str, variables: Json) -> String {
    let answer = w.run(view, query, variables).await;
    match &answer["data"]["echo"] {
        Json::String(text) => text.clone(),
        _ => answer.to_string(),
    }
}

async fn same(w: &World, query: &str, variables: Json, literal: &str) -> String {
    let given = echo(w, ViewId::V2026, query, variables).await;
    let written = echo(w, ViewId::V2026, &format!("{{ echo({literal}) }}"), json!({})).await;
    assert!(given.starts_with("Args("), "{given}");
    assert_eq!(given, written, "{query}");
    given
}

async fn literals_and_variables_agree(w: World) {
    let query = "query($t: String, $n: Int, $f: Boolean, $s: Float, $k: AuthorKind, $j: JSON, \
        $d: ISO8601Date, $a: ISO8601DateTime, $x: [String], $o: Filter) { echo(text: $t, number: $n, \
        flag: $f, size: $s, kind: $k, extra: $j, day: $d, at: $a, texts: $x, filter: $o) }";
    let filter = json!({"name": "n", "ids": ["1", "2"], "child": {"limit": 2, "id": null}});
    let variables = json!({
        "t": "é🦀", "n": -5, "f": true, "s": 1.5, "k": "POET", "j": {"a": [1, null, {"b": "c"}]},
        "d": "1990-02-01", "a": "2026-03-04T14:30:00Z", "x": ["a", null], "o": filter,
    });
    let literal = "text: \"é🦀\", number: -5, flag: true, size: 1.5, kind: POET, \
        extra: {a: [1, null, {b: \"c\"}]}, day: \"1990-02-01\", at: \"2026-03-04T14:30:00Z\", \
        texts: [\"a\", null], filter: {name: \"n\", ids: [\"1\", \"2\"], child: {limit: 2, id: null}}";
    expect![[r#"Args({"at": Text("2026-03-04T14:30:00Z"), "day": Text("1990-02-01"), "extra": Json(Object {"a": Array [Number(1), Null, Object {"b": String("c")}]}), "filter": Object({"child": Object({"id": Null, "limit": Int(2)}), "ids": List([Text("1"), Text("2")]), "limit": Int(5), "name": Text("n")}), "flag": Bool(true), "kind": Text("POET"), "number": Int(-5), "size": Float(1.5), "text": Text("é🦀"), "texts": List([Text("a"), Null])})"#]].assert_eq(&same(&w, query, variables, literal).await);
    // A number with an integral value is an Int; an Int is a Float.
    let query = "query($n: Int, $s: Float) { echo(number: $n, size: $s) }";
    same(&w, query, json!({"n": 7.0, "s": 2}), "number: 7, size: 2").await;
    // Null is not absent.
    let query = "query($t: String, $n: Int) { echo(text: $t, number: $n) }";
    expect![[r#"Args({"number": Null, "text": Null})"#]].assert_eq(
        &same(&w, query, json!({"t": null, "n": null}), "text: null, number: null").await,
    );
    let block =
        echo(&w, ViewId::V2026, "{ echo(text: \"\"\"\n  a\n    b\n  \"\"\") }", json!({})).await;
    expect![[r#"Args({"text": Text("a\n  b")})"#]].assert_eq(&block);
}

async fn ids_are_texts_and_numbers(w: World) {
    for (view, query) in [
        (ViewId::Baseline, "query($i: ID) { author(id: $i) { name } }"),
        (ViewId::V2026, "query($i: ID) { author(id: $i) { name } }"),
        (ViewId::V2026, "query($i: ID!) { author(id: $i) { name } }"),
    ] {
        for id in [json!("2007500001"), json!(2_007_500_001_u64)] {
            let answer = w.run(view, query, json!({ "i": id })).await;
            assert_eq!(answer["data"]["author"]["name"], "Ada Ahlgren", "{query} {answer}");
        }
    }
    for literal in ["2007500001", "\"2007500001\"", "\" 2007500001 \""] {
        let answer = w.new(&format!("{{ author(id: {literal}) {{ name }} }}")).await;
        assert_eq!(answer["data"]["author"]["name"], "Ada Ahlgren", "{literal}");
    }
    for value in [json!(1.5), json!(true), json!(["1"]), json!({"a": 1})] {
        let answer =
            w.run(ViewId::V2026, "query($i: ID) { author(id: $i) { id } }", json!({ "i": value }));
        let answer = answer.await;
        assert!(answer.get("data").is_none(), "{answer}");
        assert!(
            messages(&answer)[0].starts_with("Variable $i of type ID was provided invalid value")
        );
    }
}

async fn text_ids_and_dates_stand_for_each_other(w: World) {
    let ada = json!({"i": "2007500001", "l": ["2007500001"]});
    for query in [
        "query($i: String!) { author(id: $i) { name } }",
        "query($i: String) { author(id: $i) { name } }",
        "query($i: String!) { author: strict_author(id: $i) { name } }",
        "query($i: String = \"2007500001\") { author: strict_author(id: $i) { name } }",
        "query($i: ISO8601DateTime!) { author(id: $i) { name } }",
        "query($l: [String!]) { list: authors(ids: $l) { nodes { name } } }",
        "query($l: [String!]!) { list: authors(ids: $l) { nodes { name } } }",
    ] {
        let answer = w.run(ViewId::V2026, query, ada.clone()).await;
        assert!(answer["errors"].is_null(), "{query}: {answer}");
        assert!(answer.to_string().contains("Ada Ahlgren"), "{query}: {answer}");
    }
    // A type that the view lacks; inside an input object; at two places at once.
    let query = "query($d: ISO8601Date!) { echo(day: $d, at: $d, text: $d) }";
    let echoed = echo(&w, ViewId::Baseline, query, json!({"d": "1990-02-01"})).await;
    expect![[
        r#"Args({"at": Text("1990-02-01"), "day": Text("1990-02-01"), "text": Text("1990-02-01")})"#
    ]]
    .assert_eq(&echoed);
    let query = "query($d: String!) { echo(day: $d, at: $d, filter: {id: $d, ids: [$d]}) ...F } \
        fragment F on Query { x: author(id: $d) { name } }";
    let echoed = echo(&w, ViewId::V2026, query, json!({"d": "2007500001"})).await;
    expect![[r#"Args({"at": Text("2007500001"), "day": Text("2007500001"), "filter": Object({"id": Text("2007500001"), "ids": List([Text("2007500001")]), "limit": Int(5)}), "text": Text("none")})"#]].assert_eq(&echoed);
    let query = "query($o: ID!) { __typename @feature(unless: $o) }";
    assert_eq!(
        w.run(ViewId::V2026, query, json!({"o": "x"})).await,
        json!({"data": {"__typename": "Query"}})
    );
    // What the specification refuses stays refused.
    for query in [
        "query($i: String) { strict_author(id: $i) { id } }",
        "query($i: [String]) { authors(ids: $i) { total_count } }",
        "query($i: String!) { authors(ids: $i) { total_count } }",
        "query($i: Int) { author(id: $i) { id } }",
        "query($i: JSON) { author(id: $i) { id } }",
        "query($i: String) { echo(extra: $i) }",
        "query($i: String) { echo(number: $i) }",
        "query($i: Filter) { author(id: $i) { id } }",
        "query($i: Author) { author(id: $i) { id } }",
        "query($i: Nothing) { echo(number: $i) }",
    ] {
        let answer = w.run(ViewId::V2026, query, json!({"i": "2007500001"})).await;
        assert!(answer.get("data").is_none(), "{query}: {answer}");
    }
}

async fn one_stands_for_a_list(w: World) {
    let query = "query($l: [ID!]) { echo(ids: $l) }";
    same(&w, query, json!({"l": "5"}), "ids: \"5\"").await;
    same(&w, query, json!({"l": 5}), "ids: 5").await;
    let query = "query($x: [String]) { echo(texts: $x) }";
    expect![[r#"Args({"text": Text("none"), "texts": List([Text("a")])})"#]]
        .assert_eq(&same(&w, query, json!({"x": "a"}), "texts: \"a\"").await);
    same(&w, query, json!({"x": null}), "texts: null").await;
    let query = "query($o: Filter) { echo(filter: $o) }";
    same(&w, query, json!({"o": {"ids": 7}}), "filter: {ids: 7}").await;
    // Ids joined by commas are several ids (behaviour 45).
    let query = "query($l: [ID!]) { authors(ids: $l) { nodes { id } } }";
    let joined = w.run(ViewId::V2026, query, json!({"l": "2007500001, 2007500002,"})).await;
    let listed = w.run(ViewId::V2026, query, json!({"l": ["2007500001", "2007500002"]})).await;
    assert_eq!(joined, listed);
    assert_eq!(joined["data"]["authors"]["nodes"].as_array().unwrap().len(), 2);
}

async fn defaults(w: World) {
    let v = ViewId::V2026;
    for (query, variables, expected) in [
        ("{ echo }", json!({}), expect![[r#"Args({"text": Text("none")})"#]]),
        (
            "query($t: String) { echo(text: $t) }",
            json!({}),
            expect![[r#"Args({"text": Text("none")})"#]],
        ),
        (
            "query($t: String = \"own\") { echo(text: $t) }",
            json!({}),
            expect![[r#"Args({"text": Text("own")})"#]],
        ),
        (
            "query($t: String = \"own\") { echo(text: $t) }",
            json!({"t": null}),
            expect![[r#"Args({"text": Null})"#]],
        ),
        (
            "{ echo(filter: {}) }",
            json!({}),
            expect![[r#"Args({"filter": Object({"limit": Int(5)}), "text": Text("none")})"#]],
        ),
        (
            "query($n: Int) { echo(filter: {limit: $n}) }",
            json!({}),
            expect![[r#"Args({"filter": Object({"limit": Int(5)}), "text": Text("none")})"#]],
        ),
        (
            "query($n: Int) { echo(filter: {limit: $n}) }",
            json!({"n": 2}),
            expect![[r#"Args({"filter": Object({"limit": Int(2)}), "text": Text("none")})"#]],
        ),
        (
            "query($o: Filter) { echo(filter: $o) }",
            json!({"o": {}}),
            expect![[r#"Args({"filter": Object({"limit": Int(5)}), "text": Text("none")})"#]],
        ),
        (
            "query($o: Filter = {child: {name: \"x\"}}) { echo(filter: $o) }",
            json!({}),
            expect![[
                r#"Args({"filter": Object({"child": Object({"limit": Int(5), "name": Text("x")}), "limit": Int(5)}), "text": Text("none")})"#
            ]],
        ),
        (
            "query($o: Strict) { echo(strict: $o) }",
            json!({"o": {"id": 1}}),
            expect![[
                r#"Args({"strict": Object({"id": Text("1"), "ids": List([Text("2007500001")])}), "text": Text("none")})"#
            ]],
        ),
        (
            "{ echo(strict: {id: 1}) }",
            json!({}),
            expect![[
                r#"Args({"strict": Object({"id": Text("1"), "ids": List([Text("2007500001")])}), "text": Text("none")})"#
            ]],
        ),
        (
            "query($t: [String] = \"one\") { echo(texts: $t) }",
            json!({}),
            expect![[r#"Args({"text": Text("none"), "texts": List([Text("one")])})"#]],
        ),
    ] {
        expected.assert_eq(&echo(&w, v, query, variables).await);
    }
    let shout = "query($t: Int) { author(id: 2007500005) { shout(times: $t) } }";
    assert_eq!(w.run(v, shout, json!({})).await["data"]["author"]["shout"], "Eve!");
    assert_eq!(w.run(v, shout, json!({"t": 3})).await["data"]["author"]["shout"], "Eve!!!");
}

async fn undeclared_variables_are_ignored(w: World) {
    let query = "query($i: ID) { author(id: $i) { name } }";
    let variables = json!({"i": 2_007_500_001_u64, "other": {"deep": [1]}, "name": "\u{0}"});
    let answer = w.run(ViewId::V2026, query, variables).await;
    assert_eq!(answer, json!({"data": {"author": {"name": "Ada Ahlgren"}}}));
}

async fn invalid_variables(w: World) {
    for (ty, argument, value, expected) in [
        (
            "Int",
            "number",
            json!("5"),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Int was provided invalid value (Could not coerce value to Int)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Int"}]}}]}"#
            ]],
        ),
        (
            "Int",
            "number",
            json!(5.5),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Int was provided invalid value (Could not coerce value to Int)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Int"}]}}]}"#
            ]],
        ),
        (
            "Int",
            "number",
            json!(3_000_000_000_u64),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Int was provided invalid value (Could not coerce value to Int)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Int"}]}}]}"#
            ]],
        ),
        (
            "Int",
            "number",
            json!(true),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Int was provided invalid value (Could not coerce value to Int)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Int"}]}}]}"#
            ]],
        ),
        (
            "Float",
            "size",
            json!("1.5"),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Float was provided invalid value (Could not coerce value to Float)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Float"}]}}]}"#
            ]],
        ),
        (
            "Boolean",
            "flag",
            json!("true"),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Boolean was provided invalid value (Could not coerce value to Boolean)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Boolean"}]}}]}"#
            ]],
        ),
        (
            "Boolean",
            "flag",
            json!(1),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Boolean was provided invalid value (Could not coerce value to Boolean)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Boolean"}]}}]}"#
            ]],
        ),
        (
            "String",
            "text",
            json!(5),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type String was provided invalid value (Could not coerce value to String)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to String"}]}}]}"#
            ]],
        ),
        (
            "String",
            "text",
            json!(["a"]),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type String was provided invalid value (Could not coerce value to String)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to String"}]}}]}"#
            ]],
        ),
        (
            "AuthorKind",
            "kind",
            json!("PAINTER"),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type AuthorKind was provided invalid value (Expected one of: CRITIC, NOVELIST, POET)","extensions":{"problems":[{"path":[],"explanation":"Expected one of: CRITIC, NOVELIST, POET"}]}}]}"#
            ]],
        ),
        (
            "AuthorKind",
            "kind",
            json!(1),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type AuthorKind was provided invalid value (Expected one of: CRITIC, NOVELIST, POET)","extensions":{"problems":[{"path":[],"explanation":"Expected one of: CRITIC, NOVELIST, POET"}]}}]}"#
            ]],
        ),
        (
            "[ID!]",
            "ids",
            json!(["1", null]),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type [ID!] was provided invalid value for 1 (Expected value to not be null)","extensions":{"problems":[{"path":[1],"explanation":"Expected value to not be null"}]}}]}"#
            ]],
        ),
        (
            "[ID!]",
            "ids",
            json!([["1"]]),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type [ID!] was provided invalid value for 0 (Could not coerce value to ID)","extensions":{"problems":[{"path":[0],"explanation":"Could not coerce value to ID"}]}}]}"#
            ]],
        ),
        (
            "Filter",
            "filter",
            json!("x"),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Filter was provided invalid value (Could not coerce value to Filter)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to Filter"}]}}]}"#
            ]],
        ),
        (
            "Filter",
            "filter",
            json!({"nmae": "x"}),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Filter was provided invalid value for nmae (Field is not defined on Filter)","extensions":{"problems":[{"path":["nmae"],"explanation":"Field is not defined on Filter"}]}}]}"#
            ]],
        ),
        (
            "Filter",
            "filter",
            json!({"child": {"child": {"limit": "x"}}}),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Filter was provided invalid value for child.child.limit (Could not coerce value to Int)","extensions":{"problems":[{"path":["child","child","limit"],"explanation":"Could not coerce value to Int"}]}}]}"#
            ]],
        ),
        (
            "Strict",
            "strict",
            json!({}),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Strict was provided invalid value for id (Expected value to not be null)","extensions":{"problems":[{"path":["id"],"explanation":"Expected value to not be null"}]}}]}"#
            ]],
        ),
        (
            "Strict",
            "strict",
            json!({"id": null}),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Strict was provided invalid value for id (Expected value to not be null)","extensions":{"problems":[{"path":["id"],"explanation":"Expected value to not be null"}]}}]}"#
            ]],
        ),
        (
            "Strict",
            "strict",
            json!({"id": 1, "ids": null}),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type Strict was provided invalid value for ids (Expected value to not be null)","extensions":{"problems":[{"path":["ids"],"explanation":"Expected value to not be null"}]}}]}"#
            ]],
        ),
        (
            "ISO8601Date",
            "day",
            json!(5),
            expect![[
                r#"{"errors":[{"message":"Variable $v of type ISO8601Date was provided invalid value (Could not coerce value to ISO8601Date)","extensions":{"problems":[{"path":[],"explanation":"Could not coerce value to ISO8601Date"}]}}]}"#
            ]],
        ),
    ] {
        let query = format!("query($v: {ty}) {{ echo({argument}: $v) }}");
        expected.assert_eq(&echo(&w, ViewId::V2026, &query, json!({ "v": value })).await);
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
        let answer = w.new(query).await;
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
