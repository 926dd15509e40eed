//! Permission templates: flags under a name, to be copied onto members
//! (behaviour 16.1).

use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record};

use crate::flags::with_flags;
use crate::tables::{OrgRole, Organization, User};
use crate::visibility;

macro_rules! template_record {
    ($( $constant:ident $column:ident $governs:ident $standard:literal $support:literal; )*) => {
        record! {
            /// Flags under a name. Members are given copies: a template that
            /// changes or goes changes nobody.
            pub struct PermissionTemplate in PERMISSION_TEMPLATES, permission_templates {
                id: Id<PermissionTemplate>,
                org_id: Id<Organization>,
                /// Whose it is; a root organization's serve those below too.
                unit_id: Id<Organization>,
                /// Who made it.
                user_id: Option<Id<User>>,
                name: String [folded],
                org_role: OrgRole,
                $( $column: bool, )*
                version: i64,
                created_at: Timestamp,
                updated_at: Timestamp,
                deleted_at: Option<Timestamp>,
            }
            key: Key::Id,
            indexes: [
                index(&["org_id", "unit_id", "name_fold", "id"]),
            ],
            references: [
                Reference { columns: &["org_id", "unit_id"], table: "organizations", target: &["org_id", "id"] },
            ],
            audit: Some("PERMISSION_TEMPLATE"),
            visible: visibility::permission_templates,
        }

        impl PermissionTemplate {
            /// Of a unit, without any flag.
            pub fn blank(
                id: Id<PermissionTemplate>,
                unit: &Organization,
                user_id: Option<Id<User>>,
                now: Timestamp,
            ) -> Self {
                PermissionTemplate {
                    id,
                    org_id: unit.org_id,
                    unit_id: unit.id,
                    user_id,
                    name: String::new(),
                    org_role: OrgRole::Standard,
                    $( $column: false, )*
                    version: 1,
                    created_at: now,
                    updated_at: now,
                    deleted_at: None,
                }
            }

            /// The flags that it holds.
            pub fn flags(&self) -> ward_store::Flags {
                let mut flags = ward_store::Flags::default();
                $( if self.$column { flags = flags.with(crate::flags::$constant.flag); } )*
                flags
            }

            /// Replaces every flag.
            pub fn set_flags(&mut self, flags: ward_store::Flags) {
                $( self.$column = flags.has(crate::flags::$constant.flag); )*
            }
        }

        /// Positions of the flags' columns.
        pub(crate) const TEMPLATE_FLAG_COLUMNS: &[usize] =
            &[ $( permission_templates::$column ),* ];
    };
}
with_flags!(template_record);
