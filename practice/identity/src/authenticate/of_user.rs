//! What a known person may do, without a credential.

use std::sync::LazyLock;

use ward_store::{Actor, Query, Sql, StoreError};

use super::{FROM_PERSON, PERSON, actor, flag_columns};

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
