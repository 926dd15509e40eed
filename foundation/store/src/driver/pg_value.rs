//! Values on their way into and out of PostgreSQL, by the type that the server
//! gave the parameter or column.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::Row;
use tokio_postgres::types::{IsNull, ToSql, Type, to_sql_checked};

use crate::error::StoreError;
use crate::value::{Rows, Value};

type Encoded = Result<IsNull, Box<dyn Error + Sync + Send>>;

impl ToSql for Value {
    fn to_sql(&self, ty: &Type, out: &mut BytesMut) -> Encoded {
        match (self, ty) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Int(n), &Type::INT8) => n.to_sql(ty, out),
            (Value::Int(n), &Type::INT4) => i32::try_from(*n)?.to_sql(ty, out),
            (Value::Int(n), &Type::INT2) => i16::try_from(*n)?.to_sql(ty, out),
            (Value::Int(n), &Type::BOOL) => (*n != 0).to_sql(ty, out),
            (Value::Text(text), &Type::TEXT | &Type::VARCHAR) => (&**text).to_sql(ty, out),
            (Value::Bytes(bytes), &Type::BYTEA) => (&**bytes).to_sql(ty, out),
            (Value::Ints(list), &Type::INT8_ARRAY) => (&**list).to_sql(ty, out),
            (Value::Texts(list), &Type::TEXT_ARRAY) => (&**list).to_sql(ty, out),
            (value, ty) => Err(mismatch(value, ty).into()),
        }
    }

    fn accepts(ty: &Type) -> bool {
        matches!(
            *ty,
            Type::BOOL
                | Type::INT2
                | Type::INT4
                | Type::INT8
                | Type::TEXT
                | Type::VARCHAR
                | Type::BYTEA
                | Type::INT8_ARRAY
                | Type::TEXT_ARRAY
        )
    }

    to_sql_checked!();
}

/// Names the kinds, never the value.
fn mismatch(value: &Value, ty: &Type) -> String {
    let kind = match value {
        Value::Null => "NULL",
        Value::Int(_) => "an integer",
        Value::Text(_) => "a text",
        Value::Bytes(_) => "bytes",
        Value::Ints(_) => "a list of integers",
        Value::Texts(_) => "a list of texts",
    };
    format!("{kind} was given for a parameter of type {ty}")
}

/// All rows of an answer.
pub(crate) fn decode(width: usize, rows: &[Row]) -> Result<Rows, StoreError> {
    let mut values = Vec::with_capacity(width * rows.len());
    for row in rows {
        for column in 0..width {
            values.push(value_of(row, column)?);
        }
    }
    Ok(Rows::from_values(width, values))
}

fn value_of(row: &Row, column: usize) -> Result<Value, StoreError> {
    let ty = row.columns()[column].type_();
    let value = match *ty {
        Type::INT8 => row.try_get::<_, Option<i64>>(column).map(Value::from),
        Type::INT4 => row.try_get::<_, Option<i32>>(column).map(|n| Value::from(n.map(i64::from))),
        Type::INT2 => row.try_get::<_, Option<i16>>(column).map(|n| Value::from(n.map(i64::from))),
        Type::BOOL => row.try_get::<_, Option<bool>>(column).map(Value::from),
        Type::TEXT | Type::VARCHAR | Type::NAME => {
            row.try_get::<_, Option<&str>>(column).map(Value::from)
        }
        Type::BYTEA => row.try_get::<_, Option<&[u8]>>(column).map(Value::from),
        Type::VOID => Ok(Value::Null),
        _ => {
            return Err(StoreError::internal(format!(
                "column {} has type {ty}; cast it (SUM gives numeric: CAST(... AS BIGINT))",
                row.columns()[column].name()
            )));
        }
    };
    value.map_err(|_| StoreError::internal(format!("a column of type {ty} does not decode")))
}
