//! Who is told of appointments, and when they are reminded.

use jiff::tz::TimeZone;
use proptest::prelude::*;
use serde_json::{Value as Json, json};
use ward_engine::moment;
use ward_instance::Timestamp;
use ward_messaging::notices::appointments::happening::Happening;
use ward_messaging::notices::appointments::rule;
use ward_scheduling::settings::layers::{Settings, resolve};
use ward_store::{Actor, Query, Sql, Value};

use crate::desk::{Desk, ahead, awake, booked, change, planned, say, told, waiting};
use crate::support::World;

/// Every switch on.
fn all_on() -> Settings {
    let mut on = resolve(&[]);
    for switch in [
        &mut on.send_reminder_four_days_before,
        &mut on.send_reminder_three_days_before,
        &mut on.send_reminder_two_days_before,
        &mut on.send_reminder_two_hours_before,
        &mut on.send_reminder_one_hour_before,
        &mut on.send_email_before_appointment,
        &mut on.send_push_before_appointment,
        &mut on.send_text_reminder_four_days_before,
        &mut on.send_text_reminder_three_days_before,
        &mut on.send_text_reminder_two_days_before,
        &mut on.send_text_reminder_one_day_before,
        &mut on.send_text_reminder_two_hours_before,
        &mut on.send_text_reminder_one_hour_before,
        &mut on.send_text_reminder_five_minutes_before,
    ] {
        *switch = true;
    }
    on
}

fn zone(name: &str) -> TimeZone {
    moment::zone(name).unwrap()
}

fn at(text: &str) -> Timestamp {
    Timestamp(text.parse::<jiff::Timestamp>().unwrap().as_microsecond())
}

#[test]
fn days_before_are_days_on_the_clients_wall() {
    // The clocks go forward on March 8 in New York: 23 hours earlier, not 24.
    let york = zone("America/New_York");
    let slots = rule::slots(at("2026-03-08T14:00:00Z"), &york, &all_on(), None);
    assert_eq!(slots["email_1_day"], at("2026-03-07T15:00:00Z"));
    assert_eq!(slots["email_2_hours"], at("2026-03-08T12:00:00Z"));
    assert_eq!(slots["sms_5_minutes"], at("2026-03-08T13:55:00Z"));
    assert!(!slots.contains_key("email_5_minutes"), "that mail is for video calls");
    let video = rule::slots(at("2026-03-08T14:00:00Z"), &york, &all_on(), Some(1));
    let others = |id| rule::slots(at("2026-03-08T14:00:00Z"), &york, &all_on(), Some(id));
    let with_mail = [video, others(2), others(3)];
    for slot in ["email_5_minutes", "push_5_minutes"] {
        let count = with_mail.iter().filter(|it| it.contains_key(slot)).count();
        assert_eq!(count, 1, "{slot}: of one way to meet only");
    }
    // 02:30 does not exist on March 8: an appointment on the 9th is announced after the gap.
    let slots = rule::slots(at("2026-03-09T06:30:00Z"), &york, &all_on(), None);
    assert_eq!(slots["email_1_day"], at("2026-03-08T07:30:00Z"));
}

#[test]
fn a_time_is_written_as_people_read_it() {
    let york = zone("America/New_York");
    let at = at("2026-03-04T14:05:00Z");
    assert_eq!(rule::long(at, &york).unwrap(), "Wednesday, March 4, 2026 at 9:05 AM EST");
    assert_eq!(rule::short(at, &york).unwrap(), "Wed, Mar 4, 9:05 AM EST");
}

