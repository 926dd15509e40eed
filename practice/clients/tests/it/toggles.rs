//! Feature toggles: whose applies to whom, who writes them (behaviour 19).

use serde_json::json;
use ward_engine::ViewId;
use ward_identity::flags::{ALLOW_GROUP_LEVEL_ACTIONS, CAN_EDIT_SETTINGS, SEES_ALL_CLIENTS};
use ward_store::Actor;

use crate::care::{number, whole};
use crate::support::World;

const SHOWN: &str = "feature_toggle { id user_id user_group_id show_food can_view_forms }";

async fn applies(w: &World, actor: &Actor, client: &str) -> serde_json::Value {
    let query = "query($id: ID) { featureToggle(user_id: $id) { id } user(id: $id) { feature_toggle { id } } }";
    let data = w.run(actor, query, json!({ "id": client })).await;
    assert_eq!(data["user"]["feature_toggle"], data["featureToggle"], "{data}");
    data["featureToggle"]["id"].clone()
}

#[tokio::test]
async fn the_own_toggle_comes_before_the_groups_and_that_before_the_providers() {
    World::each(async |w| {
        let w = whole(w);
        let group =
            w.mutate(&w.owner, "createGroup", "user_group { id }", json!({ "name": "G" })).await;
        let group = group["user_group"]["id"].clone();
        let client = w.client("ada", "ada@example.com").await;
        let input = json!({ "id": client, "user_group_id": group });
        w.mutate(&w.owner, "updateClient", "user { id }", input).await;
        let as_client = w.as_client(&client).await;
        assert_eq!(applies(&w, &w.owner, &client).await, json!(null));
        let mut expected = Vec::new();
        for input in [json!({}), json!({ "user_group_id": group }), json!({ "user_id": client })] {
            let made = w.mutate(&w.owner, "createFeatureToggle", SHOWN, input).await;
            assert!(made["messages"].is_null(), "{made}");
            let id = made["feature_toggle"]["id"].clone();
            assert!(id.as_str().unwrap().parse::<i64>().unwrap() < 1 << 31, "an Int-class id");
            assert_eq!(applies(&w, &w.owner, &client).await, id);
            assert_eq!(applies(&w, &as_client, &client).await, id);
            expected.push(id);
        }
        let own = w.run(&as_client, "{ featureToggle { id user { id } } }", json!({})).await;
        assert_eq!(own["featureToggle"]["id"], expected[2], "{own}");
        let query = "query($u: ID, $g: ID) { a: featureToggleForEditing { id }
            b: featureToggleForEditing(user_group_id: $g) { id user_group { name } }
            c: featureToggleForEditing(user_id: $u) { id } }";
        let data = w.run(&w.owner, query, json!({ "u": client, "g": group })).await;
        assert_eq!(
            [&data["a"]["id"], &data["b"]["id"], &data["c"]["id"]],
            [&expected[0], &expected[1], &expected[2]]
        );
        let data = w.run(&as_client, query, json!({ "u": client, "g": group })).await;
        assert_eq!(data, json!({ "a": null, "b": null, "c": null }));
        assert_eq!(
            w.events().await.iter().filter(|it| it.starts_with("feature_toggle.created")).count(),
            3
        );
    })
    .await;
}

