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
);

/// What `echo` was given, as the resolver sees it.
pub async fn echo(w: &World, view: ViewId, query: &str, variables: Json) -> String {
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
        let answer = w.v2026(&format!("{{ author(id: {literal}) {{ name }} }}")).await;
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