proptest! {
    #[test]
    fn reminders_come_before_and_at_the_same_time_of_the_day(
        start in 0_i64..4_000_000_000,
        name in prop::sample::select(vec![
            "America/New_York", "Australia/Lord_Howe", "Europe/Paris", "Asia/Kolkata", "UTC",
            "America/Sao_Paulo", "Pacific/Apia",
        ]),
    ) {
        let (zone, start) = (zone(name), Timestamp::from_seconds(start));
        let local = |at: Timestamp| {
            zone.to_datetime(jiff::Timestamp::from_microsecond(at.0).unwrap())
        };
        let slots = rule::slots(start, &zone, &all_on(), None);
        prop_assert_eq!(slots.len(), 13);
        for (slot, due) in slots {
            prop_assert!(due < start, "{}", slot);
            let days = slot.split('_').nth(1).unwrap().parse::<i32>().unwrap();
            if slot.contains("day") {
                let apart = local(due).date().until(local(start).date()).unwrap().get_days();
                let moved = local(due).time() != local(start).time();
                // A time that the clocks leave out moves on by what they leave out.
                let is_there = zone
                    .to_ambiguous_zoned_datetime(
                        local(start).date().checked_sub(jiff::ToSpan::days(days)).unwrap()
                            .to_datetime(local(start).time()),
                    )
                    .unambiguous()
                    .is_ok();
                prop_assert!(!is_there || (apart == days && !moved), "{} {}", slot, apart);
            }
        }
    }
}

async fn switch(w: &World, input: Json) {
    let payload =
        w.mutate(&w.owner, "updateAppointmentSetting", "appointmentSetting { id }", input).await;
    assert!(payload["messages"].is_null(), "{payload}");
}

#[tokio::test]
async fn people_are_told_of_what_is_booked_moved_and_called_off() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        awake(&w, &w.as_client(&desk.client).await).await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 9, "15:00"))).await;
        assert_eq!(told(&w).await, [("booked email client".to_owned(), 1)].into());
        assert_eq!(planned(&w).await, ["email_1_day"], "what a practice has by default");
        // What nobody has to know is told to nobody.
        change(&w, &w.owner, json!({ "id": id, "notes": "by the window" })).await;
        assert_eq!(told(&w).await.len(), 1);
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 10, "15:00") })).await;
        assert_eq!(told(&w).await["changed email client"], 1);
        let quiet = json!({ "id": id, "datetime": ahead(&w, 11, "15:00"),
            "skip_notification_email": true });
        change(&w, &w.owner, quiet).await;
        assert_eq!(told(&w).await["changed email client"], 1, "the caller asked for silence");
        change(&w, &w.owner, json!({ "id": id, "pm_status": "Cancelled" })).await;
        assert_eq!(told(&w).await["cancelled email client"], 1);
        assert!(planned(&w).await.is_empty(), "nobody is reminded of what is off");
        change(&w, &w.owner, json!({ "id": id, "pm_status": "" })).await;
        assert_eq!(planned(&w).await, ["email_1_day"]);
        w.mutate(&w.owner, "deleteAppointment", "appointment { id }", json!({ "id": id })).await;
        assert!(planned(&w).await.is_empty());
        assert_eq!(told(&w).await["cancelled email client"], 2);
        // A colleague hears of what another one puts into their calendar.
        let mut with_stan = desk.at(&ahead(&w, 9, "17:00"));
        with_stan["other_party_id"] = json!(w.standard.user_id.to_string());
        awake(&w, &w.standard).await;
        booked(&w, &w.owner, with_stan).await;
        assert_eq!(told(&w).await["booked email staff"], 1);
        // And nobody of what is over.
        let before = told(&w).await;
        booked(&w, &w.owner, desk.at("2020-03-04T15:00:00Z")).await;
        assert_eq!(told(&w).await, before);
    })
    .await;
}

#[tokio::test]
async fn mails_follow_the_practices_switches_and_everybodys_choices() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let ada = w.as_client(&desk.client).await;
        awake(&w, &ada).await;
        let off = json!({ "start_time": "08:00", "end_time": "18:00", "send_booking_notice": false, "send_reminder_one_day_before": false });
        let made = w
            .mutate(
                &w.owner,
                "createAppointmentSetting",
                "appointmentSetting { id send_booking_notice }",
                off,
            )
            .await;
        assert_eq!(made["appointmentSetting"]["send_booking_notice"], false, "{made}");
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 9, "15:00"))).await;
        assert!(told(&w).await.is_empty() && planned(&w).await.is_empty());
        let choice = json!({ "send_email_on_appointment_reschedule": false });
        w.mutate(&ada, "updateNotificationSetting", "notificationSetting { id }", choice).await;
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 10, "15:00") })).await;
        assert!(told(&w).await.is_empty(), "she wants no mail of that");
        switch(&w, json!({ "send_text_reminder_two_hours_before": true })).await;
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 11, "15:00") })).await;
        assert_eq!(planned(&w).await, ["sms_2_hours"]);
    })
    .await;
}

