//! When providers are free and busy, and by which rules they are booked: read in a
//! constant number of statements, however many they are.

use std::collections::{HashMap, HashSet};

use ward_engine::{Answer, Refused};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Id, Level, Query, Sql, Value};

use super::reading::{Provider, records, seen};
use super::rooms::{self, Full, Place};
use super::rule::Rules;
use crate::appointment::calendar;
use crate::appointment::table::{APPOINTMENTS, appointments};
use crate::availability::read::{near, occurrences};
use crate::availability::wall::Interval;
use crate::contact_type::{ContactType, offered};
use crate::settings::layers::{layers, resolve};
use crate::settings::read::{own_of, unit_of};
use crate::settings::table::{APPOINTMENT_SETTINGS, AppointmentSetting};
use crate::tables::{AVAILABILITIES, AppointmentType, Availability};

/// So many availabilities one question reads.
pub const AVAILABILITIES_MAX: usize = 20_000;
const MINUTE: i64 = 60_000_000;
const DAY_MICROS: i64 = 1_440 * MINUTE;
const LONGEST_DAY: i64 = 25 * 60 * MINUTE;

/// When a provider is free and busy, and by which rules they are booked.
#[derive(Clone, Debug)]
pub struct Diary {
    /// Whose.
    pub provider: Provider,
    /// By which rules.
    pub rules: Rules,
    /// Free times. Those of one list follow each other; of two they do not, as they
    /// are for different things.
    pub free: Vec<Vec<Interval>>,
    /// What takes their time.
    pub busy: Vec<Interval>,
    /// When the appointments begin that they have, blockers left out.
    pub begins: Vec<Timestamp>,
    /// When others can't come who have to be there: in order, apart.
    pub held: Vec<Interval>,
    /// When the place has no room left.
    pub full: Full,
}

/// What is wanted of a provider's time.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Of which type.
    pub of: Option<&'a AppointmentType>,
    /// How long, in minutes.
    pub length: i64,
    /// How they are to meet.
    pub contact: Option<ContactType>,
    /// Where they are to meet.
    pub place: Option<Place>,
    /// The appointment that is to be moved.
    pub moved: Option<i64>,
    /// Whether it is asked how much each has to do on the days of the window: then what
    /// is busy is read from the first of their days to the last.
    pub by_load: bool,
}

/// The diaries of providers for starts within a window. Who does not take bookings
/// by clients has none for a client, and nobody has one for a way to meet that is not
/// offered. Rules and availability are read as they are, whoever asks: who may ask of
/// these providers and this type is decided before.
pub async fn diaries(
    q: &mut dyn Query,
    actor: &Actor,
    providers: &[Provider],
    wanted: &Wanted<'_>,
    window: &Interval,
) -> Answer<Vec<Diary>> {
    if providers.is_empty() {
        return Ok(Vec::new());
    }
    let of = wanted.of.map(|of| of.id.0);
    let layers = layers_of(q, actor.org_id, providers, of.as_slice()).await?;
    let ruled: Vec<(&Provider, Rules, Scopes)> = providers
        .iter()
        .filter_map(|it| {
            let (rules, scopes) = rules_of(actor, it, wanted, &layers)?;
            Some((it, rules, scopes))
        })
        .collect();
    let ids: Vec<i64> = ruled.iter().map(|(it, _, _)| it.id).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let length = wanted.length * MINUTE;
    let buffer = ruled.iter().map(|(_, rules, _)| rules.buffer_minutes).max().unwrap_or(0) * MINUTE;
    let around = |before: i64, after: i64| Interval {
        start: Timestamp(window.start.0.saturating_sub(before)),
        end: Timestamp(window.end.0.saturating_add(after)),
    };
    let rows = availabilities(q, actor.org_id, &ids, &around(0, DAY_MICROS)).await?;
    let by_type = ruled.iter().any(|(_, _, scopes)| scopes.by_type);
    let tied = match of.filter(|_| by_type) {
        Some(of) => tied(q, actor.org_id, &ids, of).await?,
        None => HashSet::new(),
    };
    let moved = wanted.moved.map(Id::new);
    // A day has up to 25 hours, wherever the window begins in it.
    let day = if wanted.by_load { LONGEST_DAY } else { 0 };
    let busy = around(buffer.max(day), (buffer + length).max(day));
    let mut busy = calendar::busy(q, actor.org_id, &ids, &busy, moved).await?;
    let full = match &wanted.place {
        Some(at) => rooms::full(q, actor.org_id, at, wanted.length, window, wanted.moved).await?,
        None => Full::default(),
    };
    let mut free: HashMap<i64, Vec<&Availability>> = HashMap::new();
    for row in &rows {
        free.entry(row.user_id.0).or_default().push(row);
    }
    let diary = |(provider, rules, scopes): (&Provider, Rules, Scopes)| {
        let rows = free.remove(&provider.id).unwrap_or_default();
        let busy = busy.remove(&provider.id).unwrap_or_default();
        let of_clients = busy.iter().filter(|it| !it.is_blocker);
        Diary {
            provider: provider.clone(),
            rules,
            free: scopes.lists(&rows, wanted, &tied, &around(0, DAY_MICROS)),
            begins: of_clients.map(|it| it.interval.start).collect(),
            busy: busy.iter().map(|it| it.interval).collect(),
            held: Vec::new(),
            full: full.clone(),
        }
    };
    Ok(ruled.into_iter().map(diary).collect())
}

