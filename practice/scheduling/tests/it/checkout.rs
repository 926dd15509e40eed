//! Booking by oneself: clients, visitors, and nobody twice.

use std::sync::Arc;

use serde_json::{Value as Json, json};
use ward_engine::ViewId;
use ward_store::{Actor, Query, Sql, Value};

use crate::support::World;

const BOOK: &str = "mutation($input: completeCheckoutInput) { completeCheckout(input: $input) { \
    appointment { id date start end contact_type location reason add_to_gcal_link provider { id full_name } \
    user { id first_name } attendees { id } attended_clients { id } notes appointment_type { name length } } \
    appointments { id } messages { field message } } }";

/// A practice whose second provider has hours every day and a type to book.
pub struct Door {
    pub w: Arc<World>,
    pub of: String,
}

/// Days from now, at an hour of New York's winter.
pub fn ahead(w: &World, days: i64, hour: &str) -> String {
    let at = jiff::Timestamp::from_microsecond(w.instance.now().0).unwrap();
    let zone = jiff::tz::TimeZone::get("America/New_York").unwrap();
    let day = at.to_zoned_datetime(zone).date().checked_add(jiff::Span::new().days(days)).unwrap();
    format!("{day} {hour}")
}

impl Door {
    pub async fn new(w: World, more: Json) -> Self {
        for day in 0..7 {
            let input = json!({ "is_repeating": true, "day_of_week": day, "range_start": "2020-01-05",
                "time": "09 00", "end_time": "17 00", "timezone": "America/New_York",
                "user_id": w.standard.user_id.to_string() });
            let made = w.mutate(&w.owner, "createAvailability", "availability { id }", input).await;
            assert!(made["messages"].is_null(), "{made}");
        }
        let mut input = json!({ "name": "Visit", "length": 50, "clients_can_book": true,
            "contact_type_overrides": ["video_chat"] });
        input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let of = w.type_of(&w.owner, input).await;
        Self::of(w, of)
    }

    /// To a type that is there.
    pub fn of(w: World, of: String) -> Self {
        Door { w: Arc::new(w), of }
    }

    /// What a visitor called so sends.
    pub fn visit(&self, first: &str, when: &str) -> Json {
        json!({ "provider_id": self.w.standard.user_id.to_string(), "appointment_type_id": self.of,
            "date": when, "timezone": "America/New_York", "first_name": first, "last_name": "Visitor",
            "email": format!("{}@example.com", first.to_lowercase()), "phone_number": "555-0100",
            "reason": "Sleep" })
    }

    pub async fn book(&self, actor: &Actor, input: Json) -> Json {
        self.book_from("192.0.2.1", actor, input).await
    }

    pub async fn book_from(&self, address: &str, actor: &Actor, input: Json) -> Json {
        let now = self.w.instance.now();
        let answer = self
            .w
            .run_from(address, now, ViewId::V2026, actor, BOOK, json!({ "input": input }))
            .await;
        match answer.get("errors") {
            Some(errors) => errors[0].clone(),
            None => answer["data"]["completeCheckout"].clone(),
        }
    }

    pub async fn number(&self, text: &'static str) -> i64 {
        let sql = Sql::fixed(text, []);
        let rows = self.w.db.read().await.unwrap().rows(&sql).await.unwrap();
        rows.scalar().and_then(Value::int).unwrap()
    }

    /// How many appointments, clients and sign-in lines there are.
    pub async fn made(&self) -> [i64; 3] {
        [
            self.number("SELECT COUNT(*) FROM appointments").await,
            self.number("SELECT COUNT(*) FROM users WHERE is_patient = TRUE").await,
            self.number("SELECT COUNT(*) FROM logins WHERE is_patient = TRUE").await,
        ]
    }
}

pub fn refusal(payload: &Json) -> (String, String) {
    let first = &payload["messages"][0];
    assert!(payload["appointment"].is_null(), "{payload}");
    let text = |name: &str| first[name].as_str().unwrap_or_else(|| panic!("{payload}")).to_owned();
    (text("field"), text("message"))
}

