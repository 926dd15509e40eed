//! The times that can be had in four weeks: of one provider against the pure rule that
//! finds them, and of all fifty.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use jiff::ToSpan;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value as Json, json};
use ward_instance::Timestamp;
use ward_scheduling::availability::wall::{DAY_MINUTES, Interval, Weekly, instant};
use ward_scheduling::settings::layers::resolve;
use ward_scheduling::slots::{Calendar, Rules, starts};

use super::practice::{BUSY, FIRST_DAY, HOUR_MICROS, LENGTH_MINUTES, Practice, Practices};
use super::{SIZE, name, sizes};
use crate::load::{self, Make, Until};
use crate::process::cpu_micros;
use crate::sizes::{CONNECTIONS, ROUNDS, RUN, grow};
use crate::table::median;
use crate::{Check, Chosen, Row};

const SLOTS: &str = "query($provider: String, $of: String, $from: String, $to: String, $zone: String) { \
    availableSlotsForRange(provider_id: $provider, appt_type_id: $of, start_date: $from, end_date: $to, \
    timezone: $zone) { date length user_id } }";
const OF_ALL: &str = "query($of: String, $from: String, $to: String, $zone: String) { \
    availableSlotsForRange(org_level: true, appt_type_id: $of, start_date: $from, end_date: $to, \
    timezone: $zone) { date length user_id } }";

/// `schedule-slots@…` and `schedule-org`.
pub async fn measure(chosen: &Chosen, practices: &mut Practices) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for size in sizes(chosen, "schedule-slots") {
        let practice = practices.get(size).await?;
        rows.push(of_one(name("schedule-slots", size), practice).await?);
    }
    grow(&mut rows, 1.2);
    if chosen.has("schedule-org") {
        rows.push(of_all(practices.get(SIZE.appointments[0]).await?).await?);
    }
    Ok(rows)
}

async fn of_one(name: String, practice: &Practice) -> Result<Row> {
    let port = practice.ward.port;
    let weeks = Weeks::of(practice)?;
    let known: Vec<Known> = (0..BUSY).map(|at| weeks.known(practice, at)).collect::<Result<_>>()?;
    let of_first = asked(practice, SLOTS, weeks.variables(practice, Some(0)));
    let found = slots(&load::send(port, &of_first).await?)?;
    ensure!(found == weeks.starts(&known[0]), "Ward finds other times than the rule: {found}");
    let requests: Arc<[Vec<u8>]> =
        (0..BUSY).map(|at| asked(practice, SLOTS, weeks.variables(practice, Some(at)))).collect();
    let (mut pure, mut wards, mut times) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        pure.push(cpu_of_rule(&weeks, &known)?);
        let requests = requests.clone();
        let make: Make = Arc::new(move |n| requests[n as usize % requests.len()].clone());
        let before = practice.ward.cpu_micros()?;
        let outcome = load::run(port, CONNECTIONS, Until::Time(RUN), make, "\"user_id\"").await?;
        wards.push((practice.ward.cpu_micros()? - before) / outcome.requests as f64);
        times.push(outcome.p50);
    }
    let (ward, limit) = (median(wards), median(pure));
    Ok(Row {
        name,
        ward,
        limit: Some(limit),
        unit: "us CPU",
        checks: vec![Check::at_most("times the rule", ward / limit, 3.0)],
        notes: format!(
            "{found} times of one provider, {} appointments in four weeks; p50 {:.2} ms",
            known[0].busy.len(),
            median(times)
        ),
    })
}

async fn of_all(practice: &Practice) -> Result<Row> {
    let port = practice.ward.port;
    let weeks = Weeks::of(practice)?;
    let request = asked(practice, OF_ALL, weeks.variables(practice, None));
    let found = slots(&load::send(port, &request).await?)?;
    let make: Make = Arc::new(move |_| request.clone());
    let before = practice.ward.cpu_micros()?;
    let until = Until::Requests(SIZE.org_questions);
    let outcome = load::run(port, 1, until, make, "\"user_id\"").await?;
    let cpu = (practice.ward.cpu_micros()? - before) / 1_000.0 / outcome.requests as f64;
    Ok(Row {
        name: "schedule-org".to_owned(),
        ward: outcome.p50,
        limit: None,
        unit: " ms",
        checks: Vec::new(),
        notes: format!(
            "one question at a time of the organization's {} providers and its staff, four weeks: \
             {found} times; {cpu:.1} ms of CPU, p99 {:.1} ms",
            practice.desk.pairs.len(),
            outcome.p99
        ),
    })
}

