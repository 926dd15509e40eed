//! The access log knows whose rows a table holds (trust ruling 13).

use ward_store::ColumnKind;

/// Tables that name a user and whose rows are never answered as a client's, and why.
const OTHERWISE: [(&str, &str); 42] = [
    ("chat_settings", "of staff"),
    ("organization_memberships", "of staff"),
    ("permission_uses", "of staff"),
    ("permission_templates", "the user is the member who made it"),
    ("second_factors", "never answered"),
    ("verification_codes", "never answered"),
    ("brands", "of staff"),
    ("state_licenses", "of staff"),
    ("professions", "of staff"),
    ("specialties", "of staff"),
    ("provider_bios", "of staff"),
    ("other_id_numbers", "of staff"),
    ("care_team_members", "read as the users at either end"),
    ("api_keys", "of whoever holds the key"),
    ("sessions", "never answered"),
    ("link_tokens", "never answered"),
    ("logins", "never answered"),
    ("client_proxies", "never answered; contacts show what there is"),
    ("user_groups", "the user is the member who made it"),
    ("tags", "the user is the member who made it"),
    ("events", "never answered"),
    ("effect_intents", "never answered"),
    ("blobs", "read by links, which log it themselves"),
    ("access_log", "the log itself"),
    ("access_sets", "the log itself"),
    ("organizations", "the user is the owner"),
    ("visitors", "no clients; the user is who made it"),
    ("referring_physicians", "the user is who made it"),
    ("simulated_messages", "never answered by the engine"),
    ("custom_module_forms", "the user is the member who made it"),
    ("onboarding_flows", "the user is the member who made it"),
    ("onboarding_defaults", "of staff"),
    ("recurring_forms", "the user is the member who made it"),
    ("appointment_types", "the user is the member who made it"),
    ("appointment_settings", "of staff"),
    ("appointment_locations", "of staff"),
    ("provider_appt_type_connections", "of staff"),
    ("availabilities", "of staff"),
    ("appointment_providers", "of staff"),
    ("calendar_feeds", "of staff"),
    ("calendar_entries", "never answered, and of staff"),
    ("effect_cohorts", "read at the desk, which logs it itself"),
];

#[test]
fn sec_19_every_table_that_names_a_user_says_whose_its_rows_are() {
    let mut silent = Vec::new();
    for table in ward_server::assemble::tables() {
        let names = |column: &&ward_store::Column| column.kind == ColumnKind::Id("User");
        let named = table.columns.iter().any(|column| names(&column));
        let excused = OTHERWISE.iter().any(|(name, _)| *name == table.name);
        if named && table.subject.is_none() && !excused {
            silent.push(table.name);
        }
        assert!(!(excused && table.subject.is_some()), "{} is excused for nothing", table.name);
    }
    assert!(silent.is_empty(), "no `subject` says whose the rows are: {silent:?}");
}

/// Its columns name nobody by their type: the client is one of three, or none.
#[test]
fn sec_19_entries_of_the_audit_log_say_whose_they_are() {
    assert!(ward_identity::bindings::AUDIT_LOG.subject.is_some());
}

/// Nor do those of stored files, in which something was found.
#[test]
fn sec_19_quarantined_files_say_whose_they_are() {
    assert!(ward_documents::quarantine::QUARANTINED_FILES.subject.is_some());
}
