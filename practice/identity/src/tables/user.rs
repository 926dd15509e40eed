//! Accounts: clients (patients) and staff, told apart by `is_patient`
//! (behaviour 15).

use ward_instance::Timestamp;
use ward_store::{Day, Id, Json, Key, Reference, Uuid, index, record, text_enum};

use crate::tables::{Human, Organization, UserGroup};
use crate::{restricted, visibility};

text_enum! {
    /// Who chose a password: it decides which account a sign-in without a
    /// tenant hint means.
    pub enum PasswordSetBy {
        /// The person.
        Person = "self",
        /// Staff, for a client.
        Staff = "staff",
    }
}

text_enum! {
    /// How a client's visits are paid for.
    pub enum DefaultBillingType {
        /// By the client.
        SelfPay = "SELF_PAY",
        /// By an insurer.
        InsurancePay = "INSURANCE_PAY",
    }
}

record! {
    /// A person's account.
    pub struct User in USERS, users {
        id: Id<User> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        is_patient: bool [public],
        /// False: an archived client, a deactivated member.
        active: bool [public],
        archived_at: Option<Timestamp>,
        /// The client whom this one was merged into; the row is deleted then, and
        /// only the audit log tells of it.
        merged_into_id: Option<Id<User>>,
        /// A program's account: no log-in, no reset, no key minting.
        is_integration: bool,
        namespace: String,
        /// All accounts of the e-mail in this root organization.
        /// Of all accounts of an address, so it tells of those whom the reader does
        /// not see: answered and logged as what the reader may know.
        human_id: Id<Human> [secret],
        email: Option<String> [limited folded searched],
        /// A new address, until its owner confirms it.
        unconfirmed_email: Option<String>,
        skipped_email: bool,
        first_name: Option<String> [public folded searched],
        last_name: Option<String> [public folded searched],
        legal_name: Option<String> [searched],
        phone_number: Option<String> [limited phone],
        additional_phone_number: Option<String> [phone],
        dob: Option<Day> [searched],
        /// The day on which a client died: they are told nothing any more, and sign in
        /// nowhere ([`crate::deceased`]).
        deceased_on: Option<Day>,
        gender: Option<String>,
        gender_identity: Option<String>,
        gender_identity_code: Option<String>,
        sex: Option<String>,
        pronouns: Option<String> [limited],
        sexual_orientation: Option<String>,
        sexual_orientation_code: Option<String>,
        sexual_orientation_other: Option<String>,
        primary_race: Option<String>,
        primary_race_code: Option<String>,
        secondary_race: Option<String>,
        secondary_race_code: Option<String>,
        primary_ethnicity: Option<String>,
        primary_ethnicity_code: Option<String>,
        secondary_ethnicity: Option<String>,
        secondary_ethnicity_code: Option<String>,
        preferred_language_code: Option<String>,
        timezone: Option<String> [public],
        qualifications: Option<String> [public],
        /// What a provider says of themselves.
        bio: Option<String> [public],
        profession: Option<String> [public],
        license_num: Option<String>,
        npi: Option<String> [limited searched],
        height: Option<String>,
        weight: Option<String>,
        record_identifier: Option<String> [searched],
        additional_record_identifier: Option<String>,
        /// A client's primary provider.
        dietitian_id: Option<Id<User>>,
        user_group_id: Option<Id<UserGroup>>,
        default_billing_type: Option<DefaultBillingType>,
        /// Seen by authorized people only (behaviour 16.2.4).
        restricted: bool,
        metadata: Option<Json> [sealed],
        ssn: Option<String> [sealed],
        quick_notes: Option<String> [sealed],
        invite_code: Option<String>,
        avatar_id: Option<Uuid> [public],
        uploaded_avatar_file_name: Option<String>,
        password_hash: Option<String> [secret],
        password_set_by: Option<PasswordSetBy> [secret],
        last_sign_in_at: Option<Timestamp>,
        last_active: Option<Timestamp>,
        created_by_id: Option<Id<User>>,
        consented_to_labs: bool,
        submit_labs_immediately: bool,
        assign_tasks_seen: bool,
        blast_seen: bool,
        seen_welcome: bool,
        seen_onboarding_complete_page: bool,
        dismissed_calendar_prompt: bool,
        dismissed_charting_note_addendum_warning: bool,
        dismissed_insurance_eligibility_warning: bool,
        dismissed_fullscript: bool,
        dismissed_products_tab: bool,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "is_patient", "last_name_fold", "id"]),
        index(&["org_id", "is_patient", "first_name_fold", "id"]),
        index(&["org_id", "is_patient", "created_at", "id"]),
        index(&["org_id", "email_fold", "first_name_fold", "last_name_fold", "id"]),
        index(&["org_id", "dietitian_id", "id"]).only("dietitian_id IS NOT NULL"),
        index(&["org_id", "user_group_id", "id"]).only("user_group_id IS NOT NULL"),
        index(&["org_id", "unit_id", "is_patient", "id"]),
        // Holds all that counting clients looks at. The unit comes first, so that nothing that looks
        // for one client finds it more fitting than an index of what it knows of the client.
        index(&[
            "org_id",
            "unit_id",
            "is_patient",
            "active",
            "restricted",
            "dietitian_id",
            "deleted_at",
            "id",
        ]),
        index(&["org_id", "human_id"]),
        index(&["org_id", "merged_into_id"]).only("merged_into_id IS NOT NULL"),
    ],
    references: [
        Reference { columns: &["org_id", "unit_id"], table: "organizations", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "dietitian_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("USER"),
    subject: restricted::of_users,
    visible: visibility::users,
}
