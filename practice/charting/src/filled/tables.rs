//! Tables of what was filled in: forms and notes, and their answers (behaviour 26).

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_scheduling::appointment::table::Appointment;
use ward_store::{Id, Json, Key, Reference, index, record, text_enum, unique};

use super::visibility;
use crate::flow::tables::OnboardingItem;
use crate::group_note::visibility as group_note;
use crate::tables::{Confidentiality, CustomModule, CustomModuleForm, QuestionVersion};

record! {
    /// A form that was filled in for a client, or a note about them; a draft until it
    /// is finished. Deleted, it stays for the record.
    pub struct FormAnswerGroup in FORM_ANSWER_GROUPS, form_answer_groups {
        id: Id<FormAnswerGroup>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        custom_module_form_id: Id<CustomModuleForm>,
        /// The client whose chart it is in.
        user_id: Id<User>,
        /// Who began it; nobody where a program did.
        filler_id: Option<Id<User>>,
        appointment_id: Option<Id<Appointment>>,
        /// The step of an intake flow that it was begun for.
        onboarding_item_id: Option<Id<OnboardingItem>>,
        name: String [folded searched],
        /// Whether it was a note when it was begun: what the form is for may change, and
        /// must not open a note to the client.
        use_for_charting: bool,
        /// Whether it is of a group's appointment, with an individual note for each client who
        /// attends: decided when it is begun. It is filed under one of them then, `user_id`.
        is_group_appt_note: bool,
        /// Its own since it was begun: the template's may change, and must not open what was
        /// written.
        confidentiality: Confidentiality,
        finished: bool,
        completed_at: Option<Timestamp>,
        /// The scores of its sections, as they were given with the answers.
        scores: Option<Json> [sealed],
        /// How often answers were saved: each time another version.
        saves_count: i64,
        /// How many members' signatures it has.
        signings_count: i64,
        locked_at: Option<Timestamp>,
        /// Who locked it; nobody where its time had come.
        locked_by_id: Option<Id<User>>,
        /// From when its time runs until it locks by itself, should the organization have it so: of
        /// a note that is finished and open.
        autolock_from: Option<Timestamp>,
        /// Until when it is skipped, because its lock failed; by the instance's clock, as jobs are.
        autolock_skipped_until: Option<Timestamp>,
        /// How often its lock failed since somebody wrote it.
        autolock_failures: Option<i64>,
        external_id: Option<String>,
        metadata: Option<String> [sealed],
        /// The date of service, which people choose.
        served_at: Timestamp,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "served_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "served_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "updated_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "created_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "filler_id", "served_at", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "custom_module_form_id", "served_at", "id"])
            .only("deleted_at IS NULL"),
        index(&["org_id", "appointment_id"]).only("appointment_id IS NOT NULL"),
        index(&["org_id", "external_id"]).only("external_id IS NOT NULL"),
        index(&["org_id", "onboarding_item_id"]).only("onboarding_item_id IS NOT NULL"),
        index(&["org_id", "unit_id", "autolock_from", "id"]).only(
            "autolock_from IS NOT NULL AND autolock_skipped_until IS NULL AND deleted_at IS NULL",
        ),
        index(&["org_id", "unit_id", "autolock_skipped_until", "id"])
            .only("autolock_skipped_until IS NOT NULL AND deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "filler_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "locked_by_id"], table: "users", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "custom_module_form_id"],
            table: "custom_module_forms",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "appointment_id"],
            table: "appointments",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "onboarding_item_id"],
            table: "onboarding_items",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("FORM_ANSWER_GROUP"),
    subject: group_note::of_clients,
    visible: visibility::groups,
}

record! {
    /// What was answered to one question, with the question as it was then. A finished
    /// form has a row for each of its questions, answered or not, so that it reads for
    /// good as it was filled in (DOM-13).
    pub struct FormAnswer in FORM_ANSWERS, form_answers {
        id: Id<FormAnswer>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        form_answer_group_id: Id<FormAnswerGroup>,
        custom_module_id: Id<CustomModule>,
        /// What the question was when it was answered.
        question_version_id: Id<QuestionVersion>,
        /// The client.
        user_id: Id<User>,
        /// The version's, for reading without looking it up.
        mod_type: String,
        place: i64,
        answer: Option<String> [sealed],
        /// When it was given as it is now.
        answered_at: Option<Timestamp>,
        /// Whether other answers have it that the question is not asked. It is kept, in
        /// case they change.
        hidden: bool,
        metadata: Option<String> [sealed],
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "form_answer_group_id", "custom_module_id"]),
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "form_answer_group_id"],
            table: "form_answer_groups",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "custom_module_id"],
            table: "custom_modules",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "question_version_id"],
            table: "question_versions",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("FORM_ANSWER"),
    subject: restricted::by_user_id,
    visible: visibility::answers,
}

