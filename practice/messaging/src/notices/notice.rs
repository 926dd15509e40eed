//! Sending a notice: an effect intent with its record, so that staff can see what
//! was sent and what became of it (behaviour 42).

use serde_json::{Value as Json, json};
use ward_engine::Answer;
use ward_identity::deceased::may_be_told;
use ward_identity::tables::{Organization, User};
use ward_instance::Timestamp;
use ward_store::intents::EffectIntent;
use ward_store::system::EffectClass;
use ward_store::{Event, Query, Scope, Sql};

use crate::notices::contact::NotificationContact;
use crate::notices::tables::{NoticeCategory, SentNotificationRecord};
use crate::notices::{devices, settings};

/// Where people sign in; the instance's address is added when it is sent.
const SIGN_IN_PAGE: &str = "/sign-in";

/// A notice to somebody.
#[derive(Clone, Debug)]
pub struct Notice<'a> {
    /// The mail's template; what the record calls it.
    pub kind: &'static str,
    /// In an SMS or a notification: the practice's own words; of a client at most when they come.
    pub text: &'a str,
    /// What else the mail's template says.
    pub facts: &'a [(&'static str, Option<String>)],
    /// What an unsubscription by the mail's link switches off.
    pub unsubscribes: &'static str,
    /// One notice of a key and a way is sent, whatever happens.
    pub key: &'a str,
    /// From this moment on it helps nobody any more, and is not sent.
    pub expires_at: Option<Timestamp>,
}

impl<'a> Notice<'a> {
    /// A notice that says nothing but its words, at once.
    pub fn new(
        kind: &'static str,
        text: &'a str,
        unsubscribes: &'static str,
        key: &'a str,
    ) -> Self {
        Notice { kind, text, facts: &[], unsubscribes, key, expires_at: None }
    }
}

/// Sends a notice by one way; nothing to a client who has died, where the person has no
/// address for it, or wants no more of it by what the receiver's side reported.
pub async fn send(
    scope: &mut Scope<'_>,
    user: &User,
    category: NoticeCategory,
    notice: &Notice<'_>,
) -> Answer<()> {
    if !may_be_told(user) {
        return Ok(());
    }
    let address = match category {
        NoticeCategory::Email => user.email.clone(),
        NoticeCategory::Sms => user.phone_number.clone(),
        NoticeCategory::Push => return push(scope, user, notice).await,
    };
    let Some(to) = address else { return Ok(()) };
    if is_stopped(scope, user, category).await? {
        return Ok(());
    }
    intend(scope, user, category, notice, to, format!("{}:{}", notice.key, category)).await
}

/// Notifies all devices that the person has registered.
async fn push(scope: &mut Scope<'_>, user: &User, notice: &Notice<'_>) -> Answer<()> {
    for device in devices::reached(scope, user).await? {
        let key = devices::key(notice.key, &device);
        intend(scope, user, NoticeCategory::Push, notice, device.token, key).await?;
    }
    Ok(())
}

async fn intend(
    scope: &mut Scope<'_>,
    user: &User,
    category: NoticeCategory,
    notice: &Notice<'_>,
    to: String,
    key: String,
) -> Answer<()> {
    let (class, payload) = match category {
        NoticeCategory::Email => (EffectClass::Email, mail(scope, user, notice).await?),
        NoticeCategory::Sms => (EffectClass::Sms, text(scope, user, notice).await?),
        NoticeCategory::Push => (EffectClass::Push, text(scope, user, notice).await?),
    };
    let intent = EffectIntent {
        class,
        kind: notice.kind,
        to,
        payload,
        subject_client: user.is_patient.then_some(user.id.0),
        recipient: Some(user.id.0),
        cause: notice.key.to_owned(),
        idempotency_key: key.clone(),
        not_before: None,
        expires_at: notice.expires_at,
    };
    if scope.intend(intent).await? {
        record(scope, user, category, notice.kind, key).await?;
    }
    Ok(())
}

