//! Which of an address's accounts count, when there are more than can be
//! served. Anybody can make accounts with somebody else's address, so:
//!
//! - accounts whose address is proven go first, whatever else is true of them;
//! - of the others those that staff made and those that made themselves take
//!   turns, each the eldest first, so that whoever comes later displaces nobody
//!   (trust ruling 0.9).

use ward_store::Sql;

/// What the accounts are wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum For {
    /// Signing in: those with a password.
    Password,
    /// Sending a link: all that may sign in.
    Link,
}

/// The accounts of an address that may sign in: `org_id, id, password_hash,
/// standing`, at most `limit`, best first.
pub fn accounts(namespace: &str, address_key: &str, wanted: For, limit: i64) -> Sql {
    let mut sql = Sql::fixed(
        "SELECT b.org_id, b.id, b.password_hash, b.standing FROM (SELECT a.* FROM (SELECT u.org_id, u.id, \
         u.password_hash, l.standing, l.created_at, \
         CASE WHEN u.is_patient THEN 1 ELSE 0 END AS is_client, \
         CASE WHEN u.password_set_by = 'self' THEN 0 ELSE 1 END AS is_given, \
         COALESCE(u.last_sign_in_at, 0) AS signed_in_at, \
         ROW_NUMBER() OVER (PARTITION BY l.standing ORDER BY l.created_at, u.id) AS turn \
         FROM logins l JOIN users u ON u.org_id = l.root_id AND u.id = l.user_id \
         LEFT JOIN organization_memberships m ON m.org_id = u.org_id AND m.user_id = u.id \
         WHERE l.namespace = $1 AND l.email_key = $2 AND u.is_integration = FALSE \
         AND u.deceased_on IS NULL \
         AND (u.is_patient = TRUE OR (u.active = TRUE AND m.active = TRUE))",
        [namespace.into(), address_key.into()],
    );
    if wanted == For::Password {
        sql.push(" AND u.password_hash IS NOT NULL");
    }
    sql.push(
        ") a ORDER BY CASE WHEN a.standing = 'proven' THEN 0 ELSE 1 END, \
         CASE WHEN a.standing = 'proven' THEN a.is_client ELSE 0 END, \
         CASE WHEN a.standing = 'proven' THEN a.is_given ELSE 0 END, \
         CASE WHEN a.standing = 'proven' THEN a.signed_in_at ELSE 0 END DESC, \
         CASE WHEN a.standing = 'proven' THEN 0 ELSE a.turn END, \
         a.created_at, a.id LIMIT CAST(",
    );
    sql.bind(limit);
    sql.push(
        " AS BIGINT)) b ORDER BY CASE WHEN b.standing = 'proven' THEN 0 ELSE 1 END, \
         b.is_client, b.is_given, b.signed_in_at DESC, b.id",
    );
    sql
}
