//! One-time codes by mail: six digits, five minutes, good once, until a newer
//! one (behaviour 3.2). Only a digest is kept, bound to the code's own row.

use serde_json::json;
use ward_engine::Answer;
use ward_instance::Instance;
use ward_store::keyring::blind_index;
use ward_store::{Query, Scope, Sql, StoreError, Uuid};

use crate::account_mail::{self, AccountMail};
use crate::password::too_many_requests;
use crate::tables::{CodePurpose, User, VerificationCode};

/// How long a code is good.
pub const CODE_SECONDS: i64 = 5 * 60;
/// Times that a code may be tried.
pub const TRIES_MAX: i64 = 5;
/// Codes that an account is sent in an hour, at most.
pub const CODES_AN_HOUR_MAX: i64 = 10;

/// What a code that opens nothing is told, whatever the reason.
pub const NOT_GOOD: &str = "Verification code is wrong or not valid any more";

const CODES: u64 = 1_000_000;
const HOUR_SECONDS: i64 = 3_600;
/// Codes are forgotten after a day.
const KEPT_SECONDS: i64 = 24 * HOUR_SECONDS;

/// What was typed as a code: digits, without the spaces that people put in.
pub fn digits(typed: &str) -> String {
    typed.chars().filter(|c| !c.is_whitespace()).take(16).collect()
}

fn digest(instance: &Instance, org_id: i64, id: &str, code: &str) -> Vec<u8> {
    blind_index(instance, org_id, "verification_codes", id, code)
}

/// Mails a new code to a member; older ones of its purpose are void, of its
/// session if it has one: whoever only knows the password can't void the codes
/// of somebody who is signing in. Refused when too many were asked for.
pub async fn send(
    scope: &mut Scope<'_>,
    user: &User,
    purpose: CodePurpose,
    session_id: Option<Uuid>,
    cause: &str,
) -> Answer<()> {
    let Some(to) = user.email.as_deref() else { return Ok(()) };
    let wall = scope.tx.wall();
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM verification_codes WHERE org_id = $1 AND user_id = $2 \
         AND created_at > $3",
        [user.org_id.0.into(), user.id.0.into(), wall.plus_seconds(-HOUR_SECONDS).0.into()],
    );
    let sent = scope.tx.rows(&sql).await?.scalar().and_then(ward_store::Value::int);
    if sent.unwrap_or(0) >= CODES_AN_HOUR_MAX {
        return Err(too_many_requests());
    }
    void_older(scope, user, purpose, session_id.as_ref()).await?;
    forget_old(scope, user).await?;
    let id = scope.uuid();
    let code = format!("{:06}", scope.instance().random().below(CODES));
    let row = VerificationCode {
        digest: digest(scope.instance(), user.org_id.0, &id.0, &code),
        id,
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        purpose,
        session_id,
        created_at: wall,
        expires_at: wall.plus_seconds(CODE_SECONDS),
        used_at: None,
    };
    scope.create(&row).await?;
    let facts = json!({ "code": code, "minutes": CODE_SECONDS / 60 });
    let mail = AccountMail { kind: "verification_code", to, facts, cause };
    account_mail::send(scope, user, mail).await?;
    Ok(())
}

/// Voids a member's open codes.
pub async fn void(scope: &mut Scope<'_>, user: &User) -> Result<(), StoreError> {
    let sql = open_codes(scope, user);
    scope.tx.execute(&sql).await.map(drop)
}

async fn void_older(
    scope: &mut Scope<'_>,
    user: &User,
    purpose: CodePurpose,
    session_id: Option<&Uuid>,
) -> Result<(), StoreError> {
    let mut sql = open_codes(scope, user);
    sql.push(" AND purpose = ").bind(purpose.as_str());
    if let Some(session) = session_id {
        sql.push(" AND session_id = ").bind(session.0.as_str());
    }
    scope.tx.execute(&sql).await.map(drop)
}

fn open_codes(scope: &Scope<'_>, user: &User) -> Sql {
    Sql::fixed(
        "UPDATE verification_codes SET used_at = $1 WHERE org_id = $2 AND user_id = $3 \
         AND used_at IS NULL",
        [scope.tx.wall().0.into(), user.org_id.0.into(), user.id.0.into()],
    )
}

async fn forget_old(scope: &mut Scope<'_>, user: &User) -> Result<(), StoreError> {
    let before = scope.tx.wall().plus_seconds(-KEPT_SECONDS);
    let sql = Sql::fixed(
        "DELETE FROM verification_codes WHERE org_id = $1 AND user_id = $2 AND created_at < $3",
        [user.org_id.0.into(), user.id.0.into(), before.0.into()],
    );
    scope.tx.execute(&sql).await.map(drop)
}

/// Uses a mailed code up; false when it is not the one. Tries are counted
/// before, by who asks.
pub async fn redeem(
    scope: &mut Scope<'_>,
    user: &User,
    purpose: CodePurpose,
    session_id: Option<&str>,
    code: &str,
) -> Result<bool, StoreError> {
    let wall = scope.tx.wall();
    let mut sql = Sql::fixed(
        "SELECT id, digest FROM verification_codes WHERE org_id = $1 AND user_id = $2 \
         AND purpose = $3 AND used_at IS NULL AND expires_at > $4",
        [user.org_id.0.into(), user.id.0.into(), purpose.as_str().into(), wall.0.into()],
    );
    if let Some(session) = session_id {
        sql.push(" AND session_id = ").bind(session);
    }
    let rows = scope.tx.rows(&sql).await?;
    let good = rows.iter().find_map(|row| {
        let (id, kept) = (row.first()?.text()?, row.get(1)?.bytes()?);
        // A keyed digest: how soon two differ says nothing of the code.
        (digest(scope.instance(), user.org_id.0, id, code) == kept).then(|| id.to_owned())
    });
    let Some(id) = good else { return Ok(false) };
    let sql = Sql::fixed(
        "UPDATE verification_codes SET used_at = $1 \
         WHERE org_id = $2 AND id = $3 AND used_at IS NULL",
        [wall.0.into(), user.org_id.0.into(), id.into()],
    );
    Ok(scope.tx.execute(&sql).await? == 1)
}
