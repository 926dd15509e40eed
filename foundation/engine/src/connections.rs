//! The executor's part for connections: one page for each parent, all pages of
//! a level with two statements where that reads few enough rows.

use std::collections::HashMap;
use std::sync::Arc;

use ward_store::{Query, Rows, Value};

use crate::bound::{Args, Link, RowsBinding};
use crate::exec::{Executor, Stop};
use crate::grouping::{GroupKey, counts, linked};
use crate::level::{Cell, MAX_OBJECTS, Page, Paged, RowSet, too_many};
use crate::listing::Listing;
use crate::paging::{self, Order};
use crate::plan::{Action, Field, Part, Selection};
use crate::values::{self, Variables};

/// Rows that the pages of several parents are read out of at once.
const MAX_TOGETHER: i64 = 10_000;

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

/// Whether anything of the rows is asked for: cursors hold their order keys.
fn shows_rows(connection: &Selection, variables: &Variables) -> bool {
    let mut asked = connection.fields.iter().filter(|field| values::included(field, variables));
    asked.any(|field| {
        matches!(field.action, Action::Connection(Part::Nodes | Part::Edges | Part::PageInfo))
    })
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

impl Executor<'_> {
    pub(crate) async fn connections(
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
                subject: first.subject,
                scope: first.scope.clone(),
                table: first.table,
            },
            None => RowSet::default(),
        });
        if shows_rows(children, self.variables) {
            self.noted(conn, field, &set, 0..set.rows.len()).await?;
        }
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
            conn.count(&select.count_sql()).await?
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
}
