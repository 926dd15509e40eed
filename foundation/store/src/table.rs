//! Table definitions: one declaration gives the DDL of both engines, the row
//! codec, who may see a row, what is encrypted and what is searched.

use crate::actor::{Actor, Level, Rule};
use crate::cond::Cond;
use crate::value::Sql;

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ColumnKind {
    /// An id of the named entity (`User`); gets the CHECK of the instance's range.
    Id(&'static str),
    /// A 64-bit integer.
    Int,
    /// A boolean.
    Bool,
    /// Text, ordered by code point.
    Text,
    /// Text out of a fixed set; gets a CHECK.
    Enum(&'static [&'static str]),
    /// Microseconds since 1970, UTC.
    Instant,
    /// `YYYY-MM-DD`, without zone.
    Date,
    /// A JSON document as text.
    Json,
    /// A UUIDv8 as 36 characters; gets the CHECK of the instance's environment bit.
    Uuid,
    /// Raw bytes.
    Bytes,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Name, the same in SQL and (where it is served) in the contract.
    pub name: &'static str,
    /// What it holds.
    pub kind: ColumnKind,
    /// Whether it may be NULL.
    pub nullable: bool,
    /// Encrypted with the row bound into it (`data-layer` ruling 7); `kind`
    /// then says what the plain text is, the column holds bytes.
    pub sealed: bool,
    /// Never served, and never a value in the audit log: hashes, MACs.
    pub secret: bool,
    /// Served, but never a value in the audit log, which others read than the row: what is
    /// ordered or searched by, and so not sealed.
    pub unlogged: bool,
    /// Has a companion column `<name>_fold`, case and accents folded, for
    /// ordering; NULL folds to U+10FFFF so that it sorts last.
    pub folded: bool,
    /// Its text is found by keyword search.
    pub searched: bool,
    /// A telephone number: keyword search finds it by its digits, whatever
    /// stands between them.
    pub phone: bool,
    /// The least level at which it is served.
    pub level: Level,
}

impl Column {
    /// A column of the Rust type `T`, visible in full rows only.
    pub const fn of<T: Stored>(name: &'static str) -> Self {
        Column {
            name,
            kind: T::KIND,
            nullable: T::NULLABLE,
            sealed: false,
            secret: false,
            unlogged: false,
            folded: false,
            searched: false,
            phone: false,
            level: Level::Full,
        }
    }

    /// Encrypted in the database.
    pub const fn sealed(self) -> Self {
        Column { sealed: true, ..self }
    }

    /// Never served nor audited by value.
    pub const fn secret(self) -> Self {
        Column { secret: true, ..self }
    }

    /// Not audited by value.
    pub const fn unlogged(self) -> Self {
        Column { unlogged: true, ..self }
    }

    /// With a folded companion for ordering.
    pub const fn folded(self) -> Self {
        Column { folded: true, ..self }
    }

    /// Found by keyword search.
    pub const fn searched(self) -> Self {
        Column { searched: true, ..self }
    }

    /// Found by keyword search as a telephone number.
    pub const fn phone(self) -> Self {
        Column { phone: true, ..self }
    }

    /// Served to anybody who may know of the row.
    pub const fn public(self) -> Self {
        Column { level: Level::Public, ..self }
    }

    /// Served to related people.
    pub const fn limited(self) -> Self {
        Column { level: Level::Limited, ..self }
    }
}

/// How rows are identified.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// Column `id`, an entity id of the instance's range.
    Id,
    /// Column `id`, a UUIDv8.
    Uuid,
    /// These columns together.
    Columns(&'static [&'static str]),
}

/// An index, or a uniqueness rule.
#[derive(Clone, Copy, Debug)]
pub struct Index {
    /// Columns in order; `_fold` companions allowed.
    pub columns: &'static [&'static str],
    /// Whether the combination is unique.
    pub unique: bool,
    /// A partial index's condition, portable SQL.
    pub only: Option<&'static str>,
}

/// An index on these columns.
pub const fn index(columns: &'static [&'static str]) -> Index {
    Index { columns, unique: false, only: None }
}

/// A uniqueness rule on these columns.
pub const fn unique(columns: &'static [&'static str]) -> Index {
    Index { columns, unique: true, only: None }
}

impl Index {
    /// Only for the rows that meet the condition.
    pub const fn only(self, condition: &'static str) -> Self {
        Index { only: Some(condition), ..self }
    }
}

/// A foreign key `(columns) -> table(target)`. Tenant tables include `org_id`
/// on both sides.
#[derive(Clone, Copy, Debug)]
pub struct Reference {
    /// Columns of this table.
    pub columns: &'static [&'static str],
    /// The table referred to.
    pub table: &'static str,
    /// Its columns.
    pub target: &'static [&'static str],
}

/// One table.
#[derive(Debug)]
pub struct Table {
    /// Name in SQL: the field's plural noun.
    pub name: &'static str,
    /// Name of the entity whose ids it holds (`User`), which is also the
    /// contract's type name and the resource type of its events.
    pub entity: &'static str,
    /// Columns, in the order of the row struct.
    pub columns: &'static [Column],
    /// How rows are identified.
    pub key: Key,
    /// Indexes and uniqueness rules.
    pub indexes: &'static [Index],
    /// Foreign keys.
    pub references: &'static [Reference],
    /// The audit log's resource name (behaviour 43) or, for what the contract
    /// has no name for, our own.
    pub audit: Option<&'static str>,
    /// Whose data a row is, for the access log; none where no row is a client's.
    pub subject: Option<fn(&Actor) -> Subject>,
    /// Which rows an actor sees, and how much of them.
    pub visible: fn(&Actor) -> Rule,
}

