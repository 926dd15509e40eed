//! What those are told who come to an appointment, or go.

use serde_json::{Value as Json, json};
use ward_identity::flags::{CAN_ADD_OTHERS_APPOINTMENTS, CAN_EDIT_CALENDAR, CAN_SEE_CALENDAR};
use ward_store::{Query, Sql, Value};

use crate::desk::{ahead, awake, booked, change, planned, told, with};
use crate::support::World;

const PART: &str = "appointment_inclusion { id }";

/// Two clients in a group, told of it, and its id.
async fn circle(w: &World) -> (String, [String; 2]) {
    let of = json!({ "name": "Circle", "length": 60, "is_group": true });
    let made = w.mutate(&w.owner, "createAppointmentType", "appointmentType { id }", of).await;
    let of = made["appointmentType"]["id"].clone();
    let people = [w.client("Ada", "a@example.com").await, w.client("Bea", "b@example.com").await];
    for client in &people {
        awake(w, &w.as_client(client).await).await;
    }
    let input = json!({ "appointment_type_id": of, "contact_type": "Phone Call",
        "datetime": ahead(w, 9, "15:00"), "attendee_ids": people });
    (booked(w, &w.owner, input).await, people)
}

/// How often staff was told of each.
async fn staff(w: &World) -> [usize; 4] {
    let told = told(w).await;
    ["booked", "changed", "cancelled", "part_cancelled"]
        .map(|it| told.get(&format!("{it} email staff")).copied().unwrap_or(0))
}

/// How often they were told that it is booked, that it changed, that it is off.
async fn mails(w: &World) -> [usize; 3] {
    let told = told(w).await;
    ["booked", "changed", "cancelled"]
        .map(|it| told.get(&format!("{it} email client")).copied().unwrap_or(0))
}

async fn coming(w: &World) -> Vec<String> {
    let sql = Sql::fixed(
        "SELECT event_type FROM events WHERE event_type LIKE 'appointment.patient%' \
         ORDER BY seq, written_at",
        [],
    );
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    let word = |row: &[Value]| row[0].text().unwrap().replace("appointment.patient_", "");
    rows.iter().map(word).collect()
}

#[tokio::test]
async fn a_part_that_is_called_off_or_revived_is_told_once() {
    World::each(async |w| {
        let (id, [ada, bea]) = circle(&w).await;
        let said = |who: &str, cancelled: bool| {
            json!({ "id": id, "attended_clients": [{ "user_id": who, "cancelled": cancelled }] })
        };
        assert_eq!((mails(&w).await, planned(&w).await.len()), ([2, 0, 0], 2));
        change(&w, &w.owner, said(&ada, true)).await;
        assert_eq!((mails(&w).await, planned(&w).await.len()), ([2, 0, 1], 1));
        change(&w, &w.owner, said(&ada, true)).await;
        assert_eq!(mails(&w).await, [2, 0, 1], "it was off already");
        // Who is revived with a move is told that it is booked, the other that it moved.
        let back = with(&said(&ada, false), json!({ "datetime": ahead(&w, 10, "15:00") }));
        change(&w, &w.owner, back).await;
        assert_eq!((mails(&w).await, planned(&w).await.len()), ([3, 1, 1], 2));
        let at = json!({ "id": id, "datetime": ahead(&w, 11, "15:00") });
        change(&w, &w.owner, at).await;
        assert_eq!(mails(&w).await, [3, 3, 1]);
        // By oneself.
        let own = w.as_client(&bea).await;
        w.mutate(&own, "deleteAppointment", "appointment { id }", json!({ "id": id })).await;
        assert_eq!((mails(&w).await, planned(&w).await.len()), ([3, 3, 2], 1));
        let query = "query($id: ID) { appointment(id: $id) { attended_clients { id user_id } } }";
        let seen = w.run(&w.owner, query, json!({ "id": id })).await;
        let parts = seen["appointment"]["attended_clients"].as_array().unwrap();
        let part = parts.iter().find(|it| it["user_id"] == json!(bea)).unwrap();
        let back = json!({ "id": part["id"], "cancelled": false });
        w.mutate(&w.owner, "updateAppointmentInclusion", PART, back).await;
        assert_eq!((mails(&w).await, planned(&w).await.len()), ([4, 3, 2], 2));
        let off = json!({ "id": part["id"], "cancelled": true });
        w.mutate(&w.owner, "updateAppointmentInclusion", PART, off).await;
        assert_eq!((mails(&w).await, planned(&w).await.len()), ([4, 3, 3], 1));
        let all = ["added", "added", "removed", "added", "removed", "added", "removed"];
        assert_eq!(coming(&w).await, all);
    })
    .await;
}

