//! Mails to members about their accounts: the invitation to a new one.

use ward_engine::{Answer, Call};
use ward_store::Id;
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;

use crate::link;
use crate::tables::{LinkPurpose, User};

/// Where people sign in; mails add the instance's address.
const SIGN_IN_PAGE: &str = "/sign-in";

/// Invites a new member: by a link that sets the password, once, or by the
/// sign-in page when there is a password. Older links are void from now on.
pub async fn invite(call: &mut Call<'_>, user: &User) -> Answer<()> {
    let path = match user.password_hash {
        Some(_) => SIGN_IN_PAGE.to_owned(),
        None => link::path(&link::issue(&mut call.scope, user, LinkPurpose::Invite).await?.text),
    };
    let kind = if user.password_hash.is_some() { "welcome" } else { "invite" };
    let caller = Id::new(call.actor.user_id);
    let inviter: Option<User> = call.find(caller).await?;
    let payload = serde_json::json!({
        "recipient_name": user.first_name,
        "practice_name": call.find(user.unit_id).await?.map(|organization| organization.name),
        "inviter_name": inviter.map(|inviter| inviter.full_name()),
        "link": path,
    });
    send(call, user, kind, user.email.clone(), payload).await
}

async fn send(
    call: &mut Call<'_>,
    user: &User,
    kind: &'static str,
    to: Option<String>,
    payload: serde_json::Value,
) -> Answer<()> {
    let Some(to) = to else { return Ok(()) };
    let intent = EffectIntent {
        class: EffectClass::Email,
        kind,
        to,
        payload,
        subject_client: None,
        cause: call.request.request_id.clone(),
        idempotency_key: format!("{kind}:{}:{}", user.id, call.uuid()),
        not_before: None,
    };
    call.intend(intent).await?;
    Ok(())
}
