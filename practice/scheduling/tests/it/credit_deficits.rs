//! Who has too few credits: staff are warned, and leave them out.

use serde_json::json;
use ward_store::Actor;

use crate::booking::{Desk, ahead, book, booked, message, with};
use crate::credits::{has, set, settings};
use crate::support::World;

#[tokio::test]
async fn staff_are_warned_and_leave_out_who_has_none() {
    World::each(async |w| {
        let class = json!({ "name": "Class", "length": 60, "is_group": true });
        let of = w.type_of(&w.owner, class).await;
        let (ada, bea) = (w.client("Ada", "ada@example.com").await, w.client("Bea", "bea@example.com").await);
        set(&w, &w.owner, &ada, &of, "2").await;
        let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call", "exclude_no_credits": true,
            "attendee_ids": [ada, bea, w.standard.user_id.to_string()] });
        let warned = async |actor: &Actor, more: &str| {
            let query = format!("{{ appointmentBookingWarnings(date: \"March 4, 2027\", time: \"12 00\", \
                timezone: \"UTC\", provider_id: \"{}\", appointment_type_id: \"{of}\"{more}) \
                {{ category potential_issues potential_issue_ids subtitle }} }}", w.owner.user_id);
            w.run(actor, &query, json!({})).await["appointmentBookingWarnings"].clone()
        };
        let both = format!(", attendee_ids: [\"{ada}\", \"{bea}\"]");
        assert_eq!(warned(&w.owner, &both).await, json!([]), "where nobody counts");
        settings(&w, json!({ "use_client_credit_system": true })).await;
        let one = json!([{ "category": "Credit Deficits", "potential_issues": ["Bea Client - Class (0 left)"],
            "potential_issue_ids": [bea], "subtitle": "1 client has too few credits" }]);
        assert_eq!(warned(&w.owner, &both).await, one);
        assert_eq!(warned(&w.owner, &format!(", attendee_ids: \"{ada},{bea}\"")).await, one);
        let thrice = format!("{both}, is_repeating: true, repeat_interval: \"Weekly\", repeat_times: \"3\"");
        assert_eq!(warned(&w.owner, &thrice).await[0]["potential_issue_ids"], json!([ada, bea]));
        let theirs = w.client("Cy", "cy@example.com").await;
        assert_eq!(warned(&w.stranger, &format!(", attendee_ids: [\"{theirs}\"]")).await, json!([]));
        // Who has none is left out; staff who attend are not asked.
        let at = json!({ "datetime": ahead(&w, 3, "15:00") });
        let payload = book(&w, &w.owner, with(&input, at)).await;
        let stan = w.standard.user_id.to_string();
        let ids: Vec<&str> = payload["appointment"]["attendees"].as_array().unwrap().iter()
            .map(|it| it["id"].as_str().unwrap()).collect();
        assert!(ids.len() == 2 && ids.contains(&ada.as_str()) && ids.contains(&stan.as_str()), "{payload}");
        let id = payload["appointment"]["id"].as_str().unwrap();
        assert_eq!(has(&w, &w.owner, &ada, &of).await, Some(1));
        assert_eq!(has(&w, &w.owner, &bea, &of).await, None);
        // Who holds one of it needs none for changing it.
        set(&w, &w.owner, &ada, &of, "0").await;
        let own = format!(", attendee_ids: [\"{ada}\"]");
        assert_eq!(warned(&w.owner, &own).await[0]["category"], "Credit Deficits");
        assert_eq!(warned(&w.owner, &format!("{own}, current_appt_id: \"{id}\"")).await, json!([]));
        // Too few for a whole series is too few.
        set(&w, &w.owner, &ada, &of, "2").await;
        let thrice = json!({ "datetime": ahead(&w, 5, "15:00"), "join_all": true,
            "repeat_interval": "Weekly", "repeat_times": "3" });
        let payload = book(&w, &w.owner, with(&input, thrice)).await;
        assert_eq!(payload["appointment"]["attendees"], json!([{ "id": stan }]), "{payload}");
        let alone = Desk { client: ada.clone(), of: w.type_of(&w.owner, json!({ "name": "Alone", "length": 30 })).await };
        let before = w.written("appointments").await;
        let none = with(&alone.at(&ahead(&w, 6, "15:00")), json!({ "exclude_no_credits": true }));
        let refused = ("user_id".to_owned(), "The client has too few credits for this appointment type".to_owned());
        assert_eq!(message(&book(&w, &w.owner, none.clone()).await), refused);
        assert_eq!(w.written("appointments").await, before);
        set(&w, &w.owner, &ada, &alone.of, "1").await;
        booked(&w, &w.owner, none).await;
        assert_eq!(has(&w, &w.owner, &ada, &alone.of).await, Some(0));
    })
    .await;
}
