//! Moving in when a seat frees (behaviour 24): in the order of joining, never more
//! than there are seats, each once.

use ward_clients::access;
use ward_engine::{Answer, Bindings, Call};
use ward_identity::deceased::may_be_told;
use ward_identity::tables::User;
use ward_store::{Actor, Cond, Event, Id, Query, Scope, Sql};

use super::place::{self, held, line};
use super::table::WaitlistPlace;
use crate::appointment::table::{Appointment, AppointmentInclusion};
use crate::appointment::update::tell;
use crate::appointment::{calendar, people};
use crate::checkout::who::placed;
use crate::credit::follow;
use crate::settings::applies::type_of;

/// What of an appointment, when it changes, can free a seat or bring one back.
const FREES: [&str; 5] = ["attended_clients", "attendee_ids", "date", "max_attendees", "pm_status"];

/// Registers the reactions.
pub fn bind(b: &mut Bindings) {
    b.reaction("appointment.patient_added", |call, event| Box::pin(added(call, event)));
    b.reaction("appointment.patient_removed", |call, event| {
        Box::pin(fill(call, Id::new(event.resource_id)))
    });
    b.reaction("appointment.updated", |call, event| Box::pin(updated(call, event)));
    b.reaction("appointment.deleted", |call, event| Box::pin(deleted(call, event)));
    b.reaction("patient.updated", |call, event| Box::pin(gone(call, event)));
    b.reaction("patient.merged", |call, event| Box::pin(merged(call, event)));
}

/// Who has a seat waits for none.
async fn added(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let Some(client) = event.subject_id else { return Ok(()) };
    match place::of(call, Id::new(event.resource_id), client).await? {
        Some(place) => place::leave(call, &place).await,
        None => Ok(()),
    }
}

async fn updated(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    match event.changed_fields.iter().any(|field| FREES.contains(field)) {
        true => fill(call, Id::new(event.resource_id)).await,
        false => Ok(()),
    }
}

async fn deleted(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    for place in line(call, Id::new(event.resource_id)).await? {
        place::leave(call, &place).await?;
    }
    Ok(())
}

/// Whether a client can have a seat: not who is archived (behaviour 18.3) or has died.
fn can_come(client: &User) -> bool {
    client.active && may_be_told(client)
}

/// Who is archived, or has died, waits for nothing any more.
async fn gone(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    if !["active", "deceased_on"].iter().any(|field| event.changed_fields.contains(field)) {
        return Ok(());
    }
    let client: Option<User> = call.find(Id::new(event.resource_id)).await?;
    if client.is_some_and(|client| can_come(&client)) {
        return Ok(());
    }
    let own = Cond::eq("user_id", event.resource_id);
    let places: Vec<WaitlistPlace> = call.list(own, &[]).await?;
    for place in places {
        place::leave(call, &place).await?;
    }
    Ok(())
}

/// Of two who attended one appointment, one is left: the other's seat is free. Who
/// waited for a seat as one of the two and has one as the other waits no more.
async fn merged(call: &mut Call<'_>, event: &Event) -> Answer<()> {
    let sql = Sql::fixed(
        "SELECT a.id FROM appointments a JOIN appointment_inclusions i ON i.org_id = a.org_id \
         AND i.appointment_id = a.id WHERE a.org_id = $1 AND i.user_id = $2 \
         AND i.cancelled = FALSE AND a.is_group = TRUE AND a.deleted_at IS NULL \
         AND a.start_at > $3 ORDER BY a.id",
        [call.actor.org_id.into(), event.resource_id.into(), call.now().0.into()],
    );
    let rows = call.scope.tx.rows(&sql).await?;
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.first()?.int()).collect();
    for id in ids {
        let id = Id::new(id);
        if let Some(place) = place::of(call, id, event.resource_id).await? {
            place::leave(call, &place).await?;
        }
        fill(call, id).await?;
    }
    Ok(())
}

/// Moves in as many of those who wait as there are seats, the first in line first.
/// The appointment is held before it is asked who waits: who joins the line at this
/// moment is behind it, or finds the seat.
pub async fn fill(call: &mut Call<'_>, id: Id<Appointment>) -> Answer<()> {
    let Some(row) = held(call, id).await? else { return Ok(()) };
    if !can_be_joined(call, &row).await? {
        return Ok(());
    }
    let waiting = line(call, id).await?;
    if waiting.is_empty() {
        return Ok(());
    }
    let mut free = people::seats(&row).saturating_sub(people::taken_seats(call, &row).await?);
    let mut came = false;
    for place in waiting {
        if free == 0 {
            break;
        }
        // Passed over until they have one: nobody else's seat hangs on it.
        if follow::lacks(call, &row, place.user_id).await? {
            continue;
        }
        place::leave(call, &place).await?;
        if move_in(call, &row, &place).await? {
            free -= 1;
            came = true;
        }
    }
    if came {
        tell(call, &row, &["attended_clients"], true);
    }
    Ok(())
}

/// The same for whoever wants a seat: it is the practice that moves up the line.
pub async fn fill_first(call: &mut Call<'_>, row: &Appointment) -> Answer<()> {
    let system = Actor { unit_id: row.unit_id.0, ..Actor::system(row.org_id.0) };
    let cause = call.scope.cause.clone();
    let mut scope = Scope::new(&mut *call.scope.tx, &system);
    scope.cause = cause;
    fill(&mut Call { scope, request: call.request }, row.id).await
}

/// Nobody moves into what is over, off or shut.
async fn can_be_joined(call: &mut Call<'_>, row: &Appointment) -> Answer<bool> {
    let is_on = calendar::takes_time(row) && !row.is_blocker && row.start_at > call.now();
    Ok(is_on && access::is_open(call, row.unit_id).await?)
}

/// Gives the seat to who waited; whether they took it. It concerns them alone, and
/// they are told whatever the change that freed it says of notices.
async fn move_in(call: &mut Call<'_>, row: &Appointment, place: &WaitlistPlace) -> Answer<bool> {
    let client: Option<User> = call.find(place.user_id).await?;
    let fits = |it: &User| it.is_patient && can_come(it) && it.unit_id == row.unit_id;
    let Some(client) = client.filter(fits) else { return Ok(false) };
    let own = Cond::eq("appointment_id", row.id.0).and(Cond::eq("user_id", client.id.0));
    let known: Option<AppointmentInclusion> = call.find_by(own).await?;
    let subject = call.scope.subject_id.replace(client.id.0);
    let of = type_of(call, row.appointment_type_id).await?;
    let client = match of {
        Some(of) => placed(call, client, &of).await?,
        None => client,
    };
    let came = people::move_in(call, row, known.as_ref(), &client).await?;
    call.scope.subject_id = subject;
    Ok(came)
}
