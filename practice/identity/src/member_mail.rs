//! Mails to members about their accounts: the invitation to a new one.

use ward_engine::{Answer, Call};
use ward_store::Id;

use crate::account_mail::{self, AccountMail};
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
    let facts = serde_json::json!({
        "inviter_name": inviter.map(|inviter| inviter.full_name()),
        "link": path,
    });
    let Some(to) = user.email.as_deref() else { return Ok(()) };
    let cause = call.request.request_id.clone();
    let mail = AccountMail { kind, to, facts, cause: &cause };
    account_mail::send(call, user, mail).await?;
    Ok(())
}
