//! The DDL of both engines out of the table definitions.
//!
//! Every id and UUID column is fenced by a CHECK of the instance's own range
//! (ISO-03), so a row of the other environment is refused by the database
//! itself. Names of rules and indexes follow from the definition alone.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use sha2::{Digest, Sha256};
use ward_instance::{Kind, ids, uuid};

use crate::driver::pg_error::RuleNames;
use crate::error::StoreError;
use crate::query::Engine;
use crate::search;
use crate::table::{Column, ColumnKind, Index, Key, Reference, Table};

/// PostgreSQL cuts longer names, which could make two of them one.
const NAME_MAX: usize = 63;

/// The statements that make all tables, and the names of their uniqueness rules.
#[derive(Debug)]
pub struct Ddl {
    /// In order of execution.
    pub statements: Vec<String>,
    /// `table (column, column)` by the rule's name in the database.
    pub unique_rules: BTreeMap<String, String>,
}

/// The DDL of the tables; an error names what a definition lacks.
pub fn ddl(engine: Engine, kind: Kind, tables: &[&'static Table]) -> Result<Ddl, StoreError> {
    check(tables)?;
    let mut writer = Writer {
        engine,
        kind,
        tables,
        names: BTreeSet::new(),
        ddl: Ddl { statements: Vec::new(), unique_rules: BTreeMap::new() },
        foreign_keys: Vec::new(),
    };
    for table in tables {
        writer.write_table(table);
    }
    // PostgreSQL wants the target of a reference to exist, and definitions may
    // refer to each other in a circle.
    let foreign_keys = std::mem::take(&mut writer.foreign_keys);
    writer.ddl.statements.extend(foreign_keys);
    Ok(writer.ddl)
}

/// What each rule of uniqueness is called; on SQLite nobody asks, since it names the columns itself.
pub(crate) fn rule_names(
    engine: Engine,
    kind: Kind,
    tables: &[&'static Table],
) -> Result<RuleNames, StoreError> {
    match engine {
        Engine::Lite => Ok(RuleNames::default()),
        Engine::Pg => Ok(ddl(engine, kind, tables)?.unique_rules.into_iter().collect()),
    }
}

/// Columns named in keys, indexes and references exist.
fn check(tables: &[&'static Table]) -> Result<(), StoreError> {
    let mut names = BTreeSet::new();
    for table in tables {
        if !names.insert(table.name) {
            return Err(StoreError::internal(format!("two tables are called {}", table.name)));
        }
        let has = |name: &str| {
            table.column(name).is_some()
                || name
                    .strip_suffix("_fold")
                    .and_then(|name| table.column(name))
                    .is_some_and(|at| table.columns[at].folded)
        };
        let named = key_columns(table)
            .into_iter()
            .chain(table.indexes.iter().flat_map(|index| index.columns.iter().copied()))
            .chain(table.references.iter().flat_map(|to| to.columns.iter().copied()));
        if let Some(missing) = named.into_iter().find(|name| !has(name)) {
            return Err(StoreError::internal(format!("{}.{missing} does not exist", table.name)));
        }
        for reference in table.references {
            let Some(target) = tables.iter().find(|to| to.name == reference.table) else {
                let (from, to) = (table.name, reference.table);
                return Err(StoreError::internal(format!(
                    "{from} refers to {to}, which is not there"
                )));
            };
            if reference.columns.len() != reference.target.len()
                || reference.target.iter().any(|name| target.column(name).is_none())
            {
                let (from, to) = (table.name, reference.table);
                return Err(StoreError::internal(format!(
                    "{from} refers to {to} by columns that do not fit"
                )));
            }
        }
    }
    Ok(())
}

fn key_columns(table: &Table) -> Vec<&'static str> {
    match table.key {
        Key::Id | Key::Uuid => vec!["id"],
        Key::Columns(columns) => columns.to_vec(),
    }
}

struct Writer<'a> {
    engine: Engine,
    kind: Kind,
    tables: &'a [&'static Table],
    names: BTreeSet<String>,
    ddl: Ddl,
    foreign_keys: Vec<String>,
}

