//! What a practice stores of one client, taken out of it: the rows of all domains, and what each
//! domain makes of its own as resources of FHIR R4 (DOM-39).
//!
//! Here is what the domains share: the rows, and the parts of resources. What reads the rows and
//! packs them is `practice/export`, which knows the domains.

pub mod fhir;
pub mod people;

use std::collections::{BTreeMap, BTreeSet};

use ward_instance::Timestamp;
use ward_store::{Table, Value};

static NULL: Value = Value::Null;

/// A row with its sealed columns opened.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its table.
    pub table: &'static Table,
    /// Its values, in the table's order.
    pub values: Vec<Value>,
}

impl Row {
    /// A column's value; NULL where the table has no such column.
    pub fn value(&self, column: &str) -> &Value {
        debug_assert!(self.table.column(column).is_some(), "{}.{column}", self.table.name);
        self.table.column(column).and_then(|at| self.values.get(at)).unwrap_or(&NULL)
    }

    /// A text that is not blank.
    pub fn text(&self, column: &str) -> Option<&str> {
        self.value(column).text().map(str::trim).filter(|text| !text.is_empty())
    }

    /// A number, or an id.
    pub fn int(&self, column: &str) -> Option<i64> {
        self.value(column).int()
    }

    /// Whether a switch is on.
    pub fn is(&self, column: &str) -> bool {
        self.value(column).truth()
    }

    /// A moment, as RFC 3339.
    pub fn moment(&self, column: &str) -> Option<String> {
        self.int(column).map(|at| Timestamp(at).to_string())
    }

    /// The row's id; 0 where it has none.
    pub fn id(&self) -> i64 {
        let at = self.table.column("id");
        at.and_then(|at| self.values.get(at)).and_then(Value::int).unwrap_or(0)
    }
}

/// All that is stored of a client.
#[derive(Clone, Debug, Default)]
pub struct ClientRecord {
    /// The client's id.
    pub client_id: i64,
    /// The rows of the client, by table.
    pub rows: BTreeMap<&'static str, Vec<Row>>,
    /// So many counselling notes about the client are not among the rows: they are kept apart from
    /// the record.
    pub counselling_notes: usize,
    /// So many PDFs of counselling notes are not among the rows either.
    pub counselling_papers: usize,
    /// Documents among the rows that were printed of records of treatment for a substance use
    /// disorder.
    pub part_2_papers: BTreeSet<i64>,
    /// Members of the practice whom the rows name: `users`, with what strangers may know of them.
    pub staff: Vec<Row>,
}

impl ClientRecord {
    /// The rows of a table; none where the client has none.
    pub fn of(&self, table: &str) -> &[Row] {
        self.rows.get(table).map(Vec::as_slice).unwrap_or_default()
    }

    /// The row of a table with this id.
    pub fn by_id(&self, table: &str, id: Option<i64>) -> Option<&Row> {
        let id = id?;
        self.of(table).iter().find(|row| row.id() == id)
    }

    /// How the client or a member is referred to.
    pub fn person(&self, id: Option<i64>) -> Option<String> {
        let id = id?;
        if id == self.client_id {
            return Some(format!("Patient/{id}"));
        }
        let is_known = self.staff.iter().any(|row| row.id() == id);
        is_known.then(|| format!("Practitioner/{id}"))
    }
}
