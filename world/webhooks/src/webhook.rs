//! Making, changing and deleting webhooks (behaviour 13.1).

use ward_engine::{Answer, Call, Payload, Problems, Refused, input};
use ward_store::{Cond, Id, Level, Query, Sql};

use crate::address::Address;
use crate::deliver::feed;
use crate::subscription::{self, Entry};
use crate::tables::{IdEncoding, PERMISSION, SecretState, Webhook, WebhookEvent, WebhookSecret};
use crate::validation::{self, policy};
use crate::{enable, lane, secret};

/// Said where webhooks are enabled by a validation only.
const VALID_ONLY: &str = "Webhook is enabled when a validation finds its receiver VALID. Run \
    validateWebhook";

/// Webhooks of one organization.
pub const WEBHOOKS_MAX: usize = 100;

input! {
    /// `createWebhookInput`.
    pub struct CreateWebhook {
        url: String,
        should_retry: bool,
        is_enabled: bool,
        event_type: String,
        webhook_events: Vec<Entry>,
        id_encoding: String,
        is_ordered: bool,
    }
}

input! {
    /// `updateWebhookInput`.
    pub struct UpdateWebhook {
        id: Id<Webhook>,
        url: String,
        should_retry: bool,
        is_enabled: bool,
        event_type: String,
        webhook_events: Vec<Entry>,
        id_encoding: String,
        is_ordered: bool,
    }
}

input! {
    /// `deleteWebhookInput`.
    pub struct DeleteWebhook { id: Id<Webhook> }
}

/// Refuses whoever is no developer.
pub(crate) fn requires(call: &Call<'_>) -> Answer<()> {
    match call.actor.is_member() && call.actor.has(PERMISSION.flag) {
        true => Ok(()),
        false => Err(Refused::Denied(PERMISSION)),
    }
}

/// The webhook that an input names, locked.
pub(crate) async fn named(call: &mut Call<'_>, id: Option<&Id<Webhook>>) -> Answer<Webhook> {
    let Some(&id) = id else { return Err(Refused::on("id", "Id can't be blank")) };
    let found = call.visible_for_update(id, Level::Full).await?;
    found.map(|(webhook, _)| webhook).ok_or_else(|| Refused::not_found("id"))
}

/// Makes a webhook with its secret.
pub async fn create(call: &mut Call<'_>, input: &CreateWebhook) -> Answer<Payload> {
    requires(call)?;
    let mut problems = Problems::new();
    let url = checked_url(call, input.url.trimmed(), &mut problems);
    let entries = input.webhook_events.value().map(Vec::as_slice).unwrap_or_default();
    let events = subscription::wanted(entries, &input.event_type, &mut problems);
    if entries.iter().any(|entry| entry.id.value().is_some()) {
        problems.add("webhook_events", "Webhook events of a new webhook can't have an id");
    }
    problems.check()?;
    let unit = Cond::eq("unit_id", call.actor.unit_id);
    let others: Vec<Webhook> = call.list(unit, &[]).await?;
    if others.len() >= WEBHOOKS_MAX {
        return Err(Refused::base(
            "An organization can have 100 webhooks. Delete one that is not used",
        ));
    }
    let now = call.now();
    let mut webhook = Webhook {
        id: call.next_id().await?,
        org_id: Id::new(call.actor.org_id),
        unit_id: Id::new(call.actor.unit_id),
        url,
        is_enabled: input.is_enabled.value().copied().unwrap_or(true),
        should_retry: input.should_retry.value().copied().unwrap_or(true),
        event_type: events.first().map(|event| event.event_type.to_owned()),
        id_encoding: encoding(&input.id_encoding).unwrap_or(IdEncoding::Number),
        is_ordered: input.is_ordered.is_true(),
        warned_at: None,
        listens_since: now,
        version: 1,
        created_at: now,
        updated_at: now,
        deleted_at: None,
    };
    // Its receiver has shown nothing yet.
    webhook.is_enabled &= !policy::is_strict(call, &webhook).await?;
    call.create(&webhook).await?;
    subscription::set(call, &webhook, &events).await?;
    new_secret(call, &webhook).await?;
    lane::create(call, &webhook).await?;
    Ok(Payload::new().one("webhook", webhook.id.0))
}

