//! Who is told that a seat is free, and that somebody asks for an appointment.

use serde_json::{Value as Json, json};
use ward_store::system::EffectRow;
use ward_store::{Actor, Cond, OrderKey, Query, Scope, Sql, Value};

use crate::desk::{ahead, awake, booked, change, planned, say, told, waiting, with};
use crate::support::World;

#[tokio::test]
async fn who_moves_in_is_told_and_reminded_whatever_the_change_says() {
    World::each(async |w| {
        let of = json!({ "name": "Class", "length": 50, "is_group": true,
            "clients_can_book": true, "is_waitlist_enabled": true });
        let made = w.mutate(&w.owner, "createAppointmentType", "appointmentType { id }", of).await;
        let first = w.client("Ada", "ada@example.com").await;
        let next = w.client("Bea", "bea@example.com").await;
        let bea = w.as_client(&next).await;
        awake(&w, &bea).await;
        awake(&w, &w.as_client(&first).await).await;
        let input = json!({ "appointment_type_id": made["appointmentType"]["id"],
            "attendee_ids": [first], "max_attendees": "1", "contact_type": "Phone Call",
            "datetime": ahead(&w, 9, "15:00") });
        let id = booked(&w, &w.owner, input).await;
        let input = json!({ "appointment_id": id, "is_joining_waitlist": true });
        let joined = w.mutate(&bea, "completeCheckout", "appointment { id }", input).await;
        assert!(joined["messages"].is_null(), "{joined}");
        assert_eq!(told(&w).await, [("booked email client".to_owned(), 1)].into());
        assert_eq!(planned(&w).await, ["email_1_day"], "who waits is reminded of nothing");
        let off =
            json!({ "start_time": "08:00", "end_time": "18:00", "send_booking_notice": false });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", off).await;
        let gone = json!({ "id": id, "attendee_ids": [], "skip_notification_email": true });
        change(&w, &w.owner, gone).await;
        let now = told(&w).await;
        assert_eq!(now.get("seat_freed email client"), Some(&1), "{now:?}");
        assert_eq!(now.len(), 2, "{now:?}");
        let whose = Sql::fixed("SELECT user_id FROM reminders WHERE kind = 'appointment'", []);
        let rows = w.db.read().await.unwrap().rows(&whose).await.unwrap();
        assert_eq!(rows.scalar().and_then(Value::int), Some(bea.user_id));
        assert_eq!(rows.len(), 1);
    })
    .await;
}

/// Whom mails about requests went to so far.
async fn mailed(w: &World) -> Vec<String> {
    let sql = Sql::fixed(
        "SELECT u.first_name FROM sent_notification_records r JOIN users u ON u.id = r.user_id \
         WHERE r.notification_type = 'new_appointment_request' ORDER BY r.id",
        [],
    );
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
}

async fn wants(w: &World, actor: &Actor, more: Json) {
    let input = with(&json!({ "quiet_hours_start": "00:00", "quiet_hours_end": "00:00" }), more);
    let made = w.mutate(actor, "updateNotificationSetting", "notificationSetting { id }", input);
    assert!(made.await["messages"].is_null());
}

/// As if what was mailed so far had been an hour ago.
async fn an_hour_later(w: &World) {
    let past = "UPDATE sent_notification_records SET created_at = created_at - 3600000000";
    w.execute(Sql::fixed(past, [])).await;
}

