//! Care plans through the front door: whose they are, for whom one is active, and who sees it
//! (behaviour 19, 29).

use serde_json::{Value as Json, json};
use ward_clinical::care_plan::table::{CarePlan, GroupCarePlanUserConnection};
use ward_store::{Actor, Cond, Query, Sql};

use crate::support::World;

/// Makes a plan; its id.
async fn plan(w: &World, input: Json) -> String {
    let made = w.mutate(&w.owner, "createCarePlan", "carePlan { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["carePlan"]["id"].as_str().unwrap().to_owned()
}

/// A group with these clients; its id.
async fn group(w: &World, clients: &[&String]) -> String {
    let input = json!({ "name": "Walkers" });
    let made = w.mutate(&w.owner, "createGroup", "user_group { id }", input).await;
    let group = made["user_group"]["id"].as_str().unwrap().to_owned();
    for client in clients {
        let input = json!({ "id": client, "user_group_id": group });
        let done = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        assert!(done["messages"].is_null(), "{done}");
    }
    group
}

/// The sentence that refuses a mutation.
async fn refused(w: &World, actor: &Actor, field: &str, input: Json) -> String {
    let done = w.mutate(actor, field, "", input).await;
    done["messages"][0]["message"].as_str().unwrap_or("nothing").to_owned()
}

/// Makes a plan active for a client, or not any more.
async fn toggle(w: &World, plan: &str, client: &str, activate: bool) {
    let input = json!({ "id": plan, "patient_id": client, "activate": activate });
    let field = "toggleCarePlanStatusForSpecificUser";
    assert_eq!(refused(w, &w.owner, field, input).await, "nothing");
}

/// The plan that is active for a client, as somebody sees it.
async fn active(w: &World, actor: &Actor, client: &str) -> Json {
    let query = "query($id: ID) { user(id: $id) { active_care_plan { id } } }";
    let told = w.run(actor, query, json!({ "id": client })).await;
    told["user"]["active_care_plan"]["id"].clone()
}

/// Names of the events of plans, in order.
async fn events(w: &World) -> Vec<String> {
    let sql = Sql::fixed(
        "SELECT event_type FROM events WHERE event_type LIKE 'care_plan.%' ORDER BY seq",
        [],
    );
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
}

/// How many mails of plans are wanted.
async fn mails(w: &World) -> i64 {
    let sql = Sql::fixed("SELECT COUNT(*) FROM effect_intents WHERE kind = 'care_plan'", []);
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    rows.scalar().and_then(ward_store::Value::int).unwrap()
}

#[tokio::test]
async fn a_client_has_one_active_plan() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let first = plan(&w, json!({ "name": "First", "patient_id": a, "is_hidden": false })).await;
        let second = plan(&w, json!({ "name": "Second", "patient_id": a })).await;
        toggle(&w, &first, &a, true).await;
        assert_eq!(active(&w, &w.owner, &a).await, json!(first));
        toggle(&w, &first, &a, true).await;
        toggle(&w, &second, &a, true).await;
        assert_eq!(active(&w, &w.owner, &a).await, json!(second));
        let query = "query($id: ID) { carePlans(patient_id: $id, order_by: STATUS_ASC) \
            { nodes { name is_active is_hidden assigned_to is_group has_users_with_real_emails } } }";
        let told = w.run(&w.owner, query, json!({ "id": a })).await;
        let shown = |name: &str, is_active: bool, is_hidden: bool| {
            json!({ "name": name, "is_active": is_active, "is_hidden": is_hidden,
                "assigned_to": "Ada Client", "is_group": false, "has_users_with_real_emails": true })
        };
        let nodes = json!([shown("Second", true, true), shown("First", false, false)]);
        assert_eq!(told["carePlans"]["nodes"], nodes);
        toggle(&w, &second, &a, false).await;
        assert_eq!(active(&w, &w.owner, &a).await, Json::Null);
        assert_eq!(
            events(&w).await,
            [
                "care_plan.created",
                "care_plan.created",
                "care_plan.activated",
                "care_plan.deactivated",
                "care_plan.activated",
                "care_plan.deactivated",
            ]
        );
        let rows = w.rows::<GroupCarePlanUserConnection>(Cond::Always).await;
        assert!(rows.len() == 2 && rows.iter().all(|it| !it.active), "{rows:?}");
        let gone = json!({ "id": second });
        assert_eq!(refused(&w, &w.owner, "deleteCarePlan", gone.clone()).await, "nothing");
        assert_eq!(refused(&w, &w.owner, "deleteCarePlan", gone).await, "Object not found");
    })
    .await;
}

