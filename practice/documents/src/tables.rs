//! Tables of the domain: documents, folders, whom they are shared with, and who
//! opened a document (behaviour 31).

use ward_clients::tables::UserGroup;
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Entity, Id, Json, Key, Reference, Table, Uuid, index, record, unique};

use crate::visibility;

/// A consent to disclosure, whose table belongs to the domain of exports.
#[derive(Clone, Copy, Debug)]
pub struct DisclosureConsentRef;

impl Entity for DisclosureConsentRef {
    const NAME: &'static str = "DisclosureConsent";
}

record! {
    /// A document. Its content never changes; what is written here may.
    pub struct Document in DOCUMENTS, documents {
        id: Id<Document>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Who uploaded it.
        owner_id: Id<User>,
        /// The client whom it is about: private to those who see the client.
        rel_user_id: Option<Id<User>>,
        folder_id: Option<Id<Folder>>,
        /// Its content in the file store.
        file_id: Uuid,
        display_name: String [folded searched],
        /// As its sender's machine called it; a name, never a path.
        file_name: String [searched],
        /// By its content, whatever its sender said.
        file_content_type: String,
        byte_size: i64,
        /// The forms and notes that it was printed of, by their ids; nothing of what was uploaded. So
        /// what may not be passed on is known on paper, too (DOM-31).
        printed_of: Option<Json>,
        /// Whether one of them was confidential when it was printed, as it is on the paper for good;
        /// nothing of what was uploaded (DOM-35).
        printed_confidential: Option<bool>,
        /// The consent by which it was made, of an archive that is disclosed: it ends with that
        /// (DOM-31).
        disclosure_consent_id: Option<Id<DisclosureConsentRef>>,
        description: Option<String> [searched],
        /// For the staff.
        internal_notes: Option<String> [sealed],
        metadata: Option<Json> [sealed],
        /// Whether whoever sees the client finds it in the chart.
        include_in_charting: bool,
        /// Whether every client of the organization sees it, from their welcome on.
        shared_on_welcome: bool,
        /// Whether all members of the organization see it.
        shared_with_dietitians: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "file_id"]),
        index(&["org_id", "display_name_fold", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "folder_id"]).only("folder_id IS NOT NULL"),
        index(&["org_id", "owner_id"]),
        index(&["org_id", "rel_user_id"]).only("rel_user_id IS NOT NULL"),
        index(&["org_id", "disclosure_consent_id"]).only("disclosure_consent_id IS NOT NULL"),
        // Exports, which end by themselves.
        index(&["created_at", "id"]).only(
            "deleted_at IS NULL AND file_content_type IN ('application/zip', 'application/json')",
        ),
    ],
    references: [
        Reference { columns: &["org_id", "owner_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "rel_user_id"], table: "users", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "folder_id"], table: "folders", target: &["org_id", "id"],
        },
    ],
    audit: Some("DOCUMENT"),
    subject: restricted::by_rel_user_id,
    visible: visibility::documents,
}

record! {
    /// A folder, perhaps in another one.
    pub struct Folder in FOLDERS, folders {
        id: Id<Folder>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// Who made it.
        owner_id: Id<User>,
        /// The client whose it is: everything in it is about them.
        rel_user_id: Option<Id<User>>,
        /// The folder that it is in.
        folder_id: Option<Id<Folder>>,
        name: String [folded searched],
        shared_on_welcome: bool,
        shared_with_dietitians: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "name_fold", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "folder_id"]).only("folder_id IS NOT NULL"),
        index(&["org_id", "owner_id"]),
        index(&["org_id", "rel_user_id"]).only("rel_user_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "owner_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "rel_user_id"], table: "users", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "folder_id"], table: "folders", target: &["org_id", "id"],
        },
    ],
    audit: Some("FOLDER"),
    subject: restricted::by_rel_user_id,
    visible: visibility::folders,
}

record! {
    /// That a document is shared with a person, or with a group as a whole: whoever
    /// joins the group sees it, too.
    pub struct DocumentSharing in DOCUMENT_SHARINGS, document_sharings {
        id: Id<DocumentSharing>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        document_id: Id<Document>,
        /// Exactly one of the two.
        user_id: Option<Id<User>>,
        user_group_id: Option<Id<UserGroup>>,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "document_id", "user_id"]),
        unique(&["org_id", "document_id", "user_group_id"]),
        index(&["org_id", "user_id"]),
        index(&["org_id", "user_group_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "document_id"], table: "documents", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("DOCUMENT_SHARING"),
    subject: restricted::by_user_id,
    visible: visibility::document_sharings,
}

record! {
    /// That a folder is shared with a person, or with a group as a whole, and so
    /// everything in it.
    pub struct FolderSharing in FOLDER_SHARINGS, folder_sharings {
        id: Id<FolderSharing>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        folder_id: Id<Folder>,
        /// Exactly one of the two.
        user_id: Option<Id<User>>,
        user_group_id: Option<Id<UserGroup>>,
        created_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "folder_id", "user_id"]),
        unique(&["org_id", "folder_id", "user_group_id"]),
        index(&["org_id", "user_id"]),
        index(&["org_id", "user_group_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "folder_id"], table: "folders", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("FOLDER_SHARING"),
    subject: restricted::by_user_id,
    visible: visibility::folder_sharings,
}

record! {
    /// That somebody opened a document by a link.
    pub struct DocumentViewing in DOCUMENT_VIEWINGS, document_viewings {
        id: Id<DocumentViewing>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        document_id: Id<Document>,
        user_id: Id<User>,
        viewed_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "document_id", "viewed_at", "id"]),
        index(&["org_id", "user_id"]),
    ],
    references: [
        Reference {
            columns: &["org_id", "document_id"], table: "documents", target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("DOCUMENT_VIEWING"),
    subject: restricted::by_user_id,
    visible: visibility::document_viewings,
}

/// The tables of the domain.
pub fn tables() -> Vec<&'static Table> {
    vec![&FOLDERS, &DOCUMENTS, &DOCUMENT_SHARINGS, &FOLDER_SHARINGS, &DOCUMENT_VIEWINGS]
}
