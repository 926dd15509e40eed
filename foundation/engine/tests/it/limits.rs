//! Bounds before anything runs (behaviour 11; SEC-28): depth, complexity, and
//! documents made to hurt. Every one is answered in little: the measure is
//! bytes and counts, never time.

use expect_test::expect;
use serde_json::{Value as Json, json};
use ward_engine::{MAX_COMPLEXITY, ViewId};

use crate::world::{World, messages};

cases!(
    depth_25_passes_and_26_does_not,
    complexity_is_counted_as_written,
    complexity_follows_variables,
    limits_come_before_execution,
    hostile_documents_are_refused_in_little,
    large_variables_are_ignored_or_refused,
    a_long_key_is_not_repeated_for_every_row,
);

/// `boss` in `boss`: as deep as asked, the root field included.
fn deep(depth: usize) -> String {
    let bosses = "boss { ".repeat(depth - 2);
    format!("{{ author(id: 2007500001) {{ {bosses} id {} }}", "}".repeat(depth - 1))
}

async fn depth_25_passes_and_26_does_not(w: World) {
    assert!(w.v2026(&deep(25)).await["errors"].is_null());
    expect![[r#"{"errors":[{"message":"Query has depth of 26, which exceeds max depth of 25"}]}"#]]
        .assert_eq(&w.v2026(&deep(26)).await.to_string());
    let message = &messages(&w.v2026(&deep(60)).await)[0];
    assert_eq!(message, "Query has depth of 60, which exceeds max depth of 25");
    // Fragments count with what they hold, and not for themselves.
    let inner = "boss { ".repeat(12) + "id" + &" }".repeat(12);
    for (more, fits) in [("", true), ("boss { id }", false)] {
        let query = format!(
            "{{ author(id: 1) {{ ... {{ ...A }} }} }} \
             fragment A on Author {{ {} ...B {} }} fragment B on Author {{ {} }}",
            "boss { ".repeat(11),
            "}".repeat(11),
            inner.replace("id", &format!("id {more}"))
        );
        assert_eq!(w.v2026(&query).await["errors"].is_null(), fits, "{query}");
    }
    assert!(w.v2026("{ __typename }").await["errors"].is_null());
}

/// The complexity of a query by the server's own words: pages are blown up
/// until it refuses.
async fn complexity_of(w: &World, view: ViewId, query: &str) -> u64 {
    let plain = w.ask(view, query).run().await;
    let told = |body: &Json| {
        let message = messages(body).first().cloned().unwrap_or_default();
        let number = message.strip_prefix("Query has complexity of ")?;
        number.split(',').next()?.parse::<u64>().ok()
    };
    if let Some(number) = told(&plain) {
        return number;
    }
    // Not refused: 2,000 type names more, each of which costs one.
    let names: String = (0..MAX_COMPLEXITY).map(|n| format!("t{n}: __typename ")).collect();
    let body = w.ask(view, &query.replacen('{', &format!("{{ {names}"), 1)).run().await;
    told(&body).unwrap_or_else(|| panic!("{body}")) - MAX_COMPLEXITY
}

async fn complexity_is_counted_as_written(w: World) {
    for (query, expected) in [
        ("{ author(id: 1) { id } }", 2),
        // The example of behaviour 11.
        ("{ books(first: 5) { total_count nodes { id tags { id name } } } }", 23),
        ("{ books { total_count nodes { id tags { id name } } } }", 403),
        ("{ books(last: 5) { nodes { id } } }", 7),
        ("{ books(first: 0) { nodes { id } total_count } }", 3),
        ("{ books(first: 3, last: 7) { nodes { id } } }", 5),
        (
            "{ books(first: 5) { edges { cursor node { id title } } page_info { has_next_page } } }",
            1 + 1 + 5 * 4 + 2,
        ),
        // Nested connections multiply each other.
        ("{ authors(first: 4) { nodes { books(first: 3) { nodes { id } } } } }", 2 + 4 * (2 + 3)),
        ("{ authors(first: 4) { nodes { books { nodes { id } } } } }", 2 + 4 * (2 + 100)),
        // Merged fields count once, aliases each.
        ("{ author(id: 1) { id id ... { id } } }", 2),
        ("{ a: author(id: 1) { id } b: author(id: 1) { id } }", 4),
        ("{ author(id: 1) { ...F } } fragment F on Author { id name boss { id } }", 5),
        ("{ author(id: 1) { address { city } } }", 3),
    ] {
        assert_eq!(complexity_of(&w, ViewId::V2026, query).await, expected, "{query}");
    }
    // A plain list does not multiply.
    let query = "{ books(page_size: 1000) { id tags { id } } }";
    assert_eq!(complexity_of(&w, ViewId::Baseline, query).await, 4);
    let query = "{ authors(first: 999) { nodes { id name } } }";
    assert!(w.v2026(query).await["errors"].is_null(), "2000 exactly is allowed");
    let query = "{ authors(first: 999) { nodes { id name } } __typename }";
    expect![[r#"{"errors":[{"message":"Query has complexity of 2001, which exceeds max complexity of 2000"}]}"#]]
        .assert_eq(&w.v2026(query).await.to_string());
}

async fn complexity_follows_variables(w: World) {
    let query = "query($n: Int) { authors(first: $n) { nodes { id name kind } } }";
    for (variables, fits) in [
        (json!({}), true),
        (json!({"n": null}), true),
        (json!({"n": 666}), true),
        (json!({"n": 667}), false),
        (json!({"n": 2_000_000_000}), false),
    ] {
        let answer = w.run(ViewId::V2026, query, variables.clone()).await;
        assert_eq!(answer["errors"].is_null(), fits, "{variables}");
    }
    // The same from the cache.
    let answer = w.run(ViewId::V2026, query, json!({"n": 1000})).await;
    assert_eq!(
        messages(&answer)[0],
        "Query has complexity of 3002, which exceeds max complexity of 2000"
    );
}

async fn limits_come_before_execution(w: World) {
    let before = w.number("SELECT COUNT(*) FROM authors").await;
    let fields: String = (0..2_000).map(|n| format!("t{n}: __typename ")).collect();
    let query = format!("mutation {{ createAuthor(input: {{name: \"x\"}}) {{ {fields} }} }}");
    assert!(messages(&w.v2026(&query).await)[0].contains("complexity"));
    assert_eq!(w.number("SELECT COUNT(*) FROM authors").await, before);
}

/// Refused, in less than 64 KB and with at most 20 errors.
pub async fn refused(w: &World, name: &str, query: &str) {
    for view in ViewId::ALL {
        let reply = w.ask(view, query).reply().await;
        assert!(reply.body.len() < 64 * 1024, "{name}: {} bytes", reply.body.len());
        let body: Json = serde_json::from_slice(&reply.body).unwrap();
        let count = body["errors"].as_array().map_or(0, Vec::len);
        assert!((1..=20).contains(&count), "{name}: {count} errors");
        assert!(body.get("data").is_none(), "{name}");
        assert_eq!((reply.status, reply.statements), (200, 0), "{name}");
    }
}

async fn hostile_documents_are_refused_in_little(w: World) {
    let doubled = |n: usize, last: &str| {
        let mut text =
            format!("{{ author(id: 1) {{ ...f0 }} }} fragment f{n} on Author {{ {last} }} ");
        for k in 0..n {
            let next = k + 1;
            text += &format!(
                "fragment f{k} on Author {{ a{k}: boss {{ ...f{next} }} b{k}: boss {{ ...f{next} }} }} "
            );
        }
        text
    };
    let chain = |n: usize| {
        let mut text = "{ ...c0 } ".to_owned();
        (0..n).for_each(|k| text += &format!("fragment c{k} on Query {{ ...c{} }} ", k + 1));
        text + &format!("fragment c{n} on Query {{ __typename }}")
    };
    let repeated = |n: usize, of: &dyn Fn(usize) -> String| -> String { (0..n).map(of).collect() };
    let long = "x".repeat(200_000);
    let dag: String = repeated(600, &|k| {
        let spreads = repeated(3, &|m| format!("...d{} ", (k * 3 + m + 1).min(599)));
        format!("fragment d{k} on Query {{ __typename {spreads} }} ")
    });
    for (name, query) in [
        ("braces", "{".repeat(200_000)),
        ("nested fields", "{ a".repeat(60_000)),
        ("nested lists", format!("{{ echo(extra: {} ) }}", "[".repeat(100_000))),
        ("nested objects", format!("{{ echo(extra: {} ) }}", "{a:".repeat(60_000))),
        (
            "closed nested lists",
            format!("{{ echo(extra: {}{}) }}", "[".repeat(5_000), "]".repeat(5_000)),
        ),
        (
            "nested types",
            format!("query($a: {}Int{}) {{ __typename }}", "[".repeat(3_000), "]".repeat(3_000)),
        ),
        (
            "nested fragments",
            format!("{{ {} __typename {} }}", "... { ".repeat(3_000), "}".repeat(3_000)),
        ),
        ("too deep", deep(90)),
        ("f0..f30", doubled(30, "id")),
        ("f0..f12 within the depth", doubled(12, "id name")),
        ("cycle of one", "{ ...a } fragment a on Query { ...a }".to_owned()),
        (
            "cycle of two",
            "{ ...a } fragment a on Query { ...b } fragment b on Query { ...a }".to_owned(),
        ),
        (
            "a name twice",
            "{ ...a } fragment a on Query { __typename } fragment a on Query { ...a }".to_owned(),
        ),
        (
            "cycle below a field",
            "{ author { ...a } } fragment a on Author { boss { ...a } }".to_owned(),
        ),
        ("chain of 150", chain(150)),
        ("chain of 5,000", chain(5_000)),
        ("600 fragments", format!("{{ ...d0 }} {dag}")),
        (
            "100,000 aliases",
            format!("{{ {} }}", repeated(100_000, &|n| format!("a{n}:__typename "))),
        ),
        ("3,000 aliases", format!("{{ {} }}", repeated(3_000, &|n| format!("a{n}:__typename ")))),
        ("the same field", format!("{{ author(id: 1) {{ {} }} }}", "id ".repeat(20_000))),
        ("unknown fields", format!("{{ {} }}", repeated(5_000, &|n| format!("u{n} ")))),
        ("directives", format!("{{ __typename {} }}", "@skip(if: false) ".repeat(3_000))),
        (
            "unknown directives",
            format!("{{ __typename {} }}", repeated(5_000, &|n| format!("@u{n} "))),
        ),
        (
            "variables",
            format!("query({}) {{ __typename }}", repeated(201, &|n| format!("$v{n}: Int "))),
        ),
        (
            "variables used",
            format!(
                "query({}) {{ __typename {} }}",
                repeated(300, &|n| format!("$v{n}: Boolean! ")),
                repeated(300, &|n| format!("a{n}: __typename @skip(if: $v{n}) "))
            ),
        ),
        ("operations", repeated(21, &|n| format!("query Q{n} {{ __typename }} "))),
        (
            "fragments",
            format!(
                "{{ __typename }} {}",
                repeated(201, &|n| format!("fragment F{n} on Query {{ __typename }} "))
            ),
        ),
        ("arguments", format!("{{ echo({}) }}", repeated(4_000, &|n| format!("a{n}: 1 ")))),
        (
            "object fields",
            format!("{{ echo(filter: {{ {} }}) }}", repeated(4_000, &|n| format!("a{n}: 1 "))),
        ),
        ("a long field", format!("{{ {long} }}")),
        ("a long alias", format!("{{ {long}: __typename }}")),
        ("a long argument", format!("{{ echo({long}: 1) }}")),
        ("a long fragment", format!("{{ ...{long} }}")),
        ("a long directive", format!("{{ __typename @{long} }}")),
        ("a long type", format!("query($a: {long}) {{ echo(text: $a) }}")),
        ("a long enum member", format!("{{ echo(text: {long}) }}")),
        ("a long number", format!("{{ echo(number: {}) }}", "9".repeat(200_000))),
        ("a long text in the wrong place", format!("{{ echo(number: \"{long}\") }}")),
        ("a text without end", format!("{{ echo(text: \"{long}")),
        ("a block without end", format!("{{ echo(text: \"\"\"{long}")),
        ("a comment", format!("#{long}")),
        ("commas", ",".repeat(200_000)),
        ("quotes", "\"".repeat(50_001)),
        ("noise", "\u{1}\u{2}\\§½{[}".repeat(10_000)),
        ("lone surrogates", "{ echo(text: \"\\ud800\") }".to_owned()),
        ("a subscription", "subscription { authors { total_count } }".to_owned()),
        ("nothing", " ".repeat(10)),
    ] {
        refused(&w, name, &query).await;
    }
    // What is large but fair is answered.
    let fair = format!("{{ {} }}", repeated(1_500, &|n| format!("a{n}:__typename ")));
    assert!(w.v2026(&fair).await["errors"].is_null());
    assert!(w.v2026(&format!("#{long}\n{{ __typename }}")).await["errors"].is_null());
    assert!(w.v2026("\u{feff}{ __typename }").await["errors"].is_null());
}

async fn large_variables_are_ignored_or_refused(w: World) {
    let many: serde_json::Map<String, Json> =
        (0..50_000).map(|n| (format!("v{n}"), json!([n]))).collect();
    let answer = w.run(ViewId::V2026, "{ __typename }", Json::Object(many.clone())).await;
    assert_eq!(answer, json!({"data": {"__typename": "Query"}}));
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    for (ty, argument, value) in [
        ("[ID!]", "ids", json!(vec![1.5; 50_000])),
        ("Filter", "filter", Json::Object(many)),
        ("Filter", "filter", (0..90).fold(json!({"limit": "x"}), |it, _| json!({ "child": it }))),
        ("String", "text", deep),
    ] {
        let query = format!("query($v: {ty}) {{ echo({argument}: $v) }}");
        let answer = w.run(ViewId::V2026, &query, json!({ "v": value })).await;
        assert!(answer.get("data").is_none(), "{ty}");
        assert!(answer.to_string().len() < 64 * 1024, "{ty}");
    }
    // 200 declared variables, each wrong.
    let declared: String = (0..200).map(|n| format!("$v{n}: Int! ")).collect();
    let used: String = (0..200).map(|n| format!("a{n}: echo(number: $v{n}) ")).collect();
    let answer = w.run(ViewId::V2026, &format!("query({declared}) {{ {used} }}"), json!({})).await;
    assert_eq!(messages(&answer).len(), 20);
}

async fn a_long_key_is_not_repeated_for_every_row(w: World) {
    for (length, fits) in [(200, true), (201, false)] {
        let key = "k".repeat(length);
        for query in [
            format!("{{ {key}: __typename }}"),
            format!("{{ authors(first: 1) {{ nodes {{ {key}: id }} }} }}"),
            format!("{{ ...F }} fragment F on Query {{ ... {{ {key}: __typename }} }}"),
        ] {
            assert_eq!(w.v2026(&query).await["errors"].is_null(), fits, "{length}");
        }
    }
}
