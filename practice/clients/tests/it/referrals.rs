//! Referring providers and referrals through the front door.

use serde_json::{Value as Json, json};
use ward_engine::ViewId;

use crate::support::{CAN_EDIT_SETTINGS, SEES_ALL_CLIENTS, World};

const PHYSICIAN: &str = "referring_physician { id full_name npi location_id location { city place_of_service { code name } } \
     referrals_count referrals { id user { first_name } } provider { id } } duplicated_physician { id }";

async fn physician(w: &World) -> Json {
    let input = json!({
        "first_name": "Ruth", "last_name": "Sender", "npi": "1234567893", "speciality": "Cardiology",
        "fax_number": "555", "location": { "city": "Townton", "place_of_service_id": "11" },
    });
    w.mutate(&w.owner, "createReferringPhysician", PHYSICIAN, input).await
}

#[tokio::test]
async fn a_referring_provider_is_added_once_and_keeps_an_address() {
    World::each(async |w| {
        let made = physician(&w).await;
        assert!(made["messages"].is_null(), "{made}");
        let row = &made["referring_physician"];
        assert_eq!(row["full_name"], "Ruth Sender");
        assert_eq!(row["location"]["place_of_service"]["name"], "Office", "{row}");
        let again = physician(&w).await;
        assert!(again["referring_physician"].is_null());
        assert_eq!(again["duplicated_physician"]["id"], row["id"]);
        assert_eq!(again["messages"][0]["field"], "npi");
        let id = row["id"].clone();
        let input = json!({ "id": id, "first_name": "Rut", "location": { "city": "Elseton" } });
        let changed = w.mutate(&w.owner, "updateReferringPhysician", "referring_physician { full_name location_id location { city } }", input).await;
        assert_eq!(changed["referring_physician"]["full_name"], "Rut Sender", "{changed}");
        assert_eq!(changed["referring_physician"]["location_id"], row["location_id"]);
        assert_eq!(changed["referring_physician"]["location"]["city"], "Elseton");
        w.mutate(&w.owner, "deleteLocation", "location { id }", json!({ "id": row["location_id"] })).await;
        let query = "query($id: ID) { referringPhysician(id: $id, has_fax_number: true) { location_id location { id } } }";
        let answer = w.run(&w.owner, query, json!({ "id": id })).await;
        assert!(answer["referringPhysician"]["location_id"].is_null(), "{answer}");
        let gone = w.mutate(&w.owner, "deleteReferringPhysician", "referringPhysician { id }", json!({ "id": id })).await;
        assert_eq!(gone["referringPhysician"]["id"], id, "{gone}");
        assert!(w.run(&w.owner, query, json!({ "id": id })).await["referringPhysician"].is_null());
        // The number is free again.
        assert!(physician(&w).await["messages"].is_null());
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_referring_provider_is_told_and_nothing_is_left() {
    World::each(async |w| {
        let refused = async |actor, input: Json, field: &str| {
            let payload = w.mutate(actor, "createReferringPhysician", PHYSICIAN, input).await;
            assert_eq!(payload["messages"][0]["field"], field, "{payload}");
        };
        refused(&w.owner, json!({ "first_name": "A", "npi": "1234567890" }), "npi").await;
        refused(&w.owner, json!({ "first_name": "A", "email": "nowhere" }), "email").await;
        refused(&w.owner, json!({ "first_name": " ", "npi": "1234567893" }), "base").await;
        let code = json!({ "first_name": "A", "location": { "place_of_service_id": "98" } });
        refused(&w.owner, code, "place_of_service_id").await;
        let none = json!({ "first_name": "A", "referrals": [{ "user_id": "12" }] });
        refused(&w.owner, none, "user_id").await;
        refused(&w.standard, json!({ "first_name": "A" }), "base").await;
        let answer =
            w.run_in(ViewId::Baseline, &w.owner, "{ referringPhysiciansCount }", json!({})).await;
        assert_eq!(answer["data"]["referringPhysiciansCount"], 0, "{answer}");
        assert_eq!(w.events().await, Vec::<String>::new());
        let may = w.with(&w.standard, &[CAN_EDIT_SETTINGS]);
        let payload = w
            .mutate(&may, "createReferringPhysician", PHYSICIAN, json!({ "business_name": "B" }))
            .await;
        assert!(payload["messages"].is_null(), "{payload}");
    })
    .await;
}

#[tokio::test]
async fn a_referral_is_for_those_who_see_the_client() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        let physician = physician(&w).await["referring_physician"]["id"].clone();
        let selects = "referral { id referral_reason metadata user_id referring_physician { full_name } }";
        let input = json!({ "user_id": client, "referring_physician_id": physician, "referral_reason": "heart", "metadata": "{}" });
        let blind = w.with(&w.standard, &[CAN_EDIT_SETTINGS]);
        for actor in [&blind, &w.stranger] {
            let payload = w.mutate(actor, "createReferral", selects, input.clone()).await;
            assert!(payload["referral"].is_null(), "{payload}");
            assert_eq!(payload["messages"][0]["message"], "Object not found");
        }
        let made = w.mutate(&w.owner, "createReferral", selects, input).await;
        assert_eq!(made["referral"]["referring_physician"]["full_name"], "Ruth Sender", "{made}");
        let id = made["referral"]["id"].clone();
        let query = "query($id: ID, $user: String, $physician: ID) { referral(id: $id) { referral_reason } \
             of: referringPhysician(user_id: $user) { id } \
             referringPhysician(id: $physician) { referrals_count referrals { id } } }";
        let variables = json!({ "id": id, "user": client, "physician": physician });
        let answer = w.run(&w.owner, query, variables.clone()).await;
        assert_eq!(answer["referral"]["referral_reason"], "heart");
        assert_eq!(answer["of"]["id"], physician);
        assert_eq!(answer["referringPhysician"]["referrals_count"], 1);
        let answer = w.run(&blind, query, variables.clone()).await;
        assert!(answer["referral"].is_null() && answer["of"].is_null(), "{answer}");
        assert_eq!(answer["referringPhysician"], json!({ "referrals_count": 0, "referrals": [] }));
        for field in ["updateReferral", "deleteReferral"] {
            let payload = w.mutate(&blind, field, "referral { id }", json!({ "id": id })).await;
            assert_eq!(payload["messages"][0]["message"], "Object not found");
        }
        let sees = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let other = w.client("Bo", "bo@example.com").await;
        let input = json!({ "id": id, "user_id": other, "referral_reason": "" });
        let payload = w.mutate(&sees, "updateReferral", selects, input).await;
        assert_eq!(payload["referral"]["user_id"], other, "{payload}");
        assert!(payload["referral"]["referral_reason"].is_null());
        // Who left the list stays named by the referral.
        w.mutate(&w.owner, "deleteReferringPhysician", "referringPhysician { id }", json!({ "id": physician })).await;
        let query = "query($id: ID) { referral(id: $id) { referring_physician { id } user { referring_provider_id referring_provider_name referring_provider_npi referring_physicians { id } referrals { id } } } }";
        let answer = w.run(&w.owner, query, json!({ "id": id })).await;
        assert_eq!(answer["referral"]["referring_physician"]["id"], physician, "{answer}");
        let user = json!({ "referring_provider_id": physician, "referring_provider_name": "Ruth Sender",
            "referring_provider_npi": "1234567893", "referring_physicians": [], "referrals": [{ "id": id }] });
        assert_eq!(answer["referral"]["user"], user);
        w.mutate(&sees, "deleteReferral", "referral { id }", json!({ "id": id })).await;
        assert!(w.run(&w.owner, query, json!({ "id": id })).await["referral"].is_null());
        let told: Vec<String> = w.events().await.into_iter().filter(|event| event.starts_with("referral")).collect();
        let expected = [
            "referral.created []",
            r#"referral.updated ["user_id","referral_reason"]"#,
            "referral.deleted []",
        ];
        assert_eq!(told, expected);
    })
    .await;
}

