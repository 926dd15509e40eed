//! Restricted clients: authorizations, and breaking the glass (SEC-20).

use serde_json::json;
use ward_identity::flags::{CAN_RESTRICT_CLIENTS, CAN_SEE_CLIENTS, CAN_VIEW_AUDIT_LOG, IS_ADMIN};
use ward_identity::tables::BreakGlassAccess;
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Query, Sql};

use crate::care::{log, now, number, restricted, sees, whole};
use crate::support::World;

const CREATE: &str = "createClientRestrictionAuthorization";
const DELETE: &str = "deleteClientRestrictionAuthorization";
const SHOWN: &str = "client_restriction_authorization { id reason client { id } provider { id } }";
const GLASS: &str = "createBreakGlassAccess";
const ACCESS: &str = "break_glass_access { id reason is_active client { first_name } }";

#[tokio::test]
async fn a_restricted_client_is_seen_by_an_authorized_provider_until_it_is_taken_back() {
    World::each(async |w| {
        let w = whole(w);
        let client = restricted(&w, "rex").await;
        let provider = w.with(&w.standard, &[]);
        let wide = w.with(&w.support, &[CAN_SEE_CLIENTS, IS_ADMIN, CAN_RESTRICT_CLIENTS]);
        for actor in [&provider, &wide, &w.stranger] {
            assert!(!sees(&w, actor, &client).await);
        }
        assert!(sees(&w, &w.owner, &client).await);
        let input = json!({ "client_id": client, "provider_id": w.standard.user_id.to_string(),
            "reason": "Covers the ward in May" });
        // Who does not see the client can't open it for anybody, the right to restrict or not.
        let refused = w.mutate(&wide, CREATE, SHOWN, input.clone()).await;
        assert_eq!(refused["messages"][0]["message"], "Object not found", "{refused}");
        let made = w.mutate(&w.owner, CREATE, SHOWN, input.clone()).await;
        assert!(made["messages"].is_null(), "{made}");
        let authorization = &made["client_restriction_authorization"];
        assert_eq!(authorization["reason"], "Covers the ward in May");
        assert!(sees(&w, &provider, &client).await);
        assert!(!sees(&w, &wide, &client).await);
        let again = w.mutate(&w.owner, CREATE, SHOWN, input).await;
        assert_eq!(again["messages"][0]["message"], "Provider has already been authorized");
        let query = "query($id: ID) { user(id: $id) { client_restriction_authorizations { reason }
            dietitian { id } } currentUser { provider_restriction_authorizations { client { id } } } }";
        let data = w.run(&provider, query, json!({ "id": client })).await;
        assert_eq!(
            data["user"]["client_restriction_authorizations"],
            json!([{ "reason": "Covers the ward in May" }])
        );
        assert_eq!(
            data["currentUser"]["provider_restriction_authorizations"],
            json!([{ "client": { "id": client } }])
        );
        let gone = w.mutate(&provider, DELETE, SHOWN, json!({ "id": authorization["id"] })).await;
        assert_eq!(gone["messages"][0]["field"], "base", "without the right: {gone}");
        assert!(sees(&w, &provider, &client).await);
        let gone = w.mutate(&w.owner, DELETE, SHOWN, json!({ "id": authorization["id"] })).await;
        assert!(gone["messages"].is_null(), "{gone}");
        assert_eq!(gone["client_restriction_authorization"]["id"], authorization["id"]);
        assert!(!sees(&w, &provider, &client).await);
    })
    .await;
}

