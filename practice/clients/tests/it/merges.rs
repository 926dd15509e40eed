//! Merging clients (DOM-37) and changing many at once, through the front door.

use serde_json::{Value as Json, json};
use ward_clients::merge::plan::{RULES, naming_users, plan};
use ward_clients::referral::Referral;
use ward_clients::tables::{AppliedTag, Location};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_MERGE_CLIENTS, CAN_SET_CLIENT_PASSWORD};
use ward_identity::tables::{
    BreakGlassAccess, CareTeamMember, ClientRestrictionAuthorization, User,
};
use ward_store::{Actor, Cond, Query, Sql, Value};

use crate::care::{log, now, restricted, sees, whole};
use crate::support::{SEES_ALL_CLIENTS, World, tables};

async fn merge(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "mergeClients", "user { id first_name email user_group_id }", input).await
}

fn pair(from: &str, to: &str) -> Json {
    json!({ "ids": [from, to], "target_user_id": to })
}

/// Both get a tag, an address, a referral and the standard member in the team.
async fn furnish(w: &World, client: &str, tags: &[&str]) {
    for tag in tags {
        w.mutate(
            &w.owner,
            "bulkApply",
            "tags { id }",
            json!({ "ids": [tag], "taggable_user_id": client }),
        )
        .await;
    }
    let physician = json!({ "first_name": "Dr", "referrals": [{ "user_id": client, "referral_reason": "knee" }] });
    w.mutate(&w.owner, "createReferringPhysician", "referring_physician { id }", physician).await;
    let input = json!({ "id": client, "location": { "line1": format!("of {client}") },
        "other_provider_ids": [w.standard.user_id.to_string()] });
    let payload = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
    assert!(payload["messages"].is_null(), "{payload}");
}

