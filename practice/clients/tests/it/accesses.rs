//! The access log of clients (SEC-19): who read whom, when and by which way.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_SEE_CLIENTS, CAN_VIEW_AUDIT_LOG};
use ward_store::access::{AccessRow, KEPT_MICROS};
use ward_store::audit::AuditEntry;
use ward_store::system::AuditType;
use ward_store::{Actor, Cond, Scope, Sql, StoreError};

use crate::care::{log, now, number, restricted, whole};
use crate::support::World;

fn paths(entries: &[Json]) -> Vec<&str> {
    entries.iter().map(|entry| entry["path"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn sec_19_a_client_read_by_query_by_edge_and_in_a_list_gives_an_entry_each() {
    World::each(async |w| {
        let w = whole(w);
        let client = w.client("ada", "ada@example.com").await;
        let other = w.client("bo", "bo@example.com").await;
        let start = log(&w, &w.owner, &client).await;
        assert_eq!(paths(&start), ["createClient.user"]);
        let reader = w.with(&w.support, &[CAN_SEE_CLIENTS]);
        let reader = Actor { credential: Some("kidkid12".into()), ..reader };
        let one = "query($id: ID) { user(id: $id) { email } }";
        w.run(&reader, one, json!({ "id": client })).await;
        let edge = "query($id: ID) { user(id: $id) { dietitian { patients { first_name } } } }";
        w.run(&reader, edge, json!({ "id": other })).await;
        w.run(&reader, "{ users { nodes { id } edges { cursor } } }", json!({})).await;
        let old = "{ users(ids: []) { id cursor dietitian { id } } }";
        w.run_in(ViewId::Baseline, &reader, old, json!({})).await;
        let entries = log(&w, &w.owner, &client).await;
        assert_eq!(
            paths(&entries[1..]),
            ["user", "user, user.dietitian.patients", "users", "users"]
        );
        for entry in &entries[1..] {
            assert_eq!(entry["user_id"], reader.user_id.to_string(), "{entry}");
            assert_eq!(entry["user"]["first_name"], "Sue", "{entry}");
            assert_eq!(entry["credential"], "kidkid12", "{entry}");
            assert_eq!(entry["credential_kind"], "api_key", "{entry}");
            assert_eq!(entry["break_glass"], false, "{entry}");
        }
        let counts: Vec<i64> =
            entries[1..].iter().map(|it| it["client_count"].as_i64().unwrap()).collect();
        assert_eq!(counts, [1, 2, 2, 2]);
        // A set is kept once however often it is read.
        assert_eq!(number(&w, "SELECT COUNT(*) FROM access_sets").await, 2);
    })
    .await;
}

#[tokio::test]
async fn sec_19_what_reads_no_client_leaves_no_entry() {
    World::each(async |w| {
        let w = whole(w);
        let client = w.client("ada", "ada@example.com").await;
        let before = log(&w, &w.owner, &client).await.len();
        let blind = w.with(&w.standard, &[]);
        let one = "query($id: ID) { user(id: $id) { email } }";
        w.run(&blind, one, json!({ "id": client })).await;
        w.run(&w.owner, "{ users { total_count } }", json!({})).await;
        w.run(&w.owner, "{ users(first: 0) { nodes { id } } currentUser { id } }", json!({})).await;
        w.run(&w.owner, "{ organizationMembers { nodes { id } } __typename }", json!({})).await;
        assert!(w.db.access_log().is_empty());
        assert_eq!(log(&w, &w.owner, &client).await.len(), before);
    })
    .await;
}

#[tokio::test]
async fn sec_19_ids_in_a_list_and_addresses_count_as_reading_their_client() {
    World::each(async |w| {
        let w = whole(w);
        let group =
            w.mutate(&w.owner, "createGroup", "user_group { id }", json!({ "name": "G" })).await;
        let group = group["user_group"]["id"].clone();
        let client = w.client("ada", "ada@example.com").await;
        let input = json!({ "id": client, "user_group_id": group });
        w.mutate(&w.owner, "updateClient", "messages { field }", input).await;
        let input = json!({ "user_id": client, "line1": "1 A St" });
        let made = w.mutate(&w.owner, "createLocation", "location { id }", input).await;
        let before = log(&w, &w.owner, &client).await.len();
        w.run(
            &w.owner,
            "query($id: ID) { userGroup(id: $id) { user_ids } }",
            json!({ "id": group }),
        )
        .await;
        let query = "query($id: ID) { location(id: $id) { line1 } }";
        w.run(&w.owner, query, json!({ "id": made["location"]["id"] })).await;
        let entries = log(&w, &w.owner, &client).await;
        assert_eq!(paths(&entries[before..]), ["UserGroup.user_ids", "location"]);
    })
    .await;
}

#[tokio::test]
async fn sec_19_a_restricted_client_is_in_the_log_before_the_answer_leaves() {
    World::each(async |w| {
        let w = whole(w);
        let open = w.client("ada", "ada@example.com").await;
        let closed = restricted(&w, "rex").await;
        w.db.access_log().flush(&w.db).await.unwrap();
        let one = "query($id: ID) { user(id: $id) { email } }";
        w.run(&w.owner, one, json!({ "id": open })).await;
        assert_eq!(w.db.access_log().len(), 1, "an ordinary one waits for others");
        let before = number(&w, "SELECT COUNT(*) FROM access_log").await;
        w.run(&w.owner, one, json!({ "id": closed })).await;
        w.run(&w.owner, "{ users { nodes { id } } }", json!({})).await;
        let input = json!({ "id": closed, "pronouns": "they/them" });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert_eq!(w.db.access_log().len(), 1);
        assert_eq!(number(&w, "SELECT COUNT(*) FROM access_log").await, before + 3);
    })
    .await;
}

#[tokio::test]
async fn sec_19_the_log_is_for_viewers_who_see_the_client() {
    World::each(async |w| {
        let w = whole(w);
        let open = w.client("ada", "ada@example.com").await;
        let closed = restricted(&w, "rex").await;
        let viewer = w.with(&w.support, &[CAN_VIEW_AUDIT_LOG, CAN_SEE_CLIENTS]);
        assert_eq!(paths(&log(&w, &viewer, &open).await), ["createClient.user"]);
        for (actor, client) in [(&viewer, &closed), (&w.stranger, &open), (&w.branch().await, &open)] {
            assert!(log(&w, actor, client).await.is_empty());
        }
        let blind = w.with(&w.support, &[CAN_SEE_CLIENTS]);
        let query = "query($id: ID!) { clientAccessLog(client_id: $id) { total_count } }";
        let denied = w.run_in(ViewId::V2026, &blind, query, json!({ "id": open })).await;
        assert_eq!(denied["errors"][0]["extensions"]["permission"], "can_view_audit_log");
        let client = w.as_client(&open).await;
        let denied = w.run_in(ViewId::V2026, &client, query, json!({ "id": open })).await;
        assert_eq!(denied["errors"][0]["extensions"]["permission"], "can_view_audit_log");
        let page = "query($id: ID!) { clientAccessLog(client_id: $id, first: 1, break_glass: false,
            occurred_after: \"2020-01-01\") { total_count nodes { path } page_info { has_next_page } } }";
        let data = w.run(&w.owner, page, json!({ "id": closed })).await;
        assert_eq!(data["clientAccessLog"]["total_count"], 2, "{data}");
        assert_eq!(data["clientAccessLog"]["page_info"]["has_next_page"], true);
    })
    .await;
}

/// Writes what the audit log would have of a client by the record alone, and by
/// the author alone.
async fn indirect(w: &World, client: &str) {
    let (org, id) = (w.organization.id.0, client.parse::<i64>().unwrap());
    let written = w.db.write(move |tx| {
        Box::pin(async move {
            let system = Actor::system(org);
            let mut scope = Scope::new(tx, &system);
            let record = AuditEntry::by(&system, AuditType::Update, "USER", id.to_string());
            scope.record(record);
            let author = AuditEntry::by(&system, AuditType::Update, "GOAL", "no number");
            scope.record(AuditEntry { actor_id: id, actor_kind: "client", ..author });
            Ok::<_, StoreError>(())
        })
    });
    written.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
}

#[tokio::test]
async fn sec_19_entries_of_the_audit_log_are_read_like_the_clients_they_tell_of() {
    World::each(async |w| {
        let w = whole(w);
        let client = w.client("ada", "ada@example.com").await;
        let closed = restricted(&w, "rex").await;
        indirect(&w, &client).await;
        let reader = w.with(&w.support, &[CAN_VIEW_AUDIT_LOG, CAN_SEE_CLIENTS]);
        let before = log(&w, &w.owner, &client).await.len();
        let query = "query($name: AuditEventResourceName, $type: AuditEventType) {
            auditLog(resource_name: $name, event_type: $type) { total_count nodes { resource_id } } }";
        for (name, kind, read) in [
            ("USER", "CREATE", true),
            ("USER", "UPDATE", true),
            ("GOAL", "UPDATE", true),
            ("ORGANIZATION", "CREATE", false),
        ] {
            let at = log(&w, &w.owner, &client).await.len();
            let data = w.run(&reader, query, json!({ "name": name, "type": kind })).await;
            assert_ne!(data["auditLog"]["total_count"], 0, "{name}");
            let entries = log(&w, &w.owner, &client).await;
            assert_eq!(paths(&entries[at..]), vec!["auditLog"; usize::from(read)], "{name} {kind}");
        }
        assert_eq!(log(&w, &w.owner, &client).await.len(), before + 3);
        let counted = "{ auditLog(resource_name: USER) { total_count } }";
        w.run(&reader, counted, json!({})).await;
        assert!(w.db.access_log().is_empty(), "numbers alone leave none");
        // Of a restricted client before the answer leaves, and marked who broke the glass.
        let member = w.with(&w.standard, &[CAN_VIEW_AUDIT_LOG]);
        let input = json!({ "client_id": closed, "reason": "Fell" });
        let opened = w
            .mutate(&now(&w, &member), "createBreakGlassAccess", "break_glass_access { id }", input)
            .await;
        assert!(opened["messages"].is_null(), "{opened}");
        w.db.access_log().flush(&w.db).await.unwrap();
        let of_user = "query($id: ID) { auditLog(resource_name: USER, resource_id: $id) { nodes { resource_id } } }";
        for (actor, glass) in [(&w.owner, false), (&now(&w, &member), true)] {
            let data = w.run(actor, of_user, json!({ "id": closed })).await;
            assert_eq!(data["auditLog"]["nodes"][0]["resource_id"], closed, "{data}");
            assert!(w.db.access_log().is_empty(), "it does not wait");
            let entries = log(&w, &w.owner, &closed).await;
            let last = entries.last().unwrap();
            assert_eq!((&last["path"], &last["break_glass"]), (&json!("auditLog"), &json!(glass)));
        }
    })
    .await;
}

#[tokio::test]
async fn sec_19_broken_glass_is_read_like_its_client() {
    World::each(async |w| {
        let w = whole(w);
        let closed = restricted(&w, "rex").await;
        let member = w.with(&w.standard, &[]);
        let input = json!({ "client_id": closed, "reason": "Fell" });
        let selects = "break_glass_access { id }";
        let opened = w.mutate(&now(&w, &member), "createBreakGlassAccess", selects, input).await;
        let query = "{ breakGlassAccesses { nodes { reason } } }";
        let before = log(&w, &w.owner, &closed).await.len();
        w.run(&w.owner, query, json!({})).await;
        w.run(&now(&w, &member), query, json!({})).await;
        let input = json!({ "id": opened["break_glass_access"]["id"] });
        w.mutate(&w.owner, "endBreakGlassAccess", selects, input).await;
        w.run(&now(&w, &member), query, json!({})).await;
        let entries = log(&w, &w.owner, &closed).await;
        let marks: Vec<(&str, bool)> = entries[before..]
            .iter()
            .map(|it| (it["path"].as_str().unwrap(), it["break_glass"].as_bool().unwrap()))
            .collect();
        let list = "breakGlassAccesses";
        let ended = ("endBreakGlassAccess.break_glass_access", false);
        assert_eq!(marks, [(list, false), (list, true), ended, (list, false)]);
    })
    .await;
}

#[tokio::test]
async fn entries_are_kept_for_six_years() {
    World::each(async |w| {
        let w = whole(w);
        let client = w.client("ada", "ada@example.com").await;
        log(&w, &w.owner, &client).await;
        let entries: Vec<AccessRow> = w.rows(Cond::Always).await;
        let written = entries[0].wall_at.0;
        for (age, left) in [(KEPT_MICROS - 60_000_000, 1), (KEPT_MICROS + 60_000_000, 0)] {
            let at = written - age;
            let sql = Sql::fixed("UPDATE access_log SET wall_at = $1", [at.into()]);
            w.execute(sql).await;
            let purged =
                w.db.write(|tx| Box::pin(async move { ward_store::access::purge(tx).await }));
            purged.await.unwrap_or_else(|error: ward_store::StoreError| panic!("{error}"));
            assert_eq!(number(&w, "SELECT COUNT(*) FROM access_log").await, left);
        }
        const { assert!(KEPT_MICROS >= 6 * 365 * 24 * 3600 * 1_000_000) };
    })
    .await;
}
