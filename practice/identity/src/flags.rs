//! The permission flags of a membership: one line a flag, and everything that
//! follows from the list (behaviour 16.3).

use ward_engine::Permission;
use ward_store::{Flag, Flags};

use crate::tables::{OrgRole, OrganizationMembership};

/// What kind of thing a flag governs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Governs {
    /// An organization-level check: administrators pass it without the flag.
    Organization,
    /// Who somebody is, or whether they may act for themselves or for others:
    /// administrators need the flag like anybody (behaviour 16.1).
    Identity,
    /// Notifications and display only; guards nothing.
    Display,
}

/// One flag.
#[derive(Clone, Copy, Debug)]
pub struct FlagLine {
    /// Its number and its name in the contract.
    pub permission: Permission,
    /// What it governs.
    pub governs: Governs,
    /// Whether a new Standard member has it.
    pub standard: bool,
    /// Whether a new Support member has it.
    pub support: bool,
}

/// Hands the list of flags to a macro: constant, column, what it governs,
/// whether a new Standard and a new Support member has it.
macro_rules! with_flags {
    ($then:ident) => {
        $then! {
            ALLOW_GROUP_LEVEL_ACTIONS allow_group_level_actions Organization false false;
            ALLOW_SELF_SCHEDULING_IN_CARE_TEAM allow_self_scheduling_in_care_team Identity true false;
            AUTO_CREATE_CONVO_FOR_CARE_TEAM auto_create_convo_for_care_team Identity true false;
            CAN_ACCESS_CALENDAR_QUICK_SHARE can_access_calendar_quick_share Display false false;
            CAN_ACCESS_TO_MEMBERS_CHAT can_access_to_members_chat Organization false false;
            CAN_ACCESS_ZUS can_access_zus Organization false false;
            CAN_ADD_CLIENTS can_add_clients Organization true false;
            CAN_ADD_MEMBERS can_add_members Organization false false;
            CAN_ADD_MEMBERS_TO_CHAT can_add_members_to_chat Organization false false;
            CAN_ADD_OTHERS_APPOINTMENTS can_add_others_appointments Identity false true;
            CAN_ADD_OWN_APPOINTMENTS can_add_own_appointments Identity true false;
            CAN_ASSIGN_TASKS_TO_ALL_ORG_MEMBERS can_assign_tasks_to_all_org_members Organization false false;
            CAN_AUTOGENERATE_CHARTING_NOTES_FROM_ZOOM_CALLS can_autogenerate_charting_notes_from_zoom_calls Organization false false;
            CAN_BE_CARE_TEAM_MEMBER can_be_care_team_member Identity true false;
            CAN_CHARGE_CLIENTS can_charge_clients Organization true false;
            CAN_CREATE_TAGS can_create_tags Organization false false;
            CAN_DELETE_AUTOMATIONS can_delete_automations Organization false false;
            CAN_DELETE_CHARTING_NOTES can_delete_charting_notes Organization false false;
            CAN_DELETE_FAXES can_delete_faxes Organization false false;
            CAN_DELETE_RECORDINGS can_delete_recordings Organization false false;
            CAN_EDIT_APPOINTMENT_TYPES can_edit_appointment_types Organization false false;
            CAN_EDIT_AUTOMATIONS can_edit_automations Organization false false;
            CAN_EDIT_CALENDAR can_edit_calendar Organization false true;
            CAN_EDIT_CREDIT can_edit_credit Organization false false;
            CAN_EDIT_DOCS can_edit_docs Organization false false;
            CAN_EDIT_EDUCATION can_edit_education Organization false false;
            CAN_EDIT_FORMS can_edit_forms Organization true false;
            CAN_EDIT_MEMBERS can_edit_members Organization false false;
            CAN_EDIT_PACKAGES can_edit_packages Organization false false;
            CAN_EDIT_PRODUCTS can_edit_products Organization false false;
            CAN_EDIT_SETTINGS can_edit_settings Organization false false;
            CAN_ENROLL_CLIENTS_TO_PROGRAMS can_enroll_clients_to_programs Organization false false;
            CAN_LOCK_FORM_ANSWER_GROUPS can_lock_form_answer_groups Identity true false;
            CAN_LOCK_OTHERS_CHARTING_NOTES can_lock_others_charting_notes Identity false false;
            CAN_LOCK_OWN_CHARTING_NOTES can_lock_own_charting_notes Identity true false;
            CAN_MANAGE_CARE_PLAN_TEMPLATES can_manage_care_plan_templates Organization false false;
            CAN_MANAGE_OTHERS_AVAILABILITY can_manage_others_availability Identity false true;
            CAN_MANAGE_OTHERS_BLOCKS can_manage_others_blocks Identity false true;
            CAN_MANAGE_OWN_AVAILABILITY can_manage_own_availability Identity true false;
            CAN_MANAGE_OWN_BLOCKS can_manage_own_blocks Identity true false;
            CAN_MARK_ASSIGNED_TASKS_TO_OTHER_ORG_MEMBERS_AS_COMPLETED can_mark_assigned_tasks_to_other_org_members_as_completed Organization false false;
            CAN_MERGE_CLIENTS can_merge_clients Organization false false;
            CAN_ORDER_LABS can_order_labs Organization false false;
            CAN_REMOVE_CLIENT can_remove_client Organization false false;
            CAN_REMOVE_ORG_MEMBER_SIGNATURES can_remove_org_member_signatures Organization false false;
            CAN_RENAME_AND_DELETE_TAGS can_rename_and_delete_tags Organization false false;
            CAN_REQUEST_TO_PRESCRIBE_CONTROLLED_SUBSTANCES can_request_to_prescribe_controlled_substances Identity false false;
            CAN_RESTRICT_CLIENTS can_restrict_clients Organization false false;
            CAN_SEE_BILLING can_see_billing Organization true false;
            CAN_SEE_CALENDAR can_see_calendar Organization false true;
            CAN_SEE_CLIENTS can_see_clients Organization false true;
            CAN_SEE_DOCS can_see_docs Organization false false;
            CAN_SEE_FAXES can_see_faxes Organization false false;
            CAN_SEE_FULLSCRIPT_TAB can_see_fullscript_tab Organization false false;
            CAN_SEE_OPTION_TO_USE_ERX_DOSESPOT can_see_option_to_use_erx_dosespot Identity false false;
            CAN_SEE_SENT_FAXES can_see_sent_faxes Organization false false;
            CAN_SEE_TRANSFERS can_see_transfers Organization false false;
            CAN_SET_CLIENT_PASSWORD can_set_client_password Organization false false;
            CAN_SHARE_DOCUMENTS_AND_FOLDERS_WITH_ORG_MEMBERS can_share_documents_and_folders_with_org_members Organization false false;
            CAN_SIGN_OTHERS_CHARTING_NOTES can_sign_others_charting_notes Identity false false;
            CAN_SIGN_OWN_CHARTING_NOTES can_sign_own_charting_notes Identity true false;
            CAN_SUBMIT_CMS_1500S_TO_CANDID_HEALTH can_submit_cms_1500s_to_candid_health Identity false false;
            CAN_SUBMIT_CMS_1500S_TO_CHANGE_HEALTH can_submit_cms_1500s_to_change_health Organization false false;
            CAN_SUBMIT_CMS_1500S_TO_OFFICE_ALLY can_submit_cms_1500s_to_office_ally Organization false false;
            CAN_UNLINK_CHART_NOTE_FROM_APPOINTMENT can_unlink_chart_note_from_appointment Organization false false;
            CAN_UNLOCK_CHARTING_NOTES can_unlock_charting_notes Organization false false;
            CAN_VIEW_ALL_ORG_MEMBERS_TASKS can_view_all_org_members_tasks Organization false false;
            CAN_VIEW_AUDIT_LOG can_view_audit_log Organization false false;
            CAN_VIEW_AUTOMATIONS can_view_automations Organization false false;
            CAN_VIEW_CMS1500S can_view_cms1500s Organization false false;
            CAN_VIEW_GOAL_TEMPLATES can_view_goal_templates Organization false false;
            CAN_VIEW_LABS can_view_labs Organization false false;
            CAN_VIEW_ORG_DASHBOARD can_view_org_dashboard Organization false false;
            CAN_VIEW_RECORDINGS can_view_recordings Organization false false;
            CAN_VIEW_REPORTS can_view_reports Organization false false;
            CAN_VIEW_SUPER_BILLS can_view_super_bills Organization false false;
            CAN_WRITE_ORG_ADDENDUMS can_write_org_addendums Organization false false;
            CREATE_CHAT_WHEN_ASSIGNED create_chat_when_assigned Identity true false;
            GETS_FAILED_FAX_NOTIF gets_failed_fax_notif Display false false;
            GETS_FAX_NOTIF gets_fax_notif Display false false;
            HAS_OWN_BRANDING has_own_branding Identity false false;
            HAS_PRIMARY_DIAGNOSIS_COLUMN has_primary_diagnosis_column Display false false;
            HIDE_CALENDAR_TAB hide_calendar_tab Display false false;
            IS_ADMIN is_admin Organization false false;
            IS_DEVELOPER is_developer Organization false false;
            IS_PROVIDER is_provider Identity true false;
            NOTIFY_ANY_CLIENT_ACTIVITY notify_any_client_activity Display false false;
            NOTIFY_ON_BOOK notify_on_book Display false false;
            NOTIFY_ON_CANCEL notify_on_cancel Display false false;
            NOTIFY_ON_PAYMENT_FAILURE notify_on_payment_failure Display false false;
            REQUEST_ELIGIBILITY_CHECKS request_eligibility_checks Organization false false;
            SEES_ALL_BILLING sees_all_billing Organization false false;
            SEES_ALL_CLIENTS sees_all_clients Organization false true;
            SEND_EMAIL_ON_INTAKE_FLOW_COMPLETE send_email_on_intake_flow_complete Display false false;
            SEND_EMAIL_ON_INTAKE_FLOW_START send_email_on_intake_flow_start Display false false;
            SHARE_APPOINTMENT_TYPES share_appointment_types Identity false false;
            SHARE_CUSTOM_METRICS share_custom_metrics Identity false false;
            SHARE_FULLSCRIPT share_fullscript Identity false false;
            SHARE_GOAL_TEMPLATES share_goal_templates Identity false false;
            SHARE_PACKAGES share_packages Identity false false;
            SHARE_SMART_PHRASES share_smart_phrases Identity false false;
            SHARE_USER_GROUPS share_user_groups Identity false false;
            SHOW_AVAILABILITY_FIRST show_availability_first Display false false;
            SHOW_ORG_TAB show_org_tab Display false false;
            START_CONVERSATION_WITH start_conversation_with Identity true false;
        }
    };
}
pub(crate) use with_flags;

