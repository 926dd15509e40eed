//! What is sent of a type, and what is wrong with it. Pure.

use ward_clients::rules;
use ward_clients::tables::UserGroup;
use ward_engine::{Given, Problems, input};
use ward_identity::id_or_blank::IdOrBlank;
use ward_identity::tables::User;
use ward_store::Id;

use crate::contact_type::ContactType;
use crate::id_list::{AllOr, IdList};
use crate::money;
use crate::settings::input::{Says, TypeSetting};
use crate::tables::AppointmentType;

/// The longest appointment, in minutes.
pub const LENGTH_MINUTES_MAX: i64 = 1_440;
/// The longest text that clients read of a type, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 2_000;
/// How a type's price comes about; codes of procedures are the insurance domain's.
pub const PRICING_OPTION: &str = "CUSTOM";

input! {
    /// `ContactTypeOverride`: whether a way to meet is offered.
    pub struct Offered { show: bool }
}

input! {
    /// `createAppointmentTypeInput`.
    pub struct CreateAppointmentType {
        appointment_setting: TypeSetting,
        bookable_by_groups: bool,
        bookable_group_ids: AllOr<UserGroup>,
        bookable_without_group: bool,
        client_display_description: String,
        client_facing_display_name: String,
        clients_can_book: bool,
        contact_type_overrides: Vec<String>,
        dont_ask_for_reason: bool,
        is_group: bool,
        is_waitlist_enabled: bool,
        length: i64,
        metadata: String,
        name: String,
        pricing: String,
        pricing_option: String,
        provider_ids_for_appt_type_connections: IdList<User>,
        require_in_state_clients: bool,
        require_specific_providers: bool,
        specific_groups: bool,
        user_group_id: IdOrBlank<UserGroup>,
    }
}

input! {
    /// `updateAppointmentTypeInput`.
    pub struct UpdateAppointmentType {
        id: Id<AppointmentType>,
        appointment_setting: TypeSetting,
        bookable_by_groups: bool,
        bookable_group_ids: AllOr<UserGroup>,
        bookable_without_group: bool,
        client_display_description: String,
        client_facing_display_name: String,
        clients_can_book: bool,
        contact_type_override_in_person: Offered,
        contact_type_override_phone_call: Offered,
        contact_type_override_video_chat: Offered,
        dont_ask_for_reason: bool,
        has_specific_appointment_settings: bool,
        is_group: bool,
        is_waitlist_enabled: bool,
        length: i64,
        metadata: String,
        name: String,
        pricing: String,
        pricing_option: String,
        provider_ids_for_appt_type_connections: IdList<User>,
        require_in_state_clients: bool,
        require_specific_providers: bool,
        row_order: i64,
        specific_groups: bool,
        user_group_id: IdOrBlank<UserGroup>,
    }
}

input! {
    /// `deleteAppointmentTypeInput`.
    pub struct DeleteAppointmentType { id: Id<AppointmentType> }
}

/// What is wrong with a new type; required fields come first (behaviour 4.2).
pub fn check_new(input: &CreateAppointmentType) -> Problems {
    let mut problems = Problems::new();
    let p = &mut problems;
    rules::required("name", &input.name, p);
    if input.length.value().is_none() {
        p.add("length", "Length can't be blank");
    }
    length(&input.length, p);
    texts(&input.name, &input.client_facing_display_name, &input.client_display_description, p);
    rules::metadata("metadata", &input.metadata, p);
    price(&input.pricing, &input.pricing_option, p);
    let ways = input.contact_type_overrides.value().map(Vec::as_slice);
    if ways.is_some_and(|ways| ways.iter().any(|it| ContactType::of_text(it).is_none())) {
        let known = ContactType::ALL.map(ContactType::code).join(", ");
        p.add("contact_type_overrides", format!("Contact type overrides must be some of {known}"));
    }
    if ways.is_some_and(<[String]>::is_empty) {
        p.add("contact_type_overrides", "At least one contact type must be offered");
    }
    settings(&input.appointment_setting, p);
    problems
}

/// What is wrong with a change of a type, whatever the type was.
pub fn check_change(input: &UpdateAppointmentType) -> Problems {
    let mut problems = Problems::new();
    let p = &mut problems;
    rules::not_emptied("name", &input.name, p);
    if matches!(input.length, Given::Null) {
        p.add("length", "Length can't be blank");
    }
    length(&input.length, p);
    texts(&input.name, &input.client_facing_display_name, &input.client_display_description, p);
    rules::metadata("metadata", &input.metadata, p);
    price(&input.pricing, &input.pricing_option, p);
    settings(&input.appointment_setting, p);
    if input.row_order.value().is_some_and(|at| *at < 0) {
        p.add("row_order", "Row order can't be negative");
    }
    problems
}

