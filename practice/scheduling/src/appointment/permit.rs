//! Who may put what into whose calendar, and change what is there (behaviour 16.3).

use ward_engine::{Answer, Call};
use ward_identity::flags::{
    CAN_ADD_OTHERS_APPOINTMENTS, CAN_ADD_OWN_APPOINTMENTS, CAN_EDIT_CALENDAR,
    CAN_MANAGE_OTHERS_BLOCKS, CAN_MANAGE_OWN_BLOCKS,
};
use ward_identity::permit::{members_only, requires};
use ward_store::Actor;

use super::table::Appointment;

/// The caller may put an appointment, or a blocker, into the calendar of this
/// member.
pub fn may_add(call: &Call<'_>, member: i64, is_blocker: bool) -> Answer<()> {
    let is_own = member == call.actor.user_id;
    requires(
        call.actor,
        match (is_blocker, is_own) {
            (true, true) => CAN_MANAGE_OWN_BLOCKS,
            (true, false) => CAN_MANAGE_OTHERS_BLOCKS,
            (false, true) => CAN_ADD_OWN_APPOINTMENTS,
            (false, false) => CAN_ADD_OTHERS_APPOINTMENTS,
        },
    )
}

/// The caller may change or delete what is there: their own, as the main provider
/// or one of the others, or with the right to edit calendars.
pub fn may_change(call: &Call<'_>, row: &Appointment, providers: &[i64]) -> Answer<()> {
    members_only(call.actor)?;
    let own = call.actor.user_id;
    let is_own = row.provider_id.0 == own || providers.contains(&own);
    match (row.is_blocker, is_own) {
        (true, true) => requires(call.actor, CAN_MANAGE_OWN_BLOCKS),
        (true, false) => requires(call.actor, CAN_MANAGE_OTHERS_BLOCKS),
        (false, true) => Ok(()),
        (false, false) => requires(call.actor, CAN_EDIT_CALENDAR),
    }
}

/// Whether the caller may book over what takes this member's time: who may edit
/// the calendar (trust ruling 5).
pub fn may_book_over(actor: &Actor, member: i64) -> bool {
    actor.is_member() && (member == actor.user_id || actor.has(CAN_EDIT_CALENDAR.flag))
}
