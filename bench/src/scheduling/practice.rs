//! Practices with appointments: fifty providers who can be booked at any hour, twenty
//! of them with years of appointments, which are copies of one that was booked.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value as Json, json};

use super::copies::{self, Copies};
use super::{SIZE, reads};
use crate::load;
use crate::process::Server;
use crate::setup::{self, World};

/// Providers who can be booked.
const PROVIDERS: usize = 50;
/// Those of them who have appointments.
pub const BUSY: usize = 20;
pub const HOUR_MICROS: i64 = 3_600_000_000;
/// The type of all of them, which is seeded: half an hour.
const TYPE: &str = "Follow-up";
/// How long an appointment of it is, in minutes.
pub const LENGTH_MINUTES: i64 = 30;
/// The first day of everybody's hours.
pub const FIRST_DAY: &str = "2026-01-04";
/// Days ahead at which everybody is booked once, by the API.
const FIRST_BOOKED: i64 = 990;

/// Zones of which there is always one where it is night (see [`night`]); all change
/// their clocks.
const ZONES: [&str; 3] = ["America/New_York", "Europe/Berlin", "Australia/Sydney"];

const MEMBER: &str = "mutation($input: createOrganizationMembershipInput) { \
    createOrganizationMembership(input: $input) { organizationMembership { user { id } } \
    messages { field message } } }";
const FREE: &str = "mutation($input: bulkCreateAvailabilityInput) { bulkCreateAvailability(input: $input) \
    { availabilities { id } messages { field message } } }";
/// Books an appointment.
pub const BOOK: &str = "mutation($input: createAppointmentInput) { createAppointment(input: $input) \
    { appointment { id } messages { field message } } }";

/// A provider, and a client who is booked with them.
#[derive(Clone, Copy)]
pub struct Pair {
    pub provider: i64,
    client: i64,
}

/// What a booking is made of.
#[derive(Clone)]
pub struct Desk {
    pub pairs: Arc<[Pair]>,
    pub type_id: String,
    /// Everybody's zone.
    pub zone: &'static str,
    /// The hour in which the practice was made, in microseconds.
    pub epoch: i64,
}

impl Desk {
    /// What is sent to book half an hour of a pair's, so many hours ahead.
    pub fn booking(&self, pair: usize, hours: i64, is_enforced: bool) -> Result<Json> {
        let pair = self.pairs.get(pair).context("no such pair")?;
        let start = jiff::Timestamp::from_microsecond(self.epoch + hours * HOUR_MICROS)?;
        Ok(json!({"input": {
            "user_id": pair.client.to_string(),
            "other_party_id": pair.provider.to_string(),
            "appointment_type_id": self.type_id,
            "contact_type": "video_chat",
            "datetime": start.to_string(),
            "timezone": self.zone,
            "enforce_availability": is_enforced,
        }}))
    }
}

/// A practice with its two servers.
pub struct Practice {
    pub ward: Server,
    /// The limit program, on a copy.
    pub limit: Server,
    /// The owner's key.
    pub key: String,
    pub desk: Desk,
    /// Some appointments, spread over all.
    pub samples: Arc<[i64]>,
    /// Ward's database.
    pub database: PathBuf,
    /// Holds everything.
    _world: World,
}

/// Practices of several sizes, made when they are first asked for.
#[derive(Default)]
pub struct Practices(BTreeMap<usize, Practice>);

impl Practices {
    /// The one with so many appointments.
    pub async fn get(&mut self, appointments: usize) -> Result<&Practice> {
        Ok(match self.0.entry(appointments) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => place.insert(Practice::make(appointments).await?),
        })
    }
}

impl Practice {
    async fn make(appointments: usize) -> Result<Self> {
        let began = Instant::now();
        let world = setup::world_of(SIZE.clients).await?;
        let key = world.key.clone();
        let database = world.dir().join("ward.db");
        let ward = world.serve()?;
        let desk = desk(ward.port, &key, &database).await?;
        let template = template(ward.port, &key, &desk).await?;
        // Stopped, all of it is in the one file.
        drop(ward);
        let busy = desk.pairs.iter().take(BUSY).map(|pair| pair.provider).collect();
        let count = i64::try_from(appointments)?;
        let copies = Copies { template, count, providers: busy, around: desk.epoch };
        let samples = copies::fill(&database, &copies)?;
        let limit = world.dir().with_extension("limit.db");
        std::fs::copy(&database, &limit)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("limit-scheduling").arg(&limit).arg(template.to_string());
        let limit = Server::start(&mut command)?;
        let ward = world.serve()?;
        let seconds = began.elapsed().as_secs_f64();
        eprintln!("{appointments} appointments of {} clients in {seconds:.1} s", SIZE.clients);
        let samples = samples.into();
        let practice = Practice { ward, limit, key, desk, samples, database, _world: world };
        reads::agree(&practice).await?;
        Ok(practice)
    }

