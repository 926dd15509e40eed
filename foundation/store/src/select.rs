//! The one way rows are read for an actor: every read passes the table's
//! visibility predicate, which adds each row's level as a last column. What
//! hangs on rows that were seen may be read by those ([`Select::shown`]).

use crate::actor::{Actor, Level, Rule};
use crate::cond::Cond;
use crate::table::Table;
use crate::value::{Sql, Value};

/// One key of an ordering: an SQL expression on `{t}`, and its direction.
#[derive(Clone, Debug, PartialEq)]
pub struct OrderKey {
    /// Expression, never NULL (fold columns, `COALESCE`).
    pub expression: String,
    /// Largest first.
    pub descending: bool,
}

impl OrderKey {
    /// By a column that is never NULL.
    pub fn column(name: &str, descending: bool) -> Self {
        OrderKey { expression: format!("{{t}}.{name}"), descending }
    }

    /// By an expression on `{t}` that is never NULL.
    pub fn expression(text: impl Into<String>, descending: bool) -> Self {
        OrderKey { expression: text.into(), descending }
    }
}

/// A table between two others, such as applied tags: joined as `j`, on the
/// same tenant.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Join {
    /// The table between.
    pub table: &'static str,
    /// Its column that names the row read.
    pub to: &'static str,
    /// Its column that names the row we come from; answered as a column after
    /// the asked ones.
    pub from: &'static str,
}

/// Rows of one table, as an actor sees them.
///
/// The answer has the asked columns, then the join's `from` column if there is
/// a join, then each order key when `with_keys`, then the client and the watch
/// when `with_subject`, then the level. All order keys of one select go in one direction; the id is
/// appended by [`Select::ordered`], so the order is total (behaviour 6).
#[derive(Clone, Debug)]
pub struct Select<'a> {
    /// The table.
    pub table: &'static Table,
    /// Positions of the columns wanted.
    pub columns: Vec<usize>,
    /// Who asks.
    pub actor: &'a Actor,
    /// The tenant; `None` only for global tables and public reads by id.
    pub org_id: Option<i64>,
    /// The least level at which a row counts.
    pub least: Level,
    /// Deleted rows too.
    pub deleted: bool,
    /// Which rows.
    pub filter: Cond,
    /// Of these, those that one of the conditions finds; no row is found by two. A page
    /// merges them, each in the order of its own index, where one condition of all would
    /// sort every row. Empty for the filter alone.
    pub either: Vec<Cond>,
    /// The filter names the rows by their ids. The tenant is only a test of them
    /// then: SQLite would take the index of both, one more look for each row.
    pub by_id: bool,
    /// A table between.
    pub join: Option<Join>,
    /// Columns that the table between has too, and that are read from there.
    pub instead: &'static [&'static str],
    /// Whoever sees what the rows hang on sees their public part, whatever the table's own
    /// predicate says.
    pub shown: bool,
    /// In which order.
    pub order: Vec<OrderKey>,
    /// Start behind this place: one value an order key.
    pub after: Option<Vec<Value>>,
    /// End before this place.
    pub before: Option<Vec<Value>>,
    /// Turn the order around (for `last`).
    pub reversed: bool,
    /// Also answer the order keys' values, for cursors.
    pub with_keys: bool,
    /// Also answer whose data each row is ([`Table::subject`]): two columns after
    /// the order keys, where the table names them.
    pub with_subject: bool,
    /// At most so many rows.
    pub limit: Option<i64>,
    /// Skip so many rows first.
    pub offset: i64,
}

impl<'a> Select<'a> {
    /// All rows of the actor's tenant that the actor may know of.
    pub fn new(table: &'static Table, actor: &'a Actor) -> Self {
        Select {
            table,
            columns: Vec::new(),
            actor,
            org_id: table.is_tenant().then_some(actor.org_id),
            least: Level::Public,
            deleted: false,
            filter: Cond::Always,
            either: Vec::new(),
            by_id: false,
            join: None,
            instead: &[],
            shown: false,
            order: Vec::new(),
            after: None,
            before: None,
            reversed: false,
            with_keys: false,
            with_subject: false,
            limit: None,
            offset: 0,
        }
    }

    /// In this order, then by id.
    #[must_use]
    pub fn ordered(mut self, mut keys: Vec<OrderKey>) -> Self {
        let descending = keys.first().is_some_and(|key| key.descending);
        keys.push(OrderKey::column("id", descending));
        self.order = keys;
        self
    }

    /// The statement that answers the rows.
    pub fn sql(&self) -> Sql {
        let rule = self.rule();
        let mut sql = Sql::new();
        // Rows of several statements are ordered by what all of them answer.
        let is_merged = self.with_keys && self.either.len() > 1;
        match is_merged {
            true => {
                for (n, part) in self.either.iter().enumerate() {
                    sql.push(if n > 0 { " UNION ALL " } else { "" });
                    self.write_rows(&rule, part, &mut sql);
                }
            }
            false => self.write_rows(&rule, &self.any(), &mut sql),
        }
        let first_key = self.columns.len() + usize::from(self.join.is_some()) + 1;
        for (n, key) in self.order.iter().enumerate() {
            sql.push(if n > 0 { ", " } else { " ORDER BY " });
            match is_merged {
                true => sql.push(&(first_key + n).to_string()),
                false => sql.push(&key.expression.replace("{t}", "t")),
            };
            if key.descending != self.reversed {
                sql.push(" DESC");
            }
        }
        if let Some(limit) = self.limit {
            sql.limit(limit);
            if self.offset > 0 {
                sql.push(" OFFSET ").bind(self.offset);
            }
        }
        sql
    }

