//! Who is stronger than whom: nobody acts on an account with more rights than
//! their own (SEC-04), and nobody takes over an account that sees clients whom
//! they don't see themselves.

use ward_engine::{Answer, Refused};
use ward_store::{Actor, Cond, Level, Query, Scope, Sql};

use crate::flags::IS_OWNER;
use crate::grant;
use crate::person::Person;
use crate::restricted;
use crate::tables::USERS;
use crate::visibility;

/// Refuses to put an account into the actor's hands (its mail, a key of it, its
/// second factor) unless it can neither do nor see more than the actor can. One's
/// own is one's own.
pub async fn may_take_over(scope: &mut Scope<'_>, target: &Person) -> Answer<()> {
    if target.user.id.0 == scope.actor.user_id {
        return Ok(());
    }
    is_no_stronger(scope.actor, target)?;
    sees_their_clients(scope, target).await
}

/// The account is a member's, of a unit that the actor sees, and its flags are in
/// no way stronger than the actor's.
fn is_no_stronger(actor: &Actor, target: &Person) -> Answer<()> {
    let is_near = actor.is_at_root() || actor.unit_id == target.user.unit_id.0;
    if !is_near || target.user.is_patient || target.user.org_id.0 != actor.org_id {
        return Err(Refused::Denied(IS_OWNER));
    }
    grant::is_covered(actor, target)
}

/// The actor sees every client whom the member looks after: such sight is no flag,
/// so having all flags of the member is not enough.
async fn sees_their_clients(scope: &mut Scope<'_>, target: &Person) -> Answer<()> {
    let theirs = target.actor(None);
    let looked_after = visibility::cares_for(&theirs).or(restricted::authorized(&theirs));
    let (rule, params) = visibility::seen(&USERS, scope.actor, Level::Full, "c");
    let mut sql = Sql::new();
    sql.push("SELECT 1 FROM users c WHERE c.org_id = ").bind(scope.actor.org_id);
    sql.push(" AND c.is_patient = TRUE AND c.deleted_at IS NULL AND ");
    // A rule may be NULL where a client has no primary provider.
    let unseen = Cond::sql(format!("NOT COALESCE(({rule}), FALSE)"), params);
    looked_after.and(unseen).write("c", &mut sql);
    sql.push(" LIMIT 1");
    match scope.tx.rows(&sql).await?.is_empty() {
        true => Ok(()),
        false => Err(Refused::base(
            "This member looks after clients whom you can't see. Ask the owner of the organization",
        )),
    }
}
