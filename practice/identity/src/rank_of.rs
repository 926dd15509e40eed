//! Who is stronger than whom: nobody acts on an account with more rights than
//! their own (SEC-04), and nobody takes over an account that sees clients whom
//! they don't see themselves.

use ward_engine::{Answer, Refused};
use ward_store::{Actor, Cond, Level, Query, Scope, Sql};

use crate::grant;
use crate::person::Person;
use crate::restricted;
use crate::tables::USERS;
use crate::visibility;

/// Whether an account is a member's, of a unit that the actor sees, and in no
/// way stronger than the actor.
pub fn is_no_stronger(actor: &Actor, target: &Person) -> bool {
    let is_weaker = grant::is_covered(actor, target).is_ok();
    let is_near = actor.is_at_root() || actor.unit_id == target.user.unit_id.0;
    is_weaker && is_near && !target.user.is_patient && target.user.org_id.0 == actor.org_id
}

/// Refuses to put a member's account into the hands of an actor who does not see
/// every client that the member looks after: such sight is no flag, so having all
/// flags of the member is not enough.
pub async fn sees_their_clients(scope: &mut Scope<'_>, target: &Person) -> Answer<()> {
    let theirs = target.actor(None);
    let looked_after = visibility::cares_for(&theirs).or(restricted::authorized(&theirs));
    let (rule, params) = visibility::seen(&USERS, scope.actor, Level::Full, "c");
    let mut sql = Sql::new();
    sql.push("SELECT 1 FROM users c WHERE c.org_id = ").bind(scope.actor.org_id);
    sql.push(" AND c.is_patient = TRUE AND c.deleted_at IS NULL AND ");
    let unseen = Cond::sql(format!("NOT ({rule})"), params);
    looked_after.and(unseen).write("c", &mut sql);
    sql.push(" LIMIT 1");
    match scope.tx.rows(&sql).await?.is_empty() {
        true => Ok(()),
        false => Err(Refused::base(
            "This member looks after clients whom you can't see. Ask the owner of the organization",
        )),
    }
}
