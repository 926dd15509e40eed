//! Guessing is slowed down, per account name and per network address, and
//! attempts are counted, not requests: each is written down before its password
//! is checked, so many at once gain nothing (behaviour 3.2).
//!
//! Wall time: a Sandbox whose clock stands still must not lock anybody out.

use std::net::IpAddr;

use ward_engine::{Answer, Request};
use ward_instance::{Instance, Timestamp};
use ward_store::keyring::blind_index;
use ward_store::{Db, Query, Scope, Sql, StoreError, Tx, Uuid, Value};

use crate::email;
use crate::password::too_many_requests;
use crate::tables::{AttemptScope, User};

/// Attempts without delay.
const FREE_OF_AN_ACCOUNT: i64 = 5;
/// A practice shares one address.
const FREE_OF_AN_ADDRESS: i64 = 30;
/// The longest wait, in seconds.
const WAIT_MAX_SECONDS: i64 = 15 * 60;
/// Counters without an attempt for so long are forgotten.
const KEPT_SECONDS: i64 = 24 * 3_600;
/// Forgotten counters that one attempt clears away.
const CLEARED_AT_ONCE: i64 = 20;

/// How long after attempt number `attempts` the next one is refused, in seconds.
pub fn wait_seconds(scope: AttemptScope, attempts: i64) -> i64 {
    let free = match scope {
        AttemptScope::Account => FREE_OF_AN_ACCOUNT,
        AttemptScope::Address => FREE_OF_AN_ADDRESS,
    };
    match (attempts - free).clamp(0, 32) {
        0 => 0,
        more => (1_i64 << (more - 1)).min(WAIT_MAX_SECONDS),
    }
}

/// What is guessed, and by whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subjects(Vec<(AttemptScope, Vec<u8>)>);

impl Subjects {
    /// Attempts of a kind (`sign_in`) on an account name, from an address.
    pub fn new(instance: &Instance, kind: &str, account: &str, address: &str) -> Self {
        let digest = |column: &str, value: &str| blind_index(instance, 0, kind, column, value);
        let mut subjects = Vec::new();
        if !account.is_empty() {
            subjects.push((AttemptScope::Account, digest("account", account)));
        }
        if !address.is_empty() {
            subjects.push((AttemptScope::Address, digest("address", &network_of(address))));
        }
        Subjects(subjects)
    }

    /// Of the request's address.
    pub fn of(request: &Request, kind: &str, account: &str) -> Self {
        Self::new(&request.instance, kind, account, &request.address)
    }
}

/// Whom an address stands for: itself, or with IPv6 the network of 64 bits that
/// one household is given.
pub fn network_of(address: &str) -> String {
    match address.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(IpAddr::V6(address)) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
        Ok(address) => address.to_string(),
        Err(_) => address.to_owned(),
    }
}

/// Counts an attempt, or refuses it.
pub async fn count(db: &Db, subjects: &Subjects) -> Answer<()> {
    // Who is blocked costs a read, not a write.
    let wall = db.instance().clock().wall();
    let mut reader = db.read().await?;
    for (scope, subject) in &subjects.0 {
        if let Some((_, until)) = counter(&mut reader, *scope, subject, "").await?
            && until > wall
        {
            return Err(too_many_requests());
        }
    }
    drop(reader);
    let subjects = subjects.clone();
    db.write(move |tx| {
        let subjects = subjects.clone();
        Box::pin(async move {
            for (scope, subject) in &subjects.0 {
                count_one(tx, *scope, subject).await?;
            }
            forget_old(tx).await?;
            Ok(())
        })
    })
    .await
}

/// Counts a mail to an address that an account is to have, or refuses it, in the
/// transaction that sends it: what is not committed is not sent. Counted for the
/// account, and in its organization for the address, so that nobody's mailbox is
/// filled by either.
pub async fn count_mail(scope: &mut Scope<'_>, user: &User, address: &str) -> Answer<()> {
    let instance = scope.instance().clone();
    let org_id = user.org_id;
    let to = format!("{org_id}\u{1f}{}", email::key(address));
    for (kind, whose) in [("mail_of", user.id.to_string()), ("mail_to", to)] {
        for (kind, subject) in &Subjects::new(&instance, kind, &whose, "").0 {
            count_one(scope.tx, *kind, subject).await?;
        }
    }
    Ok(())
}