async fn tag(w: &World, name: &str) -> String {
    let made = w.mutate(&w.owner, "createTag", "tag { id }", json!({ "name": name })).await;
    made["tag"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn everything_of_the_one_is_the_others() {
    World::each(async |w| {
        let (from, to) = (w.client("Ada", "a@example.com").await, w.client("Adah", "b@example.com").await);
        let (both, one) = (tag(&w, "both").await, tag(&w, "one").await);
        furnish(&w, &from, &[&both, &one]).await;
        furnish(&w, &to, &[&both]).await;
        let password = "copper-lantern-41-meadow";
        w.mutate(&w.owner, "updateClient", "user { id }", json!({ "id": from, "password": password })).await;
        let payload = merge(&w, &w.owner, pair(&from, &to)).await;
        assert_eq!(payload["user"]["id"], to, "{payload}");
        // The profile of the target stays.
        assert_eq!(payload["user"]["first_name"], "Adah");
        assert_eq!(payload["user"]["email"], "b@example.com");
        let query = "query($id: ID) { user: users(id: $id) { nodes { active_tags { name } locations { line1 } referrals { referral_reason } } } }";
        let answer = w.run(&w.owner, query, json!({ "id": to })).await;
        let user = &answer["user"]["nodes"][0];
        assert_eq!(user["active_tags"], json!([{ "name": "both" }, { "name": "one" }]), "{answer}");
        assert_eq!(user["locations"].as_array().unwrap().len(), 2);
        assert_eq!(user["referrals"], json!([{ "referral_reason": "knee" }, { "referral_reason": "knee" }]));
        // No reference is left, whatever the table: not even of a deleted row.
        let from_id: i64 = from.parse().unwrap();
        for (table, column) in w.references(from_id).await {
            let stays = RULES.iter().any(|(of, at, _, _)| (*of, *at) == (table, column));
            assert!(stays, "{table}.{column} still names who is gone");
        }
        let id = |text: &str| text.parse::<i64>().unwrap();
        assert_eq!(w.rows::<AppliedTag>(Cond::eq("user_id", id(&to))).await.len(), 2);
        assert_eq!(w.rows::<CareTeamMember>(Cond::eq("patient_id", id(&to))).await.len(), 1);
        assert_eq!(w.rows::<Location>(Cond::eq("user_id", id(&to))).await.len(), 2);
        assert_eq!(w.rows::<Referral>(Cond::eq("user_id", id(&to))).await.len(), 2);
        let events = w.events().await;
        assert_eq!(events.last().unwrap(), "patient.merged []", "{events:?}");
        let extra = w.text("SELECT extra FROM events WHERE event_type = 'patient.merged'").await;
        let extra: Json = serde_json::from_str(&extra).unwrap();
        assert_eq!(extra, json!({ "source_user_id": from, "destination_user_id": to }));
    })
    .await;
}

/// One rule for the id that loses: nobody finds it, and nothing is done to it.
#[tokio::test]
async fn the_losing_id_is_gone_for_everybody() {
    World::each(async |w| {
        let (from, to) =
            (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let own = w.as_client(&from).await;
        merge(&w, &w.owner, pair(&from, &to)).await;
        let query = "query($id: ID) { users(id: $id) { total_count } all: users { total_count } }";
        for actor in [&w.owner, &w.standard, &w.support, &own] {
            let answer = w.run(actor, query, json!({ "id": from })).await;
            assert_eq!(answer["users"]["total_count"], 0, "{answer}");
        }
        assert_eq!(w.run(&w.owner, query, json!({})).await["all"]["total_count"], 1);
        let again = merge(&w, &w.owner, pair(&from, &to)).await;
        assert_eq!(again["messages"][0]["message"], "Object not found");
        for (field, input) in [
            ("updateClient", json!({ "id": from, "active": true })),
            ("updateUser", json!({ "id": from, "first_name": "X" })),
            ("bulkUpdateClients", json!({ "ids": [from], "active_status": true })),
            ("createLocation", json!({ "user_id": from, "line1": "x" })),
        ] {
            let payload = w.mutate(&w.owner, field, "messages { field }", input).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found", "{field}: {payload}");
        }
        let gone = w.gone(&from).await;
        assert_eq!(gone.merged_into_id.unwrap().to_string(), to);
        assert!(!gone.active && gone.email.as_deref() == Some("a@example.com"));
        let logins = w.count("SELECT COUNT(*) FROM logins WHERE user_id = ", &from).await;
        assert_eq!(logins, 0);
        // The address and the name are free again.
        let payload = w
            .mutate(
                &w.owner,
                "createClient",
                "user { id }",
                json!({
            "first_name": "Ada", "last_name": "Client", "email": "a@example.com" }),
            )
            .await;
        assert!(payload["messages"].is_null(), "{payload}");
        // Who is merged on takes those before along.
        let last = payload["user"]["id"].as_str().unwrap();
        merge(&w, &w.owner, pair(&to, last)).await;
        assert_eq!(w.gone(&from).await.merged_into_id.unwrap().to_string(), last);
    })
    .await;
}

#[tokio::test]
async fn what_may_not_be_merged_is_refused_and_nothing_changes() {
    World::each(async |w| {
        let (a, b) =
            (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let archived = w.client("Cy", "c@example.com").await;
        w.mutate(
            &w.owner,
            "updateClient",
            "user { id }",
            json!({ "id": archived, "active": false }),
        )
        .await;
        let branch = w.branch().await;
        let away = w
            .mutate(
                &branch,
                "createClient",
                "user { id }",
                json!({ "first_name": "De", "last_name": "Client", "email": "d@example.com" }),
            )
            .await;
        let away = away["user"]["id"].as_str().unwrap();
        let theirs = w
            .mutate(
                &w.stranger,
                "createClient",
                "user { id }",
                json!({ "first_name": "El", "last_name": "Client", "email": "e@example.com" }),
            )
            .await;
        let theirs = theirs["user"]["id"].as_str().unwrap();
        let owner = w.owner.user_id.to_string();
        let (before, rows) = (w.events().await, w.dump().await);
        let all = w.owner.clone();
        let denied = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let blind = w.with(&w.standard, &[CAN_MERGE_CLIENTS]);
        for (actor, input, field) in [
            (&denied, pair(&a, &b), "base"),
            (&blind, pair(&a, &b), "ids"),
            (&w.stranger, pair(&a, &b), "ids"),
            (&all, pair(&a, &archived), "ids"),
            (&all, pair(&archived, &a), "ids"),
            (&all, pair(&a, away), "ids"),
            (&all, pair(&a, theirs), "ids"),
            (&all, pair(&owner, &a), "ids"),
            (&all, pair(&a, &a), "ids"),
            (&all, json!({ "ids": [a, b] }), "target_user_id"),
            (&all, json!({ "ids": [a, b], "target_user_id": archived }), "target_user_id"),
            (&all, json!({ "ids": [a, b, archived], "target_user_id": b }), "ids"),
            (
                &all,
                json!({ "ids": [a, b], "target_user_id": b, "target_email": "no address" }),
                "target_email",
            ),
        ] {
            let payload = merge(&w, actor, input.clone()).await;
            assert_eq!(payload["messages"][0]["field"], field, "{input}: {payload}");
        }
        assert_eq!((w.events().await, w.dump().await), (before, rows));
    })
    .await;
}

#[tokio::test]
async fn the_target_gets_an_address_with_the_right_to_give_it() {
    World::each(async |w| {
        let (from, to) =
            (w.client("Ada", "a@example.com").await, w.client("Ada", "b@example.com").await);
        w.client("Ada", "taken@example.com").await;
        w.execute(Sql::fixed("UPDATE users SET last_sign_in_at = 1 WHERE is_patient = TRUE", []))
            .await;
        let to_address =
            |email: &str| json!({ "ids": [from, to], "target_user_id": to, "target_email": email });
        let may = w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_MERGE_CLIENTS]);
        let payload = merge(&w, &may, to_address("a@example.com")).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let may =
            w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_MERGE_CLIENTS, CAN_SET_CLIENT_PASSWORD]);
        let payload = merge(&w, &may, to_address("taken@example.com")).await;
        assert_eq!(payload["messages"][0]["field"], "target_email", "{payload}");
        // Of the same name as the one who is gone: its address is no hindrance.
        let payload = merge(&w, &may, to_address("A@example.com")).await;
        assert_eq!(payload["user"]["email"], "a@example.com", "{payload}");
        assert_eq!(w.events().await.last().unwrap(), "patient.merged []");
    })
    .await;
}

