//! Notices: what people are told of what happened, where and when they want to be
//! told (behaviour 42).

pub mod appointments;
pub mod asked;
pub mod choices;
pub mod contact;
pub mod devices;
pub mod feed;
pub mod forms;
pub mod given;
pub mod listing;
pub mod notice;
pub mod plan;
pub mod portal;
pub mod quiet;
pub mod reminders;
pub mod sent;
pub mod settings;
pub mod tables;
pub mod unread;
pub mod visibility;

use jiff::tz::TimeZone;
use ward_charting::request::spawn;
use ward_engine::{Bindings, moment};
use ward_identity::person::Person;
use ward_scheduling::request::matching;
use ward_store::{Db, StoreError};

use crate::notices::reminders::ReminderKind;

/// Reminders of messages that somebody has not read.
pub const UNREAD: ReminderKind = ReminderKind {
    name: unread::KIND,
    deliver: |scope, row| Box::pin(unread::deliver(scope, row)),
};

/// Reminders of a client who is a member's now.
pub const GIVEN: ReminderKind =
    ReminderKind { name: given::KIND, deliver: |scope, row| Box::pin(given::deliver(scope, row)) };

/// Reminders of somebody who asks for an appointment.
pub const ASKED: ReminderKind =
    ReminderKind { name: asked::KIND, deliver: |scope, row| Box::pin(asked::deliver(scope, row)) };

/// Reminders of a form that a client is asked to fill in.
pub const FORMS: ReminderKind =
    ReminderKind { name: forms::KIND, deliver: |scope, row| Box::pin(forms::deliver(scope, row)) };

/// The kinds of reminders that this domain says.
pub const KINDS: &[ReminderKind] =
    &[UNREAD, GIVEN, ASKED, FORMS, appointments::REMINDER, appointments::WAITING];

/// Binds the types, queries, mutations and reactions.
pub fn bind(b: &mut Bindings) {
    settings::bind(b);
    feed::bind(b);
    given::bind(b);
    sent::bind(b);
    contact::bind(b);
    portal::bind(b);
    forms::bind(b);
    appointments::bind(b);
}

/// Tells of some messages and appointment requests, asks clients for some forms, and says some
/// reminders that are due; how many jobs were done. `kinds` are those of all domains.
pub async fn run_batch(db: &Db, kinds: &'static [ReminderKind]) -> Result<u64, StoreError> {
    let told = unread::run_batch(db).await? + matching::run_batch(db, asked::tell).await?;
    let asked = spawn::run_batch(db, forms::tell).await?;
    Ok(told + asked + reminders::run_batch(db, kinds).await?)
}

/// The time zone in which somebody lives.
pub fn zone_of(person: &Person) -> TimeZone {
    let name = person.actor(None).time_zone;
    moment::zone(&name).unwrap_or(TimeZone::UTC)
}
