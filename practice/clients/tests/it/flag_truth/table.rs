//! The table itself: what each flag governs today, and the cases that show it.

/// What a flag does today.
pub enum Truth {
    /// It governs something: cases, each allowed with it and refused without.
    Governs(&'static [Case]),
    /// The domain that will ask for it.
    Awaits(&'static str),
    /// The domain after this one that asks for it, and whose tests flip it.
    Later(&'static str),
    /// It chooses what is shown or told, and guards nothing.
    Shows,
}

/// Who runs the operation; the flag is always the bearer's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    Bearer,
    Owner,
}

/// How the flag's absence is told.
pub enum Refusal {
    /// By name in `extensions.permission`.
    Named,
    /// By the name of another flag that would do as well.
    Other(&'static str),
    /// A message on this input field.
    Message(&'static str),
    /// Nothing is there.
    Nothing,
}

pub struct Case {
    /// What the bearer holds besides.
    pub with: &'static [&'static str],
    pub asks: Asks,
    /// The document; `$client`, `$bearer` and so on are ids.
    pub document: &'static str,
    /// Where the answer shows that it was done or seen.
    pub shows: &'static str,
    pub refusal: Refusal,
}

const fn named(document: &'static str, shows: &'static str) -> Case {
    Case { with: &[], asks: Asks::Bearer, document, shows, refusal: Refusal::Named }
}

use Truth::{Awaits, Governs as Rules, Later, Shows};

const ADD_MEMBER: &str = r#"mutation { createOrganizationMembership(input: {first_name: "N", last_name: "N",
    email: "n$n@example.com"}) { organizationMembership { id } messages { field message } } }"#;
const EDIT_MEMBER: &str = r#"mutation { updateOrganizationMembership(input: {id: "$membership", title: "t$n"}) {
    organizationMembership { id } messages { field message } } }"#;
const EDIT_PROFILE: &str = r#"mutation { updateOrganizationMember(input: {id: "$colleague", qualifications: "q$n"}) {
    user { id } messages { field message } } }"#;
const NEW_TEMPLATE: &str = r#"mutation { createPermissionTemplate(input: {name: "t$n"}) {
    newPermissionTemplate { id } messages { field message } } }"#;
const NEW_KEY: &str = r#"mutation { createApiKey(input: {user_id: "$bearer"}) {
    api_key_object { id } messages { field message } } }"#;
const KEY_OF_ANOTHER: &str = r#"mutation { createApiKey(input: {user_id: "$weaker"}) {
    api_key_object { id } messages { field message } } }"#;
const GRANT_ADMIN: &str = r#"mutation { createPermissionTemplate(input: {name: "t$n", is_admin: true}) {
    newPermissionTemplate { id } messages { field message } } }"#;
const LOG: &str = "{ auditLog(first: 1) { nodes { type } } }";
const CLIENT: &str = r#"{ user(id: "$client") { id } }"#;
const ADD_CLIENT: &str = r#"mutation { createClient(input: {first_name: "C", last_name: "C",
    email: "c$n@example.com", dietitian_id: "$owner"}) { user { id } messages { field message } } }"#;
const ADD_RESTRICTED: &str = r#"mutation { createClient(input: {first_name: "C", last_name: "C", restricted: true,
    email: "c$n@example.com", dietitian_id: "$owner"}) { user { id } messages { field message } } }"#;
const ARCHIVE: &str = r#"mutation { updateClient(input: {id: "$client", active: false}) {
    user { id } messages { field message } } }"#;
const MERGE: &str = r#"mutation { mergeClients(input: {ids: ["$client", "$merged"], target_user_id: "$client"}) {
    user { id } messages { field message } } }"#;
const REFERRER: &str = r#"mutation { createReferringPhysician(input: {first_name: "p$n"}) {
    referring_physician { id } messages { field message } } }"#;
const CONTACT: &str = r#"mutation { createContact(input: {first_name: "v$n", email: "v$n@example.com"}) {
    visitor { id } messages { field message } } }"#;
const ARCHIVE_MANY: &str = r#"mutation { bulkUpdateClients(input: {ids: ["$other"], active_status: true}) {
    users { id } messages { field message } } }"#;
const PASSWORD: &str = r#"mutation { updateClient(input: {id: "$client", password: "violet-anchor-27-bramble"}) {
    user { id } messages { field message } } }"#;
const NEW_TAG: &str =
    r#"mutation { createTag(input: {name: "t$n"}) { tag { id } messages { field message } } }"#;
const RENAME_TAG: &str = r#"mutation { updateTag(input: {id: "$tag", name: "r$n"}) { tag { id } messages { field message } } }"#;
const PROVIDER: &str = r#"mutation { updateClient(input: {id: "$other", dietitian_id: "$bearer"}) {
    user { id } messages { field message } } }"#;
