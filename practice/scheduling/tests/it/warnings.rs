//! What a member is warned of before they book over something.

use serde_json::{Value as Json, json};
use ward_identity::flags::CAN_SEE_CALENDAR;
use ward_store::{Actor, Sql};

use crate::calendars::{Booked, at};
use crate::support::World;

async fn warned(w: &World, actor: &Actor, args: &str) -> Json {
    let query = format!(
        "{{ appointmentBookingWarnings({args}) {{ category potential_issues potential_issue_ids subtitle }} }}"
    );
    let answer = w.run_in(ward_engine::ViewId::V2026, actor, &query, json!({})).await;
    match answer["data"]["appointmentBookingWarnings"].is_null() {
        true => answer["errors"][0]["message"].clone(),
        false => answer["data"]["appointmentBookingWarnings"].clone(),
    }
}

#[tokio::test]
async fn a_member_is_warned_of_what_they_would_book_over() {
    World::each(async |w| {
        let stan = w.standard.user_id;
        let of = w.type_of(&w.owner, json!({ "name": "Session", "length": 60, "is_group": true })).await;
        let client = w.client("Ada", "ada@example.com").await;
        let group = Booked { provider: stan, start: at("2027-03-04T17:00:00Z"), minutes: 60,
            group: Some((of.parse().unwrap(), 5)), clients: vec![client.parse().unwrap()] };
        let first = w.booked(group.clone()).await;
        let args = |more: &str| format!("provider_id: \"{stan}\", date: \"March 4, 2027\", \
            timezone: \"America/New_York\", appointment_type_id: \"{of}\"{more}");
        let noon = args(", time: \"12 30\"");
        let one = json!([{ "category": "Event Conflicts", "potential_issues": ["Session - Mar 4, 12:00 PM EST"],
            "potential_issue_ids": [first.to_string()], "subtitle": "1 event is at the same time" }]);
        let seer = w.with(&w.support, &[CAN_SEE_CALENDAR]);
        for actor in [&w.owner, &w.standard, &seer] {
            assert_eq!(warned(&w, actor, &noon).await, one);
            // Half-open: what ends as the other begins is no conflict, nor is itself.
            for free in [args(", time: \"13 00\""), args(", time: \"11 00\""), format!("{noon}, current_appt_id: \"{first}\"")] {
                assert_eq!(warned(&w, actor, &free).await, json!([]));
            }
        }
        let second = w.booked(Booked { start: at("2027-03-18T16:00:00Z"), group: None, clients: Vec::new(), ..group }).await;
        // At the same time on the wall, though the clocks changed between.
        let weekly = format!("{noon}, is_repeating: true, repeat_interval: \"Biweekly\", repeat_times: \"2\"");
        let found = warned(&w, &w.owner, &weekly).await;
        assert_eq!(found[0]["potential_issue_ids"], json!([first.to_string(), second.to_string()]), "{found}");
        assert_eq!(found[0]["potential_issues"][1], "Blocked - Mar 18, 12:00 PM EDT");
        // Whose client they may not see, of that they learn that the time is taken.
        let mut sql = Sql::new();
        sql.push("UPDATE users SET restricted = TRUE WHERE id = ").bind(client.parse::<i64>().unwrap());
        w.execute(sql).await;
        let found = warned(&w, &seer, &noon).await;
        assert_eq!(found[0]["potential_issues"], json!(["Busy - Mar 4, 12:00 PM EST"]));
        assert_eq!(found[0]["potential_issue_ids"], json!([]));
        // Calendars are for those who may see them.
        let denied = warned(&w, &w.with(&w.support, &[]), &noon).await;
        assert!(denied.as_str().unwrap().starts_with("You don't have permission"), "{denied}");
        let ada = w.as_client(&client).await;
        for actor in [&ada, &Actor::anonymous()] {
            let denied = warned(&w, actor, &noon).await;
            assert!(denied.is_string(), "{denied}");
        }
        assert_eq!(warned(&w, &w.stranger, &noon).await, json!([]), "not there, or not theirs");
        for (more, sentence) in [
            (", time: \"25 00\"", "time must be hours and minutes such as 12 00"),
            (", time: \"12 00\", is_repeating: true, repeat_times: \"5000\"", "repeat_times must be from 1 to 104"),
            (", time: \"12 00\", is_repeating: true, repeat_interval: \"Daily\"", "repeat_interval must be one of Weekly, Biweekly, Monthly, Every 4 Weeks"),
        ] {
            assert_eq!(warned(&w, &w.owner, &args(more)).await, sentence);
        }
        let bad = format!("provider_id: \"{stan}\", date: \"February 31, 2027\", length_in_minutes: 30");
        assert_eq!(warned(&w, &w.owner, &bad).await, "date must be a date such as March 4, 2026");
        let long = format!("provider_id: \"{stan}\", date: \"March 4, 2027\", length_in_minutes: 0");
        assert_eq!(warned(&w, &w.owner, &long).await, "length_in_minutes must be from 1 to 1440 minutes");
    })
    .await;
}
