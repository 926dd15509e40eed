//! The birth certificate as the one row of table `instance`.

use ward_instance::{Certificate, InstanceId, Kind, Tag, Timestamp};

use crate::error::StoreError;
use crate::query::Query;
use crate::tx::Tx;
use crate::value::{Rows, Sql, Value};

const TABLE: &str = "instance";

/// Reads the row.
pub(crate) fn select() -> Sql {
    select_in("")
}

/// The same of tables whose names begin with `prefix`.
pub(crate) fn select_in(prefix: &str) -> Sql {
    let mut sql = Sql::new();
    sql.push(
        "SELECT kind, instance_id, tag, born_at, base_url, schema_epoch, restore_epoch, id_epoch, \
         host_binding, state, root_version, mac FROM ",
    );
    sql.push(prefix).push(TABLE);
    sql
}

/// Writes the row at birth.
pub(crate) fn insert(certificate: &Certificate) -> Sql {
    let born = [
        certificate.kind.as_str().into(),
        certificate.instance_id.to_string().into(),
        certificate.tag.to_string().into(),
        certificate.born_at.0.into(),
    ];
    let params: Vec<Value> = born.into_iter().chain(changeable(certificate)).collect();
    Sql::fixed(
        "INSERT INTO instance (only_row, kind, instance_id, tag, born_at, base_url, schema_epoch, \
         restore_epoch, id_epoch, host_binding, state, root_version, mac) \
         VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
        params,
    )
}

/// The fields that may change in an instance's life, each time signed anew.
fn changeable(certificate: &Certificate) -> [Value; 8] {
    [
        certificate.base_url.as_str().into(),
        certificate.schema_epoch.into(),
        certificate.restore_epoch.into(),
        certificate.id_epoch.into(),
        certificate.host_binding.as_str().into(),
        certificate.state.as_str().into(),
        i64::from(certificate.root_version).into(),
        certificate.mac.as_slice().into(),
    ]
}

/// The certificate in the answer to [`select`]; its MAC is not verified here.
pub(crate) fn decode(rows: &Rows) -> Result<Certificate, StoreError> {
    if rows.len() != 1 {
        return Err(StoreError::corrupt(TABLE, "there is not exactly one row"));
    }
    fields(rows.row(0)).ok_or_else(|| StoreError::corrupt(TABLE, "the row does not decode"))
}

fn fields(row: &[Value]) -> Option<Certificate> {
    let text = |at: usize| row.get(at).and_then(Value::text);
    let int = |at: usize| row.get(at).and_then(Value::int);
    Some(Certificate {
        kind: text(0)?.parse::<Kind>().ok()?,
        instance_id: text(1)?.parse::<InstanceId>().ok()?,
        tag: text(2)?.parse::<Tag>().ok()?,
        born_at: Timestamp(int(3)?),
        base_url: text(4)?.to_owned(),
        schema_epoch: int(5)?,
        restore_epoch: int(6)?,
        id_epoch: int(7)?,
        host_binding: text(8)?.to_owned(),
        state: text(9)?.parse().ok()?,
        root_version: int(10)?.try_into().ok()?,
        mac: row.get(11)?.bytes()?.try_into().ok()?,
    })
}

/// Reads the certificate as it stands in the database now.
pub async fn read_certificate(query: &mut dyn Query) -> Result<Certificate, StoreError> {
    decode(&query.rows(&select()).await?)
}

/// Puts a changed and newly signed certificate in the place of the old one.
/// Kind, id, tag and birth are not written: nothing may change them.
pub async fn write_certificate(tx: &mut Tx, certificate: &Certificate) -> Result<(), StoreError> {
    let id = Value::from(certificate.instance_id.to_string());
    let params: Vec<Value> = changeable(certificate).into_iter().chain([id]).collect();
    let changed = tx
        .execute(&Sql::fixed(
            "UPDATE instance SET base_url = $1, schema_epoch = $2, restore_epoch = $3, \
             id_epoch = $4, host_binding = $5, state = $6, root_version = $7, mac = $8 \
             WHERE instance_id = $9",
            params,
        ))
        .await?;
    if changed == 1 { Ok(()) } else { Err(StoreError::internal("no certificate to change")) }
}