const CARE_TEAM: &str = r#"mutation { updateClient(input: {id: "$other", other_provider_ids: ["$bearer"]}) {
    user { id } messages { field message } } }"#;
const GROUP: &str = r#"mutation { deleteUserGroup(input: {id: "$group"}) {
    user_group { id } messages { field message } } }"#;

const SETTINGS: &str = r#"mutation { updateOrganization(input: {organization_info: {phone_number: "$n"}}) {
    organization { id } messages { field message } } }"#;
const NEW_BRAND: &str = r#"mutation { createBrand(input: {brand_name: "b$n"}) {
    brand { id } messages { field message } } }"#;

const fn seeing(case: Case) -> Case {
    Case { with: &["can_see_clients"], ..case }
}

const fn not_there(document: &'static str, shows: &'static str) -> Case {
    Case { refusal: Refusal::Nothing, ..named(document, shows) }
}

/// The flag is a third person's: the owner asks.
const fn of_another(document: &'static str, shows: &'static str, field: &'static str) -> Case {
    Case { asks: Asks::Owner, refusal: Refusal::Message(field), ..named(document, shows) }
}

pub const TRUTHS: &[(&str, Truth)] = &[
    ("allow_group_level_actions", Rules(&[named(GROUP, "/deleteUserGroup/user_group")])),
    ("allow_self_scheduling_in_care_team", Awaits("scheduling")),
    ("auto_create_convo_for_care_team", Later("messaging")),
    ("can_access_calendar_quick_share", Shows),
    ("can_access_to_members_chat", Later("messaging")),
    ("can_access_zus", Awaits("no domain: another company's product")),
    (
        "can_add_clients",
        Rules(&[
            seeing(named(ADD_CLIENT, "/createClient/user")),
            named(CONTACT, "/createContact/visitor"),
        ]),
    ),
    (
        "can_add_members",
        Rules(&[named(ADD_MEMBER, "/createOrganizationMembership/organizationMembership")]),
    ),
    ("can_add_members_to_chat", Later("messaging")),
    ("can_add_others_appointments", Awaits("scheduling")),
    ("can_add_own_appointments", Awaits("scheduling")),
    ("can_assign_tasks_to_all_org_members", Awaits("clinical")),
    ("can_autogenerate_charting_notes_from_zoom_calls", Awaits("charting")),
    (
        "can_be_care_team_member",
        Rules(&[of_another(CARE_TEAM, "/updateClient/user", "other_provider_ids")]),
    ),
    ("can_charge_clients", Awaits("billing")),
    ("can_create_tags", Rules(&[named(NEW_TAG, "/createTag/tag")])),
    ("can_delete_automations", Awaits("automation")),
    ("can_delete_charting_notes", Later("charting")),
    ("can_delete_faxes", Awaits("messaging")),
    ("can_delete_recordings", Awaits("scheduling")),
    ("can_edit_appointment_types", Later("scheduling")),
    ("can_edit_automations", Awaits("automation")),
    ("can_edit_calendar", Awaits("scheduling")),
    ("can_edit_credit", Later("scheduling")),
    ("can_edit_docs", Later("documents")),
    ("can_edit_education", Awaits("documents")),
    ("can_edit_forms", Later("charting")),
    (
        "can_edit_members",
        Rules(&[
            named(EDIT_MEMBER, "/updateOrganizationMembership/organizationMembership"),
            named(EDIT_PROFILE, "/updateOrganizationMember/user"),
            named(NEW_TEMPLATE, "/createPermissionTemplate/newPermissionTemplate"),
        ]),
    ),
    ("can_edit_packages", Awaits("billing")),
    ("can_edit_products", Awaits("billing")),
    (
        "can_edit_settings",
        Rules(&[
            Case {
                refusal: Refusal::Other("allow_group_level_actions"),
                ..named(GROUP, "/deleteUserGroup/user_group")
            },
            named(REFERRER, "/createReferringPhysician/referring_physician"),
            named(SETTINGS, "/updateOrganization/organization"),
        ]),
    ),
    ("can_enroll_clients_to_programs", Awaits("documents")),
    ("can_lock_form_answer_groups", Later("charting")),
    ("can_lock_others_charting_notes", Later("charting")),
    ("can_lock_own_charting_notes", Later("charting")),
    ("can_manage_care_plan_templates", Later("clinical")),
    ("can_manage_others_availability", Later("scheduling")),
    ("can_manage_others_blocks", Awaits("scheduling")),
    ("can_manage_own_availability", Later("scheduling")),
    ("can_manage_own_blocks", Awaits("scheduling")),
    ("can_mark_assigned_tasks_to_other_org_members_as_completed", Awaits("clinical")),
    ("can_merge_clients", Rules(&[seeing(named(MERGE, "/mergeClients/user"))])),
    ("can_order_labs", Awaits("clinical")),
    (
        "can_remove_client",
        Rules(&[
            seeing(named(ARCHIVE, "/updateClient/user")),
            seeing(named(ARCHIVE_MANY, "/bulkUpdateClients/users")),
        ]),
    ),
    ("can_remove_org_member_signatures", Later("charting")),
    ("can_rename_and_delete_tags", Rules(&[named(RENAME_TAG, "/updateTag/tag")])),
    ("can_request_to_prescribe_controlled_substances", Awaits("clinical")),
    (
        "can_restrict_clients",
        Rules(&[Case {
            with: &["can_add_clients"],
            shows: "/createClient",
            ..named(ADD_RESTRICTED, "")
        }]),
    ),
    ("can_see_billing", Awaits("billing")),
    ("can_see_calendar", Later("scheduling")),
    ("can_see_clients", Rules(&[not_there(CLIENT, "/user")])),
    ("can_see_docs", Later("documents")),
    ("can_see_faxes", Awaits("messaging")),
    ("can_see_fullscript_tab", Awaits("no domain: another company's product")),
    ("can_see_option_to_use_erx_dosespot", Awaits("clinical")),
    ("can_see_sent_faxes", Awaits("messaging")),
    ("can_see_transfers", Awaits("billing")),
    ("can_set_client_password", Rules(&[seeing(named(PASSWORD, "/updateClient/user"))])),
    ("can_share_documents_and_folders_with_org_members", Later("documents")),
    ("can_sign_others_charting_notes", Later("charting")),
    ("can_sign_own_charting_notes", Later("charting")),
    ("can_submit_cms_1500s_to_candid_health", Awaits("insurance")),
    ("can_submit_cms_1500s_to_change_health", Awaits("insurance")),
    ("can_submit_cms_1500s_to_office_ally", Awaits("insurance")),
    ("can_unlink_chart_note_from_appointment", Later("charting")),
    ("can_unlock_charting_notes", Later("charting")),
    ("can_view_all_org_members_tasks", Awaits("clinical")),
    ("can_view_audit_log", Rules(&[named(LOG, "/auditLog/nodes/0")])),
    ("can_view_automations", Awaits("automation")),
    ("can_view_cms1500s", Awaits("insurance")),
    ("can_view_goal_templates", Awaits("clinical")),
    ("can_view_labs", Awaits("clinical")),
    ("can_view_org_dashboard", Awaits("reports")),
    ("can_view_recordings", Awaits("scheduling")),
    ("can_view_reports", Later("export")),
    ("can_view_super_bills", Awaits("insurance")),
    ("can_write_org_addendums", Later("charting")),
    ("create_chat_when_assigned", Later("messaging")),
    ("gets_failed_fax_notif", Shows),
    ("gets_fax_notif", Shows),
    ("has_own_branding", Rules(&[named(NEW_BRAND, "/createBrand/brand")])),
    ("has_primary_diagnosis_column", Shows),
    ("hide_calendar_tab", Shows),
    (
        "is_admin",
        Rules(&[
            Case {
                with: &["is_developer"],
                ..named(KEY_OF_ANOTHER, "/createApiKey/api_key_object")
            },
            Case {
                with: &["can_edit_members"],
                ..named(GRANT_ADMIN, "/createPermissionTemplate/newPermissionTemplate")
            },
        ]),
    ),
    ("is_developer", Rules(&[named(NEW_KEY, "/createApiKey/api_key_object")])),
    ("is_provider", Rules(&[of_another(PROVIDER, "/updateClient/user", "dietitian_id")])),
    ("notify_any_client_activity", Shows),
    ("notify_on_book", Shows),
    ("notify_on_cancel", Shows),
    ("notify_on_payment_failure", Shows),
    ("request_eligibility_checks", Awaits("insurance")),
    ("sees_all_billing", Awaits("billing")),
    ("sees_all_clients", Rules(&[not_there(CLIENT, "/user")])),
    ("send_email_on_intake_flow_complete", Shows),
    ("send_email_on_intake_flow_start", Shows),
    ("share_appointment_types", Later("scheduling")),
    ("share_custom_metrics", Awaits("clinical")),
    ("share_fullscript", Awaits("no domain: another company's product")),
    ("share_goal_templates", Awaits("clinical")),
    ("share_packages", Awaits("billing")),
    ("share_smart_phrases", Awaits("charting")),
    ("share_user_groups", Awaits("clients, with shared groups")),
    ("show_availability_first", Shows),
    ("show_org_tab", Shows),
    ("start_conversation_with", Later("messaging")),
];