fn asked(practice: &Practice, query: &str, variables: Json) -> Vec<u8> {
    load::graphql(practice.ward.port, &practice.key, query, &variables)
}

fn slots(answer: &Json) -> Result<usize> {
    let found = answer["data"]["availableSlotsForRange"].as_array();
    Ok(found.with_context(|| answer.to_string())?.len())
}

/// Microseconds of this process for one run of the rule; nothing else runs in it.
fn cpu_of_rule(weeks: &Weeks, known: &[Known]) -> Result<f64> {
    let cpu = || cpu_micros(std::process::id()).context("no CPU time of this process");
    let (began, before, mut runs) = (Instant::now(), cpu()?, 0);
    while began.elapsed() < RUN {
        for one in known {
            std::hint::black_box(weeks.starts(std::hint::black_box(one)));
            runs += 1;
        }
    }
    Ok((cpu()? - before) / f64::from(runs))
}

/// Four weeks from the day after tomorrow on, on the providers' clock.
struct Weeks {
    zone: TimeZone,
    from: Date,
    to: Date,
    window: Interval,
    now: Timestamp,
    rules: Rules,
}

/// What the rule knows of a provider.
struct Known {
    hours: Vec<Weekly>,
    busy: Vec<Interval>,
}

impl Weeks {
    fn of(practice: &Practice) -> Result<Self> {
        let zone = TimeZone::get(practice.desk.zone)?;
        let now = jiff::Timestamp::now();
        let from = zone.to_datetime(now).date().checked_add(2.days())?;
        let to = from.checked_add(27.days())?;
        let ends = instant(&zone, from, 0).zip(instant(&zone, to, DAY_MINUTES));
        let window = ends.and_then(|(start, end)| Interval::new(start, end));
        Ok(Weeks {
            zone,
            from,
            to,
            window: window.context("four weeks")?,
            now: Timestamp(now.as_microsecond()),
            rules: Rules::of(&resolve(&[]), LENGTH_MINUTES),
        })
    }

    fn variables(&self, practice: &Practice, provider: Option<usize>) -> Json {
        let desk = &practice.desk;
        let mut variables = json!({"of": desk.type_id, "from": self.from.to_string(),
            "to": self.to.to_string(), "zone": desk.zone});
        if let Some(pair) = provider.and_then(|at| desk.pairs.get(at)) {
            variables["provider"] = pair.provider.to_string().into();
        }
        variables
    }

    /// A provider's hours, and what Ward's database has of their time in these weeks.
    fn known(&self, practice: &Practice, at: usize) -> Result<Known> {
        let first: Date = FIRST_DAY.parse()?;
        let halves = [(0, DAY_MINUTES / 2), (DAY_MINUTES / 2, DAY_MINUTES)];
        let hours = (0..7).flat_map(|weekday| halves.map(|half| (weekday, half)));
        let hours = hours.map(|(weekday, (start_minute, end_minute))| {
            let zone = self.zone.clone();
            Weekly { zone, weekday, first, last: None, start_minute, end_minute }
        });
        let lite = practice.look()?;
        let mut statement = lite.prepare(
            "SELECT start_at, end_at FROM calendar_entries WHERE org_id = (SELECT MIN(id) FROM organizations) \
             AND user_id = ?1 AND start_at > ?2 AND start_at < ?3 ORDER BY start_at",
        )?;
        let provider = practice.desk.pairs.get(at).context("no such provider")?.provider;
        let (from, to) = (self.window.start.0 - HOUR_MICROS, self.window.end.0 + HOUR_MICROS);
        let rows = statement.query_map([provider, from, to], |row| {
            Ok(Interval { start: Timestamp(row.get(0)?), end: Timestamp(row.get(1)?) })
        })?;
        Ok(Known { hours: hours.collect(), busy: rows.collect::<rusqlite::Result<_>>()? })
    }

    /// The pure rule: how many starts there are.
    fn starts(&self, known: &Known) -> usize {
        // What begins late in the window ends behind it.
        let end = Timestamp(self.window.end.0 + 24 * HOUR_MICROS);
        let around = Interval { start: self.window.start, end };
        let times = known.hours.iter().flat_map(|weekly| weekly.within(&around));
        let free: Vec<Interval> = times.map(|(_, interval)| interval).collect();
        let calendar = Calendar { zone: &self.zone, free: &free, busy: &known.busy };
        starts(&calendar, &self.rules, &self.window, self.now).len()
    }
}
