//! `setIntegrationUser`, an addition: a member becomes a program's account, or a
//! person's again (SEC-06).
//!
//! A program has no password, no session, no link and makes no keys; a developer
//! makes them for it. What it may do is what its membership says, as before.

use ward_engine::{Answer, Call, Payload, Refused, input};
use ward_store::Level;

use crate::flags::CAN_EDIT_MEMBERS;
use crate::id_or_blank::{IdOrBlank, named};
use crate::tables::User;
use crate::{account, events, grant, key, link, permit, person, second_factor, session};

input! {
    /// `setIntegrationUserInput`.
    pub struct SetIntegrationUser {
        id: IdOrBlank<User>,
        is_integration: bool,
    }
}

/// Marks a member or takes the mark off. Either way the account begins without
/// password, second factors, sessions, links and the keys that it made for
/// itself: who had one of them has no part in what it is from now on. The address
/// stays; a program's changes at once, so give it to somebody else's before the
/// account becomes a person's again. Keys that others made for it
/// stay. For whoever may edit members and holds all that the member holds;
/// never of oneself, never of an owner.
pub async fn set(call: &mut Call<'_>, input: &SetIntegrationUser) -> Answer<Payload> {
    permit::requires(call.actor, CAN_EDIT_MEMBERS)?;
    let Some(&wanted) = input.is_integration.value() else {
        return Err(Refused::on("is_integration", "Is integration can't be blank"));
    };
    let id = named(&input.id).ok_or_else(|| Refused::on("id", "Id can't be blank"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let before = found.map(|(user, _)| user).filter(|user| !user.is_patient);
    let before = before.ok_or_else(|| Refused::not_found("id"))?;
    if before.id.0 == call.actor.user_id {
        return Err(Refused::base("You can't do this to yourself. Ask another administrator"));
    }
    let target = person::load(call.scope.tx, before.org_id.0, before.id.0).await?;
    let target = target.ok_or_else(|| Refused::not_found("id"))?;
    if target.is_owner {
        return Err(Refused::base("The owner of an organization is a person"));
    }
    grant::is_covered(call.actor, &target)?;
    if before.is_integration == wanted {
        return Ok(Payload::new().one("user", before.id.0));
    }
    let after = User {
        is_integration: wanted,
        password_hash: None,
        password_set_by: None,
        unconfirmed_email: None,
        ..before.clone()
    };
    account::update(&mut call.scope, &before, &after).await?;
    end_access(call, &before).await?;
    call.emit(events::member_updated(&after, &["is_integration"]));
    Ok(Payload::new().one("user", after.id.0))
}

async fn end_access(call: &mut Call<'_>, user: &User) -> Answer<()> {
    let id = user.id;
    second_factor::remove_all(&mut call.scope, user).await?;
    session::end_all(&mut call.scope, id.0).await?;
    link::void_all(&mut call.scope, id).await?;
    for own in key::of_user(&mut call.scope, id).await? {
        if own.created_by_id == Some(id) {
            key::revoke(&mut call.scope, &own).await?;
        }
    }
    Ok(())
}
