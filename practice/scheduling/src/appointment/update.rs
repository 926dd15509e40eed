//! Changing what is booked, by staff (behaviour 23.4).

use std::collections::BTreeSet;

use ward_engine::{Answer, Call, Payload, Problems, Refused};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_identity::tables::User;
use ward_store::{Event, Id, Level};

use super::create::{bookable_type, check_attendees, checked, needs_place};
use super::input::{self, UpdateAppointment};
use super::series::update::{self as series, Place};
use super::settle::{Terms, attending_members, retake, settle};
use super::table::Appointment;
use super::when::{self, Known};
use super::{calendar, cancel, client, inclusion, part, people, permit, room, video};
use crate::appointment_location::choice;
use crate::appointment_location::table::AppointmentLocation;
use crate::availability::wall::Interval;
use crate::credit::follow;
use crate::events;
use crate::settings::applies::{applies, type_of};
use crate::tables::AppointmentType;

/// The appointment with this id as the caller sees it, held until the transaction
/// ends: who writes what belongs to it holds it first.
pub(super) async fn to_change(
    call: &mut Call<'_>,
    id: Option<Id<Appointment>>,
) -> Answer<Appointment> {
    let id = id.ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let row = found.map(|(row, _): (Appointment, _)| row);
    let row = row.ok_or_else(|| Refused::not_found("id"))?;
    // A client's own doings concern that client, in a group as well.
    let own = call.actor.is_client().then_some(call.actor.user_id);
    call.scope.subject_id = own.or(row.user_id.map(|client| client.0));
    Ok(row)
}

/// Changes an appointment, or with it all behind it of its series. What is not sent
/// stays.
pub async fn update(call: &mut Call<'_>, input: &UpdateAppointment) -> Answer<Payload> {
    let before = to_change(call, input.id.value().copied()).await?;
    if call.actor.is_client() {
        return client::update(call, input, before).await;
    }
    let mut problems = Problems::new();
    let said = input.series(&mut problems);
    problems.check()?;
    let is_series = before.recurring_appointment_id.is_some();
    match (is_series, input.updateRecurring.is_true()) {
        (true, true) => series::all(call, input, &before).await?,
        (false, _) if said.is_said() => {
            return Err(Refused::base("An appointment can't become a series: book a series"));
        }
        _ => {
            one(call, input, &before, None).await?;
        }
    }
    Ok(Payload::new().one("appointment", before.id.0))
}

/// What a change makes of an appointment, before it is made.
pub(super) struct Preview {
    pub row: Appointment,
    /// Whether anything is different.
    pub differs: bool,
    /// Whose time it would take.
    pub members: Vec<i64>,
}

pub(super) async fn preview(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    before: &Appointment,
) -> Answer<Preview> {
    members_only(call.actor)?;
    let providers = people::providers(call, before).await?;
    permit::may_change(call, before, &providers)?;
    let change = changed(call, input, before, providers).await?;
    let differs =
        change.row != *before || change.attendees.is_some() || change.members != change.were;
    Ok(Preview { row: change.row, differs, members: change.members })
}

