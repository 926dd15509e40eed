//! Mutations: messages, refusals that write nothing, series, idempotency.

use expect_test::expect;
use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::Actor;

use crate::world::bindings::PUBLISH;
use crate::world::{World, author, member_without, messages};

cases!(
    success_has_null_messages,
    problems_are_told_and_nothing_is_written,
    absent_null_and_value_differ,
    a_deleted_row_is_still_answered,
    the_client_mutation_id_comes_back,
    nested_inputs,
    several_rows_and_a_leaf,
    denied_in_both_places,
    nobody_changes_nothing,
    not_found_and_ids_of_elsewhere,
    root_fields_run_in_series,
    a_failure_of_the_store,
    who_was_looked_up_before_a_reset_changes_nothing,
    a_failure_leaves_what_was_committed,
    a_repeated_key_replays,
    a_refused_request_frees_its_key,
    conditions_on_root_fields,
);

const V: ViewId = ViewId::V2026;
const CREATE: &str = "mutation($i: CreateAuthorInput!) { createAuthor(input: $i) { author { name email rating \
    kind born_on boss { name } all_books { title pages tags { name } } } messages { field message } } }";

async fn create(w: &World, input: Json) -> Json {
    w.run(V, CREATE, json!({ "i": input })).await
}

/// Authors, books, events, audit entries.
async fn rows(w: &World) -> [i64; 4] {
    [
        w.number("SELECT COUNT(*) FROM authors").await,
        w.number("SELECT COUNT(*) FROM books").await,
        w.number("SELECT COUNT(*) FROM events").await,
        w.number("SELECT COUNT(*) FROM audit_events").await,
    ]
}

