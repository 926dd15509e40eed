//! Values that come in: coerced GraphQL values, and their typed view.

use std::collections::BTreeMap;
use std::sync::Arc;

use ward_instance::{IdCodec, IdRefusal};
use ward_store::{Day, Entity, Id};

use crate::outcome::Refused;

/// A coerced input value.
#[derive(Clone, Debug, PartialEq)]
pub enum In {
    /// An explicit null.
    Null,
    /// A boolean.
    Bool(bool),
    /// An Int.
    Int(i64),
    /// A Float.
    Float(f64),
    /// A String, an ID (always as text), an enum member, a date. Shared: a text may
    /// be a file of 30 MiB, and variables, arguments and input all hold it.
    Text(Arc<str>),
    /// A list.
    List(Vec<In>),
    /// An input object; only the fields that were given or have a default.
    Object(BTreeMap<String, In>),
    /// A JSON scalar.
    Json(serde_json::Value),
    /// An uploaded file: its number in the request.
    Upload(usize),
}

/// An input that may be absent, null or a value: updates need the difference.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum Given<T> {
    /// Not sent.
    #[default]
    Absent,
    /// Sent as null.
    Null,
    /// Sent.
    Value(T),
}

impl<T> Given<T> {
    /// The value, when one was sent.
    pub fn value(&self) -> Option<&T> {
        match self {
            Given::Value(value) => Some(value),
            _ => None,
        }
    }

    /// Whether it was sent at all, null included.
    pub fn is_given(&self) -> bool {
        !matches!(self, Given::Absent)
    }

    /// Overwrites a nullable field when something was sent.
    pub fn set(&self, field: &mut Option<T>)
    where
        T: Clone,
    {
        match self {
            Given::Absent => {}
            Given::Null => *field = None,
            Given::Value(value) => *field = Some(value.clone()),
        }
    }
}

impl Given<String> {
    /// The text without surrounding white space; nothing when it is empty.
    pub fn trimmed(&self) -> Option<&str> {
        self.value().map(|text| text.trim()).filter(|text| !text.is_empty())
    }

    /// Overwrites a nullable text; blank counts as null.
    pub fn set_text(&self, field: &mut Option<String>) {
        if self.is_given() {
            *field = self.trimmed().map(str::to_owned);
        }
    }
}

impl Given<bool> {
    /// Whether true was sent.
    pub fn is_true(&self) -> bool {
        self.value() == Some(&true)
    }
}

/// What an argument or input field refers to; generated tests walk these.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// No id: a text, number, flag, date, file.
    Plain,
    /// An id of an entity.
    Id(&'static str),
    /// A list of ids of an entity.
    Ids(&'static str),
    /// An input object.
    Object(fn() -> &'static [(&'static str, Kind)]),
    /// A list of input objects.
    Objects(fn() -> &'static [(&'static str, Kind)]),
}

/// A Rust type that an input value can be read as.
pub trait FromIn: Sized {
    /// What it refers to.
    const KIND: Kind;
    /// Reads it; `at` is the argument's path, for messages.
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Result<Self, Refused>;
}

fn wrong(at: &str, wanted: &str) -> Refused {
    Refused::on(last_step(at), format!("{} must be {wanted}", last_step(at)))
}

/// The field's own name, which `messages` use.
pub fn last_step(at: &str) -> &str {
    at.rsplit('.').next().unwrap_or(at)
}

impl FromIn for String {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, _: &IdCodec) -> Result<Self, Refused> {
        match value {
            In::Text(text) => Ok(text.as_ref().to_owned()),
            In::Int(n) => Ok(n.to_string()),
            In::Float(n) => Ok(n.to_string()),
            _ => Err(wrong(at, "a text")),
        }
    }
}

impl FromIn for bool {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, _: &IdCodec) -> Result<Self, Refused> {
        match value {
            In::Bool(value) => Ok(*value),
            _ => Err(wrong(at, "true or false")),
        }
    }
}

impl FromIn for i64 {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, _: &IdCodec) -> Result<Self, Refused> {
        match value {
            In::Int(n) => Ok(*n),
            In::Text(text) => text.trim().parse().map_err(|_| wrong(at, "a whole number")),
            _ => Err(wrong(at, "a whole number")),
        }
    }
}

impl FromIn for Day {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Result<Self, Refused> {
        let text = String::from_in(value, at, ids)?;
        crate::moment::day(&text).ok_or_else(|| wrong(at, "a date such as 1990-02-01"))
    }
}

/// A file that was sent: by multipart, or as a data URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadedFile(pub usize);

