//! Tables of requests: what is asked again and again, of whom, what is asked of each, and what
//! became of it (behaviour 28).

use ward_identity::restricted;
use ward_identity::tables::{Organization, User, UserGroup};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record, text_enum, unique};

use super::visibility;
use crate::filled::tables::FormAnswerGroup;
use crate::flow::tables::OnboardingItem;
use crate::tables::CustomModuleForm;

text_enum! {
    /// How often a form is asked for, by the contract's names.
    pub enum Frequency {
        /// Every day.
        Daily = "Daily",
        /// On days of the week.
        Weekly = "Weekly",
        /// On a day of the month.
        Monthly = "Monthly",
    }
}

text_enum! {
    /// How far a client came with what they were asked.
    pub enum Status {
        /// Nothing is filled in.
        Open = "Open",
        /// A draft was begun.
        Incomplete = "Incomplete",
        /// The form is finished.
        Completed = "Completed",
    }
}

text_enum! {
    /// What somebody did about a form that a client is asked for.
    pub enum Action {
        Created = "created",
        Edited = "edited",
        Opened = "opened",
        Completed = "completed",
        Skipped = "skipped",
    }
}

record! {
    /// What is asked again and again. Without a frequency it is asked once, of many: such a row is
    /// nobody's to read, and is gone once everybody was asked.
    pub struct RecurringForm in RECURRING_FORMS, recurring_forms {
        id: Id<RecurringForm>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The member who asks; nobody where a program did.
        user_id: Option<Id<User>>,
        custom_module_form_id: Id<CustomModuleForm>,
        frequency: Option<Frequency>,
        /// The contract's `interval`: `23:12`, `Monday, Tuesday` or `31st`.
        interval_text: Option<String>,
        /// From 0 to 1,439, on the wall.
        minute_of_day: i64,
        /// Of the wall: that of whoever asked, when they asked.
        time_zone: String,
        /// It is due no more behind this moment.
        recurrence_end_at: Option<Timestamp>,
        is_active: bool,
        /// When it is due next, or is being asked since; nothing while it rests.
        next_at: Option<Timestamp>,
        /// Who was asked last of what is due, in the order of ids; 0 while nobody was.
        asked_until: i64,
        skips_notice: bool,
        metadata: Option<String> [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "unit_id", "id"]),
        index(&["org_id", "custom_module_form_id"]),
        index(&["org_id", "user_id"]).only("user_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        OF_FORM,
    ],
    audit: Some("RECURRING_FORM"),
    visible: visibility::recurring,
}

record! {
    /// Of whom it is asked: a client, or the clients of a group.
    pub struct RecurringFormRecipient in RECURRING_FORM_RECIPIENTS, recurring_form_recipients {
        id: Id<RecurringFormRecipient>,
        org_id: Id<Organization>,
        recurring_form_id: Id<RecurringForm>,
        user_id: Option<Id<User>>,
        user_group_id: Option<Id<UserGroup>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "recurring_form_id", "user_id"]),
        unique(&["org_id", "recurring_form_id", "user_group_id"]),
        index(&["org_id", "user_id"]).only("user_id IS NOT NULL"),
        index(&["org_id", "user_group_id"]).only("user_group_id IS NOT NULL"),
    ],
    references: [
        OF_RECURRING,
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("RECURRING_FORM_RECIPIENT"),
    subject: restricted::by_user_id,
    visible: crate::visibility::of_rules,
}

record! {
    /// A form that a client is asked to fill in. Its status is written with what is filled in.
    pub struct RequestedFormCompletion in REQUESTED_FORM_COMPLETIONS, requested_form_completions {
        id: Id<RequestedFormCompletion>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client.
        recipient_id: Id<User>,
        /// The member who asks; nobody where a program did.
        sender_id: Option<Id<User>>,
        custom_module_form_id: Id<CustomModuleForm>,
        recurring_form_id: Option<Id<RecurringForm>>,
        /// Of what is asked again and again: which time it is.
        occurs_at: Option<Timestamp>,
        /// What is filled in, a draft or finished.
        form_answer_group_id: Option<Id<FormAnswerGroup>>,
        status: Status,
        completed_at: Option<Timestamp>,
        metadata: Option<String> [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "recipient_id", "created_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "created_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "custom_module_form_id"]),
        index(&["org_id", "sender_id"]).only("sender_id IS NOT NULL"),
        index(&["org_id", "form_answer_group_id"]).only("form_answer_group_id IS NOT NULL"),
        unique(&["org_id", "recurring_form_id", "occurs_at", "recipient_id"])
            .only("deleted_at IS NULL"),
    ],
    references: [
        Reference {
            columns: &["org_id", "recipient_id"], table: "users", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "sender_id"], table: "users", target: &["org_id", "id"] },
        OF_FORM,
        OF_RECURRING,
        Reference {
            columns: &["org_id", "form_answer_group_id"],
            table: "form_answer_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("REQUESTED_FORM_COMPLETION"),
    subject: restricted::by_recipient_id,
    visible: visibility::requests,
}

record! {
    /// That somebody made, opened, changed, finished or skipped what a client is asked for: of a
    /// request, or of a step of an intake flow. Never changed.
    pub struct FormHistory in FORM_HISTORIES, form_histories {
        id: Id<FormHistory>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client.
        patient_id: Id<User>,
        /// Who did it; nobody where a program or a schedule did.
        creator_id: Option<Id<User>>,
        action: Action,
        /// The form's name at that time.
        title: Option<String>,
        requested_form_completion_id: Option<Id<RequestedFormCompletion>>,
        onboarding_item_id: Option<Id<OnboardingItem>>,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "patient_id", "created_at", "id"]),
        index(&["org_id", "created_at", "id"]),
        index(&["org_id", "requested_form_completion_id"])
            .only("requested_form_completion_id IS NOT NULL"),
        index(&["org_id", "onboarding_item_id"]).only("onboarding_item_id IS NOT NULL"),
        index(&["org_id", "creator_id"]).only("creator_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "creator_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "requested_form_completion_id"],
            table: "requested_form_completions",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "onboarding_item_id"],
            table: "onboarding_items",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("FORM_HISTORY"),
    subject: restricted::by_patient_id,
    visible: visibility::histories,
}

const OF_FORM: Reference = Reference {
    columns: &["org_id", "custom_module_form_id"],
    table: "custom_module_forms",
    target: &["org_id", "id"],
};

const OF_RECURRING: Reference = Reference {
    columns: &["org_id", "recurring_form_id"],
    table: "recurring_forms",
    target: &["org_id", "id"],
};
