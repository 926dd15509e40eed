//! The executor: breadth first. Each selected field is answered once for all rows of its level,
//! so a relation costs one statement however many parents there are.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Schema;
use futures_util::future::BoxFuture;
use ward_store::{Actor, Query, Role, Rows, Select, StoreError, Table, Value};

use crate::bound::{Args, Bound, Link, Resolve, RowView, RowsBinding, Shape};
use crate::call::Request;
use crate::grouping::{GroupKey, counts, linked};
use crate::level::{Cell, Level, MAX_OBJECTS, RowSet, too_many};
use crate::listing::Listing;
use crate::outcome::{Refused, RequestError};
use crate::paging::{self, Order};
use crate::plan::{Action, Field, Selection};
use crate::scalar::Out;
use crate::values::{self, Variables};

/// Why execution stops as a whole.
#[derive(Debug)]
pub enum Stop {
    /// The store failed.
    Store(StoreError),
    /// A bound was reached.
    Refused(RequestError),
}

impl From<StoreError> for Stop {
    fn from(error: StoreError) -> Self {
        Stop::Store(error)
    }
}

/// One request at work.
pub struct Executor<'a> {
    /// The request.
    pub request: &'a Request,
    /// As whom rows are read.
    pub actor: &'a Actor,
    /// The view.
    pub schema: &'a Schema,
    /// Its variables.
    pub variables: &'a Variables,
    /// Answers of introspection, by response key.
    pub introspection: Option<&'a serde_json::Map<String, serde_json::Value>>,
    /// Objects answered so far.
    pub objects: usize,
}

/// Rows found for the parents of a level.
pub(crate) struct Found {
    pub(crate) set: Arc<RowSet>,
    /// Each row's parent value; empty for root fields.
    pub(crate) parents: Vec<Value>,
}

