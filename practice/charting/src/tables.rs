//! Tables of the domain: templates, their questions, what each question was, and
//! on what it depends (behaviour 25).

use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Table, index, record, text_enum, unique};

use crate::attachment::tables as attachment;
use crate::filled::tables as filled;
use crate::flow::tables as flow;
use crate::group_note::tables as group_note;
use crate::request::tables as request;
use crate::visibility;

text_enum! {
    /// How confidential what is filled in is (DOM-31); the rules are in `rules::confidentiality`.
    pub enum Confidentiality {
        /// As the rest of the record.
        Normal = "NORMAL",
        /// A record of treatment for a substance use disorder (42 CFR part 2).
        Part2 = "PART_2",
        /// Psychotherapy notes (45 CFR 164.501) and counselling notes of treatment for a substance
        /// use disorder (42 CFR 2.11): kept apart from the record, their author's alone.
        CounsellingNotes = "COUNSELLING_NOTES",
    }
}

record! {
    /// A form that can be filled in. Deleted, it stays for what was filled in.
    pub struct CustomModuleForm in CUSTOM_MODULE_FORMS, custom_module_forms {
        id: Id<CustomModuleForm> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The member who made it; nobody where it came with the instance.
        user_id: Option<Id<User>>,
        name: String [public folded searched],
        use_for_charting: bool [public],
        use_for_program: bool [public],
        is_video: bool [public],
        /// What is filled in with it is so confidential from the beginning.
        confidentiality: Confidentiality,
        /// Whether a new filling begins with the client's answers before.
        prefill: bool [public],
        external_id: Option<String>,
        external_id_type: Option<String>,
        metadata: Option<String>,
        is_archived: bool,
        last_updated_by_user_id: Option<Id<User>>,
        /// When a question of it changed, last.
        questions_changed_at: Timestamp,
        version: i64,
        created_at: Timestamp [public],
        updated_at: Timestamp [public],
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "unit_id", "updated_at", "id"]),
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "last_updated_by_user_id"],
            table: "users",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("CUSTOM_MODULE_FORM"),
    visible: visibility::forms,
}

record! {
    /// A question of a form, or a text between questions, as it is now.
    pub struct CustomModule in CUSTOM_MODULES, custom_modules {
        id: Id<CustomModule> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        custom_module_form_id: Id<CustomModuleForm> [public],
        /// Any word: those that are known have rules (`rules::kind`).
        mod_type: String [public],
        label: Option<String> [public searched],
        sublabel: Option<String> [public],
        /// One a line.
        options: Option<String> [public],
        required: bool [public],
        /// Its place in the form, in thousandths: there is room between two.
        place: i64 [public],
        parent_custom_module_id: Option<Id<CustomModule>> [public],
        is_custom: bool [public],
        exclude_from_scribe: bool [public],
        external_id: Option<String>,
        external_id_type: Option<String>,
        metadata: Option<String>,
        copied_from_form_name: Option<String>,
        /// How many versions it had, with the present one.
        versions_count: i64,
        version: i64,
        created_at: Timestamp [public],
        updated_at: Timestamp [public],
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [index(&["org_id", "custom_module_form_id", "place", "id"])],
    references: [
        Reference {
            columns: &["org_id", "custom_module_form_id"],
            table: "custom_module_forms",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("CUSTOM_MODULE"),
    visible: visibility::of_form,
}

record! {
    /// On which answer it depends whether a question is asked; one a question.
    pub struct CustomModuleCondition in CUSTOM_MODULE_CONDITIONS, custom_module_conditions {
        id: Id<CustomModuleCondition> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        custom_module_form_id: Id<CustomModuleForm>,
        /// The question that is asked or not.
        custom_module_id: Id<CustomModule> [public],
        /// The question whose answer decides.
        conditional_custom_module_id: Id<CustomModule> [public],
        filter_type: String [public],
        value_to_filter: Option<String> [public],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "custom_module_id"]),
        index(&["org_id", "conditional_custom_module_id"]),
        index(&["org_id", "custom_module_form_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "custom_module_id"],
            table: "custom_modules",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "conditional_custom_module_id"],
            table: "custom_modules",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "custom_module_form_id"],
            table: "custom_module_forms",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("CUSTOM_MODULE_CONDITION"),
    visible: visibility::of_form,
}

record! {
    /// What a question was from some moment on: never changed, never deleted. An
    /// answer points at one, so that an edit of the form changes no answer (DOM-13).
    pub struct QuestionVersion in QUESTION_VERSIONS, question_versions {
        id: Id<QuestionVersion>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        custom_module_form_id: Id<CustomModuleForm>,
        custom_module_id: Id<CustomModule>,
        /// From 1.
        number: i64,
        mod_type: String,
        label: Option<String>,
        sublabel: Option<String>,
        options: Option<String>,
        required: bool,
        place: i64,
        parent_custom_module_id: Option<Id<CustomModule>>,
        conditional_custom_module_id: Option<Id<CustomModule>>,
        filter_type: Option<String>,
        value_to_filter: Option<String>,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [unique(&["org_id", "custom_module_id", "number"])],
    references: [
        Reference {
            columns: &["org_id", "custom_module_id"],
            table: "custom_modules",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "custom_module_form_id"],
            table: "custom_module_forms",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("QUESTION_VERSION"),
    visible: visibility::of_rules,
}

/// All tables, those first that others refer to.
pub fn tables() -> Vec<&'static Table> {
    vec![
        &CUSTOM_MODULE_FORMS,
        &CUSTOM_MODULES,
        &CUSTOM_MODULE_CONDITIONS,
        &QUESTION_VERSIONS,
        &flow::ONBOARDING_FLOWS,
        &flow::ONBOARDING_ITEMS,
        &flow::ONBOARDING_FLOW_GROUPS,
        &flow::ONBOARDING_DEFAULTS,
        &filled::FORM_ANSWER_GROUPS,
        &filled::FORM_ANSWERS,
        &group_note::INDIVIDUAL_CLIENT_NOTES,
        &attachment::FILE_ATTACHMENTS,
        &filled::FORM_ANSWER_GROUP_SIGNINGS,
        &filled::CHARTING_NOTE_ADDENDUMS,
        &filled::FORM_ANSWER_GROUP_AUDIT_EVENTS,
        &flow::COMPLETED_ONBOARDING_ITEMS,
        &request::RECURRING_FORMS,
        &request::RECURRING_FORM_RECIPIENTS,
        &request::REQUESTED_FORM_COMPLETIONS,
        &request::FORM_HISTORIES,
    ]
}
