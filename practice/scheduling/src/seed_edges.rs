//! What some seeded practices have besides their visits: places with rooms, who waits for a seat,
//! credits, and the edges that a program trips over. Made by the system, without events.

use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp as Moment, ToSpan};
use ward_engine::moment;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Cond, Id, OrderKey, Scope, StoreError};

use crate::appointment::series::rule::RepeatInterval;
use crate::appointment::series::table::RecurringAppointment;
use crate::appointment::status::PmStatus;
use crate::appointment::table::Appointment;
use crate::appointment_location::table::{AppointmentLocation, Room};
use crate::availability::wall;
use crate::contact_type::ContactType;
use crate::credit::table::{AppointmentCreditChange, AppointmentTypeCredit, CreditCause};
use crate::seed_appointments::{self, Visit, workday};
use crate::settings::table::AppointmentSetting;
use crate::tables::AppointmentType;
use crate::waitlist::table::WaitlistPlace;

/// Where a seeded practice's visits jump with the clock.
const ZONE: &str = "America/New_York";
/// Appointments of the series that is called off.
const SERIES: i64 = 4;

/// Lays places of a unit, each with its rooms.
pub async fn places(
    scope: &mut Scope<'_>,
    unit: Id<Organization>,
    places: &[(&str, &[&str])],
) -> Result<(), StoreError> {
    let now = scope.now();
    let org_id = Id::new(scope.actor.org_id);
    let layer = AppointmentSetting::blank(scope.next_id().await?, org_id, unit, now);
    scope.create(&layer).await?;
    for (location, rooms) in places {
        let place = AppointmentLocation {
            id: scope.next_id().await?,
            org_id,
            unit_id: unit,
            appointment_setting_id: layer.id,
            user_id: None,
            location: (*location).to_owned(),
            clients_can_book: true,
            has_rooms: !rooms.is_empty(),
            version: 1,
            created_at: now,
            updated_at: now,
            deleted_at: None,
        };
        scope.create(&place).await?;
        for name in *rooms {
            let room = Room {
                id: scope.next_id().await?,
                org_id,
                unit_id: unit,
                appointment_location_id: place.id,
                name: (*name).to_owned(),
                limit_to_one: true,
                version: 1,
                created_at: now,
                updated_at: now,
                deleted_at: None,
            };
            scope.create(&room).await?;
        }
    }
    Ok(())
}

/// Puts clients in the line for a seat of the first group to come.
pub async fn wait(scope: &mut Scope<'_>, clients: &[User]) -> Result<usize, StoreError> {
    let order = [OrderKey::column("id", false)];
    let groups: Vec<Appointment> = scope.list(Cond::eq("is_group", true), &order).await?;
    let Some(group) = groups.first() else { return Ok(0) };
    let waiting = clients.iter().filter(|it| it.active && it.unit_id == group.unit_id);
    let mut count = 0;
    for (position, client) in (1..).zip(waiting) {
        let place = WaitlistPlace {
            id: scope.next_id().await?,
            org_id: group.org_id,
            unit_id: group.unit_id,
            appointment_id: group.id,
            user_id: client.id,
            position,
            created_at: scope.now(),
        };
        scope.create(&place).await?;
        count += 1;
    }
    Ok(count)
}

/// Gives clients credits for a type: the first one, the second two, and so on.
pub async fn credits(
    scope: &mut Scope<'_>,
    of: &AppointmentType,
    clients: &[User],
) -> Result<(), StoreError> {
    for (quantity, client) in (1..).zip(clients.iter().filter(|it| it.unit_id == of.unit_id)) {
        let sum = AppointmentTypeCredit {
            id: scope.next_id().await?,
            org_id: of.org_id,
            user_id: client.id,
            appointment_type_id: of.id,
            created_at: scope.now(),
        };
        scope.create(&sum).await?;
        let change = AppointmentCreditChange {
            id: scope.next_id().await?,
            org_id: of.org_id,
            user_id: client.id,
            appointment_type_id: of.id,
            appointment_id: None,
            initiator_id: of.user_id,
            cause: CreditCause::Set,
            credit_quantity: quantity,
            created_at: scope.now(),
        };
        scope.create(&change).await?;
    }
    Ok(())
}

/// The night in which the practice's clocks go forward next, and the one in which they go back:
/// the local day of each.
fn jumps(now: Timestamp) -> Vec<Date> {
    let Some(zone) = moment::zone(ZONE) else { return Vec::new() };
    let from = Moment::from_microsecond(now.0).unwrap_or(Moment::UNIX_EPOCH);
    zone.following(from)
        .take(2)
        .map(|jump| jump.timestamp().to_zoned_datetime(zone.clone()).date())
        .collect()
}

/// Visits over the hour that there is not, and over the one that there is twice; one on the leap
/// day to come, and a series that was called off.
pub async fn edges(
    scope: &mut Scope<'_>,
    of: &AppointmentType,
    provider: &User,
    clients: &[User],
) -> Result<(), StoreError> {
    let [first, second, third, fourth, ..] = clients else { return Ok(()) };
    let now = scope.now();
    let today = wall::day_of(&TimeZone::UTC, now).unwrap_or(date(2026, 1, 5));
    let visit = |client, date, minute, status| Visit {
        provider,
        of: Some(of),
        clients: vec![client],
        date,
        minute,
        length: 120,
        way: Some(ContactType::Video),
        status,
    };
    let mut visits = Vec::new();
    for (client, day) in [first, second].into_iter().zip(jumps(now)) {
        // From half past midnight until after the jump at two.
        visits.push(visit(client, day, 30, None));
    }
    visits.extend(leap_day(today).map(|day| visit(third, day, 10 * 60, None)));
    seed_appointments::write(scope, &visits, now).await?;
    called_off(scope, (today, now), fourth, visit).await
}

async fn called_off<'a>(
    scope: &mut Scope<'_>,
    (today, now): (Date, Timestamp),
    client: &'a User,
    visit: impl Fn(&'a User, Date, i64, Option<PmStatus>) -> Visit<'a>,
) -> Result<(), StoreError> {
    let series = RecurringAppointment {
        id: scope.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        repeat_interval: RepeatInterval::Weekly,
        repeat_times: SERIES,
        join_all: false,
        previous_recurring_appointment_id: None,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    scope.create(&series).await?;
    let first = workday(today, 8);
    let visits: Vec<Visit<'_>> = (0..SERIES)
        .filter_map(|nth| first.checked_add((nth * 7).days()).ok())
        .map(|day| visit(client, day, 17 * 60, Some(PmStatus::Cancelled)))
        .collect();
    seed_appointments::write_series(scope, &visits, now, series.id).await
}

/// The next 29 February after a day, within the calendar.
fn leap_day(after: Date) -> Option<Date> {
    (after.year()..).take(9).filter_map(|year| Date::new(year, 2, 29).ok()).find(|it| *it > after)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_leap_day_and_the_next_jumps() {
        assert_eq!(leap_day(date(2026, 11, 26)), Some(date(2028, 2, 29)));
        assert_eq!(leap_day(date(2028, 2, 29)), Some(date(2032, 2, 29)));
        let now = "2026-11-26T00:00:00Z".parse::<Moment>().unwrap().as_microsecond();
        assert_eq!(jumps(Timestamp(now)), [date(2027, 3, 14), date(2027, 11, 7)]);
    }
}
