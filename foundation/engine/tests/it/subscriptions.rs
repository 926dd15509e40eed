//! Subscriptions: planned once, answered for each event with what the
//! subscriber may do and see at that moment.

use std::sync::Arc;

use expect_test::{Expect, expect};
use serde_json::{Value as Json, json};
use ward_engine::{Happening, Reply, Request, Subscription, ViewId};
use ward_store::events::{self, Event, StoredEvent};
use ward_store::{Actor, Scope};

use crate::world::bindings::{SALARY, VAULT};
use crate::world::seed::{BASE, ORG, id};
use crate::world::{World, author, engine, member, member_without};

cases!(
    an_event_is_answered_in_the_view_that_was_asked,
    each_sees_what_they_see_elsewhere,
    permissions_are_those_of_the_moment,
    arguments_narrow_rows_and_events,
    an_event_finds_topics_and_rows_once,
    what_is_gone_is_not_told,
    what_is_refused,
    other_operations_are_not_subscriptions,
    one_answer_does_for_the_same_question,
);

/// Writes an event about an author and reads it back.
async fn happens(w: &World, kind: &'static str, n: i64, changed: &[&'static str]) -> StoredEvent {
    let event = Event::new(kind, "Author", BASE + n).changed(changed);
    let before = w.number("SELECT COALESCE(MAX(seq), 0) FROM events").await;
    w.db.write(move |tx| {
        let event = event.clone();
        Box::pin(async move {
            let actor = Actor::system(ORG);
            Scope::new(tx, &actor).emit(event);
            Ok::<_, ward_store::StoreError>(())
        })
    })
    .await
    .unwrap();
    w.db.write(|tx| Box::pin(ward_store::sequencer::number(tx))).await.unwrap();
    let mut reader = w.db.read().await.unwrap();
    let found = events::after(&mut reader, &w.instance, ORG, before, 10).await.unwrap();
    found.into_iter().next().unwrap()
}

async fn subscribed(
    w: &World,
    view: ViewId,
    actor: Actor,
    query: &str,
    variables: Json,
) -> Result<Option<Subscription>, Reply> {
    let (request, mut incoming) = w.ask(view, query).actor(actor).parts();
    if let Json::Object(variables) = variables {
        incoming.variables = variables;
    }
    w.engine.subscribe(&incoming, &request)
}

async fn accepted(w: &World, actor: Actor, query: &str) -> Subscription {
    subscribed(w, ViewId::V2026, actor, query, json!({})).await.ok().flatten().unwrap()
}

fn request(w: &World, view: ViewId, actor: Actor) -> Request {
    w.ask(view, "").actor(actor).parts().0
}

/// What an actor is told; nothing when they hear nothing.
async fn told(
    w: &World,
    subscription: &Subscription,
    actor: Actor,
    event: &StoredEvent,
    n: i64,
) -> Option<String> {
    let request = request(w, subscription.view(), actor);
    let told = w.engine.happened(subscription, &request, event, BASE + n).await.unwrap();
    told.map(|bytes| String::from_utf8(bytes).unwrap())
}

async fn an_event_is_answered_in_the_view_that_was_asked(w: World) {
    let event = happens(&w, "author.updated", 1, &["name"]).await;
    let query = "subscription S($id: ID) { changed: authorChanged(id: $id) { __typename id joined_at rating ...B } } fragment B on Author { boss { name } first_book { title } }";
    for (view, expected) in [
        (
            ViewId::Baseline,
            expect![[
                r#"{"data":{"changed":{"__typename":"Author","id":"2007500001","joined_at":"2026-03-04 09:30:00 -0500","rating":"5","boss":null,"first_book":{"title":"Apple"}}}}"#
            ]],
        ),
        (
            ViewId::V2026,
            expect![[
                r#"{"data":{"changed":{"__typename":"Author","id":"2007500001","joined_at":"2026-03-04T09:30:00-05:00","rating":5,"boss":null,"first_book":{"title":"Apple"}}}}"#
            ]],
        ),
    ] {
        let asked = subscribed(&w, view, member(), query, json!({"id": id(1)})).await;
        let subscription = asked.ok().flatten().unwrap();
        assert_eq!((subscription.field(), subscription.topic()), ("authorChanged", BASE + 1));
        expected.assert_eq(&told(&w, &subscription, member(), &event, 1).await.unwrap());
    }
}

