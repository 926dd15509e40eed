//! Lists for the command line: read without the lock, beside a running server.

use serde_json::{Value as Json, json};
use ward_identity::admin as identity;
use ward_instance::Timestamp;
use ward_store::{Db, Query, Sql, Value};

use crate::place::ServerError;

/// The staff of every organization; no clients.
pub async fn users(db: &Db) -> Result<Json, ServerError> {
    let mut reader = db.read().await?;
    let mut users = Vec::new();
    for user in identity::list_staff(&mut reader).await? {
        users.push(json!({
            "id": user.id.to_string(),
            "organization_id": user.org_id.to_string(),
            "role": user.role,
            "name": user.name,
            "email": user.email,
            "active": user.active,
            "has_password": user.has_password,
        }));
    }
    Ok(json!({ "users": users }))
}

/// The live keys, without their secrets.
pub async fn keys(db: &Db) -> Result<Json, ServerError> {
    let mut reader = db.read().await?;
    let sql = Sql::fixed(
        "SELECT k.id, k.kid, k.name, k.user_id, u.email, k.class, k.last_used_day, k.expires_at, k.allowed_addresses FROM api_keys k \
         JOIN users u ON u.org_id = k.org_id AND u.id = k.user_id WHERE k.deleted_at IS NULL ORDER BY k.id",
        [],
    );
    let rows = reader.rows(&sql).await?;
    let number =
        |row: &[Value], at: usize| row.get(at).and_then(Value::int).map(|id| id.to_string());
    let text = |row: &[Value], at: usize| row.get(at).and_then(Value::text).map(str::to_owned);
    let keys: Vec<Json> = rows
        .iter()
        .map(|row| {
            json!({
                "id": number(row, 0), "kid": text(row, 1), "name": text(row, 2), "user_id": number(row, 3),
                "email": text(row, 4), "class": text(row, 5), "last_used_day": text(row, 6),
                "expires_at": row.get(7).and_then(Value::int).map(|at| Timestamp(at).to_string()),
                "allowed_addresses": text(row, 8).and_then(|kept| serde_json::from_str::<Json>(&kept).ok()),
            })
        })
        .collect();
    Ok(json!({ "keys": keys }))
}
