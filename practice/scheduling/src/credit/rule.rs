//! What becomes of a client's credit as an appointment goes on (behaviour 21, 23).
//! Pure.

use crate::appointment::status::PmStatus;
use crate::appointment::table::Appointment;

/// What the settings say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Says {
    /// `use_client_credit_system`: booking takes a credit.
    pub takes: bool,
    /// `restore_credit_on_cancel`: calling off gives it back.
    pub restores: bool,
}

/// What happens to a client's part in an appointment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// They attend from now on, or the appointment takes place again.
    Begins,
    /// They attend no longer, or the appointment does not take place.
    Ends,
}

/// How many credits more a client has by a step, of whom an appointment holds so
/// many: one is taken where none is held, all that are held are given back.
pub fn change(step: Step, held: i64, says: Says) -> i64 {
    match step {
        Step::Begins if says.takes && held <= 0 => -1,
        Step::Ends if says.restores && held > 0 => held,
        Step::Begins | Step::Ends => 0,
    }
}

/// Whether a client who has so many credits, and so many more in what is being changed,
/// has too few for what needs so many.
pub const fn lacks(has: i64, held: i64, needs: i64) -> bool {
    has.saturating_add(held) < needs
}

/// Whether an appointment takes its clients' credits: it is there, of a type, and
/// was not called off. A client who did not come, or said so too late, has used
/// theirs.
pub fn is_due(row: &Appointment) -> bool {
    let is_off = matches!(row.pm_status, Some(PmStatus::Cancelled | PmStatus::ReScheduled));
    row.deleted_at.is_none() && !row.is_blocker && !is_off
}
