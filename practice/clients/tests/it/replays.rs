//! What an idempotency key answers again: never clients whom the caller does not
//! see any more.

use serde_json::{Value as Json, json};
use ward_store::{Actor, Query, Sql, Value};

use crate::care::{restricted, whole};
use crate::support::{SEES_ALL_CLIENTS, World};

const UPDATE: &str = "mutation($input: updateClientInput!) { updateClient(input: $input) \
     { user { id first_name } messages { field } } }";

async fn update(w: &World, actor: &Actor, key: &str, id: &str) -> Json {
    w.keyed(actor, key, UPDATE, json!({ "input": { "id": id, "pronouns": "they/them" } })).await
}

#[track_caller]
fn withheld(answer: &Json) {
    assert_eq!(answer["errors"][0]["extensions"]["code"], "ANSWER_WITHHELD", "{answer}");
    assert_eq!(answer["data"]["updateClient"]["user"], Json::Null, "{answer}");
    assert!(!answer.to_string().contains("first_name\":\""), "{answer}");
}

async fn number(w: &World, sql: &'static str) -> i64 {
    w.db.access_log().flush(&w.db).await.unwrap();
    let rows = w.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
    rows.scalar().and_then(Value::int).unwrap()
}

#[tokio::test]
async fn a_replay_shows_nobody_who_is_out_of_sight() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let colleague = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let first = update(&w, &colleague, "k1", &id).await;
        assert_eq!(first["data"]["updateClient"]["user"]["first_name"], "Ada", "{first}");
        let updates = "SELECT COUNT(*) FROM audit_events WHERE event_type = 'UPDATE'";
        let done = number(&w, updates).await;
        assert_eq!(update(&w, &colleague, "k1", &id).await, first, "while they see the client");
        // Sight is of this moment: by a flag, or by restriction.
        withheld(&update(&w, &w.with(&w.standard, &[]), "k1", &id).await);
        assert_eq!(update(&w, &colleague, "k1", &id).await, first);
        let input = json!({ "id": id, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        withheld(&update(&w, &colleague, "k1", &id).await);
        assert_eq!(number(&w, updates).await, done + 1, "a replay does nothing again");
        // Nothing was kept that somebody else could have.
        let owners = update(&w, &w.owner, "k1", &id).await;
        assert_eq!(owners["data"]["updateClient"]["user"]["first_name"], "Ada", "{owners}");
    })
    .await;
}

#[tokio::test]
async fn one_of_many_out_of_sight_is_enough() {
    World::each(async |w| {
        let (ada, ben) =
            (w.client("Ada", "ada@example.com").await, w.client("Ben", "ben@example.com").await);
        let colleague = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let query = "mutation($input: bulkUpdateClientsInput!) { bulkUpdateClients(input: $input) \
             { users { first_name } messages { field } } }";
        let input = json!({ "input": { "ids": [ada, ben], "user_group_id": "" } });
        let ask = async || w.keyed(&colleague, "k1", query, input.clone()).await;
        let first = ask().await;
        assert_eq!(first["data"]["bulkUpdateClients"]["users"].as_array().map(Vec::len), Some(2));
        assert_eq!(ask().await, first);
        let close = json!({ "id": ben, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", close).await;
        let again = ask().await;
        assert_eq!(again["errors"][0]["extensions"]["code"], "ANSWER_WITHHELD", "{again}");
        assert_eq!(again["data"]["bulkUpdateClients"]["users"], Json::Null, "{again}");
    })
    .await;
}

#[tokio::test]
async fn a_replay_is_a_reading() {
    World::each(async |w| {
        let w = whole(w);
        let id = restricted(&w, "rex").await;
        let readings =
            "SELECT COUNT(*) FROM access_log WHERE path = 'updateClient.user' OR path = 'user'";
        let before = number(&w, readings).await;
        let first = update(&w, &w.owner, "k1", &id).await;
        assert_eq!(first["data"]["updateClient"]["user"]["id"], id, "{first}");
        let once = number(&w, readings).await;
        assert!(once > before, "the first answer is a reading");
        assert_eq!(update(&w, &w.owner, "k1", &id).await, first);
        assert_eq!(number(&w, readings).await - once, once - before, "and so is the second");
    })
    .await;
}
