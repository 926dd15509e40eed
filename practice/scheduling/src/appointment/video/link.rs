//! What a link to a room opens now (behaviour 42): the way in, to who attends a call that is not
//! over.

use ward_identity::authenticate;
use ward_instance::Timestamp;
use ward_instance::room_link::RoomLink;
use ward_store::read_selected;
use ward_store::{Actor, Cond, Db, Level, Query as _, Rows, Select, StoreError, Value, Watch};

use crate::appointment::table::{APPOINTMENTS, appointments as at};
use crate::calendar_feed::read::Read;
use crate::visibility;

/// So long after its end a call can still be come into.
const AFTER_MICROS: i64 = 3_600 * 1_000_000;

/// Where the room is, and whose data that is.
#[derive(Clone, Debug)]
pub struct Opened {
    /// Where to come in; none when the room is not made yet.
    pub join_url: Option<String>,
    /// Whose appointment it is, for the access log.
    pub reads: Vec<Read>,
}

/// The path of somebody's link to the room of an appointment.
pub fn path(instance: &ward_instance::Instance, link: &RoomLink) -> String {
    format!("/rooms/{}", instance.room_link(link))
}

/// What a link opens; nothing when the appointment has no room, is over, or is not theirs any more.
pub async fn open(
    db: &Db,
    link: &RoomLink,
    (now, wall): (Timestamp, Timestamp),
) -> Result<Option<Opened>, StoreError> {
    let mut q = db.read().await?;
    let actor = authenticate::actor_of_user(&mut q, link.org_id, link.user_id).await?;
    let Some(actor) = actor.map(|actor| Actor { glass_at: wall, ..actor }) else {
        return Ok(None);
    };
    let mut select = Select::new(&APPOINTMENTS, &actor);
    select.columns = vec![at::org_id, at::id, at::zoom_join_url];
    select.least = Level::Full;
    select.with_subject = true;
    let comes = "{t}.end_at > ? AND EXISTS (SELECT 1 FROM appointment_inclusions comes \
         WHERE comes.org_id = {t}.org_id AND comes.appointment_id = {t}.id AND comes.user_id = ? \
         AND comes.cancelled = FALSE)";
    let since = now.0.saturating_sub(AFTER_MICROS);
    select.filter = Cond::eq("id", link.appointment_id)
        .and(Cond::is_true("room_ordered"))
        .and(Cond::sql(comes, [since.into(), link.user_id.into()]));
    let rows = read_selected(&mut q, db, &select).await?;
    let Some([_, _, url, client, watch, ..]) = rows.iter().next() else { return Ok(None) };
    let whose = match client.int() {
        Some(several) if several < 0 => {
            q.rows(&visibility::attendees_of(&actor, &[link.appointment_id])).await?
        }
        _ => Rows::from_values(2, vec![client.clone(), watch.clone()]),
    };
    let read = |row: &[Value]| {
        let watch = row.get(1)?.int().map_or(Watch::BrokenGlass, Watch::from_number);
        Some(Read { actor: actor.clone(), client: row.first()?.int()?, watch })
    };
    let reads = whose.iter().filter_map(read).collect();
    Ok(Some(Opened { join_url: url.text().map(str::to_owned), reads }))
}
