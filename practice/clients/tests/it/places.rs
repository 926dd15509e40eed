//! Addresses through the front door.

use serde_json::json;
use ward_engine::ViewId;

use crate::support::World;

#[tokio::test]
async fn addresses_of_a_client_follow_the_client() {
    World::each(async |w| {
    let client = w.client("Ada", "ada@example.com").await;
    let selects = "location { id line1 zip to_oneline user_id user { first_name } }";
    let input = json!({
        "user_id": client, "line1": "1 Test St", "line2": "", "city": "Testville", "state": "NY", "zip": "10001",
    });
    let payload = w.mutate(&w.owner, "createLocation", selects, input).await;
    assert_eq!(payload["location"]["to_oneline"], "1 Test St, Testville, NY 10001", "{payload}");
    assert_eq!(payload["location"]["user"]["first_name"], "Ada");
    let id = payload["location"]["id"].clone();
    let blind = w.with(&w.standard, &[]);
    for actor in [&blind, &w.stranger] {
        let input = json!({ "id": id, "line1": "x" });
        let payload = w.mutate(actor, "updateLocation", selects, input).await;
        assert_eq!(payload["messages"][0]["message"], "Object not found");
        let query = "query($id: ID, $user: String) { location(id: $id) { id } locations(user_id: $user) { total_count } }";
        let answer = w.run(actor, query, json!({ "id": id, "user": client })).await;
        assert!(answer["location"].is_null() && answer["locations"]["total_count"] == 0);
    }
    let payload =
        w.mutate(&w.owner, "updateLocation", selects, json!({ "id": id, "zip": "10002" })).await;
    assert_eq!(payload["location"]["zip"], "10002");
    w.mutate(&w.owner, "updateLocation", selects, json!({ "id": id, "zip": "10002" })).await;
    // `location` adds another, `locations` changes, removes, and refuses others' whole.
    let input = json!({
        "id": client, "location": { "city": "Elsewhere" },
        "locations": [{ "id": id, "_destroy": true }],
    });
    let selects = "user { location { city } locations { city } }";
    let payload = w.mutate(&w.owner, "updateClient", selects, input).await;
    assert_eq!(payload["user"]["locations"], json!([{ "city": "Elsewhere" }]), "{payload}");
    let input =
        json!({ "id": client, "pronouns": "they", "locations": [{ "id": id, "city": "x" }] });
    let payload = w.mutate(&w.owner, "updateClient", selects, input).await;
    assert_eq!(payload["messages"][0]["field"], "locations");
    assert_eq!(
        w.events().await[1..],
        [
            "location.created []",
            r#"location.updated ["zip"]"#,
            "location.created []",
            "location.deleted []",
        ]
    );
    let own = w.as_client(&client).await;
    let answer = w
        .run(&own, "{ locations { total_count } users { nodes { location { city } } } }", json!({}))
        .await;
    assert_eq!(answer["users"]["nodes"][0]["location"]["city"], "Elsewhere");
    })
    .await;
}

#[tokio::test]
async fn the_practices_own_addresses_are_listed_without_its_clients() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        for (user, name) in [(json!(client), "Home"), (json!(null), "Office")] {
            let input = json!({ "user_id": user, "name": name, "npi": "1234567893" });
            let payload = w.mutate(&w.owner, "createLocation", "location { name }", input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        let query = "{ locations(has_name: true, keywords: \"off\") { nodes { name npi } } }";
        let answer = w.run(&w.standard, query, json!({})).await;
        assert_eq!(
            answer["locations"]["nodes"],
            json!([{ "name": "Office", "npi": "1234567893" }])
        );
        let payload =
            w.mutate(&w.owner, "createLocation", "location { id }", json!({ "npi": "12" })).await;
        assert_eq!(payload["messages"][0]["field"], "npi");
        let payload =
            w.mutate(&w.owner, "createLocation", "location { id }", json!({ "line2": " " })).await;
        assert_eq!(payload["messages"][0]["field"], "base");
    })
    .await;
}

#[tokio::test]
async fn the_code_set_is_the_same_for_everybody() {
    World::each(async |w| {
        let query = "{ placeOfServices(first: 2) { total_count nodes { id code name code_name } page_info { end_cursor } } }";
        let answer = w.run(&w.stranger, query, json!({})).await;
        let first = json!({ "id": "1", "code": "01", "name": "Pharmacy", "code_name": "01 - Pharmacy" });
        assert_eq!(answer["placeOfServices"]["nodes"][0], first, "{answer}");
        assert_eq!(answer["placeOfServices"]["nodes"][1]["name"], "Telehealth Provided Other than in Patient's Home");
        assert_eq!(answer["placeOfServices"]["total_count"], ward_clients::place_of_service::CODES.len());
        let cursor = &answer["placeOfServices"]["page_info"]["end_cursor"];
        let query = "query($after: String) { placeOfServices(after: $after, first: 1) { nodes { code } } }";
        let answer = w.run(&w.owner, query, json!({ "after": cursor })).await;
        assert_eq!(answer["placeOfServices"]["nodes"], json!([{ "code": "03" }]));
        let old = w.run_in(ViewId::Baseline, &w.owner, "{ placeOfServices { id } }", json!({})).await;
        assert_eq!(old["data"]["placeOfServices"][0]["id"], "1", "{old}");
        let input = json!({ "name": "Here", "place_of_service_id": "98" });
        let payload = w.mutate(&w.owner, "createLocation", "location { id }", input).await;
        assert_eq!(payload["messages"][0]["field"], "place_of_service_id", "{payload}");
        let input = json!({ "name": "Here", "place_of_service_id": "11" });
        let selects = "location { id place_of_service_id place_of_service { code } }";
        let payload = w.mutate(&w.owner, "createLocation", selects, input).await;
        assert_eq!(payload["location"]["place_of_service_id"], "11", "{payload}");
        assert_eq!(payload["location"]["place_of_service"]["code"], "11");
        let input = json!({ "id": payload["location"]["id"], "place_of_service_id": null });
        let payload = w.mutate(&w.owner, "updateLocation", selects, input).await;
        assert!(payload["location"]["place_of_service"].is_null(), "{payload}");
    })
    .await;
}
