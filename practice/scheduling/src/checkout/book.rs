//! `completeCheckout`: a time of a provider's, or seats, booked by whom they are for.
//! What is listed as free can be booked, and nothing else: both ask one rule (DOM-08),
//! here behind the calendar's lock.

use ward_clients::access;
use ward_engine::{Answer, Call, Payload, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::states;
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Actor, Id, Level, Role, Scope};

use super::input::{CompleteCheckout, start};
use super::seat::Joined;
use super::{seat, who};
use crate::appointment::create::blank;
use crate::appointment::table::Appointment;
use crate::appointment::{calendar, people, room};
use crate::appointment_location::choice;
use crate::appointment_location::table::AppointmentLocation;
use crate::availability::wall::Interval;
use crate::contact_type::{ContactType, offered};
use crate::events;
use crate::settings::applies::applies;
use crate::slots::ask::Ask;
use crate::slots::found::{self, Slot};
use crate::slots::reading::{self, Field, visiting};
use crate::tables::AppointmentType;

const MINUTE: i64 = 60_000_000;

/// Where something is booked: the tenant and the unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub org_id: i64,
    pub unit_id: i64,
}

/// Books, or nothing of it.
pub async fn complete(call: &mut Call<'_>, input: &CompleteCheckout) -> Answer<Payload> {
    who::may_schedule(call).await?;
    let joins = input.joins();
    let place = match joins.is_empty() {
        true => place_of_provider(call, input).await?,
        false => seat::place(call, &joins).await?,
    };
    let request = call.request;
    let actor = visiting(&request.actor, place.org_id, place.unit_id);
    let mut inner = Call { scope: Scope::new(&mut *call.scope.tx, &actor), request };
    // The tenant, too: of a practice that is shut a branch may be open.
    if !access::is_open(&mut inner, Id::new(place.unit_id)).await? {
        return Err(Refused::not_found(if joins.is_empty() { "provider_id" } else { seat::AT }));
    }
    let Joined { ids, waits } = match joins.is_empty() {
        true => Joined { ids: vec![alone(&mut inner, input).await?], waits: false },
        false => seat::join(&mut inner, input, &joins).await?,
    };
    let mut payload = Payload::new().many("appointments", ids.clone());
    if let [id, ..] = ids.as_slice() {
        payload = payload.one("appointment", *id);
    }
    // A visitor reads what they booked in the answer to it, and no more of it than
    // anybody might: whose client it became is not theirs to learn. Nor does a client
    // see more of what they only wait for.
    Ok(match actor.role == Role::Anonymous || waits {
        true => payload.seen_by(Actor { handed: ids, ..actor.clone() }),
        false => payload,
    })
}

async fn place_of_provider(call: &mut Call<'_>, input: &CompleteCheckout) -> Answer<Place> {
    let ask = ask(input);
    let request = call.request;
    let types = reading::types(&request.actor, call.scope.tx, &ask).await?;
    let of = types.first().ok_or_else(|| Refused::not_found("appointment_type_id"))?;
    // Of another practice or nobody: the same.
    let found = reading::named(&request.actor, call.scope.tx, &ask).await?;
    let found = found.filter(|it| (it.org_id, it.unit_id) == (of.org_id.0, of.unit_id.0));
    let found = found.ok_or_else(|| Refused::not_found("provider_id"))?;
    Ok(Place { org_id: found.org_id, unit_id: found.unit_id })
}

/// What is asked of slots to book this.
fn ask(input: &CompleteCheckout) -> Ask {
    Ask {
        provider: named(&input.provider_id).map(|id| id.0),
        type_id: named(&input.appointment_type_id).map(|id| id.0),
        contact: input.contact_type.trimmed().and_then(ContactType::of_text),
        location: named(&input.appointment_location_id).map(|id| id.0),
        state: input.location.trimmed().and_then(states::code),
        ..Ask::default()
    }
}

/// An appointment of the client's own.
async fn alone(call: &mut Call<'_>, input: &CompleteCheckout) -> Answer<i64> {
    let start = start(input, &call.request.zone)
        .ok_or_else(|| Refused::on("date", "Date must be a moment such as 2026-03-04T09:30:00Z"))?;
    let mut ask = ask(input);
    let provider_id = ask.provider.ok_or_else(|| Refused::not_found("provider_id"))?;
    calendar::lock(call, &[provider_id]).await?;
    let provider: Option<User> = call.find(Id::new(provider_id)).await?;
    let provider = provider.ok_or_else(|| Refused::not_found("provider_id"))?;
    let (of, way) = kind(call, &ask, &provider).await?;
    ask.contact = Some(way);
    let place = place(call, input, &provider, &of).await?;
    if of.require_in_state_clients {
        // Of a client it is the address that counts; what is said, where there is none.
        ask.state = state(call, &ask).await?;
    } else {
        ask.state = None;
    }
    let request = call.request;
    let field = reading::field(request, call.scope.tx, &ask).await?;
    let wanted = Slot { provider: provider_id, start, length: of.length, group: None };
    is_free(call, &ask, field.as_ref(), &wanted).await?;
    let client = who::client(call, &input.visitor(), &provider).await?;
    who::bounded(call, &client, &provider).await?;
    let client = who::placed(call, client, &of).await?;
    let row = row(call, input, (&provider, &of, &client), start).await?;
    let interval = Interval { start: row.start_at, end: row.end_at };
    let room_id = match place {
        Some(place) => room::choose(call, place, &interval).await?,
        None => None,
    };
    let row = Appointment {
        contact_type_id: Some(way.number()),
        appointment_location_id: place,
        room_id,
        ..row
    };
    call.create(&row).await?;
    call.emit(events::appointment_created(&row));
    people::put_attendees(call, &row, &[client], true).await?;
    calendar::put(call, &row, &[provider_id]).await?;
    Ok(row.id.0)
}

