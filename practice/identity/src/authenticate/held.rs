//! Credentials that stay in use for longer than a request, such as a socket's:
//! asked again and again whether they still hold, many at a time (SEC-05).

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use ward_instance::{Instance, Timestamp};
use ward_store::{Actor, Db, Query, Sql, StoreError, Value};

use super::{
    Claim, FROM_PERSON, FROM_PROXY, Identified, KeyFacts, OF_KEY, OF_PROXY, OF_SESSION, PERSON,
    Rejection, authenticate_from, classify, flag_columns, key_of_row, session_of_row, touch,
};

static KEYS_SQL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT k.kid, {OF_KEY}, {PERSON}, {} FROM api_keys k \
         JOIN users u ON u.org_id = k.org_id AND u.id = k.user_id {FROM_PERSON} \
         WHERE k.kid IN_LIST($1) AND k.deleted_at IS NULL \
         AND NOT EXISTS (SELECT 1 FROM revoked_keys r WHERE r.kid = k.kid)",
        flag_columns()
    )
});

static SESSIONS_SQL: LazyLock<String> = LazyLock::new(|| {
    format!(
        "SELECT {OF_SESSION}, {OF_PROXY}, {PERSON}, {} FROM sessions s \
         JOIN users u ON u.org_id = s.org_id AND u.id = s.user_id {FROM_PROXY} {FROM_PERSON} \
         WHERE s.id IN_LIST($1) AND s.ended_at IS NULL",
        flag_columns()
    )
});

/// A credential that was accepted, without its text, and where it came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    what: What,
    address: Box<str>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum What {
    Key { kid: Box<str>, secret_hash: [u8; 32] },
    Session { id: Box<str> },
}

impl Held {
    /// The key's kid or the session's id; safe to log.
    pub fn name(&self) -> &str {
        match &self.what {
            What::Key { kid, .. } => kid,
            What::Session { id } => id,
        }
    }

    /// The network address that it was sent from.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Who it is at this moment; nothing when it is over. This is a use of it,
    /// as a request is.
    pub async fn identify(self: &Arc<Self>, db: &Db) -> Result<Option<Identified>, StoreError> {
        let mut reader = db.read().await?;
        let found = identify_held(&mut reader, db.instance(), std::slice::from_ref(self)).await?;
        drop(reader);
        let Some(identified) = found.into_iter().flatten().next() else { return Ok(None) };
        if identified.facts.wants_touch
            && let Err(error) = touch(db, &identified.actor, &identified.facts).await
        {
            // A full disk must not lock readers out.
            tracing::warn!(%error, "the use of a credential could not be written down");
        }
        Ok(Some(identified))
    }
}

/// Accepts an `Authorization` value from an address for longer than a request,
/// and notes the use. Nothing for none, and for a session that still awaits
/// its second factor.
pub async fn hold(
    db: &Db,
    text: &str,
    address: &str,
) -> Result<Result<Option<(Held, Identified)>, Rejection>, StoreError> {
    let claim = match classify(db.instance(), text) {
        Ok(claim) => claim,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let identified = match authenticate_from(db, text, address).await? {
        Ok(identified) => identified,
        Err(rejection) => return Ok(Err(rejection)),
    };
    let what = match claim {
        Some(Claim::Key { kid, secret_hash }) => What::Key { kid: kid.into(), secret_hash },
        Some(Claim::Session { .. }) if identified.actor.user_id != 0 => {
            What::Session { id: identified.session.clone().unwrap_or_default().into() }
        }
        _ => return Ok(Ok(None)),
    };
    Ok(Ok(Some((Held { what, address: address.into() }, identified))))
}

/// Who each of the credentials is at this moment, with what they may do;
/// nothing for those that are over. Two statements, however many they are.
/// Looking is no use of them: a session that is only looked at ends as idle.
pub async fn identify_held(
    reader: &mut dyn Query,
    instance: &Instance,
    held: &[Arc<Held>],
) -> Result<Vec<Option<Identified>>, StoreError> {
    let wall = instance.clock().wall();
    let keys = rows_of(reader, &KEYS_SQL, held, |what| matches!(what, What::Key { .. })).await?;
    let sessions =
        rows_of(reader, &SESSIONS_SQL, held, |what| matches!(what, What::Session { .. })).await?;
    let found = |held: &Arc<Held>| match &held.what {
        What::Key { kid, secret_hash } => {
            let row = keys.get(kid)?.get(1..)?;
            key_of_row(row, instance, kid, secret_hash, &held.address, wall)
        }
        What::Session { id } => {
            session_of_row(sessions.get(id)?, instance).filter(|(actor, _)| actor.user_id != 0)
        }
    };
    Ok(held.iter().map(|held| found(held).map(|found| answering(found, wall))).collect())
}

/// As a request that is answered has it.
fn answering((actor, facts): (Actor, KeyFacts), wall: Timestamp) -> Identified {
    let actor = Actor { glass_at: wall, exercised: Some(Arc::default()), ..actor };
    Identified { actor, session: facts.session.clone(), facts }
}

/// Rows by their first column.
async fn rows_of(
    reader: &mut dyn Query,
    sql: &'static str,
    held: &[Arc<Held>],
    is_wanted: impl Fn(&What) -> bool,
) -> Result<HashMap<Box<str>, Vec<Value>>, StoreError> {
    let mut names: Vec<Box<str>> =
        held.iter().filter(|held| is_wanted(&held.what)).map(|held| held.name().into()).collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = reader.rows(&Sql::fixed(sql, [Value::Texts(names.into())])).await?;
    let named = |row: &[Value]| Some((row.first()?.text()?.into(), row.to_vec()));
    Ok(rows.iter().filter_map(named).collect())
}