#[tokio::test]
async fn a_restricted_chart_is_not_opened_and_the_provider_keeps_the_client() {
    World::each(async |w| {
        let (from, to) =
            (w.client("Ada", "a@example.com").await, w.client("Bo", "b@example.com").await);
        let provider = w.standard.user_id.to_string();
        w.execute(Sql::fixed(
            "UPDATE organization_memberships SET can_be_care_team_member = TRUE",
            [],
        ))
        .await;
        let input = json!({ "id": from, "dietitian_id": provider, "restricted": true });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        merge(&w, &w.owner, pair(&from, &to)).await;
        let row = w.rows::<User>(Cond::eq("id", to.parse::<i64>().unwrap())).await.remove(0);
        assert!(row.restricted);
        assert_eq!(row.dietitian_id.unwrap().0, w.owner.user_id);
        let query = "query($id: ID) { users(id: $id) { nodes { id } } }";
        let provider = w.with(&w.standard, &[]);
        assert_eq!(
            w.run(&provider, query, json!({ "id": to })).await["users"]["nodes"]
                .as_array()
                .unwrap()
                .len(),
            1
        );
        let others = w.with(&w.support, &[SEES_ALL_CLIENTS]);
        assert_eq!(w.run(&others, query, json!({ "id": to })).await["users"]["nodes"], json!([]));
    })
    .await;
}

