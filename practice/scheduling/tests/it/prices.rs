//! Prices of one client or provider, through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::Actor;

use crate::support::World;

const SET: &str = "advance_appointment_prices { id price user_id appointment_type_id }";

async fn set(w: &World, actor: &Actor, input: Json) -> Json {
    w.mutate(actor, "updateUserAppointmentPricing", SET, input).await
}

async fn prices(w: &World, actor: &Actor) -> Vec<String> {
    let query = "{ advanceAppointmentPrices { nodes { price } } }";
    let answer = w.run(actor, query, json!({})).await;
    let nodes = answer["advanceAppointmentPrices"]["nodes"].as_array().unwrap();
    nodes.iter().map(|node| node["price"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn a_price_is_set_changed_and_taken_back() {
    World::each(async |w| {
        let of = w.type_of(&w.owner, json!({ "name": "A", "length": 30, "pricing": "100" })).await;
        let ada = w.client("Ada", "a@example.com").await;
        let stan = w.standard.user_id.to_string();
        let one = |user: &str, price: &str| {
            json!({ "user_id": user, "advance_appointment_prices": [{ "appointment_type_id": of, "price": price }] })
        };
        let made = set(&w, &w.owner, one(&ada, "80")).await;
        assert!(made["messages"].is_null(), "{made}");
        let price = &made["advance_appointment_prices"][0];
        assert_eq!(*price, json!({ "id": price["id"], "price": "80.00", "user_id": ada, "appointment_type_id": of }));
        set(&w, &w.owner, one(&stan, "150.25")).await;
        let query = "query($of: ID, $user: ID) { advanceAppointmentPrices(appointment_type_id: $of, user_id: $user) { price } \
            appointmentType(id: $of) { advance_pricing_for_clients_count advance_pricing_for_providers_count } \
            user(id: $user) { advance_appointment_prices { price } } }";
        let answer = w.run_in(ViewId::Baseline, &w.owner, query, json!({ "of": of, "user": stan })).await;
        assert_eq!(answer["data"]["advanceAppointmentPrices"], json!([{ "price": "150.25" }]), "{answer}");
        assert_eq!(answer["data"]["appointmentType"],
            json!({ "advance_pricing_for_clients_count": "1", "advance_pricing_for_providers_count": "1" }));
        assert_eq!(answer["data"]["user"]["advance_appointment_prices"], json!([{ "price": "150.25" }]));
        // The same person and type again change it; by its id, too.
        let again = set(&w, &w.owner, one(&ada, "70")).await;
        assert_eq!(again["advance_appointment_prices"][0]["id"], price["id"]);
        let by_id = json!({ "advance_appointment_prices": [{ "id": price["id"], "price": "60" }] });
        assert_eq!(set(&w, &w.owner, by_id).await["advance_appointment_prices"][0]["price"], "60.00");
        assert_eq!(prices(&w, &w.as_client(&ada).await).await, ["60.00"]);
        let blind = w.with(&w.standard, &[]);
        assert_eq!(prices(&w, &blind).await, ["150.25"], "a client's price is seen by who sees the client");
        assert!(prices(&w, &w.stranger).await.is_empty());
        assert!(prices(&w, &Actor::anonymous()).await.is_empty());
        let before = w.written("advance_appointment_prices").await;
        for (input, field) in [
            (one(&ada, "-1"), "advance_appointment_prices"),
            (json!({ "advance_appointment_prices": [{ "appointment_type_id": of, "price": "1" }] }), "user_id"),
            (json!({ "user_id": ada, "advance_appointment_prices": [{ "price": "1" }] }), "appointment_type_id"),
            (json!({ "user_id": stan, "advance_appointment_prices": [{ "id": price["id"], "price": "1" }] }), "user_id"),
            (one(&w.stranger.user_id.to_string(), "1"), "user_id"),
        ] {
            let payload = set(&w, &w.owner, input.clone()).await;
            assert_eq!(payload["messages"][0]["field"], field, "{input} {payload}");
        }
        let payload = set(&w, &w.stranger, one(&ada, "1")).await;
        assert_eq!(payload["messages"][0], json!({ "field": "user_id", "message": "Object not found" }));
        let payload = set(&w, &blind, one(&stan, "1")).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        assert_eq!(w.written("advance_appointment_prices").await.0, before.0);
        // One price of a deleted type is not to be chosen any more.
        set(&w, &w.owner, one(&stan, "")).await;
        assert_eq!(prices(&w, &w.owner).await, ["60.00"]);
        w.mutate(&w.owner, "deleteAppointmentType", "appointmentType { id }", json!({ "id": of })).await;
        assert!(prices(&w, &w.owner).await.is_empty());
    })
    .await;
}