#[tokio::test]
async fn two_calls_at_a_time_leave_one_active_plan() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let first = plan(&w, json!({ "name": "First", "patient_id": a })).await;
        let second = plan(&w, json!({ "name": "Second", "patient_id": a })).await;
        tokio::join!(toggle(&w, &first, &a, true), toggle(&w, &second, &a, true));
        let active = w.rows::<GroupCarePlanUserConnection>(Cond::is_true("active")).await;
        assert_eq!(active.len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_client_reads_what_is_not_hidden() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let (ada, bo) = (w.as_client(&a).await, w.as_client(&b).await);
        let own = plan(&w, json!({ "name": "Own", "patient_id": a })).await;
        let query = "query($id: ID) { carePlan(id: $id) { name description } }";
        let read = async |actor: &Actor| {
            w.run(actor, query, json!({ "id": own })).await["carePlan"].clone()
        };
        assert_eq!(read(&ada).await, Json::Null);
        let input = json!({ "id": own, "is_hidden": false, "description": "Walk" });
        assert_eq!(refused(&w, &w.owner, "updateCarePlan", input).await, "nothing");
        // Its name is for the staff.
        assert_eq!(read(&ada).await, json!({ "name": null, "description": "Walk" }));
        for actor in [&bo, &w.stranger, &w.with(&w.standard, &[])] {
            assert_eq!(read(actor).await, Json::Null);
            let input = json!({ "id": own, "name": "Theirs" });
            let sentence = refused(&w, actor, "updateCarePlan", input).await;
            assert!(sentence == "Object not found" || actor.is_client(), "{sentence}");
            assert_eq!(w.rows::<CarePlan>(Cond::eq("name", "Theirs")).await.len(), 0);
        }
        let input = json!({ "user_id": a, "can_view_care_plan": false });
        let done = w.mutate(&w.owner, "createFeatureToggle", "feature_toggle { id }", input).await;
        assert!(done["messages"].is_null(), "{done}");
        assert_eq!(read(&ada).await, Json::Null);
        assert_eq!(read(&w.owner).await, json!({ "name": "Own", "description": "Walk" }));
        // Who is shown no plans is not written to.
        let mail = json!({ "id": own, "patient_id": a });
        let sentence = refused(&w, &w.owner, "sendCarePlanEmail", mail).await;
        assert!(sentence.contains("can_view_care_plan"), "{sentence}");
        assert_eq!(mails(&w).await, 0);
    })
    .await;
}

