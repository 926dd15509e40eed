//! `signIn` and `revokeToken` (behaviour 3.2).
//!
//! Whatever is wrong, a wrong sign-in is told the same: which addresses have an
//! account, and in which organization, is nobody's business (SEC-14).

use std::sync::Arc;

use ward_engine::{Answer, Call, Payload, Problems, Refused, Request, input, moment};
use ward_instance::token::{TokenClass, TokenPurpose};
use ward_store::{Query, Scope, Sql, StoreError, Tx, Value};

use crate::account::NAMESPACE;
use crate::attempt::{self, Subjects, Whose};
use crate::key::Minting;
use crate::person::{self, Person};
use crate::tables::{LoginStanding, User};
use crate::{authenticate, email, key, link, password, rank, second_step, session};

/// What the audit log calls a wrong password and a wrong code.
pub const REFUSED: &str = "SIGN_IN_REFUSED";

/// The answer to a wrong address, a wrong password and a barred account.
pub const WRONG: &str = "The e-mail address or the password is wrong";

input! {
    /// `signIn`.
    pub struct SignIn {
        email: String,
        username: String,
        password: String,
        namespace: String,
        generate_api_token: bool,
        allow_multiple_api_keys: bool,
        token: String,
        reset_token: String,
        timezone: String,
    }
}

/// Who the caller proved to be.
#[derive(Clone, Debug)]
enum Proof {
    /// With the password whose hash this was.
    Password { org_id: i64, user_id: i64, hash: String, subjects: Subjects, whose: Whose },
    /// With a one-time link.
    Link { lookup: Vec<u8> },
    /// With a session that they have already.
    Session { org_id: i64, user_id: i64, session: String, token: String },
}

/// What was found out before the transaction.
#[derive(Clone, Debug)]
pub struct Proven {
    proof: Proof,
    timezone: Option<String>,
    wants_key: bool,
    keeps_keys: bool,
}

/// An account that an address may mean.
#[derive(Clone, Debug)]
struct Candidate {
    org_id: i64,
    user_id: i64,
    hash: String,
    is_proven: bool,
}

/// Checks the credential, outside of any transaction.
pub async fn prepare(request: Arc<Request>, input: SignIn) -> Answer<Proven> {
    let timezone = input.timezone.trimmed().filter(|name| moment::zone(name).is_some());
    let proof = if let Some(token) = input.token.trimmed() {
        by_session(&request, token).await?
    } else if let Some(token) = input.reset_token.trimmed() {
        let lookup = link::lookup_of(&request.instance, token, "input.reset_token")?;
        Proof::Link { lookup }
    } else {
        by_password(&request, &input).await?
    };
    Ok(Proven {
        proof,
        timezone: timezone.map(str::to_owned),
        wants_key: input.generate_api_token.is_true(),
        keeps_keys: input.allow_multiple_api_keys.is_true(),
    })
}

async fn by_session(request: &Request, token: &str) -> Answer<Proof> {
    let instance = &request.instance;
    let class = instance.classify_token(TokenPurpose::Session, token);
    if class.code().is_some() {
        return Err(link::foreign(instance, &class, "input.token"));
    }
    let refused = || Refused::on("token", "Token is not valid any more. Sign in again");
    if !matches!(class, TokenClass::Ours { .. }) {
        return Err(refused());
    }
    let mut reader = request.db.read().await?;
    let found = authenticate::actor_of_key(&mut reader, instance, token, &request.address).await;
    drop(reader);
    match found {
        // Who acts for the client is somebody else, and does not sign in as them.
        Ok(Some((actor, _))) if actor.proxy_id.is_some() => Err(refused()),
        Ok(Some((actor, facts))) => Ok(Proof::Session {
            org_id: actor.org_id,
            user_id: actor.user_id,
            session: facts.session.filter(|_| facts.class == "session").ok_or_else(refused)?,
            token: token.to_owned(),
        }),
        Ok(None) | Err(authenticate::AuthenticateError::Rejected(_)) => Err(refused()),
        Err(authenticate::AuthenticateError::Store(error)) => Err(error.into()),
    }
}

async fn by_password(request: &Request, input: &SignIn) -> Answer<Proof> {
    let address = input.email.trimmed().or(input.username.trimmed());
    let mut problems = Problems::new();
    if address.is_none() {
        problems.add("email", "Email can't be blank");
    }
    let given = input.password.value().filter(|password| !password.is_empty());
    if given.is_none() {
        problems.add("password", "Password can't be blank");
    }
    problems.check()?;
    let (address, given) = (address.unwrap_or_default(), given.map_or("", String::as_str));
    let namespace = input.namespace.trimmed().unwrap_or(NAMESPACE);
    let address_key = email::key(address);
    let subjects = Subjects::of(request, "sign_in", &format!("{namespace}\u{1f}{address_key}"));
    attempt::count(&request.db, &subjects).await?;
    let mut reader = request.db.read().await?;
    let candidates = candidates(&mut reader, namespace, &address_key).await?;
    drop(reader);
    // A longer text is nobody's password and would only cost time.
    let cut: String = given.chars().take(password::CHARACTERS_MAX + 1).collect();
    let hashes = candidates.iter().map(|candidate| candidate.hash.clone()).collect();
    let at = password::first_match(&cut, hashes).await?;
    let is_sole = candidates.len() == 1;
    let Some(found) = at.and_then(|at| candidates.into_iter().nth(at)) else {
        request.note_refusal(REFUSED);
        return Err(Refused::base(WRONG));
    };
    let Candidate { org_id, user_id, hash, is_proven } = found;
    let whose = if is_sole || is_proven { Whose::TheAddress } else { Whose::OneOfMany };
    Ok(Proof::Password { org_id, user_id, hash, subjects, whose })
}