#[tokio::test]
async fn a_visitor_books_and_is_a_client() {
    World::each(async |w| {
        let door = Door::new(w, json!({ "is_waitlist_enabled": false })).await;
        let nobody = Actor::anonymous();
        let when = ahead(&door.w, 3, "10:00");
        let booked = door.book(&nobody, door.visit("Vera", &when)).await;
        assert!(booked["messages"].is_null(), "{booked}");
        let shown = &booked["appointment"];
        assert_eq!(shown["contact_type"], "Healthie Video Call", "the one way that there is");
        assert_eq!(shown["provider"], json!({ "id": door.w.standard.user_id.to_string(), "full_name": "Stan Staffson" }));
        assert_eq!(shown["appointment_type"], json!({ "name": "Visit", "length": 50 }));
        assert!(shown["add_to_gcal_link"].as_str().unwrap().starts_with("https://calendar.google.com/"));
        for hidden in ["user", "notes", "reason", "location"] {
            assert!(shown[hidden].is_null(), "{hidden}: {shown}");
        }
        assert_eq!((shown["attendees"].clone(), shown["attended_clients"].clone()), (json!([]), json!([])));
        assert_eq!(booked["appointments"], json!([{ "id": shown["id"] }]));
        // It is there for the practice, and for nobody who merely knows its number.
        let query = "query($id: ID) { appointment(id: $id) { reason user { first_name email phone_number timezone } } }";
        let kept = door.w.run(&door.w.standard, query, json!({ "id": shown["id"] })).await;
        assert_eq!(kept["appointment"], json!({ "reason": "Sleep", "user": { "first_name": "Vera",
            "email": "vera@example.com", "phone_number": "555-0100", "timezone": "America/New_York" } }));
        let public = "query($id: ID) { appointment(id: $id) { id } }";
        let gone = door.w.run_in(ViewId::V2026, &nobody, public, json!({ "id": shown["id"] })).await;
        assert!(gone["data"]["appointment"].is_null(), "{gone}");
        let events = door.w.events_like("a%").await;
        assert!(events.iter().any(|it| it.starts_with("appointment.created")), "{events:?}");
        assert!(events.iter().any(|it| it.starts_with("appointment.patient_added")), "{events:?}");
        assert_eq!(door.number("SELECT COUNT(*) FROM events WHERE event_type = 'patient.created'").await, 1);
        assert_eq!(door.number("SELECT COUNT(*) FROM effect_intents WHERE kind = 'welcome'").await, 1);
        // The same person again is the same client, welcomed once.
        let again = door.book(&nobody, door.visit("vera", &ahead(&door.w, 4, "10:00"))).await;
        assert!(again["messages"].is_null(), "{again}");
        assert_eq!(door.made().await, [2, 1, 1]);
        assert_eq!(door.number("SELECT COUNT(*) FROM effect_intents WHERE kind = 'welcome'").await, 1);
    })
    .await;
}