/// Changes one appointment by staff, as it is held; with another place in a series
/// where it gets one.
pub(super) async fn one(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    before: &Appointment,
    place: Option<Place>,
) -> Answer<Appointment> {
    members_only(call.actor)?;
    let providers = people::providers(call, before).await?;
    permit::may_change(call, before, &providers)?;
    let mut change = changed(call, input, before, providers.clone()).await?;
    let said = input.attended_clients.value();
    change.members.extend(inclusion::revived_members(call, before, said).await?);
    let held = calendar::holders(call, before.id).await?;
    for member in change.members.iter().filter(|it| !change.were.contains(it)) {
        permit::may_add(call, *member, before.is_blocker)?;
    }
    let all: BTreeSet<i64> = held.iter().chain(&change.members).copied().collect();
    calendar::lock(call, &all.into_iter().collect::<Vec<i64>>()).await?;
    let mut row = change.row;
    let moved = (row.start_at, row.end_at) != (before.start_at, before.end_at);
    room::hold(call, Some(before), &row).await?;
    let is_series = before.recurring_appointment_id.is_some();
    if let Some(place) = place {
        row.recurring_appointment_id = Some(place.series);
        row.current_position_in_recurring_series = Some(place.position);
    }
    row.time_recurring_override = match place {
        Some(_) => row.time_recurring_override && !moved,
        None => row.time_recurring_override || (is_series && moved),
    };
    if moved || change.members.iter().any(|it| !held.contains(it)) {
        let terms = Terms {
            provider: &change.provider,
            of: change.of.as_ref(),
            // It says nothing of series (behaviour 23.2).
            enforced: input.enforce_availability.is_true() && place.is_none(),
            by_client: false,
        };
        let over = settle(call, &row, &change.members, &terms, Some(before.id)).await?;
        row.booked_over = over;
    }
    call.scope.subject_id = part::concerned(call, before, &row).await?;
    let mut fields = write(call, before, &mut row).await?;
    call.scope.subject_id = row.user_id.map(|client| client.0);
    follow::ended(call, before, &row).await?;
    let noticed = !input.skip_notification_email.is_true();
    if people::put_providers(call, &row, &change.further).await? {
        fields.push("providers");
    }
    if let Some(attendees) = &change.attendees
        && people::put_attendees(call, &row, attendees, noticed).await?
    {
        fields.push("attendee_ids");
    }
    if inclusion::apply_all(call, &row, said, noticed).await? {
        fields.push("attended_clients");
    }
    follow::resumed(call, before, &row).await?;
    retake(call, &row).await?;
    if !fields.is_empty() {
        let event = events::appointment_updated(&row, &fields);
        let event = event.told(is_told(&row, !input.suppress_webhook_notifications.is_true()));
        let event = giving(event, (before, &providers), (&row, &change.further));
        call.emit(event.noticed(noticed));
    }
    Ok(row)
}

/// Tells aside of the members who give it from now on, as the main provider or beside
/// them, and of those who do not any more.
fn giving(
    event: Event,
    (before, were): (&Appointment, &[i64]),
    (after, are): (&Appointment, &[Id<User>]),
) -> Event {
    let main = (before.provider_id.0, after.provider_id.0);
    let gives = |id: i64| id == main.1 || are.iter().any(|it| it.0 == id);
    let fresh = are.iter().map(|it| it.0).filter(|id| !were.contains(id));
    let fresh = fresh.chain([main.1].into_iter().filter(|id| *id != main.0));
    let event = fresh.fold(event, |event, id| event.aside(events::PROVIDER_ADDED, id));
    if !calendar::takes_time(before) {
        return event;
    }
    let gone = were.iter().copied().chain([main.0]).filter(|id| !gives(*id));
    gone.fold(event, |event, id| event.aside(events::PROVIDER_REMOVED, id))
}

/// Writes a row; what changed, by the contract's names.
pub(super) async fn write(
    call: &mut Call<'_>,
    before: &Appointment,
    after: &mut Appointment,
) -> Answer<Vec<&'static str>> {
    let mut probe = after.clone();
    probe.last_updated_by_id = before.last_updated_by_id;
    if probe == *before {
        return Ok(Vec::new());
    }
    video::follow(call, Some(before), after).await?;
    let actor = call.actor.user_id;
    after.last_updated_by_id = (actor != 0).then(|| Id::new(actor));
    let columns = call.update(before, after).await?.columns;
    Ok(columns.into_iter().filter_map(field).collect())
}

