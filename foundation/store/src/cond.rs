//! Conditions on rows: small pieces of SQL that compose.

use crate::value::{Sql, Value};

/// A condition on a row of a table that the statement calls `{t}`.
#[derive(Clone, Debug, PartialEq)]
pub enum Cond {
    /// Every row.
    Always,
    /// No row.
    Never,
    /// SQL with `{t}` for the row and `?` for each parameter in turn
    /// (`IN_LIST(?)` for list parameters).
    Sql(String, Vec<Value>),
}

impl Cond {
    /// `{t}.column = value`.
    pub fn eq(column: &str, value: impl Into<Value>) -> Self {
        Cond::Sql(format!("{{t}}.{column} = ?"), vec![value.into()])
    }

    /// `{t}.column` is one of `ids`.
    pub fn is_in(column: &str, ids: &[i64]) -> Self {
        match ids {
            [] => Cond::Never,
            [one] => Self::eq(column, *one),
            many => Cond::Sql(format!("{{t}}.{column} IN_LIST(?)"), vec![Value::Ints(many.into())]),
        }
    }

    /// `{t}.column IS NULL`.
    pub fn is_null(column: &str) -> Self {
        Cond::Sql(format!("{{t}}.{column} IS NULL"), Vec::new())
    }

    /// `{t}.column IS NOT NULL`.
    pub fn not_null(column: &str) -> Self {
        Cond::Sql(format!("{{t}}.{column} IS NOT NULL"), Vec::new())
    }

    /// A boolean column is true.
    pub fn is_true(column: &str) -> Self {
        Self::eq(column, true)
    }

    /// Written out.
    pub fn sql(text: impl Into<String>, params: impl IntoIterator<Item = Value>) -> Self {
        Cond::Sql(text.into(), params.into_iter().collect())
    }

    /// Both.
    #[must_use]
    pub fn and(self, other: Cond) -> Self {
        match (self, other) {
            (Cond::Never, _) | (_, Cond::Never) => Cond::Never,
            (Cond::Always, it) | (it, Cond::Always) => it,
            (left, right) => left.joined(" AND ", right),
        }
    }

    /// Either.
    #[must_use]
    pub fn or(self, other: Cond) -> Self {
        match (self, other) {
            (Cond::Always, _) | (_, Cond::Always) => Cond::Always,
            (Cond::Never, it) | (it, Cond::Never) => it,
            (left, right) => left.joined(" OR ", right),
        }
    }

    /// Not this. NULL counts as false on both sides, so `{t}.x = 1` negated
    /// matches rows where x is NULL.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Cond::Always => Cond::Never,
            Cond::Never => Cond::Always,
            Cond::Sql(text, params) => Cond::Sql(format!("NOT COALESCE(({text}), FALSE)"), params),
        }
    }

    /// The same as a test of rows that another condition finds: no index of its
    /// columns is used.
    #[must_use]
    pub fn as_test(self) -> Self {
        match self {
            Cond::Sql(text, params) => Cond::Sql(format!("COALESCE(({text}), FALSE)"), params),
            other => other,
        }
    }

    /// Whether no row can match.
    pub fn is_never(&self) -> bool {
        matches!(self, Cond::Never)
    }

    /// Whether every row matches.
    pub fn is_always(&self) -> bool {
        matches!(self, Cond::Always)
    }

    /// Writes the condition into a statement, for rows called `alias`.
    pub fn write(&self, alias: &str, sql: &mut Sql) {
        match self {
            Cond::Always => drop(sql.push("TRUE")),
            Cond::Never => drop(sql.push("FALSE")),
            Cond::Sql(text, params) => {
                let text = text.replace("{t}", alias);
                let mut params = params.iter();
                let mut parts = text.split('?');
                sql.push("(").push(parts.next().unwrap_or_default());
                for part in parts {
                    sql.bind(params.next().cloned().unwrap_or(Value::Null)).push(part);
                }
                sql.push(")");
            }
        }
    }

    fn joined(self, word: &str, other: Cond) -> Self {
        let (Cond::Sql(left, mut params), Cond::Sql(right, more)) = (self, other) else {
            return Cond::Never;
        };
        params.extend(more);
        Cond::Sql(format!("({left}{word}{right})"), params)
    }
}