    /// What is in Ward's database now.
    pub fn look(&self) -> Result<Connection> {
        looked(&self.database)
    }
}

fn looked(database: &Path) -> Result<Connection> {
    Ok(Connection::open_with_flags(database, OpenFlags::SQLITE_OPEN_READ_ONLY)?)
}

/// Makes the providers and their hours.
async fn desk(port: u16, key: &str, database: &Path) -> Result<Desk> {
    let now = jiff::Timestamp::now();
    let zone = night(now)?;
    let clients = clients(database)?;
    let mut pairs = Vec::with_capacity(PROVIDERS);
    for (n, client) in (0..PROVIDERS).zip(clients.iter().cycle()) {
        let input = json!({"email": format!("provider{n}@bench.example"), "first_name": "Provider",
            "last_name": format!("Number{n}"), "timezone": zone, "send_invite_email": false});
        let made =
            changed(port, key, MEMBER, "createOrganizationMembership", json!({"input": input}));
        let provider = id(&made.await?["organizationMembership"]["user"])?;
        let halves = [("00 00", "12 00"), ("12 00", "00 00")];
        let week = (0..7).flat_map(|day| halves.map(|half| (day, half)));
        let week: Vec<Json> = week
            .map(|(day, (from, to))| {
                json!({"is_repeating": true, "day_of_week": day, "range_start": FIRST_DAY,
                    "time": from, "end_time": to, "timezone": zone})
            })
            .collect();
        let input = json!({"user_id": provider.to_string(), "availabilities": week});
        changed(port, key, FREE, "bulkCreateAvailability", json!({"input": input})).await?;
        pairs.push(Pair { provider, client: *client });
    }
    let types = "{ appointmentTypes { id name } }";
    let types = load::ask(port, key, types, &Json::Null).await?;
    let types = types["data"]["appointmentTypes"].as_array().cloned().unwrap_or_default();
    let found = types.iter().find(|of| of["name"] == TYPE).context("the type is not seeded")?;
    Ok(Desk {
        pairs: pairs.into(),
        type_id: id(found)?.to_string(),
        zone,
        epoch: now.as_microsecond() / HOUR_MICROS * HOUR_MICROS,
    })
}

/// Books everybody once, since what is made with somebody's first appointment is made
/// once; then the one of which all others are copies, which is booked as all are that
/// follow. Its mails wait for the morning.
async fn template(port: u16, key: &str, desk: &Desk) -> Result<i64> {
    let mut booked = 0;
    for (n, pair) in (0..desk.pairs.len()).chain([0]).enumerate() {
        let hours = FIRST_BOOKED * 24 + i64::try_from(n)?;
        let input = desk.booking(pair, hours, true)?;
        booked = id(&changed(port, key, BOOK, "createAppointment", input).await?["appointment"])?;
    }
    Ok(booked)
}

/// Clients who read the clock of whoever books them, having none of their own: as many as
/// there are providers, or fewer.
fn clients(database: &Path) -> Result<Vec<i64>> {
    let lite = looked(database)?;
    let mut statement = lite.prepare(
        "SELECT id FROM users WHERE is_patient = TRUE AND active = TRUE AND unit_id = org_id \
         AND timezone IS NULL AND email IS NOT NULL ORDER BY id LIMIT ?1",
    )?;
    let rows = statement.query_map([PROVIDERS as i64], |row| row.get(0))?;
    let clients: Vec<i64> = rows.collect::<rusqlite::Result<_>>()?;
    ensure!(!clients.is_empty(), "no client without a time zone");
    Ok(clients)
}

/// The zone where it is nearest to two at night, so within the quiet hours: whatever the
/// time of day of a measurement, mails wait, and sending them is no part of it.
fn night(now: jiff::Timestamp) -> Result<&'static str> {
    const DAY: i64 = 24 * 60;
    let far = |zone: &&str| {
        let local = now.in_tz(zone)?.time();
        let minutes = i64::from(local.hour()) * 60 + i64::from(local.minute());
        let after = (minutes - 2 * 60).rem_euclid(DAY);
        Ok::<_, jiff::Error>(after.min(DAY - after))
    };
    let mut zones = Vec::new();
    for zone in ZONES {
        zones.push((far(&zone)?, zone));
    }
    Ok(zones.into_iter().min().context("a zone")?.1)
}

/// What a mutation answers, when it says that nothing was wrong.
pub async fn changed(
    port: u16,
    key: &str,
    query: &str,
    field: &str,
    variables: Json,
) -> Result<Json> {
    let answer = load::ask(port, key, query, &variables).await?;
    let payload = &answer["data"][field];
    ensure!(payload.is_object() && payload["messages"].is_null(), "{answer}");
    Ok(payload.clone())
}

/// The id of an object of an answer.
pub fn id(object: &Json) -> Result<i64> {
    let id = object["id"].as_str().with_context(|| format!("no id: {object}"))?;
    Ok(id.parse()?)
}
