//! What an answer holds: keys, fragments, merging, directives, type names.

use expect_test::{Expect, expect};
use serde_json::json;
use ward_engine::ViewId;

use crate::world::World;

cases!(
    aliases_keep_the_order_of_the_document,
    fragments_are_inlined,
    fields_of_one_key_merge,
    fields_of_one_key_merge_under_their_conditions,
    conditions_follow_variables,
    conditions_hold_inside_connections_and_value_objects,
    features_are_off,
    type_names_are_everywhere,
    one_of_several_operations_runs,
    value_objects_are_selected_from,
);

async fn old(w: &World, query: &str, expected: Expect) {
    expected.assert_eq(&w.baseline(query).await.to_string());
}

async fn new(w: &World, query: &str, expected: Expect) {
    expected.assert_eq(&w.v2026(query).await.to_string());
}

const ADA: &str = r#"author(id: "2007500001")"#;

async fn aliases_keep_the_order_of_the_document(w: World) {
    let query = format!("{{ z: {ADA} {{ b: name a: id name }} a: {ADA} {{ id }} }}");
    new(&w, &query, expect![[r#"{"data":{"z":{"b":"Ada Ahlgren","a":"2007500001","name":"Ada Ahlgren"},"a":{"id":"2007500001"}}}"#]]).await;
}

async fn fragments_are_inlined(w: World) {
    let query = format!(
        "query {{ {ADA} {{ ...A ... {{ rating }} ... on Author {{ active }} }} }} \
         fragment A on Author {{ name ...B }} fragment B on Author {{ id boss {{ ...C }} }} \
         fragment C on Author {{ name }}"
    );
    new(&w, &query, expect![[r#"{"data":{"author":{"name":"Ada Ahlgren","id":"2007500001","boss":null,"rating":5,"active":true}}}"#]]).await;
}

async fn fields_of_one_key_merge(w: World) {
    let query = format!(
        "{{ {ADA} {{ first_book {{ id }} name }} \
         {ADA} {{ first_book {{ title id author {{ id }} }} ...F }} }} \
         fragment F on Author {{ first_book {{ author {{ name }} }} name }}"
    );
    new(&w, &query, expect![[r#"{"data":{"author":{"first_book":{"id":"2007500001","title":"Apple","author":{"id":"2007500001","name":"Ada Ahlgren"}},"name":"Ada Ahlgren"}}}"#]]).await;
}

async fn fields_of_one_key_merge_under_their_conditions(w: World) {
    let query = "query($a: Boolean!, $b: Boolean!) { author(id: 2007500001) { \
        first_book @include(if: $a) { id } first_book @include(if: $b) { title } \
        ... @skip(if: $a) { name } } }";
    for (a, b, expected) in [
        (
            true,
            true,
            expect![[r#"{"data":{"author":{"first_book":{"id":"2007500001","title":"Apple"}}}}"#]],
        ),
        (true, false, expect![[r#"{"data":{"author":{"first_book":{"id":"2007500001"}}}}"#]]),
        (
            false,
            true,
            expect![[
                r#"{"data":{"author":{"first_book":{"title":"Apple"},"name":"Ada Ahlgren"}}}"#
            ]],
        ),
        (false, false, expect![[r#"{"data":{"author":{"name":"Ada Ahlgren"}}}"#]]),
    ] {
        let answer = w.run(ViewId::V2026, query, json!({"a": a, "b": b})).await;
        expected.assert_eq(&answer.to_string());
    }
    // Once unconditional, always there; only what the condition adds comes and goes.
    let query = "query($a: Boolean!) { author(id: 2007500001) { first_book { id } \
        first_book @include(if: $a) { title } } }";
    for (a, expected) in [
        (
            true,
            expect![[r#"{"data":{"author":{"first_book":{"id":"2007500001","title":"Apple"}}}}"#]],
        ),
        (false, expect![[r#"{"data":{"author":{"first_book":{"id":"2007500001"}}}}"#]]),
    ] {
        let answer = w.run(ViewId::V2026, query, json!({ "a": a })).await;
        expected.assert_eq(&answer.to_string());
    }
}

async fn conditions_follow_variables(w: World) {
    let query = "query($a: Boolean!, $b: Boolean = true) { author(id: 2007500001) { id \
        x: name @skip(if: $a) y: name @include(if: $b) z: name @skip(if: $a) @include(if: $b) \
        t: name @include(if: true) f: name @include(if: false) s: name @skip(if: true) \
        ...N @include(if: $a) } } fragment N on Author { n: name }";
    for (variables, expected) in [
        (
            json!({"a": false}),
            expect![[
                r#"{"data":{"author":{"id":"2007500001","x":"Ada Ahlgren","y":"Ada Ahlgren","z":"Ada Ahlgren","t":"Ada Ahlgren"}}}"#
            ]],
        ),
        (
            json!({"a": true}),
            expect![[
                r#"{"data":{"author":{"id":"2007500001","y":"Ada Ahlgren","t":"Ada Ahlgren","n":"Ada Ahlgren"}}}"#
            ]],
        ),
        (
            json!({"a": false, "b": false}),
            expect![[
                r#"{"data":{"author":{"id":"2007500001","x":"Ada Ahlgren","t":"Ada Ahlgren"}}}"#
            ]],
        ),
    ] {
        expected.assert_eq(&w.run(ViewId::V2026, query, variables).await.to_string());
    }
}

async fn conditions_hold_inside_connections_and_value_objects(w: World) {
    let query = "query($yes: Boolean!) { authors(first: 1) { \
        total_count @include(if: $yes) nodes @include(if: $yes) { id } \
        edges { cursor @include(if: $yes) node @skip(if: $yes) { name } __typename } \
        page_info { has_next_page @skip(if: $yes) has_previous_page } } \
        author(id: 2007500001) { address { city @skip(if: $yes) number } } }";
    for (yes, expected) in [(
        false,
        expect![[
            r#"{"data":{"authors":{"edges":[{"node":{"name":"Ada Ahlgren"},"__typename":"AuthorEdge"}],"page_info":{"has_next_page":true,"has_previous_page":false}},"author":{"address":{"city":"Ada Ahlgren","number":7}}}}"#
        ]],
    )] {
        let answer = w.run(ViewId::V2026, query, json!({ "yes": yes })).await;
        expected.assert_eq(&answer.to_string());
    }
    let answer = w.run(ViewId::V2026, query, json!({"yes": true})).await;
    let page = &answer["data"]["authors"];
    let keys = |it: &serde_json::Value| it.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(page), ["total_count", "nodes", "edges", "page_info"]);
    assert_eq!(keys(&page["edges"][0]), ["cursor", "__typename"]);
    assert_eq!(keys(&page["page_info"]), ["has_previous_page"]);
    assert_eq!(keys(&answer["data"]["author"]["address"]), ["number"]);
}

/// No organization has a feature yet (behaviour 2).
async fn features_are_off(w: World) {
    let query = "{ author(id: 2007500001) { id a: name @feature(if: \"x\") \
        b: name @feature(unless: \"x\") c: name @feature(if: \"x\", unless: \"y\") \
        ... @feature(if: \"x\") { d: name } ... @feature(unless: \"x\") { e: name } \
        ...F @feature(if: \"x\") } } fragment F on Author { f: name }";
    new(
        &w,
        query,
        expect![[r#"{"data":{"author":{"id":"2007500001","b":"Ada Ahlgren","e":"Ada Ahlgren"}}}"#]],
    )
    .await;
}

async fn type_names_are_everywhere(w: World) {
    let query = "{ __typename authors(first: 1) { __typename edges { __typename node { __typename } } \
        nodes { t: __typename first_book { __typename } address { __typename } } page_info { __typename } } }";
    new(&w, query, expect![[r#"{"data":{"__typename":"Query","authors":{"__typename":"AuthorConnection","edges":[{"__typename":"AuthorEdge","node":{"__typename":"Author"}}],"nodes":[{"t":"Author","first_book":{"__typename":"Book"},"address":{"__typename":"Address"}}],"page_info":{"__typename":"PageInfo"}}}}"#]]).await;
    let query =
        "mutation { __typename hello(input: {name: \"\"}) { __typename messages { __typename } } }";
    new(&w, query, expect![[r#"{"data":{"__typename":"Mutation","hello":{"__typename":"HelloPayload","messages":null}}}"#]]).await;
    new(&w, "{ __typename }", expect![[r#"{"data":{"__typename":"Query"}}"#]]).await;
}

async fn one_of_several_operations_runs(w: World) {
    let query = "query A { a: __typename } query B { b: __typename }";
    let ask = |name: &str| w.ask(ViewId::V2026, query).operation(name);
    expect![[r#"{"data":{"b":"Query"}}"#]].assert_eq(&ask("B").run().await.to_string());
    expect![[r#"{"errors":[{"message":"No operation named \"C\""}]}"#]]
        .assert_eq(&ask("C").run().await.to_string());
    expect![[r#"{"errors":[{"message":"An operation name is required: the request holds several operations, or none."}]}"#]].assert_eq(&ask("").run().await.to_string());
    // An empty name is no name.
    let one = w.ask(ViewId::V2026, "query A { a: __typename }").operation("");
    expect![[r#"{"data":{"a":"Query"}}"#]].assert_eq(&one.run().await.to_string());
}

async fn value_objects_are_selected_from(w: World) {
    let query = format!("{{ {ADA} {{ address {{ a: city lines number strict more }} }} }}");
    new(&w, &query, expect![[r#"{"data":{"author":{"address":{"a":"Ada Ahlgren","lines":["1 Main St","Floor 2"],"number":7,"strict":"s","more":{"list":[1,{"a":null}],"text":"t"}}}}}"#]]).await;
    old(&w, &query, expect![[r#"{"data":{"author":{"address":{"a":"Ada Ahlgren","lines":["1 Main St","Floor 2"],"number":7,"strict":"s","more":{"list":[1,{"a":null}],"text":"t"}}}}}"#]]).await;
}