/// The type, and how they are to meet: as is said, or the one way that there is.
async fn kind(
    call: &mut Call<'_>,
    ask: &Ask,
    provider: &User,
) -> Answer<(AppointmentType, ContactType)> {
    let request = call.request;
    let types = reading::types(&request.actor, call.scope.tx, ask).await?;
    let of = types.into_iter().find(|of| !of.is_group && of.unit_id == provider.unit_id);
    let of = of.ok_or_else(|| Refused::not_found("appointment_type_id"))?;
    let settings = applies(call, Some(&of), provider.id.0, provider.unit_id.0).await?;
    let own = [of.offers_video, of.offers_in_person, of.offers_phone];
    let shown = |way: ContactType| Some(settings.contact_types.contains(&way));
    let ways = offered(&[own, ContactType::ALL.map(shown)]);
    match (ask.contact, ways.as_slice()) {
        (Some(way), ways) if ways.contains(&way) => Ok((of, way)),
        (Some(way), _) => {
            let sentence = format!("{} is not offered", way.name());
            Err(Refused::on("contact_type", sentence))
        }
        (None, [only]) => Ok((of, *only)),
        (None, _) => Err(Refused::on("contact_type", "Contact type can't be blank")),
    }
}

/// The state that is said, where no address says it.
pub(super) async fn state(call: &mut Call<'_>, ask: &Ask) -> Answer<Option<&'static str>> {
    let request = call.request;
    let known = match call.actor.is_client() {
        true => !reading::home_states(request, call.scope.tx, call.scope.actor).await?.is_empty(),
        false => false,
    };
    match (known, ask.state) {
        (true, _) => Ok(None),
        (false, Some(state)) => Ok(Some(state)),
        (false, None) => {
            Err(Refused::on("location", "Location must be the state in which you are"))
        }
    }
}

/// Whether the start is one that is listed, by the clock of this moment.
pub(super) async fn is_free(
    call: &mut Call<'_>,
    ask: &Ask,
    field: Option<&Field>,
    wanted: &Slot,
) -> Answer<()> {
    let taken = || Refused::on("date", "That time is not available. Choose another one.");
    let field = field.ok_or_else(taken)?;
    let instant = Interval { start: wanted.start, end: Timestamp(wanted.start.0 + 1) };
    let now = call.now();
    let found = found::slots(call.request, call.scope.tx, ask, field, &instant, now).await?;
    match found.contains(wanted) {
        true => Ok(()),
        false => Err(taken()),
    }
}

async fn row(
    call: &mut Call<'_>,
    input: &CompleteCheckout,
    (provider, of, client): (&User, &AppointmentType, &User),
    start: Timestamp,
) -> Answer<Appointment> {
    let end = Timestamp(start.0 + of.length * MINUTE);
    let own = input.timezone.trimmed().map(str::to_owned);
    // Of whom a visitor is taken for, nothing is theirs to learn.
    let of_client = client.timezone.clone().filter(|_| call.actor.is_client());
    let zone = own.or(of_client).or_else(|| provider.timezone.clone());
    let zone = zone.unwrap_or_else(|| "America/New_York".to_owned());
    let settings = applies(call, Some(of), provider.id.0, provider.unit_id.0).await?;
    let row = blank(call, provider, &Interval { start, end }, zone).await?;
    Ok(Appointment {
        user_id: Some(client.id),
        appointment_type_id: Some(of.id),
        location: input.location.trimmed().map(str::to_owned),
        reason: input.reason.trimmed().map(str::to_owned),
        confirmed: settings.confirm_by_default,
        initiator_id: (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id)),
        last_updated_by_id: (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id)),
        ..row
    })
}

/// Where they are to meet: at a place that clients may book, whose rooms are held from
/// here on.
async fn place(
    call: &mut Call<'_>,
    input: &CompleteCheckout,
    provider: &User,
    of: &AppointmentType,
) -> Answer<Option<Id<AppointmentLocation>>> {
    let Some(id) = named(&input.appointment_location_id) else {
        let settings = applies(call, Some(of), provider.id.0, provider.unit_id.0).await?;
        return match settings.require_selected_location_for_all_contact_types {
            true => Err(Refused::on(choice::AT, "Appointment location can't be blank")),
            false => Ok(None),
        };
    };
    let whose = (provider.unit_id, provider.id);
    let place = choice::place(call, id, whose, Level::Public).await?;
    match room::lock_place(call, place.id).await? {
        true => Ok(Some(place.id)),
        false => Err(Refused::not_found(choice::AT)),
    }
}
