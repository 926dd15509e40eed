//! Inputs that, besides their own fields, set flags by name: a membership's and
//! a template's. What is not sent stays as it is; null says nothing either.

use std::collections::BTreeMap;

use ward_engine::{Answer, FromIn, Given, IdCodec, In, Kind, Permission, member};
use ward_store::Flags;

/// Flags as an input sent them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlagChanges {
    sent: Flags,
    on: Flags,
}

impl FlagChanges {
    /// Reads these flags out of an input object.
    pub fn read(
        value: &In,
        at: &str,
        ids: &IdCodec,
        flags: impl Iterator<Item = Permission>,
    ) -> Answer<Self> {
        let empty = BTreeMap::new();
        let object = if let In::Object(object) = value { object } else { &empty };
        let mut changes = FlagChanges::default();
        for permission in flags {
            if let Given::Value(is_on) = member::<bool>(object, permission.name, at, ids)? {
                changes.set(permission, is_on);
            }
        }
        Ok(changes)
    }

    /// As if the flag had been sent.
    pub fn set(&mut self, permission: Permission, is_on: bool) {
        self.sent = self.sent.with(permission.flag);
        self.on = match is_on {
            true => self.on.with(permission.flag),
            false => self.on.without(permission.flag),
        };
    }

    /// What is held after the changes.
    pub fn apply(self, held: Flags) -> Flags {
        Flags((held.0 & !self.sent.0) | self.on.0)
    }

    /// Flags that were sent as true.
    pub fn on(self) -> Flags {
        self.on
    }
}

/// The names of an input's own fields and of its flags.
pub fn names(
    own: &'static [(&'static str, Kind)],
    flags: impl Iterator<Item = Permission>,
) -> Vec<(&'static str, Kind)> {
    own.iter().copied().chain(flags.map(|it| (it.name, bool::KIND))).collect()
}

/// Declares an input of own fields and flags:
/// `flag_input! { /// doc  pub struct Update { own: OwnFields, flags: settable() } }`
macro_rules! flag_input {
    ($(#[$doc:meta])* pub struct $name:ident { own: $own:ty, flags: $flags:expr $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            /// Everything that is no flag.
            pub own: $own,
            /// The flags that were sent.
            pub flags: $crate::flag_input::FlagChanges,
        }

        impl $name {
            /// The fields it reads, and what they refer to.
            pub fn fields() -> &'static [(&'static str, ward_engine::Kind)] {
                static NAMES: std::sync::LazyLock<Vec<(&'static str, ward_engine::Kind)>> =
                    std::sync::LazyLock::new(|| {
                        $crate::flag_input::names(<$own>::fields(), $flags)
                    });
                &NAMES
            }
        }

        impl ward_engine::FromIn for $name {
            const KIND: ward_engine::Kind = ward_engine::Kind::Object($name::fields);
            fn from_in(
                value: &ward_engine::In,
                at: &str,
                ids: &ward_engine::IdCodec,
            ) -> Result<Self, ward_engine::Refused> {
                Ok($name {
                    own: <$own>::from_in(value, at, ids)?,
                    flags: $crate::flag_input::FlagChanges::read(value, at, ids, $flags)?,
                })
            }
        }
    };
}
pub(crate) use flag_input;
