//! DOM-35: what ends an access to a client's record does so for good, whatever is known, given or brought
//! back later.

use ward_tests::{Api, Engine, Instance, Json, Kind, json, people, until};

use crate::proxies::{ACT, Family, PASSWORD, done, is_out, refused, run, sees, to};

const SHOWN: &str = "notificationContact { id client_portal_access client_portal_access_until }";

/// A contact of the child's with an account of their own, and what they may; their contact.
fn contact(family: &Family<'_>, name: &str, until: Option<&str>) -> Json {
    let id = people::client(&family.owner, name);
    family.change(&id, json!({"password": PASSWORD}));
    let input = json!({"user_id": family.child, "linked_client_id": id, "relationship": name,
        "client_portal_access": true, "client_portal_access_until": until});
    let made = done(run(&family.owner, "createNotificationContact", SHOWN, input));
    made["notificationContact"].clone()
}

/// What the owner reads of the child's one contact.
fn shown(family: &Family<'_>) -> Json {
    let query = "query($id: ID) { user(id: $id) { notification_contacts { client_portal_access client_portal_access_until } } }";
    let reply = family.owner.ask(query, json!({"id": family.child}));
    reply.data()["user"]["notification_contacts"][0].clone()
}

#[track_caller]
fn acts_not(own: &Api, contact: &str) {
    let reply = own.ask(ACT, json!({"id": contact}));
    assert!(reply.json["data"]["actAsLinkedClient"]["token"].is_null(), "{}", reply.text);
}

#[test]
fn dom_35_a_corrected_date_of_birth_ends_what_was_given_for_an_adult() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        family.change(&family.child, json!({"dob": "1990-03-05"}));
        let made = contact(&family, "dad", None);
        assert!(made["client_portal_access_until"].is_null(), "{made}");
        let (of_dad, own) = (people::id(&made), family.signed_in("dad"));
        let acting = family.acting(&own, &of_dad);
        family.change(&family.child, json!({"dob": "2013-03-05"}));
        family.is_in(&acting);
        let bound =
            json!({"client_portal_access": true, "client_portal_access_until": "2031-03-05"});
        assert_eq!(shown(&family), bound);
        to(&family.owner, "2031-03-05T00:00:30Z");
        is_out(&acting);
        acts_not(&own, &of_dad);
        assert_eq!(shown(&family)["client_portal_access"], false);
    }
}

/// Why the access of somebody ended; nothing while it has not.
fn ended(s: &Instance, proxy: &str) -> String {
    s.database().one(&format!(
        "SELECT ended_because FROM client_proxies WHERE proxy_id = {proxy} ORDER BY id DESC LIMIT 1"
    ))
}

/// How many times webhooks are told that a contact is another from then on.
fn told(s: &Instance) -> i64 {
    s.database().number(
        "SELECT COUNT(*) FROM events WHERE event_type = 'notification_contact.updated' \
         AND changed_fields LIKE '%client_portal_access%'",
    )
}

/// How many sessions go on in which somebody acts.
fn going_on(s: &Instance) -> i64 {
    s.database()
        .number("SELECT COUNT(*) FROM sessions WHERE proxy_id IS NOT NULL AND ended_at IS NULL")
}

/// Whether the client's log says that somebody acts no more.
fn is_logged(family: &Family<'_>, proxy: &str) -> bool {
    let log = "query($id: ID) { auditLog(resource_id: $id, resource_name: USER, first: 50) { nodes { \
        resource_changes { field value_before_change value_after_change } } } }";
    let log = family.owner.ask(log, json!({"id": family.child}));
    let gone = json!({"field": "proxy", "value_before_change": proxy, "value_after_change": null});
    let nodes = log.data()["auditLog"]["nodes"].as_array().unwrap();
    let mut changes = nodes.iter().flat_map(|it| it["resource_changes"].as_array().unwrap());
    changes.any(|change| *change == gone)
}

