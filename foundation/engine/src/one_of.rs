//! Unions: a field that answers one object, which may be a row of one of several tables
//! (behaviour 4: a mutation that answers one has no `messages`).

use std::sync::Arc;

use ward_store::{Level as Visible, Query, Table};

use crate::bindings::Bindings;
use crate::bound::{Args, Bound, Link, ListingFn, Resolve, RowsBinding, Shape};
use crate::exec::{Executor, Stop};
use crate::level::{Cell, Level, RowSet};
use crate::outcome::{FieldProblem, RequestError};
use crate::plan::{Action, Field, Selection};
use crate::write::{Propagate, Writer};

impl Bindings {
    /// A root query for one object of a union: its types, each with its table and which row of it.
    pub fn query_one_of(
        &mut self,
        field: &'static str,
        types: &[(&'static str, &'static Table, ListingFn)],
    ) -> &mut Bound {
        let one = |(type_name, table, listing): &(&'static str, &'static Table, ListingFn)| {
            let rows = RowsBinding {
                table,
                shape: Shape::One,
                link: Link::Root,
                listing: Some(*listing),
                orders: &[],
                default_order: "",
            };
            (*type_name, rows)
        };
        let types = types.iter().map(one).collect();
        self.bind("Query", field, Bound::new(Resolve::OneOf(types), Visible::None))
    }
}

impl Executor<'_> {
    /// One object of a union: what each of its types has.
    pub(crate) async fn one_of(
        &mut self,
        conn: &mut dyn Query,
        field: &Field,
        args: &Args,
        set: &Arc<RowSet>,
    ) -> Result<Cell, Stop> {
        let Some(types) = &field.children else { return Ok(Cell::Skip) };
        let mut cells = Vec::with_capacity(types.fields.len());
        for one in &types.fields {
            cells.push(match &one.action {
                Action::Bound(bound) => match &bound.resolve {
                    Resolve::Rows(rows) => self.rows(conn, one, bound, rows, args, set).await?,
                    _ => Cell::Skip,
                },
                _ => Cell::Skip,
            });
        }
        Ok(Cell::OneOf(Box::new(Level { set: set.clone(), cells })))
    }
}

impl<'a> Writer<'a> {
    /// Writes the object of a union that there is, as the type that has it.
    pub(crate) fn one_of(
        &mut self,
        field: &'a Field,
        types: &'a Selection,
        level: &Level,
        row: usize,
    ) -> Result<(), Propagate> {
        for (one, cell) in types.fields.iter().zip(&level.cells) {
            match (cell, &one.children) {
                (Cell::One(index, below), Some(selection)) => {
                    if let Some(n) = index.get(row).copied().flatten() {
                        return self.object(selection, below, n);
                    }
                }
                (Cell::Failed(error), _) => {
                    self.fail(field, error.clone());
                    return self.nothing(&field.ty);
                }
                _ => {}
            }
        }
        self.null(field, &field.ty)
    }
}

/// The error of a mutation whose answer has no `messages` (behaviour 4.2): the first sentence, and
/// what `messages` would have been.
pub(crate) fn told_at_the_top(problems: &[FieldProblem]) -> RequestError {
    let first = problems.first().map_or("Nothing was changed", |problem| problem.message.as_str());
    let all: Vec<serde_json::Value> = problems
        .iter()
        .map(|problem| serde_json::json!({"field": problem.field, "message": problem.message}))
        .collect();
    RequestError::coded("REFUSED", first).with("messages", all)
}
