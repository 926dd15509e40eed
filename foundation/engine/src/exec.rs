//! The executor: breadth first. Each selected field is answered once for all
//! rows of its level, so a relation costs one statement however many parents
//! there are.

use std::collections::HashMap;
use std::sync::Arc;

use apollo_compiler::Schema;
use futures_util::future::BoxFuture;
use ward_store::{Actor, Cond, Query, Role, Rows, Select, StoreError, Table, Value};

use crate::bindings::{Args, Bound, Link, Listing, Resolve, Returned, RowView, RowsBinding, Shape};
use crate::call::Request;
use crate::level::{Cell, Level, Page, Paged, RowSet};
use crate::outcome::{Refused, RequestError};
use crate::paging::{self, Order};
use crate::plan::{Action, Field, Part, Selection};
use crate::scalar::Out;
use crate::values::{self, Variables};

/// Objects that one request may answer.
pub const MAX_OBJECTS: usize = 50_000;

/// Rows that the pages of several parents are read out of at once.
const MAX_TOGETHER: i64 = 10_000;

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
struct Found {
    set: Arc<RowSet>,
    /// Each row's parent value; empty for root fields.
    parents: Vec<Value>,
}

/// The pages of several parents, read at once.
struct Together {
    set: Arc<RowSet>,
    totals: HashMap<i64, i64>,
    /// Each parent's rows, in the order read.
    places: HashMap<GroupKey, Vec<usize>>,
}

