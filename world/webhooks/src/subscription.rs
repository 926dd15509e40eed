//! Which events a webhook is told of (behaviour 13.1).

use ward_engine::{Answer, Call, Given, Problems, Refused, input};
use ward_store::{Cond, Id, OrderKey, StoreError};

use crate::catalogue;
use crate::tables::{Webhook, WebhookEvent};

input! {
    /// `WebhookEventInput`.
    pub struct Entry { id: Id<WebhookEvent>, event_type: String }
}

/// An event that a webhook is to have: by the id of one that it has, or a new one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The row that becomes it.
    pub id: Option<Id<WebhookEvent>>,
    /// Dotted name.
    pub event_type: &'static str,
}

/// What the entries ask for, each event once; `event_type` is the older form for one more.
pub fn wanted(
    entries: &[Entry],
    event_type: &Given<String>,
    problems: &mut Problems,
) -> Vec<Wanted> {
    let mut all: Vec<Wanted> = Vec::new();
    let entries = entries.iter().map(|entry| {
        (
            entry.id.value().copied(),
            entry.event_type.trimmed().unwrap_or_default(),
            "webhook_events",
        )
    });
    let single = event_type.trimmed().map(|text| (None, text, "event_type"));
    for (id, text, at) in entries.chain(single) {
        let Some(event_type) = catalogue::find(text) else {
            problems.add(at, "Event type is not one that a webhook can have");
            continue;
        };
        if all.iter().all(|other| other.event_type != event_type) {
            all.push(Wanted { id, event_type });
        }
    }
    all
}

/// What a webhook has, with one more when `event_type` names another; `None` when nothing changes.
pub fn with_one_more(
    own: &[WebhookEvent],
    event_type: &Given<String>,
    problems: &mut Problems,
) -> Option<Vec<Wanted>> {
    event_type.trimmed()?;
    let more = wanted(&[], event_type, problems);
    let kept = own.iter().filter_map(|event| {
        let event_type = catalogue::find(&event.event_type)?;
        Some(Wanted { id: Some(event.id), event_type })
    });
    let mut all: Vec<Wanted> = kept.collect();
    let fresh = |more: &Wanted| all.iter().all(|kept| kept.event_type != more.event_type);
    let more: Vec<Wanted> = more.into_iter().filter(fresh).collect();
    all.extend(more);
    Some(all)
}

/// The events of a webhook, in their order.
pub async fn of(call: &mut Call<'_>, webhook: Id<Webhook>) -> Answer<Vec<WebhookEvent>> {
    let order = [OrderKey::column("position", false), OrderKey::column("id", false)];
    Ok(call.list(Cond::eq("webhook_id", webhook.0), &order).await?)
}

/// Gives a webhook these events and no other.
pub async fn set(call: &mut Call<'_>, webhook: &Webhook, wanted: &[Wanted]) -> Answer<()> {
    let mut own = of(call, webhook.id).await?;
    if wanted.iter().any(|wanted| wanted.id.is_some_and(|id| own.iter().all(|it| it.id != id))) {
        return Err(Refused::not_found("webhook_events"));
    }
    let becomes = |event: &WebhookEvent| {
        let by_id = wanted.iter().position(|wanted| wanted.id == Some(event.id));
        by_id.or_else(|| {
            let same =
                |wanted: &Wanted| wanted.id.is_none() && wanted.event_type == event.event_type;
            wanted.iter().position(same)
        })
    };
    for event in own.iter().filter(|event| becomes(event).is_none()) {
        call.destroy(event).await?;
    }
    own.retain(|event| becomes(event).is_some());
    let mut made = vec![false; wanted.len()];
    for event in &own {
        let Some(at) = becomes(event) else { continue };
        made[at] = true;
        let mut after = event.clone();
        after.event_type = wanted[at].event_type.to_owned();
        after.position = place(at);
        call.update(event, &after).await.map_err(twice)?;
    }
    for (at, wanted) in wanted.iter().enumerate().filter(|(at, _)| !made[*at]) {
        let now = call.now();
        let event = WebhookEvent {
            id: call.next_id().await?,
            org_id: webhook.org_id,
            unit_id: webhook.unit_id,
            webhook_id: webhook.id,
            event_type: wanted.event_type.to_owned(),
            position: place(at),
            first_failed_at: None,
            last_failed_at: None,
            retry_count: 0,
            created_at: now,
            updated_at: now,
        };
        call.create(&event).await.map_err(twice)?;
    }
    Ok(())
}

fn place(at: usize) -> i64 {
    i64::try_from(at).unwrap_or(i64::MAX)
}

/// Two entries that exchange their events, or two requests at once.
fn twice(error: StoreError) -> Refused {
    match error {
        StoreError::Unique(_) => {
            Refused::on("webhook_events", "Webhook events has the same event twice")
        }
        other => other.into(),
    }
}
