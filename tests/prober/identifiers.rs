//! Shared identifiers.

use ward_tests::middle::Spoil;

use crate::pair::Pair;

/// Sandbox ids in Production's range.
#[test]
fn gl_06_overlapping_id_ranges_are_found() {
    let pair = Pair::new();
    let spoil = Spoil::answer(|_, answer| {
        for start in ["\"20", "\"21"] {
            let lowered = start.replace('2', "1");
            let parts: Vec<&str> = answer.body.split(start).collect();
            let is_id = |rest: &str| {
                rest.len() > 8
                    && rest.as_bytes()[..8].iter().all(u8::is_ascii_digit)
                    && rest.as_bytes()[8] == b'"'
            };
            let mut text = parts[0].to_owned();
            for rest in &parts[1..] {
                text.push_str(if is_id(rest) { &lowered } else { start });
                text.push_str(rest);
            }
            answer.body = text;
        }
    });
    pair.with_sandbox(spoil).assert_only(&["id-ranges"]);
}

/// An id of Production opens its object at the Sandbox.
#[test]
fn gl_06_an_id_that_opens_at_the_other_is_found() {
    let pair = Pair::new();
    let (own, foreign) = (pair.s.key.clone(), pair.p.key.clone());
    let (owner, port) = (pair.p.owner.clone(), pair.p.server.port);
    let tag = pair.s.instance.tag.clone();
    let spoil = Spoil::request(move |request| {
        let is_led = request.body.contains(&owner);
        if is_led {
            request.replace(&own, &foreign);
        }
        is_led.then_some(port)
    });
    let spoil = spoil.and_answer(move |_, answer| {
        answer.set("x-environment", "sandbox");
        answer.set("x-instance", &tag);
    });
    pair.with_sandbox(spoil).assert_only(&["foreign-ids"]);
}

/// The refusal of a foreign id tells whether there is something by it.
#[test]
fn gl_06_an_oracle_of_foreign_ids_is_found() {
    let pair = Pair::new();
    let owner = pair.s.owner.clone();
    let spoil = Spoil::answer(move |request, answer| {
        if request.body.contains(&owner) {
            answer.body = answer.body.replace("nothing was", "it is of somebody; nothing was");
            answer.set("x-found", "yes");
        }
    });
    pair.with_production(spoil).assert_only(&["oracle"]);
}

/// The examples of documentation open something.
#[test]
fn gl_06_a_documentation_id_that_opens_something_is_found() {
    let pair = Pair::new();
    let owner = pair.p.owner.clone();
    let spoil = Spoil::request(move |request| {
        for example in ["\"1\"", "\"12345\"", "\"999999\""] {
            request.body = request.body.replace(example, &format!("\"{owner}\""));
        }
        None
    });
    pair.with_production(spoil).assert_only(&["documentation-ids"]);
}
