//! Going back in time, in a Sandbox: a calendar's link that was taken back since stays so.

use ward_store::snapshots::{Beside, Then};
use ward_store::{Query, Sql, StoreError, Tx, Value};

use crate::calendar_feed::table::CALENDAR_FEEDS;

/// Looks at both worlds before the Sandbox goes back: where a member's generation is not the same
/// in both, or today does not know the member, it becomes one that never was.
pub async fn look(tx: &mut Tx, beside: &Beside) -> Result<Then, StoreError> {
    let (now, wall) = (tx.now().0, tx.wall().0);
    let mut then = Then::default();
    for row in tx.rows(&differing(beside.prefix())).await?.iter() {
        let number = |at: usize| row.get(at).and_then(Value::int);
        let (Some(org_id), Some(user_id)) = (number(0), number(1)) else { continue };
        let (stored, of_today) = (number(2), number(4));
        let before = number(3).max(number(5)).unwrap_or(0);
        // Generations are counted by ones, so microseconds are beyond all that were forgotten.
        let generation = wall.max(before.saturating_add(1));
        let sql = match (stored, of_today) {
            (Some(id), _) => Sql::fixed(
                "UPDATE calendar_feeds SET generation = $1, version = version + 1, updated_at = $2 \
                 WHERE id = $3",
                [generation.into(), now.into(), id.into()],
            ),
            (None, today) => {
                let id = match today {
                    Some(id) => id,
                    None => tx.next_id(&CALENDAR_FEEDS).await?,
                };
                Sql::fixed(
                    "INSERT INTO calendar_feeds \
                     (id, org_id, user_id, generation, version, created_at, updated_at) \
                     VALUES ($1, $2, $3, $4, 1, $5, $6)",
                    [id, org_id, user_id, generation, now, now].map(Value::Int),
                )
            }
        };
        then.statements.push(sql);
    }
    Ok(then)
}

fn differing(prefix: &str) -> Sql {
    let mut sql = Sql::new();
    sql.push(
        "SELECT u.org_id, u.id, s.id AS stored, s.generation AS was, t.id AS today, \
         t.generation AS is_now FROM ",
    );
    sql.push(prefix).push("users u LEFT JOIN ").push(prefix);
    sql.push(
        "calendar_feeds s ON s.org_id = u.org_id AND s.user_id = u.id \
         LEFT JOIN calendar_feeds t ON t.org_id = u.org_id AND t.user_id = u.id \
         LEFT JOIN users k ON k.org_id = u.org_id AND k.id = u.id \
         WHERE u.is_patient = FALSE \
         AND (k.id IS NULL OR COALESCE(s.generation, 0) <> COALESCE(t.generation, 0))",
    );
    sql
}