/// By what a unit's times are told apart (behaviour 20).
#[derive(Clone, Debug, Default)]
pub(super) struct Scopes {
    by_type: bool,
    by_contact: bool,
    by_location: bool,
    /// How they can meet: as is asked, else in all ways that are offered.
    ways: Vec<ContactType>,
}

impl Scopes {
    /// The free times that count, in lists that do not run into each other.
    fn lists(
        &self,
        rows: &[&Availability],
        wanted: &Wanted<'_>,
        tied: &HashSet<i64>,
        window: &Interval,
    ) -> Vec<Vec<Interval>> {
        let times = |row: &Availability| {
            occurrences(row, window).into_iter().map(|(_, interval)| interval).collect::<Vec<_>>()
        };
        let is_for = |row: &Availability| match wanted.of {
            _ if self.by_location => match wanted.place {
                Some(at) => row.appointment_location_id.is_some_and(|id| id.0 == at.location),
                None => true,
            },
            Some(of) if self.by_type => {
                row.appointment_type_id == Some(of.id) || tied.contains(&row.id.0)
            }
            _ if self.by_contact => {
                let way = row.contact_type_id.and_then(ContactType::of_number);
                way.is_some_and(|way| self.ways.contains(&way))
            }
            _ => true,
        };
        let kept = rows.iter().filter(|row| is_for(row));
        let is_open = (self.by_type && wanted.of.is_none())
            || (self.by_contact && self.ways.len() > 1)
            || (self.by_location && wanted.place.is_none());
        if !is_open {
            return vec![kept.flat_map(|row| times(row)).collect()];
        }
        // Each row by itself: what the times are for is not known.
        kept.map(|row| times(row)).collect()
    }
}

/// The layers of these providers, of their units and of types.
///
/// All of them: a type goes on by its own rules for who may not book it any more.
pub(super) async fn layers_of(
    q: &mut dyn Query,
    org_id: i64,
    providers: &[Provider],
    types: &[i64],
) -> Answer<Vec<AppointmentSetting>> {
    let ids: Vec<i64> = providers.iter().map(|it| it.id).collect();
    let mut units: Vec<i64> = providers.iter().map(|it| it.unit_id).collect();
    units.sort_unstable();
    units.dedup();
    let of_unit = Cond::is_in("unit_id", &units)
        .and(Cond::is_null("user_id"))
        .and(Cond::is_null("appointment_type_id"));
    let system = Actor::system(org_id);
    let mut select = seen(&system, &APPOINTMENT_SETTINGS);
    select.filter =
        Cond::is_in("user_id", &ids).or(of_unit).or(Cond::is_in("appointment_type_id", types));
    records(q, select).await
}

