//! Second factors of members: which somebody has, and checking a code
//! (behaviour 3.2). Clients have none.

use ward_engine::{Answer, Refused, Request};
use ward_store::{Cond, Db, Query, Scope, Sql, StoreError};

use crate::attempt::{self, Subjects};
use crate::tables::{CodePurpose, FactorKind, SecondFactor, User};
use crate::totp::Secret;
use crate::verification;

/// The confirmed factors of a user, an authenticator app first.
pub async fn confirmed(
    scope: &mut Scope<'_>,
    user: &User,
) -> Result<Vec<SecondFactor>, StoreError> {
    if user.is_patient {
        return Ok(Vec::new());
    }
    let cond = Cond::eq("user_id", user.id.0).and(Cond::sql("{t}.confirmed_at IS NOT NULL", []));
    let mut factors: Vec<SecondFactor> = scope.list(cond, &[]).await?;
    factors.sort_by_key(|factor| factor.kind != FactorKind::Totp);
    Ok(factors)
}

/// A user's factor of a kind, confirmed or not.
pub async fn of_kind(
    scope: &mut Scope<'_>,
    user: &User,
    kind: FactorKind,
) -> Result<Option<SecondFactor>, StoreError> {
    scope.find_by(Cond::eq("user_id", user.id.0).and(Cond::eq("kind", kind.as_str()))).await
}

/// Takes all of a user's factors and codes away.
pub async fn remove_all(scope: &mut Scope<'_>, user: &User) -> Result<(), StoreError> {
    let factors: Vec<SecondFactor> = scope.list(Cond::eq("user_id", user.id.0), &[]).await?;
    for factor in factors {
        scope.destroy(&factor).await?;
    }
    verification::void(scope, user).await
}

/// Uses a code of an authenticator app up; false when it is not one, or was
/// used before.
pub async fn redeem_totp(
    scope: &mut Scope<'_>,
    factor: &SecondFactor,
    code: &str,
) -> Result<bool, StoreError> {
    let Some(secret) = factor.totp_secret.as_deref() else { return Ok(false) };
    let wall = scope.tx.wall();
    let secret = Secret::from_base32(secret)?;
    let Some(step) = secret.step_of(code, wall, factor.last_step) else { return Ok(false) };
    // Two at once: the second finds the step used.
    let sql = Sql::fixed(
        "UPDATE second_factors SET last_step = $1 WHERE org_id = $2 AND id = $3 \
         AND (last_step IS NULL OR last_step < $1)",
        [step.into(), factor.org_id.0.into(), factor.id.0.as_str().into()],
    );
    Ok(scope.tx.execute(&sql).await? == 1)
}

/// Uses up a code that finishes a sign-in, of whichever factor.
pub async fn redeem(
    scope: &mut Scope<'_>,
    user: &User,
    session_id: &str,
    code: &str,
) -> Result<bool, StoreError> {
    for factor in confirmed(scope, user).await? {
        let fits = match factor.kind {
            FactorKind::Totp => redeem_totp(scope, &factor, code).await?,
            FactorKind::Email => {
                let purpose = CodePurpose::SignIn;
                verification::redeem(scope, user, purpose, Some(session_id), code).await?
            }
        };
        if fits {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Counts a try of a code on a row, before it is looked at, so that many at
/// once gain nothing; and on the account, whichever session it is.
pub async fn count_try(
    request: &Request,
    table: CountedOn,
    org_id: i64,
    user_id: i64,
    id: &str,
) -> Answer<Subjects> {
    let subjects = Subjects::of(request, "code", &user_id.to_string());
    attempt::count(&request.db, &subjects).await?;
    match one_more(&request.db, table, org_id, id).await? {
        true => Ok(subjects),
        false => Err(Refused::on("verification_code", table.over())),
    }
}

/// Where tries are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountedOn {
    /// A session that awaits its code.
    Session,
    /// A factor that is to be confirmed.
    Factor,
}

impl CountedOn {
    const fn over(self) -> &'static str {
        match self {
            CountedOn::Session => "Too many codes were tried. Sign in again",
            CountedOn::Factor => "Too many codes were tried. Enroll again",
        }
    }

    const fn sql(self) -> &'static str {
        match self {
            CountedOn::Session => {
                "UPDATE sessions SET code_tries = code_tries + 1 WHERE org_id = $1 AND id = $2 \
                 AND awaits_code = TRUE AND ended_at IS NULL AND code_tries < $3"
            }
            CountedOn::Factor => {
                "UPDATE second_factors SET tries = tries + 1 WHERE org_id = $1 AND id = $2 \
                 AND confirmed_at IS NULL AND tries < $3"
            }
        }
    }
}

async fn one_more(db: &Db, table: CountedOn, org_id: i64, id: &str) -> Result<bool, StoreError> {
    let id = id.to_owned();
    db.write(move |tx| {
        let sql = Sql::fixed(
            table.sql(),
            [org_id.into(), id.as_str().into(), verification::TRIES_MAX.into()],
        );
        Box::pin(async move { Ok(tx.execute(&sql).await? == 1) })
    })
    .await
}
