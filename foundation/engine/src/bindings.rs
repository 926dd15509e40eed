//! What answers each field: data, registered by the domains, one line a field.
//!
//! Domains name contract types and fields as text and never each other's Rust,
//! so they compile apart; what is not bound here is not in the served schema.

use std::any::Any;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_store::{Actor, Cond, Join, Level, OrderKey, Query, Table, Value};

use crate::call::{Call, Request};
use crate::input::{FromIn, In, Kind};
use crate::outcome::{Answer, Permission};
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

    /// An integer argument.
    pub fn int(&self, name: &str) -> Option<i64> {
        match self.0.get(name) {
            Some(In::Int(n)) => Some(*n),
            _ => None,
        }
    }
}

/// Which rows a field answers, beyond what visibility already says.
#[derive(Clone, Debug)]
pub struct Listing {
    /// Which rows.
    pub filter: Cond,
    /// The least level at which a row counts.
    pub least: Level,
    /// Across tenants: public reads by id.
    pub anywhere: bool,
    /// Deleted rows too.
    pub deleted: bool,
}

impl Listing {
    /// Rows that meet the condition and are seen at least in part.
    pub fn of(filter: Cond) -> Self {
        Listing { filter, least: Level::Limited, anywhere: false, deleted: false }
    }

    /// Every visible row.
    pub fn all() -> Self {
        Self::of(Cond::Always)
    }

    /// No row.
    pub fn none() -> Self {
        Self::of(Cond::Never)
    }

    /// Rows whose public part is enough.
    #[must_use]
    pub fn public(mut self) -> Self {
        self.least = Level::Public;
        self
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
    /// The first row, or null.
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

/// What a mutation's payload holds besides `messages`.
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

/// A mutation: what happens before the transaction, and in it.
#[derive(Clone)]
pub struct MutationBinding {
    pub(crate) prepare: PrepareFn,
    pub(crate) apply: ApplyFn,
    pub(crate) fields: fn() -> &'static [(&'static str, Kind)],
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
    /// A mutation.
    Mutation(MutationBinding),
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
}

