//! What the arguments of webhooks name.

use crate::meaning::Meaning::{self, May, Needs};
use crate::meaning::Object;

/// Root field, path of the value, what it names.
pub const OBJECTS: &[(&str, &str, Meaning)] = &[
    ("updateWebhook", "input.id", Needs(Object::Webhook)),
    ("updateWebhook", "input.webhook_events.id", May(Object::WebhookEvent)),
    ("createWebhook", "input.webhook_events.id", May(Object::WebhookEvent)),
    ("deleteWebhook", "input.id", Needs(Object::Webhook)),
    ("expireWebhookSignature", "input.id", Needs(Object::Webhook)),
    ("sendTestWebhook", "input.id", Needs(Object::Webhook)),
    ("replayWebhookEvents", "input.id", Needs(Object::Webhook)),
];
