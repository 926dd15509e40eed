//! What becomes of those who attend, each alone (behaviour 23.1, 23.4).

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Cond, Id, Level};

use super::input::{AttendedClient, UpdateInclusion, bounded_reason};
use super::settle::{Terms, hold, retake, settle};
use super::table::{Appointment, AppointmentInclusion};
use super::update::{main, tell, to_change, write};
use super::{calendar, client, part, people, permit};
use crate::settings::applies::type_of;
use crate::waitlist::place;

const AT: &str = "attended_clients";

/// What is said of one who attends.
#[derive(Clone, Debug, Default)]
struct Said {
    attended: Option<bool>,
    cancelled: Option<bool>,
    confirmed: Option<bool>,
    reason: Option<String>,
    other: Option<String>,
    seats_held: Option<i64>,
}

impl Said {
    fn of(sent: &AttendedClient) -> Self {
        Said {
            attended: sent.attended.value().copied(),
            cancelled: sent.cancelled.value().copied(),
            confirmed: sent.confirmed.value().copied(),
            reason: sent.cancellation_reason.trimmed().map(str::to_owned),
            other: sent.other_cancellation_reason.trimmed().map(str::to_owned),
            seats_held: None,
        }
    }
}

/// Writes what `attended_clients` of an appointment says; whether it changed
/// anything.
pub(super) async fn apply_all(
    call: &mut Call<'_>,
    row: &Appointment,
    sent: Option<&Vec<AttendedClient>>,
    noticed: bool,
) -> Answer<bool> {
    let mut changed = false;
    for one in sent.into_iter().flatten() {
        let mut problems = Problems::new();
        bounded_reason(AT, &one.cancellation_reason, &mut problems);
        bounded_reason(AT, &one.other_cancellation_reason, &mut problems);
        problems.check()?;
        let said = Said::of(one);
        match found(call, row, one).await? {
            Some(found) => changed |= apply(call, row, &found, &said, noticed).await?,
            None => waits_no_more(call, row, one, &said).await?,
        }
    }
    Ok(changed)
}

/// Takes somebody off the waitlist whose part there is to come: calling it off is all
/// that can be said of them.
async fn waits_no_more(
    call: &mut Call<'_>,
    row: &Appointment,
    one: &AttendedClient,
    said: &Said,
) -> Answer<()> {
    let place = match named(&one.user_id).filter(|_| said.cancelled == Some(true)) {
        Some(user) => place::of(call, row.id, user.0).await?,
        None => None,
    };
    match place {
        Some(place) => place::leave(call, &place).await,
        None => Err(Refused::not_found(AT)),
    }
}

/// The part that is named.
async fn found(
    call: &mut Call<'_>,
    row: &Appointment,
    one: &AttendedClient,
) -> Answer<Option<AppointmentInclusion>> {
    let which = match (named(&one.id), named(&one.user_id)) {
        (Some(id), _) => Cond::eq("id", id.0),
        (None, Some(user)) => Cond::eq("user_id", user.0),
        (None, None) => return Ok(None),
    };
    Ok(call.find_by(which.and(Cond::eq("appointment_id", row.id.0))).await?)
}

/// The members whose parts `attended_clients` revives: their time is taken again.
pub(super) async fn revived_members(
    call: &mut Call<'_>,
    row: &Appointment,
    sent: Option<&Vec<AttendedClient>>,
) -> Answer<Vec<i64>> {
    let mut members = Vec::new();
    for one in sent.into_iter().flatten().filter(|it| it.cancelled.value() == Some(&false)) {
        if let Some(part) = found(call, row, one).await?.filter(|part| part.cancelled) {
            members.extend(member(call, &part, AT).await?);
        }
    }
    Ok(members)
}

/// The member whose part it is, who must be able to attend; of a client nothing.
async fn member(call: &mut Call<'_>, part: &AppointmentInclusion, at: &str) -> Answer<Option<i64>> {
    let user: Option<User> = call.find(part.user_id).await?;
    match user {
        Some(user) if user.is_patient => Ok(None),
        Some(user) if user.active && !user.is_integration => Ok(Some(user.id.0)),
        _ => Err(Refused::not_found(at)),
    }
}

