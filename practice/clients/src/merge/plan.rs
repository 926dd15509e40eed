//! Which references move when one client is merged into another: made out of
//! the tables' own definitions, so that a table of a later domain takes part
//! without a word, or is refused here until its fate is said (DOM-37).

use ward_store::{ColumnKind, Key, Table};

/// What becomes of a reference to the client who is merged into another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It names the other client from then on.
    Moves,
    /// It keeps naming the client who is gone.
    Stays,
}

/// References that do not simply move: table, column, fate, why.
pub const RULES: &[(&str, &str, Fate, &str)] = &[
    ("sessions", "user_id", Fate::Stays, "ended: who is merged signs in no more"),
    ("link_tokens", "user_id", Fate::Stays, "voided: they set a password of nobody"),
    ("api_keys", "user_id", Fate::Stays, "revoked, and bound to the user by a MAC"),
    ("api_keys", "created_by_id", Fate::Stays, "who made a key that is revoked is history"),
    ("logins", "user_id", Fate::Stays, "removed"),
    ("client_proxies", "user_id", Fate::Stays, "ended: one record was opened, not the other"),
    ("client_proxies", "proxy_id", Fate::Stays, "ended: one account acted, not the other"),
    ("push_devices", "user_id", Fate::Stays, "removed: who is merged is signed in nowhere"),
    ("break_glass_accesses", "client_id", Fate::Stays, "one chart was opened, not the other"),
    ("access_log", "client_id", Fate::Stays, "history; found under the other by merged_into_id"),
    ("access_sets", "client_id", Fate::Stays, "history; found under the other by merged_into_id"),
];

/// A column that names users, in a table where it moves.
#[derive(Clone, Debug)]
pub struct Move {
    /// The table.
    pub table: &'static Table,
    /// The column.
    pub column: &'static str,
    /// Rules of uniqueness with the column: where the other client has such a
    /// row already, this client's is removed.
    pub unique: Vec<Unique>,
}

/// Columns that make a row unique together with the one that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unique {
    /// The others, without the organization.
    pub with: Vec<&'static str>,
    /// The condition of a partial rule.
    pub only: Option<&'static str>,
}

/// The references that move, or the first that nobody has thought of.
pub fn plan(tables: &[&'static Table]) -> Result<Vec<Move>, String> {
    let mut moves = Vec::new();
    for table in tables {
        for column in naming_users(table) {
            if fate(table.name, column) == Fate::Moves {
                moves.push(one(table, column)?);
            }
        }
    }
    Ok(moves)
}

/// Columns of the table that name users: by their type, or by a foreign key.
pub fn naming_users(table: &Table) -> Vec<&'static str> {
    // The store's own tables call them clients.
    let kinds = [ColumnKind::Id("User"), ColumnKind::Id("Client")];
    let by_type = table.columns.iter().filter(|column| kinds.contains(&column.kind));
    let mut names: Vec<&'static str> = by_type.map(|column| column.name).collect();
    for reference in table.references.iter().filter(|reference| reference.table == "users") {
        let pairs = reference.columns.iter().zip(reference.target);
        for (column, _) in pairs.filter(|(_, target)| **target == "id") {
            if !names.contains(column) {
                names.push(column);
            }
        }
    }
    // A user's own id is no reference.
    names.retain(|name| table.name != "users" || *name != "id");
    names
}

fn fate(table: &str, column: &str) -> Fate {
    let rule = RULES.iter().find(|(of, at, _, _)| (*of, *at) == (table, column));
    rule.map_or(Fate::Moves, |(_, _, fate, _)| *fate)
}

fn one(table: &'static Table, column: &'static str) -> Result<Move, String> {
    let refused = |why: &str| Err(format!("{}.{column}: {why}; say its fate", table.name));
    if !table.is_tenant() {
        return refused("the table belongs to no organization");
    }
    if table.column("row_mac").is_some() {
        return refused("the row is signed");
    }
    let definition = table.columns.iter().find(|it| it.name == column);
    if definition.is_some_and(|it| it.sealed || it.secret || it.folded || it.searched) {
        return refused("the column is more than a plain one");
    }
    let is_key = matches!(table.key, Key::Columns(columns) if columns.contains(&column));
    if is_key && table.columns.iter().any(|it| it.sealed) {
        return refused("sealed columns are bound to the row's key");
    }
    let unique = uniques(table, column);
    let is_marked = table.is_soft_deleted();
    for rule in &unique {
        let frees = rule.only.is_some_and(|only| only.contains("deleted_at IS NULL"));
        if is_marked && !frees {
            return refused("a deleted row would still hold its place");
        }
    }
    if !unique.is_empty() && !is_marked && table.columns.iter().any(|it| it.searched) {
        return refused("a removed row would leave its search terms");
    }
    Ok(Move { table, column, unique })
}

fn uniques(table: &Table, column: &str) -> Vec<Unique> {
    let others = |columns: &[&'static str]| -> Vec<&'static str> {
        columns.iter().copied().filter(|name| *name != column && *name != "org_id").collect()
    };
    let mut found = Vec::new();
    if let Key::Columns(columns) = table.key
        && columns.contains(&column)
    {
        found.push(Unique { with: others(columns), only: None });
    }
    let rules = table.indexes.iter().filter(|it| it.unique && it.columns.contains(&column));
    found.extend(rules.map(|it| Unique { with: others(it.columns), only: it.only }));
    found
}
