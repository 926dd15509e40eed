//! Making and changing availability, with `can_manage_own_availability`
//! or `can_manage_others_availability` (behaviour 16.3, 20).

use jiff::ToSpan;
use jiff::tz::TimeZone;
use ward_clients::access;
use ward_engine::{Answer, Call, Given, Payload, Problems, Refused, moment, parse_id};
use ward_identity::flags::{CAN_MANAGE_OTHERS_AVAILABILITY, CAN_MANAGE_OWN_AVAILABILITY};
use ward_identity::id_or_blank::named;
use ward_identity::permit::{members_only, requires};
use ward_identity::tables::User;
use ward_store::{Day, Id, Level, Query, Sql, Value};

use super::input::{
    self, AT_ONCE_MAX, BulkCreate, CreateAvailability, EditAvailability, Times, When,
};
use super::{of_types, read, wall};
use crate::appointment_location::choice;
use crate::appointment_location::table::AppointmentLocation;
use crate::events;
use crate::settings::change as settings;
use crate::tables::{AppointmentType, Availability};

/// So many a provider can have.
pub const OF_PROVIDER_MAX: i64 = 1_000;

/// The provider whose availability is to be written, by the caller's right to.
pub(super) async fn provider(call: &mut Call<'_>, user: Option<Id<User>>) -> Answer<User> {
    members_only(call.actor)?;
    let id = user.unwrap_or_else(|| Id::new(call.actor.user_id));
    may_manage(call, id)?;
    access::primary_provider(call, id, "user_id").await
}

fn may_manage(call: &Call<'_>, user: Id<User>) -> Answer<()> {
    match user.0 == call.actor.user_id {
        true => requires(call.actor, CAN_MANAGE_OWN_AVAILABILITY),
        false => requires(call.actor, CAN_MANAGE_OTHERS_AVAILABILITY),
    }
}

/// The zone that times are read in: the one that is named, else the provider's,
/// else the request's.
pub(super) fn zone(
    call: &Call<'_>,
    sent: Option<&str>,
    provider: &User,
) -> Answer<(TimeZone, String)> {
    if let Some(name) = sent {
        let known = moment::zone(name).map(|zone| (zone, name.to_owned()));
        return known.ok_or_else(|| Refused::on("timezone", moment::unknown_zone("Timezone")));
    }
    let own = provider.timezone.as_deref().and_then(|name| Some((moment::zone(name)?, name)));
    Ok(match own {
        Some((zone, name)) => (zone, name.to_owned()),
        None => {
            let name = call.request.zone.iana_name().unwrap_or("America/New_York").to_owned();
            (call.request.zone.clone(), name)
        }
    })
}

/// An availability of the provider at these times.
pub(super) async fn blank(
    call: &mut Call<'_>,
    provider: &User,
    timezone: String,
    when: &When,
) -> Answer<Availability> {
    let now = call.now();
    let mut row = Availability {
        id: call.next_id().await?,
        org_id: provider.org_id,
        unit_id: provider.unit_id,
        user_id: provider.id,
        appointment_type_id: None,
        contact_type_id: None,
        appointment_location_id: None,
        is_repeating: false,
        day_of_week: None,
        first_day: Day(when.first),
        end_on: None,
        start_minute: when.start_minute,
        end_minute: when.end_minute,
        start_at: None,
        end_at: None,
        timezone,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    put(&mut row, when);
    Ok(row)
}

pub(super) fn put(row: &mut Availability, when: &When) {
    row.is_repeating = when.weekly.is_some();
    row.day_of_week = when.weekly.map(|(day, _)| day);
    row.end_on = when.weekly.and_then(|(_, end_on)| end_on.map(Day));
    row.first_day = Day(when.first);
    (row.start_minute, row.end_minute) = (when.start_minute, when.end_minute);
    let once = when.weekly.is_none().then_some(when.interval);
    row.start_at = once.map(|it| it.start);
    row.end_at = once.map(|it| it.end);
}

pub(super) async fn bounded(call: &mut Call<'_>, provider: &User, more: i64) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM availabilities WHERE org_id = $1 AND user_id = $2",
        [call.actor.org_id.into(), provider.id.0.into()],
    );
    let known = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    match known.saturating_add(more) <= OF_PROVIDER_MAX {
        true => Ok(()),
        false => Err(Refused::base("A provider can have 1,000 availabilities")),
    }
}

/// The type that times are for, as the provider's unit has it.
async fn of_type(
    call: &mut Call<'_>,
    given: Option<Id<AppointmentType>>,
    provider: &User,
) -> Answer<Option<Id<AppointmentType>>> {
    let Some(id) = given else { return Ok(None) };
    let found = call.visible_for_reference(id, Level::Full).await?;
    let of: Option<AppointmentType> = found.map(|(of, _)| of);
    let of = of.filter(|of| of.unit_id == provider.unit_id);
    of.map(|of| Some(of.id)).ok_or_else(|| Refused::not_found("appointment_type_id"))
}

