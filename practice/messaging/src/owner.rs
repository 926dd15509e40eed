//! Whom the owner of a conversation may share it with, so that it is always read
//! by somebody: a restricted client's conversation is nobody's who does not see
//! that client ([`crate::visibility`]), its owner included.

use ward_engine::{Answer, Refused};
use ward_identity::person;
use ward_identity::tables::{USERS, User};
use ward_store::{Actor, Cond, Id, Level, Query, Scope, Select, Value};

use crate::participants::Participants;

/// Whether a client may join a conversation of several: the owner's units have
/// the client, and the owner sees them if they are restricted. A broken glass
/// ends, so it is no sight here.
pub async fn may_share_with(scope: &mut Scope<'_>, owner: Id<User>, client: &User) -> Answer<bool> {
    let Some(owner) = as_actor(scope, owner).await? else { return Ok(false) };
    let is_near = owner.is_at_root() || owner.unit_id == client.unit_id.0;
    Ok(is_near && sees_all(scope, &owner, &[client.id.0], Cond::is_true("restricted")).await?)
}

/// Refuses restricted clients whom the owner does not see where several clients
/// take part; `already` are in it.
pub async fn check_restricted(
    scope: &mut Scope<'_>,
    owner: Id<User>,
    wanted: &Participants,
    already: &Participants,
) -> Answer<()> {
    let clients = clients(wanted);
    if clients.len() < 2 {
        return Ok(());
    }
    let new: Vec<i64> =
        clients.into_iter().filter(|id| !already.people.contains_key(&Id::new(*id))).collect();
    check(scope, owner, &new, Cond::is_true("restricted")).await
}

/// Refuses any client whom the owner does not see.
pub async fn check_all(
    scope: &mut Scope<'_>,
    owner: Id<User>,
    wanted: &Participants,
) -> Answer<()> {
    check(scope, owner, &clients(wanted), Cond::Always).await
}

fn clients(people: &Participants) -> Vec<i64> {
    let clients = people.people.iter().filter(|(_, person)| person.is_patient);
    clients.map(|(id, _)| id.0).collect()
}

async fn check(scope: &mut Scope<'_>, owner: Id<User>, clients: &[i64], which: Cond) -> Answer<()> {
    let sees = match as_actor(scope, owner).await? {
        Some(owner) => sees_all(scope, &owner, clients, which).await?,
        None => false,
    };
    match sees {
        true => Ok(()),
        false => Err(Refused::on(
            "simple_added_users",
            "The owner of the conversation must see its clients",
        )),
    }
}

async fn as_actor(scope: &mut Scope<'_>, owner: Id<User>) -> Answer<Option<Actor>> {
    let person = person::load(scope.tx, scope.actor.org_id, owner.0).await?;
    Ok(person.map(|person| person.actor(None)))
}

/// Whether somebody sees all these clients in full, of those that `which`
/// narrows them to.
async fn sees_all(
    scope: &mut Scope<'_>,
    actor: &Actor,
    clients: &[i64],
    which: Cond,
) -> Answer<bool> {
    let which = Cond::is_in("id", clients).and(which);
    if which.is_never() {
        return Ok(true);
    }
    let mut counts = [0, 0];
    for (count, actor) in counts.iter_mut().zip([actor, &Actor::system(actor.org_id)]) {
        let mut select = Select::new(&USERS, actor);
        select.least = Level::Full;
        select.filter = which.clone();
        let rows = scope.tx.rows(&select.count_sql()).await?;
        *count = rows.scalar().and_then(Value::int).unwrap_or(0);
    }
    Ok(counts[0] == counts[1])
}
