//! Many who book by themselves at once, and every start that there is.

use std::sync::Arc;

use serde_json::json;
use ward_store::{Actor, Sql};

use crate::calendars::{Booked, at};
use crate::checkout::{Door, ahead, refusal};
use crate::support::World;

#[tokio::test(flavor = "multi_thread")]
async fn of_32_visitors_who_want_one_hour_one_gets_it() {
    World::each(async |w| {
        let door = Arc::new(Door::new(w, json!({})).await);
        let mut tasks = Vec::new();
        for n in 0..32 {
            let door = Arc::clone(&door);
            tasks.push(tokio::spawn(async move {
                // At quarters of one hour: of 50 minutes, all of them overlap.
                let when = ahead(&door.w, 3, ["10:00", "10:15", "10:30", "10:45"][n % 4]);
                let name = format!("V{n}");
                door.book_from(
                    &format!("192.0.2.{n}"),
                    &Actor::anonymous(),
                    door.visit(&name, &when),
                )
                .await
            }));
        }
        let mut won = 0;
        for task in tasks {
            let payload = task.await.unwrap();
            match payload["messages"].is_null() && payload["appointment"].is_object() {
                true => won += 1,
                false => assert_eq!(refusal(&payload).0, "date"),
            }
        }
        assert_eq!(won, 1);
        assert_eq!(door.made().await, [1, 1, 1], "one appointment, and one new client");
        assert_eq!(door.number("SELECT COUNT(*) FROM calendar_entries").await, 1);
        // The mails of the booking, to the client and the provider, go now or wait for the morning.
        for (sql, count) in [
            ("SELECT COUNT(*) FROM effect_intents WHERE kind = 'welcome'", 1),
            (
                "SELECT (SELECT COUNT(*) FROM effect_intents WHERE kind = 'appointment_booked') \
                 + (SELECT COUNT(*) FROM reminders WHERE kind = 'appointment_mail')",
                2,
            ),
        ] {
            assert_eq!(door.number(sql).await, count, "{sql}");
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_want_the_last_seats_no_more_come_than_there_are() {
    World::each(async |w| {
        let door = Arc::new(Door::new(w, json!({ "name": "Circle", "is_group": true })).await);
        let start = at("2027-03-01T15:00:00Z");
        let start =
            ward_instance::Timestamp(start.0.max(door.w.instance.now().plus_seconds(86_400).0));
        let id = door
            .w
            .booked(Booked {
                provider: door.w.standard.user_id,
                start,
                minutes: 50,
                group: Some((door.of.parse().unwrap(), 3)),
                clients: Vec::new(),
            })
            .await;
        let mut tasks = Vec::new();
        for n in 0..16 {
            let door = Arc::clone(&door);
            tasks.push(tokio::spawn(async move {
                let name = format!("G{n}");
                let mut input = door.visit(&name, "");
                for gone in ["date", "appointment_type_id", "provider_id"] {
                    input.as_object_mut().unwrap().remove(gone);
                }
                input["appointment_id"] = json!(id.to_string());
                door.book_from(&format!("192.0.2.{n}"), &Actor::anonymous(), input).await
            }));
        }
        let mut won = 0;
        for task in tasks {
            let payload = task.await.unwrap();
            match payload["messages"].is_null() {
                true => {
                    assert_eq!(payload["appointment"]["id"], id.to_string(), "{payload}");
                    won += 1;
                }
                false => assert_eq!(
                    refusal(&payload),
                    (
                        "appointment_id".to_owned(),
                        "There is no seat left in this appointment".to_owned()
                    )
                ),
            }
        }
        assert_eq!(won, 3);
        assert_eq!(
            door.number("SELECT COUNT(*) FROM appointment_inclusions WHERE cancelled = FALSE")
                .await,
            3
        );
        assert_eq!(door.made().await, [1, 3, 3]);
        // Who comes already comes once, and what is no group is not joined.
        let client = door.number("SELECT MIN(user_id) FROM appointment_inclusions").await;
        let ada = door.w.as_client(&client.to_string()).await;
        let input = json!({ "appointment_ids": [id.to_string()] });
        let again = door.book(&ada, input).await;
        assert!(again["messages"].is_null(), "{again}");
        let own = door.w.busy(door.w.owner.user_id, "2027-03-01T12:00:00Z", 30).await;
        for foreign in [own, id + 1_000] {
            let refused = door.book(&ada, json!({ "appointment_id": foreign.to_string() })).await;
            assert_eq!(
                refusal(&refused),
                ("appointment_id".to_owned(), "Object not found".to_owned())
            );
        }
        assert_eq!(door.number("SELECT COUNT(*) FROM appointment_inclusions").await, 3);
    })
    .await;
}

#[tokio::test]
async fn every_listed_start_can_be_booked_and_no_other() {
    World::each(async |w| {
        let door = Door::new(w, json!({ "length": 45 })).await;
        let w = &door.w;
        let stan = w.standard.user_id;
        let hours = json!({ "start_time": "08:00", "end_time": "18:00", "buffer": "10",
            "base_calendar_interval": "FIVE_MINUTES", "minimum_advance_schedule_time": 3_000 });
        w.mutate(&w.owner, "createAppointmentSetting", "appointmentSetting { id }", hours).await;
        for (days, hour, minutes) in [(2, "11:07", 20), (3, "13:30", 61), (3, "09:00", 15)] {
            let text = ahead(w, days, hour);
            let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
            let start = ward_engine::moment::instant(&text, &zone).unwrap();
            w.booked(Booked { provider: stan, start, minutes, group: None, clients: Vec::new() }).await;
        }
        let client = w.client("Ada", "ada@example.com").await;
        let team = json!({ "id": client, "other_provider_ids": [stan.to_string()] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        let ada = w.as_client(&client).await;
        let (from, to) = (ahead(w, 2, ""), ahead(w, 3, ""));
        let query = format!("{{ availableSlotsForRange(provider_id: \"{stan}\", appt_type_id: \"{}\", \
            timezone: \"America/New_York\", start_date: \"{}\", end_date: \"{}\") {{ date }} }}",
            door.of, from.trim(), to.trim());
        let list = w.run(&ada, &query, json!({})).await;
        let listed: Vec<i64> = list["availableSlotsForRange"].as_array().unwrap().iter().map(|slot| {
            slot["date"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_microsecond()
        }).collect();
        assert!(listed.len() > 20, "{list}");
        // Every fifth minute of both days, and some that are on no grid.
        let mut booked = 0;
        for minute in (0..240).map(|n| 480 + n / 120 * 1_440 + n % 120 * 5).chain([613, 2_041]) {
            let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
            let midnight = ward_engine::moment::instant(from.trim(), &zone).unwrap();
            let start = midnight.plus_seconds(minute * 60);
            let date = jiff::Timestamp::from_microsecond(start.0).unwrap().to_string();
            let input = json!({ "provider_id": stan.to_string(), "appointment_type_id": door.of, "date": date });
            let payload = door.book(&ada, input).await;
            assert_eq!(payload["messages"].is_null(), listed.contains(&start.0), "{date}: {payload}");
            if payload["messages"].is_null() {
                booked += 1;
                // As it was, for the next one.
                w.execute(Sql::fixed("DELETE FROM sign_in_attempts", [])).await;
                for table in ["calendar_entries", "appointment_inclusions", "appointments"] {
                    let mut sql = Sql::new();
                    sql.push("DELETE FROM ").push(table).push(" WHERE ");
                    sql.push(if table == "appointments" { "id" } else { "appointment_id" }).push(" = ");
                    sql.bind(payload["appointment"]["id"].as_str().unwrap().parse::<i64>().unwrap());
                    w.execute(sql).await;
                }
            }
        }
        assert_eq!(booked, listed.len());
    })
    .await;
}