#[tokio::test]
async fn the_log_and_authorizations_go_along_and_broken_glass_does_not() {
    World::each(async |w| {
        let w = whole(w);
        let (from, to) = (restricted(&w, "rex").await, restricted(&w, "tess").await);
        let provider = w.standard.user_id.to_string();
        let input = json!({ "client_id": from, "provider_id": provider, "reason": "covers" });
        let selects = "client_restriction_authorization { id }";
        let field = "createClientRestrictionAuthorization";
        let payload = w.mutate(&w.owner, field, selects, input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let helper = w.with(&w.support, &[]);
        let input = json!({ "client_id": from, "reason": "fell" });
        let payload =
            w.mutate(&helper, "createBreakGlassAccess", "break_glass_access { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let before = log(&w, &w.owner, &from).await.len();
        let own = log(&w, &w.owner, &to).await.len();
        assert!(before > 0);
        let payload = merge(&w, &w.owner, pair(&from, &to)).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert!(log(&w, &w.owner, &to).await.len() >= before + own);
        assert_eq!(log(&w, &w.owner, &from).await, Vec::<Json>::new());
        let client: i64 = to.parse().unwrap();
        let authorized =
            w.rows::<ClientRestrictionAuthorization>(Cond::eq("client_id", client)).await;
        assert_eq!(authorized.len(), 1);
        assert_eq!(w.rows::<BreakGlassAccess>(Cond::eq("client_id", client)).await.len(), 0);
        assert!(!sees(&w, &now(&w, &helper), &to).await);
        assert!(sees(&w, &w.with(&w.standard, &[]), &to).await);
    })
    .await;
}

/// Every column that names a user is moved, or somebody said why it is not.
#[test]
fn every_reference_has_a_fate() {
    let moves = plan(&tables()).unwrap();
    for table in tables() {
        for column in naming_users(table) {
            let moves = moves.iter().any(|it| it.table.name == table.name && it.column == column);
            let stays = RULES.iter().any(|(of, at, _, _)| (*of, *at) == (table.name, column));
            assert!(moves != stays, "{}.{column}", table.name);
        }
    }
    assert!(moves.iter().any(|it| it.table.name == "locations" && it.column == "user_id"));
}

/// Rows that a blind move would break are refused until their fate is said.
#[test]
fn what_nobody_thought_of_is_refused() {
    mod samples {
        use ward_identity::tables::{Organization, User};
        use ward_store::{Id, Key, Rule, index, record, unique};
        record! {
            /// Bound to the row's key.
            pub struct Bound in BOUND, bound_rows {
                org_id: Id<Organization>, user_id: Id<User>, note: Option<String> [sealed],
            }
            key: Key::Columns(&["org_id", "user_id"]), indexes: [], references: [],
            audit: None, visible: |_| Rule::none(),
        }
        record! {
            /// Signed.
            pub struct Signed in SIGNED, signed_rows {
                id: Id<Signed>, org_id: Id<Organization>, user_id: Id<User>, row_mac: Vec<u8> [secret],
            }
            key: Key::Id, indexes: [index(&["org_id"])], references: [],
            audit: None, visible: |_| Rule::none(),
        }
        record! {
            /// Kept when deleted, and unique all the same.
            pub struct Kept in KEPT, kept_rows {
                id: Id<Kept>, org_id: Id<Organization>, user_id: Id<User>,
                deleted_at: Option<ward_instance::Timestamp>,
            }
            key: Key::Id, indexes: [unique(&["org_id", "user_id"])], references: [],
            audit: None, visible: |_| Rule::none(),
        }
    }
    for table in [&samples::BOUND, &samples::SIGNED, &samples::KEPT] {
        let refused = plan(&[table]).unwrap_err();
        assert!(refused.starts_with(&format!("{}.user_id: ", table.name)), "{refused}");
    }
}

async fn bulk(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "bulkUpdateClients", "users { id user_group_id active }", input).await
}

#[tokio::test]
async fn many_clients_change_in_one_way() {
    World::each(async |w| {
        let (a, b) = (w.client("A", "a@example.com").await, w.client("B", "b@example.com").await);
        let group = w.mutate(&w.owner, "createGroup", "user_group { id }", json!({ "name": "G" })).await["user_group"]["id"].clone();
        let before = w.events().await.len();
        // A group and a status: the status is ignored.
        let input = json!({ "ids": [a, b, a], "user_group_id": group, "active_status": false });
        let payload = bulk(&w, &w.owner, input).await;
        assert_eq!(payload["users"][1]["user_group_id"], group, "{payload}");
        assert_eq!(payload["users"].as_array().unwrap().len(), 2);
        assert_eq!(payload["users"][0]["active"], true);
        let input = json!({ "ids": [a], "user_group_id": "", "suppress_patient_updated_webhooks": true });
        assert!(bulk(&w, &w.owner, input).await["users"][0]["user_group_id"].is_null());
        w.execute(Sql::fixed("UPDATE organization_memberships SET can_be_care_team_member = TRUE", [])).await;
        let team = json!([w.standard.user_id.to_string()]);
        let payload = bulk(&w, &w.owner, json!({ "ids": [a, b], "other_provider_ids": team })).await;
        assert!(payload["messages"].is_null(), "{payload}");
        // Twice is once.
        bulk(&w, &w.owner, json!({ "ids": [a, b], "other_provider_ids": team })).await;
        assert_eq!(w.rows::<CareTeamMember>(Cond::Always).await.len(), 2);
        bulk(&w, &w.owner, json!({ "ids": [b], "provider_ids_to_remove": team })).await;
        assert_eq!(w.rows::<CareTeamMember>(Cond::Always).await.len(), 1);
        let input = json!({ "select_all_status": "active", "select_all_excluded_ids": [b], "active_status": false });
        let payload = bulk(&w, &w.owner, input).await;
        assert_eq!(payload["users"].as_array().unwrap().len(), 1);
        assert_eq!((&payload["users"][0]["id"], &payload["users"][0]["active"]), (&json!(a), &json!(false)), "{payload}");
        let told = w.events().await.split_off(before);
        let expected = [
            r#"patient.updated ["user_group_id"]"#,
            r#"patient.updated ["user_group_id"]"#,
            // Kept from webhooks, and from nothing else.
            r#"patient.updated ["user_group_id"]"#,
            r#"patient.updated ["other_provider_ids"]"#,
            r#"patient.updated ["other_provider_ids"]"#,
            r#"patient.updated ["other_provider_ids"]"#,
            r#"patient.updated ["active","archived_at"]"#,
        ];
        assert_eq!(told, expected);
        let untold = Sql::fixed("SELECT COUNT(*) FROM events WHERE relayed = TRUE", []);
        let rows = w.db.read().await.unwrap().rows(&untold).await.unwrap();
        assert_eq!(rows.scalar(), Some(&Value::Int(1)));
        let old = "mutation($id: ID) { bulkUpdateClients(input: { ids: [$id], active_status: true }) { users { active } messages { message } } }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, old, json!({ "id": a })).await;
        assert_eq!(answer["data"]["bulkUpdateClients"]["users"][0]["active"], true, "{answer}");
    })
    .await;
}

#[tokio::test]
async fn many_clients_change_all_or_none_and_by_right() {
    World::each(async |w| {
        let (a, b) = (w.client("A", "a@example.com").await, w.client("B", "b@example.com").await);
        let unknown = (a.parse::<i64>().unwrap() + 5_000).to_string();
        let sees = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let blind = w.with(&w.standard, &[]);
        let owner = w.owner.user_id.to_string();
        let (before, rows) = (w.events().await, w.dump().await);
        for (actor, input, field) in [
            (&w.owner, json!({ "ids": [a, unknown], "active_status": false }), "ids"),
            (&w.owner, json!({ "ids": [a, owner], "active_status": false }), "ids"),
            (&w.owner, json!({ "ids": [], "active_status": false }), "ids"),
            (&w.owner, json!({ "ids": [a] }), "base"),
            (
                &w.owner,
                json!({ "select_all_status": "some", "active_status": false }),
                "select_all_status",
            ),
            (&w.owner, json!({ "ids": [a], "user_group_id": unknown }), "user_group_id"),
            (&w.owner, json!({ "ids": [a], "other_provider_ids": [b] }), "other_provider_ids"),
            (&sees, json!({ "ids": [a], "active_status": false }), "base"),
            (&blind, json!({ "ids": [a], "user_group_id": "" }), "ids"),
            (&w.stranger, json!({ "ids": [a, b], "active_status": false }), "ids"),
        ] {
            let payload = bulk(&w, actor, input.clone()).await;
            assert_eq!(payload["messages"][0]["field"], field, "{input}: {payload}");
        }
        // Whole lists are of those whom the caller sees: nobody of others'.
        for actor in [&blind, &w.stranger] {
            let input = json!({ "select_all_status": "all", "user_group_id": "" });
            assert_eq!(bulk(&w, actor, input).await["users"], json!([]));
        }
        assert_eq!((w.events().await, w.dump().await), (before, rows));
        let many: Vec<String> =
            (0..1_001).map(|n| (a.parse::<i64>().unwrap() + n).to_string()).collect();
        let payload = bulk(&w, &w.owner, json!({ "ids": many, "active_status": false })).await;
        assert_eq!(
            payload["messages"][0]["message"],
            "At most 1000 clients can be changed at once"
        );
    })
    .await;
}

impl World {
    /// Columns that still hold the id of a user in any row.
    async fn references(&self, id: i64) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        for table in tables() {
            for column in naming_users(table) {
                let sql = format!("SELECT COUNT(*) FROM {} WHERE {column} = $1", table.name);
                let rows = self
                    .db
                    .read()
                    .await
                    .unwrap()
                    .rows(&Sql::fixed(sql.leak(), [id.into()]))
                    .await
                    .unwrap();
                if rows.scalar().and_then(Value::int) != Some(0) {
                    found.push((table.name, column));
                }
            }
        }
        found
    }

    async fn text(&self, sql: &'static str) -> String {
        let rows = self.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
        rows.scalar().and_then(Value::text).unwrap().to_owned()
    }

    /// The row that is left of a client who was merged.
    async fn gone(&self, id: &str) -> User {
        let (org, id) = (self.organization.id.0, ward_store::Id::new(id.parse().unwrap()));
        let found = self.db.write(move |tx| {
            Box::pin(async move {
                let actor = Actor::system(org);
                ward_store::Scope::new(tx, &actor).find_deleted_too::<User>(id).await
            })
        });
        found.await.unwrap_or_else(|error: ward_store::StoreError| panic!("{error}")).unwrap()
    }

    async fn count(&self, sql: &'static str, id: &str) -> i64 {
        let sql = format!("{sql}$1").leak();
        let params = [id.parse::<i64>().unwrap().into()];
        let rows = self.db.read().await.unwrap().rows(&Sql::fixed(sql, params)).await.unwrap();
        rows.scalar().and_then(Value::int).unwrap()
    }

    /// Everything that the practice's people can change, as text.
    async fn dump(&self) -> Vec<String> {
        let mut all = Vec::new();
        for sql in [
            "SELECT id, version, updated_at, active, email, user_group_id, dietitian_id FROM users ORDER BY id",
            "SELECT patient_id, user_id FROM care_team_members ORDER BY patient_id, user_id",
            "SELECT id, user_id FROM locations ORDER BY id",
        ] {
            let rows = self.db.read().await.unwrap().rows(&Sql::fixed(sql, [])).await.unwrap();
            all.extend(rows.iter().map(|row| format!("{row:?}")));
        }
        all
    }
}