#[tokio::test]
async fn an_authorization_is_for_a_provider_with_a_reason_and_only_while_restricted() {
    World::each(async |w| {
        let w = whole(w);
        let client = restricted(&w, "rex").await;
        let own = w.owner.user_id.to_string();
        for (provider, reason, field) in [
            (w.support.user_id.to_string(), "a reason", "provider_id"),
            (w.stranger.user_id.to_string(), "a reason", "provider_id"),
            (client.clone(), "a reason", "provider_id"),
            (own, "  ", "reason"),
        ] {
            let input = json!({ "client_id": client, "provider_id": provider, "reason": reason });
            let refused = w.mutate(&w.owner, CREATE, SHOWN, input).await;
            assert_eq!(refused["messages"][0]["field"], field, "{refused}");
        }
        let sealed = number(&w, "SELECT COUNT(*) FROM client_restriction_authorizations").await;
        assert_eq!(sealed, 0, "nothing of a refused one is kept");
        let provider = w.with(&w.standard, &[]);
        let input = json!({ "client_id": client, "provider_id": w.standard.user_id.to_string(),
            "reason": "Nobody reads this on the disk" });
        w.mutate(&w.owner, CREATE, SHOWN, input).await;
        let mut reader = w.db.read().await.unwrap();
        let sql = Sql::fixed("SELECT reason FROM client_restriction_authorizations", []);
        let stored = reader.rows(&sql).await.unwrap();
        let bytes = stored.scalar().and_then(|it| it.bytes()).unwrap();
        assert!(!String::from_utf8_lossy(bytes).contains("Nobody"));
        drop(reader);
        assert!(sees(&w, &provider, &client).await);
        let open = json!({ "id": client, "restricted": false });
        w.mutate(&w.owner, "updateClient", "user { id }", open).await;
        assert!(!sees(&w, &provider, &client).await, "it widens nothing but the restriction");
    })
    .await;
}

#[tokio::test]
async fn sec_20_breaking_the_glass_takes_a_reason_tells_the_owner_and_is_marked() {
    World::each(async |w| {
        let w = whole(w);
        let client = restricted(&w, "rex").await;
        let member = w.with(&w.standard, &[]);
        assert!(!sees(&w, &now(&w, &member), &client).await);
        let mails = w.mails().await.len();
        for (input, field) in [
            (json!({ "client_id": client, "reason": " " }), "reason"),
            (json!({ "client_id": client, "reason": "x", "minutes": 61 }), "minutes"),
            (json!({ "client_id": client, "reason": "x", "minutes": 0 }), "minutes"),
        ] {
            let refused = w.mutate(&now(&w, &member), GLASS, ACCESS, input).await;
            assert_eq!(refused["messages"][0]["field"], field, "{refused}");
        }
        assert_eq!(w.mails().await.len(), mails, "a refusal tells nobody");
        let input = json!({ "client_id": client, "reason": "Collapsed in the hall" });
        let opened = w.mutate(&now(&w, &member), GLASS, ACCESS, input.clone()).await;
        assert!(opened["messages"].is_null(), "{opened}");
        let access = &opened["break_glass_access"];
        assert_eq!(access["client"]["first_name"], "rex");
        assert_eq!(access["is_active"], true);
        assert!(sees(&w, &now(&w, &member), &client).await);
        assert!(!sees(&w, &now(&w, &w.support), &client).await, "it opens for nobody else");
        let again = w.mutate(&now(&w, &member), GLASS, ACCESS, input).await;
        assert_eq!(again["messages"][0]["field"], "client_id", "{again}");
        // Told at once, without the client.
        assert_eq!(w.mails().await.last().map(String::as_str), Some("break_glass"));
        // Marked in both logs; what the opener reads is there before the answer.
        let text = "SELECT COUNT(*) FROM audit_events WHERE resource_name = 'BREAK_GLASS_ACCESS' \
             AND event_type = 'CREATE' AND subject_id IS NOT NULL";
        assert_eq!(number(&w, text).await, 1);
        let waiting = w.db.access_log().len();
        let before = number(&w, "SELECT COUNT(*) FROM access_log WHERE break_glass").await;
        w.run(
            &now(&w, &member),
            "query($id: ID) { user(id: $id) { email } }",
            json!({ "id": client }),
        )
        .await;
        assert_eq!(w.db.access_log().len(), waiting, "it does not wait");
        assert_eq!(
            number(&w, "SELECT COUNT(*) FROM access_log WHERE break_glass").await,
            before + 1
        );
        let entries = log(&w, &w.owner, &client).await;
        let last = entries.last().unwrap();
        assert_eq!(last["break_glass"], true, "{last}");
        assert_eq!(last["path"], "user");
        assert_eq!(last["user_id"], member.user_id.to_string());
        let owner = w.owner.user_id.to_string();
        let own = entries.iter().find(|it| it["user_id"].as_str() == Some(&*owner)).unwrap();
        assert_eq!(own["break_glass"], false, "{own}");
    })
    .await;
}

