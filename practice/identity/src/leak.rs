//! A key that somebody found where it should not be: whoever has it may end it
//! (ISO-14). Only its text is asked for; nothing is told back.

use serde_json::json;
use ward_instance::api_key::KeyClass;
use ward_store::audit::AuditEntry;
use ward_store::system::AuditType;
use ward_store::{Actor, Cond, Db, Id, Query, Scope, Sql, StoreError, Tx, Value};

use crate::account_mail::{self, AccountMail};
use crate::key;
use crate::tables::{ApiKey, Organization, User};

/// Longer texts are no key.
const CHARACTERS_MAX: usize = 512;

/// Revokes the key that a text is, if it is a live one of this instance, and
/// tells its owner. Does nothing for any other text.
pub async fn revoke(db: &Db, text: &str, cause: &str) -> Result<(), StoreError> {
    let text = text.trim();
    if text.len() > CHARACTERS_MAX {
        return Ok(());
    }
    let KeyClass::Ours { kid, secret_hash, .. } = db.instance().classify_key(text) else {
        return Ok(());
    };
    let cause = cause.to_owned();
    db.write(move |tx| {
        let (kid, cause) = (kid.clone(), cause.clone());
        Box::pin(async move { revoke_in(tx, &kid, &secret_hash, &cause).await })
    })
    .await
}

async fn revoke_in(
    tx: &mut Tx,
    kid: &str,
    secret_hash: &[u8],
    cause: &str,
) -> Result<(), StoreError> {
    let sql = Sql::fixed(
        "SELECT org_id, id FROM api_keys WHERE kid = $1 AND deleted_at IS NULL",
        [kid.into()],
    );
    let rows = tx.rows(&sql).await?;
    let keys: Vec<(i64, i64)> = rows
        .iter()
        .filter_map(|row| Some((row.first()?.int()?, row.get(1).and_then(Value::int)?)))
        .collect();
    for (org_id, id) in keys {
        let system = Actor::system(org_id);
        let mut scope = Scope::new(tx, &system);
        let Some(key) = scope.find(Id::<ApiKey>::new(id)).await? else { continue };
        // The MAC compares the digest that was presented, in constant time.
        let bound = key::Bound { secret_hash, ..key::bound(&key) };
        if !bound.fits(scope.instance(), &key.row_mac) {
            continue;
        }
        key::revoke(&mut scope, &key).await?;
        let entry = AuditEntry::by(&system, AuditType::Admin, "API_KEY", id.to_string());
        scope.record(AuditEntry { credential: Some("reported as leaked".to_owned()), ..entry });
        tell(&mut scope, &key, cause).await?;
    }
    Ok(())
}

/// Tells the key's person; of a program's key, whoever owns the organization.
async fn tell(scope: &mut Scope<'_>, key: &ApiKey, cause: &str) -> Result<(), StoreError> {
    let own = scope.find(key.user_id).await?.filter(|user: &User| !user.is_integration);
    let reader = match own.filter(|user| user.email.is_some()) {
        Some(user) => Some(user),
        None => owner_of(scope, key).await?,
    };
    let Some(reader) = reader else { return Ok(()) };
    let Some(to) = reader.email.clone() else { return Ok(()) };
    let shown = key::masked(scope.instance(), key.class.as_str(), &key.kid);
    let facts = json!({ "key": shown });
    let mail = AccountMail { kind: "key_revoked", to: &to, facts, cause };
    account_mail::send(scope, &reader, mail).await
}

async fn owner_of(scope: &mut Scope<'_>, key: &ApiKey) -> Result<Option<User>, StoreError> {
    for unit in [key.unit_id, key.org_id] {
        let unit = scope.find_by::<Organization>(Cond::eq("id", unit.0)).await?;
        if let Some(owner) = unit.and_then(|unit| unit.owner_id) {
            return scope.find(owner).await;
        }
    }
    Ok(None)
}