#[tokio::test]
async fn switches_are_kept_and_changes_told() {
    World::each(async |w| {
        let w = whole(w);
        let client = w.client("ada", "ada@example.com").await;
        let input = json!({ "user_id": client, "show_food": false, "can_track_poop": true,
            "seperate_provider_metric_from_client": true, "default_water_intake": "12" });
        let made = w.mutate(&w.owner, "createFeatureToggle", SHOWN, input.clone()).await;
        assert_eq!(made["feature_toggle"]["show_food"], false, "{made}");
        assert_eq!(made["feature_toggle"]["can_view_forms"], true);
        let again = w.mutate(&w.owner, "createFeatureToggle", SHOWN, input).await;
        assert_eq!(again["messages"][0]["message"], "User has already been taken", "{again}");
        let id = made["feature_toggle"]["id"].clone();
        let input = json!({ "id": id, "can_view_forms": false, "prevent_inactive_access": true,
            "last_journal_from_date": "2026-03-01", "show_food": null });
        let changed = w.mutate(&w.owner, "updateFeatureToggle", SHOWN, input).await;
        assert_eq!(changed["feature_toggle"]["can_view_forms"], false, "{changed}");
        let query = "query($id: ID) { featureToggle(id: $id) { show_food can_view_forms can_track_poop
            prevent_inactive_access separate_provider_metric_from_client has_any_entry_types
            seperate_provider_metric_from_client default_water_intake last_journal_from_date created_at } }";
        for view in ViewId::ALL {
            let answer = w.run_in(view, &w.owner, query, json!({ "id": id })).await;
            let toggle = &answer["data"]["featureToggle"];
            assert_eq!(toggle["show_food"], false, "{answer}");
            assert_eq!(toggle["can_track_poop"], true);
            assert_eq!(toggle["prevent_inactive_access"], true);
            assert_eq!(toggle["separate_provider_metric_from_client"], true);
            assert_eq!(toggle["seperate_provider_metric_from_client"], true);
            assert_eq!(toggle["default_water_intake"], "12");
            assert_eq!(toggle["last_journal_from_date"], "2026-03-01");
        }
        let told = "feature_toggle.updated [\"can_view_forms\",\"prevent_inactive_access\",\"last_journal_from_date\"]";
        assert_eq!(w.events().await.last().map(String::as_str), Some(told));
        let audit = "SELECT COUNT(*) FROM audit_events WHERE resource_name = 'FEATURE_TOGGLE' \
             AND subject_id IS NOT NULL";
        assert_eq!(number(&w, audit).await, 2);
    })
    .await;
}

#[tokio::test]
async fn a_toggle_is_written_by_who_may_write_what_it_is_attached_to() {
    World::each(async |w| {
        let w = whole(w);
        let group =
            w.mutate(&w.owner, "createGroup", "user_group { id }", json!({ "name": "G" })).await;
        let group = group["user_group"]["id"].clone();
        let client = w.client("ada", "ada@example.com").await;
        let blind = w.with(&w.standard, &[]);
        let wide = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let groups = w.with(&w.standard, &[ALLOW_GROUP_LEVEL_ACTIONS]);
        let settings = w.with(&w.standard, &[CAN_EDIT_SETTINGS]);
        let owner = w.owner.user_id.to_string();
        let as_client = w.as_client(&client).await;
        let (of_client, of_group, of_owner) = (
            json!({ "user_id": client }),
            json!({ "user_group_id": group }),
            json!({ "user_id": owner }),
        );
        for (actor, input, field) in [
            (&blind, &of_client, "user_id"),
            (&w.stranger, &of_client, "user_id"),
            (&w.stranger, &of_group, "user_group_id"),
            (&blind, &of_group, "base"),
            (&blind, &of_owner, "base"),
            (&as_client, &of_client, "base"),
        ] {
            let refused = w.mutate(actor, "createFeatureToggle", SHOWN, input.clone()).await;
            assert_eq!(refused["messages"][0]["field"], field, "{refused}");
        }
        let both = json!({ "user_id": client, "user_group_id": group });
        let refused = w.mutate(&w.owner, "createFeatureToggle", SHOWN, both).await;
        assert_eq!(refused["messages"][0]["field"], "base", "{refused}");
        assert_eq!(number(&w, "SELECT COUNT(*) FROM feature_toggles").await, 0);
        let mut made = Vec::new();
        for (actor, input) in [(&wide, of_client), (&groups, of_group), (&settings, of_owner)] {
            let payload = w.mutate(actor, "createFeatureToggle", SHOWN, input).await;
            assert!(payload["messages"].is_null(), "{payload}");
            made.push(payload["feature_toggle"]["id"].clone());
        }
        for (actor, id, field) in [
            (&blind, &made[0], "id"),
            (&w.stranger, &made[1], "id"),
            (&blind, &made[1], "base"),
            (&blind, &made[2], "base"),
        ] {
            let input = json!({ "id": id, "show_food": false });
            let refused = w.mutate(actor, "updateFeatureToggle", SHOWN, input).await;
            assert_eq!(refused["messages"][0]["field"], field, "{refused}");
        }
        // Whose group a client is in is not told to who does not see the client.
        let query = "query($id: ID) { featureToggle(user_id: $id) { id } }";
        let data = w.run(&blind, query, json!({ "id": client })).await;
        assert_eq!(data["featureToggle"], json!(null));
    })
    .await;
}