#[tokio::test]
async fn a_reminder_is_said_once_and_never_of_what_is_off() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        awake(&w, &w.as_client(&desk.client).await).await;
        w.mutate(
            &w.owner,
            "updateClient",
            "user { id }",
            json!({ "id": desk.client, "phone_number": "212-555-0142" }),
        )
        .await;
        let made = json!({ "start_time": "08:00", "end_time": "18:00", "send_text_reminder_two_hours_before": true });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", made).await;
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 9, "15:00"))).await;
        assert_eq!(planned(&w).await, ["email_1_day", "sms_2_hours"]);
        say(&w).await;
        let reminded = [
            ("booked email client".to_owned(), 1),
            ("reminder email client".to_owned(), 1),
            ("reminder sms client".to_owned(), 1),
        ];
        assert_eq!(told(&w).await, reminded.clone().into());
        say(&w).await;
        assert_eq!(told(&w).await, reminded.clone().into(), "said is said");
        // Something that nobody planned anew: what is so is asked at the moment itself.
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 12, "15:00") })).await;
        assert_eq!(planned(&w).await, ["email_1_day", "sms_2_hours"], "another time, another word");
        let sql = "UPDATE appointments SET pm_status = 'Cancelled'";
        w.execute(Sql::fixed(sql, [])).await;
        say(&w).await;
        assert!(planned(&w).await.is_empty());
        assert_eq!(told(&w).await["reminder email client"], 1);
        let words = w.db.read().await.unwrap().rows(&Sql::fixed(
            "SELECT COUNT(*) FROM sent_notification_records WHERE notification_type = 'appointment_reminder'", [],
        )).await.unwrap().scalar().and_then(Value::int);
        assert_eq!(words, Some(2));
    })
    .await;
}

#[tokio::test]
async fn who_has_died_is_reminded_of_nothing_until_that_is_taken_back() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        awake(&w, &w.as_client(&desk.client).await).await;
        let died = async |on: &str| {
            let input = json!({ "id": desk.client, "deceased_on": on });
            let done = w.mutate(&w.owner, "updateClient", "user { id }", input).await;
            assert!(done["messages"].is_null(), "{done}");
        };
        let id = booked(&w, &w.owner, desk.at(&ahead(&w, 9, "15:00"))).await;
        assert_eq!(planned(&w).await, ["email_1_day"]);
        died("2026-01-05").await;
        let other = booked(&w, &w.owner, desk.at(&ahead(&w, 9, "17:00"))).await;
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 10, "15:00") })).await;
        say(&w).await;
        let only = [("booked email client".to_owned(), 1)];
        assert_eq!(told(&w).await, only.into(), "something was said to who has died");
        assert!(planned(&w).await.is_empty(), "what is not said is gone");
        let records = "SELECT COUNT(*) FROM sent_notification_records";
        let records = w.db.read().await.unwrap().rows(&Sql::fixed(records, [])).await.unwrap();
        assert_eq!(records.scalar().and_then(Value::int), Some(1));
        // Nothing is called off by itself.
        let query = "query($id: ID) { appointment(id: $id) { pm_status } }";
        let there = w.run(&w.owner, query, json!({ "id": other })).await;
        assert_eq!(there["appointment"]["pm_status"], Json::Null, "{there}");
        died("").await;
        change(&w, &w.owner, json!({ "id": id, "datetime": ahead(&w, 11, "15:00") })).await;
        say(&w).await;
        assert_eq!(told(&w).await["changed email client"], 1);
        assert_eq!(told(&w).await["reminder email client"], 1);
    })
    .await;
}

