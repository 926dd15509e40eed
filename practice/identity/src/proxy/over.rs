//! What is over by itself is taken away by itself, and stays so (DOM-35): who was a guardian finds no
//! name of the client's any more, and no corrected date of birth lets them in again.

use futures_util::future::BoxFuture;
use ward_engine::sweeps;
use ward_store::{Actor, Cond, Db, Id, Scope, Sql, StoreError, Tx};

use super::grant::{end, today_of};
use super::rules;
use super::table::{ClientProxy, Ended};
use crate::tables::User;
use crate::{events, person};

/// What may be over where the day `$1` is the latest that it is anywhere, and `$2` the last day of
/// birth of who is of age on it: as [`super::Terms::end`] has it, but for the client's time zone.
const DUE: &str = "SELECT org_id, id, created_at FROM client_proxies WHERE ended_at IS NULL \
     AND (client_proxies.until <= $1 OR NOT EXISTS (SELECT 1 FROM users u \
     WHERE u.org_id = client_proxies.org_id AND u.id = client_proxies.user_id \
     AND u.dob IS NOT NULL AND (u.dob > $2 OR (client_proxies.is_guardian = FALSE \
     AND u.dob <= (CAST(CAST(SUBSTR(client_proxies.granted_on, 1, 4) AS BIGINT) - 18 AS TEXT) \
     || SUBSTR(client_proxies.granted_on, 5))))))";

/// Tells others, in the same transaction, of an access that was over and is taken away: whose contact
/// that was, a later domain knows.
pub type Told =
    for<'a, 'b> fn(&'a mut Scope<'b>, &'a ClientProxy) -> BoxFuture<'a, Result<(), StoreError>>;

/// Takes away what is over in all organizations, in the name of the instance, and tells of each; how
/// many it looked at.
pub async fn sweep(db: &Db, told: Told) -> Result<u64, StoreError> {
    let Some(today) = rules::latest_today(db.instance().now()) else { return Ok(0) };
    let due = Sql::fixed(DUE, [today.to_string().into(), rules::born_by(today).into()]);
    let failed = "an access that is over is not taken away";
    sweeps::sweep(db, &due, failed, move |tx, org_id, id| {
        Box::pin(judge(tx, org_id, Id::new(id), told))
    })
    .await
}

async fn judge(
    tx: &mut Tx,
    org_id: i64,
    id: Id<ClientProxy>,
    told: Told,
) -> Result<(), StoreError> {
    let system = Actor::system(org_id);
    let mut scope = Scope::new(tx, &system);
    let found: Option<ClientProxy> = scope.find(id).await?;
    // Somebody may have taken it away meanwhile.
    let Some(row) = found.filter(|row| row.ended_at.is_none()) else { return Ok(()) };
    let Some(person) = person::load_held(scope.tx, org_id, row.user_id.0).await? else {
        return end(&mut scope, &row, Ended::Closed).await;
    };
    for over in end_of(&mut scope, &person.user).await? {
        told(&mut scope, &over).await?;
    }
    Ok(())
}

/// Takes away what is over by a changed date of birth, with an event of each.
pub async fn end_by(scope: &mut Scope<'_>, before: &User, after: &User) -> Result<(), StoreError> {
    if after.is_patient && before.dob != after.dob {
        for over in end_of(scope, after).await? {
            scope.emit(events::access_over(&over));
        }
    }
    Ok(())
}

/// Takes away what is over of a client's, by what is known of them from now on; what that was.
async fn end_of(scope: &mut Scope<'_>, client: &User) -> Result<Vec<ClientProxy>, StoreError> {
    let kept = Cond::eq("user_id", client.id.0).and(Cond::is_null("ended_at"));
    let mut kept: Vec<ClientProxy> = scope.list(kept, &[]).await?;
    if kept.is_empty() {
        return Ok(kept);
    }
    let today = today_of(scope, client).await?;
    kept.retain(|row| !row.terms().last(client.dob, today));
    for row in &kept {
        end(scope, row, Ended::Over).await?;
    }
    Ok(kept)
}