async fn each_sees_what_they_see_elsewhere(w: World) {
    let query = "subscription { authorChanged(id: \"2007500005\") { name email note } }";
    let event = happens(&w, "author.updated", 5, &["name"]).await;
    let subscription = accepted(&w, member(), query).await;
    let seen = async |actor| told(&w, &subscription, actor, &event, 5).await;
    let full = r#"{"data":{"authorChanged":{"name":"Eve","email":"eve@example.org","note":null}}}"#;
    assert_eq!(seen(member()).await.as_deref(), Some(full));
    assert_eq!(seen(author(5)).await.as_deref(), Some(full), "of oneself");
    // Another author sees active ones in part: the address, not the note.
    assert_eq!(seen(author(1)).await.as_deref(), Some(full));
    // Nobody in particular may not even ask.
    assert_eq!(seen(Actor::anonymous()).await, None);
    // Of who is not active others see the public part only: too little to be told.
    let event = happens(&w, "author.updated", 3, &["name"]).await;
    let query = "subscription { authorChanged(id: \"2007500003\") { name } }";
    let subscription = accepted(&w, member(), query).await;
    let seen = async |actor| told(&w, &subscription, actor, &event, 3).await;
    assert!(seen(member()).await.is_some() && seen(author(3)).await.is_some());
    assert_eq!(seen(author(1)).await, None);
    // A row of another organization is nobody's.
    let stranger = Actor { org_id: ORG + 999, unit_id: ORG + 999, ..member() };
    assert_eq!(seen(stranger).await, None);
}