impl Together {
    fn of(&self, parent: &Value) -> (i64, Arc<RowSet>, Vec<usize>) {
        let total = parent.int().and_then(|id| self.totals.get(&id)).copied().unwrap_or(0);
        let places = self.places.get(&GroupKey::of(parent)).cloned().unwrap_or_default();
        (total, self.set.clone(), places)
    }
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
            Resolve::Batch { .. } if set.rows.is_empty() => Ok(Cell::Leaves(Vec::new())),
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
            Resolve::Member(_) | Resolve::Column(_) | Resolve::Mutation(_) => Ok(Cell::Skip),
        }
    }

    async fn rows(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        bound: &Bound,
        rows: &RowsBinding,
        args: &Args,
        set: &Arc<RowSet>,
    ) -> Result<Cell, Stop> {
        let listing = match rows
            .listing
            .map_or_else(|| Ok(Listing::all().public()), |listing| listing(self.request, args))
        {
            Ok(listing) => listing,
            Err(Refused::NotFound(_)) => Listing::none(),
            Err(refused) => return failed(refused),
        };
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

    async fn count(
        &mut self,
        conn: &mut dyn Query,
        rows: &RowsBinding,
        listing: &Listing,
        parents: &[Value],
    ) -> Result<Cell, Stop> {
        let mut select = self.select(rows, listing);
        if matches!(rows.link, Link::Root) {
            let count = if listing.filter.is_never() {
                0
            } else {
                scalar(&conn.rows(&select.count_sql()).await?)
            };
            return Ok(Cell::Leaves(vec![Out::Int(count); parents.len()]));
        }
        linked(&mut select, rows, parents);
        let counts = counts(conn, rows, &select).await?;
        let count = |parent: &Value| {
            parent.int().map_or(Out::Null, |id| Out::Int(counts.get(&id).copied().unwrap_or(0)))
        };
        Ok(Cell::Leaves(parents.iter().map(count).collect()))
    }

    async fn one(
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
        select = select.ordered(Vec::new());
        let order = Order { keys: Vec::new(), scope: format!("{} id", rows.table.name) };
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
        let level = self.level(conn, children, found.set).await?;
        Ok(Cell::Many(lists, Box::new(level)))
    }

    async fn connections(
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
        let asked = match paging::connection_page(args, &order, self.request) {
            Ok(page) => page,
            Err(error) => return Ok(Cell::Failed(error)),
        };
        let (columns, wants_total) = wanted(children, self.variables);
        let together =
            self.together(conn, rows, listing, &asked, &order, &columns, parents).await?;
        let mut all = Rows::default();
        let mut pages = Vec::with_capacity(parents.len());
        let mut shape = None;
        for parent in parents {
            if parent.is_null() {
                pages.push(Some(Page {
                    rows: 0..0,
                    total: Some(0),
                    has_next: false,
                    has_previous: false,
                }));
                continue;
            }
            let (total, found, places) = match &together {
                Some(together) => together.of(parent),
                None => {
                    self.alone(conn, rows, listing, &asked, &order, &columns, wants_total, parent)
                        .await?
                }
            };
            let (kept, more, behind_first) = cut(&places, &asked);
            let start = all.len();
            if all.width() == 0 {
                all = Rows::new(found.rows.width());
            }
            for row in kept {
                all.values_mut().extend_from_slice(found.rows.row(row));
            }
            if all.len() > MAX_OBJECTS {
                return Err(Stop::Refused(too_many()));
            }
            let (has_next, has_previous) = if asked.last {
                (asked.before.is_some(), more)
            } else {
                (more, asked.after.is_some())
            };
            pages.push(Some(Page {
                rows: start..all.len(),
                total: wants_total.then_some(total),
                has_next,
                has_previous: has_previous || behind_first,
            }));
            shape.get_or_insert(found);
        }
        let set = Arc::new(match shape {
            Some(first) => RowSet {
                columns: first.columns.clone(),
                rows: all,
                keys: first.keys.clone(),
                scope: first.scope.clone(),
                table: first.table,
            },
            None => RowSet::default(),
        });
        let mut nodes = Vec::new();
        // The writer meets the same ones in the same order.
        let variables = self.variables;
        for (n, part) in children.fields.iter().enumerate() {
            if !values::included(part, variables) {
                continue;
            }
            match (&part.action, &part.children) {
                (Action::Connection(Part::Nodes), Some(selection)) => {
                    nodes.push((n, self.level(conn, selection, set.clone()).await?))
                }
                (Action::Connection(Part::Edges), Some(edge)) => {
                    for inner in edge
                        .fields
                        .iter()
                        .filter(|field| matches!(field.action, Action::Connection(Part::Node)))
                        .filter(|field| values::included(field, variables))
                    {
                        if let Some(selection) = &inner.children {
                            nodes.push((n, self.level(conn, selection, set.clone()).await?));
                        }
                    }
                }
                _ => {}
            }
        }
        Ok(Cell::Connections(pages, Box::new(Paged { set, nodes })))
    }

    /// The rows of one parent's page, and how many there are in all.
    #[expect(clippy::too_many_arguments, reason = "what a page is made of")]
    async fn alone(
        &self,
        conn: &mut dyn Query,
        rows: &RowsBinding,
        listing: &Listing,
        asked: &paging::Page,
        order: &Order,
        columns: &[usize],
        wants_total: bool,
        parent: &Value,
    ) -> Result<(i64, Arc<RowSet>, Vec<usize>), Stop> {
        let mut select = self.select(rows, listing).ordered(order.keys.clone());
        linked(&mut select, rows, std::slice::from_ref(parent));
        let total = if wants_total && !select.filter.is_never() {
            scalar(&conn.rows(&select.count_sql()).await?)
        } else {
            0
        };
        select.after.clone_from(&asked.after);
        select.before.clone_from(&asked.before);
        select.reversed = asked.last;
        select.limit = Some(asked.limit + 1);
        let found = self.found(conn, select, rows, columns.to_vec(), None, order).await?;
        let places = (0..found.set.rows.len()).collect();
        Ok((total, found.set, places))
    }

    /// The rows of all parents' pages at once: two statements however many
    /// parents there are. Nothing for a single one, whose page a limit bounds
    /// better, nor when the parents have so many rows that each page is better
    /// read for itself.
    #[expect(clippy::too_many_arguments, reason = "what a page is made of")]
    async fn together(
        &self,
        conn: &mut dyn Query,
        rows: &RowsBinding,
        listing: &Listing,
        asked: &paging::Page,
        order: &Order,
        columns: &[usize],
        parents: &[Value],
    ) -> Result<Option<Together>, Stop> {
        if matches!(rows.link, Link::Root) || parents.iter().filter(|it| !it.is_null()).count() < 2
        {
            return Ok(None);
        }
        let mut select = self.select(rows, listing).ordered(order.keys.clone());
        linked(&mut select, rows, parents);
        let totals = counts(conn, rows, &select).await?;
        if totals.values().sum::<i64>() > MAX_TOGETHER {
            return Ok(None);
        }
        select.after.clone_from(&asked.after);
        select.before.clone_from(&asked.before);
        select.reversed = asked.last;
        let found = self.found(conn, select, rows, columns.to_vec(), None, order).await?;
        let mut places: HashMap<GroupKey, Vec<usize>> = HashMap::new();
        for (row, parent) in found.parents.iter().enumerate() {
            places.entry(GroupKey::of(parent)).or_default().push(row);
        }
        Ok(Some(Together { set: found.set, totals, places }))
    }

    /// A mutation's payload: its rows are read in the mutation's transaction.
    /// `echo` is the input's `clientMutationId`, which the baseline view answers.
    pub async fn payload(
        &mut self,
        conn: &mut dyn Query,
        selection: &Selection,
        values: &[(&'static str, Returned)],
        echo: &Out,
    ) -> Result<Level, Stop> {
        let mut cells = Vec::with_capacity(selection.fields.len());
        for field in &selection.fields {
            if !values::included(field, self.variables) {
                cells.push(Cell::Skip);
                continue;
            }
            let value = values
                .iter()
                .find(|(name, _)| *name == field.name.as_ref())
                .map(|(_, value)| value);
            cells.push(match (&field.action, value) {
                (Action::Typename(name), _) => Cell::Typename(name.clone()),
                (Action::Payload(None), None) if field.name.as_ref() == "clientMutationId" => {
                    Cell::Leaves(vec![echo.clone()])
                }
                (Action::Payload(Some(returns)), Some(value)) => {
                    self.returned(conn, field, *returns, value).await?
                }
                _ => Cell::Leaves(vec![Out::Null]),
            });
        }
        Ok(Level { set: RowSet::unit(), cells })
    }

    async fn returned(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        returns: crate::bindings::Returns,
        value: &Returned,
    ) -> Result<Cell, Stop> {
        use crate::bindings::Returns;
        let (table, ids) = match (returns, value) {
            (Returns::One(table), Returned::One(id)) => (table, vec![*id]),
            (Returns::Many(table), Returned::Many(ids)) => (table, ids.clone()),
            (_, Returned::Leaf(leaf)) => return Ok(Cell::Leaves(vec![leaf.clone()])),
            _ => return Ok(Cell::Leaves(vec![Out::Null])),
        };
        let Some(children) = &field.children else { return Ok(Cell::Skip) };
        let rows = RowsBinding {
            table,
            shape: Shape::List,
            link: Link::Key(0),
            listing: None,
            orders: &[],
            default_order: "",
        };
        // What a mutation deleted is still answered by it.
        let listing = Listing { deleted: true, ..Listing::all().public() };
        let parents: Vec<Value> = ids.iter().map(|id| Value::Int(*id)).collect();
        let order = Order { keys: Vec::new(), scope: format!("{} id", table.name) };
        let select = self.select(&rows, &listing).ordered(Vec::new());
        let found = self
            .found(conn, select, &rows, children.columns.clone(), Some(&parents), &order)
            .await?;
        let at = |id: &i64| found.parents.iter().position(|parent| parent.int() == Some(*id));
        let index: Vec<Option<usize>> = ids.iter().map(at).collect();
        let level = Box::new(self.level(conn, children, found.set).await?);
        Ok(match returns {
            Returns::Many(_) => {
                Cell::Many(vec![Some(index.into_iter().flatten().collect())], level)
            }
            _ => Cell::One(index, level),
        })
    }

    fn select(&self, rows: &RowsBinding, listing: &Listing) -> Select<'_> {
        let mut select = Select::new(rows.table, self.actor);
        // Nobody in particular has no tenant: what they see is bound by the
        // parents and by the public part of the table's predicate.
        if listing.anywhere || self.actor.role == Role::Anonymous {
            select.org_id = None;
        }
        select.least = listing.least;
        select.deleted = listing.deleted;
        select.filter = listing.filter.clone();
        select
    }

    /// Runs a select for the parents (none: it is narrowed already) and finds
    /// each row's parent.
    async fn found(
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
        let set =
            RowSet { columns, rows: found, keys, scope: order.scope.clone(), table: Some(table) };
        Ok(Found { set: Arc::new(set), parents: of })
    }
}

/// The refusal of a request for more objects than that.
pub fn too_many() -> RequestError {
    let message =
        format!("The request would answer more than {MAX_OBJECTS} objects. Ask for smaller pages.");
    RequestError::coded("TOO_MANY_OBJECTS", message)
}

/// How many of a select's rows each parent has.
async fn counts(
    conn: &mut dyn Query,
    rows: &RowsBinding,
    select: &Select<'_>,
) -> Result<HashMap<i64, i64>, StoreError> {
    let by = match rows.link {
        Link::Join { join, .. } => format!("j.{}", join.from),
        Link::Column { child, .. } => format!("t.{child}"),
        Link::Key(_) | Link::Root => "t.id".to_owned(),
    };
    let mut counts = HashMap::new();
    if !select.filter.is_never() {
        for row in conn.rows(&select.count_by_sql(&by)).await?.iter() {
            if let (Some(parent), Some(count)) = (row[0].int(), row[1].int()) {
                counts.insert(parent, count);
            }
        }
    }
    Ok(counts)
}

/// Narrows a select to the rows of these parents.
fn linked(select: &mut Select<'_>, rows: &RowsBinding, parents: &[Value]) {
    let mut ids: Vec<i64> = parents.iter().filter_map(Value::int).collect();
    ids.sort_unstable();
    ids.dedup();
    let cond = match rows.link {
        Link::Root => return,
        Link::Key(_) => Cond::is_in("id", &ids),
        Link::Column { child, .. } => Cond::is_in(child, &ids),
        Link::Join { join, .. } => {
            select.join = Some(join);
            match ids.as_slice() {
                [] => Cond::Never,
                [one] => Cond::sql(format!("j.{} = ?", join.from), [Value::Int(*one)]),
                many => {
                    Cond::sql(format!("j.{} IN_LIST(?)", join.from), [Value::Ints(many.into())])
                }
            }
        }
    };
    select.filter = std::mem::replace(&mut select.filter, Cond::Always).and(cond);
}

/// The columns that a connection's nodes need, and whether the total is asked.
fn wanted(connection: &Selection, variables: &Variables) -> (Vec<usize>, bool) {
    let mut columns = Vec::new();
    let mut total = false;
    for field in connection.fields.iter().filter(|field| values::included(field, variables)) {
        match &field.action {
            Action::Connection(Part::Nodes) => columns.extend(
                field.children.iter().flat_map(|selection| selection.columns.iter().copied()),
            ),
            Action::Connection(Part::Edges) => {
                let edges = field.children.iter().flat_map(|edge| edge.fields.iter());
                columns.extend(
                    edges
                        .flat_map(|inner| inner.children.iter())
                        .flat_map(|selection| selection.columns.iter().copied()),
                );
            }
            Action::Connection(Part::TotalCount) => total = true,
            _ => {}
        }
    }
    (columns, total)
}

/// Which of these rows make the page, in the list's order; whether there are
/// more in the paging direction; whether `last` cut some of the `first` ones.
fn cut(places: &[usize], page: &paging::Page) -> (Vec<usize>, bool, bool) {
    let limit = usize::try_from(page.limit).unwrap_or(0);
    let more = places.len() > limit;
    let mut kept: Vec<usize> = places.iter().copied().take(limit).collect();
    if page.last {
        kept.reverse();
    }
    let last = page.first_of_last.map_or(kept.len(), |last| usize::try_from(last).unwrap_or(0));
    let skip = kept.len().saturating_sub(last);
    kept.drain(..skip);
    (kept, more, skip > 0)
}

fn scalar(rows: &Rows) -> i64 {
    rows.scalar().and_then(Value::int).unwrap_or(0)
}

fn failed(refused: Refused) -> Result<Cell, Stop> {
    Ok(Cell::Failed(match refused.told_of_query()? {
        Some(error) => error,
        // Not found is null, without an error (behaviour 4.4).
        None => return Ok(Cell::Leaves(Vec::new())),
    }))
}

/// A parent value as a map key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum GroupKey {
    Nothing,
    Number(i64),
    Text(Box<str>),
}

impl GroupKey {
    fn of(value: &Value) -> Self {
        match value {
            Value::Int(n) => GroupKey::Number(*n),
            Value::Text(text) => GroupKey::Text(text.clone()),
            _ => GroupKey::Nothing,
        }
    }
}
