//! What a client's data must be, as one answer for all problems at once
//! (behaviour 4.2, 18.1, 18.2). Pure: nothing is looked up here.

use ward_engine::{Answer, Given, Problems};
use ward_identity::permit::not_by_proxy;
use ward_instance::Timestamp;
use ward_store::Actor;

use crate::create_client::CreateClient;
use crate::rules;
use crate::update_client::UpdateClient;
use crate::update_user::UpdateUser;

/// What is wrong with a new client. Required fields come first (behaviour 4.2).
pub fn check_new(input: &CreateClient, now: Timestamp) -> Problems {
    let mut problems = Problems::new();
    let p = &mut problems;
    rules::required("first_name", &input.first_name, p);
    rules::required("last_name", &input.last_name, p);
    if !input.skipped_email.is_true() {
        rules::required("email", &input.email, p);
    }
    rules::email("email", &input.email, p);
    for (field, value) in [
        ("first_name", &input.first_name),
        ("last_name", &input.last_name),
        ("legal_name", &input.legal_name),
        ("phone_number", &input.phone_number),
        ("gender", &input.gender),
        ("record_identifier", &input.record_identifier),
        ("additional_record_identifier", &input.additional_record_identifier),
    ] {
        rules::bounded(field, value, rules::LINE_CHARS_MAX, p);
    }
    rules::birth_date("dob", &input.dob, now, p);
    rules::death_date("deceased_on", &input.deceased_on, now, p);
    let born = rules::day_of(&input.dob, None);
    rules::lived("deceased_on", born, rules::day_of(&input.deceased_on, None), p);
    rules::time_zone("timezone", &input.timezone, p);
    rules::code("default_billing_type", &input.default_billing_type, rules::BILLING_TYPES, p);
    rules::metadata("metadata", &input.metadata, p);
    rules::ssn("ssn", &input.ssn, p);
    problems
}

/// What is wrong with a change of a client.
pub fn check_change(input: &UpdateClient, now: Timestamp) -> Problems {
    let mut problems = Problems::new();
    let p = &mut problems;
    rules::not_emptied("first_name", &input.first_name, p);
    rules::not_emptied("last_name", &input.last_name, p);
    rules::email("email", &input.email, p);
    for (field, value) in input.lines() {
        rules::bounded(field, value, rules::LINE_CHARS_MAX, p);
    }
    rules::bounded("quick_notes", &input.quick_notes, rules::NOTES_CHARS_MAX, p);
    rules::birth_date("dob", &input.dob, now, p);
    rules::death_date("deceased_on", &input.deceased_on, now, p);
    rules::time_zone("timezone", &input.timezone, p);
    rules::code("default_billing_type", &input.default_billing_type, rules::BILLING_TYPES, p);
    rules::code(
        "gender_identity_code",
        &input.gender_identity_code,
        rules::GENDER_IDENTITY_CODES,
        p,
    );
    for (field, value) in [
        ("primary_race_code", &input.primary_race_code),
        ("secondary_race_code", &input.secondary_race_code),
    ] {
        rules::code(field, value, rules::RACE_CODES, p);
    }
    for (field, value) in [
        ("primary_ethnicity_code", &input.primary_ethnicity_code),
        ("secondary_ethnicity_code", &input.secondary_ethnicity_code),
    ] {
        rules::code(field, value, rules::ETHNICITY_CODES, p);
    }
    rules::metadata("metadata", &input.metadata, p);
    rules::ssn("ssn", &input.ssn, p);
    problems
}

/// Who acts for a client changes nothing by which the client is known, signs in, is reached, or is
/// of age: neither the day nor where it begins.
pub fn check_proxy(actor: &Actor, input: &UpdateUser) -> Answer<()> {
    let names = [&input.name, &input.first_name, &input.last_name, &input.legal_name];
    let own = [
        (input.email.is_given() || input.skipped_email.is_given(), "changing the e-mail address"),
        (input.password.is_given(), "changing the password"),
        (input.dob.is_given(), "changing the date of birth"),
        (input.timezone.is_given(), "changing the time zone"),
        (input.phone_number.is_given(), "changing the phone number"),
        (names.into_iter().any(Given::is_given), "changing the name"),
    ];
    match own.into_iter().find(|(is_given, _)| *is_given) {
        Some((_, what)) => not_by_proxy(actor, what),
        None => Ok(()),
    }
}
