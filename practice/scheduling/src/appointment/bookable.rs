//! Whether a time can be booked with a provider: what is listed as free can be
//! booked, and nothing else (behaviour 22, 23.2, DOM-06, DOM-08). It asks what lists
//! slots asks, behind the calendar's lock only.

use ward_engine::{Answer, Call};
use ward_identity::tables::User;
use ward_instance::Timestamp;
use ward_store::Id;

use super::table::Appointment;
use crate::availability::wall::Interval;
use crate::contact_type::ContactType;
use crate::slots::diary;
use crate::slots::reading::Provider;
use crate::slots::rooms::Place;
use crate::tables::AppointmentType;

/// What somebody wants to book.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// With whom.
    pub provider: &'a User,
    /// Of which type.
    pub of: Option<&'a AppointmentType>,
    /// A number of the code set.
    pub contact_type_id: Option<i64>,
    /// At which place and in which room.
    pub place: Option<Place>,
    /// When.
    pub interval: Interval,
    /// The appointment that is being moved.
    pub without: Option<Id<Appointment>>,
    /// Whether the rules for clients count too: notice, horizon, starts.
    pub by_client: bool,
}

/// Whether it can be booked: within the provider's availability, apart from what is
/// booked by the buffer, and where a client books at a start that they could choose.
pub async fn bookable(call: &mut Call<'_>, wanted: &Wanted<'_>) -> Answer<bool> {
    let Interval { start, end } = wanted.interval;
    let question = diary::Wanted {
        of: wanted.of,
        length: wanted.interval.minutes(),
        contact: wanted.contact_type_id.and_then(ContactType::of_number),
        place: wanted.place,
        moved: wanted.without.map(|id| id.0),
        by_load: false,
    };
    let instant = Interval { start, end: Timestamp(start.0 + 1) };
    let providers = [Provider::of(wanted.provider)];
    let (tx, actor) = (&mut *call.scope.tx, call.scope.actor);
    let found = diary::diaries(tx, actor, &providers, &question, &instant).await?;
    let Some(diary) = found.first() else { return Ok(false) };
    Ok(match wanted.by_client {
        true => diary.starts(&instant, call.now()).contains(&start),
        false => diary.has_room(&Interval { start, end }),
    })
}