async fn permissions_are_those_of_the_moment(w: World) {
    let event = happens(&w, "author.updated", 1, &["name"]).await;
    let query = "subscription { authorChanged(id: \"2007500001\") { name salary } }";
    let subscription = accepted(&w, member(), query).await;
    let all = told(&w, &subscription, member(), &event, 1).await.unwrap();
    assert_eq!(all, r#"{"data":{"authorChanged":{"name":"Ada Ahlgren","salary":5000}}}"#);
    let less = told(&w, &subscription, member_without(SALARY), &event, 1).await.unwrap();
    let less: Json = serde_json::from_str(&less).unwrap();
    assert_eq!(less["data"], json!({"authorChanged": {"name": "Ada Ahlgren", "salary": null}}));
    assert_eq!(less["errors"][0]["path"], json!(["authorChanged", "salary"]));
    assert_eq!(less["errors"][0]["extensions"]["permission"], SALARY.name);
    // The field's own permission is asked for when it is subscribed to, and each time.
    let query = "subscription { vaultOpened { name } }";
    let subscription = accepted(&w, member(), query).await;
    assert!(told(&w, &subscription, member(), &event, 1).await.is_some());
    assert_eq!(told(&w, &subscription, member_without(VAULT), &event, 1).await, None);
}

async fn arguments_narrow_rows_and_events(w: World) {
    // Apple stands on shelf B, Banana on a.
    let event = happens(&w, "book.written", 1, &["title"]).await;
    let query = "subscription { bookOfMine(shelf: \"a\") { title } }";
    let subscription = accepted(&w, author(1), query).await;
    assert_eq!(subscription.topic(), BASE + 1, "the caller");
    assert_eq!(told(&w, &subscription, author(1), &event, 1).await, None);
    let banana = told(&w, &subscription, author(1), &event, 3).await;
    assert_eq!(banana.as_deref(), Some(r#"{"data":{"bookOfMine":{"title":"Banana"}}}"#));
    // Nothing changed: the field does not hear it.
    let query = "subscription { authorChanged(id: \"2007500001\") { name } }";
    let subscription = accepted(&w, member(), query).await;
    let silent = happens(&w, "author.updated", 1, &[]).await;
    assert_eq!(told(&w, &subscription, member(), &silent, 1).await, None);
    // Conditions are evaluated with the variables.
    let query = "subscription($with: Boolean!) { authorChanged(id: \"2007500001\") { name email @include(if: $with) } }";
    let loud = happens(&w, "author.updated", 1, &["name"]).await;
    for (with, wanted) in [
        (true, r#"{"data":{"authorChanged":{"name":"Ada Ahlgren","email":"ada@example.org"}}}"#),
        (false, r#"{"data":{"authorChanged":{"name":"Ada Ahlgren"}}}"#),
    ] {
        let asked = subscribed(&w, ViewId::V2026, member(), query, json!({"with": with})).await;
        let subscription = asked.ok().flatten().unwrap();
        assert_eq!(told(&w, &subscription, member(), &loud, 1).await.as_deref(), Some(wanted));
    }
}

async fn an_event_finds_topics_and_rows_once(w: World) {
    let bindings = w.engine.bindings();
    assert_eq!(bindings.hearing("author.updated"), ["authorChanged", "bookOfMine"]);
    assert_eq!(bindings.hearing("book.written"), ["bookOfMine"]);
    assert!(bindings.hearing("author.created").is_empty());
    let event = happens(&w, "author.updated", 1, &["name"]).await;
    let mut reader = w.db.read().await.unwrap();
    let found = bindings.happenings("authorChanged", &event, &mut reader).await.unwrap();
    assert_eq!(found, [Happening { topic: BASE + 1, row: BASE + 1 }]);
    let found = bindings.happenings("bookOfMine", &event, &mut reader).await.unwrap();
    let rows: Vec<i64> = found.iter().map(|it| it.row - BASE).collect();
    assert_eq!(rows, [1, 2, 3]);
    assert!(found.iter().all(|it| it.topic == BASE + 1));
    assert!(bindings.happenings("unknown", &event, &mut reader).await.unwrap().is_empty());
}

async fn what_is_gone_is_not_told(w: World) {
    let event = happens(&w, "author.updated", 6, &["name"]).await;
    let query = "subscription { authorChanged(id: \"2007500006\") { name } }";
    let subscription = accepted(&w, member(), query).await;
    assert_eq!(told(&w, &subscription, member(), &event, 6).await, None);
    assert_eq!(told(&w, &subscription, member(), &event, 77).await, None);
}

async fn what_is_refused(w: World) {
    let field = "authorChanged(id: \"2007500001\") { name }";
    let whole = |field: &str| format!("subscription {{ {field} }}");
    let anonymous = Actor::anonymous();
    for (actor, query, expected) in [
        (
            member(),
            whole(&format!("{field} vaultOpened {{ name }}")),
            expect!["anonymous subscription can only have one root field"],
        ),
        (
            member(),
            whole("unboundSubscription { name }"),
            expect!["Field 'unboundSubscription' doesn't exist on type 'Subscription'"],
        ),
        (
            member(),
            whole("__typename"),
            expect!["anonymous subscription can not have an introspection field as a root field"],
        ),
        (member(), whole("authorChanged { name }"), expect!["Id can't be blank"]),
        (member(), whole("authorChanged(id: \"x\") { name }"), expect!["Object not found"]),
        (
            member(),
            whole("authorChanged(id: \"1900000001\") { name }"),
            expect!["This is a Production id and this server is Sandbox; nothing was executed."],
        ),
        (
            member_without(VAULT),
            whole("vaultOpened { name }"),
            expect![
                "You don't have permission to perform this operation. Please reach out to support if the problem persists"
            ],
        ),
        (
            anonymous,
            whole(field),
            expect![
                "You don't have permission to perform this operation. Please reach out to support if the problem persists"
            ],
        ),
        (
            member(),
            whole("authorChanged(id: \"2007500001\") @skip(if: true) { name }"),
            expect!["anonymous subscription can not specify @skip or @include on root fields"],
        ),
    ] {
        let asked = subscribed(&w, ViewId::V2026, actor, &query, json!({})).await;
        let Err(reply) = asked else { panic!("accepted: {query}") };
        check(&expected, &reply);
    }
    let deep = (0..30).fold("name".to_owned(), |inner, _| format!("boss {{ {inner} }}"));
    let query = whole(&format!("authorChanged(id: \"2007500001\") {{ {deep} }}"));
    assert!(subscribed(&w, ViewId::V2026, member(), &query, json!({})).await.is_err());
    // Over HTTP there is one answer only.
    let body = w.v2026(&whole(field)).await;
    assert_eq!(
        body["errors"][0]["message"],
        "A subscription needs a socket; this request has one answer only."
    );
}

fn check(expected: &Expect, reply: &Reply) {
    let body: Json = serde_json::from_slice(&reply.body).unwrap();
    assert!(body.get("data").is_none(), "{body}");
    expected.assert_eq(body["errors"][0]["message"].as_str().unwrap());
}

async fn other_operations_are_not_subscriptions(w: World) {
    for query in ["{ __typename }", "mutation { hello(input: {}) { greeting } }"] {
        let asked = subscribed(&w, ViewId::V2026, member(), query, json!({})).await;
        assert!(asked.is_ok_and(|asked| asked.is_none()), "{query}");
    }
}

async fn one_answer_does_for_the_same_question(w: World) {
    let query = "subscription($id: ID) { authorChanged(id: $id) { name } }";
    let ask = async |n: i64| {
        let asked = subscribed(&w, ViewId::V2026, member(), query, json!({"id": id(n)})).await;
        asked.ok().flatten().unwrap()
    };
    // The plan is kept from its second use on.
    drop((ask(1).await, ask(1).await));
    let (one, same, other) = (ask(1).await, ask(1).await, ask(2).await);
    assert!(one.is_same(&same) && one.plan_number() == same.plan_number());
    assert!(!one.is_same(&other));
}

/// What is not bound is not served, and without any bound field there is no root.
#[test]
fn the_root_is_pruned() {
    let engine = engine();
    for view in ViewId::ALL {
        let schema = &engine.view(view).unwrap().schema;
        let root = schema.types["Subscription"].as_object().unwrap();
        let fields: Vec<&str> = root.fields.keys().map(|name| name.as_str()).collect();
        assert_eq!(fields, ["authorChanged", "bookOfMine", "vaultOpened"]);
        assert!(schema.schema_definition.subscription.is_some());
    }
    let served = ward_engine::prune(
        "type Query { a: Int } extend type Subscription { b: Int }",
        &ward_engine::Bindings::new(),
    );
    assert!(!served.unwrap_or_default().contains("Subscription"));
    drop(Arc::clone(&engine));
}
