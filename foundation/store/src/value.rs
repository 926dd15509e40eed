//! Column values and SQL text, the same for both engines.
//!
//! SQL is written once, with `$n` parameters; what differs between SQLite and
//! PostgreSQL (`IN_LIST`, `FOR_UPDATE`) is a token that the driver rewrites.

use std::borrow::Cow;
use std::sync::Arc;

/// One value of a column or parameter.
///
/// Booleans are `Int(0)` and `Int(1)`; instants are microseconds since 1970 in
/// `Int`; dates are `YYYY-MM-DD` in `Text`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Value {
    /// SQL NULL.
    Null,
    /// A 64-bit integer, a boolean, an id or an instant.
    Int(i64),
    /// UTF-8 text.
    Text(Box<str>),
    /// Raw bytes: sealed columns and digests.
    Bytes(Box<[u8]>),
    /// A list parameter for `IN_LIST($n)`.
    Ints(Arc<[i64]>),
    /// A list parameter for `IN_LIST($n)`.
    Texts(Arc<[Box<str>]>),
}

impl Value {
    /// The integer, when this is one.
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The text, when this is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The bytes, when these are some.
    pub fn bytes(&self) -> Option<&[u8]> {
        match self {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// True for a non-zero integer.
    pub fn truth(&self) -> bool {
        matches!(self, Value::Int(n) if *n != 0)
    }

    /// Whether this is NULL.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Value::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Int(value.into())
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::Text(value.into())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::Text(value.into())
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Value::Bytes(value.into())
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Value::Bytes(value.into())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

/// A statement: portable text and its parameters.
///
/// Tokens that the drivers rewrite: `IN_LIST($n)` (after a column name: the
/// value is in the list parameter `$n`), `IDS_OF(column)` (in place of a table: the ids in
/// a column that holds a JSON list of them, as `id`; none of NULL), `FOR_UPDATE` (row lock; nothing on
/// SQLite, whose single writer is the lock), `FOR_UPDATE_SKIP` (skip locked),
/// `FOR_KEY_SHARE` (the row can change but not go), `FOR_SHARE` (it can't change),
/// `FOR_NO_KEY_UPDATE` (one at a time, and others may refer to the row meanwhile).
#[derive(Clone, Debug, Default)]
pub struct Sql {
    text: Cow<'static, str>,
    params: Vec<Value>,
}

impl Sql {
    /// A statement whose text is constant.
    pub fn fixed(text: &'static str, params: impl IntoIterator<Item = Value>) -> Self {
        Sql { text: Cow::Borrowed(text), params: params.into_iter().collect() }
    }

    /// An empty statement to be built.
    pub fn new() -> Self {
        Self::default()
    }

    /// The portable text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parameters, in the order of their numbers.
    pub fn params(&self) -> &[Value] {
        &self.params
    }

    /// Appends text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.to_mut().push_str(text);
        self
    }

    /// Appends `$n` for a new parameter.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.params.push(value.into());
        let text = self.text.to_mut();
        text.push('$');
        text.push_str(&self.params.len().to_string());
        self
    }

    /// Appends a limit. SQLite plans a statement anew for each value of a bare
    /// `LIMIT $n`, which costs more than most statements; an expression does not.
    pub fn limit(&mut self, rows: i64) -> &mut Self {
        self.push(" LIMIT CAST(").bind(rows).push(" AS BIGINT)")
    }

    /// Appends ` IN_LIST($n)`: the preceding expression is one of `ids`.
    pub fn bind_in(&mut self, ids: impl Into<Arc<[i64]>>) -> &mut Self {
        self.params.push(Value::Ints(ids.into()));
        let n = self.params.len();
        self.push(&format!(" IN_LIST(${n})"))
    }

    /// Appends ` IN_LIST($n)`: the preceding expression is one of `texts`.
    pub fn bind_in_texts(&mut self, texts: impl Into<Arc<[Box<str>]>>) -> &mut Self {
        self.params.push(Value::Texts(texts.into()));
        let n = self.params.len();
        self.push(&format!(" IN_LIST(${n})"))
    }
}

/// Rows of an answer: `width` values each, in the order selected.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    width: usize,
    values: Vec<Value>,
}

impl Rows {
    /// An empty answer of `width` columns.
    pub fn new(width: usize) -> Self {
        Rows { width, values: Vec::new() }
    }

    /// Rows from values that are `width` to a row.
    pub fn from_values(width: usize, values: Vec<Value>) -> Self {
        debug_assert!(width == 0 || values.len().is_multiple_of(width));
        Rows { width, values }
    }

    /// Columns to a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there is no row.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Row `n`; empty when there is none.
    pub fn row(&self, n: usize) -> &[Value] {
        self.values.get(n * self.width..(n + 1) * self.width).unwrap_or(&[])
    }

    /// All rows.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[Value]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// Every value, row after row.
    pub fn values_mut(&mut self) -> &mut Vec<Value> {
        &mut self.values
    }

    /// The first value of the first row.
    pub fn scalar(&self) -> Option<&Value> {
        self.values.first()
    }
}
