//! Clients who have died (DOM-36): nobody writes to them, and their account opens
//! nothing. Their record is kept and protected as anybody's (45 CFR 164.502(f): for 50
//! years after the death); nothing here deletes or hides it.

use futures_util::future::BoxFuture;
use ward_store::{Query, Sql, StoreError, Tx};

use crate::tables::User;

/// Whether somebody may be written to at all, by whatever way: what every domain asks
/// before it writes to a client. What was on its way before is asked again when it is
/// sent ([`may_reach`]).
pub fn may_be_told(user: &User) -> bool {
    user.deceased_on.is_none()
}

/// The same of a person of a root organization, as of now: what the door to the world
/// asks of each effect. Somebody who is not there has not died.
pub fn may_reach(
    tx: &mut Tx,
    org_id: i64,
    user_id: i64,
) -> BoxFuture<'_, Result<bool, StoreError>> {
    Box::pin(async move {
        let sql = Sql::fixed(
            "SELECT 1 FROM users WHERE org_id = $1 AND id = $2 AND deceased_on IS NOT NULL",
            [org_id.into(), user_id.into()],
        );
        Ok(tx.rows(&sql).await?.is_empty())
    })
}