/// Whose data the rows of a table are: expressions on `{t}` that a read for an
/// actor answers beside the asked columns, so that the access log knows who was
/// read without reading again.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The client's id; NULL when the row is no client's; the row's own id as a negative
    /// number when it is of several, whom [`Subject::several`] finds.
    pub client: &'static str,
    /// How closely the reading is watched: the number of a [`Watch`].
    pub watch: Cond,
    /// The clients of these rows and their watch, as far as the actor knows of them.
    pub several: Option<fn(&Actor, &[i64]) -> Sql>,
}

/// How closely the reading of a client's data is watched.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Watch {
    /// Written to the access log within 200 ms.
    #[default]
    Ordinary = 0,
    /// A restricted client: written before the answer leaves.
    Restricted = 1,
    /// A restricted client whom the actor sees by breaking the glass only:
    /// written before the answer leaves, and marked.
    BrokenGlass = 2,
}

impl Watch {
    /// From its number; an unknown one counts as the closest.
    pub fn from_number(number: i64) -> Self {
        match number {
            0 => Watch::Ordinary,
            1 => Watch::Restricted,
            _ => Watch::BrokenGlass,
        }
    }
}

impl Table {
    /// Whether rows belong to a tenant (have `org_id`).
    pub fn is_tenant(&self) -> bool {
        self.column("org_id").is_some()
    }

    /// The position of a column.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Whether rows are kept and marked when deleted.
    pub fn is_soft_deleted(&self) -> bool {
        self.column("deleted_at").is_some()
    }
}

/// A Rust type that a column can hold.
pub trait Stored: Sized {
    /// The column's kind.
    const KIND: ColumnKind;
    /// Whether NULL is a value of it.
    const NULLABLE: bool = false;
    /// To a column value.
    fn store(&self) -> crate::value::Value;
    /// From a column value; `None` when the value is not of this type.
    fn load(value: &crate::value::Value) -> Option<Self>;
}

/// A row as a Rust struct. Declared with [`record!`](crate::record).
pub trait Record: Sized + Send + Sync + 'static {
    /// The table.
    fn table() -> &'static Table;
    /// The row's values, in the table's order.
    fn values(&self) -> Vec<crate::value::Value>;
    /// From values in the table's order; the name of the first column that
    /// does not fit otherwise.
    fn from_values(values: &[crate::value::Value]) -> Result<Self, &'static str>;
}

/// The first of some expressions: what stands in a macro's optional place, or
/// its default.
#[doc(hidden)]
#[macro_export]
macro_rules! first_of {
    ($first:expr $(, $rest:expr)*) => {
        $first
    };
}

/// Declares a table and the struct of its rows.
///
/// ```text
/// record! {
///     /// A group of clients.
///     pub struct UserGroup in USER_GROUPS, user_groups {
///         id: Id<UserGroup> [public],
///         org_id: Id<Organization>,
///         name: String [public folded searched],
///         deleted_at: Option<Timestamp>,
///     }
///     key: Key::Id,
///     indexes: [index(&["org_id", "name_fold", "id"])],
///     references: [],
///     audit: Some("USER_GROUP"),
///     visible: group_visibility,
/// }
/// ```
/// gives `struct UserGroup`, `static USER_GROUPS: Table` (named `user_groups`
/// in SQL) and a module `user_groups` with each column's position as a constant.
#[macro_export]
macro_rules! record {
    (
        $(#[$doc:meta])*
        pub struct $record:ident in $table:ident, $module:ident {
            $( $(#[$fdoc:meta])* $field:ident : $ty:ty $([ $($flag:ident)* ])? ),* $(,)?
        }
        key: $key:expr,
        indexes: [ $($index:expr),* $(,)? ],
        references: [ $($reference:expr),* $(,)? ],
        audit: $audit:expr,
        $(subject: $subject:expr,)?
        visible: $visible:expr $(,)?
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(missing_docs)]
        pub struct $record { $( $(#[$fdoc])* pub $field: $ty, )* }

        #[doc = concat!("The table of [`", stringify!($record), "`] rows.")]
        pub static $table: $crate::Table = $crate::Table {
            name: stringify!($module),
            entity: stringify!($record),
            columns: &[ $( $crate::Column::of::<$ty>(stringify!($field)) $( $( .$flag() )* )? ),* ],
            key: $key,
            indexes: &[ $($index),* ],
            references: &[ $($reference),* ],
            audit: $audit,
            subject: $crate::first_of!($(Some($subject),)? None),
            visible: $visible,
        };

        #[doc = concat!("Positions of the columns of `", stringify!($module), "`.")]
        #[allow(non_upper_case_globals, non_camel_case_types, missing_docs, dead_code)]
        pub mod $module {
            #[repr(usize)]
            enum Position { $( $field ),* }
            $( pub const $field: usize = Position::$field as usize; )*
        }

        impl $crate::Entity for $record {
            const NAME: &'static str = stringify!($record);
        }

        impl $crate::Record for $record {
            fn table() -> &'static $crate::Table { &$table }
            fn values(&self) -> Vec<$crate::Value> {
                vec![ $( $crate::Stored::store(&self.$field) ),* ]
            }
            fn from_values(values: &[$crate::Value]) -> Result<Self, &'static str> {
                let mut values = values.iter();
                Ok($record { $(
                    $field: values.next().and_then($crate::Stored::load).ok_or(stringify!($field))?,
                )* })
            }
        }
    };
}