#[tokio::test]
async fn sec_20_a_broken_glass_ends_by_itself_and_can_be_ended_early() {
    World::each(async |w| {
        let w = whole(w);
        let client = restricted(&w, "rex").await;
        let member = w.with(&w.standard, &[]);
        let input = json!({ "client_id": client, "reason": "Fell", "minutes": 30 });
        let opened = w.mutate(&now(&w, &member), GLASS, ACCESS, input.clone()).await;
        let access: BreakGlassAccess = w.rows(Cond::Always).await.remove(0);
        assert_eq!(access.expires_at.0 - access.started_at.0, 30 * 60 * 1_000_000);
        let at = |micros: i64| Actor { glass_at: Timestamp(micros), ..member.clone() };
        assert!(sees(&w, &at(access.expires_at.0 - 1), &client).await);
        assert!(!sees(&w, &at(access.expires_at.0), &client).await);
        assert!(!sees(&w, &member, &client).await, "without a moment it does not count");
        // Ended by its owner, or by who may restrict clients and sees it.
        let id = json!({ "id": opened["break_glass_access"]["id"] });
        let other = w.with(&w.support, &[CAN_RESTRICT_CLIENTS]);
        let refused = w.mutate(&other, "endBreakGlassAccess", ACCESS, id.clone()).await;
        assert_eq!(refused["messages"][0]["message"], "Object not found", "{refused}");
        assert!(sees(&w, &now(&w, &member), &client).await);
        let ended = w.mutate(&w.owner, "endBreakGlassAccess", ACCESS, id.clone()).await;
        assert_eq!(ended["break_glass_access"]["is_active"], false, "{ended}");
        assert!(!sees(&w, &now(&w, &member), &client).await);
        // It can be broken anew, which is told anew.
        w.mutate(&now(&w, &member), GLASS, ACCESS, input).await;
        assert!(sees(&w, &now(&w, &member), &client).await);
        assert_eq!(w.mails().await.iter().filter(|kind| *kind == "break_glass").count(), 2);
    })
    .await;
}

#[tokio::test]
async fn sec_20_a_broken_glass_changes_nothing_and_gives_no_lasting_right() {
    World::each(async |w| {
        let w = whole(w);
        let client = restricted(&w, "rex").await;
        let member = w.with(&w.standard, &[CAN_RESTRICT_CLIENTS, IS_ADMIN]);
        let input = json!({ "client_id": client, "reason": "Fell" });
        w.mutate(&now(&w, &member), GLASS, ACCESS, input).await;
        assert!(sees(&w, &now(&w, &member), &client).await);
        let me = member.user_id.to_string();
        for (field, selects, input) in [
            ("updateClient", "user { id }", json!({ "id": client, "restricted": false })),
            ("updateClient", "user { id }", json!({ "id": client, "dietitian_id": me })),
            ("updateClient", "user { id }", json!({ "id": client, "other_provider_ids": [me] })),
            ("updateUser", "user { id }", json!({ "id": client, "pronouns": "they/them" })),
            (CREATE, SHOWN, json!({ "client_id": client, "provider_id": me, "reason": "Mine" })),
        ] {
            let refused = w.mutate(&now(&w, &member), field, selects, input).await;
            assert_eq!(refused["messages"][0]["message"], "Object not found", "{field}: {refused}");
        }
        assert!(!sees(&w, &member, &client).await);
    })
    .await;
}

