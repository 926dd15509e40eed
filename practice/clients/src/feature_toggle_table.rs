//! The table of feature toggles.

use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Actor, Cond, Day, Id, Key, Level, Reference, Role, Rule, record, unique};

use crate::feature_toggle_switches::with_switches;
use crate::tables::{UserGroup, of_user};

macro_rules! toggle_record {
    ($( $switch:ident $on:literal; )*) => {
        record! {
            /// What clients may see and track (behaviour 19): of one user, a
            /// client's own or a provider's for their clients, or of a group.
            pub struct FeatureToggle in FEATURE_TOGGLES, feature_toggles {
                id: Id<FeatureToggle>,
                org_id: Id<Organization>,
                unit_id: Id<Organization>,
                user_id: Option<Id<User>>,
                user_group_id: Option<Id<UserGroup>>,
                $( $switch: bool, )*
                /// Set by the operator.
                allow_dexcom_sync: bool,
                /// Archived clients may not sign in.
                prevent_inactive_access: bool,
                /// Set by the operator.
                show_sleep: bool,
                date_range_preference: String,
                default_water_intake: String,
                email_notification_frequency: Option<String>,
                push_notification_frequency: Option<String>,
                last_journal_from_date: Option<Day>,
                last_journal_to_date: Option<Day>,
                version: i64,
                created_at: Timestamp,
                updated_at: Timestamp,
            }
            key: Key::Id,
            indexes: [
                unique(&["org_id", "user_id"]).only("user_id IS NOT NULL"),
                unique(&["org_id", "user_group_id"]).only("user_group_id IS NOT NULL"),
            ],
            references: [
                Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
                Reference {
                    columns: &["org_id", "user_group_id"],
                    table: "user_groups",
                    target: &["org_id", "id"],
                },
            ],
            audit: Some("FEATURE_TOGGLE"),
            subject: ward_identity::restricted::by_user_id,
            visible: visible,
        }

        impl FeatureToggle {
            /// A new toggle with every switch as it is by default.
            pub fn blank(
                id: Id<FeatureToggle>,
                org_id: Id<Organization>,
                unit_id: Id<Organization>,
                now: Timestamp,
            ) -> Self {
                FeatureToggle {
                    id,
                    org_id,
                    unit_id,
                    user_id: None,
                    user_group_id: None,
                    $( $switch: $on, )*
                    allow_dexcom_sync: true,
                    prevent_inactive_access: false,
                    show_sleep: true,
                    date_range_preference: "Last 7 Days".to_owned(),
                    default_water_intake: "8".to_owned(),
                    email_notification_frequency: None,
                    push_notification_frequency: None,
                    last_journal_from_date: None,
                    last_journal_to_date: None,
                    version: 1,
                    created_at: now,
                    updated_at: now,
                }
            }
        }
    };
}
with_switches!(toggle_record);

/// Members see the toggles of the groups and users that they see; a client those
/// that apply to them.
fn visible(actor: &Actor) -> Rule {
    match actor.role {
        Role::System => Rule::full(Cond::Always),
        Role::Member => {
            let of_group = Cond::not_null("user_group_id").and(actor.units("unit_id"));
            Rule::full(of_group.or(of_user(actor, Level::Full)))
        }
        Role::Client => {
            let own = Cond::eq("user_id", actor.user_id);
            Rule::full(own.or(Cond::sql(
                "EXISTS (SELECT 1 FROM users self WHERE self.org_id = {t}.org_id AND self.id = ? \
                 AND ({t}.user_group_id = self.user_group_id OR {t}.user_id = self.dietitian_id))",
                [actor.user_id.into()],
            )))
        }
        Role::Anonymous => Rule::none(),
    }
}
