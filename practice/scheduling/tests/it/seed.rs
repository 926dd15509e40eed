//! What a seeded Sandbox can book.

use serde_json::json;
use ward_identity::tables::User;
use ward_store::{Actor, Id, Scope, StoreError};

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
        let third = &answer["appointmentTypes"]["nodes"][2];
        assert_eq!(
            *third,
            json!({ "available_contact_types": ["Phone Call"], "pricing": "35.00" })
        );
    })
    .await;
}
