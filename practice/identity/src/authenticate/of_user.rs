//! What a known person may do, without a credential.

use std::sync::LazyLock;

use ward_instance::Timestamp;
use ward_store::{Actor, Query, Sql, StoreError};

use super::{FROM_PERSON, PERSON, actor, flag_columns};
use crate::proxy::grant;

static USER_SQL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {PERSON}, {} FROM users u {FROM_PERSON} WHERE u.org_id = $1 AND u.id = $2 \
         AND u.deleted_at IS NULL",
        flag_columns()
    )
});

/// What a person of an organization may do at this moment, for a link that was
/// made for them; nothing if they may not act any more.
pub async fn actor_of_user(
    reader: &mut dyn Query,
    org_id: i64,
    user_id: i64,
) -> Result<Option<Actor>, StoreError> {
    let rows = reader.rows(&Sql::fixed(&USER_SQL, [org_id.into(), user_id.into()])).await?;
    let found = rows.iter().next().and_then(|row| actor(row, ""));
    Ok(found.map(|actor| Actor { credential: None, ..actor }))
}

/// The same for a link that somebody else may have asked for, who acts for the person: nothing if
/// they may not any more. `proxy_id` is 0 for nobody.
pub async fn actor_of_link(
    reader: &mut dyn Query,
    org_id: i64,
    (user_id, proxy_id): (i64, i64),
    now: Timestamp,
) -> Result<Option<Actor>, StoreError> {
    let found = actor_of_user(reader, org_id, user_id).await?;
    if proxy_id == 0 {
        return Ok(found);
    }
    let may = grant::acting(reader, org_id, &[user_id], now).await?;
    let found = found.filter(|actor| actor.is_client() && may.contains_key(&(user_id, proxy_id)));
    Ok(found.map(|actor| Actor { proxy_id: Some(proxy_id), ..actor }))
}
