//! Which rows of which tables are a client's: made out of the tables' own definitions, so that a
//! table of a later domain takes part without a word, or is refused here until somebody says
//! whether it holds anything of a client (DOM-39).

use ward_clients::merge::plan::naming_users;
use ward_store::Table;

/// How the rows of a table are found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// One of these columns names the client.
    Names(Vec<&'static str>),
    /// The same, or the client has a part in it: a row of `part` whose `column` names it.
    Whole {
        /// Columns that name users.
        names: Vec<&'static str>,
        /// The table of who takes part.
        part: &'static str,
        /// Its column that names the whole.
        column: &'static str,
    },
    /// They hang on rows that were found before: by `column`, on the table `on`.
    Hangs {
        /// The column that names the row.
        column: &'static str,
        /// The table of the row.
        on: &'static str,
    },
    /// Rows that were found before name them: those of the table `of`, by `column`.
    Describes {
        /// The table whose rows name them.
        of: &'static str,
        /// By this column.
        column: &'static str,
    },
}

/// A table that takes part.
#[derive(Clone, Debug)]
pub struct Step {
    /// The table.
    pub table: &'static Table,
    /// How its rows are found.
    pub way: Way,
}

/// Forms and notes: a group note is of each client who has an individual note in it, under whomever
/// it is filed. Of the individual notes each has the own ones only.
pub const SHARED_NOTES: &str = "form_answer_groups";

/// Wholes that a client has a part in: the whole, who takes part, by which column.
const WHOLES: [(&str, &str, &str); 6] = [
    ("appointments", "appointment_inclusions", "appointment_id"),
    ("conversations", "conversation_memberships", "conversation_id"),
    ("note_schedulers", "note_recipients", "note_scheduler_id"),
    ("recurring_forms", "recurring_form_recipients", "recurring_form_id"),
    ("care_plans", "group_care_plan_user_connections", "care_plan_id"),
    (SHARED_NOTES, "individual_client_notes", "form_answer_group_id"),
];

/// What hangs on rows of a client: the table, its column, the table of the row.
const HANGING: [(&str, &str, &str); 13] = [
    ("appointment_request_slots", "appointment_request_id", "appointment_requests"),
    ("room_entries", "appointment_id", "appointments"),
    ("appointment_providers", "appointment_id", "appointments"),
    ("notes", "conversation_id", "conversations"),
    ("calendar_entries", "appointment_id", "appointments"),
    ("form_answers", "form_answer_group_id", SHARED_NOTES),
    ("form_answer_group_signings", "form_answer_group_id", SHARED_NOTES),
    ("charting_note_addendums", "form_answer_group_id", SHARED_NOTES),
    ("form_answer_group_audit_events", "form_answer_group_id", SHARED_NOTES),
    ("file_attachments", "form_answer_group_id", SHARED_NOTES),
    ("care_plan_connections", "care_plan_id", "care_plans"),
    ("recommendations", "care_plan_id", "care_plans"),
    ("episode_encounters", "episode_of_care_id", "episodes_of_care"),
];

/// What rows of a client can't be read without: the table, whose rows name it, by which column.
const DESCRIBING: [(&str, &str, &str); 9] = [
    ("appointment_types", "appointments", "appointment_type_id"),
    ("recurring_appointments", "appointments", "recurring_appointment_id"),
    ("custom_module_forms", "form_answer_groups", "custom_module_form_id"),
    ("question_versions", "form_answers", "question_version_id"),
    ("onboarding_items", "completed_onboarding_items", "onboarding_item_id"),
    ("referring_physicians", "referrals", "referring_physician_id"),
    (
        "care_plan_recommendation_categories",
        "recommendations",
        "care_plan_recommendation_category_id",
    ),
    ("tags", "applied_tags", "tag_id"),
    ("user_groups", "users", "user_group_id"),
];

/// What is of a filled form or note alone, and leaves with it (DOM-31).
pub const OF_NOTES: [&str; 5] = [
    "form_answers",
    "form_answer_group_signings",
    "charting_note_addendums",
    "form_answer_group_audit_events",
    "individual_client_notes",
];

