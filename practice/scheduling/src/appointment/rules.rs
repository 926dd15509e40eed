//! What clients may do with their appointments, by the settings (behaviour 21,
//! 23.4). Pure.

use ward_instance::Timestamp;

use super::status::PmStatus;
use super::table::Appointment;
use crate::settings::layers::Settings;

const MINUTE: i64 = 60_000_000;

/// The facts of an appointment that the rules look at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// When it begins.
    pub start_at: Timestamp,
    /// What became of it.
    pub pm_status: Option<PmStatus>,
    /// Whether several clients come, or could.
    pub is_shared: bool,
    /// Whether the part of the client who asks is called off.
    pub is_off: bool,
    /// Whether the client who asks may schedule at all (behaviour 19).
    pub may_schedule: bool,
    /// How many times clients moved it.
    pub reschedules: i64,
}

impl Facts {
    /// Of a row, for somebody whom nothing else keeps from it.
    pub fn of(row: &Appointment) -> Self {
        Facts {
            start_at: row.start_at,
            pm_status: row.pm_status,
            is_shared: row.is_group,
            is_off: false,
            may_schedule: true,
            reschedules: row.patient_reschedule_count,
        }
    }
}

/// Why a client can't call an appointment off, or their part in it; nothing when
/// they can.
pub fn cant_cancel(facts: &Facts, settings: &Settings, now: Timestamp) -> Option<String> {
    if !settings.allow_clients_to_cancel_appt {
        return Some("This appointment can't be cancelled by clients".to_owned());
    }
    if facts.pm_status.is_some() || facts.is_off {
        return Some("This appointment can't be cancelled any more".to_owned());
    }
    let notice = settings.minimum_advance_cancel_time;
    is_too_late(facts.start_at, notice, now).then(|| too_late("cancelled", notice))
}

/// Why a client can't move an appointment; nothing when they can.
pub fn cant_reschedule(facts: &Facts, settings: &Settings, now: Timestamp) -> Option<String> {
    if !settings.allow_clients_to_reschedule_appt || facts.is_shared {
        return Some("This appointment can't be rescheduled by clients".to_owned());
    }
    if !facts.may_schedule {
        return Some("Scheduling is switched off for you".to_owned());
    }
    if facts.pm_status.is_some() || facts.is_off {
        return Some("This appointment can't be rescheduled any more".to_owned());
    }
    if settings.patient_reschedule_count_cap.is_some_and(|cap| facts.reschedules >= cap) {
        return Some("This appointment was rescheduled as often as it can be".to_owned());
    }
    let is_past = facts.start_at <= now;
    if is_past && settings.allow_past_appointment_rescheduling {
        return None;
    }
    let notice = settings.minimum_advance_reschedule_time;
    is_too_late(facts.start_at, notice, now).then(|| too_late("rescheduled", notice))
}

/// Whether there are fewer than so many minutes left, or none at all.
fn is_too_late(start: Timestamp, notice_minutes: i64, now: Timestamp) -> bool {
    let left = start.0 - now.0;
    left <= 0 || left < notice_minutes * MINUTE
}

fn too_late(done: &str, notice_minutes: i64) -> String {
    match notice_minutes {
        0 => format!("An appointment can be {done} until it begins"),
        1 => format!("An appointment can be {done} until 1 minute before it begins"),
        minutes => format!("An appointment can be {done} until {minutes} minutes before it begins"),
    }
}