#[test]
fn dom_35_what_is_over_is_taken_away_by_itself_and_for_good() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let zone = json!({"timezone": "America/Los_Angeles"});
        family.change(&family.child, zone);
        let (mum, of_mum) = family.relative("mum");
        let of_dad = people::id(&contact(&family, "dad", Some("2031-03-04")));
        let [own_mum, own_dad] = ["mum", "dad"].map(|name| family.signed_in(name));
        let dad = people::current_user(&own_dad);
        let by_mum = family.acting(&own_mum, &of_mum);
        let by_dad = family.acting(&own_dad, &of_dad);
        // It is the day elsewhere.
        to(&family.owner, "2031-03-04T07:59:00Z");
        family.is_in(&by_dad);
        assert_eq!((ended(&s, &dad), going_on(&s), told(&s)), (String::new(), 2, 0));
        to(&family.owner, "2031-03-04T08:01:00Z");
        is_out(&by_dad);
        assert_eq!((ended(&s, &dad), going_on(&s), told(&s)), ("OVER".to_owned(), 1, 1));
        assert!(is_logged(&family, &dad) && !is_logged(&family, &mum));
        let knows = |api: &Api| sees(api, "user", &family.child);
        assert!(knows(&own_mum) && !knows(&own_dad));
        family.is_in(&by_mum);
        to(&family.owner, "2031-03-05T08:01:00Z");
        is_out(&by_mum);
        assert_eq!((ended(&s, &mum), going_on(&s)), ("OVER".to_owned(), 0));
        assert!(is_logged(&family, &mum) && !knows(&own_mum));
        // The child turns out to be younger, which lets nobody in.
        family.change(&family.child, json!({"dob": "2014-03-05"}));
        acts_not(&own_mum, &of_mum);
        assert!(!knows(&own_mum));
        family.switch(&of_mum, true);
        assert!(knows(&own_mum));
        family.is_in(&family.acting(&own_mum, &of_mum));
    }
}

#[test]
fn dom_35_a_date_of_birth_that_was_wrong_for_a_moment_ends_it_for_good() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let (mum, of_mum) = family.relative("mum");
        let own = family.signed_in("mum");
        let acting = family.acting(&own, &of_mum);
        family.change(&family.child, json!({"dob": "2013-03-06"}));
        family.is_in(&acting);
        assert_eq!(told(&s), 0);
        family.change(&family.child, json!({"dob": "1990-03-05"}));
        assert_eq!((ended(&s, &mum), going_on(&s), told(&s)), ("OVER".to_owned(), 0, 1));
        assert!(is_logged(&family, &mum) && !sees(&own, "user", &family.child));
        family.change(&family.child, json!({"dob": "2013-03-05"}));
        is_out(&acting);
        acts_not(&own, &of_mum);
        assert_eq!(shown(&family)["client_portal_access"], false);
        family.switch(&of_mum, true);
        is_out(&acting);
        family.is_in(&family.acting(&own, &of_mum));
    }
}

#[test]
fn dom_35_what_a_date_of_birth_ends_is_told_once_while_the_clock_stands_still() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let (_, of_mum) = family.relative("mum");
        let own = family.signed_in("mum");
        assert_eq!(told(&s), 0);
        for dob in ["1990-03-05", "1991-03-05", "2013-03-05"] {
            family.change(&family.child, json!({"dob": dob}));
            assert_eq!(told(&s), 1, "{dob}");
        }
        // Another access, which that date does not end.
        family.switch(&of_mum, true);
        let given = told(&s);
        family.change(&family.child, json!({"dob": "2013-03-06"}));
        assert_eq!(told(&s), given);
        let acting = family.acting(&own, &of_mum);
        family.change(&family.child, json!({"dob": "1990-03-05"}));
        is_out(&acting);
        assert_eq!(told(&s), given + 1);
    }
}

#[test]
fn dom_35_what_is_over_is_not_begun_again_by_giving_it_again() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let made = contact(&family, "mum", Some("2031-03-04"));
        let (of_mum, own) = (people::id(&made), family.signed_in("mum"));
        let acting = family.acting(&own, &of_mum);
        to(&family.owner, "2031-03-04T00:00:30Z");
        is_out(&acting);
        assert_eq!(family.switch(&of_mum, true)["messages"], Json::Null);
        is_out(&acting);
        family.is_in(&family.acting(&own, &of_mum));
    }
}

#[test]
fn dom_35_what_was_taken_away_stays_so_when_the_sandbox_goes_back() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let made = contact(&family, "mum", None);
        let (of_mum, own) = (people::id(&made), family.signed_in("mum"));
        let post = |path: &str, body: Json| {
            let reply = family.owner.post(path, &body);
            assert!(reply.status < 300, "{}", reply.text);
        };
        post("/sandbox/v1/snapshots", json!({"name": "open"}));
        post("/sandbox/v1/snapshots/open/restore", json!({}));
        family.is_in(&family.acting(&own, &of_mum));
        family.switch(&of_mum, false);
        post("/sandbox/v1/snapshots/open/restore", json!({}));
        assert_eq!(shown(&family)["client_portal_access"], false, "it came back");
        acts_not(&own, &of_mum);
        family.switch(&of_mum, true);
        family.is_in(&family.acting(&own, &of_mum));
    }
}

