//! What tests of notices of appointments share.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use ward_messaging::notices;
use ward_messaging::notices::appointments::{REMINDER, WAITING};
use ward_messaging::notices::reminders::ReminderKind;
use ward_store::{Actor, Query, Sql};

use crate::support::World;

const KINDS: &[ReminderKind] = &[notices::ASKED, REMINDER, WAITING];

/// A practice with a client and a type of 50 minutes.
pub struct Desk {
    pub client: String,
    pub of: String,
}

impl Desk {
    pub async fn of(w: &World) -> Self {
        let client = w.client("Ada", "ada@example.com").await;
        let of = json!({ "name": "First visit", "length": 50 });
        let made = w.mutate(&w.owner, "createAppointmentType", "appointmentType { id }", of).await;
        let of = made["appointmentType"]["id"].as_str().unwrap().to_owned();
        Desk { client, of }
    }

    /// An appointment at a moment, by video.
    pub fn at(&self, datetime: &str) -> Json {
        json!({ "user_id": self.client, "appointment_type_id": self.of,
            "contact_type": "Healthie Video Call", "datetime": datetime })
    }
}

/// Books; the id.
pub async fn booked(w: &World, actor: &Actor, input: Json) -> String {
    let made = w.mutate(actor, "createAppointment", "appointment { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
    made["appointment"]["id"].as_str().unwrap().to_owned()
}

pub async fn change(w: &World, actor: &Actor, input: Json) {
    let made = w.mutate(actor, "updateAppointment", "appointment { id }", input).await;
    assert!(made["messages"].is_null(), "{made}");
}

/// A moment so many days from now, at this UTC time of day.
pub fn ahead(w: &World, days: i64, time: &str) -> String {
    let at = jiff::Timestamp::from_microsecond(w.instance.now().0).unwrap();
    let day = at.to_zoned_datetime(TimeZone::UTC).date();
    let day = day.checked_add(jiff::ToSpan::days(days)).unwrap();
    format!("{:04}-{:02}-{:02}T{time}:00Z", day.year(), day.month(), day.day())
}

/// Kind, class and addressee of the domain's mails and SMS so far, in order.
pub async fn told(w: &World) -> BTreeMap<String, usize> {
    let sql = Sql::fixed(
        "SELECT kind, class, subject_id FROM effect_intents WHERE kind LIKE 'appointment%'",
        [],
    );
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    let mut told = BTreeMap::new();
    for row in rows.iter() {
        let whom = if row[2].int().is_some() { "client" } else { "staff" };
        let kind = row[0].text().unwrap().trim_start_matches("appointment_").to_owned();
        *told.entry(format!("{kind} {} {whom}", row[1].text().unwrap())).or_default() += 1;
    }
    told
}

pub async fn planned(w: &World) -> Vec<String> {
    waiting(w, "appointment").await
}

/// Slots of a kind of reminder.
pub async fn waiting(w: &World, kind: &str) -> Vec<String> {
    let sql = Sql::fixed("SELECT slot FROM reminders WHERE kind = $1 ORDER BY 1", [kind.into()]);
    let rows = w.db.read().await.unwrap().rows(&sql).await.unwrap();
    rows.iter().map(|row| row[0].text().unwrap().to_owned()).collect()
}

/// Says all that is planned, as if it were time.
pub async fn say(w: &World) {
    for sql in [
        "UPDATE reminders SET due_at = created_at",
        "UPDATE jobs SET visible_at = queued_at WHERE kind = 'remind'",
    ] {
        w.execute(Sql::fixed(sql, [])).await;
    }
    while notices::run_batch(&w.db, KINDS).await.unwrap() > 0 {}
}

/// Without quiet hours, whatever the hour of the test.
pub async fn awake(w: &World, actor: &Actor) {
    let input = json!({ "quiet_hours_start": "00:00", "quiet_hours_end": "00:00" });
    let payload =
        w.mutate(actor, "updateNotificationSetting", "notificationSetting { id }", input).await;
    assert!(payload["messages"].is_null(), "{payload}");
}

/// The input with these members, too.
pub fn with(input: &Json, more: Json) -> Json {
    let mut input = input.clone();
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}
