//! Booking by staff (behaviour 23.2).

use jiff::tz::TimeZone;
use ward_clients::access;
use ward_engine::{Answer, Call, Payload, Problems, Refused, ViewId};
use ward_identity::id_or_blank::named;
use ward_identity::permit::members_only;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Level};

use super::input::{self, CreateAppointment};
use super::series::create as series;
use super::settle::{self, Terms, attending_members, members};
use super::table::Appointment;
use super::when::{self, Known};
use super::{calendar, people, permit, room};
use crate::appointment_location::choice;
use crate::availability::wall::Interval;
use crate::contact_type::ContactType;
use crate::credit::exclude::with_credits;
use crate::request::answer;
use crate::settings::applies::applies;
use crate::settings::layers::Settings;
use crate::tables::AppointmentType;

/// Books an appointment, or keeps time free with a blocker.
pub async fn create(call: &mut Call<'_>, input: &CreateAppointment) -> Answer<Payload> {
    members_only(call.actor)?;
    let is_blocker = input.is_blocker.is_true();
    let main = named(&input.other_party_id).unwrap_or_else(|| Id::new(call.actor.user_id));
    permit::may_add(call, main.0, is_blocker)?;
    let provider = people::provider(call, main).await?;
    let mut problems = Problems::new();
    input::check_new(input, &mut problems);
    let said = input.series(&mut problems);
    let (zone, timezone) = when::zone(&input.timezone, &call.request.zone, &mut problems);
    if !problems.is_empty() {
        problems.check()?;
    }
    let of = match named(&input.appointment_type_id) {
        Some(id) => Some(bookable_type(call, id, provider.unit_id).await?),
        None => None,
    };
    let interval = interval(call, input, of.as_ref(), &zone)?;
    let mut row = blank(call, &provider, &interval, timezone).await?;
    row.is_blocker = is_blocker;
    row.appointment_type_id = of.as_ref().map(|of| of.id);
    row.is_group = of.as_ref().is_some_and(|of| of.is_group);
    input.write(&mut row);
    let at = (named(&input.appointment_location_id), named(&input.room_id));
    (row.appointment_location_id, row.room_id) = choice::whereabouts(call, &row, at).await?;
    let further: &[Id<User>] = input.providers.value().map_or(&[], |list| &list.0);
    let further = people::further_providers(call, further, &provider).await?;
    let attendees = attendees(call, input, &mut row).await?;
    let others = further.iter().copied().chain(attending_members(&attendees));
    for member in others {
        permit::may_add(call, member.0, is_blocker)?;
    }
    let asked = match named(&input.appointment_request_id) {
        Some(_) if is_blocker => {
            return Err(Refused::on("appointment_request_id", "A blocker answers no request"));
        }
        Some(id) => Some(answer::to_fulfil(call, id, row.unit_id).await?),
        None => None,
    };
    let settings = applies(call, of.as_ref(), provider.id.0, provider.unit_id.0).await?;
    needs_place(call, &row, &settings)?;
    row.confirmed = !is_blocker && settings.confirm_by_default;
    let members = members(&row, &further, &attendees);
    let intervals = series::intervals(call, &said, interval, &zone)?;
    calendar::lock(call, &members).await?;
    room::hold(call, None, &row).await?;
    let is_series = said.is_said();
    let join_all = said.join_all.unwrap_or(false);
    let joins = join_all || !row.is_group;
    let attendees = match input.exclude_no_credits.is_true() {
        true => {
            let times = if joins { intervals.len() } else { 1 };
            with_credits(call, &row, &settings, attendees, times).await?
        }
        false => attendees,
    };
    let terms = Terms {
        provider: &provider,
        of: of.as_ref(),
        // It says nothing of series (behaviour 23.2).
        enforced: input.enforce_availability.is_true() && !is_series,
        by_client: false,
    };
    if let Some(wanted) = series::wanted(&said)? {
        let made = series::series(call, &row, wanted, join_all, None).await?;
        row.recurring_appointment_id = Some(made.id);
        row.current_position_in_recurring_series = Some(1);
    }
    let told = !input.suppress_webhook_notifications.is_true() && !is_series;
    series::write(call, &mut row, (&further, &attendees), &members, &terms, told).await?;
    if let Some(asked) = &asked {
        answer::fulfil(call, asked, &row).await?;
    }
    let joins = join_all || !row.is_group;
    let (attendees, members) = match joins {
        true => (attendees, members),
        false => (Vec::new(), settle::members(&row, &further, &[])),
    };
    for (position, interval) in (2..).zip(intervals.into_iter().skip(1)) {
        let mut next = Appointment {
            id: call.next_id().await?,
            start_at: interval.start,
            end_at: interval.end,
            current_position_in_recurring_series: Some(position),
            ..row.clone()
        };
        series::write(call, &mut next, (&further, &attendees), &members, &terms, told).await?;
    }
    Ok(Payload::new().one("appointment", row.id.0))
}

/// A type that can be booked: not deleted, of the provider's unit.
pub(super) async fn bookable_type(
    call: &mut Call<'_>,
    id: Id<AppointmentType>,
    unit: Id<Organization>,
) -> Answer<AppointmentType> {
    let found = call.visible_for_reference(id, Level::Full).await?;
    let of = found.map(|(of, _): (AppointmentType, _)| of).filter(|of| of.unit_id == unit);
    of.ok_or_else(|| Refused::not_found("appointment_type_id"))
}

