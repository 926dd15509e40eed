//! What a seeded Sandbox can book.

use serde_json::json;
use ward_identity::tables::User;
use ward_scheduling::seed_appointments;
use ward_store::{Actor, Id, Scope, StoreError};

use crate::booking::appointments;
use crate::races::overlaps;
use crate::support::World;

#[tokio::test]
async fn the_seed_can_be_booked_from() {
    World::each(async |w| {
        let (org, provider) = (w.organization.id.0, w.standard.user_id);
        let laid = w.db.write(move |tx| {
            Box::pin(async move {
                let actor = Actor::system(org);
                let mut scope = Scope::new(tx, &actor);
                let providers: Vec<User> =
                    scope.find(Id::new(provider)).await?.into_iter().collect();
                ward_scheduling::seed::lay(&mut scope, &providers).await
            })
        });
        laid.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        let names = ["Initial consultation", "Follow-up", "Phone check-in", "Cooking class"];
        assert_eq!(w.names(&w.owner, "").await, names);
        let stan = format!("provider_id: \"{provider}\"");
        assert_eq!(w.names(&Actor::anonymous(), &stan).await, names, "strangers, too");
        let query = format!(
            "{{ availabilities(is_repeating: true, {stan}, startDate: \"2027-03-15\", \
             endDate: \"2027-03-22\") {{ range_start duration_string }} \
             appointmentTypes {{ nodes {{ available_contact_types pricing }} }} }}"
        );
        let answer = w.run(&w.owner, &query, json!({})).await;
        let week = answer["availabilities"].as_array().unwrap();
        assert_eq!(week.len(), 10, "{answer}");
        let first = json!({ "range_start": "2027-03-15T09:00:00-04:00", "duration_string": "3h" });
        assert_eq!(week[0], first);
        let of_owner = format!("{{ nextAvailableSlot(provider_id: \"{}\") }}", w.owner.user_id);
        let next = w.run(&Actor::anonymous(), &of_owner, json!({})).await;
        assert!(next["nextAvailableSlot"].is_string(), "the owner can be booked, too: {next}");
        let third = &answer["appointmentTypes"]["nodes"][2];
        assert_eq!(
            *third,
            json!({ "available_contact_types": ["Phone Call"], "pricing": "35.00" })
        );
    })
    .await;
}

#[tokio::test]
async fn the_seed_has_a_month_of_appointments_that_never_overlap() {
    World::each(async |w| {
        let mut clients = Vec::new();
        for n in 0..40 {
            clients.push(w.client("Ada", &format!("ada{n}@example.com")).await);
        }
        let ids: Vec<i64> = clients.iter().map(|id| id.parse().unwrap()).collect();
        let (org, provider) = (w.organization.id.0, w.owner.user_id);
        let laid = w.db.write(move |tx| {
            let ids = ids.clone();
            Box::pin(async move {
                let actor = Actor::system(org);
                let mut scope = Scope::new(tx, &actor);
                let providers: Vec<User> =
                    scope.find(Id::new(provider)).await?.into_iter().collect();
                let mut clients: Vec<User> = Vec::new();
                for id in ids {
                    clients.extend(scope.find(Id::new(id)).await?);
                }
                let types = ward_scheduling::seed::lay(&mut scope, &providers).await?;
                seed_appointments::appointments(&mut scope, &types, &providers, &clients).await
            })
        });
        laid.await.unwrap_or_else(|error: StoreError| panic!("{error}"));
        let count = async |args: &str| appointments(&w, &w.owner, args).await.len();
        assert_eq!(count("filter: \"past\", first: 1000").await, 40);
        assert_eq!(count("filter: \"future\", first: 1000").await, 42);
        assert!(count("filter: \"didnt-occur\"").await > 4);
        assert_eq!(overlaps(&w).await, 0);
        let query = "{ appointments(is_active: true) { nodes { attendees { id } title length
            } } }";
        let answer = w.run(&w.owner, query, json!({})).await;
        let nodes = answer["appointments"]["nodes"].as_array().unwrap();
        let class = nodes.iter().find(|it| it["title"] == "Cooking class").unwrap();
        assert_eq!(class["attendees"].as_array().unwrap().len(), 4);
    })
    .await;
}