async fn count_one(tx: &mut Tx, scope: AttemptScope, subject: &[u8]) -> Answer<()> {
    let wall = tx.wall();
    let fresh = Sql::fixed(
        "INSERT INTO sign_in_attempts (id, scope, subject, attempts, blocked_until, last_at) \
         VALUES ($1, $2, $3, 0, 0, $4) ON CONFLICT DO NOTHING",
        [id(tx.uuid()), scope.as_str().into(), subject.into(), wall.0.into()],
    );
    tx.execute(&fresh).await?;
    let held = counter(tx, scope, subject, " FOR_UPDATE").await?;
    let (attempts, until) = held.unwrap_or((0, Timestamp(0)));
    if until > wall {
        return Err(too_many_requests());
    }
    let attempts = attempts + 1;
    let until = match wait_seconds(scope, attempts) {
        0 => Timestamp(0),
        seconds => wall.plus_seconds(seconds),
    };
    tx.execute(&Sql::fixed(
        "UPDATE sign_in_attempts SET attempts = $1, blocked_until = $2, last_at = $3 \
         WHERE scope = $4 AND subject = $5",
        [attempts.into(), until.0.into(), wall.0.into(), scope.as_str().into(), subject.into()],
    ))
    .await?;
    Ok(())
}

pub(crate) fn id(id: Uuid) -> Value {
    id.0.into()
}

async fn counter(
    q: &mut impl Query,
    scope: AttemptScope,
    subject: &[u8],
    ending: &str,
) -> Result<Option<(i64, Timestamp)>, StoreError> {
    let mut sql = Sql::fixed(
        "SELECT attempts, blocked_until FROM sign_in_attempts WHERE scope = $1 AND subject = $2",
        [scope.as_str().into(), subject.into()],
    );
    sql.push(ending);
    pair(q, &sql).await
}

/// A number and a moment of a counter.
pub(crate) async fn pair(
    q: &mut impl Query,
    sql: &Sql,
) -> Result<Option<(i64, Timestamp)>, StoreError> {
    let rows = q.rows(sql).await?;
    let row = rows.iter().next();
    Ok(row.and_then(|row| Some((row.first()?.int()?, Timestamp(row.get(1)?.int()?)))))
}

pub(crate) async fn forget_old(tx: &mut Tx) -> Result<(), StoreError> {
    let before = tx.wall().plus_seconds(-KEPT_SECONDS);
    let sql = Sql::fixed(
        "DELETE FROM sign_in_attempts WHERE id IN \
         (SELECT a.id FROM sign_in_attempts a WHERE a.last_at < $1 LIMIT CAST($2 AS BIGINT))",
        [before.0.into(), CLEARED_AT_ONCE.into()],
    );
    tx.execute(&sql).await.map(drop)
}

/// Whose a right credential is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whose {
    /// Of the account name's only account, or of one that is proven to be its.
    TheAddress,
    /// Of one of several that anybody may have made with this name: to know its
    /// password says nothing of the others, whose guessing goes on being counted.
    OneOfMany,
}

/// An attempt was right: the counter of the account name starts anew if it was
/// its own, else it gets its attempt back, as the address does.
pub async fn forgive(tx: &mut Tx, subjects: &Subjects, whose: Whose) -> Result<(), StoreError> {
    for (scope, subject) in &subjects.0 {
        let text = match (scope, whose) {
            (AttemptScope::Account, Whose::TheAddress) => {
                "DELETE FROM sign_in_attempts WHERE scope = $1 AND subject = $2"
            }
            _ => {
                "UPDATE sign_in_attempts SET attempts = attempts - 1, blocked_until = 0 \
                 WHERE scope = $1 AND subject = $2 AND attempts > 0"
            }
        };
        tx.execute(&Sql::fixed(text, [scope.as_str().into(), subject.as_slice().into()])).await?;
    }
    Ok(())
}
