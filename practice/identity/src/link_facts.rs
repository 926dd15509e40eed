//! What one-time links tell without being used: whether they open, whom their
//! page greets, and where those are that staff hand out.

use std::collections::HashMap;

use ward_engine::{Answer, Refused};
use ward_instance::token::TokenPurpose;
use ward_instance::{Instance, Timestamp};
use ward_store::{Query, Sql, StoreError, Value};

use crate::account;
use crate::link::{address, lookup_among, lookup_of};
use crate::tables::LinkPurpose;

/// The open links of clients without a password that staff hand out themselves,
/// as addresses: what `set_password_link` shows.
pub(crate) async fn open_invitations(
    q: &mut dyn Query,
    instance: &Instance,
    (orgs, ids): (Vec<i64>, Vec<i64>),
    base_url: &str,
) -> Result<HashMap<i64, String>, StoreError> {
    let sql = Sql::fixed(
        "SELECT l.user_id, l.id, l.lookup FROM link_tokens l \
         JOIN users u ON u.org_id = l.org_id AND u.id = l.user_id \
         WHERE l.org_id IN_LIST($1) AND l.user_id IN_LIST($2) AND l.purpose = $3 \
         AND l.used_at IS NULL AND l.voided_at IS NULL AND l.expires_at > $4 \
         AND u.is_patient = TRUE AND u.password_hash IS NULL AND u.deceased_on IS NULL",
        [
            Value::Ints(orgs.into()),
            Value::Ints(ids.into()),
            LinkPurpose::Handed.as_str().into(),
            instance.clock().wall().0.into(),
        ],
    );
    let mut links = HashMap::new();
    for row in q.rows(&sql).await?.iter() {
        let [user, id, lookup] = row else { continue };
        let (Some(user), Some(id)) = (user.int(), id.text()) else { continue };
        let token = instance.token_of_row(TokenPurpose::Invite, id);
        // One that was made under another root key opens nothing any more.
        if lookup.bytes() == Some(token.lookup.as_slice()) {
            links.insert(user, address(base_url, &token.text));
        }
    }
    Ok(links)
}

/// Whether a text is a link of this purpose that opens now. The link stays good.
pub(crate) async fn is_open(
    q: &mut dyn Query,
    instance: &Instance,
    text: &str,
    purpose: LinkPurpose,
    at: &str,
) -> Answer<bool> {
    let lookup = match lookup_among(instance, text, &[purpose], at) {
        Ok(lookup) => lookup,
        Err(Refused::Problems(_)) => return Ok(false),
        Err(refused) => return Err(refused),
    };
    Ok(greeted(q, &lookup, instance.clock().wall()).await?.is_some())
}

/// Whom the page behind a link that sets a password greets; nothing when it
/// does not open.
pub(crate) async fn greeting(
    q: &mut dyn Query,
    instance: &Instance,
    text: &str,
    at: &str,
) -> Answer<Option<serde_json::Value>> {
    match lookup_of(instance, text, at) {
        Ok(lookup) => Ok(greeted(q, &lookup, instance.clock().wall()).await?),
        Err(Refused::Problems(_)) => Ok(None),
        Err(refused) => Err(refused),
    }
}

async fn greeted(
    q: &mut dyn Query,
    lookup: &[u8],
    wall: Timestamp,
) -> Result<Option<serde_json::Value>, StoreError> {
    let sql = Sql::fixed(
        "SELECT u.id, u.first_name, u.last_name, u.email, u.is_patient FROM link_tokens l \
         JOIN users u ON u.org_id = l.org_id AND u.id = l.user_id \
         LEFT JOIN organization_memberships m ON m.org_id = u.org_id AND m.user_id = u.id \
         WHERE l.lookup = $1 AND l.used_at IS NULL AND l.voided_at IS NULL \
         AND l.expires_at > $2 AND u.is_integration = FALSE \
         AND u.deceased_on IS NULL \
         AND (u.is_patient = TRUE OR (u.active = TRUE AND m.active = TRUE))",
        [lookup.into(), wall.0.into()],
    );
    let rows = q.rows(&sql).await?;
    let Some([id, first, last, email, is_patient]) = rows.iter().next() else { return Ok(None) };
    let name = account::joined([first.text(), last.text()]);
    Ok(Some(serde_json::json!({
        "id": id.int(),
        "first_name": first.text(),
        "last_name": last.text(),
        "full_name": name,
        "name": name,
        "email": email.text(),
        "is_patient": is_patient.truth(),
    })))
}
