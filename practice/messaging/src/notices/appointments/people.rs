//! Whom an appointment concerns, as they are now (behaviour 23.1, 42).

use jiff::tz::TimeZone;
use ward_engine::{Answer, moment};
use ward_identity::account::joined;
use ward_identity::tables::User;
use ward_store::{Cond, Id, Scope};

use ward_scheduling::appointment::table::{Appointment, AppointmentInclusion, AppointmentProvider};

/// The clients who attend, without those who called it off for themselves and those
/// who are archived: they are told nothing (behaviour 18.3).
pub async fn clients(
    scope: &mut Scope<'_>,
    row: &Appointment,
) -> Answer<Vec<(User, AppointmentInclusion)>> {
    let attends = Cond::eq("appointment_id", row.id.0).and(Cond::eq("cancelled", false));
    let inclusions: Vec<AppointmentInclusion> = scope.list(attends, &[]).await?;
    let ids: Vec<i64> = inclusions.iter().map(|it| it.user_id.0).collect();
    let told = Cond::is_in("id", &ids).and(Cond::is_true("is_patient"));
    let users: Vec<User> = scope.list(told.and(Cond::is_true("active")), &[]).await?;
    let of = |user: User| {
        let own = inclusions.iter().find(|it| it.user_id == user.id)?.clone();
        Some((user, own))
    };
    Ok(users.into_iter().filter_map(of).collect())
}

/// A client who is told of things.
pub async fn client(scope: &mut Scope<'_>, id: i64) -> Answer<Option<User>> {
    let found: Option<User> = scope.find(Id::new(id)).await?;
    Ok(found.filter(|user| user.is_patient && user.active))
}

/// Whether somebody attends an appointment.
pub async fn attends(scope: &mut Scope<'_>, row: &Appointment, user: Id<User>) -> Answer<bool> {
    let own = Cond::eq("appointment_id", row.id.0).and(Cond::eq("user_id", user.0));
    let found: Option<AppointmentInclusion> = scope.find_by(own).await?;
    Ok(found.is_some_and(|it| !it.cancelled))
}

/// Whether somebody waited for the seat that they have.
pub async fn waited(scope: &mut Scope<'_>, row: &Appointment, user: Id<User>) -> Answer<bool> {
    let own = Cond::eq("appointment_id", row.id.0).and(Cond::eq("user_id", user.0));
    let found: Option<AppointmentInclusion> = scope.find_by(own).await?;
    Ok(found.is_some_and(|it| it.from_waitlist))
}

/// The zone in which somebody reads times: their own, else the one in which the
/// appointment was booked.
pub fn zone(user: &User, row: &Appointment) -> TimeZone {
    let own = user.timezone.as_deref().and_then(moment::zone);
    own.or_else(|| moment::zone(&row.timezone)).unwrap_or(TimeZone::UTC)
}

/// Those who give an appointment: the main provider and the further ones.
pub async fn givers(scope: &mut Scope<'_>, row: &Appointment) -> Answer<Vec<Id<User>>> {
    let further: Vec<AppointmentProvider> =
        scope.list(Cond::eq("appointment_id", row.id.0), &[]).await?;
    Ok([row.provider_id].into_iter().chain(further.iter().map(|it| it.user_id)).collect())
}

/// The main provider's name.
pub async fn provider_name(scope: &mut Scope<'_>, row: &Appointment) -> Answer<Option<String>> {
    let found: Option<User> = scope.find(row.provider_id).await?;
    let name = found.map(|user| joined([user.first_name.as_deref(), user.last_name.as_deref()]));
    Ok(name.filter(|name| !name.is_empty()))
}
