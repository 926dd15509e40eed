//! What answers each field of webhooks.

use std::collections::HashMap;

use ward_engine::{
    Answer, Bindings, Kind, Link, OrderOption, Out, Request, Returns, RowView, ViewId, op,
};
use ward_store::{Cond, Query, Select, Value, read_selected};

use crate::tables::{
    PERMISSION, SecretState, ValidationState, WEBHOOK_ATTEMPTS, WEBHOOK_EVENTS, WEBHOOK_SECRETS,
    WEBHOOK_VALIDATIONS, WEBHOOKS, webhook_attempts as sent, webhook_events as event,
    webhook_secrets as secret_at, webhook_validations as validation_at, webhooks as at,
};
use crate::{catalogue, listing, replay, rotate, secret, test_event, validation, webhook};

const SENT_ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "EVENT_TYPE", expression: "{t}.event_type" },
    OrderOption { name: "URL", expression: "{t}.url" },
];

const ORDERS: &[OrderOption] = &[
    OrderOption { name: "CREATED_AT", expression: "{t}.created_at" },
    OrderOption { name: "EVENT_TYPE", expression: "{t}.event_type_fold" },
    OrderOption { name: "URL", expression: "{t}.url_fold" },
];

const KEYWORDS: &[(&str, Kind)] = &[("keywords", Kind::Plain)];

/// Binds the types, their queries and mutations.
pub fn bind(b: &mut Bindings) {
    b.unserved(include_str!("../unserved.txt"));
    queries(b);
    mutations(b);
    webhook_fields(b);
    other_fields(b);
}

fn queries(b: &mut Bindings) {
    b.query_list("webhooks", &WEBHOOKS, listing::webhooks)
        .args(KEYWORDS)
        .orders(ORDERS, "CREATED_AT_DESC")
        .requires(PERMISSION);
    b.query_count("webhooksCount", &WEBHOOKS, listing::webhooks)
        .args(KEYWORDS)
        .requires(PERMISSION);
    b.query_list("sentWebhooks", &WEBHOOK_ATTEMPTS, listing::sent)
        .args(&[
            ("keywords", Kind::Plain),
            ("sent_after", Kind::Plain),
            ("sent_before", Kind::Plain),
            ("resource_id", Kind::Plain),
            ("resource_type", Kind::Plain),
            ("failed", Kind::Plain),
        ])
        .orders(SENT_ORDERS, "CREATED_AT_DESC")
        .requires(PERMISSION);
    b.query_count("sentWebhooksCount", &WEBHOOK_ATTEMPTS, listing::sent)
        .args(KEYWORDS)
        .requires(PERMISSION);
    b.batch("Query", "webhookEventTypes", &[], |_, _, rows, _| {
        let names = || catalogue::EVENTS.iter().map(|(name, _)| *name).collect::<Vec<_>>();
        Box::pin(async move { Ok(rows.iter().map(|_| Out::from(names())).collect()) })
    })
    .requires(PERMISSION);
}

fn mutations(b: &mut Bindings) {
    const WEBHOOK: &[(&str, Returns)] = &[("webhook", Returns::One(&WEBHOOKS))];
    const WEBHOOK_AND: &[(&str, Returns)] = &[
        ("webhook", Returns::One(&WEBHOOKS)),
        ("event_count", Returns::Leaf),
        ("replay_id", Returns::Leaf),
    ];
    b.mutation("createWebhook", WEBHOOK, op!(webhook::create));
    b.mutation("updateWebhook", WEBHOOK, op!(webhook::update));
    b.mutation("deleteWebhook", WEBHOOK, op!(webhook::delete));
    b.mutation("expireWebhookSignature", WEBHOOK, op!(rotate::expire));
    b.mutation("replayWebhookEvents", WEBHOOK_AND, op!(replay::replay));
    b.mutation("sendTestWebhook", &[("sent", Returns::Leaf)], op!(test_event::send));
    b.mutation("validateWebhook", WEBHOOK, op!(validation::validate));
}

