//! What the tests of restricted clients and of the access log share: both
//! domains bound, and the log as it is read.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::{Bindings, Engine, ViewId, prune};
use ward_store::{Actor, Query, Sql, Value};

use crate::support::{World, contract};

/// The world with the identity domain's fields as well.
pub fn whole(mut world: World) -> World {
    let mut bindings = Bindings::new();
    ward_identity::bind(&mut bindings);
    ward_clients::bind(&mut bindings);
    let served = |view| prune(&contract(view), &bindings).unwrap();
    let (old, new) = (served(ViewId::Baseline), served(ViewId::V2026));
    world.engine = Arc::new(Engine::new(&old, &new, bindings));
    world
}

/// The person at this moment of the real clock, as a request has them.
pub fn now(world: &World, actor: &Actor) -> Actor {
    Actor { glass_at: world.instance.clock().wall(), ..actor.clone() }
}

/// A client of the owner who is restricted; the id.
pub async fn restricted(world: &World, name: &str) -> String {
    let id = world.client(name, &format!("{name}@example.com")).await;
    let input = json!({ "id": id, "restricted": true });
    let payload = world.mutate(&world.owner, "updateClient", "user { id }", input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    id
}

/// Whether the actor sees the client; the same by every way.
pub async fn sees(world: &World, actor: &Actor, id: &str) -> bool {
    let query = "query($id: ID, $ids: [ID!]) { user(id: $id) { id }
        users(ids: $ids) { total_count nodes { id } } locations(user_id: $id) { nodes { line1 } } }";
    let data = world.run(actor, query, json!({ "id": id, "ids": [id] })).await;
    let seen = data["user"]["id"] == id;
    assert_eq!(data["users"]["total_count"], i64::from(seen), "{data}");
    assert_eq!(data["users"]["nodes"].as_array().unwrap().len(), usize::from(seen), "{data}");
    if !seen {
        assert_eq!(data["locations"]["nodes"], json!([]), "{data}");
    }
    seen
}

/// The client's access log as somebody reads it, oldest first.
pub async fn log(world: &World, actor: &Actor, client: &str) -> Vec<Json> {
    world.db.access_log().flush(&world.db).await.unwrap();
    let query = "query($id: ID!) { clientAccessLog(client_id: $id) { total_count nodes {
        id path break_glass user_id credential credential_kind client_count request_id
        user { first_name } } } }";
    let data = world.run(actor, query, json!({ "id": client })).await;
    let mut nodes = data["clientAccessLog"]["nodes"].as_array().unwrap().clone();
    assert_eq!(data["clientAccessLog"]["total_count"], nodes.len(), "{data}");
    nodes.reverse();
    nodes
}

/// One number of the database.
pub async fn number(world: &World, text: &'static str) -> i64 {
    let mut reader = world.db.read().await.unwrap();
    let rows = reader.rows(&Sql::fixed(text, [])).await.unwrap();
    rows.scalar().and_then(Value::int).unwrap()
}
