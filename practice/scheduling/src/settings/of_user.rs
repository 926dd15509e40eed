//! What a user's page asks of the settings.

use ward_engine::{Answer, Out, Request, RowView};
use ward_identity::tables::users;
use ward_store::{Cond, Query};

use super::layers::{layers, resolve};
use super::read::{read, unit_of};

/// Columns of users that the fields read.
pub const NEEDS: &[usize] = &[users::id, users::unit_id, users::dietitian_id, users::is_patient];

/// Whose layer it is: a member's own, a client's primary provider's.
fn whose(row: &RowView<'_>) -> Option<i64> {
    match row.get(users::is_patient).truth() {
        true => row.get(users::dietitian_id).int(),
        false => row.get(users::id).int(),
    }
}

/// `has_own_appointment_setting`: whether a member has a layer of their own.
pub async fn has_own(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(users::id).int()).collect();
    let found = read(request, q, Cond::is_in("user_id", &ids)).await?;
    let value = |row: &RowView<'_>| {
        let id = row.get(users::id).int();
        found.iter().any(|it| it.user_id.map(|user| user.0) == id).into()
    };
    Ok(rows.iter().map(value).collect())
}

/// `show_client_appointment_credits`: whether booking takes credits, with the
/// provider or of the client.
pub async fn uses_credits(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
) -> Answer<Vec<Out>> {
    let providers: Vec<i64> = rows.iter().filter_map(whose).collect();
    let units: Vec<i64> = rows.iter().filter_map(|row| row.get(users::unit_id).int()).collect();
    let neither = Cond::is_null("user_id").and(Cond::is_null("appointment_type_id"));
    let which = Cond::is_in("user_id", &providers).or(Cond::is_in("unit_id", &units).and(neither));
    let found = read(request, q, which).await?;
    let value = |row: &RowView<'_>| {
        let provider = whose(row);
        let own = found.iter().find(|it| it.user_id.is_some_and(|user| Some(user.0) == provider));
        let unit = row.get(users::unit_id).int().and_then(|unit| unit_of(&found, unit));
        resolve(&layers(None, own, unit)).use_client_credit_system.into()
    };
    Ok(rows.iter().map(value).collect())
}