#[tokio::test]
async fn a_clients_form_writes_referrals_and_makes_providers_with_the_right_to() {
    World::each(async |w| {
        let client = w.client("Ada", "ada@example.com").await;
        let physician = physician(&w).await["referring_physician"]["id"].clone();
        let selects =
            "user { referrals { id referring_physician { full_name location { city } } } }";
        let new = json!({ "id": client, "referrals": [
            { "referring_physician": { "first_name": "New", "location": { "city": "Farton" } } },
        ] });
        let sees = w.with(&w.standard, &[SEES_ALL_CLIENTS]);
        let payload = w.mutate(&sees, "updateClient", selects, new.clone()).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let known = json!({ "id": client, "referrals": [{ "referring_physician_id": physician }] });
        let payload = w.mutate(&sees, "updateClient", selects, known).await;
        let first = payload["user"]["referrals"][0]["id"].clone();
        assert!(first.is_string(), "{payload}");
        let payload = w.mutate(&w.owner, "updateClient", selects, new).await;
        assert_eq!(
            payload["user"]["referrals"][1]["referring_physician"],
            json!({ "full_name": "New", "location": { "city": "Farton" } }),
            "{payload}"
        );
        let other = w.client("Bo", "bo@example.com").await;
        let gone = |of: &str| json!({ "id": of, "referrals": [{ "id": first, "_destroy": true }] });
        let payload = w.mutate(&w.owner, "updateClient", selects, gone(&other)).await;
        assert_eq!(payload["messages"][0]["field"], "referrals", "{payload}");
        let payload = w.mutate(&w.owner, "updateClient", selects, gone(&client)).await;
        assert_eq!(payload["user"]["referrals"].as_array().unwrap().len(), 1, "{payload}");
    })
    .await;
}

