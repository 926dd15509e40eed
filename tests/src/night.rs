//! The hour of a Sandbox: practices do not mail by night.

use serde_json::json;

use crate::api::Api;

/// Makes it so many hours and a half of UTC, whatever the hour of the run: at 3 it is night in
/// New York, at 7 from Honolulu to Dublin. Mails wait for the morning, so that what lists of
/// mails show hangs neither on the hour nor on which calls came before.
pub fn falls(owner: &Api, hour: i8) {
    let now = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC);
    let day = if now.hour() < hour { now.date() } else { now.date().tomorrow().unwrap() };
    let to = format!("{:04}-{:02}-{:02}T{hour:02}:30:00Z", day.year(), day.month(), day.day());
    let reply = owner.post("/sandbox/v1/clock/set", &json!({"to": to, "settle": true}));
    assert_eq!(reply.status, 200, "{}", reply.text);
}
