//! Switching second factors on and off (behaviour 3.2; additions where the
//! contract has no word). Members only; each takes a fresh sign-in (SEC-10).

use std::sync::Arc;

use serde_json::json;
use ward_engine::{Answer, Call, Payload, Problems, Refused, Request, input};
use ward_store::{Id, Level, Query, Role, Sql};

use crate::account_mail::{self, AccountMail};
use crate::attempt::{self, Subjects, Whose};
use crate::flags::CAN_EDIT_MEMBERS;
use crate::person::{self, Person};
use crate::second_factor::{self, CountedOn};
use crate::tables::{CodePurpose, FactorKind, Organization, SecondFactor, User};
use crate::totp::Secret;
use crate::{key, rank_of, session, sign_in, verification};

input! {
    /// `enrollMfa`.
    pub struct EnrollMfa {
        mfa_type: String,
    }
}

input! {
    /// `confirmMfa`.
    pub struct ConfirmMfa {
        mfa_type: String,
        verification_code: String,
    }
}

input! {
    /// `unenrollMfa`.
    pub struct UnenrollMfa {
        mfa_type: String,
    }
}

input! {
    /// `resetMfa`.
    pub struct ResetMfa {
        id: Id<User>,
    }
}

fn kind_of(given: Option<&str>) -> Answer<FactorKind> {
    let Some(given) = given else {
        return Err(Refused::on("mfa_type", "Mfa type can't be blank"));
    };
    FactorKind::from_text(given).ok_or_else(|| Refused::on("mfa_type", "Mfa type is EMAIL or TOTP"))
}

/// The caller, if they are somebody who signs in and is not a client.
async fn own(call: &mut Call<'_>) -> Answer<Person> {
    let none = || Refused::base("Only members who sign in can have a second factor");
    let actor = call.actor;
    if actor.role != Role::Member {
        return Err(none());
    }
    let own = person::load(call.tx, actor.org_id, actor.user_id).await?;
    own.filter(Person::may_sign_in).ok_or_else(none)
}

/// Begins a second factor: it counts once [`confirm`] has seen a code of it.
pub async fn enroll(call: &mut Call<'_>, input: &EnrollMfa) -> Answer<Payload> {
    let kind = kind_of(input.mfa_type.trimmed())?;
    let user = own(call).await?.user;
    session::require_fresh(call, "change your second factors").await?;
    match second_factor::of_kind(call, &user, kind).await? {
        Some(factor) if factor.confirmed_at.is_some() => {
            return Err(Refused::on("mfa_type", "Mfa type is switched on already"));
        }
        Some(begun) => {
            call.destroy(&begun).await?;
        }
        None => {}
    }
    let mut factor = SecondFactor {
        id: call.uuid(),
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        kind,
        totp_secret: None,
        last_step: None,
        tries: 0,
        confirmed_at: None,
        created_at: call.now(),
    };
    let payload = Payload::new().leaf("mfa_type", kind.as_str());
    match kind {
        FactorKind::Totp => {
            let issuer = call.find::<Organization>(user.unit_id).await?;
            let issuer = issuer.map_or_else(|| "Ward".to_owned(), |unit| unit.name);
            let account = user.email.clone().unwrap_or_else(|| user.id.to_string());
            let secret = Secret::draw(call.instance().random(), &issuer, &account)?;
            factor.totp_secret = Some(secret.base32());
            call.create(&factor).await?;
            Ok(payload.leaf("totp_secret", secret.base32()).leaf("totp_url", secret.url()?))
        }
        FactorKind::Email => {
            check_mail(call, &user)?;
            call.create(&factor).await?;
            let cause = call.request.request_id.clone();
            verification::send(call, &user, CodePurpose::Enroll, None, &cause).await?;
            Ok(payload)
        }
    }
}

/// Codes that nobody gets would lock their owner out (trust ruling 12).
fn check_mail(call: &Call<'_>, user: &User) -> Answer<()> {
    if !call.instance().reach().email() {
        return Err(Refused::on(
            "mfa_type",
            "This server sends no e-mail yet, so codes can't come by it. Use TOTP",
        ));
    }
    match user.email {
        Some(_) => Ok(()),
        None => Err(Refused::on("mfa_type", "Your account has no e-mail address")),
    }
}

/// A code that was counted, for the factor that it is to confirm.
#[derive(Clone, Debug)]
pub struct Tried {
    kind: FactorKind,
    code: String,
    subjects: Subjects,
}