#[tokio::test]
async fn referring_providers_are_found_and_ordered() {
    World::each(async |w| {
        for (first, last, business) in [("Zoë", "Abel", "Heart"), ("Al", "Zorn", "Lung")] {
            let input = json!({ "first_name": first, "last_name": last, "business_name": business });
            w.mutate(&w.owner, "createReferringPhysician", PHYSICIAN, input).await;
        }
        let query = "{ a: referringPhysicians(keywords: \"zoe HEA\") { nodes { last_name } } \
             b: referringPhysicians(order_by: BUSINESS_NAME_DESC, first: 1) { total_count nodes { last_name } page_info { has_next_page } } \
             c: referringPhysicians { nodes { last_name } } }";
        let answer = w.run(&w.owner, query, json!({})).await;
        assert_eq!(answer["a"]["nodes"], json!([{ "last_name": "Abel" }]), "{answer}");
        assert_eq!(answer["b"]["nodes"], json!([{ "last_name": "Zorn" }]));
        assert_eq!(answer["c"]["nodes"][0]["last_name"], "Abel");
        let answer = w.run(&w.stranger, query, json!({})).await;
        assert_eq!(answer["b"]["total_count"], 0);
        let client = w.client("Ada", "ada@example.com").await;
        let own = w.as_client(&client).await;
        assert_eq!(w.run(&own, query, json!({})).await["b"]["total_count"], 0);
        let old = w.run_in(ViewId::Baseline, &w.owner, "{ referringPhysicians(offset: 1, page_size: 1, should_paginate: true) { last_name cursor } referringPhysiciansCount }", json!({})).await;
        assert_eq!(old["data"]["referringPhysicians"][0]["last_name"], "Zorn", "{old}");
        assert_eq!(old["data"]["referringPhysiciansCount"], 2);
    })
    .await;
}

#[tokio::test]
async fn a_contact_is_kept_by_those_who_add_clients() {
    World::each(async |w| {
        let selects = "visitor { id first_name email about_me }";
        let input = json!({ "first_name": "Vi", "email": "Vi@Example.com ", "about_me": "knee" });
        let denied = w.with(&w.standard, &[]);
        let payload = w.mutate(&denied, "createContact", selects, input.clone()).await;
        assert_eq!(payload["messages"][0]["field"], "base", "{payload}");
        let payload = w.mutate(&w.standard, "createContact", selects, input).await;
        assert_eq!(payload["visitor"]["email"], "vi@example.com", "{payload}");
        assert_eq!(payload["visitor"]["about_me"], "knee");
        let payload =
            w.mutate(&w.standard, "createContact", selects, json!({ "first_name": "Vi" })).await;
        assert_eq!(payload["messages"][0]["message"], "Email can't be blank", "{payload}");
    })
    .await;
}