#[tokio::test]
async fn a_groups_plan_is_for_those_without_one() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let group = group(&w, &[&a, &b]).await;
        let own = plan(&w, json!({ "name": "Own", "patient_id": a })).await;
        toggle(&w, &own, &a, true).await;
        let groups = plan(&w, json!({ "name": "All", "is_hidden": false })).await;
        let input = json!({ "id": groups, "user_group_id": group });
        assert_eq!(refused(&w, &w.owner, "updateCarePlan", input.clone()).await, "nothing");
        assert_eq!(refused(&w, &w.owner, "updateCarePlan", input).await, "nothing");
        let taken = json!({ "id": groups, "new_patient_id": a });
        assert!(refused(&w, &w.owner, "updateCarePlan", taken).await.contains("already"));
        let on = json!({ "id": groups, "is_active": true });
        assert_eq!(refused(&w, &w.owner, "updateGroupCarePlan", on).await, "nothing");
        assert_eq!(active(&w, &w.owner, &a).await, json!(own));
        assert_eq!(active(&w, &w.owner, &b).await, json!(groups));
        assert_eq!(active(&w, &w.as_client(&b).await, &b).await, json!(groups));
        // Whoever leaves the group leaves its plan.
        let input = json!({ "id": b, "user_group_id": "" });
        assert_eq!(refused(&w, &w.owner, "updateClient", input).await, "nothing");
        assert_eq!(active(&w, &w.owner, &b).await, Json::Null);
        let input = json!({ "id": b, "user_group_id": group });
        assert_eq!(refused(&w, &w.owner, "updateClient", input).await, "nothing");
        let out = json!({ "care_plan_id": groups, "user_id": b });
        let selects = "groupCarePlanUserConnection { active user_id }";
        let done = w.mutate(&w.owner, "removeUserFromGroupCarePlan", selects, out).await;
        assert_eq!(
            done["groupCarePlanUserConnection"],
            json!({ "active": false, "user_id": b }),
            "{done}"
        );
        assert_eq!(active(&w, &w.owner, &b).await, Json::Null);
        // A client's own plan takes the place of any; a group's waits for none.
        let input = json!({ "ids": [groups], "activate": true, "notify": true });
        assert_eq!(refused(&w, &w.owner, "bulkUpdateCarePlanUsers", input).await, "nothing");
        assert_eq!(active(&w, &w.owner, &a).await, json!(own));
        assert_eq!(active(&w, &w.owner, &b).await, json!(groups));
        // Ada, whose own plan is active, is not written to.
        assert_eq!(mails(&w).await, 1);
        let mail = json!({ "id": groups, "patient_id": a });
        let sentence = refused(&w, &w.owner, "sendCarePlanEmail", mail).await;
        assert!(sentence.contains("not active"), "{sentence}");
        let off = json!({ "id": groups, "is_active": false });
        assert_eq!(refused(&w, &w.owner, "updateGroupCarePlan", off).await, "nothing");
        assert_eq!(active(&w, &w.owner, &b).await, Json::Null);
    })
    .await;
}

#[tokio::test]
async fn mails_go_to_active_clients_who_can_see_the_plan() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let own = plan(&w, json!({ "name": "Own", "patient_id": a })).await;
        let mail = json!({ "id": own, "patient_id": a });
        let send = async || refused(&w, &w.owner, "sendCarePlanEmail", mail.clone()).await;
        assert!(send().await.contains("hidden"));
        let input = json!({ "id": own, "is_hidden": false });
        assert_eq!(refused(&w, &w.owner, "updateCarePlan", input).await, "nothing");
        assert_eq!(send().await, "nothing");
        assert_eq!(send().await, "nothing");
        assert_eq!(mails(&w).await, 2);
        let b = w.client("Bo", "b@example.com").await;
        let theirs = plan(&w, json!({ "name": "Own", "patient_id": b, "is_hidden": false })).await;
        let input = json!({ "id": b, "active": false });
        assert_eq!(refused(&w, &w.owner, "updateClient", input).await, "nothing");
        let mail = json!({ "id": theirs, "patient_id": b });
        let sentence = refused(&w, &w.owner, "sendCarePlanEmail", mail).await;
        assert!(sentence.contains("not active"), "{sentence}");
        assert_eq!(mails(&w).await, 2);
        let input = json!({ "id": a, "deceased_on": "2026-01-05" });
        assert_eq!(refused(&w, &w.owner, "updateClient", input).await, "nothing");
        assert_eq!(send().await, "This client has died, and gets no mail");
        assert_eq!(mails(&w).await, 2);
    })
    .await;
}

#[tokio::test]
async fn plans_go_with_their_client() {
    World::each(async |w| {
        let a = w.client("Ada", "a@example.com").await;
        let b = w.client("Bo", "b@example.com").await;
        let first = plan(&w, json!({ "name": "First", "patient_id": a })).await;
        let second = plan(&w, json!({ "name": "Second", "patient_id": b })).await;
        toggle(&w, &first, &a, true).await;
        toggle(&w, &second, &b, true).await;
        let input = json!({ "ids": [a, b], "target_user_id": b });
        let merged = w.mutate(&w.owner, "mergeClients", "user { id }", input).await;
        assert_eq!(merged["user"]["id"], json!(b), "{merged}");
        assert_eq!(active(&w, &w.owner, &b).await, json!(second));
        let query = "query($id: ID) { carePlans(patient_id: $id) { total_count } }";
        let told = w.run(&w.owner, query, json!({ "id": b })).await;
        assert_eq!(told["carePlans"]["total_count"], 2);
        toggle(&w, &first, &b, true).await;
        assert_eq!(active(&w, &w.owner, &b).await, json!(first));
    })
    .await;
}
