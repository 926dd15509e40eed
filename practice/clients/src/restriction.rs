//! Authorizations to see a restricted client (behaviour 16.2.4): made and taken
//! back by members who see the client and may restrict clients.

use ward_engine::{
    Answer, Bindings, Call, Link, Listing, Payload, Problems, Refused, Returns, input, op,
};
use ward_identity::flags::CAN_RESTRICT_CLIENTS;
use ward_identity::tables::{
    CLIENT_RESTRICTION_AUTHORIZATIONS, ClientRestrictionAuthorization, USERS, User,
    client_restriction_authorizations as at, users,
};
use ward_store::{Cond, Id, Level, StoreError};

use crate::{access, rules};

/// The longest reason, in characters.
pub const REASON_CHARS_MAX: usize = 2_000;

input! {
    /// `createClientRestrictionAuthorizationInput`.
    pub struct CreateAuthorization { client_id: Id<User>, provider_id: Id<User>, reason: String }
}

input! {
    /// `deleteClientRestrictionAuthorizationInput`.
    pub struct DeleteAuthorization { id: Id<ClientRestrictionAuthorization> }
}

static RETURNS: &[(&str, Returns)] =
    &[("client_restriction_authorization", Returns::One(&CLIENT_RESTRICTION_AUTHORIZATIONS))];

/// Binds the type, its mutations and the fields of users that show it.
pub fn bind(b: &mut Bindings) {
    const TYPE: &str = "ClientRestrictionAuthorization";
    b.object(TYPE, &CLIENT_RESTRICTION_AUTHORIZATIONS);
    b.one(TYPE, "client", &USERS, Link::Key(at::client_id));
    b.one(TYPE, "provider", &USERS, Link::Key(at::provider_id));
    for (field, child) in [
        ("client_restriction_authorizations", "client_id"),
        ("provider_restriction_authorizations", "provider_id"),
    ] {
        let link = Link::Column { parent: users::id, child };
        b.many("User", field, &CLIENT_RESTRICTION_AUTHORIZATIONS, link)
            .listing(|_, _| Ok(Listing::all()));
    }
    b.mutation("createClientRestrictionAuthorization", RETURNS, op!(create));
    b.mutation("deleteClientRestrictionAuthorization", RETURNS, op!(delete));
}

/// Lets a provider see a client while the client is restricted. The client need
/// not be restricted yet, so that nobody is shut out in between.
pub async fn create(call: &mut Call<'_>, input: &CreateAuthorization) -> Answer<Payload> {
    access::requires(call.actor, CAN_RESTRICT_CLIENTS)?;
    let client_id = input.client_id.value().copied();
    let client_id = client_id.ok_or_else(|| Refused::not_found("client_id"))?;
    let client = access::client_to_change(call, client_id, "client_id").await?;
    let provider_id = input.provider_id.value().copied();
    let provider_id = provider_id.ok_or_else(|| Refused::not_found("provider_id"))?;
    let provider = access::primary_provider(call, provider_id, "provider_id").await?;
    // Siblings don't see each other (behaviour 15).
    if provider.unit_id != client.unit_id && provider.unit_id != provider.org_id {
        return Err(Refused::not_found("provider_id"));
    }
    let mut problems = Problems::new();
    rules::required("reason", &input.reason, &mut problems);
    rules::bounded("reason", &input.reason, REASON_CHARS_MAX, &mut problems);
    problems.check()?;
    access::concerns(call, &client);
    let same = Cond::eq("client_id", client.id.0).and(Cond::eq("provider_id", provider.id.0));
    if call.find_by::<ClientRestrictionAuthorization>(same).await?.is_some() {
        return Err(taken());
    }
    let now = call.now();
    let authorization = ClientRestrictionAuthorization {
        id: call.next_id().await?,
        org_id: client.org_id,
        unit_id: client.unit_id,
        client_id: client.id,
        provider_id: provider.id,
        reason: input.reason.trimmed().unwrap_or_default().to_owned(),
        created_by_id: (call.actor.user_id != 0).then(|| Id::new(call.actor.user_id)),
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    call.create(&authorization).await.map_err(|error| match error {
        StoreError::Unique(_) => taken(),
        other => other.into(),
    })?;
    Ok(Payload::new().one("client_restriction_authorization", authorization.id.0))
}

/// Takes an authorization back, from the next request on.
pub async fn delete(call: &mut Call<'_>, input: &DeleteAuthorization) -> Answer<Payload> {
    access::requires(call.actor, CAN_RESTRICT_CLIENTS)?;
    let id = input.id.value().copied().ok_or_else(|| Refused::not_found("id"))?;
    let found = call.visible_for_update(id, Level::Full).await?;
    let (authorization, _) = found.ok_or_else(|| Refused::not_found("id"))?;
    call.scope.subject_id = Some(authorization.client_id.0);
    call.destroy(&authorization).await?;
    Ok(Payload::new().one("client_restriction_authorization", authorization.id.0))
}

fn taken() -> Refused {
    Refused::on("provider_id", "Provider has already been authorized")
}
