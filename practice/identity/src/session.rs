//! Sessions of signed-in people (behaviour 3.2). The text is shown once; the
//! table holds its digest under the instance's key.
//!
//! Limits count wall time: a Sandbox that runs ahead signs nobody out.

use ward_engine::{Answer, Call, Refused};
use ward_instance::Timestamp;
use ward_instance::token::{MintedToken, TokenPurpose};
use ward_store::{Cond, Id, Query, Scope, Sql, StoreError, Tx, Uuid, Value};

use crate::proxy::ClientProxy;
use crate::push_device;
use crate::tables::{ApiKey, Session, User};

/// Without a request for so long, a member's session is over (SEC-12).
pub const IDLE_SECONDS: i64 = 30 * 60;
/// And a client's, who may read on a shared machine.
pub const CLIENT_IDLE_SECONDS: i64 = 20 * 60;
/// However busy, a session is over after so long.
pub const ABSOLUTE_SECONDS: i64 = 12 * 3_600;
/// So long a session may await its second factor: a few codes' time.
pub const AWAITING_SECONDS: i64 = 15 * 60;
/// A use is written down at most so often.
pub const TOUCH_SECONDS: i64 = 60;
/// For so long after signing in, a session may do what needs a fresh sign-in
/// (SEC-10).
pub const FRESH_SECONDS: i64 = 10 * 60;

/// Ended sessions are forgotten after so long.
const KEPT_SECONDS: i64 = 30 * 24 * 3_600;
/// So many of them, at most, at each sign-in.
const CLEARED_AT_ONCE: i64 = 20;

/// How far a session has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The second factor is still to come.
    AwaitsCode,
    /// A client is signed in.
    Client,
    /// A member is signed in.
    Member,
}

/// Whether a session is still good at wall time `wall`.
pub const fn is_live(
    stage: Stage,
    created_at: Timestamp,
    last_used_at: Timestamp,
    wall: Timestamp,
) -> bool {
    let (absolute, idle) = match stage {
        Stage::AwaitsCode => (AWAITING_SECONDS, AWAITING_SECONDS),
        Stage::Client => (ABSOLUTE_SECONDS, CLIENT_IDLE_SECONDS),
        Stage::Member => (ABSOLUTE_SECONDS, IDLE_SECONDS),
    };
    wall.0 < created_at.plus_seconds(absolute).0 && wall.0 < last_used_at.plus_seconds(idle).0
}

/// Whether the person signed in so lately that they need not do it again.
pub const fn is_fresh(created_at: Timestamp, wall: Timestamp) -> bool {
    wall.0 < created_at.plus_seconds(FRESH_SECONDS).0
}

/// Refuses what needs a fresh sign-in to a session that is older (SEC-10). An
/// API key has signed in with nothing and is not asked (trust ruling 10), unless
/// it is bound: what a key with an end or addresses of its own does here would
/// outlast them (SEC-07).
pub async fn require_fresh(call: &mut Call<'_>, to_do_what: &str) -> Answer<()> {
    let Some(id) = call.request.session.as_deref() else {
        return match is_by_bound_key(call).await? {
            true => Err(Refused::base(format!(
                "This API key has an end or addresses of its own. Sign in to {to_do_what}"
            ))),
            false => Ok(()),
        };
    };
    let wall = call.tx.wall();
    match find(call, id).await? {
        Some(session) if is_fresh(session.created_at, wall) => Ok(()),
        _ => Err(Refused::base(format!(
            "You signed in more than 10 minutes ago. Sign in again to {to_do_what}"
        ))),
    }
}

async fn is_by_bound_key(call: &mut Call<'_>) -> Answer<bool> {
    let Some(kid) = call.actor.credential.clone() else { return Ok(false) };
    let key = call.find_by::<ApiKey>(Cond::eq("kid", kid.as_ref())).await?;
    Ok(key.is_none_or(|key| key.expires_at.is_some() || key.allowed_addresses.is_some()))
}

/// Begins a session of the user, who is the scope's actor.
pub async fn begin(scope: &mut Scope<'_>, user: &User) -> Result<MintedToken, StoreError> {
    Ok(begin_as(scope, user, false).await?.0)
}

/// The same, and its row; it may open nothing until the second factor is given.
pub async fn begin_as(
    scope: &mut Scope<'_>,
    user: &User,
    awaits_code: bool,
) -> Result<(MintedToken, Session), StoreError> {
    let began = scope.tx.wall();
    begin_at(scope, user, Begun { began, awaits_code, is_lent: false, by: None }).await
}

/// A session that is lent to somebody else, who is to see what the person sees. It is not fresh
/// from the start, so that keys, passwords and second factors are none of its business (SEC-10),
/// and neither are those for whom the person acts.
pub async fn begin_stale(
    scope: &mut Scope<'_>,
    user: &User,
) -> Result<(MintedToken, Session), StoreError> {
    let began = scope.tx.wall().plus_seconds(-FRESH_SECONDS);
    begin_at(scope, user, Begun { began, awaits_code: false, is_lent: true, by: None }).await
}

