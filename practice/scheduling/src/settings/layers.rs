//! Which settings apply: the nearest layer that says something (behaviour 21).
//! Pure.

use serde_json::{Map, Value as Json};

use super::list::with_settings;
use super::table::{AppointmentSetting, BaseCalendarInterval};
use crate::contact_type::{ContactType, offered};

/// Statuses that every practice has (behaviour 23.1).
pub const STATUSES: [&str; 4] = ["Occurred", "No-Show", "Re-Scheduled", "Cancelled"];
/// The status of a cancellation on short notice, where it is switched on.
pub const LATE_CANCELLATION: &str = "Late Cancellation";
/// The status of a client who has come, where it is switched on.
pub const CHECKED_IN: &str = "Checked-In";

/// How a setting is shown.
trait Shown {
    fn shown(&self) -> Json;
}

impl Shown for bool {
    fn shown(&self) -> Json {
        (*self).into()
    }
}

impl Shown for i64 {
    fn shown(&self) -> Json {
        (*self).into()
    }
}

impl Shown for String {
    fn shown(&self) -> Json {
        self.as_str().into()
    }
}

impl Shown for BaseCalendarInterval {
    fn shown(&self) -> Json {
        self.as_str().into()
    }
}

impl<T: Shown> Shown for Option<T> {
    fn shown(&self) -> Json {
        self.as_ref().map_or(Json::Null, Shown::shown)
    }
}

macro_rules! settings {
    (
        always { $( $always:ident: $kind:ty = $default:expr; )* }
        maybe { $( $maybe:ident: $open:ty; )* }
        ways { $( $way:ident; )* }
    ) => {
        /// What applies, of all layers.
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub struct Settings {
            $( pub $always: $kind, )*
            $( pub $maybe: Option<$open>, )*
            /// The ways to meet that are offered.
            pub contact_types: Vec<ContactType>,
        }

        /// What applies, of the layers from the nearest to the farthest: the first
        /// that says something, else what is so by default.
        pub fn resolve(layers: &[&AppointmentSetting]) -> Settings {
            let ways: Vec<[Option<bool>; 3]> =
                layers.iter().map(|layer| [ $( layer.$way ),* ]).collect();
            Settings {
                $( $always: layers.iter().find_map(|it| it.$always.clone()).unwrap_or($default), )*
                $( $maybe: layers.iter().find_map(|it| it.$maybe.clone()), )*
                contact_types: offered(&ways),
            }
        }

        impl Settings {
            /// Each setting under the contract's name.
            pub fn members(&self) -> Map<String, Json> {
                let mut members = Map::new();
                $( members.insert(stringify!($always).to_owned(), self.$always.shown()); )*
                $( members.insert(stringify!($maybe).to_owned(), self.$maybe.shown()); )*
                members
            }
        }

        /// Their names.
        pub const NAMES: &[&str] = &[ $( stringify!($always), )* $( stringify!($maybe), )* ];
    };
}
with_settings!(settings);

impl Settings {
    /// What an appointment's status can be (behaviour 23.1).
    pub fn statuses(&self) -> Vec<&'static str> {
        let late = self.enable_late_cancellation_status.then_some(LATE_CANCELLATION);
        let here = self.enable_checked_in_status.then_some(CHECKED_IN);
        STATUSES.into_iter().chain(late).chain(here).collect()
    }
}

/// The layers that apply, from the nearest: a type's own, its provider's, their
/// organization's (behaviour 21).
pub fn layers<'a>(
    of_type: Option<&'a AppointmentSetting>,
    provider: Option<&'a AppointmentSetting>,
    organization: Option<&'a AppointmentSetting>,
) -> Vec<&'a AppointmentSetting> {
    [of_type, provider, organization].into_iter().flatten().collect()
}
