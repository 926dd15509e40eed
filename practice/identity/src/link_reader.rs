//! For whom a signed link was made: what they may see when it is used, not when it was made
//! (SEC-05).

use std::sync::LazyLock;

use ward_store::{Actor, Cond, Query, Select, Sql, StoreError};

use crate::authenticate::{FROM_PERSON, PERSON, actor, flag_columns};
use crate::tables::USERS;

static USER_SQL: LazyLock<String> = LazyLock::new(|| {
    format!("SELECT {PERSON}, {} FROM users u {FROM_PERSON} WHERE u.id = $1", flag_columns())
});

/// The user as the actor of a request, nobody in particular for 0; nothing once they may not act.
async fn reader_of(q: &mut impl Query, user_id: i64) -> Result<Option<Actor>, StoreError> {
    if user_id == 0 {
        return Ok(Some(Actor::anonymous()));
    }
    let rows = q.rows(&Sql::fixed(&USER_SQL, [user_id.into()])).await?;
    Ok(rows.iter().next().and_then(|row| actor(row, "link")))
}

/// Whether a user, or nobody in particular for 0, may at this moment know of another.
pub async fn may_see_user(
    q: &mut impl Query,
    user_id: i64,
    seen_id: i64,
) -> Result<bool, StoreError> {
    let Some(actor) = reader_of(q, user_id).await? else { return Ok(false) };
    let mut select = Select::new(&USERS, &actor);
    // Strangers have no tenant; what they may know is public everywhere.
    select.org_id = (user_id != 0).then_some(actor.org_id);
    select.filter = Cond::eq("id", seen_id);
    let seen = q.rows(&select.count_sql()).await?;
    Ok(seen.scalar().and_then(ward_store::Value::int).is_some_and(|count| count > 0))
}