/// The accounts that an address may mean, at most as many as hashes are
/// checked ([`rank`] says which). Best first: members before clients,
/// passwords that the person set before those that staff set, latest sign-in
/// first.
async fn candidates(
    q: &mut impl Query,
    namespace: &str,
    address_key: &str,
) -> Result<Vec<Candidate>, StoreError> {
    let limit = i64::try_from(password::HASHES_OF_A_SIGN_IN).unwrap_or(i64::MAX);
    let sql = rank::accounts(namespace, address_key, rank::For::Password, limit);
    let rows = q.rows(&sql).await?;
    let candidate = |row: &[Value]| {
        Some(Candidate {
            org_id: row.first()?.int()?,
            user_id: row.get(1)?.int()?,
            hash: row.get(2)?.text()?.to_owned(),
            is_proven: row.get(3)?.text()? == LoginStanding::Proven.as_str(),
        })
    };
    Ok(rows.iter().filter_map(candidate).collect())
}

/// Begins the session, or makes the key that was asked for instead.
pub async fn sign_in(call: &mut Call<'_>, proven: &Proven) -> Answer<Payload> {
    let person = match &proven.proof {
        Proof::Password { org_id, user_id, hash, subjects, whose } => {
            let person = person::load_held(call.tx, *org_id, *user_id).await?;
            // What changed since the hash was checked counts.
            let same =
                |it: &Person| it.may_sign_in() && it.user.password_hash.as_deref() == Some(hash);
            let person = person.filter(same).ok_or_else(|| Refused::base(WRONG))?;
            attempt::forgive(call.tx, subjects, *whose).await?;
            person
        }
        Proof::Link { lookup } => link::redeem(call.tx, lookup, "input.reset_token").await?,
        Proof::Session { org_id, user_id, .. } => {
            let person = person::load_held(call.tx, *org_id, *user_id).await?;
            person.filter(Person::may_sign_in).ok_or_else(|| Refused::base(WRONG))?
        }
    };
    let kept = match &proven.proof {
        Proof::Session { session, token, .. } => Some((session.as_str(), token.as_str())),
        _ => None,
    };
    let cause = &call.request.request_id;
    welcome(call.scope.tx, person, proven, kept, cause).await
}

async fn welcome(
    tx: &mut Tx,
    mut person: Person,
    proven: &Proven,
    kept: Option<(&str, &str)>,
    cause: &str,
) -> Answer<Payload> {
    let actor = person.actor(None);
    let mut scope = Scope::new(tx, &actor);
    if kept.is_none()
        && let Some(blocked) = second_step::block(&mut scope, &person.user, cause).await?
    {
        return Ok(blocked);
    }
    if person.user.timezone.is_none() && proven.timezone.is_some() {
        let after = User { timezone: proven.timezone.clone(), ..person.user.clone() };
        scope.update(&person.user, &after).await?;
        person.user = after;
    }
    let (mut token, mut api_key) = (None, None);
    match (proven.wants_key, kept) {
        (true, kept) => {
            if let Some((id, _)) = kept {
                check_fresh(&mut scope, id).await?;
            }
            if !proven.keeps_keys {
                key::revoke_all(&mut scope, person.user.id).await?;
            }
            key::check_count(&mut scope, person.user.id).await?;
            let minting = Minting { at_sign_in: true, ..Minting::named("Made at sign-in") };
            let made = key::mint(&mut scope, &person.user, minting).await?;
            api_key = Some(made.text.to_string());
        }
        (false, Some((_, text))) => token = Some(text.to_owned()),
        (false, None) => {
            token = Some(session::begin(&mut scope, &person.user).await?.text.to_string());
        }
    }
    // Who only shows a session has not signed in again.
    if kept.is_none() {
        note_sign_in(scope.tx, &person.user).await?;
    }
    Ok(Payload::new()
        .leaf("token", token)
        .leaf("api_key", api_key)
        .leaf("blocked_by_2fa", false)
        .one("user", person.user.id.0)
        .seen_by(person.actor(None)))
}

async fn check_fresh(scope: &mut Scope<'_>, id: &str) -> Answer<()> {
    let wall = scope.tx.wall();
    match session::find(scope, id).await? {
        Some(session) if session::is_fresh(session.created_at, wall) => Ok(()),
        _ => Err(Refused::base("Sign in with your password to get an API key")),
    }
}

/// Notes when somebody last signed in; no change of the record that a client
/// of the API should see as an update.
pub(crate) async fn note_sign_in(tx: &mut Tx, user: &User) -> Result<(), StoreError> {
    let now = tx.now().0;
    let sql = Sql::fixed(
        "UPDATE users SET last_sign_in_at = $1, last_active = $2 WHERE org_id = $3 AND id = $4",
        [now.into(), now.into(), user.org_id.0.into(), user.id.0.into()],
    );
    tx.execute(&sql).await.map(drop)
}

input! {
    /// `revokeToken`; its only field is a dummy of the contract.
    #[allow(non_snake_case)]
    pub struct RevokeToken {
        clientMutationId: String,
    }
}

/// Ends the session that the request came with, also one that awaits its code.
pub async fn revoke_token(call: &mut Call<'_>, _: &RevokeToken) -> Answer<Payload> {
    let Some(id) = call.request.session.clone() else {
        return Err(Refused::base(
            "This request came with no session. Delete an API key with deleteApiKey",
        ));
    };
    match call.request.awaits_code() {
        true => second_step::give_up(call.tx, &id).await?,
        false => session::end(call, &id).await.map(drop)?,
    }
    Ok(Payload::new())
}
