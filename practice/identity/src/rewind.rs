//! Going back in time, in a Sandbox: what opened an account and was used up or ended since stays so.
//!
//! Passwords and keys are as they were; a key that was revoked since stays revoked by its entry in
//! `revoked_keys`, which does not go back.

use ward_store::snapshots::{Beside, Then};
use ward_store::{Query, Sql, StoreError, Tx, Value};

use crate::proxy::Ended;

/// What is good once only, or until it is ended: the table, what is open of a snapshot's rows and
/// still is of today's, and what closes it at a moment `$1`.
const OPENERS: [[&str; 4]; 3] = [
    [
        "sessions",
        "s.ended_at IS NULL",
        "t.ended_at IS NULL",
        "UPDATE sessions SET ended_at = $1 WHERE id IN_LIST($2)",
    ],
    [
        "link_tokens",
        "s.used_at IS NULL AND s.voided_at IS NULL",
        "t.used_at IS NULL AND t.voided_at IS NULL",
        "UPDATE link_tokens SET voided_at = $1 WHERE id IN_LIST($2)",
    ],
    [
        "verification_codes",
        "s.used_at IS NULL",
        "t.used_at IS NULL",
        "UPDATE verification_codes SET used_at = $1 WHERE id IN_LIST($2)",
    ],
];

/// Looks at both worlds before the Sandbox goes back.
pub async fn look(tx: &mut Tx, beside: &Beside) -> Result<Then, StoreError> {
    let wall = tx.wall().0;
    let mut then = Then::default();
    for [table, open, still, close] in OPENERS {
        let closed = beside.closed_since(tx, table, (open, still)).await?;
        if !closed.is_empty() {
            then.statements.push(Sql::fixed(close, [wall.into(), Value::Texts(closed.into())]));
        }
    }
    // Who may act for a client may not again because there was a time when they might.
    let open = ("s.ended_at IS NULL", "t.ended_at IS NULL");
    let ended = beside.closed_since_by_number(tx, "client_proxies", open).await?;
    if !ended.is_empty() {
        then.statements.push(Sql::fixed(
            "UPDATE client_proxies SET ended_at = $1, ended_because = $2 WHERE id IN_LIST($3)",
            [tx.now().0.into(), Ended::WentBack.as_str().into(), Value::Ints(ended.into())],
        ));
    }
    let mut steps = Sql::new();
    steps.push("SELECT s.id, t.last_step FROM ").push(beside.prefix());
    steps.push(
        "second_factors s JOIN second_factors t ON t.org_id = s.org_id AND t.id = s.id \
         WHERE t.last_step > COALESCE(s.last_step, 0)",
    );
    for row in tx.rows(&steps).await?.iter() {
        let [id, step] = [0, 1].map(|at| row.get(at).cloned().unwrap_or(Value::Null));
        then.statements
            .push(Sql::fixed("UPDATE second_factors SET last_step = $1 WHERE id = $2", [step, id]));
    }
    Ok(then)
}