#[tokio::test]
async fn whether_somebody_is_a_client_already_is_not_told() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let stan = door.w.standard.user_id;
        let nobody = Actor::anonymous();
        let mut ids = Vec::new();
        for (name, active, provider) in [("Ada", true, stan), ("Bea", false, stan), ("Cleo", true, door.w.owner.user_id)] {
            let input = json!({ "first_name": name, "last_name": "Visitor", "dont_send_welcome": true,
                "email": format!("{}@example.com", name.to_lowercase()), "dietitian_id": provider.to_string() });
            let made = door.w.mutate(&door.w.owner, "createClient", "user { id }", input).await;
            let id = made["user"]["id"].clone();
            let input = json!({ "id": id, "active": active });
            door.w.mutate(&door.w.owner, "updateClient", "user { id }", input).await;
            ids.push(id.as_str().unwrap().parse::<i64>().unwrap());
        }
        let [appointments, clients, _] = door.made().await;
        let mut shapes = Vec::new();
        for (n, name) in ["Ada", "Bea", "Cleo", "Dora"].iter().enumerate() {
            let when = ahead(&door.w, 3 + n as i64, "10:00");
            let mut booked = door.book(&nobody, door.visit(name, &when)).await;
            for changing in ["id", "date", "start", "end", "add_to_gcal_link"] {
                booked["appointment"][changing] = json!("");
            }
            booked["appointments"] = json!([]);
            shapes.push(booked);
        }
        assert!(shapes.iter().all(|it| *it == shapes[0] && it["messages"].is_null()), "{shapes:?}");
        // Another provider's client is not this one's: the practice has two, and can merge them.
        assert_eq!(door.made().await[..2], [appointments + 4, clients + 2]);
        for id in &ids[..2] {
            let mut sql = Sql::new();
            sql.push("SELECT COUNT(*) FROM appointments a JOIN users u ON u.org_id = a.org_id AND u.id = a.user_id \
                WHERE u.active = TRUE AND u.archived_at IS NULL AND a.user_id = ").bind(*id);
            let found = door.w.db.read().await.unwrap().rows(&sql).await.unwrap();
            assert_eq!(found.scalar().and_then(Value::int), Some(1), "archived or not: {id}");
        }
        let mut sql = Sql::new();
        sql.push("SELECT COUNT(*) FROM appointments WHERE user_id = ").bind(ids[2]);
        let found = door.w.db.read().await.unwrap().rows(&sql).await.unwrap();
        assert_eq!(found.scalar().and_then(Value::int), Some(0));
        assert_eq!(door.number("SELECT COUNT(*) FROM events WHERE event_type = 'patient.updated' \
            AND changed_fields LIKE '%archived_at%'").await, 2, "archived, and no longer");
    })
    .await;
}

#[tokio::test]
async fn clients_book_for_themselves_by_their_rules() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let client = door.w.client("Ada", "ada@example.com").await;
        let ada = door.w.as_client(&client).await;
        let when = ahead(&door.w, 3, "10:00");
        let input = json!({ "provider_id": door.w.standard.user_id.to_string(),
            "appointment_type_id": door.of, "date": when, "timezone": "America/New_York" });
        let refused = refusal(&door.book(&ada, input.clone()).await);
        assert_eq!(refused.0, "provider_id", "whom they do not know");
        let team = json!({ "id": client, "other_provider_ids": [door.w.standard.user_id.to_string()] });
        door.w.mutate(&door.w.owner, "updateClient", "user { id }", team).await;
        let booked = door.book(&ada, input.clone()).await;
        assert!(booked["messages"].is_null(), "{booked}");
        assert_eq!(booked["appointment"]["user"]["id"], json!(client));
        // A slot that was just taken, and one that nobody lists.
        let taken = ("date".to_owned(), "That time is not available. Choose another one.".to_owned());
        let before = door.made().await;
        for hour in ["10:00", "10:30", "09:20", "10:51", "08:00", "16:30"] {
            let mut input = input.clone();
            input["date"] = json!(ahead(&door.w, 3, hour));
            assert_eq!(refusal(&door.book(&ada, input.clone()).await), taken, "{hour}");
            let mut visit = door.visit(&format!("V{}", &hour[..2]), &ahead(&door.w, 3, hour));
            visit["last_name"] = json!(hour);
            assert_eq!(refusal(&door.book_from(&format!("192.0.2.{}", &hour[3..]), &Actor::anonymous(), visit).await), taken);
        }
        for days in [-3, 4_000] {
            let mut input = input.clone();
            input["date"] = json!(ahead(&door.w, days, "10:00"));
            assert_eq!(refusal(&door.book(&ada, input).await), taken, "{days}");
        }
        // Members have their own way.
        let refused = door.book(&door.w.owner, input.clone()).await;
        assert_eq!(refusal(&refused).1, "Members book with createAppointment");
        assert_eq!(door.made().await, before);
        // Nothing is listed for whom scheduling is switched off, nor booked.
        let slots = format!(
            "{{ nextAvailableSlot(provider_id: \"{}\", appt_type_id: \"{}\") }}",
            door.w.standard.user_id, door.of
        );
        assert!(door.w.run(&ada, &slots, json!({})).await["nextAvailableSlot"].is_string());
        let toggle = json!({ "user_id": client, "can_schedule_appointments": false });
        let made =
            door.w.mutate(&door.w.owner, "createFeatureToggle", "feature_toggle { id }", toggle).await;
        assert!(door.w.run(&ada, &slots, json!({})).await["nextAvailableSlot"].is_null());
        let mut off = input.clone();
        off["date"] = json!(ahead(&door.w, 5, "10:00"));
        let refused = refusal(&door.book(&ada, off).await);
        assert_eq!(refused.1, "Scheduling is switched off for you");
        let back = json!({ "id": made["feature_toggle"]["id"], "can_schedule_appointments": true });
        door.w.mutate(&door.w.owner, "updateFeatureToggle", "feature_toggle { id }", back).await;
        assert!(door.w.run(&ada, &slots, json!({})).await["nextAvailableSlot"].is_string());
        let hours = json!({ "user_id": door.w.standard.user_id.to_string(), "start_time": "08:00", "end_time": "18:00",
            "prevent_client_booking": true });
        door.w.mutate(&door.w.owner, "createAppointmentSetting", "appointmentSetting { id }", hours).await;
        let mut later = input;
        later["date"] = json!(ahead(&door.w, 5, "10:00"));
        assert_eq!(refusal(&door.book(&ada, later).await), taken, "by the settings of this moment");
    })
    .await;
}

