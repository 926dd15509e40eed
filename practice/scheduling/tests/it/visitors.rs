//! What visitors can't do by booking: fill calendars and mailboxes, lock others out.

use serde_json::{Value as Json, json};
use ward_store::{Actor, Sql};

use crate::calendars::Booked;
use crate::checkout::{Door, ahead, refusal};
use crate::support::World;

/// Counters that begin to come back only in an hour.
const LATER: &str = "UPDATE sign_in_attempts SET last_at = last_at + 3600000000";
const WELCOMES: &str = "SELECT COUNT(*) FROM effect_intents WHERE kind = 'welcome'";

/// A group with seats; its id.
async fn group(w: &World, door: &Door, provider: i64, days: i64) -> i64 {
    let start = w.instance.now().plus_seconds(days * 86_400);
    let group = Some((door.of.parse().unwrap(), 3));
    w.booked(Booked { provider, start, minutes: 50, group, clients: Vec::new() }).await
}

fn joining(door: &Door, first: &str, ids: &[i64]) -> Json {
    let mut input = door.visit(first, "");
    for gone in ["date", "appointment_type_id", "provider_id"] {
        input.as_object_mut().unwrap().remove(gone);
    }
    input["appointment_ids"] = json!(ids.iter().map(i64::to_string).collect::<Vec<_>>());
    input
}

#[tokio::test]
async fn one_call_makes_one_client_and_one_mail() {
    World::each(async |w| {
        let door = Door::new(w, json!({ "is_group": true })).await;
        let w = &door.w;
        let (stan, owner) = (w.standard.user_id, w.owner.user_id);
        let ours = [group(w, &door, stan, 20).await, group(w, &door, stan, 21).await];
        let other = group(w, &door, owner, 22).await;
        let nobody = Actor::anonymous();
        let both = door.book(&nobody, joining(&door, "Vera", &[ours[0], other])).await;
        let one = (
            "appointment_ids".to_owned(),
            "Appointments of one provider can be joined at once".to_owned(),
        );
        assert_eq!(refusal(&both), one);
        assert_eq!(door.made().await, [3, 0, 0]);
        let joined = door.book(&nobody, joining(&door, "Vera", &ours)).await;
        assert!(joined["messages"].is_null(), "{joined}");
        assert_eq!(door.made().await, [3, 1, 1]);
        assert_eq!(door.number("SELECT COUNT(*) FROM appointment_inclusions").await, 2);
        // Others of the same address are others, and it has had its mail for today.
        for name in ["Wera", "Xera"] {
            let mut input = joining(&door, name, &ours[..1]);
            input["email"] = json!("vera@example.com");
            let joined = door.book(&nobody, input).await;
            assert!(joined["messages"].is_null(), "{joined}");
        }
        assert_eq!(door.made().await, [3, 3, 3]);
        assert_eq!(door.number(WELCOMES).await, 1);
        // A day later it gets another.
        w.execute(Sql::fixed("UPDATE sign_in_attempts SET last_at = last_at - 86400000000", []))
            .await;
        let mut input = joining(&door, "Yera", &ours[1..]);
        input["email"] = json!("vera@example.com");
        assert!(door.book(&nobody, input).await["messages"].is_null());
        assert_eq!(door.number(WELCOMES).await, 2);
    })
    .await;
}

#[tokio::test]
async fn who_attends_already_goes_on_attending() {
    World::each(async |w| {
        let door = Door::new(w, json!({ "is_group": true })).await;
        let w = &door.w;
        let stan = w.standard.user_id;
        let client = w.client("Ada", "ada@example.com").await;
        let start = w.instance.now().plus_seconds(20 * 86_400);
        let group = Some((door.of.parse().unwrap(), 1));
        let clients = vec![client.parse().unwrap()];
        let id = w.booked(Booked { provider: stan, start, minutes: 50, group, clients }).await;
        let ada = w.as_client(&client).await;
        let again = door.book(&ada, json!({ "appointment_ids": [id.to_string()] })).await;
        assert!(again["messages"].is_null(), "{again}");
        assert_eq!(again["appointment"]["id"], id.to_string());
        assert_eq!(door.number("SELECT COUNT(*) FROM appointment_inclusions").await, 1);
        let full = door.book(&Actor::anonymous(), joining(&door, "Vera", &[id])).await;
        assert_eq!(refusal(&full).1, "There is no seat left in this appointment");
    })
    .await;
}

