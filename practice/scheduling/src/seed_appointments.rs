//! A month of appointments of a seeded practice: what was, with what became of it,
//! and what comes; made by the system, without events. Of the first forty clients
//! each has one behind them and one before them, at times that no two share.

use std::collections::BTreeMap;

use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{ToSpan, civil};
use ward_engine::moment;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Id, Scope, StoreError};

use crate::appointment::calendar::takes_time;
use crate::appointment::series::table::RecurringAppointment;
use crate::appointment::status::{CancelledBy, PmStatus};
use crate::appointment::table::{Appointment, AppointmentInclusion, CalendarEntry};
use crate::availability::wall;
use crate::contact_type::ContactType;
use crate::tables::AppointmentType;

/// Days of work in four weeks.
const WORKDAYS: usize = 20;
/// Hours of the wall at which visits begin, within everybody's working hours.
const HOURS: [i64; 6] = [9, 10, 11, 13, 14, 15];
/// When a class is, on the fifth day of work to come: hours and minutes of the wall.
const CLASS_MINUTE: i64 = 15 * 60 + 30;
/// So many clients come to a provider's class.
const CLASS_SIZE: usize = 4;
/// The day after that the provider keeps an hour free.
const BLOCK: (i64, i64) = (16 * 60, 17 * 60);
const DEFAULT_ZONE: &str = "America/New_York";
const MINUTE: i64 = 60_000_000;

/// What one appointment is made of.
pub(crate) struct Visit<'a> {
    pub(crate) provider: &'a User,
    pub(crate) of: Option<&'a AppointmentType>,
    pub(crate) clients: Vec<&'a User>,
    pub(crate) date: Date,
    pub(crate) minute: i64,
    pub(crate) length: i64,
    pub(crate) way: Option<ContactType>,
    pub(crate) status: Option<PmStatus>,
}

/// Makes the appointments of these clients, the first of the practice, with their
/// primary providers.
pub async fn appointments(
    scope: &mut Scope<'_>,
    types: &[AppointmentType],
    providers: &[User],
    clients: &[User],
) -> Result<(), StoreError> {
    let now = scope.now();
    let today = wall::day_of(&TimeZone::UTC, now).unwrap_or(civil::date(2026, 1, 5));
    let [first_visit, follow_up, phone, class] = types else { return Ok(()) };
    let providers: BTreeMap<i64, &User> = providers.iter().map(|it| (it.id.0, it)).collect();
    let mut theirs: BTreeMap<i64, Vec<&User>> = BTreeMap::new();
    let mut visits = Vec::new();
    for (place, client) in clients.iter().enumerate() {
        let provider = client.dietitian_id.and_then(|id| providers.get(&id.0));
        let Some(provider) = provider.filter(|it| it.unit_id == client.unit_id) else { continue };
        let (day, half) = (place % WORKDAYS, place / WORKDAYS % 2);
        let minute = HOURS.get(half * 3 + place % 3).copied().unwrap_or(9) * 60;
        let back = workday(today, -(day as i64) - 1);
        visits.push(Visit {
            provider,
            of: Some(first_visit),
            clients: vec![client],
            date: back,
            minute,
            length: first_visit.length,
            way: Some(ContactType::Video),
            status: Some(became(place)),
        });
        if !client.active {
            continue;
        }
        theirs.entry(provider.id.0).or_default().push(client);
        let (of, way) = match place % 4 {
            0 => (phone, ContactType::Phone),
            _ => (follow_up, ContactType::Video),
        };
        visits.push(Visit {
            provider,
            of: Some(of),
            clients: vec![client],
            date: workday(today, day as i64 + 1),
            minute,
            length: of.length,
            way: Some(way),
            status: None,
        });
    }
    for (id, clients) in &theirs {
        let Some(provider) = providers.get(id) else { continue };
        visits.push(Visit {
            provider,
            of: Some(class),
            clients: clients.iter().copied().take(CLASS_SIZE).collect(),
            date: workday(today, 5),
            minute: CLASS_MINUTE,
            length: class.length,
            way: Some(ContactType::InPerson),
            status: None,
        });
        visits.push(Visit {
            provider,
            of: None,
            clients: Vec::new(),
            date: workday(today, 6),
            minute: BLOCK.0,
            length: BLOCK.1 - BLOCK.0,
            way: None,
            status: None,
        });
    }
    write(scope, &visits, now).await
}

/// What became of the visit of the client at a place.
fn became(place: usize) -> PmStatus {
    match place % 9 {
        4 => PmStatus::NoShow,
        7 => PmStatus::Cancelled,
        _ => PmStatus::Occurred,
    }
}

/// So many days of work from a day on, or back.
pub(crate) fn workday(from: Date, count: i64) -> Date {
    let step = count.signum();
    let mut day = from;
    let mut left = count.abs();
    while left > 0 {
        day = day.checked_add(step.days()).unwrap_or(day);
        let is_work = !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        left -= i64::from(is_work);
    }
    day
}

