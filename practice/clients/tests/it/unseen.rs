//! Sub-organizations beside each other, and what clients tell of clients whom
//! their reader does not see.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_identity::flags::{CAN_SET_CLIENT_PASSWORD, CAN_VIEW_AUDIT_LOG};
use ward_identity::tables::{CareTeamMember, User};
use ward_store::{Actor, Cond};

use crate::care::{restricted, sees, whole};
use crate::support::{SEES_ALL_CLIENTS, World};

async fn done(w: &World, field: &str, selects: &str, input: Json) -> Json {
    let payload = w.mutate(&w.owner, field, selects, input).await;
    assert!(payload["messages"].is_null(), "{payload}");
    payload
}

/// The care team's members and the group of a client.
async fn ties(w: &World, client: &str) -> (Vec<i64>, Option<String>) {
    let id: i64 = client.parse().unwrap();
    let team = w.rows::<CareTeamMember>(Cond::eq("patient_id", id)).await;
    let row = w.rows::<User>(Cond::eq("id", id)).await.remove(0);
    let mut team: Vec<i64> = team.iter().map(|member| member.user_id.0).collect();
    team.sort_unstable();
    (team, row.user_group_id.map(|group| group.to_string()))
}

async fn group(w: &World, actor: &Actor) -> String {
    let made =
        w.mutate(actor, "createGroup", "user_group { id }", json!({ "name": "Knees" })).await;
    made["user_group"]["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_who_moves_leaves_the_people_of_the_old_unit_behind() {
    World::each(async |w| {
        let w = whole(w);
        let anybody = "UPDATE organization_memberships SET can_be_care_team_member = TRUE";
        w.execute(ward_store::Sql::fixed(anybody, [])).await;
        let (old, new) = (w.branch().await, w.branch_of("Hanna", "hanna@example.com").await);
        let team = json!([old.user_id.to_string(), w.standard.user_id.to_string()]);
        let id = w.client("Ada", "ada@example.com").await;
        let input = json!({ "id": id, "other_provider_ids": team });
        done(&w, "updateClient", "user { id }", input).await;
        assert!(sees(&w, &old, &id).await);
        let input = json!({ "id": id, "dietitian_id": new.user_id.to_string() });
        done(&w, "updateClient", "user { id }", input).await;
        // The root's people see all units: they stay.
        assert_eq!(ties(&w, &id).await, (vec![w.standard.user_id], None));
        assert!(sees(&w, &new, &id).await);
        assert!(!sees(&w, &old, &id).await);
        let input = json!({ "id": id, "other_provider_ids": team });
        let refused = w.mutate(&old, "updateClient", "user { id }", input).await;
        assert_eq!(refused["messages"][0]["message"], "Object not found", "{refused}");
        let told = w.events().await.pop().unwrap();
        assert!(told.contains("other_provider_ids"), "{told}");
        // And their group, which a client of theirs was in.
        let (bo, theirs) = (w.client("Bo", "bo@example.com").await, group(&w, &old).await);
        let input =
            json!({ "id": bo, "dietitian_id": old.user_id.to_string(), "user_group_id": theirs });
        done(&w, "updateClient", "user { id }", input).await;
        let input = json!({ "id": bo, "dietitian_id": new.user_id.to_string() });
        let moved = done(&w, "updateClient", "user { user_group_id }", input).await;
        assert!(moved["user"]["user_group_id"].is_null(), "{moved}");
        let told = w.events().await.pop().unwrap();
        assert!(told.contains("user_group_id"), "{told}");
    })
    .await;
}

#[tokio::test]
async fn who_is_named_in_the_same_call_comes_along() {
    World::each(async |w| {
        let w = whole(w);
        let (old, new) = (w.branch().await, w.branch_of("Hanna", "hanna@example.com").await);
        let id = w.client("Ada", "ada@example.com").await;
        let of_root = group(&w, &w.owner).await;
        let input = json!({ "id": id, "user_group_id": of_root });
        done(&w, "updateClient", "user { id }", input).await;
        let input = json!({ "id": id, "dietitian_id": new.user_id.to_string(),
            "other_provider_ids": [old.user_id.to_string()] });
        done(&w, "updateClient", "user { id }", input).await;
        assert_eq!(ties(&w, &id).await, (vec![old.user_id], Some(of_root)));
        let theirs = group(&w, &old).await;
        let input = json!({ "id": id, "dietitian_id": old.user_id.to_string(),
            "user_group_id": theirs });
        done(&w, "updateClient", "user { id }", input).await;
        assert_eq!(ties(&w, &id).await, (vec![], Some(theirs)));
    })
    .await;
}

/// What the actor is told of the human that a client is.
async fn human(w: &World, actor: &Actor, id: &str) -> Json {
    let query = "query($id: ID) { user(id: $id) { human_id true_human_id } }";
    let told = w.run(actor, query, json!({ "id": id })).await["user"].clone();
    assert_eq!(told["human_id"], told["true_human_id"]);
    assert!(told["human_id"].is_string(), "{told}");
    told["human_id"].clone()
}

/// Whoever gives a client of theirs an address learns nothing of who has it.
#[tokio::test]
async fn an_address_of_an_unseen_client_looks_like_any_other() {
    World::each(async |w| {
        let w = whole(w);
        restricted(&w, "rex").await;
        w.client("Ola", "ola@example.com").await;
        let branch = w.branch().await;
        let wide = w.with(&w.standard, &[SEES_ALL_CLIENTS, CAN_SET_CLIENT_PASSWORD]);
        for (actor, secret) in
            [(&wide, "rex@example.com"), (&branch, "rex@example.com"), (&branch, "ola@example.com")]
        {
            let first = format!("Probe {} {secret}", actor.user_id);
            let input = json!({ "first_name": first, "last_name": "Client",
                "email": format!("first{secret}"), "dietitian_id": actor.user_id.to_string() });
            let may =
                Actor { is_owner: true, flags: ward_store::Flags(u128::MAX), ..actor.clone() };
            let made = w.mutate(&may, "createClient", "user { id }", input).await;
            let probe = made["user"]["id"].as_str().unwrap();
            let mut told = vec![human(&w, actor, probe).await];
            for email in [secret.to_owned(), format!("fresh{secret}"), secret.to_uppercase()] {
                let input = json!({ "id": probe, "email": email });
                let payload = w.mutate(&may, "updateClient", "user { id }", input).await;
                assert!(payload["messages"].is_null(), "{payload}");
                told.push(human(&w, actor, probe).await);
            }
            assert!(told.iter().all(|it| *it == told[0]), "{secret}: {told:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn accounts_that_are_seen_share_their_human() {
    World::each(async |w| {
        let w = whole(w);
        let family = "family@example.com";
        let first = w.client("Ada", family).await;
        let (second, other) =
            (w.client("Bo", family).await, w.client("Cy", "cy@example.com").await);
        let told = human(&w, &w.owner, &first).await;
        assert_eq!(human(&w, &w.owner, &second).await, told);
        assert_ne!(human(&w, &w.owner, &other).await, told);
        let old =
            w.run_in(ViewId::Baseline, &w.owner, "{ users { id human_id } }", json!({})).await;
        let of = |id: &str| {
            let rows = old["data"]["users"].as_array().unwrap();
            rows.iter().find(|row| row["id"] == id).unwrap()["human_id"].clone()
        };
        assert_eq!((of(&first), of(&second)), (told.clone(), told));
        // Themselves, a client sees one account of theirs.
        let own = w.as_client(&second).await;
        assert_ne!(human(&w, &own, &second).await, of(&first));
        // The log does not tell what the field does not.
        let viewer = w.with(&w.standard, &[CAN_VIEW_AUDIT_LOG, SEES_ALL_CLIENTS]);
        let query = "{ auditLog(resource_name: USER) { nodes { resource_changes {
            field value_after_change } } } }";
        let log = w.run(&viewer, query, json!({})).await;
        let nodes = log["auditLog"]["nodes"].as_array().unwrap();
        let changes = nodes.iter().flat_map(|it| it["resource_changes"].as_array().unwrap());
        let humans: Vec<&Json> = changes.filter(|it| it["field"] == "human_id").collect();
        assert!(humans.iter().all(|it| it["value_after_change"] == "[redacted]"), "{humans:?}");
    })
    .await;
}