async fn success_has_null_messages(w: World) {
    let before = rows(&w).await;
    let input = json!({"name": " New One ", "email": "new@example.org", "rating": 4, "kind": "CRITIC",
        "born_on": "February 1, 1990", "boss_id": 2_007_500_001_u64});
    expect![[r#"{"data":{"createAuthor":{"author":{"name":"New One","email":"new@example.org","rating":4,"kind":"CRITIC","born_on":"1990-02-01","boss":{"name":"Ada Ahlgren"},"all_books":[]},"messages":null}}}"#]].assert_eq(&create(&w, input).await.to_string());
    let after = rows(&w).await;
    assert_eq!(after, [before[0] + 1, before[1], before[2] + 1, before[3] + 1]);
    // The old view's types.
    let query = "mutation($i: CreateAuthorInput) { createAuthor(input: $i) { author { rating kind born_on } messages { message } } }";
    let input = json!({"name": "Old One", "rating": "4", "kind": "POET", "born_on": "1990-02-01"});
    let answer = w.run(ViewId::Baseline, query, json!({ "i": input })).await;
    expect![[r#"{"data":{"createAuthor":{"author":{"rating":"4","kind":"POET","born_on":"1990-02-01"},"messages":null}}}"#]].assert_eq(&answer.to_string());
}

async fn problems_are_told_and_nothing_is_written(w: World) {
    let before = rows(&w).await;
    expect![[r#"{"data":{"createAuthor":{"author":null,"messages":[{"field":"name","message":"Name can't be blank"},{"field":"email","message":"Email is invalid"}]}}}"#]].assert_eq(&create(&w, json!({"name": " ", "email": "x"})).await.to_string());
    expect![[r#"{"data":{"createAuthor":{"author":null,"messages":[{"field":"born_on","message":"born_on must be a date such as 1990-02-01"}]}}}"#]].assert_eq(&create(&w, json!({"name": "A", "born_on": "soon"})).await.to_string());
    // Refused after it has written: the transaction goes.
    let books = json!([{"title": "Fine"}, {"title": "Forbidden"}]);
    let answer = create(&w, json!({"name": "A", "books": books})).await;
    assert_eq!(answer["data"]["createAuthor"]["messages"][0]["field"], "books", "{answer}");
    assert_eq!(rows(&w).await, before);
    // `messages` may be asked for under another name, or not at all.
    let query = "mutation { a: createAuthor(input: {}) { m: messages { f: field } } b: createAuthor(input: {}) { author { id } } }";
    expect![[r#"{"data":{"a":{"m":[{"f":"name"}]},"b":{"author":null}}}"#]]
        .assert_eq(&w.v2026(query).await.to_string());
}

async fn absent_null_and_value_differ(w: World) {
    let update = async |input: Json| {
        let query = "mutation($i: UpdateAuthorInput!) { updateAuthor(input: $i) { author { name email } messages { field message } } }";
        w.run(V, query, json!({ "i": input })).await["data"]["updateAuthor"].to_string()
    };
    let id = "2007500005";
    expect![[r#"{"author":{"name":"Eva","email":"eve@example.org"},"messages":null}"#]]
        .assert_eq(&update(json!({"id": id, "name": "Eva"})).await);
    expect![[r#"{"author":{"name":"Eva","email":null},"messages":null}"#]]
        .assert_eq(&update(json!({"id": id, "email": null})).await);
    expect![[r#"{"author":{"name":"Eve","email":"eve@example.org"},"messages":null}"#]]
        .assert_eq(&update(json!({"id": id, "email": "eve@example.org", "name": "Eve"})).await);
    expect![[r#"{"author":{"name":"Eve","email":null},"messages":null}"#]]
        .assert_eq(&update(json!({"id": id, "email": " "})).await);
    expect![[r#"{"author":null,"messages":[{"field":"name","message":"Name can't be blank"}]}"#]]
        .assert_eq(&update(json!({"id": id, "name": null})).await);
    // A variable without value is absent, inside an object too.
    let query = "mutation($e: String) { updateAuthor(input: {id: 2007500005, email: $e}) { author { email } } }";
    let email = async |variables| {
        w.run(V, query, variables).await["data"]["updateAuthor"]["author"]["email"].clone()
    };
    assert_eq!(email(json!({"e": "eve@example.org"})).await, "eve@example.org");
    assert_eq!(email(json!({})).await, "eve@example.org");
    assert_eq!(email(json!({"e": null})).await, Json::Null);
    assert_eq!(email(json!({"e": "eve@example.org"})).await, "eve@example.org");
}

async fn a_deleted_row_is_still_answered(w: World) {
    let query = "mutation { deleteAuthor(input: {id: 2007500004}) { author { id joined_at } messages { field message } } }";
    expect![[r#"{"data":{"deleteAuthor":{"author":{"id":"2007500004","joined_at":"2026-11-01T01:30:00-04:00"},"messages":null}}}"#]].assert_eq(&w.v2026(query).await.to_string());
    expect![[r#"{"data":{"deleteAuthor":{"author":null,"messages":[{"field":"id","message":"Object not found"}]}}}"#]].assert_eq(&w.v2026(query).await.to_string());
    assert_eq!(w.v2026("{ author(id: 2007500004) { id } }").await["data"]["author"], Json::Null);
}

async fn the_client_mutation_id_comes_back(w: World) {
    let query = "mutation($i: HelloInput) { hello(input: $i) { greeting clientMutationId } }";
    let ask = async |input: Json| {
        w.run(ViewId::Baseline, query, json!({ "i": input })).await["data"]["hello"].to_string()
    };
    expect![[r#"{"greeting":"Hello Bo","clientMutationId":"c\"1"}"#]]
        .assert_eq(&ask(json!({"name": "Bo", "clientMutationId": "c\"1"})).await);
    expect![[r#"{"greeting":"Hello Bo","clientMutationId":null}"#]]
        .assert_eq(&ask(json!({"name": "Bo"})).await);
    expect![[r#"{"greeting":"Hello you","clientMutationId":null}"#]]
        .assert_eq(&ask(Json::Null).await);
    // Of a refused mutation too.
    let query = "mutation { createAuthor(input: {clientMutationId: \"x\"}) { clientMutationId author { id } } }";
    expect![[r#"{"data":{"createAuthor":{"clientMutationId":"x","author":null}}}"#]]
        .assert_eq(&w.baseline(query).await.to_string());
    // The new view has none.
    let answer = w.v2026("mutation { hello(input: {clientMutationId: \"x\"}) { greeting } }").await;
    assert!(answer.get("data").is_none(), "{answer}");
}

async fn nested_inputs(w: World) {
    let books = json!([{"title": "One", "pages": 7}, {"title": "Two"}]);
    let tags = json!("2007500001,2007500002");
    let answer = create(&w, json!({"name": "Nested", "books": books, "tag_ids": tags})).await;
    expect![[r#"{"data":{"createAuthor":{"author":{"name":"Nested","email":null,"rating":null,"kind":"POET","born_on":null,"boss":null,"all_books":[{"title":"One","pages":7,"tags":[{"name":"classic"},{"name":"new"}]},{"title":"Two","pages":null,"tags":[{"name":"classic"},{"name":"new"}]}]},"messages":null}}}"#]].assert_eq(&answer.to_string());
    // One stands for a list; what the book lacks is refused before anything runs.
    let answer = create(&w, json!({"name": "Single", "books": {"title": "One"}})).await;
    assert_eq!(answer["data"]["createAuthor"]["author"]["all_books"].as_array().unwrap().len(), 1);
    let answer = create(&w, json!({"name": "Single", "books": [{"pages": 1}]})).await;
    expect![[r#"{"errors":[{"message":"Variable $i of type CreateAuthorInput! was provided invalid value for books.0.title (Expected value to not be null)","extensions":{"problems":[{"path":["books",0,"title"],"explanation":"Expected value to not be null"}]}}]}"#]].assert_eq(&answer.to_string());
    // An unserved input field does not exist.
    let answer = create(&w, json!({"name": "x", "unserved": "y"})).await;
    assert!(answer.get("data").is_none());
}

async fn several_rows_and_a_leaf(w: World) {
    let query = "mutation { publish(input: {}) { count authors { id first_book { title } } messages { field } } }";
    let answer = w.v2026(query).await["data"]["publish"].clone();
    let authors = answer["authors"].as_array().unwrap();
    assert_eq!(answer["count"], json!(authors.len()));
    assert!(authors.len() >= 4 && authors.iter().all(|it| it["id"].is_string()));
    assert_eq!(answer["messages"], Json::Null);
    // A top-level error only, by the operation's choice.
    let query =
        "mutation { publish(input: {id: 2007500003}) { count messages { field message } } }";
    expect![[r#"{"data":{"publish":{"count":null,"messages":[{"field":"base","message":"This author rests."}]}},"errors":[{"message":"This author rests.","locations":[{"line":1,"column":12}],"path":["publish"],"extensions":{"code":"RESTING"}}]}"#]].assert_eq(&w.v2026(query).await.to_string());
}

async fn denied_in_both_places(w: World) {
    let query = "mutation { a: publish(input: {}) { count messages { field message } } }";
    let answer = w.ask(V, query).actor(member_without(PUBLISH)).run().await;
    expect![[r#"{"data":{"a":{"count":null,"messages":[{"field":"base","message":"You don't have permission to perform this operation. Please reach out to support if the problem persists"}]}},"errors":[{"message":"You don't have permission to perform this operation. Please reach out to support if the problem persists","locations":[{"line":1,"column":12}],"path":["a"],"extensions":{"code":"PERMISSION_DENIED","permission":"can_publish"}}]}"#]].assert_eq(&answer.to_string());
}

async fn nobody_changes_nothing(w: World) {
    let before = rows(&w).await;
    let query = "mutation { createAuthor(input: {name: \"x\"}) { author { id } messages { field message } } \
        hello(input: {name: \"you\"}) { greeting } }";
    let answer = w.ask(V, query).actor(Actor::anonymous()).run().await;
    expect![[r#"{"data":{"createAuthor":{"author":null,"messages":[{"field":"base","message":"You don't have permission to perform this operation. Please reach out to support if the problem persists"}]},"hello":{"greeting":"Hello you"}},"errors":[{"message":"You don't have permission to perform this operation. Please reach out to support if the problem persists","locations":[{"line":1,"column":12}],"path":["createAuthor"],"extensions":{"code":"PERMISSION_DENIED"}}]}"#]].assert_eq(&answer.to_string());
    assert_eq!(rows(&w).await, before);
    // An author may not change another, and does not learn that they exist.
    let query = "mutation { updateAuthor(input: {id: 2007500001, name: \"Mine\"}) { author { id } messages { field message } } }";
    let answer = w.ask(V, query).actor(author(2)).run().await;
    expect![[r#"{"data":{"updateAuthor":{"author":null,"messages":[{"field":"id","message":"Object not found"}]}}}"#]].assert_eq(&answer.to_string());
}

async fn not_found_and_ids_of_elsewhere(w: World) {
    let query = "mutation($i: ID!) { updateAuthor(input: {id: $i}) { author { id } messages { field message } } }";
    let ask = async |id: &str| w.run(V, query, json!({ "i": id })).await.to_string();
    expect![[r#"{"data":{"updateAuthor":{"author":null,"messages":[{"field":"id","message":"Object not found"}]}}}"#]].assert_eq(&ask("2007500777").await);
    assert_eq!(ask("x").await, ask("2007500777").await);
    expect![[r#"{"data":{"updateAuthor":{"author":null,"messages":[{"field":"id","message":"This is a Production id and this server is Sandbox; nothing was executed."}]}},"errors":[{"message":"This is a Production id and this server is Sandbox; nothing was executed.","locations":[{"line":1,"column":21}],"path":["updateAuthor"],"extensions":{"code":"WRONG_ENVIRONMENT_ID","argument":"input.id"}}]}"#]].assert_eq(&ask("1000042").await);
    let answer = create(&w, json!({"name": "x", "boss_id": "1000042"})).await;
    assert_eq!(answer["errors"][0]["extensions"]["argument"], "input.boss_id", "{answer}");
    assert_eq!(answer["data"]["createAuthor"]["messages"][0]["field"], "boss_id", "{answer}");
    let answer = create(&w, json!({"name": "x", "boss_id": "2007500777"})).await;
    assert!(answer["errors"].is_null());
    assert_eq!(
        answer["data"]["createAuthor"]["messages"],
        json!([{"field": "boss_id", "message": "Object not found"}])
    );
}

async fn root_fields_run_in_series(w: World) {
    let query = "mutation { \
        a: createAuthor(input: {name: \"Series A\"}) { author { name } messages { field } } \
        b: createAuthor(input: {name: \"\"}) { author { name } messages { field } } \
        c: updateAuthor(input: {id: 2007500001, name: \"Ada B\"}) { author { name } } \
        d: updateAuthor(input: {id: 2007500001, name: \"Ada Ahlgren\"}) { author { name } } \
        e: createAuthor(input: {name: \"Series E\", boss_id: 1000042}) { author { name } messages { field } } \
        f: createAuthor(input: {name: \"Series F\"}) { author { name } } }";
    expect![[r#"{"data":{"a":{"author":{"name":"Series A"},"messages":null},"b":{"author":null,"messages":[{"field":"name"}]},"c":{"author":{"name":"Ada B"}},"d":{"author":{"name":"Ada Ahlgren"}},"e":{"author":null,"messages":[{"field":"boss_id"}]},"f":{"author":{"name":"Series F"}}},"errors":[{"message":"This is a Production id and this server is Sandbox; nothing was executed.","locations":[{"line":1,"column":326}],"path":["e"],"extensions":{"code":"WRONG_ENVIRONMENT_ID","argument":"input.boss_id"}}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    let made = "SELECT COUNT(*) FROM authors WHERE name LIKE 'Series %'";
    assert_eq!(w.number(made).await, 2);
}

async fn a_failure_of_the_store(w: World) {
    let before = rows(&w).await;
    for (how, status, code) in [("full", 503, "UNAVAILABLE"), ("any", 500, "INTERNAL")] {
        let query = format!(
            "mutation {{ breakDown(input: {{how: \"{how}\"}}) {{ messages {{ message }} }} }}"
        );
        let reply = w.ask(V, &query).reply().await;
        assert_eq!((reply.status, reply.code.as_deref()), (status, Some(code)));
        let body = String::from_utf8(reply.body).unwrap();
        assert!(!body.contains("4711") && !body.contains("\"data\""), "{body}");
    }
    let query = "mutation { breakDown(input: {how: \"conflict\"}) { messages { field message } } }";
    expect![[r#"{"data":{"breakDown":{"messages":[{"field":"base","message":"The record was changed by another request at the same time. Read it again and retry."}]}}}"#]].assert_eq(&w.v2026(query).await.to_string());
    assert_eq!(rows(&w).await, before);
}

async fn who_was_looked_up_before_a_reset_changes_nothing(w: World) {
    let before = rows(&w).await;
    let query = "mutation { createAuthor(input: {name: \"Late\"}) { author { name } messages { message } } }";
    let reply = w.ask(V, query).of_before().reply().await;
    assert_eq!((reply.status, reply.code.as_deref()), (200, Some("UNAUTHENTICATED")));
    let body = String::from_utf8(reply.body).unwrap();
    expect![[r#"{"errors":[{"message":"API Key is Invalid: the Sandbox was emptied or went back to a snapshot meanwhile; nothing was executed","extensions":{"code":"UNAUTHENTICATED"}}]}"#]].assert_eq(&body);
    assert_eq!(rows(&w).await, before);
    // Who signs in sends no key that could be invalid.
    let query = "mutation { hello(input: {name: \"Ada\"}) { greeting } }";
    let answer = w.ask(V, query).actor(Actor::anonymous()).of_before().run().await;
    expect![[r#"{"errors":[{"message":"The Sandbox was emptied or went back to a snapshot meanwhile; nothing was executed","extensions":{"code":"UNAUTHENTICATED"}}]}"#]].assert_eq(&answer.to_string());
    // What is asked anew is done.
    assert_eq!(w.v2026(query).await["data"]["hello"]["greeting"], "Hello Ada");
}

/// The answer of what is written already is not lost.
async fn a_failure_leaves_what_was_committed(w: World) {
    let query = "mutation { a: createAuthor(input: {name: \"Kept\"}) { author { name } } \
        b: breakDown(input: {how: \"any\"}) { messages { message } } \
        c: createAuthor(input: {name: \"Kept too\"}) { author { name } } }";
    expect![[r#"{"data":{"a":{"author":{"name":"Kept"}},"b":null,"c":{"author":{"name":"Kept too"}}},"errors":[{"message":"Internal server error","locations":[{"line":1,"column":71}],"path":["b"],"extensions":{"code":"INTERNAL"}}]}"#]].assert_eq(&w.v2026(query).await.to_string());
    assert_eq!(w.number("SELECT COUNT(*) FROM authors WHERE name LIKE 'Kept%'").await, 2);
    // Of the field alone, since the first one is written.
    let query = "mutation { a: createAuthor(input: {name: \"Told\"}) { author { name } } \
        b: breakDown(input: {how: \"world\"}) { messages { message } } \
        c: breakDown(input: {how: \"full\"}) { messages { message } } }";
    let answer = w.v2026(query).await;
    assert_eq!(answer["data"], json!({"a": {"author": {"name": "Told"}}, "b": null, "c": null}));
    assert_eq!(
        messages(&answer),
        [
            "API Key is Invalid: the Sandbox was emptied or went back to a snapshot meanwhile; this field was not executed",
            "The database or the file store can't take this request now. This field changed nothing; retry in a moment.",
        ]
    );
}

async fn a_repeated_key_replays(w: World) {
    let query = "mutation($n: String) { createAuthor(input: {name: $n}) { author { id name } messages { field } } }";
    let ask = |name: &str| w.ask(V, query).variables(json!({ "n": name })).key("k1");
    let first = ask("Once").reply().await;
    assert!(!first.replayed);
    let count = rows(&w).await;
    let second = ask("Once").reply().await;
    assert!(second.replayed);
    assert_eq!(second.body, first.body);
    assert_eq!(rows(&w).await, count);
    // The same key for something else.
    let answer = ask("Twice").run().await;
    expect![[r#"{"data":{"createAuthor":{"author":null,"messages":[{"field":"base"}]}},"errors":[{"message":"This Idempotency-Key was used with another request. Send a new key for a new request.","locations":[{"line":1,"column":24}],"path":["createAuthor"],"extensions":{"code":"IDEMPOTENCY_KEY_REUSED"}}]}"#]].assert_eq(&answer.to_string());
    let other =
        w.ask(ViewId::Baseline, query).variables(json!({"n": "Once"})).key("k1").run().await;
    assert_eq!(other["errors"][0]["extensions"]["code"], "IDEMPOTENCY_KEY_REUSED");
    assert_eq!(rows(&w).await, count);
    // Another person's key is another key; so is none.
    let reply = ask("Once").actor(author(1)).reply().await;
    assert!(!reply.replayed);
    assert_eq!(rows(&w).await[0], count[0] + 1);
    w.run(V, query, json!({"n": "Once"})).await;
    assert_eq!(rows(&w).await[0], count[0] + 2);
    // Each root field has its own answer.
    let query = "mutation { a: createAuthor(input: {name: \"A\"}) { author { id } } b: createAuthor(input: {name: \"A\"}) { author { id } } }";
    let first = w.ask(V, query).key("k2").run().await;
    assert_ne!(first["data"]["a"], first["data"]["b"]);
    assert_eq!(w.ask(V, query).key("k2").run().await, first);
    // Who lost the permission gets no stored answer.
    let query = "mutation { publish(input: {}) { count } }";
    let allowed = w.ask(V, query).key("k3").run().await;
    assert!(allowed["data"]["publish"]["count"].is_number());
    let denied = w.ask(V, query).key("k3").actor(member_without(PUBLISH)).run().await;
    assert_eq!(denied["data"]["publish"]["count"], Json::Null);
    assert_eq!(w.number("SELECT COUNT(*) FROM idempotency_keys").await, 5);
}

async fn a_refused_request_frees_its_key(w: World) {
    let query = "mutation($n: String) { createAuthor(input: {name: $n}) { author { name } messages { field } } }";
    let ask = |name: &str| w.ask(V, query).variables(json!({ "n": name })).key("k9");
    let refused = ask("").run().await;
    assert_eq!(refused["data"]["createAuthor"]["messages"][0]["field"], "name");
    let mended = ask("Mended").reply().await;
    assert!(!mended.replayed);
    assert!(String::from_utf8(mended.body).unwrap().contains("Mended"));
}

async fn conditions_on_root_fields(w: World) {
    let query = "mutation($do: Boolean!) { hello(input: {name: \"a\"}) @include(if: $do) { greeting @skip(if: $do) __typename } t: __typename }";
    let yes = w.run(V, query, json!({"do": true})).await;
    expect![[r#"{"data":{"hello":{"__typename":"HelloPayload"},"t":"Mutation"}}"#]]
        .assert_eq(&yes.to_string());
    let before = rows(&w).await;
    let no = w.run(V, query, json!({"do": false})).await;
    assert_eq!(no, json!({"data": {"t": "Mutation"}}));
    assert_eq!(rows(&w).await, before);
}
