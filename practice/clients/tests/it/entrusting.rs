//! Who gives others a lasting right to a restricted client: never who sees the
//! client by an authorization alone.

use serde_json::{Value as Json, json};
use ward_identity::flags::{CAN_MERGE_CLIENTS, CAN_RESTRICT_CLIENTS};
use ward_identity::tables::{CareTeamMember, User};
use ward_store::{Actor, Cond, Sql};

use crate::care::{restricted, sees, whole};
use crate::support::{CAN_ADD_CLIENTS, World};

/// A world with a restricted client of the owner, for whom the standard member
/// has an authorization; the client and the authorization.
async fn authorized(w: World) -> (World, String, Json) {
    let w = whole(w);
    let anybody = "UPDATE organization_memberships SET can_be_care_team_member = TRUE";
    w.execute(Sql::fixed(anybody, [])).await;
    let client = restricted(&w, "rex").await;
    let input = json!({ "client_id": client, "provider_id": w.standard.user_id.to_string(),
        "reason": "Covers in May" });
    let selects = "client_restriction_authorization { id }";
    let made = w.mutate(&w.owner, "createClientRestrictionAuthorization", selects, input).await;
    assert!(made["messages"].is_null(), "{made}");
    let authorization = made["client_restriction_authorization"]["id"].clone();
    (w, client, authorization)
}

async fn take_back(w: &World, authorization: &Json) {
    let input = json!({ "id": authorization });
    let selects = "client_restriction_authorization { id }";
    let gone = w.mutate(&w.owner, "deleteClientRestrictionAuthorization", selects, input).await;
    assert!(gone["messages"].is_null(), "{gone}");
}

/// The care team and the primary provider of a client.
async fn carers(w: &World, client: &str) -> (Vec<i64>, Option<i64>) {
    let id: i64 = client.parse().unwrap();
    let team = w.rows::<CareTeamMember>(Cond::eq("patient_id", id)).await;
    let row = w.rows::<User>(Cond::eq("id", id)).await.remove(0);
    (team.iter().map(|member| member.user_id.0).collect(), row.dietitian_id.map(|id| id.0))
}

async fn set_team(w: &World, actor: &Actor, client: &str, team: Json) -> Json {
    let input = json!({ "id": client, "other_provider_ids": team });
    w.mutate(actor, "updateClient", "user { id }", input).await
}

#[tokio::test]
async fn an_authorization_is_neither_kept_nor_passed_on() {
    World::each(async |w| {
        let (w, client, authorization) = authorized(w).await;
        let (me, other) = (w.standard.user_id.to_string(), w.branch().await);
        let provider = w.with(&w.standard, &[]);
        let before = carers(&w, &client).await;
        for (field, selects, input) in [
            ("updateClient", "user { id }", json!({ "id": client, "other_provider_ids": [me] })),
            (
                "updateClient",
                "user { id }",
                json!({ "id": client, "other_provider_ids": [other.user_id.to_string()] }),
            ),
            ("updateClient", "user { id }", json!({ "id": client, "dietitian_id": me })),
            (
                "updateClient",
                "user { id }",
                json!({ "id": client, "dietitian_id": other.user_id.to_string() }),
            ),
            (
                "bulkUpdateClients",
                "users { id }",
                json!({ "ids": [client], "other_provider_ids": [me] }),
            ),
        ] {
            let refused = w.mutate(&provider, field, selects, input.clone()).await;
            assert_eq!(refused["messages"][0]["field"], "base", "{input}: {refused}");
        }
        assert_eq!(carers(&w, &client).await, before);
        // What an authorization is for stays.
        let input = json!({ "id": client, "pronouns": "they/them", "other_provider_ids": [] });
        let payload = w.mutate(&provider, "updateClient", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        take_back(&w, &authorization).await;
        assert!(!sees(&w, &provider, &client).await);
        assert!(!sees(&w, &other, &client).await);
    })
    .await;
}

#[tokio::test]
async fn a_merge_with_a_restricted_client_takes_the_right_to_restrict() {
    World::each(async |w| {
        let (w, client, authorization) = authorized(w).await;
        let merger = w.with(&w.standard, &[CAN_MERGE_CLIENTS, CAN_ADD_CLIENTS]);
        let me = w.standard.user_id.to_string();
        let input = json!({ "first_name": "Sly", "last_name": "Client", "email": "s@example.com",
            "dietitian_id": me });
        let made = w.mutate(&merger, "createClient", "user { id }", input).await;
        let own = made["user"]["id"].as_str().unwrap().to_owned();
        for target in [&client, &own] {
            let input = json!({ "ids": [client, own], "target_user_id": target });
            let refused = w.mutate(&merger, "mergeClients", "user { id }", input).await;
            assert_eq!(refused["messages"][0]["field"], "base", "{refused}");
        }
        let may = w.with(&w.standard, &[CAN_MERGE_CLIENTS, CAN_RESTRICT_CLIENTS]);
        let input = json!({ "ids": [client, own], "target_user_id": client });
        let payload = w.mutate(&may, "mergeClients", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        take_back(&w, &authorization).await;
        assert!(sees(&w, &w.with(&w.standard, &[]), &client).await);
    })
    .await;
}

#[tokio::test]
async fn who_cares_for_a_restricted_client_or_may_restrict_shares_the_care() {
    World::each(async |w| {
        let (w, client, _) = authorized(w).await;
        let (owner, other) = (w.owner.user_id, w.branch().await.user_id);
        let may = w.with(&w.standard, &[CAN_RESTRICT_CLIENTS]);
        let payload = set_team(&w, &may, &client, json!([other.to_string()])).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(carers(&w, &client).await, (vec![other], Some(owner)));
        // The same team again adds nobody.
        let plain = w.with(&w.standard, &[]);
        let payload = set_team(&w, &plain, &client, json!([other.to_string()])).await;
        assert!(payload["messages"].is_null(), "{payload}");
        let me = w.standard.user_id;
        set_team(&w, &w.owner, &client, json!([me.to_string()])).await;
        // Of the care team now; and leaves it in the same call.
        let payload = set_team(&w, &plain, &client, json!([other.to_string()])).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(carers(&w, &client).await, (vec![other], Some(owner)));
        // The primary provider hands over.
        let input = json!({ "id": client, "dietitian_id": me.to_string() });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        let input = json!({ "id": client, "dietitian_id": owner.to_string(),
            "other_provider_ids": [me.to_string()] });
        let payload = w.mutate(&plain, "updateClient", "user { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
        assert_eq!(carers(&w, &client).await, (vec![me], Some(owner)));
        let input = json!({ "ids": [client], "other_provider_ids": [other.to_string()] });
        let payload = w.mutate(&plain, "bulkUpdateClients", "users { id }", input).await;
        assert!(payload["messages"].is_null(), "{payload}");
    })
    .await;
}