impl FromIn for UploadedFile {
    const KIND: Kind = Kind::Plain;
    fn from_in(value: &In, at: &str, _: &IdCodec) -> Result<Self, Refused> {
        match value {
            In::Upload(n) => Ok(UploadedFile(*n)),
            _ => Err(wrong(at, "a file, sent as a multipart request")),
        }
    }
}

impl<R: Entity> FromIn for Id<R> {
    const KIND: Kind = Kind::Id(R::NAME);
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Result<Self, Refused> {
        let text = String::from_in(value, at, ids)?;
        parse_id(&text, at, ids)
    }
}

/// Turns text into an id of `R`. The only way from text to an id: the codec
/// refuses other environments, retired epochs and what going back has undone
/// (ISO-19, ISO-21); what can't be an id at all is "not found".
pub fn parse_id<R: Entity>(text: &str, at: &str, ids: &IdCodec) -> Result<Id<R>, Refused> {
    match ids.parse_of(R::NAME, text.trim()) {
        Ok(number) => Ok(Id::new(number)),
        Err(refusal) => Err(id_refusal(&refusal, at)),
    }
}

fn id_refusal(refusal: &IdRefusal, at: &str) -> Refused {
    match refusal.code() {
        Some(code) => {
            Refused::Foreign { argument: at.to_owned(), code, message: refusal.message() }
        }
        None => Refused::not_found(last_step(at)),
    }
}

impl<T: ListItem> FromIn for Vec<T> {
    const KIND: Kind = T::LIST;
    fn from_in(value: &In, at: &str, ids: &IdCodec) -> Result<Self, Refused> {
        match value {
            In::List(items) => {
                let mut list = Vec::with_capacity(items.len());
                for item in items {
                    // Leniency (behaviour 45): clients send ids joined by commas.
                    match item {
                        In::Null => {}
                        In::Text(text) if T::SPLITS && text.contains(',') => {
                            for part in text.split(',').filter(|part| !part.trim().is_empty()) {
                                list.push(T::from_in(&In::Text(part.trim().into()), at, ids)?);
                            }
                        }
                        other => list.push(T::from_in(other, at, ids)?),
                    }
                }
                Ok(list)
            }
            single => Ok(vec![T::from_in(single, at, ids)?]),
        }
    }
}

/// What lists can hold.
pub trait ListItem: FromIn {
    /// The kind of a list of these.
    const LIST: Kind = Kind::Plain;
    /// Whether a text with commas is several of these.
    const SPLITS: bool = false;
}

impl ListItem for String {}
impl<R: Entity> ListItem for Id<R> {
    const LIST: Kind = Kind::Ids(R::NAME);
    const SPLITS: bool = true;
}

/// Reads one member of an input object.
pub fn member<T: FromIn>(
    object: &BTreeMap<String, In>,
    name: &str,
    at: &str,
    ids: &IdCodec,
) -> Result<Given<T>, Refused> {
    match object.get(name) {
        None => Ok(Given::Absent),
        Some(In::Null) => Ok(Given::Null),
        Some(value) => T::from_in(value, &format!("{at}.{name}"), ids).map(Given::Value),
    }
}

/// The contract's name of a field: one that is a word of Rust's is written `r#type` there.
pub const fn wire_name(field: &'static str) -> &'static str {
    match field.as_bytes() {
        [b'r', b'#', ..] => field.split_at(2).1,
        _ => field,
    }
}

/// Declares the typed view of an input object: every field is a [`Given`].
///
/// `input! { /// doc  pub struct CreateGroup { name: String, members: Vec<Id<User>> } }`
#[macro_export]
macro_rules! input {
    ($(#[$doc:meta])* pub struct $name:ident { $( $(#[$fdoc:meta])* $field:ident : $ty:ty ),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq)]
        #[allow(missing_docs)]
        pub struct $name { $( $(#[$fdoc])* pub $field: $crate::Given<$ty>, )* }

        impl $name {
            /// The fields it reads, and what they refer to.
            pub fn fields() -> &'static [(&'static str, $crate::Kind)] {
                const { &[ $( ($crate::wire_name(stringify!($field)), <$ty as $crate::FromIn>::KIND) ),* ] }
            }
        }

        impl $crate::FromIn for $name {
            const KIND: $crate::Kind = $crate::Kind::Object($name::fields);
            fn from_in(value: &$crate::In, at: &str, ids: &$crate::IdCodec) -> Result<Self, $crate::Refused> {
                let empty = std::collections::BTreeMap::new();
                let object = match value { $crate::In::Object(object) => object, _ => &empty };
                Ok($name { $( $field: $crate::member(object, $crate::wire_name(stringify!($field)), at, ids)?, )* })
            }
        }

        impl $crate::ListItem for $name {
            const LIST: $crate::Kind = $crate::Kind::Objects($name::fields);
        }
    };
}
