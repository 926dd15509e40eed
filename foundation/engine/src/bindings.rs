//! What answers each field: data, registered by the domains, one line a field.
//!
//! Domains name contract types and fields as text and never each other's Rust,
//! so they compile apart; what is not bound here is not in the served schema.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use ward_store::{Actor, Event, Level, OrderKey, Table};

use crate::bound::{
    ApplyFn, BatchFn, Bound, ComputeFn, Link, ListingFn, MutationBinding, OrderOption, PrepareFn,
    Prepared, ReactionFn, Resolve, Returns, RowsBinding, Shape,
};
use crate::call::{Call, Request};
use crate::input::{FromIn, Kind};
use crate::live::Source;
use crate::outcome::Answer;
use crate::scalar::Out;

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

    /// The id of the row that it answers as this field.
    pub fn id(&self, field: &str) -> Option<i64> {
        self.values.iter().find_map(|(name, value)| match value {
            Returned::One(id) if *name == field => Some(*id),
            _ => None,
        })
    }

    /// With a remark among its `messages`: what was asked for was understood and
    /// something is answered, but not all of it was done.
    #[must_use]
    pub fn remark(self, field: &str, message: &str) -> Self {
        let message = serde_json::json!({ "field": field, "message": message });
        self.leaf("messages", Out::List(vec![Out::Json(message)]))
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
    /// The table of the clients whom the access log tells of.
    pub(crate) clients: Option<&'static Table>,
    pub(crate) reactions: HashMap<&'static str, Vec<ReactionFn>>,
    /// What concerns each subscription field.
    pub(crate) feeds: BTreeMap<&'static str, Vec<Source>>,
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

    /// The table of clients: those whom the `subject` of any table names.
    pub fn clients(&mut self, table: &'static Table) {
        self.clients = Some(table);
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
        let binding = MutationBinding { prepare, apply, fields: vec![I::input_fields], returns };
        self.bind("Mutation", field, Bound::new(Resolve::Mutation(binding), Level::None))
    }

    /// What must be one unit with the change that an event tells of: runs in the
    /// mutation's transaction, as the system, after the mutation itself. It may
    /// refuse, which undoes all of it, and waits for nothing outside.
    pub fn reaction(
        &mut self,
        event: &'static str,
        run: impl for<'a, 'b> Fn(&'a mut Call<'b>, &'a Event) -> BoxFuture<'a, Answer<()>>
        + Send
        + Sync
        + 'static,
    ) {
        self.reactions.entry(event).or_default().push(Arc::new(run));
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

    pub(crate) fn bind(
        &mut self,
        type_name: &'static str,
        field: &'static str,
        bound: Bound,
    ) -> &mut Bound {
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
