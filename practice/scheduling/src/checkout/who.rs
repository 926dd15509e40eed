//! Who books: a client by themselves, or a visitor, who is a client of the provider
//! from then on if they were not before (behaviour 23.3).

use std::sync::Arc;

use ward_clients::client as clients;
use ward_clients::feature_toggle::{self, Switch};
use ward_clients::visitor::{self, Visitor};
use ward_engine::{Answer, Call, Refused, Request};
use ward_identity::attempt::{self, Subjects};
use ward_identity::email;
use ward_identity::tables::{User, UserGroup};
use ward_store::{Id, Role};

use super::input::{CompleteCheckout, problems};
use crate::tables::AppointmentType;

/// Before the transaction: what is wrong is told, and a visitor's attempt is counted,
/// by their address and by the e-mail that they say is theirs, whatever comes of it.
pub async fn prepare(request: Arc<Request>, input: CompleteCheckout) -> Answer<CompleteCheckout> {
    let is_visitor = request.actor.role == Role::Anonymous;
    if !is_visitor && !request.actor.is_client() {
        return Err(Refused::base("Members book with createAppointment"));
    }
    problems(&input, is_visitor).check()?;
    if is_visitor {
        let address = email::key(input.email.trimmed().unwrap_or_default());
        attempt::count(&request.db, &Subjects::of(&request, "checkout", &address)).await?;
    }
    Ok(input)
}

/// Whether the client who asks may schedule at all (behaviour 19).
pub async fn may_schedule(call: &mut Call<'_>) -> Answer<()> {
    let (org, client) = (call.actor.org_id, call.actor.user_id);
    match client == 0 || feature_toggle::is_on(call.tx, org, client, Switch::Scheduling).await? {
        true => Ok(()),
        false => Err(Refused::base("Scheduling is switched off for you")),
    }
}

/// The client who books, no longer archived. Behind the calendar's lock, so that
/// nobody becomes a client for a time that is gone.
pub async fn client(call: &mut Call<'_>, said: &Visitor, provider: &User) -> Answer<User> {
    if call.actor.role == Role::Anonymous {
        return visitor::client_of(call, said, provider).await;
    }
    let own = Id::new(call.actor.user_id);
    let own: Option<User> = call.find(own).await?;
    let own = own.filter(|own| own.unit_id == provider.unit_id);
    let own = own.ok_or_else(|| Refused::not_found("provider_id"))?;
    call.scope.subject_id = Some(own.id.0);
    visitor::unarchived(call, own).await
}

/// The client in the group that a type puts them into, where they are in none yet
/// (behaviour 21).
pub async fn placed(call: &mut Call<'_>, before: User, of: &AppointmentType) -> Answer<User> {
    let Some(group) = of.user_group_id.filter(|_| before.user_group_id.is_none()) else {
        return Ok(before);
    };
    let group: Option<UserGroup> = call.find(group).await?;
    let fits = |it: &UserGroup| it.unit_id == before.unit_id || it.unit_id == before.org_id;
    let Some(group) = group.filter(fits) else { return Ok(before) };
    let after = User { user_group_id: Some(group.id), ..before.clone() };
    clients::save(call, &before, after.clone(), &[]).await?;
    Ok(call.find(after.id).await?.unwrap_or(after))
}
