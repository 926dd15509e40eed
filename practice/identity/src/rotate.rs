//! `rotateApiKey`: a new key in place of an old one, which goes on working for
//! a while, so that nothing stops meanwhile (SEC-07).

use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_store::{Id, Level};

use crate::key::{self, Minting};
use crate::key_limits::Limits;
use crate::tables::ApiKey;

/// How long an old key goes on working unless told otherwise.
pub const OVERLAP_MINUTES: i64 = 24 * 60;
/// And at most.
pub const OVERLAP_MINUTES_MAX: i64 = 7 * 24 * 60;

input! {
    /// `rotateApiKey`.
    pub struct RotateApiKey {
        id: Id<ApiKey>,
        overlap_minutes: i64,
        expires_at: String,
    }
}

/// Makes a key of the same user, name and addresses, and ends the old one after
/// the overlap; at once when that is 0.
pub async fn rotate_api_key(call: &mut Call<'_>, input: &RotateApiKey) -> Answer<Payload> {
    let Some(&id) = input.id.value() else {
        return Err(Refused::on("id", "Id can't be blank"));
    };
    let overlap = input.overlap_minutes.value().copied().unwrap_or(OVERLAP_MINUTES);
    if !(0..=OVERLAP_MINUTES_MAX).contains(&overlap) {
        return Err(Refused::on(
            "overlap_minutes",
            "Overlap minutes must be from 0 to 10080, a week",
        ));
    }
    key::may_mint(call).await?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let (old, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    let wall = call.tx.wall();
    if old.expires_at.is_some_and(|end| end <= wall) {
        return Err(Refused::on("id", "This key is over already. Make a new one"));
    }
    let nothing = ward_engine::Given::Absent;
    let new = Limits::given(&input.expires_at, &nothing, &call.request.zone, wall)?;
    if old.expires_at.is_some() && new.expires_at.is_none() {
        return Err(Refused::on(
            "expires_at",
            "Expires at can't be blank: the old key ends by itself, so the new one does too",
        ));
    }
    let limits = Limits { allowed_addresses: old.allowed_addresses.clone(), ..new };
    let target = key::target(call, old.user_id, "id").await?;
    if overlap == 0 {
        key::revoke(call, &old).await?;
    }
    key::check_count(call, target.user.id).await?;
    let at_sign_in = old.made_at_sign_in;
    let minting = Minting { name: old.name.clone(), class: old.class, limits, at_sign_in };
    let made = key::mint(call, &target.user, minting).await?;
    if overlap > 0 {
        let end = wall.plus_seconds(overlap * 60);
        let end = old.expires_at.map_or(end, |earlier| earlier.min(end));
        let mut ending = ApiKey { expires_at: Some(end), ..old.clone() };
        ending.row_mac = key::bound(&ending).sign(call.instance());
        call.update(&old, &ending).await?;
    }
    Ok(Payload::new()
        .leaf("api_key", made.text.to_string())
        .leaf("api_key_object", key::shown_once(call, &made)))
}