/// At night whatever the hour of the test, until a minute before midnight UTC.
async fn asleep(w: &World, actor: &Actor) {
    let input = json!({ "quiet_hours_start": "00:00", "quiet_hours_end": "23:59" });
    w.mutate(actor, "updateNotificationSetting", "notificationSetting { id }", input).await;
}

#[tokio::test]
async fn what_waits_for_the_morning_is_said_only_if_it_is_still_so() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        let ada = w.as_client(&desk.client).await;
        asleep(&w, &ada).await;
        let booked_at = async |time: &str| booked(&w, &w.owner, desk.at(&ahead(&w, 9, time))).await;
        let off = async |id: &str| {
            let gone = json!({ "id": id });
            w.mutate(&w.owner, "deleteAppointment", "appointment { id }", gone).await;
        };
        let kept = booked_at("15:00").await;
        let lost = booked_at("17:00").await;
        assert!(told(&w).await.is_empty(), "somebody is woken");
        change(&w, &w.owner, json!({ "id": kept, "datetime": ahead(&w, 10, "15:00") })).await;
        off(&lost).await;
        assert_eq!(waiting(&w, "appointment_mail").await, ["appointment_booked"]);
        awake(&w, &ada).await;
        say(&w).await;
        let only = told(&w).await;
        assert_eq!(only.get("booked email client"), Some(&1), "{only:?}");
        assert!(!only.contains_key("changed email client"), "{only:?}");
        assert!(!only.contains_key("cancelled email client"), "{only:?}");
        // What somebody knew and was called off at night is said.
        asleep(&w, &ada).await;
        off(&kept).await;
        assert_eq!(waiting(&w, "appointment_mail").await, ["appointment_cancelled"]);
        awake(&w, &ada).await;
        say(&w).await;
        assert_eq!(told(&w).await["cancelled email client"], 1);
    })
    .await;
}

#[tokio::test]
async fn of_reminders_that_come_too_late_one_is_said() {
    World::each(async |w| {
        let desk = Desk::of(&w).await;
        awake(&w, &w.as_client(&desk.client).await).await;
        let days = ["four_days", "three_days", "two_days"];
        let on = days.map(|it| (format!("send_reminder_{it}_before"), json!(true)));
        let mut made = json!({ "start_time": "08:00", "end_time": "18:00" });
        made.as_object_mut().unwrap().extend(on);
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", made).await;
        booked(&w, &w.owner, desk.at(&ahead(&w, 9, "15:00"))).await;
        assert_eq!(planned(&w).await.len(), 4);
        // As after a halt of days: it begins in half an hour.
        let soon = w.instance.now().plus_seconds(1_800).0;
        let sql = "UPDATE appointments SET end_at = end_at - start_at + $1, start_at = $1";
        w.execute(Sql::fixed(sql, [soon.into()])).await;
        say(&w).await;
        assert!(planned(&w).await.is_empty());
        assert_eq!(told(&w).await["reminder email client"], 1);
    })
    .await;
}

#[test]
fn of_several_happenings_one_word_is_left() {
    use Happening::{Booked, Cancelled, Changed, Left, SeatFreed};
    for (waiting, now, left) in [
        (None, Booked, Some(Booked)),
        (Some(Booked), Changed, Some(Booked)),
        (Some(Booked), Cancelled, None),
        (Some(SeatFreed), Cancelled, None),
        (Some(SeatFreed), Changed, Some(SeatFreed)),
        (Some(Cancelled), SeatFreed, Some(SeatFreed)),
        (Some(Changed), Cancelled, Some(Cancelled)),
        (Some(Cancelled), Booked, Some(Changed)),
        (Some(Cancelled), Changed, Some(Changed)),
        (None, Left, Some(Left)),
        (Some(Booked), Left, Some(Booked)),
        (Some(Changed), Left, Some(Changed)),
        (Some(Left), Changed, Some(Changed)),
        (Some(Left), Cancelled, Some(Cancelled)),
    ] {
        assert_eq!(now.after(waiting), left, "{now:?} after {waiting:?}");
    }
}