    fn rule(&self) -> Rule {
        let rule = (self.table.visible)(self.actor);
        if self.shown { rule.public(Cond::Always) } else { rule }
    }

    fn write_rows(&self, rule: &Rule, part: &Cond, sql: &mut Sql) {
        sql.push("SELECT ");
        for &column in &self.columns {
            let name = self.table.columns[column].name;
            let is_between = self.join.is_some() && self.instead.contains(&name);
            sql.push(if is_between { "j." } else { "t." }).push(name).push(", ");
        }
        if let Some(join) = self.join {
            sql.push("j.").push(join.from).push(", ");
        }
        if self.with_keys {
            for key in &self.order {
                sql.push(&key.expression.replace("{t}", "t")).push(", ");
            }
        }
        if let Some(subject) = self.table.subject.filter(|_| self.with_subject) {
            let subject = subject(self.actor);
            sql.push(&subject.client.replace("{t}", "t")).push(", ");
            subject.watch.write("t", sql);
            sql.push(", ");
        }
        self.write_level(rule, sql);
        self.write_from(rule, part, sql);
        self.write_place(sql);
    }

    /// What one of the conditions finds.
    fn any(&self) -> Cond {
        match self.either.as_slice() {
            [] => Cond::Always,
            parts => parts.iter().cloned().fold(Cond::Never, Cond::or),
        }
    }

    /// The statement that counts matching rows by the value of `column` (an
    /// expression such as `t.user_id` or `j.user_id`).
    pub fn count_by_sql(&self, column: &str) -> Sql {
        let rule = self.rule();
        let mut sql = Sql::new();
        sql.push("SELECT ").push(column).push(", COUNT(*)");
        self.write_from(&rule, &self.any(), &mut sql);
        sql.push(" GROUP BY ").push(column);
        sql
    }

    /// The statement that sums a whole number of the matching rows by the values of
    /// `by` (expressions such as `t.user_id`, with commas between), which come before
    /// the sum.
    pub fn sum_by_sql(&self, number: &str, by: &str) -> Sql {
        let rule = self.rule();
        let mut sql = Sql::new();
        sql.push("SELECT ").push(by).push(", CAST(SUM(").push(number).push(") AS BIGINT)");
        self.write_from(&rule, &self.any(), &mut sql);
        sql.push(" GROUP BY ").push(by);
        sql
    }

    /// The statement that counts all matching rows, whatever the page.
    pub fn count_sql(&self) -> Sql {
        let rule = self.rule();
        let mut sql = Sql::new();
        if self.either.is_empty() {
            sql.push("SELECT COUNT(*)");
            self.write_from(&rule, &Cond::Always, &mut sql);
            return sql;
        }
        for (n, part) in self.either.iter().enumerate() {
            sql.push(if n > 0 { ") + (SELECT COUNT(*)" } else { "SELECT (SELECT COUNT(*)" });
            self.write_from(&rule, part, &mut sql);
        }
        sql.push(")");
        sql
    }

    fn write_level(&self, rule: &Rule, sql: &mut Sql) {
        if rule.full.is_always() || (rule.limited.is_never() && rule.public.is_never()) {
            sql.push("3");
            return;
        }
        sql.push("CASE");
        for (cond, level) in [(&rule.full, "3"), (&rule.limited, "2"), (&rule.public, "1")] {
            if !cond.is_never() {
                sql.push(" WHEN ");
                cond.write("t", sql);
                sql.push(" THEN ").push(level);
            }
        }
        sql.push(" ELSE 0 END");
    }

    fn write_from(&self, rule: &Rule, part: &Cond, sql: &mut Sql) {
        sql.push(" FROM ");
        match self.join {
            // What stands between is the smaller part; `CROSS` keeps SQLite from beginning with the
            // rows.
            Some(join) if !self.instead.is_empty() => {
                sql.push(join.table).push(" j CROSS JOIN ").push(self.table.name);
                sql.push(" t WHERE j.org_id = t.org_id AND j.").push(join.to).push(" = t.id AND ");
            }
            Some(join) => {
                sql.push(self.table.name).push(" t JOIN ").push(join.table);
                sql.push(" j ON j.org_id = t.org_id AND j.").push(join.to).push(" = t.id WHERE ");
            }
            None => drop(sql.push(self.table.name).push(" t WHERE ")),
        }
        match self.org_id {
            Some(org_id) => {
                sql.push(if self.by_id { "+t.org_id = " } else { "t.org_id = " }).bind(org_id);
            }
            None => drop(sql.push("TRUE")),
        }
        for cond in [&rule.at_least(self.least), &self.filter, part] {
            if !cond.is_always() {
                sql.push(" AND ");
                cond.write("t", sql);
            }
        }
        if self.table.is_soft_deleted() && !self.deleted {
            sql.push(" AND t.deleted_at IS NULL");
        }
    }

    fn write_place(&self, sql: &mut Sql) {
        let descending = self.order.first().is_some_and(|key| key.descending);
        for (place, forward) in [(&self.after, true), (&self.before, false)] {
            let Some(values) = place else { continue };
            sql.push(" AND (");
            for (n, key) in self.order.iter().enumerate() {
                let comma = if n > 0 { ", " } else { "" };
                sql.push(comma).push(&key.expression.replace("{t}", "t"));
            }
            sql.push(if forward == descending { ") < (" } else { ") > (" });
            for (n, value) in values.iter().enumerate() {
                sql.push(if n > 0 { ", " } else { "" }).bind(value.clone());
            }
            sql.push(")");
        }
    }
}
