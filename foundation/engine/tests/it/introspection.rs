//! Introspection: open to everybody, of the view asked for, bounded.

use serde_json::json;
use ward_engine::ViewId;

use crate::limits::refused;
use crate::world::World;

cases!(
    introspection_is_exempt_and_of_the_view,
    introspection_reads_variables,
    introspection_is_bounded,
);

const STANDARD: &str = include_str!("introspection.graphql");

async fn introspection_is_exempt_and_of_the_view(w: World) {
    let names = async |view| {
        let data = w.ask(view, STANDARD).data().await;
        let types = data["__schema"]["types"].as_array().unwrap().clone();
        types.iter().map(|ty| ty["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let (old, new) = (names(ViewId::Baseline).await, names(ViewId::V2026).await);
    for (name, of_old, of_new) in [
        ("Author", true, true),
        ("AuthorConnection", false, true),
        ("AuthorKind", false, true),
        ("ISO8601DateTime", false, true),
        ("Cursor", true, false),
    ] {
        assert_eq!(
            (old.iter().any(|it| it == name), new.iter().any(|it| it == name)),
            (of_old, of_new),
            "{name}"
        );
    }
    // Of what is served only.
    let query = "{ __type(name: \"Author\") { description fields { name } } author: author(id: 2007500001) { id } }";
    let answer = w.v2026(query).await;
    let fields = answer["data"]["__type"]["fields"].as_array().unwrap();
    let served = |name: &str| fields.iter().any(|it| it["name"] == name);
    assert!(served("name") && !served("unbound") && !served("secret_hash"));
    assert_eq!(answer["data"]["__type"]["description"], "Somebody who writes.");
    assert_eq!(answer["data"]["author"]["id"], "2007500001");
    // No statement, whoever asks, and no depth: the standard query is 13 deep.
    let reply = w.ask(ViewId::V2026, STANDARD).actor(ward_store::Actor::anonymous()).reply().await;
    assert_eq!(reply.statements, 0);
    assert!(reply.body.len() < 200_000);
    let of = "ofType { ".repeat(30) + "name" + &" }".repeat(30);
    let query = format!("{{ __type(name: \"Author\") {{ fields {{ type {{ {of} }} }} }} }}");
    assert!(w.v2026(&query).await["errors"].is_null());
}

async fn introspection_reads_variables(w: World) {
    for ty in ["String!", "String"] {
        let query = format!("query($n: {ty} = \"Tag\") {{ __type(name: $n) {{ name }} }}");
        let answer = w.run(ViewId::V2026, &query, json!({"n": "Author"})).await;
        assert_eq!(answer["data"]["__type"]["name"], "Author", "{ty} {answer}");
        let answer = w.run(ViewId::V2026, &query, json!({})).await;
        assert_eq!(answer["data"]["__type"]["name"], "Tag", "{ty} {answer}");
    }
    let query = "query($yes: Boolean!) { __schema @include(if: $yes) { queryType { name } } a: __typename }";
    let yes = w.run(ViewId::V2026, query, json!({"yes": true})).await;
    assert_eq!(yes["data"], json!({"__schema": {"queryType": {"name": "Query"}}, "a": "Query"}));
    let no = w.run(ViewId::V2026, query, json!({"yes": false})).await;
    assert_eq!(no["data"], json!({"a": "Query"}));
    let nothing = w.v2026("{ __type(name: \"Nobody\") { name } }").await;
    assert_eq!(nothing["data"], json!({"__type": null}));
}

async fn introspection_is_bounded(w: World) {
    let fields = |depth: usize| "fields { type { ".repeat(depth) + "name" + &" } }".repeat(depth);
    let aliases = |n: usize, of: &str| (0..n).map(|k| format!("a{k}: {of} ")).collect::<String>();
    let doubled: String = (0..12)
        .map(|k| {
            format!(
                "fragment f{k} on __Type {{ a: ofType {{ ...f{n} }} b: ofType {{ ...f{n} }} }} ",
                n = k + 1
            )
        })
        .collect();
    for (name, query) in [
        ("three nested lists", format!("{{ __schema {{ types {{ {} }} }} }}", fields(3))),
        (
            "aliases of all types",
            format!("{{ {} }}", aliases(50, "__schema { types { name description } }")),
        ),
        (
            "aliases below one schema",
            format!("{{ __schema {{ {} }} }}", aliases(50, "types { fields { name } }")),
        ),
        (
            "aliases of a type",
            format!("{{ {} }}", aliases(300, "__type(name: \"Author\") { fields { name } }")),
        ),
        (
            "doubling fragments",
            format!(
                "{{ __schema {{ types {{ ...f0 }} }} }} {doubled} fragment f12 on __Type {{ name }}"
            ),
        ),
        (
            "doubling inline",
            format!(
                "{{ __schema {{ types {{ {} }} }} }}",
                (0..6).fold("name".to_owned(), |it, n| format!(
                    "a{n}: ofType {{ {it} }} b{n}: ofType {{ {it} fields {{ name }} }}"
                ))
            ),
        ),
    ] {
        refused(&w, name, &query).await;
    }
}
