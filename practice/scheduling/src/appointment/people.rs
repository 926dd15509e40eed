//! Who gives an appointment and who attends it (behaviour 23.1, 23.2).

use std::collections::{BTreeMap, BTreeSet};

use ward_clients::access;
use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::{Organization, User};
use ward_store::{Cond, Id, Query, Sql, Value};

use super::input::ATTENDEES_MAX;
use super::part;
use super::table::{Appointment, AppointmentInclusion, AppointmentProvider};

/// The main provider of a new appointment, or the one whom an old one goes to.
pub async fn provider(call: &mut Call<'_>, id: Id<User>) -> Answer<User> {
    let provider = access::primary_provider(call, id, "other_party_id").await?;
    match access::is_open(call, provider.unit_id).await? {
        true => Ok(provider),
        false => Err(Refused::base("The organization is not active")),
    }
}

/// Providers besides the main one, of the same unit.
pub async fn further_providers(
    call: &mut Call<'_>,
    ids: &[Id<User>],
    main: &User,
) -> Answer<Vec<Id<User>>> {
    const AT: &str = "providers";
    let mut further = Vec::with_capacity(ids.len());
    for id in ids {
        if *id == main.id {
            return Err(Refused::on(AT, "The main provider can't be named among the others"));
        }
        let provider = access::primary_provider(call, *id, AT).await?;
        if provider.unit_id != main.unit_id {
            return Err(Refused::not_found(AT));
        }
        further.push(provider.id);
    }
    Ok(further)
}

/// People who can attend: clients and active members of the unit.
pub async fn attendees(
    call: &mut Call<'_>,
    ids: &[Id<User>],
    unit: Id<Organization>,
    at: &str,
) -> Answer<Vec<User>> {
    let mut attend = Vec::with_capacity(ids.len());
    for id in ids {
        let user = access::seen_user(call, *id, at).await?;
        let may = user.is_patient || (user.active && !user.is_integration);
        if user.unit_id != unit || !may {
            return Err(Refused::not_found(at));
        }
        attend.push(user);
    }
    Ok(attend)
}

/// Who attends an appointment.
pub async fn inclusions(
    call: &mut Call<'_>,
    row: &Appointment,
) -> Answer<Vec<AppointmentInclusion>> {
    Ok(call.list(Cond::eq("appointment_id", row.id.0), &[]).await?)
}

/// The providers of an appointment besides the main one.
pub async fn providers(call: &mut Call<'_>, row: &Appointment) -> Answer<Vec<i64>> {
    let of: Vec<AppointmentProvider> = call.list(Cond::eq("appointment_id", row.id.0), &[]).await?;
    Ok(of.iter().map(|it| it.user_id.0).collect())
}

/// How many attend.
pub async fn attending(call: &mut Call<'_>, row: &Appointment) -> Answer<usize> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM appointment_inclusions WHERE org_id = $1 AND appointment_id = $2 \
         AND cancelled = FALSE",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(0))
}

/// How many seats are taken for who books by themselves: those of who attends, and those
/// that are held besides.
pub async fn taken_seats(call: &mut Call<'_>, row: &Appointment) -> Answer<usize> {
    let sql = Sql::fixed(
        "SELECT CAST(COUNT(*) + COALESCE(SUM(seats_held), 0) AS BIGINT) \
         FROM appointment_inclusions \
         WHERE org_id = $1 AND appointment_id = $2 AND cancelled = FALSE",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int).unwrap_or(0);
    Ok(usize::try_from(count).unwrap_or(usize::MAX))
}

/// Holds one more seat in the name of somebody who attends already.
pub async fn hold_seat(call: &mut Call<'_>, row: &Appointment, user: &User) -> Answer<()> {
    let known = Cond::eq("appointment_id", row.id.0).and(Cond::eq("user_id", user.id.0));
    let known: Option<AppointmentInclusion> = call.find_by(known).await?;
    if let Some(before) = known.filter(|part| !part.cancelled) {
        let after = AppointmentInclusion { seats_held: before.seats_held + 1, ..before.clone() };
        part::write(call, row, Some(&before), Some(&after), false).await?;
    }
    Ok(())
}

/// Whether more than one client attends: then each has the own part only, as in a
/// group (DOM-09).
pub async fn is_shared(call: &mut Call<'_>, row: &Appointment) -> Answer<bool> {
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM appointment_inclusions i JOIN users u ON u.org_id = i.org_id \
         AND u.id = i.user_id WHERE i.org_id = $1 AND i.appointment_id = $2 \
         AND i.cancelled = FALSE AND u.is_patient = TRUE",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let count = call.tx.rows(&sql).await?.scalar().and_then(Value::int);
    Ok(row.is_group || count.unwrap_or(0) > 1)
}

/// The members among those who attend.
pub async fn attending_members(call: &mut Call<'_>, row: &Appointment) -> Answer<Vec<i64>> {
    let sql = Sql::fixed(
        "SELECT i.user_id FROM appointment_inclusions i JOIN users u ON u.org_id = i.org_id \
         AND u.id = i.user_id WHERE i.org_id = $1 AND i.appointment_id = $2 \
         AND i.cancelled = FALSE AND u.is_patient = FALSE ORDER BY i.user_id",
        [row.org_id.0.into(), row.id.0.into()],
    );
    let rows = call.tx.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| row.first()?.int()).collect())
}

/// Everybody who attends.
pub async fn attending_users(call: &mut Call<'_>, row: &Appointment) -> Answer<Vec<User>> {
    let mut users = Vec::new();
    for part in inclusions(call, row).await?.into_iter().filter(|it| !it.cancelled) {
        users.extend(call.find(part.user_id).await?);
    }
    Ok(users)
}