text_enum! {
    /// What a signature says.
    pub enum Meaning {
        /// I wrote this.
        Author = "AUTHOR",
        /// I have read what somebody else wrote, and stand for it.
        CoSigner = "CO_SIGNER",
    }
}

text_enum! {
    /// What was done to a note.
    pub enum Deed {
        Locked = "LOCKED",
        Unlocked = "UNLOCKED",
        Signed = "SIGNED",
        AddendumCreated = "ADDENDUM_CREATED",
        RemoveSignature = "REMOVE_SIGNATURE",
    }
}

record! {
    /// A member's signature of a form or note, with what it says and the hash of what was
    /// signed (DOM-16). Taken back, it stays for the record.
    pub struct FormAnswerGroupSigning in FORM_ANSWER_GROUP_SIGNINGS, form_answer_group_signings {
        id: Id<FormAnswerGroupSigning>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        form_answer_group_id: Id<FormAnswerGroup>,
        patient_id: Id<User>,
        /// Who signed, and what they were called then.
        user_id: Id<User>,
        user_full_legal_name: String,
        user_qualifications: Option<String>,
        meaning: Meaning,
        /// Of everything that was signed; short texts could be guessed by it.
        content_hash: String [sealed],
        version: i64,
        /// When it was signed: nobody chooses it.
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "form_answer_group_id", "user_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "patient_id"]),
        index(&["org_id", "user_id"]),
    ],
    references: [
        OF_GROUP,
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("FORM_ANSWER_GROUP_SIGNING"),
    subject: restricted::by_patient_id,
    visible: visibility::answers,
}

record! {
    /// What is added to a note that is locked; it never changes (DOM-17).
    pub struct ChartingNoteAddendum in CHARTING_NOTE_ADDENDUMS, charting_note_addendums {
        id: Id<ChartingNoteAddendum>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        form_answer_group_id: Id<FormAnswerGroup>,
        patient_id: Id<User>,
        /// Who wrote it.
        user_id: Id<User>,
        content: String [sealed],
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "form_answer_group_id", "id"]),
        index(&["org_id", "patient_id"]),
        index(&["org_id", "user_id"]),
    ],
    references: [
        OF_GROUP,
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("CHARTING_NOTE_ADDENDUM"),
    subject: restricted::by_patient_id,
    visible: visibility::added,
}

record! {
    /// The history of a note, a step a row; nothing of it changes.
    pub struct FormAnswerGroupAuditEvent
    in FORM_ANSWER_GROUP_AUDIT_EVENTS, form_answer_group_audit_events {
        id: Id<FormAnswerGroupAuditEvent>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        form_answer_group_id: Id<FormAnswerGroup>,
        patient_id: Id<User>,
        action: Deed,
        /// Who did it; of what nobody did who stands in, because the contract demands a member: the
        /// owner of the client's organization.
        committed_by_id: Id<User>,
        /// Whether nobody did it.
        is_automatic: bool,
        committed_at: Timestamp,
        /// Why it was unlocked, or how it came that it locked.
        description: Option<String> [sealed],
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "form_answer_group_id", "committed_at", "id"]),
        index(&["org_id", "patient_id"]),
        index(&["org_id", "committed_by_id"]),
    ],
    references: [
        OF_GROUP,
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "committed_by_id"], table: "users", target: &["org_id", "id"],
        },
    ],
    audit: Some("FORM_ANSWER_GROUP_AUDIT_EVENT"),
    subject: restricted::by_patient_id,
    visible: visibility::history,
}

const OF_GROUP: Reference = Reference {
    columns: &["org_id", "form_answer_group_id"],
    table: "form_answer_groups",
    target: &["org_id", "id"],
};