/// What is wrong with a type as it would be.
pub fn check_whole(of: &AppointmentType) -> Problems {
    let mut problems = Problems::new();
    if of.is_waitlist_enabled && !of.is_group {
        problems.add("is_waitlist_enabled", "Only group types have a waitlist");
    }
    if [of.offers_video, of.offers_in_person, of.offers_phone] == [Some(false); 3] {
        problems.add("base", "At least one contact type must be offered");
    }
    problems
}

fn length(given: &Given<i64>, problems: &mut Problems) {
    if given.value().is_some_and(|minutes| !(1..=LENGTH_MINUTES_MAX).contains(minutes)) {
        problems.add("length", format!("Length must be from 1 to {LENGTH_MINUTES_MAX} minutes"));
    }
}

fn texts(
    name: &Given<String>,
    shown: &Given<String>,
    description: &Given<String>,
    problems: &mut Problems,
) {
    rules::bounded("name", name, rules::LINE_CHARS_MAX, problems);
    rules::bounded("client_facing_display_name", shown, rules::LINE_CHARS_MAX, problems);
    let most = DESCRIPTION_CHARS_MAX;
    rules::bounded("client_display_description", description, most, problems);
}

fn price(pricing: &Given<String>, option: &Given<String>, problems: &mut Problems) {
    if pricing.trimmed().is_some_and(|text| money::cents(text).is_none()) {
        problems.add("pricing", "Pricing must be an amount such as 120.50");
    }
    if option.trimmed().is_some_and(|option| option != PRICING_OPTION) {
        problems.add("pricing_option", format!("Pricing option must be {PRICING_OPTION}"));
    }
}

fn settings(given: &Given<TypeSetting>, problems: &mut Problems) {
    if let Some(input) = given.value() {
        input.check(problems);
    }
}

/// Overwrites a switch when one was sent; null leaves it.
pub(super) fn switch(given: &Given<bool>, field: &mut bool) {
    if let Some(value) = given.value() {
        *field = *value;
    }
}

macro_rules! facts {
    ($input:ty) => {
        impl $input {
            /// Writes the facts that need no look at others.
            pub fn write(&self, of: &mut AppointmentType) {
                if let Some(name) = self.name.trimmed() {
                    name.clone_into(&mut of.name);
                }
                if let Some(length) = self.length.value() {
                    of.length = *length;
                }
                self.client_facing_display_name.set_text(&mut of.client_facing_display_name);
                self.client_display_description.set_text(&mut of.client_display_description);
                self.metadata.set_text(&mut of.metadata);
                if self.pricing.is_given() {
                    of.pricing_cents = self.pricing.trimmed().and_then(money::cents);
                }
                switch(&self.bookable_by_groups, &mut of.bookable_by_groups);
                switch(&self.bookable_without_group, &mut of.bookable_without_group);
                switch(&self.clients_can_book, &mut of.clients_can_book);
                switch(&self.dont_ask_for_reason, &mut of.dont_ask_for_reason);
                switch(&self.is_group, &mut of.is_group);
                switch(&self.is_waitlist_enabled, &mut of.is_waitlist_enabled);
                switch(&self.require_in_state_clients, &mut of.require_in_state_clients);
                switch(&self.require_specific_providers, &mut of.require_specific_providers);
                match self.bookable_group_ids.value() {
                    Some(AllOr::All) => of.specific_groups = false,
                    Some(AllOr::Listed(_)) => of.specific_groups = true,
                    None => {}
                }
                switch(&self.specific_groups, &mut of.specific_groups);
            }
        }
    };
}
facts!(CreateAppointmentType);
facts!(UpdateAppointmentType);

impl CreateAppointmentType {
    /// Writes which ways to meet are offered, if some are named.
    pub fn write_ways(&self, of: &mut AppointmentType) {
        let Some(named) = self.contact_type_overrides.value() else { return };
        let offers = |way| Some(named.iter().any(|it| ContactType::of_text(it) == Some(way)));
        of.offers_video = offers(ContactType::Video);
        of.offers_in_person = offers(ContactType::InPerson);
        of.offers_phone = offers(ContactType::Phone);
    }
}

impl UpdateAppointmentType {
    /// Writes which ways to meet are offered; null asks the settings again.
    pub fn write_ways(&self, of: &mut AppointmentType) {
        for (given, column) in [
            (&self.contact_type_override_video_chat, &mut of.offers_video),
            (&self.contact_type_override_in_person, &mut of.offers_in_person),
            (&self.contact_type_override_phone_call, &mut of.offers_phone),
        ] {
            if given.is_given() {
                *column = given.value().map(|offered| offered.show.is_true());
            }
        }
    }
}