impl Executor<'_> {
    /// Executes a selection on rows.
    pub fn level<'s>(
        &'s mut self,
        conn: &'s mut dyn Query,
        selection: &'s Selection,
        set: Arc<RowSet>,
    ) -> BoxFuture<'s, Result<Level, Stop>> {
        Box::pin(async move {
            self.objects += set.rows.len();
            if self.objects > MAX_OBJECTS {
                return Err(Stop::Refused(too_many()));
            }
            let mut cells = Vec::with_capacity(selection.fields.len());
            for field in &selection.fields {
                cells.push(self.cell(conn, field, &set).await?);
            }
            Ok(Level { set, cells })
        })
    }

    async fn cell(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        set: &Arc<RowSet>,
    ) -> Result<Cell, Stop> {
        if !values::included(field, self.variables) {
            return Ok(Cell::Skip);
        }
        match &field.action {
            Action::Typename(name) => Ok(Cell::Typename(name.clone())),
            Action::Introspection => {
                let json = self.introspection.and_then(|answers| answers.get(field.key.as_ref()));
                Ok(Cell::Ready(
                    json.map_or_else(|| b"null".to_vec(), |json| json.to_string().into_bytes()),
                    Vec::new(),
                ))
            }
            Action::Bound(bound) => self.bound(conn, field, bound, set).await,
            // Connections and payloads are answered by their parent field.
            Action::Connection(_) | Action::Payload(_) => Ok(Cell::Skip),
        }
    }

    async fn bound(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        bound: &Bound,
        set: &Arc<RowSet>,
    ) -> Result<Cell, Stop> {
        if let Some(permission) = bound.requires
            && !self.actor.has(permission.flag)
        {
            return Ok(Cell::Failed(RequestError::denied(permission.name)));
        }
        if let Resolve::Column(column) = bound.resolve {
            return Ok(set.position(column).map_or_else(
                || Cell::Leaves(vec![Out::Null; set.rows.len()]),
                |at| Cell::Column(at, bound.level),
            ));
        }
        let args = match values::arguments(field, self.schema, self.variables) {
            Ok(args) => args,
            Err(error) => return Ok(Cell::Failed(error)),
        };
        match &bound.resolve {
            Resolve::Computed { run, .. } => Ok(Cell::Leaves(
                (0..set.rows.len())
                    .map(|row| {
                        if set.level(row) >= bound.level {
                            run(self.request, &set.view(row), &args)
                        } else {
                            Out::Null
                        }
                    })
                    .collect(),
            )),
            Resolve::Batch { .. } | Resolve::Rows(_) if set.rows.is_empty() => {
                Ok(Cell::Leaves(Vec::new())) // Of what hangs on no row nothing is read.
            }
            Resolve::Batch { run, .. } => {
                let views: Vec<RowView<'_>> =
                    (0..set.rows.len()).map(|row| set.view(row)).collect();
                match run(self.request, conn, views, &args).await {
                    Ok(mut leaves) => {
                        for (row, leaf) in leaves.iter_mut().enumerate() {
                            if set.level(row) < bound.level {
                                *leaf = Out::Null;
                            }
                        }
                        Ok(Cell::Leaves(leaves))
                    }
                    Err(refused) => failed(refused),
                }
            }
            Resolve::Cursor => Ok(Cell::Cursor),
            Resolve::Rows(rows) => self.rows(conn, field, bound, rows, &args, set).await,
            Resolve::OneOf(_) => self.one_of(conn, field, &args, set).await,
            // The other roots have executors of their own.
            Resolve::Member(_)
            | Resolve::Column(_)
            | Resolve::Mutation(_)
            | Resolve::Subscription(_) => Ok(Cell::Skip),
        }
    }

    pub(crate) async fn rows(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        bound: &Bound,
        rows: &RowsBinding,
        args: &Args,
        set: &Arc<RowSet>,
    ) -> Result<Cell, Stop> {
        let mut listing = match rows
            .listing
            .map_or_else(|| Ok(Listing::all().public()), |listing| listing(self.request, args))
        {
            Ok(listing) => listing,
            Err(Refused::NotFound(_)) => Listing::none(),
            Err(refused) => return failed(refused),
        };
        self.note_named(conn, field, listing.named.take()).await?;
        if let Some(keywords) = listing.keywords.take()
            && !listing.filter.is_never()
        {
            let narrowed = keywords.narrowed(conn, listing.filter).await?;
            (listing.filter, listing.by_id) = (narrowed.filter, narrowed.by_id);
        }
        let parents: Vec<Value> = match rows.link.parent().and_then(|column| set.position(column)) {
            Some(at) => (0..set.rows.len())
                .map(|row| {
                    if set.level(row) >= bound.level {
                        set.rows.row(row)[at].clone()
                    } else {
                        Value::Null
                    }
                })
                .collect(),
            None => vec![Value::Int(0); set.rows.len()],
        };
        match rows.shape {
            Shape::Count => self.count(conn, rows, &listing, &parents).await,
            Shape::One => self.one(conn, field, rows, &listing, &parents).await,
            Shape::List if field.is_connection => {
                self.connections(conn, field, rows, &listing, args, &parents).await
            }
            Shape::List => self.lists(conn, field, rows, &listing, args, &parents).await,
        }
    }

    pub(crate) async fn count(
        &mut self,
        conn: &mut dyn Query,
        rows: &RowsBinding,
        listing: &Listing,
        parents: &[Value],
    ) -> Result<Cell, Stop> {
        let mut select = self.select(rows, listing);
        if matches!(rows.link, Link::Root) {
            let count =
                if listing.filter.is_never() { 0 } else { conn.count(&select.count_sql()).await? };
            return Ok(Cell::Leaves(vec![Out::Int(count); parents.len()]));
        }
        linked(&mut select, rows, parents);
        let counts = counts(conn, rows, &select).await?;
        let count = |parent: &Value| {
            parent.int().map_or(Out::Null, |id| Out::Int(counts.get(&id).copied().unwrap_or(0)))
        };
        Ok(Cell::Leaves(parents.iter().map(count).collect()))
    }

    pub(crate) async fn one(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        rows: &RowsBinding,
        listing: &Listing,
        parents: &[Value],
    ) -> Result<Cell, Stop> {
        let Some(children) = &field.children else { return Ok(Cell::Skip) };
        let mut select = self.select(rows, listing);
        if matches!(rows.link, Link::Root) {
            select.limit = Some(1);
        }
        let order = paging::order(rows, &Args::default());
        select = select.ordered(order.keys.clone());
        let found =
            self.found(conn, select, rows, children.columns.clone(), Some(parents), &order).await?;
        let mut first: HashMap<&GroupKey, usize> = HashMap::new();
        let keys: Vec<GroupKey> = found.parents.iter().map(GroupKey::of).collect();
        let mut kept = Vec::new();
        for (row, key) in keys.iter().enumerate() {
            first.entry(key).or_insert_with(|| {
                kept.push(row);
                kept.len() - 1
            });
        }
        // Rows that are no parent's first are not answered, nor what hangs on them.
        let set = if matches!(rows.link, Link::Root) || kept.len() == found.set.rows.len() {
            found.set
        } else {
            Arc::new(found.set.only(&kept))
        };
        let index = if matches!(rows.link, Link::Root) {
            vec![(!set.rows.is_empty()).then_some(0); parents.len()]
        } else {
            parents.iter().map(|parent| first.get(&GroupKey::of(parent)).copied()).collect()
        };
        self.noted(conn, field, &set, 0..set.rows.len()).await?;
        let level = self.level(conn, children, set).await?;
        Ok(Cell::One(index, Box::new(level)))
    }

    async fn lists(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        rows: &RowsBinding,
        listing: &Listing,
        args: &Args,
        parents: &[Value],
    ) -> Result<Cell, Stop> {
        let Some(children) = &field.children else { return Ok(Cell::Skip) };
        let order = paging::order(rows, args);
        let page = match paging::list_page(args, &order, self.request) {
            Ok(page) => page,
            Err(error) => return Ok(Cell::Failed(error)),
        };
        let mut select = self.select(rows, listing).ordered(order.keys.clone());
        select.after = page.after.clone();
        if matches!(rows.link, Link::Root) {
            select.limit = Some(page.limit);
            select.offset = page.offset;
        }
        let found =
            self.found(conn, select, rows, children.columns.clone(), Some(parents), &order).await?;
        let lists: Vec<Option<Vec<usize>>> = if matches!(rows.link, Link::Root) {
            vec![Some((0..found.set.rows.len()).collect()); parents.len()]
        } else {
            let mut groups: HashMap<GroupKey, Vec<usize>> = HashMap::new();
            for (row, parent) in found.parents.iter().enumerate() {
                groups.entry(GroupKey::of(parent)).or_default().push(row);
            }
            let cut = |rows: &Vec<usize>| {
                rows.iter().copied().skip(page.offset as usize).take(page.limit as usize).collect()
            };
            parents
                .iter()
                .map(|parent| {
                    if parent.is_null() {
                        Some(Vec::new())
                    } else {
                        Some(groups.get(&GroupKey::of(parent)).map_or_else(Vec::new, cut))
                    }
                })
                .collect()
        };
        let answered = lists.iter().flatten().flatten().copied();
        self.noted(conn, field, &found.set, answered).await?;
        let level = self.level(conn, children, found.set).await?;
        Ok(Cell::Many(lists, Box::new(level)))
    }

    pub(crate) fn select(&self, rows: &RowsBinding, listing: &Listing) -> Select<'_> {
        let mut select = Select::new(rows.table, self.actor);
        // Nobody in particular has no tenant: what they see is bound by the
        // parents and by the public part of the table's predicate.
        if listing.anywhere || self.actor.role == Role::Anonymous {
            select.org_id = None;
        }
        select.least = listing.least;
        select.deleted = listing.deleted;
        select.shown = listing.shown;
        select.instead = listing.instead;
        select.filter = listing.filter.clone();
        select.either.clone_from(&listing.either);
        select.by_id = listing.by_id;
        select
    }

    /// Runs a select for the parents (none: it is narrowed already) and finds
    /// each row's parent.
    pub(crate) async fn found(
        &self,
        conn: &mut dyn Query,
        mut select: Select<'_>,
        rows: &RowsBinding,
        mut columns: Vec<usize>,
        parents: Option<&[Value]>,
        order: &Order,
    ) -> Result<Found, Stop> {
        let table: &'static Table = rows.table;
        if let Some(parents) = parents {
            linked(&mut select, rows, parents);
        }
        // More than may be answered is not read either.
        select.limit.get_or_insert(MAX_OBJECTS as i64 + 1);
        let group = match rows.link {
            Link::Key(_) => table.column("id"),
            Link::Column { child, .. } => table.column(child),
            Link::Join { .. } | Link::Root => None,
        };
        columns.extend(group);
        columns.extend(table.column("id"));
        if columns.iter().any(|column| table.columns[*column].sealed) {
            columns.extend(table.column("org_id"));
        }
        columns.sort_unstable();
        columns.dedup();
        select.columns.clone_from(&columns);
        select.with_keys = true;
        select.with_subject = true;
        let found = if select.filter.is_never() {
            Rows::default()
        } else {
            ward_store::read_selected(conn, &self.request.db, &select).await?
        };
        if found.len() > MAX_OBJECTS {
            return Err(Stop::Refused(too_many()));
        }
        let joined = usize::from(select.join.is_some());
        let keys = columns.len() + joined..columns.len() + joined + select.order.len();
        let at = match rows.link {
            Link::Join { .. } => Some(columns.len()),
            Link::Root => None,
            _ => group.and_then(|column| columns.binary_search(&column).ok()),
        };
        let of = at.map_or_else(Vec::new, |at| found.iter().map(|row| row[at].clone()).collect());
        let set = RowSet {
            subject: table.subject.map(|_| keys.end),
            columns,
            rows: found,
            keys,
            scope: order.scope.clone(),
            table: Some(table),
        };
        Ok(Found { set: Arc::new(set), parents: of })
    }
}

fn failed(refused: Refused) -> Result<Cell, Stop> {
    Ok(Cell::Failed(match refused.told_of_query()? {
        Some(error) => error,
        // Not found is null, without an error (behaviour 4.4).
        None => return Ok(Cell::Leaves(Vec::new())),
    }))
}