/// A session for another client, the scope's actor, who acts for the person by an access of theirs:
/// not fresh either, and over when the one of their own is ended in which it was begun.
pub async fn begin_for(
    scope: &mut Scope<'_>,
    user: &User,
    by: (Id<ClientProxy>, Uuid),
) -> Result<(MintedToken, Session), StoreError> {
    let began = scope.tx.wall().plus_seconds(-FRESH_SECONDS);
    let begun = Begun { began, awaits_code: false, is_lent: false, by: Some(by) };
    begin_at(scope, user, begun).await
}

/// How a session begins.
struct Begun {
    /// Wall time from which its age counts.
    began: Timestamp,
    awaits_code: bool,
    is_lent: bool,
    /// Who acts in it: by which access, and in which session of their own they began.
    by: Option<(Id<ClientProxy>, Uuid)>,
}

async fn begin_at(
    scope: &mut Scope<'_>,
    user: &User,
    begun: Begun,
) -> Result<(MintedToken, Session), StoreError> {
    let minted = scope.instance().mint_token(TokenPurpose::Session);
    let wall = scope.tx.wall();
    let (proxy_id, begun_in) = begun.by.unzip();
    let session = Session {
        id: scope.uuid(),
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        lookup: minted.lookup.to_vec(),
        created_at: begun.began,
        last_used_at: wall,
        ended_at: None,
        awaits_code: begun.awaits_code,
        code_tries: 0,
        is_lent: begun.is_lent,
        proxy_id,
        begun_in,
    };
    scope.create(&session).await?;
    forget_old(scope.tx).await?;
    Ok((minted, session))
}

async fn forget_old(tx: &mut Tx) -> Result<(), StoreError> {
    let before = tx.wall().plus_seconds(-KEPT_SECONDS);
    let sql = Sql::fixed(
        "DELETE FROM sessions WHERE id IN \
         (SELECT s.id FROM sessions s WHERE s.created_at < $1 LIMIT $2)",
        [before.0.into(), CLEARED_AT_ONCE.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// The actor's session of this id.
pub async fn find(scope: &mut Scope<'_>, id: &str) -> Result<Option<Session>, StoreError> {
    let session = scope.find_by::<Session>(Cond::eq("id", id)).await?;
    Ok(session.filter(|session| session.user_id.0 == scope.actor.user_id))
}

/// Ends the actor's session of this id, and those in which they act for others that were begun in
/// it; false when there is none.
pub async fn end(scope: &mut Scope<'_>, id: &str) -> Result<bool, StoreError> {
    match find(scope, id).await? {
        Some(before) if before.ended_at.is_none() => {
            let after = Session { ended_at: Some(scope.tx.wall()), ..before.clone() };
            scope.update(&before, &after).await?;
            end_by(scope, ("begun_in", id.into()), None).await?;
            Ok(true)
        }
        _ => Ok(false),
    }
}

/// Ends the sessions whose column has this value, but one of them.
async fn end_by(
    scope: &mut Scope<'_>,
    (column, value): (&'static str, Value),
    kept: Option<&str>,
) -> Result<(), StoreError> {
    let mut sql = Sql::new();
    sql.push("UPDATE sessions SET ended_at = ").bind(scope.tx.wall().0);
    sql.push(" WHERE org_id = ").bind(scope.actor.org_id);
    sql.push(" AND ").push(column).push(" = ").bind(value).push(" AND ended_at IS NULL");
    if let Some(kept) = kept {
        sql.push(" AND id <> ").bind(kept);
    }
    scope.tx.execute(&sql).await.map(drop)
}

/// Ends every session of a user: after a new password or a deactivation. Their apps are notified
/// no more until they sign in and register again.
pub async fn end_all(scope: &mut Scope<'_>, user_id: i64) -> Result<(), StoreError> {
    end_others(scope, user_id, None).await
}

/// Ends every session of a user but one, and those in which they act for others. Which app it
/// is of is not known: all are forgotten.
pub async fn end_others(
    scope: &mut Scope<'_>,
    user_id: i64,
    kept: Option<&str>,
) -> Result<(), StoreError> {
    end_by(scope, ("user_id", user_id.into()), kept).await?;
    let acting = Sql::fixed(
        "UPDATE sessions SET ended_at = $1 WHERE org_id = $2 AND ended_at IS NULL \
         AND proxy_id IN (SELECT g.id FROM client_proxies g WHERE g.org_id = $3 AND g.proxy_id = $4)",
        [
            scope.tx.wall().0.into(),
            scope.actor.org_id.into(),
            scope.actor.org_id.into(),
            user_id.into(),
        ],
    );
    scope.tx.execute(&acting).await?;
    push_device::forget(scope, Id::new(user_id)).await
}

/// Ends the sessions in which somebody acts by an access.
pub async fn end_of_proxy(scope: &mut Scope<'_>, by: Id<ClientProxy>) -> Result<(), StoreError> {
    end_by(scope, ("proxy_id", by.0.into()), None).await
}

/// Notes that a session is in use.
pub async fn touch(tx: &mut Tx, org_id: i64, id: &str) -> Result<(), StoreError> {
    let wall = tx.wall();
    let sql = Sql::fixed(
        "UPDATE sessions SET last_used_at = $1 WHERE org_id = $2 AND id = $3 AND ended_at IS NULL",
        [wall.0.into(), org_id.into(), id.into()],
    );
    tx.execute(&sql).await.map(drop)
}
