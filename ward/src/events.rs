//! `ward events …`: what was sent to webhooks, and having it sent again or for the first time.

mod fire;
mod recipes;

use serde_json::{Value as Json, json};

use crate::cli::{EventsCommand, ReplayArgs};
use crate::failure::{Done, Failure};
use crate::graphql::{mutate, query};
use crate::http::Api;
use crate::output::{Out, table};

/// `ward events …`.
pub fn run(command: &EventsCommand, out: Out) -> Done {
    match command {
        EventsCommand::List { failed, resource_id, limit, there } => {
            let wanted = json!({"failed": failed, "record": resource_id, "first": limit});
            list(&Api::there(there)?, &wanted, out)
        }
        EventsCommand::Resend { events, webhook, there } => {
            let api = Api::there(there)?;
            let webhook = named(&api, webhook.as_deref())?;
            replay(&api, &json!({"id": webhook, "event_ids": events}), out)
        }
        EventsCommand::Replay(args) => {
            let api = Api::there(&args.there)?;
            let webhook = named(&api, args.webhook.as_deref())?;
            replay(&api, &asked(args, &webhook), out)
        }
        EventsCommand::Fire { event: None, .. } => {
            let names: Vec<&str> = recipes::RECIPES.iter().map(|recipe| recipe.event).collect();
            out.answer(&json!({"events": names}), || names.join("\n"));
            Ok(())
        }
        EventsCommand::Fire { event: Some(event), id, there } => {
            let answer = fire::fire(|| Api::sandbox(there), event, id.as_deref())?;
            out.answer(&answer, || crate::output::lines(&answer));
            Ok(())
        }
    }
}

fn list(api: &Api, wanted: &Json, out: Out) -> Done {
    const QUERY: &str = "query($failed: Boolean, $record: ID, $first: Int) {
        sentWebhooks(failed: $failed, resource_id: $record, first: $first, order_by: CREATED_AT_DESC) {
            nodes { created_at event_type resource_id_type resource_id webhook_id attempt_number
                outcome http_response_status error event_id } } }";
    let data = query(api, QUERY, wanted)?;
    let nodes = data["sentWebhooks"]["nodes"].as_array().cloned().unwrap_or_default();
    let row = |node: Json| {
        let event = node["event_type"].as_str().unwrap_or_default();
        let dotted = ward_webhooks::catalogue::find(event).unwrap_or(event);
        let came = [&node["http_response_status"], &node["error"]];
        let came = came.into_iter().find(|it| !it.is_null()).cloned().unwrap_or_default();
        json!({
            "created_at": node["created_at"],
            "event": dotted,
            "record": format!("{} {}", text(&node["resource_id_type"]), text(&node["resource_id"])),
            "webhook": node["webhook_id"],
            "attempt": node["attempt_number"],
            "outcome": node["outcome"],
            "answer": came,
            "event_id": node["event_id"],
        })
    };
    let rows: Json = nodes.into_iter().map(row).collect();
    out.answer(&json!({"items": rows}), || table(&rows));
    Ok(())
}

fn text(value: &Json) -> &str {
    value.as_str().unwrap_or_default()
}

/// The webhook that is meant.
fn named(api: &Api, webhook: Option<&str>) -> Done<String> {
    if let Some(webhook) = webhook {
        return Ok(webhook.to_owned());
    }
    let data = query(api, "{ webhooks(first: 2) { nodes { id } } }", &json!({}))?;
    let nodes = data["webhooks"]["nodes"].as_array().map(Vec::as_slice).unwrap_or_default();
    match nodes {
        [only] => Ok(text(&only["id"]).to_owned()),
        [] => Err(Failure::said_no("there is no webhook to send to")),
        _ => Err(Failure::usage("there are several webhooks; say which with --webhook ID")),
    }
}

fn asked(args: &ReplayArgs, webhook: &str) -> Json {
    let mut input = json!({
        "id": webhook,
        "undelivered": args.undelivered,
        "dry_run": args.dry_run,
    });
    let texts = [("occurred_after", &args.after), ("occurred_before", &args.before)];
    for (name, value) in texts.into_iter().filter(|(_, value)| value.is_some()) {
        input[name] = json!(value);
    }
    if !args.events.is_empty() {
        input["event_types"] = json!(args.events);
    }
    input
}

fn replay(api: &Api, input: &Json, out: Out) -> Done {
    let payload = mutate(api, "replayWebhookEvents", "event_count replay_id", input)?;
    let answer = json!({
        "webhook": input["id"],
        "event_count": payload["event_count"],
        "replay_id": payload["replay_id"],
    });
    out.answer(&answer, || {
        let count = payload["event_count"].as_i64().unwrap_or(0);
        let webhook = text(&input["id"]);
        match payload["replay_id"].as_str() {
            Some(replay) => format!("{count} events go to webhook {webhook} (replay {replay})"),
            None => format!("{count} events would go to webhook {webhook}"),
        }
    });
    Ok(())
}
