//! `validateVerificationToken` and `resendVerificationCode`: from a session
//! whose password was right to one that opens something (behaviour 3.2).

use std::sync::Arc;

use ward_engine::{Answer, Call, Payload, Refused, Request, input};
use ward_store::{Query, Scope, Sql, StoreError, Tx};

use crate::attempt::{self, Subjects, Whose};
use crate::person::{self, Person};
use crate::second_factor::{self, CountedOn};
use crate::session::{self, Stage};
use crate::sign_in::{self, note_sign_in};
use crate::tables::{CodePurpose, FactorKind, Session, User};
use crate::verification;

input! {
    /// `validateVerificationToken`.
    pub struct ValidateVerificationToken {
        verification_code: String,
    }
}

/// A code that was counted, and whose session it is to finish.
#[derive(Clone, Debug)]
pub struct Tried {
    session: String,
    code: String,
    org_id: i64,
    user_id: i64,
    subjects: Subjects,
}

/// Counts the try.
pub async fn prepare(request: Arc<Request>, input: ValidateVerificationToken) -> Answer<Tried> {
    let session = awaiting(&request)?;
    let code = verification::digits(input.verification_code.trimmed().unwrap_or_default());
    if code.is_empty() {
        return Err(Refused::on("verification_code", "Verification code can't be blank"));
    }
    let mut reader = request.db.read().await?;
    let holder = holder(&mut reader, &session).await?;
    drop(reader);
    let (org_id, user_id) = holder.ok_or_else(no_code_wanted)?;
    let on = CountedOn::Session;
    let subjects = second_factor::count_try(&request, on, org_id, user_id, &session).await?;
    Ok(Tried { session, code, org_id, user_id, subjects })
}

fn no_code_wanted() -> Refused {
    Refused::base("This request came with no session that waits for a code. Sign in first")
}

fn awaiting(request: &Request) -> Answer<String> {
    request.session.clone().filter(|_| request.awaits_code()).ok_or_else(no_code_wanted)
}

/// The tenant and user of a session that awaits its code.
async fn holder(q: &mut impl Query, session: &str) -> Result<Option<(i64, i64)>, StoreError> {
    let sql = Sql::fixed(
        "SELECT org_id, user_id FROM sessions WHERE id = $1 AND awaits_code = TRUE \
         AND ended_at IS NULL",
        [session.into()],
    );
    let rows = q.rows(&sql).await?;
    let row = rows.iter().next();
    Ok(row.and_then(|row| Some((row.first()?.int()?, row.get(1)?.int()?))))
}

/// The person of a session that awaits its code, if they still may sign in.
async fn person_of(tx: &mut Tx, org_id: i64, user_id: i64) -> Answer<Person> {
    let person = person::load_held(tx, org_id, user_id).await?;
    person.filter(Person::may_sign_in).ok_or_else(no_code_wanted)
}

/// Makes the session a full one when the code is right.
pub async fn validate(call: &mut Call<'_>, tried: &Tried) -> Answer<Payload> {
    let person = person_of(call.tx, tried.org_id, tried.user_id).await?;
    let actor = person.actor(None);
    let mut scope = Scope::new(call.tx, &actor);
    let wall = scope.tx.wall();
    let before = session::find(&mut scope, &tried.session).await?;
    let is_open = |session: &Session| {
        session.awaits_code
            && session.ended_at.is_none()
            && session::is_live(Stage::AwaitsCode, session.created_at, session.last_used_at, wall)
    };
    let before = before.filter(is_open).ok_or_else(no_code_wanted)?;
    if !second_factor::redeem(&mut scope, &person.user, &tried.session, &tried.code).await? {
        call.request.note_refusal(sign_in::REFUSED);
        return Err(Refused::on("verification_code", verification::NOT_GOOD));
    }
    // What it may do from now on counts from now on.
    let after =
        Session { awaits_code: false, created_at: wall, last_used_at: wall, ..before.clone() };
    scope.update(&before, &after).await?;
    attempt::forgive(scope.tx, &tried.subjects, Whose::TheAddress).await?;
    note_sign_in(scope.tx, &person.user).await?;
    Ok(Payload::new().one("user", person.user.id.0).seen_by(actor))
}

/// The answer to a right password of somebody with a second factor: a session
/// that opens nothing but this step. Nothing for somebody without.
pub async fn block(scope: &mut Scope<'_>, user: &User, cause: &str) -> Answer<Option<Payload>> {
    let factors = second_factor::confirmed(scope, user).await?;
    let Some(kind) = factors.first().map(|factor| factor.kind) else { return Ok(None) };
    let (minted, begun) = session::begin_as(scope, user, true).await?;
    if kind == FactorKind::Email {
        verification::send(scope, user, CodePurpose::SignIn, Some(begun.id), cause).await?;
    }
    Ok(Some(
        Payload::new()
            .leaf("token", minted.text.to_string())
            .leaf("blocked_by_2fa", true)
            .leaf("blocked_by_2fa_type", kind.as_str()),
    ))
}

/// Ends a session that awaits its code.
pub async fn give_up(tx: &mut Tx, session: &str) -> Answer<()> {
    let Some((org_id, user_id)) = holder(tx, session).await? else { return Ok(()) };
    let Some(person) = person::load(tx, org_id, user_id).await? else { return Ok(()) };
    let actor = person.actor(None);
    session::end(&mut Scope::new(tx, &actor), session).await?;
    Ok(())
}

input! {
    /// `resendVerificationCode`; its only field is the dummy of the contract's
    /// other inputs.
    #[allow(non_snake_case)]
    pub struct ResendVerificationCode {
        clientMutationId: String,
    }
}

/// Mails a new code for the session that the request came with.
pub async fn resend(call: &mut Call<'_>, _: &ResendVerificationCode) -> Answer<Payload> {
    let session = awaiting(call.request)?;
    let (org_id, user_id) = holder(call.tx, &session).await?.ok_or_else(no_code_wanted)?;
    let person = person_of(call.tx, org_id, user_id).await?;
    let cause = call.request.request_id.clone();
    let actor = person.actor(None);
    let mut scope = Scope::new(call.tx, &actor);
    let factors = second_factor::confirmed(&mut scope, &person.user).await?;
    if factors.iter().all(|factor| factor.kind != FactorKind::Email) {
        return Err(Refused::base("Codes by e-mail are not switched on for this account"));
    }
    let session = Some(ward_store::Uuid(session));
    verification::send(&mut scope, &person.user, CodePurpose::SignIn, session, &cause).await?;
    Ok(Payload::new())
}
