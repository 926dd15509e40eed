//! Rust types of columns.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use ward_instance::Timestamp;

use crate::table::{ColumnKind, Record, Stored};
use crate::value::Value;

/// The id of a row of `R`.
pub struct Id<R>(pub i64, PhantomData<fn() -> R>);

impl<R> Id<R> {
    /// From a number that is known to be an id of `R`: read from its column,
    /// or checked by the instance's codec.
    pub const fn new(number: i64) -> Self {
        Id(number, PhantomData)
    }
}

impl<R> Clone for Id<R> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<R> Copy for Id<R> {}
impl<R> PartialEq for Id<R> {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl<R> Eq for Id<R> {}
impl<R> PartialOrd for Id<R> {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl<R> Ord for Id<R> {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}
impl<R> Hash for Id<R> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.hash(state);
    }
}
impl<R> fmt::Debug for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
impl<R> fmt::Display for Id<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A row type whose rows are identified by a number of the instance's range.
///
/// Implemented by hand beside `record!` where ids of the type are stored
/// before the table's own crate is known; `record!` tables use their struct.
pub trait Entity {
    /// The entity's name, as in [`crate::Table::entity`].
    const NAME: &'static str;
}

impl<R: Entity> Stored for Id<R> {
    const KIND: ColumnKind = ColumnKind::Id(R::NAME);
    fn store(&self) -> Value {
        Value::Int(self.0)
    }
    fn load(value: &Value) -> Option<Self> {
        value.int().map(Id::new)
    }
}

/// Looks up the record type's table; a convenience for generic code.
pub fn table_of<R: Record>(_: Id<R>) -> &'static crate::Table {
    R::table()
}

impl<T: Stored> Stored for Option<T> {
    const KIND: ColumnKind = T::KIND;
    const NULLABLE: bool = true;
    fn store(&self) -> Value {
        self.as_ref().map_or(Value::Null, Stored::store)
    }
    fn load(value: &Value) -> Option<Self> {
        match value {
            Value::Null => Some(None),
            value => T::load(value).map(Some),
        }
    }
}

impl Stored for i64 {
    const KIND: ColumnKind = ColumnKind::Int;
    fn store(&self) -> Value {
        Value::Int(*self)
    }
    fn load(value: &Value) -> Option<Self> {
        value.int()
    }
}

impl Stored for bool {
    const KIND: ColumnKind = ColumnKind::Bool;
    fn store(&self) -> Value {
        (*self).into()
    }
    fn load(value: &Value) -> Option<Self> {
        value.int().map(|n| n != 0)
    }
}

impl Stored for String {
    const KIND: ColumnKind = ColumnKind::Text;
    fn store(&self) -> Value {
        self.as_str().into()
    }
    fn load(value: &Value) -> Option<Self> {
        value.text().map(str::to_owned)
    }
}

impl Stored for Timestamp {
    const KIND: ColumnKind = ColumnKind::Instant;
    fn store(&self) -> Value {
        Value::Int(self.0)
    }
    fn load(value: &Value) -> Option<Self> {
        value.int().map(Timestamp)
    }
}

impl Stored for Vec<u8> {
    const KIND: ColumnKind = ColumnKind::Bytes;
    fn store(&self) -> Value {
        self.as_slice().into()
    }
    fn load(value: &Value) -> Option<Self> {
        value.bytes().map(<[u8]>::to_vec)
    }
}

/// A calendar day without zone, such as a birth date.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub jiff::civil::Date);

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.0.year(), self.0.month(), self.0.day())
    }
}

impl Stored for Day {
    const KIND: ColumnKind = ColumnKind::Date;
    fn store(&self) -> Value {
        self.to_string().into()
    }
    fn load(value: &Value) -> Option<Self> {
        value.text()?.parse().ok().map(Day)
    }
}

/// A JSON document, kept as the text that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Json(pub String);

impl Stored for Json {
    const KIND: ColumnKind = ColumnKind::Json;
    fn store(&self) -> Value {
        self.0.as_str().into()
    }
    fn load(value: &Value) -> Option<Self> {
        value.text().map(|text| Json(text.to_owned()))
    }
}

/// A UUIDv8 in lower-case text.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Uuid(pub String);

impl fmt::Display for Uuid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Stored for Uuid {
    const KIND: ColumnKind = ColumnKind::Uuid;
    fn store(&self) -> Value {
        self.0.as_str().into()
    }
    fn load(value: &Value) -> Option<Self> {
        value.text().map(|text| Uuid(text.to_owned()))
    }
}

/// Declares an enum stored as one of a fixed set of texts.
///
/// `text_enum! { /// doc  pub enum OrgRole { Standard = "Standard", Support = "Support" } }`
#[macro_export]
macro_rules! text_enum {
    ($(#[$doc:meta])* pub enum $name:ident { $( $(#[$vdoc:meta])* $variant:ident = $text:literal ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[allow(missing_docs)]
        pub enum $name { $( $(#[$vdoc])* $variant ),* }
        impl $name {
            /// Every member's text.
            pub const TEXTS: &'static [&'static str] = &[ $( $text ),* ];
            /// The member's text.
            pub const fn as_str(self) -> &'static str {
                match self { $( $name::$variant => $text ),* }
            }
            /// The member of this text.
            pub fn from_text(text: &str) -> Option<Self> {
                match text { $( $text => Some($name::$variant), )* _ => None }
            }
        }
        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result { f.write_str(self.as_str()) }
        }
        impl $crate::Stored for $name {
            const KIND: $crate::ColumnKind = $crate::ColumnKind::Enum($name::TEXTS);
            fn store(&self) -> $crate::Value { self.as_str().into() }
            fn load(value: &$crate::Value) -> Option<Self> { value.text().and_then(Self::from_text) }
        }
    };
}