fn interval(
    call: &Call<'_>,
    input: &CreateAppointment,
    of: Option<&AppointmentType>,
    zone: &TimeZone,
) -> Answer<Interval> {
    const MINUTE: i64 = 60_000_000;
    let mut problems = Problems::new();
    let is_blocker = input.is_blocker.is_true();
    let length = of.map(|of| of.length);
    let now = call.now();
    if input.start_immediately.is_true() && !input.times().name_a_start() {
        let start = Timestamp(now.0.div_euclid(MINUTE) * MINUTE);
        let before = Interval { start, end: Timestamp(start.0 + MINUTE) };
        let known = Known { before: Some(before), length, is_blocker };
        let found = when::when(&input.times(), &known, zone, now, &mut problems);
        return checked(found, problems);
    }
    let known = Known { before: None, length, is_blocker };
    let found = when::when(&input.times(), &known, zone, now, &mut problems);
    checked(found, problems)
}

pub(super) fn checked(found: Option<Interval>, problems: Problems) -> Answer<Interval> {
    problems.check()?;
    found.ok_or_else(|| Refused::on("datetime", "Datetime is invalid"))
}

pub(crate) async fn blank(
    call: &mut Call<'_>,
    provider: &User,
    interval: &Interval,
    timezone: String,
) -> Answer<Appointment> {
    let now = call.now();
    Ok(Appointment {
        id: call.next_id().await?,
        org_id: provider.org_id,
        unit_id: provider.unit_id,
        provider_id: provider.id,
        user_id: None,
        appointment_type_id: None,
        contact_type_id: None,
        location: None,
        appointment_location_id: None,
        room_id: None,
        start_at: interval.start,
        end_at: interval.end,
        length: interval.minutes(),
        timezone,
        is_blocker: false,
        is_group: false,
        max_attendees: None,
        pm_status: None,
        pm_status_changed_at: None,
        pm_status_last_changed_by_id: None,
        confirmed: false,
        client_confirmed: false,
        notes: None,
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
        initiator_id: Some(Id::new(call.actor.user_id)),
        last_updated_by_id: Some(Id::new(call.actor.user_id)),
        patient_reschedule_count: 0,
        cancellation_reason_id: None,
        other_cancellation_reason: None,
        cancellation_initiated_by: None,
        recurring_appointment_id: None,
        current_position_in_recurring_series: None,
        time_recurring_override: false,
        booked_over: false,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    })
}

/// Who meets in person meets at a place, since version 2025-04-01 (behaviour 5); with
/// the setting everybody does (behaviour 21).
pub(super) fn needs_place(call: &Call<'_>, row: &Appointment, settings: &Settings) -> Answer<()> {
    let in_person = row.contact_type_id == Some(ContactType::InPerson.number());
    let asks = (call.request.view == ViewId::V2026 && in_person)
        || settings.require_selected_location_for_all_contact_types;
    match asks && !row.is_blocker && row.appointment_location_id.is_none() {
        true => Err(Refused::on("appointment_location_id", "Appointment location can't be blank")),
        false => Ok(()),
    }
}

/// Who attends: the client of an individual one, those of a group. Since version
/// 2025-05-15 an individual one takes one (behaviour 5).
async fn attendees(
    call: &mut Call<'_>,
    input: &CreateAppointment,
    row: &mut Appointment,
) -> Answer<Vec<User>> {
    let client = named(&input.user_id);
    let listed: &[Id<User>] = input.attendee_ids.value().map_or(&[], |list| &list.0);
    let listed: Vec<Id<User>> = listed.iter().copied().filter(|id| client != Some(*id)).collect();
    let mut attend = Vec::new();
    if let Some(client) = client {
        attend = people::attendees(call, &[client], row.unit_id, "user_id").await?;
    }
    attend.extend(people::attendees(call, &listed, row.unit_id, "attendee_ids").await?);
    check_attendees(call, row, &attend)?;
    if !row.is_group {
        row.user_id = attend.iter().find(|user| user.is_patient).map(|user| user.id);
    }
    let client = attend.iter().find(|user| user.is_patient);
    if let Some(client) = client.filter(|_| !row.is_group || attend.len() == 1) {
        access::concerns(call, client);
    }
    Ok(attend)
}

/// Whether these can attend such an appointment.
pub(super) fn check_attendees(call: &Call<'_>, row: &Appointment, attend: &[User]) -> Answer<()> {
    const AT: &str = "attendee_ids";
    if attend.iter().any(|user| user.id == row.provider_id) {
        return Err(Refused::on(AT, "The provider can't attend as well"));
    }
    if row.is_blocker && attend.iter().any(|user| user.is_patient) {
        return Err(Refused::on("user_id", "A blocker has no clients"));
    }
    if row.is_group || row.is_blocker {
        return people::check_seats(row, attend.len());
    }
    if attend.is_empty() {
        return Err(Refused::on("user_id", "User can't be blank"));
    }
    if !attend.iter().any(|user| user.is_patient) {
        return Err(Refused::on("user_id", "User must be a client"));
    }
    match attend.len() > 1 && call.request.view == ViewId::V2026 {
        true => Err(Refused::on(AT, "An individual appointment can have only 1 attendee")),
        false => Ok(()),
    }
}
