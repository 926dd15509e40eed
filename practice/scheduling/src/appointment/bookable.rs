//! Whether a time can be booked with a provider: what is listed as free can be
//! booked, and nothing else (behaviour 22, 23.2, DOM-06, DOM-08). Asked behind the
//! calendar's lock only.

use ward_engine::{Answer, Call, moment};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::{Cond, Id, OrderKey};

use super::calendar;
use super::table::Appointment;
use crate::availability::read::{for_types, near, occurrences};
use crate::availability::wall::Interval;
use crate::settings::layers::Settings;
use crate::slots::{self, Calendar, Rules};
use crate::tables::{AppointmentType, Availability};

const MINUTE: i64 = 60_000_000;

/// What somebody wants to book.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// With whom.
    pub provider: &'a User,
    /// Of which type.
    pub of: Option<&'a AppointmentType>,
    /// A number of the code set.
    pub contact_type_id: Option<i64>,
    /// When.
    pub interval: Interval,
    /// The appointment that is being moved.
    pub without: Option<Id<Appointment>>,
    /// Whether the rules for clients count too: notice, horizon, starts.
    pub by_client: bool,
}

/// Whether it can be booked: within the provider's availability, apart from what is
/// booked by the buffer, and where a client books at a start that they could choose.
pub async fn bookable(
    call: &mut Call<'_>,
    wanted: &Wanted<'_>,
    settings: &Settings,
) -> Answer<bool> {
    let gap = settings.buffer * MINUTE;
    let Interval { start, end } = wanted.interval;
    let around = Interval { start: Timestamp(start.0 - gap), end: Timestamp(end.0 + gap) };
    let (org, provider) = (call.actor.org_id, wanted.provider.id.0);
    let busy = calendar::busy(call.tx, org, &[provider], &around, wanted.without).await?;
    let busy = busy.get(&provider).map(Vec::as_slice).unwrap_or_default();
    if busy.iter().any(|it| slots::collides(&wanted.interval, it, settings.buffer)) {
        return Ok(false);
    }
    let free = free(call, wanted, settings).await?;
    if !wanted.by_client {
        let within = |run: &Interval| run.start <= start && end <= run.end;
        return Ok(slots::merged(&free).iter().any(within));
    }
    let own = wanted.provider.timezone.as_deref().and_then(moment::zone);
    let zone = own.unwrap_or_else(|| call.request.zone.clone());
    let rules = Rules::of(settings, wanted.interval.minutes());
    let calendar = Calendar { zone: &zone, free: &free, busy };
    let only = Interval { start, end: Timestamp(start.0 + 1) };
    let now = call.now();
    Ok(slots::starts(&calendar, &rules, &only, now).contains(&start))
}

/// When the provider can be booked around the wanted time, for what is wanted. A
/// day on either side, as a grid begins where a free time does.
async fn free(
    call: &mut Call<'_>,
    wanted: &Wanted<'_>,
    settings: &Settings,
) -> Answer<Vec<Interval>> {
    let day = 1_440 * MINUTE;
    let Interval { start, end } = wanted.interval;
    let window = Interval { start: Timestamp(start.0 - day), end: Timestamp(end.0 + day) };
    let mut which = Cond::eq("user_id", wanted.provider.id.0)
        .and(Cond::eq("unit_id", wanted.provider.unit_id.0))
        .and(near(&window));
    if let Some(of) = wanted.of.filter(|_| settings.times_by_appointment_type) {
        which = which.and(for_types(&[of.id.0]));
    }
    if let Some(way) = wanted.contact_type_id.filter(|_| settings.times_by_contact_type) {
        which = which.and(Cond::eq("contact_type_id", way));
    }
    let order = [OrderKey::column("id", false)];
    let rows: Vec<Availability> = call.list(which, &order).await?;
    let on = |row: &Availability| occurrences(row, &window);
    Ok(rows.iter().flat_map(on).map(|(_, interval)| interval).collect())
}
