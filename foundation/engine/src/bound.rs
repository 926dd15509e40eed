//! What a binding is made of: rows, arguments, how rows hang on parents, what answers.

use std::any::Any;
use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_instance::Timestamp;
use ward_store::{Event, Join, Level, Query, Table, Value};

use crate::bindings::Payload;
use crate::call::{Call, Request};
use crate::input::{FromIn, In, Kind};
use crate::listing::Listing;
use crate::live::SubscriptionBinding;
use crate::moment;
use crate::outcome::{Answer, Permission, Refused};
use crate::scalar::Out;

/// A row of a parent level: only the columns that the plan asked for.
#[derive(Clone, Copy)]
pub struct RowView<'a> {
    pub(crate) columns: &'a [usize],
    pub(crate) values: &'a [Value],
    pub(crate) level: Level,
}

impl<'a> RowView<'a> {
    /// A column's value; NULL when the binding did not ask for it.
    pub fn get(&self, column: usize) -> &'a Value {
        const NULL: &Value = &Value::Null;
        match self.columns.binary_search(&column) {
            Ok(n) => self.values.get(n).unwrap_or(NULL),
            Err(_) => NULL,
        }
    }

    /// A column's text.
    pub fn text(&self, column: usize) -> Option<&'a str> {
        self.get(column).text()
    }

    /// How much of this row the actor sees.
    pub fn level(&self) -> Level {
        self.level
    }
}

/// Arguments of a field, coerced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args(pub(crate) BTreeMap<String, In>);

impl Args {
    /// Each that was sent, by its name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &In)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value))
    }

    /// The argument as a typed value; nothing when absent or null.
    pub fn get<T: FromIn>(&self, name: &str, request: &Request) -> Answer<Option<T>> {
        match self.0.get(name) {
            None | Some(In::Null) => Ok(None),
            Some(value) => T::from_in(value, name, request.instance.ids()).map(Some),
        }
    }

    /// Whether a boolean argument is true.
    pub fn flag(&self, name: &str) -> bool {
        matches!(self.0.get(name), Some(In::Bool(true)))
    }

    /// A boolean argument, when given.
    pub fn bool(&self, name: &str) -> Option<bool> {
        match self.0.get(name) {
            Some(In::Bool(value)) => Some(*value),
            _ => None,
        }
    }

    /// A text argument that is not blank.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.0.get(name) {
            Some(In::Text(text)) if !text.trim().is_empty() => Some(text.trim()),
            _ => None,
        }
    }

    /// A moment; a time without offset is read in the caller's zone (behaviour 9).
    pub fn moment(&self, name: &str, request: &Request) -> Answer<Option<Timestamp>> {
        let Some(text) = self.text(name) else { return Ok(None) };
        let parsed = moment::instant(text, &request.zone);
        parsed.map(Some).ok_or_else(|| {
            Refused::on(name, format!("{name} must be a moment such as 2026-03-04T09:30:00Z"))
        })
    }

    /// An integer argument.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(In::Int(n)) => Some(*n),
            _ => None,
        }
    }
}

/// A key that a list can be ordered by.
#[derive(Clone, Copy, Debug)]
pub struct OrderOption {
    /// Name without direction, as in the enum: `LAST_NAME`.
    pub name: &'static str,
    /// The SQL expression on `{t}`, never NULL.
    pub expression: &'static str,
}

/// How rows hang on their parents.
#[derive(Clone, Copy, Debug)]
pub enum Link {
    /// A root field: no parent.
    Root,
    /// The parent's column holds the row's id.
    Key(usize),
    /// The row's column holds the value of the parent's column.
    Column {
        /// The parent's column.
        parent: usize,
        /// The row's column.
        child: &'static str,
    },
    /// Through a table between.
    Join {
        /// The parent's column.
        parent: usize,
        /// The table between.
        join: Join,
    },
}

impl Link {
    /// The parent's column that the link starts from.
    pub fn parent(&self) -> Option<usize> {
        match self {
            Link::Root => None,
            Link::Key(column) => Some(*column),
            Link::Column { parent, .. } | Link::Join { parent, .. } => Some(*parent),
        }
    }
}

/// How many rows a field answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// The first row in the default order, or null.
    One,
    /// All: a plain list or a connection, as the view's type says.
    List,
    /// Only how many.
    Count,
}

/// Narrows the rows by the arguments.
pub type ListingFn = fn(&Request, &Args) -> Answer<Listing>;

/// Rows of a table.
#[derive(Clone, Debug)]
pub struct RowsBinding {
    /// The table.
    pub table: &'static Table,
    /// How many.
    pub shape: Shape,
    /// How they hang on the parents.
    pub link: Link,
    /// Which of them.
    pub listing: Option<ListingFn>,
    /// What they can be ordered by.
    pub orders: &'static [OrderOption],
    /// The order when none is asked for: an option's name with direction.
    pub default_order: &'static str,
}

/// Computes a leaf from a row.
pub type ComputeFn = fn(&Request, &RowView<'_>, &Args) -> Out;

/// Computes a leaf for all rows of a level at once, with the database.
pub type BatchFn = for<'a> fn(
    &'a Request,
    &'a mut dyn Query,
    Vec<RowView<'a>>,
    &'a Args,
) -> BoxFuture<'a, Answer<Vec<Out>>>;

/// What is written once a root query was answered, such as that somebody opened what they read: it
/// looks for itself what the caller sees, in a transaction of its own, before the answer leaves.
/// Nothing where the arguments, or who asks, want nothing written.
pub type AfterFn = fn(Arc<Request>, Args) -> Option<BoxFuture<'static, Answer<()>>>;

