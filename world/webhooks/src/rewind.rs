//! Going back in time, in a Sandbox: what may have left it is not sent a second time.
//!
//! Of the deliveries that waited when a snapshot was taken, those wait on that wait today without
//! an attempt more. The others were sent since, or may have been: they are given up, and told of.

use ward_store::snapshots::{Beside, Then};
use ward_store::{Query, Sql, StoreError, Tx, Value};

/// Deliveries that are given up.
pub const GIVEN_UP: &str = "deliveries_given_up";
/// Attempts whose end nobody will see.
pub const UNDER_WAY: &str = "deliveries_under_way";

/// Looks at both worlds before the Sandbox goes back.
pub async fn look(tx: &mut Tx, beside: &Beside) -> Result<Then, StoreError> {
    let now = tx.now().0;
    let mut then = Then::default();
    let waited = ("s.state IN ('pending', 'leased')", STILL_WAITS);
    let sent = beside.closed_since(tx, "webhook_deliveries", waited).await?;
    then.told.push((GIVEN_UP, sent.len()));
    let leased = "SELECT COUNT(*) FROM webhook_deliveries WHERE state = 'leased'";
    let leased = tx.rows(&Sql::fixed(leased, [])).await?.scalar().and_then(Value::int);
    then.told.push((UNDER_WAY, leased.and_then(|it| usize::try_from(it).ok()).unwrap_or(0)));
    let handed_on = ("s.relayed = FALSE", "t.relayed = FALSE");
    let handed_on = beside.closed_since(tx, "events", handed_on).await?;
    let fed = "t.last_seq = s.last_seq AND t.ended_at IS NULL";
    let fed = beside.closed_since_by_number(tx, "webhook_replays", ("s.ended_at IS NULL", fed));
    let fed = fed.await?;
    then.statements.push(give_up(now, sent));
    then.statements.push(Sql::fixed(
        "UPDATE events SET relayed = TRUE WHERE id IN_LIST($1)",
        [Value::Texts(handed_on.into())],
    ));
    then.statements.push(Sql::fixed(
        "UPDATE webhook_replays SET ended_at = $1 WHERE id IN_LIST($2)",
        [now.into(), Value::Ints(fed.into())],
    ));
    then.statements.push(look_again());
    Ok(then)
}

const STILL_WAITS: &str = "t.state = 'pending' AND s.state = 'pending' AND t.attempts = s.attempts";

fn give_up(now: i64, deliveries: Vec<Box<str>>) -> Sql {
    Sql::fixed(
        "UPDATE webhook_deliveries SET state = 'dead', lease_epoch = NULL, lease_token = NULL, \
         lease_until = NULL, updated_at = $1 WHERE id IN_LIST($2)",
        [now.into(), Value::Texts(deliveries.into())],
    )
}

/// Every lane is ready when the first of what waits in it is due.
fn look_again() -> Sql {
    Sql::fixed(
        "UPDATE webhook_lanes SET ready_at = (SELECT MIN(d.due_at) FROM webhook_deliveries d \
         WHERE d.org_id = webhook_lanes.org_id AND d.webhook_id = webhook_lanes.webhook_id \
         AND d.state = 'pending')",
        [],
    )
}

/// What a copy of the Sandbox does once: its webhooks are switched off, and nothing that waits is
/// sent from there, since the Sandbox itself sends it.
pub fn apart(now: i64) -> Vec<Sql> {
    vec![
        Sql::fixed(
            "UPDATE webhook_deliveries SET state = 'dead', lease_epoch = NULL, lease_token = NULL, \
             lease_until = NULL, updated_at = $1 \
             WHERE state IN ('pending', 'leased')",
            [now.into()],
        ),
        Sql::fixed("UPDATE events SET relayed = TRUE WHERE relayed = FALSE", []),
        Sql::fixed("UPDATE webhook_replays SET ended_at = $1 WHERE ended_at IS NULL", [now.into()]),
        Sql::fixed("UPDATE webhooks SET is_enabled = FALSE WHERE is_enabled = TRUE", []),
        Sql::fixed("UPDATE webhook_lanes SET is_paused = TRUE, ready_at = NULL", []),
    ]
}
