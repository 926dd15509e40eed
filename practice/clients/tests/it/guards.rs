//! What nobody gets around: files of refused changes, addresses of accounts,
//! clients whom the caller does not see.

use base64::Engine as _;
use serde_json::json;
use ward_engine::ViewId;
use ward_identity::tables::User;
use ward_store::{Cond, Sql};

use crate::support::{
    ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_SETTINGS, CAN_SET_CLIENT_PASSWORD, SEES_ALL_CLIENTS, World,
};

/// A picture of so many bytes, as a data URL.
fn picture(size: usize) -> String {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    bytes.resize(size, 7);
    let text = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!("data:image/png;base64,{text}")
}

#[tokio::test]
async fn a_refused_target_leaves_no_file() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        let other = w.client("Bo", "bo@example.com").await;
        let (own, blind) = (w.as_client(&client).await, w.with(&w.standard, &[]));
        let none = (client.parse::<i64>().unwrap() + 5_000).to_string();
        let owner = w.owner.user_id.to_string();
        for (actor, id) in [(&own, &other), (&own, &owner), (&blind, &other), (&w.owner, &none)] {
            let aliases: String = (0..3)
                .map(|n| {
                    format!("a{n}: updateUser(input: {{ id: \"{id}\", avatar_string: $data }}) {{ messages {{ message }} }} ")
                })
                .collect();
            let query = format!("mutation($data: String) {{ {aliases} }}");
            let data = json!({ "data": picture(100_000) });
            let answer = w.run_in(ViewId::V2026, actor, &query, data).await;
            assert_eq!(answer["data"]["a2"]["messages"][0]["message"], "Object not found", "{answer}");
        }
        let input = json!({ "current_email": "bo@example.com", "avatar_string": picture(1_000) });
        let payload = w.mutate(&blind, "updateUser", "user { id }", input).await;
        assert_eq!(payload["messages"][0]["field"], "current_email", "{payload}");
        assert_eq!(w.files(), 0);
    })
    .await;
}

#[tokio::test]
async fn a_file_of_a_change_refused_later_is_removed() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        let none = (client.parse::<i64>().unwrap() + 5_000).to_string();
        let refused = [
            json!({ "id": client, "first_name": "", "avatar_string": picture(100_000) }),
            json!({ "id": client, "locations": [{ "id": none, "line1": "1 A St" }], "avatar_string": picture(100_000) }),
        ];
        for (input, field) in refused.into_iter().zip(["first_name", "locations"]) {
            let payload = w.mutate(&w.owner, "updateUser", "user { id }", input).await;
            let told = payload["messages"][0]["field"].as_str().unwrap();
            assert!(told.starts_with(field), "{payload}");
            w.files_become(0).await;
        }
        // What is taken stays, and the one that it replaces is the sweep's.
        for _ in 0..2 {
            let input = json!({ "id": client, "avatar_string": picture(100_000) });
            let payload = w.mutate(&w.owner, "updateUser", "user { id }", input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await; // allow-sleep: a removal that must not come
        assert_eq!(w.files(), 2);
        assert_eq!(w.rows::<ward_store::system::BlobRow>(Cond::Always).await.len(), 1);
    })
    .await;
}