/// What a mutation's payload holds besides `messages`; of a mutation that answers a union, the
/// types of the union, by their names, of which its payload has one.
#[derive(Clone, Copy, Debug)]
pub enum Returns {
    /// One row.
    One(&'static Table),
    /// Several rows.
    Many(&'static Table),
    /// A leaf.
    Leaf,
}

pub(crate) type Prepared = Arc<dyn Any + Send + Sync>;
pub(crate) type PrepareFn =
    Arc<dyn Fn(Arc<Request>, In) -> BoxFuture<'static, Answer<Prepared>> + Send + Sync>;
pub(crate) type ApplyFn = Arc<
    dyn for<'a, 'b> Fn(
            &'a mut Call<'b>,
            &'a (dyn Any + Send + Sync),
        ) -> BoxFuture<'a, Answer<Payload>>
        + Send
        + Sync,
>;

pub(crate) type ReactionFn =
    Arc<dyn for<'a, 'b> Fn(&'a mut Call<'b>, &'a Event) -> BoxFuture<'a, Answer<()>> + Send + Sync>;

/// The fields of an input, and what they refer to.
pub(crate) type FieldsFn = fn() -> &'static [(&'static str, Kind)];

/// A mutation: what happens before the transaction, and in it.
#[derive(Clone)]
pub struct MutationBinding {
    pub(crate) prepare: PrepareFn,
    pub(crate) apply: ApplyFn,
    /// Of the domain that binds it, and of each that has a share in it.
    pub(crate) fields: Vec<FieldsFn>,
    pub(crate) returns: &'static [(&'static str, Returns)],
}

/// What answers a field.
#[derive(Clone)]
pub enum Resolve {
    /// A column of the parent's row.
    Column(usize),
    /// A function of the parent's row.
    Computed {
        /// The columns it reads.
        needs: &'static [usize],
        /// The function.
        run: ComputeFn,
    },
    /// A function of all rows of the level.
    Batch {
        /// The columns it reads.
        needs: &'static [usize],
        /// The function.
        run: BatchFn,
    },
    /// The cursor of the row in its list.
    Cursor,
    /// A member of a value object.
    Member(&'static str),
    /// Rows of a table.
    Rows(RowsBinding),
    /// A root query for one object of a union: each of its types with the rows that it may be
    /// among. The first that there is answers.
    OneOf(Vec<(&'static str, RowsBinding)>),
    /// A mutation.
    Mutation(MutationBinding),
    /// A subscription.
    Subscription(SubscriptionBinding),
}

/// A field with what answers it, who may ask, and what it reads.
#[derive(Clone)]
pub struct Bound {
    /// What answers it.
    pub resolve: Resolve,
    /// The permission it needs; without it the field is an error.
    pub requires: Option<Permission>,
    /// The least level of the parent's row; below it the field is null.
    pub level: Level,
    /// The arguments it handles and what they refer to; paging and ordering
    /// arguments are the engine's.
    pub args: &'static [(&'static str, Kind)],
    /// May be called without a credential (behaviour 3.4).
    pub public: bool,
    /// May be called with a session that awaits its second factor, which opens
    /// nothing else (behaviour 3.2).
    pub before_code: bool,
    /// What an idempotency key has kept of it is answered to the session that asked, and to none
    /// of the same person besides.
    pub of_session: bool,
    /// Reads the arguments of the field that its object came by, too: what that field was
    /// asked is what this one is about.
    pub inherits: bool,
    /// What is written once it was answered, of a root query.
    pub after: Option<AfterFn>,
}

impl Bound {
    pub(crate) fn new(resolve: Resolve, level: Level) -> Self {
        Bound {
            resolve,
            requires: None,
            level,
            args: &[],
            public: false,
            before_code: false,
            of_session: false,
            inherits: false,
            after: None,
        }
    }

    /// Writes something once it was answered, of a root query.
    pub fn after(&mut self, after: AfterFn) -> &mut Self {
        self.after = Some(after);
        self
    }

    /// Needs the permission.
    pub fn requires(&mut self, permission: Permission) -> &mut Self {
        self.requires = Some(permission);
        self
    }

    /// Handles these arguments.
    pub fn args(&mut self, args: &'static [(&'static str, Kind)]) -> &mut Self {
        self.args = args;
        self
    }

    /// May be called, or read, by anybody.
    pub fn public(&mut self) -> &mut Self {
        self.public = true;
        self.level = Level::Public;
        self
    }

    /// May be called with a session that awaits its second factor.
    pub fn before_code(&mut self) -> &mut Self {
        self.before_code = true;
        self
    }

    /// Answers with what is the session's own: a replay does so to no other.
    pub fn of_session(&mut self) -> &mut Self {
        self.of_session = true;
        self
    }

    /// Reads the arguments of the field above it, too, but those that it has itself.
    pub fn inherits(&mut self) -> &mut Self {
        self.inherits = true;
        self
    }

    /// Read by related people.
    pub fn limited(&mut self) -> &mut Self {
        self.level = Level::Limited;
        self
    }

    /// Which rows, by the arguments.
    pub fn listing(&mut self, listing: ListingFn) -> &mut Self {
        match &mut self.resolve {
            Resolve::Rows(rows) => rows.listing = Some(listing),
            Resolve::Subscription(binding) => binding.listing = Some(listing),
            _ => {}
        }
        self
    }

    /// What the rows can be ordered by, and the default.
    pub fn orders(&mut self, orders: &'static [OrderOption], default: &'static str) -> &mut Self {
        if let Resolve::Rows(rows) = &mut self.resolve {
            rows.orders = orders;
            rows.default_order = default;
        }
        self
    }
}
