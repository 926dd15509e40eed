//! The table of consents to disclosure.

use ward_charting::filled::tables::FormAnswerGroup;
use ward_identity::restricted;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Day, Id, Key, Reference, index, record, text_enum};

use super::visibility;

text_enum! {
    /// Which records a consent covers.
    pub enum DisclosureScope {
        /// All but counselling notes, for which a consent of their own is needed (42 CFR 2.31(b), 45 CFR
        /// 164.508(b)(3)(ii)).
        AllRecords = "ALL_RECORDS",
        /// The same without records of treatment for a substance use disorder (42 CFR part 2).
        WithoutPart2 = "WITHOUT_PART_2",
        /// Counselling notes, and nothing else.
        CounsellingNotes = "COUNSELLING_NOTES",
    }
}

record! {
    /// What a client, or who acts for them, has consented to in writing. It is never deleted.
    pub struct DisclosureConsent in DISCLOSURE_CONSENTS, disclosure_consents {
        id: Id<DisclosureConsent>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The client.
        user_id: Id<User>,
        /// Who may receive the records: a name, or what sort of recipients (42 CFR 2.31(a)(4)).
        recipient: String [sealed],
        /// What for (42 CFR 2.31(a)(5)).
        purpose: String [sealed],
        scope: DisclosureScope,
        signed_on: Day,
        /// The last day; none where it ends with an event, or not at all (42 CFR 2.31(a)(7)).
        expires_on: Option<Day>,
        /// The filled form that was signed; none where the paper is elsewhere.
        form_answer_group_id: Option<Id<FormAnswerGroup>>,
        revoked_at: Option<Timestamp>,
        /// Who took it down: the client, or a member whom they told.
        revoked_by_id: Option<Id<User>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "user_id", "signed_on", "id"]),
        index(&["org_id", "form_answer_group_id"]).only("form_answer_group_id IS NOT NULL"),
        index(&["org_id", "revoked_by_id"]).only("revoked_by_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "revoked_by_id"], table: "users", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "form_answer_group_id"],
            table: "form_answer_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("DISCLOSURE_CONSENT"),
    subject: restricted::by_user_id,
    visible: visibility::consents,
}