/// The place that times are at: one of the provider's.
pub(super) async fn at_place(
    call: &mut Call<'_>,
    given: Option<Id<AppointmentLocation>>,
    provider: &User,
) -> Answer<Option<Id<AppointmentLocation>>> {
    let Some(id) = given else { return Ok(None) };
    let place = choice::place(call, id, (provider.unit_id, provider.id), Level::Full).await?;
    Ok(Some(place.id))
}

pub(super) async fn checked(
    call: &mut Call<'_>,
    times: &Times<'_>,
    zone: &TimeZone,
    provider: &User,
) -> Answer<When> {
    let settings = settings::of_provider(call, provider).await?;
    let grid = settings.base_calendar_interval.minutes();
    input::when(times, zone, grid, call.now()).map_err(refused)
}

fn refused(problems: Problems) -> Refused {
    problems.check().err().unwrap_or_else(|| Refused::base("Availability is invalid"))
}

fn contact(given: &Given<String>) -> Answer<Option<i64>> {
    let mut problems = Problems::new();
    let way = input::contact_type(given.trimmed(), &mut problems);
    problems.check()?;
    Ok(way)
}

/// Makes one (behaviour 20).
pub async fn create(call: &mut Call<'_>, input: &CreateAvailability) -> Answer<Payload> {
    let provider = provider(call, named(&input.user_id)).await?;
    let (zone, name) = zone(call, input.timezone.trimmed(), &provider)?;
    let when = checked(call, &Times::of_create(input), &zone, &provider).await?;
    let contact_type_id = contact(&input.contact_type_id)?;
    bounded(call, &provider, 1).await?;
    let mut row = blank(call, &provider, name, &when).await?;
    row.contact_type_id = contact_type_id;
    row.appointment_type_id = of_type(call, named(&input.appointment_type_id), &provider).await?;
    let place = named(&input.appointment_location_id);
    row.appointment_location_id = at_place(call, place, &provider).await?;
    call.create(&row).await?;
    call.emit(events::availability_created(&row));
    Ok(Payload::new().leaf("availability", read::shown(call.request, &row)))
}

/// Makes many, all or none: what one leaves out stands beside them.
pub async fn bulk_create(call: &mut Call<'_>, input: &BulkCreate) -> Answer<Payload> {
    let all = input.availabilities.value().map(Vec::as_slice).unwrap_or_default();
    if all.is_empty() || all.len() > AT_ONCE_MAX {
        let sentence = format!("From 1 to {AT_ONCE_MAX} availabilities can be made at once");
        return Err(Refused::on("availabilities", sentence));
    }
    let mut made = Vec::with_capacity(all.len());
    for one in all {
        let provider = provider(call, named(&one.user_id).or(named(&input.user_id))).await?;
        let (zone, name) = zone(call, one.timezone.trimmed(), &provider)?;
        let times = Times::of_many(one, &input.end_on);
        let when = checked(call, &times, &zone, &provider).await?;
        bounded(call, &provider, 1).await?;
        let mut row = blank(call, &provider, name, &when).await?;
        let way = if one.contact_type_id.is_given() {
            &one.contact_type_id
        } else {
            &input.contact_type_id
        };
        row.contact_type_id = contact(way)?;
        let of = named(&one.appointment_type_id).or(named(&input.appointment_type_id));
        row.appointment_type_id = of_type(call, of, &provider).await?;
        let place = named(&one.appointment_location_id).or(named(&input.appointment_location_id));
        row.appointment_location_id = at_place(call, place, &provider).await?;
        call.create(&row).await?;
        call.emit(events::availability_created(&row));
        made.push(read::shown(call.request, &row));
    }
    Ok(Payload::new().leaf("availabilities", made))
}

/// The row that an id names; a day of a weekly one names no row.
pub(super) fn row_id(call: &Call<'_>, text: Option<&str>, at: &str) -> Answer<Id<Availability>> {
    let text = text.ok_or_else(|| Refused::not_found(at))?;
    if read::of_occurrence(text).is_some() {
        let sentence =
            "This is one day of a weekly availability: send its repeating_availability_id";
        return Err(Refused::on(at, sentence));
    }
    parse_id(text, &format!("input.{at}"), call.request.instance.ids())
}

/// The row with this id, if the caller may change it.
pub(super) async fn to_change(
    call: &mut Call<'_>,
    id: Id<Availability>,
    at: &str,
) -> Answer<Availability> {
    members_only(call.actor)?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let row: Availability = found.map(|(row, _)| row).ok_or_else(|| Refused::not_found(at))?;
    may_manage(call, row.user_id)?;
    Ok(row)
}