const CREDENTIAL: &str = "what somebody signs in with";
const LOG: &str = "a log of the instance, which has queries and reports of its own";
const MACHINERY: &str = "how the instance works; what it carries is in the rows that it is about";
const PRACTICE: &str = "of the practice, and of no client";

/// Tables that are left out, and why.
pub const LEFT_OUT: &[(&str, &str)] = &[
    ("sessions", CREDENTIAL),
    ("link_tokens", CREDENTIAL),
    ("api_keys", CREDENTIAL),
    ("second_factors", CREDENTIAL),
    ("verification_codes", CREDENTIAL),
    ("push_devices", CREDENTIAL),
    ("client_proxies", CREDENTIAL),
    ("calendar_feeds", CREDENTIAL),
    ("access_log", LOG),
    ("access_sets", LOG),
    ("audit_events", LOG),
    ("events", LOG),
    ("request_records", LOG),
    ("simulated_messages", "what a Sandbox shows instead of sending it"),
    ("break_glass_accesses", LOG),
    ("data_keys", MACHINERY),
    ("jobs", MACHINERY),
    ("idempotency_keys", MACHINERY),
    ("effect_intents", MACHINERY),
    ("effect_policies", MACHINERY),
    ("effect_cohorts", MACHINERY),
    ("search_grams", MACHINERY),
    ("blobs", "the files themselves are in the archive"),
    ("webhooks", PRACTICE),
    ("webhook_events", PRACTICE),
    ("webhook_secrets", PRACTICE),
    ("webhook_lanes", MACHINERY),
    ("webhook_deliveries", MACHINERY),
    ("webhook_attempts", MACHINERY),
    ("webhook_replays", MACHINERY),
    ("webhook_validations", PRACTICE),
    ("organizations", PRACTICE),
    ("organization_infos", PRACTICE),
    ("organization_memberships", PRACTICE),
    ("permission_templates", PRACTICE),
    ("permission_uses", PRACTICE),
    ("appointment_type_groups", PRACTICE),
    ("availability_appointment_types", PRACTICE),
    ("rooms", PRACTICE),
    ("conversation_groups", PRACTICE),
    ("custom_modules", "a question as it reads now; the answers have it as it was answered"),
    ("custom_module_conditions", PRACTICE),
    ("onboarding_flow_groups", PRACTICE),
];

/// Columns that are left out, as how the instance works: when it tries to lock a note.
pub const COLUMNS_LEFT_OUT: [&str; 3] =
    ["autolock_from", "autolock_skipped_until", "autolock_failures"];

/// The tables that take part, each behind those that it is found by; or the first of which nobody
/// said anything.
pub fn plan(tables: &[&'static Table]) -> Result<Vec<Step>, String> {
    let mut steps = Vec::new();
    let is_later = |name: &str| {
        HANGING.iter().chain(&DESCRIBING).any(|(table, _, _)| *table == name)
            || LEFT_OUT.iter().any(|(table, _)| *table == name)
    };
    for table in tables.iter().copied().filter(|it| it.is_tenant() && !is_later(it.name)) {
        steps.push(Step { table, way: own(table)? });
    }
    let named = |name: &str| tables.iter().copied().find(|table| table.name == name);
    for (name, column, on) in HANGING {
        let way = Way::Hangs { column, on };
        steps.extend(named(name).map(|table| Step { table, way }));
    }
    for (name, of, column) in DESCRIBING {
        let way = Way::Describes { of, column };
        steps.extend(named(name).map(|table| Step { table, way }));
    }
    Ok(steps)
}

fn own(table: &'static Table) -> Result<Way, String> {
    if table.name == "users" {
        return Ok(Way::Names(vec!["id"]));
    }
    let names = naming_users(table);
    let whole = WHOLES.iter().find(|(name, _, _)| *name == table.name);
    if let Some(&(_, part, column)) = whole {
        return Ok(Way::Whole { names, part, column });
    }
    match names.is_empty() {
        true => Err(format!(
            "{} names no user: say in the plan of the export what its rows hang on, or why they \
             are left out",
            table.name
        )),
        false => Ok(Way::Names(names)),
    }
}