pub(crate) async fn write(
    scope: &mut Scope<'_>,
    visits: &[Visit<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    write_as(scope, visits, now, None).await
}

/// The same, as one series.
pub(crate) async fn write_series(
    scope: &mut Scope<'_>,
    visits: &[Visit<'_>],
    now: Timestamp,
    series: Id<RecurringAppointment>,
) -> Result<(), StoreError> {
    write_as(scope, visits, now, Some(series)).await
}

async fn write_as(
    scope: &mut Scope<'_>,
    visits: &[Visit<'_>],
    now: Timestamp,
    series: Option<Id<RecurringAppointment>>,
) -> Result<(), StoreError> {
    let (mut rows, mut parts, mut entries) = (Vec::new(), Vec::new(), Vec::new());
    for (place, visit) in (1..).zip(visits) {
        let name = visit.provider.timezone.as_deref().unwrap_or(DEFAULT_ZONE);
        let zone = moment::zone(name).unwrap_or(TimeZone::UTC);
        let Some(start) = wall::instant(&zone, visit.date, visit.minute) else { continue };
        let mut row = row(scope.next_id().await?, visit, start, name, now);
        row.recurring_appointment_id = series;
        row.current_position_in_recurring_series = series.map(|_| place);
        for client in &visit.clients {
            parts.push(part(scope.next_id().await?, &row, client));
        }
        if takes_time(&row) {
            entries.push(CalendarEntry {
                org_id: row.org_id,
                appointment_id: row.id,
                user_id: row.provider_id,
                start_at: row.start_at,
                end_at: row.end_at,
                is_blocker: row.is_blocker,
            });
        }
        rows.push(row);
    }
    scope.create_all_about(&rows, |it| it.user_id.map(|id| id.0)).await?;
    scope.create_all_about(&parts, |it| Some(it.user_id.0)).await?;
    scope.create_all(&entries).await
}

fn row(
    id: Id<Appointment>,
    visit: &Visit<'_>,
    start: Timestamp,
    zone: &str,
    now: Timestamp,
) -> Appointment {
    let provider = visit.provider;
    let end = Timestamp(start.0 + visit.length * MINUTE);
    let is_group = visit.of.is_some_and(|of| of.is_group);
    let is_off = visit.status == Some(PmStatus::Cancelled);
    // Booked a week before, or today.
    let made = Timestamp((start.0 - 7 * 1_440 * MINUTE).min(now.0));
    Appointment {
        id,
        org_id: provider.org_id,
        unit_id: provider.unit_id,
        provider_id: provider.id,
        user_id: visit.clients.first().filter(|_| !is_group).map(|it| it.id),
        appointment_type_id: visit.of.map(|of| of.id),
        contact_type_id: visit.way.map(ContactType::number),
        location: is_group.then(|| "Teaching kitchen".to_owned()),
        appointment_location_id: None,
        room_id: None,
        start_at: start,
        end_at: end,
        length: visit.length,
        timezone: zone.to_owned(),
        is_blocker: visit.of.is_none(),
        is_group,
        max_attendees: is_group.then_some(12),
        pm_status: visit.status,
        pm_status_changed_at: visit.status.map(|_| end.min(now)),
        pm_status_last_changed_by_id: visit.status.map(|_| provider.id),
        confirmed: false,
        client_confirmed: false,
        notes: visit.of.is_none().then(|| "Charting".to_owned()),
        reason: None,
        external_videochat_url: None,
        is_zoom_chat: false,
        room_ordered: false,
        room_orders: 0,
        zoom_meeting_id: None,
        zoom_join_url: None,
        zoom_start_url: None,
        zoom_dial_in_info: None,
        metadata: None,
        actual_duration: None,
        initiator_id: Some(provider.id),
        last_updated_by_id: Some(provider.id),
        patient_reschedule_count: 0,
        cancellation_reason_id: is_off.then_some(1),
        other_cancellation_reason: None,
        cancellation_initiated_by: is_off.then_some(CancelledBy::Client),
        recurring_appointment_id: None,
        current_position_in_recurring_series: None,
        time_recurring_override: false,
        booked_over: false,
        version: 1,
        created_at: made,
        updated_at: made,
        deleted_at: None,
    }
}

fn part(id: Id<AppointmentInclusion>, row: &Appointment, client: &User) -> AppointmentInclusion {
    let came = row.pm_status.map(|status| status == PmStatus::Occurred);
    AppointmentInclusion {
        id,
        org_id: row.org_id,
        unit_id: row.unit_id,
        appointment_id: row.id,
        user_id: client.id,
        attends_from: row.created_at,
        attended: came,
        confirmed: false,
        from_waitlist: false,
        cancelled: false,
        cancelled_at: None,
        cancelled_by_id: None,
        cancellation_reason: None,
        other_cancellation_reason: None,
        seats_held: 0,
        version: 1,
        created_at: row.created_at,
        updated_at: row.updated_at,
    }
}
