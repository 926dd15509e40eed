//! Files of answers and of questions.

use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, Uuid, index, record};

use super::visibility;
use crate::filled::tables::{FormAnswer, FormAnswerGroup};
use crate::tables::{CustomModule, CustomModuleForm};

record! {
    /// A file of an answer or of a question. It is told of first; then it is sent; then it is
    /// attached, and only from then on anybody sees it. Its content never changes.
    pub struct FileAttachment in FILE_ATTACHMENTS, file_attachments {
        id: Id<FileAttachment> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization> [public],
        /// Of an answer: it, its form and the client.
        form_answer_id: Option<Id<FormAnswer>>,
        form_answer_group_id: Option<Id<FormAnswerGroup>>,
        patient_id: Option<Id<User>>,
        /// Of a question: it and its form.
        custom_module_id: Option<Id<CustomModule>>,
        custom_module_form_id: Option<Id<CustomModuleForm>>,
        /// Who told of it.
        user_id: Id<User>,
        /// Who acted for them then.
        proxy_id: Option<Id<User>>,
        /// As its sender's machine called it; a name, never a path.
        file_name: String [sealed],
        /// As it was told; once the file is here, by its content.
        content_type: String,
        byte_size: i64,
        /// Base64 of the MD5, as it was told: whether it arrived whole.
        checksum: String [sealed],
        /// Its content in the file store, once it is here.
        blob_id: Option<Uuid> [public],
        /// SHA-256 of the content, in hexadecimal digits: what a signature binds (DOM-16).
        content_hash: Option<String> [sealed],
        attached_at: Option<Timestamp>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "form_answer_id"]).only("form_answer_id IS NOT NULL"),
        index(&["org_id", "form_answer_group_id"]).only("form_answer_group_id IS NOT NULL"),
        index(&["org_id", "patient_id"]).only("patient_id IS NOT NULL"),
        index(&["org_id", "custom_module_id"]).only("custom_module_id IS NOT NULL"),
        index(&["org_id", "custom_module_form_id"]).only("custom_module_form_id IS NOT NULL"),
        index(&["org_id", "user_id"]),
        index(&["org_id", "proxy_id"]).only("proxy_id IS NOT NULL"),
        index(&["org_id", "blob_id"]).only("blob_id IS NOT NULL"),
        index(&["created_at", "id"]).only("attached_at IS NULL AND deleted_at IS NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "proxy_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "form_answer_id"],
            table: "form_answers",
            target: &["org_id", "id"],
        },
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
            columns: &["org_id", "custom_module_form_id"],
            table: "custom_module_forms",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("FILE_ATTACHMENT"),
    subject: restricted::by_patient_id,
    visible: visibility::files,
}