impl Writer<'_> {
    fn write_table(&mut self, table: &Table) {
        let mut lines = Vec::new();
        for column in table.columns {
            self.write_column(table, column, &mut lines);
        }
        if search::is_searched(table) {
            lines.push(format!("{} {} NOT NULL", search::SEARCH_TEXT, self.text_type()));
        }
        let uniques = self.write_keys(table, &mut lines);
        for columns in self.referred_to(table, &uniques) {
            let name = self.unique_name(table, &columns);
            lines.push(format!("CONSTRAINT {name} UNIQUE ({})", columns.join(", ")));
        }
        for reference in table.references {
            self.write_reference(table, reference, &mut lines);
        }
        let options = match self.engine {
            Engine::Lite if is_narrow_join(table) => " STRICT, WITHOUT ROWID",
            Engine::Lite => " STRICT",
            Engine::Pg => "",
        };
        let text = format!("CREATE TABLE {} (\n  {}\n){options}", table.name, lines.join(",\n  "));
        self.ddl.statements.push(text);
        for index in table.indexes {
            self.write_index(table, index);
        }
    }

    fn write_column(&mut self, table: &Table, column: &Column, lines: &mut Vec<String>) {
        let mut line = format!("{} {}", column.name, self.sql_type(column));
        // SQLite's row id is its own index; elsewhere the key is a constraint.
        if self.is_row_id(table, column) {
            line.push_str(" PRIMARY KEY");
        } else if !column.nullable {
            line.push_str(" NOT NULL");
        }
        if let Some(check) = self.column_check(column) {
            let name = self.name(table.name, column.name, "check");
            let _ = write!(line, " CONSTRAINT {name} CHECK ({check})");
        }
        lines.push(line);
        if column.folded {
            let text = self.text_type();
            lines.push(format!("{}_fold {text} NOT NULL", column.name));
        }
    }

    fn is_row_id(&self, table: &Table, column: &Column) -> bool {
        self.engine == Engine::Lite && table.key == Key::Id && column.name == "id"
    }

    fn text_type(&self) -> &'static str {
        match self.engine {
            Engine::Lite => "TEXT",
            // Compares bytes, so the order is the same on both engines.
            Engine::Pg => "TEXT COLLATE \"C\"",
        }
    }

    fn sql_type(&self, column: &Column) -> &'static str {
        use ColumnKind::{Bool, Bytes, Date, Enum, Id, Instant, Int, Json, Text, Uuid};
        let lite = self.engine == Engine::Lite;
        match column.kind {
            _ if column.sealed => bytes_type(lite),
            Bytes => bytes_type(lite),
            Bool if !lite => "BOOLEAN",
            Id(_) | Int | Instant | Bool => {
                if lite {
                    "INTEGER"
                } else {
                    "BIGINT"
                }
            }
            Text | Enum(_) | Date | Json | Uuid => self.text_type(),
        }
    }

    fn column_check(&self, column: &Column) -> Option<String> {
        if column.sealed {
            return None;
        }
        match column.kind {
            ColumnKind::Id(entity) => {
                Some(ids::check_sql(self.kind, column.name, !ids::is_int_class(entity)))
            }
            ColumnKind::Uuid => Some(uuid::check_sql(self.kind, column.name)),
            ColumnKind::Enum(texts) => {
                let list: Vec<_> =
                    texts.iter().map(|text| format!("'{}'", text.replace('\'', "''"))).collect();
                Some(format!("{} IN ({})", column.name, list.join(", ")))
            }
            ColumnKind::Bool if self.engine == Engine::Lite => {
                Some(format!("{} IN (0, 1)", column.name))
            }
            _ => None,
        }
    }

    /// Primary key and the tenant's key; gives the column lists that are unique.
    fn write_keys(&mut self, table: &Table, lines: &mut Vec<String>) -> Vec<Vec<&'static str>> {
        let own = key_columns(table);
        let is_single = !matches!(table.key, Key::Columns(_));
        let with_tenant = (is_single && table.is_tenant()).then(|| vec!["org_id", "id"]);
        let (primary, others) = match (self.engine, with_tenant, table.key) {
            (Engine::Lite, Some(tenant), Key::Id) => (None, vec![tenant]),
            (Engine::Lite, None, Key::Id) => (None, Vec::new()),
            (Engine::Lite, Some(tenant), _) => (Some(own.clone()), vec![tenant]),
            (Engine::Pg, Some(tenant), Key::Uuid) => (Some(tenant), vec![own.clone()]),
            (Engine::Pg, Some(tenant), _) => (Some(tenant), Vec::new()),
            (_, None, _) => (Some(own.clone()), Vec::new()),
        };
        let mut uniques = Vec::new();
        match primary {
            Some(columns) => {
                let name = self.name(table.name, &columns.join("_"), "pkey");
                lines.push(format!("CONSTRAINT {name} PRIMARY KEY ({})", columns.join(", ")));
                self.remember(table, name, &columns);
                uniques.push(columns);
            }
            None => uniques.push(own),
        }
        for columns in others {
            let name = self.unique_name(table, &columns);
            lines.push(format!("CONSTRAINT {name} UNIQUE ({})", columns.join(", ")));
            uniques.push(columns);
        }
        uniques
    }

    /// Column lists that a reference points at and that nothing makes unique yet.
    fn referred_to(
        &self,
        table: &Table,
        uniques: &[Vec<&'static str>],
    ) -> BTreeSet<Vec<&'static str>> {
        let declared = |columns: &[&str]| {
            table
                .indexes
                .iter()
                .any(|index| index.unique && index.only.is_none() && index.columns == columns)
        };
        self.tables
            .iter()
            .flat_map(|from| from.references)
            .filter(|reference| reference.table == table.name)
            .map(|reference| reference.target.to_vec())
            .filter(|columns| !uniques.contains(columns) && !declared(columns))
            .collect()
    }

    fn write_reference(&mut self, table: &Table, to: &Reference, lines: &mut Vec<String>) {
        let name = self.name(table.name, &to.columns.join("_"), "fkey");
        let text = format!(
            "CONSTRAINT {name} FOREIGN KEY ({}) REFERENCES {} ({})",
            to.columns.join(", "),
            to.table,
            to.target.join(", ")
        );
        match self.engine {
            Engine::Lite => lines.push(text),
            Engine::Pg => self.foreign_keys.push(format!("ALTER TABLE {} ADD {text}", table.name)),
        }
    }

    fn write_index(&mut self, table: &Table, index: &Index) {
        let (unique, name) = if index.unique {
            ("UNIQUE ", self.unique_name(table, index.columns))
        } else {
            ("", self.name(table.name, &index.columns.join("_"), "idx"))
        };
        let only = index.only.map(|only| format!(" WHERE {only}")).unwrap_or_default();
        let columns = index.columns.join(", ");
        let text = format!("CREATE {unique}INDEX {name} ON {} ({columns}){only}", table.name);
        self.ddl.statements.push(text);
    }

    fn unique_name(&mut self, table: &Table, columns: &[&str]) -> String {
        let name = self.name(table.name, &columns.join("_"), "key");
        self.remember(table, name.clone(), columns);
        name
    }

    fn remember(&mut self, table: &Table, name: String, columns: &[&str]) {
        let rule = format!("{} ({})", table.name, columns.join(", "));
        self.ddl.unique_rules.insert(name, rule);
    }

    /// `table__columns__suffix`, shortened by a hash and numbered when taken.
    fn name(&mut self, table: &str, columns: &str, suffix: &str) -> String {
        let whole = format!("{table}__{columns}__{suffix}");
        for number in 1.. {
            let mut name = if number == 1 { whole.clone() } else { format!("{whole}_{number}") };
            if name.len() > NAME_MAX {
                let digest = Sha256::digest(name.as_bytes());
                let hash: String =
                    digest.iter().take(5).map(|byte| format!("{byte:02x}")).collect();
                name.truncate(NAME_MAX - hash.len() - 1);
                let _ = write!(name, "_{hash}");
            }
            if self.names.insert(name.clone()) {
                return name;
            }
        }
        whole
    }
}

const fn bytes_type(lite: bool) -> &'static str {
    if lite { "BLOB" } else { "BYTEA" }
}

/// Rows of a few short columns live in their key's own tree; long ones would
/// make that tree deep.
fn is_narrow_join(table: &Table) -> bool {
    let is_long = |column: &Column| {
        column.sealed || matches!(column.kind, ColumnKind::Bytes | ColumnKind::Json)
    };
    matches!(table.key, Key::Columns(_)) && !table.columns.iter().any(is_long)
}
