//! Shared texts: secrets, cursors, links, the schema.

use ward_tests::middle::{self, Spoil};
use ward_tests::{Json, json};

use crate::pair::{Half, Pair};

fn webhook_secret(half: &Half) -> String {
    let query = "{ webhooks(first: 1) { nodes { signature_secret } } }";
    let reply = half.server.with(&half.key).ask(query, json!({}));
    let secret = reply.data()["webhooks"]["nodes"][0]["signature_secret"].as_str();
    secret.unwrap().to_owned()
}

#[test]
fn gl_06_a_shared_webhook_secret_is_found() {
    let pair = Pair::new();
    let (own, foreign) = (webhook_secret(&pair.p), webhook_secret(&pair.s));
    let spoil = Spoil::answer(move |_, answer| answer.body = answer.body.replace(&own, &foreign));
    pair.with_production(spoil).assert_only(&["webhook-secrets"]);
}

/// Production takes the Sandbox's cursors: it ignores them.
#[test]
fn gl_06_a_cursor_that_both_take_is_found() {
    let pair = Pair::new();
    let spoil = Spoil::request(|request| {
        let mut body: Json = serde_json::from_str(&request.body).unwrap_or_default();
        if body["variables"]["after"].is_string() {
            body["variables"]["after"] = Json::Null;
            request.body = body.to_string();
        }
        None
    });
    pair.with_production(spoil).assert_only(&["tokens"]);
}

/// The Sandbox's links open a file of Production's.
#[test]
fn gl_06_a_link_that_both_open_is_found() {
    let pair = Pair::new();
    let port = pair.s.server.port;
    let tag = pair.p.instance.tag.clone();
    let spoil =
        Spoil::request(move |request| request.path().starts_with("/calendars/").then_some(port));
    let spoil = spoil.and_answer(move |_, answer| {
        answer.set("x-environment", "production");
        answer.set("x-instance", &tag);
    });
    pair.with_production(spoil).assert_only(&["tokens"]);
}

#[test]
fn gl_06_a_link_that_leads_to_the_other_is_found() {
    let pair = Pair::new();
    let other = middle::before(pair.p.server.port, Spoil::default());
    let leads = format!("http://127.0.0.1:{other}/");
    let own = format!("http://sandbox.localhost:{}/", pair.s.server.port);
    let spoil = Spoil::answer(move |_, answer| answer.body = answer.body.replace(&own, &leads));
    let sandbox = middle::before(pair.s.server.port, spoil);
    pair.probe(sandbox, other).assert_only(&["links"]);
}

#[test]
fn gl_06_another_schema_is_found() {
    let pair = Pair::new();
    let spoil = Spoil::answer(|request, answer| {
        if request.body.contains("isDeprecated") {
            answer.body =
                answer.body.replacen("\"isDeprecated\":false", "\"isDeprecated\":true", 1);
        }
    });
    pair.with_production(spoil).assert_only(&["schema"]);
}