impl Bound {
    fn new(resolve: Resolve, level: Level) -> Self {
        Bound { resolve, requires: None, level, args: &[], public: false }
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

    /// Read by related people.
    pub fn limited(&mut self) -> &mut Self {
        self.level = Level::Limited;
        self
    }

    /// Which rows, by the arguments.
    pub fn listing(&mut self, listing: ListingFn) -> &mut Self {
        if let Resolve::Rows(rows) = &mut self.resolve {
            rows.listing = Some(listing);
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

/// What a mutation answers.
#[derive(Debug, Default)]
pub struct Payload {
    pub(crate) values: Vec<(&'static str, Returned)>,
    pub(crate) actor: Option<Actor>,
}

#[derive(Debug, Clone)]
pub(crate) enum Returned {
    One(i64),
    Many(Vec<i64>),
    Leaf(Out),
}

impl Payload {
    /// With nothing but success.
    pub fn new() -> Self {
        Self::default()
    }

    /// With a row of the table that the binding names.
    #[must_use]
    pub fn one(mut self, field: &'static str, id: i64) -> Self {
        self.values.push((field, Returned::One(id)));
        self
    }

    /// With rows.
    #[must_use]
    pub fn many(mut self, field: &'static str, ids: Vec<i64>) -> Self {
        self.values.push((field, Returned::Many(ids)));
        self
    }

    /// With a leaf.
    #[must_use]
    pub fn leaf(mut self, field: &'static str, value: impl Into<Out>) -> Self {
        self.values.push((field, Returned::Leaf(value.into())));
        self
    }

    /// The rows are read as this person: who just signed in.
    #[must_use]
    pub fn seen_by(mut self, actor: Actor) -> Self {
        self.actor = Some(actor);
        self
    }
}

/// Everything that is bound.
#[derive(Clone, Default)]
pub struct Bindings {
    pub(crate) fields: HashMap<(&'static str, &'static str), Bound>,
    pub(crate) objects: HashMap<&'static str, &'static Table>,
    pub(crate) values: HashMap<&'static str, &'static [&'static str]>,
    pub(crate) unserved: Vec<String>,
}

impl Bindings {
    /// With what the engine itself answers.
    pub fn new() -> Self {
        let mut bindings = Self::default();
        bindings.value_object("FieldError", &["field", "message"]);
        bindings
    }

    /// A contract type whose objects are rows of a table: each contract field
    /// with the name of a column (secret ones apart) is served from it.
    pub fn object(&mut self, type_name: &'static str, table: &'static Table) {
        self.objects.insert(type_name, table);
        for (position, column) in
            table.columns.iter().enumerate().filter(|(_, column)| !column.secret)
        {
            self.bind(type_name, column.name, Bound::new(Resolve::Column(position), column.level));
        }
    }

    /// A contract type whose objects are JSON objects with these members.
    pub fn value_object(&mut self, type_name: &'static str, members: &'static [&'static str]) {
        self.values.insert(type_name, members);
        for member in members {
            self.bind(type_name, member, Bound::new(Resolve::Member(member), Level::None));
        }
    }

    /// A field that is a column under another name.
    pub fn column(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        position: usize,
    ) -> &mut Bound {
        let level =
            self.objects.get(type_name).map_or(Level::Full, |table| table.columns[position].level);
        self.bind(type_name, field, Bound::new(Resolve::Column(position), level))
    }

    /// A leaf computed from the row.
    pub fn computed(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        needs: &'static [usize],
        run: ComputeFn,
    ) -> &mut Bound {
        self.bind(type_name, field, Bound::new(Resolve::Computed { needs, run }, Level::Full))
    }

    /// A leaf computed for all rows of a level at once.
    pub fn batch(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        needs: &'static [usize],
        run: BatchFn,
    ) -> &mut Bound {
        self.bind(type_name, field, Bound::new(Resolve::Batch { needs, run }, Level::Full))
    }

    /// The cursor field of the baseline view.
    pub fn cursor(&mut self, type_name: &'static str) {
        self.bind(type_name, "cursor", Bound::new(Resolve::Cursor, Level::Public));
    }

    /// One related row.
    pub fn one(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        table: &'static Table,
        link: Link,
    ) -> &mut Bound {
        self.rows(type_name, field, table, Shape::One, link)
    }

    /// Related rows.
    pub fn many(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        table: &'static Table,
        link: Link,
    ) -> &mut Bound {
        self.rows(type_name, field, table, Shape::List, link)
    }

    /// How many related rows.
    pub fn count(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        table: &'static Table,
        link: Link,
    ) -> &mut Bound {
        self.rows(type_name, field, table, Shape::Count, link)
    }

    /// A root query for one row.
    pub fn query_one(
        &mut self,
        field: &'static str,
        table: &'static Table,
        listing: ListingFn,
    ) -> &mut Bound {
        self.rows("Query", field, table, Shape::One, Link::Root).listing(listing)
    }

    /// A root query for rows: plain list or connection, as the view says.
    pub fn query_list(
        &mut self,
        field: &'static str,
        table: &'static Table,
        listing: ListingFn,
    ) -> &mut Bound {
        self.rows("Query", field, table, Shape::List, Link::Root).listing(listing)
    }

    /// A root query for how many rows.
    pub fn query_count(
        &mut self,
        field: &'static str,
        table: &'static Table,
        listing: ListingFn,
    ) -> &mut Bound {
        self.rows("Query", field, table, Shape::Count, Link::Root).listing(listing)
    }

    /// A mutation that happens wholly in its transaction. The function may run
    /// again when the transaction is retried.
    pub fn mutation<I>(
        &mut self,
        field: &'static str,
        returns: &'static [(&'static str, Returns)],
        run: impl for<'a, 'b> Fn(&'a mut Call<'b>, &'a I) -> BoxFuture<'a, Answer<Payload>>
        + Send
        + Sync
        + 'static,
    ) -> &mut Bound
    where
        I: Input,
    {
        self.mutation_prepared(
            field,
            returns,
            |_, input: I| Box::pin(async move { Ok(input) }),
            run,
        )
    }

    /// A mutation with a first part outside the transaction: hashing a
    /// password, storing a file. What it makes is handed to the second part.
    pub fn mutation_prepared<I, P>(
        &mut self,
        field: &'static str,
        returns: &'static [(&'static str, Returns)],
        prepare: impl Fn(Arc<Request>, I) -> BoxFuture<'static, Answer<P>> + Send + Sync + 'static,
        run: impl for<'a, 'b> Fn(&'a mut Call<'b>, &'a P) -> BoxFuture<'a, Answer<Payload>>
        + Send
        + Sync
        + 'static,
    ) -> &mut Bound
    where
        I: Input,
        P: Send + Sync + 'static,
    {
        let prepare = Arc::new(prepare);
        let prepare: PrepareFn = Arc::new(move |request, value| {
            let prepare = prepare.clone();
            Box::pin(async move {
                let input = I::from_in(&value, "input", request.instance.ids())?;
                let prepared = prepare(request, input).await?;
                Ok(Arc::new(prepared) as Prepared)
            })
        });
        let apply: ApplyFn = Arc::new(move |call, prepared| match prepared.downcast_ref::<P>() {
            Some(prepared) => run(call, prepared),
            None => Box::pin(async {
                Err(ward_store::StoreError::internal(
                    "a mutation's prepared value has another type",
                )
                .into())
            }),
        });
        let binding = MutationBinding { prepare, apply, fields: I::input_fields, returns };
        self.bind("Mutation", field, Bound::new(Resolve::Mutation(binding), Level::None))
    }

    /// Arguments, input fields and enum values that are not served, as
    /// `path | reason | domain`, one a line.
    pub fn unserved(&mut self, text: &str) {
        let lines =
            text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        self.unserved
            .extend(lines.filter_map(|line| Some(line.split('|').next()?.trim().to_owned())));
    }

    /// The binding of a field.
    pub fn get<'a>(&'a self, type_name: &'a str, field: &'a str) -> Option<&'a Bound> {
        let fields: &'a HashMap<(&'a str, &'a str), Bound> = &self.fields;
        fields.get(&(type_name, field))
    }

    /// Every bound field, in order of type and name.
    pub fn all(&self) -> Vec<(&'static str, &'static str, &Bound)> {
        let mut all: Vec<_> = self
            .fields
            .iter()
            .map(|((type_name, field), bound)| (*type_name, *field, bound))
            .collect();
        all.sort_by_key(|(type_name, field, _)| (*type_name, *field));
        all
    }

    fn rows(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        table: &'static Table,
        shape: Shape,
        link: Link,
    ) -> &mut Bound {
        let rows =
            RowsBinding { table, shape, link, listing: None, orders: &[], default_order: "" };
        let level = if type_name == "Query" { Level::None } else { Level::Full };
        self.bind(type_name, field, Bound::new(Resolve::Rows(rows), level))
    }

    fn bind(&mut self, type_name: &'static str, field: &'static str, bound: Bound) -> &mut Bound {
        let entry = self.fields.entry((type_name, field));
        match entry {
            std::collections::hash_map::Entry::Occupied(mut slot) => {
                slot.insert(bound);
                slot.into_mut()
            }
            std::collections::hash_map::Entry::Vacant(slot) => slot.insert(bound),
        }
    }
}

/// A mutation's input as declared by [`input!`](crate::input!).
pub trait Input: FromIn + Send + Sync + 'static {
    /// The fields it reads.
    fn input_fields() -> &'static [(&'static str, Kind)];
}

impl<T: FromIn + Send + Sync + 'static> Input for T {
    fn input_fields() -> &'static [(&'static str, Kind)] {
        match T::KIND {
            Kind::Object(fields) => fields(),
            _ => &[],
        }
    }
}

/// An order key out of an option.
pub(crate) fn order_key(option: &OrderOption, descending: bool) -> OrderKey {
    OrderKey::expression(option.expression, descending)
}

/// Turns an `async fn` operation into what [`Bindings::mutation`] takes.
#[macro_export]
macro_rules! op {
    ($operation:expr) => {
        |call, input| Box::pin($operation(call, input))
    };
}
