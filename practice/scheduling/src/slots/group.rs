//! Seats in appointments of several (behaviour 22): the slots of a group type are its
//! coming appointments.

use ward_engine::{Answer, Refused};
use ward_instance::Timestamp;
use ward_store::{Query, Sql, Value};

use super::ask::Ask;
use super::diary::{self, Wanted};
use super::found::{SLOTS_MAX, Seat, Slot};
use super::reading::Field;
use super::rule;
use crate::appointment::people;
use crate::availability::wall::Interval;
use crate::contact_type::ContactType;
use crate::tables::AppointmentType;

/// An appointment of several as it is.
struct Group {
    id: i64,
    provider: i64,
    of: i64,
    start: Timestamp,
    length: i64,
    contact: Option<i64>,
    location: Option<i64>,
    seats: Option<i64>,
    taken: usize,
}

/// The seats within a window, in order. Full ones where they are asked for and the
/// type has a waitlist; of those that the caller attends or waits for, none.
pub(super) async fn seats(
    q: &mut dyn Query,
    ask: &Ask,
    field: &Field,
    types: &[AppointmentType],
    window: &Interval,
    now: Timestamp,
) -> Answer<Vec<Slot>> {
    let ids: Vec<i64> = types.iter().map(|of| of.id.0).collect();
    if field.providers.is_empty() {
        return Ok(Vec::new());
    }
    let layers = diary::layers_of(q, field.actor.org_id, &field.providers, &ids).await?;
    let mut found = Vec::new();
    for group in groups(q, field, &ids, window).await? {
        let provider = field.providers.iter().find(|it| it.id == group.provider);
        let of = types.iter().find(|of| of.id.0 == group.of);
        let Some((provider, of)) = provider.zip(of) else { continue };
        if !field.may_give(of, provider.id) {
            continue;
        }
        let wanted = Wanted {
            of: Some(of),
            length: group.length,
            contact: None,
            place: None,
            moved: None,
            by_load: false,
        };
        let rules = diary::rules_of(&field.actor, provider, &wanted, &layers);
        let can_begin = rules
            .is_some_and(|(rules, _)| rule::can_begin(&provider.zone, &rules, group.start, now));
        let way = ask.contact.map(ContactType::number);
        let is_there = ask.location.is_none() || ask.location == group.location;
        if can_begin && is_there && (way.is_none() || way == group.contact) {
            found.extend(group.slot(of, ask.full_too));
        }
    }
    match found.len() > SLOTS_MAX {
        true => Err(Refused::on("end_date", "That is too much at once: ask for fewer days")),
        false => Ok(found),
    }
}

impl Group {
    /// As a slot, where there is a seat, or full ones are shown too.
    fn slot(&self, of: &AppointmentType, full_too: bool) -> Option<Slot> {
        let is_full = self.taken >= people::seats_of(self.seats);
        let has_waitlist = of.is_waitlist_enabled;
        let seat = Seat { appointment: self.id, is_full, has_waitlist };
        (!is_full || (full_too && has_waitlist)).then_some(Slot {
            provider: self.provider,
            start: self.start,
            length: self.length,
            group: Some(seat),
        })
    }
}

/// The active appointments of these types and providers that begin in a window.
async fn groups(
    q: &mut dyn Query,
    field: &Field,
    types: &[i64],
    window: &Interval,
) -> Answer<Vec<Group>> {
    let providers: Vec<i64> = field.providers.iter().map(|it| it.id).collect();
    let limit = i64::try_from(SLOTS_MAX + 1).unwrap_or(i64::MAX);
    let sql = Sql::fixed(
        "SELECT a.id, a.provider_id, a.appointment_type_id, a.start_at, a.length, \
         a.contact_type_id, a.max_attendees, CAST((SELECT COUNT(*) + COALESCE(SUM(i.seats_held), 0) \
         FROM appointment_inclusions i WHERE i.org_id = a.org_id AND i.appointment_id = a.id \
         AND i.cancelled = FALSE) AS BIGINT), \
         a.appointment_location_id FROM appointments a WHERE a.org_id = $1 AND a.appointment_type_id IN_LIST($2) \
         AND a.provider_id IN_LIST($3) AND a.start_at >= $4 AND a.start_at < $5 \
         AND a.deleted_at IS NULL AND a.is_group = TRUE AND a.is_blocker = FALSE \
         AND (a.pm_status IS NULL OR a.pm_status IN ('Occurred', 'Checked-In')) \
         AND NOT EXISTS (SELECT 1 FROM appointment_inclusions own WHERE own.org_id = a.org_id \
         AND own.appointment_id = a.id AND own.user_id = $6 AND own.cancelled = FALSE) \
         AND NOT EXISTS (SELECT 1 FROM waitlist_places waits WHERE waits.org_id = a.org_id \
         AND waits.appointment_id = a.id AND waits.user_id = $6) \
         ORDER BY a.start_at, a.id LIMIT CAST($7 AS BIGINT)",
        [
            field.actor.org_id.into(),
            Value::Ints(types.into()),
            Value::Ints(providers.into()),
            window.start.0.into(),
            window.end.0.into(),
            field.actor.user_id.into(),
            limit.into(),
        ],
    );
    let rows = q.rows(&sql).await?;
    let group = |row: &[Value]| {
        let number = |at: usize| row.get(at).and_then(Value::int);
        Some(Group {
            id: number(0)?,
            provider: number(1)?,
            of: number(2)?,
            start: Timestamp(number(3)?),
            length: number(4)?,
            contact: number(5),
            seats: number(6),
            taken: usize::try_from(number(7)?).unwrap_or(usize::MAX),
            location: number(8),
        })
    };
    Ok(rows.iter().filter_map(group).collect())
}
