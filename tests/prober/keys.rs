//! Shared credentials, ids and data. Faults that do not touch each other are found in one run.

use ward_tests::middle::Spoil;

use crate::pair::{Half, Pair};

#[test]
fn gl_06_shared_credentials_and_ids_are_found() {
    let pair = Pair::new();
    let Half { key: s_key, session, owner: s_owner, .. } = &pair.s;
    let (s_key, session, s_owner) = (s_key.clone(), session.clone(), s_owner.clone());
    let (p_key, p_owner) = (pair.p.key.clone(), pair.p.owner.clone());
    // Production takes who comes with the Sandbox's key or session for somebody of its own, and
    // the examples of documentation open something.
    let (key, owner) = (p_key.clone(), p_owner.clone());
    let own_key = s_key.clone();
    let production = Spoil::request(move |request| {
        request.replace(&own_key, &key);
        request.replace(&session, &key);
        for example in ["\"1\"", "\"12345\"", "\"999999\""] {
            request.body = request.body.replace(example, &format!("\"{owner}\""));
        }
        None
    });
    // Its refusal of a foreign id tells whether there is something by it.
    let production = production.and_answer(move |request, answer| {
        if request.body.contains(&s_owner) {
            answer.body = answer.body.replace("nothing was", "it is of somebody; nothing was");
            answer.set("x-found", "yes");
        }
    });
    // The Sandbox takes Production's key, and an id of Production opens its object there.
    let (port, tag) = (pair.p.server.port, pair.s.instance.tag.clone());
    let sandbox = Spoil::request(move |request| {
        request.replace(&p_key, &s_key);
        let is_led = request.body.contains(&p_owner);
        if is_led {
            request.replace(&s_key, &p_key);
        }
        is_led.then_some(port)
    });
    let sandbox = sandbox.and_answer(move |_, answer| {
        answer.set("x-environment", "sandbox");
        answer.set("x-instance", &tag);
    });
    pair.with_both(sandbox, production).assert_only(&[
        (
            "sandbox-key-in-production",
            "a Sandbox key at the Production, sent as Basic, is accepted",
        ),
        (
            "production-key-in-sandbox",
            "a Production key at the Sandbox, sent as Basic, is accepted",
        ),
        ("sessions", "a Sandbox session at the Production, sent as Bearer, is accepted"),
        ("foreign-ids", "the Sandbox: query "),
        ("oracle", "the Production answers "),
        ("documentation-ids", "the Production does not refuse "),
    ]);
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
    pair.with_sandbox(spoil).assert_only(&[
        ("tokens", "a Production cursor of "),
        ("id-ranges", "the Sandbox answers with the User "),
        ("rows", "is answered by both: they read one database"),
        ("foreign-ids", "the Sandbox: query "),
        ("documentation-ids", "the Sandbox does not refuse "),
        ("webhook-secrets", "2 webhook secrets are both's"),
        ("links", "calendar_feed_link of the Sandbox names the Production: "),
    ]);
}