/// Mails a contact that a client was told something: nothing of what, and not who
/// the client is. Only the client, or the practice, stops that.
pub async fn copy(
    scope: &mut Scope<'_>,
    client: &User,
    contact: &NotificationContact,
    key: &str,
) -> Answer<()> {
    let Some(to) = contact.email.clone().filter(|_| may_be_told(client)) else { return Ok(()) };
    const KIND: &str = "contact_message";
    let key = format!("{key}:{}:{}", NoticeCategory::Email, contact.id);
    let payload = json!({
        "recipient_name": contact.first_name,
        "practice_name": practice_name(scope, client).await?,
    });
    let intent = EffectIntent {
        class: EffectClass::Email,
        kind: KIND,
        to,
        payload,
        subject_client: Some(client.id.0),
        recipient: Some(client.id.0),
        cause: key.clone(),
        idempotency_key: key.clone(),
        not_before: None,
        expires_at: None,
    };
    if scope.intend(intent).await? {
        record(scope, client, NoticeCategory::Email, KIND, key).await?;
    }
    Ok(())
}

async fn practice_name(scope: &mut Scope<'_>, user: &User) -> Answer<Option<String>> {
    let unit: Option<Organization> = scope.find(user.unit_id).await?;
    Ok(unit.map(|unit| unit.name))
}

/// A mail says that there is something, and never what.
async fn mail(scope: &mut Scope<'_>, user: &User, notice: &Notice<'_>) -> Answer<Json> {
    let setting = settings::made(scope, user).await?;
    let (uuid, what) = (setting.unsubscribe_uuid, notice.unsubscribes);
    let mut payload = json!({
        "recipient_name": user.first_name,
        "practice_name": practice_name(scope, user).await?,
        "link": SIGN_IN_PAGE,
        "unsubscribe_link": format!("/unsubscribe?setting={uuid}&type={what}"),
    });
    for (name, fact) in notice.facts {
        payload[*name] = fact.clone().into();
    }
    Ok(payload)
}

async fn text(scope: &mut Scope<'_>, user: &User, notice: &Notice<'_>) -> Answer<Json> {
    let practice = practice_name(scope, user).await?;
    Ok(json!({ "practice_name": practice, "text": notice.text, "link": SIGN_IN_PAGE }))
}

/// Whether the receiver's side reported that the person wants no more by this way
/// since they last switched it on.
async fn is_stopped(scope: &mut Scope<'_>, user: &User, category: NoticeCategory) -> Answer<bool> {
    let sql = Sql::fixed(
        "SELECT 1 FROM sent_notification_records r JOIN effect_intents e \
         ON e.org_id = r.org_id AND e.idempotency_key = r.intent_key \
         WHERE r.org_id = $1 AND r.user_id = $2 AND r.category = $3 \
         AND e.outcome IN ('opted_out', 'complained') AND r.created_at >= COALESCE((\
         SELECT s.renewed_at FROM notification_settings s \
         WHERE s.org_id = r.org_id AND s.user_id = r.user_id), 0) LIMIT 1",
        [user.org_id.0.into(), user.id.0.into(), category.as_str().into()],
    );
    Ok(!scope.tx.rows(&sql).await?.is_empty())
}

async fn record(
    scope: &mut Scope<'_>,
    user: &User,
    category: NoticeCategory,
    kind: &str,
    intent_key: String,
) -> Answer<()> {
    let now = scope.now();
    let row = SentNotificationRecord {
        id: scope.next_id().await?,
        org_id: user.org_id,
        unit_id: user.unit_id,
        user_id: user.id,
        category,
        notification_type: kind.to_owned(),
        intent_key,
        bounce_viewed: false,
        version: 1,
        created_at: now,
        updated_at: now,
    };
    scope.create(&row).await?;
    let event = Event::new("sent_notification_record.created", "SentNotificationRecord", row.id.0)
        .of_unit(row.unit_id.0);
    scope.emit(match user.is_patient {
        true => event.about(user.id.0),
        false => event,
    });
    Ok(())
}
