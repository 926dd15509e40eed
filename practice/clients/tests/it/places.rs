//! Addresses through the front door.

use serde_json::json;

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
            let input = json!({ "user_id": user, "name": name, "npi": "1234567890" });
            let payload = w.mutate(&w.owner, "createLocation", "location { name }", input).await;
            assert!(payload["messages"].is_null(), "{payload}");
        }
        let query = "{ locations(has_name: true, keywords: \"off\") { nodes { name npi } } }";
        let answer = w.run(&w.standard, query, json!({})).await;
        assert_eq!(
            answer["locations"]["nodes"],
            json!([{ "name": "Office", "npi": "1234567890" }])
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