#[tokio::test]
async fn a_visitor_is_never_a_client_who_has_died() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let nobody = Actor::anonymous();
        let book = async |when: &str| {
            let booked = door.book(&nobody, door.visit("Vera", &ahead(&door.w, 3, when))).await;
            assert!(booked["messages"].is_null(), "{booked}");
        };
        book("10:00").await;
        assert_eq!(door.made().await, [1, 1, 1]);
        let sql = "UPDATE users SET deceased_on = '2026-01-05' WHERE is_patient = TRUE";
        door.w.execute(Sql::fixed(sql, [])).await;
        // Her daughter has her name and reads her mail.
        book("12:00").await;
        assert_eq!(door.made().await, [2, 2, 2]);
        book("14:00").await;
        assert_eq!(door.made().await, [3, 2, 2], "the one who lives is known");
    })
    .await;
}

#[tokio::test]
async fn names_lead_nowhere() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let when = ahead(&door.w, 3, "10:00");
        for (field, label, text) in [
            ("first_name", "First name", "Vera see https://example.com"),
            ("last_name", "Last name", "WWW.example.com"),
            ("legal_name", "Legal name", "Vera\nYour account is locked"),
        ] {
            let mut input = door.visit("Vera", &when);
            input[field] = json!(text);
            let refused = refusal(&door.book(&Actor::anonymous(), input).await);
            let sentence = format!("{label} can't contain links or line breaks");
            assert_eq!(refused, (field.to_owned(), sentence));
        }
        assert_eq!(door.made().await, [0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn nobody_fills_a_calendar() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let w = &door.w;
        let nobody = Actor::anonymous();
        for days in 3..6 {
            let payload = door.book(&nobody, door.visit("Vera", &ahead(w, days, "10:00"))).await;
            assert!(payload["messages"].is_null(), "{payload}");
            // However long the test takes, nothing comes back meanwhile.
            w.execute(Sql::fixed(LATER, [])).await;
        }
        let fourth = door.book(&nobody, door.visit("Vera", &ahead(w, 6, "10:00"))).await;
        let sentence = "No more than 3 appointments to come can be booked by oneself";
        assert_eq!(refusal(&fourth), ("base".to_owned(), sentence.to_owned()));
        // Of different people with one provider, too.
        let more = |n: i64| (format!("Vera{}", (b'a' + n as u8) as char), ahead(w, 7 + n, "10:00"));
        for n in 0..17 {
            let (name, when) = more(n);
            let from = format!("198.51.100.{n}");
            let payload = door.book_from(&from, &nobody, door.visit(&name, &when)).await;
            assert!(payload["messages"].is_null(), "{n}: {payload}");
        }
        let (name, when) = more(17);
        let refused = door.book_from("198.51.100.99", &nobody, door.visit(&name, &when)).await;
        let sentence = "Too much was booked within the last hour. Try again later.";
        assert_eq!(refusal(&refused), ("base".to_owned(), sentence.to_owned()));
        assert_eq!(door.made().await, [20, 18, 18]);
        // Clients are refused for none of it, and have a bound of their own.
        let client = w.client("Ada", "ada@example.com").await;
        let team = json!({ "id": client, "other_provider_ids": [w.standard.user_id.to_string()] });
        w.mutate(&w.owner, "updateClient", "user { id }", team).await;
        let ada = w.as_client(&client).await;
        for days in 3..14 {
            let input = json!({ "provider_id": w.standard.user_id.to_string(),
                "appointment_type_id": door.of, "date": ahead(w, days, "13:00"), "timezone": "America/New_York" });
            let payload = door.book(&ada, input).await;
            match days {
                13 => assert_eq!(refusal(&payload).1, "No more than 10 appointments to come can be booked by oneself"),
                _ => assert!(payload["messages"].is_null(), "{payload}"),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn one_network_leaves_something_to_the_others() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let w = &door.w;
        let nobody = Actor::anonymous();
        let book = async |n: i64, from: &str| {
            let name = format!("Vera{}", (b'a' + u8::try_from(n).unwrap()) as char);
            let payload =
                door.book_from(from, &nobody, door.visit(&name, &ahead(w, 3 + n, "10:00")));
            let payload = payload.await;
            w.execute(Sql::fixed(LATER, [])).await;
            payload
        };
        for n in 0..10 {
            // Of a network, whichever of its addresses.
            let payload = book(n, &format!("2001:db8::{n}")).await;
            assert!(payload["messages"].is_null(), "{n}: {payload}");
        }
        let refused = book(10, "2001:db8::99").await;
        let sentence = "Too much was booked within the last hour. Try again later.";
        assert_eq!(refusal(&refused), ("base".to_owned(), sentence.to_owned()));
        assert_eq!(door.made().await, [10, 10, 10]);
        for n in 10..20 {
            let payload = book(n, &format!("198.51.100.{n}")).await;
            assert!(payload["messages"].is_null(), "{n}: {payload}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_practice_that_is_shut_takes_nobody() {
    World::each(async |w| {
        let branch = w.branch().await;
        let root = w.organization.id.0;
        let of = w.type_of(&branch, json!({ "name": "Visit", "length": 50, "clients_can_book": true,
            "contact_type_overrides": ["video_chat"] })).await;
        for day in 0..7 {
            let input = json!({ "is_repeating": true, "day_of_week": day, "range_start": "2020-01-05",
                "time": "09 00", "end_time": "17 00", "timezone": "America/New_York" });
            w.mutate(&branch, "createAvailability", "availability { id }", input).await;
        }
        let door = Door::of(w, of);
        let mut input = door.visit("Vera", &ahead(&door.w, 3, "10:00"));
        input["provider_id"] = json!(branch.user_id.to_string());
        for is_open in [false, true] {
            let mut sql = Sql::new();
            sql.push("UPDATE organizations SET is_active = ").bind(is_open).push(" WHERE id = ").bind(root);
            door.w.execute(sql).await;
            let payload = door.book(&Actor::anonymous(), input.clone()).await;
            assert_eq!(payload["messages"].is_null(), is_open, "{payload}");
        }
    })
    .await;
}

#[tokio::test]
async fn one_request_asks_for_so_much_and_no_more() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let w = &door.w;
        let slots = |many: usize| {
            let one = |n: usize| {
                format!(
                    "a{n}: daysAvailableForRange(provider_id: \"{}\", appt_type_id: \"{}\", \
                    start_date: \"2027-03-01\", end_date: \"2027-04-30\") ",
                    w.standard.user_id, door.of
                )
            };
            format!("{{ {} }}", (0..many).map(one).collect::<String>())
        };
        let refused = async |actor: &Actor, many: usize| {
            let view = ward_engine::ViewId::V2026;
            let answer = w.run_in(view, actor, &slots(many), json!({})).await;
            let days = answer["data"].as_object().unwrap();
            days.values().filter(|days| !days.is_array()).count()
        };
        let nobody = Actor::anonymous();
        assert_eq!(refused(&nobody, 10).await, 0, "as many as a page needs");
        // Each costs more than two thousand: of 150,000 there are no more than 75.
        assert!(refused(&nobody, 150).await >= 75);
        assert_eq!(refused(&w.owner, 150).await, 0);
    })
    .await;
}
