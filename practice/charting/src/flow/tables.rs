//! Tables of intake flows: flows, their steps, who uses which, and what clients have done
//! of them (behaviour 27).

use ward_identity::restricted;
use ward_identity::tables::{Organization, User, UserGroup};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record, text_enum, unique};

use super::visibility;
use crate::filled::tables::FormAnswerGroup;
use crate::tables::CustomModuleForm;

record! {
    /// Steps that clients take before anything else, one after another. Deleted, it stays
    /// for what was done of it.
    pub struct OnboardingFlow in ONBOARDING_FLOWS, onboarding_flows {
        id: Id<OnboardingFlow> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        /// The member who made it; nobody where it came with the instance.
        user_id: Option<Id<User>>,
        name: String [public folded searched],
        /// In whose light it is read: kept as minus its own number, which is nobody's; of a
        /// client, what stands between has the client's number instead (`due`).
        lens: i64,
        version: i64,
        created_at: Timestamp [public],
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "name_fold", "id"]),
        index(&["org_id", "lens"]),
    ],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("ONBOARDING_FLOW"),
    visible: visibility::flows,
}

text_enum! {
    /// What a step asks for, by the contract's names.
    pub enum ItemType {
        /// A form that the practice made.
        ModuleForm = "Module Form",
        /// A greeting.
        WelcomePage = "Welcome Page",
        /// The client's insurance.
        InsuranceForm = "Insurance Form",
        /// A card to pay with.
        BillingInfo = "Billing Info",
        /// A picture of an identity card.
        PhotoId = "Photo ID",
    }
}

record! {
    /// A step of a flow. Taken out, it stays for what was done of it.
    pub struct OnboardingItem in ONBOARDING_ITEMS, onboarding_items {
        id: Id<OnboardingItem> [public],
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        onboarding_flow_id: Id<OnboardingFlow> [public],
        item_type: ItemType [public],
        /// What is to be filled in, of a step of that type.
        custom_module_form_id: Option<Id<CustomModuleForm>>,
        is_skippable: bool [public],
        /// Its place in the flow, in thousandths: there is room between two.
        place: i64,
        welcome_text: Option<String> [public],
        billing_disclaimer: Option<String> [public],
        photo_id_disclaimer: Option<String> [public],
        policy_disclaimer: Option<String> [public],
        /// As the flow's.
        lens: i64,
        /// Never kept: read of a client, what they have done of it (`due`).
        completed_onboarding_item_id: Option<Id<CompletedOnboardingItem>>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        index(&["org_id", "onboarding_flow_id", "place", "id"]).only("deleted_at IS NULL"),
        index(&["org_id", "custom_module_form_id"]).only("custom_module_form_id IS NOT NULL"),
    ],
    references: [
        Reference {
            columns: &["org_id", "onboarding_flow_id"],
            table: "onboarding_flows",
            target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "custom_module_form_id"],
            table: "custom_module_forms",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("ONBOARDING_ITEM"),
    visible: visibility::items,
}

record! {
    /// Which flow a group uses: one.
    pub struct OnboardingFlowGroup in ONBOARDING_FLOW_GROUPS, onboarding_flow_groups {
        org_id: Id<Organization>,
        user_group_id: Id<UserGroup>,
        onboarding_flow_id: Id<OnboardingFlow>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "user_group_id"]),
    indexes: [index(&["org_id", "onboarding_flow_id", "user_group_id"])],
    references: [
        Reference {
            columns: &["org_id", "user_group_id"],
            table: "user_groups",
            target: &["org_id", "id"],
        },
        OF_FLOW,
    ],
    audit: Some("ONBOARDING_FLOW_GROUP"),
    visible: crate::visibility::of_rules,
}

record! {
    /// Which flow a member's clients have where their group has none; the owner's is the
    /// organization's.
    pub struct OnboardingDefault in ONBOARDING_DEFAULTS, onboarding_defaults {
        org_id: Id<Organization>,
        /// The member.
        user_id: Id<User>,
        onboarding_flow_id: Id<OnboardingFlow>,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "user_id"]),
    indexes: [index(&["org_id", "onboarding_flow_id", "user_id"])],
    references: [
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        OF_FLOW,
    ],
    audit: Some("ONBOARDING_DEFAULT"),
    visible: crate::visibility::of_rules,
}

record! {
    /// That a client has done a step, or skipped it.
    pub struct CompletedOnboardingItem in COMPLETED_ONBOARDING_ITEMS, completed_onboarding_items {
        id: Id<CompletedOnboardingItem>,
        org_id: Id<Organization>,
        unit_id: Id<Organization>,
        onboarding_item_id: Id<OnboardingItem>,
        /// The client.
        user_id: Id<User>,
        skipped: bool,
        /// What was filled in, of a step that asks for a form.
        form_answer_group_id: Option<Id<FormAnswerGroup>>,
        /// Who said so; nobody where a program did.
        completed_by_id: Option<Id<User>>,
        /// When it was done, last; a step that was skipped may be done later.
        completed_at: Timestamp,
        version: i64,
        created_at: Timestamp,
        updated_at: Timestamp,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "user_id", "onboarding_item_id"]).only("deleted_at IS NULL"),
        index(&["org_id", "onboarding_item_id"]),
        index(&["org_id", "completed_by_id"]).only("completed_by_id IS NOT NULL"),
        index(&["org_id", "form_answer_group_id"]).only("form_answer_group_id IS NOT NULL"),
    ],
    references: [
        Reference {
            columns: &["org_id", "onboarding_item_id"],
            table: "onboarding_items",
            target: &["org_id", "id"],
        },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
        Reference {
            columns: &["org_id", "completed_by_id"], table: "users", target: &["org_id", "id"],
        },
        Reference {
            columns: &["org_id", "form_answer_group_id"],
            table: "form_answer_groups",
            target: &["org_id", "id"],
        },
    ],
    audit: Some("COMPLETED_ONBOARDING_ITEM"),
    subject: restricted::by_user_id,
    visible: visibility::completed,
}

const OF_FLOW: Reference = Reference {
    columns: &["org_id", "onboarding_flow_id"],
    table: "onboarding_flows",
    target: &["org_id", "id"],
};
