//! A small table with a column of every kind.

use ward_instance::Timestamp;
use ward_store::{
    Day, Id, Json, Key, Reference, Rule, Sql, Table, Tx, Uuid, Value, index, record, system,
    system::Tenant, text_enum, unique,
};

text_enum! {
    /// An enum whose texts need quoting.
    pub enum Color { Red = "red", Odd = "o'dd" }
}

record! {
    /// A column of every kind.
    pub struct Visit in VISITS, visits {
        id: Id<Visit>,
        org_id: Id<Tenant>,
        parent_id: Option<Id<Visit>>,
        title: String [folded searched],
        note: Option<String> [sealed],
        day: Option<Day>,
        start_at: Timestamp,
        done: bool,
        count: i64,
        extra: Json,
        code: Uuid,
        raw: Option<Vec<u8>>,
        color: Option<Color>,
        deleted_at: Option<Timestamp>,
    }
    key: Key::Id,
    indexes: [
        unique(&["org_id", "code"]),
        unique(&["org_id", "title"]).only("deleted_at IS NULL"),
        index(&["org_id", "title_fold", "id"]),
    ],
    references: [Reference {
        columns: &["org_id", "parent_id"],
        table: "visits",
        target: &["org_id", "id"],
    }],
    audit: None,
    visible: |_| Rule::none(),
}

record! {
    /// A join of two entities.
    pub struct VisitTag in VISIT_TAGS, visit_tags {
        org_id: Id<Tenant>,
        visit_id: Id<Visit>,
        tag: String,
    }
    key: Key::Columns(&["org_id", "visit_id", "tag"]),
    indexes: [],
    references: [Reference {
        columns: &["org_id", "visit_id"],
        table: "visits",
        target: &["org_id", "id"],
    }],
    audit: None,
    visible: |_| Rule::none(),
}

/// These and the store's own.
pub fn all() -> Vec<&'static Table> {
    let mut tables = system::tables();
    tables.extend([&VISITS, &VISIT_TAGS]);
    tables.extend(crate::services_tables::all());
    tables
}

/// A visit that breaks no rule.
pub fn visit(tx: &Tx, org_id: i64, id: i64, title: &str) -> Vec<Value> {
    vec![
        id.into(),
        org_id.into(),
        Value::Null,
        title.into(),
        title.to_lowercase().into(),
        Value::Null,
        Value::Null,
        1_i64.into(),
        false.into(),
        0_i64.into(),
        "{}".into(),
        tx.uuid().0.into(),
        Value::Null,
        Value::Null,
        Value::Null,
        title.into(),
    ]
}

/// The statement that inserts it.
pub fn insert(values: Vec<Value>) -> Sql {
    Sql::fixed(
        "INSERT INTO visits (id, org_id, parent_id, title, title_fold, note, day, start_at, done, \
         count, extra, code, raw, color, deleted_at, search_text) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
        values,
    )
}
