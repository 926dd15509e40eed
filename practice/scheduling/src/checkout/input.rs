//! What is sent to book, and what is wrong with it. Pure.

use jiff::tz::TimeZone;
use ward_clients::rules;
use ward_clients::visitor::Visitor;
use ward_engine::{Problems, input, moment};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_instance::Timestamp;

use crate::appointment::table::Appointment;
use crate::appointment_location::table::AppointmentLocation;
use crate::appointment_type::input::DESCRIPTION_CHARS_MAX;
use crate::contact_type::ContactType;
use crate::id_list::IdList;
use crate::tables::AppointmentType;

/// So many appointments of several one call joins.
pub const JOINED_MAX: usize = 20;

input! {
    /// `completeCheckoutInput`, what of it is about booking.
    pub struct CompleteCheckout {
        appointment_id: IdOrBlank<Appointment>,
        appointment_ids: IdList<Appointment>,
        appointment_location_id: IdOrBlank<AppointmentLocation>,
        appointment_type_id: IdOrBlank<AppointmentType>,
        contact_type: String,
        date: String,
        email: String,
        first_name: String,
        is_joining_waitlist: bool,
        last_name: String,
        legal_name: String,
        location: String,
        phone_number: String,
        provider_id: IdOrBlank<User>,
        reason: String,
        timezone: String,
    }
}

impl CompleteCheckout {
    /// What is said of who books.
    pub fn visitor(&self) -> Visitor {
        Visitor {
            first_name: self.first_name.clone(),
            last_name: self.last_name.clone(),
            legal_name: self.legal_name.clone(),
            email: self.email.clone(),
            phone_number: self.phone_number.clone(),
            timezone: self.timezone.clone(),
        }
    }

    /// The appointments of several to join, each once.
    pub fn joins(&self) -> Vec<i64> {
        let one = self.appointment_id.value().and_then(|id| id.0);
        let many = self.appointment_ids.value().map(|list| list.0.as_slice()).unwrap_or_default();
        let mut ids: Vec<i64> = one.iter().chain(many).map(|id| id.0).collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }
}

/// What is wrong with it by itself; of who books only where nobody knows them.
pub fn problems(input: &CompleteCheckout, is_visitor: bool) -> Problems {
    let mut problems = Problems::new();
    let p = &mut problems;
    if is_visitor {
        input.visitor().check(p);
    }
    if input.joins().is_empty() {
        if input.provider_id.value().and_then(|id| id.0).is_none() {
            p.add("provider_id", "Provider can't be blank");
        }
        if input.appointment_type_id.value().and_then(|id| id.0).is_none() {
            p.add("appointment_type_id", "Appointment type can't be blank");
        }
        rules::required("date", &input.date, p);
    }
    if input.joins().len() > JOINED_MAX {
        p.add(
            "appointment_ids",
            format!("At most {JOINED_MAX} appointments can be joined at once"),
        );
    }
    rules::time_zone("timezone", &input.timezone, p);
    rules::bounded("location", &input.location, rules::LINE_CHARS_MAX, p);
    rules::bounded("reason", &input.reason, DESCRIPTION_CHARS_MAX, p);
    if input.contact_type.trimmed().is_some_and(|text| ContactType::of_text(text).is_none()) {
        let known = ContactType::ALL.map(ContactType::name).join(", ");
        p.add("contact_type", format!("Contact type must be one of {known}"));
    }
    problems
}

/// When it is to be: a start as slots tell it, or in any form that is taken.
pub fn start(input: &CompleteCheckout, zone: &TimeZone) -> Option<Timestamp> {
    let own = input.timezone.trimmed().and_then(moment::zone);
    moment::instant(input.date.trimmed()?, own.as_ref().unwrap_or(zone))
}
