//! `sandbox-quarter`: ninety days of a practice of twenty clients, each of whom is seen once a week
//! and reminded by mail the day before, in one move of the Sandbox's clock (X5).

use std::time::Instant;

use anyhow::{Context, Result, ensure};
use serde_json::{Value as Json, json};

use crate::scheduling::practice::BOOK;
use crate::{Check, Chosen, Row, load, setup};

/// Seconds.
const DAY: i64 = 24 * 3_600;
/// Clients of the practice.
const CLIENTS: usize = 20;
/// Clients of the pack, some of whom are a sub-organization's.
const SEEDED: usize = 40;
/// Weeks in which each is seen; the last lies within the ninety days.
const WEEKS: i64 = 12;

/// The row.
pub async fn measure(chosen: &Chosen) -> Result<Vec<Row>> {
    if !chosen.has("sandbox-quarter") {
        return Ok(Vec::new());
    }
    let world = setup::world_of(SEEDED).await?;
    let server = world.serve()?;
    let booked = book(server.port, &world.key).await?;
    let body = json!({"by": "P90D"}).to_string();
    let request = load::post(server.port, "/sandbox/v1/clock/advance", Some(&world.key), &body);
    let began = Instant::now();
    let moved = load::send(server.port, &request).await?;
    let seconds = began.elapsed().as_secs_f64();
    ensure!(moved["stragglers"] == json!([]), "something did not happen: {moved}");
    let effects = moved["ran"]["effects"].as_f64().context("no count of effects")?;
    Ok(vec![Row {
        name: "sandbox-quarter".to_owned(),
        ward: seconds,
        limit: None,
        unit: "s",
        checks: vec![
            Check::at_most("seconds", seconds, 10.0),
            Check::at_least("of the reminders", effects / booked as f64, 1.0),
        ],
        notes: format!("90 days, {booked} appointments of {CLIENTS} clients, ran {}", moved["ran"]),
    }])
}

/// Everybody once a week from next week on, each at an hour of their own; how many.
async fn book(port: u16, key: &str) -> Result<usize> {
    let query = "{ currentUser { id organization { id } } appointmentTypes { id } \
        users(page_size: 100, show_all_by_default: true, active_status: \"Active\") \
        { id email organization { id } } }";
    let found = load::ask(port, key, query, &Json::Null).await?;
    let of = |path: &str| found["data"].pointer(path).cloned().unwrap_or_default();
    let clients = of("/users");
    let clients = clients.as_array().context("no clients")?.iter();
    let own = of("/currentUser/organization");
    let is_theirs = |client: &&Json| client["email"].is_string() && client["organization"] == own;
    let clients: Vec<_> = clients.filter(is_theirs).take(CLIENTS).collect();
    ensure!(clients.len() == CLIENTS, "{} can be reminded", clients.len());
    let midnight = jiff::Timestamp::now().as_second() / DAY * DAY;
    let mut booked = 0;
    for (week, (n, client)) in
        (1..=WEEKS).flat_map(|week| clients.iter().enumerate().map(move |client| (week, client)))
    {
        let (day, hour) = (i64::try_from(n % 5)?, i64::try_from(12 + n / 5)?);
        let start = midnight + (week * 7 - 6 + day) * DAY + hour * 3_600;
        let input = json!({
            "appointment_type_id": of("/appointmentTypes/0/id"),
            "user_id": client["id"],
            "other_party_id": of("/currentUser/id"),
            "datetime": jiff::Timestamp::from_second(start)?.to_string(),
            "timezone": "UTC",
            "contact_type": "video_chat",
        });
        let answer = load::ask(port, key, BOOK, &json!({"input": input})).await?;
        ensure!(answer["data"]["createAppointment"]["appointment"].is_object(), "{answer}");
        booked += 1;
    }
    Ok(booked)
}
