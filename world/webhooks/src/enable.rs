//! Switching a webhook on again: its failures are forgiven (behaviour 13.1).

use ward_store::{Query, Scope, Sql, StoreError};

use crate::lane;
use crate::tables::Webhook;

/// Lets a webhook begin as if it had never failed; what waits is due at once.
pub async fn begin_anew(scope: &mut Scope<'_>, webhook: &Webhook) -> Result<(), StoreError> {
    let (org_id, id, now) = (webhook.org_id.0, webhook.id.0, scope.now().0);
    let forget = Sql::fixed(
        "UPDATE webhook_events SET first_failed_at = NULL, last_failed_at = NULL, retry_count = 0 \
         WHERE org_id = $1 AND webhook_id = $2",
        [org_id.into(), id.into()],
    );
    scope.tx.execute(&forget).await?;
    let due = Sql::fixed(
        "UPDATE webhook_deliveries SET due_at = $3 \
         WHERE org_id = $1 AND webhook_id = $2 AND state = 'pending' AND due_at > $3",
        [org_id.into(), id.into(), now.into()],
    );
    scope.tx.execute(&due).await?;
    lane::begin_anew(scope.tx, org_id, webhook.id).await
}
