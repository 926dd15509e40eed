//! What execution leaves for the writer: a tree of levels, each with the rows
//! of all parents at once.

use std::ops::Range;
use std::sync::Arc;

use ward_store::{Level as Visible, Rows, Table, Value};

use crate::bound::RowView;
use crate::outcome::RequestError;
use crate::scalar::Out;

/// Objects that one request may answer.
pub const MAX_OBJECTS: usize = 50_000;

/// Rows of one table at one level: the asked columns, perhaps the column that
/// groups them by parent, perhaps order keys, and the visibility level last.
#[derive(Debug, Default)]
pub struct RowSet {
    /// Which columns, ascending.
    pub columns: Vec<usize>,
    /// The rows.
    pub rows: Rows,
    /// Where the order keys stand in a row.
    pub keys: Range<usize>,
    /// Where the client whose data a row is stands in a row, the watch behind it.
    pub subject: Option<usize>,
    /// What cursors of these rows are bound to.
    pub scope: String,
    /// The table; none for the engine's own objects.
    pub table: Option<&'static Table>,
}

impl RowSet {
    /// A single object without columns: a root, a payload.
    pub fn unit() -> Arc<Self> {
        Arc::new(RowSet {
            rows: Rows::from_values(1, vec![Value::Int(Visible::Full as i64)]),
            ..RowSet::default()
        })
    }

    /// How much of a row the actor sees.
    pub fn level(&self, row: usize) -> Visible {
        self.rows.row(row).last().and_then(Value::int).map_or(Visible::None, Visible::from_number)
    }

    /// A row.
    pub fn view(&self, row: usize) -> RowView<'_> {
        RowView { columns: &self.columns, values: self.rows.row(row), level: self.level(row) }
    }

    /// Only these rows, in this order.
    pub fn only(&self, kept: &[usize]) -> RowSet {
        let values = kept.iter().flat_map(|row| self.rows.row(*row).iter().cloned()).collect();
        RowSet {
            columns: self.columns.clone(),
            rows: Rows::from_values(self.rows.width(), values),
            keys: self.keys.clone(),
            subject: self.subject,
            scope: self.scope.clone(),
            table: self.table,
        }
    }

    /// Where a column stands in a row.
    pub fn position(&self, column: usize) -> Option<usize> {
        self.columns.binary_search(&column).ok()
    }
}

/// All objects of one selection, with what was found for each field.
#[derive(Debug)]
pub struct Level {
    /// The objects' rows.
    pub set: Arc<RowSet>,
    /// One cell for each field of the selection.
    pub cells: Vec<Cell>,
}

/// What was found for one field, for all rows of the level.
#[derive(Debug)]
pub enum Cell {
    /// Not asked for in this request.
    Skip,
    /// The row's column at this position, if the row is seen at this level.
    Column(usize, Visible),
    /// One leaf, or value object, for each row.
    Leaves(Vec<Out>),
    /// One object for each row, by its number in the level below.
    One(Vec<Option<usize>>, Box<Level>),
    /// One object of a union for each row: a cell for each of its types, of which the first that
    /// has an object answers.
    OneOf(Box<Level>),
    /// A list for each row.
    Many(Vec<Option<Vec<usize>>>, Box<Level>),
    /// A connection for each row.
    Connections(Vec<Option<Page>>, Box<Paged>),
    /// The row's cursor.
    Cursor,
    /// `__typename`.
    Typename(Box<str>),
    /// JSON that is ready, with the errors that belong to it.
    Ready(Vec<u8>, Vec<RequestError>),
    /// An error at this field for each row.
    Failed(RequestError),
}

/// One connection.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its rows, by their numbers in the levels below.
    pub rows: Range<usize>,
    /// All matching rows, when asked for.
    pub total: Option<i64>,
    /// Whether there are rows behind it.
    pub has_next: bool,
    /// Whether there are rows before it.
    pub has_previous: bool,
}

/// The rows of the connections of a level.
#[derive(Debug)]
pub struct Paged {
    /// The rows.
    pub set: Arc<RowSet>,
    /// One level for each selection of `nodes` and of `edges { node }`, by the
    /// field's place in the connection's selection.
    pub nodes: Vec<(usize, Level)>,
}

/// The refusal of a request for more objects than that.
pub fn too_many() -> RequestError {
    let message =
        format!("The request would answer more than {MAX_OBJECTS} objects. Ask for smaller pages.");
    RequestError::coded("TOO_MANY_OBJECTS", message)
}
