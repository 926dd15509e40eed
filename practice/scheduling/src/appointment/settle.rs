//! What is decided behind the calendar's lock: whether a time can be had (behaviour
//! 23.2, trust ruling 5).

use ward_engine::{Answer, Call, Refused};
use ward_identity::tables::User;
use ward_store::Id;

use super::bookable::{Wanted, bookable};
use super::table::Appointment;
use super::{calendar, people, permit};
use crate::availability::wall::Interval;
use crate::slots::rooms::Place;
use crate::tables::AppointmentType;

/// On which terms a time is wanted.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// The main provider.
    pub provider: &'a User,
    /// The type, if any.
    pub of: Option<&'a AppointmentType>,
    /// Whether only a free time will do.
    pub enforced: bool,
    /// Whether a client asks, to whom more rules apply.
    pub by_client: bool,
}

/// The members among those who attend.
pub fn attending_members(attendees: &[User]) -> impl Iterator<Item = Id<User>> {
    attendees.iter().filter(|user| !user.is_patient).map(|user| user.id)
}

/// Whose time an appointment takes, ascending: of those who give it and of the
/// members who attend.
pub fn members(row: &Appointment, further: &[Id<User>], attendees: &[User]) -> Vec<i64> {
    let further = further.iter().copied();
    let all = further.chain(attending_members(attendees)).chain([row.provider_id]);
    let mut members: Vec<i64> = all.map(|id| id.0).collect();
    members.sort_unstable();
    members.dedup();
    members
}

/// Whether the appointment is put over another on purpose; a refusal when its time
/// can't be had. Behind the lock on the calendars of these members.
pub async fn settle(
    call: &mut Call<'_>,
    row: &Appointment,
    members: &[i64],
    terms: &Terms<'_>,
    without: Option<Id<Appointment>>,
) -> Answer<bool> {
    if !calendar::takes_time(row) {
        return Ok(false);
    }
    let interval = Interval { start: row.start_at, end: row.end_at };
    let org = call.actor.org_id;
    let taken = calendar::taken(call.tx, org, members, &interval, without).await?;
    if terms.enforced && !row.is_blocker {
        let wanted = Wanted {
            provider: terms.provider,
            of: terms.of,
            contact_type_id: row.contact_type_id,
            place: Place::of(row),
            interval,
            without,
            by_client: terms.by_client,
        };
        let is_free = taken.is_empty() && bookable(call, &wanted).await?;
        return if is_free { Ok(false) } else { Err(not_free()) };
    }
    match taken.iter().all(|it| permit::may_book_over(call.actor, it.user_id)) {
        true => Ok(!taken.is_empty()),
        false => Err(not_free()),
    }
}

/// Takes the calendars of whoever gives and attends an appointment, and of those whose
/// time it takes: who they are.
pub async fn hold(call: &mut Call<'_>, row: &Appointment) -> Answer<(Vec<i64>, Vec<i64>)> {
    let takers = people::takers(call, row).await?;
    let held = calendar::holders(call, row.id).await?;
    let mut all = [takers.as_slice(), held.as_slice()].concat();
    all.sort_unstable();
    all.dedup();
    calendar::lock(call, &all).await?;
    Ok((takers, held))
}

/// Writes whose time an appointment takes now: whoever gives and attends it. Of who
/// did not before, that time is theirs to take, or free.
pub async fn retake(call: &mut Call<'_>, row: &Appointment) -> Answer<()> {
    let (takers, held) = hold(call, row).await?;
    let fresh: Vec<i64> = takers.iter().copied().filter(|it| !held.contains(it)).collect();
    if calendar::takes_time(row) && !fresh.is_empty() {
        let interval = Interval { start: row.start_at, end: row.end_at };
        let org = call.actor.org_id;
        let taken = calendar::taken(call.tx, org, &fresh, &interval, Some(row.id)).await?;
        if !taken.iter().all(|it| permit::may_book_over(call.actor, it.user_id)) {
            return Err(not_free());
        }
    }
    calendar::put(call, row, &takers).await
}

fn not_free() -> Refused {
    Refused::on("datetime", "That time is not available. Choose another one.")
}
