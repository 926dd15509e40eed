//! Values that go out: one internal value, written as the view's type says
//! (an instant is text in the baseline view and an ISO 8601 scalar later).

use jiff::tz::TimeZone;
use ward_instance::Timestamp;
use ward_store::{Column, ColumnKind, Value};

use crate::instant::{baseline_instant, iso_instant};

/// An internal value on its way out.
#[derive(Clone, Debug, PartialEq)]
pub enum Out {
    /// Null.
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number or an id.
    Int(i64),
    /// A floating point number.
    Float(f64),
    /// A text, an enum member, a date.
    Text(Box<str>),
    /// An instant, written in the actor's time zone (behaviour 9).
    Instant(Timestamp),
    /// A JSON document.
    Json(serde_json::Value),
    /// A list of leaves.
    List(Vec<Out>),
    /// A value of an object type that is no row: its members by their names.
    Object(Vec<(&'static str, Out)>),
}

impl From<&str> for Out {
    fn from(text: &str) -> Self {
        Out::Text(text.into())
    }
}
impl From<String> for Out {
    fn from(text: String) -> Self {
        Out::Text(text.into())
    }
}
impl From<bool> for Out {
    fn from(value: bool) -> Self {
        Out::Bool(value)
    }
}
impl From<i64> for Out {
    fn from(value: i64) -> Self {
        Out::Int(value)
    }
}
impl<T: Into<Out>> From<Option<T>> for Out {
    fn from(value: Option<T>) -> Self {
        value.map_or(Out::Null, Into::into)
    }
}
impl<T: Into<Out>> From<Vec<T>> for Out {
    fn from(values: Vec<T>) -> Self {
        Out::List(values.into_iter().map(Into::into).collect())
    }
}

/// How the contract's type wants a leaf written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// `ID`: a number as text.
    Id,
    /// `String`, or any scalar that is text.
    Text,
    /// `Int`.
    Int,
    /// `Float`.
    Float,
    /// `Boolean`.
    Bool,
    /// `ISO8601DateTime`.
    DateTime,
    /// `JSON`.
    Json,
    /// An enum: member names as they are.
    Enum,
}

impl Leaf {
    /// The leaf of a scalar or enum type's name.
    pub fn of(type_name: &str, is_enum: bool) -> Self {
        match type_name {
            _ if is_enum => Leaf::Enum,
            "ID" => Leaf::Id,
            "Int" => Leaf::Int,
            "Float" => Leaf::Float,
            "Boolean" => Leaf::Bool,
            "ISO8601DateTime" => Leaf::DateTime,
            "JSON" => Leaf::Json,
            _ => Leaf::Text,
        }
    }
}

/// Writes a text as a JSON string.
pub fn write_text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut start = 0;
    for (n, &byte) in bytes.iter().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[start..n]);
        start = n + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => out.extend_from_slice(format!("\\u{other:04x}").as_bytes()),
        }
    }
    out.extend_from_slice(&bytes[start..]);
    out.push(b'"');
}

fn write_number(n: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(n).as_bytes());
}

/// A number that the contract's `Int` can hold.
fn as_int(n: f64) -> Option<i64> {
    (n.fract() == 0.0 && n >= f64::from(i32::MIN) && n <= f64::from(i32::MAX)).then_some(n as i64)
}

/// Writes a leaf. False when the value can't be written as that type, which
/// counts as null.
pub fn write_leaf(value: &Out, leaf: Leaf, zone: &TimeZone, out: &mut Vec<u8>) -> bool {
    match (value, leaf) {
        (Out::Null, _) => return false,
        (Out::Int(n), Leaf::Id | Leaf::Text) => {
            out.push(b'"');
            write_number(*n, out);
            out.push(b'"');
        }
        (Out::Int(n), Leaf::Bool) => {
            out.extend_from_slice(if *n != 0 { b"true" } else { b"false" })
        }
        (Out::Int(n), Leaf::Int) if i32::try_from(*n).is_err() => return false,
        (Out::Int(n), _) => write_number(*n, out),
        (Out::Float(n), _) if !n.is_finite() => return false,
        (Out::Float(n), Leaf::Text) => write_text(&serde_json::json!(n).to_string(), out),
        (Out::Float(n), Leaf::Int) => match as_int(*n) {
            Some(n) => write_number(n, out),
            None => return false,
        },
        (Out::Float(n), _) => out.extend_from_slice(serde_json::json!(n).to_string().as_bytes()),
        (Out::Bool(value), Leaf::Text) => write_text(if *value { "true" } else { "false" }, out),
        (Out::Bool(value), _) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
        // Written anew: what parses as a number (`+5`, `.5`, `007`) need not be JSON.
        (Out::Text(text), Leaf::Int) => match text.trim().parse::<f64>().ok().and_then(as_int) {
            Some(n) => write_number(n, out),
            None => return false,
        },
        (Out::Text(text), Leaf::Float) => match text.trim().parse::<f64>() {
            Ok(n) if n.is_finite() => {
                out.extend_from_slice(serde_json::json!(n).to_string().as_bytes())
            }
            _ => return false,
        },
        (Out::Text(text), _) => write_text(text, out),
        (Out::Instant(at), Leaf::DateTime) => write_text(&iso_instant(*at, zone), out),
        (Out::Instant(at), _) => write_text(&baseline_instant(*at, zone), out),
        (Out::Json(json), Leaf::Text) => write_text(&json.to_string(), out),
        (Out::Json(json), _) => out.extend_from_slice(json.to_string().as_bytes()),
        (Out::List(_) | Out::Object(_), _) => return false,
    }
    true
}

/// Writes a column's value without an intermediate copy.
pub fn write_column(
    value: &Value,
    column: &Column,
    leaf: Leaf,
    zone: &TimeZone,
    out: &mut Vec<u8>,
) -> bool {
    match (value, column.kind) {
        (Value::Null, _) => false,
        (Value::Int(n), ColumnKind::Instant) => {
            write_leaf(&Out::Instant(Timestamp(*n)), leaf, zone, out)
        }
        (Value::Int(n), ColumnKind::Bool) => write_leaf(&Out::Bool(*n != 0), leaf, zone, out),
        (Value::Int(n), _) => write_leaf(&Out::Int(*n), leaf, zone, out),
        (Value::Text(text), ColumnKind::Json) if leaf == Leaf::Json => {
            out.extend_from_slice(text.as_bytes());
            true
        }
        (Value::Text(text), _) if !matches!(leaf, Leaf::Int | Leaf::Float) => {
            write_text(text, out);
            true
        }
        (Value::Text(text), _) => write_leaf(&Out::Text(text.clone()), leaf, zone, out),
        _ => false,
    }
}
