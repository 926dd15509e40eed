//! The mail that leads into a client's account: the welcome with its invitation
//! (behaviour 15, 18.1). The account itself is the identity domain's.

use ward_engine::{Answer, Call};
use ward_identity::deceased::may_be_told;
use ward_identity::link;
use ward_identity::tables::{LinkPurpose, User};
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{Query, Sql, Value};

/// Invitations that can be sent again to a client in 24 hours (behaviour 18.1).
pub const RESENDS_A_DAY_MAX: i64 = 5;
/// Where people sign in; mails add the instance's address.
const SIGN_IN_PAGE: &str = "/sign-in";
const DAY_MICROS: i64 = 24 * 3_600 * 1_000_000;

/// How a welcome mail leads into the account.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// By a link that sets a password, once.
    SetPassword,
    /// By the sign-in page (`skip_set_password_state`, or there is a password).
    SignIn,
}

/// Wants a welcome mail; none to who has died. An older invitation is void from now on.
pub async fn invite(call: &mut Call<'_>, user: &User, welcome: Welcome) -> Answer<()> {
    if !may_be_told(user) {
        return Ok(());
    }
    let Some(email) = user.email.clone() else { return Ok(()) };
    let link = match welcome {
        Welcome::SignIn => SIGN_IN_PAGE.to_owned(),
        Welcome::SetPassword => {
            let token = link::issue(&mut call.scope, user, LinkPurpose::Invite).await?;
            link::path(&token.text)
        }
    };
    let practice = call.find(user.unit_id).await?.map(|organization| organization.name);
    let payload = serde_json::json!({
        "recipient_name": user.first_name,
        "practice_name": practice,
        "link": link,
    });
    let intent = EffectIntent {
        class: EffectClass::AccountMail,
        kind: "welcome",
        to: email,
        payload,
        subject_client: user.is_patient.then_some(user.id.0),
        recipient: None,
        cause: call.request.request_id.clone(),
        idempotency_key: format!("welcome:{}:{}", user.id, call.uuid()),
        not_before: None,
        expires_at: None,
    };
    call.intend(intent).await?;
    Ok(())
}

/// Welcome mails to the client in the last 24 hours, but for the one that came
/// with the account.
pub async fn resent_in_a_day(call: &mut Call<'_>, user: &User) -> Answer<i64> {
    let since = (call.now().0 - DAY_MICROS).max(user.created_at.0);
    let sql = Sql::fixed(
        "SELECT COUNT(*) FROM effect_intents WHERE org_id = $1 AND subject_id = $2 \
         AND kind = 'welcome' AND created_at > $3",
        [user.org_id.0.into(), user.id.0.into(), since.into()],
    );
    let rows = call.tx.rows(&sql).await?;
    Ok(rows.scalar().and_then(Value::int).unwrap_or(0))
}

/// Lets the session that asks go on, when its owner's new password ended all of
/// them in this transaction: the others stay ended (behaviour 3.3).
pub async fn keep_own_session(call: &mut Call<'_>) -> Answer<()> {
    let Some(own) = call.request.session.clone() else { return Ok(()) };
    let sql = Sql::fixed(
        "UPDATE sessions SET ended_at = NULL \
         WHERE org_id = $1 AND user_id = $2 AND id = $3 AND ended_at = $4",
        [call.actor.org_id.into(), call.actor.user_id.into(), own.into(), call.tx.wall().0.into()],
    );
    call.tx.execute(&sql).await?;
    Ok(())
}