#[tokio::test]
async fn what_can_not_be_gets_a_sentence_and_leaves_nothing() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let w = &door.w;
        let nobody = Actor::anonymous();
        let gone = w
            .type_of(&w.owner, json!({ "name": "Gone", "length": 50, "clients_can_book": true }))
            .await;
        let input = json!({ "id": gone });
        w.mutate(&w.owner, "deleteAppointmentType", "appointmentType { id }", input).await;
        let shut = w.type_of(&w.owner, json!({ "name": "Shut", "length": 50 })).await;
        let licensed = w
            .type_of(
                &w.owner,
                json!({ "name": "Licensed", "length": 50, "clients_can_book": true,
            "require_in_state_clients": true, "contact_type_overrides": ["video_chat"] }),
            )
            .await;
        let any = w
            .type_of(&w.owner, json!({ "name": "Any", "length": 50, "clients_can_book": true }))
            .await;
        let when = ahead(w, 3, "10:00");
        let with = |more: Json| {
            let mut input = door.visit("Vera", &when);
            input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            input
        };
        let before = door.made().await;
        let foreign = w.stranger.user_id.to_string();
        let bad = [
            (
                json!({ "first_name": " ", "email": "nowhere" }),
                "first_name",
                "First name can't be blank",
            ),
            (json!({ "email": "nowhere" }), "email", "Email is invalid"),
            (json!({ "email": null }), "email", "Email can't be blank"),
            (
                json!({ "timezone": "Nowhere/At_All" }),
                "timezone",
                "Timezone is not a known time zone such as America/New_York",
            ),
            (
                json!({ "date": "2027-02-31" }),
                "date",
                "Date must be a moment such as 2026-03-04T09:30:00Z",
            ),
            (
                json!({ "date": "9999-12-30T10:00:00Z" }),
                "date",
                "That time is not available. Choose another one.",
            ),
            (
                json!({ "date": "0001-01-01T10:00:00Z" }),
                "date",
                "That time is not available. Choose another one.",
            ),
            (json!({ "date": null }), "date", "Date can't be blank"),
            (json!({ "provider_id": null }), "provider_id", "Provider can't be blank"),
            (json!({ "appointment_type_id": gone }), "appointment_type_id", "Object not found"),
            (json!({ "appointment_type_id": shut }), "appointment_type_id", "Object not found"),
            (json!({ "provider_id": foreign }), "provider_id", "Object not found"),
            (
                json!({ "appointment_type_id": licensed }),
                "location",
                "Location must be the state in which you are",
            ),
            (
                json!({ "appointment_type_id": licensed, "location": "NJ" }),
                "date",
                "That time is not available. Choose another one.",
            ),
            (json!({ "appointment_type_id": any }), "contact_type", "Contact type can't be blank"),
            (
                json!({ "contact_type": "Telepathy" }),
                "contact_type",
                "Contact type must be one of Healthie Video Call, In Person, Phone Call",
            ),
            (json!({ "contact_type": "Phone Call" }), "contact_type", "Phone Call is not offered"),
            (
                json!({ "appointment_location_id": foreign }),
                "appointment_location_id",
                "Object not found",
            ),
        ];
        for (n, (more, field, sentence)) in bad.into_iter().enumerate() {
            let mut input = with(more.clone());
            // Each attempt is somebody else's.
            if input["email"] == "vera@example.com" {
                input["email"] = json!(format!("v{n}@example.com"));
            }
            let payload = door.book_from(&format!("198.51.100.{n}"), &nobody, input).await;
            assert_eq!(refusal(&payload), (field.to_owned(), sentence.to_owned()), "{more}");
        }
        assert_eq!(door.made().await, before);
        assert_eq!(door.number("SELECT COUNT(*) FROM effect_intents").await, 0);
        assert_eq!(door.number("SELECT COUNT(*) FROM calendar_entries").await, 0);
    })
    .await;
}