/// Changes one, a weekly one on all its days. What is not sent stays.
pub async fn edit(call: &mut Call<'_>, input: &EditAvailability) -> Answer<Payload> {
    let id = row_id(call, input.id.trimmed(), "id")?;
    let before = to_change(call, id, "id").await?;
    let provider = match named(&input.user_id).filter(|user| *user != before.user_id) {
        Some(user) => {
            let provider = provider(call, Some(user)).await?;
            bounded(call, &provider, 1).await?;
            provider
        }
        None => access::seen_user(call, before.user_id, "id").await?,
    };
    if provider.unit_id != before.unit_id {
        return Err(Refused::not_found("user_id"));
    }
    let mut after = before.clone();
    after.user_id = provider.id;
    if let Some(name) = input.timezone.trimmed() {
        after.timezone = zone(call, Some(name), &provider)?.1;
    }
    if moves(input) {
        let (zone, _) = zone(call, Some(&after.timezone), &provider)?;
        let was = moment::zone(&before.timezone).unwrap_or(TimeZone::UTC);
        let kept = Kept::of(&before, &was);
        let last = kept.last(input);
        let when = checked(call, &kept.with(input, last.as_deref()), &zone, &provider).await?;
        put(&mut after, &when);
    }
    if input.contact_type_id.is_given() {
        after.contact_type_id = contact(&input.contact_type_id)?;
    }
    let place = match input.appointment_location_id.is_given() {
        true => named(&input.appointment_location_id),
        false => after.appointment_location_id,
    };
    if place != before.appointment_location_id || provider.id != before.user_id {
        after.appointment_location_id = at_place(call, place, &provider).await?;
    }
    let mut retied = false;
    if input.appointment_type_id.is_given() {
        let of = named(&input.appointment_type_id);
        after.appointment_type_id = of_type(call, of, &provider).await?;
        retied = of_types::untie(call, &before).await?;
    }
    write(call, &before, &after, retied).await
}

/// Writes a change, of the types that it is for too when these are `retied`.
pub(super) async fn write(
    call: &mut Call<'_>,
    before: &Availability,
    after: &Availability,
    retied: bool,
) -> Answer<Payload> {
    let mut columns = call.update(before, after).await?.columns;
    columns.extend(retied.then_some("appointment_type_ids"));
    if !columns.is_empty() {
        call.emit(events::availability_updated(after, &columns));
    }
    let kept: Option<Availability> = call.find(after.id).await?;
    let kept = kept.unwrap_or_else(|| after.clone());
    Ok(Payload::new().leaf("availability", read::shown(call.request, &kept)))
}

/// Whether an input says anything of the times.
fn moves(input: &EditAvailability) -> bool {
    input.time.is_given()
        || input.end_time.is_given()
        || input.range_start.is_given()
        || input.range_end.is_given()
        || input.day_of_week.is_given()
        || input.is_repeating.is_given()
        || input.end_on.is_given()
        || input.timezone.is_given()
}

/// The times of a row as an input would send them.
struct Kept {
    is_repeating: bool,
    day_of_week: Option<i64>,
    first: String,
    /// How many days later it ends.
    nights: i64,
    time: String,
    end_time: String,
    end_on: Option<String>,
}

impl Kept {
    /// Of a row, by the zone that it is in: the row's days are days there.
    fn of(row: &Availability, zone: &TimeZone) -> Self {
        let last = row.end_at.and_then(|at| wall::day_of(zone, at));
        let nights = last.map_or(0, |last| row.first_day.0.duration_until(last).as_hours() / 24);
        let clock = |minute: i64| format!("{:02} {:02}", minute / 60 % 24, minute % 60);
        Kept {
            is_repeating: row.is_repeating,
            day_of_week: row.day_of_week,
            first: row.first_day.to_string(),
            nights,
            time: clock(row.start_minute),
            end_time: clock(row.end_minute),
            end_on: row.end_on.map(|day| day.to_string()),
        }
    }

    /// The day of the end, where it is not the day of the start: as many days later
    /// as before.
    fn last(&self, input: &EditAvailability) -> Option<String> {
        let is_repeating = input.is_repeating.value().copied().unwrap_or(self.is_repeating);
        if self.nights == 0 || is_repeating {
            return None;
        }
        let first = moment::day(input.range_start.trimmed().unwrap_or(&self.first))?;
        Some(Day(first.0.checked_add(self.nights.days()).ok()?).to_string())
    }

    fn with<'a>(&'a self, input: &'a EditAvailability, last: Option<&'a str>) -> Times<'a> {
        let is_moment = |text: Option<&str>| text.is_some_and(|text| text.contains(':'));
        let from = input.range_start.trimmed();
        let to = input.range_end.trimmed();
        let end_on = match input.end_on.is_given() {
            true => input.end_on.trimmed(),
            false => self.end_on.as_deref(),
        };
        Times {
            is_repeating: input.is_repeating.value().copied().unwrap_or(self.is_repeating),
            day_of_week: input.day_of_week.value().copied().or(self.day_of_week),
            range_start: Some(from.unwrap_or(&self.first)),
            range_end: to.or(last),
            time: match is_moment(from) {
                true => None,
                false => Some(input.time.trimmed().unwrap_or(&self.time)),
            },
            end_time: match is_moment(to) {
                true => None,
                false => Some(input.end_time.trimmed().unwrap_or(&self.end_time)),
            },
            end_on,
        }
    }
}
