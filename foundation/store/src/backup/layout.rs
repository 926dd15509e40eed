//! Which tables and columns a backup holds, and in which order their rows are read.

use ward_instance::Kind;

use crate::codec::{companions, key_columns};
use crate::ddl;
use crate::error::StoreError;
use crate::migrate;
use crate::query::Engine;
use crate::table::{Key, Table};

/// The store's own tables that are part of what an instance knows. The certificate travels as
/// facts; migrations, nodes and leases are of the database and not of its content.
const CORE: [(&str, &[&str], &[&str]); 4] = [
    ("id_blocks", &["entity", "next_id", "last_id"], &["entity"]),
    (
        "retired_keys",
        &["purpose", "root_version", "kind", "wrapped", "retired_at"],
        &["purpose", "root_version"],
    ),
    ("test_clock", &["only_row", "kind", "wall_at", "logical_at", "rate"], &["only_row"]),
    ("faults", &["only_row", "kind", "revision", "last_id", "active"], &["only_row"]),
];

/// One table of a backup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) name: &'static str,
    pub(crate) columns: Vec<String>,
    /// Unique together, and an index on both engines.
    pub(crate) key: Vec<&'static str>,
    /// Whose ids its rows have, and in which column.
    pub(crate) ids: Option<(&'static str, usize)>,
}

/// All tables of a backup, in its order.
pub(crate) fn layouts(tables: &[&'static Table]) -> Vec<Layout> {
    let texts = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let core = CORE.map(|(name, columns, key)| Layout {
        name,
        columns: texts(columns),
        key: key.to_vec(),
        ids: None,
    });
    core.into_iter().chain(tables.iter().map(|table| of_table(table))).collect()
}

fn of_table(table: &Table) -> Layout {
    let own = table.columns.iter().map(|column| column.name.to_owned());
    let key = match table.key {
        Key::Id | Key::Uuid if table.is_tenant() => vec!["org_id", "id"],
        _ => key_columns(table).to_vec(),
    };
    let at = table.column("id").filter(|_| table.key == Key::Id);
    let ids = at.map(|at| (table.entity, at));
    Layout { name: table.name, columns: own.chain(companions(table)).collect(), key, ids }
}

/// A digest of what the tables look like, the same on both engines: a backup is brought back by a
/// version that has the same.
pub fn schema(kind: Kind, tables: &[&'static Table]) -> Result<String, StoreError> {
    let statements = ddl::ddl(Engine::Lite, kind, tables)?.statements;
    Ok(migrate::checksum(&statements.join(";\n")).chars().take(16).collect())
}