/// Who sent it was looked up before the Sandbox went back.
#[tokio::test]
async fn a_file_of_who_was_known_in_another_world_is_removed() {
    World::each(async |w| {
        let query = "mutation($data: String) { updateUser(input: { avatar_string: $data }) { messages { message } } }";
        let data = json!({ "data": picture(100_000) });
        let answer = w.run_before(&w.owner, query, data.clone()).await;
        assert_eq!(answer["errors"][0]["extensions"]["code"], "UNAUTHENTICATED", "{answer}");
        w.files_become(0).await;
        w.run(&w.owner, query, data).await;
        assert_eq!(w.files(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_picture_is_bounded_by_its_size_and_by_the_quota() {
    World::each(async |w| {
        let send = async |size: usize| {
            let input = json!({ "avatar_string": picture(size) });
            w.mutate(&w.owner, "updateUser", "user { id }", input).await
        };
        for size in [(5 << 20) + 1, 8 << 20] {
            let payload = send(size).await;
            let told = &payload["messages"][0]["message"];
            assert_eq!(told, "Avatar must be at most 5 MiB", "{payload}");
        }
        assert_eq!(w.files(), 0);
        assert!(send(5 << 20).await["messages"].is_null());
        w.execute(Sql::fixed("UPDATE blobs SET byte_size = $1", [(10_i64 << 30).into()])).await;
        let payload = send(1_000).await;
        assert_eq!(payload["messages"][0]["field"], "avatar", "{payload}");
        assert_eq!(w.files(), 1);
    })
    .await;
}

#[tokio::test]
async fn nobody_uses_up_the_storage_of_others() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        let own = w.as_client(&client).await;
        let send = async |actor, input: serde_json::Value| {
            w.mutate(actor, "updateUser", "user { id }", input).await
        };
        let mine = json!({ "avatar_string": picture(1_000) });
        assert!(send(&own, mine.clone()).await["messages"].is_null());
        // As if that one were as large as all of a person's may be together.
        let full = Sql::fixed("UPDATE blobs SET byte_size = $1", [((50_i64 << 20) - 1_000).into()]);
        w.execute(full).await;
        assert!(send(&own, mine.clone()).await["messages"].is_null(), "what fits");
        let refused = send(&own, mine).await;
        assert_eq!(refused["messages"][0]["field"], "avatar", "{refused}");
        let told = refused["messages"][0]["message"].as_str().unwrap();
        assert!(told.contains("50 MiB"), "{told}");
        // Whoever sends it: the picture is the client's. Others have their own.
        let theirs = json!({ "id": client, "avatar_string": picture(1_000) });
        assert_eq!(send(&w.owner, theirs).await["messages"][0]["field"], "avatar");
        let payload = send(&w.owner, json!({ "avatar_string": picture(1_000) })).await;
        assert!(payload["messages"].is_null(), "{payload}");
        w.files_become(3).await;
    })
    .await;
}

#[tokio::test]
async fn a_bulk_change_is_bounded_by_what_it_writes() {
    World::each(async |w| {
        let anybody = "UPDATE organization_memberships SET can_be_care_team_member = TRUE";
        w.execute(Sql::fixed(anybody, [])).await;
        let first: i64 = w.client("Ada", "ada@example.com").await.parse().unwrap();
        let many: Vec<String> = (0..700).map(|n| (first + n).to_string()).collect();
        let team = [w.owner.user_id, w.standard.user_id, w.branch().await.user_id];
        let team: Vec<String> = team.iter().map(i64::to_string).collect();
        for field in ["other_provider_ids", "provider_ids_to_remove"] {
            let input = json!({ "ids": many, field: team });
            let refused = w.mutate(&w.owner, "bulkUpdateClients", "users { id }", input).await;
            assert_eq!(refused["messages"][0]["field"], field, "{refused}");
            // So many are tried: the first of them who is not there is told.
            let input = json!({ "ids": many, field: team[..2] });
            let tried = w.mutate(&w.owner, "bulkUpdateClients", "users { id }", input).await;
            assert_eq!(tried["messages"][0]["field"], "ids", "{tried}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_address_of_an_account_changes_with_the_right_to_its_password() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let (sees, may) = (
            w.with(&w.standard, &[SEES_ALL_CLIENTS]),
            w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_SET_CLIENT_PASSWORD]),
        );
        let send = async |actor, field: &str, email: Option<&str>| {
            let input = json!({ "id": id, "email": email, "skipped_email": email.is_none() });
            let payload = w.mutate(actor, field, "user { email }", input).await;
            payload["messages"].as_array().map(|all| all[0]["field"].as_str().unwrap().to_owned())
        };
        let row = async || w.rows::<User>(Cond::is_true("is_patient")).await.remove(0).email;
        for field in ["updateClient", "updateUser"] {
            // Nobody ever got in: staff correct it.
            let wiped = "UPDATE users SET password_hash = NULL, last_sign_in_at = NULL \
                         WHERE is_patient = TRUE";
            w.execute(Sql::fixed(wiped, [])).await;
            assert_eq!(send(&sees, field, Some("corrected@example.com")).await, None);
            assert_eq!(row().await.as_deref(), Some("corrected@example.com"));
            let has_password =
                "UPDATE users SET password_hash = 'x' WHERE is_patient = TRUE".to_owned();
            let has_been = "UPDATE users SET password_hash = NULL, last_sign_in_at = 1 \
                            WHERE is_patient = TRUE"
                .to_owned();
            for access in [has_password, has_been] {
                w.execute(Sql::fixed(access.leak(), [])).await;
                let base = Some("base".to_owned());
                assert_eq!(send(&sees, field, Some("mine@example.com")).await, base);
                assert_eq!(send(&sees, field, None).await, base);
                assert_eq!(row().await.as_deref(), Some("corrected@example.com"));
                assert_eq!(send(&sees, field, Some("Corrected@example.com")).await, None);
                assert_eq!(send(&may, field, Some("moved@example.com")).await, None);
                assert_eq!(row().await.as_deref(), Some("moved@example.com"));
                assert_eq!(send(&may, field, Some("corrected@example.com")).await, None);
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_group_of_unseen_clients_is_not_emptied() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let blind = w.with(&w.standard, &[]);
        let group = async || {
            let input = json!({ "name": "Night" });
            let made = w.mutate(&w.owner, "createGroup", "user_group { id }", input).await;
            let group = made["user_group"]["id"].as_str().unwrap().to_owned();
            let input = json!({ "id": id, "user_group_id": group });
            w.mutate(&w.owner, "updateClient", "user { id }", input).await;
            group
        };
        let delete = async |actor, id: &str| {
            let input = json!({ "id": id });
            w.mutate(actor, "deleteUserGroup", "user_group { id }", input).await
        };
        let night = group().await;
        let payload = delete(&blind, &night).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let client = w.rows::<User>(Cond::is_true("is_patient")).await.remove(0);
        assert_eq!(client.user_group_id.map(|it| it.0.to_string()), Some(night.clone()));
        // An empty one anybody deletes; a full one who sees them, or has the right.
        let input = json!({ "name": "Empty" });
        let empty = w.mutate(&w.owner, "createGroup", "user_group { id }", input).await;
        let payload = delete(&blind, empty["user_group"]["id"].as_str().unwrap()).await;
        assert!(payload["messages"].is_null(), "{payload}");
        for flag in [SEES_ALL_CLIENTS, ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_SETTINGS] {
            let night = group().await;
            let actor = w.with(&w.standard, &[flag]);
            let input = json!({ "id": night });
            let payload = w.mutate(&actor, "deleteUserGroup", "user_group { id }", input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
    })
    .await;
}

#[tokio::test]
async fn nothing_is_ordered_by_clients_whom_nobody_sees() {
    World::each(async |w| {
        for query in [
            "{ userGroups(order_by: USERS_COUNT_DESC) { nodes { cursor } } }",
            "{ tags(order_by: ACTIVE_USERS_ASC) { id } }",
            "{ tags(order_by: ORG_MEMBERS_DESC) { id } }",
        ] {
            let answer = w.run_in(ViewId::V2026, &w.owner, query, json!({})).await;
            assert!(answer.get("errors").is_some(), "{answer}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_branch_takes_no_client_from_its_parent() {
    World::each(async |w| {
        let id = w.client("Ada", "ada@example.com").await;
        let branch = w.branch().await;
        let team = json!({ "id": id, "other_provider_ids": [branch.user_id.to_string()] });
        let payload = w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let take = || json!({ "id": id, "dietitian_id": branch.user_id.to_string() });
        let payload = w.mutate(&branch, "updateClient", "user { id }", take()).await;
        assert_eq!(payload["messages"][0]["field"], "dietitian_id", "{payload}");
        let unit = async || w.rows::<User>(Cond::is_true("is_patient")).await.remove(0).unit_id.0;
        assert_eq!(unit().await, w.organization.id.0);
        // The parent hands them over.
        let payload = w.mutate(&w.owner, "updateClient", "user { id }", take()).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(unit().await, branch.unit_id);
    })
    .await;
}