fn webhook_fields(b: &mut Bindings) {
    b.object("Webhook", &WEBHOOKS);
    b.cursor("Webhook");
    b.computed("Webhook", "event_type", &[at::event_type], |request, row, _| {
        named(request, row.text(at::event_type))
    });
    b.many(
        "Webhook",
        "webhook_events",
        &WEBHOOK_EVENTS,
        Link::Column { parent: at::id, child: "webhook_id" },
    )
    .orders(&[OrderOption { name: "POSITION", expression: "{t}.position" }], "POSITION_ASC");
    b.batch("Webhook", "signature_secret", &[at::id], |request, q, rows, _| {
        Box::pin(secrets(request, q, rows, str::to_owned))
    });
    b.batch("Webhook", "standard_signature_secret", &[at::id], |request, q, rows, _| {
        Box::pin(secrets(request, q, rows, secret::standard_text))
    });
    b.one(
        "Webhook",
        "validation",
        &WEBHOOK_VALIDATIONS,
        Link::Column { parent: at::id, child: "webhook_id" },
    );
}

fn other_fields(b: &mut Bindings) {
    b.object("WebhookEvent", &WEBHOOK_EVENTS);
    b.computed("WebhookEvent", "event_type", &[event::event_type], |request, row, _| {
        named(request, row.text(event::event_type))
    });
    b.one("WebhookEvent", "webhook", &WEBHOOKS, Link::Key(event::webhook_id));
    b.object("SentWebhook", &WEBHOOK_ATTEMPTS);
    b.cursor("SentWebhook");
    b.computed("SentWebhook", "event_type", &[sent::event_type], |request, row, _| {
        named(request, row.text(sent::event_type))
    });
    b.object("WebhookValidation", &WEBHOOK_VALIDATIONS);
    const SHOWN: &[usize] = &[validation_at::state, validation_at::accepts_duplicate];
    b.computed("WebhookValidation", "explanation", SHOWN, |_, row, _| {
        let state = row.text(validation_at::state).and_then(ValidationState::from_text);
        let accepts_duplicate = row.get(validation_at::accepts_duplicate);
        let accepts_duplicate = (!accepts_duplicate.is_null()).then(|| accepts_duplicate.truth());
        state.map(|state| validation::explanation(state, accepts_duplicate)).into()
    });
}

/// An event as the view names it: an enum's member, or a dotted text in the baseline view. The
/// handshake of a validation is no event that one can subscribe to, and no member.
fn named(request: &Request, event: Option<&str>) -> Out {
    match request.view {
        ViewId::Baseline => event.into(),
        ViewId::V2026 => event.and_then(catalogue::find).map(catalogue::member).into(),
    }
}

/// Of each webhook: something of the secret that signs.
async fn secrets(
    request: &Request,
    q: &mut dyn Query,
    rows: Vec<RowView<'_>>,
    shown: impl Fn(&str) -> String + Send,
) -> Answer<Vec<Out>> {
    let ids: Vec<i64> = rows.iter().filter_map(|row| row.get(at::id).int()).collect();
    let mut select = Select::new(&WEBHOOK_SECRETS, &request.actor);
    select.columns =
        vec![secret_at::id, secret_at::org_id, secret_at::webhook_id, secret_at::secret];
    select.filter =
        Cond::is_in("webhook_id", &ids).and(Cond::eq("state", SecretState::Current.as_str()));
    let found = read_selected(q, &request.db, &select).await?;
    let own: HashMap<i64, String> = found
        .iter()
        .filter_map(|row| Some((row.get(2)?.int()?, shown(row.get(3).and_then(Value::text)?))))
        .collect();
    let told = |row: &RowView<'_>| {
        let id = row.get(at::id).int();
        id.and_then(|id| own.get(&id)).cloned().into()
    };
    Ok(rows.iter().map(told).collect())
}
