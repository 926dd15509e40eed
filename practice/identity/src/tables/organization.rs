//! Organizations and sub-organizations (behaviour 15).

use ward_instance::Timestamp;
use ward_store::{Id, Key, index, record, text_enum};

use crate::tables::User;
use crate::visibility;

text_enum! {
    /// Whether files that people send are looked at for malware.
    pub enum UploadScan {
        /// They are not.
        Off = "OFF",
        /// They are, and can be read meanwhile.
        Release = "RELEASE",
        /// They are, and nobody reads them until nothing was found.
        Hold = "HOLD",
    }
}

record! {
    /// A practice: a root organization, or a sub-organization one level below.
    pub struct Organization in ORGANIZATIONS, organizations {
        id: Id<Organization> [public],
        /// The root organization; its own id for a root.
        org_id: Id<Organization>,
        parent_organization_id: Option<Id<Organization>> [public],
        name: String [public folded searched],
        organization_email: String [public],
        phone_number: Option<String> [public],
        npi: Option<String>,
        tax_id: Option<String>,
        tax_id_type: Option<String>,
        other_id: Option<String>,
        other_id_qual: Option<String>,
        /// False blocks new clients and appointments.
        is_active: bool [public],
        can_have_suborgs: bool,
        /// Set right after the owner's row, which refers to this one.
        owner_id: Option<Id<User>>,
        require_insurance_card_upload: bool,
        /// Whether a webhook is enabled by a good validation of its receiver only.
        requires_webhook_validation: bool,
        /// Of a root: what is done with files that are stored from now on. Those below it follow it.
        upload_scan: UploadScan,
        /// After how many hours chart notes lock by themselves; 0 for never, nothing as the one
        /// above has it.
        chart_note_autolock_hours: Option<i64>,
        /// When that was said last: nothing is locked earlier than so many hours after it.
        chart_note_autolock_since: Option<Timestamp>,
        version: i64,
        created_at: Timestamp [public],
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "parent_organization_id", "id"]),
    ],
    references: [],
    audit: Some("ORGANIZATION"),
    visible: visibility::organizations,
}