/// Takes the time of a member whose part is revived, by the rules of booking: whoever
/// may put it into their calendar, where it is free or may be booked over, which is
/// marked (trust ruling 5).
async fn take_again(
    call: &mut Call<'_>,
    before: &Appointment,
    part: &AppointmentInclusion,
) -> Answer<Appointment> {
    let mut row = before.clone();
    let mut all = people::takers(call, before).await?;
    let Some(member) = member(call, part, "id").await?.filter(|it| !all.contains(it)) else {
        return Ok(row);
    };
    permit::may_add(call, member, before.is_blocker)?;
    all.push(member);
    all.extend(calendar::holders(call, before.id).await?);
    calendar::lock(call, &all).await?;
    let provider = main(call, before).await?;
    let of = type_of(call, before.appointment_type_id).await?;
    let terms = Terms { provider: &provider, of: of.as_ref(), enforced: false, by_client: false };
    row.booked_over |= settle(call, before, &[member], &terms, Some(before.id)).await?;
    write(call, before, &mut row).await?;
    Ok(row)
}

/// Writes what is said of one; whether it changed anything. The appointment is
/// held, so a seat that is taken again is still there.
async fn apply(
    call: &mut Call<'_>,
    row: &Appointment,
    before: &AppointmentInclusion,
    said: &Said,
    noticed: bool,
) -> Answer<bool> {
    let mut after = before.clone();
    if said.cancelled == Some(false) && before.cancelled {
        people::check_seats(row, people::attending(call, row).await? + 1)?;
        after = people::revived(call, before);
    }
    after.seats_held = said.seats_held.unwrap_or(after.seats_held);
    after.attended = said.attended.or(before.attended);
    after.confirmed = said.confirmed.unwrap_or(before.confirmed);
    if said.cancelled == Some(true) && !before.cancelled {
        call_off(call, &mut after);
    }
    if after.cancelled || !before.cancelled {
        after.cancellation_reason = said.reason.clone().or(after.cancellation_reason);
        after.other_cancellation_reason = said.other.clone().or(after.other_cancellation_reason);
    }
    part::write(call, row, Some(before), Some(&after), noticed).await
}

/// How many seats are to be held besides from now on: staff free some, or all, and hold
/// none that nobody asked for.
fn seats_held(input: &UpdateInclusion, before: &AppointmentInclusion) -> Answer<Option<i64>> {
    let Some(seats) = input.seats_held.value().and_then(|it| it.0) else { return Ok(None) };
    match (0..=before.seats_held).contains(&seats) {
        true => Ok(Some(seats)),
        false => {
            let sentence = format!("Seats held must be from 0 to {}", before.seats_held);
            Err(Refused::on("seats_held", sentence))
        }
    }
}

/// Marks somebody's part as called off by the caller.
pub(super) fn call_off(call: &Call<'_>, part: &mut AppointmentInclusion) {
    part.cancelled = true;
    part.seats_held = 0;
    part.cancelled_at = Some(call.now());
    part.cancelled_by_id = Some(Id::new(call.actor.user_id));
}

/// `updateAppointmentInclusion`: staff who may change the appointment say anything,
/// clients confirm their own part or call it off.
pub async fn update(call: &mut Call<'_>, input: &UpdateInclusion) -> Answer<Payload> {
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible(id, Level::Full).await?;
    let seen: AppointmentInclusion =
        found.map(|(part, _)| part).ok_or_else(|| Refused::not_found("id"))?;
    let row = to_change(call, Some(seen.appointment_id)).await?;
    // Read again, now that nobody else changes it.
    let before: Option<AppointmentInclusion> = call.find(id).await?;
    let before = before.ok_or_else(|| Refused::not_found("id"))?;
    let mut problems = Problems::new();
    bounded_reason("cancellation_reason", &input.cancellation_reason, &mut problems);
    problems.check()?;
    if call.actor.is_client() {
        return client::update_part(call, input, &row, &before).await;
    }
    members_only(call.actor)?;
    let providers = people::providers(call, &row).await?;
    permit::may_change(call, &row, &providers)?;
    let said = Said {
        attended: input.attended.value().copied(),
        cancelled: input.cancelled.value().copied(),
        confirmed: input.confirmed.value().copied(),
        reason: input.cancellation_reason.trimmed().map(str::to_owned),
        other: None,
        seats_held: seats_held(input, &before)?,
    };
    hold(call, &row).await?;
    let row = match said.cancelled == Some(false) && before.cancelled {
        true => take_again(call, &row, &before).await?,
        false => row,
    };
    if apply(call, &row, &before, &said, true).await? {
        retake(call, &row).await?;
        tell(call, &row, &["attended_clients"], true);
    }
    Ok(Payload::new().one("appointment_inclusion", before.id.0))
}