#[tokio::test]
async fn members_who_want_to_hear_of_requests_that_they_see() {
    World::each(async |w| {
        let on = json!({ "start_time": "08:00", "end_time": "18:00",
            "enable_appointment_requests": true });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", on).await;
        let ask = async |name: &str, more: Json| {
            let input = with(
                &json!({ "provider_id": w.standard.user_id.to_string(),
                "first_name": name, "last_name": "Visitor", "reason": "Sleep",
                "email": format!("{name}@example.com"), "timezone": "America/New_York" }),
                more,
            );
            let selects = "appointmentRequest { id }";
            let made =
                w.mutate(&Actor::anonymous(), "createAppointmentRequest", selects, input).await;
            assert!(made["messages"].is_null(), "{made}");
            made["appointmentRequest"]["id"].as_str().unwrap().to_owned()
        };
        // Nobody asked to hear of any.
        ask("vera", json!({})).await;
        say(&w).await;
        assert_eq!(mailed(&w).await, Vec::<String>::new());
        wants(&w, &w.standard, json!({ "send_email_on_appt_request_for_you": true })).await;
        wants(&w, &w.owner, json!({ "send_email_on_appt_request_for_anyone": true })).await;
        // A Support member sees no calendar but their own.
        let narrow = Sql::fixed(
            "UPDATE organization_memberships SET can_see_calendar = FALSE, \
            is_admin = FALSE WHERE user_id = $1",
            [w.support.user_id.into()],
        );
        w.execute(narrow).await;
        wants(&w, &w.support, json!({ "send_email_on_appt_request_for_anyone": true })).await;
        ask("walt", json!({})).await;
        say(&w).await;
        let mut told = mailed(&w).await;
        told.sort_unstable();
        assert_eq!(told, ["Olive", "Stan"]);
        // To nobody: who wants to hear of anybody's.
        let to_all = json!({ "provider_id": null,
            "organization_id": w.organization.id.0.to_string() });
        an_hour_later(&w).await;
        ask("xena", to_all).await;
        say(&w).await;
        assert_eq!(mailed(&w).await.len(), 3);
        // Closed before it is told.
        an_hour_later(&w).await;
        let id = ask("yves", json!({})).await;
        let close = json!({ "id": id, "status": "CLOSED" });
        w.mutate(&w.owner, "updateAppointmentRequest", "appointmentRequest { id }", close).await;
        say(&w).await;
        assert_eq!(mailed(&w).await.len(), 3);
        assert!(waiting(&w, "appointment_request").await.is_empty());
        // A change that does not say so switches them off, as the contract has it.
        wants(&w, &w.standard, json!({})).await;
        ask("zoe", json!({})).await;
        say(&w).await;
        assert_eq!(mailed(&w).await.len(), 4, "the owner alone");
    })
    .await;
}

#[tokio::test]
async fn who_asks_often_fills_no_mailbox() {
    World::each(async |w| {
        let on = json!({ "start_time": "08:00", "end_time": "18:00",
            "enable_appointment_requests": true });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", on).await;
        wants(&w, &w.standard, json!({ "send_email_on_appt_request_for_you": true })).await;
        let ask = async |name: &str| {
            let input = json!({ "provider_id": w.standard.user_id.to_string(), "reason": "Sleep",
                "first_name": name, "last_name": "Visitor", "timezone": "America/New_York",
                "email": format!("{name}@example.com") });
            let selects = "appointmentRequest { id }";
            let made = w.mutate(&w.owner, "createAppointmentRequest", selects, input).await;
            assert!(made["messages"].is_null(), "{made}");
            made["appointmentRequest"]["id"].as_str().unwrap().to_owned()
        };
        ask("vera").await;
        say(&w).await;
        assert_eq!(mailed(&w).await, ["Stan"], "the first at once");
        let gone = ask("walt").await;
        for name in ["xena", "yves"] {
            ask(name).await;
            say(&w).await;
        }
        assert_eq!(mailed(&w).await.len(), 1);
        assert_eq!(waiting(&w, "appointment_request").await.len(), 3, "held");
        let close = json!({ "id": gone, "status": "CLOSED" });
        w.mutate(&w.owner, "updateAppointmentRequest", "appointmentRequest { id }", close).await;
        an_hour_later(&w).await;
        say(&w).await;
        assert_eq!(mailed(&w).await.len(), 2, "one for all that came meanwhile");
        assert!(waiting(&w, "appointment_request").await.is_empty());
        let org = w.organization.id.0;
        let sent = w.db.write(move |tx| {
            Box::pin(async move {
                let system = Actor::system(org);
                let mut scope = Scope::new(tx, &system);
                let which = Cond::eq("kind", "new_appointment_request");
                let order = [OrderKey::column("created_at", false)];
                scope.list::<EffectRow>(which, &order).await
            })
        });
        let counts: Vec<Json> = sent
            .await
            .unwrap()
            .iter()
            .map(|row| serde_json::from_str::<Json>(&row.payload).unwrap()["count"].clone())
            .collect();
        assert_eq!(counts, [Json::Null, json!("2")]);
    })
    .await;
}