/// Whose time an appointment takes, as long as it is active: of all who give it and
/// of the members who attend.
pub async fn takers(call: &mut Call<'_>, row: &Appointment) -> Answer<Vec<i64>> {
    let mut takers = providers(call, row).await?;
    takers.extend(attending_members(call, row).await?);
    takers.push(row.provider_id.0);
    takers.sort_unstable();
    takers.dedup();
    Ok(takers)
}

/// Replaces the further providers; whether that changed anything.
pub async fn put_providers(
    call: &mut Call<'_>,
    row: &Appointment,
    wanted: &[Id<User>],
) -> Answer<bool> {
    let old: Vec<AppointmentProvider> =
        call.list(Cond::eq("appointment_id", row.id.0), &[]).await?;
    let known: BTreeSet<i64> = old.iter().map(|it| it.user_id.0).collect();
    let wanted: BTreeSet<i64> = wanted.iter().map(|it| it.0).collect();
    for gone in old.iter().filter(|it| !wanted.contains(&it.user_id.0)) {
        call.destroy(gone).await?;
    }
    for user in wanted.difference(&known) {
        let made = AppointmentProvider {
            org_id: row.org_id,
            appointment_id: row.id,
            user_id: Id::new(*user),
            created_at: call.now(),
        };
        call.create(&made).await?;
    }
    Ok(known != wanted)
}

/// Replaces those who attend; whether that changed anything. Who called their part
/// off stays on the list of those who did, and comes again when named again.
pub async fn put_attendees(
    call: &mut Call<'_>,
    row: &Appointment,
    wanted: &[User],
    noticed: bool,
) -> Answer<bool> {
    let old = inclusions(call, row).await?;
    let known: BTreeMap<i64, AppointmentInclusion> =
        old.into_iter().map(|it| (it.user_id.0, it)).collect();
    let named: BTreeSet<i64> = wanted.iter().map(|it| it.id.0).collect();
    let mut changed = false;
    for gone in known.values().filter(|it| !it.cancelled && !named.contains(&it.user_id.0)) {
        changed |= part::write(call, row, Some(gone), None, noticed).await?;
    }
    for user in wanted {
        changed |= come(call, row, known.get(&user.id.0), user, noticed).await?;
    }
    Ok(changed)
}

/// Somebody attends besides those who do; whether they did not before.
pub async fn add_attendee(call: &mut Call<'_>, row: &Appointment, user: &User) -> Answer<bool> {
    let known = Cond::eq("appointment_id", row.id.0).and(Cond::eq("user_id", user.id.0));
    let known = call.find_by(known).await?;
    come(call, row, known.as_ref(), user, true).await
}

/// Somebody who waited attends; whether they did not before. `known` is the part that
/// they had.
pub async fn move_in(
    call: &mut Call<'_>,
    row: &Appointment,
    known: Option<&AppointmentInclusion>,
    user: &User,
) -> Answer<bool> {
    let after = match known {
        Some(before) if !before.cancelled => return Ok(false),
        Some(before) => revived(call, before),
        None => inclusion(call, row, user).await?,
    };
    let after = AppointmentInclusion { from_waitlist: true, ..after };
    part::write(call, row, known, Some(&after), true).await
}

async fn come(
    call: &mut Call<'_>,
    row: &Appointment,
    known: Option<&AppointmentInclusion>,
    user: &User,
    noticed: bool,
) -> Answer<bool> {
    let after = match known {
        Some(before) if !before.cancelled => return Ok(false),
        Some(before) => revived(call, before),
        None => inclusion(call, row, user).await?,
    };
    part::write(call, row, known, Some(&after), noticed).await
}

/// A part as it is when it is called off no longer.
pub fn revived(call: &Call<'_>, before: &AppointmentInclusion) -> AppointmentInclusion {
    AppointmentInclusion {
        attends_from: call.now(),
        from_waitlist: false,
        cancelled: false,
        cancelled_at: None,
        cancelled_by_id: None,
        cancellation_reason: None,
        other_cancellation_reason: None,
        seats_held: 0,
        ..before.clone()
    }
}

async fn inclusion(
    call: &mut Call<'_>,
    row: &Appointment,
    user: &User,
) -> Answer<AppointmentInclusion> {
    let now = call.now();
    Ok(AppointmentInclusion {
        id: call.next_id().await?,
        org_id: row.org_id,
        unit_id: row.unit_id,
        appointment_id: row.id,
        user_id: user.id,
        attends_from: now,
        attended: None,
        confirmed: false,
        from_waitlist: false,
        cancelled: false,
        cancelled_at: None,
        cancelled_by_id: None,
        cancellation_reason: None,
        other_cancellation_reason: None,
        seats_held: 0,
        version: 1,
        created_at: now,
        updated_at: now,
    })
}

/// How many seats a group's appointment has.
pub fn seats(row: &Appointment) -> usize {
    seats_of(row.max_attendees)
}

/// How many seats there are where so many are said.
pub fn seats_of(max_attendees: Option<i64>) -> usize {
    let seats = max_attendees.and_then(|seats| usize::try_from(seats).ok());
    seats.unwrap_or(ATTENDEES_MAX).min(ATTENDEES_MAX)
}

/// Whether so many can attend: an individual appointment has one client, a group
/// its seats.
pub fn check_seats(row: &Appointment, attending: usize) -> Answer<()> {
    let seats = seats(row);
    if !row.is_group || attending <= seats {
        return Ok(());
    }
    let sentence = match seats {
        1 => "The appointment has only 1 seat".to_owned(),
        seats => format!("The appointment has only {seats} seats"),
    };
    Err(Refused::on("attendee_ids", sentence))
}
