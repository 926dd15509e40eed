//! The executor's part for the payloads of mutations.

use ward_store::{Query, Value};

use crate::bindings::Returned;
use crate::bound::{Link, Returns, RowsBinding, Shape};
use crate::exec::{Executor, Stop};
use crate::level::{Cell, Level, RowSet};
use crate::listing::Listing;
use crate::paging::Order;
use crate::plan::{Action, Field, Selection};
use crate::scalar::Out;
use crate::values;

impl Executor<'_> {
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
                (Action::Payload(None), Some(Returned::Leaf(leaf))) => {
                    Cell::Leaves(vec![leaf.clone()])
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
        returns: Returns,
        value: &Returned,
    ) -> Result<Cell, Stop> {
        use crate::bound::Returns;
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
        self.noted(conn, field, &found.set, 0..found.set.rows.len()).await?;
        let level = Box::new(self.level(conn, children, found.set).await?);
        Ok(match returns {
            Returns::Many(_) => {
                Cell::Many(vec![Some(index.into_iter().flatten().collect())], level)
            }
            _ => Cell::One(index, level),
        })
    }
}