macro_rules! flag_constants {
    ($( $constant:ident $column:ident $governs:ident $standard:literal $support:literal; )*) => {
        #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
        #[repr(u8)]
        enum Number { $( $constant ),* }

        $(
            #[doc = concat!("The flag `", stringify!($column), "`.")]
            pub const $constant: Permission =
                Permission { flag: Flag(Number::$constant as u8), name: stringify!($column) };
        )*

        /// Every flag.
        pub const ALL: &[FlagLine] = &[ $( FlagLine {
            permission: $constant,
            governs: Governs::$governs,
            standard: $standard,
            support: $support,
        } ),* ];

        /// The flags as they are stored in a membership.
        pub fn stored(membership: &OrganizationMembership) -> Flags {
            let mut flags = Flags::default();
            $( if membership.$column { flags = flags.with($constant.flag); } )*
            flags
        }

        /// Sets every flag of a membership.
        pub fn store(membership: &mut OrganizationMembership, flags: Flags) {
            $( membership.$column = flags.has($constant.flag); )*
        }
    };
}
with_flags!(flag_constants);

/// What only the owner may do. No flag of a membership: a name for denials, with
/// a number that no flag has.
pub const IS_OWNER: Permission = Permission { flag: Flag(127), name: "is_owner" };

/// Flags that only the operator sets (behaviour 16.3).
pub const OPERATOR_SET: [Permission; 3] = [
    CAN_REQUEST_TO_PRESCRIBE_CONTROLLED_SUBSTANCES,
    CAN_SUBMIT_CMS_1500S_TO_CANDID_HEALTH,
    HAS_PRIMARY_DIAGNOSIS_COLUMN,
];