/// Changes a webhook. What is switched on again begins anew.
pub async fn update(call: &mut Call<'_>, input: &UpdateWebhook) -> Answer<Payload> {
    requires(call)?;
    let before = named(call, input.id.value()).await?;
    let mut problems = Problems::new();
    let mut after = before.clone();
    if input.url.is_given() {
        after.url = checked_url(call, input.url.trimmed(), &mut problems);
    }
    let own: Vec<WebhookEvent> = subscription::of(call, before.id).await?;
    let events = match input.webhook_events.value() {
        Some(entries) => Some(subscription::wanted(entries, &input.event_type, &mut problems)),
        None => subscription::with_one_more(&own, &input.event_type, &mut problems),
    };
    let enabled = input.is_enabled.value().copied();
    let moved = after.url != before.url;
    let is_strict = policy::is_strict(call, &before).await?;
    let is_proved = !moved && policy::is_proved(call, &before).await?;
    if is_strict && !is_proved && enabled == Some(true) && !before.is_enabled {
        problems.add("is_enabled", VALID_ONLY);
    }
    problems.check()?;
    if let Some(events) = &events {
        subscription::set(call, &before, events).await?;
        after.event_type = events.first().map(|event| event.event_type.to_owned());
    }
    after.should_retry = input.should_retry.value().copied().unwrap_or(after.should_retry);
    after.is_ordered = input.is_ordered.value().copied().unwrap_or(after.is_ordered);
    after.id_encoding = encoding(&input.id_encoding).unwrap_or(after.id_encoding);
    if enabled == Some(true) {
        after.warned_at = None;
    }
    // Another receiver has shown nothing yet.
    after.is_enabled = enabled.unwrap_or(after.is_enabled) && !(is_strict && moved);
    if after.is_enabled && !before.is_enabled {
        after.listens_since = call.now();
    }
    call.update(&before, &after).await?;
    if moved {
        validation::forget(call, &before).await?;
    }
    match (after.is_enabled, enabled) {
        // A lane that is disabled already may be open for probes.
        (false, _) if before.is_enabled || moved => {
            lane::pause(call.tx, before.org_id.0, before.id).await?;
        }
        (false, _) => {}
        (true, Some(true)) => enable::begin_anew(call, &after).await?,
        (true, _) if moved => enable::begin_anew(call, &after).await?,
        (true, _) => {}
    }
    Ok(Payload::new().one("webhook", after.id.0))
}

/// Deletes a webhook with its secrets; its log stays.
pub async fn delete(call: &mut Call<'_>, input: &DeleteWebhook) -> Answer<Payload> {
    requires(call)?;
    let webhook = named(call, input.id.value()).await?;
    lane::remove(call.tx, webhook.org_id.0, webhook.id).await?;
    let sql = Sql::fixed(
        "UPDATE webhook_deliveries SET state = 'dead', updated_at = $3 \
         WHERE org_id = $1 AND webhook_id = $2 AND state = 'pending'",
        [webhook.org_id.0.into(), webhook.id.0.into(), call.now().0.into()],
    );
    call.tx.execute(&sql).await?;
    feed::end(call.tx, webhook.org_id.0, webhook.id.0).await?;
    let secrets: Vec<WebhookSecret> = call.list(Cond::eq("webhook_id", webhook.id.0), &[]).await?;
    for secret in &secrets {
        call.destroy(secret).await?;
    }
    validation::forget(call, &webhook).await?;
    call.destroy(&webhook).await?;
    Ok(Payload::new().one("webhook", webhook.id.0))
}

/// Gives a webhook the secret that signs from now on.
pub(crate) async fn new_secret(call: &mut Call<'_>, webhook: &Webhook) -> Answer<()> {
    let secret = WebhookSecret {
        id: call.next_id().await?,
        org_id: webhook.org_id,
        unit_id: webhook.unit_id,
        webhook_id: webhook.id,
        secret: secret::new(call.instance()),
        state: SecretState::Current,
        retires_at: None,
        created_at: call.now(),
    };
    Ok(call.create(&secret).await?)
}

fn checked_url(call: &Call<'_>, url: Option<&str>, problems: &mut Problems) -> String {
    let Some(url) = url else {
        problems.add("url", "Url can't be blank");
        return String::new();
    };
    if let Err(problem) = Address::read(url, call.instance()) {
        problems.add("url", problem);
    }
    url.to_owned()
}

fn encoding(given: &ward_engine::Given<String>) -> Option<IdEncoding> {
    given.trimmed().and_then(IdEncoding::from_text)
}