#[tokio::test]
async fn attempts_are_counted_and_come_back() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let nobody = Actor::anonymous();
        let gone = ahead(&door.w, -1, "10:00");
        let is_refused = |answer: &Json| answer["extensions"]["code"] == "TOO_MANY_REQUESTS";
        let mut refused = Vec::new();
        for _ in 0..7 {
            let answer = door.book_from("203.0.113.1", &nobody, door.visit("Vera", &gone)).await;
            refused.push(is_refused(&answer));
        }
        assert_eq!(refused, [false, false, false, false, false, true, true]);
        // From elsewhere whoever it is can go on.
        let answer = door.book_from("203.0.113.2", &nobody, door.visit("Vera", &gone)).await;
        assert_eq!(refusal(&answer).0, "date");
        // Other people from one network.
        let from_one = async |n: u8| {
            let name = format!("V{}", char::from(b'a' + n % 26)).repeat(1 + usize::from(n / 26));
            is_refused(&door.book_from("203.0.113.99", &nobody, door.visit(&name, &gone)).await)
        };
        let mut refused = 0;
        for n in 0..40 {
            refused += usize::from(from_one(n).await);
            if n == 0 {
                // However long the test takes, nothing comes back meanwhile.
                let later = "UPDATE sign_in_attempts SET last_at = last_at + 3600000000";
                door.w.execute(Sql::fixed(later, [])).await;
            }
        }
        assert_eq!(refused, 10);
        // Nobody waits for ever: an hour later all of it is back.
        let hour = "UPDATE sign_in_attempts SET last_at = last_at - 7200000000";
        door.w.execute(Sql::fixed(hour, [])).await;
        assert!(!from_one(41).await);
        let answer = door.book_from("203.0.113.1", &nobody, door.visit("Vera", &gone)).await;
        assert_eq!(refusal(&answer).0, "date");
        assert_eq!(door.made().await, [0, 0, 0]);
    })
    .await;
}

#[tokio::test]
async fn a_booking_page_has_its_steps() {
    World::each(async |w| {
        let door = Door::new(w, json!({})).await;
        let steps = async |text: &str| {
            let query = "query($at: String) { embedWidgetSteps(locationString: $at) { id title } }";
            let answer = door
                .w
                .run_in(ViewId::V2026, &Actor::anonymous(), query, json!({ "at": text }))
                .await;
            let steps = answer["data"]["embedWidgetSteps"].as_array().unwrap().clone();
            steps.iter().map(|step| step["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        let provider = door.w.standard.user_id;
        let all = ["select_appt_type", "select_date_time", "your_information"];
        for text in [
            String::new(),
            format!("?dietitian_id={provider}"),
            format!("?appt_type_id={provider}"),
            "?appt_type_id=x&&=%".to_owned(),
        ] {
            assert_eq!(steps(&text).await, all, "{text}");
        }
        let named = format!("?dietitian_id={provider}&appt_type_id={}", door.of);
        assert_eq!(steps(&named).await, all[1..]);
    })
    .await;
}
