//! Beginning to act for another client: a session of the client's, which says who acts and counts
//! only while the access does ([`crate::authenticate`]).

use ward_engine::{Answer, Call, Refused};
use ward_instance::token::MintedToken;
use ward_store::{Actor, Id};

use super::grant::{self, kept};
use crate::permit::not_by_proxy;
use crate::person::{self, Person};
use crate::session;
use crate::tables::{Session, User};

/// Somebody acts from now on.
pub struct Acting {
    /// The session's token, to be shown once.
    pub token: MintedToken,
    /// The client.
    pub client: Id<User>,
    /// As whom the requests with it run.
    pub actor: Actor,
}

/// Begins to act for a client, as who signed in as themselves: neither with a key, which would
/// outlast any sign-in, nor from a session that acts already. `at` names the field that says
/// for whom; who may not act for them is told that they are not found.
pub async fn begin(call: &mut Call<'_>, client: Id<User>, at: &str) -> Answer<Acting> {
    may_begin(call)?;
    let proxy = Id::<User>::new(call.actor.user_id);
    let held = both_held(call, client, proxy).await?;
    let own = own_session(call).await?;
    let person = held.filter(|it| it.user.is_patient && it.may_sign_in());
    let person: Person = person.ok_or_else(|| Refused::not_found(at))?;
    let today = grant::today_of(call, &person.user).await?;
    let given = kept(call, client, proxy).await?;
    let given = given.filter(|it| it.terms().last(person.user.dob, today));
    let given = given.ok_or_else(|| Refused::not_found(at))?;
    call.scope.subject_id = Some(client.0);
    let (token, begun) =
        session::begin_for(&mut call.scope, &person.user, (given.id, own.id)).await?;
    grant::note(&mut call.scope, &given, "acting_proxy", None, Some(proxy.0));
    let credential = Some(begun.id.0.as_str());
    let actor = Actor { proxy_id: Some(proxy.0), ..person.actor(credential) };
    Ok(Acting { token, client, actor })
}

/// The client, held with who is to act for them, of whom another change may sign them out: the lower
/// id first, since each of two may act for the other.
async fn both_held(
    call: &mut Call<'_>,
    client: Id<User>,
    proxy: Id<User>,
) -> Answer<Option<Person>> {
    let org_id = call.actor.org_id;
    for id in [client.0.min(proxy.0), client.0.max(proxy.0)] {
        person::load_held(call.tx, org_id, id).await?;
    }
    Ok(person::load(call.tx, org_id, client.0).await?)
}

/// The session of who signed in, which is not over: not one that was lent to somebody who may see the one client,
/// but not the other.
async fn own_session(call: &mut Call<'_>) -> Answer<Session> {
    let id = call.request.session.as_deref().unwrap_or_default();
    let own = session::find(call, id).await?.filter(|own| !own.is_lent && own.ended_at.is_none());
    own.ok_or_else(|| Refused::base("Acting for others takes a session had by signing in"))
}

/// Refuses who did not sign in as a client, as themselves.
pub fn may_begin(call: &Call<'_>) -> Answer<()> {
    not_by_proxy(call.actor, "acting for others")?;
    if !call.actor.is_client() {
        return Err(Refused::base("Only clients act for clients. Members see them as members"));
    }
    match call.request.session {
        Some(_) => Ok(()),
        None => Err(Refused::base("Sign in to act for somebody: an API key can't")),
    }
}