/// The rules of a provider and by what their times are told apart; nothing where the
/// caller can't book what is wanted with them.
pub(super) fn rules_of(
    actor: &Actor,
    provider: &Provider,
    wanted: &Wanted<'_>,
    all: &[AppointmentSetting],
) -> Option<(Rules, Scopes)> {
    let own = wanted.of.filter(|of| of.has_specific_appointment_settings);
    let own = own.and_then(|of| own_of(all, of.id.0));
    let of_provider = all.iter().find(|it| it.user_id.is_some_and(|user| user.0 == provider.id));
    let unit = unit_of(all, provider.unit_id);
    let nearest = layers(own, of_provider, unit);
    let settings = resolve(&nearest);
    if settings.prevent_client_booking && !actor.is_member() {
        return None;
    }
    let of_type = wanted.of.map(|of| [of.offers_video, of.offers_in_person, of.offers_phone]);
    let of_layer =
        |it: &&AppointmentSetting| [it.offers_video, it.offers_in_person, it.offers_phone];
    let ways: Vec<_> = of_type.into_iter().chain(nearest.iter().map(of_layer)).collect();
    let mut ways = offered(&ways);
    if let Some(asked) = wanted.contact {
        ways.retain(|way| *way == asked);
    }
    if ways.is_empty() && (wanted.contact.is_some() || !actor.is_member()) {
        return None;
    }
    let unit: Vec<_> = unit.into_iter().collect();
    let of_unit = resolve(&unit);
    let scopes = Scopes {
        by_type: of_unit.times_by_appointment_type,
        by_contact: of_unit.times_by_contact_type,
        by_location: of_unit.times_by_location,
        ways,
    };
    Some((Rules::of(&settings, wanted.length), scopes))
}

async fn availabilities(
    q: &mut dyn Query,
    org_id: i64,
    ids: &[i64],
    window: &Interval,
) -> Answer<Vec<Availability>> {
    let system = Actor::system(org_id);
    let mut select = seen(&system, &AVAILABILITIES);
    select.filter = Cond::is_in("user_id", ids).and(near(window));
    select.limit = i64::try_from(AVAILABILITIES_MAX + 1).ok();
    let rows = records(q, select).await?;
    match rows.len() > AVAILABILITIES_MAX {
        true => Err(Refused::on("provider_ids", "That is too much at once: name fewer providers")),
        false => Ok(rows),
    }
}

/// The availabilities of providers that are for several types, this one among them.
async fn tied(q: &mut dyn Query, org_id: i64, ids: &[i64], of: i64) -> Answer<HashSet<i64>> {
    let sql = Sql::fixed(
        "SELECT m.availability_id FROM availability_appointment_types m \
         JOIN availabilities a ON a.org_id = m.org_id AND a.id = m.availability_id \
         WHERE m.org_id = $1 AND m.appointment_type_id = $2 AND a.user_id IN_LIST($3)",
        [org_id.into(), of.into(), Value::Ints(ids.into())],
    );
    let rows = q.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

/// The appointment that is to be moved, if it is one that the caller sees: of others
/// nobody learns the time by what becomes free.
pub async fn movable(q: &mut dyn Query, actor: &Actor, id: Option<i64>) -> Answer<Option<i64>> {
    let Some(id) = id.filter(|_| actor.user_id != 0 || actor.is_member()) else { return Ok(None) };
    let mut select = seen(actor, &APPOINTMENTS);
    select.columns = vec![appointments::id];
    select.least = Level::Full;
    select.filter = Cond::eq("id", id);
    Ok(q.rows(&select.sql()).await?.scalar().and_then(Value::int))
}
