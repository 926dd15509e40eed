//! What a rotation of the root means for who is who: sessions and one-time
//! links end, API keys stay and are signed anew (environments C.2).

use futures_util::future::BoxFuture;
use ward_instance::Timestamp;
use ward_store::rotation::{Damaged, Hooks, StepPage};
use ward_store::{Query, Sql, StoreError, Tx, Value};

use crate::key::Bound;
use crate::tables::API_KEYS;

/// Keys of one transaction.
const PAGE: i64 = 100;

/// What this domain adds to a rotation.
pub fn hooks() -> Hooks {
    Hooks { at_start: vec![end_what_the_old_root_made], steps: vec![(API_KEYS.name, sign_keys)] }
}

/// Sessions and links are found by digests under the root, so none of before
/// is found again; the rows say so too. Of every organization at once: this is
/// an act on the instance.
fn end_what_the_old_root_made(tx: &mut Tx) -> BoxFuture<'_, Result<(), StoreError>> {
    Box::pin(async move {
        let wall = tx.wall().0;
        for text in [
            "UPDATE sessions SET ended_at = $1 WHERE ended_at IS NULL",
            "UPDATE link_tokens SET voided_at = $1 WHERE used_at IS NULL AND voided_at IS NULL",
            "UPDATE verification_codes SET used_at = $1 WHERE used_at IS NULL",
        ] {
            tx.execute(&Sql::fixed(text, [wall.into()])).await?;
        }
        Ok(())
    })
}

/// Signs a page of keys, revoked ones too, whose MAC fits under an older root.
fn sign_keys(tx: &mut Tx, after: Option<String>) -> BoxFuture<'_, Result<StepPage, StoreError>> {
    Box::pin(async move {
        let after: i64 = after.and_then(|id| id.parse().ok()).unwrap_or(0);
        let page = Sql::fixed(
            "SELECT id, org_id, user_id, class, kid, secret_hash, expires_at, allowed_addresses, \
             row_mac \
             FROM api_keys WHERE id > $1 ORDER BY id LIMIT CAST($2 AS BIGINT)",
            [after.into(), PAGE.into()],
        );
        let rows = tx.rows(&page).await?;
        let mut done = StepPage::default();
        for row in rows.iter() {
            let (bound, row_mac) = bound_of(row)
                .ok_or_else(|| StoreError::corrupt(API_KEYS.name, "a row does not decode"))?;
            done.next = Some(bound.id.to_string());
            let now = bound.sign(tx.instance());
            if now == row_mac {
                continue;
            }
            if !bound.fits(tx.instance(), row_mac) {
                let row = bound.id.to_string();
                done.damaged.push(Damaged { table: API_KEYS.name, column: "row_mac", row });
                continue;
            }
            let sql = Sql::fixed(
                "UPDATE api_keys SET row_mac = $1 WHERE org_id = $2 AND id = $3 AND row_mac = $4",
                [now.into(), bound.org_id.into(), bound.id.into(), row_mac.into()],
            );
            done.changed += tx.execute(&sql).await?;
        }
        Ok(done)
    })
}

fn bound_of(row: &[Value]) -> Option<(Bound<'_>, &[u8])> {
    let [id, org_id, user_id, class, kid, secret_hash, expires_at, addresses, row_mac] = row else {
        return None;
    };
    let bound = Bound {
        id: id.int()?,
        org_id: org_id.int()?,
        user_id: user_id.int()?,
        class: class.text()?,
        kid: kid.text()?,
        secret_hash: secret_hash.bytes()?,
        expires_at: expires_at.int().map(Timestamp),
        allowed_addresses: addresses.text(),
    };
    Some((bound, row_mac.bytes()?))
}