#[tokio::test]
async fn a_silent_update_is_silent_to_who_comes_and_goes() {
    World::each(async |w| {
        let (id, [ada, bea]) = circle(&w).await;
        let cy = w.client("Cy", "cy@example.com").await;
        awake(&w, &w.as_client(&cy).await).await;
        let silent = json!({ "id": id, "skip_notification_email": true });
        let said: [Json; 3] = [
            json!({ "attendee_ids": [bea, cy] }),
            json!({ "attended_clients": [{ "user_id": bea, "cancelled": true }] }),
            json!({ "attended_clients": [{ "user_id": bea, "cancelled": false }] }),
        ];
        for (said, reminders) in said.into_iter().zip([2, 1, 2]) {
            change(&w, &w.owner, with(&silent, said)).await;
            assert_eq!(mails(&w).await, [2, 0, 0]);
            assert_eq!(planned(&w).await.len(), reminders, "they are reminded all the same");
        }
        change(&w, &w.owner, json!({ "id": id, "attendee_ids": [ada, cy] })).await;
        assert_eq!(mails(&w).await, [3, 0, 1], "aloud again");
    })
    .await;
}

#[tokio::test]
async fn who_gives_it_is_told_as_well() {
    World::each(async |w| {
        let (id, [ada, bea]) = circle(&w).await;
        let stan = w.standard.user_id.to_string();
        let third = w.owner.user_id.to_string();
        for member in [&w.owner, &w.standard] {
            awake(&w, member).await;
        }
        // Who does it themselves is told nothing.
        assert_eq!(staff(&w).await, [0, 0, 0, 0]);
        // The owner hears of what a client calls off for themselves alone, not of what staff do.
        let own = w.as_client(&ada).await;
        w.mutate(&own, "deleteAppointment", "appointment { id }", json!({ "id": id })).await;
        assert_eq!(staff(&w).await, [0, 0, 0, 1]);
        let off = json!({ "id": id, "attended_clients": [{ "user_id": bea, "cancelled": true }] });
        change(&w, &w.owner, off).await;
        assert_eq!(staff(&w).await, [0, 0, 0, 1]);
        // One more provider has it booked, hears of a move, and of its end for them.
        change(&w, &w.owner, json!({ "id": id, "providers": stan })).await;
        assert_eq!(staff(&w).await, [1, 0, 0, 1]);
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 10, "15:00") })).await;
        assert_eq!(staff(&w).await, [1, 1, 0, 1]);
        change(&w, &w.owner, json!({ "id": id, "providers": "" })).await;
        assert_eq!(staff(&w).await, [1, 1, 1, 1]);
        // Given away: booked for the new one; for the old one, who does it, no word.
        change(&w, &w.owner, json!({ "id": id, "other_party_id": stan })).await;
        assert_eq!(staff(&w).await, [2, 1, 1, 1]);
        // And back, by the one who gives it now: the owner has it booked.
        let may = [CAN_EDIT_CALENDAR, CAN_SEE_CALENDAR, CAN_ADD_OTHERS_APPOINTMENTS];
        let giver = w.with(&w.standard, &may);
        change(&w, &giver, json!({ "id": id, "other_party_id": third })).await;
        assert_eq!(staff(&w).await, [3, 1, 1, 1]);
        // By somebody else the old one is told that it is off, too.
        let sue = w.with(&w.support, &may);
        change(&w, &sue, json!({ "id": id, "other_party_id": stan })).await;
        assert_eq!(staff(&w).await, [4, 1, 2, 1]);
        let silent = json!({ "id": id, "other_party_id": third, "skip_notification_email": true });
        change(&w, &sue, silent).await;
        assert_eq!(staff(&w).await, [4, 1, 2, 1]);
    })
    .await;
}
