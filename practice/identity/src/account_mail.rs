//! Mails about an account to its own person (trust ruling 12): codes, lost
//! keys, changed addresses. The texts are the effects'.

use serde_json::{Value as Json, json};
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{Cond, Scope, StoreError};

use crate::deceased::may_be_told;
use crate::tables::{Organization, User};

/// A mail to be sent.
#[derive(Clone, Debug)]
pub struct AccountMail<'a> {
    /// Which text.
    pub kind: &'static str,
    /// To which address.
    pub to: &'a str,
    /// What the text needs besides names.
    pub facts: Json,
    /// The request that led here.
    pub cause: &'a str,
}

/// Wants a mail to an account's person; none to who has died.
pub async fn send(
    scope: &mut Scope<'_>,
    user: &User,
    mail: AccountMail<'_>,
) -> Result<(), StoreError> {
    let key = format!("{}/{}", mail.kind, scope.uuid().0);
    send_once(scope, user, mail, key).await
}

/// The same once for all mails of one key, whose first words are the mail's kind: what comes after the
/// first one is dropped.
pub async fn send_once(
    scope: &mut Scope<'_>,
    user: &User,
    mail: AccountMail<'_>,
    key: String,
) -> Result<(), StoreError> {
    if !may_be_told(user) {
        return Ok(());
    }
    let unit = scope.find_by::<Organization>(Cond::eq("id", user.unit_id.0)).await?;
    let mut payload = json!({
        "recipient_name": user.first_name,
        "practice_name": unit.map(|unit| unit.name),
    });
    if let (Some(payload), Json::Object(facts)) = (payload.as_object_mut(), mail.facts) {
        payload.extend(facts);
    }
    let intent = EffectIntent {
        class: EffectClass::AccountMail,
        kind: mail.kind,
        to: mail.to.to_owned(),
        payload,
        subject_client: user.is_patient.then_some(user.id.0),
        recipient: None,
        cause: mail.cause.to_owned(),
        idempotency_key: key,
        not_before: None,
        expires_at: None,
    };
    scope.intend(intent).await.map(drop)
}