/// The contract's name of a column; nothing for what is no fact of its own.
pub(super) fn field(column: &'static str) -> Option<&'static str> {
    match column {
        "start_at" => Some("date"),
        "provider_id" => Some("other_party_id"),
        "contact_type_id" => Some("contact_type"),
        "end_at" | "unit_id" | "booked_over" | "last_updated_by_id" => None,
        "current_position_in_recurring_series" | "recurring_appointment_id" => None,
        "room_ordered" | "room_orders" => None,
        "pm_status_changed_at" | "pm_status_last_changed_by_id" => None,
        other => Some(other),
    }
}

/// Tells of a change, if there was one.
pub(crate) fn tell(call: &mut Call<'_>, row: &Appointment, fields: &[&'static str], told: bool) {
    if !fields.is_empty() {
        call.emit(events::appointment_updated(row, fields).told(is_told(row, told)));
    }
}

/// Whether webhooks are told what became of an appointment: of series never (behaviour 13.6).
pub(super) fn is_told(row: &Appointment, told: bool) -> bool {
    told && row.recurring_appointment_id.is_none()
}

/// An appointment as it is to be, with everybody in it.
struct Change {
    row: Appointment,
    provider: User,
    of: Option<AppointmentType>,
    further: Vec<Id<User>>,
    /// Who is to attend, where that was said.
    attendees: Option<Vec<User>>,
    /// Whose time it is to take.
    members: Vec<i64>,
    /// Who gave or attended it before.
    were: Vec<i64>,
}

async fn changed(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    before: &Appointment,
    providers: Vec<i64>,
) -> Answer<Change> {
    let mut problems = Problems::new();
    input::check_change(input, before.is_blocker, &mut problems);
    let (zone, timezone) = when::zone(&input.timezone, &call.request.zone, &mut problems);
    if input.is_blocker.value().is_some_and(|it| *it != before.is_blocker) {
        problems.add("is_blocker", "An appointment can't become a blocker, nor a blocker one");
    }
    problems.check()?;
    let were = people::takers(call, before).await?;
    let mut row = before.clone();
    let provider = match named(&input.other_party_id).filter(|id| *id != before.provider_id) {
        Some(id) => {
            permit::may_add(call, id.0, before.is_blocker)?;
            people::provider(call, id).await?
        }
        None => main(call, before).await?,
    };
    if provider.unit_id != before.unit_id {
        return Err(Refused::not_found("other_party_id"));
    }
    row.provider_id = provider.id;
    let (of, length) = of_type(call, input, before).await?;
    row.appointment_type_id = of.as_ref().map(|of| of.id);
    if input.timezone.trimmed().is_some() {
        row.timezone = timezone;
    }
    if input.times().name_a_start() || input.times().name_an_end() || length.is_some() {
        let was = Interval { start: before.start_at, end: before.end_at };
        let known = Known { before: Some(was), length, is_blocker: before.is_blocker };
        let mut problems = Problems::new();
        let found = when::when(&input.times(), &known, &zone, call.now(), &mut problems);
        let interval = checked(found, problems)?;
        (row.start_at, row.end_at) = (interval.start, interval.end);
        row.length = interval.minutes();
    }
    facts(input, &mut row);
    whereabouts(call, input, before, &mut row).await?;
    let settings = applies(call, of.as_ref(), row.provider_id.0, row.unit_id.0).await?;
    if input.appointment_location_id.is_given() || input.contact_type.is_given() {
        needs_place(call, &row, &settings)?;
    }
    cancel::status(call, input, before, &mut row, &settings)?;
    let further = match input.providers.value() {
        Some(list) => people::further_providers(call, &list.0, &provider).await?,
        None if input.providers.is_given() => Vec::new(),
        None => providers.iter().map(|id| Id::new(*id)).filter(|id| *id != provider.id).collect(),
    };
    let attendees = attendees(call, input, &mut row).await?;
    let attending = match &attendees {
        Some(attend) => attending_members(attend).map(|id| id.0).collect(),
        None => {
            let revived = calendar::takes_time(&row) && !calendar::takes_time(before);
            // What a merge left too full can be changed, but for its seats.
            if revived || row.max_attendees != before.max_attendees {
                people::check_seats(&row, people::attending(call, &row).await?)?;
            }
            people::attending_members(call, &row).await?
        }
    };
    let further_ids = further.iter().map(|id| id.0);
    let members = further_ids.chain(attending).chain([provider.id.0]);
    let members: BTreeSet<i64> = members.collect();
    let members = members.into_iter().collect();
    Ok(Change { row, provider, of, further, attendees, members, were })
}