/// What a Support member can't be or do, whatever is granted: have clients, be
/// in a care team, have a calendar of their own, sign notes (behaviour 16.1).
pub const NOT_OF_SUPPORT: [Permission; 8] = [
    IS_PROVIDER,
    CAN_BE_CARE_TEAM_MEMBER,
    ALLOW_SELF_SCHEDULING_IN_CARE_TEAM,
    CAN_ADD_OWN_APPOINTMENTS,
    CAN_MANAGE_OWN_AVAILABILITY,
    CAN_MANAGE_OWN_BLOCKS,
    CAN_SIGN_OWN_CHARTING_NOTES,
    CAN_SIGN_OTHERS_CHARTING_NOTES,
];

/// Flags that are set by their names: all but the operator's.
pub fn settable() -> impl Iterator<Item = Permission> {
    let is_operators = |it: &Permission| OPERATOR_SET.iter().any(|other| other.flag == it.flag);
    ALL.iter().map(|line| line.permission).filter(move |it| !is_operators(it))
}

/// The set of these.
pub fn set_of(permissions: impl IntoIterator<Item = Permission>) -> Flags {
    permissions.into_iter().fold(Flags::default(), |held, it| held.with(it.flag))
}

/// What a new member of the role holds (behaviour 16.3, end).
pub fn defaults(role: OrgRole) -> Flags {
    let held = |line: &&FlagLine| match role {
        OrgRole::Standard => line.standard,
        OrgRole::Support => line.support,
    };
    ALL.iter().filter(held).fold(Flags::default(), |flags, line| flags.with(line.permission.flag))
}

/// Every flag.
pub fn every() -> Flags {
    ALL.iter().fold(Flags::default(), |flags, line| flags.with(line.permission.flag))
}

/// What a member may do, given what is stored: the owner everything, an
/// administrator everything of the organization (behaviour 16.1).
pub fn effective(stored: Flags, is_owner: bool) -> Flags {
    if is_owner {
        return every();
    }
    if !stored.has(IS_ADMIN.flag) {
        return stored;
    }
    let of_organization = ALL.iter().filter(|line| line.governs == Governs::Organization);
    of_organization.fold(stored, |flags, line| flags.with(line.permission.flag))
}

/// Whether one set holds everything that another holds.
pub const fn covers(all: Flags, some: Flags) -> bool {
    all.0 & some.0 == some.0
}
