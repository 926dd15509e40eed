//! Sub-organizations beside each other: what is the one's is not the other's.

use serde_json::{Value as Json, json};
use ward_identity::tables::{CareTeamMember, User};
use ward_store::{Actor, Cond};

use crate::care::{sees, whole};
use crate::support::World;

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
        let theirs = group(&w, &old).await;
        let team = json!([old.user_id.to_string(), w.standard.user_id.to_string()]);
        let id = w.client("Ada", "ada@example.com").await;
        let input = json!({ "id": id, "other_provider_ids": team, "user_group_id": theirs });
        done(&w, "updateClient", "user { id }", input).await;
        assert!(sees(&w, &old, &id).await);
        let input = json!({ "id": id, "dietitian_id": new.user_id.to_string() });
        let moved = done(&w, "updateClient", "user { user_group_id }", input).await;
        assert!(moved["user"]["user_group_id"].is_null(), "{moved}");
        // The root's people see all units: they stay.
        assert_eq!(ties(&w, &id).await, (vec![w.standard.user_id], None));
        assert!(sees(&w, &new, &id).await);
        assert!(!sees(&w, &old, &id).await);
        let input = json!({ "id": id, "other_provider_ids": team });
        let refused = w.mutate(&old, "updateClient", "user { id }", input).await;
        assert_eq!(refused["messages"][0]["message"], "Object not found", "{refused}");
        let events = w.events().await;
        let told = events.last().unwrap();
        assert!(told.contains("other_provider_ids") && told.contains("user_group_id"), "{told}");
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
        let input = json!({ "id": id, "dietitian_id": w.owner.user_id.to_string(),
            "user_group_id": theirs });
        done(&w, "updateClient", "user { id }", input).await;
        assert_eq!(ties(&w, &id).await, (vec![], Some(theirs)));
    })
    .await;
}