#[test]
fn dom_35_a_session_as_somebody_else_does_not_act_for_a_third() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let family = Family::new(&server, server.with(&owner));
    let (mum, of_mum) = family.relative("mum");
    let reply = family.owner.post("/sandbox/v1/be", &json!({"user": mum}));
    assert_eq!(reply.status, 200, "{}", reply.text);
    let as_mum = server.with(reply.json["token"].as_str().unwrap());
    assert_eq!(people::current_user(&as_mum), mum);
    let said = as_mum.ask(ACT, json!({"id": of_mum}));
    refused(&said.json["data"]["actAsLinkedClient"], "had by signing in");
    // She herself does.
    family.is_in(&family.acting(&family.signed_in("mum"), &of_mum));
}

#[test]
fn dom_35_signing_out_ends_what_was_begun_with_it_and_no_other() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        let (_, of_mum) = family.relative("mum");
        let [one, two] = ["mum", "mum"].map(|name| family.signed_in(name));
        let [by_one, more, by_two] = [&one, &one, &two].map(|own| family.acting(own, &of_mum));
        let out = "mutation { revokeToken(input: {}) { messages { message } } }";
        // Who stops acting is still themselves, and acts in what else they began.
        by_one.ask(out, json!({})).data();
        is_out(&by_one);
        family.is_in(&more);
        one.ask(out, json!({})).data();
        is_out(&one);
        is_out(&more);
        family.is_in(&by_two);
    }
}

#[test]
fn dom_35_a_replay_hands_no_token_to_another_session() {
    let s = Instance::birth(Kind::Sandbox, Engine::Sqlite);
    let owner = s.owner_key();
    let server = s.serve();
    let family = Family::new(&server, server.with(&owner));
    let (_, of_mum) = family.relative("mum");
    let [one, two] =
        ["mum", "mum"].map(|name| family.signed_in(name).header("Idempotency-Key", "acting"));
    let token = |own: &Api| {
        own.ask(ACT, json!({"id": of_mum})).json["data"]["actAsLinkedClient"]["token"].clone()
    };
    let first = token(&one);
    assert!(first.is_string() && token(&one) == first, "{first}");
    assert!(token(&two).is_null());
}

/// A picture of one pixel.
const PIXEL: &str = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

#[test]
fn dom_35_a_link_to_a_file_opens_it_while_who_was_given_it_may_act() {
    for engine in Engine::available("DOM-35") {
        let s = Instance::birth(Kind::Sandbox, engine);
        let owner = s.owner_key();
        let server = s.serve();
        let family = Family::new(&server, server.with(&owner));
        family.change(&family.child, json!({"password": PASSWORD}));
        let picture = json!({"id": family.child, "avatar_string": PIXEL});
        done(run(&family.owner, "updateUser", "user { id }", picture));
        let (mum, of_mum) = family.relative("mum");
        let acting = family.acting(&family.signed_in("mum"), &of_mum);
        let child = family.signed_in("child");
        let link = |api: &Api| {
            let reply = api.ask("{ currentUser { avatar_url } }", json!({}));
            let url = reply.data()["currentUser"]["avatar_url"].as_str().unwrap().to_owned();
            url[url.find("/files/").unwrap()..].to_owned()
        };
        let (by_mum, own) = (link(&acting), link(&child));
        assert_ne!(by_mum, own);
        let opens = |link: &str| server.api().get(link).status;
        assert_eq!((opens(&by_mum), opens(&own)), (200, 200));
        let reads = "query($id: ID!) { clientAccessLog(client_id: $id) { nodes { user_id credential_kind } } }";
        until("the link's reading is logged as hers", || {
            let read = family.owner.ask(reads, json!({"id": family.child}));
            let nodes = read.data()["clientAccessLog"]["nodes"].as_array().unwrap().clone();
            let is_hers = |node: &Json| {
                node["user_id"] == mum.as_str() && node["credential_kind"] == "file_link"
            };
            nodes.iter().any(is_hers).then_some(())
        });
        family.switch(&of_mum, false);
        assert_eq!((opens(&by_mum), opens(&own)), (404, 200));
        family.switch(&of_mum, true);
        to(&family.owner, "2031-03-05T00:00:30Z");
        assert_eq!((opens(&by_mum), opens(&own)), (404, 200));
    }
}
