//! Which devices a notification goes to: those that a person registered, without
//! those of which the receiver's side told that there is no such app any more, or
//! that it wants no more. These are forgotten, until the app registers again.

use ward_engine::Answer;
use ward_identity::push_device::{self, PushDevice};
use ward_identity::tables::User;
use ward_store::{Query, Scope, Sql};

/// The key of a notice's effect on a device.
pub fn key(notice: &str, device: &PushDevice) -> String {
    format!("{notice}{}", push_device::key_end(device))
}

/// The devices of a person that are still there.
pub async fn reached(scope: &mut Scope<'_>, user: &User) -> Answer<Vec<PushDevice>> {
    let devices = push_device::of(scope, user.id).await?;
    if devices.is_empty() {
        return Ok(devices);
    }
    let gone = gone(scope, user).await?;
    let mut reached = Vec::with_capacity(devices.len());
    for device in devices {
        match gone.iter().any(|key| key.ends_with(&push_device::key_end(&device))) {
            true => push_device::remove(scope, &device).await?,
            false => reached.push(device),
        }
    }
    Ok(reached)
}

/// The keys of the person's notifications that found no app.
async fn gone(scope: &mut Scope<'_>, user: &User) -> Answer<Vec<String>> {
    let sql = Sql::fixed(
        "SELECT r.intent_key FROM sent_notification_records r JOIN effect_intents e \
         ON e.org_id = r.org_id AND e.idempotency_key = r.intent_key \
         WHERE r.org_id = $1 AND r.user_id = $2 AND r.category = 'push' \
         AND e.outcome IN ('undeliverable', 'opted_out')",
        [user.org_id.0.into(), user.id.0.into()],
    );
    let rows = scope.tx.rows(&sql).await?;
    Ok(rows.iter().filter_map(|row| Some(row.first()?.text()?.to_owned())).collect())
}
