//! Shared credentials.

use ward_tests::middle::Spoil;

use crate::pair::{Half, Pair};

/// Whoever comes with the first credential is let in as with the second.
fn taken_for(foreign: &str, own: &str) -> Spoil {
    let (foreign, own) = (foreign.to_owned(), own.to_owned());
    Spoil::request(move |request| {
        request.replace(&foreign, &own);
        None
    })
}

#[test]
fn gl_06_a_production_key_that_the_sandbox_takes_is_found() {
    let pair = Pair::new();
    let spoil = taken_for(&pair.p.key, &pair.s.key);
    pair.with_sandbox(spoil).assert_only(&["production-key-in-sandbox"]);
}

#[test]
fn gl_06_a_sandbox_key_that_production_takes_is_found() {
    let pair = Pair::new();
    let spoil = taken_for(&pair.s.key, &pair.p.key);
    pair.with_production(spoil).assert_only(&["sandbox-key-in-production"]);
}

#[test]
fn gl_06_a_session_that_opens_both_is_found() {
    let pair = Pair::new();
    let spoil = taken_for(&pair.s.session, &pair.p.key);
    pair.with_production(spoil).assert_only(&["sessions"]);
}

#[test]
fn gl_06_a_shared_instance_tag_is_found() {
    let pair = Pair::new();
    let tag = pair.s.instance.tag.clone();
    let spoil = Spoil::answer(move |_, answer| answer.set("x-instance", &tag));
    pair.with_production(spoil).assert_only(&["instance-tag"]);
}

/// The Sandbox answers from Production's database: whoever comes with its key is served there.
#[test]
fn gl_06_a_shared_database_is_found() {
    let pair = Pair::new();
    let Half { key, instance, .. } = &pair.s;
    let (own, tag) = (key.clone(), instance.tag.clone());
    let (foreign, port) = (pair.p.key.clone(), pair.p.server.port);
    let spoil = Spoil::request(move |request| {
        let is_own = request.header("authorization").contains(&own);
        request.replace(&own, &foreign);
        is_own.then_some(port)
    });
    let spoil = spoil.and_answer(move |_, answer| {
        answer.set("x-environment", "sandbox");
        answer.set("x-instance", &tag);
    });
    // All that follows from it is found beside it.
    let expected = [
        "tokens",
        "id-ranges",
        "rows",
        "foreign-ids",
        "documentation-ids",
        "webhook-secrets",
        "links",
    ];
    pair.with_sandbox(spoil).assert_only(&expected);
}