/// Counts the try.
pub async fn prepare_confirm(request: Arc<Request>, input: ConfirmMfa) -> Answer<Tried> {
    let kind = kind_of(input.mfa_type.trimmed())?;
    let code = verification::digits(input.verification_code.trimmed().unwrap_or_default());
    let mut problems = Problems::new();
    if code.is_empty() {
        problems.add("verification_code", "Verification code can't be blank");
    }
    problems.check()?;
    let (org_id, user_id) = (request.actor.org_id, request.actor.user_id);
    let sql = Sql::fixed(
        "SELECT id FROM second_factors WHERE org_id = $1 AND user_id = $2 AND kind = $3 \
         AND confirmed_at IS NULL",
        [org_id.into(), user_id.into(), kind.as_str().into()],
    );
    let mut reader = request.db.read().await?;
    let id = reader.rows(&sql).await?.scalar().and_then(|id| id.text()).map(str::to_owned);
    drop(reader);
    let id = id.ok_or_else(not_begun)?;
    let on = CountedOn::Factor;
    let subjects = second_factor::count_try(&request, on, org_id, user_id, &id).await?;
    Ok(Tried { kind, code, subjects })
}

fn not_begun() -> Refused {
    Refused::on("mfa_type", "Mfa type is not being switched on. Begin with enrollMfa")
}

/// Makes a factor count, when its code is right. Every other session of the
/// account ends, and every key that a sign-in made: they were begun without.
pub async fn confirm(call: &mut Call<'_>, tried: &Tried) -> Answer<Payload> {
    let user = own(call).await?.user;
    let factor = second_factor::of_kind(call, &user, tried.kind).await?;
    let before = factor.filter(|it| it.confirmed_at.is_none()).ok_or_else(not_begun)?;
    let fits = match tried.kind {
        FactorKind::Totp => second_factor::redeem_totp(call, &before, &tried.code).await?,
        FactorKind::Email => {
            let purpose = CodePurpose::Enroll;
            verification::redeem(call, &user, purpose, None, &tried.code).await?
        }
    };
    if !fits {
        call.request.note_refusal(sign_in::REFUSED);
        return Err(Refused::on("verification_code", verification::NOT_GOOD));
    }
    let kept = second_factor::of_kind(call, &user, tried.kind).await?.unwrap_or(before);
    let after = SecondFactor { confirmed_at: Some(call.now()), ..kept.clone() };
    call.update(&kept, &after).await?;
    attempt::forgive(call.tx, &tried.subjects, Whose::TheAddress).await?;
    let own = call.request.session.clone();
    session::end_others(call, user.id.0, own.as_deref()).await?;
    let credential = call.actor.credential.clone();
    key::revoke_of_sign_ins(call, user.id, credential.as_deref()).await?;
    tell(call, &user, true).await?;
    Ok(Payload::new().one("user", user.id.0))
}

/// Takes a factor of one's own away.
pub async fn unenroll(call: &mut Call<'_>, input: &UnenrollMfa) -> Answer<Payload> {
    let kind = kind_of(input.mfa_type.trimmed())?;
    let user = own(call).await?.user;
    session::require_fresh(call, "change your second factors").await?;
    let Some(factor) = second_factor::of_kind(call, &user, kind).await? else {
        return Err(Refused::on("mfa_type", "Mfa type is not switched on"));
    };
    call.destroy(&factor).await?;
    verification::void(call, &user).await?;
    if factor.confirmed_at.is_some() {
        tell(call, &user, false).await?;
    }
    Ok(Payload::new().one("user", user.id.0))
}

/// Takes all factors of a member away, who can't sign in any more. By those who
/// may edit members, and never of somebody stronger (SEC-04).
pub async fn reset(call: &mut Call<'_>, input: &ResetMfa) -> Answer<Payload> {
    let actor = call.actor;
    if !actor.is_member() || !actor.has(CAN_EDIT_MEMBERS.flag) {
        return Err(Refused::Denied(CAN_EDIT_MEMBERS));
    }
    let Some(&id) = input.id.value() else {
        return Err(Refused::on("id", "Id can't be blank"));
    };
    session::require_fresh(call, "reset a second factor").await?;
    call.visible(id, Level::Full).await?.ok_or_else(|| Refused::not_found("id"))?;
    let target = person::load(call.tx, actor.org_id, id.0).await?;
    let target = target.ok_or_else(|| Refused::not_found("id"))?;
    if target.user.is_patient {
        return Err(Refused::on("id", "Clients have no second factor"));
    }
    rank_of::may_take_over(call, &target).await?;
    second_factor::remove_all(call, &target.user).await?;
    let kept = call.request.session.clone().filter(|_| id.0 == actor.user_id);
    session::end_others(call, id.0, kept.as_deref()).await?;
    tell(call, &target.user, false).await?;
    Ok(Payload::new())
}

/// Tells the account's person that it is guarded otherwise from now on.
async fn tell(call: &mut Call<'_>, user: &User, is_on: bool) -> Answer<()> {
    let Some(to) = user.email.clone() else { return Ok(()) };
    let cause = call.request.request_id.clone();
    let facts = json!({ "is_on": is_on });
    let mail = AccountMail { kind: "second_factor_changed", to: &to, facts, cause: &cause };
    account_mail::send(call, user, mail).await?;
    Ok(())
}