#[tokio::test]
async fn whom_nobody_may_open_is_not_told_from_who_is_not_there() {
    World::each(async |w| {
        let w = whole(w);
        let open = w.client("ola", "ola@example.com").await;
        let closed = restricted(&w, "rex").await;
        let none = (closed.parse::<i64>().unwrap() + 5_000).to_string();
        let branch = w.branch().await;
        let as_client = w.as_client(&open).await;
        let member = w.with(&w.standard, &[]);
        let mut told = Vec::new();
        for (actor, id) in [
            (&member, &open),
            (&member, &none),
            (&w.stranger, &closed),
            (&branch, &closed),
            (&w.owner, &closed),
        ] {
            let input = json!({ "client_id": id, "reason": "Curious" });
            told.push(w.mutate(&now(&w, actor), GLASS, ACCESS, input).await);
        }
        assert_eq!(told[0]["messages"][0]["message"], "Object not found");
        assert!(told.iter().all(|it| it == &told[0]), "{told:?}");
        let input = json!({ "client_id": closed, "reason": "Curious" });
        let refused = w.mutate(&now(&w, &as_client), GLASS, ACCESS, input.clone()).await;
        assert_eq!(refused["messages"][0]["field"], "base", "{refused}");
        w.execute(Sql::fixed(
            "UPDATE users SET is_integration = TRUE WHERE org_id = $1 AND id = $2",
            [member.org_id.into(), member.user_id.into()],
        ))
        .await;
        let refused = w.mutate(&now(&w, &member), GLASS, ACCESS, input).await;
        assert_eq!(refused["messages"][0]["field"], "base", "{refused}");
        assert_eq!(number(&w, "SELECT COUNT(*) FROM break_glass_accesses").await, 0);
    })
    .await;
}

#[tokio::test]
async fn broken_glass_is_listed_for_the_owner_and_those_who_may_view_the_log() {
    World::each(async |w| {
        let w = whole(w);
        let client = restricted(&w, "rex").await;
        let member = w.with(&w.standard, &[]);
        let input = json!({ "client_id": client, "reason": "Fell" });
        w.mutate(&now(&w, &member), GLASS, ACCESS, input).await;
        let listed = async |actor: &Actor, arguments: &str| {
            let query = format!(
                "{{ breakGlassAccesses{arguments} {{ total_count nodes {{ reason user {{ id }} client {{ id }} }} }} }}"
            );
            w.run(actor, &query, json!({})).await["breakGlassAccesses"].clone()
        };
        let of_client = format!("(client_id: \"{client}\", active: true)");
        let all = listed(&w.owner, &of_client).await;
        assert_eq!(
            all["nodes"],
            json!([{ "reason": "Fell", "user": { "id": member.user_id.to_string() },
                "client": { "id": client } }])
        );
        assert_eq!(listed(&w.owner, "(active: false)").await["total_count"], 0);
        let own = listed(&member, "").await;
        assert_eq!(own["total_count"], 1, "one's own");
        assert_eq!(own["nodes"][0]["client"], json!(null), "the client is closed again");
        // The viewer of the log does not see the client, nor that somebody opened one.
        let viewer = w.with(&w.support, &[CAN_VIEW_AUDIT_LOG, CAN_SEE_CLIENTS]);
        for actor in [&viewer, &w.stranger, &w.branch().await] {
            assert_eq!(listed(actor, "").await["total_count"], 0);
        }
        let open = json!({ "id": client, "restricted": false });
        w.mutate(&w.owner, "updateClient", "user { id }", open).await;
        assert_eq!(listed(&viewer, "").await["total_count"], 1);
    })
    .await;
}
