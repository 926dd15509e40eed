//! The table of settings: a row is one layer, an organization's, a provider's or
//! an appointment type's; what a layer does not say is NULL.

use ward_engine::{Answer, FromIn, IdCodec, In, Kind, Refused, last_step};
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::{Id, Key, Reference, index, record, text_enum, unique};

use super::list::with_settings;
use crate::tables::AppointmentType;
use crate::visibility;

text_enum! {
    /// The grid of availability.
    pub enum BaseCalendarInterval {
        FiveMinutes = "FIVE_MINUTES",
        TenMinutes = "TEN_MINUTES",
        FifteenMinutes = "FIFTEEN_MINUTES",
    }
}

impl BaseCalendarInterval {
    /// In minutes.
    pub const fn minutes(self) -> i64 {
        match self {
            BaseCalendarInterval::FiveMinutes => 5,
            BaseCalendarInterval::TenMinutes => 10,
            BaseCalendarInterval::FifteenMinutes => 15,
        }
    }
}

impl FromIn for BaseCalendarInterval {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Answer<Self> {
        let text = String::from_in(value, at, ids)?;
        Self::from_text(&text).ok_or_else(|| {
            let known = Self::TEXTS.join(", ");
            Refused::on(last_step(at), format!("Base calendar interval must be one of {known}"))
        })
    }
}

macro_rules! setting_record {
    (
        always { $( $always:ident: $kind:ty = $default:expr; )* }
        maybe { $( $maybe:ident: $open:ty; )* }
        ways { $( $way:ident; )* }
    ) => {
        record! {
            /// One layer of settings (behaviour 21).
            pub struct AppointmentSetting in APPOINTMENT_SETTINGS, appointment_settings {
                id: Id<AppointmentSetting> [public],
                org_id: Id<Organization>,
                unit_id: Id<Organization> [public],
                /// The provider whose layer it is.
                user_id: Option<Id<User>> [public],
                /// The type whose layer it is; of neither, it is the unit's.
                appointment_type_id: Option<Id<AppointmentType>> [public],
                $( $always: Option<$kind> [public], )*
                $( $maybe: Option<$open> [public], )*
                $( $way: Option<bool> [public], )*
                version: i64,
                created_at: Timestamp,
                updated_at: Timestamp [public],
            }
            key: Key::Id,
            indexes: [
                unique(&["org_id", "user_id"]).only("user_id IS NOT NULL"),
                unique(&["org_id", "appointment_type_id"]).only("appointment_type_id IS NOT NULL"),
                unique(&["org_id", "unit_id"]).only("user_id IS NULL AND appointment_type_id IS NULL"),
                index(&["org_id", "unit_id", "id"]),
            ],
            references: [
                Reference { columns: &["org_id", "user_id"], table: "users", target: &["org_id", "id"] },
                Reference {
                    columns: &["org_id", "appointment_type_id"],
                    table: "appointment_types",
                    target: &["org_id", "id"],
                },
            ],
            audit: Some("APPOINTMENT_SETTING"),
            visible: visibility::settings,
        }

        impl AppointmentSetting {
            /// A layer that says nothing yet.
            pub fn blank(
                id: Id<AppointmentSetting>,
                org_id: Id<Organization>,
                unit_id: Id<Organization>,
                now: Timestamp,
            ) -> Self {
                AppointmentSetting {
                    id,
                    org_id,
                    unit_id,
                    user_id: None,
                    appointment_type_id: None,
                    $( $always: None, )*
                    $( $maybe: None, )*
                    $( $way: None, )*
                    version: 1,
                    created_at: now,
                    updated_at: now,
                }
            }
        }
    };
}
with_settings!(setting_record);
