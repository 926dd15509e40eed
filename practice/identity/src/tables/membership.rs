//! What a member may do, and who cares for whom.

use ward_instance::Timestamp;
use ward_store::{Id, Json, Key, Reference, index, record, text_enum, unique};

use crate::flags::with_flags;
use crate::tables::{Organization, PermissionTemplate, User};
use crate::visibility;

text_enum! {
    /// The role of a member (behaviour 16.1).
    pub enum OrgRole {
        /// May be a provider.
        Standard = "Standard",
        /// Coordinates; has no clients, calendar or signature.
        Support = "Support",
    }
}

macro_rules! membership_record {
    ($( $constant:ident $column:ident $governs:ident $standard:literal $support:literal; )*) => {
        record! {
            /// A staff user's place in the one organization they belong to.
            pub struct OrganizationMembership in ORGANIZATION_MEMBERSHIPS, organization_memberships {
                id: Id<OrganizationMembership> [public],
                org_id: Id<Organization>,
                unit_id: Id<Organization> [public],
                user_id: Id<User> [public],
                /// False: sign-in and API keys have stopped.
                active: bool,
                org_role: OrgRole [public],
                title: Option<String> [public],
                /// Manual order, smallest first.
                position: i64,
                erx_dosespot_role: Option<String>,
                /// Among providers who are free at the same time, who is higher is
                /// booked first (behaviour 22).
                scheduling_priority: Option<i64>,
                /// The template that was applied last; no live link.
                permission_template_id: Option<Id<PermissionTemplate>>,
                permission_template_applied_at: Option<Timestamp>,
                selected_licensed_in_filter: Json,
                selected_locations_filter: Json,
                selected_statuses_filter: Json,
                selected_tags_filter: Json,
                $( $column: bool, )*
                version: i64,
                created_at: Timestamp,
                updated_at: Timestamp,
            }
            key: Key::Id,
            indexes: [
                unique(&["org_id", "user_id"]),
                index(&["org_id", "unit_id", "position", "id"]),
            ],
            references: [
                Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
                Reference { columns: &["org_id", "unit_id"], table: "organizations", target: &["org_id", "id"] },
                Reference { columns: &["org_id", "permission_template_id"], table: "permission_templates", target: &["org_id", "id"] },
            ],
            audit: Some("ORGANIZATION_MEMBERSHIP"),
            visible: visibility::memberships,
        }
    };
}
with_flags!(membership_record);

macro_rules! membership_blank {
    ($( $constant:ident $column:ident $governs:ident $standard:literal $support:literal; )*) => {
        /// A membership without any flag.
        pub(crate) fn blank_membership(
            id: Id<OrganizationMembership>,
            user: &User,
            org_role: OrgRole,
            now: Timestamp,
        ) -> OrganizationMembership {
            let none = || Json("[]".to_owned());
            OrganizationMembership {
                id,
                org_id: user.org_id,
                unit_id: user.unit_id,
                user_id: user.id,
                active: true,
                org_role,
                title: None,
                position: 0,
                erx_dosespot_role: None,
                scheduling_priority: None,
                permission_template_id: None,
                permission_template_applied_at: None,
                selected_licensed_in_filter: none(),
                selected_locations_filter: none(),
                selected_statuses_filter: none(),
                selected_tags_filter: none(),
                $( $column: false, )*
                version: 1,
                created_at: now,
                updated_at: now,
            }
        }
    };
}
with_flags!(membership_blank);

record! {
    /// A provider in a client's care team, besides the primary one.
    pub struct CareTeamMember in CARE_TEAM_MEMBERS, care_team_members {
        org_id: Id<Organization>,
        patient_id: Id<User>,
        /// The provider.
        user_id: Id<User>,
        created_at: Timestamp,
    }
    key: Key::Columns(&["org_id", "patient_id", "user_id"]),
    indexes: [
        index(&["org_id", "user_id", "patient_id"]),
    ],
    references: [
        Reference { columns: &["org_id", "patient_id"], table: "users", target: &["org_id", "id"] },
        Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
    ],
    audit: Some("CARE_TEAM_MEMBER"),
    visible: visibility::care_team,
}
