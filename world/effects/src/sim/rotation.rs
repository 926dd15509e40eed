//! The index over the addresses of simulated messages is made anew when the
//! root is rotated: it is a digest under the root.

use futures_util::future::BoxFuture;
use ward_store::rotation::{Damaged, Hooks, StepPage};
use ward_store::{Query, Sql, StoreError, Tx, Value, codec, keyring};

use crate::sim::simulator::address_index;
use crate::sim::tables::SIMULATED_MESSAGES;

/// Messages of one transaction.
const PAGE: i64 = 50;

/// What this crate adds to a rotation.
pub fn rotation_hooks() -> Hooks {
    Hooks { at_start: Vec::new(), steps: vec![(SIMULATED_MESSAGES.name, index_addresses)] }
}

fn index_addresses(
    tx: &mut Tx,
    after: Option<String>,
) -> BoxFuture<'_, Result<StepPage, StoreError>> {
    Box::pin(async move {
        let page = Sql::fixed(
            "SELECT id, org_id, to_address, to_index FROM simulated_messages WHERE id > $1 \
             ORDER BY id LIMIT CAST($2 AS BIGINT)",
            [after.unwrap_or_default().into(), PAGE.into()],
        );
        let rows = tx.rows(&page).await?;
        let mut done = StepPage::default();
        for row in rows.iter() {
            let [Value::Text(id), Value::Int(org_id), address, Value::Bytes(index)] = row else {
                return Err(StoreError::corrupt(SIMULATED_MESSAGES.name, "a row does not decode"));
            };
            done.next = Some(id.to_string());
            let Some(address) = opened(tx, *org_id, id, address).await? else {
                let (table, row) = (SIMULATED_MESSAGES.name, id.to_string());
                done.damaged.push(Damaged { table, column: "to_index", row });
                continue;
            };
            let now = address_index(tx.instance(), *org_id, &address);
            if now != index.as_ref() {
                let sql = Sql::fixed(
                    "UPDATE simulated_messages SET to_index = $1 WHERE org_id = $2 AND id = $3",
                    [now.into(), (*org_id).into(), Value::Text(id.clone())],
                );
                done.changed += tx.execute(&sql).await?;
            }
        }
        Ok(done)
    })
}

/// The address; none when it does not open.
async fn opened(
    tx: &mut Tx,
    org_id: i64,
    id: &str,
    sealed: &Value,
) -> Result<Option<String>, StoreError> {
    let keys = keyring::keys_of(tx, org_id).await?;
    let table = &SIMULATED_MESSAGES;
    let column = table.columns.iter().find(|column| column.name == "to_address");
    let column = column.ok_or_else(|| StoreError::internal("no column to_address"))?;
    match codec::open_value(table, column, &keys, id, sealed) {
        Ok(value) => Ok(value.text().map(str::to_owned)),
        Err(StoreError::Corrupt { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}