/// Where it is to be from now on. At another place it has no room of the old one; what
/// stays is not asked for again.
async fn whereabouts(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    before: &Appointment,
    row: &mut Appointment,
) -> Answer<()> {
    let was = (before.appointment_location_id, before.room_id);
    let mut wanted = was;
    if input.appointment_location_id.is_given() {
        let id = named(&input.appointment_location_id);
        wanted = (id, was.1.filter(|_| id == was.0));
    }
    if input.room_id.is_given() {
        wanted.1 = named(&input.room_id);
    }
    if wanted != was {
        wanted = choice::whereabouts(call, row, wanted).await?;
    } else if let Some(id) = was.0.filter(|_| row.provider_id != before.provider_id) {
        let place: Option<AppointmentLocation> = call.find_deleted_too(id).await?;
        if place.is_some_and(|it| !it.serves(row.unit_id.0, row.provider_id.0)) {
            let sentence = "Appointment location is another provider's";
            return Err(Refused::on(choice::AT, sentence));
        }
    }
    (row.appointment_location_id, row.room_id) = wanted;
    Ok(())
}

fn facts(input: &UpdateAppointment, row: &mut Appointment) {
    input.write(row);
    if let Some(confirmed) = input.confirmed.value() {
        row.confirmed = *confirmed;
    }
    if let Some(confirmed) = input.client_confirmed.value() {
        row.client_confirmed = *confirmed;
    }
    if input.actual_duration.is_given() {
        row.actual_duration = input.actual_duration.value().and_then(|it| it.0);
    }
}

/// The main provider as they are, whatever became of them.
pub(super) async fn main(call: &mut Call<'_>, row: &Appointment) -> Answer<User> {
    let found: Option<User> = call.find_deleted_too(row.provider_id).await?;
    found.ok_or_else(|| Refused::not_found("id"))
}

/// The type that it is to be of, and the length that follows from another one.
async fn of_type(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    before: &Appointment,
) -> Answer<(Option<AppointmentType>, Option<i64>)> {
    let asked = named(&input.appointment_type_id);
    let Some(id) = asked.filter(|id| before.appointment_type_id != Some(*id)) else {
        return Ok((type_of(call, before.appointment_type_id).await?, None));
    };
    let of = bookable_type(call, id, before.unit_id).await?;
    if of.is_group != before.is_group {
        let sentence = "A group's appointment can't become one of a single client, nor the reverse";
        return Err(Refused::on("appointment_type_id", sentence));
    }
    let length = of.length;
    Ok((Some(of), Some(length)))
}

/// Who is to attend, where the input says so.
async fn attendees(
    call: &mut Call<'_>,
    input: &UpdateAppointment,
    row: &mut Appointment,
) -> Answer<Option<Vec<User>>> {
    let client = named(&input.user_id).filter(|_| !row.is_group);
    let ids: Vec<Id<User>> = match (input.attendee_ids.value(), client) {
        (Some(list), Some(client)) => {
            let others = list.0.iter().copied().filter(|id| *id != client);
            [client].into_iter().chain(others).collect()
        }
        (Some(list), None) => list.0.clone(),
        (None, Some(client)) => vec![client],
        (None, None) if input.attendee_ids.is_given() && row.is_group => Vec::new(),
        (None, None) => return Ok(None),
    };
    let at = if client.is_some() { "user_id" } else { "attendee_ids" };
    let attend = people::attendees(call, &ids, row.unit_id, at).await?;
    check_attendees(call, row, &attend)?;
    if !row.is_group {
        row.user_id = attend.iter().find(|user| user.is_patient).map(|user| user.id);
    }
    Ok(Some(attend))
}
